//! How one commit becomes one transaction.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use kkcode_core::effect::{Commit, DurableEvent, Record};
use kkcode_core::id::{HunkId, PromptId, ProposalId, SessionId, TurnId};
use kkcode_core::prompt::{Answer, Prompt, Resolution};
use kkcode_core::proposal::{ChangeKind, Hunk, Verdict};
use kkcode_core::turn::{Turn, TurnEnd};
use rusqlite::{Connection, OptionalExtension as _, ToSql, Transaction, TransactionBehavior, params};
use serde_json::Value;

use crate::audit::{self, Head, Hide, Log};
use crate::column::{Json, PathBytes, Word};
use crate::error::Failure;
use crate::owner::Owner;
use crate::task::{self, Fence};

/// Writes a commit and returns the numbers of its events.
pub(crate) fn commit(
    connection: &mut Connection,
    commit: &Commit,
    owner: &Owner,
    fence: Option<&Fence>,
    hide: Option<&Hide>,
) -> Result<(Vec<u64>, Option<Head>), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Some(fence) = fence {
        task::hold(&transaction, fence)?;
    }
    let mut writer = Writer {
        transaction: &transaction,
        owner,
        now: now(),
        files: BTreeSet::new(),
        act: None,
        log: Log { transaction: &transaction, hide, now: now(), head: None },
    };
    for record in &commit.records {
        writer.record(record).map_err(|failure| failure.while_writing(|| name_of(record)))?;
    }
    writer.order_hunks()?;
    let mut numbers = Vec::with_capacity(commit.events.len());
    for event in &commit.events {
        numbers.push(append_event(&transaction, event, writer.now)?);
    }
    let head = writer.log.head.take();
    transaction.commit()?;
    Ok((numbers, head))
}

