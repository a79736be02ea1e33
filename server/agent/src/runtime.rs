//! The runtime: the one task that owns the state, takes in events and performs effects.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kkcode_core::document::DocumentUri;
use kkcode_core::effect::{DurableEvent, EditorEffect, Refusal, Reply};
use kkcode_core::event::{Command, Event, StartTurn};
use kkcode_core::id::{CommentId, PromptId, ProposalId, RequestId, SessionId, TurnId};
use kkcode_core::prompt::{Prompt, Resolution};
use kkcode_core::proposal::Timestamp;
use kkcode_core::state::{Snapshot, State};
use kkcode_core::turn::{Excerpt, Failure, Level, Mode, Usage};
use kkcode_store::{Store, StoreError};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::budget;
use crate::config::ConfigSource;
use crate::fresh;
use crate::perform::Performer;

/// What a front end is told.
#[derive(Debug)]
pub enum ToFrontEnd {
    /// Something to do or to show.
    Effect(EditorEffect),
    /// Something durable that another process has written down, with its number.
    Elsewhere(u64, DurableEvent),
    /// The store was read for the first time: all up to this event is known, and is told by none of its own.
    Read(u64),
    /// What a running turn says, as it says it. Not durable.
    Turn(TurnUpdate),
    /// A command is about to run: this document is to be on the disk as it is in the editor.
    Save(Save),
}

/// The wish that the editor saves a document; dropping it says that it does not.
#[derive(Debug)]
pub struct Save {
    /// The client's own name of it.
    pub uri: DocumentUri,
    /// Where the answer goes: whether it is saved.
    pub saved: oneshot::Sender<bool>,
}

/// A piece of what a running turn says.
#[derive(Debug)]
pub struct TurnUpdate {
    /// Which turn.
    pub turn: TurnId,
    /// What is said.
    pub update: Update,
}

/// What a running turn says.
#[derive(Debug)]
pub enum Update {
    /// More of the reply.
    Text(String),
    /// More of what the model thinks.
    Thinking(String),
    /// A tool is called.
    ToolCall {
        /// The call's id.
        id: String,
        /// Which tool.
        name: String,
        /// Its arguments.
        input: serde_json::Value,
    },
    /// A tool has answered.
    ToolResult {
        /// The call's id.
        id: String,
        /// The answer.
        text: String,
        /// How it ended.
        end: CallEnd,
    },
    /// The agent's list of what it is going to do, whole.
    Plan(Vec<PlanEntry>),
    /// What the turn's requests have counted so far.
    Usage(Usage),
    /// The last request failed, and is sent again after a wait.
    Retrying(Retrying),
    /// The wait is over: the request is sent.
    Asking,
}

/// A failed request that is sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retrying {
    /// Which retry it is, from 1; 0 for the first request to the next model, when one has failed for good.
    pub attempt: u32,
    /// When it is sent.
    pub at: Timestamp,
    /// Why the last one failed.
    pub error: Failure,
}

impl Retrying {
    /// Says why nothing happens and when it goes on, on one line.
    pub fn describe(&self) -> String {
        let Failure { class, message } = &self.error;
        let seconds = (self.at.0.saturating_sub(fresh::now().0)).max(0).cast_unsigned().div_ceil(1000);
        match self.attempt {
            0 => format!("{message} ({class}); the next model is asked"),
            attempt => format!("{message} ({class}); retry {attempt} in {seconds} s"),
        }
    }
}

/// How a tool call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// As it should.
    Ok,
    /// With an error that the agent was told.
    Error,
    /// Refused by the permissions, or by the user.
    Denied,
    /// Cut off with its turn.
    Cancelled,
}

/// One step of the agent's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanEntry {
    /// What is to be done.
    pub text: String,
    /// How far it is.
    pub status: PlanStatus,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanStatus {
    /// Not begun.
    Pending,
    /// Under way.
    InProgress,
    /// Done.
    Completed,
}

/// The way to the runtime; cheap to clone.
///
/// Its inbox has no bound of its own: a front end stops reading its client when too much is unanswered, and turns wait
/// for their answers.
#[derive(Clone, Debug)]
pub struct Handle {
    inbox: mpsc::UnboundedSender<Input>,
    requests: Arc<AtomicU64>,
    store: Store,
    /// Counts what may have changed about tasks.
    task_changes: Arc<watch::Sender<u64>>,
    /// Counts what may have changed about permissions.
    permission_changes: Arc<watch::Sender<u64>>,
    /// One permit, for who picks tasks and starts their workers.
    worker_starts: Arc<Semaphore>,
}

