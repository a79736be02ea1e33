//! `read`: shows a file with line numbers, as much of it as is asked for and as one answer holds.

use kkcode_core::lines::Lines;
use serde::Deserialize;
use serde_json::{Value, json};

use super::notebook::Notebook;
use super::outcome::{append, numbered};
use super::{Context, Kind, Outcome, Tool};
use crate::picture;

/// How many lines are shown when nothing else is asked for.
const LINES: usize = 2_000;

/// How much of a line is shown, in bytes.
const LINE: usize = 2_000;

/// How much is shown in all, in bytes.
const MOST: usize = 50 * 1024;

pub(super) const TOOL: Tool = Tool {
    name: "read",
    description: "Show a text file with line numbers: `offset` is the first line (from 1), `limit` the number of lines (2000 \
                  if left out). You see unsaved text of the editor, and your own edits as if they were taken. The end of \
                  the answer says what was left out. A picture (PNG, JPEG, GIF, WebP) is shown as one.",
    schema,
    kind: Kind::Looks,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    path: String,
    offset: Option<usize>,
    limit: Option<usize>,
    encoding: Option<String>,
    pages: Option<String>,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "relative to the workspace folder, or absolute"},
            "offset": {"type": "integer", "minimum": 1, "description": "the first line to show, from 1"},
            "limit": {"type": "integer", "minimum": 1, "description": "how many lines to show; 2000 if left out"},
            "encoding": {"type": "string", "description": "only `utf-8` can be read"},
            "pages": {"type": "string", "description": "pages of a PDF, which cannot be read yet: leave it out"}
        },
        "required": ["path"],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let input: Input = super::input("read", input)?;
    if let Some(encoding) = input.encoding.filter(|encoding| !is_utf8(encoding)) {
        return Err(format!("files are read as UTF-8, not as `{encoding}`; leave `encoding` out"));
    }
    if input.pages.is_some() {
        return Err("`pages` is for PDF files, which cannot be read; leave it out".to_owned());
    }
    let path = ctx.path(&input.path)?;
    if picture::is_named_so(&path) {
        let (picture, name) = (ctx.picture(&path)?, ctx.name(&path));
        return Ok(Outcome::Picture { text: format!("({name}, {})", picture.kind()), picture });
    }
    let (_, text) = ctx.see(&path)?;
    let name = ctx.name(&path);
    let is_notebook = path.extension().is_some_and(|extension| extension == "ipynb");
    let cells = is_notebook.then(|| notebook_text(&text)).flatten();
    // The lines of a notebook are its cells', whose numbers are of no use for its own text.
    let (text, own) = match cells {
        Some(cells) => (Lines::new(cells), Some(text)),
        None => (text, None),
    };
    let first = input.offset.unwrap_or(1).saturating_sub(1);
    if first > 0 && first >= text.len() {
        return Err(format!("{name} has {} lines; there is no line {}", text.len(), first + 1));
    }
    let shown = show(&name, &text, first, input.limit.unwrap_or(LINES));
    match own {
        Some(own) => ctx.reads.read(&path, own, 0..0),
        None => ctx.reads.read(&path, text, first..first + shown.whole_lines),
    }
    Ok(Outcome::Answer(shown.text))
}

struct Shown {
    text: String,
    /// How many lines at the beginning were shown to their end.
    whole_lines: usize,
}

fn show(name: &str, lines: &Lines, first: usize, limit: usize) -> Shown {
    let mut text = String::new();
    let (mut count, mut whole_lines, mut is_whole) = (0, 0, true);
    for (index, line) in lines.iter().enumerate().skip(first).take(limit) {
        if text.len() + line.len().min(LINE) > MOST {
            break;
        }
        is_whole &= numbered(&mut text, index, line, LINE);
        text.push('\n');
        count += 1;
        whole_lines += usize::from(is_whole);
    }
    let (from, to, of) = (first + 1, first + count, lines.len());
    if lines.is_empty() {
        append(&mut text, format_args!("({name} is empty)"));
    } else if from == 1 && to == of {
        append(&mut text, format_args!("(all {of} lines of {name}{})", peculiarities(lines)));
    } else if to == of {
        append(
            &mut text,
            format_args!("(lines {from} to {to}, the last, of {name}{})", peculiarities(lines)),
        );
    } else {
        let rest = format_args!("(lines {from} to {to} of {of} of {name}; go on with offset {})", to + 1);
        append(&mut text, rest);
    }
    Shown { text, whole_lines }
}

/// Says what the numbered lines do not show.
fn peculiarities(lines: &Lines) -> String {
    let text = lines.text();
    let mut said = String::new();
    if text.contains("\r\n") {
        said.push_str("; its lines end with \\r\\n");
    }
    if !text.ends_with(['\n', '\r']) {
        said.push_str("; no line ending at its end");
    }
    said
}

/// Returns the cells of a notebook, without their outputs; none when it is not one.
fn notebook_text(text: &Lines) -> Option<String> {
    let notebook = Notebook::parse(text.text()).ok()?;
    let mut cells = String::new();
    for (index, cell) in notebook.cells.iter().enumerate() {
        append(
            &mut cells,
            format_args!("[cell {index}: {}]\n{}\n", cell.kind, cell.text().trim_end_matches('\n')),
        );
    }
    Some(cells)
}

fn is_utf8(encoding: &str) -> bool {
    ["utf-8", "utf8"].iter().any(|name| encoding.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests;
