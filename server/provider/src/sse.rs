//! Server-sent events: bytes in, events out, by the rules of the HTML standard (section 9.2.6), cut anywhere.

use crate::lines::{LONGEST_LINE, LineTooLong, Lines};

/// Decodes the body of a `text/event-stream`.
///
/// Comments, unknown fields, `id` and `retry` are left out: no model's stream is taken up again where it broke. Bytes that are
/// no UTF-8 become U+FFFD, once a line is complete.
#[derive(Debug, Default)]
pub struct Sse {
    lines: Lines,
    event: Event,
}

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its type; empty if the stream does not say.
    pub name: String,
    /// Its lines of data, joined by line feeds.
    pub data: String,
    /// A line of data was seen, even an empty one.
    has_data: bool,
}

impl Sse {
    /// Reads more of the body, and hands over each event that ends in it.
    pub fn push<E: From<LineTooLong>>(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&Event) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { lines, event } = self;
        lines.push(bytes, |line| {
            if !line.is_empty() {
                return Ok(event.line(line)?);
            }
            if !event.data.is_empty() {
                each(event)?;
            }
            event.clear();
            Ok(())
        })
    }

    /// Takes the event at the end of the body that no empty line ended.
    ///
    /// By the standard it is no event. For a model's stream that is too strict, as servers leave out the last line feeds; what
    /// was really cut is no complete JSON, and is found so.
    pub fn rest(&mut self) -> Option<Event> {
        if let Some(line) = self.lines.rest()
            && self.event.line(&line).is_err()
        {
            return None;
        }
        let event = std::mem::take(&mut self.event);
        (!event.data.is_empty()).then_some(event)
    }
}

impl Event {
    fn line(&mut self, line: &[u8]) -> Result<(), LineTooLong> {
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if self.data.len() + value.len() > LONGEST_LINE {
                    return Err(LineTooLong);
                }
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(&String::from_utf8_lossy(value));
            }
            b"event" => {
                self.name.clear();
                self.name.push_str(&String::from_utf8_lossy(value));
            }
            _ => {}
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.name.clear();
        self.data.clear();
        self.has_data = false;
    }
}

#[cfg(test)]
mod tests;
