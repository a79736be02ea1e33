//! `write`: makes a file, or all of its text, or adds lines to it.

use kkcode_core::lines::{Lines, ending};
use kkcode_core::text::BOM;
use serde::Deserialize;
use serde_json::{Value, json};

use super::anchor::{Level, usual_ending, with_ending};
use super::{Context, Kind, Outcome, Tool, outcome};

pub(super) const TOOL: Tool = Tool {
    name: "write",
    description: "Make the file `path` with the text `content`, folders included. Of a file that is there already, read all \
                  of it first; `mode` `overwrite` (the default) gives it a new text, `append` adds lines at its end, \
                  `insert` before `insert_at_line`. To change a part of a file, use `edit`. The change is proposed to the \
                  user.",
    schema,
    kind: Kind::Edits,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    path: String,
    content: String,
    #[serde(default)]
    mode: Mode,
    insert_at_line: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Overwrite,
    Append,
    Insert,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "relative to the workspace folder, or absolute"},
            "content": {"type": "string", "description": "the text"},
            "mode": {"type": "string", "enum": ["overwrite", "append", "insert"]},
            "insert_at_line": {"type": "integer", "minimum": 1, "description": "the line, from 1, that `insert` adds before"}
        },
        "required": ["path", "content"],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let input: Input = super::input("write", input)?;
    let path = ctx.path(&input.path)?;
    let mut seen = ctx.look(&path)?;
    let name = ctx.name(&path);
    let at = insertion(&input)?;
    let Some(old) = seen.text.take().map(Lines::new) else {
        let new = Lines::new(input.content.as_str());
        let note = format!("{name} is a new file with {} lines", new.len());
        let edits = vec![ctx.propose(seen, &input.content, Level::Exact)?];
        ctx.reads.wrote(&path, new);
        return Ok(Outcome::Propose { edits, note });
    };
    let knowledge = ctx.reads.knowledge(&path, old.text());
    let text = match (input.mode, at) {
        (Mode::Overwrite, _) => {
            knowledge.whole(&name)?;
            overwritten(&old, &input.content)
        }
        (_, None) => {
            knowledge.current(&name)?;
            inserted(&old, old.len(), &input.content)
        }
        (_, Some(line)) if line > old.len() + 1 => {
            return Err(format!(
                "{name} has {} lines; nothing can be inserted before line {line}",
                old.len()
            ));
        }
        (_, Some(line)) => {
            let around = (line - 1).min(old.len().saturating_sub(1))..line.min(old.len());
            knowledge.numbered(&name, &around)?;
            inserted(&old, line - 1, &input.content)
        }
    };
    if text == **old.text() {
        return Err(format!("{name} is so already; there is nothing to change"));
    }
    let new = Lines::new(text.as_str());
    let told = outcome::tell(&name, &old, &new);
    let edits = vec![ctx.propose(seen, &text, Level::Exact)?];
    match input.mode {
        Mode::Overwrite => ctx.reads.wrote(&path, new),
        Mode::Append | Mode::Insert => ctx.reads.changed(&path, old.text(), new, &told.lines),
    }
    Ok(Outcome::Propose { edits, note: told.text })
}

/// Returns the line to insert before; none for what goes elsewhere.
fn insertion(input: &Input) -> Result<Option<usize>, String> {
    match (input.mode, input.insert_at_line) {
        (Mode::Insert, Some(line)) if line > 0 => Ok(Some(line)),
        (Mode::Insert, _) => Err("`insert` needs `insert_at_line`, a line from 1".to_owned()),
        (Mode::Overwrite | Mode::Append, None) => Ok(None),
        (Mode::Overwrite | Mode::Append, Some(_)) => {
            Err("`insert_at_line` goes only with the mode `insert`".to_owned())
        }
    }
}

/// Returns the new text of a file, with the file's line endings: a model writes `\n` and means a line's end. Only what
/// differs in nothing but endings is taken as it is, since then they are what is meant.
fn overwritten(old: &Lines, content: &str) -> String {
    let content = content.strip_prefix(BOM).unwrap_or(content);
    let all_crlf = old.iter().all(|line| matches!(ending(line), "\r\n" | "")) && old.text().contains('\r');
    if all_crlf && !content.contains('\r') {
        let text = with_ending(content, "\r\n");
        if text != **old.text() {
            return text;
        }
    }
    content.to_owned()
}

/// Returns the text with whole lines before one of its lines, or at its end.
fn inserted(old: &Lines, line: usize, content: &str) -> String {
    let usual = usual_ending(old, line);
    let mut middle = with_ending(content, usual);
    let (head, tail) = (old.slice(0..line), old.slice(line..old.len()));
    if !head.is_empty() && ending(head).is_empty() && !middle.is_empty() {
        middle.insert_str(0, usual);
    } else if !tail.is_empty() && !middle.is_empty() && ending(&middle).is_empty() {
        middle.push_str(usual);
    }
    [head, &middle, tail].concat()
}

#[cfg(test)]
mod tests;
