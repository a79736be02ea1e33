//! The three-way merge of lines: what the user and the agent made of the same text, if it does not conflict.

use crate::diff::{LineChange, line_changes};
use crate::lines::{Compare, Lines};

/// Returns the merge of two changed texts; none where both changed the same or adjoining lines in different ways.
///
/// Lines are compared without their endings; what both have is taken from `mine`, so that its endings stay.
pub fn merge(base: &Lines, mine: &Lines, theirs: &Lines) -> Option<String> {
    let keys = |lines: &Lines| lines.keys(Compare::Content);
    let (base_keys, my_keys, their_keys) = (keys(base), keys(mine), keys(theirs));
    let my_changes = line_changes(&base_keys, &my_keys);
    let their_changes = line_changes(&base_keys, &their_keys);
    let mut merged = String::new();
    let mut my_line = 0;
    let mut mine_left = my_changes.iter().peekable();
    // Where the base's lines are in `mine`, behind what has been merged.
    let mut shift = Shift::default();
    for change in &their_changes {
        while let Some(own) = mine_left.next_if(|own| own.before.end < change.before.start) {
            shift.pass(own);
        }
        if let Some(own) = mine_left.peek().filter(|own| own.before.start <= change.before.end) {
            let same = own.before == change.before
                && my_keys.get(own.after.clone()) == their_keys.get(change.after.clone());
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
        merged += mine.slice(my_line..start);
        merged += theirs.slice(change.after.clone());
        my_line = end;
    }
    merged += mine.slice(my_line..mine.len());
    Some(merged)
}

/// How far lines have moved from one text to the other.
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

    fn apply(&self, line: usize) -> usize {
        (line + self.added).saturating_sub(self.removed)
    }
}

#[cfg(test)]
mod tests {
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
}
