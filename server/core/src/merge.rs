//! The three-way merge: what the user and the agent made of the same text, if it does not conflict; by lines, or by words.

use std::ops::Range;

use crate::diff::{LineChange, line_changes};
use crate::lines::{Compare, Lines};

/// Of a text whose words are merged, either may have changed one in so many characters: in what was written anew, the same word
/// in the same place says nothing.
const MOST_GONE: usize = 2;

/// A text of more words than this is merged by lines alone.
const MOST_WORDS: usize = 20_000;

/// Returns the merge of two changed texts; none where both changed the same or adjoining lines in different ways.
///
/// Lines are compared without their endings; what both have is taken from `mine`, so that its endings stay.
pub fn merge(base: &Lines, mine: &Lines, theirs: &Lines) -> Option<String> {
    let keys = |lines: &Lines| lines.keys(Compare::Content);
    let (my_keys, their_keys) = (keys(mine), keys(theirs));
    let (my_changes, their_changes) =
        (line_changes(&keys(base), &my_keys), line_changes(&keys(base), &their_keys));
    let pieces = pieces((&my_changes, &my_keys), (&their_changes, &their_keys))?;
    Some(
        pieces
            .into_iter()
            .map(|piece| piece.of(|lines| mine.slice(lines), |lines| theirs.slice(lines)))
            .collect(),
    )
}

/// Returns the merge of two changed texts by words, signs and blanks; none where both changed the same or adjoining ones in
/// different ways, or either wrote most of it anew.
///
/// All line endings are alike; what both have is taken from `mine`, so that its endings stay.
pub fn merge_words(base: &str, mine: &str, theirs: &str) -> Option<String> {
    let [base, mine, theirs] = [base, mine, theirs].map(words);
    // A CR of one and an LF of the other might meet, and be one ending where there were two.
    let is_too_much = |words: &Vec<&str>| words.len() > MOST_WORDS || words.contains(&"\r");
    if [&base, &mine, &theirs].into_iter().any(is_too_much) {
        return None;
    }
    let keys = |words: &[&str]| {
        words.iter().map(|word| if is_ending(word) { "\n" } else { word }.to_owned()).collect()
    };
    let [base_keys, my_keys, their_keys]: [Vec<String>; 3] = [keys(&base), keys(&mine), keys(&theirs)];
    let (my_changes, their_changes) =
        (line_changes(&base_keys, &my_keys), line_changes(&base_keys, &their_keys));
    let (my_side, their_side) = ((&*my_changes, &*my_keys), (&*their_changes, &*their_keys));
    if !leaves_enough(&base, my_side, their_side) || !leaves_enough(&base, their_side, my_side) {
        return None;
    }
    let pieces = pieces(my_side, their_side)?;
    let text = |words: &[&str], range: Range<usize>| words.get(range).unwrap_or_default().concat();
    let merged =
        pieces.into_iter().map(|piece| piece.of(|range| text(&mine, range), |range| text(&theirs, range)));
    Some(merged.collect())
}

/// A changed text: how it differs from the base, and what it consists of.
type Side<'a, T> = (&'a [LineChange], &'a [T]);

/// Tells whether a text leaves enough of the base as it was, by its characters that are no blanks; what both changed in the
/// same way does not count.
fn leaves_enough(base: &[&str], side: Side<'_, String>, other: Side<'_, String>) -> bool {
    let length = |words: &[&str]| words.iter().map(|word| word.trim().len()).sum::<usize>();
    let did_the_other = |change: &&LineChange| {
        let found = other.0.binary_search_by_key(&change.before.start, |own| own.before.start).ok();
        found.and_then(|at| other.0.get(at)).is_some_and(|own| are_same((own, other.1), (change, side.1)))
    };
    let own = side.0.iter().filter(|change| !did_the_other(change));
    let gone: usize = own.map(|change| length(base.get(change.before.clone()).unwrap_or_default())).sum();
    gone * MOST_GONE <= length(base)
}

