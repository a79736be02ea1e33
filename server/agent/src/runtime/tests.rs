use std::path::Path;

use kkcode_core::document::ContentChange;
use kkcode_core::effect::DocumentEdit;
use kkcode_core::event::{FileOperations, Selection};
use kkcode_core::id::HunkId;
use kkcode_core::review::HunkState;
use kkcode_core::text::PositionEncoding;
use kkcode_core::turn::{Turn, TurnEnd, TurnStatus};

use super::*;

mod asking;
mod files;
mod packages;
pub(crate) use packages::versions;
mod sessions;

mod budget;

/// How long something may take that happens at once.
const SOON: Duration = Duration::from_secs(30);

const EDIT: &str = r#"
turns:
  - stream:
      - text: Making it loud.
      - tool: {name: edit, input: {path: x.txt, before: two, after: TWO}}
      - tool: {name: edit, input: {path: x.txt, before: four, after: FOUR}}
      - usage: {inputTokens: 7, outputTokens: 3}
  - expect: ["proposed, not yet accepted: 2 hunks of"]
    stream:
      - text: Done.
"#;

/// A front end over a real store, a real folder and a scripted model.
struct World {
    dir: tempfile::TempDir,
    config: ConfigSource,
    handle: Handle,
    effects: mpsc::UnboundedReceiver<ToFrontEnd>,
}

impl World {
    fn new(script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("home")).unwrap();
        std::fs::create_dir_all(dir.path().join("work")).unwrap();
        std::fs::write(dir.path().join("home/script.yaml"), script).unwrap();
        let config = "provider: {default: play, play: {type: scripted, script: script.yaml}}";
        std::fs::write(dir.path().join("home/config.yaml"), config).unwrap();
        std::fs::write(dir.path().join("work/x.txt"), "one\ntwo\nthree\nfour\nfive\n").unwrap();
        Self::start(dir)
    }

    fn start(dir: tempfile::TempDir) -> Self {
        Self::start_with(dir, false)
    }

    fn start_with(dir: tempfile::TempDir, trusted: bool) -> Self {
        // Nobody listens there, whatever runs on this machine.
        let environment = |name: &str| (name == "OLLAMA_HOST").then(|| "127.0.0.1:1".to_owned());
        let home = dir.path().join("home");
        let config = ConfigSource::new(home.clone(), None, environment).trusting(trusted);
        let (handle, effects) = spawn(home, config.clone());
        let folders = vec![dir.path().join("work")];
        let (encoding, operations) = (PositionEncoding::Utf16, FileOperations::default());
        handle.send(Event::Attached { encoding, folders, operations });
        Self { dir, config, handle, effects }
    }

    /// Ends this runtime and starts another on the same folders.
    async fn restart(self) -> Self {
        self.handle.stop(SOON).await;
        Self::start(self.dir)
    }

    /// Ends this runtime and starts another, for a user who trusts the folder or does not.
    async fn trusting(self, trusted: bool) -> Self {
        self.handle.stop(SOON).await;
        Self::start_with(self.dir, trusted)
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("work/x.txt")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap()
    }

    async fn effect<T>(&mut self, wanted: impl Fn(EditorEffect) -> Option<T>) -> T {
        let found = async {
            loop {
                match self.effects.recv().await.expect("the runtime runs") {
                    ToFrontEnd::Effect(effect) => {
                        if let Some(found) = wanted(effect) {
                            return found;
                        }
                    }
                    // Dropped unanswered, as by a front end that cannot ask.
                    ToFrontEnd::Turn(_)
                    | ToFrontEnd::Elsewhere(..)
                    | ToFrontEnd::Read(_)
                    | ToFrontEnd::Save(_) => {}
                }
            }
        };
        tokio::time::timeout(SOON, found).await.expect("what is waited for happens")
    }

    async fn start_turn(&self) -> (TurnId, SessionId) {
        let turn = NewTurn { prompt: "make it loud".into(), ..NewTurn::default() };
        match self.handle.start_turn(turn).await.unwrap() {
            Reply::TurnStarted { turn, session } => (turn, session),
            reply => panic!("{reply:?}"),
        }
    }

    async fn finished(&mut self) -> Turn {
        let id = self
            .effect(|effect| match effect {
                EditorEffect::Durable(_, DurableEvent::TurnFinished { turn, .. }) => Some(turn),
                _ => None,
            })
            .await;
        self.handle.snapshot().await.unwrap().turns[&id].clone()
    }

    async fn hunks(&self) -> (ProposalId, Vec<(HunkId, HunkState)>) {
        let snapshot = self.handle.snapshot().await.unwrap();
        let review = snapshot.reviews.iter().next().expect("a proposal");
        let file = review.proposal.file(&self.file()).expect("the file");
        let hunks = file.hunks.iter().map(|hunk| (hunk.id.clone(), review.state(file, hunk)));
        (review.proposal.id.clone(), hunks.collect())
    }

    async fn pending(&self) -> Vec<HunkId> {
        let hunks = self.hunks().await.1.into_iter();
        hunks.filter(|(_, state)| *state == HunkState::Pending).map(|(hunk, _)| hunk).collect()
    }

    async fn accept(&self, hunk: HunkId) -> Result<Reply, Refusal> {
        let proposal = self.hunks().await.0;
        self.handle.request(Command::Accept { proposal, hunks: Selection::Hunk(hunk) }).await
    }
}

