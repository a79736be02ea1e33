//! The store as its callers see it, on real files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use kkcode_core::effect::{Commit, DurableEvent, Record};
use kkcode_core::id::{HunkId, ProposalId, SessionId, TurnId};
use kkcode_core::lines::{Lines, TextHash};
use kkcode_core::proposal::{ChangeKind, Hunk, ReviewState, Timestamp, Verdict};
use kkcode_core::turn::{Level, Mode, Turn, TurnEnd, TurnStatus, Usage};
use tempfile::TempDir;

use crate::database::Database;
use crate::{Loaded, Store, StoreError};

mod audit;
mod damage;
mod durability;
mod load;
mod refusals;
mod rescue;
mod round_trip;
mod sharing;
mod spending;
mod tasks;

/// Calls a method of the store and waits for its callback.
fn wait<T: Send + 'static>(
    call: impl FnOnce(Box<dyn FnOnce(Result<T, StoreError>) + Send>),
) -> Result<T, StoreError> {
    let (sender, result) = channel();
    call(Box::new(move |outcome| sender.send(outcome).unwrap()));
    result.recv_timeout(Duration::from_mins(1)).expect("the callback runs")
}

fn commit(store: &Store, records: Vec<Record>, events: Vec<DurableEvent>) -> Result<Vec<u64>, StoreError> {
    wait(|done| store.commit(Commit { records, events }, done))
}

fn load(store: &Store, folders: &[&str]) -> Result<Loaded, StoreError> {
    let folders = folders.iter().map(Into::into).collect();
    wait(|done| store.load(folders, Vec::new(), done))
}

/// Has the store let go of its file.
fn close(store: &Store) {
    let closed = |done| {
        let close = |database: &mut Database| {
            database.close();
            Ok(())
        };
        store.run(close, done);
    };
    wait(closed).unwrap();
}

/// Does something with the store's own connection.
fn with_connection<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&mut rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    wait(|done| store.run(|database| database.write(|connection| Ok(work(connection)?)), done))
}

/// Returns the database of a home.
fn database_of(home: &TempDir) -> PathBuf {
    home.path().join("home/state.db")
}

/// Opens the database behind the store's back.
fn raw(home: &TempDir) -> rusqlite::Connection {
    rusqlite::Connection::open(database_of(home)).unwrap()
}

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn store(home: &TempDir) -> Store {
    Store::new(home.path().join("home"))
}

fn text(body: &str) -> (TextHash, Arc<Lines>) {
    (TextHash::of(body), Arc::new(Lines::new(body)))
}

fn session(id: &str, folder: Option<&str>) -> Record {
    Record::Session {
        id: SessionId::new(id),
        folder: folder.map(Into::into),
        title: format!("title of {id}"),
        at: Timestamp(1),
    }
}

fn turn(id: &str, session: &str, at: i64) -> Turn {
    Turn {
        id: TurnId::new(id),
        session: SessionId::new(session),
        prompt: format!("prompt of {id}"),
        model: None,
        level: Level::Manual,
        started_at: Timestamp(at),
        status: TurnStatus::Running,
        reply: None,
        usage: Usage::default(),
        proposals: Vec::new(),
        mode: Mode::default(),
        proposes_only: false,
        excerpts: Vec::new(),
        review_note: None,
    }
}

fn proposal(id: &str, session: &str, turn: &str, at: i64) -> Record {
    Record::Proposal {
        id: ProposalId::new(id),
        session: SessionId::new(session),
        turn: TurnId::new(turn),
        title: format!("title of {id}"),
        at: Timestamp(at),
    }
}

fn file(proposal: &str, path: impl AsRef<Path>, base: &TextHash) -> Record {
    Record::File { proposal: ProposalId::new(proposal), path: path.as_ref().to_owned(), base: base.clone() }
}

fn hunk(id: &str, turn: &str, base: &TextHash, old: std::ops::Range<usize>) -> Hunk {
    Hunk {
        id: HunkId::new(id),
        turn: TurnId::new(turn),
        kind: ChangeKind::Modify,
        base: base.clone(),
        old,
        old_text: "old\n".into(),
        new_text: "new\n".into(),
        over: None,
        split_from: None,
        rejected_before: false,
        verdict: Verdict::Undecided,
        told: false,
    }
}

fn hunk_record(proposal: &str, path: impl AsRef<Path>, hunk: Hunk) -> Record {
    Record::Hunk { proposal: ProposalId::new(proposal), path: path.as_ref().to_owned(), hunk }
}

fn decision(proposal: &str, hunk: &str, verdict: Verdict) -> Record {
    changed_mind(proposal, hunk, Verdict::Undecided, verdict)
}

fn changed_mind(proposal: &str, hunk: &str, before: Verdict, verdict: Verdict) -> Record {
    Record::Decision { proposal: ProposalId::new(proposal), hunk: HunkId::new(hunk), before, verdict }
}

fn ended(turn: &str, status: TurnStatus) -> Record {
    let end = TurnEnd {
        status,
        reply: Some("reply".into()),
        usage: Usage { input_tokens: 3, output_tokens: 4, cost_micro_usd: 5, ..Usage::default() },
    };
    Record::TurnEnded { turn: TurnId::new(turn), end }
}

/// Returns session, turn, proposal and one file with one hunk, all undecided.
fn small(folder: Option<&str>, path: &str) -> Vec<Record> {
    let (hash, lines) = text("old\n");
    vec![
        session("s", folder),
        Record::Turn(turn("t", "s", 2)),
        proposal("p", "s", "t", 3),
        Record::Text(hash.clone(), lines),
        file("p", path, &hash),
        hunk_record("p", path, hunk("h", "t", &hash, 0..1)),
    ]
}

fn changed(proposal: &str) -> DurableEvent {
    DurableEvent::ProposalChanged {
        proposal: ProposalId::new(proposal),
        state: ReviewState::Open,
        files: Vec::new(),
    }
}
