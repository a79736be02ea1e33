//! `edit`: replaces a piece of text that stands in a file exactly once.

use std::path::Path;

use kkcode_core::lines::Lines;
use serde::Deserialize;
use serde_json::{Value, json};

use super::anchor::{self, Replaced, Wanted};
use super::reads::Knowledge;
use super::{Context, Kind, Outcome, Tool, outcome};

pub(super) const TOOL: Tool = Tool {
    name: "edit",
    description: "Replace `before` by `after` in the file `path`. `before` must stand in the file exactly once, to the \
                  letter, unless `replace_all` is true. Both are taken literally; line feeds mean the file's own line \
                  endings. The change is proposed to the user, who takes or refuses it hunk by hunk; you see the file as \
                  if it was taken.",
    schema,
    kind: Kind::Edits,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    path: String,
    before: String,
    after: String,
    #[serde(default)]
    replace_all: bool,
}

/// One text in the place of another.
#[derive(Debug)]
pub(super) struct Replacement {
    pub(super) before: String,
    pub(super) after: String,
    /// Whether each occurrence is meant.
    pub(super) replace_all: bool,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "relative to the workspace folder, or absolute"},
            "before": {"type": "string", "description": "the text to be replaced, with enough around it to be unique"},
            "after": {"type": "string", "description": "the text that takes its place"},
            "replace_all": {"type": "boolean", "description": "replace every occurrence"}
        },
        "required": ["path", "before", "after"],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { path, before, after, replace_all } = super::input("edit", input)?;
    let replacement = Replacement { before, after, replace_all };
    let path = ctx.path(&path)?;
    let (seen, old) = ctx.see(&path)?;
    let knowledge = ctx.reads.knowledge(&path, old.text());
    let made = replaced(ctx, &path, &knowledge, &old, &replacement)?;
    let new = Lines::new(made.text.as_str());
    let told = outcome::tell(&ctx.name(&path), &old, &new);
    let edits = vec![ctx.propose(seen, &made.text, made.level)?];
    ctx.reads.changed(&path, old.text(), new, &told.lines);
    let note = [remarks(&made, &knowledge), vec![told.text]].concat().join("\n");
    Ok(Outcome::Propose { edits, note })
}

/// Returns the text of a file with a replacement made. Where the file is not as the model saw it, the replaced lines must be.
pub(super) fn replaced(
    ctx: &Context<'_>,
    path: &Path,
    knowledge: &Knowledge,
    text: &Lines,
    replacement: &Replacement,
) -> Result<Replaced, String> {
    let name = ctx.name(path);
    let Replacement { before, after, replace_all } = replacement;
    let wanted = if *replace_all { Wanted::All } else { Wanted::One };
    let made = anchor::replace(&name, text, before, after, wanted)?;
    if *knowledge == Knowledge::Stale {
        if *replace_all {
            return Err(format!(
                "{name} is not as you last saw it; read it again before you replace every occurrence"
            ));
        }
        if !ctx.reads.saw(path, text.slice(made.lines.clone())) {
            return Err(format!("those lines of {name} are not as you last saw them; read it again first"));
        }
    }
    Ok(made)
}

/// Returns what the model must know about a replacement.
pub(super) fn remarks(made: &Replaced, knowledge: &Knowledge) -> Vec<String> {
    let stale = (*knowledge == Knowledge::Stale).then(|| {
        "the file is not as you last saw it, but the lines that you replace are; read it again before you rely on the rest"
            .to_owned()
    });
    let several = (made.count > 1).then(|| format!("{} places are replaced", made.count));
    [stale, several, made.level.remark().map(str::to_owned)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;
