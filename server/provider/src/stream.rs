//! What comes back from a model: one stream of events, whatever the wire format.

use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::request::{Request, ToolCall};

/// One thing that a model says.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent {
    /// More text.
    Text(String),
    /// More of what it thinks.
    Thinking(String),
    /// A tool is to be called; the input is complete.
    ToolCall(ToolCall),
    /// Tokens used, added to those told before.
    Usage(Usage),
    /// The model has come to its end. Nothing follows. A stream that closes without this was cut off.
    Stop(StopReason),
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It had nothing more to say.
    EndTurn,
    /// Its output limit was reached.
    MaxTokens,
    /// It waits for results of tools.
    ToolUse,
    /// It declined to answer.
    Refusal,
}

/// Tokens of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Usage {
    /// Tokens sent.
    pub input_tokens: u64,
    /// Tokens received.
    pub output_tokens: u64,
}

/// Why a request failed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct ProviderError {
    /// The kind of failure, which decides what is done about it.
    pub class: ErrorClass,
    /// What happened, for the user.
    pub message: String,
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The key is missing or refused.
    Auth,
    /// Too many requests.
    RateLimit,
    /// The conversation does not fit into the model.
    ContextTooLong,
    /// The server cannot take it now.
    Overloaded,
    /// The server cannot be reached, or the connection broke.
    Network,
    /// The answer is not what the format allows.
    Protocol,
    /// The request is not what the server allows.
    BadRequest,
    /// A script of the `scripted` provider is missing, wrong, at its end, or was not followed.
    Script,
    /// The configuration names no model that could be asked.
    Configuration,
}

impl ErrorClass {
    /// Returns the name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::RateLimit => "rate_limit",
            Self::ContextTooLong => "context_too_long",
            Self::Overloaded => "overloaded",
            Self::Network => "network",
            Self::Protocol => "protocol",
            Self::BadRequest => "bad_request",
            Self::Script => "script",
            Self::Configuration => "configuration",
        }
    }
}

impl ProviderError {
    /// Makes an error.
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into() }
    }
}

/// A model somewhere. Implemented by one type per wire format.
pub trait Provider: Send + Sync {
    /// Asks the model. Nothing happens before the stream is polled; dropping it ends the request.
    fn stream(&self, request: Request) -> BoxStream<'static, Result<StreamEvent, ProviderError>>;
}
