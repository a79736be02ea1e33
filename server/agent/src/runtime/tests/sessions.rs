//! What outlives a turn: what the model has seen, which instructions it was told, sessions of long ago.

use kkcode_core::effect::{Commit, Record};

use super::*;

impl World {
    /// Goes on with a session, and returns the turn at its end.
    async fn go_on(&mut self, session: &SessionId) -> Turn {
        let turn = NewTurn { prompt: "go on".into(), session: Some(session.clone()), ..NewTurn::default() };
        self.handle.start_turn(turn).await.unwrap();
        self.finished().await
    }

    /// Returns what tools answered in a session.
    async fn results(&self, session: &SessionId) -> Vec<String> {
        let messages = self.handle.conversation(session.clone()).await.unwrap();
        let contents = messages.iter().flat_map(|message| message["content"].as_array().unwrap());
        let results = contents.filter(|content| content["type"] == "tool_result");
        results.map(|content| content["text"].as_str().unwrap().to_owned()).collect()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join("work").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

const READ_THEN_WRITE: &str = r#"
turns:
  - stream: [{tool: {name: read, input: {path: x.txt}}}]
  - stream: [{text: I have seen it.}]
  - stream: [{tool: {name: write, input: {path: x.txt, content: "new\n"}}}]
  - stream: [{text: Done.}]
"#;

#[tokio::test]
async fn what_was_read_in_one_turn_is_known_in_the_next_as_long_as_it_is_so() {
    for (changed, refused) in [(false, false), (true, true)] {
        let mut world = World::new(READ_THEN_WRITE);
        let (_, session) = world.start_turn().await;
        world.finished().await;
        if changed {
            world.write("x.txt", "somebody was here\n");
        }
        let turn = world.go_on(&session).await;
        assert_eq!(turn.status, TurnStatus::Completed);
        let written = world.results(&session).await.pop().unwrap();
        assert_eq!((turn.proposals.is_empty(), written.contains("read")), (refused, refused), "{written}");
    }
}

#[tokio::test]
async fn instructions_of_a_folder_are_told_once_when_a_tool_gets_there() {
    let script = r#"
turns:
  - stream:
      - tool: {name: read, input: {path: x.txt}}
      - tool: {name: read, input: {path: sub/deep/y.txt}}
      - tool: {name: list, input: {path: sub}}
  - stream: [{text: Seen.}]
  - stream: [{tool: {name: multiedit, input: {changes: [{path: sub/z.txt, after: z}, {path: other/z.txt, after: z}]}}}]
  - stream: [{text: Done.}]
"#;
    for trusted in [true, false] {
        let world = World::new(script);
        world.write("AGENTS.md", "At the root.");
        world.write("sub/AGENTS.md", "In sub.");
        world.write("sub/deep/CLAUDE.md", "Deep down.");
        world.write("sub/deep/y.txt", "y\n");
        world.write("other/KKCODE.md", "In the other.");
        let mut world = world.trusting(trusted).await;
        let (_, session) = world.start_turn().await;
        world.finished().await;
        world.go_on(&session).await;
        let results = world.results(&session).await;
        let told: Vec<Vec<&str>> = results
            .iter()
            .map(|result| {
                let parts = ["At the root.", "In sub.", "Deep down.", "In the other."];
                parts.into_iter().filter(|part| result.contains(part)).collect()
            })
            .collect();
        let expected: [&[&str]; 4] = [&[], &["In sub.", "Deep down."], &[], &["In the other."]];
        assert_eq!(told, if trusted { expected } else { [&[] as &[&str]; 4] }, "{results:?}");
    }
}

#[tokio::test]
async fn a_session_of_long_ago_is_gone_on_with_and_listed() {
    let mut world = World::new("turns:\n  - stream: [{text: One.}]\n  - stream: [{text: Two.}]\n");
    let (_, session) = world.start_turn().await;
    world.finished().await;
    let newer = SessionId::new("session_new");
    let at = Timestamp(fresh::now().0 + 1);
    let folder = Some(world.dir.path().join("work"));
    let mut records = vec![Record::Session { id: newer.clone(), folder, title: "new".into(), at }];
    let template = world.handle.snapshot().await.unwrap().turns.values().next().unwrap().clone();
    let end = |_| TurnEnd { status: TurnStatus::Completed, reply: None, usage: Usage::default() };
    for number in 0..201 {
        let id = TurnId::new(format!("turn_{number}"));
        let status = TurnStatus::Running;
        let turn =
            Turn { id: id.clone(), session: newer.clone(), started_at: at, status, ..template.clone() };
        records.push(Record::Turn(turn));
        records.push(Record::TurnEnded { turn: id, end: end(number) });
    }
    let (stored, is_stored) = oneshot::channel();
    let commit = Commit { records, events: Vec::new() };
    world.handle.store().commit(commit, move |result| stored.send(result).unwrap());
    is_stored.await.unwrap().unwrap();
    let mut world = world.restart().await;

    let known = world.handle.snapshot().await.unwrap();
    assert!(known.turns.values().all(|turn| turn.session == newer), "too old to be known at once");
    let listed: Vec<_> =
        world.handle.sessions().await.unwrap().into_iter().map(|session| session.id).collect();
    assert_eq!(listed, [newer, session.clone()]);
    let turn = world.go_on(&session).await;
    assert_eq!((turn.session, turn.reply.as_deref()), (session, Some("Two.")));
    let none =
        NewTurn { prompt: "x".into(), session: Some(SessionId::new("session_none")), ..NewTurn::default() };
    let refused = world.handle.start_turn(none).await.unwrap_err();
    assert_eq!(refused, Refusal::Unknown { what: "session", id: "session_none".into() });
}
