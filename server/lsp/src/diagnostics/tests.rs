use kkcode_core::id::TurnId;
use kkcode_core::lines::TextHash;
use kkcode_core::proposal::{ChangeKind, Hunk, Verdict};
use kkcode_core::text::{Position, TextRange};

use super::*;
use crate::hunks::Standing;

fn report(line: u32, state: HunkState) -> BTreeMap<String, Report> {
    let at = Position::new(line, 0);
    let hunk = Hunk {
        id: HunkId::new("h"),
        turn: TurnId::new("t"),
        base: TextHash::of(""),
        old: 0..1,
        old_text: "a\n".into(),
        new_text: "b\n".into(),
        kind: ChangeKind::Modify,
        over: None,
        split_from: None,
        rejected_before: false,
        verdict: Verdict::Undecided,
        told: false,
    };
    let waiting = Waiting {
        proposal: ProposalId::new("p"),
        title: String::new(),
        path: "/a".into(),
        hunk,
        standing: Standing { range: TextRange::new(at, at), state, reason: None, merges: None },
    };
    BTreeMap::from([("file:///a".to_owned(), Report { version: Some(7), hunks: vec![waiting] })])
}

#[test]
fn a_shift_and_an_edit_on_its_way_are_no_news() {
    let client = ClientCapabilities::default();
    let mut published = Published::default();
    assert_eq!(published.update(&report(1, HunkState::Pending), &client, Typing::GoesOn).len(), 1);
    assert!(published.update(&report(5, HunkState::Pending), &client, Typing::GoesOn).is_empty());
    assert!(published.update(&report(5, HunkState::Applying), &client, Typing::GoesOn).is_empty());
    assert_eq!(published.update(&report(5, HunkState::Stale), &client, Typing::GoesOn).len(), 1);
}

#[test]
fn what_is_decided_is_cleared_once() {
    let client = ClientCapabilities::default();
    let mut published = Published::default();
    published.update(&report(1, HunkState::Pending), &client, Typing::GoesOn);
    let cleared = published.update(&BTreeMap::new(), &client, Typing::GoesOn);
    assert_eq!(cleared, [json!({"uri": "file:///a", "diagnostics": []})]);
    assert!(published.update(&BTreeMap::new(), &client, Typing::GoesOn).is_empty());
}

#[test]
fn a_document_that_was_opened_is_told_again_with_its_version_where_that_counts() {
    let client = ClientCapabilities { diagnostic_versions: true, ..ClientCapabilities::default() };
    let mut published = Published::default();
    let report = report(1, HunkState::Pending);
    let first = published.update(&report, &client, Typing::GoesOn);
    published.forget(&BTreeSet::from(["file:///b".to_owned()]));
    assert!(published.update(&report, &client, Typing::GoesOn).is_empty());
    published.forget(&BTreeSet::from(["file:///a".to_owned()]));
    assert_eq!(published.update(&report, &client, Typing::GoesOn), first);
    assert_eq!(first.first().unwrap()["version"], 7);
}

#[test]
fn what_may_have_been_dropped_for_its_version_is_told_once_more_when_typing_rests() {
    let client = ClientCapabilities { diagnostic_versions: true, ..ClientCapabilities::default() };
    let mut published = Published::default();
    let mut report = report(1, HunkState::Pending);
    published.update(&report, &client, Typing::GoesOn);
    assert!(published.update(&report, &client, Typing::Rests).is_empty());
    report.get_mut("file:///a").unwrap().version = Some(9);
    assert!(published.update(&report, &client, Typing::GoesOn).is_empty());
    let again = published.update(&report, &client, Typing::Rests);
    assert_eq!(again.first().unwrap()["version"], 9);
    assert!(published.update(&report, &client, Typing::Rests).is_empty());
}
