//! Whole lines that are nearly in a file: other blanks, another indentation or plain characters for typographic ones.

use std::ops::Range;

use kkcode_core::lines::{Compare, Lines, ending};

use super::{Level, Replaced, ambiguous, nearest, partners, usual_ending};

/// A quotation of more lines is looked for to the letter only.
const MOST_LINES: usize = 2_000;

/// How all lines of the file are indented, compared with the model's.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Indent {
    /// By these blanks more.
    More(String),
    /// By these blanks less.
    Less(String),
}

/// A place for the quotation.
struct Place {
    lines: Range<usize>,
    indent: Option<Indent>,
}

/// Returns the text with whole lines replaced, at the first level that has one place for them.
pub(super) fn replace(name: &str, text: &Lines, before: &str, after: &str) -> Result<Replaced, String> {
    let not_there = || {
        format!(
            "`before` does not stand in {name}; it must match to the letter, blanks included{}",
            nearest::hint(text, before)
        )
    };
    let (old, new) = whole_lines(before, after).ok_or_else(not_there)?;
    if old.len() > MOST_LINES || old.iter().all(|line| line.trim().is_empty()) {
        return Err(not_there());
    }
    let file: Vec<&str> = text.iter().map(|line| Compare::Content.key(line)).collect();
    for level in [Level::TrailingBlanks, Level::Indentation, Level::Typography] {
        let places = places(&file, &old, level);
        match places.as_slice() {
            [] => {}
            [place] => {
                let replaced = replaced(text, place, level, &old, &new);
                return replaced.ok_or_else(|| {
                    format!(
                        "`before` stands in {name} at line {} with another indentation, and `after` cannot be indented \
                         likewise; write both as they are in the file{}",
                        place.lines.start + 1,
                        nearest::hint(text, before)
                    )
                });
            }
            several => {
                let lines: Vec<usize> = several.iter().map(|place| place.lines.start + 1).collect();
                return Err(ambiguous(name, &lines));
            }
        }
    }
    Err(not_there())
}

/// Splits both into whole lines; none where one ends with a line ending and the other does not, so that lines would be
/// joined or cut.
fn whole_lines<'a>(before: &'a str, after: &'a str) -> Option<(Vec<&'a str>, Vec<&'a str>)> {
    let Some(old) = before.strip_suffix('\n') else {
        return (!after.ends_with('\n')).then(|| (before.split('\n').collect(), after.split('\n').collect()));
    };
    let old = old.split('\n').collect();
    if after.is_empty() {
        return Some((old, Vec::new()));
    }
    Some((old, after.strip_suffix('\n')?.split('\n').collect()))
}

fn places(file: &[&str], old: &[&str], level: Level) -> Vec<Place> {
    let windows = file.windows(old.len()).enumerate();
    windows
        .filter_map(|(start, window)| {
            let indent = match level {
                Level::Exact => return None,
                Level::TrailingBlanks => all(window, old, |a, b| a == b).then_some(None)?,
                Level::Typography => all(window, old, same_folded).then_some(None)?,
                Level::Indentation => Some(indent(window, old)?),
            };
            Some(Place { lines: start..start + old.len(), indent })
        })
        .collect()
}

fn all(window: &[&str], old: &[&str], same: impl Fn(&str, &str) -> bool) -> bool {
    window.iter().zip(old).all(|(file, old)| same(trimmed(file), trimmed(old)))
}

/// Returns how the window is indented differently in every line; none where it is not, or where tabs and blanks are mixed.
fn indent(window: &[&str], old: &[&str]) -> Option<Indent> {
    let mut found: Option<Indent> = None;
    let mut of = None;
    for (file, old) in window.iter().zip(old) {
        let (file, old) = (trimmed(file), trimmed(old));
        if file.is_empty() && old.is_empty() {
            continue;
        }
        let this = match (file.strip_suffix(old), old.strip_suffix(file)) {
            (Some(more), _) if !old.is_empty() && is_indent(more) => Indent::More(more.to_owned()),
            (_, Some(less)) if !file.is_empty() && is_indent(less) => Indent::Less(less.to_owned()),
            _ => return None,
        };
        if found.get_or_insert_with(|| this.clone()) != &this
            || !(one_blank(&mut of, file) && one_blank(&mut of, old))
        {
            return None;
        }
    }
    found
}

