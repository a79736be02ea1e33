//! Why a command of the command line failed.

use std::fmt;

use kkcode_core::effect::Refusal;
use kkcode_protocol::outcome::ErrorInfo;

/// Why a command failed: a class for programs, a message for people, and whether it was used wrongly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The class and the message, as `--json` prints them.
    pub(crate) error: ErrorInfo,
    /// The exit code: 1 failed, 2 used wrongly.
    pub(crate) code: u8,
}

impl Failure {
    /// Makes a failure of this class: something did not work.
    pub(crate) fn new(class: &str, message: impl fmt::Display) -> Self {
        Self { error: ErrorInfo { class: class.to_owned(), message: message.to_string() }, code: 1 }
    }

    /// Makes the failure of a command that was used wrongly.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self { code: 2, ..Self::new("usage", message) }
    }

    /// Makes the failure of naming something that is not there.
    pub(crate) fn unknown(what: &'static str, id: &str) -> Self {
        Refusal::Unknown { what, id: id.to_owned() }.into()
    }

    /// Makes a failure that is our fault.
    pub(crate) fn internal(error: &dyn fmt::Display) -> Self {
        tracing::error!(%error, "a command failed by our fault");
        Self::new("internal", "internal error, see the log on stderr")
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let class = match refusal {
            Refusal::Unknown { .. } => "unknown",
            Refusal::NotWritten(_) => "not_written",
            Refusal::NotStored(_) => "store",
            _ => "refused",
        };
        Self::new(class, refusal)
    }
}

/// What did not come out of stdout.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new("output", format!("stdout takes nothing more: {error}"))
    }
}
