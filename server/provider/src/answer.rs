//! One answer of a model, put together from its events, and the one way in which it ended.

use crate::request::{BrokenCall, Content, ToolCall};
use crate::stream::{ProviderError, StopReason, StreamEvent, Usage};

/// What a model has said so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// What it said, in order, ready to be sent back: thoughts with their seals, text, calls.
    pub content: Vec<Content>,
    /// The calls in `content`, in order. A broken one is answered and never run.
    pub calls: Vec<Result<ToolCall, BrokenCall>>,
    /// Tokens used.
    pub usage: Usage,
    /// How it ended, once it has.
    pub outcome: Option<Outcome>,
}

/// The one way in which an answer ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The model came to an end, of its own or at a limit.
    Completed(StopReason),
    /// The stream closed without the end that its format has. What came before is no answer, and its calls are not run.
    Truncated,
    /// The model, or a filter behind it, declined.
    Refused,
    /// Whoever asked stopped listening.
    Cancelled,
    /// The request failed.
    Failed(ProviderError),
}

impl Answer {
    /// Adds what the stream gave next; `None` is its close. What comes behind the end changes nothing.
    pub fn add(&mut self, event: Option<Result<StreamEvent, ProviderError>>) {
        if self.outcome.is_some() {
            return;
        }
        match event {
            None => self.outcome = Some(Outcome::Truncated),
            Some(Err(error)) => self.outcome = Some(Outcome::Failed(error)),
            Some(Ok(event)) => self.event(event),
        }
    }

    /// Ends an answer that nobody waits for any more.
    pub fn cancel(&mut self) {
        self.outcome.get_or_insert(Outcome::Cancelled);
    }

    /// Returns all text that was said.
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|content| match content {
            Content::Text { text } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    fn event(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Text(more) => match self.content.last_mut() {
                Some(Content::Text { text }) => text.push_str(&more),
                _ => self.content.push(Content::Text { text: more }),
            },
            StreamEvent::Thinking(more) => match self.content.last_mut() {
                Some(Content::Thinking { text, seal: None }) => text.push_str(&more),
                _ => self.content.push(Content::Thinking { text: more, seal: None }),
            },
            StreamEvent::Seal(given) => match self.content.last_mut() {
                Some(Content::Thinking { seal: seal @ None, .. }) => *seal = Some(given),
                _ => self.content.push(Content::Thinking { text: String::new(), seal: Some(given) }),
            },
            StreamEvent::ToolCall(call) => {
                self.content.push(Content::ToolCall(call.clone()));
                self.calls.push(Ok(call));
            }
            StreamEvent::BrokenCall(broken) => {
                self.content.push(Content::ToolCall(broken.call()));
                self.calls.push(Err(broken));
            }
            StreamEvent::Usage(usage) => self.usage += usage,
            StreamEvent::Begun | StreamEvent::Retry(_) => {}
            StreamEvent::Stop(StopReason::Refusal) => self.outcome = Some(Outcome::Refused),
            StreamEvent::Stop(reason) => self.outcome = Some(Outcome::Completed(reason)),
        }
    }
}

#[cfg(test)]
mod tests;
