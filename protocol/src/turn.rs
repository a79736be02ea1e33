//! Turns: one user prompt to its end.

use serde::{Deserialize, Serialize};

use crate::id::{CallId, ModelName, ProposalId, SessionId, Timestamp, TurnId};
use crate::outcome::{ErrorInfo, InterruptionReason, Usage};
use crate::permission::Level;
use crate::text::{ContextDiagnostic, ContextItem, DocumentIdentifier, Range};

/// How the agent works on a prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Answers, reads, changes nothing.
    Ask,
    /// Works out a plan, changes nothing.
    Plan,
    /// Does the work; what a turn does when nothing else is said.
    #[default]
    Agent,
    /// Does long work in stages; answered -32803 as long as the server does not have it.
    Longagent,
}

/// Where a turn stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TurnStatus {
    /// The model or a tool works.
    Running,
    /// A permission prompt or a question is open.
    Waiting,
    /// A request to the model failed and is sent again after a wait; `retry` says why and when.
    Retrying,
    /// Ended as it should.
    Completed,
    /// Ended because the user cancelled it.
    Cancelled,
    /// Cut off; `interruptionReason` says why.
    Interrupted,
    /// Ended with an error; `error` says which.
    Failed,
    /// Ended because it used up the steps, tokens or money it was given.
    BudgetExhausted,
}

/// Argument of `kkcode.turn.start`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TurnStartParams {
    /// What the user wants.
    pub prompt: String,
    /// How to work on it; `agent` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The session to go on with; a new one when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The document the user is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_document: Option<DocumentIdentifier>,
    /// The selection in `textDocument`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// Other documents, or parts of them, that the agent gets to see at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<ContextItem>,
    /// Diagnostics that the agent gets to see at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<ContextDiagnostic>,
    /// The model of this turn; the selected one when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// The permission level of this turn; the one in force when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
}

/// Answer to `kkcode.turn.start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TurnStartResult {
    /// The turn that was started.
    pub turn_id: TurnId,
    /// Its session, new or as given.
    pub session_id: SessionId,
}

/// Argument of `kkcode.turn.cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TurnCancelParams {
    /// The turn.
    pub turn_id: TurnId,
}

/// Answer to `kkcode.turn.cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TurnCancelResult {
    /// Whether this ended the turn; `false` when it had already ended.
    pub cancelled: bool,
}

/// Argument of `kkcode.turn.show`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TurnShowParams {
    /// The turn.
    pub turn_id: TurnId,
}

/// Answer to `kkcode.turn.show`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TurnShowResult {
    /// The turn.
    pub turn_id: TurnId,
    /// Its session.
    pub session_id: SessionId,
    /// Where it stands.
    pub status: TurnStatus,
    /// What the agent said, as Markdown: so far, or in the end.
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
    /// What it waits for while it is `retrying`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
}

/// A failed request to a model that is sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// Which retry it is, from 1; 0 for the first request to the next model, when one has failed for good.
    pub attempt: u32,
    /// When it is sent.
    pub at: Timestamp,
    /// Why the last request failed.
    pub error: ErrorInfo,
}

/// Body of `kkcode/turn/didUpdate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TurnDidUpdateParams {
    /// The turn.
    pub turn_id: TurnId,
    /// How long the turn's reply was before this update, in code units of the negotiated position encoding.
    pub offset: u64,
    /// What is new.
    pub update: TurnUpdate,
}

/// What is new in a running turn; a client passes over kinds that it does not know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TurnUpdate {
    /// More of the reply; it stands at `offset`.
    Text {
        /// The new part, as Markdown.
        text: String,
    },
    /// More of the model's thinking.
    Thinking {
        /// The new part.
        text: String,
    },
    /// The agent called a tool.
    ToolCall {
        /// Names the call within its turn.
        call_id: CallId,
        /// The tool's name.
        tool: String,
        /// What the call does, in a few words.
        title: String,
    },
    /// A tool call ended.
    ToolResult {
        /// The call.
        call_id: CallId,
        /// How it ended.
        status: ToolStatus,
        /// What came of it, in a few words.
        #[serde(skip_serializing_if = "Option::is_none")]
        summary: Option<String>,
    },
    /// The agent's list of what it is going to do, whole.
    Plan {
        /// The steps, in order.
        entries: Vec<PlanEntry>,
    },
    /// What the turn's model requests have counted so far.
    Usage {
        /// The sum over the turn.
        usage: Usage,
    },
    /// The turn waits to send a failed request again, or has sent it.
    Status {
        /// Where the turn stands now: `retrying`, or `running` again.
        status: TurnStatus,
        /// What it waits for while it is `retrying`.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry: Option<Retry>,
    },
}

/// How a tool call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ToolStatus {
    /// As it should.
    Ok,
    /// With an error that the agent was told.
    Error,
    /// Not done: a rule, the level or the user said no.
    Denied,
    /// Cut off with its turn.
    Cancelled,
}

/// One step of the agent's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanEntry {
    /// What is to be done.
    pub text: String,
    /// How far it is.
    pub status: PlanStatus,
}

/// How far a step of the agent's list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PlanStatus {
    /// Not begun.
    Pending,
    /// Under way.
    InProgress,
    /// Done.
    Completed,
}

/// Body of `kkcode/turn/didFinish`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TurnDidFinishParams {
    /// Number of the event.
    pub seq: u64,
    /// The turn and its end.
    #[serde(flatten)]
    pub outcome: TurnOutcome,
}

/// A turn and its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TurnOutcome {
    /// The turn.
    pub turn_id: TurnId,
    /// How it ended: never `running`, `waiting` or `retrying`.
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
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(update: &TurnUpdate, wire: &Value) {
        assert_eq!(serde_json::to_value(update).unwrap(), *wire);
        assert_eq!(serde_json::from_value::<TurnUpdate>(wire.clone()).unwrap(), *update);
    }

    #[test]
    fn updates_name_their_kind() {
        let text = || "t".to_owned();
        check(&TurnUpdate::Text { text: text() }, &json!({ "kind": "text", "text": "t" }));
        check(&TurnUpdate::Thinking { text: text() }, &json!({ "kind": "thinking", "text": "t" }));
        check(
            &TurnUpdate::ToolCall { call_id: "call_1".to_owned(), tool: "bash".to_owned(), title: text() },
            &json!({ "kind": "toolCall", "callId": "call_1", "tool": "bash", "title": "t" }),
        );
        check(
            &TurnUpdate::ToolResult { call_id: "call_1".to_owned(), status: ToolStatus::Ok, summary: None },
            &json!({ "kind": "toolResult", "callId": "call_1", "status": "ok" }),
        );
        check(
            &TurnUpdate::Plan { entries: vec![PlanEntry { text: text(), status: PlanStatus::InProgress }] },
            &json!({ "kind": "plan", "entries": [{ "text": "t", "status": "in_progress" }] }),
        );
        check(
            &TurnUpdate::Usage { usage: Usage { input_tokens: 3, output_tokens: 5, ..Usage::default() } },
            &json!({ "kind": "usage", "usage": { "inputTokens": 3, "outputTokens": 5 } }),
        );
        let error = ErrorInfo { class: "rate_limit".to_owned(), message: "m".to_owned() };
        let retry = Retry { attempt: 1, at: "2026-01-31T12:00:00Z".to_owned(), error };
        check(
            &TurnUpdate::Status { status: TurnStatus::Retrying, retry: Some(retry) },
            &json!({ "kind": "status", "status": "retrying", "retry": {
                "attempt": 1, "at": "2026-01-31T12:00:00Z", "error": { "class": "rate_limit", "message": "m" },
            } }),
        );
    }
}
