//! What is read back: the proposals, texts and turns of some folders, and the messages of a session.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kkcode_core::comment::Comment;
use kkcode_core::effect::DurableEvent;
use kkcode_core::event::{Decided, Known};
use kkcode_core::id::{CommentId, HunkId, ProposalId, SessionId, TurnId};
use kkcode_core::lines::{Lines, TextHash};
use kkcode_core::prompt::{Prompt, Resolution};
use kkcode_core::proposal::{ChangeKind, FileChange, Hunk, Proposal, Timestamp, Verdict};
use kkcode_core::turn::Turn;
use rusqlite::{Connection, Row, ToSql, Transaction, params};
use serde_json::Value;

use crate::column::{Json, PathBytes, Word};
use crate::error::Failure;
use crate::owner::Owner;
use crate::rescue;
use crate::session::StoredTurn;

/// How many proposals, and how many turns, of the folders are read.
const NEWEST: usize = 200;

/// What the store knows of some folders.
///
/// A session belongs to them when its own folder is one of them, lies in one of them or holds one of them; when there are
/// no folders, as for a single file, when it has none either. A session with a turn that runs in this process always
/// belongs to them: its turn must not be forgotten when the folders change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The newest 200 proposals of these sessions and of any that touch a file in the folders, oldest first, with all that
    /// belongs to them; the turns of their sessions and the newest 200 of the folders' sessions, oldest first. A session that was
    /// asked for is told of whole.
    pub known: Known,
    /// The number of the last event; 0 when there was none.
    pub last_seq: u64,
    /// The other processes that turns run in, of whatever folders. When one is gone, the next load ends its turns.
    pub runners: Vec<Owner>,
    /// What the user is to be told of the store itself, once: that it was damaged, and what is missing.
    pub notices: Vec<String>,
}

/// Reads what is known of some folders, after turns whose process is gone were ended.
pub(crate) fn load(
    connection: &mut Connection,
    folders: &[PathBuf],
    wanted: &[SessionId],
    us: &Owner,
) -> Result<Loaded, Failure> {
    let orphans = rescue::orphans(connection)?;
    if !orphans.is_empty()
        && let Err(failure) = rescue::interrupt(connection, &orphans)
    {
        tracing::warn!(?failure, ?orphans, "interrupted turns could not be written down");
    }
    let transaction = connection.transaction()?;
    let reader = Reader { transaction: &transaction, folders, us };
    let sessions = reader.sessions(wanted)?;
    let runners = reader.runners()?;
    let proposals = reader.proposals(&sessions)?;
    let mut turns = reader.turns(&sessions, &proposals)?;
    for turn in &mut turns {
        if !turn.status.is_final() && orphans.contains(&turn.id) {
            turn.status = rescue::interrupted();
        }
    }
    let texts = reader.texts(&proposals)?;
    let last_seq: i64 = transaction
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'event'")?
        .query_row([], |row| row.get(0))?;
    let (comments, decisions) = (reader.comments(&proposals)?, reader.decisions(&proposals)?);
    let elsewhere = reader.elsewhere(&proposals)?;
    let prompts = reader.prompts(&sessions)?;
    let known = Known { proposals, texts, comments, decisions, elsewhere, turns, prompts };
    Ok(Loaded { known, last_seq: last_seq.unsigned_abs(), runners, notices: Vec::new() })
}

/// Reads the messages of a conversation, in their order.
pub(crate) fn messages(connection: &Connection, session: &SessionId) -> rusqlite::Result<Vec<Value>> {
    rows(
        connection,
        "SELECT body FROM message WHERE session = ?1 ORDER BY seq",
        &[&session.as_str()],
        |row| Ok(row.get::<_, Json<Value>>(0)?.0),
    )
}

/// Reads which proposals a turn had a part in, in their order.
pub(crate) fn proposals_of(connection: &Connection, turn: &TurnId) -> rusqlite::Result<Vec<ProposalId>> {
    rows(
        connection,
        "SELECT proposal FROM turn_proposal WHERE turn = ?1 ORDER BY rowid",
        &[&turn.as_str()],
        |row| Ok(ProposalId::new(row.get::<_, String>(0)?)),
    )
}

