//! Bytes in, lines out, however the bytes are cut: the ground under server-sent events and under JSON lines.

use std::borrow::Cow;

use memchr::memchr2;

/// The longest line that is read, in bytes. Ollama's own client reads no longer ones either.
pub const LONGEST_LINE: usize = 8 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A line has more than [`LONGEST_LINE`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a line of the answer is longer than {LONGEST_LINE} bytes")]
pub struct LineTooLong;

/// Cuts a body into lines that end with CR, LF or CRLF. A byte order mark at the start is left out.
///
/// A line without an end is kept until its end arrives; memory is bounded by [`LONGEST_LINE`].
#[derive(Debug, Default)]
pub struct Lines {
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
    /// The partial line came to its end and was handed over.
    is_told: bool,
    /// The last line ended with CR: a line feed right behind belongs to it.
    after_cr: bool,
    /// The first line has been seen.
    begun: bool,
}

impl Lines {
    /// Takes the next line that ends in more of the body; keeps what is left when none does.
    ///
    /// A line that is whole in there is not copied.
    pub fn next<'a, 'b: 'a>(&'a mut self, bytes: &mut &'b [u8]) -> Result<Option<&'a [u8]>, LineTooLong> {
        if std::mem::take(&mut self.is_told) {
            self.partial.clear();
        }
        if self.after_cr && !bytes.is_empty() {
            self.after_cr = false;
            *bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        let end = memchr2(b'\r', b'\n', bytes);
        let (found, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        if self.partial.len() + found.len() > LONGEST_LINE {
            return Err(LineTooLong);
        }
        *bytes = rest.strip_prefix(b"\r\n").or(rest.get(1..)).unwrap_or_default();
        if end.is_none() {
            self.partial.extend_from_slice(found);
            return Ok(None);
        }
        self.after_cr = rest == b"\r";
        let is_first = !std::mem::replace(&mut self.begun, true);
        let line = if self.partial.is_empty() {
            found
        } else {
            self.partial.extend_from_slice(found);
            self.is_told = true;
            &self.partial
        };
        Ok(Some(if is_first { without_mark(line) } else { line }))
    }

    /// Takes the last line, which never came to its end.
    pub fn rest(&mut self) -> Option<Vec<u8>> {
        if std::mem::take(&mut self.is_told) {
            self.partial.clear();
        }
        let rest = std::mem::take(&mut self.partial);
        let is_first = !std::mem::replace(&mut self.begun, true);
        (!rest.is_empty()).then(|| if is_first { without_mark(&rest).to_vec() } else { rest })
    }
}

fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
}

/// Returns bytes as text; those that are no UTF-8 become U+FFFD.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    // Of good bytes this is told several times faster than `from_utf8_lossy` tells it.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

#[cfg(test)]
mod tests;
