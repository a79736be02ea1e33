//! Proposals: what the agent would like to change, file by file and hunk by hunk.

use serde::{Deserialize, Serialize};

use crate::id::{HunkId, ProposalId, Timestamp, TurnId, Uri};
use crate::outcome::Origin;
use crate::text::Range;

/// Where a hunk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HunkState {
    /// Not in the text, undecided.
    Pending,
    /// On its way into the text, or out of it.
    Applying,
    /// In the text, undecided.
    Applied,
    /// In the text, decided; `saved` says whether it is final.
    Accepted,
    /// Not in the text, decided.
    Rejected,
    /// The text around it is another by now; `reason` says what to do, and it is pending again when its lines are back.
    Stale,
    /// The agent has changed it; `byHunkId` is the newer one.
    Superseded,
}

/// Where a file of a proposal, or the whole proposal, stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// Some hunk is undecided.
    Open,
    /// All hunks were accepted.
    Accepted,
    /// All hunks were rejected.
    Rejected,
    /// All hunks are decided, some accepted, some rejected.
    Partial,
}

/// What happens to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Its text changes.
    Modify,
    /// It comes into being.
    Create,
    /// It goes.
    Delete,
    /// It gets another address, `newUri`, and maybe another text.
    Rename,
}

/// A proposal, whole; the answer to `kkcode.proposal.show`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Proposal {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// What it is about, in a few words.
    pub title: String,
    /// Where it stands.
    pub state: ReviewState,
    /// Where it comes from.
    pub origin: Origin,
    /// Its files, by path.
    pub files: Vec<ProposalFile>,
}

/// One file of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProposalFile {
    /// The file's address, the future one of a new file.
    pub uri: Uri,
    /// What happens to it.
    pub kind: FileKind,
    /// The address after a rename.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_uri: Option<Uri>,
    /// Where it stands.
    pub state: ReviewState,
    /// SHA-256 of the text that the hunks are a change of, in hexadecimal; that of the empty text for a new file.
    pub base_hash: String,
    /// Its hunks, from top to bottom.
    pub hunks: Vec<Hunk>,
    /// All that is undecided in it, as a unified diff with headers; empty when nothing is.
    pub unified_diff: String,
}

/// One contiguous change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Hunk {
    /// The hunk; the same for as long as the change is the same.
    pub hunk_id: HunkId,
    /// Where it stands in the document's text of now: for a pending hunk exactly `oldText`, for a pure insertion the
    /// line before it, or an empty range at the start of the file.
    pub range: Range,
    /// Where it stands in the review.
    pub state: HunkState,
    /// The lines to be replaced, exactly, with their line endings; empty for a pure insertion.
    pub old_text: String,
    /// The lines to replace them with, exactly; empty for a pure deletion.
    pub new_text: String,
    /// For a stale hunk, what stands in its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict: Option<Conflict>,
    /// Why it is stale, or with what reason it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For an accepted hunk, whether its text is saved and the decision thereby final.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved: Option<bool>,
    /// For a superseded hunk, the one that took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_hunk_id: Option<HunkId>,
    /// The hunk that it was a part of before some of its lines were decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_from: Option<HunkId>,
    /// The turn that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<TurnId>,
    /// Whether the same change was rejected in an earlier turn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rejected_before: bool,
}

/// What stands in a stale hunk's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// The lines of now at the hunk's `range`.
    pub current_text: String,
    /// What *Merge* would make of them; left out when the three-way merge is not clean, so that only *Take proposal
    /// here* and *Keep mine* remain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_text: Option<String>,
}

/// How much of a file is undecided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FileCounts {
    /// The file's address.
    pub uri: Uri,
    /// How many hunks wait for a decision: pending, applying or applied.
    pub pending: u32,
    /// How many hunks are stale.
    pub stale: u32,
}

/// A proposal in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProposalSummary {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// What it is about, in a few words.
    pub title: String,
    /// Where it stands.
    pub state: ReviewState,
    /// Where it comes from.
    pub origin: Origin,
    /// Its files, by path.
    pub files: Vec<FileCounts>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a turn last amended it or the user last decided something in it.
    pub updated_at: Timestamp,
}

/// Argument of `kkcode.proposal.list`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposalListParams {
    /// Only proposals in this state; all when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ReviewState>,
}

/// Answer to `kkcode.proposal.list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProposalListResult {
    /// The proposals, last changed first.
    pub proposals: Vec<ProposalSummary>,
}

/// Argument of `kkcode.proposal.show`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposalShowParams {
    /// The proposal.
    pub proposal_id: ProposalId,
}

/// Argument of `kkcode.proposal.edit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposalEditParams {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// A file of it.
    pub uri: Uri,
    /// The whole text that the user wants the file to have.
    pub text: String,
}

/// Answer to `kkcode.proposal.edit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProposalEditResult {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// The file's hunks of now; unchanged ones keep their ids.
    pub hunks: Vec<Hunk>,
}

/// Parameters of `kkcode/proposal/content`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProposalContentParams {
    /// `kkcode-base:/<proposalId>/<path>` or `kkcode-proposed:/<proposalId>/<path>`, the path absolute and
    /// percent-encoded.
    pub uri: Uri,
}

/// Result of `kkcode/proposal/content`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProposalContentResult {
    /// The document's text of now.
    pub text: String,
}

/// Argument of `kkcode.hunk.show`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HunkShowParams {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// The hunk.
    pub hunk_id: HunkId,
}

/// Argument of `kkcode.file.diff`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileDiffParams {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// A file of it.
    pub uri: Uri,
}

/// Answer to `kkcode.hunk.show` and `kkcode.file.diff`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ShownResult {
    /// Whether the client was asked to show it. If not, it cannot, and a message says where to look.
    pub shown: bool,
}

/// Body of `kkcode/proposal/didChange`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProposalDidChangeParams {
    /// Number of the event; that of the last one before, when only the user's typing made the difference.
    pub seq: u64,
    /// The proposal and its counts of now.
    #[serde(flatten)]
    pub change: ProposalChange,
}

/// A proposal and its counts of now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProposalChange {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// Where it stands.
    pub state: ReviewState,
    /// Its files, by path.
    pub files: Vec<FileCounts>,
}