/// What comes into the runtime's inbox.
#[derive(Debug)]
pub(crate) enum Input {
    Event(Event),
    Request(RequestId, Command, oneshot::Sender<Result<Reply, Refusal>>),
    Snapshot(oneshot::Sender<Snapshot>),
    /// The store has finished the commit of this batch.
    Committed(u64, Result<Vec<u64>, StoreError>),
    /// It is known where hunks stand: the answer to the question of this number.
    Derived(u64, Event),
    /// Another process has written to the store, or may have.
    Rang,
    /// What `PRAGMA data_version` says now.
    DataVersion(u64),
    /// What was written down behind an event that was known.
    Events(Vec<(u64, DurableEvent)>),
    /// The store has answered the load of this generation.
    Loaded(u64, Result<kkcode_store::Loaded, StoreError>),
    /// The rules of an answer "always" are written down, or why not; those who wait for that are answered now.
    Learned(Vec<(RequestId, Reply)>, Result<(), String>),
    /// This process has written something about tasks.
    TasksChanged,
    /// Somebody wants to know whether the loop goes round.
    Alive(oneshot::Sender<()>),
    /// Ends the background commands, and says when that is done.
    EndCommands(oneshot::Sender<()>),
    EventsSince(u64, EventsAnswer),
    Stop(oneshot::Sender<()>),
}

/// Where the events go that somebody asked for.
pub(crate) type EventsAnswer = oneshot::Sender<Result<Vec<(u64, Timestamp, DurableEvent)>, StoreError>>;

/// A turn as a front end asks for it.
#[derive(Clone, Debug, Default)]
pub struct NewTurn {
    /// What the user asks.
    pub prompt: String,
    /// The conversation to go on with; a new one when absent.
    pub session: Option<SessionId>,
    /// Provider and model, as `provider/model`.
    pub model: Option<String>,
    /// What the agent may do.
    pub level: Option<Level>,
    /// How the agent works on it.
    pub mode: Mode,
    /// Whether nothing of it is let into a text before the user says so, whatever the level.
    pub proposes_only: bool,
    /// What the user is looking at.
    pub excerpts: Vec<Excerpt>,
    /// The comments that the prompt tells the agent of.
    pub comments: Vec<(ProposalId, CommentId)>,
}

/// Returns a new name that begins with the noun of what it names.
///
/// Fails when the system gives no random numbers.
pub fn fresh_name(noun: &str) -> Result<String, getrandom::Error> {
    fresh::name(noun)
}

/// Starts the runtime; it runs until [`Handle::stop`], or until every handle is gone.
pub fn spawn(home: PathBuf, config: ConfigSource) -> (Handle, mpsc::UnboundedReceiver<ToFrontEnd>) {
    spawn_on(Store::new(home), config, None)
}

/// Starts a runtime on a store; of one session alone, if one is named, whatever else is in its folder.
pub(crate) fn spawn_on(
    store: Store,
    config: ConfigSource,
    only: Option<SessionId>,
) -> (Handle, mpsc::UnboundedReceiver<ToFrontEnd>) {
    let (inbox, inputs) = mpsc::unbounded_channel();
    let (front_end, effects) = mpsc::unbounded_channel();
    let (task_changes, permission_changes) = <(Arc<watch::Sender<u64>>, Arc<watch::Sender<u64>>)>::default();
    let (requests, worker_starts) = (Arc::default(), Arc::new(Semaphore::new(1)));
    let handle =
        Handle { inbox, requests, store: store.clone(), task_changes, permission_changes, worker_starts };
    let keys = config.clone();
    store.hide(move |texts| keys.hide_keys(texts));
    let user = front_end.clone();
    config.on_problem(move |problem| {
        // A front end that has gone needs to be told nothing.
        let _nobody_listens = user.send(ToFrontEnd::Effect(EditorEffect::Message(problem)));
    });
    let performer = Performer::new(store, config, handle.clone(), front_end, only);
    tokio::spawn(run(inputs, performer));
    (handle, effects)
}

