//! What the model is told of a change that it made: the new lines with their numbers, and what it must know about them.

use std::fmt::Write as _;
use std::ops::Range;

use kkcode_core::diff::line_changes;
use kkcode_core::lines::{Compare, Lines};

/// How many lines are shown in all, and how many of each change.
const SHOWN: (usize, usize) = (40, 12);

/// How much of a line is shown, in bytes.
const LINE: usize = 400;

/// Lines of a text as the model is shown them.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// For the model.
    pub(super) text: String,
    /// Which lines of the new text were shown, whole.
    pub(super) lines: Vec<Range<usize>>,
}

/// Shows what is different in the new text, with one line around each change, and by how much the lines behind have moved.
pub(super) fn tell(name: &str, before: &Lines, after: &Lines) -> Told {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.iter().collect(), after.iter().collect());
    let changes = line_changes(&old, &new);
    let mut told = Told { text: format!("{name} is then:"), lines: Vec::new() };
    let mut left = SHOWN.0;
    for change in &changes {
        let behind = told.lines.last().map_or(0, |lines| lines.end);
        let from = change.after.start.saturating_sub(1).max(behind);
        let to = (change.after.end + 1).min(after.len()).min(from + SHOWN.1.min(left));
        left -= to.saturating_sub(from);
        if from >= to {
            continue;
        }
        for (index, line) in after.iter().enumerate().take(to).skip(from) {
            told.text.push('\n');
            numbered(&mut told.text, index, line, LINE);
        }
        told.lines.push(from..to);
        if to < change.after.end {
            let rest = change.after.end - to;
            append(&mut told.text, format_args!("\n       ({rest} more new lines)"));
        }
    }
    told.lines.retain(|lines| lines.clone().all(|line| after.slice(line..line + 1).len() <= LINE));
    if after.is_empty() {
        told.text = format!("{name} is then empty");
    }
    if let Some(last) = changes.last()
        && before.len() != after.len()
        && last.after.end < after.len()
    {
        let (from, was) = (last.after.end + 1, last.before.end + 1);
        append(&mut told.text, format_args!("\nwhat was line {was} is line {from} now, and so on"));
    }
    told
}

/// Says which part of a list was told, and how to go on.
pub(super) fn part(of: &str, offset: usize, shown: usize, all: usize) -> String {
    let (from, to) = (offset + 1, offset + shown);
    if shown == 0 {
        format!("(there are {all} {of}; nothing is left behind offset {offset})")
    } else if to < all {
        format!("\n({from} to {to} of {all} {of}; go on with offset {to})")
    } else {
        format!("\n({from} to {to} of {all} {of})")
    }
}

/// Writes a line with its number, at most so many bytes of it; says whether that is all.
pub(super) fn numbered(text: &mut String, index: usize, line: &str, most: usize) -> bool {
    let content = Compare::Content.key(line);
    let shown = content.get(..content.floor_char_boundary(most)).unwrap_or(content);
    append(text, format_args!("{:6}\u{2192}{shown}", index + 1));
    if shown.len() < content.len() {
        append(text, format_args!("… ({} bytes in all)", content.len()));
    }
    shown.len() == content.len()
}

/// Writes behind a text.
pub(super) fn append(text: &mut String, more: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _infallible = text.write_fmt(more);
}
