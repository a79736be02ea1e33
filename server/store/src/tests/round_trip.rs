use kkcode_core::proposal::{FileChange, Proposal};
use kkcode_core::turn::Failure;

use super::*;

/// Session, turn, proposal and one file with one hunk.
pub(super) fn small(folder: Option<&str>, path: &str) -> Vec<Record> {
    let (hash, lines) = text("old\n");
    vec![
        session("s", folder),
        Record::Turn(turn("t", "s", 2)),
        proposal("p", "s", "t", 3),
        Record::Text(hash.clone(), lines),
        file("p", path, &hash),
        hunk_record("p", path, hunk("h", "t", &hash, 0..1)),
    ]
}

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
    let change = |path: &str, base: &TextHash, hunks| FileChange {
        path: path.into(),
        kind: ChangeKind::Modify,
        base: base.clone(),
        hunks,
    };
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
    assert_eq!(loaded.proposals, [proposal]);
    let mut texts = vec![odd, empty, wide];
    texts.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(loaded.texts, texts, "and no text that nothing counts lines in");
    assert_eq!(loaded.turns, [Turn { proposals: vec![ProposalId::new("p")], ..first }]);
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
        TurnStatus::BudgetExhausted,
    ];
    let first = store(&home);
    commit(&first, vec![session("s", Some("/w"))], vec![]).unwrap();
    for (at, status) in (0..).zip(&ends) {
        let id = format!("t{at}");
        commit(&first, vec![Record::Turn(turn(&id, "s", at))], vec![]).unwrap();
        commit(&first, vec![ended(&id, status.clone())], vec![]).unwrap();
    }
    let turns = load(&store(&home), &["/w"]).unwrap().turns;
    let expected: Vec<Turn> = (0..)
        .zip(ends)
        .map(|(at, status)| Turn {
            status,
            reply: Some("reply".into()),
            usage: Usage { input_tokens: 3, output_tokens: 4 },
            ..turn(&format!("t{at}"), "s", at)
        })
        .collect();
    assert_eq!(turns, expected);
}