/// Reads all turns of a session, oldest first, without their proposals.
pub(crate) fn turns_of(connection: &Connection, session: &SessionId) -> rusqlite::Result<Vec<StoredTurn>> {
    rows(
        connection,
        "SELECT started_at, rowid, id, session, prompt, model, level, status, reply, usage, mode, ended_at FROM turn
         WHERE session = ?1 ORDER BY started_at, rowid",
        &[&session.as_str()],
        |row| {
            let (_, turn) = turn(row)?;
            Ok(StoredTurn { turn, ended_at: row.get::<_, Option<i64>>(11)?.map(Timestamp) })
        },
    )
}

/// Reads a turn with its proposals, however old it is; none when there is no such turn.
pub(crate) fn turn_of(connection: &Connection, id: &TurnId) -> rusqlite::Result<Option<Turn>> {
    let found = rows(
        connection,
        "SELECT started_at, rowid, id, session, prompt, model, level, status, reply, usage, mode FROM turn WHERE id = ?1",
        &[&id.as_str()],
        turn,
    )?;
    let Some((_, turn)) = found.into_iter().next() else { return Ok(None) };
    let proposals = proposals_of(connection, id)?;
    Ok(Some(Turn { proposals, ..turn }))
}

/// Reads which session a proposal belongs to; none when there is no such proposal.
pub(crate) fn session_of(connection: &Connection, id: &ProposalId) -> rusqlite::Result<Option<SessionId>> {
    let found = rows(connection, "SELECT session FROM proposal WHERE id = ?1", &[&id.as_str()], |row| {
        Ok(SessionId::new(row.get::<_, String>(0)?))
    })?;
    Ok(found.into_iter().next())
}

/// Tells whether a session that works in this folder belongs to the workspace; see [`Loaded`].
pub(crate) fn belongs(folder: Option<&Path>, workspace: &[PathBuf]) -> bool {
    match folder {
        None => workspace.is_empty(),
        Some(folder) => workspace.iter().any(|ours| ours.starts_with(folder) || folder.starts_with(ours)),
    }
}

/// What sorts proposals and turns: when they began, then in which order they were written.
type Age = (i64, i64);

/// A look at one moment of the database.
struct Reader<'a> {
    transaction: &'a Transaction<'a>,
    folders: &'a [PathBuf],
    us: &'a Owner,
}

/// The sessions that belong to the folders.
struct Sessions {
    /// The folders of sessions that do.
    folders: Vec<Option<PathBuf>>,
    /// Those that are told of however old they are: with a turn that runs here, or asked for.
    always: Vec<String>,
}

