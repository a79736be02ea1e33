//! The worker: a process of its own that does one background task, and outlives whoever started it.
//!
//! It claims the task, runs the same turn loop over the same runtime as a server, never applies an edit, and ends the task.
//! Whatever it writes is refused once the task is not its own any more.

use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use kkcode_core::effect::Reply;
use kkcode_core::event::{Command, Event, FileOperations, StartTurn};
use kkcode_core::id::{SessionId, TaskId, TurnId};
use kkcode_core::task::{
    ExecutionMode, GO_ON, Interruption, Isolation, Task, TaskEnd, TaskEvent, TaskOutcome,
};
use kkcode_core::text::PositionEncoding;
use kkcode_core::turn::{Failure, Turn, TurnStatus, Usage};
use kkcode_store::{Claimed, Fence, Forked, Progress, Store, StoreError};
use tokio::sync::oneshot;

use crate::config::{ConfigSource, HandOver, SystemKeyring};
use crate::doorbell::Doorbell;
use crate::environment;
use crate::fresh;
use crate::gate::heard;
use crate::runtime::{Handle, spawn_on};
use crate::task::kill;
use crate::task::launch::{self, TOKEN};
use crate::worktree::Worktree;

mod follow;
mod report;

use follow::Meanwhile;

/// The exit code of a worker that has lost its task.
const LOST: u8 = 7;

/// How long the end waits for what is still to be written down.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

/// How much a worker is given at most, in bytes.
const MOST_GIVEN: u64 = 4 << 20;

/// How long a worker that has ended waits for workers that others are starting: longer than these have for it.
const START_PATIENCE: Duration = Duration::from_secs(12);

/// How often it looks at them.
const START_LOOK: Duration = Duration::from_millis(50);

/// How a worker came to its end.
enum Ended {
    /// It has nothing to do: somebody else has the task, or there is no room.
    Idle,
    /// The task has ended, or waits for a key.
    Done,
    /// The task is somebody else's.
    Lost,
}

/// A worker at its task.
struct Worker {
    store: Store,
    handle: Handle,
    config: ConfigSource,
    fence: Fence,
    task: Task,
    home: PathBuf,
}

/// Does a task, and returns the exit code of the process. Reads what is given on stdin first; `variables` are the environment,
/// `helper` is the program that bounds commands.
pub fn run(id: &str, home: PathBuf, variables: fn(&str) -> Option<String>, helper: Option<PathBuf>) -> u8 {
    #[cfg(unix)]
    leave_the_session();
    let mut given = Vec::new();
    // What is not given is missing later, and said then.
    if let Err(error) = std::io::stdin().take(MOST_GIVEN).read_to_end(&mut given) {
        tracing::warn!(%error, "nothing can be read of what the worker is given");
    }
    let given: HandOver = serde_json::from_slice(&given).unwrap_or_default();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot start the runtime");
            return 1;
        }
    };
    let config = ConfigSource::handed_over(home.clone(), given, variables).with_keyring(SystemKeyring);
    #[cfg(unix)]
    let config = config.with_helper(helper);
    #[cfg(not(unix))]
    let _there_is_no_sandbox = helper;
    let token = variables(TOKEN).unwrap_or_default();
    let ended = runtime.block_on(work(TaskId::new(id), home.clone(), &config, &token));
    if !token.is_empty() {
        kill::leftovers(&token);
    }
    if matches!(ended, Ok(Ended::Done)) {
        runtime.block_on(hand_on(home, config));
    }
    runtime.shutdown_background();
    match ended {
        Ok(Ended::Idle | Ended::Done) => 0,
        Ok(Ended::Lost) => {
            tracing::warn!("the task is not this worker's any more");
            LOST
        }
        Err(error) => {
            tracing::error!(%error, "the worker cannot go on");
            1
        }
    }
}

