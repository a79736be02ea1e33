//! Background tasks, in the client's words.

use kkcode_agent::task::TaskLine;
use kkcode_core::task::{
    ExecutionMode, Interruption, Isolation, Task, TaskEvent, TaskOutcome, TaskStatus, WaitingFor,
};
use kkcode_core::turn::Mode;
use kkcode_core::uri::{PathStyle, from_path};
use kkcode_protocol as protocol;
use kkcode_protocol::events::{Event, EventBody};
use kkcode_protocol::turn::ToolStatus;

use super::{level, timestamp, usage};

/// A task's record.
pub(crate) fn task_summary(task: &Task) -> protocol::task::TaskSummary {
    protocol::task::TaskSummary {
        task_id: task.id.to_string(),
        description: task.spec.description.clone(),
        status: task_status(task.status),
        attempt: task.attempt,
        session_id: task.session.as_ref().map(ToString::to_string),
        group_id: task.spec.group.clone(),
        group_label: task.spec.group_label.clone(),
        activity: task.activity.clone(),
        waiting_for: task.waiting_for.clone().map(waiting_for),
        interruption_reason: task.reason.map(interruption),
        error: task
            .error
            .clone()
            .map(|failure| protocol::outcome::ErrorInfo { class: failure.class, message: failure.message }),
        result: task.result.clone().map(outcome),
        pid: task.pid,
        created_at: timestamp(task.created_at),
        started_at: task.started_at.map(timestamp),
        ended_at: task.ended_at.map(timestamp),
        cancel_requested: task.cancel_requested,
    }
}

/// A task's record and what it was started with.
pub(crate) fn task(task: &Task) -> protocol::task::Task {
    let spec = &task.spec;
    protocol::task::Task {
        summary: task_summary(task),
        prompt: spec.prompt.clone(),
        mode: match spec.mode {
            Mode::Ask => protocol::turn::Mode::Ask,
            Mode::Plan => protocol::turn::Mode::Plan,
            Mode::Agent => protocol::turn::Mode::Agent,
        },
        level: level(spec.level),
        isolation: match spec.isolation {
            Isolation::None => protocol::task::Isolation::None,
            Isolation::Worktree => protocol::task::Isolation::Worktree,
        },
        execution_mode: match spec.execution_mode {
            ExecutionMode::FreshAgent => protocol::task::ExecutionMode::FreshAgent,
            ExecutionMode::ForkContext => protocol::task::ExecutionMode::ForkContext,
        },
        model: spec.model.clone(),
        parent_session_id: spec.parent_session.as_ref().map(ToString::to_string),
        workspace_uri: from_path(&task.folder, PathStyle::NATIVE),
        timeout_ms: spec.timeout_ms,
        planned_files: spec.planned_files.clone(),
    }
}

/// A line of a task's log; `now` is the record that a change of its status is shown with.
pub(crate) fn task_line(now: &Task, (seq, at, line): TaskLine) -> Event {
    let body = match line {
        TaskEvent::Status { status, attempt, reason } => {
            let mut task = task_summary(now);
            if (status, attempt) != (now.status, now.attempt) {
                // What the record says of the end is not what it said then.
                task.result = None;
                task.error = None;
                task.interruption_reason = None;
            }
            (task.status, task.attempt) = (task_status(status), attempt);
            task.activity = reason.or(task.activity);
            EventBody::TaskChanged { task: Box::new(task) }
        }
        TaskEvent::TurnStarted { turn, session } => EventBody::TurnStarted {
            turn_id: turn.to_string(),
            session_id: session.to_string(),
            mode: task(now).mode,
            prompt: now.spec.prompt.clone(),
        },
        TaskEvent::Message { turn, text } => EventBody::Message { turn_id: turn.to_string(), text },
        TaskEvent::ToolCalled { turn, call, tool, title } => {
            EventBody::ToolCalled { turn_id: turn.to_string(), call_id: call, tool, title }
        }
        TaskEvent::ToolFinished { turn, call, ok, summary } => EventBody::ToolFinished {
            turn_id: turn.to_string(),
            call_id: call,
            status: if ok { ToolStatus::Ok } else { ToolStatus::Error },
            summary: Some(summary),
        },
        TaskEvent::Note { text } => EventBody::Note { turn_id: None, text },
    };
    Event { seq, at: timestamp(at), task_id: Some(now.id.to_string()), body }
}

fn task_status(status: TaskStatus) -> protocol::task::TaskStatus {
    match status {
        TaskStatus::Pending => protocol::task::TaskStatus::Pending,
        TaskStatus::Running => protocol::task::TaskStatus::Running,
        TaskStatus::Waiting => protocol::task::TaskStatus::Waiting,
        TaskStatus::Completed => protocol::task::TaskStatus::Completed,
        TaskStatus::Cancelled => protocol::task::TaskStatus::Cancelled,
        TaskStatus::Error => protocol::task::TaskStatus::Error,
        TaskStatus::Interrupted => protocol::task::TaskStatus::Interrupted,
    }
}

fn waiting_for(waiting: WaitingFor) -> protocol::task::WaitingFor {
    match waiting {
        WaitingFor::Permission { prompt } => protocol::task::WaitingFor::Permission { prompt_id: prompt },
        WaitingFor::Question { question } => protocol::task::WaitingFor::Question { question_id: question },
        WaitingFor::Key { provider } => protocol::task::WaitingFor::Key { provider },
    }
}

fn interruption(reason: Interruption) -> protocol::outcome::InterruptionReason {
    use protocol::outcome::InterruptionReason as Wire;
    match reason {
        Interruption::UserCancel => Wire::UserCancel,
        Interruption::Interrupt => Wire::Interrupt,
        Interruption::Timeout => Wire::Timeout,
        Interruption::PermissionCancel => Wire::PermissionCancel,
        Interruption::Orphaned => Wire::Orphaned,
        Interruption::RemoteCancel => Wire::RemoteCancel,
    }
}

fn outcome(outcome: TaskOutcome) -> protocol::task::TaskOutcome {
    protocol::task::TaskOutcome {
        reply: outcome.reply,
        proposal_ids: outcome.proposals.iter().map(ToString::to_string).collect(),
        remaining_files: outcome.remaining_files,
        worktree_path: outcome.worktree.map(|path| path.display().to_string()),
        usage: usage(outcome.usage),
    }
}
