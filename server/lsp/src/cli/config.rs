//! `config`: the effective configuration with the origin of each value, what is wrong with it, and its JSON Schema.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use kkcode_agent::config::{ConfigSource, Effective, Problem, Severity, json_schema};
use kkcode_protocol::cli::{ConfigProblem, ConfigReport, ConfigSetting};

use super::failure::Failure;
use super::key;
use super::local;
use super::output::{Outcome, Output, Style};

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print every value that is in effect, and where it comes from
    Show(Place),
    /// Print what is wrong, with file, line and key; exit code 1 if the configuration cannot be used
    Check(Place),
    /// Print the JSON Schema of a configuration file
    Schema,
    /// Keep the key of a provider in the keyring of the operating system, or forget it
    #[command(subcommand)]
    Key(key::Command),
}

/// In which folder.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The folder whose project configuration counts; the present one when left out
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
}

/// Does it.
pub(crate) fn run(command: &Command, output: Output) -> Outcome {
    match command {
        Command::Show(place) => show(place, output),
        Command::Check(place) => check(place, output),
        Command::Key(command) => key::run(command, output),
        Command::Schema => {
            let schema = json_schema();
            output.print(&schema, || format!("{schema:#}\n"))?;
            Ok(0)
        }
    }
}

impl Place {
    /// Returns the configuration of the user and of this folder.
    pub(crate) fn config(&self) -> Result<ConfigSource, Failure> {
        let named = self.cwd.as_deref().unwrap_or(Path::new("."));
        let folder = named
            .canonicalize()
            .map_err(|error| Failure::usage(format!("the folder {}: {error}", named.display())))?;
        Ok(local::config(&folder))
    }
}

fn show(place: &Place, output: Output) -> Outcome {
    let effective = place.config()?.read();
    let setting = |setting: kkcode_agent::config::Setting| ConfigSetting {
        key: setting.key,
        value: setting.value,
        origin: setting.origin.to_string(),
    };
    let report = ConfigReport { settings: effective.settings().map(setting).collect(), ..report(&effective) };
    output.print(&report, || {
        let line = |setting: &ConfigSetting| {
            let ConfigSetting { key, value, origin } = setting;
            format!("{} = {value}  {}\n", output.paint(Style::Bold, key), output.paint(Style::Dim, origin))
        };
        let lines: String = report.settings.iter().map(line).collect();
        if lines.is_empty() { "nothing is configured; `doctor` says what to do\n".to_owned() } else { lines }
    })?;
    Ok(0)
}

fn check(place: &Place, output: Output) -> Outcome {
    let effective = place.config()?.read();
    let report = report(&effective);
    output.print(&report, || {
        let lines: String = effective.problems().iter().map(|problem| line(problem, output)).collect();
        if !lines.is_empty() {
            return lines;
        }
        match report.files.as_slice() {
            [] => "there is no configuration file\n".to_owned(),
            files => format!("nothing is wrong with {}\n", files.join(", ")),
        }
    })?;
    Ok(u8::from(effective.errors().next().is_some()))
}

fn line(problem: &Problem, output: Output) -> String {
    let style = match problem.severity {
        Severity::Error => Style::Red,
        Severity::Warning => Style::Yellow,
        Severity::Note => Style::Dim,
    };
    format!("{}: {problem}\n", output.paint(style, problem.severity.name()))
}

fn report(effective: &Effective) -> ConfigReport {
    let problem = |problem: &Problem| ConfigProblem {
        severity: problem.severity.name().to_owned(),
        origin: problem.origin.to_string(),
        key: Some(problem.key.clone()).filter(|key| !key.is_empty()),
        message: problem.message.clone(),
    };
    ConfigReport {
        files: effective.files().iter().map(|file| file.display().to_string()).collect(),
        settings: Vec::new(),
        problems: effective.problems().iter().map(problem).collect(),
    }
}