#[tokio::test]
async fn a_turn_proposes_and_its_hunks_reach_a_closed_file() {
    let mut world = World::new(EDIT);
    let (id, _) = world.start_turn().await;
    let turn = world.finished().await;
    assert_eq!((turn.id, turn.status, turn.reply.as_deref()), (id, TurnStatus::Completed, Some("Done.")));
    assert_eq!((turn.usage.input_tokens, turn.usage.output_tokens), (7, 3));
    assert_eq!(world.text(), "one\ntwo\nthree\nfour\nfive\n", "nothing is written before it is accepted");
    let pending = world.pending().await;
    assert_eq!(pending.len(), 2);
    assert_eq!(world.accept(pending[1].clone()).await, Ok(Reply::Accepted));
    assert_eq!(world.text(), "one\ntwo\nthree\nFOUR\nfive\n");
    let again = world.accept(pending[1].clone()).await;
    assert!(matches!(again, Err(Refusal::Decided { state: "accepted", .. })), "{again:?}");
}

#[tokio::test]
async fn the_next_runtime_knows_what_this_one_told() {
    let mut world = World::new(EDIT);
    let (turn, _) = world.start_turn().await;
    world.finished().await;
    let before = world.hunks().await;
    world.accept(before.1[0].0.clone()).await.unwrap();
    let before = world.hunks().await;
    let world = world.restart().await;
    assert_eq!(world.hunks().await, before);
    let snapshot = world.handle.snapshot().await.unwrap();
    assert_eq!(snapshot.turns[&turn].status, TurnStatus::Completed);
    assert_eq!(world.accept(before.1[1].0.clone()).await, Ok(Reply::Accepted));
    assert_eq!(world.text(), "one\nTWO\nthree\nFOUR\nfive\n");
}

#[tokio::test]
async fn an_open_document_is_changed_by_the_editor() {
    let mut world = World::new(EDIT);
    let uri = DocumentUri::new(format!("file://{}", world.file().display()));
    world.handle.send(Event::DocumentOpened {
        uri: uri.clone(),
        path: Some(world.file()),
        language_id: "text".into(),
        version: 3,
        text: "unsaved\none\ntwo\nthree\nfour\nfive\n".into(),
    });
    world.start_turn().await;
    world.finished().await;
    let hunk = world.pending().await[0].clone();
    let proposal = world.hunks().await.0;
    assert_eq!(world.accept(hunk.clone()).await, Ok(Reply::Applying));
    let DocumentEdit { version, edits, hunks, .. } = world
        .effect(|effect| match effect {
            EditorEffect::ApplyEdit(edit) => Some(edit),
            _ => None,
        })
        .await;
    assert_eq!((version, &hunks), (3, &vec![hunk.clone()]));
    let change = ContentChange { range: Some(edits[0].range), text: edits[0].new_text.clone() };
    world.handle.send(Event::DocumentChanged { uri, version: 4, changes: vec![change] });
    world.handle.send(Event::EditAnswered { proposal, hunks, applied: true, reason: None });
    let states = world.hunks().await.1;
    assert!(states.contains(&(hunk, HunkState::Accepted { saved: false })), "{states:?}");
    let snapshot = world.handle.snapshot().await.unwrap();
    let document = snapshot.documents.by_path(Path::new(&world.file())).unwrap();
    assert_eq!(document.text.to_string(), "unsaved\none\nTWO\nthree\nfour\nfive\n");
}

#[track_caller]
fn assert_failed(turn: &Turn, class: &str, part: &str) {
    let TurnStatus::Failed(failure) = &turn.status else { panic!("{:?}", turn.status) };
    assert_eq!(failure.class, class);
    assert!(failure.message.contains(part), "{}", failure.message);
}

