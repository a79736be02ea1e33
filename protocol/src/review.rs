//! Decisions on proposals, their undoing, and comments.

use serde::{Deserialize, Serialize};

use crate::id::{CommentId, HunkId, ProposalId, Timestamp, TurnId, Uri};
use crate::proposal::HunkState;
use crate::text::{LineSelector, Range};

/// How to accept a stale hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// *Merge*: the three-way merge of the proposal and the user's lines; refused (-32803) when it is not clean.
    Merge,
    /// *Take proposal here*: the proposal instead of the user's lines.
    Theirs,
}

/// Argument of `kkcode.hunk.accept`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HunkAcceptParams {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// The hunk.
    pub hunk_id: HunkId,
    /// Only these lines; the rest becomes a hunk of its own. The whole hunk when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<LineSelector>,
    /// For a stale hunk, how; without it a stale hunk is refused (-32803).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
}

/// Argument of `kkcode.hunk.reject`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HunkRejectParams {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// The hunk.
    pub hunk_id: HunkId,
    /// Only these lines; the rest becomes a hunk of its own. The whole hunk when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<LineSelector>,
    /// Why; the agent is told at the start of its next turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The lines that the user would have there instead; the agent is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
}

/// Argument of `kkcode.file.accept` and `kkcode.file.reject`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileDecisionParams {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// A file of it.
    pub uri: Uri,
    /// Why; the agent is told at the start of its next turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Argument of `kkcode.proposal.accept` and `kkcode.proposal.reject`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposalDecisionParams {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// Why; the agent is told at the start of its next turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Answer to every command that accepts or rejects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DecisionResult {
    /// `applying` when the text has to change first and the outcome comes by `kkcode/proposal/didChange`; `accepted`
    /// or `rejected` when the decision already stands.
    pub status: HunkState,
}

/// What a decision was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReviewAction {
    /// Hunks were accepted.
    Accept,
    /// Hunks were rejected.
    Reject,
    /// The user's own version replaced a file's proposed text.
    Edit,
}

/// One decision of the user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReviewDecision {
    /// What it was.
    pub action: ReviewAction,
    /// The proposal it was about.
    pub proposal_id: ProposalId,
    /// The hunks it was about.
    pub hunk_ids: Vec<HunkId>,
    /// The reason that was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was made.
    pub at: Timestamp,
}

/// Argument of `kkcode.review.undo` and `kkcode.review.redo`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReviewUndoParams {
    /// The proposal whose last decision is meant; the last one in this workspace when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal_id: Option<ProposalId>,
}

/// Answer to `kkcode.review.undo` and `kkcode.review.redo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReviewUndoResult {
    /// The decision that was undone or made again; left out when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<ReviewDecision>,
}

/// Argument of `kkcode.review.comment`: about a hunk, or a range of the file, or the whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReviewCommentParams {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// A file of it.
    pub uri: Uri,
    /// The hunk; not together with `range`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hunk_id: Option<HunkId>,
    /// The part of the document's text of now; not together with `hunkId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// What the user has to say.
    pub text: String,
}

/// Answer to `kkcode.review.comment`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReviewCommentResult {
    /// The comment, kept for the next turn.
    pub comment_id: CommentId,
}

/// Argument of `kkcode.review.send`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReviewSendParams {
    /// The proposal.
    pub proposal_id: ProposalId,
}

/// Answer to `kkcode.review.send`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReviewSendResult {
    /// The turn, in the proposal's session, that was started with all comments and decisions.
    pub turn_id: TurnId,
}
