//! Background tasks of the workspace, for the client: our notification, their progress, and a word when one ends or waits.

use std::collections::BTreeMap;

use kkcode_agent::task::TaskQuery;
use kkcode_core::id::TaskId;
use kkcode_protocol::message::Notification as _;
use kkcode_protocol::notifications::TaskDidChange;
use kkcode_protocol::task::{TaskDidChangeParams, TaskStatus, TaskSummary, WaitingFor};
use lsp_types::MessageType;
use serde_json::json;

use crate::progress::Work;
use crate::session::Session;
use crate::to_proto;

/// The tasks that the client knows.
#[derive(Debug, Default)]
pub(crate) struct TaskUpdates {
    told: BTreeMap<String, TaskStatus>,
    caught_up: bool,
}

impl TaskUpdates {
    /// Tells what a task does now, if it is one of this workspace.
    pub(crate) async fn changed(&mut self, session: &Session, seq: u64, id: &TaskId) {
        let Some(snapshot) = session.handle().snapshot().await else { return };
        let Some(task) = session.task(&snapshot, id).await else { return };
        let before = self.show(session, &task);
        if session.client().kkcode {
            // Of two that are not sent yet the newer says all.
            let params = TaskDidChangeParams { seq, task };
            session.editor().notify_latest(format!("task {id}"), TaskDidChange::NAME, params);
        } else if before != Some(task.status)
            && let Some((kind, words)) = news(&task)
        {
            let message = format!("kkcode: the task “{}” {words}", task.description);
            session.editor().notify("window/showMessage", json!({"type": kind, "message": message}));
        }
    }

    /// Shows the progress of the tasks that were running before the client came; once.
    pub(crate) async fn catch_up(&mut self, session: &Session) {
        if std::mem::replace(&mut self.caught_up, true) {
            return;
        }
        let Some(snapshot) = session.handle().snapshot().await else { return };
        let query = TaskQuery { folders: Some(snapshot.folders.clone()), ..TaskQuery::default() };
        match session.tasks().list(query).await {
            Ok(tasks) => {
                for task in tasks.iter().filter(|task| !task.status.is_final()) {
                    self.show(session, &to_proto::task_summary(task));
                }
            }
            Err(error) => tracing::warn!(%error, "the tasks of this workspace cannot be read"),
        }
    }

    /// Brings the progress of a task up to date; returns what its status was when the client heard of it last.
    fn show(&mut self, session: &Session, task: &TaskSummary) -> Option<TaskStatus> {
        let work = Work::Task(TaskId::new(task.task_id.as_str()));
        let before = self.told.insert(task.task_id.clone(), task.status);
        if is_final(task.status) {
            session.progress().end(&work, word(task.status).to_owned());
            return before;
        }
        if before.is_none_or(is_final) {
            session.progress().begin(session.editor(), session.client(), &work, &task.description);
        }
        let doing = task.activity.clone().filter(|_| task.status == TaskStatus::Running);
        session.progress().report(&work, doing.unwrap_or_else(|| word(task.status).to_owned()));
        before
    }
}

/// Returns what a client without our notifications is told of a task's new status.
fn news(task: &TaskSummary) -> Option<(MessageType, String)> {
    let error = task.error.as_ref().map(|error| format!(": {}", error.message)).unwrap_or_default();
    Some(match task.status {
        TaskStatus::Pending | TaskStatus::Running => return None,
        TaskStatus::Waiting => {
            let what = match &task.waiting_for {
                Some(WaitingFor::Key { provider }) => format!("the key of `{provider}`"),
                Some(WaitingFor::Permission { .. }) => "a permission".to_owned(),
                Some(WaitingFor::Question { .. }) | None => "an answer".to_owned(),
            };
            (MessageType::WARNING, format!("waits for {what}"))
        }
        TaskStatus::Completed => {
            let proposals = task.result.as_ref().map_or(0, |result| result.proposal_ids.len());
            let review = if proposals == 0 { "" } else { "; what it proposes waits for your review" };
            (MessageType::INFO, format!("is completed{review}"))
        }
        TaskStatus::Cancelled => (MessageType::INFO, "is cancelled".to_owned()),
        TaskStatus::Error => (MessageType::ERROR, format!("has failed{error}")),
        TaskStatus::Interrupted => {
            (MessageType::WARNING, format!("was interrupted{error}; `kkcode.task.retry` goes on with it"))
        }
    })
}

fn is_final(status: TaskStatus) -> bool {
    !matches!(status, TaskStatus::Pending | TaskStatus::Running | TaskStatus::Waiting)
}

fn word(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Pending => "waits for a free worker",
        TaskStatus::Running => "running",
        TaskStatus::Waiting => "waits for an answer",
        TaskStatus::Completed => "completed",
        TaskStatus::Cancelled => "cancelled",
        TaskStatus::Error => "failed",
        TaskStatus::Interrupted => "interrupted",
    }
}
