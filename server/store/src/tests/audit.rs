//! The audit: what is written stays, and whoever changes it is found out.

use kkcode_core::audit::{AuditEvent, AuditRecord};
use kkcode_core::id::PromptId;
use kkcode_core::permission::Decision;
use kkcode_core::prompt::{Answer, Permission, Prompt, PromptKind, Resolution};

use super::*;
use crate::{AuditFilter, AuditRow, AuditState};

fn record(action: &str, decision: Decision) -> AuditRecord {
    AuditRecord {
        event: AuditEvent::Decided,
        session: SessionId::new("s"),
        turn: TurnId::new("t"),
        prompt: None,
        tool: "bash".into(),
        action: action.into(),
        decision,
        by: "level".into(),
        reason: String::new(),
    }
}

fn filled(home: &TempDir) -> Store {
    let store = store(home);
    for (action, decision) in
        [("ls", Decision::Allow), ("rm -rf /", Decision::Deny), ("make", Decision::Allow)]
    {
        wait(|done| store.audit(record(action, decision), done)).unwrap();
    }
    store
}

fn rows(store: &Store, filter: AuditFilter) -> Vec<AuditRow> {
    wait(|done| store.audited(filter, done)).unwrap()
}

fn verified(store: &Store) -> AuditState {
    wait(|done| store.verify_audit(done)).unwrap()
}

/// Which row is found broken after somebody has done this to the file.
fn broken_after(sql: &str) -> Option<u64> {
    let home = home();
    let store = filled(&home);
    close(&store);
    let free = "DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_deleted;";
    raw(&home).execute_batch(&format!("{free} {sql}")).unwrap();
    verified(&store).broken.map(|broken| broken.seq)
}

#[test]
fn what_was_written_is_found_by_session_decision_and_time() {
    let home = home();
    let store = filled(&home);
    let actions = |filter| rows(&store, filter).into_iter().map(|row| row.record.action).collect::<Vec<_>>();
    assert_eq!(actions(AuditFilter::default()), ["ls", "rm -rf /", "make"]);
    assert_eq!(actions(AuditFilter { decision: Some(Decision::Deny), ..Default::default() }), ["rm -rf /"]);
    assert!(actions(AuditFilter { session: Some(SessionId::new("x")), ..Default::default() }).is_empty());
    assert!(actions(AuditFilter { since: Some(Timestamp(i64::MAX)), ..Default::default() }).is_empty());
    let state = verified(&store);
    assert_eq!((state.rows, state.broken), (3, None));
}

#[test]
fn rows_can_neither_be_changed_nor_deleted() {
    let home = home();
    close(&filled(&home));
    for sql in ["UPDATE audit SET at = 0", "DELETE FROM audit", "DELETE FROM audit WHERE seq = 3"] {
        let refused = raw(&home).execute(sql, []).unwrap_err().to_string();
        assert!(refused.contains("only appended"), "{refused}");
    }
}

#[test]
fn whoever_changes_the_file_by_force_is_found_out_at_the_first_row() {
    assert_eq!(broken_after("SELECT 1"), None);
    assert_eq!(
        broken_after("UPDATE audit SET record = replace(record, 'rm -rf /', 'ls') WHERE seq = 2"),
        Some(2)
    );
    assert_eq!(broken_after("UPDATE audit SET at = at + 1 WHERE seq = 1"), Some(1));
    assert_eq!(broken_after("DELETE FROM audit WHERE seq = 2"), Some(2));
    assert_eq!(broken_after("DELETE FROM audit WHERE seq = 1"), Some(1));
    assert_eq!(broken_after("DELETE FROM audit WHERE seq = 3"), Some(3));
    assert_eq!(
        broken_after(
            "DELETE FROM audit WHERE seq > 1; UPDATE sqlite_sequence SET seq = 1 WHERE name = 'audit'"
        ),
        Some(2),
        "the file beside the store knows of them"
    );
    assert_eq!(broken_after("UPDATE audit SET hash = 'x' WHERE seq = 3"), Some(3));
}

#[test]
fn a_store_that_is_gone_leaves_a_trace() {
    let home = home();
    close(&filled(&home));
    std::fs::remove_file(database_of(&home)).unwrap();
    assert_eq!(verified(&store(&home)).broken.map(|broken| broken.seq), Some(1));
}

