//! A text as lines, each with its own ending, and what of a line counts when two are compared.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use ropey::Rope;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::text::BOM;

/// Names a text by its content: the SHA-256 of its bytes, in lower-case hexadecimal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TextHash(Arc<str>);

/// An unchanging text, split into lines.
#[derive(Clone, PartialEq, Eq)]
pub struct Lines {
    text: Arc<str>,
    /// Where each line starts, and last where the text ends.
    bounds: Vec<usize>,
}

/// What of a line counts when two lines are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// All but its ending and a byte order mark: those are the editor's in an open buffer.
    Content,
    /// Every byte: for a change that is about nothing but endings.
    Exact,
}

impl TextHash {
    /// Returns the name of a text.
    pub fn of(text: &str) -> Self {
        Self(hex(&Sha256::digest(text.as_bytes())).into())
    }

    /// Wraps a name that was given before.
    pub fn from_hex(hex: impl Into<Arc<str>>) -> Self {
        Self(hex.into())
    }

    /// Returns the 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TextHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get(..12).unwrap_or(&self.0))
    }
}

impl Lines {
    /// Splits a text behind every `\n`, `\r\n` and `\r`. A last line without an ending counts, an empty one does not.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let mut bounds = vec![0];
        bounds.extend(line_ends(&text));
        Self { text, bounds }
    }

    /// Splits the text of a document.
    pub fn of_rope(text: &Rope) -> Self {
        Self::new(text.to_string())
    }

    /// Returns the whole text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Returns how many lines there are.
    pub fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    /// Tells whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the bytes of some lines, clamped to those there are.
    pub fn slice(&self, lines: Range<usize>) -> &str {
        let bound = |line: usize| self.bounds.get(line).copied().unwrap_or(self.text.len());
        self.text.get(bound(lines.start)..bound(lines.end)).unwrap_or_default()
    }

    /// Returns the lines one by one, with their endings.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        (0..self.len()).map(|line| self.slice(line..line + 1))
    }

    /// Returns what counts of each line.
    pub fn keys(&self, compare: Compare) -> Vec<String> {
        keys(self.iter(), compare)
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Returns what counts of each of the given lines.
pub fn keys<'a>(lines: impl IntoIterator<Item = &'a str>, compare: Compare) -> Vec<String> {
    lines.into_iter().map(|line| compare.key(line).to_owned()).collect()
}

/// Returns the lines of a text, with their endings.
pub fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut start = 0;
    line_ends(text).map(move |end| {
        let line = text.get(start..end).unwrap_or_default();
        start = end;
        line
    })
}

/// Returns a line's ending: `\n`, `\r\n`, `\r` or nothing.
pub fn ending(line: &str) -> &str {
    let content = line.trim_end_matches('\n').trim_end_matches('\r').len();
    line.get(content..).unwrap_or_default()
}

/// Returns lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        // Writing to a string does not fail.
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

impl Compare {
    /// Returns what counts of a line.
    pub fn key(self, line: &str) -> &str {
        match self {
            Self::Exact => line,
            Self::Content => {
                let line = line.strip_prefix(BOM).unwrap_or(line);
                line.strip_suffix(ending(line)).unwrap_or(line)
            }
        }
    }
}

fn line_ends(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        at += match rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            None => rest.len(),
            Some(end) if rest.get(end..end + 2) == Some(b"\r\n") => end + 2,
            Some(end) => end + 1,
        };
        Some(at)
    })
}

#[cfg(test)]
mod tests;
