//! `remove`: proposes that a file goes, or puts into the trash what cannot be a hunk.

use serde::Deserialize;
use serde_json::{Value, json};

use super::everything::{Plan, What, act, what};
use super::{Context, Kind, Outcome, Tool};
use crate::place::Place;
use crate::trash::{Trash, remove_tree};

pub(super) const TOOL: Tool = Tool {
    name: "remove",
    description: "Remove the file `path`: that is proposed to the user, who takes or refuses it. A folder is removed with all \
                  that is in it if `recursive` is true; folders and files that are no text go to a trash, from which the user \
                  can restore them, unless `permanent` is true.",
    schema,
    kind: Kind::Edits,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    path: String,
    #[serde(default)]
    recursive: bool,
    #[serde(default)]
    permanent: bool,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "relative to the workspace folder, or absolute"},
            "recursive": {"type": "boolean", "description": "for a folder: with all that is in it"},
            "permanent": {"type": "boolean", "description": "for good; otherwise it can be restored"}
        },
        "required": ["path"],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { path, recursive, permanent } = super::input("remove", input)?;
    let path = ctx.path(&path)?;
    let name = ctx.name(&path);
    let whole = match what(ctx, &path)? {
        What::Nothing(_) => return Err(format!("{name} does not exist")),
        What::Text(seen) => {
            let note = match seen.base {
                Some(_) => format!("{name} is gone then; the user can always have it back"),
                None => format!("{name} was only proposed, and is not any more"),
            };
            return Ok(Outcome::Propose { edits: vec![ctx.propose_delete(seen)?], note });
        }
        What::Whole(whole) => whole,
    };
    if whole.is_folder && !recursive && whole.paths.len() > 1 {
        return Err(format!(
            "{name} is a folder with something in it; `recursive` removes it with all of that"
        ));
    }
    let (kind, count) = (if whole.is_folder { "folder" } else { "file" }, whole.paths.len() - 1);
    let with = if count == 0 { String::new() } else { format!(" with {count} files and folders in it") };
    let how = if permanent { "remove for good, not to be restored," } else { "remove" };
    let plan = Plan {
        tool: "remove",
        title: format!("{how} the {kind} {name}{with}"),
        reads: Vec::new(),
        writes: whole.paths,
    };
    let (trash, real) = (Trash::of(ctx.config.home()), whole.real);
    Ok(act(plan, move || {
        let failed = |error| format!("{name} was not removed: {error}");
        let place = Place::at(&real).map_err(failed)?;
        let id = trash.take(&place).map_err(failed)?;
        if permanent {
            remove_tree(&trash.what(&id)).and_then(|()| trash.forget(&id)).map_err(failed)?;
            return Ok(format!("removed {name}{with} for good"));
        }
        Ok(format!("removed {name}{with}; the user can have it back with `kkcode-lsp trash restore {id}`"))
    }))
}

#[cfg(test)]
mod tests;
