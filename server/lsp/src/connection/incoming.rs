//! Tells what a message body is, and what to answer if it is nothing.

use serde_json::Value;
use tower_lsp::jsonrpc::{Error, Id};

use crate::client::RequestError;

/// One message of the client.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A request (with an id) or a notification.
    Call(Call),
    /// An answer to a request of ours.
    Answer {
        /// Whatever the client sent as id.
        id: Value,
        /// The result, or the client's error.
        outcome: Result<Value, RequestError>,
    },
    /// Something else, to be answered with this error.
    Invalid {
        /// The id as far as it could be read, else null.
        id: Id,
        /// -32700 or -32600.
        error: Error,
    },
}

/// A request or a notification.
#[derive(Debug)]
pub(super) struct Call {
    /// Absent in a notification.
    pub(super) id: Option<Id>,
    /// As the client spelled it.
    pub(super) method: String,
    /// Of any JSON type; absent if the client left them out.
    pub(super) params: Option<Value>,
}

/// Reads a message body.
///
/// `serde_json` ends at a depth of 128, so that no body can exhaust the stack.
pub(super) fn read(mut body: Vec<u8>) -> Incoming {
    let parsed = match serde_json::from_slice(&body) {
        Err(_) if replace_lone_surrogates(&mut body) => serde_json::from_slice(&body),
        parsed => parsed,
    };
    match parsed {
        Ok(Value::Object(message)) => read_object(message),
        Ok(Value::Array(_)) => invalid(Id::Null, "batches are not part of the protocol"),
        Ok(_) => invalid(Id::Null, "a message is an object"),
        Err(error) => {
            Incoming::Invalid { id: Id::Null, error: with_message(Error::parse_error(), error.to_string()) }
        }
    }
}

fn read_object(mut message: serde_json::Map<String, Value>) -> Incoming {
    let id = message.remove("id");
    let Some(method) = message.remove("method") else {
        return match (id, message.remove("result"), message.remove("error")) {
            (id, None, None) => invalid(readable(id), "a message has a method, a result or an error"),
            (id, result, error) => {
                Incoming::Answer { id: id.unwrap_or_default(), outcome: outcome(result, error) }
            }
        };
    };
    let id = match id {
        None => None,
        id => match readable(id) {
            Id::Null => return invalid(Id::Null, "the id of a request is an integer or a string"),
            id => Some(id),
        },
    };
    match method {
        _ if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") => {
            invalid(id.unwrap_or_default(), "jsonrpc must be \"2.0\"")
        }
        Value::String(method) => Incoming::Call(Call { id, method, params: message.remove("params") }),
        _ => invalid(id.unwrap_or_default(), "a method is a string"),
    }
}

/// Returns the id if it is one, else null: no fractions, and nothing beyond 64 bits.
fn readable(id: Option<Value>) -> Id {
    match id {
        Some(Value::Number(number)) => number.as_i64().map_or(Id::Null, Id::Number),
        Some(Value::String(id)) => Id::String(id),
        _ => Id::Null,
    }
}

fn outcome(result: Option<Value>, error: Option<Value>) -> Result<Value, RequestError> {
    let refused = |code, message: &str| Err(RequestError::Refused { code, message: message.to_owned() });
    match (result, error) {
        // Some clients send both members and set the one they do not mean to null.
        (result, None | Some(Value::Null)) => Ok(result.unwrap_or_default()),
        (None | Some(Value::Null), Some(error)) => {
            let code = error.get("code").and_then(Value::as_i64);
            let message = error.get("message").and_then(Value::as_str);
            match (code, message) {
                (Some(code), Some(message)) => refused(code, message),
                _ => refused(-32603, &format!("malformed error: {error}")),
            }
        }
        (Some(_), Some(_)) => refused(-32603, "the answer has both a result and an error"),
    }
}

fn invalid(id: Id, why: &str) -> Incoming {
    Incoming::Invalid { id, error: with_message(Error::invalid_request(), why.to_owned()) }
}

fn with_message(mut error: Error, message: String) -> Error {
    error.message = message.into();
    error
}

/// Replaces the escapes of lone surrogates by `\uFFFD` and says whether there were any.
///
/// JavaScript strings may hold them and `JSON.stringify` writes them, so that text with half an emoji reaches us in this
/// form. The replacement has the same length in UTF-16 and in bytes of the body, hence positions still agree.
fn replace_lone_surrogates(body: &mut [u8]) -> bool {
    let mut replaced = false;
    let mut at = 0;
    while let Some(found) = body.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        at += found;
        at += match (code_unit(body, at), code_unit(body, at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                if let Some(digits) = body.get_mut(at + 2..at + 6) {
                    digits.copy_from_slice(b"FFFD");
                    replaced = true;
                }
                6
            }
            // The backslash and what it escapes.
            _ => 2,
        };
    }
    replaced
}

/// Returns the UTF-16 code unit that is escaped at `at`.
fn code_unit(body: &[u8], at: usize) -> Option<u16> {
    let digits = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let digits =
        str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests;