/// Leaves the session and the process group of whoever started us, and takes in children that lose their parents.
#[cfg(unix)]
fn leave_the_session() {
    if let Err(error) = rustix::process::setsid() {
        tracing::debug!(%error, "the worker has a session of its own already");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        tracing::debug!(%error, "children that lose their parents are not taken in");
    }
}

async fn work(id: TaskId, home: PathBuf, config: &ConfigSource, token: &str) -> Result<Ended, StoreError> {
    // From the claim on everybody may ask us to end.
    let stop = follow::Stop::listen();
    let store = Store::new(home.clone());
    let source = config.clone();
    let limits = tokio::task::spawn_blocking(move || source.task_limits()).await;
    let limits = limits.map_err(|error| broken(&home, &error))?;
    let wanted = id.clone();
    let token = token.to_owned();
    let claimed = ask(|done| store.claim_task(wanted, token, limits, done)).await?;
    let Some(Claimed { mut task, bases }) = claimed else { return Ok(Ended::Idle) };
    let fence = Fence { task: id, epoch: task.epoch };
    let config = config.clone().trusting(task.spec.trusted);
    config.set_task(Some(task.created_at));
    config.set_delegate(task.spec.delegate.clone());
    let session = session(&store, &fence, &task).await?;
    task.session = Some(session.clone());
    let fenced = store.fenced(fence.clone());
    let (handle, effects) = spawn_on(fenced.clone(), config.clone(), Some(session.clone()));
    let mut worker = Worker { store: fenced, handle, config, fence, task, home };
    worker.handle.tasks_changed();
    let ended = worker.attempt(session, bases, effects, stop).await;
    worker.handle.stop(STOP_PATIENCE).await;
    match ended {
        Err(StoreError::Conflict { what }) => {
            tracing::info!(what, "a write was refused");
            Ok(Ended::Lost)
        }
        ended => ended,
    }
}

/// Returns the session that a task's turn is in: that of the attempt before, or the one that it is to go on with, or a copy of
/// its parent's, or a new one.
async fn session(store: &Store, fence: &Fence, task: &Task) -> Result<SessionId, StoreError> {
    if let Some(session) = task.session.clone() {
        return Ok(session);
    }
    let name = fresh::name("session").map_err(|error| StoreError::Conflict { what: error.to_string() })?;
    let session = SessionId::new(name);
    let mut lines = Vec::new();
    if let (ExecutionMode::ForkContext, Some(parent)) = (task.spec.execution_mode, &task.spec.parent_session)
    {
        let (from, new) = (parent.clone(), session.clone());
        // An agent that gives a task away is in the middle of a turn.
        let forked = ask(|done| store.fork_session(from, new, Forked::All, fresh::now(), done)).await;
        let why = match forked {
            Ok(Some(_)) => None,
            Ok(None) => Some(format!("there is no session `{parent}`")),
            Err(StoreError::Conflict { what }) => Some(what),
            Err(error) => return Err(error),
        };
        lines.extend(why.map(|why| TaskEvent::Note {
            text: format!("it begins without the conversation that it was to go on with: {why}"),
        }));
    }
    let progress = Progress { session: Some(session.clone()), lines, ..Progress::default() };
    let fence = fence.clone();
    ask(|done| store.task_progress(fence, progress, done)).await?;
    Ok(session)
}

