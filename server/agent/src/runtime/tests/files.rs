//! Files that come, go and move: taken, given back, refused when the user was there first.

use std::fs;

use kkcode_core::event::{Author, Propose};

use super::*;
use crate::overlay::{self, Seen};

const WAITING: &str = "turns:\n  - stream:\n      - delayMs: 3600000\n";

/// A world with a turn that goes on, so that it can propose.
async fn world() -> (World, Author, SessionId) {
    let world = World::new(WAITING);
    let (turn, session) = world.start_turn().await;
    (world, Author::Turn { turn, new_proposal: ProposalId::new("prop_1") }, session)
}

impl World {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("work").join(name)
    }

    async fn see(&self, session: &SessionId, name: &str) -> Seen {
        let snapshot = self.handle.snapshot().await.unwrap();
        overlay::read(&snapshot, session, &self.path(name)).unwrap()
    }

    async fn propose(&self, propose: Propose) {
        let reply = self.handle.request(Command::Propose(vec![propose])).await;
        assert!(matches!(reply, Ok(Reply::Proposed { .. })), "{reply:?}");
    }

    async fn all(&self, accept: bool) -> Result<Reply, Refusal> {
        let (proposal, hunks) = (ProposalId::new("prop_1"), Selection::All);
        let command = if accept {
            Command::Accept { proposal, hunks }
        } else {
            Command::Reject { proposal, hunks, reason: None, replacement: None }
        };
        self.handle.request(command).await
    }

    async fn undo(&self) {
        let reply = self.handle.request(Command::Undo { proposal: None }).await;
        assert!(matches!(reply, Ok(Reply::Decision(Some(_)))), "{reply:?}");
    }

    /// What is in the folder, by name.
    fn tree(&self) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = fs::read_dir(self.path(""))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| {
                (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
            })
            .collect();
        found.sort();
        found
    }
}

const TEXT: &str = "one\ntwo\nthree\nfour\nfive\n";

fn files(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[tokio::test]
async fn a_file_that_comes_is_seen_by_the_agent_made_by_the_user_and_given_back() {
    let (world, by, session) = world().await;
    let seen = world.see(&session, "new.txt").await;
    assert!(seen.text.is_none());
    world.propose(seen.propose(by.clone(), "hello\n", false)).await;
    assert_eq!(world.tree(), files(&[("x.txt", TEXT)]), "nothing is there before it is accepted");
    let seen = world.see(&session, "new.txt").await;
    assert_eq!(seen.text.as_deref(), Some("hello\n"));
    world.propose(seen.propose(by, "hello, you\n", false)).await;
    assert_eq!(world.all(true).await, Ok(Reply::Accepted));
    assert_eq!(world.tree(), files(&[("new.txt", "hello, you\n"), ("x.txt", TEXT)]));
    world.undo().await;
    assert_eq!(world.tree(), files(&[("x.txt", TEXT)]));
    // The user makes a file of that name: the hunk does not write over it.
    fs::write(world.path("new.txt"), "mine").unwrap();
    let refused = world.all(true).await;
    assert!(matches!(refused, Err(Refusal::NotWritten(_))), "{refused:?}");
    assert_eq!(fs::read_to_string(world.path("new.txt")).unwrap(), "mine");
}

#[tokio::test]
async fn a_file_that_goes_is_gone_for_the_agent_at_once_and_for_the_user_when_accepted() {
    let (world, by, session) = world().await;
    let seen = world.see(&session, "x.txt").await;
    world.propose(seen.propose_delete(by, false)).await;
    assert!(world.see(&session, "x.txt").await.text.is_none());
    assert_eq!(world.tree(), files(&[("x.txt", TEXT)]));
    assert_eq!(world.all(true).await, Ok(Reply::Accepted));
    assert_eq!(world.tree(), []);
    world.undo().await;
    assert_eq!(world.tree(), files(&[("x.txt", TEXT)]));
    // A file that was changed meanwhile is not deleted.
    fs::write(world.path("x.txt"), "mine\n").unwrap();
    assert!(world.all(true).await.is_err());
    assert_eq!(world.tree(), files(&[("x.txt", "mine\n")]));
}

#[tokio::test]
async fn a_file_gets_another_name_and_its_old_one_back() {
    let (world, by, session) = world().await;
    let seen = world.see(&session, "x.txt").await;
    world.propose(seen.propose_rename(by.clone(), world.path("y.txt"), false).unwrap()).await;
    let seen = world.see(&session, "y.txt").await;
    assert_eq!(seen.text.as_deref(), Some(TEXT), "the agent finds it under the new name");
    // What the agent changes there belongs to the same hunk.
    world.propose(seen.propose(by, &TEXT.replace("two", "2"), false)).await;
    assert_eq!(world.tree(), files(&[("x.txt", TEXT)]));
    assert_eq!(world.all(true).await, Ok(Reply::Accepted));
    assert_eq!(world.tree(), files(&[("y.txt", &TEXT.replace("two", "2"))]));
    world.undo().await;
    assert_eq!(world.tree(), files(&[("x.txt", TEXT)]));
    assert_eq!(world.all(false).await, Ok(Reply::Rejected));
    assert_eq!(world.tree(), files(&[("x.txt", TEXT)]));
}
