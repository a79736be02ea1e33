//! What is written comes back as it was.

use kkcode_core::proposal::{FileChange, Proposal};
use kkcode_core::turn::Failure;

use super::*;

#[test]
fn what_was_committed_is_loaded_by_another_store() {
    let home = home();
    let bodies = ["\u{feff}a\r\nb\0c\rd\n\n", "", "no end", "ä€😀\n"];
    let [odd, empty, open, wide] = bodies.map(text);
    let first = Turn { model: Some("p/m".into()), level: Level::AcceptEdits, ..turn("t1", "s", 10) };
    let odd_hunk = Hunk {
        old_text: "b\0c\r".into(),
        new_text: "\u{feff}x\r\n".into(),
        ..hunk("h1", "t1", &odd.0, 1..2)
    };
    let seqs = commit(
        &store(&home),
        vec![
            session("s", Some("/w")),
            Record::Turn(first.clone()),
            proposal("p", "s", "t1", 20),
            Record::Text(odd.0.clone(), odd.1.clone()),
            Record::Text(empty.0.clone(), empty.1.clone()),
            Record::Text(open.0.clone(), open.1.clone()),
            Record::Text(wide.0.clone(), wide.1.clone()),
            file("p", "/w/z", &odd.0),
            hunk_record("p", "/w/z", odd_hunk.clone()),
            file("p", "/w/a", &empty.0),
            file("p", "/w/m", &wide.0),
        ],
        vec![changed("p"), changed("p")],
    );
    assert_eq!(seqs.unwrap(), [1, 2]);

    let loaded = load(&store(&home), &["/w"]).unwrap();
    let change =
        |path: &str, base: &TextHash, hunks| FileChange { path: path.into(), base: base.clone(), hunks };
    let proposal = Proposal {
        id: ProposalId::new("p"),
        session: SessionId::new("s"),
        turn: TurnId::new("t1"),
        title: "title of p".into(),
        created_at: Timestamp(20),
        files: vec![
            change("/w/z", &odd.0, vec![odd_hunk]),
            change("/w/a", &empty.0, Vec::new()),
            change("/w/m", &wide.0, Vec::new()),
        ],
    };
    assert_eq!(loaded.known.proposals, [proposal]);
    let mut texts = vec![odd, empty, wide];
    texts.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(loaded.known.texts, texts, "and no text that nothing counts lines in");
    assert_eq!(loaded.known.turns, [Turn { proposals: vec![ProposalId::new("p")], ..first }]);
    assert_eq!(loaded.last_seq, 2);
}

#[test]
fn every_end_of_a_turn_comes_back() {
    let home = home();
    let failure = Failure { class: "auth".into(), message: "no key".into() };
    let ends = [
        TurnStatus::Completed,
        TurnStatus::Cancelled,
        TurnStatus::Interrupted { reason: "r".into() },
        TurnStatus::Failed(failure),
        TurnStatus::BudgetExhausted { reason: "day".into() },
    ];
    let first = store(&home);
    commit(&first, vec![session("s", Some("/w"))], vec![]).unwrap();
    for (at, status) in (0..).zip(&ends) {
        let id = format!("t{at}");
        commit(&first, vec![Record::Turn(turn(&id, "s", at))], vec![]).unwrap();
        commit(&first, vec![ended(&id, status.clone())], vec![]).unwrap();
    }
    let turns = load(&store(&home), &["/w"]).unwrap().known.turns;
    let expected: Vec<Turn> = (0..)
        .zip(ends)
        .map(|(at, status)| Turn {
            status,
            reply: Some("reply".into()),
            usage: Usage { input_tokens: 3, output_tokens: 4, cost_micro_usd: 5, ..Usage::default() },
            ..turn(&format!("t{at}"), "s", at)
        })
        .collect();
    assert_eq!(turns, expected);
}

#[test]
fn a_hunk_that_is_carried_over_keeps_its_new_lines_and_its_verdict() {
    let home = home();
    let first = store(&home);
    commit(&first, small(Some("/w"), "/w/x"), vec![]).unwrap();
    let taken = Verdict::Accepted { saved: false };
    commit(&first, vec![decision("p", "h", taken.clone())], vec![]).unwrap();
    let (hash, lines) = text("more\nold!\n");
    let carried = Hunk { old_text: "old!\n".into(), ..hunk("h", "t", &hash, 1..2) };
    let records = vec![
        Record::Text(hash.clone(), lines),
        file("p", "/w/x", &hash),
        hunk_record("p", "/w/x", carried.clone()),
    ];
    commit(&first, records, vec![]).unwrap();
    let loaded = load(&store(&home), &["/w"]).unwrap();
    let file = loaded.known.proposals[0].file(Path::new("/w/x")).unwrap();
    assert_eq!(file.base, hash);
    assert_eq!(file.hunks, [Hunk { verdict: taken, ..carried }]);
}

