//! Tasks: launched, listed, followed and cleaned away. What a worker writes is in `worker`, what others do about workers
//! in `tend`.

use std::path::{Path, PathBuf};

use kkcode_core::effect::DurableEvent;
use kkcode_core::id::{SessionId, TaskId};
use kkcode_core::proposal::Timestamp;
use kkcode_core::task::{Interruption, Task, TaskCounts, TaskEvent, TaskSpec, TaskStatus};
use kkcode_core::turn::Level;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use crate::column::{Json, PathBytes, Word};
use crate::error::{Failure, StoreError};
use crate::store::Store;
use crate::{owner, read, write};

mod tend;
mod worker;

pub use tend::{Lease, Limits, Tended};
pub(crate) use worker::hold;
pub use worker::{Beat, Claimed, Fence, Progress};

/// How many tasks one answer has at most.
const MOST_LISTED: usize = 1_000;

/// How many tasks one transaction removes, so that nobody waits long for the write lock.
const REMOVED_AT_ONCE: usize = 100;

/// Which tasks are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskQuery {
    /// Only with this status.
    pub status: Option<TaskStatus>,
    /// Only of this group.
    pub group: Option<String>,
    /// Only of these folders, those that hold them and those in them; of all when absent.
    pub folders: Option<Vec<PathBuf>>,
}

/// A line of a task's log, with its number and when it was written.
pub type TaskLine = (u64, Timestamp, TaskEvent);

impl Store {
    /// Writes down a task that waits for a worker, and the unsaved texts that it is to work on. `done` gets the number of the
    /// durable event.
    pub fn launch_task(
        &self,
        id: TaskId,
        folder: PathBuf,
        spec: TaskSpec,
        bases: Vec<(PathBuf, String)>,
        done: impl FnOnce(Result<Task, StoreError>) + Send + 'static,
    ) {
        self.run(
            move |database| database.write(|connection| launch(connection, &id, &folder, &spec, &bases)),
            done,
        );
    }

    /// Reads a task; none when there is no such task.
    pub fn task(&self, id: TaskId, done: impl FnOnce(Result<Option<Task>, StoreError>) + Send + 'static) {
        self.run(move |database| database.read(|connection| Ok(one(connection, &id)?)), done);
    }

    /// Reads the newest 1,000 tasks that are meant, newest first; all that have not ended are among them.
    pub fn tasks(&self, query: TaskQuery, done: impl FnOnce(Result<Vec<Task>, StoreError>) + Send + 'static) {
        self.run(move |database| database.read(|connection| Ok(list(connection, &query)?)), done);
    }

    /// Reads where some tasks stand; what is not there is left out. Costs the same however many others there are.
    pub fn task_statuses(
        &self,
        ids: Vec<TaskId>,
        done: impl FnOnce(Result<Vec<(TaskId, TaskStatus)>, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.read(|connection| Ok(statuses(connection, &ids)?)), done);
    }

    /// Reads how many tasks there are; costs the same however many those are.
    pub fn task_counts(&self, done: impl FnOnce(Result<TaskCounts, StoreError>) + Send + 'static) {
        self.run(move |database| database.read(|connection| Ok(counts(connection)?)), done);
    }

    /// Reads a task's log behind a line, oldest first, at most `limit` lines.
    pub fn task_log(
        &self,
        id: TaskId,
        since: u64,
        limit: usize,
        done: impl FnOnce(Result<Vec<TaskLine>, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.read(|connection| Ok(log(connection, &id, since, limit)?)), done);
    }

    /// Asks a task to stop: one that waits for a worker is cancelled at once, one that has ended is left alone. None when there
    /// is no such task.
    pub fn cancel_task(
        &self,
        id: TaskId,
        reason: Interruption,
        done: impl FnOnce(Result<Option<Task>, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.write(|connection| cancel(connection, &id, reason)), done);
    }

    /// Lets a task that was cut off, cancelled or failed be done again. Refused for any other. None when there is no such task.
    pub fn retry_task(
        &self,
        id: TaskId,
        done: impl FnOnce(Result<Option<Task>, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.write(|connection| retry(connection, &id)), done);
    }

