//! The store's durable events: what a client that was away catches up with, and what a task's log consists of.

use serde::{Deserialize, Serialize};

use crate::id::{CallId, SessionId, TaskId, Timestamp, TurnId};
use crate::permission::{PermissionPrompt, PermissionResolution};
use crate::proposal::ProposalChange;
use crate::question::{QuestionPrompt, QuestionResolution};
use crate::task::TaskSummary;
use crate::turn::{Mode, ToolStatus, TurnOutcome};

/// Parameters of `kkcode/events/since`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EventsSinceParams {
    /// The last event that the client knows; 0 for none.
    pub seq: u64,
}

/// Result of `kkcode/events/since`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct EventsSinceResult {
    /// The events of this workspace after `seq`, oldest first, at most 1,000; there may be more as long as it is not
    /// empty.
    pub events: Vec<Event>,
    /// The `seq` to go on with.
    pub next_seq: u64,
    /// Each running turn with its text so far.
    pub turns: Vec<TurnText>,
}

/// A running turn's reply so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TurnText {
    /// The turn.
    pub turn_id: TurnId,
    /// What the agent has said so far, as Markdown; the next `text` update begins at its end.
    pub text: String,
}

/// Something that happened and is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its number, given by the commit that made it; never goes back.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// The task that it happened in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened; a client passes over kinds that it does not know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EventBody {
    /// A turn began.
    TurnStarted {
        /// The turn.
        turn_id: TurnId,
        /// Its session.
        session_id: SessionId,
        /// How the agent works on it.
        mode: Mode,
        /// What the user wants.
        prompt: String,
    },
    /// The agent said something: one step's text, whole.
    Message {
        /// The turn.
        turn_id: TurnId,
        /// What it said, as Markdown.
        text: String,
    },
    /// The agent called a tool.
    ToolCalled {
        /// The turn.
        turn_id: TurnId,
        /// Names the call within its turn.
        call_id: CallId,
        /// The tool's name.
        tool: String,
        /// What the call does, in a few words.
        title: String,
    },
    /// A tool call ended.
    ToolFinished {
        /// The turn.
        turn_id: TurnId,
        /// The call.
        call_id: CallId,
        /// How it ended.
        status: ToolStatus,
        /// What came of it, in a few words.
        #[serde(skip_serializing_if = "Option::is_none")]
        summary: Option<String>,
    },
    /// Something else worth keeping in a log, such as a retry or a formatter's failure.
    Note {
        /// The turn.
        #[serde(skip_serializing_if = "Option::is_none")]
        turn_id: Option<TurnId>,
        /// What it was, in one sentence.
        text: String,
    },
    /// A turn ended, as in `kkcode/turn/didFinish`.
    TurnFinished(TurnOutcome),
    /// A proposal's hunks or states became others, as in `kkcode/proposal/didChange`.
    ProposalChanged(ProposalChange),
    /// A task's record became another, as in `kkcode/task/didChange`.
    TaskChanged {
        /// The record as it was then.
        task: Box<TaskSummary>,
    },
    /// The agent waits for a permission, as in `kkcode/permission/didAsk`.
    PermissionAsked(PermissionPrompt),
    /// A permission prompt was answered, as in `kkcode/permission/didResolve`.
    PermissionResolved(PermissionResolution),
    /// The agent asks the user something, as in `kkcode/question/didAsk`.
    QuestionAsked(QuestionPrompt),
    /// A question was answered, as in `kkcode/question/didResolve`.
    QuestionResolved(QuestionResolution),
}
