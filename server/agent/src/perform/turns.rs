//! The turns that run in this process, and what their sessions' models have seen so far.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use kkcode_core::event::Event;
use kkcode_core::id::{SessionId, TurnId};
use kkcode_core::turn::{Failure, Turn, TurnEnd, TurnStatus, Usage};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::turn::{self, Memory, Ports};

/// How long a stopping runtime waits for its turns.
const PATIENCE: Duration = Duration::from_millis(100);

/// How many sessions are remembered beyond their turns; of the others the model has to look at files again.
const REMEMBERED: usize = 8;

/// Turns that run, and sessions that are remembered.
#[derive(Default)]
pub(super) struct Turns {
    running: BTreeMap<TurnId, Running>,
    /// The session used last stands last.
    sessions: VecDeque<(SessionId, Arc<Memory>)>,
}

struct Running {
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Turns {
    /// Returns what is remembered of a session.
    pub(super) fn memory_of(&mut self, session: &SessionId) -> Arc<Memory> {
        let index = self.sessions.iter().position(|(known, _)| known == session);
        let memory = index.and_then(|index| self.sessions.remove(index)).map(|(_, memory)| memory);
        let memory = memory.unwrap_or_default();
        self.sessions.push_back((session.clone(), Arc::clone(&memory)));
        if self.sessions.len() > REMEMBERED {
            self.sessions.pop_front();
        }
        memory
    }

    /// Starts a turn.
    pub(super) fn start(&mut self, turn: Turn, ports: Ports) {
        let (id, handle, cancel) = (turn.id.clone(), ports.handle.clone(), ports.cancel.clone());
        let task = tokio::spawn(async move {
            let id = turn.id.clone();
            // In a task of its own, so that a panic in it ends the turn and nothing else.
            let end = tokio::spawn(turn::run(turn, ports)).await.unwrap_or_else(|error| {
                tracing::error!(%error, turn = %id, "a turn broke down");
                let message = "internal error, see the server's log".to_owned();
                let status = TurnStatus::Failed(Failure { class: "internal".to_owned(), message });
                TurnEnd { status, reply: None, usage: Usage::default() }
            });
            handle.send(Event::TurnEnded { turn: id, end });
        });
        self.running.insert(id, Running { cancel, task });
    }

    /// Stops a turn, if it runs here.
    pub(super) fn cancel(&self, turn: &TurnId) {
        if let Some(running) = self.running.get(turn) {
            running.cancel.cancel();
        }
    }

    /// Takes note that a turn has ended.
    pub(super) fn ended(&mut self, turn: &TurnId) {
        self.running.remove(turn);
    }

    /// Stops all turns, and waits a moment for what they still write.
    pub(super) async fn stop(&mut self) {
        for running in self.running.values() {
            running.cancel.cancel();
        }
        for running in std::mem::take(&mut self.running).into_values() {
            if tokio::time::timeout(PATIENCE, running.task).await.is_err() {
                tracing::warn!("a turn did not stop in time");
            }
        }
    }
}
