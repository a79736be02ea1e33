//! The audit: rows that are only appended, each with a hash over the one before, and the newest hash in a file beside.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use kkcode_core::audit::{AuditEvent, AuditRecord};
use kkcode_core::id::SessionId;
use kkcode_core::permission::Decision;
use kkcode_core::prompt::{Answer, Permission, Prompt, PromptKind, Resolution};
use kkcode_core::proposal::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::column::Json;
use crate::error::{Failure, StoreError};
use crate::store::Store;
use crate::write::now;

/// The file with the newest number and hash: who cuts rows off the end of the table has to know of it, too.
const HEAD: &str = "audit-head.json";

/// Takes the secrets that the program knows out of texts; runs on the store's thread.
pub(crate) type Hide = Box<dyn Fn(&mut [&mut String]) + Send + Sync>;

/// A row of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number; they grow.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    pub record: AuditRecord,
    /// The hash over it and the row before.
    pub hash: String,
}

/// Which rows are wanted; everything when all is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this session.
    pub session: Option<SessionId>,
    /// With this decision.
    pub decision: Option<Decision>,
    /// Not older than this.
    pub since: Option<Timestamp>,
}

/// What looking through the whole audit has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditState {
    /// How many rows there are.
    pub rows: u64,
    /// The hash of the last one.
    pub head: Option<String>,
    /// What is wrong first; nothing when the chain is whole.
    pub broken: Option<AuditBreak>,
}

/// Where the audit is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditBreak {
    /// The first row that does not fit, or the first that is missing.
    pub seq: u64,
    /// What is wrong with it.
    pub what: String,
}

/// The newest row, as the file beside has it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    seq: u64,
    hash: String,
}

impl Store {
    /// Has these secrets taken out of whatever is written into the audit, besides what looks like one. The first call counts.
    pub fn hide(&self, hide: impl Fn(&mut [&mut String]) + Send + Sync + 'static) {
        self.hide_with(Box::new(hide));
    }

    /// Writes down what was decided without anybody being asked.
    pub fn audit(&self, record: AuditRecord, done: impl FnOnce(Result<(), StoreError>) + Send + 'static) {
        let (store, home) = (self.clone(), self.home().to_owned());
        let append = move |connection: &mut Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut log = Log { transaction: &transaction, hide: store.hidden(), now: now(), head: None };
            log.append(record)?;
            let head = log.head.take();
            transaction.commit()?;
            keep_head(&home, head.as_ref());
            Ok(())
        };
        self.run(move |database| database.write(append), done);
    }

    /// Reads rows of the audit, oldest first.
    pub fn audited(
        &self,
        filter: AuditFilter,
        done: impl FnOnce(Result<Vec<AuditRow>, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.read(|connection| Ok(rows(connection, &filter)?)), done);
    }

    /// Looks through the whole audit, row by row.
    pub fn verify_audit(&self, done: impl FnOnce(Result<AuditState, StoreError>) + Send + 'static) {
        let home = self.home().to_owned();
        self.run(
            move |database| {
                let head = read_head(&home)?;
                let state = database.read(|connection| verify(connection, head.as_ref()).map(Some))?;
                // Without a database there may still be the file that knows of one.
                Ok(state.unwrap_or_else(|| AuditState { broken: missing_all(head), ..AuditState::default() }))
            },
            done,
        );
    }
}

/// What is appended in one transaction.
pub(crate) struct Log<'a> {
    pub(crate) transaction: &'a Transaction<'a>,
    pub(crate) hide: Option<&'a Hide>,
    pub(crate) now: i64,
    /// The newest row, when one was appended.
    pub(crate) head: Option<Head>,
}

