//! The command line: which commands there are. One file below `cli/` for each.

mod ask;
mod audit;
mod bars;
mod config;
mod demo;
mod doctor;
mod failure;
mod json;
mod key;
mod local;
mod output;
mod permission;
mod proposal;
mod run;
mod session;
mod task;
mod trash;
mod trust;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
#[cfg(target_os = "linux")]
use kkcode_agent::sandbox;

use crate::{lifecycle, logging, server};

use failure::Failure;
use output::Output;

/// Coding agents for any editor, as a language server.
#[derive(Debug, Parser)]
#[command(name = "kkcode-lsp", version)]
struct Cli {
    /// Speak LSP on stdin and stdout; always so, accepted because clients pass it
    #[arg(long, global = true, hide = true)]
    stdio: bool,

    /// The process to end with, usually the editor
    #[arg(long = "clientProcessId", value_name = "PID", global = true, hide = true)]
    client_process_id: Option<u32>,

    /// Print JSON on stdout, and nothing else; errors are JSON on stderr
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve an editor (the default)
    Serve,
    /// Show the whole journey on a sample project, with a scripted model
    Demo(demo::Demo),
    /// Run one turn without an editor, and print what it proposes as a unified diff
    Run(run::Run),
    /// List, show, export and delete conversations
    #[command(subcommand)]
    Session(session::Command),
    /// List, show and decide what agents propose
    #[command(subcommand)]
    Proposal(proposal::Command),
    /// Show and check the configuration, or print its JSON Schema
    #[command(subcommand)]
    Config(config::Command),
    /// Say what is installed, reachable and missing, and what to do
    Doctor(config::Place),
    /// Start tasks in the background, and follow, stop and repeat them
    #[command(subcommand)]
    Task(task::Command),
    /// Do a background task; started by others
    #[command(hide = true)]
    Worker {
        /// The task
        id: String,
    },
    /// Say what the agent may do, and what was learned about that
    #[command(subcommand)]
    Permission(permission::Command),
    /// List what was removed from your folders, and put it back
    #[command(subcommand)]
    Trash(trash::Command),
    /// Show what was asked and decided, and prove that nothing of it was changed
    #[command(subcommand)]
    Audit(audit::Command),
    /// Say which folders are trusted
    #[command(subcommand)]
    Trust(trust::Command),
    /// Start a command within bounds: what `bash` and its like are started with
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    SandboxExec {
        /// This is the process inside the bounds
        #[arg(long)]
        inside: bool,
    },
}

/// Sees to it that no crash writes the memory, with keys in it, to a file: of this process and of all that it starts.
fn forbid_core_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        // Less is always allowed.
        setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).ok();
    }
}

/// Does what the command line says, and returns the exit code: 0 done, 1 failed, 2 used wrongly.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error, std::env::args_os()),
    };
    #[cfg(target_os = "linux")]
    if let Some(Command::SandboxExec { inside }) = cli.command {
        // Before anything that starts a thread.
        return sandbox::helper(if inside { sandbox::Stage::Inside } else { sandbox::Stage::Outside });
    }
    forbid_core_files();
    let Ok(logging) = logging::start() else { return ExitCode::FAILURE };
    lifecycle::log_panics();
    let output = Output::new(cli.json);
    let code = match cli.command {
        None | Some(Command::Serve) => server::run(cli.client_process_id),
        Some(Command::Demo(demo)) => demo::run(demo, output),
        Some(Command::Run(run)) => lifecycle::run(async move { output.end(run::run(run, output).await) }),
        Some(Command::Session(command)) => {
            lifecycle::run(async move { output.end(session::run(command, output).await) })
        }
        Some(Command::Task(command)) => {
            lifecycle::run(async move { output.end(task::run(command, output).await) })
        }
        Some(Command::Worker { id }) => {
            let variables = |name: &str| std::env::var(name).ok();
            let (home, helper) = (crate::home::find(None), crate::home::helper());
            ExitCode::from(kkcode_agent::worker::run(&id, home, variables, helper))
        }
        Some(Command::Permission(command)) => ExitCode::from(output.end(permission::run(command, output))),
        Some(Command::Trash(command)) => ExitCode::from(output.end(trash::run(&command, output))),
        Some(Command::Audit(command)) => ExitCode::from(output.end(audit::run(&command, output))),
        Some(Command::Trust(command)) => ExitCode::from(output.end(trust::run(&command, output))),
        Some(Command::Proposal(command)) => {
            lifecycle::run(async move { output.end(proposal::run(command, output).await) })
        }
        Some(Command::Config(command)) => ExitCode::from(output.end(config::run(&command, output))),
        #[cfg(target_os = "linux")]
        Some(Command::SandboxExec { .. }) => ExitCode::FAILURE,
        Some(Command::Doctor(place)) => ExitCode::from(output.end(doctor::run(&place, output))),
    };
    logging.finish();
    code
}

/// Says what is wrong with the command line, or what `--help` and `--version` ask for.
fn misused(error: &clap::Error, mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let is_answer = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if !is_answer && arguments.any(|argument| argument == "--json") {
        let text = error.to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        return ExitCode::from(Output::new(true).end(Err(Failure::usage(message))));
    }
    // Whoever closed the pipe does not want to know.
    let _unread = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
