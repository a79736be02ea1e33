//! `list`: shows what is in a folder, one level deep.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::outcome::append;
use super::{Context, Kind, Outcome, Tool, outcome};
use crate::{file, overlay, place};

/// How many entries are told when nothing else is asked for.
const ENTRIES: usize = 1_000;

pub(super) const TOOL: Tool = Tool {
    name: "list",
    description: "Show what is in a folder, one level deep: `d name` is a folder, `f name` a file. Files that you proposed are \
                  in, those you would delete are not.",
    schema,
    kind: Kind::Looks,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    path: Option<String>,
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "the folder; the first workspace folder if left out"},
            "offset": {"type": "integer", "minimum": 0, "description": "how many entries to leave out at the beginning"},
            "limit": {"type": "integer", "minimum": 1, "description": "how many entries to tell; 1000 if left out"}
        },
        "required": [],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { path, offset, limit } = super::input("list", input)?;
    let folder = ctx.path(path.as_deref().unwrap_or("."))?;
    // Where it leads is found out once, judged, and opened without following another link.
    let real = file::locate(&folder, &ctx.snapshot.folders).map_err(|error| error.to_string())?;
    ctx.check.look(&folder)?;
    if real != folder {
        ctx.check.look(&real)?;
    }
    let mut entries = entries(ctx, &folder, &real)?;
    entries.retain(|name, _| ctx.check.names(&folder.join(name)));
    let limit = limit.unwrap_or(ENTRIES).min(ENTRIES);
    let line = |(name, is_folder): (&String, &bool)| format!("{} {name}", if *is_folder { 'd' } else { 'f' });
    let shown: Vec<String> = entries.iter().skip(offset).take(limit).map(line).collect();
    let mut text = shown.join("\n");
    if entries.is_empty() {
        append(&mut text, format_args!("({} is empty)", ctx.name(&folder)));
    } else if shown.len() < entries.len() {
        text.push_str(&outcome::part("entries", offset, shown.len(), entries.len()));
    }
    Ok(Outcome::Answer(text))
}

/// Returns the names in a folder as the session sees it, and which are folders.
fn entries(ctx: &Context<'_>, folder: &Path, real: &Path) -> Result<BTreeMap<String, bool>, String> {
    let mut entries = BTreeMap::new();
    let changed = overlay::changed_files(ctx.snapshot, &ctx.turn.session);
    let gone = |path: &Path| changed.iter().any(|(changed, text)| changed == path && text.is_none());
    match place::names(real) {
        Ok(names) => {
            for (name, is_folder) in names.into_iter().filter(|(name, _)| !gone(&folder.join(name))) {
                entries.insert(name.to_string_lossy().into_owned(), is_folder);
            }
        }
        Err(_) if changed.iter().any(|(path, text)| text.is_some() && path.starts_with(folder)) => {}
        Err(error) => return Err(format!("{} cannot be listed: {error}", ctx.name(folder))),
    }
    for (path, _) in changed.iter().filter(|(_, text)| text.is_some()) {
        let mut below = path.strip_prefix(folder).into_iter().flat_map(Path::components);
        if let Some(name) = below.next() {
            let is_folder = below.next().is_some();
            entries.entry(name.as_os_str().to_string_lossy().into_owned()).or_insert(is_folder);
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests;