impl Reader<'_> {
    fn sessions(&self, wanted: &[SessionId]) -> Result<Sessions, Failure> {
        let known: Vec<Option<PathBuf>> = self.rows("SELECT DISTINCT folder FROM session", &[], |row| {
            let folder: Option<PathBytes<'static>> = row.get(0)?;
            Ok(folder.map(|folder| folder.0.into_owned()))
        })?;
        let folders = known.into_iter().filter(|known| belongs(known.as_deref(), self.folders)).collect();
        let mut always: Vec<String> = self.rows(
            "SELECT DISTINCT session FROM turn
             WHERE ended_at IS NULL AND owner_pid = ?1 AND owner_start = ?2",
            params![self.us.pid, self.us.start],
            |row| row.get(0),
        )?;
        for session in wanted {
            let found =
                self.rows("SELECT folder FROM session WHERE id = ?1", &[&session.as_str()], |row| {
                    let folder: Option<PathBytes<'static>> = row.get(0)?;
                    Ok(belongs(folder.as_ref().map(|folder| &*folder.0), self.folders))
                })?;
            always.extend(found.into_iter().filter(|belongs| *belongs).map(|_| session.to_string()));
        }
        Ok(Sessions { folders, always })
    }

    /// Returns the other living processes that turns run in.
    fn runners(&self) -> Result<Vec<Owner>, Failure> {
        let runners = self.rows(
            "SELECT DISTINCT owner_pid, owner_start FROM turn WHERE ended_at IS NULL",
            &[],
            |row| Ok(Owner { pid: row.get(0)?, start: row.get(1)? }),
        )?;
        Ok(runners.into_iter().filter(|runner| runner != self.us && runner.is_alive()).collect())
    }

    fn proposals(&self, sessions: &Sessions) -> Result<Vec<Proposal>, Failure> {
        let age = |row: &Row<'_>| Ok(((row.get(0)?, row.get(1)?), row.get::<_, String>(2)?));
        let mut found: BTreeSet<(Age, String)> = BTreeSet::new();
        for folder in &sessions.folders {
            found.extend(self.rows(
                "SELECT created_at, rowid, id FROM proposal
                 WHERE session IN (SELECT id FROM session WHERE folder IS ?1)
                 ORDER BY created_at DESC, rowid DESC LIMIT ?2",
                params![folder.as_deref().map(PathBytes::of), NEWEST],
                age,
            )?);
        }
        for folder in self.folders {
            let (first, end) = below(folder);
            found.extend(self.rows(
                "SELECT created_at, rowid, id FROM proposal
                 WHERE id IN (SELECT proposal FROM file_change WHERE path >= ?1 AND path < ?2)
                 ORDER BY created_at DESC, rowid DESC LIMIT ?3",
                params![first, end, NEWEST],
                age,
            )?);
        }
        let mut newest: BTreeSet<(Age, String)> = found.into_iter().rev().take(NEWEST).collect();
        for session in &sessions.always {
            newest.extend(self.rows(
                "SELECT created_at, rowid, id FROM proposal WHERE session = ?1",
                &[session],
                age,
            )?);
        }
        newest.iter().map(|(_, id)| self.proposal(id)).collect()
    }

    fn proposal(&self, id: &str) -> Result<Proposal, Failure> {
        let mut proposal = self
            .transaction
            .prepare_cached("SELECT session, turn, title, created_at FROM proposal WHERE id = ?1")?
            .query_row([id], |row| {
                Ok(Proposal {
                    id: ProposalId::new(id),
                    session: SessionId::new(row.get::<_, String>(0)?),
                    turn: TurnId::new(row.get::<_, String>(1)?),
                    title: row.get(2)?,
                    created_at: Timestamp(row.get(3)?),
                    files: Vec::new(),
                })
            })?;
        proposal.files = self.rows(
            "SELECT path, base FROM file_change WHERE proposal = ?1 ORDER BY ordinal",
            &[&id],
            |row| {
                Ok(FileChange {
                    path: row.get::<_, PathBytes<'static>>(0)?.0.into_owned(),
                    base: TextHash::from_hex(row.get::<_, String>(1)?),
                    hunks: Vec::new(),
                })
            },
        )?;
        for file in &mut proposal.files {
            file.hunks = self.rows(
                "SELECT id, turn, base, old_start, old_end, kind, to_path, old_text, new_text, over_text, split_from,
                        rejected_before, verdict, told FROM hunk
                 WHERE proposal = ?1 AND path = ?2 ORDER BY ordinal",
                params![id, PathBytes::of(&file.path)],
                hunk,
            )?;
        }
        Ok(proposal)
    }

    fn turns(&self, sessions: &Sessions, proposals: &[Proposal]) -> Result<Vec<Turn>, Failure> {
        let mut found: BTreeMap<Age, Turn> = BTreeMap::new();
        let all_of: BTreeSet<&str> = proposals
            .iter()
            .map(|proposal| proposal.session.as_str())
            .chain(sessions.always.iter().map(String::as_str))
            .collect();
        for session in all_of {
            found.extend(self.rows(
                "SELECT started_at, rowid, id, session, prompt, model, level, status, reply, usage, mode FROM turn
                 WHERE session = ?1",
                &[&session],
                turn,
            )?);
        }
        let mut newest: BTreeMap<Age, Turn> = BTreeMap::new();
        for folder in &sessions.folders {
            newest.extend(self.rows(
                "SELECT started_at, rowid, id, session, prompt, model, level, status, reply, usage, mode FROM turn
                 WHERE session IN (SELECT id FROM session WHERE folder IS ?1)
                 ORDER BY started_at DESC, rowid DESC LIMIT ?2",
                params![folder.as_deref().map(PathBytes::of), NEWEST],
                turn,
            )?);
        }
        found.extend(newest.into_iter().rev().take(NEWEST));
        let mut turns: Vec<Turn> = found.into_values().collect();
        for turn in &mut turns {
            turn.proposals = proposals_of(self.transaction, &turn.id)?;
        }
        Ok(turns)
    }

    fn texts(&self, proposals: &[Proposal]) -> Result<Vec<(TextHash, Arc<Lines>)>, Failure> {
        let files = proposals.iter().flat_map(|proposal| &proposal.files);
        let hashes: BTreeSet<&TextHash> = files
            .flat_map(|file| {
                // Of taken ones too: they can be given back.
                let placed =
                    file.hunks.iter().filter(|hunk| !matches!(hunk.verdict, Verdict::Superseded { .. }));
                placed.map(|hunk| &hunk.base).chain([&file.base])
            })
            .collect();
        let mut statement = self.transaction.prepare_cached("SELECT body FROM text WHERE hash = ?1")?;
        let mut texts = Vec::with_capacity(hashes.len());
        for hash in hashes {
            let text: Arc<str> = statement.query_row([hash.as_str()], |row| row.get(0))?;
            texts.push((hash.clone(), Arc::new(Lines::new(text))));
        }
        Ok(texts)
    }

    fn comments(&self, proposals: &[Proposal]) -> Result<Vec<(ProposalId, Comment)>, Failure> {
        let mut comments = Vec::new();
        for proposal in proposals {
            comments.extend(self.rows(
                "SELECT id, path, hunk, lines, body, is_edit, sent FROM comment WHERE proposal = ?1 ORDER BY rowid",
                &[&proposal.id.as_str()],
                |row| {
                    let comment = Comment {
                        id: CommentId::new(row.get::<_, String>(0)?),
                        path: row.get::<_, PathBytes<'static>>(1)?.0.into_owned(),
                        hunk: row.get::<_, Option<String>>(2)?.map(HunkId::new),
                        lines: row.get::<_, Option<Json<_>>>(3)?.map(|lines| lines.0),
                        text: row.get(4)?,
                        is_edit: row.get(5)?,
                        sent: row.get(6)?,
                    };
                    Ok((proposal.id.clone(), comment))
                },
            )?);
        }
        Ok(comments)
    }

    fn decisions(&self, proposals: &[Proposal]) -> Result<Vec<Decided>, Failure> {
        let mut decisions = Vec::new();
        for proposal in proposals {
            decisions.extend(self.rows(
                "SELECT seq, act, at, hunk, verdict FROM decision WHERE proposal = ?1 ORDER BY seq",
                &[&proposal.id.as_str()],
                |row| {
                    let decided = Decided {
                        act: row.get(1)?,
                        at: Timestamp(row.get(2)?),
                        proposal: proposal.id.clone(),
                        hunk: HunkId::new(row.get::<_, String>(3)?),
                        verdict: row.get::<_, Json<Verdict>>(4)?.0,
                    };
                    Ok((row.get::<_, i64>(0)?, decided))
                },
            )?);
        }
        decisions.sort_by_key(|(seq, _)| *seq);
        Ok(decisions.into_iter().map(|(_, decided)| decided).collect())
    }

    /// Returns the hunks whose text an editor of another living process has unsaved.
    fn elsewhere(&self, proposals: &[Proposal]) -> Result<Vec<(ProposalId, HunkId)>, Failure> {
        let mut elsewhere = Vec::new();
        for proposal in proposals {
            let held = self.rows(
                "SELECT id, holder_pid, holder_start FROM hunk WHERE proposal = ?1 AND holder_pid IS NOT NULL",
                &[&proposal.id.as_str()],
                |row| {
                    let owner = Owner { pid: row.get(1)?, start: row.get(2)? };
                    Ok((HunkId::new(row.get::<_, String>(0)?), owner))
                },
            )?;
            let theirs = held.into_iter().filter(|(_, owner)| owner != self.us && owner.is_alive());
            elsewhere.extend(theirs.map(|(hunk, _)| (proposal.id.clone(), hunk)));
        }
        Ok(elsewhere)
    }

    /// Returns the prompts that wait, those of running turns, and those that were answered for a session.
    fn prompts(&self, sessions: &Sessions) -> Result<Vec<Prompt>, Failure> {
        const PROMPTS: &str =
            "SELECT prompt.body, prompt.resolution, prompt.id FROM prompt JOIN turn ON turn.id = prompt.turn
             WHERE (prompt.resolution IS NULL OR prompt.for_session = 1 OR turn.ended_at IS NULL)";
        let mut found: BTreeMap<String, Prompt> = BTreeMap::new();
        for folder in &sessions.folders {
            found.extend(self.rows(
                &format!("{PROMPTS} AND prompt.session IN (SELECT id FROM session WHERE folder IS ?1)"),
                params![folder.as_deref().map(PathBytes::of)],
                prompt,
            )?);
        }
        for session in &sessions.always {
            found.extend(self.rows(&format!("{PROMPTS} AND prompt.session = ?1"), &[session], prompt)?);
        }
        Ok(found.into_values().collect())
    }

    fn rows<T>(
        &self,
        sql: &str,
        params: &[&dyn ToSql],
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Failure> {
        Ok(rows(self.transaction, sql, params, read)?)
    }
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    params: &[&dyn ToSql],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(params, read)?.collect()
}