impl Handle {
    /// Tells what happened. Never blocks; events are believed in the order in which they were sent.
    pub fn send(&self, event: Event) {
        self.put(Input::Event(event));
    }

    /// Asks for something and waits for the answer, which may wait for a durable commit and for nothing else.
    ///
    /// The request is in the inbox when this returns; only the answer is awaited.
    pub fn request(&self, command: Command) -> impl Future<Output = Result<Reply, Refusal>> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        let id = RequestId(self.requests.fetch_add(1, Ordering::Relaxed));
        self.put(Input::Request(id, command, answer));
        async move {
            answered
                .await
                .unwrap_or_else(|_| Err(Refusal::Forbidden("the server is shutting down".to_owned())))
        }
    }

    /// Starts a turn with new names.
    pub fn start_turn(&self, turn: NewTurn) -> impl Future<Output = Result<Reply, Refusal>> + Send + use<> {
        let names = fresh::name("turn").and_then(|turn| Ok((turn, fresh::name("session")?)));
        let request = names.map(|(id, session)| {
            self.request(Command::StartTurn(StartTurn {
                turn: TurnId::new(id),
                new_session: turn.session.is_none(),
                session: turn.session.unwrap_or_else(|| SessionId::new(session)),
                prompt: turn.prompt,
                model: turn.model,
                level: turn.level,
                mode: turn.mode,
                proposes_only: turn.proposes_only,
                excerpts: turn.excerpts,
                comments: turn.comments,
                at: fresh::now(),
            }))
        });
        async move {
            match request {
                Ok(request) => request.await,
                Err(error) => Err(Refusal::Forbidden(format!("the system gives no random numbers: {error}"))),
            }
        }
    }

    /// Asks the user, and waits for the first answer of anybody who is attached to the home, now or later.
    pub(crate) async fn ask(&self, mut prompt: Prompt) -> Result<Resolution, Refusal> {
        let id = prompt.id.clone();
        prompt.task = self.store.claimed_for().cloned();
        let mut command = Command::Ask(Box::new(prompt));
        loop {
            match self.request(command).await {
                Ok(Reply::Answered(resolution)) => return Ok(resolution),
                // Another process was quicker than an answer given here; what it says is read in a moment.
                Err(Refusal::Overtaken(_)) => command = Command::AwaitAnswer { prompt: id.clone() },
                Ok(reply) => return Err(Refusal::Forbidden(format!("a prompt was answered by {reply:?}"))),
                Err(refusal) => return Err(refusal),
            }
        }
    }

    /// Answers a prompt. Tells whether the answer counts: not if another came first, or if nobody asks.
    pub fn answer(
        &self,
        prompt: PromptId,
        resolution: Resolution,
    ) -> impl Future<Output = Result<bool, Refusal>> + Send + use<> {
        let answered = self.request(Command::Answer { prompt, resolution });
        async move {
            match answered.await {
                Ok(reply) => Ok(reply == Reply::AnswerTaken(true)),
                Err(Refusal::Overtaken(_)) => Ok(false),
                Err(refusal) => Err(refusal),
            }
        }
    }

    /// Returns the state as it is when everything that was sent before has happened and is durable.
    pub async fn snapshot(&self) -> Option<Snapshot> {
        let (answer, answered) = oneshot::channel();
        self.put(Input::Snapshot(answer));
        answered.await.ok()
    }

    /// Returns the durable events of all workspaces behind a number, oldest first, each with its number and when it was
    /// written down.
    pub async fn events_since(
        &self,
        seq: u64,
    ) -> Option<Result<Vec<(u64, Timestamp, DurableEvent)>, StoreError>> {
        let (answer, answered) = oneshot::channel();
        self.put(Input::EventsSince(seq, answer));
        answered.await.ok()
    }

    /// Stops all turns, writes down what is to be written, and ends the runtime; waits for that at most `patience`.
    pub async fn stop(&self, patience: Duration) {
        let stopped = async {
            self.end_commands().await;
            let (answer, answered) = oneshot::channel();
            self.put(Input::Stop(answer));
            answered.await
        };
        if tokio::time::timeout(patience, stopped).await.is_err() {
            self.put(Input::Stop(oneshot::channel().0));
            tracing::warn!("the runtime did not end in time; what it was about to write may be missing");
        }
    }

    /// Ends the commands that run in the background, and waits until what they wrote is taken in.
    pub(crate) async fn end_commands(&self) {
        let (answer, answered) = oneshot::channel();
        self.put(Input::EndCommands(answer));
        if answered.await.is_err() {
            tracing::debug!("the runtime has ended");
        }
    }

    /// Returns what requests to models have used today (UTC), by all processes with this home.
    pub async fn spent_today(&self) -> Result<Usage, StoreError> {
        let (answer, answered) = oneshot::channel();
        let nobody = (TurnId::new(""), SessionId::new(""));
        self.store.spent(nobody.0, nobody.1, budget::day_began(), move |spent| drop(answer.send(spent)));
        answered.await.map_or(Ok(Usage::default()), |spent| spent.map(|spent| spent.since))
    }

    /// Returns when the runtime has come to it.
    pub(crate) async fn alive(&self) {
        let (answer, answered) = oneshot::channel();
        self.put(Input::Alive(answer));
        if answered.await.is_err() {
            tracing::debug!("the runtime has ended");
        }
    }

    /// Says that this process has written something about tasks, to all who follow them here and elsewhere.
    pub(crate) fn tasks_changed(&self) {
        self.put(Input::TasksChanged);
    }

    /// Says that a worker has ended.
    pub(crate) fn workers_changed(&self) {
        self.task_changes.send_modify(|count| *count += 1);
    }

    /// Returns the one permit of who picks tasks and starts their workers.
    pub(crate) fn worker_starts(&self) -> Arc<Semaphore> {
        Arc::clone(&self.worker_starts)
    }

    /// Returns what says when something about tasks may have changed.
    pub(crate) fn task_changes(&self) -> watch::Receiver<u64> {
        self.task_changes.subscribe()
    }

    /// Says that a level, a rule or what the user granted may be otherwise than before.
    pub(crate) fn permissions_changed(&self) {
        self.permission_changes.send_modify(|count| *count += 1);
    }

    /// Returns what says when that may be so.
    pub(crate) fn permission_changes(&self) -> watch::Receiver<u64> {
        self.permission_changes.subscribe()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn put(&self, input: Input) {
        if self.inbox.send(input).is_err() {
            tracing::debug!("the runtime has ended; a message to it is dropped");
        }
    }
}

