//! Bytes in, lines out, however the bytes are cut: the ground under server-sent events and under JSON lines.

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
    /// The last line ended with CR: a line feed right behind belongs to it.
    after_cr: bool,
    /// The first line has been seen.
    begun: bool,
}

impl Lines {
    /// Reads more of the body, and hands over each line that ends in it.
    pub fn push<E: From<LineTooLong>>(
        &mut self,
        mut bytes: &[u8],
        mut line: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if bytes.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.after_cr) {
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = memchr2(b'\r', b'\n', bytes) {
            let (mut found, rest) = bytes.split_at(end);
            let crlf = rest.starts_with(b"\r\n");
            self.after_cr = rest == b"\r";
            bytes = rest.get(if crlf { 2 } else { 1 }..).unwrap_or_default();
            let whole;
            if !self.partial.is_empty() {
                whole = self.completed(found)?;
                found = &whole;
            }
            if found.len() > LONGEST_LINE {
                return Err(LineTooLong.into());
            }
            line(self.without_mark(found))?;
        }
        if self.partial.len() + bytes.len() > LONGEST_LINE {
            return Err(LineTooLong.into());
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }

    /// Takes the last line, which never came to its end.
    pub fn rest(&mut self) -> Option<Vec<u8>> {
        let rest = std::mem::take(&mut self.partial);
        (!rest.is_empty()).then(|| self.without_mark(&rest).to_vec())
    }

    fn completed(&mut self, end: &[u8]) -> Result<Vec<u8>, LineTooLong> {
        let mut whole = std::mem::take(&mut self.partial);
        if whole.len() + end.len() > LONGEST_LINE {
            return Err(LineTooLong);
        }
        whole.extend_from_slice(end);
        Ok(whole)
    }

    fn without_mark<'a>(&mut self, line: &'a [u8]) -> &'a [u8] {
        if std::mem::replace(&mut self.begun, true) {
            return line;
        }
        line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
    }
}

#[cfg(test)]
mod tests;
