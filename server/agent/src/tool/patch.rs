//! `patch`: puts other lines in the place of lines that are named by their numbers.

use kkcode_core::lines::{Lines, ending};
use serde::Deserialize;
use serde_json::{Value, json};

use super::anchor::{Level, usual_ending, with_ending};
use super::{Context, Kind, Outcome, Tool, outcome};

pub(super) const TOOL: Tool = Tool {
    name: "patch",
    description: "Replace the lines `start_line` to `end_line` (from 1, both included) of the file `path` by `content`, given \
                  without a final line ending; an empty `content` deletes them. Read the lines first: their numbers must \
                  be right at this moment. The change is proposed to the user.",
    schema,
    kind: Kind::Edits,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    path: String,
    start_line: usize,
    end_line: usize,
    content: String,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "relative to the workspace folder, or absolute"},
            "start_line": {"type": "integer", "minimum": 1, "description": "the first line to replace, from 1"},
            "end_line": {"type": "integer", "minimum": 1, "description": "the last line to replace"},
            "content": {"type": "string", "description": "the new lines, without a final line ending; empty deletes"}
        },
        "required": ["path", "start_line", "end_line", "content"],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let input: Input = super::input("patch", input)?;
    let path = ctx.path(&input.path)?;
    let (seen, old) = ctx.see(&path)?;
    let (name, knowledge) = (ctx.name(&path), ctx.reads.knowledge(&path, old.text()));
    knowledge.current(&name)?;
    let Input { start_line: from, end_line: to, content, .. } = input;
    if from == 0 || to < from || to > old.len() {
        return Err(format!("{name} has lines 1 to {}; {from} to {to} is no part of them", old.len()));
    }
    let lines = from - 1..to;
    knowledge.numbered(&name, &lines)?;
    let text = patched(&old, lines.clone(), &content);
    if text == **old.text() {
        return Err(format!("lines {from} to {to} of {name} are so already; there is nothing to change"));
    }
    let new = Lines::new(text.as_str());
    let told = outcome::tell(&name, &old, &new);
    let edits = vec![ctx.propose(seen, &text, Level::Exact)?];
    ctx.reads.changed(&path, old.text(), new, &told.lines);
    Ok(Outcome::Propose { edits, note: told.text })
}

/// Returns the text with lines replaced. New lines end as the file's do; the last one as the last replaced one did, unless
/// `content` brings a final line ending where there was none.
fn patched(old: &Lines, lines: std::ops::Range<usize>, content: &str) -> String {
    let last = ending(old.slice(lines.end - 1..lines.end));
    let mut middle = with_ending(content, usual_ending(old, lines.start));
    let has_final = !ending(&middle).is_empty();
    if !content.is_empty() && !has_final {
        middle.push_str(last);
    }
    [old.slice(0..lines.start), &middle, old.slice(lines.end..old.len())].concat()
}

#[cfg(test)]
mod tests;
