//! Performs effects, in order: what stands behind a commit waits until that is durable, the loop never does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use kkcode_core::effect::{Commit, Derive, DurableEvent, EditorEffect, Effect, Refusal, Reply};
use kkcode_core::event::Event;
use kkcode_core::id::{RequestId, SessionId};
use kkcode_core::state::{Snapshot, State};
use kkcode_core::turn::Turn;
use kkcode_store::{Loaded, Store, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::ConfigSource;
use crate::doorbell::Doorbell;
use crate::fresh;
use crate::gate::policy;
use crate::runtime::{EventsAnswer, Handle, Input, ToFrontEnd};
use crate::turn;
use crate::write;

mod files;

use runners::Runners;
use turns::Turns;

mod learn;
mod runners;
mod turns;

/// How often the store is looked at, for a ring that was lost.
const LOOK: Duration = Duration::from_secs(30);

/// How long a stopping runtime waits for the store.
const STORE_PATIENCE: Duration = Duration::from_millis(100);

/// How long it waits for what its turns have running in the background.
#[cfg(unix)]
const COMMAND_PATIENCE: Duration = Duration::from_secs(3);

/// Everything that effects reach: the store, the front end, the turns.
pub(crate) struct Performer {
    store: Store,
    config: ConfigSource,
    handle: Handle,
    front_end: mpsc::UnboundedSender<ToFrontEnd>,
    /// The session of which alone anything is known, in a worker.
    only: Option<SessionId>,
    replies: BTreeMap<RequestId, oneshot::Sender<Result<Reply, Refusal>>>,
    turns: Turns,
    runners: Runners,
    #[cfg(unix)]
    background: crate::process::Background,
    queue: VecDeque<Queued>,
    /// The workspace: no file is read or written elsewhere.
    folders: Vec<PathBuf>,
    /// Questions where hunks stand that have no answer yet, by number.
    deriving: BTreeSet<u64>,
    /// Those who want to see the state, and the questions that were open when they asked.
    viewers: Vec<(BTreeSet<u64>, oneshot::Sender<Snapshot>)>,
    /// How many answers of the store about the whole workspace are out; at the beginning the first, which nobody has
    /// asked for yet.
    loads: Loads,
    /// The last event that was read from the store, and those behind it that are our own.
    read_to: Option<u64>,
    own_events: BTreeSet<u64>,
    /// What `PRAGMA data_version` said when the store was read last.
    data_version: Option<u64>,
    /// Where others ring; none as long as there is no home.
    bell: Option<Bell>,
    /// Counts the questions.
    questions: u64,
    /// Counts the lists of effects, so that a failed commit takes only its own along.
    batches: u64,
}

struct Bell {
    path: PathBuf,
    /// Waits for rings, and looks now and then.
    task: JoinHandle<()>,
}

/// Whether what is in memory is what the store knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loads {
    /// Nobody has asked yet.
    Never,
    /// So many questions are out.
    Out(usize),
}

/// One thing to be done, when everything in front of it has been done.
struct Queued {
    batch: u64,
    step: Step,
}

enum Step {
    Effect(Box<Effect>),
    /// Waits for the commit of this batch; what its events are, and how it ended.
    Commit(Vec<DurableEvent>, Option<Result<Vec<u64>, StoreError>>),
    Snapshot(Box<Snapshot>, oneshot::Sender<Snapshot>),
}

impl Performer {
    pub(crate) fn new(
        store: Store,
        config: ConfigSource,
        handle: Handle,
        front_end: mpsc::UnboundedSender<ToFrontEnd>,
        only: Option<SessionId>,
    ) -> Self {
        let (replies, turns, runners, queue) = Default::default();
        let (deriving, viewers) = Default::default();
        let (questions, batches) = Default::default();
        Self {
            store,
            config,
            handle,
            front_end,
            only,
            replies,
            turns,
            runners,
            #[cfg(unix)]
            background: crate::process::Background::default(),
            queue,
            deriving,
            folders: Vec::new(),
            viewers,
            loads: Loads::Never,
            read_to: None,
            own_events: BTreeSet::new(),
            data_version: None,
            bell: None,
            questions,
            batches,
        }
    }

    /// Lets the state take in an event, and performs what follows.
    pub(crate) fn handle(&mut self, state: &mut State, event: Event) {
        if let Event::TurnEnded { turn, .. } = &event {
            self.turns.ended(turn);
        }
        self.batches += 1;
        let batch = self.batches;
        for effect in state.handle(event, fresh::now()) {
            let step = match effect {
                Effect::Persist(commit) => self.commit(batch, commit),
                // Tells nobody anything, so it need not wait; and whoever asks next waits for the answer.
                Effect::Derive(question) => {
                    self.derive(question);
                    continue;
                }
                effect => Step::Effect(Box::new(effect)),
            };
            self.queue.push_back(Queued { batch, step });
        }
        self.drain(state);
    }