    /// Sets what the tasks of these folders that have not ended may do without asking. A subagent that was given nothing to
    /// change stays one that only looks.
    pub fn set_task_level(
        &self,
        folders: Vec<PathBuf>,
        level: Level,
        done: impl FnOnce(Result<Vec<TaskId>, StoreError>) + Send + 'static,
    ) {
        self.run(
            move |database| {
                // Who finds nothing writes nothing.
                if database.read(|connection| Ok(of_other_level(connection, &folders, level)?))?.is_empty() {
                    return Ok(Vec::new());
                }
                database.write(|connection| set_level(connection, &folders, level))
            },
            done,
        );
    }

    /// Removes tasks that ended long ago, at most 100, and returns their names: whoever asked removes their files, and asks
    /// again until there is none. Their sessions and proposals stay.
    pub fn clean_tasks(
        &self,
        outdated: Outdated,
        done: impl FnOnce(Result<Vec<TaskId>, StoreError>) + Send + 'static,
    ) {
        self.run(
            move |database| {
                // Who finds nothing writes nothing.
                if database.read(|connection| Ok(outdated.tasks(connection)?))?.is_empty() {
                    return Ok(Vec::new());
                }
                database.write(|connection| clean(connection, outdated))
            },
            done,
        );
    }
}

/// Which tasks that have ended are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outdated {
    /// Those that ended before this.
    pub ended_before: Timestamp,
    /// Of the others all but so many that ended last; at least 1.
    pub but_newest: i64,
    /// Also those that kept their worktree.
    pub with_worktree: bool,
}

const COLUMNS: &str =
    "id, folder, spec, status, attempt, epoch, session, activity, waiting_for, reason, error, result, pid,
    cancel_reason, crashes, created_at, started_at, ended_at, level";

/// Reads a row of these columns.
fn task(row: &Row<'_>) -> rusqlite::Result<Task> {
    let time = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp));
    let cancelled: Option<String> = row.get(13)?;
    let mut spec: TaskSpec = row.get::<_, Json<_>>(2)?.0;
    if let Some(chosen) = row.get::<_, Option<Word<_>>>(18)? {
        spec.level = chosen.0;
    }
    Ok(Task {
        id: TaskId::new(row.get::<_, String>(0)?),
        folder: row.get::<_, PathBytes<'static>>(1)?.0.into_owned(),
        spec,
        status: row.get::<_, Word<_>>(3)?.0,
        attempt: row.get(4)?,
        epoch: row.get(5)?,
        session: row.get::<_, Option<String>>(6)?.map(SessionId::new),
        activity: row.get(7)?,
        waiting_for: row.get::<_, Option<Json<_>>>(8)?.map(|json| json.0),
        reason: row.get::<_, Option<Word<_>>>(9)?.map(|word| word.0),
        error: row.get::<_, Option<Json<_>>>(10)?.map(|json| json.0),
        result: row.get::<_, Option<Json<_>>>(11)?.map(|json| json.0),
        pid: row.get(12)?,
        cancel_requested: cancelled.is_some(),
        crashes: row.get(14)?,
        created_at: Timestamp(row.get(15)?),
        started_at: time(16)?,
        ended_at: time(17)?,
    })
}

pub(crate) fn one(connection: &Connection, id: &TaskId) -> rusqlite::Result<Option<Task>> {
    let sql = format!("SELECT {COLUMNS} FROM task WHERE id = ?1");
    connection.prepare_cached(&sql)?.query_row([id.as_str()], task).optional()
}

fn launch(
    connection: &mut Connection,
    id: &TaskId,
    folder: &Path,
    spec: &TaskSpec,
    bases: &[(PathBuf, String)],
) -> Result<Task, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let now = write::now();
    let team = spec.group.as_deref().unwrap_or(id.as_str());
    transaction.execute(
        "INSERT INTO task (id, folder, spec, team, status, attempt, epoch, session, crashes, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 1, 0, ?6, 0, ?7)",
        params![
            id.as_str(),
            PathBytes::of(folder),
            Json(spec),
            team,
            Word(TaskStatus::Pending),
            spec.session.as_ref().map(SessionId::as_str),
            now
        ],
    )?;
    for (path, text) in bases {
        transaction.execute(
            "INSERT INTO task_base (task, path, body) VALUES (?1, ?2, ?3)",
            params![id.as_str(), PathBytes::of(path), text],
        )?;
    }
    let task = changed(&transaction, id, None)?;
    transaction.commit()?;
    Ok(task)
}