async fn run(mut inputs: mpsc::UnboundedReceiver<Input>, mut performer: Performer) {
    let mut state = State::default();
    // Until the store has told what it knows, nobody asks and nobody is answered.
    let mut early = VecDeque::new();
    while let Some(input) = inputs.recv().await {
        match input {
            Input::Stop(stopped) => {
                performer.stop().await;
                let _nobody_waits = stopped.send(());
                return;
            }
            input @ (Input::Request(..) | Input::Snapshot(_)) => early.push_back(input),
            Input::Loaded(generation, result) => {
                let event = performer.loaded(generation, result);
                performer.handle(&mut state, event);
            }
            input => take(&mut state, &mut performer, input),
        }
        while performer.is_ready()
            && let Some(input) = early.pop_front()
        {
            take(&mut state, &mut performer, input);
        }
    }
}

fn take(state: &mut State, performer: &mut Performer, input: Input) {
    match input {
        Input::Event(event) => performer.handle(state, event),
        Input::Request(request, command, answer) => {
            performer.expect_reply(request, answer);
            performer.handle(state, Event::Requested { request, command });
        }
        Input::Snapshot(answer) => performer.give_snapshot(state, answer),
        Input::Derived(question, event) => performer.derived(state, question, event),
        Input::Committed(batch, result) => performer.committed(state, batch, result),
        Input::Rang => performer.rang(state),
        Input::TasksChanged => performer.tasks_changed(),
        Input::Alive(answer) => drop(answer.send(())),
        Input::DataVersion(version) => {
            if performer.is_new_version(version) {
                performer.handle(state, Event::StoreChanged);
            }
        }
        Input::Events(events) => performer.tell_elsewhere(events),
        Input::Learned(answers, result) => performer.learned(answers, result),
        Input::EventsSince(seq, answer) => performer.events_since(seq, answer),
        Input::EndCommands(answer) => performer.end_commands(answer),
        Input::Loaded(..) | Input::Stop(_) => {}
    }
}

#[cfg(test)]
pub(crate) mod tests;
