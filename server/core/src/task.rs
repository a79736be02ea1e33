//! Tasks: turns that a worker does in the background. What is known of one, and which state may follow which.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::id::{ProposalId, SessionId, TaskId, TurnId};
use crate::proposal::Timestamp;
use crate::turn::{Failure, Level, Mode, TurnStatus, Usage};

/// What the agent of a task is told that was cut off: the prompt of the turn that goes on with it.
pub const GO_ON: &str = "Go on with your task: it was cut off.\n\nWhat you have said and done so far is above, and your edits are \
                         still proposed. Go on where you were, and bring the task to its end.";

/// How long an attempt may work if nothing else is said, in milliseconds.
pub const DEFAULT_TIMEOUT_MS: u64 = 900_000;

/// How long an attempt may work at least, in milliseconds.
pub const LEAST_TIMEOUT_MS: u64 = 1_000;

/// How often a task's worker may end without a word before nobody starts another one.
pub const MOST_CRASHES: u32 = 3;

/// Where a task stands. The last four are ends, and final; only a retry begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// It waits for a free worker.
    Pending,
    /// A worker does it.
    Running,
    /// It needs an answer.
    Waiting,
    /// It ended as it should.
    Completed,
    /// It was cancelled.
    Cancelled,
    /// It could not go on.
    Error,
    /// It was cut off.
    Interrupted,
}

/// Why a task was cut off or cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interruption {
    /// The user stopped it.
    UserCancel,
    /// Somebody ended its worker, or its turn came to no end.
    Interrupt,
    /// It worked longer than it was allowed to, or was silent for too long.
    Timeout,
    /// The user refused what it needed.
    PermissionCancel,
    /// Its worker was gone.
    Orphaned,
    /// Another program stopped it.
    RemoteCancel,
}

/// Where a task works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// Over the user's files, which stay untouched.
    #[default]
    None,
    /// In a git worktree of its own.
    Worktree,
}

/// What a task knows when it begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionMode {
    /// Its prompt only.
    #[default]
    FreshAgent,
    /// The conversation of the session that it was started from.
    ForkContext,
}

/// What a waiting task needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WaitingFor {
    /// An answer to a permission prompt.
    Permission {
        /// The prompt.
        prompt: String,
    },
    /// An answer to questions.
    Question {
        /// The questions.
        question: String,
    },
    /// A provider's key that no file and no variable has; it has no worker meanwhile.
    Key {
        /// The provider.
        provider: String,
    },
}

/// What a task is to do, and how. Never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskSpec {
    /// What the user, or an agent, wants.
    pub prompt: String,
    /// What it is about, in a few words.
    pub description: String,
    /// How it works on it.
    pub mode: Mode,
    /// What it may do without asking. It never applies edits, whatever this says.
    pub level: Level,
    /// Where it works.
    pub isolation: Isolation,
    /// What it knows when it begins.
    pub execution_mode: ExecutionMode,
    /// Provider and model, as `provider/model`; the configured default when absent.
    pub model: Option<String>,
    /// The session that it was started from.
    pub parent_session: Option<SessionId>,
    /// The session that it goes on with; one of its own when absent.
    pub session: Option<SessionId>,
    /// How long an attempt may work, in milliseconds.
    pub timeout_ms: u64,
    /// The group it belongs to.
    pub group: Option<String>,
    /// What the group is about.
    pub group_label: Option<String>,
    /// Paths, relative to the folder, that it is expected to change.
    pub planned_files: Vec<String>,
    /// Whether the user trusted the folder when it was launched.
    pub trusted: bool,
    /// For a task that an agent has given away, who does it and within which bounds.
    pub delegate: Option<Delegate>,
}

/// The bounds of a task that an agent has given away; the worker holds them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Delegate {
    /// The subagent's name.
    pub subagent: String,
    /// What the subagent is told about itself, in front of the brief.
    pub instructions: Option<String>,
    /// The only tools that it has; all when absent.
    pub tools: Option<Vec<String>>,
    /// The only paths, relative to the folder, that it may change; none at all when empty, any when absent.
    pub write_scope: Option<Vec<String>>,
    /// How many requests it makes to the model at most.
    pub max_steps: Option<usize>,
    /// How many agents stand between it and the user.
    pub depth: u32,
}

