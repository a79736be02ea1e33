//! What the user was looking at, as text for the model: exact lines with their numbers.

use std::path::{Path, PathBuf};

use kkcode_core::state::{Snapshot, name_for_agent};
use kkcode_core::text::BOM;
use kkcode_core::turn::{Excerpt, ExcerptRole};
use kkcode_provider::request::Content;

use crate::file;
use crate::picture::{self, Picture};

/// A document without a range is told whole up to so many lines.
const WHOLE_LINES: usize = 400;

/// The most that is told of one excerpt, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// How many lines are told around a diagnostic, and around a cursor in a long document.
const AROUND: (usize, usize) = (3, 40);

/// What a model is told of excerpts.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    /// In words; none where there is nothing to tell.
    pub(super) text: Option<String>,
    /// The pictures among them, in the order in which the text names them.
    pub(super) pictures: Vec<Content>,
    /// What the user is told of pictures that are not sent.
    pub(super) problems: Vec<String>,
}

/// Returns the excerpts as a model is told them that takes pictures, or none. Reads files that no editor has open.
pub(super) fn render(excerpts: &[Excerpt], snapshot: &Snapshot, sees: bool) -> Rendered {
    let mut rendered = Rendered::default();
    let mut parts = Vec::new();
    for excerpt in excerpts {
        let path =
            excerpt.path.as_deref().filter(|path| excerpt.text.is_none() && picture::is_named_so(path));
        let Some(path) = path else {
            parts.push(one(excerpt, snapshot));
            continue;
        };
        let name = name(excerpt, &snapshot.folders);
        match picture_at(path, sees) {
            Ok(picture) => {
                parts.push(format!("The user adds the picture {name}, which is below."));
                rendered.pictures.push(picture.content());
            }
            Err(reason) => {
                parts.push(format!("The user adds the picture {name}, which you do not see: {reason}."));
                rendered.problems.push(format!("the picture {name} is not sent: {reason}"));
            }
        }
    }
    rendered.text = (!parts.is_empty()).then(|| parts.join("\n\n"));
    rendered
}

/// Reads a picture that the user has named: wherever it is, for screenshots are seldom in a workspace.
fn picture_at(path: &Path, sees: bool) -> Result<Picture, String> {
    if !sees {
        return Err(
            "the model takes no pictures (`provider.NAME.images` is false); choose another".to_owned()
        );
    }
    // Opening what is no file, such as a pipe, may wait for ever.
    if !std::fs::metadata(path).map_err(|error| error.to_string())?.is_file() {
        return Err("it is no file".to_owned());
    }
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    Picture::read(file)
}

fn one(excerpt: &Excerpt, snapshot: &Snapshot) -> String {
    let name = name(excerpt, &snapshot.folders);
    let lines = match text(excerpt, &snapshot.folders) {
        Ok(text) => text,
        Err(reason) => return format!("{} (its text is not here: {reason})", intro(excerpt, &name, None)),
    };
    let lines: Vec<&str> = lines.lines().collect();
    let (from, to) = wanted(excerpt, lines.len());
    let told = numbered(&lines, from, to);
    format!("{}\n{told}", intro(excerpt, &name, Some((from, to, lines.len()))))
}

/// Says what an excerpt is; the lines are those that follow.
fn intro(excerpt: &Excerpt, name: &str, lines: Option<(usize, usize, usize)>) -> String {
    let place = match lines {
        Some((from, to, count)) if from == 0 && to >= count => format!("{name}, all of it:"),
        Some((from, to, _)) if to == from + 1 => format!("{name}, line {to}:"),
        Some((from, to, _)) => format!("{name}, lines {} to {to}:", from + 1),
        None => name.to_owned(),
    };
    let at = excerpt.range.map(|range| (range.start.line + 1, range.start == range.end));
    match (&excerpt.role, at) {
        (ExcerptRole::Document, None) => format!("The user is in {place}"),
        (ExcerptRole::Document, Some((line, true))) => {
            format!("The user's cursor is in line {line} of {place}")
        }
        (ExcerptRole::Document, Some((_, false))) => format!("The user has selected this in {place}"),
        (ExcerptRole::Context, _) => format!("The user adds {place}"),
        (ExcerptRole::Diagnostic(what), Some((line, _))) => {
            format!("At line {line} there is this {what}\n{place}")
        }
        (ExcerptRole::Diagnostic(what), None) => format!("There is this {what}\n{place}"),
    }
}

fn name(excerpt: &Excerpt, folders: &[PathBuf]) -> String {
    match &excerpt.path {
        None => excerpt.uri.clone(),
        Some(path) => name_for_agent(path, folders),
    }
}

/// Returns the editor's text, else the disk's of a file in the workspace.
fn text(excerpt: &Excerpt, folders: &[PathBuf]) -> Result<String, String> {
    let text = match (&excerpt.text, &excerpt.path) {
        (Some(text), _) => text.to_string(),
        (None, Some(path)) => file::in_workspace(&path.to_string_lossy(), folders)
            .and_then(|path| file::read(&path, folders))
            .map_err(|error| error.to_string())?,
        (None, None) => return Err("it is not open and no file".to_owned()),
    };
    Ok(text.strip_prefix(BOM).map(str::to_owned).unwrap_or(text))
}

