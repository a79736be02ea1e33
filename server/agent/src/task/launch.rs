//! How a worker is started: a process of its own, which outlives whoever starts it and is given what no file holds.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use kkcode_core::effect::Refusal;
use kkcode_core::id::TaskId;
use kkcode_core::state::Snapshot;

use super::{Tasks, blocking, broken_down, ended, output};
use crate::config::ConfigSource;
use crate::fresh;

/// The variable by which a worker's processes are found, wherever they have gone: its value is new for each worker.
pub(crate) const TOKEN: &str = "KKCODE_TASK";

impl Tasks {
    /// Starts workers for tasks that wait, as many as may run. When it returns, none of them is between being picked by this
    /// process and having its worker.
    pub(super) async fn start_pending(&self) -> Result<(), Refusal> {
        let tasks = self.clone();
        // Nobody else starts a worker for what was picked, so this goes on when whoever waits for it does not any more.
        let all = tokio::spawn(async move {
            let _alone = tasks.handle.worker_starts().acquire_owned().await.map_err(|_| ended())?;
            let config = tasks.config.clone();
            let limits = blocking(move || config.task_limits()).await?;
            while let Some(id) = tasks.ask(|store, done| store.next_task(limits, done)).await? {
                tasks.start_worker(id).await?;
            }
            Ok(())
        });
        all.await.map_err(|error| broken_down(&error))?
    }

    /// Starts a worker for a task. That it cannot be started is the end of the task, and no error here.
    pub(super) async fn start_worker(&self, id: TaskId) -> Result<(), Refusal> {
        let (config, handle, task) = (self.config.clone(), self.handle.clone(), id.clone());
        let started = blocking(move || {
            let child = start(&config, &task)?;
            // Whoever has started a process has to take note of its end; and it is the first to know of it.
            let name = format!("worker {task}");
            std::thread::Builder::new().name(name).spawn(move || {
                wait_for(child);
                handle.workers_changed();
            })?;
            Ok::<_, std::io::Error>(())
        });
        if let Err(error) = started.await? {
            let why = format!("no worker can be started: {error}");
            self.ask(|store, done| store.fail_start(id, why, done)).await?;
            self.handle.tasks_changed();
        }
        Ok(())
    }
}

/// Starts the worker of a task. Blocks until it has what it is given.
pub(crate) fn start(config: &ConfigSource, task: &TaskId) -> std::io::Result<Child> {
    let home = config.home();
    let given = serde_json::to_vec(&config.hand_over()).map_err(std::io::Error::other)?;
    let token = fresh::name("worker").map_err(|error| std::io::Error::other(error.to_string()))?;
    let mut child = Command::new(program())
        .args(["worker", task.as_str()])
        .env("KKCODE_HOME", home)
        .env(TOKEN, token)
        .current_dir(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(output::worker_log(home, task)?)
        .spawn()?;
    if let Some(mut pipe) = child.stdin.take()
        && let Err(error) = pipe.write_all(&given)
    {
        // It has ended already; its end says why.
        tracing::warn!(%task, %error, "a worker did not take what it was given");
    }
    Ok(child)
}

/// Waits for the end of a worker that we have started.
fn wait_for(mut child: Child) {
    match child.wait() {
        Ok(status) if status.success() => {}
        Ok(status) => tracing::info!(%status, "a worker has ended"),
        Err(error) => tracing::warn!(%error, "nobody knows how a worker ended"),
    }
}

/// Returns the program that we are, or what has taken its place since; it may be deleted, and can be started nevertheless.
fn program() -> OsString {
    let ours = std::env::current_exe().unwrap_or_default();
    let ours =
        ours.to_str().and_then(|path| path.strip_suffix(" (deleted)")).map_or(ours.clone(), PathBuf::from);
    if ours.exists() { ours.into() } else { "/proc/self/exe".into() }
}

/// Returns the texts below a folder that the editor has and the disk has not.
pub(super) fn unsaved(snapshot: &Snapshot, folder: &Path) -> Vec<(PathBuf, String)> {
    let open = snapshot.documents.iter().filter(|document| !document.out_of_sync);
    let ours = open.filter_map(|document| Some((document.path.clone()?, document.text.to_string())));
    let is_unsaved = |(path, text): &(PathBuf, String)| {
        path.starts_with(folder) && std::fs::read(path).is_ok_and(|disk| disk != text.as_bytes())
    };
    ours.filter(is_unsaved).collect()
}
