//! The `scripted` provider: a model that plays a file, for the demo and the tests.
//!
//! A script is YAML, `turns:` a list; each request of a conversation plays the next turn, counted by the model's messages
//! that are in the request. `protocol/README.md` has the format. A folder of recorded exchanges is played in the same way.

use std::path::PathBuf;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use serde::Deserialize;
use serde_json::Value;

use crate::reader::Reader;
use crate::record;
use crate::request::{Content, Message, Request, ToolCall, answers};
use crate::stream::{ErrorClass, Provider, ProviderError, StopReason, StreamEvent, Usage};

/// How often it is looked whether a file is there that is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// A model that plays a file. The file is read for every request, so it can be edited between two.
#[derive(Clone, Debug)]
pub struct Scripted {
    script: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    turns: Vec<ScriptTurn>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptTurn {
    /// What the last user message or tool result must contain.
    #[serde(default)]
    expect: Vec<String>,
    stream: Vec<Step>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Step {
    Text(String),
    Thinking(String),
    Tool(ToolStep),
    Usage(Usage),
    DelayMs(u64),
    /// Waits until there is such a file; relative to the script.
    WaitFor(PathBuf),
    Error(ErrorStep),
    Stop(StopReason),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolStep {
    name: String,
    input: Value,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorStep {
    class: ErrorClass,
    message: String,
}

impl Scripted {
    /// Makes a model that plays this file.
    pub fn new(script: PathBuf) -> Self {
        Self { script }
    }

    fn folder(&self) -> PathBuf {
        self.script.parent().map(PathBuf::from).unwrap_or_default()
    }

    /// Returns what was heard when the exchange was recorded that is next in this conversation.
    fn replay(&self, request: &Request) -> Vec<Result<StreamEvent, ProviderError>> {
        let index = answers(&request.messages);
        let next = record::exchanges(&self.script).and_then(|exchanges| {
            let count = exchanges.len();
            let path = self.script.display();
            let over =
                || format!("the folder {path} has {count} recorded answers and was asked for one more");
            exchanges.into_iter().nth(index).ok_or_else(over)
        });
        let exchange = match next {
            Ok(exchange) => exchange,
            Err(error) => return vec![Err(ProviderError::new(ErrorClass::Script, error))],
        };
        let mut reader = Reader::new(exchange.format, request);
        let mut events: Vec<_> =
            exchange.body.iter().flat_map(|piece| reader.push(piece.as_bytes())).collect();
        events.extend(reader.finish());
        events
    }

    fn turn(&self, request: &Request) -> Result<(usize, ScriptTurn), ProviderError> {
        let path = self.script.display();
        let error = |message: String| ProviderError::new(ErrorClass::Script, message);
        let text = std::fs::read_to_string(&self.script)
            .map_err(|e| error(format!("the script {path} cannot be read: {e}")))?;
        let script: Script = serde_saphyr::from_str(&text)
            .map_err(|e| error(format!("the script {path} is not right: {e}")))?;
        let index = answers(&request.messages);
        let count = script.turns.len();
        let Some(turn) = script.turns.into_iter().nth(index) else {
            return Err(error(format!("the script {path} has {count} turns and was asked for one more")));
        };
        let said = request.messages.last().map(text_of).unwrap_or_default();
        match turn.expect.iter().find(|expected| !said.contains(expected.as_str())) {
            Some(missing) => Err(error(format!(
                "turn {} of the script {path} expects `{missing}`, but the last message is: {said}",
                index + 1
            ))),
            None => Ok((index, turn)),
        }
    }
}

impl Provider for Scripted {
    fn stream(&self, request: Request) -> BoxStream<'static, Result<StreamEvent, ProviderError>> {
        let scripted = self.clone();
        if self.script.is_dir() {
            return stream::once(async move { stream::iter(scripted.replay(&request)) }).flatten().boxed();
        }
        let asked = self.clone();
        stream::once(async move { asked.turn(&request) })
            .flat_map(move |turn| match turn {
                Ok((index, turn)) => play(scripted.folder(), index, with_stop(turn.stream)),
                Err(error) => stream::iter([Err(error)]).boxed(),
            })
            .boxed()
    }
}

/// Returns the steps, ended by the stop that follows from them where none is written.
fn with_stop(mut steps: Vec<Step>) -> Vec<Step> {
    let ends = |step: &Step| matches!(step, Step::Stop(_) | Step::Error(_));
    if !steps.last().is_some_and(ends) {
        let calls = steps.iter().any(|step| matches!(step, Step::Tool(_)));
        steps.push(Step::Stop(if calls { StopReason::ToolUse } else { StopReason::EndTurn }));
    }
    steps
}

/// Plays the steps of a turn; what they name as a file is relative to `folder`.
fn play(
    folder: PathBuf,
    turn: usize,
    steps: Vec<Step>,
) -> BoxStream<'static, Result<StreamEvent, ProviderError>> {
    let steps = steps.into_iter().enumerate().map(move |(index, step)| (folder.clone(), index, step));
    stream::iter(steps)
        .filter_map(move |(folder, index, step)| async move {
            Some(match step {
                Step::Text(text) => Ok(StreamEvent::Text(text)),
                Step::Thinking(text) => Ok(StreamEvent::Thinking(text)),
                Step::Tool(ToolStep { name, input }) => {
                    let id = format!("call_{}_{}", turn + 1, index + 1);
                    Ok(StreamEvent::ToolCall(ToolCall { id, name, input }))
                }
                Step::Usage(usage) => Ok(StreamEvent::Usage(usage)),
                Step::DelayMs(delay) => {
                    tokio::time::sleep(Duration::from_millis(delay)).await;
                    return None;
                }
                Step::WaitFor(file) => {
                    let file = folder.join(file);
                    while !file.exists() {
                        tokio::time::sleep(LOOK).await;
                    }
                    return None;
                }
                Step::Error(ErrorStep { class, message }) => Err(ProviderError::new(class, message)),
                Step::Stop(reason) => Ok(StreamEvent::Stop(reason)),
            })
        })
        .boxed()
}

/// Returns all that a message says, or that its tools answered.
fn text_of(message: &Message) -> String {
    let texts = message.content.iter().filter_map(|content| match content {
        Content::Text { text } | Content::ToolResult { text, .. } => Some(text.as_str()),
        Content::Image { .. } | Content::Thinking { .. } | Content::ToolCall(_) => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