fn prompt(row: &Row<'_>) -> rusqlite::Result<(String, Prompt)> {
    let asked = row.get::<_, Json<Prompt>>(0)?.0;
    let resolution = row.get::<_, Option<Json<Resolution>>>(1)?.map(|resolution| resolution.0);
    Ok((row.get(2)?, Prompt { resolution, ..asked }))
}

fn hunk(row: &Row<'_>) -> rusqlite::Result<Hunk> {
    Ok(Hunk {
        id: HunkId::new(row.get::<_, String>(0)?),
        turn: TurnId::new(row.get::<_, String>(1)?),
        base: TextHash::from_hex(row.get::<_, String>(2)?),
        old: row.get(3)?..row.get(4)?,
        kind: kind(&row.get::<_, String>(5)?, row.get(6)?)?,
        old_text: row.get(7)?,
        new_text: row.get(8)?,
        over: row.get(9)?,
        split_from: row.get::<_, Option<String>>(10)?.map(HunkId::new),
        rejected_before: row.get(11)?,
        verdict: row.get::<_, Json<Verdict>>(12)?.0,
        told: row.get(13)?,
    })
}

fn kind(name: &str, to: Option<PathBytes<'static>>) -> rusqlite::Result<ChangeKind> {
    Ok(match (name, to) {
        ("modify", None) => ChangeKind::Modify,
        ("create", None) => ChangeKind::Create,
        ("delete", None) => ChangeKind::Delete,
        ("rename", Some(to)) => ChangeKind::Rename { to: to.0.into_owned() },
        (name, _) => {
            let what = format!("`{name}` is nothing that happens to a file");
            return Err(rusqlite::Error::FromSqlConversionFailure(
                5,
                rusqlite::types::Type::Text,
                what.into(),
            ));
        }
    })
}