/// What is known of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its name.
    pub id: TaskId,
    /// The folder it works in.
    pub folder: PathBuf,
    /// What it is to do.
    pub spec: TaskSpec,
    /// Where it stands.
    pub status: TaskStatus,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Grows with every claim and every rescue: who writes with an older one has lost the task.
    pub epoch: u64,
    /// The session that its turns are in, once it has begun.
    pub session: Option<SessionId>,
    /// What it does now, in a few words.
    pub activity: Option<String>,
    /// What it waits for.
    pub waiting_for: Option<WaitingFor>,
    /// Why it was cut off or cancelled.
    pub reason: Option<Interruption>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// What came of it.
    pub result: Option<TaskOutcome>,
    /// The process that does it.
    pub pid: Option<u32>,
    /// Whether it was asked to stop.
    pub cancel_requested: bool,
    /// How many of its workers ended without a word.
    pub crashes: u32,
    /// When it was launched.
    pub created_at: Timestamp,
    /// When a worker took up this attempt.
    pub started_at: Option<Timestamp>,
    /// When this attempt ended.
    pub ended_at: Option<Timestamp>,
}

/// What came of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskOutcome {
    /// What the agent said in the end.
    pub reply: Option<String>,
    /// The proposals against the user's files.
    pub proposals: Vec<ProposalId>,
    /// Those of the planned files that no proposal of it changes.
    pub remaining_files: Vec<String>,
    /// The worktree, when it was kept.
    pub worktree: Option<PathBuf>,
    /// What its requests to models have used, over all attempts.
    pub usage: Usage,
    /// Whether it has read what came from the network.
    pub heard: bool,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskEnd {
    /// The final status.
    pub status: TaskStatus,
    /// Why it was cut off or cancelled.
    pub reason: Option<Interruption>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// What came of it.
    pub outcome: TaskOutcome,
}

/// One line of a task's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TaskEvent {
    /// It has another status.
    Status {
        /// Which.
        status: TaskStatus,
        /// Which attempt this is.
        attempt: u32,
        /// Why, where there is something to say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A turn of it begins.
    TurnStarted {
        /// Which turn.
        turn: TurnId,
        /// In which session.
        session: SessionId,
    },
    /// The agent said something, whole.
    Message {
        /// In which turn.
        turn: TurnId,
        /// What.
        text: String,
    },
    /// The agent calls a tool.
    ToolCalled {
        /// In which turn.
        turn: TurnId,
        /// The call's id.
        call: String,
        /// Which tool.
        tool: String,
        /// With what, in a few words.
        title: String,
    },
    /// A tool has answered.
    ToolFinished {
        /// In which turn.
        turn: TurnId,
        /// The call's id.
        call: String,
        /// Whether it did what it was to do.
        ok: bool,
        /// What it answered, in a few words.
        summary: String,
    },
    /// Something else worth knowing.
    Note {
        /// What.
        text: String,
    },
}

/// How many tasks there are, by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskCounts {
    /// Waiting for a worker.
    pub pending: u64,
    /// Being done.
    pub running: u64,
    /// Needing an answer.
    pub waiting: u64,
    /// Ended as they should.
    pub completed: u64,
    /// Cancelled.
    pub cancelled: u64,
    /// Failed.
    pub error: u64,
    /// Cut off.
    pub interrupted: u64,
}

impl TaskStatus {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Running,
        Self::Waiting,
        Self::Completed,
        Self::Cancelled,
        Self::Error,
        Self::Interrupted,
    ];

    /// Tells whether it is an end.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Error | Self::Interrupted)
    }

    /// Tells whether this status may follow on that one.
    pub fn may_become(self, next: Self) -> bool {
        match (self, next) {
            // The last are retries; what is completed stays so.
            (Self::Pending, Self::Running | Self::Cancelled | Self::Error)
            | (Self::Running, Self::Waiting)
            | (Self::Waiting, Self::Running)
            | (Self::Cancelled | Self::Error | Self::Interrupted, Self::Pending) => true,
            (Self::Running | Self::Waiting, next) => next.is_final(),
            _ => false,
        }
    }

    /// Returns the status as on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Error => "error",
            Self::Interrupted => "interrupted",
        }
    }
}

