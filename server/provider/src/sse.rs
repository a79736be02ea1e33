//! Server-sent events: bytes in, events out, by the rules of the HTML standard (section 9.2.6), cut anywhere.

use crate::lines::{LONGEST_LINE, LineTooLong, Lines, text};

/// Decodes the body of a `text/event-stream`.
///
/// Comments, types of events, unknown fields, `id` and `retry` are left out: every model's stream says in its data what it is, and
/// none is taken up again where it broke.
#[derive(Debug, Default)]
pub struct Sse {
    lines: Lines,
    /// The data of the event that has begun; its lines are joined by line feeds.
    data: Vec<u8>,
    /// A line of data was seen, even an empty one.
    has_data: bool,
}

impl Sse {
    /// Reads more of the body, and hands over the data of each event that ends in it.
    pub fn push<E: From<LineTooLong>>(
        &mut self,
        mut bytes: &[u8],
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { lines, data, has_data } = self;
        while let Some(line) = lines.next(&mut bytes)? {
            if line.is_empty() {
                if !data.is_empty() {
                    each(data)?;
                }
                data.clear();
                *has_data = false;
            } else if let Some(value) = value(line) {
                let end = bytes.strip_prefix(b"\n").or(bytes.strip_prefix(b"\r\n"));
                // Nearly always an event has one line of data, and its end is here too: then nothing is copied.
                if let Some(rest) = end
                    && !*has_data
                {
                    bytes = rest;
                    if !value.is_empty() {
                        each(value)?;
                    }
                } else {
                    add(value, data, has_data)?;
                }
            }
        }
        Ok(())
    }

    /// Takes the data of the event at the end of the body that no empty line ended.
    ///
    /// By the standard it is no event. For a model's stream that is too strict, as servers leave out the last line feeds; what
    /// was really cut is no complete JSON, and is found so.
    pub fn rest(&mut self) -> Option<String> {
        let Self { lines, data, has_data } = self;
        if let Some(line) = lines.rest()
            && let Some(value) = value(&line)
            && add(value, data, has_data).is_err()
        {
            return None;
        }
        *has_data = false;
        let data = std::mem::take(data);
        (!data.is_empty()).then(|| text(&data).into_owned())
    }
}

/// Returns what a line of data says.
fn value(line: &[u8]) -> Option<&[u8]> {
    let value = match line.strip_prefix(b"data")? {
        [] => &[],
        [b':', b' ', value @ ..] | [b':', value @ ..] => value,
        _ => return None,
    };
    Some(value)
}

fn add(value: &[u8], data: &mut Vec<u8>, has_data: &mut bool) -> Result<(), LineTooLong> {
    if data.len() + value.len() > LONGEST_LINE {
        return Err(LineTooLong);
    }
    if std::mem::replace(has_data, true) {
        data.push(b'\n');
    }
    data.extend_from_slice(value);
    Ok(())
}

#[cfg(test)]
mod tests;
