//! Sessions as a whole: listed, shown, copied, named and deleted.

use std::path::PathBuf;

use kkcode_core::id::{ProposalId, SessionId, TurnId};
use kkcode_core::proposal::Timestamp;
use kkcode_core::turn::{Turn, TurnStatus};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use crate::column::{Json, PathBytes};
use crate::error::{Failure, StoreError};
use crate::read;
use crate::store::Store;

/// A session as it stands in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// Its name.
    pub id: SessionId,
    /// The folder it works in.
    pub folder: Option<PathBuf>,
    /// What it is about.
    pub title: String,
    /// The session that it is a copy of; that one may be gone.
    pub forked_from: Option<SessionId>,
    /// The model of its last turn, when that was named.
    pub model: Option<String>,
    /// How many turns it has.
    pub turn_count: usize,
    /// The turn that runs in it.
    pub active_turn: Option<TurnId>,
    /// When it began.
    pub created_at: Timestamp,
    /// When its last turn began or ended.
    pub updated_at: Timestamp,
}

/// A turn, and when it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTurn {
    /// The turn.
    pub turn: Turn,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// Which turns of a session are copied with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// Those that have ended.
    Ended,
    /// One that runs too, as far as it is written down: the copy of it is cut off there.
    All,
}

impl Store {
    /// Reads the sessions of these folders, last used first. See [`crate::Loaded`] for which those are.
    pub fn sessions(
        &self,
        folders: Vec<PathBuf>,
        done: impl FnOnce(Result<Vec<StoredSession>, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.read(|connection| list(connection, &folders)), done);
    }

    /// Reads a session and its turns, oldest first; none when there is no such session.
    pub fn session(
        &self,
        id: SessionId,
        done: impl FnOnce(Result<Option<(StoredSession, Vec<StoredTurn>)>, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.read(|connection| show(connection, &id)), done);
    }

    /// Reads a turn, however old it is; none when there is no such turn.
    pub fn turn(&self, id: TurnId, done: impl FnOnce(Result<Option<Turn>, StoreError>) + Send + 'static) {
        self.run(move |database| database.read(|connection| Ok(read::turn_of(connection, &id)?)), done);
    }

    /// Reads which session a proposal belongs to; none when there is no such proposal.
    pub fn session_of(
        &self,
        id: ProposalId,
        done: impl FnOnce(Result<Option<SessionId>, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.read(|connection| Ok(read::session_of(connection, &id)?)), done);
    }

    /// Copies a session under a new name: its conversation and the turns that have ended, not its proposals. None when
    /// there is no such session.
    pub fn fork_session(
        &self,
        id: SessionId,
        new: SessionId,
        turns: Forked,
        at: Timestamp,
        done: impl FnOnce(Result<Option<StoredSession>, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.write(|connection| fork(connection, &id, &new, turns, at)), done);
    }

    /// Gives a session a title. None when there is no such session.
    pub fn rename_session(
        &self,
        id: SessionId,
        title: String,
        done: impl FnOnce(Result<Option<StoredSession>, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.write(|connection| rename(connection, &id, &title)), done);
    }

    /// Deletes a session with all that hangs on it, and tells whether there was one. Refused while a turn runs in it.
    pub fn delete_session(
        &self,
        id: SessionId,
        done: impl FnOnce(Result<bool, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.write(|connection| delete(connection, &id)), done);
    }
}

const SUMMARY: &str = "SELECT id, folder, title, forked_from, created_at,
    (SELECT count(*) FROM turn WHERE turn.session = session.id),
    (SELECT model FROM turn WHERE turn.session = session.id ORDER BY started_at DESC, rowid DESC LIMIT 1),
    (SELECT id FROM turn WHERE turn.session = session.id AND ended_at IS NULL LIMIT 1),
    (SELECT max(max(started_at, coalesce(ended_at, 0))) FROM turn WHERE turn.session = session.id)
    FROM session";

fn summary(row: &Row<'_>) -> rusqlite::Result<StoredSession> {
    let created_at = row.get(4)?;
    let id = |column| row.get::<_, Option<String>>(column);
    Ok(StoredSession {
        id: SessionId::new(row.get::<_, String>(0)?),
        folder: row.get::<_, Option<PathBytes<'static>>>(1)?.map(|folder| folder.0.into_owned()),
        title: row.get(2)?,
        forked_from: id(3)?.map(SessionId::new),
        model: row.get(6)?,
        turn_count: row.get(5)?,
        active_turn: id(7)?.map(TurnId::new),
        created_at: Timestamp(created_at),
        updated_at: Timestamp(row.get::<_, Option<i64>>(8)?.unwrap_or(created_at).max(created_at)),
    })
}

fn list(connection: &mut Connection, folders: &[PathBuf]) -> Result<Vec<StoredSession>, Failure> {
    let mut statement = connection.prepare_cached(SUMMARY)?;
    let all: Vec<StoredSession> = statement.query_map([], summary)?.collect::<rusqlite::Result<_>>()?;
    let belongs = |session: &StoredSession| read::belongs(session.folder.as_deref(), folders);
    let mut sessions: Vec<StoredSession> = all.into_iter().filter(belongs).collect();
    sessions.sort_by(|one, other| other.updated_at.cmp(&one.updated_at).then_with(|| other.id.cmp(&one.id)));
    Ok(sessions)
}