impl Log<'_> {
    /// Appends a row, without its secrets.
    pub(crate) fn append(&mut self, mut record: AuditRecord) -> Result<(), Failure> {
        if let Some(hide) = self.hide {
            hide(&mut record.texts());
        }
        record.clean();
        let record = serde_json::to_string(&record)
            .map_err(|error| Failure::Conflict(format!("cannot write the audit: {error}")))?;
        let last: Option<String> = self
            .transaction
            .prepare_cached("SELECT hash FROM audit ORDER BY seq DESC LIMIT 1")?
            .query_row([], |row| row.get(0))
            .optional()?;
        let seq: i64 = self
            .transaction
            .prepare_cached("SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'audit'")?
            .query_row([], |row| row.get(0))?;
        let seq = seq.unsigned_abs();
        let hash = link(last.as_deref().unwrap_or_default(), seq, self.now, &record);
        self.transaction
            .prepare_cached("INSERT INTO audit (seq, at, record, hash) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![seq, self.now, record, hash])?;
        self.head = Some(Head { seq, hash });
        Ok(())
    }

    /// Appends that the user is asked for a permission; other questions decide nothing.
    pub(crate) fn asked(&mut self, prompt: &Prompt) -> Result<(), Failure> {
        let PromptKind::Permission(permission) = &prompt.kind else { return Ok(()) };
        let mut record = of_prompt(prompt, permission);
        record.reason.clone_from(&prompt.detail);
        self.append(record)
    }

    /// Appends what came of a prompt.
    pub(crate) fn answered(&mut self, prompt: &Prompt, resolution: &Resolution) -> Result<(), Failure> {
        let PromptKind::Permission(permission) = &prompt.kind else { return Ok(()) };
        let mut record = of_prompt(prompt, permission);
        let (decision, how) = match resolution.answer {
            Answer::AllowOnce => (Decision::Allow, "once"),
            Answer::ApplyFirst => (Decision::Allow, "once, with the pending edits applied"),
            Answer::AllowSession => (Decision::Allow, "until the session ends"),
            Answer::AllowAlways => (Decision::Allow, "always"),
            Answer::Deny | Answer::Questions(_) => (Decision::Deny, "no"),
            Answer::Withdrawn => (Decision::Deny, "withdrawn"),
        };
        record.event = AuditEvent::Decided;
        record.decision = decision;
        record.by = format!("{} ({how})", resolution.by);
        record.reason = resolution.feedback.clone().unwrap_or_default();
        self.append(record)
    }
}

fn of_prompt(prompt: &Prompt, permission: &Permission) -> AuditRecord {
    AuditRecord {
        event: AuditEvent::Asked,
        session: prompt.session.clone(),
        turn: prompt.turn.clone(),
        prompt: Some(prompt.id.clone()),
        tool: permission.tool.clone(),
        action: permission.command.clone().unwrap_or_else(|| prompt.title.clone()),
        decision: Decision::Ask,
        by: String::new(),
        reason: String::new(),
    }
}

