//! What everybody does about workers: those that are gone or silent lose their tasks, and tasks that wait get workers.

use kkcode_core::id::TaskId;
use kkcode_core::task::{Interruption, MOST_CRASHES, Task, TaskStatus, WaitingFor};
use kkcode_core::turn::Failure as TurnFailure;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::{Fence, changed, one};
use crate::column::{Json, Word};
use crate::error::{Failure, StoreError};
use crate::owner::{self, Owner};
use crate::store::Store;
use crate::write;

/// How long after a worker was started for a task nobody starts another one for it, in milliseconds.
const STARTING: i64 = 10_000;

/// How many tasks run at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub max_parallel: usize,
    /// Of one group.
    pub max_per_group: usize,
}

/// A worker that has a task, or has had it and may still be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The task and the epoch.
    pub fence: Fence,
    /// The process.
    pub owner: Owner,
    /// What its processes have in their environment.
    pub token: String,
    /// How long it has been silent, in milliseconds.
    pub silent_ms: i64,
    /// How long ago it was asked to end, in milliseconds.
    pub stopping_ms: Option<i64>,
    /// Whether the task is still its own.
    pub holds: bool,
}

/// What there is to be tended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tended {
    /// All workers.
    pub leases: Vec<Lease>,
    /// Tasks that wait for a worker.
    pub pending: usize,
    /// Tasks that wait for a provider's key, and for which.
    pub parked: Vec<(TaskId, String)>,
}

impl Store {
    /// Reads what there is to be tended. Costs nothing for tasks that have ended.
    pub fn tended(&self, done: impl FnOnce(Result<Tended, StoreError>) + Send + 'static) {
        self.run(move |database| database.read(|connection| Ok(tended(connection)?)), done);
    }

    /// Takes a task from a worker that is gone or silent; tells whether that worker still had it. It is `cancelled` if it was
    /// asked to stop, else interrupted for this reason; the third time that a worker was gone it is an error. The lease stays.
    pub fn rescue_task(
        &self,
        fence: Fence,
        reason: Interruption,
        done: impl FnOnce(Result<bool, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.write(|connection| rescue(connection, &fence, reason)), done);
    }

    /// Forgets a worker that is gone and has no task any more.
    pub fn forget_lease(&self, fence: Fence, done: impl FnOnce(Result<(), StoreError>) + Send + 'static) {
        self.run(
            move |database| {
                database.write(|connection| {
                    connection.execute(
                        "DELETE FROM lease WHERE task = ?1 AND epoch = ?2
                         AND NOT EXISTS (SELECT 1 FROM task WHERE task.id = ?1 AND task.epoch = ?2 AND ended_at IS NULL)",
                        params![fence.task.as_str(), fence.epoch],
                    )?;
                    Ok(())
                })
            },
            done,
        );
    }

    /// Picks the next task to start a worker for: of the group of which the fewest run, the oldest. Nobody else is told of it
    /// for ten seconds. None when none waits, or as many run as may.
    pub fn next_task(
        &self,
        limits: Limits,
        done: impl FnOnce(Result<Option<TaskId>, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.write(|connection| next(connection, limits)), done);
    }

    /// Tells whether somebody is starting a worker for a task that waits.
    pub fn are_starting(&self, done: impl FnOnce(Result<bool, StoreError>) + Send + 'static) {
        let sql = "SELECT EXISTS (SELECT 1 FROM task WHERE ended_at IS NULL AND status = 'pending'
                                  AND spawned_at BETWEEN ?1 - ?2 AND ?1)";
        self.run(
            move |database| {
                database.read(|connection| {
                    let moment = params![owner::since_boot(), STARTING];
                    Ok(connection.prepare_cached(sql)?.query_row(moment, |row| row.get(0))?)
                })
            },
            done,
        );
    }

    /// Notes that a worker is being started for a task that waits, whatever else runs: for a key that is there now. Tells
    /// whether nobody else was quicker.
    pub fn start_parked(&self, id: TaskId, done: impl FnOnce(Result<bool, StoreError>) + Send + 'static) {
        self.run(
            move |database| {
                database.write(|connection| {
                    let now = owner::since_boot();
                    let noted = connection.execute(
                        "UPDATE task SET spawned_at = ?2 WHERE id = ?1 AND status = 'waiting'
                         AND (spawned_at IS NULL OR spawned_at NOT BETWEEN ?2 - ?3 AND ?2)",
                        params![id.as_str(), now, STARTING],
                    )?;
                    Ok(noted > 0)
                })
            },
            done,
        );
    }

    /// Writes down that no worker could be started for a task, or that each one ended before it began.
    pub fn fail_start(
        &self,
        id: TaskId,
        why: String,
        done: impl FnOnce(Result<Option<Task>, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.write(|connection| fail_start(connection, &id, &why)), done);
    }
}