/// Tells whether two texts have the same in the place of the same.
fn are_same<T: PartialEq>((one, ones): (&LineChange, &[T]), (other, others): (&LineChange, &[T])) -> bool {
    one.before == other.before && ones.get(one.after.clone()) == others.get(other.after.clone())
}

/// Splits a text into words, runs of blanks, line endings and single signs. What is not ASCII belongs to words.
fn words(text: &str) -> Vec<&str> {
    let is_word = |c: char| c == '_' || c.is_ascii_alphanumeric() || !c.is_ascii();
    let is_blank = |c: char| matches!(c, ' ' | '\t');
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\r' if rest.starts_with("\r\n") => 2,
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c if is_blank(c) => rest.find(|c| !is_blank(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (word, left) = rest.split_at(end);
        words.push(word);
        rest = left;
    }
    words
}

fn is_ending(word: &str) -> bool {
    matches!(word, "\n" | "\r\n" | "\r")
}

/// A part of a merged text.
enum Piece {
    Mine(Range<usize>),
    Theirs(Range<usize>),
}

impl Piece {
    fn of<T>(self, mine: impl Fn(Range<usize>) -> T, theirs: impl Fn(Range<usize>) -> T) -> T {
        match self {
            Self::Mine(range) => mine(range),
            Self::Theirs(range) => theirs(range),
        }
    }
}

/// Puts two changed texts together, each as its changes and what it consists of; none where both changed the same or
/// adjoining parts in different ways.
fn pieces<T: PartialEq>(
    (my_changes, mine): Side<'_, T>,
    (their_changes, theirs): Side<'_, T>,
) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut taken = 0;
    let mut mine_left = my_changes.iter().peekable();
    // Where the base's parts are in `mine`, behind what has been merged.
    let mut shift = Shift::default();
    for change in their_changes {
        while let Some(own) = mine_left.next_if(|own| own.before.end < change.before.start) {
            shift.pass(own);
        }
        if let Some(own) = mine_left.peek().filter(|own| own.before.start <= change.before.end) {
            let same = own.before == change.before
                && mine.get(own.after.clone()) == theirs.get(change.after.clone());
            if !same {
                return None;
            }
            // Both did the same: it stands in `mine` already.
            if let Some(own) = mine_left.next() {
                shift.pass(own);
            }
            continue;
        }
        let (start, end) = (shift.apply(change.before.start), shift.apply(change.before.end));
        pieces.extend([Piece::Mine(taken..start), Piece::Theirs(change.after.clone())]);
        taken = end;
    }
    pieces.push(Piece::Mine(taken..mine.len()));
    Some(pieces)
}

/// How far parts have moved from one text to the other.
#[derive(Default)]
struct Shift {
    added: usize,
    removed: usize,
}

impl Shift {
    fn pass(&mut self, change: &LineChange) {
        self.added += change.after.len();
        self.removed += change.before.len();
    }

