//! The turn loop: ask the model, call the tools it wants, answer it, until it comes to an end.

use std::path::PathBuf;
use std::sync::Arc;

use kkcode_core::effect::EditorEffect;
use kkcode_core::turn::{Failure, Turn, TurnEnd, TurnStatus, Usage};
use kkcode_provider::answer::{Answer, Outcome};
use kkcode_provider::request::{Content, Message, Role};
use kkcode_provider::stream::{ErrorClass, ProviderError, StopReason};
use kkcode_store::Store;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::config::{ConfigSource, Model};
use crate::gate::Gate;
use crate::runtime::{CallEnd, Handle, ToFrontEnd, TurnUpdate, Update};
use crate::tool::Reads;

use calls::Calls;
use context::Window;
use instructions::Told;

mod ask;
mod calls;
mod context;
#[cfg(unix)]
mod delegated;
mod excerpts;
mod instructions;
mod propose;
mod repeats;
mod system;

/// How often in a row an answer may reach the model's output limit and is asked to go on.
const MOST_CONTINUATIONS: usize = 8;

/// How many requests before the last the model is told that the turn comes to its end.
const WARNED_BEFORE: usize = 2;

/// What a turn reaches.
pub(crate) struct Ports {
    pub(crate) handle: Handle,
    pub(crate) store: Store,
    pub(crate) config: ConfigSource,
    pub(crate) front_end: mpsc::UnboundedSender<ToFrontEnd>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) cancel: CancellationToken,
    /// The commands that run in the background of all turns.
    #[cfg(unix)]
    pub(crate) background: crate::process::Background,
}

/// What a session's model has seen; it outlives the turn.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Of files.
    reads: Reads,
    /// Of instructions.
    told: Told,
}

/// A turn and what it reaches; cheap to clone, for calls that run at the same time.
#[derive(Clone)]
struct Link {
    turn: Arc<Turn>,
    ports: Arc<Ports>,
    /// What every call passes.
    gate: Arc<Gate>,
    /// The files of instructions that are in the system prompt.
    in_system: Arc<Vec<PathBuf>>,
    /// Whether the model takes pictures, or one that may be asked in its place.
    sees: bool,
}

/// A turn while it runs.
struct Running {
    link: Link,
    system: String,
    /// The conversation as the model is told it.
    messages: Vec<Message>,
    usage: Usage,
    /// What the model said in its last answer, continuations included.
    reply: String,
    /// What the model says at the moment: written down when the turn is stopped in the middle of it.
    saying: Answer,
    /// Which of the models is asked: the first, or one behind it when those before have failed for good.
    tariff: usize,
    /// The models of which the user was told that they get no pictures.
    unseeing: Vec<String>,
    calls: Calls,
    /// The tasks that the agent has given away, as far as their ends are still to be told.
    #[cfg(unix)]
    delegated: delegated::Delegated,
}

/// What comes after an answer.
enum Next {
    /// Another request.
    Ask,
    /// The end.
    End(TurnStatus),
}

/// Runs a turn to its end.
pub(crate) async fn run(turn: Turn, ports: Ports) -> TurnEnd {
    let cancel = ports.cancel.clone();
    let gate = Gate::new(ports.config.surroundings(), cancel.clone()).asking(ports.handle.clone());
    let gate = Arc::new(gate.within(ports.config.delegate()));
    let mut running = Running {
        link: Link {
            turn: Arc::new(turn),
            ports: Arc::new(ports),
            gate,
            in_system: Arc::default(),
            sees: true,
        },
        system: String::new(),
        messages: Vec::new(),
        usage: Usage::default(),
        reply: String::new(),
        saying: Answer::default(),
        tariff: 0,
        unseeing: Vec::new(),
        calls: Calls::default(),
        #[cfg(unix)]
        delegated: delegated::Delegated::default(),
    };
    let status = tokio::select! {
        biased;
        () = cancel.cancelled() => TurnStatus::Cancelled,
        status = running.steps() => status.unwrap_or_else(|status| status),
    };
    if status == TurnStatus::Cancelled {
        running.leave_off().await;
    }
    let reply = (!running.reply.is_empty()).then_some(running.reply);
    TurnEnd { status, reply, usage: running.usage }
}