/// Tells whether one more may run, and one more of the group of this task.
pub(super) fn has_room(transaction: &Transaction<'_>, id: &TaskId, limits: Limits) -> Result<bool, Failure> {
    let running: usize = transaction
        .prepare_cached("SELECT count(*) FROM task WHERE ended_at IS NULL AND status = 'running'")?
        .query_row([], |row| row.get(0))?;
    let of_team: usize = transaction
        .prepare_cached(
            "SELECT count(*) FROM task WHERE ended_at IS NULL AND status = 'running'
             AND team = (SELECT team FROM task WHERE id = ?1)",
        )?
        .query_row([id.as_str()], |row| row.get(0))?;
    Ok(running < limits.max_parallel && of_team < limits.max_per_group)
}

fn tended(connection: &mut Connection) -> rusqlite::Result<Tended> {
    let moment = connection.transaction()?;
    let now = owner::since_boot();
    let leases = moment
        .prepare_cached(
            "SELECT lease.task, lease.epoch, lease.pid, lease.start, lease.beat, lease.stop_at,
                    task.epoch = lease.epoch AND task.ended_at IS NULL, lease.token
             FROM lease JOIN task ON task.id = lease.task",
        )?
        .query_map([], |row| {
            Ok(Lease {
                fence: Fence { task: TaskId::new(row.get::<_, String>(0)?), epoch: row.get(1)? },
                owner: Owner { pid: row.get(2)?, start: row.get(3)? },
                silent_ms: now.saturating_sub(row.get(4)?),
                stopping_ms: row.get::<_, Option<i64>>(5)?.map(|at| now.saturating_sub(at)),
                holds: row.get(6)?,
                token: row.get(7)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let pending = moment
        .prepare_cached("SELECT count(*) FROM task WHERE ended_at IS NULL AND status = 'pending'")?
        .query_row([], |row| row.get(0))?;
    let waiting: Vec<(TaskId, Option<Json<WaitingFor>>)> = moment
        .prepare_cached("SELECT id, waiting_for FROM task WHERE ended_at IS NULL AND status = 'waiting'")?
        .query_map([], |row| Ok((TaskId::new(row.get::<_, String>(0)?), row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let parked = waiting.into_iter().filter_map(|(id, waiting)| match waiting?.0 {
        WaitingFor::Key { provider } => Some((id, provider)),
        WaitingFor::Permission { .. } | WaitingFor::Question { .. } => None,
    });
    Ok(Tended { leases, pending, parked: parked.collect() })
}

fn rescue(connection: &mut Connection, fence: &Fence, reason: Interruption) -> Result<bool, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let asked: Option<Option<Word<Interruption>>> = transaction
        .prepare_cached("SELECT cancel_reason FROM task WHERE id = ?1 AND epoch = ?2 AND ended_at IS NULL")?
        .query_row(params![fence.task.as_str(), fence.epoch], |row| row.get(0))
        .optional()?;
    let Some(asked) = asked else { return Ok(false) };
    let crashes: u32 = transaction.query_row(
        "UPDATE task SET crashes = crashes + ?2 WHERE id = ?1 RETURNING crashes",
        params![fence.task.as_str(), u32::from(asked.is_none())],
        |row| row.get(0),
    )?;
    let message = format!("its worker ended without a word {crashes} times; the log of the task may say why");
    let (status, reason, error) = match asked {
        Some(Word(asked)) => (TaskStatus::Cancelled, Some(asked), None),
        None if crashes >= MOST_CRASHES && reason == Interruption::Orphaned => {
            (TaskStatus::Error, Some(reason), Some(TurnFailure { class: "crashed".to_owned(), message }))
        }
        None => (TaskStatus::Interrupted, Some(reason), None),
    };
    transaction.execute(
        "UPDATE task SET status = ?2, reason = ?3, error = ?4, epoch = epoch + 1, activity = NULL, waiting_for = NULL,
                         pid = NULL, ended_at = ?5
         WHERE id = ?1",
        params![
            fence.task.as_str(),
            Word(status),
            reason.map(Word),
            error.as_ref().map(Json),
            write::now()
        ],
    )?;
    let why = match reason {
        Some(Interruption::Timeout) => "its worker was silent for too long",
        _ => "its worker is gone",
    };
    changed(&transaction, &fence.task, Some(why))?;
    transaction.commit()?;
    Ok(true)
}

fn next(connection: &mut Connection, limits: Limits) -> Result<Option<TaskId>, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let now = owner::since_boot();
    // Those for which a worker is being started count as running.
    let busy = "ended_at IS NULL AND (status = 'running'
        OR status = 'pending' AND coalesce(spawned_at, -1000000) BETWEEN ?1 - ?2 AND ?1)";
    let running: usize = transaction
        .prepare_cached(&format!("SELECT count(*) FROM task WHERE {busy}"))?
        .query_row(params![now, STARTING], |row| row.get(0))?;
    if running >= limits.max_parallel {
        return Ok(None);
    }
    let sql = format!(
        "WITH busy AS (SELECT team, count(*) AS count FROM task WHERE {busy} GROUP BY team)
         SELECT id FROM task LEFT JOIN busy USING (team)
         WHERE ended_at IS NULL AND status = 'pending' AND coalesce(spawned_at, -1000000) NOT BETWEEN ?1 - ?2 AND ?1
               AND coalesce(busy.count, 0) < ?3
         ORDER BY coalesce(busy.count, 0), number LIMIT 1"
    );
    let found: Option<String> = transaction
        .prepare_cached(&sql)?
        .query_row(params![now, STARTING, limits.max_per_group], |row| row.get(0))
        .optional()?;
    let Some(id) = found else { return Ok(None) };
    // Who is asked for again was started in vain.
    transaction.execute(
        "UPDATE task SET crashes = crashes + (spawned_at IS NOT NULL), spawned_at = ?2 WHERE id = ?1",
        params![id, now],
    )?;
    let id = TaskId::new(id);
    let task = one(&transaction, &id)?;
    if task.is_some_and(|task| task.crashes >= MOST_CRASHES) {
        fail(&transaction, &id, "its worker ended three times before it began")?;
        transaction.commit()?;
        return next(connection, limits);
    }
    transaction.commit()?;
    Ok(Some(id))
}

fn fail_start(connection: &mut Connection, id: &TaskId, why: &str) -> Result<Option<Task>, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Some(task) = one(&transaction, id)? else { return Ok(None) };
    if task.status != TaskStatus::Pending {
        return Ok(Some(task));
    }
    let task = fail(&transaction, id, why)?;
    transaction.commit()?;
    Ok(Some(task))
}

fn fail(transaction: &Transaction<'_>, id: &TaskId, why: &str) -> Result<Task, Failure> {
    let error = TurnFailure { class: "crashed".to_owned(), message: why.to_owned() };
    transaction.execute(
        "UPDATE task SET status = ?2, error = ?3, epoch = epoch + 1, ended_at = ?4 WHERE id = ?1",
        params![id.as_str(), Word(TaskStatus::Error), Json(&error), write::now()],
    )?;
    changed(transaction, id, Some(why))
}
