//! Tool calls while they arrive in pieces: their ids, and whether they are complete in the end.

use std::collections::HashSet;

use serde_json::Value;

use crate::request::{BrokenCall, Content, Request, Role, ToolCall};
use crate::stream::{ErrorClass, ProviderError, StreamEvent};

/// The longest input of one call, in bytes.
const LONGEST_INPUT: usize = 4 * 1024 * 1024;

/// The most calls of one answer.
const MOST_CALLS: usize = 128;

/// Gives each call an id of its own: the server's, unless it gives none or one that the conversation has already.
#[derive(Debug)]
pub(crate) struct CallIds {
    used: HashSet<String>,
    turn: usize,
    made: usize,
}

/// A call of which more may come.
#[derive(Debug, Default)]
pub(crate) struct PartialCall {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) input: String,
}

impl CallIds {
    /// Knows the ids of a conversation.
    pub(crate) fn of(request: &Request) -> Self {
        let contents = request.messages.iter().flat_map(|message| &message.content);
        let used = contents.filter_map(|content| match content {
            Content::ToolCall(call) => Some(call.id.clone()),
            _ => None,
        });
        let spoken = request.messages.iter().filter(|message| message.role == Role::Assistant).count();
        Self { used: used.collect(), turn: spoken + 1, made: 0 }
    }

    /// Returns the event of a call that has come to its end.
    pub(crate) fn finish(&mut self, call: PartialCall) -> Result<StreamEvent, ProviderError> {
        call.check()?;
        self.made += 1;
        if self.made > MOST_CALLS {
            let message = format!("the answer has more than {MOST_CALLS} calls of tools");
            return Err(ProviderError::new(ErrorClass::Protocol, message));
        }
        let PartialCall { id, name, input } = call;
        let id = self.unique(id);
        Ok(match complete(&name, &input) {
            Ok(input) => StreamEvent::ToolCall(ToolCall { id, name, input }),
            Err(why) => StreamEvent::BrokenCall(BrokenCall { id, name, why }),
        })
    }

    fn unique(&mut self, id: String) -> String {
        let mut id = if id.is_empty() { format!("call_{}_{}", self.turn, self.made) } else { id };
        while !self.used.insert(id.clone()) {
            id = format!("{id}_{}_{}", self.turn, self.made);
        }
        id
    }
}

impl PartialCall {
    /// Refuses a call that grows without end.
    pub(crate) fn check(&self) -> Result<(), ProviderError> {
        if self.input.len() > LONGEST_INPUT {
            let message = format!("the input of a tool call is longer than {LONGEST_INPUT} bytes");
            return Err(ProviderError::new(ErrorClass::Protocol, message));
        }
        Ok(())
    }

    /// Tells whether nothing is missing, so that more can only be another call.
    pub(crate) fn is_complete(&self) -> bool {
        !self.input.trim().is_empty() && complete(&self.name, &self.input).is_ok()
    }
}

/// Reads the input of a call. Nothing at all is what a tool without parameters gets.
fn complete(name: &str, input: &str) -> Result<Value, String> {
    if name.is_empty() {
        return Err("this call names no tool, so nothing was done".to_owned());
    }
    if input.trim().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_str(input) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(format!("the input of this call of `{name}` is no JSON object, so nothing was done")),
        Err(error) => Err(format!(
            "the input of this call of `{name}` is not complete JSON ({error}), so nothing was done; \
             if it was long, do it in smaller steps"
        )),
    }
}

#[cfg(test)]
mod tests;
