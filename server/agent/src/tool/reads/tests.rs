use super::*;

const TEXT: &str = "a\nb\nc\nd\ne\n";

fn knows(reads: &Reads, text: &str, lines: Range<usize>) -> bool {
    reads.knowledge(Path::new("x"), text).numbered("x", &lines).is_ok()
}

#[test]
fn a_file_is_known_as_far_as_it_was_shown() {
    let (reads, x) = (Reads::default(), Path::new("x"));
    assert_eq!(reads.knowledge(x, TEXT), Knowledge::Unread);
    reads.read(x, Lines::new(TEXT), 0..2);
    assert!(knows(&reads, TEXT, 0..2) && !knows(&reads, TEXT, 1..3));
    assert!(reads.knowledge(x, TEXT).whole("x").unwrap_err().contains("only a part"));
    reads.read(x, Lines::new(TEXT), 2..5);
    assert!(knows(&reads, TEXT, 1..3) && reads.knowledge(x, TEXT).whole("x").is_ok());
    assert_eq!(reads.knowledge(x, "a\n"), Knowledge::Stale);
    assert!(reads.saw(x, "b\nc\n") && !reads.saw(x, "b\nd\n") && !reads.saw(x, "b"));
}

#[test]
fn behind_an_edit_that_moves_lines_their_numbers_are_not_known() {
    let (reads, x) = (Reads::default(), Path::new("x"));
    reads.read(x, Lines::new(TEXT), 0..5);
    reads.changed(x, TEXT, Lines::new("a\nb\nC\nd\ne\n"), &[]);
    assert!(knows(&reads, "a\nb\nC\nd\ne\n", 3..5), "as many lines as before");
    assert!(!knows(&reads, "a\nb\nC\nd\ne\n", 2..3));
    let longer = "a\nb\nnew\nC\nd\ne\n";
    reads.changed(x, "a\nb\nC\nd\ne\n", Lines::new(longer), std::slice::from_ref(&(2..3)));
    assert!(knows(&reads, longer, 0..3) && !knows(&reads, longer, 4..5));
    assert!(reads.knowledge(x, longer).whole("x").is_ok(), "what it contains is known all the same");
    reads.changed(x, "something else", Lines::new("f\n"), &[]);
    assert!(reads.knowledge(x, "f\n").whole("x").is_err(), "an edit is no look at the rest");
}

#[test]
fn an_empty_file_is_known_once_it_was_read() {
    let (reads, x) = (Reads::default(), Path::new("x"));
    reads.read(x, Lines::new(""), 0..0);
    assert!(reads.knowledge(x, "").whole("x").is_ok());
}

#[test]
fn what_was_seen_longest_ago_is_forgotten_when_it_is_too_much() {
    let reads = Reads::default();
    let half = "x".repeat(MOST_BYTES / 2);
    for name in ["a", "b", "c"] {
        reads.read(Path::new(name), Lines::new(half.as_str()), 0..1);
    }
    assert_eq!(reads.knowledge(Path::new("a"), &half), Knowledge::Unread);
    assert!(reads.knowledge(Path::new("c"), &half).whole("c").is_ok());
}