impl Worker {
    /// Does the task, once.
    async fn attempt(
        &mut self,
        session: SessionId,
        bases: Vec<(PathBuf, String)>,
        effects: follow::Effects,
        mut stop: follow::Stop,
    ) -> Result<Ended, StoreError> {
        let (config, model) = (self.config.clone(), self.task.spec.model.clone());
        let missing = tokio::task::spawn_blocking(move || config.missing_key(model.as_deref())).await;
        // Any other trouble with the model is the turn's to tell.
        if let Ok(Ok(Some(provider))) = missing {
            let fence = self.fence.clone();
            ask(|done| self.store.park_task(fence, provider, done)).await?;
            self.handle.tasks_changed();
            return Ok(Ended::Done);
        }
        if self.task.spec.isolation == Isolation::Worktree {
            if let Some(ended) = self.begin_worktree(&session, bases, &mut stop).await? {
                return Ok(ended);
            }
        } else {
            self.attach(bases);
        }
        if let Some(turns) = self.done_before(&session).await {
            self.end(&TurnStatus::Completed, &turns, None).await?;
            return Ok(Ended::Done);
        }
        let (status, turns, cut) = match self.start(&session).await? {
            Ok(turn) => {
                let Some(followed) = follow::turn(self, &turn, effects, stop).await? else {
                    return Ok(Ended::Lost);
                };
                (followed.status, followed.turns, followed.cut)
            }
            Err(refusal) => {
                let failure = Failure { class: "refused".to_owned(), message: refusal };
                (TurnStatus::Failed(failure), Vec::new(), None)
            }
        };
        self.end(&status, &turns, cut).await?;
        Ok(Ended::Done)
    }

    /// Writes down how the task has ended: as its last turn did, unless that was cut off.
    async fn end(
        &self,
        status: &TurnStatus,
        turns: &[Turn],
        cut: Option<Interruption>,
    ) -> Result<(), StoreError> {
        let mut outcome = self.outcome(turns).await;
        outcome.worktree = self.leave_worktree(status == &TurnStatus::Completed && cut.is_none()).await;
        let (fence, end) = (self.fence.clone(), TaskEnd::of_turn(status, outcome, cut));
        ask(|done| self.store.end_task(fence, end, done)).await?;
        self.handle.tasks_changed();
        Ok(())
    }

    /// Has the worktree of the task ready and tells the runtime that it works there. Returns how the attempt has ended if there
    /// can be none.
    async fn begin_worktree(
        &self,
        session: &SessionId,
        bases: Vec<(PathBuf, String)>,
        stop: &mut follow::Stop,
    ) -> Result<Option<Ended>, StoreError> {
        let (home, config) = (self.home.clone(), self.config.clone());
        let (id, folder) = (self.task.id.clone(), self.task.folder.clone());
        let made = tokio::task::spawn_blocking(move || {
            Worktree::of(&home, &id, &folder, &bases, environment::for_child(&config))
        });
        let (status, cut) = match follow::meanwhile(self, stop, made).await? {
            Meanwhile::Lost => return Ok(Some(Ended::Lost)),
            Meanwhile::Stop(reason) => (TurnStatus::Cancelled, Some(reason)),
            Meanwhile::Done(Ok(Ok((worktree, is_new)))) => {
                return self.work_in(worktree, is_new, session).await;
            }
            Meanwhile::Done(Ok(Err(problem))) => (no_worktree(problem), None),
            Meanwhile::Done(Err(error)) => return Err(broken(&self.home, &error)),
        };
        // What came of it is asked of the runtime.
        self.attach(Vec::new());
        self.end(&status, &[], cut).await?;
        Ok(Some(Ended::Done))
    }

    /// Tells the runtime that it works in a worktree. Returns how the attempt has ended if that cannot be.
    async fn work_in(
        &self,
        worktree: Worktree,
        is_new: bool,
        session: &SessionId,
    ) -> Result<Option<Ended>, StoreError> {
        self.config.set_worktree(worktree);
        let Some(worktree) = self.config.worktree() else { return Ok(None) };
        let (encoding, operations) = (PositionEncoding::default(), FileOperations::default());
        self.handle.send(Event::CopyOf { folder: self.task.folder.clone() });
        self.handle.send(Event::Attached { encoding, folders: vec![worktree.folder()], operations });
        if let (true, Some(snapshot)) = (is_new, self.handle.snapshot().await) {
            let session = session.clone();
            let put_in = tokio::task::spawn_blocking(move || worktree.put_in(&snapshot, &session)).await;
            if let Err(problem) = put_in.map_err(|error| broken(&self.home, &error))? {
                self.end(&no_worktree(problem), &[], None).await?;
                return Ok(Some(Ended::Done));
            }
        }
        Ok(None)
    }