    pub(crate) fn expect_reply(
        &mut self,
        request: RequestId,
        answer: oneshot::Sender<Result<Reply, Refusal>>,
    ) {
        self.replies.insert(request, answer);
    }

    /// Gives a snapshot away as soon as the hunks that are being looked for have been found, and all that is in it is
    /// durable.
    pub(crate) fn give_snapshot(&mut self, state: &mut State, answer: oneshot::Sender<Snapshot>) {
        self.viewers.push((self.deriving.clone(), answer));
        self.show(state);
    }

    /// Takes in the answer to a question where hunks stand.
    pub(crate) fn derived(&mut self, state: &mut State, question: u64, event: Event) {
        // What follows from the answer comes before those who waited for it; asking again keeps nobody waiting.
        self.handle(state, event);
        self.deriving.remove(&question);
        for (open, _) in &mut self.viewers {
            open.remove(&question);
        }
        self.show(state);
    }

    fn show(&mut self, state: &mut State) {
        let (ready, waiting) =
            std::mem::take(&mut self.viewers).into_iter().partition(|(open, _)| open.is_empty());
        self.viewers = waiting;
        for (_, answer) in ready {
            let step = Step::Snapshot(Box::new(state.snapshot()), answer);
            self.queue.push_back(Queued { batch: 0, step });
        }
        self.drain(state);
    }

    pub(crate) fn committed(&mut self, state: &mut State, batch: u64, result: Result<Vec<u64>, StoreError>) {
        let waiting =
            |queued: &&mut Queued| queued.batch == batch && matches!(queued.step, Step::Commit(_, None));
        if let Some(Queued { step: Step::Commit(_, outcome), .. }) = self.queue.iter_mut().find(waiting) {
            *outcome = Some(result);
        }
        self.drain(state);
    }

    /// Tells whether the state is what the store knows, so that it can be asked and changed.
    pub(crate) fn is_ready(&self) -> bool {
        self.loads == Loads::Out(0)
    }

    pub(crate) fn loaded(&mut self, generation: u64, result: Result<Loaded, StoreError>) -> Event {
        if let Loads::Out(count) = &mut self.loads {
            *count = count.saturating_sub(1);
        }
        let loaded = result.unwrap_or_else(|error| {
            self.tell(EditorEffect::Message(format!("kkcode cannot read its store: {error}")));
            Loaded::default()
        });
        self.catch_up(loaded.last_seq);
        self.handle.permissions_changed();
        self.runners.watch(loaded.runners, self.handle.clone());
        for notice in loaded.notices {
            self.tell(EditorEffect::Message(notice));
        }
        let mut known = loaded.known;
        if let Some(session) = &self.only {
            known.keep_only(session);
        }
        Event::Loaded { generation, known: Box::new(known) }
    }

    /// Asks for what others have written down since the store was read last.
    fn catch_up(&mut self, last_seq: u64) {
        let handle = self.handle.clone();
        self.store.data_version(move |version| {
            if let Ok(version) = version {
                handle.put(Input::DataVersion(version));
            }
        });
        // Only what has been read is compared with; the number comes with the answer.
        self.data_version = None;
        match self.read_to {
            None => {
                self.read_to = Some(last_seq);
                // A front end that has gone needs to be told nothing.
                let _nobody_listens = self.front_end.send(ToFrontEnd::Read(last_seq));
            }
            Some(read_to) if last_seq > read_to => self.ask_for_events(read_to),
            Some(_) => {}
        }
    }

    fn ask_for_events(&self, read_to: u64) {
        let handle = self.handle.clone();
        self.store.events_since(read_to, move |events| match events {
            Ok(events) => {
                handle.put(Input::Events(events.into_iter().map(|(seq, _, event)| (seq, event)).collect()));
            }
            Err(error) => tracing::warn!(%error, "the events of other editors cannot be read"),
        });
    }

    /// Tells whether another process has written since the store was read last.
    pub(crate) fn is_new_version(&mut self, version: u64) -> bool {
        let known = self.data_version.replace(version);
        known.is_some_and(|known| known != version)
    }

    /// Takes note that another process has written to the store, or may have.
    pub(crate) fn rang(&mut self, state: &mut State) {
        self.handle.workers_changed();
        self.handle(state, Event::StoreChanged);
    }

    /// Tells everybody that this process has written something about tasks; the front end as well.
    pub(crate) fn tasks_changed(&mut self) {
        self.handle.workers_changed();
        self.ring();
        if let Some(read_to) = self.read_to {
            self.ask_for_events(read_to);
        }
    }