impl Running {
    async fn steps(&mut self) -> Result<TurnStatus, TurnStatus> {
        let (config, wanted) = (self.link.ports.config.clone(), self.link.turn.model.clone());
        let (model, settings) = blocking(move || Ok((config.model(wanted.as_deref())?, config.agent()?)))
            .await?
            .map_err(failed)?;
        self.link.sees = model.sees();
        self.begin().await?;
        let mut window = Window::of(model.context, &self.system);
        let mut continuations = 0;
        let delegate = self.link.ports.config.delegate();
        let bound = delegate.and_then(|delegate| delegate.max_steps).unwrap_or(usize::MAX);
        let max_steps = settings.max_steps.min(bound);
        for left in (0..max_steps).rev() {
            #[cfg(unix)]
            self.hand_over(delegated::Open::GoesOn).await?;
            let answer = self.ask_within(&model, &mut window).await?;
            match self.take_in(answer, &mut window, &mut continuations, left).await? {
                Next::Ask => {}
                #[cfg(unix)]
                Next::End(TurnStatus::Completed) if left > 0 && self.hand_over_at_the_end().await? => {}
                Next::End(status) => return Ok(status),
            }
        }
        Ok(interrupted(&format!(
            "the turn made {max_steps} requests without coming to an end (`agent.max_steps`); {GO_ON}"
        )))
    }

    /// Reads the conversation and adds the prompt, with what the user was looking at.
    async fn begin(&mut self) -> Result<(), TurnStatus> {
        self.messages = self.history().await?;
        self.link.gate.hear(&self.messages);
        #[cfg(unix)]
        self.delegated.read(&self.messages);
        let snapshot = self.link.ports.handle.snapshot().await.ok_or_else(shutting_down)?;
        let (turn, trusted) = (self.link.turn.clone(), self.link.ports.config.is_trusted());
        let sees = self.link.sees;
        if trusted {
            // It ends with the turn, which withdraws what was not answered.
            tokio::spawn(self.link.gate.clone().ask_about_settings(turn.clone(), snapshot.clone()));
        }
        let (system, excerpts) = blocking(move || {
            let system = system::prompt(&turn, &snapshot, trusted);
            (system, excerpts::render(&turn.excerpts, &snapshot, sees))
        })
        .await?;
        if let Some(passed_over) = system.passed_over
            && self.link.ports.config.tell_untrusted()
        {
            self.link.tell_user(passed_over);
        }
        self.system = system.text;
        if let Some(instructions) =
            self.link.ports.config.delegate().and_then(|delegate| delegate.instructions.clone())
        {
            self.system = format!("{}\n\n{instructions}", self.system);
        }
        self.link.in_system = Arc::new(system.instructions);
        for problem in excerpts.problems {
            self.link.tell_user(problem);
        }
        let prompt = match excerpts.text {
            Some(excerpts) => format!("{}\n\n{excerpts}", self.link.turn.prompt),
            None => self.link.turn.prompt.clone(),
        };
        let prompt = match &self.link.turn.review_note {
            Some(note) => format!("{note}\n\n{prompt}"),
            None => prompt,
        };
        let mut message = Message::user(prompt);
        message.content.extend(excerpts.pictures);
        self.keep(vec![message]).await
    }