    /// Removes the worktree of a task that is done when everything in it is proposed; returns it if it stays, as it does for
    /// whoever goes on with the task.
    async fn leave_worktree(&self, is_done: bool) -> Option<PathBuf> {
        let worktree = self.config.worktree()?;
        let root = worktree.root().to_owned();
        if !is_done {
            return Some(root);
        }
        let (session, snapshot) = (self.task.session.clone()?, self.handle.snapshot().await?);
        let left = tokio::task::spawn_blocking(move || worktree.end(&snapshot, &session)).await;
        left.unwrap_or(Some(root))
    }

    /// Returns the turns of an attempt before that came to the task's end, though its worker was gone before it said so.
    async fn done_before(&self, session: &SessionId) -> Option<Vec<Turn>> {
        let snapshot = self.handle.snapshot().await?;
        let is_ours = |turn: &&Turn| {
            turn.session == *session
                && turn.started_at >= self.task.created_at
                && (turn.prompt == self.task.spec.prompt || turn.prompt == GO_ON)
        };
        let mut turns: Vec<Turn> = snapshot.turns.values().filter(is_ours).cloned().collect();
        turns.sort_by_key(|turn| turn.started_at);
        turns.last().is_some_and(|last| last.status == TurnStatus::Completed).then_some(turns)
    }

    /// Tells the runtime where it works, and which texts editors had unsaved.
    fn attach(&self, bases: Vec<(PathBuf, String)>) {
        let folders = vec![self.task.folder.clone()];
        let (encoding, operations) = (PositionEncoding::default(), FileOperations::default());
        self.handle.send(Event::Attached { encoding, folders, operations });
        for (path, text) in bases {
            let uri = kkcode_core::uri::from_path(&path, kkcode_core::uri::PathStyle::NATIVE);
            self.handle.send(Event::DocumentOpened {
                uri: kkcode_core::document::DocumentUri::new(uri),
                path: Some(path),
                language_id: String::new(),
                version: 0,
                text,
            });
        }
    }

    /// Starts the turn: with the prompt, or where an attempt before has left off. Says why not if it is refused.
    async fn start(&self, session: &SessionId) -> Result<Result<TurnId, String>, StoreError> {
        let name = fresh::name("turn").map_err(|error| StoreError::Conflict { what: error.to_string() })?;
        let (spec, wanted) = (&self.task.spec, session.clone());
        let said = ask(|done| self.store.messages(wanted, done)).await?;
        let snapshot = self.handle.snapshot().await;
        let has_turns = snapshot.is_some_and(|now| now.turns.values().any(|turn| turn.session == *session));
        let goes_on = self.task.attempt > 1 || self.task.crashes > 0 || self.task.epoch > 1;
        let prompt = if goes_on && said.iter().any(|message| report::is_said(message, &spec.prompt)) {
            GO_ON.to_owned()
        } else {
            spec.prompt.clone()
        };
        let start = StartTurn {
            turn: TurnId::new(name),
            session: session.clone(),
            new_session: !has_turns,
            prompt,
            model: spec.model.clone(),
            level: Some(spec.level),
            mode: spec.mode,
            proposes_only: true,
            excerpts: Vec::new(),
            comments: Vec::new(),
            at: fresh::now(),
        };
        match self.handle.request(Command::StartTurn(start)).await {
            Ok(Reply::TurnStarted { turn, session }) => {
                let lines = vec![TaskEvent::TurnStarted { turn: turn.clone(), session }];
                let progress = Progress { lines, ..Progress::default() };
                let fence = self.fence.clone();
                ask(|done| self.store.task_progress(fence, progress, done)).await?;
                Ok(Ok(turn))
            }
            Ok(reply) => Ok(Err(format!("a turn start was answered by {reply:?}"))),
            Err(refusal) => Ok(Err(refusal.to_string())),
        }
    }

