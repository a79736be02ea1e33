//! What does not fit is refused as a whole, and the next commit works.

use super::*;

#[track_caller]
fn assert_conflict(result: Result<Vec<u64>, StoreError>, message: &str) {
    match result {
        Err(StoreError::Conflict { what }) => assert!(what.contains(message), "{what}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_turn_ends_once() {
    let home = home();
    let store = store(&home);
    commit(&store, small(Some("/w"), "/w/x"), vec![]).unwrap();
    assert_conflict(commit(&store, vec![ended("t", TurnStatus::Running)], vec![]), "turn `t`");
    commit(&store, vec![ended("t", TurnStatus::Cancelled)], vec![changed("p")]).unwrap();
    let again = vec![decision("p", "h", Verdict::Superseded { by: None }), ended("t", TurnStatus::Completed)];
    assert_conflict(commit(&store, again, vec![changed("p")]), "turn `t` does not run any more");
    assert_conflict(commit(&store, vec![ended("t9", TurnStatus::Completed)], vec![]), "turn `t9`");

    let loaded = load(&store, &["/w"]).unwrap();
    assert_eq!(loaded.known.turns[0].status, TurnStatus::Cancelled);
    assert_eq!(loaded.known.proposals[0].files[0].hunks[0].verdict, Verdict::Undecided, "all or nothing");
    assert_eq!(loaded.last_seq, 1);
    assert_eq!(commit(&store, vec![], vec![changed("p")]), Ok(vec![2]));
}

#[test]
fn records_without_what_they_belong_to_are_refused() {
    let home = home();
    let store = store(&home);
    commit(&store, small(Some("/w"), "/w/x"), vec![]).unwrap();
    let (hash, _) = text("old\n");
    let (unknown, _) = text("unknown");
    for (record, message) in [
        (session("s", None), "session `s`"),
        (Record::Turn(turn("t", "s", 1)), "turn `t`"),
        (Record::Turn(turn("t2", "s9", 1)), "turn `t2`"),
        (proposal("p2", "s9", "t", 1), "proposal `p2`"),
        (proposal("p", "s", "t", 1), "proposal `p`"),
        (file("p9", "/w/x", &hash), "`/w/x` of proposal `p9`"),
        (file("p", "/w/x", &unknown), "`/w/x` of proposal `p`"),
        (hunk_record("p", "/w/y", hunk("h2", "t", &hash, 0..0)), "hunk `h2` of proposal `p`"),
        (hunk_record("p", "/w/x", hunk("h2", "t9", &hash, 0..0)), "hunk `h2`"),
        (decision("p", "h9", Verdict::Superseded { by: None }), "no hunk `h9` in proposal `p`"),
        (decision("p9", "h", Verdict::Superseded { by: None }), "no hunk `h` in proposal `p9`"),
    ] {
        assert_conflict(commit(&store, vec![record], vec![changed("p")]), message);
    }
    let loaded = load(&store, &["/w"]).unwrap();
    assert_eq!((loaded.known.proposals.len(), loaded.known.turns.len(), loaded.last_seq), (1, 1, 0));
}

#[test]
fn a_store_that_others_keep_busy_says_so_and_works_afterwards() {
    let home = home();
    let store = store(&home);
    commit(&store, small(Some("/w"), "/w/x"), vec![]).unwrap();
    let patience: u32 = with_connection(&store, |connection| {
        let patience = connection.pragma_query_value(None, "busy_timeout", |row| row.get(0))?;
        connection.busy_timeout(Duration::from_millis(20))?;
        Ok(patience)
    })
    .unwrap();
    assert_eq!(patience, 2000);
    let other = raw(&home);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let busy = commit(&store, vec![], vec![changed("p")]);
    assert_eq!(busy, Err(StoreError::Busy { file: database_of(&home), writer: None }));
    assert_eq!(load(&store, &["/w"]).unwrap().known.proposals.len(), 1, "reading does not wait for a writer");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(commit(&store, vec![], vec![changed("p")]), Ok(vec![1]));
}

#[test]
fn a_full_disk_leaves_what_is_there_and_the_store_usable() {
    let home = home();
    let store = store(&home);
    commit(&store, small(Some("/w"), "/w/x"), vec![changed("p")]).unwrap();
    let before = load(&store, &["/w"]).unwrap();
    let large = || {
        let (hash, lines) = text(&"large\n".repeat(100_000));
        vec![decision("p", "h", Verdict::Superseded { by: None }), Record::Text(hash, lines)]
    };
    for _ in 0..2 {
        with_connection(&store, |connection| {
            let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
            connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
        })
        .unwrap();
        let full = commit(&store, large(), vec![changed("p")]);
        assert_eq!(full, Err(StoreError::Full { file: database_of(&home) }));
        assert_eq!(load(&store, &["/w"]).unwrap(), before);
    }
    assert_eq!(commit(&store, large(), vec![changed("p")]), Ok(vec![2]));
}

#[test]
fn everything_handed_over_is_done_in_order_before_a_flush_ends() {
    let home = home();
    let store = store(&home);
    assert!(store.flush(Duration::ZERO), "nothing was handed over");
    let (open, gate) = channel::<()>();
    let wait_at_gate = move |_: &mut Database| {
        gate.recv().unwrap();
        Ok(())
    };
    store.run(wait_at_gate, |_| ());
    let (sender, done) = channel();
    for number in 0..3 {
        let sender = sender.clone();
        let events = vec![changed("p")];
        store.commit(Commit { records: vec![], events }, move |seqs| sender.send((number, seqs)).unwrap());
    }
    assert!(!store.flush(Duration::ZERO));
    assert!(done.try_recv().is_err());
    open.send(()).unwrap();
    assert!(store.flush(Duration::from_mins(1)));
    let done: Vec<_> = done.try_iter().collect();
    assert_eq!(done, [(0, Ok(vec![1])), (1, Ok(vec![2])), (2, Ok(vec![3]))]);
}

#[test]
fn what_was_handed_over_is_done_when_the_last_handle_is_gone() {
    let home = home();
    let store = store(&home);
    let (sender, done) = channel();
    store.commit(Commit { records: vec![], events: vec![changed("p")] }, move |seqs| {
        sender.send(seqs).unwrap();
    });
    drop(store);
    assert_eq!(done.recv_timeout(Duration::from_mins(1)).unwrap(), Ok(vec![1]));
}

#[test]
fn a_callback_that_panics_takes_nothing_else_along() {
    let home = home();
    let store = store(&home);
    store.messages(SessionId::new("s"), |_| panic!("this is part of the test"));
    assert_eq!(commit(&store, vec![], vec![changed("p")]), Ok(vec![1]));
}

#[test]
fn of_two_that_decide_a_hunk_differently_the_second_is_told_and_nothing_is_lost() {
    let home = home();
    let (one, other) = (store(&home), store(&home));
    commit(&one, small(Some("/w"), "/w/x"), vec![]).unwrap();
    let rejected = Verdict::Rejected { reason: Some("no".into()), replacement: None };
    commit(&one, vec![decision("p", "h", rejected.clone())], vec![]).unwrap();
    let accepted = Verdict::Accepted { saved: false };
    let refusal = commit(&other, vec![decision("p", "h", accepted)], vec![changed("p")]).unwrap_err();
    assert!(refusal.to_string().contains("hunk `h` was decided by another editor meanwhile"), "{refusal}");
    assert_eq!(
        commit(&other, vec![decision("p", "h", rejected.clone())], vec![]),
        Ok(vec![]),
        "the same is no conflict"
    );
    let loaded = load(&other, &["/w"]).unwrap();
    assert_eq!(loaded.known.proposals[0].files[0].hunks[0].verdict, rejected);
    assert_eq!(loaded.known.decisions.len(), 1);
}
