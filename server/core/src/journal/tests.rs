use super::*;

const ACCEPTED: Verdict = Verdict::Accepted { saved: false };
const REJECTED: Verdict = Verdict::Rejected { reason: None, replacement: None };

/// Decides hunks as the lines say — `a+` accepted, `a-` rejected, `a?` undecided again; one line is one commit — and
/// returns what could be undone and redone then.
fn check(commits: &[&str]) -> String {
    let proposal = ProposalId::new("p");
    let mut decisions = Vec::new();
    for (act, line) in (0..).zip(commits) {
        for word in line.split_whitespace() {
            let (hunk, mark) = word.split_at(1);
            let verdict = match mark {
                "+" => ACCEPTED,
                "-" => REJECTED,
                _ => Verdict::Undecided,
            };
            decisions.push(Decided {
                act,
                at: Timestamp(1),
                proposal: proposal.clone(),
                hunk: HunkId::new(hunk),
                verdict,
            });
        }
    }
    let now = |_: &ProposalId, hunk: &HunkId| {
        let last = decisions.iter().rev().find(|decided| decided.hunk == *hunk);
        Some(last.map_or(Verdict::Undecided, |decided| decided.verdict.clone()))
    };
    let journal = Journal::replay(&decisions);
    let name = |act: Option<&Act>| {
        act.map_or_else(
            || "nothing".to_owned(),
            |act| act.changes.iter().map(|change| change.hunk.as_str()).collect::<String>(),
        )
    };
    format!("{}/{}", name(journal.undoable(None, &now)), name(journal.redoable(None, &now)))
}

#[test]
fn decisions_are_undone_from_the_last_to_the_first_and_redone_in_order() {
    assert_eq!(check(&[]), "nothing/nothing");
    assert_eq!(check(&["a+", "b-", "c+ d+"]), "cd/nothing");
    assert_eq!(check(&["a+", "b-", "c+ d+", "c? d?"]), "b/cd");
    assert_eq!(check(&["a+", "b-", "c+ d+", "c? d?", "b?"]), "a/b");
    assert_eq!(check(&["a+", "b-", "c+ d+", "c? d?", "b?", "b-"]), "b/cd");
    assert_eq!(check(&["a+", "b-", "a?", "b?"]), "nothing/a");
}

#[test]
fn a_new_decision_leaves_nothing_to_redo() {
    assert_eq!(check(&["a+", "b+", "b?", "c+"]), "c/nothing");
    assert_eq!(check(&["a+", "b+", "b?", "c+", "c?"]), "a/c");
}

#[test]
fn what_the_editor_undid_is_not_undone_again() {
    assert_eq!(check(&["a+ b+", "a?"]), "ab/nothing", "a part of it still stands");
    assert_eq!(check(&["a+", "b+", "a?"]), "b/nothing");
}