    /// Asks the model, with as much of the conversation as it can hold.
    async fn ask_within(&mut self, model: &Model, window: &mut Window) -> Result<Answer, TurnStatus> {
        loop {
            let before = std::mem::take(&mut self.messages);
            let count = before.len();
            self.messages = window.fit(before);
            if self.messages.len() != count {
                self.link.ports.memory.told.forget();
            }
            let answer = self.ask(model).await?;
            match &answer.outcome {
                // Our estimate of tokens was too low, or nobody had told us what the model can hold.
                Some(Outcome::Failed(error)) if error.class == ErrorClass::ContextTooLong => {
                    if !window.shrink(&self.messages) {
                        return Err(failed(error.clone()));
                    }
                    tracing::info!(turn = %self.link.turn.id, "the conversation is shortened and sent again");
                }
                _ => return Ok(answer),
            }
        }
    }

    /// Does what an answer asks for, and writes both down.
    async fn take_in(
        &mut self,
        answer: Answer,
        window: &mut Window,
        continuations: &mut usize,
        left: usize,
    ) -> Result<Next, TurnStatus> {
        let text = answer.text();
        if *continuations == 0 {
            self.reply.clone_from(&text);
        } else {
            self.reply.push_str(&text);
        }
        let stop = match answer.outcome {
            Some(Outcome::Completed(stop)) => stop,
            Some(Outcome::Failed(error)) => return Err(failed(error)),
            Some(Outcome::Refused) => StopReason::Refusal,
            None | Some(Outcome::Truncated | Outcome::Cancelled) => {
                return Err(interrupted(&format!("the model's answer was cut off; {GO_ON}")));
            }
        };
        let said = Message { role: Role::Assistant, content: answer.content };
        let is_cut = matches!(stop, StopReason::MaxTokens | StopReason::ContextFull);
        let has_whole_call = answer.calls.iter().any(Result::is_ok);
        if stop != StopReason::Refusal && (has_whole_call || !answer.calls.is_empty() && !is_cut) {
            *continuations = 0;
            self.calls.begin(said, answer.calls);
            self.run_calls().await?;
            let mut step = self.calls.finish();
            if left == WARNED_BEFORE
                && let Some(results) = step.last_mut()
            {
                results.content.push(Content::Text { text: warning(left) });
            }
            self.keep(step).await?;
            return Ok(match self.calls.stuck() {
                Some(reason) => Next::End(interrupted(&format!("{reason}; {GO_ON}"))),
                None => Next::Ask,
            });
        }
        if is_cut && *continuations < MOST_CONTINUATIONS && !text.trim().is_empty() {
            *continuations += 1;
            if stop == StopReason::ContextFull {
                window.shrink(&self.messages);
            }
            self.keep(vec![without_calls(said), Message::user(go_on_after(&text))]).await?;
            return Ok(Next::Ask);
        }
        self.keep(vec![without_calls(said)]).await?;
        Ok(Next::End(match stop {
            StopReason::EndTurn | StopReason::ToolUse => TurnStatus::Completed,
            StopReason::MaxTokens => {
                interrupted(&format!("the model reached its output limit again and again; {GO_ON}"))
            }
            StopReason::ContextFull => {
                interrupted("the conversation fills all that the model can hold; start a new one")
            }
            StopReason::Refusal => TurnStatus::Failed(Failure {
                class: "refusal".to_owned(),
                message: "the model declined to answer".to_owned(),
            }),
        }))
    }

    /// Writes down what was going on when the turn was stopped, so that the conversation can go on from there.
    async fn leave_off(&mut self) {
        let mut step = self.calls.abandon();
        for content in step.iter().flat_map(|message| &message.content) {
            if let Content::ToolResult { id, text, .. } = content
                && text == calls::CANCELLED
            {
                let (id, text) = (id.clone(), text.clone());
                self.link.tell(Update::ToolResult { id, text, end: CallEnd::Cancelled });
            }
        }
        let text = std::mem::take(&mut self.saying).text();
        if step.is_empty() && !text.trim().is_empty() {
            self.reply.clone_from(&text);
            step.push(Message { role: Role::Assistant, content: vec![Content::Text { text }] });
        }
        if !step.is_empty()
            && let Err(status) = self.keep(step).await
        {
            tracing::warn!(?status, turn = %self.link.turn.id, "the last step of a cancelled turn is not written down");
        }
    }

