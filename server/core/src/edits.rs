//! How hunks are put into a text and taken out of it, byte for byte.

use std::borrow::Cow;
use std::ops::Range;

use ropey::Rope;

use crate::document::Document;
use crate::effect::TextEdit;
use crate::id::HunkId;
use crate::lines::{Lines, split};
use crate::placement::{Holds, Place, Placement, Texts};
use crate::proposal::{FileChange, Hunk, Verdict};
use crate::text::{BOM, Position, PositionEncoding, TextRange};

/// Which lines of a hunk are to stand in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Those that it replaces: it is taken out of the text.
    Old,
    /// Those that it brings: it is put into the text.
    New,
}

/// A text whose lines can be looked at.
trait LineText {
    fn len(&self) -> usize;
    fn line(&self, line: usize) -> Cow<'_, str>;
}

impl LineText for Lines {
    fn len(&self) -> usize {
        self.len()
    }

    fn line(&self, line: usize) -> Cow<'_, str> {
        self.slice(line..line + 1).into()
    }
}

impl LineText for Rope {
    fn len(&self) -> usize {
        let lines = self.len_lines();
        // A rope has an empty line behind a final line ending.
        if self.line_to_char(lines - 1) == self.len_chars() { lines - 1 } else { lines }
    }

    fn line(&self, line: usize) -> Cow<'_, str> {
        self.get_line(line).map_or(Cow::Borrowed(""), Cow::from)
    }
}

/// What becomes of some lines.
struct LineEdit {
    lines: Range<usize>,
    /// The ending of the line before goes too: the text ended without one before a hunk was put at its end.
    takes_ending: bool,
    new_text: String,
}

/// Returns the edits that bring hunks of a file to the side that is wanted, in an open document; none overlaps or touches
/// another, and each changes something.
///
/// A replaced range is exactly the hunk's lines. Where the document lacks the line ending that the new lines lean on, or
/// the new lines one that the document goes on behind, the edit brings it, so that no two lines run together; and an edit
/// that takes the lines out again takes that ending with it.
pub fn text_edits(
    document: &Document,
    file: &FileChange,
    placement: &Placement,
    texts: &Texts,
    wanted: impl Fn(&HunkId) -> Option<Side>,
    encoding: PositionEncoding,
) -> Vec<TextEdit> {
    let text = &document.text;
    let char_of = |line: usize| text.try_line_to_char(line).unwrap_or(text.len_chars());
    let to_edit = |edit: LineEdit| {
        let mut start = char_of(edit.lines.start);
        if edit.takes_ending {
            start -= last_ending(&LineText::line(text, edit.lines.start.saturating_sub(1))).len();
        }
        let end = char_of(edit.lines.end);
        // A file that only moves keeps its text: there is nothing to tell the editor.
        if text.slice(start..end) == *edit.new_text {
            return None;
        }
        let range = TextRange::new(
            Position::from_char(text, start, encoding),
            Position::from_char(text, end, encoding),
        );
        Some(TextEdit { range, new_text: edit.new_text })
    };
    line_edits(text, file, placement, texts, wanted).into_iter().filter_map(to_edit).collect()
}

/// Returns `text` with hunks of a file brought to the side that is wanted, by the same rules as [`text_edits`].
pub fn edited_text(
    text: &Lines,
    file: &FileChange,
    placement: &Placement,
    texts: &Texts,
    wanted: impl Fn(&HunkId) -> Option<Side>,
) -> String {
    // A byte order mark is no part of the first line; what is put in front of that comes behind the mark.
    let has_mark = text.text().starts_with(BOM);
    let slice = |lines: Range<usize>| {
        let slice = text.slice(lines.clone());
        if lines.start == 0 { slice.strip_prefix(BOM).unwrap_or(slice) } else { slice }
    };
    let mut edited = String::with_capacity(text.text().len() + 256);
    edited.extend(has_mark.then_some(BOM));
    let mut line = 0;
    for edit in line_edits(text, file, placement, texts, wanted) {
        edited += slice(line..edit.lines.start);
        if edit.takes_ending {
            edited.truncate(edited.len() - last_ending(&edited).len());
        }
        edited += &edit.new_text;
        line = edit.lines.end;
    }
    edited += slice(line..text.len());
    edited
}

/// Returns `text` with all pending hunks of a file in it: what the agent sees.
pub fn overlay_text(text: &Lines, file: &FileChange, placement: &Placement, texts: &Texts) -> String {
    edited_text(text, file, placement, texts, |hunk| {
        placement.place(hunk).is_some_and(|place| place.holds.is_pending()).then_some(Side::New)
    })
}

