//! Where a value of the configuration comes from, and what is wrong with one.

use std::fmt;
use std::path::PathBuf;

/// Where a value comes from; what stands further down goes over what stands further up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Found without being told: a key in the environment, or a running Ollama.
    Found,
    /// The user's configuration.
    User(PathBuf, u64),
    /// What the editor gave as the user's settings.
    Client,
    /// The configuration of a project: the file and the line.
    Project(PathBuf, u64),
    /// A `.env` file: the file and the line.
    DotEnv(PathBuf, u64),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found => f.write_str("found on this machine"),
            Self::Client => f.write_str("the editor's settings"),
            Self::User(file, 0) | Self::Project(file, 0) | Self::DotEnv(file, 0) => {
                write!(f, "{}", file.display())
            }
            Self::User(file, line) | Self::Project(file, line) | Self::DotEnv(file, line) => {
                write!(f, "{}:{line}", file.display())
            }
        }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The key is kkcode's and has no effect here, or has another name now.
    Note,
    /// The value is not used.
    Warning,
    /// The configuration is not used.
    Error,
}

/// Something that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub origin: Origin,
    /// The key, with points between its names; empty when it is the whole file.
    pub key: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, key, message, severity: _ } = self;
        if key.is_empty() {
            write!(f, "{origin}: {message}")
        } else {
            write!(f, "{origin}: `{key}` {message}")
        }
    }
}

impl Severity {
    /// Returns its name in output for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}
