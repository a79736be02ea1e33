//! `trust`: which workspace folders the user trusts.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kkcode_agent::gate::trust;
use serde::Serialize;

use super::failure::Failure;
use super::output::{Outcome, Output};
use crate::home;

/// What to do with trust.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say whether a folder is trusted
    Show(Place),
    /// Trust a folder: its configuration may name programs and instruct the agent
    Grant(Place),
    /// Trust a folder no longer
    Revoke(Place),
}

/// Which folder.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The folder; the present one when left out
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
}

/// What is printed with `--json`.
#[derive(Debug, Serialize)]
struct Report {
    folder: PathBuf,
    trusted: bool,
}

/// Does it.
pub(crate) fn run(command: &Command, output: Output) -> Outcome {
    let (Command::Show(place) | Command::Grant(place) | Command::Revoke(place)) = command;
    let named = place.cwd.clone().unwrap_or_else(|| PathBuf::from("."));
    let folder = named
        .canonicalize()
        .map_err(|error| Failure::usage(format!("the folder {}: {error}", named.display())))?;
    let home = home::find(None);
    let failed = |error| Failure::new("trust", error);
    match command {
        Command::Show(_) => drop(trust::list(&home).map_err(failed)?),
        Command::Grant(_) => drop(trust::grant(&home, &folder).map_err(failed)?),
        Command::Revoke(_) => drop(trust::revoke(&home, &folder).map_err(failed)?),
    }
    let report = Report { trusted: trust::is_trusted(&home, &folder), folder };
    output.print(&report, || {
        let word = if report.trusted { "trusted" } else { "not trusted" };
        format!("{}: {word}\n", report.folder.display())
    })?;
    Ok(0)
}
