//! The turn loop: ask the model, call the tools it wants, answer it, until it comes to an end.

use std::time::Duration;

use futures::StreamExt as _;
use kkcode_core::effect::Reply;
use kkcode_core::event::Command;
use kkcode_core::turn::{Failure, Turn, TurnEnd, TurnStatus, Usage};
use kkcode_provider::answer::{Answer, Outcome};
use kkcode_provider::request::{Content, Message, Request, Role, ToolCall};
use kkcode_provider::stream::{ProviderError, StopReason, StreamEvent};
use kkcode_store::Store;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::{ConfigSource, Model};
use crate::runtime::{Handle, ToFrontEnd, TurnUpdate, Update};
use crate::tool;

/// How many requests one turn makes at most.
const MOST_STEPS: usize = 100;

/// How long text is gathered before it is told: 30 times a second.
const GATHER: Duration = Duration::from_millis(34);

const SYSTEM: &str = "You are a coding agent inside the user's editor. Your edits are proposals: the user takes or refuses \
                      each hunk. Change files with the tools only, and say briefly what you did.";

/// What a turn reaches.
pub(crate) struct Ports {
    pub(crate) handle: Handle,
    pub(crate) store: Store,
    pub(crate) config: ConfigSource,
    pub(crate) front_end: mpsc::UnboundedSender<ToFrontEnd>,
    pub(crate) cancel: CancellationToken,
}

/// A turn while it runs.
struct Running {
    turn: Turn,
    ports: Ports,
    messages: Vec<Message>,
    usage: Usage,
    /// What the model said in its last answer.
    reply: String,
}

/// Runs a turn to its end.
pub(crate) async fn run(turn: Turn, ports: Ports) -> TurnEnd {
    let cancel = ports.cancel.clone();
    let mut running =
        Running { turn, ports, messages: Vec::new(), usage: Usage::default(), reply: String::new() };
    let status = tokio::select! {
        biased;
        () = cancel.cancelled() => TurnStatus::Cancelled,
        status = running.steps() => status.unwrap_or_else(|status| status),
    };
    let reply = (!running.reply.is_empty()).then_some(running.reply);
    TurnEnd { status, reply, usage: running.usage }
}

impl Running {
    async fn steps(&mut self) -> Result<TurnStatus, TurnStatus> {
        let (config, wanted) = (self.ports.config.clone(), self.turn.model.clone());
        let model = blocking(move || config.model(wanted.as_deref())).await?.map_err(failed)?;
        self.messages = self.history().await?;
        let prompt = Message::user(self.turn.prompt.clone());
        self.keep(vec![prompt]).await?;
        for _ in 0..MOST_STEPS {
            let answer = self.ask(&model).await?;
            self.reply = answer.text();
            let stop = match answer.outcome {
                Some(Outcome::Completed(stop)) => stop,
                Some(Outcome::Failed(error)) => return Err(failed(error)),
                Some(Outcome::Refused) => StopReason::Refusal,
                None | Some(Outcome::Truncated | Outcome::Cancelled) => {
                    return Err(interrupted("the model's answer was cut off"));
                }
            };
            let mut step = vec![Message { role: Role::Assistant, content: answer.content }];
            if stop != StopReason::Refusal && !answer.calls.is_empty() {
                let mut results = Vec::new();
                for call in answer.calls {
                    results.push(match call {
                        Ok(call) => self.call(call).await?,
                        Err(broken) => broken.result(),
                    });
                }
                step.push(Message { role: Role::User, content: results });
                self.keep(step).await?;
                continue;
            }
            self.keep(step).await?;
            return Ok(match stop {
                StopReason::EndTurn | StopReason::ToolUse => TurnStatus::Completed,
                StopReason::MaxTokens => interrupted("the model reached its output limit"),
                StopReason::ContextFull => interrupted("the conversation fills all that the model can hold"),
                StopReason::Refusal => TurnStatus::Failed(Failure {
                    class: "refusal".to_owned(),
                    message: "the model declined to answer".to_owned(),
                }),
            });
        }
        Ok(interrupted(&format!("the turn made {MOST_STEPS} requests without coming to an end")))
    }

