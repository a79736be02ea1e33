//! The commands of background tasks.

use std::sync::Arc;
use std::time::Duration;

use kkcode_agent::task::{NewTask, TaskQuery};
use kkcode_core::id::{SessionId, TaskId};
use kkcode_core::task::{self as core, Interruption, LEAST_TIMEOUT_MS};
use kkcode_core::turn;
use kkcode_protocol::task::{
    ExecutionMode, Isolation, Task, TaskCleanParams, TaskCleanResult, TaskListParams, TaskListResult,
    TaskLogsParams, TaskLogsResult, TaskParams, TaskStartParams, TaskStartResult, TaskStatus,
};
use kkcode_protocol::turn::Mode;
use tower_lsp::jsonrpc::Result;

use crate::session::Session;
use crate::{error, from_proto, to_proto};

/// How many lines of a log one answer has at most.
const MOST_LINES: u32 = 1_000;

/// How many days a task is kept after its end, if nothing else is said.
const KEPT_DAYS: u32 = 7;

pub(super) async fn start(session: Arc<Session>, params: TaskStartParams) -> Result<TaskStartResult> {
    let new = new_task(params)?;
    let task = session.tasks().launch(new).await.map_err(|refusal| error::refusal(&refusal))?;
    Ok(TaskStartResult { task_id: task.id.to_string() })
}

pub(super) async fn list(session: Arc<Session>, params: TaskListParams) -> Result<TaskListResult> {
    let folders = Some(session.snapshot().await?.folders.clone());
    let query = TaskQuery { status: params.status.map(status), folders, group: None };
    let tasks = session.tasks().list(query).await.map_err(|refusal| error::refusal(&refusal))?;
    Ok(TaskListResult { tasks: tasks.iter().map(to_proto::task_summary).collect() })
}

pub(super) async fn show(session: Arc<Session>, params: TaskParams) -> Result<Task> {
    answer(session.tasks().get(&TaskId::new(params.task_id)).await)
}

pub(super) async fn logs(session: Arc<Session>, params: TaskLogsParams) -> Result<TaskLogsResult> {
    let id = TaskId::new(params.task_id);
    let since = params.since_seq.unwrap_or_default();
    let most = usize::try_from(params.limit.unwrap_or(MOST_LINES).min(MOST_LINES)).unwrap_or(usize::MAX);
    let tasks = session.tasks();
    let now = tasks.get(&id).await.map_err(|refusal| error::refusal(&refusal))?;
    let lines = tasks.logs(&id, since, most).await.map_err(|refusal| error::refusal(&refusal))?;
    let next_seq = lines.last().map_or(since, |(seq, ..)| *seq);
    let events = lines.into_iter().map(|line| to_proto::task_line(&now, line)).collect();
    Ok(TaskLogsResult { events, next_seq })
}

pub(super) async fn cancel(session: Arc<Session>, params: TaskParams) -> Result<Task> {
    answer(session.tasks().cancel(&TaskId::new(params.task_id), Interruption::UserCancel).await)
}

pub(super) async fn retry(session: Arc<Session>, params: TaskParams) -> Result<Task> {
    answer(session.tasks().retry(&TaskId::new(params.task_id)).await)
}

pub(super) async fn clean(session: Arc<Session>, params: TaskCleanParams) -> Result<TaskCleanResult> {
    let days = params.older_than_days.unwrap_or(KEPT_DAYS);
    let removed = session.tasks().clean(Duration::from_hours(24 * u64::from(days))).await;
    let removed = removed.map_err(|refusal| error::refusal(&refusal))?;
    Ok(TaskCleanResult { removed: u32::try_from(removed).unwrap_or(u32::MAX) })
}

fn answer(task: std::result::Result<core::Task, kkcode_core::effect::Refusal>) -> Result<Task> {
    task.map(|task| to_proto::task(&task)).map_err(|refusal| error::refusal(&refusal))
}

/// Reads what a task is to be; refuses what this version cannot do, rather than do something else.
fn new_task(params: TaskStartParams) -> Result<NewTask> {
    let mut new = NewTask::new(params.prompt);
    if new.spec.prompt.trim().is_empty() {
        return Err(error::invalid_params("the prompt is empty"));
    }
    new.level = params.level.map(from_proto::level);
    let spec = &mut new.spec;
    spec.mode = match params.mode.unwrap_or_default() {
        Mode::Agent => turn::Mode::Agent,
        Mode::Ask => turn::Mode::Ask,
        Mode::Plan => turn::Mode::Plan,
        Mode::Longagent => {
            return Err(error::failed("mode `longagent` is not there yet; a later version has it"));
        }
    };
    spec.execution_mode = match (params.execution_mode, &params.session_id) {
        (Some(ExecutionMode::ForkContext), None) => {
            return Err(error::invalid_params("`fork_context` needs a `sessionId`: whose context is meant?"));
        }
        (Some(ExecutionMode::ForkContext), Some(_)) => core::ExecutionMode::ForkContext,
        (Some(ExecutionMode::FreshAgent) | None, _) => core::ExecutionMode::FreshAgent,
    };
    spec.isolation = match params.isolation {
        Some(Isolation::Worktree) => core::Isolation::Worktree,
        Some(Isolation::None) | None => core::Isolation::None,
    };
    if let Some(timeout) = params.timeout_ms.filter(|timeout| *timeout < LEAST_TIMEOUT_MS) {
        return Err(error::invalid_params(format!(
            "`timeoutMs` is {timeout}; the least is {LEAST_TIMEOUT_MS}"
        )));
    }
    spec.timeout_ms = params.timeout_ms.unwrap_or_default();
    spec.parent_session = params.session_id.map(SessionId::new);
    spec.description = params.description.unwrap_or_default();
    spec.model = params.model;
    (spec.group, spec.group_label) = (params.group_id, params.group_label);
    spec.planned_files = params.planned_files;
    Ok(new)
}

fn status(status: TaskStatus) -> core::TaskStatus {
    match status {
        TaskStatus::Pending => core::TaskStatus::Pending,
        TaskStatus::Running => core::TaskStatus::Running,
        TaskStatus::Waiting => core::TaskStatus::Waiting,
        TaskStatus::Completed => core::TaskStatus::Completed,
        TaskStatus::Cancelled => core::TaskStatus::Cancelled,
        TaskStatus::Error => core::TaskStatus::Error,
        TaskStatus::Interrupted => core::TaskStatus::Interrupted,
    }
}
