//! `notebookedit`: changes one cell of a Jupyter notebook.

use kkcode_core::lines::Lines;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::anchor::Level;
use super::notebook::{Cell, Notebook, lines};
use super::{Context, Kind, Outcome, Tool, outcome};
use crate::fresh;

pub(super) const TOOL: Tool = Tool {
    name: "notebookedit",
    description: "Change one cell of the Jupyter notebook `path`: `replace` its source (the default), `insert` a new cell \
                  behind it (before all others when `cell_number` is negative), or `delete` it. Cells are counted from 0. \
                  Read the notebook first. The change is proposed to the user.",
    schema,
    kind: Kind::Edits,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    path: String,
    new_source: String,
    #[serde(default)]
    cell_number: i64,
    cell_type: Option<CellType>,
    #[serde(default)]
    edit_mode: Mode,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum CellType {
    Code,
    Markdown,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Replace,
    Insert,
    Delete,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "relative to the workspace folder, or absolute"},
            "new_source": {"type": "string", "description": "the cell's new text; ignored by `delete`"},
            "cell_number": {"type": "integer", "description": "which cell, from 0; 0 if left out"},
            "cell_type": {"type": "string", "enum": ["code", "markdown"], "description": "needed to insert"},
            "edit_mode": {"type": "string", "enum": ["replace", "insert", "delete"]}
        },
        "required": ["path", "new_source"],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let input: Input = super::input("notebookedit", input)?;
    let path = ctx.path(&input.path)?;
    let (seen, old) = ctx.see(&path)?;
    let name = ctx.name(&path);
    ctx.reads.knowledge(&path, old.text()).current(&name)?;
    let notebook =
        Notebook::parse(old.text()).map_err(|error| format!("{name} is no Jupyter notebook: {error}"))?;
    let text = edited(&notebook, &input, &name)?;
    if text == **old.text() {
        return Err(format!(
            "cell {} of {name} is so already; there is nothing to change",
            input.cell_number
        ));
    }
    let new = Lines::new(text.as_str());
    let told = outcome::tell(&name, &old, &new);
    let edits = vec![ctx.propose(seen, &text, Level::Exact)?];
    ctx.reads.changed(&path, old.text(), new, &told.lines);
    Ok(Outcome::Propose { edits, note: told.text })
}

fn edited(notebook: &Notebook<'_>, input: &Input, name: &str) -> Result<String, String> {
    let unrendered = |error: serde_json::Error| format!("{name}: {error}");
    if input.edit_mode == Mode::Insert {
        let kind = input.cell_type.ok_or("`insert` needs `cell_type`: `code` or `markdown`")?;
        let index = match usize::try_from(input.cell_number) {
            Err(_) => 0,
            Ok(_) if notebook.cells.is_empty() => 0,
            Ok(number) if number < notebook.cells.len() => number + 1,
            Ok(_) => return Err(no_cell(notebook, input, name)),
        };
        return notebook.with_cell(index, &new_cell(notebook, kind, &input.new_source)?).map_err(unrendered);
    }
    let index = usize::try_from(input.cell_number).map_err(|_| no_cell(notebook, input, name))?;
    let cell = notebook.cells.get(index).ok_or_else(|| no_cell(notebook, input, name))?;
    if input.edit_mode == Mode::Delete {
        return notebook.without_cell(index).ok_or_else(|| no_cell(notebook, input, name));
    }
    match input.cell_type {
        Some(kind) if kind.name() != cell.kind => {
            notebook.with(&cell.span, &turned(notebook, cell, kind, &input.new_source)?).map_err(unrendered)
        }
        _ => notebook.with(&cell.source, &cell.source_of(&input.new_source)).map_err(unrendered),
    }
}

fn no_cell(notebook: &Notebook<'_>, input: &Input, name: &str) -> String {
    format!(
        "{name} has {} cells, counted from 0; there is no cell {}",
        notebook.cells.len(),
        input.cell_number
    )
}

/// Returns a new cell; its keys are in the order in which notebooks have them.
fn new_cell(notebook: &Notebook<'_>, kind: CellType, source: &str) -> Result<Value, String> {
    let mut cell = Map::new();
    cell.insert("cell_type".to_owned(), kind.name().into());
    if kind == CellType::Code {
        cell.insert("execution_count".to_owned(), Value::Null);
    }
    if notebook.has_ids {
        cell.insert("id".to_owned(), fresh::name("cell").map_err(|error| error.to_string())?.into());
    }
    cell.insert("metadata".to_owned(), json!({}));
    if kind == CellType::Code {
        cell.insert("outputs".to_owned(), json!([]));
    }
    cell.insert("source".to_owned(), lines(source));
    Ok(cell.into())
}

/// Returns a cell of another type, with the old one's metadata and name.
fn turned(notebook: &Notebook<'_>, old: &Cell<'_>, kind: CellType, source: &str) -> Result<Value, String> {
    let mut cell = new_cell(notebook, kind, source)?;
    let old: Map<String, Value> =
        serde_json::from_str(notebook.part(&old.span)).map_err(|error| error.to_string())?;
    if let Some(cell) = cell.as_object_mut() {
        for key in ["id", "metadata"] {
            if let Some(value) = old.get(key) {
                cell.insert(key.to_owned(), value.clone());
            }
        }
    }
    Ok(cell)
}

impl CellType {
    fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Markdown => "markdown",
        }
    }
}

#[cfg(test)]
mod tests;
