//! Tasks: turns in the background, which outlive the editor.

use serde::{Deserialize, Serialize};

use crate::events::Event;
use crate::id::{ModelName, PromptId, ProposalId, QuestionId, SessionId, TaskId, Timestamp, Uri};
use crate::outcome::{ErrorInfo, InterruptionReason, Usage};
use crate::permission::Level;
use crate::turn::Mode;

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Waits for a free worker.
    Pending,
    /// A worker does it.
    Running,
    /// An answer is needed; `waitingFor` says which.
    Waiting,
    /// Ended as it should.
    Completed,
    /// Ended because it was cancelled.
    Cancelled,
    /// Ended with an error; `error` says which.
    Error,
    /// Cut off; `interruptionReason` says why.
    Interrupted,
}

/// Where a task works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// In a detached git worktree of its own, which begins as a copy of the user's files with all their changes.
    Worktree,
    /// Over the user's files, which stay untouched; what a task does when nothing else is said.
    #[default]
    None,
}

/// What a task knows when it begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExecutionMode {
    /// Its prompt only; what a task does when nothing else is said.
    #[default]
    FreshAgent,
    /// The conversation of the session that it is started from.
    ForkContext,
}

/// Argument of `kkcode.task.start`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskStartParams {
    /// What the user wants.
    pub prompt: String,
    /// What it is about, in a few words; made from the prompt when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How to work on it; `agent` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Where to work; `none` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    /// The model; the selected one when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// The session that it is started from; needed for `fork_context`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// What it knows when it begins; `fresh_agent` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_mode: Option<ExecutionMode>,
    /// How long it may work before it is interrupted, in milliseconds; 900,000 when left out, at least 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// A name that tasks share which belong together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    /// What the group is about, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_label: Option<String>,
    /// Paths, relative to the workspace folder, that it is expected to change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planned_files: Vec<String>,
    /// The permission level; the one in force when left out. A task never applies edits, whatever its level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
}

/// Answer to `kkcode.task.start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TaskStartResult {
    /// The task that was started.
    pub task_id: TaskId,
}

/// A task's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TaskSummary {
    /// The task.
    pub task_id: TaskId,
    /// What it is about, in a few words.
    pub description: String,
    /// Where it stands.
    pub status: TaskStatus,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The session that its turns are in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The group it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    /// What the group is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_label: Option<String>,
    /// What it does now, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<String>,
    /// For a waiting task, what for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<WaitingFor>,
    /// Why it was cut off or cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interruption_reason: Option<InterruptionReason>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<TaskOutcome>,
    /// The process that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// When it was started by the user.
    pub created_at: Timestamp,
    /// When a worker took up this attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When this attempt ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Whether it was asked to stop.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancel_requested: bool,
}

/// What a waiting task needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum WaitingFor {
    /// An answer to a permission prompt.
    Permission {
        /// The prompt, for `kkcode.permission.answer`.
        prompt_id: PromptId,
    },
    /// An answer to questions.
    Question {
        /// The questions, for `kkcode.question.answer`.
        question_id: QuestionId,
    },
    /// A provider's key, which is kept in memory only and no running server has.
    Key {
        /// The provider, for `kkcode/secret/set`.
        provider: String,
    },
}

/// What came of a task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TaskOutcome {
    /// What the agent said in the end, as Markdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// The proposals against the user's files.
    pub proposal_ids: Vec<ProposalId>,
    /// Those of the planned files that no proposal of it changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remaining_files: Vec<String>,
    /// The worktree, when it was kept: for a retry, or because something in it is not in the proposals. An absolute path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worktree_path: Option<String>,
    /// What its model requests counted.
    pub usage: Usage,
}

/// A task's record and what it was started with; the answer to `kkcode.task.show`, `.cancel` and `.retry`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// The record.
    #[serde(flatten)]
    pub summary: TaskSummary,
    /// What the user wants.
    pub prompt: String,
    /// How it works on it.
    pub mode: Mode,
    /// Its permission level.
    pub level: Level,
    /// Where it works.
    pub isolation: Isolation,
    /// What it knew when it began.
    pub execution_mode: ExecutionMode,
    /// Its model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// The session that it was started from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_session_id: Option<SessionId>,
    /// The workspace folder.
    pub workspace_uri: Uri,
    /// How long an attempt may work, in milliseconds.
    pub timeout_ms: u64,
    /// Paths, relative to the workspace folder, that it was expected to change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planned_files: Vec<String>,
}

/// Argument of `kkcode.task.list`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskListParams {
    /// Only tasks with this status; all when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<TaskStatus>,
}

/// Answer to `kkcode.task.list`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TaskListResult {
    /// The tasks, newest first.
    pub tasks: Vec<TaskSummary>,
}

/// Argument of `kkcode.task.show`, `.cancel` and `.retry`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskParams {
    /// The task.
    pub task_id: TaskId,
}

/// Argument of `kkcode.task.logs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskLogsParams {
    /// The task.
    pub task_id: TaskId,
    /// Only events after this one; from the first when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_seq: Option<u64>,
    /// At most so many events; 1,000 when left out, and never more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer to `kkcode.task.logs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TaskLogsResult {
    /// The task's events, oldest first.
    pub events: Vec<Event>,
    /// The `sinceSeq` to go on with.
    pub next_seq: u64,
}

/// Argument of `kkcode.task.clean`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskCleanParams {
    /// Only tasks that ended more than so many days ago; 7 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub older_than_days: Option<u32>,
}

/// Answer to `kkcode.task.clean`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TaskCleanResult {
    /// How many records were removed.
    pub removed: u32,
}

/// Body of `kkcode/task/didChange`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TaskDidChangeParams {
    /// Number of the event.
    pub seq: u64,
    /// The task's record of now.
    pub task: TaskSummary,
}