/// Returns `text` without the hunks of a file that wait for an answer, and where those stand in it: pending ones, and
/// applied ones, whose old lines are put back; and where the one that is asked for `also` has its lines. This is the text that a next edit is proposed against.
pub fn base_text(
    text: &Lines,
    file: &FileChange,
    placement: &Placement,
    texts: &Texts,
    also: Option<&HunkId>,
) -> (String, Vec<(HunkId, Range<usize>)>) {
    let goes = |place: &Place| match place.holds {
        Holds::Over => true,
        Holds::New => {
            file.hunk(&place.hunk).is_some_and(|hunk| matches!(hunk.verdict, Verdict::Applied { .. }))
        }
        Holds::Old | Holds::Neither => false,
    };
    let is_open = |place: &Place| {
        let open = file.hunk(&place.hunk).is_some_and(|hunk| hunk.verdict.is_open());
        (open && (place.holds == Holds::Old || goes(place))) || also == Some(&place.hunk)
    };
    let (mut carried, mut added, mut removed) = (Vec::new(), 0, 0);
    for place in placement.chosen(is_open) {
        let start = (place.lines.start + added).saturating_sub(removed);
        let Some(hunk) = file.hunk(&place.hunk) else { continue };
        let len = if goes(place) { split(&hunk.old_text).count() } else { place.lines.len() };
        carried.push((place.hunk.clone(), start..start + len));
        added += len;
        removed += place.lines.len();
    }
    let taken_out = |id: &HunkId| placement.place(id).is_some_and(goes).then_some(Side::Old);
    (edited_text(text, file, placement, texts, taken_out), carried)
}

fn line_edits(
    text: &impl LineText,
    file: &FileChange,
    placement: &Placement,
    texts: &Texts,
    wanted: impl Fn(&HunkId) -> Option<Side>,
) -> Vec<LineEdit> {
    let steps: Vec<(&Place, &Hunk, Side)> = placement
        .chosen(|place| wanted(&place.hunk).is_some())
        .into_iter()
        .filter_map(|place| Some((place, file.hunk(&place.hunk)?, wanted(&place.hunk)?)))
        .collect();
    // What touches is one edit: editors do not agree on the order of two at one position.
    let mut edits = Vec::new();
    for group in steps.chunk_by(|(one, ..), (next, ..)| one.lines.end == next.lines.start) {
        let (Some((first, ..)), Some((last, hunk, side))) = (group.first(), group.last()) else { continue };
        let lines = first.lines.start..last.lines.end;
        let before = lines.start.checked_sub(1).map(|line| text.line(line));
        let mut new_text = String::new();
        for (index, (_, hunk, side)) in group.iter().enumerate() {
            let rest = group.get(index + 1..).unwrap_or_default();
            let more_follows = lines.end < text.len()
                || rest.iter().any(|(_, hunk, side)| !lines_of(hunk, *side).is_empty());
            let before = if new_text.is_empty() { before.as_deref() } else { Some(new_text.as_str()) };
            let fitted = fit(lines_of(hunk, *side), before.map(last_ending), more_follows);
            new_text += &fitted;
        }
        let takes_ending = *side == Side::Old
            && new_text.is_empty()
            && lines.end == text.len()
            && before.is_some()
            && texts.get(&hunk.base).is_some_and(|base| ends_open(base, hunk));
        edits.push(LineEdit { lines, takes_ending, new_text });
    }
    edits
}

fn lines_of(hunk: &Hunk, side: Side) -> &str {
    match side {
        Side::Old => &hunk.old_text,
        Side::New => &hunk.new_text,
    }
}

/// Tells whether a hunk stands at the end of a base that ends without a line ending.
fn ends_open(base: &Lines, hunk: &Hunk) -> bool {
    hunk.old.end == base.len() && !base.is_empty() && last_ending(base.text()).is_empty()
}

/// Returns the ending of a text's last line.
fn last_ending(text: &str) -> &str {
    let known = ["\r\n", "\n", "\r"].into_iter().find(|ending| text.ends_with(ending));
    text.get(text.len() - known.map_or(0, str::len)..).unwrap_or_default()
}

/// Returns new lines with the line endings that keep them apart from what stands around them.
fn fit(new_text: &str, ending_before: Option<&str>, more_follows: bool) -> String {
    let fallback = || {
        let own = split(new_text).next().map_or("", last_ending);
        if own.is_empty() { "\n" } else { own }
    };
    let mut fitted = String::with_capacity(new_text.len() + 4);
    if new_text.is_empty() {
        return fitted;
    }
    if ending_before == Some("") {
        fitted += fallback();
    }
    fitted += new_text;
    if more_follows && last_ending(new_text).is_empty() {
        fitted += ending_before.filter(|ending| !ending.is_empty()).unwrap_or_else(fallback);
    }
    fitted
}

#[cfg(test)]
mod tests;