#[tokio::test]
async fn a_model_that_fails_is_no_reply() {
    let mut world = World::new(
        "turns:\n  - stream:\n      - text: half\n      - error: {class: overloaded, message: later}\n",
    );
    world.start_turn().await;
    let turn = world.finished().await;
    assert_failed(&turn, "overloaded", "later");
    assert_eq!(turn.reply.as_deref(), Some("half"));
}

#[tokio::test]
async fn without_a_model_the_turn_says_what_to_do() {
    let mut world = World::new(EDIT);
    std::fs::write(world.dir.path().join("home/config.yaml"), "").unwrap();
    world.start_turn().await;
    assert_failed(&world.finished().await, "configuration", "no model is configured");
}

#[tokio::test]
async fn tools_that_cannot_tell_the_model_and_the_turn_goes_on() {
    let mut world = World::new(
        r#"
turns:
  - stream:
      - tool: {name: launch, input: {}}
  - expect: ["there is no tool `launch`"]
    stream:
      - tool: {name: edit, input: {path: x.txt, before: nine, after: ten}}
  - expect: ["does not stand in x.txt"]
    stream:
      - tool: {name: edit, input: {path: ../home/config.yaml, before: play, after: ten}}
  - expect: ["outside of the workspace folders"]
    stream:
      - tool: {name: edit, input: {path: x.txt, before: 1, after: ten}}
  - expect: ["the input of `edit` is not right"]
    stream:
      - text: I give up.
"#,
    );
    world.start_turn().await;
    let turn = world.finished().await;
    assert_eq!((turn.status, turn.reply.as_deref()), (TurnStatus::Completed, Some("I give up.")));
}

#[tokio::test]
async fn readonly_turns_propose_nothing() {
    let mut world = World::new(
        "turns:\n  - stream:\n      - tool: {name: edit, input: {path: x.txt, before: two, after: TWO}}\n  - expect: [readonly]\n    stream: [{text: ok}]\n",
    );
    let turn = NewTurn { prompt: "p".into(), level: Some(Level::Readonly), ..NewTurn::default() };
    world.handle.start_turn(turn).await.unwrap();
    assert_eq!(world.finished().await.status, TurnStatus::Completed);
    assert_eq!(world.handle.snapshot().await.unwrap().reviews.iter().count(), 0);
}

#[tokio::test]
async fn a_cancelled_turn_ends_at_once_and_keeps_its_proposal() {
    let script = "turns:\n  - stream:\n      - tool: {name: edit, input: {path: x.txt, before: two, after: TWO}}\n  - stream:\n      - delayMs: 3600000\n";
    let mut world = World::new(script);
    let (turn, _) = world.start_turn().await;
    world
        .effect(|effect| match effect {
            EditorEffect::Durable(_, DurableEvent::ProposalChanged { .. }) => Some(()),
            _ => None,
        })
        .await;
    assert_eq!(world.handle.request(Command::CancelTurn { turn }).await, Ok(Reply::TurnCancelled(true)));
    assert_eq!(world.finished().await.status, TurnStatus::Cancelled);
    assert_eq!(world.pending().await.len(), 1);
}

#[tokio::test]
async fn a_conversation_goes_on_in_its_session() {
    let script = format!("{EDIT}  - expect: [and louder]\n    stream:\n      - text: No.\n");
    let mut world = World::new(&script);
    let (_, session) = world.start_turn().await;
    world.finished().await;
    let mut world = world.restart().await;
    let more =
        |session| NewTurn { prompt: "and louder".into(), session: Some(session), ..NewTurn::default() };
    world.handle.start_turn(more(session)).await.unwrap();
    assert_eq!(world.finished().await.reply.as_deref(), Some("No."));
    let unknown = world.handle.start_turn(more(SessionId::new("session_none"))).await;
    assert!(matches!(unknown, Err(Refusal::Unknown { what: "session", .. })), "{unknown:?}");
}

#[tokio::test]
async fn what_cannot_be_written_down_is_refused_and_not_done() {
    let mut world = World::new(EDIT);
    std::fs::create_dir_all(world.dir.path().join("home/state.db")).unwrap();
    let turn = NewTurn { prompt: "p".into(), ..NewTurn::default() };
    let refused = world.handle.start_turn(turn).await;
    assert!(
        matches!(&refused, Err(Refusal::NotStored(reason)) if reason.contains("state.db")),
        "{refused:?}"
    );
    let message = world
        .effect(|effect| match effect {
            EditorEffect::Message(message) => Some(message),
            _ => None,
        })
        .await;
    assert!(message.contains("state.db"), "{message}");
}
