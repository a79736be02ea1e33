//! Where a piece of text that the model quotes stands in a file, and the file with another piece in its place.
//!
//! First to the letter, line endings aside. If it stands nowhere: with other blanks at the ends of lines, then indented
//! otherwise by the same blanks in every line, then with typographic characters for plain ones. Each must fit in one place
//! only, and never is the most similar place taken. Lines that the model does not mean to change keep the file's bytes.

use std::ops::Range;

use kkcode_core::diff::line_changes;
use kkcode_core::lines::{Lines, ending};

mod fuzzy;
mod nearest;

/// How much a quotation had to be bent to stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Not at all.
    Exact,
    /// Blanks at the ends of lines differ.
    TrailingBlanks,
    /// All lines are indented by more, or by less.
    Indentation,
    /// Quotes, dashes or blanks are other characters.
    Typography,
}

/// A file with a replacement made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Replaced {
    /// The text.
    pub(super) text: String,
    /// How the place was found.
    pub(super) level: Level,
    /// The lines of the text before that the quotation stood in; of the first, when there were several.
    pub(super) lines: Range<usize>,
    /// How many places were replaced.
    pub(super) count: usize,
}

/// How many places are to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The only one.
    One,
    /// Each where it stands to the letter.
    All,
}

/// A text whose line endings are all `\n`, with the way back.
struct Plain<'a> {
    lines: &'a Lines,
    text: String,
    /// Where each line starts in `text`, and in the file.
    starts: Vec<(usize, usize)>,
}

impl Level {
    /// Says what was bent; nothing for what stood there to the letter.
    pub(super) fn remark(self) -> Option<&'static str> {
        match self {
            Self::Exact => None,
            Self::TrailingBlanks => Some("`before` was found with other blanks at the ends of lines"),
            Self::Indentation => Some("`before` was found with another indentation, which the file keeps"),
            Self::Typography => {
                Some("`before` was found with typographic quotes, dashes or blanks, which the file keeps")
            }
        }
    }
}

/// Returns `text` with `after` in the place of `before`, or why that cannot be; `name` is the file's.
pub(super) fn replace(
    name: &str,
    text: &Lines,
    before: &str,
    after: &str,
    wanted: Wanted,
) -> Result<Replaced, String> {
    if before.is_empty() {
        return Err(format!("`before` is empty; name the text of {name} that is to be replaced"));
    }
    let (before, after) = (plain(before), plain(after));
    if before == after {
        return Err("`before` and `after` are the same; there is nothing to change".to_owned());
    }
    let file = Plain::of(text);
    let found = file.find(&before);
    match (found.as_slice(), wanted) {
        ([], Wanted::All) => Err(format!(
            "`before` does not stand in {name}; with `replace_all` it must match to the letter, blanks included{}",
            nearest::hint(text, &before)
        )),
        ([], Wanted::One) => fuzzy::replace(name, text, &before, &after),
        ([at], _) => Ok(file.replaced(&[*at], &before, &after)),
        (all, Wanted::All) => Ok(file.replaced(&apart(all, before.len()), &before, &after)),
        (several, Wanted::One) => {
            let lines: Vec<usize> = several.iter().map(|at| file.line_of(*at) + 1).collect();
            Err(ambiguous(name, &lines))
        }
    }
}

fn ambiguous(name: &str, lines: &[usize]) -> String {
    let shown: Vec<String> = lines.iter().take(10).map(usize::to_string).collect();
    let more = if lines.len() > shown.len() { ", …" } else { "" };
    format!(
        "`before` stands in {name} {} times, at lines {}{more}; take in more of the text around the one you mean, or set \
         `replace_all`",
        lines.len(),
        shown.join(", ")
    )
}

impl<'a> Plain<'a> {
    fn of(lines: &'a Lines) -> Self {
        let mut text = String::with_capacity(lines.text().len());
        let mut starts = Vec::with_capacity(lines.len() + 1);
        let mut at = 0;
        for line in lines.iter() {
            starts.push((text.len(), at));
            at += line.len();
            let end = ending(line);
            text.push_str(line.strip_suffix(end).unwrap_or(line));
            if !end.is_empty() {
                text.push('\n');
            }
        }
        starts.push((text.len(), at));
        Self { lines, text, starts }
    }

