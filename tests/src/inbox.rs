//! What a server has sent and nobody has read yet.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};

use crate::DEADLINE;

/// An error that answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseError {
    /// The JSON-RPC code.
    pub code: i64,
    /// The message for the user.
    pub message: String,
}

impl ResponseError {
    /// Returns an error as a client sends it.
    pub fn new(code: i64, message: &str) -> Self {
        Self { code, message: message.to_owned() }
    }
}

impl fmt::Display for ResponseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.message, self.code)
    }
}

/// One message of a server.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// An answer to a request of ours; its id is null if the server could not read ours.
    Response {
        /// The id that it answers.
        id: Value,
        /// The result or the error.
        outcome: Result<Value, ResponseError>,
    },
    /// Something the server asks us.
    Request {
        /// To be repeated in the answer.
        id: Value,
        /// The name of the method.
        method: String,
        /// Null if there are none.
        params: Value,
    },
    /// Something the server tells us.
    Notification {
        /// The name of the method.
        method: String,
        /// Null if there are none.
        params: Value,
    },
}

impl Message {
    /// Reads a message; fails if it is none of the three.
    pub(crate) fn read(message: &Value) -> Result<Self, String> {
        let part = |name| message.get(name).cloned();
        match (part("id"), part("method"), part("result"), part("error")) {
            (Some(id), None, Some(result), None) => Ok(Self::Response { id, outcome: Ok(result) }),
            (Some(id), None, None, Some(error)) => {
                let code = error.get("code").and_then(Value::as_i64);
                let text = error.get("message").and_then(Value::as_str);
                let (Some(code), Some(text)) = (code, text) else {
                    return Err(format!("bad error: {message}"));
                };
                Ok(Self::Response { id, outcome: Err(ResponseError::new(code, text)) })
            }
            (Some(id), Some(Value::String(method)), None, None) => {
                Ok(Self::Request { id, method, params: part("params").unwrap_or_default() })
            }
            (None, Some(Value::String(method)), None, None) => {
                Ok(Self::Notification { method, params: part("params").unwrap_or_default() })
            }
            _ => Err(format!("neither request, notification nor response: {message}")),
        }
    }

    /// Returns the method of a request or notification.
    pub fn method(&self) -> Option<&str> {
        match self {
            Self::Response { .. } => None,
            Self::Request { method, .. } | Self::Notification { method, .. } => Some(method),
        }
    }
}

/// Returns the answer to a request of the server.
pub(crate) fn answer(id: &Value, outcome: Result<Value, ResponseError>) -> Value {
    match outcome {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(error) => {
            json!({"jsonrpc": "2.0", "id": id, "error": {"code": error.code, "message": error.message}})
        }
    }
}

/// The messages nobody has read, shared with the thread that receives them.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<Message>,
    /// What the server wrote that is no message.
    violations: Vec<String>,
    ended: bool,
}

impl Inbox {
    pub(crate) fn push(&self, message: Message) {
        self.state().messages.push_back(message);
        self.changed.notify_all();
    }

    pub(crate) fn complain(&self, violation: String) {
        self.state().violations.push(violation);
        self.changed.notify_all();
    }

    /// Notes that the output has ended.
    pub(crate) fn end(&self) {
        self.state().ended = true;
        self.changed.notify_all();
    }

    /// Waits for the first message that `wanted` takes, and removes it; fails with what was there instead.
    pub(crate) fn take<T>(&self, mut wanted: impl FnMut(&Message) -> Option<T>) -> Result<T, String> {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.state();
        let mut seen = 0;
        loop {
            while let Some(message) = state.messages.get(seen) {
                if let Some(found) = wanted(message) {
                    state.messages.remove(seen);
                    return Ok(found);
                }
                seen += 1;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.ended || !state.violations.is_empty() || left.is_zero() {
                let why = if state.ended { "the server has ended" } else { "nothing came" };
                return Err(format!(
                    "{why}; unread: {:#?}; not messages: {:#?}",
                    state.messages, state.violations
                ));
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the output has ended; returns whether it did.
    pub(crate) fn wait_end(&self) -> bool {
        let state = self.state();
        let waited = self.changed.wait_timeout_while(state, DEADLINE, |state| !state.ended);
        waited.unwrap_or_else(PoisonError::into_inner).0.ended
    }

    /// Returns and removes all messages that are there.
    pub(crate) fn drain(&self) -> Vec<Message> {
        self.state().messages.drain(..).collect()
    }

    /// Takes back the complaint about a last message that was cut: its sender was killed.
    pub(crate) fn forgive_cut_message(&self) {
        let mut state = self.state();
        if state.violations.last().is_some_and(|violation| violation.contains("ends after")) {
            state.violations.pop();
        }
    }

    /// Returns what the server wrote that is no message.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
