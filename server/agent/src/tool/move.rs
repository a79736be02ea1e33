//! `move`: proposes that a file gets another path, or gives one to what cannot be a hunk.

use std::path::Path;

use kkcode_core::event::Propose;
use serde::Deserialize;
use serde_json::{Value, json};

use super::anchor::Level;
use super::everything::{Plan, What, Whole, act, below, real, what};
use super::{Context, Kind, Outcome, Tool};
use crate::fresh;
use crate::overlay::Seen;
use crate::place::{Place, make_folders};
use crate::trash::{copy_tree, remove_tree};

pub(super) const TOOL: Tool = Tool {
    name: "move",
    description: "Give the file or folder `from` the path `to`, folders included. For a text file that is proposed to the \
                  user, and you see it at its new path as if it was taken. `overwrite` lets a text file take the place of \
                  another one.",
    schema,
    kind: Kind::Edits,
    run,
};

/// From where to where.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub(super) from: String,
    pub(super) to: String,
    #[serde(default)]
    pub(super) overwrite: bool,
}

/// Describes an [`Input`].
pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "from": {"type": "string", "description": "relative to the workspace folder, or absolute"},
            "to": {"type": "string", "description": "the new path, with the name"},
            "overwrite": {"type": "boolean", "description": "take the place of a file that is there"}
        },
        "required": ["from", "to"],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { from, to, overwrite } = super::input("move", input)?;
    let (from, to) = (ctx.path(&from)?, ctx.path(&to)?);
    let (name, new_name) = (ctx.name(&from), ctx.name(&to));
    if from == to {
        return Err(format!("{name} is there already"));
    }
    match what(ctx, &from)? {
        What::Nothing(_) => Err(format!("{name} does not exist")),
        What::Text(seen) => {
            ctx.check.look(&from)?;
            let edits = moved(ctx, seen, &to, overwrite)?;
            Ok(Outcome::Propose { edits, note: format!("{name} is {new_name} then") })
        }
        What::Whole(whole) => move_whole(ctx, whole, &from, &to),
    }
}

/// Returns what moves a text file: a rename, or an edit of the file whose place it takes and its own end.
fn moved(ctx: &Context<'_>, seen: Seen, to: &Path, overwrite: bool) -> Result<Vec<Propose>, String> {
    let missing = || format!("{} does not exist", ctx.name(&seen.path));
    let text = seen.text.clone().ok_or_else(missing)?;
    if seen.path == to {
        return Ok(ctx.propose_rename(seen, to.to_owned())?.into_iter().collect());
    }
    let target = free(ctx, to, overwrite)?;
    // One that is only proposed so far cannot be moved, and a path where the disk has a file can only get another text.
    if seen.base.is_some() && target.base.is_none() {
        return Ok(ctx.propose_rename(seen, to.to_owned())?.into_iter().collect());
    }
    Ok(vec![ctx.propose(target, &text, Level::Exact)?, ctx.propose_delete(seen)?])
}

/// Returns what the session sees at a path that a file is to get. Refuses one where there is something, unless it is a text
/// that may be overwritten.
pub(super) fn free(ctx: &Context<'_>, to: &Path, overwrite: bool) -> Result<Seen, String> {
    let name = ctx.name(to);
    match what(ctx, to)? {
        What::Nothing(seen) => Ok(seen),
        What::Text(seen) if overwrite => Ok(seen),
        What::Text(_) => Err(format!("{name} is there already; `overwrite` puts this in its place")),
        What::Whole(whole) if whole.is_folder => {
            Err(format!("{name} is a folder; say in `to` the path with the new name"))
        }
        What::Whole(_) => Err(format!("{name} is there already and is no text; remove it first")),
    }
}

fn move_whole(ctx: &Context<'_>, whole: Whole, from: &Path, to: &Path) -> Result<Outcome, String> {
    let (name, new_name) = (ctx.name(from), ctx.name(to));
    if to.starts_with(from) {
        return Err(format!("{new_name} lies in {name} itself"));
    }
    let What::Nothing(_) = what(ctx, to)? else {
        return Err(format!("{new_name} is there already; remove it first"));
    };
    let (real_from, real_to) = (whole.real, real(ctx, to)?);
    let writes = [below(&whole.paths, from, to), whole.paths.clone()].concat();
    let title = format!("move {name} to {new_name}");
    let plan = Plan { tool: "move", title, reads: whole.paths, writes };
    Ok(act(plan, move || {
        let failed = |error| format!("{name} was not moved: {error}");
        let mut made = Vec::new();
        let done = make_folders(&real_to, &mut made).and_then(|()| put(&real_from, &real_to));
        if done.is_err() {
            give_back(&made);
        }
        done.map_err(failed)?;
        Ok(format!("moved {name} to {new_name}"))
    }))
}

/// Gives something another path, on another disk too. On failure it is where it was.
fn put(from: &Path, to: &Path) -> std::io::Result<()> {
    let (from, to) = (Place::at(from)?, Place::at(to)?);
    match from.rename_to_free(&to) {
        Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => {
            copy(from.path(), &to)?;
            remove_tree(from.path())
        }
        result => result,
    }
}

/// Copies a file or a folder whole, or not at all.
pub(super) fn copy(from: &Path, to: &Place) -> std::io::Result<()> {
    let name = fresh::name(".kkcode").map_err(|error| std::io::Error::other(error.to_string()))?;
    let hidden = to.beside(std::ffi::OsStr::new(&name))?;
    let copied = copy_tree(from, hidden.path()).and_then(|()| hidden.rename_to_free(to));
    if copied.is_err()
        && hidden.path().exists()
        && let Err(error) = remove_tree(hidden.path())
    {
        tracing::warn!(%error, path = %hidden.path().display(), "a part of a copy is left");
    }
    copied.and_then(|()| to.sync_names())
}

/// Removes folders that were made for nothing.
pub(super) fn give_back(made: &[Place]) {
    for folder in made.iter().rev() {
        // One that somebody else has put something into stays.
        let _not_empty = folder.remove_folder();
    }
}

#[cfg(test)]
mod tests;