fn list(connection: &Connection, query: &TaskQuery) -> rusqlite::Result<Vec<Task>> {
    // What has not ended is listed however old it is; the index holds it alone.
    let filter = match (&query.status, &query.group) {
        (Some(_), _) => "status = ?1",
        (None, Some(_)) => "team = ?1",
        (None, None) => "?1 IS NULL",
    };
    let value = match (&query.status, &query.group) {
        (Some(status), _) => Some(status.name()),
        (None, group) => group.as_deref(),
    };
    let newest = format!("SELECT {COLUMNS} FROM task WHERE {filter} ORDER BY number DESC LIMIT ?2");
    let mut statement = connection.prepare_cached(&newest)?;
    let rows = statement.query_map(params![value, MOST_LISTED], task)?;
    let mut tasks = rows.collect::<rusqlite::Result<Vec<Task>>>()?;
    if tasks.len() == MOST_LISTED && query.status.is_none() {
        // By that index, or all that has ended is read for the order.
        let open = format!(
            "SELECT {COLUMNS} FROM task INDEXED BY task_open WHERE ended_at IS NULL AND {filter} ORDER BY number DESC"
        );
        let mut statement = connection.prepare_cached(&open)?;
        for open in statement.query_map(params![value], task)? {
            let open = open?;
            if !tasks.iter().any(|task| task.id == open.id) {
                tasks.push(open);
            }
        }
    }
    tasks.retain(|task| {
        let folders = query.folders.as_ref();
        query.group.as_ref().is_none_or(|group| task.spec.group.as_ref() == Some(group))
            && folders.is_none_or(|folders| read::belongs(Some(&task.folder), folders))
    });
    Ok(tasks)
}

fn statuses(connection: &Connection, ids: &[TaskId]) -> rusqlite::Result<Vec<(TaskId, TaskStatus)>> {
    let mut statement = connection.prepare_cached("SELECT status FROM task WHERE id = ?1")?;
    let mut statuses = Vec::with_capacity(ids.len());
    for id in ids {
        let status = statement.query_row([id.as_str()], |row| Ok(row.get::<_, Word<_>>(0)?.0)).optional()?;
        statuses.extend(status.map(|status| (id.clone(), status)));
    }
    Ok(statuses)
}

fn counts(connection: &Connection) -> rusqlite::Result<TaskCounts> {
    let mut statement = connection.prepare_cached("SELECT status, count FROM task_count")?;
    let mut counts = TaskCounts::default();
    for row in statement.query_map([], |row| Ok((row.get::<_, Word<TaskStatus>>(0)?.0, row.get(1)?)))? {
        let (status, count) = row?;
        *counts.of(status) = count;
    }
    Ok(counts)
}

fn log(connection: &Connection, id: &TaskId, since: u64, limit: usize) -> rusqlite::Result<Vec<TaskLine>> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, at, body FROM task_event WHERE task = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![id.as_str(), since, limit], |row| {
        Ok((row.get(0)?, Timestamp(row.get(1)?), row.get::<_, Json<TaskEvent>>(2)?.0))
    })?;
    rows.collect()
}

fn cancel(connection: &mut Connection, id: &TaskId, reason: Interruption) -> Result<Option<Task>, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Some(task) = one(&transaction, id)? else { return Ok(None) };
    if task.status.is_final() || task.cancel_requested {
        return Ok(Some(task));
    }
    transaction
        .execute("UPDATE task SET cancel_reason = ?2 WHERE id = ?1", params![id.as_str(), Word(reason)])?;
    let has_worker = transaction.execute(
        "UPDATE lease SET stop_at = ?3 WHERE task = ?1 AND epoch = ?2",
        params![id.as_str(), task.epoch, owner::since_boot()],
    )?;
    if has_worker == 0 {
        transaction.execute(
            "UPDATE task SET status = ?2, reason = ?3, epoch = epoch + 1, waiting_for = NULL, activity = NULL, ended_at = ?4
             WHERE id = ?1",
            params![id.as_str(), Word(TaskStatus::Cancelled), Word(reason), write::now()],
        )?;
    }
    let task = changed(&transaction, id, Some("asked to stop"))?;
    transaction.commit()?;
    Ok(Some(task))
}

