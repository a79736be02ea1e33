//! Positions: what an editor calls a line and a character, and where that is in the bytes.
//!
//! Lines end with `\n`, `\r\n` or `\r` and nothing else (LSP 3.17, "Text Documents"). A byte order mark is part of the
//! first line's bytes but never of its positions.

use ropey::Rope;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The unit in which a client counts characters within a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PositionEncoding {
    /// Bytes of UTF-8.
    Utf8,
    /// Code units of UTF-16, the protocol's default.
    #[default]
    Utf16,
    /// Code points.
    Utf32,
}

/// A place in a text as the editor names it: zero-based line, and character in the negotiated encoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Zero-based line.
    pub line: u32,
    /// Zero-based offset in the line, in units of the negotiated encoding.
    pub character: u32,
}

/// A half-open range of positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TextRange {
    /// The first position of the range.
    pub start: Position,
    /// The position behind the range.
    pub end: Position,
}

/// A change that cannot be applied to the text.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RangeError {
    /// The end lies before the start.
    #[error("range ends at {}:{} before it starts at {}:{}", .0.end.line, .0.end.character, .0.start.line, .0.start.character)]
    Reversed(TextRange),
}

/// The byte order mark, as a character.
pub const BOM: char = '\u{feff}';

impl Position {
    /// Makes a position.
    pub fn new(line: u32, character: u32) -> Self {
        Self { line, character }
    }

    /// Returns the offset of this position in characters of `text`.
    ///
    /// A character behind the end of its line means the end of the line, before its ending (LSP 3.17, "Position"); a
    /// line behind the last means the end of the text; a position inside a character means the start of that character.
    pub fn to_char(self, text: &Rope, encoding: PositionEncoding) -> usize {
        let line = usize::try_from(self.line).unwrap_or(usize::MAX);
        if line >= text.len_lines() {
            return text.len_chars();
        }
        let start = text.line_to_char(line);
        let mut units = 0_u64;
        let mut offset = start;
        let wanted = u64::from(self.character);
        for (index, c) in text.line(line).chars().enumerate() {
            if line == 0 && index == 0 && c == BOM {
                offset += 1;
                continue;
            }
            if c == '\n' || c == '\r' {
                break;
            }
            units += encoding.units(c);
            if units > wanted {
                break;
            }
            offset += 1;
        }
        offset
    }

    /// Returns the position of a character offset, which is clamped to the end of `text`.
    pub fn from_char(text: &Rope, offset: usize, encoding: PositionEncoding) -> Self {
        let offset = offset.min(text.len_chars());
        let line = text.char_to_line(offset);
        let start = text.line_to_char(line);
        let units: u64 = text
            .slice(start..offset)
            .chars()
            .enumerate()
            .filter(|(index, c)| !(line == 0 && *index == 0 && *c == BOM))
            .map(|(_, c)| encoding.units(c))
            .sum();
        Self { line: saturate(line), character: u32::try_from(units).unwrap_or(u32::MAX) }
    }
}

impl TextRange {
    /// Makes a range.
    pub fn new(start: Position, end: Position) -> Self {
        Self { start, end }
    }

    /// Returns the range as offsets in characters of `text`.
    pub fn to_chars(
        self,
        text: &Rope,
        encoding: PositionEncoding,
    ) -> Result<std::ops::Range<usize>, RangeError> {
        if self.end < self.start {
            return Err(RangeError::Reversed(self));
        }
        Ok(self.start.to_char(text, encoding)..self.end.to_char(text, encoding))
    }

    /// Tells whether the two ranges share a position, their edges included.
    pub fn touches(&self, other: &Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }
}

impl PositionEncoding {
    /// Returns how long a text is in this unit.
    pub fn length(self, text: &str) -> u64 {
        match self {
            Self::Utf8 => text.len() as u64,
            Self::Utf16 | Self::Utf32 => text.chars().map(|c| self.units(c)).sum(),
        }
    }

    fn units(self, c: char) -> u64 {
        match self {
            Self::Utf8 => c.len_utf8() as u64,
            Self::Utf16 => c.len_utf16() as u64,
            Self::Utf32 => 1,
        }
    }
}

fn saturate(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
