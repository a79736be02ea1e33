//! Cuts what the client sends into message bodies, whatever stands between them.
//!
//! The format is the base protocol of LSP 3.17 ("Header Part"). Lines may end in a bare line feed, header names are read
//! in any case, and what is no header is skipped. `Content-Type` is not looked at: a body that is not UTF-8 fails to
//! parse, which is answered.

use std::io::{self, Read};
use std::ops::Range;

use thiserror::Error;

/// The most bytes that may stand between two message bodies.
pub(crate) const HEADER_LIMIT: usize = 8 * 1024;

/// The longest message body, in bytes.
pub(crate) const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// How much is read at once, in bytes: as much as a pipe holds on Linux.
const CHUNK: usize = 64 * 1024;

const CONTENT_LENGTH: &[u8] = b"content-length";

/// Why nothing more can be read from a client.
#[derive(Debug, Error)]
pub(crate) enum FrameError {
    /// Nothing tells where the next message begins.
    #[error("no complete message header within {HEADER_LIMIT} bytes")]
    NoHeader,
    /// The announced body is over [`BODY_LIMIT`].
    #[error("message of {0} bytes announced, more than the limit of {BODY_LIMIT}")]
    TooLong(String),
    /// One header names two lengths, and either may be meant.
    #[error("two different Content-Length headers in one message: {0} and {1}")]
    TwoLengths(usize, usize),
    /// The pipe is broken.
    #[error("cannot read from the client: {0}")]
    Io(#[from] io::Error),
}

/// The state between two pieces of input; the pieces may be cut anywhere.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// Bytes taken since the last body, the unfinished line included.
    between: usize,
    /// The unfinished header line.
    line: Vec<u8>,
    /// What the header block has announced so far.
    length: Option<usize>,
    /// How much of the body is still to come, once its header is complete.
    missing: Option<usize>,
    /// Grows with what has arrived, never to what was announced.
    body: Vec<u8>,
}

impl Decoder {
    /// Takes bytes from the front of `input` until a body is complete, or all of them.
    pub(crate) fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
        loop {
            if let Some(missing) = self.missing {
                let taken = take(input, missing);
                self.body.extend_from_slice(taken);
                self.missing = Some(missing - taken.len()).filter(|missing| *missing > 0);
                return Ok(self.missing.is_none().then(|| std::mem::take(&mut self.body)));
            }
            let newline = input.iter().position(|byte| *byte == b'\n');
            let piece = take(input, newline.map_or(input.len(), |at| at + 1));
            self.between += piece.len();
            if self.between > HEADER_LIMIT {
                return Err(FrameError::NoHeader);
            }
            self.line.extend_from_slice(piece);
            if newline.is_none() {
                return Ok(None);
            }
            self.end_line()?;
        }
    }

    /// Says whether the input may end here without a message being lost.
    pub(crate) fn is_between_messages(&self) -> bool {
        self.missing.is_none() && self.length.is_none() && self.line.is_empty()
    }

    fn end_line(&mut self) -> Result<(), FrameError> {
        let line = std::mem::take(&mut self.line);
        let line = line.trim_ascii();
        if line.is_empty() {
            // A blank line with no length before it is junk.
            if let Some(length) = self.length.take() {
                self.missing = Some(length);
                self.between = 0;
            }
        } else if let Some(value) = length_value(line) {
            match (parse_length(value)?, self.length) {
                (Some(new), Some(old)) if new != old => return Err(FrameError::TwoLengths(old, new)),
                // What is no number is junk; the body behind it is too, up to the next header.
                (new, _) => self.length = new,
            }
        }
        Ok(())
    }
}

/// Returns the value of the last `Content-Length` in a line.
///
/// It may stand behind junk: after a message whose length was too small, the next header begins in the middle of a line.
fn length_value(line: &[u8]) -> Option<&[u8]> {
    let name =
        line.windows(CONTENT_LENGTH.len()).rposition(|window| window.eq_ignore_ascii_case(CONTENT_LENGTH))?;
    let rest = line.get(name + CONTENT_LENGTH.len()..)?.trim_ascii_start();
    rest.strip_prefix(b":")
}

/// Returns `None` for what is not a number, a signed number included.
fn parse_length(value: &[u8]) -> Result<Option<usize>, FrameError> {
    let Ok(digits) = str::from_utf8(value.trim_ascii()) else { return Ok(None) };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    match digits.parse() {
        Ok(length) if length <= BODY_LIMIT => Ok(Some(length)),
        // Digits that do not parse are too many.
        _ => Err(FrameError::TooLong(digits.to_owned())),
    }
}

fn take<'a>(input: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = input.split_at_checked(count).unwrap_or((*input, &[]));
    *input = rest;
    taken
}

/// Reads message bodies from a pipe.
#[derive(Debug)]
pub(crate) struct FrameReader<R> {
    input: R,
    decoder: Decoder,
    chunk: Vec<u8>,
    /// Where in `chunk` the bytes are that were not yet decoded.
    unread: Range<usize>,
}

impl<R: Read> FrameReader<R> {
    /// Returns a reader at the beginning of a message.
    pub(crate) fn new(input: R) -> Self {
        Self { input, decoder: Decoder::default(), chunk: vec![0; CHUNK], unread: 0..0 }
    }

    /// Waits for the next body; `None` at the end of the input.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        loop {
            let mut unread = self.chunk.get(self.unread.clone()).unwrap_or_default();
            let body = self.decoder.decode(&mut unread)?;
            self.unread.start = self.unread.end - unread.len();
            if body.is_some() {
                return Ok(body);
            }
            self.unread = 0..match self.input.read(&mut self.chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
                Ok(0) => {
                    if !self.decoder.is_between_messages() {
                        tracing::warn!("the input ended in the middle of a message");
                    }
                    return Ok(None);
                }
                read => read?,
            };
        }
    }
}

#[cfg(test)]
mod tests;
