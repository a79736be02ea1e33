//! Running turns and tasks as work-done progress, by tokens of ours; as lines of the log where a client has no progress.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kkcode_core::id::{TaskId, TurnId};
use lsp_types::MessageType;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::capabilities::ClientCapabilities;
use crate::client::Client;

/// How the tokens of turns begin; the turn's name follows.
const TURN: &str = "kkcode-turn-";

/// How the tokens of tasks begin; the task's name follows.
const TASK: &str = "kkcode-task-";

/// How long the client may take to take up a progress.
const PATIENCE: Duration = Duration::from_secs(10);

/// The progress of everything that runs, by its token.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    running: Mutex<BTreeMap<String, UnboundedSender<Step>>>,
}

/// What has progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// A turn.
    Turn(TurnId),
    /// A background task.
    Task(TaskId),
}

#[derive(Debug)]
enum Step {
    Report(String),
    End(String),
}

impl Progress {
    /// Begins the progress of a turn or task. Needs no answer: what happens before the client has taken it up is told then.
    pub(crate) fn begin(&self, editor: &Client, client: &ClientCapabilities, work: &Work, prompt: &str) {
        if client.kkcode && !client.work_done_progress {
            return;
        }
        let title = format!("kkcode: {}", title(prompt));
        let (steps, told) = unbounded_channel();
        self.running().insert(work.token(), steps);
        if client.work_done_progress {
            tokio::spawn(show(editor.clone(), work.token(), title, told));
        } else {
            tokio::spawn(log(editor.clone(), title, told));
        }
    }

    /// Says what a turn or task does now.
    pub(crate) fn report(&self, work: &Work, what: String) {
        if let Some(steps) = self.running().get(&work.token()) {
            // A client that did not take the progress up needs to be told nothing.
            let _nobody_listens = steps.send(Step::Report(what));
        }
    }

    /// Says how a turn or task ended. Tells whether its progress was begun; of a turn, whether this client started it.
    pub(crate) fn end(&self, work: &Work, how: String) -> bool {
        let steps = self.running().remove(&work.token());
        if let Some(steps) = &steps {
            let _nobody_listens = steps.send(Step::End(how));
        }
        steps.is_some()
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, UnboundedSender<Step>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    fn token(&self) -> String {
        match self {
            Self::Turn(turn) => format!("{TURN}{turn}"),
            Self::Task(task) => format!("{TASK}{task}"),
        }
    }
}

/// Returns what the client cancels, by the params of `window/workDoneProgress/cancel`.
pub(crate) fn cancelled(params: &Value) -> Option<Work> {
    let token = params.get("token")?.as_str()?;
    let turn = token.strip_prefix(TURN).map(|turn| Work::Turn(TurnId::new(turn)));
    turn.or_else(|| token.strip_prefix(TASK).map(|task| Work::Task(TaskId::new(task))))
}

async fn show(editor: Client, token: String, title: String, mut steps: UnboundedReceiver<Step>) {
    let created = editor.request("window/workDoneProgress/create", json!({"token": token}), PATIENCE).await;
    if let Err(error) = created {
        tracing::info!(%error, "the client shows no progress");
        return;
    }
    let tell = |value: Value| editor.notify("$/progress", json!({"token": token, "value": value}));
    tell(json!({"kind": "begin", "title": title, "cancellable": true}));
    let mut last = String::new();
    while let Some(step) = steps.recv().await {
        match step {
            Step::Report(message) if message == last => {}
            Step::Report(message) => {
                // Of two that are not sent yet the newer says all.
                let value = json!({"kind": "report", "cancellable": true, "message": message});
                let params = json!({"token": token, "value": value});
                editor.notify_latest(format!("progress {token}"), "$/progress", params);
                last = message;
            }
            Step::End(message) => return tell(json!({"kind": "end", "message": message})),
        }
    }
    tell(json!({"kind": "end"}));
}

async fn log(editor: Client, title: String, mut steps: UnboundedReceiver<Step>) {
    let tell = |message: &str| {
        let message = format!("{title}: {message}");
        editor.notify("window/logMessage", json!({"type": MessageType::INFO, "message": message}));
    };
    tell("begun");
    while let Some(Step::Report(message) | Step::End(message)) = steps.recv().await {
        tell(&message);
    }
}

/// Returns the first line of a prompt, not too long for a status line.
pub(crate) fn title(prompt: &str) -> String {
    const LONGEST: usize = 60;
    let line = prompt.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", line.get(..cut).unwrap_or(line).trim_end()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_short_line() {
        assert_eq!(title("\n  make it loud \nplease"), "make it loud");
        assert_eq!(title(&"ä".repeat(61)), format!("{}…", "ä".repeat(60)));
    }

    #[test]
    fn only_our_tokens_name_a_turn_or_a_task() {
        for work in [Work::Turn(TurnId::new("turn_1")), Work::Task(TaskId::new("task_1"))] {
            assert_eq!(cancelled(&json!({"token": work.token()})), Some(work));
        }
        assert_eq!(cancelled(&json!({"token": "other"})), None);
        assert_eq!(cancelled(&json!({"token": 7})), None);
    }
}