    /// Returns where a text stands, places that overlap included.
    fn find(&self, wanted: &str) -> Vec<usize> {
        let step = wanted.chars().next().map_or(1, char::len_utf8);
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(at) = self.text.get(from..).and_then(|rest| rest.find(wanted)) {
            found.push(from + at);
            from += at + step;
        }
        found
    }

    /// Returns the line that an offset is in.
    fn line_of(&self, at: usize) -> usize {
        self.starts.partition_point(|(start, _)| *start <= at).saturating_sub(1)
    }

    /// Returns an offset in the file.
    fn offset(&self, at: usize) -> usize {
        self.starts.get(self.line_of(at)).map_or(0, |(plain, file)| file + (at - plain))
    }

    fn replaced(&self, places: &[usize], before: &str, after: &str) -> Replaced {
        let file = self.lines.text();
        let mut text = String::with_capacity(file.len());
        let mut kept = 0;
        for at in places {
            let (start, end) = (self.offset(*at), self.offset(at + before.len()));
            text.push_str(file.get(kept..start).unwrap_or_default());
            text.push_str(&self.with_endings(*at, before, after));
            kept = end;
        }
        text.push_str(file.get(kept..).unwrap_or_default());
        let first = places.first().copied().unwrap_or_default();
        let last_line = self.line_of(first + before.len() - 1);
        Replaced { text, level: Level::Exact, lines: self.line_of(first)..last_line + 1, count: places.len() }
    }

    /// Returns `after` with the file's line endings: a line that stays keeps its own, a new one gets that of the line whose
    /// place it takes, else that of the lines around.
    fn with_endings(&self, at: usize, before: &str, after: &str) -> String {
        if !self.lines.text().contains('\r') {
            return after.to_owned();
        }
        let first = self.line_of(at);
        let own = |line: usize| ending(self.lines.slice(line..line + 1));
        let usual = usual_ending(self.lines, first);
        let (old, new): (Vec<&str>, Vec<&str>) =
            (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
        let partner = partners(&old, &new);
        let mut text = String::with_capacity(after.len() + new.len());
        for (line, partner) in new.iter().zip(partner) {
            let Some(content) = line.strip_suffix('\n') else {
                text.push_str(line);
                continue;
            };
            text.push_str(content);
            let kept = partner.map(|partner| own(first + partner)).filter(|ending| !ending.is_empty());
            text.push_str(kept.unwrap_or(usual));
        }
        text
    }
}

/// Returns the line ending that a new line gets near a line: that line's own, else one before it, else any, else `\n`.
pub(super) fn usual_ending(lines: &Lines, near: usize) -> &str {
    let own = |line: usize| Some(ending(lines.slice(line..line + 1))).filter(|ending| !ending.is_empty());
    let before = near.checked_sub(1);
    own(near).or_else(|| own(before?)).or_else(|| own(0)).unwrap_or("\n")
}

/// Returns a text of the model with the file's line ending in the place of its own.
pub(super) fn with_ending(text: &str, usual: &str) -> String {
    let text = plain(text);
    if usual == "\n" { text } else { text.replace('\n', usual) }
}

/// Returns for each new line the old one that it is, or whose place it takes.
fn partners(old: &[&str], new: &[&str]) -> Vec<Option<usize>> {
    let mut partners = Vec::with_capacity(new.len());
    let mut next = 0;
    for change in line_changes(old, new) {
        partners.extend((next..change.before.start).map(Some));
        let mut replaced = change.before.clone();
        partners.extend(change.after.map(|_| replaced.next()));
        next = change.before.end;
    }
    partners.extend((next..old.len()).map(Some));
    partners
}

/// Returns a text with `\n` for every line ending, and without byte order mark.
fn plain(text: &str) -> String {
    let text = text.strip_prefix(kkcode_core::text::BOM).unwrap_or(text);
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() }
}

/// Leaves out places that overlap the one before.
fn apart(places: &[usize], length: usize) -> Vec<usize> {
    let mut end = 0;
    let mut apart = Vec::with_capacity(places.len());
    for at in places {
        if *at >= end {
            apart.push(*at);
            end = at + length;
        }
    }
    apart
}

#[cfg(test)]
mod tests;
