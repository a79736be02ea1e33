use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::document::DocumentUri;
use crate::id::{ProposalId, TurnId};
use crate::lines::TextHash;
use crate::placement::Found;
use crate::proposal::{ChangeKind, NewHunk, hunk_id};

/// Takes the only hunk between `base` and `proposed` into an open document and into a text on the disk.
#[track_caller]
fn check(base: &str, proposed: &str, text: &str, expected: &str) {
    check_and(base, proposed, text, expected, true);
}

/// The same; `restored` tells whether giving back brings the very text back that was there.
#[track_caller]
fn check_and(base: &str, proposed: &str, text: &str, expected: &str, restored: bool) {
    let (base, proposed) = (Lines::new(base), Lines::new(proposed));
    let (old, new): (Vec<_>, Vec<_>) = (base.iter().collect(), proposed.iter().collect());
    let changes = crate::diff::line_changes(&old, &new);
    let [change] = &changes[..] else { panic!("one hunk, not {changes:?}") };
    let new = NewHunk {
        old: change.before.clone(),
        old_text: base.slice(change.before.clone()).into(),
        new_text: proposed.slice(change.after.clone()).into(),
    };
    let hunk = Hunk {
        id: hunk_id(&ProposalId::new("p"), Path::new("/x"), &new, 0),
        turn: TurnId::new("t"),
        base: TextHash::of(base.text()),
        old: new.old,
        old_text: new.old_text,
        new_text: new.new_text,
        kind: ChangeKind::Modify,
        over: None,
        split_from: None,
        rejected_before: false,
        verdict: Verdict::Undecided,
        told: false,
    };
    let id = hunk.id.clone();
    let mut file = FileChange { path: "/x".into(), base: hunk.base.clone(), hunks: vec![hunk] };
    let texts = Texts::from([(file.base.clone(), Arc::new(base))]);
    let take = |side: Side| move |_: &HunkId| Some(side);
    let placement = Placement::derive(&file, &texts, Found::Disk(&Lines::new(text)), |_| false);
    assert_eq!(placement.place(&id).unwrap().holds, Holds::Old);
    let taken = edited_text(&Lines::new(text), &file, &placement, &texts, take(Side::New));
    assert_eq!(taken, expected);
    file.hunks[0].verdict = Verdict::Accepted { saved: false };
    let taken = Lines::new(taken);
    let back = Placement::derive(&file, &texts, Found::Disk(&taken), |_| false);
    assert_eq!(back.place(&id).unwrap().holds, Holds::New);
    let given_back = edited_text(&taken, &file, &back, &texts, take(Side::Old));
    if restored {
        assert_eq!(given_back, text, "what was taken is given back byte for byte");
    }
    for encoding in [PositionEncoding::Utf8, PositionEncoding::Utf16, PositionEncoding::Utf32] {
        let mut document = Document {
            uri: DocumentUri::new("file:///x"),
            path: None,
            language_id: String::new(),
            version: 1,
            text: Rope::from_str(text),
            out_of_sync: false,
        };
        for (placement, side, expected) in
            [(&placement, Side::New, expected), (&back, Side::Old, &*given_back)]
        {
            for edit in
                text_edits(&document, &file, placement, &texts, take(side), encoding).into_iter().rev()
            {
                let change = crate::document::ContentChange { range: Some(edit.range), text: edit.new_text };
                document.apply(&change, encoding).unwrap();
            }
            assert_eq!(document.text.to_string(), expected, "{encoding:?}");
        }
    }
}

#[test]
fn a_hunk_is_taken_byte_for_byte() {
    check("a\nb\nc\n", "a\nB\nc\n", "a\nb\nc\n", "a\nB\nc\n");
    check("a\r\nb\r\n", "a\r\n𝒳é\r\nb\r\n", "a\r\nb\r\n", "a\r\n𝒳é\r\nb\r\n");
    check("a\nb\n", "b\n", "a\nb\n", "b\n");
    check("", "new\n", "", "new\n");
    check("a\nb", "a\nb\nc", "a\nb", "a\nb\nc");
}

#[test]
fn no_two_lines_run_together_when_the_text_ends_otherwise_than_the_base() {
    // The user took the last line ending away; the new line still begins on its own.
    check_and("a\n", "a\nb\n", "a", "a\nb\n", false);
    // The editor put one there: the hunk's last line has none, but the text goes on.
    check("a\nb", "a\nB", "a\nb\nmore\n", "a\nB\nmore\n");
    check("a\r\nb", "a\r\nB", "a\r\nb\r\nmore\r\n", "a\r\nB\r\nmore\r\n");
}

#[test]
fn a_byte_order_mark_stays_where_it_is() {
    let text = "\u{feff}a\nb\n";
    check("a\nb\n", "a\nB\n", text, "\u{feff}a\nB\n");
    check("a\nb\n", "A\nb\n", text, "\u{feff}A\nb\n");
}