    /// Tells the front end what other processes have written down.
    pub(crate) fn tell_elsewhere(&mut self, events: Vec<(u64, DurableEvent)>) {
        for (seq, event) in events {
            if self.read_to.is_some_and(|read_to| seq <= read_to) {
                continue;
            }
            self.read_to = Some(seq);
            if !self.own_events.remove(&seq) {
                // A front end that has gone needs to be told nothing.
                let _nobody_listens = self.front_end.send(ToFrontEnd::Elsewhere(seq, event));
            }
        }
        let read_to = self.read_to;
        self.own_events.retain(|seq| Some(*seq) > read_to);
    }

    pub(crate) fn events_since(&self, seq: u64, answer: EventsAnswer) {
        // Whoever asked may have gone.
        self.store.events_since(seq, move |events| drop(answer.send(events)));
    }

    /// Hangs the doorbell, once there is a home.
    fn hang_bell(&mut self) {
        if self.bell.is_some() {
            return;
        }
        let (handle, store) = (self.handle.clone(), self.store.clone());
        let bell = match Doorbell::hang(&self.config.home) {
            Ok(bell) => Some(bell),
            Err(error) => {
                tracing::info!(%error, "no doorbell: what other editors do is seen within half a minute");
                None
            }
        };
        let path = bell.as_ref().map(|bell| bell.path().to_owned()).unwrap_or_default();
        let task = tokio::spawn(async move {
            loop {
                tokio::select! {
                    rung = rung(bell.as_ref()) => match rung {
                        Ok(()) => handle.put(Input::Rang),
                        Err(error) => {
                            tracing::warn!(%error, "the doorbell is broken");
                            return;
                        }
                    },
                    () = tokio::time::sleep(LOOK) => {
                        let handle = handle.clone();
                        store.data_version(move |version| {
                            if let Ok(version) = version {
                                handle.put(Input::DataVersion(version));
                            }
                        });
                    }
                }
            }
        });
        self.bell = Some(Bell { path, task });
    }

    /// Tells the other processes of this home that there is something new in the store.
    fn ring(&mut self) {
        self.hang_bell();
        let home = self.config.home.clone();
        let own = self.bell.as_ref().map(|bell| bell.path.clone());
        tokio::task::spawn_blocking(move || Doorbell::ring(&home, own.as_deref()));
    }

    /// Ends the background commands; says when what they wrote is taken in, or after some seconds.
    pub(crate) fn end_commands(&self, ended: oneshot::Sender<()>) {
        #[cfg(unix)]
        let background = self.background.clone();
        tokio::spawn(async move {
            #[cfg(unix)]
            if tokio::time::timeout(COMMAND_PATIENCE, background.end()).await.is_err() {
                tracing::warn!("a background command did not end in time");
            }
            let _nobody_waits = ended.send(());
        });
    }

    /// Stops the turns and waits for what they still write, and for the store.
    pub(crate) async fn stop(&mut self) {
        if let Some(bell) = self.bell.take() {
            bell.task.abort();
            // Its socket's file goes with it.
            let _cancelled = bell.task.await;
        }
        self.runners.stop();
        self.turns.stop().await;
        #[cfg(unix)]
        if tokio::time::timeout(COMMAND_PATIENCE, self.background.end()).await.is_err() {
            tracing::warn!("a background command did not end in time");
        }
        let store = self.store.clone();
        let flushed = tokio::task::spawn_blocking(move || store.flush(STORE_PATIENCE)).await;
        if !flushed.unwrap_or(false) {
            tracing::warn!("the store did not finish writing in time");
        }
    }

    fn commit(&self, batch: u64, commit: Commit) -> Step {
        let handle = self.handle.clone();
        let events = commit.events.clone();
        self.store.commit(commit, move |result| handle.put(Input::Committed(batch, result)));
        Step::Commit(events, None)
    }

    /// Does what is at the head of the queue, up to a commit that is not durable yet.
    fn drain(&mut self, state: &mut State) {
        loop {
            match self.queue.front() {
                None | Some(Queued { step: Step::Commit(_, None), .. }) => return,
                Some(_) => {}
            }
            let Some(Queued { batch, step }) = self.queue.pop_front() else { return };
            match step {
                Step::Effect(effect) => self.perform(*effect),
                Step::Snapshot(snapshot, answer) => drop(answer.send(*snapshot)),
                Step::Commit(events, Some(Ok(seqs))) => {
                    self.own_events.extend(seqs.iter().copied());
                    self.ring();
                    for (seq, event) in seqs.into_iter().zip(events) {
                        self.tell(EditorEffect::Durable(seq, event));
                    }
                }
                Step::Commit(_, Some(Err(error))) => self.commit_failed(state, batch, &error),
                Step::Commit(_, None) => return,
            }
        }
    }

