//! One request to the model, and what it says told while it says it.

use std::time::Duration;

use futures::StreamExt as _;
use kkcode_core::proposal::Timestamp;
use kkcode_core::turn::{Failure, TurnStatus};
use kkcode_provider::answer::Answer;
use kkcode_provider::request::{Content, Message, Request, Role};
use kkcode_provider::stream::{ProviderError, Retry, StreamEvent};
use tokio::time::Instant;

use super::Running;
use crate::config::{Model, Tariff};
use crate::runtime::{Retrying, Update};
use crate::tool;
use crate::{budget, fresh};

/// How long text is gathered before it is told: 30 times a second.
const GATHER: Duration = Duration::from_millis(34);

/// What was said and not yet told. Text and thoughts are told in the order in which they came.
#[derive(Debug, Default)]
struct Gathered {
    text: String,
    is_thought: bool,
}

impl Running {
    /// Asks the model once, and tells what it says as it says it.
    pub(super) async fn ask(&mut self, model: &Model) -> Result<Answer, TurnStatus> {
        self.within_budget(model).await?;
        let request = Request {
            model: model.id.clone(),
            system: self.system.clone(),
            messages: merged(&self.messages),
            tools: tool::specs(self.link.ports.config.delegate().as_deref()),
        };
        let has_pictures = request.has_pictures();
        if has_pictures {
            self.tell_of_pictures(model);
        }
        let mut stream = model.provider.stream(request);
        self.saying = Answer::default();
        let mut gathered = Gathered::default();
        let mut due = Instant::now();
        // When a failed request is sent again, as long as that was not yet.
        let mut again: Option<Instant> = None;
        loop {
            // The stream first: as long as it has something, no timer is set.
            let event = tokio::select! {
                biased;
                event = stream.next() => event,
                () = tokio::time::sleep_until(due), if !gathered.text.is_empty() => {
                    self.tell_gathered(&mut gathered);
                    continue;
                }
                () = tokio::time::sleep_until(again.unwrap_or(due)), if again.is_some() => {
                    again = None;
                    self.link.tell(Update::Asking);
                    continue;
                }
            };
            if again.take().is_some() {
                self.link.tell(Update::Asking);
            }
            match &event {
                Some(Ok(StreamEvent::Text(text) | StreamEvent::Thinking(text))) => {
                    let is_thought = matches!(event, Some(Ok(StreamEvent::Thinking(_))));
                    if gathered.is_thought != is_thought {
                        self.tell_gathered(&mut gathered);
                        gathered.is_thought = is_thought;
                    }
                    if gathered.text.is_empty() {
                        due = Instant::now() + GATHER;
                    }
                    gathered.text.push_str(text);
                    if Instant::now() >= due {
                        self.tell_gathered(&mut gathered);
                    }
                }
                Some(Ok(StreamEvent::Retry(retry))) => {
                    tracing::info!(after = ?retry.after, error = %retry.error, "the request is sent again");
                    again = Some(Instant::now() + retry.after);
                    self.link.tell(Update::Retrying(retrying(retry)));
                }
                _ => {}
            }
            if let Some(Ok(StreamEvent::Retry(retry))) = &event
                && retry.attempt == 0
            {
                self.tariff += 1;
                if has_pictures {
                    self.tell_of_pictures(model);
                }
            }
            self.saying.add(event);
            if self.saying.outcome.is_some() {
                self.tell_gathered(&mut gathered);
                let answer = std::mem::take(&mut self.saying);
                self.count(&answer, model);
                return Ok(answer);
            }
        }
    }

    /// Tells the user, once in a turn, that the model that is asked now does not get the pictures of the conversation.
    fn tell_of_pictures(&mut self, model: &Model) {
        if let Some(Tariff { model, sees: false, .. }) = model.tariffs.get(self.tariff)
            && !self.unseeing.contains(model)
        {
            self.unseeing.push(model.clone());
            self.link.tell_user(format!(
                "{model} is asked without the pictures: it takes none (`provider.NAME.images` is false)"
            ));
        }
    }

    fn count(&mut self, answer: &Answer, model: &Model) {
        if answer.usage.is_zero() {
            return;
        }
        let tariff = model.tariffs.get(self.tariff).or(model.tariffs.last());
        self.usage += budget::record(&self.link.ports.store, &self.link.turn, tariff, answer.usage);
        self.link.tell(Update::Usage(self.usage));
    }

    /// Waits, if need be, until the user lets the turn go on beyond its budget; ends it if not.
    async fn within_budget(&mut self, model: &Model) -> Result<(), TurnStatus> {
        self.tariff = 0;
        let ports = &self.link.ports;
        budget::allow(&ports.store, &ports.config, &ports.handle, &self.link.turn, model).await
    }

    fn tell_gathered(&self, gathered: &mut Gathered) {
        if gathered.text.is_empty() {
            return;
        }
        let text = std::mem::take(&mut gathered.text);
        self.link.tell(if gathered.is_thought { Update::Thinking(text) } else { Update::Text(text) });
    }
}

fn retrying(retry: &Retry) -> Retrying {
    let wait = i64::try_from(retry.after.as_millis()).unwrap_or(i64::MAX);
    let ProviderError { class, message, .. } = &retry.error;
    Retrying {
        attempt: retry.attempt,
        at: Timestamp(fresh::now().0.saturating_add(wait)),
        error: Failure { class: class.name().to_owned(), message: message.clone() },
    }
}

/// Returns the conversation with what one side said twice in a row in one message, as every wire format takes it: a turn
/// that was stopped leaves a prompt, or results of tools, without an answer.
fn merged(messages: &[Message]) -> Vec<Message> {
    let mut merged: Vec<Message> = Vec::with_capacity(messages.len());
    for message in messages {
        match merged.last_mut() {
            Some(last) if last.role == message.role && last.role == Role::User => {
                last.content.extend(message.content.iter().cloned());
            }
            _ => merged.push(message.clone()),
        }
    }
    // Results of tools stand directly behind their calls.
    for message in merged.iter_mut().filter(|message| message.role == Role::User) {
        message.content.sort_by_key(|content| !matches!(content, Content::ToolResult { .. }));
    }
    merged
}
