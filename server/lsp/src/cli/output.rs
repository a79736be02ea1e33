//! How commands print: text for people, or one JSON value, on stdout; errors on stderr.

use std::borrow::Cow;
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

/// The colours of a terminal that we use, the end of them first.
const CODES: [&str; 9] = ["0", "1", "2", "31", "32", "33", "36", "1;30;42", "1;37;41"];

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
        let [_, bold, dim, red, green, yellow, cyan, strong_green, strong_red] = CODES;
        let code = match style {
            Style::Bold => bold,
            Style::Dim => dim,
            Style::Red => red,
            Style::Green => green,
            Style::Yellow => yellow,
            Style::Cyan => cyan,
            Style::StrongGreen => strong_green,
            Style::StrongRed => strong_red,
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

/// Writes text to stdout at once: as it is, but on a terminal so that nothing in it is obeyed.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    let text = if is_watched() { shown(text) } else { text.into() };
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // `kkcode-lsp … | head` is no failure.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Says something on stderr, beside the result; on a terminal so that nothing in it is obeyed.
pub(crate) fn note(text: &str) {
    let text = if io::stderr().is_terminal() { shown(text) } else { text.into() };
    if let Err(error) = writeln!(io::stderr().lock(), "{text}") {
        tracing::debug!(%error, "nobody reads stderr");
    }
}

/// Returns a text for a terminal: what would move its cursor, change its title or turn the order of what is read is shown as a
/// character in its place. Names and replies come from models and repositories. Our own colours stay.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    let is_obeyed = |char: char| {
        char.is_control() && char != '\n' && char != '\t'
            || matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(is_obeyed) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_obeyed) {
        let (before, from) = rest.split_at(at);
        shown.push_str(before);
        let color = CODES.iter().map(|code| format!("\u{1b}[{code}m")).find(|color| from.starts_with(color));
        if let Some(color) = color {
            shown.push_str(&color);
            rest = from.get(color.len()..).unwrap_or_default();
            continue;
        }
        let mut chars = from.chars();
        shown.extend(chars.next().map(|char| match u32::from(char) {
            code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or(char::REPLACEMENT_CHARACTER),
            0x7f => '\u{2421}',
            _ => char::REPLACEMENT_CHARACTER,
        }));
        rest = chars.as_str();
    }
    shown.push_str(rest);
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_on_a_terminal_is_obeyed_but_our_own_colours() {
        let ours = Output { json: false, color: true }.paint(Style::StrongRed, "two");
        assert_eq!(shown(&ours), ours);
        assert_eq!(shown("plain\ttext\n"), "plain\ttext\n");
        let hostile = "a\u{1b}[2Jb\u{1b}]0;title\u{7}\r\u{1b}[8mc\u{9b}31m\u{202e}d\u{7f}";
        assert_eq!(shown(hostile), "a␛[2Jb␛]0;title␇␍␛[8mc\u{fffd}31m\u{fffd}d␡");
    }
}
