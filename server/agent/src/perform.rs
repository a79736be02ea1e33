//! Performs effects, in order: what stands behind a commit waits until that is durable, the loop never does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::time::Duration;

use kkcode_core::effect::{Commit, Derive, DurableEvent, EditorEffect, Effect, FileWrite, Refusal, Reply};
use kkcode_core::event::Event;
use kkcode_core::id::{HunkId, RequestId, TurnId};
use kkcode_core::lines::Lines;
use kkcode_core::placement::{Holds, Placement};
use kkcode_core::review::text_with;
use kkcode_core::state::{Snapshot, State};
use kkcode_core::turn::{Failure, Turn, TurnEnd, TurnStatus, Usage};
use kkcode_store::{Loaded, Store, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::ConfigSource;
use crate::file::{self, FileError};
use crate::runtime::{Handle, Input, ToFrontEnd};
use crate::turn;
use crate::write::{self, NewText};

/// How long a stopping runtime waits for its turns.
const TURN_PATIENCE: Duration = Duration::from_millis(100);

/// Everything that effects reach: the store, the front end, the turns.
pub(crate) struct Performer {
    store: Store,
    config: ConfigSource,
    handle: Handle,
    front_end: mpsc::UnboundedSender<ToFrontEnd>,
    replies: BTreeMap<RequestId, oneshot::Sender<Result<Reply, Refusal>>>,
    turns: BTreeMap<TurnId, RunningTurn>,
    queue: VecDeque<Queued>,
    /// Questions where hunks stand that have no answer yet, by number.
    deriving: BTreeSet<u64>,
    /// Those who want to see the state, and the questions that were open when they asked.
    viewers: Vec<(BTreeSet<u64>, oneshot::Sender<Snapshot>)>,
    /// How many answers of the store about the whole workspace are out; at the beginning the first, which nobody has
    /// asked for yet.
    loads: Loads,
    /// Counts the questions.
    questions: u64,
    /// Counts the lists of effects, so that a failed commit takes only its own along.
    batches: u64,
}

struct RunningTurn {
    cancel: CancellationToken,
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
    ) -> Self {
        let (replies, turns, queue) = Default::default();
        let (deriving, viewers) = Default::default();
        let (questions, batches) = Default::default();
        Self {
            store,
            config,
            handle,
            front_end,
            replies,
            turns,
            queue,
            deriving,
            viewers,
            loads: Loads::Never,
            questions,
            batches,
        }
    }

    /// Lets the state take in an event, and performs what follows.
    pub(crate) fn handle(&mut self, state: &mut State, event: Event) {
        if let Event::TurnEnded { turn, .. } = &event {
            self.turns.remove(turn);
        }
        self.batches += 1;
        let batch = self.batches;
        for effect in state.handle(event) {
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
        let Loaded { proposals, texts, turns, .. } = loaded;
        Event::Loaded { generation, proposals, texts, turns }
    }

    /// Stops the turns and waits for what they still write, and for the store.
    pub(crate) async fn stop(&mut self) {
        for turn in self.turns.values() {
            turn.cancel.cancel();
        }
        for turn in std::mem::take(&mut self.turns).into_values() {
            if tokio::time::timeout(TURN_PATIENCE, turn.task).await.is_err() {
                tracing::warn!("a turn did not stop in time");
            }
        }
        let store = self.store.clone();
        let flushed = tokio::task::spawn_blocking(move || store.flush(TURN_PATIENCE)).await;
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
        while self.queue.front().is_some_and(|queued| queued.batch == batch) {
            if let Some(Queued { step: Step::Effect(effect), .. }) = self.queue.pop_front()
                && let Effect::Reply(request, _) = *effect
            {
                self.reply(request, Err(Refusal::NotStored(error.to_string())));
            }
        }
        self.handle(state, Event::CommitFailed { reason: error.to_string() });
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Persist(_) => tracing::error!("a commit was queued as an effect"),
            Effect::Reply(request, result) => self.reply(request, result),
            Effect::Editor(effect) => self.tell(effect),
            Effect::StartTurn(turn) => self.start_turn(turn),
            Effect::CancelTurn(turn) => {
                if let Some(turn) = self.turns.get(&turn) {
                    turn.cancel.cancel();
                }
            }
            Effect::Derive(question) => self.derive(question),
            Effect::WriteFiles { request, proposal, files } => {
                let (handle, home) = (self.handle.clone(), self.config.home.clone());
                tokio::task::spawn_blocking(move || {
                    let result = write_hunks(&home, &files);
                    handle.send(Event::FilesWritten { request, proposal, result });
                });
            }
            Effect::Load { folders, generation } => {
                let handle = self.handle.clone();
                let home = self.config.home.clone();
                self.loads = match self.loads {
                    Loads::Never => Loads::Out(1),
                    Loads::Out(count) => Loads::Out(count + 1),
                };
                // What a crash interrupted is finished before anybody looks at the files.
                tokio::task::spawn_blocking(move || write::recover(&home));
                self.store.load(folders, move |result| handle.put(Input::Loaded(generation, result)));
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
        let handle = self.handle.clone();
        tokio::task::spawn_blocking(move || handle.put(Input::Derived(number, derived(question))));
    }

    fn start_turn(&mut self, turn: Turn) {
        let cancel = CancellationToken::new();
        let ports = turn::Ports {
            handle: self.handle.clone(),
            store: self.store.clone(),
            config: self.config.clone(),
            front_end: self.front_end.clone(),
            cancel: cancel.clone(),
        };
        let (id, handle) = (turn.id.clone(), self.handle.clone());
        let task = tokio::spawn(async move {
            let id = turn.id.clone();
            // In a task of its own, so that a panic in it ends the turn and nothing else.
            let end = tokio::spawn(turn::run(turn, ports)).await.unwrap_or_else(|error| {
                tracing::error!(%error, turn = %id, "a turn broke down");
                let message = "internal error, see the server's log".to_owned();
                let status = TurnStatus::Failed(Failure { class: "internal".to_owned(), message });
                TurnEnd { status, reply: None, usage: Usage::default() }
            });
            handle.send(Event::TurnEnded { turn: id, end });
        });
        self.turns.insert(id, RunningTurn { cancel, task });
    }

    fn reply(&mut self, request: RequestId, result: Result<Reply, Refusal>) {
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

/// Finds out where the hunks of a file stand.
fn derived(question: Derive) -> Event {
    let Derive { proposal, file, base, revision, document } = question;
    let version = document.as_ref().map(|(version, _)| *version);
    let text = match document {
        Some((_, text)) => Some(Lines::of_rope(&text)),
        None => match file::read(&file.path) {
            Ok(text) => Some(Lines::new(text)),
            Err(error) => {
                tracing::info!(%error, "the hunks of a file have no place for now");
                None
            }
        },
    };
    let placement = text.map(|text| Placement::derive(&base, &file.placed_hunks(), &text));
    Event::Derived { proposal, path: file.path, revision, version, placement }
}

/// Writes hunks into files that no editor has open, all or none. Returns those that are on the disk now.
fn write_hunks(home: &Path, files: &[FileWrite]) -> Result<Vec<HunkId>, String> {
    let describe = |error: FileError| error.to_string();
    let mut texts = Vec::new();
    for FileWrite { file, base, hunks } in files {
        let text = Lines::new(file::read(&file.path).map_err(describe)?);
        let placement = Placement::derive(base, &file.placed_hunks(), &text);
        let lost = |hunk: &&HunkId| placement.place(hunk).is_none_or(|place| place.holds == Holds::Neither);
        if let Some(lost) = hunks.iter().find(lost) {
            let path = file.path.display();
            return Err(format!("hunk `{lost}` is stale: the lines of {path} that it replaces were changed"));
        }
        let new = text_with(&text, file, &placement, |hunk| hunks.contains(hunk));
        texts.push(NewText { path: file.path.clone(), now: text, new });
    }
    write::replace_all(home, texts).map_err(describe)?;
    Ok(files.iter().flat_map(|write| write.hunks.iter().cloned()).collect())
}
