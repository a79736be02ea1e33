//! `multiedit`: several replacements in several files, all of them or none.

use std::path::PathBuf;

use kkcode_core::lines::Lines;
use serde::Deserialize;
use serde_json::{Value, json};

use super::anchor::Level;
use super::edit::{Replacement, remarks, replaced};
use super::reads::Knowledge;
use super::{Context, Kind, Outcome, Tool, outcome};
use crate::overlay::Seen;

pub(super) const TOOL: Tool = Tool {
    name: "multiedit",
    description: "Make several changes in one or more files, one after the other, all or none of them. Each replaces \
                  `before` by `after` as `edit` does and sees what those before it made; one without `before` makes a new \
                  file with the text `after`. The changes are proposed to the user.",
    schema,
    kind: Kind::Edits,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    /// Read one by one, so that what is wrong with one can name it.
    changes: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    path: String,
    before: Option<String>,
    after: String,
    #[serde(default)]
    replace_all: bool,
}

/// A file while its changes are made.
struct Work {
    path: PathBuf,
    seen: Seen,
    knowledge: Knowledge,
    /// The text before; none of a new file.
    old: Option<Lines>,
    text: Lines,
    /// How much the most bent quotation was bent.
    found: Level,
    remarks: Vec<String>,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "changes": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "path": {"type": "string", "description": "relative to the workspace folder, or absolute"},
                        "before": {"type": "string", "description": "the text to be replaced; leave it out for a new file"},
                        "after": {"type": "string", "description": "the text that takes its place, or the new file's"},
                        "replace_all": {"type": "boolean", "description": "replace every occurrence"}
                    },
                    "required": ["path", "after"],
                    "additionalProperties": false
                }
            }
        },
        "required": ["changes"],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { changes } = super::input("multiedit", input)?;
    if changes.is_empty() {
        return Err("`changes` is empty; there is nothing to change".to_owned());
    }
    let mut works: Vec<Work> = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        apply(ctx, change, &mut works)
            .map_err(|reason| format!("change {}: {reason}\nnothing was changed", index + 1))?;
    }
    works.retain(|work| work.old.as_ref() != Some(&work.text));
    if works.is_empty() {
        return Err("the changes cancel each other out; there is nothing to change".to_owned());
    }
    let (mut edits, mut notes) = (Vec::new(), Vec::new());
    for Work { path, seen, old, text, found, remarks, .. } in works {
        notes.extend(remarks);
        edits.push(ctx.propose(seen, text.text(), found)?);
        let name = ctx.name(&path);
        match old {
            None => {
                notes.push(format!("{name} is a new file with {} lines", text.len()));
                ctx.reads.wrote(&path, text);
            }
            Some(old) => {
                let told = outcome::tell(&name, &old, &text);
                notes.push(told.text);
                ctx.reads.changed(&path, old.text(), text, &told.lines);
            }
        }
    }
    Ok(Outcome::Propose { edits, note: notes.join("\n") })
}

/// Makes one change, in the text that those before it have made.
fn apply(ctx: &Context<'_>, change: &Value, works: &mut Vec<Work>) -> Result<(), String> {
    let Change { path, before, after, replace_all } = super::input("multiedit", change)?;
    let path = ctx.path(&path)?;
    let name = ctx.name(&path);
    // Some models send an empty text for one that they leave out.
    let before = before.filter(|before| !before.is_empty());
    let work = works.iter_mut().find(|work| work.path == path);
    let Some(before) = before else {
        let mut seen = ctx.look(&path)?;
        if work.is_some() || seen.text.take().is_some() {
            return Err(format!("{name} exists; say in `before` which text of it is to be replaced"));
        }
        let text = Lines::new(after);
        let (knowledge, found, remarks) = (Knowledge::Unread, Level::Exact, Vec::new());
        works.push(Work { path, seen, knowledge, old: None, text, found, remarks });
        return Ok(());
    };
    let replacement = Replacement { before, after, replace_all };
    if let Some(work) = work {
        let made = replaced(ctx, &path, &work.knowledge, &work.text, &replacement)?;
        work.remarks.extend(remarks(&made, &Knowledge::Unread));
        work.found = work.found.max(made.level);
        work.text = Lines::new(made.text);
        return Ok(());
    }
    let (seen, old) = ctx.see(&path)?;
    let knowledge = ctx.reads.knowledge(&path, old.text());
    let made = replaced(ctx, &path, &knowledge, &old, &replacement)?;
    let (remarks, found) = (remarks(&made, &knowledge), made.level);
    works.push(Work { path, seen, knowledge, old: Some(old), text: Lines::new(made.text), found, remarks });
    Ok(())
}

#[cfg(test)]
mod tests;
