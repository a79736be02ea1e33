//! What comes back from a model: one stream of events, whatever the wire format.

use std::time::Duration;

use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::request::{BrokenCall, Request, Seal, ToolCall};

/// One thing that a model says.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent {
    /// More text.
    Text(String),
    /// More of what it thinks.
    Thinking(String),
    /// The thought just told is complete, and this goes back with it.
    Seal(Seal),
    /// Something has begun that is told when it is complete: a call of a tool, or a thought that is not shown.
    Begun,
    /// A tool is to be called; the input is complete. It is not run before the model has come to its end.
    ToolCall(ToolCall),
    /// A tool was to be called with an input that is not complete; it is never run, and the model is told so.
    BrokenCall(BrokenCall),
    /// Tokens used, added to those told before.
    Usage(Usage),
    /// The request failed and is sent again after a while.
    Retry(Retry),
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
    /// Conversation and answer together fill all that the model can hold.
    ContextFull,
    /// It waits for results of tools.
    ToolUse,
    /// It, or a filter behind it, declined to answer.
    Refusal,
}

/// Tokens of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Usage {
    /// Tokens sent, without those of the two counts of the cache.
    pub input_tokens: u64,
    /// Tokens received, thoughts included.
    pub output_tokens: u64,
    /// Tokens sent that the provider had in its cache.
    pub cache_read_tokens: u64,
    /// Tokens sent that the provider put into its cache.
    pub cache_write_tokens: u64,
}

/// A request that is sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Which retry this is, from 1; 0 for the first request to the next model, when one model has failed for good.
    pub attempt: u32,
    /// How long is waited before.
    pub after: Duration,
    /// Why the last request failed.
    pub error: ProviderError,
}

/// Why a request failed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct ProviderError {
    /// The kind of failure, which decides what is done about it.
    pub class: ErrorClass,
    /// What happened, for the user.
    pub message: String,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
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
    /// The server cannot be reached, or the connection broke or fell silent.
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
        Self { class, message: message.into(), retry_after: None }
    }
}

impl Usage {
    /// Returns all tokens sent, whether the provider had them in its cache or not.
    pub fn all_input_tokens(self) -> u64 {
        self.input_tokens.saturating_add(self.cache_read_tokens).saturating_add(self.cache_write_tokens)
    }

    /// Tells whether nothing was counted.
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, more: Self) {
        self.input_tokens = self.input_tokens.saturating_add(more.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(more.output_tokens);
        self.cache_read_tokens = self.cache_read_tokens.saturating_add(more.cache_read_tokens);
        self.cache_write_tokens = self.cache_write_tokens.saturating_add(more.cache_write_tokens);
    }
}

/// A model somewhere. Implemented by one type per wire format.
pub trait Provider: Send + Sync {
    /// Asks the model. Nothing happens before the stream is polled; dropping it ends the request.
    fn stream(&self, request: Request) -> BoxStream<'static, Result<StreamEvent, ProviderError>>;
}
