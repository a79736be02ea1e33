//! Decisions in parts, taken back and made again; edits that are applied first; what the agent is told.

use super::*;

fn accept_lines(
    world: &mut World,
    hunk: usize,
    old: std::ops::Range<usize>,
    new: std::ops::Range<usize>,
) -> Result<Reply, Refusal> {
    let hunk = world.hunks()[hunk].clone();
    let hunks = Selection::Lines { hunk, old, new };
    world.command(Command::Accept { proposal: ProposalId::new("p"), hunks })
}

fn undo(world: &mut World) -> Option<usize> {
    match world.command(Command::Undo { proposal: None }) {
        Ok(Reply::Decision(act)) => act.map(|act| act.changes.len()),
        other => panic!("{other:?}"),
    }
}

fn redo(world: &mut World) -> Option<usize> {
    match world.command(Command::Redo { proposal: None }) {
        Ok(Reply::Decision(act)) => act.map(|act| act.changes.len()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn some_lines_of_a_hunk_are_taken_and_the_rest_waits() {
    let mut world = World::new();
    world.open(TEXT);
    world.start_turn("t1");
    world.propose("t1", |text| text.replace("two\nthree\n", "2\n3\n3.5\n")).unwrap();
    let whole = world.hunks()[0].clone();
    assert_eq!(accept_lines(&mut world, 0, 1..2, 1..2), Ok(Reply::Applying));
    world.apply_last_edit();
    assert_eq!(world.text(), "one\ntwo\n3\nfour\nfive\n");
    let review = world.state.reviews.get(&ProposalId::new("p")).unwrap();
    let file = &review.proposal.files[0];
    let render = |hunk: &crate::proposal::Hunk| {
        format!("{:?} {:?} {}", hunk.old_text, hunk.new_text, review.state(file, hunk).name())
    };
    let parts: Vec<String> =
        file.hunks.iter().filter(|hunk| hunk.split_from.as_ref() == Some(&whole)).map(render).collect();
    assert_eq!(parts, [r#""two\n" "2\n" pending"#, r#""three\n" "3\n" accepted"#, r#""" "3.5\n" pending"#,]);
    let all = Command::Accept { proposal: ProposalId::new("p"), hunks: Selection::All };
    world.command(all).unwrap();
    world.apply_last_edit();
    assert_eq!(world.text(), "one\n2\n3\n3.5\nfour\nfive\n");
    let lines = accept_lines(&mut world, 0, 0..9, 0..0);
    assert!(matches!(lines, Err(Refusal::Decided { .. } | Refusal::NoSuchLines(_))), "{lines:?}");
}

#[test]
fn new_lines_without_old_ones_go_behind_the_old_ones_and_old_ones_alone_are_deleted() {
    for (old, new, text) in [
        (0..0, 0..1, "one\ntwo\nthree\n2\nfour\nfive\n"),
        (0..1, 0..0, "one\nthree\nfour\nfive\n"),
        (0..2, 0..1, "one\n2\nfour\nfive\n"),
    ] {
        let mut world = World::new();
        world.open(TEXT);
        world.start_turn("t1");
        world.propose("t1", |text| text.replace("two\nthree\n", "2\n3\n")).unwrap();
        accept_lines(&mut world, 0, old, new).unwrap();
        world.apply_last_edit();
        assert_eq!(world.text(), text);
    }
    let mut world = World::proposed();
    for (old, new) in [(0..0, 0..0), (0..2, 0..0), (0..1, 0..9)] {
        assert!(matches!(accept_lines(&mut world, 0, old, new), Err(Refusal::NoSuchLines(_))));
    }
}

#[test]
fn a_decision_is_undone_and_made_again() {
    let mut world = World::proposed();
    world.accept(0).unwrap();
    world.apply_last_edit();
    world.handle(Event::DocumentSaved { uri: DocumentUri::new(URI) });
    let hunk = world.hunks()[1].clone();
    let reject = Command::Reject {
        proposal: ProposalId::new("p"),
        hunks: Selection::Hunk(hunk),
        reason: None,
        replacement: None,
    };
    world.command(reject).unwrap();
    assert_eq!(world.states(), [SAVED, HunkState::Rejected]);
    assert_eq!(undo(&mut world), Some(1));
    assert_eq!(world.states(), [SAVED, PENDING]);
    // What the user typed since stays.
    world.change(&[(at(0, 0), "zero\n")]);
    assert_eq!(undo(&mut world), Some(1));
    assert_eq!(world.states(), [HunkState::Applying, PENDING]);
    world.apply_last_edit();
    assert_eq!(world.text(), format!("zero\n{TEXT}"));
    assert_eq!(world.states(), [PENDING, PENDING]);
    assert_eq!(undo(&mut world), None);
    assert_eq!(redo(&mut world), Some(1));
    world.apply_last_edit();
    assert_eq!(world.states(), [ACCEPTED, PENDING]);
    assert_eq!(redo(&mut world), Some(1));
    assert_eq!(world.states(), [ACCEPTED, HunkState::Rejected]);
    assert_eq!(redo(&mut world), None);
}

#[test]
fn an_accept_whose_lines_were_changed_cannot_be_undone_by_us() {
    let mut world = World::proposed();
    world.accept(0).unwrap();
    world.apply_last_edit();
    world.change(&[(at(1, 3), "!")]);
    let hunk = world.hunks()[0].clone();
    assert_eq!(world.command(Command::Undo { proposal: None }), Err(Refusal::Changed(hunk)));
    assert_eq!(world.text(), "one\nTWO!\nthree\nfour\nfive\n");
}

#[test]
fn what_is_in_an_old_base_can_still_be_undone() {
    let mut world = World::proposed();
    world.accept(0).unwrap();
    world.apply_last_edit();
    world.handle(Event::DocumentSaved { uri: DocumentUri::new(URI) });
    world.propose("t1", |text| text.replace("four", "FOUR")).unwrap();
    assert_eq!(undo(&mut world), Some(1));
    world.apply_last_edit();
    assert_eq!(world.text(), TEXT);
}

#[test]
fn a_restarted_server_undoes_what_was_decided_before() {
    let mut world = World::proposed();
    world.accept(0).unwrap();
    world.apply_last_edit();
    let mut next = World::new();
    next.open(&world.text());
    next.handle(world.stored());
    assert_eq!(undo(&mut next), Some(1));
    next.apply_last_edit();
    assert_eq!(next.text(), TEXT);
    assert_eq!(next.states(), [PENDING, PENDING]);
}

#[test]
fn applied_hunks_are_in_the_text_at_once_and_kept_or_taken_out_afterwards() {
    let mut world = World::new();
    world.open(TEXT);
    world.start_turn("t1");
    world.apply_proposed("t1", |text| text.replace("two", "TWO").replace("five", "FIVE"));
    let reply = world.replies.pop();
    let Some(Ok(Reply::Proposed { files, .. })) = &reply else { panic!("{reply:?}") };
    assert_eq!(files[0].applied, 2);
    assert_eq!(world.text(), "one\nTWO\nthree\nfour\nFIVE\n");
    assert_eq!(world.states(), [HunkState::Applied; 2]);
    let keep = world.accept(0);
    assert_eq!(keep, Ok(Reply::Accepted));
    let hunk = world.hunks()[1].clone();
    let reject = Command::Reject {
        proposal: ProposalId::new("p"),
        hunks: Selection::Hunk(hunk),
        reason: Some("no".into()),
        replacement: None,
    };
    assert_eq!(world.command(reject), Ok(Reply::Applying));
    world.apply_last_edit();
    assert_eq!(world.text(), "one\nTWO\nthree\nfour\nfive\n");
    assert_eq!(world.states(), [ACCEPTED, HunkState::Rejected]);
    assert_eq!(undo(&mut world), Some(1));
    world.apply_last_edit();
    assert_eq!(world.text(), "one\nTWO\nthree\nfour\nFIVE\n");
    assert_eq!(world.states(), [ACCEPTED, HunkState::Applied]);
}

#[test]
fn a_second_applied_edit_of_the_same_lines_takes_over_the_first() {
    let mut world = World::new();
    world.open(TEXT);
    world.start_turn("t1");
    world.apply_proposed("t1", |text| text.replace("two\nthree", "TWO\nTHREE"));
    let first = world.hunks()[0].clone();
    world.apply_proposed("t1", |text| text.replace("TWO", "2"));
    assert_eq!(world.text(), "one\n2\nTHREE\nfour\nfive\n");
    let review = world.state.reviews.get(&ProposalId::new("p")).unwrap();
    let (_, first) = review.proposal.hunk(&first).unwrap();
    let Verdict::Superseded { by: Some(by) } = &first.verdict else { panic!("{first:?}") };
    let by = by.clone();
    // Taking it out brings back what stood there before the agent came.
    let reject = Command::Reject {
        proposal: ProposalId::new("p"),
        hunks: Selection::Hunk(by),
        reason: None,
        replacement: None,
    };
    world.command(reject).unwrap();
    world.apply_last_edit();
    assert_eq!(world.text(), TEXT);
    // And an edit that undoes itself leaves nothing.
    world.apply_proposed("t1", |text| text.replace("four", "4"));
    world.apply_proposed("t1", |text| text.replace("4\n", "four\n"));
    assert_eq!(world.text(), TEXT);
    assert!(world.states().iter().all(|state| matches!(state, HunkState::Superseded | HunkState::Rejected)));
}

#[test]
fn what_was_refused_is_not_proposed_again_in_the_same_turn_and_marked_in_a_later_one() {
    let mut world = World::proposed();
    let hunk = world.hunks()[0].clone();
    let reject = Command::Reject {
        proposal: ProposalId::new("p"),
        hunks: Selection::Hunk(hunk),
        reason: Some("too loud".into()),
        replacement: None,
    };
    world.command(reject).unwrap();
    let again = |world: &mut World, turn: &str| world.propose(turn, |text| text.replace("two", "TWO"));
    let Ok(Reply::Proposed { files, .. }) = again(&mut world, "t1") else { panic!("the tool is told") };
    let note = files[0].note.as_deref().unwrap();
    assert_eq!(files[0].pending, 1);
    assert!(note.contains("too loud"), "{note}");
    world.end_turn("t1");
    world.start_turn("t2");
    again(&mut world, "t2").unwrap();
    let review = world.state.reviews.get(&ProposalId::new("p")).unwrap();
    assert!(review.proposal.files[0].hunks.iter().any(|hunk| hunk.rejected_before));
}

#[test]
fn a_turn_begins_with_what_was_decided_since_and_each_decision_is_told_once() {
    let mut world = World::proposed();
    world.accept(0).unwrap();
    world.apply_last_edit();
    world.end_turn("t1");
    world.start_turn("t2");
    let note = |world: &World, turn: &str| world.state.turns[&TurnId::new(turn)].review_note.clone();
    let first = note(&world, "t2").unwrap();
    assert!(first.contains("`TWO`): accepted") && first.contains("1 hunk pending"), "{first}");
    world.end_turn("t2");
    world.start_turn("t3");
    let second = note(&world, "t3").unwrap();
    assert!(!second.contains("accepted"), "{second}");
}

#[test]
fn a_stale_hunk_of_an_old_base_is_pending_again_when_its_lines_are_back() {
    let mut world = World::proposed();
    let stale = world.hunks()[0].clone();
    world.change(&[(at(1, 3), "!")]);
    world.propose("t1", |text| text.replace("four", "FOUR")).unwrap();
    let state = |world: &World| {
        let review = world.state.reviews.get(&ProposalId::new("p")).unwrap();
        let (file, hunk) = review.proposal.hunk(&stale).unwrap();
        review.state(file, hunk)
    };
    assert_eq!(state(&world), HunkState::Stale);
    world.change(&[(TextRange::new(Position::new(1, 3), Position::new(1, 4)), "")]);
    assert_eq!(state(&world), PENDING);
}

#[test]
fn a_stale_insertion_is_pending_again_when_its_neighbours_are_back() {
    let mut world = World::new();
    world.open(TEXT);
    world.start_turn("t1");
    world.propose("t1", |text| text.replace("two\n", "two\nnew\n")).unwrap();
    world.change(&[(lines(1, 3), "2 and 3\n")]);
    assert_eq!(world.states(), [HunkState::Stale]);
    world.change(&[(lines(1, 2), "two\nthree\n")]);
    assert_eq!(world.states(), [PENDING]);
}

#[test]
fn a_line_that_is_moved_away_makes_its_hunk_stale_and_no_other_one() {
    let mut world = World::proposed();
    world.change(&[(lines(1, 2), ""), (lines(4, 4), "two\n")]);
    assert_eq!(world.text(), "one\nthree\nfour\nfive\ntwo\n");
    assert_eq!(world.states(), [HunkState::Stale, PENDING]);
    assert!(matches!(world.accept(0), Err(Refusal::Stale(_))));
    world.accept(1).unwrap();
    world.apply_last_edit();
    assert_eq!(world.text(), "one\nthree\nfour\nFIVE\ntwo\n");
    world.change(&[(lines(4, 5), ""), (lines(1, 1), "two\n")]);
    assert_eq!(world.states(), [PENDING, ACCEPTED]);
    world.accept(0).unwrap();
    world.apply_last_edit();
    assert_eq!(world.text(), "one\nTWO\nthree\nfour\nFIVE\n");
}

#[test]
fn lines_that_are_moved_past_a_hunk_leave_it_where_it_is() {
    let mut world = World::proposed();
    world.change(&[(lines(3, 4), ""), (lines(0, 0), "four\n")]);
    assert_eq!(world.text(), "four\none\ntwo\nthree\nfive\n");
    assert_eq!(world.states(), [PENDING, PENDING]);
    for hunk in 0..2 {
        world.accept(hunk).unwrap();
        world.apply_last_edit();
    }
    assert_eq!(world.text(), "four\none\nTWO\nthree\nFIVE\n");
}

#[test]
fn a_file_is_accepted_by_one_edit_and_a_proposal_rejected_by_one_word() {
    let mut world = World::proposed();
    let file = Selection::File(PATH.into());
    let accept = || Command::Accept { proposal: ProposalId::new("p"), hunks: file.clone() };
    assert_eq!(world.command(accept()), Ok(Reply::Applying));
    assert_eq!(world.edits.last().unwrap().edits.len(), 2);
    world.apply_last_edit();
    assert_eq!(world.text(), "one\nTWO\nthree\nfour\nFIVE\n");
    assert_eq!(world.states(), [ACCEPTED, ACCEPTED]);
    assert_eq!(world.command(accept()), Err(Refusal::NothingToDecide(PATH.into())));

    let mut world = World::proposed();
    world.change(&[(at(1, 3), "!")]);
    let all = |reason: &str| Command::Reject {
        proposal: ProposalId::new("p"),
        hunks: Selection::All,
        reason: Some(reason.into()),
        replacement: None,
    };
    assert_eq!(world.command(all("no")), Ok(Reply::Rejected));
    assert_eq!(world.states(), [HunkState::Rejected, HunkState::Rejected], "the stale one too");
    assert_eq!(world.command(all("no")), Err(Refusal::NothingToDecide("proposal `p`".into())));
}

#[test]
fn accepting_a_file_leaves_its_stale_hunks() {
    let mut world = World::proposed();
    world.change(&[(at(1, 3), "!")]);
    let accept = Command::Accept { proposal: ProposalId::new("p"), hunks: Selection::All };
    assert_eq!(world.command(accept), Ok(Reply::Applying));
    world.apply_last_edit();
    assert_eq!(world.text(), "one\ntwo!\nthree\nfour\nFIVE\n");
    assert_eq!(world.states(), [HunkState::Stale, ACCEPTED]);
}

#[test]
fn what_the_store_told_before_a_commit_is_asked_for_again() {
    let mut world = World::proposed();
    let generation = world.state.generation;
    assert!(generation > 0);
    let effects = world.state.handle(Event::Loaded { generation: 0, known: Box::default() }, NOW);
    assert!(matches!(&effects[..], [Effect::Load { generation: now, .. }] if *now == generation));
    assert_eq!(world.states(), [PENDING, PENDING]);
}

#[test]
fn what_was_asked_makes_a_short_title() {
    assert_eq!(crate::state::turns::title("\n  fix it \nnow"), "fix it");
    assert_eq!(crate::state::turns::title(&"é".repeat(80)).chars().count(), 80);
    let long = crate::state::turns::title(&"é".repeat(81));
    assert_eq!((long.chars().count(), long.ends_with('…')), (80, true));
}

#[test]
fn an_accept_that_came_too_early_waits_for_the_places() {
    let mut world = World::proposed();
    let hunk = world.hunks()[0].clone();
    let whole = ContentChange { range: None, text: format!("zero\n{TEXT}") };
    let effects = world
        .state
        .handle(Event::DocumentChanged { uri: DocumentUri::new(URI), version: 7, changes: vec![whole] }, NOW);
    let accept = Command::Accept { proposal: ProposalId::new("p"), hunks: Selection::Hunk(hunk) };
    world.handle(Event::Requested { request: RequestId(5), command: accept });
    assert!(world.replies.is_empty());
    let Some(Effect::Derive(derive)) = effects.into_iter().next() else {
        panic!("the places are looked for")
    };
    let (version, rope) = derive.document.unwrap();
    let text = Lines::of_rope(&rope);
    let placement = Placement::derive(&derive.file, &derive.texts, Found::Buffer(&text), |_| false);
    world.handle(Event::Derived {
        proposal: derive.proposal,
        path: derive.file.path,
        revision: derive.revision,
        version: Some(version),
        placement: Some(placement),
    });
    assert_eq!(world.replies, [Ok(Reply::Applying)]);
    assert_eq!(world.edits[0].edits[0].range, lines(2, 3));
}

#[test]
fn a_new_file_fills_the_empty_line_of_a_buffer_that_waits_for_it() {
    let mut world = World::new();
    world.start_turn("t1");
    let new = NewHunk { old: 0..0, old_text: "".into(), new_text: "new\nfile\n".into() };
    let propose = Propose {
        by: Author::Turn { turn: TurnId::new("t1"), new_proposal: ProposalId::new("p") },
        path: PATH.into(),
        kind: ChangeKind::Create,
        base: Arc::new(Lines::new("")),
        hunks: vec![new],
        carried: Vec::new(),
        apply: false,
        at: Timestamp(2),
    };
    world.disk = String::new();
    world.command(Command::Propose(vec![propose])).unwrap();
    world.open("\n");
    assert_eq!(world.states(), [PENDING]);
    world.accept(0).unwrap();
    world.apply_last_edit();
    assert_eq!(world.text(), "new\nfile\n");
    assert_eq!(world.states(), [ACCEPTED]);
    assert_eq!(undo(&mut world), Some(1));
    world.apply_last_edit();
    assert_eq!((world.text().as_str(), world.states()), ("", vec![PENDING]));
}
