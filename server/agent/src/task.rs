//! Background tasks: launched, listed, followed, cancelled and done again, from any server or command of the same home.
//!
//! [`Tasks`] is all that a front end or a tool needs; it is cheap to clone and to make. What it writes is told as
//! [`DurableEvent::TaskChanged`](kkcode_core::effect::DurableEvent::TaskChanged): to this process's front end as
//! [`ToFrontEnd::Elsewhere`](crate::runtime::ToFrontEnd::Elsewhere), whoever wrote it, and to all others by the doorbell. The
//! event names the task; [`Tasks::get`] reads the record of now.
//!
//! ```text
//! let tasks = Tasks::new(&handle, &config);
//! tokio::spawn(tasks.clone().attend());                    // a server: looks after workers as long as it lives
//! let task = tasks.launch(NewTask::new("write the tests")).await?;   // a worker has been started, or will be
//! let log = tasks.logs(&task.id, 0, 100).await?;           // (seq, at, TaskEvent), oldest first
//! tasks.wait(&[task.id.clone()], Wait::All, None).await?;  // costs nothing while nothing happens
//! tasks.cancel(&task.id, Interruption::UserCancel).await?; // back at once; the end is told as an event
//! ```

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::BoxFuture;
use kkcode_core::effect::Refusal;
use kkcode_core::event::Command;
use kkcode_core::id::{SessionId, TaskId};
use kkcode_core::proposal::Timestamp;
use kkcode_core::task::{
    DEFAULT_TIMEOUT_MS, Interruption, Isolation, LEAST_TIMEOUT_MS, Task, TaskCounts, TaskSpec, TaskStatus,
};
use kkcode_core::turn::Level;
use kkcode_store::{Outdated, Store, StoreError};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

pub use kkcode_store::{TaskLine, TaskQuery};

use crate::config::ConfigSource;
use crate::runtime::Handle;
use crate::{environment, fresh, worktree};

pub(crate) mod kill;
pub(crate) mod launch;
pub(crate) mod output;
mod tend;

pub use output::Output;

/// How long a task may take to end by itself once it was asked to, before it is killed.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// How often a worker shows that it is alive.
pub(crate) const BEAT: Duration = Duration::from_secs(2);

/// How long a worker may be silent before its task is taken away.
pub(crate) const LEASE: Duration = Duration::from_secs(15);

/// How many tasks a summary names.
const RECENT: usize = 3;

/// The tasks of one home.
#[derive(Clone, Debug)]
pub struct Tasks {
    handle: Handle,
    config: ConfigSource,
}

/// How many tasks that have ended are kept at most.
const MOST_KEPT: i64 = 2_000;

/// Returns the time so long ago.
fn before(age: Duration) -> Timestamp {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Timestamp(fresh::now().0.saturating_sub(age))
}

/// A task as a front end or an agent asks for it.
#[derive(Clone, Debug, Default)]
pub struct NewTask {
    /// What it is to do; the level is that of [`NewTask::level`], and a timeout of 0 is the usual one.
    pub spec: TaskSpec,
    /// What it may do without asking; the present level when absent.
    pub level: Option<Level>,
    /// The folder it works in; the first of the workspace when absent.
    pub folder: Option<PathBuf>,
}

/// Which of several tasks are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// One of them.
    Any,
    /// All of them.
    All,
}

/// All tasks at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many there are, by status.
    pub counts: TaskCounts,
    /// Those that have not ended, newest first.
    pub active: Vec<Task>,
    /// The three that ended last, of the newest 1,000.
    pub recent: Vec<Task>,
    /// The groups of those, the most active first.
    pub groups: Vec<Group>,
}

/// Tasks that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub id: String,
    /// What it is about.
    pub label: Option<String>,
    /// Its tasks, in the order in which they were launched.
    pub lanes: Vec<Task>,
}

impl NewTask {
    /// Makes a task of a prompt, with everything else as usual.
    pub fn new(prompt: impl Into<String>) -> Self {
        Self { spec: TaskSpec { prompt: prompt.into(), ..TaskSpec::default() }, ..Self::default() }
    }
}

