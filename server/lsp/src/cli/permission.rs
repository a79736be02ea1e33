//! `permission`: says what the gate would decide, lists what was learned, and forgets it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use kkcode_agent::gate::policy::{Question, check};
use kkcode_agent::gate::{agreed, learned};
use kkcode_core::permission::{self as core, capability::Mode};
use kkcode_core::turn::Level;
use kkcode_protocol::cli::PermissionCheckReport;
use kkcode_protocol::permission::{Decision, PermissionForgetResult, PermissionRule};

use super::failure::Failure;
use super::output::{self, Outcome, Output, Style};
use crate::{home, to_proto};

/// What to do with permissions.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what would be decided about a tool call, and why; runs nothing and changes nothing
    Check(Check),
    /// List the rules that an answer "always" made
    List,
    /// Remove a learned rule
    Forget {
        /// The rule, as `permission list` shows it
        id: String,
    },
}

/// A tool call to be decided about.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The tool
    #[arg(long, value_name = "TOOL")]
    tool: String,
    /// The command line, for a tool that runs one
    #[arg(long, value_name = "LINE", allow_hyphen_values = true)]
    command: Option<String>,
    /// A path, for a tool that reads or changes files; may be given several times
    #[arg(long = "path", value_name = "PATH", allow_hyphen_values = true)]
    paths: Vec<String>,
    /// The shell that the command line is for
    #[arg(long, value_enum, default_value_t = ShellName::Bash)]
    shell: ShellName,
    /// The level; the configured one when left out
    #[arg(long, value_enum)]
    level: Option<LevelName>,
    /// The mode
    #[arg(long, value_enum, default_value_t = ModeName::Agent)]
    mode: ModeName,
    /// The workspace folder; the present one when left out
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ShellName {
    Bash,
    Powershell,
    Cmd,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LevelName {
    Readonly,
    Manual,
    AcceptEdits,
    Yolo,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeName {
    Ask,
    Plan,
    Agent,
    Longagent,
}

/// Does it.
pub(crate) fn run(command: Command, output: Output) -> Outcome {
    match command {
        Command::Check(check) => check.run(output),
        Command::List => list(output),
        Command::Forget { id } => {
            let (home, failed) = (home::find(None), |problem| Failure::new("config", problem));
            let forgotten =
                learned::forget(&home, &id).map_err(failed)? || agreed::forget(&home, &id).map_err(failed)?;
            if !forgotten {
                return Err(Failure::unknown("learned rule", &id));
            }
            output.print(&PermissionForgetResult { forgotten }, || format!("forgot {id}\n"))?;
            Ok(0)
        }
    }
}

impl Check {
    fn run(self, output: Output) -> Outcome {
        let folder = self.cwd.unwrap_or_else(|| PathBuf::from("."));
        let folder = folder
            .canonicalize()
            .map_err(|error| Failure::usage(format!("the folder {}: {error}", folder.display())))?;
        let tool = match self.shell {
            ShellName::Bash => self.tool,
            ShellName::Powershell => "powershell".to_owned(),
            ShellName::Cmd => "cmd".to_owned(),
        };
        let question = Question {
            tool,
            command: self.command,
            paths: self.paths,
            level: self.level.map(level),
            mode: match self.mode {
                ModeName::Ask => Mode::Ask,
                ModeName::Plan => Mode::Plan,
                ModeName::Agent => Mode::Agent,
                ModeName::Longagent => Mode::LongAgent,
            },
        };
        let (verdict, problems) = check(&home::surroundings(None), &folder, &question);
        for problem in problems {
            output::note(&format!("warning: {problem}"));
        }
        let report = PermissionCheckReport {
            decision: decision(verdict.decision),
            reason: core::characters::shown(&verdict.reason),
            source: verdict.source.to_string(),
        };
        output.print(&report, || {
            let (word, style) = match report.decision {
                Decision::Allow => ("allow", Style::Green),
                Decision::Ask => ("ask", Style::Yellow),
                Decision::Deny => ("deny", Style::Red),
            };
            format!("{}: {} ({})\n", output.paint(style, word), report.reason, report.source)
        })?;
        Ok(0)
    }
}

fn level(name: LevelName) -> Level {
    match name {
        LevelName::Readonly => Level::Readonly,
        LevelName::Manual => Level::Manual,
        LevelName::AcceptEdits => Level::AcceptEdits,
        LevelName::Yolo => Level::Yolo,
    }
}

fn decision(decision: core::Decision) -> Decision {
    match decision {
        core::Decision::Allow => Decision::Allow,
        core::Decision::Ask => Decision::Ask,
        core::Decision::Deny => Decision::Deny,
    }
}

fn list(output: Output) -> Outcome {
    let (home, failed) = (home::find(None), |problem| Failure::new("config", problem));
    let learned = learned::list(&home).map_err(failed)?.into_iter().map(to_proto::learned_rule);
    let agreed = agreed::list(&home).map_err(failed)?.into_iter().map(to_proto::agreement);
    let rules: Vec<PermissionRule> = learned.chain(agreed).collect();
    output.print(&rules, || {
        let lines = rules.iter().map(|rule| {
            let what: Vec<&str> =
                rule.command_prefix.iter().chain(&rule.file_patterns).map(String::as_str).collect();
            let place = rule.workspace_uri.as_deref().unwrap_or("everywhere");
            let id = &rule.rule_id;
            if rule.settings.is_empty() {
                return format!("{id}  allow {} {}  {place}\n", rule.tool, what.join(" "));
            }
            let counts = if rule.action == Decision::Allow { "allow" } else { "ask all the same" };
            format!("{id}  {counts} what .claude/settings.json says: {}  {place}\n", rule.settings.join(", "))
        });
        let text: String = lines.collect();
        if text.is_empty() { "no rules were learned\n".to_owned() } else { text }
    })?;
    Ok(0)
}