/// Reads the events behind a number, oldest first.
pub(crate) fn events_since(
    connection: &Connection,
    seq: u64,
) -> rusqlite::Result<Vec<(u64, Timestamp, DurableEvent)>> {
    rows(connection, "SELECT seq, at, body FROM event WHERE seq > ?1 ORDER BY seq", params![seq], |row| {
        Ok((row.get(0)?, Timestamp(row.get(1)?), row.get::<_, Json<DurableEvent>>(2)?.0))
    })
}

/// Reads a turn, without its proposals.
fn turn(row: &Row<'_>) -> rusqlite::Result<(Age, Turn)> {
    let started_at = row.get(0)?;
    let turn = Turn {
        id: TurnId::new(row.get::<_, String>(2)?),
        session: SessionId::new(row.get::<_, String>(3)?),
        prompt: row.get(4)?,
        model: row.get(5)?,
        level: row.get::<_, Word<_>>(6)?.0,
        started_at: Timestamp(started_at),
        status: row.get::<_, Json<_>>(7)?.0,
        reply: row.get(8)?,
        usage: row.get::<_, Json<_>>(9)?.0,
        proposals: Vec::new(),
        mode: row.get::<_, Word<_>>(10)?.0,
        proposes_only: false,
        excerpts: Vec::new(),
        review_note: None,
    };
    Ok(((started_at, row.get(1)?), turn))
}

/// Returns the bounds of the paths below a folder, the second left out.
fn below(folder: &Path) -> (Vec<u8>, Vec<u8>) {
    let separator = if cfg!(windows) { b'\\' } else { b'/' };
    let folder: PathBuf = folder.components().collect();
    let mut first = folder.into_os_string().into_encoded_bytes();
    if first.last() == Some(&separator) {
        first.pop();
    }
    let mut end = first.clone();
    first.push(separator);
    end.push(separator + 1);
    (first, end)
}
