//! Whether and how commands are bounded: the section `permission.sandbox` of the configuration.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{ConfigSource, Effective};

/// The section `permission.sandbox`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SandboxConfig {
    mode: Mode,
    network: Network,
    writable_dirs: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    /// No command runs without.
    Required,
    /// Where the machine can.
    #[default]
    Auto,
    Off,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Network {
    Never,
    /// When the user allows it, for one command.
    #[default]
    Ask,
    Always,
}

impl SandboxConfig {
    fn read(effective: &Effective) -> Self {
        let text = |key: &str| match effective.get(&["permission", "sandbox", key]) {
            // A plain `off` in YAML.
            Some(Value::Bool(false)) => Some("off"),
            value => value.and_then(Value::as_str),
        };
        let folders = effective.get(&["permission", "sandbox", "writable_dirs"]).and_then(Value::as_array);
        Self {
            mode: match text("mode") {
                Some("required") => Mode::Required,
                Some("off") => Mode::Off,
                _ => Mode::Auto,
            },
            network: match text("network") {
                Some("never") => Network::Never,
                Some("always") => Network::Always,
                _ => Network::Ask,
            },
            writable_dirs: folders
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        }
    }

    /// Tells whether commands are bounded where that can be.
    pub(crate) fn is_on(&self) -> bool {
        self.mode != Mode::Off
    }

    /// Tells whether nothing is run that cannot be bounded.
    pub(crate) fn is_required(&self) -> bool {
        self.mode == Mode::Required
    }

    /// Tells whether every command has the network.
    pub(crate) fn has_network(&self) -> bool {
        self.network == Network::Always
    }

    /// Tells whether a command can be given the network that it was refused.
    pub(crate) fn may_have_network(&self) -> bool {
        self.network != Network::Never
    }

    /// Returns what else commands may write to; `~` is the user's home. What is not there is left out.
    pub(crate) fn writable_dirs(&self, home: &Path) -> Vec<PathBuf> {
        let path = |name: &String| match name.strip_prefix('~') {
            Some(below) => home.join(below.trim_start_matches('/')),
            None => PathBuf::from(name),
        };
        self.writable_dirs.iter().map(path).filter_map(|path| path.canonicalize().ok()).collect()
    }
}

impl ConfigSource {
    /// Returns whether and how commands are bounded. Blocks.
    pub(crate) fn sandbox_config(&self) -> Result<SandboxConfig, String> {
        let effective = self.effective().map_err(|error| error.message)?;
        Ok(SandboxConfig::read(&effective))
    }
}
