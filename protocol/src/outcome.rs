//! How turns and tasks end, what they cost, and where something comes from.

use serde::{Deserialize, Serialize};

use crate::id::{SessionId, TaskId, TurnId};

/// An error that a record keeps: a class to branch on, and a sentence for the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ErrorInfo {
    /// The class: `auth`, `rate_limit`, `context_too_long`, `overloaded`, `network`, `protocol`, `bad_request`,
    /// `script`, `configuration`, `internal`; more may come.
    pub class: String,
    /// What went wrong and what to do about it.
    pub message: String,
}

/// Why a turn or task was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum InterruptionReason {
    /// The user cancelled it.
    UserCancel,
    /// Its process ended without a word.
    Interrupt,
    /// It took longer than it was allowed to.
    Timeout,
    /// It was stopped by the answer to a permission prompt.
    PermissionCancel,
    /// The process that watched over it is gone.
    Orphaned,
    /// It was cancelled from another program.
    RemoteCancel,
}

/// What models counted: tokens, and money where prices are known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Tokens read, without those from the provider's cache.
    pub input_tokens: u64,
    /// Tokens written, thinking included.
    pub output_tokens: u64,
    /// Tokens read from the provider's cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_tokens: Option<u64>,
    /// Tokens written to the provider's cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<u64>,
    /// What it cost, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Whether the provider did not count and these are estimates.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

/// Where a proposal or a prompt comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// The session.
    pub session_id: SessionId,
    /// The turn, the last one for a proposal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<TurnId>,
    /// The task, when it ran in the background.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
}