impl TaskCounts {
    /// Returns the count of one status, to be read and changed.
    pub fn of(&mut self, status: TaskStatus) -> &mut u64 {
        match status {
            TaskStatus::Pending => &mut self.pending,
            TaskStatus::Running => &mut self.running,
            TaskStatus::Waiting => &mut self.waiting,
            TaskStatus::Completed => &mut self.completed,
            TaskStatus::Cancelled => &mut self.cancelled,
            TaskStatus::Error => &mut self.error,
            TaskStatus::Interrupted => &mut self.interrupted,
        }
    }
}

impl TaskEnd {
    /// Returns how a task ends whose turn ended so. `cut` says why the turn was stopped, when we have stopped it.
    pub fn of_turn(status: &TurnStatus, outcome: TaskOutcome, cut: Option<Interruption>) -> Self {
        let failed = |class: &str, message: &str| {
            Some(Failure { class: class.to_owned(), message: message.to_owned() })
        };
        let (status, reason, error) = match (status, cut) {
            (TurnStatus::Completed, _) => (TaskStatus::Completed, None, None),
            (TurnStatus::Failed(failure), _) => (TaskStatus::Error, None, Some(failure.clone())),
            (TurnStatus::BudgetExhausted { reason }, _) => {
                (TaskStatus::Error, None, failed("budget_exhausted", reason))
            }
            (_, Some(cut @ (Interruption::UserCancel | Interruption::RemoteCancel))) => {
                (TaskStatus::Cancelled, Some(cut), None)
            }
            (_, Some(cut)) => (TaskStatus::Interrupted, Some(cut), None),
            (TurnStatus::Cancelled, None) => (TaskStatus::Cancelled, Some(Interruption::UserCancel), None),
            (TurnStatus::Interrupted { reason }, None) => {
                (TaskStatus::Interrupted, Some(Interruption::Interrupt), failed("interrupted", reason))
            }
            (TurnStatus::Running, None) => (TaskStatus::Interrupted, Some(Interruption::Interrupt), None),
        };
        Self { status, reason, error, outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_final_but_for_a_retry() {
        for from in TaskStatus::ALL {
            for to in TaskStatus::ALL {
                let legal = from.may_become(to);
                if from.is_final() {
                    assert_eq!(
                        legal,
                        to == TaskStatus::Pending && from != TaskStatus::Completed,
                        "{from:?} {to:?}"
                    );
                }
                assert!(!legal || from != to, "{from:?}");
            }
        }
        assert!(!TaskStatus::Pending.may_become(TaskStatus::Waiting));
        assert!(!TaskStatus::Running.may_become(TaskStatus::Pending));
    }

    #[test]
    fn a_task_ends_as_its_turn_did_unless_it_was_stopped() {
        let end = |status: &TurnStatus, cut| {
            let end = TaskEnd::of_turn(status, TaskOutcome::default(), cut);
            (end.status, end.reason)
        };
        let failed = TurnStatus::Failed(Failure { class: "auth".into(), message: "no key".into() });
        assert_eq!(end(&TurnStatus::Completed, None), (TaskStatus::Completed, None));
        assert_eq!(end(&failed, Some(Interruption::Timeout)), (TaskStatus::Error, None));
        assert_eq!(
            end(&TurnStatus::Cancelled, Some(Interruption::Timeout)),
            (TaskStatus::Interrupted, Some(Interruption::Timeout))
        );
        assert_eq!(
            end(&TurnStatus::Cancelled, Some(Interruption::UserCancel)),
            (TaskStatus::Cancelled, Some(Interruption::UserCancel))
        );
    }
}
