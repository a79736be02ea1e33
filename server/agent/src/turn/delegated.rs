//! The ends of tasks that the agent has given away: told to it once, while its turn runs or with the next one.
//!
//! What was told stands in the conversation, and the conversation is what says so: also after a restart.

use std::collections::BTreeSet;

use kkcode_core::turn::TurnStatus;
use kkcode_provider::request::{Content, Message};
use tokio::sync::watch;

use super::{Running, interrupted};
use crate::task::Tasks;
use crate::tool;

/// What of the tasks of a session its agent knows.
#[derive(Debug, Default)]
pub(super) struct Delegated {
    /// The lines by which ends were told.
    told: BTreeSet<String>,
    /// Says when there may be something new; none before the first look.
    changes: Option<watch::Receiver<u64>>,
}

/// What is done about tasks that have not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// The turn goes on without them.
    GoesOn,
    /// They are waited for.
    Waits,
}

impl Delegated {
    /// Takes note of what messages tell.
    pub(super) fn read(&mut self, messages: &[Message]) {
        let texts =
            messages.iter().flat_map(|message| &message.content).filter_map(|content| match content {
                Content::Text { text } | Content::ToolResult { text, .. } => Some(text),
                _ => None,
            });
        let lines = texts.flat_map(|text| text.lines()).filter(|line| line.starts_with("[task "));
        self.told.extend(lines.map(ToOwned::to_owned));
    }
}

impl Running {
    /// Tells the agent which of its tasks have ended since it was told last; says whether there were any.
    pub(super) async fn hand_over(&mut self, open: Open) -> Result<bool, TurnStatus> {
        let ports = self.link.ports.clone();
        let tasks = Tasks::new(&ports.handle, &ports.config);
        loop {
            match &mut self.delegated.changes {
                // Nothing has happened since the last look.
                Some(changes) if open == Open::GoesOn && !changes.has_changed().unwrap_or_default() => {
                    return Ok(false);
                }
                Some(changes) => changes.mark_unchanged(),
                none => *none = Some(tasks.changes()),
            }
            let found = tool::of_session(&tasks, &self.link.turn.session).await;
            let found = found.map_err(|refusal| interrupted(&refusal.to_string()))?;
            let (ended, running): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|task| task.status.is_final());
            let news = ended.iter().rev().filter(|task| !self.delegated.told.contains(&tool::mark(task)));
            let news: Vec<String> = news.map(tool::handed).collect();
            if !news.is_empty() {
                self.keep(vec![Message::user(news.join("\n\n"))]).await?;
                return Ok(true);
            }
            let Some(changes) =
                self.delegated.changes.as_mut().filter(|_| open == Open::Waits && !running.is_empty())
            else {
                return Ok(false);
            };
            tokio::select! {
                changed = changes.changed() => changed.map_err(|_| interrupted("the server is shutting down"))?,
                // A worker that is gone is noticed by whoever looks; here it may be us alone.
                () = tasks.clone().attend() => {}
            }
        }
    }

    /// Tells the agent what has ended when it would end itself. A worker waits for its own tasks, which end with it.
    pub(super) async fn hand_over_at_the_end(&mut self) -> Result<bool, TurnStatus> {
        let is_task = self.link.ports.config.task_since().is_some();
        self.hand_over(if is_task { Open::Waits } else { Open::GoesOn }).await
    }
}
