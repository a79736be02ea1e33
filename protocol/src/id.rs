//! Names for the strings of the wire: identifiers, addresses, times.

/// One conversation; unique in one kkcode home, like every identifier here, and opaque to clients.
pub type SessionId = String;
/// One user prompt, to its end.
pub type TurnId = String;
/// One background task.
pub type TaskId = String;
/// What a session would like to change.
pub type ProposalId = String;
/// One contiguous change of a proposal.
pub type HunkId = String;
/// One comment on a proposal.
pub type CommentId = String;
/// One permission prompt.
pub type PromptId = String;
/// One set of questions of the agent.
pub type QuestionId = String;
/// One learned permission rule.
pub type RuleId = String;
/// One call of a tool within its turn.
pub type CallId = String;

/// A document's address, as the client spelled it where it did.
pub type Uri = String;
/// A moment as RFC 3339 in UTC, such as `2026-05-04T10:11:12.345Z`.
pub type Timestamp = String;
/// A provider and a model of it, `provider/model`.
pub type ModelName = String;