impl Tasks {
    /// Returns the tasks of a runtime's home. Workers are given what `config` has in memory.
    pub fn new(handle: &Handle, config: &ConfigSource) -> Self {
        Self { handle: handle.clone(), config: config.clone() }
    }

    /// Writes a task down, with the texts that the editor has unsaved, and starts a worker for it if one may run.
    pub async fn launch(&self, new: NewTask) -> Result<Task, Refusal> {
        let NewTask { mut spec, level, folder } = new;
        if spec.prompt.trim().is_empty() {
            return Err(Refusal::Forbidden(
                "the prompt of the task is empty; say what it is to do".to_owned(),
            ));
        }
        let snapshot = self.handle.snapshot().await.ok_or_else(ended)?;
        let folder = folder.or_else(|| snapshot.copy_of.as_ref().or(snapshot.folders.first()).cloned());
        let Some(folder) = folder else {
            return Err(Refusal::Forbidden("a task needs a workspace folder; open one".to_owned()));
        };
        spec.level = level.unwrap_or(snapshot.level);
        if spec.description.trim().is_empty() {
            spec.description = headline(&spec.prompt);
        }
        if spec.isolation == Isolation::Worktree {
            self.check_worktree(&folder).await?;
        }
        let bases = launch::unsaved(&snapshot, &folder);
        let (config, asked) = (self.config.clone(), spec.timeout_ms);
        let (model, timeout) = blocking(move || (config.selected().ok(), config.task_timeout_ms())).await?;
        let timeout = if asked > 0 { asked } else { timeout.unwrap_or(DEFAULT_TIMEOUT_MS) };
        spec.timeout_ms = timeout.max(LEAST_TIMEOUT_MS);
        spec.model = spec.model.or(model);
        spec.trusted = self.config.is_trusted();
        let id = TaskId::new(fresh::name("task").map_err(|error| Refusal::Forbidden(error.to_string()))?);
        let task = self.ask(|store, done| store.launch_task(id, folder, spec, bases, done)).await?;
        self.handle.tasks_changed();
        self.start_pending().await?;
        Ok(task)
    }

    /// Refuses a task that cannot have a worktree.
    async fn check_worktree(&self, folder: &Path) -> Result<(), Refusal> {
        if !self.config.is_trusted() {
            let reason = "git may run programs that a repository names when it makes a worktree of it; trust the folder first, or \
                          start the task with the isolation `none`, which leaves your files untouched too";
            return Err(Refusal::Forbidden(reason.to_owned()));
        }
        let (config, folder) = (self.config.clone(), folder.to_owned());
        let checked = blocking(move || worktree::check(&folder, environment::for_child(&config))).await?;
        checked.map_err(Refusal::Forbidden)
    }

    /// Launches a task that an agent gives away: [`TaskSpec::delegate`] says within which bounds.
    pub async fn launch_delegate_task(&self, new: NewTask, parent: SessionId) -> Result<Task, Refusal> {
        if new.spec.delegate.is_none() {
            return Err(Refusal::Forbidden("a task that is given away needs somebody to do it".to_owned()));
        }
        let spec = TaskSpec { parent_session: Some(parent), ..new.spec };
        self.launch(NewTask { spec, ..new }).await
    }

    /// Returns a task.
    pub async fn get(&self, id: &TaskId) -> Result<Task, Refusal> {
        let wanted = id.clone();
        self.ask(|store, done| store.task(wanted, done)).await?.ok_or_else(|| unknown(id))
    }

    /// Returns tasks, newest first: all that have not ended and at most the newest 1,000 of the others.
    pub async fn list(&self, query: TaskQuery) -> Result<Vec<Task>, Refusal> {
        self.ask(|store, done| store.tasks(query, done)).await
    }

    /// Returns how many tasks there are, by status. Costs the same however many have ended.
    pub async fn counts(&self) -> Result<TaskCounts, Refusal> {
        self.ask(Store::task_counts).await
    }

