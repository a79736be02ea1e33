//! The `kkcode-lsp` binary.

mod capabilities;
mod cli;
mod client;
mod code_actions;
mod code_lens;
mod commands;
mod connection;
mod diagnostics;
mod error;
mod events;
mod frame;
mod from_proto;
mod front_end;
mod home;
mod hover;
mod hunks;
mod lifecycle;
mod logging;
mod progress;
mod prompts;
mod reply;
mod server;
mod session;
mod settings;
mod show;
mod surface;
mod task_updates;
mod to_proto;
mod trust;
mod turn_updates;
mod virtual_documents;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
