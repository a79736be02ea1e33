//! Which JSON-RPC error says what: the only place that turns one of ours into a code.

use std::borrow::Cow;

use kkcode_core::effect::Refusal;
use tower_lsp::jsonrpc::{Error, ErrorCode};

/// LSP 3.17 `ContentModified`.
const CONTENT_MODIFIED: i64 = -32801;
/// LSP 3.17 `RequestFailed`.
const REQUEST_FAILED: i64 = -32803;

/// Refused by state or rule; the message says what to do.
pub(crate) fn failed(message: impl Into<Cow<'static, str>>) -> Error {
    Error { code: ErrorCode::ServerError(REQUEST_FAILED), message: message.into(), data: None }
}

/// The document is another by now.
pub(crate) fn content_modified(message: impl Into<Cow<'static, str>>) -> Error {
    Error { code: ErrorCode::ServerError(CONTENT_MODIFIED), message: message.into(), data: None }
}

/// The client asked for something that is not there, or in the wrong way.
pub(crate) fn invalid_params(message: impl Into<Cow<'static, str>>) -> Error {
    Error { code: ErrorCode::InvalidParams, message: message.into(), data: None }
}

/// Our fault; the log has the details.
pub(crate) fn internal(message: &dyn std::fmt::Display) -> Error {
    tracing::error!(%message, "a request failed by our fault");
    Error {
        code: ErrorCode::InternalError,
        message: "internal error, see the server's log".into(),
        data: None,
    }
}

/// Why the core refused.
pub(crate) fn refusal(refusal: &Refusal) -> Error {
    match refusal {
        Refusal::Unknown { .. } | Refusal::NoSuchLines(_) => invalid_params(refusal.to_string()),
        Refusal::TextChanged(_) => content_modified(refusal.to_string()),
        Refusal::Decided { .. }
        | Refusal::NothingToDecide(_)
        | Refusal::Changed(_)
        | Refusal::Stale(_)
        | Refusal::OutOfSync(_)
        | Refusal::NotWritten(_)
        | Refusal::Forbidden(_)
        | Refusal::NotOffered(_)
        | Refusal::Overtaken(_)
        | Refusal::NotStored(_) => failed(refusal.to_string()),
    }
}