#[test]
fn decisions_are_only_ever_appended() {
    let home = home();
    let store = store(&home);
    commit(&store, small(Some("/w"), "/w/x"), vec![]).unwrap();
    let verdicts = [
        Verdict::Accepted { saved: false },
        Verdict::Undecided,
        Verdict::Rejected { reason: Some("no".into()), replacement: None },
        Verdict::Undecided,
        Verdict::Superseded { by: None },
        Verdict::Rejected { reason: None, replacement: None },
        Verdict::Accepted { saved: true },
    ];
    let mut before = Verdict::Undecided;
    for verdict in &verdicts {
        commit(&store, vec![changed_mind("p", "h", before, verdict.clone())], vec![]).unwrap();
        before = verdict.clone();
        assert_eq!(load(&store, &["/w"]).unwrap().known.proposals[0].files[0].hunks[0].verdict, *verdict);
    }
    let journal: Vec<String> = raw(&home)
        .prepare("SELECT verdict FROM decision WHERE proposal = 'p' AND hunk = 'h' ORDER BY seq")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let journal: Vec<Verdict> = journal.iter().map(|json| serde_json::from_str(json).unwrap()).collect();
    assert_eq!(journal, verdicts);
}

#[test]
fn a_text_is_stored_once() {
    let home = home();
    let store = store(&home);
    let (hash, lines) = text("same\n");
    let again = || Record::Text(hash.clone(), lines.clone());
    commit(&store, vec![again(), again()], vec![]).unwrap();
    commit(&store, vec![again()], vec![]).unwrap();
    let texts: u64 = raw(&home).query_row("SELECT count(*) FROM text", [], |row| row.get(0)).unwrap();
    assert_eq!(texts, 1);
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_come_back() {
    use std::os::unix::ffi::OsStringExt as _;
    let name = |bytes: &[u8]| PathBuf::from(std::ffi::OsString::from_vec(bytes.to_owned()));
    let (folder, path) = (name(b"/w\xff \n"), name(b"/w\xff \n/\xc3\x28\xf0.rs"));
    let home = tempfile::Builder::new().prefix(&name(b"not \xfe utf8 ")).tempdir().unwrap();
    let (hash, lines) = text("");
    let records = vec![
        Record::Session {
            id: SessionId::new("s"),
            folder: Some(folder.clone()),
            title: String::new(),
            at: Timestamp(0),
        },
        Record::Turn(turn("t", "s", 1)),
        proposal("p", "s", "t", 2),
        Record::Text(hash.clone(), lines),
        file("p", &path, &hash),
        hunk_record("p", &path, hunk("h", "t", &hash, 0..0)),
        decision("p", "h", Verdict::Superseded { by: None }),
    ];
    commit(&store(&home), records, vec![]).unwrap();
    let loaded = wait(|done| store(&home).load(vec![folder], Vec::new(), done)).unwrap();
    assert_eq!(loaded.known.proposals[0].files[0].path, path);
    assert_eq!(loaded.known.proposals[0].files[0].hunks[0].verdict, Verdict::Superseded { by: None });
    assert!(database_of(&home).exists(), "below a folder whose own name is not UTF-8 either");
}

#[test]
fn a_turn_knows_its_proposals_in_the_order_it_touched_them() {
    let home = home();
    let store = store(&home);
    commit(&store, small(Some("/w"), "/w/x"), vec![]).unwrap();
    let (hash, _) = text("old\n");
    let ids = |turn: &str| {
        let turns = load(&store, &["/w"]).unwrap().known.turns;
        let turn = turns.into_iter().find(|known| known.id.as_str() == turn).unwrap();
        turn.proposals.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    commit(
        &store,
        vec![
            Record::Turn(turn("t2", "s", 4)),
            proposal("o", "s", "t2", 5),
            hunk_record("p", "/w/x", hunk("h2", "t2", &hash, 0..0)),
        ],
        vec![],
    )
    .unwrap();
    assert_eq!((ids("t"), ids("t2")), (vec!["p".to_owned()], vec!["o".to_owned(), "p".to_owned()]));

    let finished = DurableEvent::TurnFinished {
        turn: TurnId::new("t"),
        status: "completed".into(),
        reply: None,
        error: None,
        proposals: vec![ProposalId::new("p"), ProposalId::new("o")],
    };
    commit(&store, vec![ended("t", TurnStatus::Completed)], vec![finished]).unwrap();
    assert_eq!(ids("t"), ["p", "o"], "what only took hunks back is known at the end");
}

#[test]
fn messages_come_back_in_order() {
    let home = home();
    let first = store(&home);
    commit(&first, small(None, "/w/x"), vec![]).unwrap();
    let (session, turn) = (SessionId::new("s"), TurnId::new("t"));
    let append = |messages: &[serde_json::Value]| {
        wait(|done| first.append_messages(session.clone(), turn.clone(), messages.to_vec(), done))
    };
    let messages =
        [serde_json::json!({"b": 1, "a": ["\0", 1.5, null, u64::MAX]}), "text".into(), serde_json::json!([])];
    append(&messages[..1]).unwrap();
    append(&[]).unwrap();
    append(&messages[1..]).unwrap();
    let read = |session: &str| wait(|done| store(&home).messages(SessionId::new(session), done)).unwrap();
    assert_eq!(read("s"), messages);
    assert_eq!(read("another"), Vec::<serde_json::Value>::new());
    let refused =
        wait(|done| first.append_messages(session.clone(), TurnId::new("t9"), messages.to_vec(), done));
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!(read("s").len(), 3, "all or nothing");
}
