//! What a worker writes: it claims a task, shows that it is alive, tells what it does, and ends it. All of it is refused once
//! somebody else has the task.

use std::path::PathBuf;

use kkcode_core::id::{SessionId, TaskId};
use kkcode_core::task::{Interruption, Task, TaskEnd, TaskEvent, TaskStatus, WaitingFor};
use kkcode_core::turn::Level;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::tend::{Limits, has_room};
use super::{append, changed, one, tell};
use crate::column::{Json, PathBytes, Word};
use crate::error::{Failure, StoreError};
use crate::owner::{self, Owner};
use crate::store::Store;
use crate::write;

/// What a worker has of a task: nobody else has it as long as the epoch is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// Which task.
    pub task: TaskId,
    /// The epoch of the claim.
    pub epoch: u64,
}

/// A task that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The task, running.
    pub task: Task,
    /// The texts that editors had unsaved when it was launched.
    pub bases: Vec<(PathBuf, String)>,
}

/// What a worker learns when it shows that it is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// It goes on, at the level that holds for it now.
    Held(Level),
    /// It was asked to stop.
    Stop(Interruption),
    /// The task is somebody else's, or nobody's: nothing of it may be written any more.
    Lost,
}

/// What a worker tells of a task.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Lines for its log.
    pub lines: Vec<TaskEvent>,
    /// What it does now; none when that is as before.
    pub activity: Option<String>,
    /// The session that it works in from now on.
    pub session: Option<SessionId>,
    /// What it waits for from now on, or that it waits no longer.
    pub waiting: Option<Option<WaitingFor>>,
}

impl Store {
    /// Returns the same store for a worker: whatever it writes is refused once the task is not its own any more.
    #[must_use]
    pub fn fenced(&self, fence: Fence) -> Self {
        self.with_fence(fence)
    }

    /// Takes up a task that waits for a worker; `token` is what the worker's processes have in their environment. None when it waits no longer, or when as many run as may.
    pub fn claim_task(
        &self,
        id: TaskId,
        token: String,
        limits: Limits,
        done: impl FnOnce(Result<Option<Claimed>, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.write(|connection| claim(connection, &id, &token, limits)), done);
    }

    /// Shows that the worker is alive. Not synced to the disk: a beat that a power cut takes is not missed.
    pub fn beat(&self, fence: Fence, done: impl FnOnce(Result<Beat, StoreError>) + Send + 'static) {
        self.run(
            move |database| {
                database.write(|connection| lightly(connection, |connection| beat(connection, &fence)))
            },
            done,
        );
    }

    /// Tells what a worker does. Refused with [`StoreError::Conflict`] once the task is not its own.
    pub fn task_progress(
        &self,
        fence: Fence,
        progress: Progress,
        done: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) {
        self.run(
            move |database| {
                database.write(|connection| {
                    let only_lines = progress.session.is_none() && progress.waiting.is_none();
                    if only_lines {
                        lightly(connection, |connection| report(connection, &fence, &progress))
                    } else {
                        report(connection, &fence, &progress)
                    }
                })
            },
            done,
        );
    }

    /// Ends a task, and gives it back. It is `cancelled` if it was asked to stop, whatever the end says. Refused with
    /// [`StoreError::Conflict`] once the task is not the worker's own.
    pub fn end_task(
        &self,
        fence: Fence,
        end: TaskEnd,
        done: impl FnOnce(Result<Task, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.write(|connection| end_held(connection, &fence, &end)), done);
    }

    /// Gives a task back whose worker cannot go on before it has a provider's key. Refused as [`Store::end_task`] is.
    pub fn park_task(
        &self,
        fence: Fence,
        provider: String,
        done: impl FnOnce(Result<Task, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.write(|connection| park(connection, &fence, &provider)), done);
    }
}

/// Refuses to go on with a transaction of a worker that has lost its task.
pub(crate) fn hold(transaction: &Transaction<'_>, fence: &Fence) -> Result<(), Failure> {
    let held = transaction
        .prepare_cached(
            "SELECT 1 FROM task WHERE id = ?1 AND epoch = ?2 AND status IN ('running', 'waiting')",
        )?
        .query_row(params![fence.task.as_str(), fence.epoch], |_| Ok(()))
        .optional()?;
    held.ok_or_else(|| lost(&fence.task))
}

fn lost(task: &TaskId) -> Failure {
    Failure::Conflict(format!("task `{task}` is not this worker's any more"))
}