    /// Asks the model once, and tells what it says as it says it.
    async fn ask(&mut self, model: &Model) -> Result<Answer, TurnStatus> {
        let mut stream = model.provider.stream(Request {
            model: model.id.clone(),
            system: SYSTEM.to_owned(),
            messages: self.messages.clone(),
            tools: tool::specs(),
        });
        let mut answer = Answer::default();
        let mut gathered = String::new();
        let mut due = Instant::now();
        loop {
            let event = tokio::select! {
                event = stream.next() => event,
                () = tokio::time::sleep_until(due), if !gathered.is_empty() => {
                    self.tell_text(&mut gathered);
                    continue;
                }
            };
            if !matches!(event, Some(Ok(StreamEvent::Text(_)))) {
                self.tell_text(&mut gathered);
            }
            match &event {
                Some(Ok(StreamEvent::Text(text))) => {
                    if gathered.is_empty() {
                        due = Instant::now() + GATHER;
                    }
                    gathered += text;
                }
                Some(Ok(StreamEvent::Thinking(text))) => self.tell(Update::Thinking(text.clone())),
                Some(Ok(StreamEvent::Usage(usage))) => {
                    let (input_tokens, output_tokens) = (usage.all_input_tokens(), usage.output_tokens);
                    self.usage += Usage { input_tokens, output_tokens };
                }
                Some(Ok(StreamEvent::Retry(retry))) => {
                    tracing::info!(after = ?retry.after, error = %retry.error, "the request is sent again");
                }
                _ => {}
            }
            answer.add(event);
            if answer.outcome.is_some() {
                return Ok(answer);
            }
        }
    }

    async fn call(&mut self, call: ToolCall) -> Result<Content, TurnStatus> {
        let ToolCall { id, name, input } = call.clone();
        self.tell(Update::ToolCall { id: id.clone(), name, input });
        let snapshot =
            self.ports.handle.snapshot().await.ok_or_else(|| interrupted("the server is shutting down"))?;
        let turn = self.turn.clone();
        let outcome = blocking(move || tool::run(&call, &turn, &snapshot)).await?;
        let answer = match outcome {
            tool::Outcome::Answer(answer) => answer,
            tool::Outcome::Propose(propose) => {
                let path = propose.path.display().to_string();
                match self.ports.handle.request(Command::Propose(propose)).await {
                    Ok(Reply::Proposed { pending, .. }) => Ok(format!(
                        "proposed, not yet accepted: {pending} hunk{} of {path} wait{} for the user",
                        if pending == 1 { "" } else { "s" },
                        if pending == 1 { "s" } else { "" },
                    )),
                    Ok(reply) => Err(format!("the proposal was answered by {reply:?}")),
                    Err(refusal) => Err(refusal.to_string()),
                }
            }
        };
        let is_error = answer.is_err();
        let text = answer.unwrap_or_else(|refusal| refusal);
        self.tell(Update::ToolResult { id: id.clone(), text: text.clone(), is_error });
        Ok(Content::ToolResult { id, text, is_error })
    }

    async fn history(&self) -> Result<Vec<Message>, TurnStatus> {
        let (answer, answered) = oneshot::channel();
        self.ports.store.messages(self.turn.session.clone(), move |result| drop(answer.send(result)));
        let rows =
            answered.await.map_err(|_| interrupted("the store has ended"))?.map_err(|e| unstored(&e))?;
        let read = |row: Value| serde_json::from_value(row).map_err(|e| unstored(&e));
        rows.into_iter().map(read).collect()
    }

    /// Adds messages to the conversation, and waits until they are written down.
    async fn keep(&mut self, messages: Vec<Message>) -> Result<(), TurnStatus> {
        let rows: Result<Vec<Value>, _> = messages.iter().map(serde_json::to_value).collect();
        let rows = rows.map_err(|error| unstored(&error))?;
        let (answer, answered) = oneshot::channel();
        let (session, turn) = (self.turn.session.clone(), self.turn.id.clone());
        self.ports.store.append_messages(session, turn, rows, move |result| drop(answer.send(result)));
        answered.await.map_err(|_| interrupted("the store has ended"))?.map_err(|error| unstored(&error))?;
        self.messages.extend(messages);
        Ok(())
    }

    fn tell_text(&self, gathered: &mut String) {
        if gathered.is_empty() {
            return;
        }
        self.tell(Update::Text(std::mem::take(gathered)));
    }

    fn tell(&self, update: Update) {
        let update = TurnUpdate { turn: self.turn.id.clone(), update };
        // A front end that has gone needs to be told nothing.
        let _nobody_listens = self.ports.front_end.send(ToFrontEnd::Turn(update));
    }
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

fn interrupted(reason: &str) -> TurnStatus {
    TurnStatus::Interrupted { reason: reason.to_owned() }
}
