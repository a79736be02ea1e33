//! Sessions: conversations, kept in the store.

use serde::{Deserialize, Serialize};

use crate::id::{ModelName, ProposalId, SessionId, Timestamp, TurnId, Uri};
use crate::outcome::{ErrorInfo, InterruptionReason, Usage};
use crate::turn::{Mode, TurnStatus};

/// A session in a list; the answer to `kkcode.session.fork` and `kkcode.session.rename`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionSummary {
    /// The session.
    pub session_id: SessionId,
    /// What it is about: made from its first prompt, or as the user named it.
    pub title: String,
    /// The workspace folder.
    pub workspace_uri: Uri,
    /// The session that it is a copy of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<SessionId>,
    /// The model of its last turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// How many turns it has.
    pub turn_count: u32,
    /// The turn that is running or waiting in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_turn_id: Option<TurnId>,
    /// Its open proposal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_proposal_id: Option<ProposalId>,
    /// When it began.
    pub created_at: Timestamp,
    /// When its last turn began or ended.
    pub updated_at: Timestamp,
}

/// A session with its turns; the answer to `kkcode.session.show`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The session as it stands in a list.
    #[serde(flatten)]
    pub summary: SessionSummary,
    /// Its turns, or those that were asked for, oldest first.
    pub turns: Vec<SessionTurn>,
    /// How many turns it has before the first of these.
    pub earlier: u32,
    /// What the model requests of all its turns counted.
    pub usage: Usage,
}

/// One turn of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionTurn {
    /// The turn.
    pub turn_id: TurnId,
    /// What the user wanted.
    pub prompt: String,
    /// How the agent worked on it.
    pub mode: Mode,
    /// Where it stands.
    pub status: TurnStatus,
    /// What the agent said, as Markdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
    /// Why it was cut off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interruption_reason: Option<InterruptionReason>,
    /// The proposals that it made or amended.
    pub proposal_ids: Vec<ProposalId>,
    /// What its model requests counted.
    pub usage: Usage,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// Argument of `kkcode.session.list`: which part of the list is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SessionListParams {
    /// How many sessions at most; all when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// How many to leave out at the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
}

/// Answer to `kkcode.session.list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionListResult {
    /// The sessions of this workspace, last used first, or the part of them that was asked for.
    pub sessions: Vec<SessionSummary>,
    /// How many there are in all.
    pub total: u32,
}

/// Argument of `kkcode.session.show`: of which session, and which of its turns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionShowParams {
    /// The session.
    pub session_id: SessionId,
    /// How many turns at most, the last ones; all when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only turns before this one: the first of those that were shown before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<TurnId>,
}

/// Argument of `kkcode.session.fork` and `.delete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionParams {
    /// The session.
    pub session_id: SessionId,
}

/// Argument of `kkcode.session.rename`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionRenameParams {
    /// The session.
    pub session_id: SessionId,
    /// What it is called from now on.
    pub title: String,
}

/// Answer to `kkcode.session.delete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionDeleteResult {
    /// Whether it is gone by this command; `false` when it was gone before.
    pub deleted: bool,
}
