//! `config key`: the keys of providers in the keyring of the operating system.

use std::io::{self, IsTerminal as _, Read as _};

use clap::Subcommand;
use kkcode_agent::config::{Keyring, SystemKeyring};
use serde_json::json;

use super::failure::Failure;
use super::output::{Outcome, Output};

/// The longest key, in bytes.
const LONGEST: u64 = 16 * 1024;

/// What to do with a key.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Keep a key: typed unseen, or read from standard input where that is no terminal
    Set {
        /// The provider's name in the configuration
        provider: String,
    },
    /// Forget a key
    Forget {
        /// The provider's name in the configuration
        provider: String,
    },
}

/// Does it. Blocks.
pub(crate) fn run(command: &Command, output: Output) -> Outcome {
    match command {
        Command::Set { provider } => {
            let key = typed(provider)?;
            SystemKeyring.set(provider, &key).map_err(|why| elsewhere(&why))?;
            output.print(&json!({"provider": provider, "kept": true}), || {
                format!("the key of `{provider}` is in the keyring now\n")
            })?;
        }
        Command::Forget { provider } => {
            let forgotten = SystemKeyring.forget(provider).map_err(|why| elsewhere(&why))?;
            output.print(&json!({"provider": provider, "forgotten": forgotten}), || {
                if forgotten {
                    format!("the key of `{provider}` is forgotten\n")
                } else {
                    format!("the keyring has no key of `{provider}`\n")
                }
            })?;
        }
    }
    Ok(0)
}

/// Reads a key without showing it.
fn typed(provider: &str) -> Result<String, Failure> {
    let unread = |error: io::Error| Failure::usage(format!("no key could be read: {error}"));
    let key = if io::stdin().is_terminal() {
        rpassword::prompt_password(format!("key of `{provider}` (not shown): ")).map_err(unread)?
    } else {
        let mut key = String::new();
        io::stdin().take(LONGEST).read_to_string(&mut key).map_err(unread)?;
        key
    };
    let key = key.trim().to_owned();
    if key.is_empty() || key.contains(char::is_whitespace) {
        return Err(Failure::usage("a key is one word; nothing was kept".to_owned()));
    }
    Ok(key)
}

/// Says what else there is.
fn elsewhere(why: &str) -> Failure {
    Failure::new(
        "keyring",
        format!("{why}; a key in the environment, or in the editor's secret storage, is found too"),
    )
}
