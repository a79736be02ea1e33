//! Running turns as work-done progress, by tokens of ours; as lines of the log where a client has no progress.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kkcode_core::id::TurnId;
use lsp_types::MessageType;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::capabilities::ClientCapabilities;
use crate::client::Client;

/// How our tokens begin; the turn's name follows.
const TOKEN: &str = "kkcode-turn-";

/// How long the client may take to take up a progress.
const PATIENCE: Duration = Duration::from_secs(10);

/// The progress of every running turn.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    running: Mutex<BTreeMap<TurnId, UnboundedSender<Step>>>,
}

#[derive(Debug)]
enum Step {
    Report(String),
    End(String),
}

impl Progress {
    /// Begins the progress of a turn. Needs no answer: what happens before the client has taken it up is told then.
    pub(crate) fn begin(&self, editor: &Client, client: &ClientCapabilities, turn: &TurnId, prompt: &str) {
        if client.kkcode && !client.work_done_progress {
            return;
        }
        let title = format!("kkcode: {}", title(prompt));
        let (steps, told) = unbounded_channel();
        self.running().insert(turn.clone(), steps);
        if client.work_done_progress {
            tokio::spawn(show(editor.clone(), format!("{TOKEN}{turn}"), title, told));
        } else {
            tokio::spawn(log(editor.clone(), title, told));
        }
    }

    /// Says what a turn does now.
    pub(crate) fn report(&self, turn: &TurnId, what: String) {
        if let Some(steps) = self.running().get(turn) {
            // A client that did not take the progress up needs to be told nothing.
            let _nobody_listens = steps.send(Step::Report(what));
        }
    }

    /// Says how a turn ended. Tells whether its progress was begun: whether it was started by this client.
    pub(crate) fn end(&self, turn: &TurnId, how: String) -> bool {
        let steps = self.running().remove(turn);
        if let Some(steps) = &steps {
            let _nobody_listens = steps.send(Step::End(how));
        }
        steps.is_some()
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<TurnId, UnboundedSender<Step>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the turn whose progress the client cancels, by the params of `window/workDoneProgress/cancel`.
pub(crate) fn cancelled(params: &Value) -> Option<TurnId> {
    let turn = params.get("token")?.as_str()?.strip_prefix(TOKEN)?;
    Some(TurnId::new(turn))
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
    fn only_our_tokens_name_a_turn() {
        assert_eq!(cancelled(&json!({"token": "kkcode-turn-turn_1"})), Some(TurnId::new("turn_1")));
        assert_eq!(cancelled(&json!({"token": "other"})), None);
        assert_eq!(cancelled(&json!({"token": 7})), None);
    }
}