/// Makes the first page of a table unreadable.
fn spoil(home: &TempDir, table: &str) {
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let page: u64 = raw(home).query_row(sql, [table], |row| row.get(0)).unwrap();
    let size: u64 = raw(home).query_row("PRAGMA page_size", [], |row| row.get(0)).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(database_of(home)).unwrap();
    let mut file = std::io::BufWriter::new(file);
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start((page - 1) * size)).unwrap();
    std::io::Write::write_all(&mut file, &vec![0xa5; usize::try_from(size).unwrap()]).unwrap();
}

#[test]
fn a_damaged_store_leaves_its_audit_whole_or_known_as_lost() {
    for (table, rows, broken) in [("event", 4, None), ("audit", 1, Some(1))] {
        let home = home();
        close(&filled(&home));
        spoil(&home, table);
        let store = store(&home);
        let loaded = load(&store, &["/w"]).unwrap();
        assert!(loaded.notices[0].contains(&format!("missing of: {table}")), "{:?}", loaded.notices);
        wait(|done| store.audit(record("after", Decision::Allow), done)).unwrap();
        let last = self::rows(&store, AuditFilter::default()).pop().unwrap();
        assert_eq!((last.seq, &*last.record.action), (4, "after"), "no number is given twice");
        let state = verified(&store);
        assert_eq!((state.rows, state.broken.map(|broken| broken.seq)), (rows, broken), "{table}");
    }
}

#[test]
fn processes_that_write_at_once_make_one_chain() {
    let home = home();
    let stores = [store(&home), store(&home)];
    let writers = stores.map(|store| {
        std::thread::spawn(move || {
            for at in 0..20 {
                wait(|done| store.audit(record(&format!("{at}"), Decision::Allow), done)).unwrap();
            }
        })
    });
    for writer in writers {
        writer.join().unwrap();
    }
    let state = verified(&store(&home));
    assert_eq!((state.rows, state.broken), (40, None));
}

#[test]
fn secrets_are_not_written_down() {
    let home = home();
    let store = store(&home);
    store.hide(|texts| texts.iter_mut().for_each(|text| **text = text.replace("unshaped", "[key]")));
    let line = "curl -H 'Authorization: Bearer abc' https://me:pw@host.example/unshaped";
    wait(|done| store.audit(record(line, Decision::Deny), done)).unwrap();
    assert_eq!(
        rows(&store, AuditFilter::default())[0].record.action,
        "curl -H 'Authorization: [removed]' https://[removed]@host.example/[key]"
    );
}

#[test]
fn a_prompt_and_its_answer_are_rows_of_the_same_transactions() {
    let home = home();
    let store = store(&home);
    commit(&store, small(Some("/w"), "/w/x"), Vec::new()).unwrap();
    let kind = PromptKind::Permission(Permission {
        tool: "bash".into(),
        command: Some("make".into()),
        diff: None,
        approval: None,
        applies_first: false,
        rules: Vec::new(),
    });
    let prompt = |id: &str| Prompt {
        id: PromptId::new(id),
        session: SessionId::new("s"),
        turn: TurnId::new("t"),
        task: None,
        title: "run make".into(),
        detail: "make".into(),
        kind: kind.clone(),
        asked_at: Timestamp(1),
        resolution: None,
    };
    commit(
        &store,
        vec![Record::Prompt(Box::new(prompt("p1"))), Record::Prompt(Box::new(prompt("p2")))],
        vec![],
    )
    .unwrap();
    let resolution = Resolution { answer: Answer::AllowOnce, by: "Emacs".into(), feedback: None };
    let answer =
        || vec![Record::PromptResolved { prompt: PromptId::new("p1"), resolution: resolution.clone() }];
    commit(&store, answer(), vec![]).unwrap();
    assert!(commit(&store, answer(), vec![]).is_err(), "the first answer counts");
    commit(&store, vec![Record::PromptsWithdrawn { turn: TurnId::new("t") }], vec![]).unwrap();
    let told: Vec<String> = rows(&store, AuditFilter::default())
        .into_iter()
        .map(|AuditRow { record: row, .. }| {
            format!("{:?} {} {:?} {}", row.event, row.prompt.unwrap(), row.decision, row.by)
        })
        .collect();
    assert_eq!(
        told,
        [
            "Asked p1 Ask ",
            "Asked p2 Ask ",
            "Decided p1 Allow Emacs (once)",
            "Decided p2 Deny cancel (withdrawn)"
        ]
    );
    assert_eq!(verified(&store).broken, None);
}
