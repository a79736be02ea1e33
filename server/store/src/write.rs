//! How one commit becomes one transaction.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use kkcode_core::effect::{Commit, DurableEvent, Record};
use kkcode_core::id::{HunkId, ProposalId, SessionId, TurnId};
use kkcode_core::proposal::{Hunk, Verdict};
use kkcode_core::turn::{Turn, TurnEnd};
use rusqlite::{Connection, ToSql, Transaction, TransactionBehavior, params};
use serde_json::Value;

use crate::column::{Json, PathBytes, Word};
use crate::error::Failure;
use crate::owner::Owner;

/// Writes a commit and returns the numbers of its events.
pub(crate) fn commit(
    connection: &mut Connection,
    commit: &Commit,
    owner: &Owner,
) -> Result<Vec<u64>, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut writer = Writer { transaction: &transaction, owner, now: now(), files: BTreeSet::new() };
    for record in &commit.records {
        writer.record(record).map_err(|failure| failure.while_writing(|| name_of(record)))?;
    }
    writer.order_hunks()?;
    let mut numbers = Vec::with_capacity(commit.events.len());
    for event in &commit.events {
        numbers.push(append_event(&transaction, event, writer.now)?);
    }
    transaction.commit()?;
    Ok(numbers)
}

/// Appends messages to a conversation.
pub(crate) fn append_messages(
    connection: &mut Connection,
    session: &SessionId,
    turn: &TurnId,
    messages: &[Value],
) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for message in messages {
        transaction
            .prepare_cached("INSERT INTO message (session, turn, body) VALUES (?1, ?2, ?3)")?
            .execute(params![session.as_str(), turn.as_str(), Json(message)])
            .map_err(|error| {
                Failure::from(error).while_writing(|| format!("a message of turn `{turn}` of `{session}`"))
            })?;
    }
    Ok(transaction.commit()?)
}

/// Appends an event and returns its number.
pub(crate) fn append_event(
    transaction: &Transaction<'_>,
    event: &DurableEvent,
    now: i64,
) -> Result<u64, Failure> {
    transaction
        .prepare_cached("INSERT INTO event (at, body) VALUES (?1, ?2)")?
        .execute(params![now, Json(event)])?;
    let number = transaction.last_insert_rowid();
    if let DurableEvent::TurnFinished { turn, proposals, .. } = event {
        // An edit that only took hunks back has left no other trace of the turn that made it.
        for proposal in proposals {
            note_proposal(transaction, turn, proposal)?;
        }
    }
    Ok(number.unsigned_abs())
}

/// Ends a turn that still runs; tells whether it did.
pub(crate) fn end_turn(
    transaction: &Transaction<'_>,
    turn: &TurnId,
    end: &TurnEnd,
    now: i64,
) -> rusqlite::Result<bool> {
    let ended = transaction
        .prepare_cached(
            "UPDATE turn SET status = ?2, reply = ?3, usage = ?4, ended_at = ?5
             WHERE id = ?1 AND ended_at IS NULL",
        )?
        .execute(params![turn.as_str(), Json(&end.status), end.reply, Json(end.usage), now])?;
    Ok(ended > 0)
}

/// Returns the time as the store writes it.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A transaction under way.
struct Writer<'a> {
    transaction: &'a Transaction<'a>,
    owner: &'a Owner,
    now: i64,
    /// Files whose hunks are to be put in order.
    files: BTreeSet<(&'a str, &'a Path)>,
}

impl<'a> Writer<'a> {
    fn record(&mut self, record: &'a Record) -> Result<(), Failure> {
        match record {
            Record::Session { id, folder, title, at } => self.execute(
                "INSERT INTO session (id, folder, title, created_at) VALUES (?1, ?2, ?3, ?4)",
                params![id.as_str(), folder.as_deref().map(PathBytes::of), title, at.0],
            ),
            Record::Turn(turn) => self.turn(turn),
            Record::TurnEnded { turn, end } => self.turn_ended(turn, end),
            Record::Text(hash, lines) => self.execute(
                "INSERT INTO text (hash, body) VALUES (?1, ?2) ON CONFLICT (hash) DO NOTHING",
                params![hash.as_str(), lines.text().as_ref()],
            ),
            Record::Proposal { id, session, turn, title, at } => {
                self.execute(
                    "INSERT INTO proposal (id, session, turn, title, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![id.as_str(), session.as_str(), turn.as_str(), title, at.0],
                )?;
                note_proposal(self.transaction, turn, id)
            }
            Record::File { proposal, path, kind, base } => {
                self.files.insert((proposal.as_str(), path));
                self.execute(
                    "INSERT INTO file_change (proposal, path, kind, base, ordinal)
                     VALUES (?1, ?2, ?3, ?4, (SELECT count(*) FROM file_change WHERE proposal = ?1))
                     ON CONFLICT (proposal, path) DO UPDATE SET kind = excluded.kind, base = excluded.base",
                    params![proposal.as_str(), PathBytes::of(path), Word(kind), base.as_str()],
                )
            }
            Record::Hunk { proposal, path, hunk } => self.hunk(proposal, path, hunk),
            Record::Decision { proposal, hunk, verdict } => self.decision(proposal, hunk, verdict),
        }
    }

