//! The `kkcode-lsp` binary: the command line.

mod capabilities;
mod client;
mod code_actions;
mod code_lens;
mod commands;
mod connection;
mod diagnostics;
mod error;
mod frame;
mod from_proto;
mod front_end;
mod hover;
mod hunks;
mod lifecycle;
mod logging;
mod server;
mod session;
mod show;
mod surface;
mod to_proto;
mod virtual_documents;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Coding agents for any editor, as a language server.
#[derive(Debug, Parser)]
#[command(name = "kkcode-lsp", version)]
struct Cli {
    /// Speak LSP on stdin and stdout; always so, accepted because clients pass it
    #[arg(long, global = true)]
    stdio: bool,

    /// The process to end with, usually the editor
    #[arg(long = "clientProcessId", value_name = "PID", global = true)]
    client_process_id: Option<u32>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve an editor (the default)
    Serve,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let Ok(logging) = logging::start() else { return ExitCode::FAILURE };
    lifecycle::log_panics();
    let code = match cli.command {
        None | Some(Command::Serve) => server::run(cli.client_process_id),
    };
    logging.finish();
    code
}
