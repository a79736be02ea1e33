//! What becomes of the turns of a process that is gone.

use super::*;
use crate::owner::Owner;
use crate::write;

/// Commits as another process would.
fn commit_as(store: &Store, owner: Owner, records: Vec<Record>) {
    let commit = Commit { records, events: Vec::new() };
    wait(|done| {
        let work = move |database: &mut Database| {
            database.write(|connection| write::commit(connection, &commit, &owner, None, None))
        };
        store.run(work, done);
    })
    .unwrap();
}

fn gone() -> Owner {
    Owner { start: "another boot:1".into(), ..Owner::this_process() }
}

fn interrupted() -> TurnStatus {
    TurnStatus::Interrupted { reason: "the server ended while the turn ran".into() }
}

#[test]
fn a_turn_whose_process_is_gone_is_interrupted_once() {
    let home = home();
    let first = store(&home);
    commit_as(&first, gone(), small(Some("/w"), "/w/x"));
    let expected = Turn { status: interrupted(), proposals: vec![ProposalId::new("p")], ..turn("t", "s", 2) };
    for store in [first.clone(), first, store(&home)] {
        let loaded = load(&store, &["/w"]).unwrap();
        assert_eq!(loaded.known.turns, std::slice::from_ref(&expected));
        assert_eq!(loaded.last_seq, 1, "one event, however often it is loaded");
    }
    let event: String = raw(&home).query_row("SELECT body FROM event", [], |row| row.get(0)).unwrap();
    let told = DurableEvent::TurnFinished {
        turn: TurnId::new("t"),
        status: "interrupted".into(),
        reply: None,
        error: None,
        proposals: vec![ProposalId::new("p")],
    };
    assert_eq!(serde_json::from_str::<DurableEvent>(&event).unwrap(), told);
    let late = commit(&store(&home), vec![ended("t", TurnStatus::Completed)], vec![]);
    assert!(matches!(late, Err(StoreError::Conflict { .. })), "an end is final: {late:?}");
}

#[test]
fn two_servers_that_find_the_same_orphan_tell_of_it_once() {
    let home = home();
    let store = store(&home);
    commit_as(&store, gone(), small(Some("/w"), "/w/x"));
    let interrupt = |database: &mut Database| {
        database.write(|connection| {
            let orphans = crate::rescue::orphans(connection)?;
            crate::rescue::interrupt(connection, &orphans)?;
            crate::rescue::interrupt(connection, &orphans)
        })
    };
    wait(|done| store.run(interrupt, done)).unwrap();
    assert_eq!(load(&store, &["/w"]).unwrap().last_seq, 1);
}

#[test]
fn turns_of_this_and_of_other_living_processes_go_on() {
    let home = home();
    let store = store(&home);
    commit(&store, small(Some("/w"), "/w/x"), vec![]).unwrap();
    let other = Owner { pid: 1, start: String::new() };
    commit_as(&store, other, vec![Record::Turn(turn("t2", "s", 3))]);
    commit_as(&store, gone(), vec![Record::Turn(turn("t3", "s", 4))]);
    let turns = load(&store, &["/w"]).unwrap().known.turns;
    let status: Vec<_> = turns.iter().map(|turn| turn.status.clone()).collect();
    assert_eq!(status, [TurnStatus::Running, TurnStatus::Running, interrupted()]);
    commit(&store, vec![ended("t", TurnStatus::Completed)], vec![]).unwrap();
}

#[test]
fn an_interrupted_turn_is_shown_as_such_even_if_it_cannot_be_written() {
    let home = home();
    let store = store(&home);
    commit_as(&store, gone(), small(Some("/w"), "/w/x"));
    let other = raw(&home);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    with_connection(&store, |connection| connection.busy_timeout(Duration::from_millis(1))).unwrap();
    let loaded = load(&store, &["/w"]).unwrap();
    assert_eq!((&loaded.known.turns[0].status, loaded.last_seq), (&interrupted(), 0));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(load(&store, &["/w"]).unwrap().last_seq, 1);
}

#[cfg(unix)]
#[test]
fn the_other_processes_that_turns_run_in_are_named_as_long_as_they_live() {
    let home = home();
    let store = store(&home);
    let other = Owner { pid: std::os::unix::process::parent_id(), start: String::new() };
    commit_as(&store, other.clone(), small(Some("/w"), "/w/x"));
    commit(&store, vec![session("s2", Some("/w")), Record::Turn(turn("t2", "s2", 3))], vec![]).unwrap();
    let at_home_and_elsewhere = ["/w", "/other"].map(|folder| load(&store, &[folder]).unwrap().runners);
    assert_eq!(at_home_and_elsewhere, [vec![other.clone()], vec![other.clone()]], "we are not among them");
    commit_as(&store, other, vec![ended("t", TurnStatus::Completed)]);
    assert_eq!(load(&store, &["/w"]).unwrap().runners, []);
}