    fn turn(&self, turn: &Turn) -> Result<(), Failure> {
        let ended_at = turn.status.is_final().then_some(self.now);
        self.execute(
            "INSERT INTO turn (id, session, prompt, model, level, status, reply, usage, started_at, ended_at,
                               owner_pid, owner_start, mode)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            params![
                turn.id.as_str(),
                turn.session.as_str(),
                turn.prompt,
                turn.model,
                Word(turn.level),
                Json(&turn.status),
                turn.reply,
                Json(turn.usage),
                turn.started_at.0,
                ended_at,
                self.owner.pid,
                self.owner.start,
                Word(turn.mode),
            ],
        )?;
        for proposal in &turn.proposals {
            note_proposal(self.transaction, &turn.id, proposal)?;
        }
        Ok(())
    }

    fn turn_ended(&self, turn: &TurnId, end: &TurnEnd) -> Result<(), Failure> {
        if end.status.is_final() && end_turn(self.transaction, turn, end, self.now)? {
            return Ok(());
        }
        Err(Failure::Conflict(format!("turn `{turn}` does not run any more and cannot end again")))
    }

    /// Writes a hunk; of one that is known only where it stands now.
    fn hunk(&mut self, proposal: &'a ProposalId, path: &'a Path, hunk: &Hunk) -> Result<(), Failure> {
        self.files.insert((proposal.as_str(), path));
        self.execute(
            "INSERT INTO hunk (id, proposal, path, turn, base, old_start, old_end, old_text, new_text, verdict,
                               ordinal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
                     (SELECT count(*) FROM hunk WHERE proposal = ?2 AND path = ?3))
             ON CONFLICT (proposal, id) DO UPDATE SET base = excluded.base, old_start = excluded.old_start,
                     old_end = excluded.old_end, old_text = excluded.old_text",
            params![
                hunk.id.as_str(),
                proposal.as_str(),
                PathBytes::of(path),
                hunk.turn.as_str(),
                hunk.base.as_str(),
                hunk.old.start,
                hunk.old.end,
                hunk.old_text.as_ref(),
                hunk.new_text.as_ref(),
                Json(&hunk.verdict),
            ],
        )?;
        note_proposal(self.transaction, &hunk.turn, proposal)
    }

    fn decision(&self, proposal: &ProposalId, hunk: &HunkId, verdict: &Verdict) -> Result<(), Failure> {
        let known = self
            .transaction
            .prepare_cached("UPDATE hunk SET verdict = ?3 WHERE proposal = ?1 AND id = ?2")?
            .execute(params![proposal.as_str(), hunk.as_str(), Json(verdict)])?;
        if known == 0 {
            let what = format!("there is no hunk `{hunk}` in proposal `{proposal}` to be decided");
            return Err(Failure::Conflict(what));
        }
        self.execute(
            "INSERT INTO decision (proposal, hunk, verdict, at) VALUES (?1, ?2, ?3, ?4)",
            params![proposal.as_str(), hunk.as_str(), Json(verdict), self.now],
        )
    }

    /// Puts the hunks of the files that were written in the order in which core has them: those of the present base first,
    /// each kind by its lines, equal ones as before.
    fn order_hunks(&self) -> Result<(), Failure> {
        for (proposal, path) in &self.files {
            self.execute(
                "UPDATE hunk SET ordinal = sorted.ordinal
                 FROM (SELECT hunk.id, row_number() OVER (ORDER BY hunk.base <> file_change.base, hunk.old_start,
                              hunk.old_end, hunk.ordinal) - 1 AS ordinal
                       FROM hunk JOIN file_change USING (proposal, path)
                       WHERE proposal = ?1 AND path = ?2) AS sorted
                 WHERE hunk.proposal = ?1 AND hunk.id = sorted.id AND hunk.ordinal <> sorted.ordinal",
                params![proposal, PathBytes::of(path)],
            )?;
        }
        Ok(())
    }

    fn execute(&self, sql: &str, params: &[&dyn ToSql]) -> Result<(), Failure> {
        self.transaction.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }
}

/// Writes down that a turn had a part in a proposal.
fn note_proposal(transaction: &Transaction<'_>, turn: &TurnId, proposal: &ProposalId) -> Result<(), Failure> {
    transaction
        .prepare_cached("INSERT INTO turn_proposal (turn, proposal) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![turn.as_str(), proposal.as_str()])?;
    Ok(())
}

fn name_of(record: &Record) -> String {
    match record {
        Record::Session { id, .. } => format!("session `{id}`"),
        Record::Turn(turn) => format!("turn `{}`", turn.id),
        Record::TurnEnded { turn, .. } => format!("the end of turn `{turn}`"),
        Record::Text(hash, _) => format!("text `{}`", hash.as_str()),
        Record::Proposal { id, .. } => format!("proposal `{id}`"),
        Record::File { proposal, path, .. } => format!("`{}` of proposal `{proposal}`", path.display()),
        Record::Hunk { proposal, hunk, .. } => format!("hunk `{}` of proposal `{proposal}`", hunk.id),
        Record::Decision { proposal, hunk, .. } => {
            format!("the decision about hunk `{hunk}` of proposal `{proposal}`")
        }
    }
}