fn claim(
    connection: &mut Connection,
    id: &TaskId,
    token: &str,
    limits: Limits,
) -> Result<Option<Claimed>, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Some(task) = one(&transaction, id)? else { return Ok(None) };
    let is_parked =
        task.status == TaskStatus::Waiting && matches!(task.waiting_for, Some(WaitingFor::Key { .. }));
    if !is_parked && task.status != TaskStatus::Pending {
        return Ok(None);
    }
    if !has_room(&transaction, id, limits)? {
        // Whoever ends next may start another one.
        transaction.execute(
            "UPDATE task SET spawned_at = NULL WHERE id = ?1 AND status = 'pending'",
            [id.as_str()],
        )?;
        transaction.commit()?;
        return Ok(None);
    }
    let us = Owner::this_process();
    let epoch = task.epoch + 1;
    transaction.execute(
        "UPDATE task SET status = ?2, epoch = ?3, pid = ?4, started_at = coalesce(started_at, ?5), waiting_for = NULL,
                         spawned_at = NULL
         WHERE id = ?1",
        params![id.as_str(), Word(TaskStatus::Running), epoch, us.pid, write::now()],
    )?;
    transaction.execute(
        "INSERT INTO lease (task, epoch, pid, start, beat, token) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![id.as_str(), epoch, us.pid, us.start, owner::since_boot(), token],
    )?;
    let task = changed(&transaction, id, None)?;
    let bases = transaction
        .prepare("SELECT path, body FROM task_base WHERE task = ?1 ORDER BY path")?
        .query_map([id.as_str()], |row| {
            Ok((row.get::<_, PathBytes<'static>>(0)?.0.into_owned(), row.get(1)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    transaction.commit()?;
    Ok(Some(Claimed { task, bases }))
}

fn beat(connection: &mut Connection, fence: &Fence) -> Result<Beat, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: Option<(Option<Word<Interruption>>, Word<Level>)> = transaction
        .prepare_cached(
            "SELECT cancel_reason, coalesce(level, spec ->> 'level') FROM task
             WHERE id = ?1 AND epoch = ?2 AND ended_at IS NULL",
        )?
        .query_row(params![fence.task.as_str(), fence.epoch], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((reason, level)) = found else {
        return Ok(Beat::Lost);
    };
    transaction
        .prepare_cached("UPDATE lease SET beat = ?3 WHERE task = ?1 AND epoch = ?2")?
        .execute(params![fence.task.as_str(), fence.epoch, owner::since_boot()])?;
    transaction.commit()?;
    Ok(reason.map_or(Beat::Held(level.0), |reason| Beat::Stop(reason.0)))
}

fn report(connection: &mut Connection, fence: &Fence, progress: &Progress) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    hold(&transaction, fence)?;
    let (id, now) = (fence.task.as_str(), write::now());
    for line in &progress.lines {
        append(&transaction, &fence.task, line, now)?;
    }
    if let Some(session) = &progress.session {
        transaction.execute("UPDATE task SET session = ?2 WHERE id = ?1", params![id, session.as_str()])?;
    }
    if let Some(activity) = &progress.activity {
        transaction.execute("UPDATE task SET activity = ?2 WHERE id = ?1", params![id, activity])?;
    }
    if let Some(waiting) = &progress.waiting {
        let status = if waiting.is_some() { TaskStatus::Waiting } else { TaskStatus::Running };
        transaction.execute(
            "UPDATE task SET status = ?2, waiting_for = ?3 WHERE id = ?1",
            params![id, Word(status), waiting.as_ref().map(Json)],
        )?;
        changed(&transaction, &fence.task, None)?;
    } else if (progress.activity.is_some() || progress.session.is_some())
        && let Some(task) = one(&transaction, &fence.task)?
    {
        tell(&transaction, &task, now)?;
    }
    Ok(transaction.commit()?)
}

/// Returns why the task was asked to end, if it was.
fn asked_to_end(transaction: &Transaction<'_>, fence: &Fence) -> Result<Option<Interruption>, Failure> {
    let asked: Option<Word<Interruption>> = transaction.query_row(
        "SELECT cancel_reason FROM task WHERE id = ?1",
        [fence.task.as_str()],
        |row| row.get(0),
    )?;
    Ok(asked.map(|Word(reason)| reason))
}

fn end_held(connection: &mut Connection, fence: &Fence, end: &TaskEnd) -> Result<Task, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    hold(&transaction, fence)?;
    let asked = asked_to_end(&transaction, fence)?;
    let (status, reason) = match asked {
        Some(reason) => (TaskStatus::Cancelled, Some(reason)),
        None => (end.status, end.reason),
    };
    if !status.is_final() {
        return Err(Failure::Conflict(format!("a task cannot end as {}", status.name())));
    }
    let error = end.error.as_ref().filter(|_| status != TaskStatus::Cancelled);
    transaction.execute(
        "UPDATE task SET status = ?2, reason = ?3, error = ?4, result = ?5, activity = NULL, waiting_for = NULL, pid = NULL,
                         ended_at = ?6
         WHERE id = ?1",
        params![
            fence.task.as_str(),
            Word(status),
            reason.map(Word),
            error.map(Json),
            Json(&end.outcome),
            write::now()
        ],
    )?;
    release(&transaction, fence)?;
    let why = error.map(|error| error.message.as_str());
    let task = changed(&transaction, &fence.task, why)?;
    transaction.commit()?;
    Ok(task)
}

fn park(connection: &mut Connection, fence: &Fence, provider: &str) -> Result<Task, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    hold(&transaction, fence)?;
    let asked = asked_to_end(&transaction, fence)?;
    if let Some(reason) = asked {
        transaction.execute(
            "UPDATE task SET status = ?2, reason = ?3, pid = NULL, ended_at = ?4 WHERE id = ?1",
            params![fence.task.as_str(), Word(TaskStatus::Cancelled), Word(reason), write::now()],
        )?;
    } else {
        let waiting_for = WaitingFor::Key { provider: provider.to_owned() };
        transaction.execute(
            "UPDATE task SET status = ?2, waiting_for = ?3, pid = NULL, activity = NULL WHERE id = ?1",
            params![fence.task.as_str(), Word(TaskStatus::Waiting), Json(&waiting_for)],
        )?;
    }
    release(&transaction, fence)?;
    let why = format!("the provider `{provider}` needs a key");
    let task = changed(&transaction, &fence.task, Some(&why))?;
    transaction.commit()?;
    Ok(task)
}

fn release(transaction: &Transaction<'_>, fence: &Fence) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM lease WHERE task = ?1 AND epoch = ?2",
        params![fence.task.as_str(), fence.epoch],
    )?;
    Ok(())
}

/// Does something without waiting for the disk at its end. It is as whole as anything else, but a power cut may take it.
fn lightly<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let usual: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    // 1 is NORMAL: enough with a write-ahead log, which is there where `synchronous` is FULL, 2.
    if usual == 2 {
        connection.pragma_update(None, "synchronous", 1)?;
    }
    let done = work(connection);
    connection.pragma_update(None, "synchronous", usual)?;
    done
}
