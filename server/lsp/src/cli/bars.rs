//! Tasks on a terminal while somebody waits for them: a line each, with what it does now.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use kkcode_agent::task::Tasks;
use kkcode_core::id::TaskId;
use kkcode_core::task::{Task, TaskStatus};

use super::output::shown;

/// How often the signs of life move on.
const TICK: Duration = Duration::from_millis(120);

/// A line: a sign of life, how long it takes already, what it is about, what it does. Cut where the terminal ends.
const LINE: &str = "{spinner} {elapsed:>4}  {wide_msg}";

/// What moves, and what stands where a task has ended.
const SIGNS: &str = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏●";

/// Lines on stderr; nothing where that is no terminal.
pub(super) struct Bars {
    all: MultiProgress,
    by_task: BTreeMap<TaskId, ProgressBar>,
}

impl Bars {
    pub(super) fn new() -> Self {
        Self { all: MultiProgress::new(), by_task: BTreeMap::new() }
    }

    /// Shows tasks until this is dropped. Costs a look at each whenever something happens.
    pub(super) async fn follow(&mut self, ids: &[TaskId], tasks: &Tasks) {
        let mut changes = tasks.changes();
        loop {
            for id in ids {
                if let Ok(task) = tasks.get(id).await {
                    self.show(&task);
                }
            }
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn show(&mut self, task: &Task) {
        let bar = self.by_task.entry(task.id.clone()).or_insert_with(|| {
            let bar = self.all.add(ProgressBar::new_spinner());
            // The template is our own; one that cannot be read would be the usual one.
            if let Ok(style) = ProgressStyle::with_template(LINE) {
                bar.set_style(style.tick_chars(SIGNS));
            }
            bar.enable_steady_tick(TICK);
            bar
        });
        let line = line(task);
        if task.status.is_final() {
            bar.finish_with_message(line);
        } else {
            bar.set_message(line);
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        if let Err(error) = self.all.clear() {
            tracing::debug!(%error, "the terminal is gone");
        }
    }
}

/// Says what a task is about and does, in one line that moves no cursor.
fn line(task: &Task) -> String {
    let status = match task.status {
        TaskStatus::Running => String::new(),
        status => format!("{}  ", status.name()),
    };
    let doing = task.activity.as_deref().filter(|_| !task.status.is_final());
    let doing = doing.map(|activity| format!(" · {activity}")).unwrap_or_default();
    shown(&format!("{status}{}{doing}", task.spec.description)).into_owned()
}
