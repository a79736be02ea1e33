use kkcode_core::id::{HunkId, TurnId};
use kkcode_core::lines::TextHash;
use kkcode_core::proposal::Verdict;

use super::*;

fn hunk(old: &str, new: &str) -> Hunk {
    Hunk {
        id: HunkId::new("h"),
        turn: TurnId::new("t"),
        base: TextHash::of(""),
        old: 0..split(old).count(),
        old_text: old.into(),
        new_text: new.into(),
        kind: ChangeKind::Modify,
        over: None,
        split_from: None,
        rejected_before: false,
        verdict: Verdict::Undecided,
        told: false,
    }
}

fn range(start: (u32, u32), end: (u32, u32)) -> TextRange {
    TextRange::new(Position::new(start.0, start.1), Position::new(end.0, end.1))
}

#[test]
fn a_hunk_says_what_it_does() {
    assert_eq!(summary(&hunk("two\n", "TWO\n"), Path::new("/a/x")), "two → TWO");
    assert_eq!(
        summary(&hunk("two\n", "\n  TWO\nthree\n"), Path::new("/a/x")),
        "1 line by 3 lines: two → TWO"
    );
    assert_eq!(summary(&hunk("", "  a\nb\n"), Path::new("/a/x")), "insert 2 lines: a");
    assert_eq!(summary(&hunk("a\n", ""), Path::new("/a/x")), "delete 1 line: a");
    assert_eq!(summary(&hunk("a\r\n", "a\n"), Path::new("/a/x")), "other line endings for 1 line");
    for (to, said) in [("/a/y", "y"), ("/a/b/y", "b/y"), ("/c/y", "/c/y")] {
        let moved = Hunk { kind: ChangeKind::Rename { to: to.into() }, ..hunk("a\n", "a\n") };
        assert_eq!(summary(&moved, Path::new("/a/x")), format!("rename the file to {said}"));
    }
    let long = summary(&hunk("", &"ü".repeat(100)), Path::new("/a/x"));
    assert_eq!(long, format!("insert 1 line: {}…", "ü".repeat(39)));
}

#[test]
fn a_diff_has_no_line_endings() {
    assert_eq!(diff(&hunk("a\r\nb", "c\n\n")), ["-a", "-b", "+c", "+"]);
}

#[test]
fn a_range_that_ends_where_a_line_starts_has_nothing_of_it() {
    assert_eq!(lines_of(range((1, 0), (2, 0))), 1..=1);
    assert_eq!(lines_of(range((1, 0), (2, 1))), 1..=2);
    assert_eq!(lines_of(range((0, 0), (0, 0))), 0..=0);
}