    /// Returns what came of the task, over all of its turns.
    async fn outcome(&self, turns: &[Turn]) -> TaskOutcome {
        let mut outcome = TaskOutcome::default();
        let mut usage = Usage::default();
        for turn in turns.iter().filter(|turn| turn.started_at >= self.task.created_at) {
            usage += turn.usage;
            outcome.reply = turn.reply.clone().or(outcome.reply);
            for proposal in &turn.proposals {
                if !outcome.proposals.contains(proposal) {
                    outcome.proposals.push(proposal.clone());
                }
            }
        }
        outcome.usage = usage;
        if let Some(turn) = turns.last() {
            let said = ask(|done| self.store.messages(turn.session.clone(), done)).await;
            outcome.heard = said.map_or(true, heard::anything);
        }
        let snapshot = self.handle.snapshot().await;
        let is_changed = |planned: &String| {
            let path = self.task.folder.join(planned);
            snapshot.as_ref().is_some_and(|now| {
                let ours = outcome.proposals.iter().filter_map(|id| now.reviews.get(id));
                ours.into_iter().any(|review| report::changes(&review.proposal, &path))
            })
        };
        outcome.remaining_files =
            self.task.spec.planned_files.iter().filter(|planned| !is_changed(planned)).cloned().collect();
        outcome
    }
}

/// Says how a turn ends that never began, because it has no worktree.
fn no_worktree(message: String) -> TurnStatus {
    TurnStatus::Failed(Failure { class: "worktree".to_owned(), message })
}

/// Tells that the task has ended, and starts workers for the next ones: with what this one was given. The worker has nothing
/// of its own running any more, so that nobody takes the new ones for that.
async fn hand_on(home: PathBuf, config: ConfigSource) {
    let rung = tokio::task::spawn_blocking({
        let (home, config) = (home.clone(), config.clone());
        move || {
            Doorbell::ring(&home, None);
            config.task_limits()
        }
    });
    let Ok(limits) = rung.await else { return };
    let store = Store::new(home);
    let begin = tokio::time::Instant::now();
    loop {
        let next = match ask(|done| store.next_task(limits, done)).await {
            Ok(Some(next)) => next,
            // Whoever starts it may have died in between, and nobody but us may be there.
            Ok(None) if begin.elapsed() < START_PATIENCE => {
                match ask(|done| store.are_starting(done)).await {
                    Ok(true) => {
                        tokio::time::sleep(START_LOOK).await;
                        continue;
                    }
                    Ok(false) => return,
                    Err(error) => {
                        tracing::warn!(%error, "the next task is left to others");
                        return;
                    }
                }
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "the next task is left to others");
                return;
            }
        };
        let (config, id) = (config.clone(), next.clone());
        let started = tokio::task::spawn_blocking(move || launch::start(&config, &id)).await;
        if let Ok(Err(error)) = started {
            let why = format!("no worker can be started: {error}");
            if let Err(error) = ask(|done| store.fail_start(next, why, done)).await {
                tracing::warn!(%error, "the next task is left to others");
                return;
            }
        }
    }
}

/// Has the store do something and waits for what comes of it.
async fn ask<T: Send + 'static>(
    ask: impl FnOnce(Box<dyn FnOnce(Result<T, StoreError>) + Send>),
) -> Result<T, StoreError> {
    let (answer, answered) = oneshot::channel();
    ask(Box::new(move |result| drop(answer.send(result))));
    let ended = |_| StoreError::Conflict { what: "the store has ended".to_owned() };
    answered.await.map_err(ended)?
}

fn broken(home: &std::path::Path, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Io { file: home.to_owned(), reason: error.to_string() }
}

/// Says why a turn was stopped from outside.
fn cut_by_signal(asked: Option<Interruption>) -> Interruption {
    asked.unwrap_or(Interruption::Interrupt)
}