    /// Returns all tasks at a glance: counts, the last ends, groups.
    pub async fn summary(&self, query: TaskQuery) -> Result<Summary, Refusal> {
        let counts = self.counts().await?;
        let tasks = self.list(query).await?;
        let (mut recent, active): (Vec<Task>, Vec<Task>) =
            tasks.iter().cloned().partition(|task| task.status.is_final());
        recent.sort_by_key(|task| std::cmp::Reverse(task.ended_at));
        recent.truncate(RECENT);
        Ok(Summary { counts, active, recent, groups: groups(tasks) })
    }

    /// Returns a task's log behind a line, oldest first, at most `limit` lines: each with its number and when it was written.
    pub async fn logs(&self, id: &TaskId, since: u64, limit: usize) -> Result<Vec<TaskLine>, Refusal> {
        let wanted = id.clone();
        self.ask(|store, done| store.task_log(wanted, since, limit, done)).await
    }

    /// Returns what a task's agent has said and its tools have answered, behind a byte, at most `limit` bytes of it.
    pub async fn output(&self, id: &TaskId, offset: u64, limit: usize) -> Result<Output, Refusal> {
        let (home, id) = (self.config.home().to_owned(), id.clone());
        let read = blocking(move || output::read(&home, &id, offset, limit)).await?;
        read.map_err(|error| Refusal::NotStored(format!("the output of the task cannot be read: {error}")))
    }

    /// Asks a task to stop and returns it: one without a worker is cancelled already, one with a worker in a moment, or when it
    /// is killed after two seconds. One that has ended is left as it is.
    pub async fn cancel(&self, id: &TaskId, reason: Interruption) -> Result<Task, Refusal> {
        let task = self.ask_to_cancel(id, reason).await?.ok_or_else(|| unknown(id))?;
        self.handle.tasks_changed();
        if !task.status.is_final() {
            self.ask_to_end(id).await?;
            let (tasks, id) = (self.clone(), id.clone());
            tokio::spawn(async move { tasks.see_to_the_end(&id).await });
        }
        Ok(task)
    }

    /// Lets a task that was cancelled, cut off or failed be done again, from the last step that was written down.
    pub async fn retry(&self, id: &TaskId) -> Result<Task, Refusal> {
        let wanted = id.clone();
        let task = self.ask(|store, done| store.retry_task(wanted, done)).await?;
        let task = task.ok_or_else(|| unknown(id))?;
        self.handle.tasks_changed();
        self.start_pending().await?;
        Ok(task)
    }

    /// Sets what turns of this server and the tasks of its folders may do without asking, those that run included.
    pub async fn set_level(&self, level: Level) -> Result<(), Refusal> {
        self.handle.request(Command::SetLevel(level)).await?;
        let Some(snapshot) = self.handle.snapshot().await else { return Ok(()) };
        let folders = snapshot.folders;
        if !self.ask(|store, done| store.set_task_level(folders, level, done)).await?.is_empty() {
            self.handle.tasks_changed();
        }
        Ok(())
    }

    /// Removes the records, logs, outputs and worktrees of tasks that ended longer ago than this, and returns how many those
    /// were. Their sessions and proposals stay.
    pub async fn clean(&self, older_than: Duration) -> Result<usize, Refusal> {
        let ended_before = before(older_than);
        self.remove(Outdated { ended_before, but_newest: i64::MAX, with_worktree: true }).await
    }

    /// Removes what nobody is likely to ask for any more: tasks that ended longer ago than `background.keep_days`, and all but
    /// the newest 2,000. Those that kept a worktree stay.
    async fn forget_old(&self) -> Result<usize, Refusal> {
        let config = self.config.clone();
        let Some(kept) = blocking(move || config.task_retention()).await? else { return Ok(0) };
        self.remove(Outdated { ended_before: before(kept), but_newest: MOST_KEPT, with_worktree: false })
            .await
    }

