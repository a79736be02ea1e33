//! How commands print: text for people, or one JSON value, on stdout; errors on stderr.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

use kkcode_protocol::cli::ErrorReport;
use serde::Serialize;

use super::failure::Failure;

/// What a command ends with; its exit code when it is done, which is nearly always 0.
pub(crate) type Outcome = Result<u8, Failure>;

/// Where a command prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
    color: bool,
}

/// What a piece of text is, for a terminal with colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// A heading, a name.
    Bold,
    /// What matters less.
    Dim,
    /// What comes in, what went well.
    Green,
    /// What goes out, what went wrong.
    Red,
    /// Where something is.
    Cyan,
    /// What waits for the user.
    Yellow,
    /// The words that come in, in a line that does.
    StrongGreen,
    /// The words that go out, in a line that does.
    StrongRed,
}

impl Output {
    /// Prints JSON if `json`, else text; with colours on a terminal, unless `NO_COLOR` is set (no-color.org) or the
    /// terminal has none.
    pub(crate) fn new(json: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { json, color: !json && io::stdout().is_terminal() && !set("NO_COLOR") && !dumb }
    }

    /// Tells whether JSON is wanted.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Prints a result: as JSON on one line, or as the text that `text` makes.
    pub(crate) fn print(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json {
            let json = serde_json::to_string(value).map_err(|error| Failure::internal(&error))?;
            write(&format!("{json}\n"))
        } else {
            write(&text())
        }
    }

    /// Returns the text in a style, where there are colours.
    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let code = match style {
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Red => "31",
            Style::Green => "32",
            Style::Yellow => "33",
            Style::Cyan => "36",
            Style::StrongGreen => "1;30;42",
            Style::StrongRed => "1;37;41",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// Says on stderr why a command failed, if it did, and returns the exit code.
    pub(crate) fn end(self, outcome: Outcome) -> u8 {
        let failure = match outcome {
            Ok(code) => return code,
            Err(failure) => failure,
        };
        let text = if self.json {
            let report = ErrorReport { error: failure.error };
            serde_json::to_string(&report).unwrap_or(report.error.message)
        } else {
            format!("error: {}", failure.error.message)
        };
        note(&text);
        failure.code
    }
}

/// Tells whether somebody watches stdout.
pub(crate) fn is_watched() -> bool {
    io::stdout().is_terminal()
}

/// Writes text to stdout as it is, at once.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // `kkcode-lsp … | head` is no failure.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Says something on stderr, beside the result.
pub(crate) fn note(text: &str) {
    if let Err(error) = writeln!(io::stderr().lock(), "{text}") {
        tracing::debug!(%error, "nobody reads stderr");
    }
}