    /// Takes back what hung on a commit: answers become refusals, the rest is not done.
    fn commit_failed(&mut self, state: &mut State, batch: u64, error: &StoreError) {
        tracing::error!(%error, "a commit failed");
        let mut is_told = false;
        while self.queue.front().is_some_and(|queued| queued.batch == batch) {
            let Some(Queued { step: Step::Effect(effect), .. }) = self.queue.pop_front() else { continue };
            let waiting: Vec<RequestId> = match *effect {
                Effect::Reply(request, _) | Effect::WriteFiles { answer: Some((request, _)), .. } => {
                    vec![request]
                }
                Effect::Learn { answers, .. } => answers.into_iter().map(|(request, _)| request).collect(),
                _ => Vec::new(),
            };
            is_told |= !waiting.is_empty();
            for request in waiting {
                self.reply(request, Err(refusal(error)));
            }
        }
        // That somebody else was quicker is no trouble with the store.
        let reason = match error {
            StoreError::Conflict { .. } if is_told => None,
            StoreError::Conflict { .. } => Some(error.to_string()),
            _ => Some(format!("kkcode could not write to its store, and shows what is stored: {error}")),
        };
        self.handle(state, Event::CommitFailed { reason });
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Persist(_) => tracing::error!("a commit was queued as an effect"),
            Effect::Reply(request, result) => self.reply(request, result),
            Effect::Editor(effect) => self.tell(effect),
            Effect::StartTurn(turn) => self.start_turn(turn),
            Effect::CancelTurn(turn) => self.turns.cancel(&turn),
            Effect::Derive(question) => self.derive(question),
            Effect::Learn { rules, answers } => self.learn(rules, answers),
            Effect::WriteFiles { answer, proposal, files, before } => {
                let (handle, home) = (self.handle.clone(), self.config.home.clone());
                let folders = self.folders.clone();
                tokio::task::spawn_blocking(move || {
                    let result = files::write_hunks(&home, &folders, &files);
                    handle.send(Event::FilesWritten { answer, proposal, result, before });
                });
            }
            Effect::Load { folders, copy_of, sessions, generation } => {
                if self.config.home.is_dir() {
                    self.hang_bell();
                }
                let handle = self.handle.clone();
                let (home, surroundings) = (self.config.home.clone(), self.config.surroundings());
                self.config.set_folders(folders.clone());
                // The original is read, to see where hunks stand.
                let all: Vec<PathBuf> = folders.iter().cloned().chain(copy_of).collect();
                self.folders.clone_from(&all);
                self.loads = match self.loads {
                    Loads::Never => Loads::Out(1),
                    Loads::Out(count) => Loads::Out(count + 1),
                };
                let store = self.store.clone();
                tokio::task::spawn_blocking(move || {
                    // What a crash interrupted is finished before anybody looks at the files, or ends.
                    write::recover(&home);
                    let (configured, widest) = policy::levels(&surroundings, &folders);
                    handle.send(Event::LevelsRead { configured, widest });
                    store.load(all, sessions, move |result| handle.put(Input::Loaded(generation, result)));
                });
            }
            Effect::After(delay, event) => {
                let handle = self.handle.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    handle.send(*event);
                });
            }
        }
    }

    fn derive(&mut self, question: Derive) {
        self.questions += 1;
        let number = self.questions;
        self.deriving.insert(number);
        let (handle, folders) = (self.handle.clone(), self.folders.clone());
        tokio::task::spawn_blocking(move || {
            handle.put(Input::Derived(number, files::derived(&folders, question)));
        });
    }

    fn start_turn(&mut self, turn: Turn) {
        let ports = turn::Ports {
            handle: self.handle.clone(),
            store: self.store.clone(),
            config: self.config.clone(),
            front_end: self.front_end.clone(),
            memory: self.turns.memory_of(&turn.session),
            cancel: CancellationToken::new(),
            #[cfg(unix)]
            background: self.background.clone(),
        };
        self.turns.start(turn, ports);
    }

    fn reply(&mut self, request: RequestId, result: Result<Reply, Refusal>) {
        if matches!(result, Ok(Reply::Level(_) | Reply::AnswerTaken(true))) {
            self.handle.permissions_changed();
        }
        if let Some(answer) = self.replies.remove(&request) {
            // Whoever asked may have gone.
            let _nobody_waits = answer.send(result);
        }
    }

    fn tell(&self, effect: EditorEffect) {
        // A front end that has gone needs to be told nothing.
        let _nobody_listens = self.front_end.send(ToFrontEnd::Effect(effect));
    }
}

/// Says why what waited for a commit is not done.
fn refusal(error: &StoreError) -> Refusal {
    match error {
        StoreError::Conflict { .. } => Refusal::Overtaken(error.to_string()),
        _ => Refusal::NotStored(error.to_string()),
    }
}

/// Waits for a ring; where there is no bell, for ever.
async fn rung(bell: Option<&Doorbell>) -> std::io::Result<()> {
    match bell {
        Some(bell) => bell.rung().await,
        None => std::future::pending().await,
    }
}