    async fn remove(&self, outdated: Outdated) -> Result<usize, Refusal> {
        let mut removed = 0;
        loop {
            let ids = self.ask(|store, done| store.clean_tasks(outdated, done)).await?;
            if ids.is_empty() {
                break;
            }
            removed += ids.len();
            let config = self.config.clone();
            blocking(move || {
                for id in &ids {
                    output::remove(config.home(), id);
                    worktree::discard(config.home(), id, environment::for_child(&config));
                }
            })
            .await?;
        }
        if removed > 0 {
            self.handle.tasks_changed();
        }
        Ok(removed)
    }

    /// Returns what says when something about tasks may have changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.handle.task_changes()
    }

    /// Waits until one or all of these tasks have ended, and returns those that are there; at most `patience`, if there is one.
    /// Costs nothing while nothing happens, and a look at these tasks whenever something does.
    pub async fn wait(
        &self,
        ids: &[TaskId],
        wait: Wait,
        patience: Option<Duration>,
    ) -> Result<Vec<(TaskId, TaskStatus)>, Refusal> {
        let deadline = patience.map(|patience| Instant::now() + patience);
        let mut changes = self.handle.task_changes();
        loop {
            changes.mark_unchanged();
            let wanted = ids.to_vec();
            let statuses = self.ask(|store, done| store.task_statuses(wanted, done)).await?;
            let mut ends = statuses.iter().map(|(_, status)| status.is_final());
            let done = match wait {
                Wait::Any => ends.any(|ended| ended) || statuses.is_empty(),
                Wait::All => ends.all(|ended| ended),
            };
            if done {
                return Ok(statuses);
            }
            let over = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = changes.changed() => changed.map_err(|_| ended())?,
                () = over => return Ok(statuses),
            }
        }
    }

    /// Has the store do something, in the order of the calls, and waits for what comes of it.
    fn ask<T, F>(&self, ask: F) -> BoxFuture<'static, Result<T, Refusal>>
    where
        T: Send + 'static,
        F: FnOnce(&Store, Box<dyn FnOnce(Result<T, StoreError>) + Send>),
    {
        let (answer, answered) = oneshot::channel();
        ask(self.handle.store(), Box::new(move |result| drop(answer.send(result))));
        Box::pin(async move {
            match answered.await {
                Ok(result) => result.map_err(|error| match error {
                    StoreError::Conflict { what } => Refusal::Forbidden(what),
                    error => Refusal::NotStored(error.to_string()),
                }),
                Err(_) => Err(ended()),
            }
        })
    }
}

/// Returns the groups of tasks, those with most that have not ended first.
fn groups(tasks: Vec<Task>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for task in tasks.into_iter().rev() {
        let Some(id) = task.spec.group.clone() else { continue };
        match groups.iter_mut().find(|group| group.id == id) {
            Some(group) => group.lanes.push(task),
            None => groups.push(Group { id, label: task.spec.group_label.clone(), lanes: vec![task] }),
        }
    }
    let active = |group: &Group| group.lanes.iter().filter(|task| !task.status.is_final()).count();
    groups.sort_by_key(|group| std::cmp::Reverse((active(group), group.lanes.len())));
    groups
}

/// Returns the first line of a prompt, at most 80 characters of it.
fn headline(prompt: &str) -> String {
    let line = prompt.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let cut: String = line.chars().take(79).collect();
    if cut.len() < line.len() { format!("{cut}…") } else { cut }
}

/// Runs what reads files or starts processes on the blocking pool.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|error| broken_down(&error))
}

fn broken_down(error: &tokio::task::JoinError) -> Refusal {
    tracing::error!(%error, "something about a task broke down");
    Refusal::Forbidden("internal error, see the server's log".to_owned())
}

fn unknown(id: &TaskId) -> Refusal {
    Refusal::Unknown { what: "task", id: id.to_string() }
}

fn ended() -> Refusal {
    Refusal::Forbidden("the server is shutting down".to_owned())
}