    fn apply(&self, part: usize) -> usize {
        (part + self.added).saturating_sub(self.removed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(base: &str, mine: &str, theirs: &str, merged: Option<&str>) {
        let merge = merge(&Lines::new(base), &Lines::new(mine), &Lines::new(theirs));
        assert_eq!(merge.as_deref(), merged);
    }

    #[test]
    fn changes_apart_from_each_other_are_both_taken() {
        check("a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nD\n", Some("A\nb\nc\nD\n"));
        check("a\nb\nc\nd\n", "a\nb\nc\nd\nmine\n", "a\nB\nc\nd\n", Some("a\nB\nc\nd\nmine\n"));
        check("a\nb\nc\n", "mine\na\nb\nc\n", "a\nb\n", Some("mine\na\nb\n"));
    }

    #[test]
    fn changes_of_the_same_or_adjoining_lines_conflict() {
        check("a\nb\nc\n", "a\nmine\nc\n", "a\ntheirs\nc\n", None);
        check("a\nb\nc\n", "A\nb\nc\n", "a\nB\nc\n", None);
        check("", "mine\n", "theirs\n", None);
    }

    #[test]
    fn what_both_did_is_done_once() {
        check("a\nb\nc\nd\n", "A\nb\nc\nd\n", "A\nb\nc\nD\n", Some("A\nb\nc\nD\n"));
    }

    #[test]
    fn the_endings_of_the_users_lines_stay() {
        check("a\nb\nc\nd\n", "A\r\nb\r\nc\r\nd\r\n", "a\nb\nc\nD\n", Some("A\r\nb\r\nc\r\nD\n"));
    }

    #[track_caller]
    fn check_words(base: &str, mine: &str, theirs: &str, merged: Option<&str>) {
        assert_eq!(merge_words(base, mine, theirs).as_deref(), merged);
        // Neither is more than the other where no line ending is anybody's own.
        if !mine.contains('\r') {
            assert_eq!(merge_words(base, theirs, mine).as_deref(), merged);
        }
    }

    #[test]
    fn words_apart_from_each_other_are_both_taken() {
        let (base, theirs) = ("let sum = add(one);\n", "let sum = add(one, two);\n");
        check_words(base, "const sum = add(one);\n", theirs, Some("const sum = add(one, two);\n"));
        check_words(base, "let sum = add(one);\r\n", theirs, Some("let sum = add(one, two);\r\n"));
        check_words("a b c d e f\n", "a b c d e F\n", "A b c d e f\n", Some("A b c d e F\n"));
        check_words(
            "été à la mer\n",
            "hiver à la mer\n",
            "été à la montagne\n",
            Some("hiver à la montagne\n"),
        );
    }

    #[test]
    fn what_the_user_has_typed_of_it_already_is_done_once() {
        check_words(
            "two\nthree\nfour\n",
            "TWO\nthree\nfour\n",
            "TWO\nthree\nFOUR\nmore\n",
            Some("TWO\nthree\nFOUR\nmore\n"),
        );
    }

    #[test]
    fn the_same_or_adjoining_words_conflict() {
        check_words("a b c d\n", "a mine c d\n", "a theirs c d\n", None);
        check_words("a b c d\n", "a b mine c d\n", "a b theirs c d\n", None);
        check_words("x = f(a);\n", "x = f(b);\n", "x = f(a, c);\n", None);
    }

    #[test]
    fn what_was_written_anew_is_not_merged() {
        check_words("let a = b;\n", "let a = c;\n", "print(one, two, three); a = b\n", None);
        check_words("open the door\n", "open the window\n", "\n", None);
        check_words("", "mine\n", "theirs\n", None);
    }

    #[test]
    fn a_very_long_text_is_not_compared_by_words() {
        let base = "a b\n".repeat(MOST_WORDS / 4 - 1);
        let (mine, theirs) = (format!("{base}mine\n"), format!("theirs{base}"));
        check_words(&base, &mine, &theirs, Some(&format!("theirs{base}mine\n")));
        let twice = |text: &str| format!("{text}{base}");
        check_words(&twice(&base), &twice(&mine), &twice(&theirs), None);
    }

    proptest! {
        #[test]
        fn who_changed_alone_gets_what_he_made(base in "[ab\\r\\n ]{0,30}", other in "[abc\\r\\n ]{0,30}") {
            for merged in [merge_words(&base, &base, &other), merge_words(&base, &other, &base)].into_iter().flatten() {
                prop_assert_eq!(endings(&merged), endings(&other));
            }
            prop_assert_eq!(words(&other).concat(), other);
        }
    }

    fn endings(text: &str) -> String {
        words(text).into_iter().map(|word| if is_ending(word) { "\n" } else { word }).collect()
    }

    #[test]
    fn words_are_what_a_text_consists_of() {
        assert_eq!(
            words("f(a_1,\té\u{301}x)\r\n\n"),
            ["f", "(", "a_1", ",", "\t", "é\u{301}x", ")", "\r\n", "\n"]
        );
    }
}
