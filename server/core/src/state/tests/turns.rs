//! Turns and their sessions: one at a time, ended once, gone on with however old they are.

use super::*;

fn next_turn(turn: &str, session: &str) -> StartTurn {
    StartTurn {
        turn: TurnId::new(turn),
        session: SessionId::new(session),
        new_session: false,
        prompt: "again".into(),
        model: None,
        level: None,
        mode: Mode::default(),
        proposes_only: false,
        excerpts: Vec::new(),
        comments: Vec::new(),
        at: Timestamp(2),
    }
}

#[test]
fn one_session_has_one_turn_at_a_time_and_a_turn_ends_once() {
    let mut world = World::new();
    world.start_turn("t1");
    let refusal = world.command(Command::StartTurn(next_turn("t2", "s"))).unwrap_err();
    assert!(refusal.to_string().contains("busy with turn `t1`"), "{refusal}");
    assert_eq!(
        world.command(Command::CancelTurn { turn: TurnId::new("t1") }),
        Ok(Reply::TurnCancelled(true))
    );
    let end = |status| TurnEnd { status, reply: None, usage: Usage::default() };
    world.handle(Event::TurnEnded { turn: TurnId::new("t1"), end: end(TurnStatus::Cancelled) });
    world.handle(Event::TurnEnded { turn: TurnId::new("t1"), end: end(TurnStatus::Completed) });
    assert_eq!(world.events.len(), 1);
    assert_eq!(world.state.turns[&TurnId::new("t1")].status, TurnStatus::Cancelled);
    assert_eq!(
        world.command(Command::CancelTurn { turn: TurnId::new("t1") }),
        Ok(Reply::TurnCancelled(false))
    );
    assert!(world.command(Command::CancelTurn { turn: TurnId::new("t9") }).is_err());
}

#[test]
fn an_ended_turn_proposes_nothing_more() {
    let mut world = World::proposed();
    world.end_turn("t1");
    let refusal = world.propose("t1", |text| text.replace("four", "4")).unwrap_err();
    assert_eq!(refusal, Refusal::Forbidden("turn `t1` has ended".into()));
}

/// A command may outlive its turn.
#[test]
fn what_a_command_of_an_ended_turn_wrote_is_proposed_and_never_applied() {
    let mut world = World::new();
    world.start_turn("t1");
    world.end_turn("t1");
    let propose = Propose {
        by: Author::Command { turn: TurnId::new("t1"), new_proposal: ProposalId::new("p") },
        path: "/w/a".into(),
        kind: ChangeKind::Create,
        base: Arc::new(Lines::new("")),
        hunks: vec![NewHunk { old: 0..0, old_text: "".into(), new_text: "new\n".into() }],
        carried: Vec::new(),
        apply: true,
        at: Timestamp(2),
    };
    let Ok(Reply::Proposed { files, .. }) = world.command(Command::Propose(vec![propose])) else {
        panic!("it is refused")
    };
    assert_eq!(files.iter().map(|file| (file.pending, file.applied)).collect::<Vec<_>>(), [(1, 0)]);
}

/// Starts a turn of a session that is not known, and returns what is asked of the store.
fn recall(world: &mut World, turn: &str) -> (Vec<SessionId>, u64) {
    world.request += 1;
    let command = Command::StartTurn(next_turn(turn, "old"));
    let effects = world.state.handle(Event::Requested { request: RequestId(world.request), command }, NOW);
    match &effects[..] {
        [Effect::Load { sessions, generation, .. }] => (sessions.clone(), *generation),
        effects => panic!("{effects:?}"),
    }
}

#[test]
fn an_old_session_is_asked_of_the_store_before_its_turn_starts() {
    let mut world = World::new();
    let before = world.state.generation;
    let (sessions, generation) = recall(&mut world, "t2");
    assert_eq!(sessions, [SessionId::new("old")]);
    // What was asked before does not have it.
    world.handle(Event::Loaded { generation: before, known: Box::default() });
    assert_eq!(world.replies, []);
    let mut other = World::new();
    other.start_turn("t1");
    let mut turn = other.state.turns[&TurnId::new("t1")].clone();
    (turn.session, turn.status) = (SessionId::new("old"), TurnStatus::Completed);
    world.handle(Event::Loaded {
        generation,
        known: Box::new(Known { turns: vec![turn], ..Known::default() }),
    });
    let started = Reply::TurnStarted { turn: TurnId::new("t2"), session: SessionId::new("old") };
    assert_eq!(world.replies, [Ok(started)]);
}

#[test]
fn a_session_that_the_store_does_not_know_is_refused_and_looked_for_again_the_next_time() {
    let mut world = World::new();
    for turn in ["t2", "t3"] {
        let (_, generation) = recall(&mut world, turn);
        world.handle(Event::Loaded { generation, known: Box::default() });
        let refused = world.replies.pop().unwrap().unwrap_err();
        assert_eq!(refused, Refusal::Unknown { what: "session", id: "old".into() });
    }
}

#[test]
fn the_files_of_one_call_are_proposed_together_or_not_at_all() {
    let mut world = World::new();
    world.start_turn("t1");
    world.records.clear();
    let propose = |path: &str| Propose {
        by: Author::Turn { turn: TurnId::new("t1"), new_proposal: ProposalId::new("p") },
        path: path.into(),
        kind: ChangeKind::Create,
        base: Arc::new(Lines::new("")),
        hunks: vec![NewHunk { old: 0..0, old_text: "".into(), new_text: "new\n".into() }],
        carried: Vec::new(),
        apply: false,
        at: Timestamp(2),
    };
    let both = || Command::Propose(vec![propose("/w/a"), propose("/w/b")]);
    let effects = world.state.handle(Event::Requested { request: RequestId(9), command: both() }, NOW);
    let commits = effects.iter().filter(|effect| matches!(effect, Effect::Persist(_))).count();
    let Some(Effect::Reply(_, Ok(Reply::Proposed { files, .. }))) = effects.last() else {
        panic!("{effects:?}")
    };
    let files: Vec<_> = files.iter().map(|file| (file.path.to_str().unwrap(), file.pending)).collect();
    assert_eq!((commits, files), (1, vec![("/w/a", 1), ("/w/b", 1)]));

    let mut world = World::new();
    world.start_turn("t1");
    world.end_turn("t1");
    world.records.clear();
    let files =
        |world: &World| world.state.reviews.iter().map(|review| review.proposal.files.len()).sum::<usize>();
    let refusal = world.command(both()).unwrap_err();
    assert_eq!(refusal, Refusal::Forbidden("turn `t1` has ended".into()));
    assert_eq!((world.records.len(), files(&world)), (0, 0));
}
