//! `copy`: proposes a file with the text of another one, or copies what cannot be a hunk.

use std::path::Path;

use kkcode_core::text::BOM;
use serde_json::Value;

use super::anchor::Level;
use super::everything::{Plan, What, Whole, act, below, real, what};
use super::r#move::{Input, copy, free, give_back, schema};
use super::{Context, Kind, Outcome, Tool};
use crate::file;
use crate::place::{Place, make_folders};

pub(super) const TOOL: Tool = Tool {
    name: "copy",
    description: "Make the file or folder `to` as a copy of `from`, folders included. For a text file that is proposed to the \
                  user. `overwrite` lets it take the place of another text file.",
    schema,
    kind: Kind::Edits,
    run,
};

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { from, to, overwrite } = super::input("copy", input)?;
    let (from, to) = (ctx.path(&from)?, ctx.path(&to)?);
    let (name, new_name) = (ctx.name(&from), ctx.name(&to));
    if from == to {
        return Err(format!("{name} cannot be a copy of itself"));
    }
    let text = match what(ctx, &from)? {
        What::Nothing(_) => return Err(format!("{name} does not exist")),
        What::Whole(whole) => return copy_whole(ctx, whole, &from, &to),
        What::Text(seen) => {
            ctx.check.look(&from)?;
            let raw = file::read(&seen.path, &ctx.snapshot.folders).unwrap_or_default();
            let mark = if raw.starts_with(BOM) { "\u{feff}" } else { "" };
            format!("{mark}{}", seen.text.unwrap_or_default())
        }
    };
    let target = free(ctx, &to, overwrite)?;
    if target.text.as_deref() == Some(&*text) {
        return Err(format!("{new_name} is so already; there is nothing to change"));
    }
    let mut note = format!("{new_name} has the text of {name} then");
    if target.base.is_none() && is_program(&from) {
        note.push_str(", but not its permission to be executed");
    }
    Ok(Outcome::Propose { edits: vec![ctx.propose(target, &text, Level::Exact)?], note })
}

fn copy_whole(ctx: &Context<'_>, whole: Whole, from: &Path, to: &Path) -> Result<Outcome, String> {
    let (name, new_name) = (ctx.name(from), ctx.name(to));
    if to.starts_with(from) {
        return Err(format!("{new_name} lies in {name} itself"));
    }
    let What::Nothing(_) = what(ctx, to)? else {
        return Err(format!("{new_name} is there already; remove it first"));
    };
    let (real_from, real_to) = (whole.real, real(ctx, to)?);
    let (title, writes) = (format!("copy {name} to {new_name}"), below(&whole.paths, from, to));
    let plan = Plan { tool: "copy", title, reads: whole.paths, writes };
    Ok(act(plan, move || {
        let mut made = Vec::new();
        let done = make_folders(&real_to, &mut made).and_then(|()| copy(&real_from, &Place::at(&real_to)?));
        if done.is_err() {
            give_back(&made);
        }
        done.map_err(|error| format!("{name} was not copied: {error}"))?;
        Ok(format!("copied {name} to {new_name}"))
    }))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests;