fn retry(connection: &mut Connection, id: &TaskId) -> Result<Option<Task>, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Some(task) = one(&transaction, id)? else { return Ok(None) };
    if !task.status.may_become(TaskStatus::Pending) {
        let status = task.status.name();
        let what = format!(
            "task `{id}` is {status}; only one that was cancelled, cut off or failed can be done again"
        );
        return Err(Failure::Conflict(what));
    }
    transaction.execute(
        "UPDATE task SET status = ?2, attempt = attempt + 1, epoch = epoch + 1, activity = NULL, waiting_for = NULL,
                         reason = NULL, error = NULL, pid = NULL, cancel_reason = NULL, spawned_at = NULL,
                         crashes = CASE WHEN crashes >= ?3 THEN 0 ELSE crashes END, started_at = NULL, ended_at = NULL
         WHERE id = ?1",
        params![id.as_str(), Word(TaskStatus::Pending), kkcode_core::task::MOST_CRASHES],
    )?;
    let task = changed(&transaction, id, Some("to be done again"))?;
    transaction.commit()?;
    Ok(Some(task))
}

/// Returns the tasks that a level which is chosen for these folders changes.
fn of_other_level(
    connection: &Connection,
    folders: &[PathBuf],
    level: Level,
) -> rusqlite::Result<Vec<TaskId>> {
    let open =
        format!("SELECT {COLUMNS} FROM task INDEXED BY task_open WHERE ended_at IS NULL ORDER BY number");
    let mut statement = connection.prepare_cached(&open)?;
    let mut found = Vec::new();
    for task in statement.query_map([], task)? {
        let task = task?;
        let only_looks = task.spec.delegate.as_ref().and_then(|delegate| delegate.write_scope.as_ref());
        let may_have_it = !only_looks.is_some_and(Vec::is_empty) || level == Level::Readonly;
        if task.spec.level != level && may_have_it && read::belongs(Some(&task.folder), folders) {
            found.push(task.id);
        }
    }
    Ok(found)
}

fn set_level(connection: &mut Connection, folders: &[PathBuf], level: Level) -> Result<Vec<TaskId>, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let ids = of_other_level(&transaction, folders, level)?;
    for id in &ids {
        transaction.execute("UPDATE task SET level = ?2 WHERE id = ?1", params![id.as_str(), Word(level)])?;
    }
    transaction.commit()?;
    Ok(ids)
}

impl Outdated {
    fn tasks(self, connection: &Connection) -> rusqlite::Result<Vec<String>> {
        connection
            .prepare_cached(
                "SELECT id FROM task
                 WHERE ended_at < max(?1, coalesce((SELECT ended_at FROM task WHERE ended_at IS NOT NULL
                                                    ORDER BY ended_at DESC LIMIT 1 OFFSET ?2 - 1), ?1))
                   AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.task = task.id)
                   AND (?3 OR result ->> 'worktree' IS NULL)
                 ORDER BY ended_at LIMIT ?4",
            )?
            .query_map(
                params![self.ended_before.0, self.but_newest, self.with_worktree, REMOVED_AT_ONCE],
                |row| row.get(0),
            )?
            .collect()
    }
}

fn clean(connection: &mut Connection, outdated: Outdated) -> Result<Vec<TaskId>, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let ids = outdated.tasks(&transaction)?;
    for id in &ids {
        for table in ["task_event", "task_base"] {
            transaction.execute(&format!("DELETE FROM {table} WHERE task = ?1"), [id])?;
        }
        transaction.execute("DELETE FROM task WHERE id = ?1", [id])?;
    }
    transaction.commit()?;
    Ok(ids.into_iter().map(TaskId::new).collect())
}

/// Writes down that a task has another status, in its log and for everybody, and returns it.
fn changed(transaction: &Transaction<'_>, id: &TaskId, why: Option<&str>) -> Result<Task, Failure> {
    let task = one(transaction, id)?
        .ok_or_else(|| Failure::Conflict(format!("there is no task `{id}` any more")))?;
    let now = write::now();
    let line =
        TaskEvent::Status { status: task.status, attempt: task.attempt, reason: why.map(ToOwned::to_owned) };
    append(transaction, id, &line, now)?;
    tell(transaction, &task, now)?;
    Ok(task)
}

/// Tells everybody that a task is not as it was.
fn tell(transaction: &Transaction<'_>, task: &Task, now: i64) -> Result<(), Failure> {
    let event =
        DurableEvent::TaskChanged { task: task.id.clone(), status: task.status, attempt: task.attempt };
    write::append_event(transaction, &event, now)?;
    Ok(())
}

fn append(transaction: &Transaction<'_>, id: &TaskId, line: &TaskEvent, now: i64) -> Result<(), Failure> {
    transaction
        .prepare_cached("INSERT INTO task_event (task, at, body) VALUES (?1, ?2, ?3)")?
        .execute(params![id.as_str(), now, Json(line)])?;
    Ok(())
}