/// Returns which lines are told, from 0, the end left out.
fn wanted(excerpt: &Excerpt, count: usize) -> (usize, usize) {
    let Some(range) = excerpt.range else {
        let whole = excerpt.role != ExcerptRole::Document || count <= WHOLE_LINES;
        return (0, if whole { count } else { AROUND.1.min(count) });
    };
    let (first, last) = (range.start.line as usize, range.end.line as usize);
    // A selection of whole lines ends before the first character of the next one.
    let end = if range.end.character == 0 && last > first { last } else { last + 1 };
    let around = match &excerpt.role {
        ExcerptRole::Diagnostic(_) => AROUND.0,
        ExcerptRole::Document if range.start == range.end && count <= WHOLE_LINES => count,
        ExcerptRole::Document if range.start == range.end => AROUND.1,
        ExcerptRole::Document | ExcerptRole::Context => 0,
    };
    let to = end.saturating_add(around).min(count);
    (first.saturating_sub(around).min(to), to)
}

fn numbered(lines: &[&str], from: usize, to: usize) -> String {
    let width = to.to_string().len();
    let mut told = String::new();
    for (number, line) in lines.iter().enumerate().take(to).skip(from) {
        let line = format!("{:>width$}\t{line}\n", number + 1);
        if told.len() + line.len() > MOST_BYTES {
            let rest = format!("[cut: lines {} to {to} are not here]\n", number + 1);
            return told + &rest;
        }
        told.push_str(&line);
    }
    told
}

#[cfg(test)]
mod tests {
    use kkcode_core::state::State;
    use kkcode_core::text::{Position, TextRange};
    use ropey::Rope;

    use super::*;

    fn excerpt(role: ExcerptRole, range: Option<[u32; 4]>, text: &str) -> Excerpt {
        let position = Position::new;
        let range = range.map(|[a, b, c, d]| TextRange::new(position(a, b), position(c, d)));
        let path = Some(PathBuf::from("/w/a/x.rs"));
        Excerpt { role, uri: "file:///w/a/x.rs".into(), path, range, text: Some(Rope::from_str(text)) }
    }

    fn rendered(excerpt: Excerpt) -> String {
        let snapshot = Snapshot { folders: vec!["/w".into()], ..State::default().snapshot() };
        render(&[excerpt], &snapshot, true).text.unwrap()
    }

    const TEXT: &str = "\u{feff}one\r\ntwo\nthree\nfour\n";

    #[test]
    fn a_selection_is_told_with_its_exact_lines() {
        assert_eq!(
            rendered(excerpt(ExcerptRole::Document, Some([1, 1, 3, 0]), TEXT)),
            "The user has selected this in a/x.rs, lines 2 to 3:\n2\ttwo\n3\tthree\n"
        );
        assert_eq!(
            rendered(excerpt(ExcerptRole::Context, Some([0, 0, 0, 3]), TEXT)),
            "The user adds a/x.rs, line 1:\n1\tone\n"
        );
        assert_eq!(
            rendered(excerpt(ExcerptRole::Document, None, TEXT)),
            "The user is in a/x.rs, all of it:\n1\tone\n2\ttwo\n3\tthree\n4\tfour\n"
        );
    }

    #[test]
    fn a_diagnostic_is_told_with_the_lines_around_it() {
        let text = "a\nb\nc\nd\ne\nf\ng\nh\ni\n";
        let role = ExcerptRole::Diagnostic("error [E1] of rustc: no such name".into());
        assert_eq!(
            rendered(excerpt(role, Some([4, 0, 4, 1]), text)),
            "At line 5 there is this error [E1] of rustc: no such name\na/x.rs, lines 2 to 8:\n2\tb\n3\tc\n4\td\n5\te\n6\tf\n7\tg\n8\th\n"
        );
    }

    #[test]
    fn places_behind_the_end_and_long_texts_are_bounded() {
        let beyond = rendered(excerpt(ExcerptRole::Context, Some([90, 0, 95, 0]), TEXT));
        assert!(beyond.starts_with("The user adds a/x.rs"), "{beyond}");
        let long = "x".repeat(200) + "\n";
        let told = rendered(excerpt(ExcerptRole::Context, None, &long.repeat(1000)));
        assert!(told.len() < MOST_BYTES + 200 && told.contains("[cut: lines "), "{}", told.len());
        let cursor = rendered(excerpt(ExcerptRole::Document, Some([500, 0, 500, 0]), &"l\n".repeat(1000)));
        assert!(
            cursor.starts_with("The user's cursor is in line 501 of a/x.rs, lines 461 to 541:"),
            "{cursor}"
        );
    }

    #[test]
    fn a_file_that_is_not_open_is_read_in_the_workspace_only() {
        let closed = Excerpt { text: None, ..excerpt(ExcerptRole::Context, None, "") };
        let told = rendered(closed);
        assert!(told.contains("its text is not here"), "{told}");
    }
}
