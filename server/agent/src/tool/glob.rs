//! `glob`: finds files by their path.

use std::sync::Mutex;
use std::sync::PoisonError;

use serde::Deserialize;
use serde_json::{Value, json};

use super::search::{Found, Search, in_order};
use super::{Context, Kind, Outcome, Tool, outcome};

/// How many paths are told when nothing else is asked for, and how many at most.
const PATHS: (usize, usize) = (200, 2_000);

pub(super) const TOOL: Tool = Tool {
    name: "glob",
    description: "Find files by a glob such as `*.rs` (in any folder) or `src/**/*.{ts,tsx}`, below `path` or in the whole \
                  workspace. What ignore files leave out is left out, and hidden files unless the pattern names them. \
                  Files that you proposed are in, those you would delete are not.",
    schema,
    kind: Kind::Looks,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    pattern: String,
    path: Option<String>,
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "pattern": {"type": "string", "description": "the glob; one without `/` is matched by a file's name"},
            "path": {"type": "string", "description": "the folder to look in; the whole workspace if left out"},
            "offset": {"type": "integer", "minimum": 0, "description": "how many paths to leave out at the beginning"},
            "limit": {"type": "integer", "minimum": 1, "description": "how many paths to tell; 200 if left out"}
        },
        "required": ["pattern"],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { pattern, path, offset, limit } = super::input("glob", input)?;
    let search = Search::new(ctx, path.as_deref())?.matching(&pattern)?;
    let found = Mutex::new(Vec::new());
    let is_whole = search.run(ctx, || {
        |file: Found<'_>| {
            let (Found::OnDisk(path) | Found::Overlaid(path, _)) = file;
            found.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
            true
        }
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_unstable_by(|a, b| in_order(a, b));
    let limit = limit.unwrap_or(PATHS.0).min(PATHS.1);
    // Judging a path costs more than finding it: only those that are told are judged.
    let mut allowed = found.iter().filter(|path| ctx.check.names(path)).skip(offset);
    let shown: Vec<String> = allowed.by_ref().take(limit).map(|path| ctx.name(path)).collect();
    let is_part = offset > 0 || allowed.next().is_some();
    let mut text = shown.join("\n");
    if shown.is_empty() && (offset == 0 || found.is_empty()) {
        text.push_str("(no file matches)");
    } else if is_part {
        text.push_str(&outcome::part("paths", offset, shown.len(), found.len()));
    }
    if !is_whole {
        text.push_str("\n(the search took too long and was stopped; name a folder in `path`)");
    }
    Ok(Outcome::Answer(text))
}

#[cfg(test)]
mod tests;
