//! What of a conversation came from the network, read from its messages: also after a restart, and in a copy of it.

use std::collections::BTreeSet;

use kkcode_core::permission::capability::Capability;
use kkcode_core::permission::heard::Heard;
use kkcode_provider::request::{Content, Message, ToolCall};
use serde_json::Value;

use crate::web::{Allowed, Target};

/// The line by which an agent is told that a task it has given away has read something from the network.
pub(crate) const TOLD: &str = "[it has read what came from the network]";

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    /// Whether anything came.
    anything: bool,
    /// The addresses in what came.
    addresses: BTreeSet<String>,
    /// The calls that may bring something and have not ended, by their ids.
    asked: BTreeSet<String>,
}

impl Hearing {
    /// Takes in what is new in the conversation.
    pub(super) fn read(&mut self, messages: &[Message]) {
        for content in messages.iter().flat_map(|message| &message.content) {
            match content {
                Content::ToolCall(ToolCall { id, name, .. }) if brings(name) => {
                    self.asked.insert(id.clone());
                }
                // What was refused never came, and an error may repeat what the model has said.
                Content::ToolResult { id, text, is_error: false } if self.asked.remove(id) => {
                    self.anything = true;
                    self.addresses.extend(addresses(text));
                }
                Content::ToolResult { text, .. } | Content::Text { text } => {
                    self.anything |= text.lines().any(|line| line == TOLD);
                }
                _ => {}
            }
        }
    }

    /// Returns what came, and what the user has named in `prompts`; none as long as nothing came.
    pub(super) fn heard<'a>(&self, prompts: impl Iterator<Item = &'a str>) -> Option<Heard> {
        self.anything
            .then(|| Heard { addresses: prompts.flat_map(addresses).chain(self.addresses.clone()).collect() })
    }
}

/// Tells whether anything came, by the messages of a whole conversation as they are stored.
pub(crate) fn anything(rows: Vec<Value>) -> bool {
    let messages: Result<Vec<Message>, _> = rows.into_iter().map(serde_json::from_value).collect();
    let mut hearing = Hearing::default();
    match messages {
        Ok(messages) => hearing.read(&messages),
        // What cannot be read may be anything.
        Err(_) => return true,
    }
    hearing.anything
}

/// Tells whether a tool may bring something that strangers wrote.
pub(crate) fn brings(tool: &str) -> bool {
    matches!(Capability::of_tool(tool), Capability::Network | Capability::Unknown)
}

/// Returns the addresses in a text, as they are fetched. Where one ends is not always plain: then as it may have been meant.
fn addresses(text: &str) -> impl Iterator<Item = String> {
    let starts = text.match_indices("http").map(|(at, _)| text.get(at..).unwrap_or_default());
    let starts = starts.filter(|rest| rest.starts_with("http://") || rest.starts_with("https://"));
    starts.flat_map(|rest| {
        let is_end =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`' | '|' | '\\');
        let whole = rest.split(is_end).next().unwrap_or_default();
        let is_mark = |c: char| ".,;:!?'*_)]}".contains(c);
        let shorter = std::iter::successors(Some(whole), move |text| text.strip_suffix(is_mark));
        let inner = whole.split([')', ']', '}']).next().unwrap_or_default();
        let meant: BTreeSet<&str> = shorter.chain([inner]).collect();
        meant
            .into_iter()
            .filter_map(|text| Target::parse(text, Allowed::PrivateToo).ok())
            .map(|target| target.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        addresses(text).collect::<BTreeSet<_>>().into_iter().collect()
    }

    #[test]
    fn addresses_are_found_as_they_may_have_been_meant() {
        assert_eq!(
            named("see https://docs.rs/x, or http://EXAMPLE.org."),
            ["http://example.org./", "http://example.org/", "https://docs.rs/x", "https://docs.rs/x,",]
        );
        let found = named("[a](https://example.org/b_(c)) and <https://example.org/d?e=f>");
        for meant in ["https://example.org/b_(c)", "https://example.org/b_(c", "https://example.org/d?e=f"] {
            assert!(found.contains(&meant.to_owned()), "{found:?}");
        }
        assert_eq!(named("http, https:, httpx://example.org, ftp://example.org and https://").len(), 0);
    }
}