/// Returns the hash of a row: over the one before, the number, the time and the record, as they stand in the table.
fn link(before: &str, seq: u64, at: i64, record: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(seq.to_le_bytes());
    hash.update(at.to_le_bytes());
    hash.update(record);
    let digits = hash.finalize().iter().flat_map(|byte| [byte >> 4, byte & 15]).collect::<Vec<u8>>();
    digits.into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

fn rows(connection: &Connection, filter: &AuditFilter) -> rusqlite::Result<Vec<AuditRow>> {
    let decision = filter.decision.map(|decision| match decision {
        Decision::Allow => "allow",
        Decision::Ask => "ask",
        Decision::Deny => "deny",
    });
    connection
        .prepare_cached(
            "SELECT seq, at, record, hash FROM audit
             WHERE (?1 IS NULL OR record ->> 'session' = ?1) AND (?2 IS NULL OR record ->> 'decision' = ?2)
               AND (?3 IS NULL OR at >= ?3)
             ORDER BY seq",
        )?
        .query_map(
            params![
                filter.session.as_ref().map(SessionId::as_str),
                decision,
                filter.since.map(|since| since.0)
            ],
            |row| {
                Ok(AuditRow {
                    seq: row.get::<_, i64>(0)?.unsigned_abs(),
                    at: Timestamp(row.get(1)?),
                    record: row.get::<_, Json<AuditRecord>>(2)?.0,
                    hash: row.get(3)?,
                })
            },
        )?
        .collect()
}

fn verify(connection: &Connection, head: Option<&Head>) -> Result<AuditState, Failure> {
    let last: i64 = connection.query_row(
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'audit'",
        [],
        |row| row.get(0),
    )?;
    let mut state = AuditState::default();
    let mut statement = connection.prepare("SELECT seq, at, record, hash FROM audit ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let mut expected = 0;
    while let Some(row) = rows.next()? {
        expected += 1;
        let (seq, at): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (seq, hash) = (seq.unsigned_abs(), row.get::<_, String>(3)?);
        let what = if seq != expected {
            Some("the row is missing")
        } else if link(state.head.as_deref().unwrap_or_default(), seq, at, &row.get::<_, String>(2)?) != hash
        {
            Some("the row, or one before it, is not what was written")
        } else if head.is_some_and(|head| head.seq == seq && head.hash != hash) {
            Some("the file beside the store knows another row of this number")
        } else {
            None
        };
        if let Some(what) = what {
            state.broken.get_or_insert(AuditBreak { seq: expected, what: what.to_owned() });
        }
        if state.broken.is_some() {
            expected = seq;
        }
        state.rows += 1;
        state.head = Some(hash);
    }
    let known = head.map_or(0, |head| head.seq).max(last.unsigned_abs());
    if state.broken.is_none() && expected < known {
        let what = format!("rows {} to {known} were cut off", expected + 1);
        state.broken = Some(AuditBreak { seq: expected + 1, what });
    }
    Ok(state)
}

fn missing_all(head: Option<Head>) -> Option<AuditBreak> {
    head.map(|head| AuditBreak { seq: 1, what: format!("rows 1 to {} were cut off", head.seq) })
}

/// Keeps the newest row beside. What is kept may be an older one after a crash, or when two processes write at once: it is a
/// row of the chain all the same.
pub(crate) fn keep_head(home: &Path, head: Option<&Head>) {
    let Some(head) = head else { return };
    let text = serde_json::to_string(head).unwrap_or_default();
    let (path, new) = (home.join(HEAD), home.join(format!("{HEAD}.{}", std::process::id())));
    let kept = for_us_only(&new, &text).and_then(|()| fs::rename(&new, &path));
    if let Err(error) = kept {
        tracing::warn!(%error, file = %path.display(), "the newest row of the audit is not kept beside the store");
    }
}

/// Writes a file that nobody else reads.
fn for_us_only(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// Has the numbers go on after the newest row that the file beside knows: rows that are lost stay known as missing.
pub(crate) fn go_on_after_head(connection: &Connection, home: &Path) -> Result<(), StoreError> {
    // A file that cannot be read is told by who looks through the audit.
    let Ok(Some(head)) = read_head(home) else { return Ok(()) };
    let raise = |sql: &str| connection.execute(sql, [head.seq]);
    let raised = raise("UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'audit'");
    let raised = raised.and_then(|rows| match rows {
        0 => raise("INSERT INTO sqlite_sequence (name, seq) VALUES ('audit', ?1)"),
        rows => Ok(rows),
    });
    raised.map(drop).map_err(|error| Failure::from(error).of(&home.join(HEAD)))
}

fn read_head(home: &Path) -> Result<Option<Head>, StoreError> {
    let path = home.join(HEAD);
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| StoreError::io(&path, &error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io(&path, &error)),
    }
}

/// Reads a prompt as it was asked.
pub(crate) fn prompt(transaction: &Transaction<'_>, id: &str) -> Result<Prompt, Failure> {
    let prompt = transaction
        .prepare_cached("SELECT body FROM prompt WHERE id = ?1")?
        .query_row([id], |row| Ok(row.get::<_, Json<Prompt>>(0)?.0))?;
    Ok(prompt)
}