fn one(connection: &Connection, id: &SessionId) -> Result<Option<StoredSession>, Failure> {
    let mut statement = connection.prepare_cached(&format!("{SUMMARY} WHERE id = ?1"))?;
    Ok(statement.query_row([id.as_str()], summary).optional()?)
}

fn show(
    connection: &mut Connection,
    id: &SessionId,
) -> Result<Option<(StoredSession, Vec<StoredTurn>)>, Failure> {
    let transaction = connection.transaction()?;
    let Some(session) = one(&transaction, id)? else { return Ok(None) };
    let mut turns = read::turns_of(&transaction, id)?;
    for StoredTurn { turn, .. } in &mut turns {
        turn.proposals = read::proposals_of(&transaction, &turn.id)?;
    }
    Ok(Some((session, turns)))
}

fn fork(
    connection: &mut Connection,
    id: &SessionId,
    new: &SessionId,
    turns: Forked,
    at: Timestamp,
) -> Result<Option<StoredSession>, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let cut = TurnStatus::Interrupted { reason: "copied while it ran".to_owned() };
    let wanted = turns == Forked::All;
    let copied = transaction.execute(
        "INSERT INTO session (id, folder, title, created_at, forked_from)
         SELECT ?2, folder, title, ?3, id FROM session WHERE id = ?1",
        params![id.as_str(), new.as_str(), at.0],
    )?;
    if copied == 0 {
        return Ok(None);
    }
    // A turn's copy is named after it and the new session, which has no other copy of it.
    let suffix = new.as_str().rsplit('_').next().unwrap_or_default();
    let turns = transaction.execute(
        "INSERT INTO turn (id, session, prompt, model, level, status, reply, usage, started_at, ended_at, owner_pid,
                           owner_start, mode)
         SELECT id || '_' || ?3, ?2, prompt, model, level, CASE WHEN ended_at IS NULL THEN ?5 ELSE status END, reply, usage,
                started_at, coalesce(ended_at, ?6), owner_pid, owner_start, mode
         FROM turn WHERE session = ?1 AND (ended_at IS NOT NULL OR ?4) ORDER BY rowid",
        params![id.as_str(), new.as_str(), suffix, wanted, Json(&cut), at.0],
    )?;
    if turns == 0 {
        let what = format!("no turn of session `{id}` has ended yet; wait for the end of one, then copy it");
        return Err(Failure::Conflict(what));
    }
    transaction.execute(
        "INSERT INTO message (session, turn, body)
         SELECT ?2, message.turn || '_' || ?3, body FROM message JOIN turn ON turn.id = message.turn
         WHERE message.session = ?1 AND (turn.ended_at IS NOT NULL OR ?4) ORDER BY message.seq",
        params![id.as_str(), new.as_str(), suffix, wanted],
    )?;
    let session = one(&transaction, new)?;
    transaction.commit()?;
    Ok(session)
}

fn rename(
    connection: &mut Connection,
    id: &SessionId,
    title: &str,
) -> Result<Option<StoredSession>, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("UPDATE session SET title = ?2 WHERE id = ?1", params![id.as_str(), title])?;
    let session = one(&transaction, id)?;
    transaction.commit()?;
    Ok(session)
}

fn delete(connection: &mut Connection, id: &SessionId) -> Result<bool, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Some(session) = one(&transaction, id)? else { return Ok(false) };
    if let Some(turn) = session.active_turn {
        let what =
            format!("turn `{turn}` runs in session `{id}`; cancel it or wait for its end, then delete");
        return Err(Failure::Conflict(what));
    }
    remove(&transaction, id)?;
    transaction.commit()?;
    Ok(true)
}

/// Removes the rows, those that point to others first.
fn remove(transaction: &Transaction<'_>, id: &SessionId) -> rusqlite::Result<()> {
    const PROPOSALS: &str = "SELECT id FROM proposal WHERE session = ?1";
    for table in ["comment", "decision", "hunk", "file_change", "turn_proposal"] {
        let sql = format!("DELETE FROM {table} WHERE proposal IN ({PROPOSALS})");
        transaction.execute(&sql, [id.as_str()])?;
    }
    for sql in [
        "DELETE FROM turn_proposal WHERE turn IN (SELECT id FROM turn WHERE session = ?1)",
        "DELETE FROM proposal WHERE session = ?1",
        "DELETE FROM prompt WHERE session = ?1",
        "DELETE FROM message WHERE session = ?1",
        "DELETE FROM turn WHERE session = ?1",
        "DELETE FROM session WHERE id = ?1",
    ] {
        transaction.execute(sql, [id.as_str()])?;
    }
    // Texts that nothing counts lines in any more.
    transaction.execute(
        "DELETE FROM text WHERE hash NOT IN (SELECT base FROM file_change UNION SELECT base FROM hunk)",
        [],
    )?;
    Ok(())
}