    async fn history(&self) -> Result<Vec<Message>, TurnStatus> {
        let (answer, answered) = oneshot::channel();
        self.link
            .ports
            .store
            .messages(self.link.turn.session.clone(), move |result| drop(answer.send(result)));
        let rows =
            answered.await.map_err(|_| interrupted("the store has ended"))?.map_err(|e| unstored(&e))?;
        let read = |row: Value| serde_json::from_value(row).map_err(|e| unstored(&e));
        rows.into_iter().map(read).collect()
    }

    /// Adds messages to the conversation, and waits until they are written down.
    async fn keep(&mut self, messages: Vec<Message>) -> Result<(), TurnStatus> {
        let messages: Vec<Message> =
            messages.into_iter().filter(|message| !message.content.is_empty()).collect();
        let rows: Result<Vec<Value>, _> = messages.iter().map(serde_json::to_value).collect();
        let rows = rows.map_err(|error| unstored(&error))?;
        let (answer, answered) = oneshot::channel();
        let (session, turn) = (self.link.turn.session.clone(), self.link.turn.id.clone());
        self.link.ports.store.append_messages(session, turn, rows, move |result| drop(answer.send(result)));
        answered.await.map_err(|_| interrupted("the store has ended"))?.map_err(|error| unstored(&error))?;
        #[cfg(unix)]
        self.delegated.read(&messages);
        self.link.gate.hear(&messages);
        self.messages.extend(messages);
        Ok(())
    }
}

impl Link {
    fn tell(&self, update: Update) {
        let update = TurnUpdate { turn: self.turn.id.clone(), update };
        // A front end that has gone needs to be told nothing.
        let _nobody_listens = self.ports.front_end.send(ToFrontEnd::Turn(update));
    }

    fn tell_user(&self, message: String) {
        let _nobody_listens = self.ports.front_end.send(ToFrontEnd::Effect(EditorEffect::Message(message)));
    }
}

/// What the user can do about a turn that was interrupted; the session is in the turn's record.
const GO_ON: &str = "to go on, start a turn in this session with the prompt `continue`";

fn warning(left: usize) -> String {
    format!("[This turn has {left} requests left. Come to an end, or say what is left to do.]")
}

/// Asks the model to go on with an answer that was cut at its output limit.
fn go_on_after(text: &str) -> String {
    let tail: Vec<char> = text.chars().rev().take(200).collect();
    let tail: String = tail.into_iter().rev().collect();
    format!(
        "[Your answer reached the output limit. Go on exactly where it stopped, without repeating anything. It ended \
         with: {tail}]"
    )
}

/// Takes the calls out of an answer that was cut: they have no results.
fn without_calls(message: Message) -> Message {
    let content = message.content.into_iter().filter(|content| !matches!(content, Content::ToolCall(_)));
    Message { content: content.collect(), ..message }
}

/// Runs what reads files on the blocking pool.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, TurnStatus> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a tool broke down");
        TurnStatus::Failed(Failure {
            class: "internal".to_owned(),
            message: "internal error, see the server's log".to_owned(),
        })
    })
}

fn failed(error: ProviderError) -> TurnStatus {
    TurnStatus::Failed(Failure { class: error.class.name().to_owned(), message: error.message })
}

fn unstored(error: &dyn std::fmt::Display) -> TurnStatus {
    let message = format!("the conversation could not be written down: {error}");
    TurnStatus::Failed(Failure { class: "store".to_owned(), message })
}

fn shutting_down() -> TurnStatus {
    interrupted("the server is shutting down")
}

fn interrupted(reason: &str) -> TurnStatus {
    TurnStatus::Interrupted { reason: reason.to_owned() }
}
