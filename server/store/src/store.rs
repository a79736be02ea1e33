//! The handle that the rest of the program has of the store, and the thread behind it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use kkcode_core::effect::{Commit, DurableEvent};
use kkcode_core::id::{SessionId, TaskId, TurnId};
use kkcode_core::proposal::Timestamp;
use serde_json::Value;

use crate::audit::{self, Hide};
use crate::database::Database;
use crate::error::StoreError;
use crate::owner::Owner;
use crate::read::{self, Loaded};
use crate::task::Fence;
use crate::write;
use crate::writer::{self, Writer};

/// The store of one home. Clones are the same store.
///
/// What is handed over is done in that order, on a thread of the store's own that starts with the first of it; the
/// callbacks run there too, so they should only pass the result on. The queue has no bound: whoever hands over is not to
/// wait, and does so once for each thing that a user or a model did. When the last handle is gone the thread does what was
/// handed over and ends; a process that ends before that loses it, see [`Store::flush`].
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    /// For a worker, what it must still have when it writes.
    fence: Option<Fence>,
}

struct Shared {
    home: PathBuf,
    jobs: Mutex<Option<Sender<Job>>>,
    hide: OnceLock<Hide>,
}

/// Something for the thread to do; told instead when there is no thread.
type Job = Box<dyn FnOnce(Result<&mut Database, StoreError>) + Send>;

impl Store {
    /// Names the database, `state.db` in this folder; opens nothing until first use.
    pub fn new(home: PathBuf) -> Self {
        Self { shared: Arc::new(Shared { home, jobs: Mutex::default(), hide: OnceLock::new() }), fence: None }
    }

    /// Writes one commit, all or nothing, and says when it is on the disk. `done` gets the numbers of the commit's events,
    /// in their order; they grow from commit to commit over all processes and are never given twice.
    pub fn commit(&self, commit: Commit, done: impl FnOnce(Result<Vec<u64>, StoreError>) + Send + 'static) {
        let (store, fence) = (self.clone(), self.fence.clone());
        self.run(
            move |database| {
                let owner = Owner::this_process();
                let written = database.write(|connection| {
                    write::commit(connection, &commit, &owner, fence.as_ref(), store.hidden())
                });
                let (numbers, head) = written?;
                audit::keep_head(store.home(), head.as_ref());
                Ok(numbers)
            },
            done,
        );
    }

    /// Reads what is known of the proposals, texts and turns of these folders. See [`Loaded`] for what that is.
    ///
    /// A turn that still runs for the store while its process is gone is written down as interrupted first. Makes nothing
    /// when there is no database.
    pub fn load(
        &self,
        folders: Vec<PathBuf>,
        sessions: Vec<SessionId>,
        done: impl FnOnce(Result<Loaded, StoreError>) + Send + 'static,
    ) {
        self.run(
            move |database| {
                let owner = Owner::this_process();
                let mut loaded =
                    database.read(|connection| read::load(connection, &folders, &sessions, &owner))?;
                loaded.notices = database.take_notices();
                Ok(loaded)
            },
            done,
        );
    }

    /// Appends messages to a conversation, all or nothing. What they say is not looked at.
    pub fn append_messages(
        &self,
        session: SessionId,
        turn: TurnId,
        messages: Vec<Value>,
        done: impl FnOnce(Result<(), StoreError>) + Send + 'static,
    ) {
        let fence = self.fence.clone();
        self.run(
            move |database| {
                database.write(|connection| {
                    write::append_messages(connection, &session, &turn, &messages, fence.as_ref())
                })
            },
            done,
        );
    }

    /// Reads the events behind a number, oldest first, each with its number and when it was written down.
    pub fn events_since(
        &self,
        seq: u64,
        done: impl FnOnce(Result<Vec<(u64, Timestamp, DurableEvent)>, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.read(|connection| Ok(read::events_since(connection, seq)?)), done);
    }

    /// Reads a number that changes whenever another process has written (`PRAGMA data_version`).
    pub fn data_version(&self, done: impl FnOnce(Result<u64, StoreError>) + Send + 'static) {
        self.run(
            move |database| {
                database
                    .read(|connection| Ok(connection.query_row("PRAGMA data_version", [], |row| row.get(0))?))
            },
            done,
        );
    }

    /// Reads the messages of a conversation in the order in which they were appended.
    pub fn messages(
        &self,
        session: SessionId,
        done: impl FnOnce(Result<Vec<Value>, StoreError>) + Send + 'static,
    ) {
        self.run(move |database| database.read(|connection| Ok(read::messages(connection, &session)?)), done);
    }

    /// Waits until everything handed over before is done, well or not, but no longer than `patience`. Tells whether it is.
    pub fn flush(&self, patience: Duration) -> bool {
        let (sender, done) = channel();
        let mut jobs = self.shared.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(thread) = jobs.as_mut() else { return true };
        let job: Job = Box::new(move |_database| {
            // Nobody waits any more when patience was over.
            let _waiting = sender.send(());
        });
        let sent = thread.send(job).is_ok();
        drop(jobs);
        sent && done.recv_timeout(patience).is_ok()
    }

    /// Returns the other process that is writing now, if there is one and that can be known. Reads `/proc`, whatever the store's
    /// own thread waits for; blocks for as long as that takes.
    pub fn writer(&self) -> Option<Writer> {
        writer::of(&self.shared.home.join("state.db"))
    }

    pub(crate) fn with_fence(&self, fence: Fence) -> Self {
        Self { shared: self.shared.clone(), fence: Some(fence) }
    }

    /// Returns the task that this store was claimed for; none unless it is a worker's.
    pub fn claimed_for(&self) -> Option<&TaskId> {
        self.fence.as_ref().map(|fence| &fence.task)
    }

    pub(crate) fn home(&self) -> &Path {
        &self.shared.home
    }

    pub(crate) fn hide_with(&self, hide: Hide) {
        // Whoever made the store knows its secrets; a second word about them would be a mistake of ours.
        let _first_counts = self.shared.hide.set(hide);
    }

    pub(crate) fn hidden(&self) -> Option<&Hide> {
        self.shared.hide.get()
    }

    /// Has the thread do something and pass on what came of it.
    pub(crate) fn run<T>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T, StoreError> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        self.hand_over(Box::new(move |database| done(database.and_then(work))));
    }

    fn hand_over(&self, job: Job) {
        let mut jobs = self.shared.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let job = match jobs.as_ref() {
            Some(thread) => match thread.send(job) {
                Ok(()) => return,
                // The thread never leaves by itself while there are handles, but losing work is worse than one branch.
                Err(refused) => refused.0,
            },
            None => job,
        };
        let (sender, receiver) = channel();
        let mut database = Database::new(self.shared.home.clone());
        let thread = std::thread::Builder::new()
            .name("kkcode-store".to_owned())
            .spawn(move || work_off(&mut database, &receiver));
        match thread {
            Ok(_detached) => {
                // Its receiver was made a moment ago and waits.
                let _taken = sender.send(job);
                *jobs = Some(sender);
            }
            Err(error) => {
                *jobs = None;
                drop(jobs);
                let reason = format!("no thread can be started: {error}");
                job(Err(StoreError::io(&self.shared.home, &reason)));
            }
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("home", &self.shared.home).finish_non_exhaustive()
    }
}

fn work_off(database: &mut Database, jobs: &Receiver<Job>) {
    for job in jobs {
        // A panic of one callback must not lose what others have handed over.
        let job = AssertUnwindSafe(|| job(Ok(&mut *database)));
        if catch_unwind(job).is_err() {
            tracing::error!("a callback of the store panicked");
            database.close();
        }
    }
}
