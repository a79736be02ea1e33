//! `trash`: what agents and accepted hunks have removed, and how to have it back.

use clap::Subcommand;
use kkcode_agent::trash::{Thrown, Trash};
use serde::Serialize;

use super::failure::Failure;
use super::output::{Outcome, Output};
use crate::home;

/// What to do with the trash.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List what was removed in the last 30 days, the newest first
    List,
    /// Put something back where it was
    Restore {
        /// Its name in the list
        id: String,
    },
}

/// What `list` prints with `--json`.
#[derive(Debug, Serialize)]
struct Listed {
    items: Vec<Thrown>,
}

/// What `restore` prints with `--json`.
#[derive(Debug, Serialize)]
struct Restored {
    path: std::path::PathBuf,
}

/// Does it.
pub(crate) fn run(command: &Command, output: Output) -> Outcome {
    let trash = Trash::of(&home::find(None));
    match command {
        Command::List => {
            let items = trash.list().map_err(|error| Failure::new("trash", format!("the trash: {error}")))?;
            output.print(&Listed { items: items.clone() }, || lines(&items))?;
        }
        Command::Restore { id } => {
            let path = trash.restore(id).map_err(|error| Failure::new("trash", error.to_string()))?;
            output.print(&Restored { path: path.clone() }, || format!("{} is back\n", path.display()))?;
        }
    }
    Ok(0)
}

fn lines(items: &[Thrown]) -> String {
    if items.is_empty() {
        return "the trash is empty\n".to_owned();
    }
    let line = |item: &Thrown| {
        let kind = if item.is_folder { "folder" } else { "file" };
        format!("{}  {kind}  {} bytes  {}\n", item.id, item.bytes, item.path.display())
    };
    items.iter().map(line).collect()
}