/// Tells whether a line's indentation is made of one character only, the same as in all lines before.
fn one_blank(of: &mut Option<char>, line: &str) -> bool {
    let indentation = line.chars().take_while(|c| matches!(c, ' ' | '\t'));
    indentation.into_iter().all(|c| *of.get_or_insert(c) == c)
}

fn is_indent(text: &str) -> bool {
    !text.is_empty() && (text.chars().all(|c| c == ' ') || text.chars().all(|c| c == '\t'))
}

/// Makes the replacement: lines that the model does not change are the file's own, byte for byte.
fn replaced(text: &Lines, place: &Place, level: Level, old: &[&str], new: &[&str]) -> Option<Replaced> {
    let line = |line: usize| text.slice(line..line + 1);
    let usual = usual_ending(text, place.lines.start);
    let mut middle = String::new();
    for (new, partner) in new.iter().zip(partners(old, new)) {
        let partner = partner.and_then(|index| Some((line(place.lines.start + index), *old.get(index)?)));
        match partner {
            Some((file, old)) if old == *new => middle.push_str(Compare::Content.key(file)),
            Some((file, old)) if level == Level::Typography => {
                middle.push_str(&like_the_file(Compare::Content.key(file), old, new));
            }
            _ => middle.push_str(&indented(new, place.indent.as_ref())?),
        }
        let own = partner.map(|(file, _)| ending(file)).filter(|ending| !ending.is_empty());
        middle.push_str(own.unwrap_or(usual));
    }
    if ending(line(place.lines.end - 1)).is_empty() {
        middle.truncate(middle.len() - ending(&middle).len());
    }
    let text = [text.slice(0..place.lines.start), &middle, text.slice(place.lines.end..text.len())].concat();
    Some(Replaced { text, level, lines: place.lines.clone(), count: 1 })
}

/// Indents a line of the model as the file's are; none where it has not the blanks for that.
fn indented(line: &str, indent: Option<&Indent>) -> Option<String> {
    match indent {
        None => Some(line.to_owned()),
        Some(_) if line.trim().is_empty() => Some(String::new()),
        Some(Indent::Less(less)) => line.strip_prefix(less.as_str()).map(str::to_owned),
        Some(Indent::More(more)) => {
            let mut blank = more.chars().next();
            one_blank(&mut blank, line).then(|| format!("{more}{line}"))
        }
    }
}

/// Returns the model's new line, with the file's own characters where it begins and ends as the model's old one.
fn like_the_file(file: &str, old: &str, new: &str) -> String {
    let (file, old): (Vec<char>, Vec<char>) = (file.chars().collect(), old.chars().collect());
    let new: Vec<char> = new.chars().collect();
    let most = old.len().min(new.len()).min(file.len());
    let head = old.iter().zip(&new).take(most).take_while(|(old, new)| old == new).count();
    let tail = old.iter().rev().zip(new.iter().rev());
    let tail = tail.take(most - head).take_while(|(old, new)| old == new).count();
    // Blanks at the end may be more or fewer in the file; then its end does not stand beside the old line's.
    let tail = if file.len() == old.len() { tail } else { 0 };
    let middle = new.iter().take(new.len() - tail).skip(head);
    file.iter().take(head).chain(middle).chain(file.iter().skip(file.len() - tail)).collect()
}

fn trimmed(line: &str) -> &str {
    line.trim_end_matches([' ', '\t'])
}

fn same_folded(file: &str, old: &str) -> bool {
    file.chars().map(folded).eq(old.chars().map(folded))
}

/// Returns the plain character for a typographic one.
fn folded(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2018}'..='\u{201b}' => '\'',
        '\u{201c}'..='\u{201f}' => '"',
        '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        c => c,
    }
}