/// Appends messages to a conversation.
pub(crate) fn append_messages(
    connection: &mut Connection,
    session: &SessionId,
    turn: &TurnId,
    messages: &[Value],
    fence: Option<&Fence>,
) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Some(fence) = fence {
        task::hold(&transaction, fence)?;
    }
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
    /// What the decisions of the commit have in common, once there is one.
    act: Option<i64>,
    log: Log<'a>,
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
            Record::File { proposal, path, base } => {
                self.files.insert((proposal.as_str(), path));
                self.execute(
                    "INSERT INTO file_change (proposal, path, base, ordinal)
                     VALUES (?1, ?2, ?3, (SELECT count(*) FROM file_change WHERE proposal = ?1))
                     ON CONFLICT (proposal, path) DO UPDATE SET base = excluded.base",
                    params![proposal.as_str(), PathBytes::of(path), base.as_str()],
                )
            }
            Record::Hunk { proposal, path, hunk } => self.hunk(proposal, path, hunk),
            Record::Decision { proposal, hunk, before, verdict } => {
                self.decision(proposal, hunk, before, verdict)
            }
            Record::Told { proposal, hunks } => hunks.iter().try_for_each(|hunk| {
                self.execute(
                    "UPDATE hunk SET told = 1 WHERE proposal = ?1 AND id = ?2",
                    params![proposal.as_str(), hunk.as_str()],
                )
            }),
            Record::Comment { proposal, comment } => self.execute(
                "INSERT INTO comment (id, proposal, path, hunk, lines, body, is_edit, sent)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    comment.id.as_str(),
                    proposal.as_str(),
                    PathBytes::of(&comment.path),
                    comment.hunk.as_ref().map(HunkId::as_str),
                    comment.lines.as_ref().map(Json),
                    comment.text,
                    comment.is_edit,
                    comment.sent,
                ],
            ),
            Record::Prompt(prompt) => {
                self.execute(
                    "INSERT INTO prompt (id, session, turn, body, asked_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![
                        prompt.id.as_str(),
                        prompt.session.as_str(),
                        prompt.turn.as_str(),
                        Json(prompt),
                        prompt.asked_at.0,
                    ],
                )?;
                self.log.asked(prompt)
            }
            Record::PromptResolved { prompt, resolution } => self.prompt_resolved(prompt, resolution),
            Record::PromptsWithdrawn { turn } => {
                let withdrawn = withdraw(self.transaction, turn, self.now)?;
                withdrawn.iter().try_for_each(|prompt| self.log.answered(prompt, &Resolution::withdrawn()))
            }
            Record::CommentsSent { comments } => comments.iter().try_for_each(|comment| {
                self.execute("UPDATE comment SET sent = 1 WHERE id = ?1", params![comment.as_str()])
            }),
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

    /// Writes down what came of a prompt, if nobody else has answered.
    fn prompt_resolved(&mut self, prompt: &PromptId, resolution: &Resolution) -> Result<(), Failure> {
        let taken = self
            .transaction
            .prepare_cached(
                "UPDATE prompt SET resolution = ?2, for_session = ?3, resolved_at = ?4
                 WHERE id = ?1 AND resolution IS NULL",
            )?
            .execute(params![
                prompt.as_str(),
                Json(resolution),
                resolution.answer == Answer::AllowSession,
                self.now,
            ])?;
        if taken == 0 {
            return Err(Failure::Conflict(format!("prompt `{prompt}` was answered by another editor")));
        }
        let prompt = audit::prompt(self.transaction, prompt.as_str())?;
        self.log.answered(&prompt, resolution)
    }

    /// Writes a hunk; of one that is known only where it stands now.
    fn hunk(&mut self, proposal: &'a ProposalId, path: &'a Path, hunk: &Hunk) -> Result<(), Failure> {
        self.files.insert((proposal.as_str(), path));
        self.execute(
            "INSERT INTO hunk (id, proposal, path, turn, base, old_start, old_end, kind, to_path, old_text, new_text,
                               over_text, split_from, rejected_before, verdict, told, ordinal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
                     (SELECT count(*) FROM hunk WHERE proposal = ?2 AND path = ?3))
             ON CONFLICT (proposal, id) DO UPDATE SET base = excluded.base, old_start = excluded.old_start,
                     old_end = excluded.old_end, kind = excluded.kind, to_path = excluded.to_path,
                     old_text = excluded.old_text, new_text = excluded.new_text, over_text = excluded.over_text",
            params![
                hunk.id.as_str(),
                proposal.as_str(),
                PathBytes::of(path),
                hunk.turn.as_str(),
                hunk.base.as_str(),
                hunk.old.start,
                hunk.old.end,
                kind_name(&hunk.kind),
                to_path(&hunk.kind).map(PathBytes::of),
                hunk.old_text.as_ref(),
                hunk.new_text.as_ref(),
                hunk.over.as_deref(),
                hunk.split_from.as_ref().map(HunkId::as_str),
                hunk.rejected_before,
                Json(&hunk.verdict),
                hunk.told,
            ],
        )?;
        note_proposal(self.transaction, &hunk.turn, proposal)
    }

    /// Writes down a verdict, if nobody else has decided otherwise since `before` was read.
    fn decision(
        &mut self,
        proposal: &ProposalId,
        hunk: &HunkId,
        before: &Verdict,
        verdict: &Verdict,
    ) -> Result<(), Failure> {
        let stored: Option<Verdict> = self
            .transaction
            .prepare_cached("SELECT verdict FROM hunk WHERE proposal = ?1 AND id = ?2")?
            .query_row(params![proposal.as_str(), hunk.as_str()], |row| Ok(row.get::<_, Json<Verdict>>(0)?.0))
            .optional()?;
        let Some(stored) = stored else {
            let what = format!("there is no hunk `{hunk}` in proposal `{proposal}` to be decided");
            return Err(Failure::Conflict(what));
        };
        let same_already = stored.says_the_same_as(verdict) && !before.says_the_same_as(verdict);
        if !stored.says_the_same_as(before) && !same_already {
            let what = format!("hunk `{hunk}` was decided by another editor meanwhile");
            return Err(Failure::Conflict(what));
        }
        if same_already && !matches!(verdict, Verdict::Accepted { saved: true }) {
            return Ok(());
        }
        let unsaved =
            matches!(verdict, Verdict::Accepted { saved: false } | Verdict::Applied { saved: false });
        let holder = unsaved.then_some(self.owner);
        self.execute(
            "UPDATE hunk SET verdict = ?3, holder_pid = ?4, holder_start = ?5,
                             told = CASE WHEN ?6 THEN told ELSE 0 END
             WHERE proposal = ?1 AND id = ?2",
            params![
                proposal.as_str(),
                hunk.as_str(),
                Json(verdict),
                holder.map(|holder| holder.pid),
                holder.map(|holder| holder.start.as_str()),
                stored.says_the_same_as(verdict),
            ],
        )?;
        self.execute(
            "INSERT INTO decision (act, proposal, hunk, verdict, at)
             VALUES (coalesce(?5, (SELECT coalesce(max(seq), 0) + 1 FROM decision)), ?1, ?2, ?3, ?4)",
            params![proposal.as_str(), hunk.as_str(), Json(verdict), self.now, self.act],
        )?;
        if self.act.is_none() {
            self.act = Some(self.transaction.last_insert_rowid());
        }
        Ok(())
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

/// Withdraws what a turn asked and nobody has answered; returns which prompts.
pub(crate) fn withdraw(
    transaction: &Transaction<'_>,
    turn: &TurnId,
    now: i64,
) -> Result<Vec<Prompt>, Failure> {
    let mut statement = transaction.prepare_cached(
        "UPDATE prompt SET resolution = ?2, resolved_at = ?3 WHERE turn = ?1 AND resolution IS NULL RETURNING body",
    )?;
    let rows = statement.query_map(params![turn.as_str(), Json(Resolution::withdrawn()), now], |row| {
        Ok(row.get::<_, Json<Prompt>>(0)?.0)
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Writes down that a turn had a part in a proposal.
fn note_proposal(transaction: &Transaction<'_>, turn: &TurnId, proposal: &ProposalId) -> Result<(), Failure> {
    transaction
        .prepare_cached("INSERT INTO turn_proposal (turn, proposal) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![turn.as_str(), proposal.as_str()])?;
    Ok(())
}

fn kind_name(kind: &ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Modify => "modify",
        ChangeKind::Create => "create",
        ChangeKind::Delete => "delete",
        ChangeKind::Rename { .. } => "rename",
    }
}

fn to_path(kind: &ChangeKind) -> Option<&Path> {
    match kind {
        ChangeKind::Rename { to } => Some(to),
        ChangeKind::Modify | ChangeKind::Create | ChangeKind::Delete => None,
    }
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
        Record::Told { proposal, .. } => format!("what the agent was told of proposal `{proposal}`"),
        Record::Comment { proposal, .. } => format!("a comment on proposal `{proposal}`"),
        Record::Prompt(prompt) => format!("prompt `{}`", prompt.id),
        Record::PromptResolved { prompt, .. } => format!("the answer to prompt `{prompt}`"),
        Record::PromptsWithdrawn { turn } => format!("what turn `{turn}` asked"),
        Record::CommentsSent { .. } => "which comments were sent".to_owned(),
    }
}
