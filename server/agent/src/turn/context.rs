//! Keeps the conversation within what the model can hold: old results become previews, then the beginning a summary.

use std::collections::VecDeque;

use kkcode_provider::request::{Content, EARLIER, Message, Role, ToolCall, answers};
use serde_json::Value;

/// Messages at the end that are never shortened.
const KEPT: usize = 6;

/// What is left of an old result or of a long argument of an old call, in characters.
const PREVIEW: usize = 200;

/// The longest result of a tool that the model is told, as a share of what it can hold, and its bounds in characters.
const RESULT_SHARE: (u64, u64) = (8, 100);
const RESULT_BOUNDS: (usize, usize) = (16_000, 200_000);

/// How many calls and prompts a summary names.
const NAMED: usize = 20;

/// How much of one prompt or reply a summary has, in characters.
const QUOTED: usize = 2_000;

/// How much of the conversation the model is told.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// What the model can hold, in tokens.
    limit: u64,
    /// What is always in it.
    fixed: u64,
}

impl Window {
    /// Makes a window for a model that can hold `limit` tokens, with this system prompt.
    pub(super) fn of(limit: u64, system: &str) -> Self {
        // The tools' descriptions come on top.
        Self { limit, fixed: tokens(system) + 4_000.min(limit / 10) }
    }

    /// Returns the conversation, shortened when it fills 85% of what the model can hold: then to 60%, so that what the
    /// provider has in its cache stays good for a while.
    pub(super) fn fit(&self, messages: Vec<Message>) -> Vec<Message> {
        let longest = self.longest_result();
        let messages: Vec<Message> = messages.into_iter().map(|message| bounded(message, longest)).collect();
        if self.size(&messages) <= self.limit * 85 / 100 {
            return messages;
        }
        self.compact(messages, self.limit * 60 / 100)
    }

    /// Takes the model at its word that this conversation is too long. Tells whether it can be made shorter.
    pub(super) fn shrink(&mut self, messages: &[Message]) -> bool {
        let size = self.size(messages);
        // The next `fit` must find it too long.
        self.limit = self.limit.min(size).saturating_mul(3) / 4;
        messages.len() > 2 && self.limit > self.fixed + 1_000
    }

    fn compact(&self, mut messages: Vec<Message>, target: u64) -> Vec<Message> {
        let before = self.size(&messages);
        let old = messages.len().saturating_sub(KEPT);
        for message in messages.iter_mut().take(old) {
            shorten(message);
        }
        let mut messages = VecDeque::from(messages);
        let mut left_out = Vec::new();
        while self.size(messages.make_contiguous()) > target && messages.len() > KEPT {
            left_out.extend(messages.pop_front());
            // A result never stands without its call.
            while messages.len() > 1 && messages.front().is_some_and(has_results) {
                left_out.extend(messages.pop_front());
            }
        }
        let mut kept = Vec::from(messages);
        if self.size(&kept) > target {
            kept.iter_mut().for_each(shorten);
        }
        if !left_out.is_empty() {
            kept.insert(0, summary(&left_out));
        }
        tracing::info!(
            before,
            after = self.size(&kept),
            "the conversation is shortened, in tokens by our estimate"
        );
        kept
    }

    fn size(&self, messages: &[Message]) -> u64 {
        self.fixed + messages.iter().map(size).sum::<u64>()
    }

    /// Returns how many characters of one result are told at most.
    fn longest_result(&self) -> usize {
        let (share, of) = RESULT_SHARE;
        let characters = usize::try_from(self.limit * share * 7 / (of * 2)).unwrap_or(usize::MAX);
        characters.clamp(RESULT_BOUNDS.0, RESULT_BOUNDS.1)
    }
}

/// Estimates tokens: 4 letters of Latin script are one, and 3 of others two.
fn tokens(text: &str) -> u64 {
    let (mut narrow, mut wide) = (0_u64, 0_u64);
    for character in text.chars() {
        if character < '\u{2e80}' { narrow += 1 } else { wide += 1 }
    }
    narrow.div_ceil(4) + (wide * 2).div_ceil(3)
}

fn size(message: &Message) -> u64 {
    let content = message.content.iter().map(|content| match content {
        Content::Text { text } | Content::ToolResult { text, .. } | Content::Thinking { text, .. } => {
            tokens(text)
        }
        Content::Image { .. } => 1_600,
        Content::ToolCall(call) => tokens(&call.name) + tokens(&call.input.to_string()),
    });
    4 + content.sum::<u64>()
}

fn has_results(message: &Message) -> bool {
    message.content.iter().any(|content| matches!(content, Content::ToolResult { .. }))
}

/// Cuts results that are longer than the model could make use of; beginning and end are left.
fn bounded(mut message: Message, longest: usize) -> Message {
    for content in &mut message.content {
        if let Content::ToolResult { text, .. } = content
            && text.len() > longest
            && let (head, tail) = (text.floor_char_boundary(longest * 3 / 4), text.len() - longest / 4)
            && let Some((head, tail)) = text.get(..head).zip(text.get(text.ceil_char_boundary(tail)..))
        {
            let cut = text.len() - head.len() - tail.len();
            *text = format!("{head}\n[{cut} bytes are left out here; ask for a smaller part]\n{tail}");
        }
    }
    message
}

/// Leaves a preview of results and of long arguments.
fn shorten(message: &mut Message) {
    for content in &mut message.content {
        match content {
            Content::ToolResult { text, .. } => {
                if let Some(cut) = preview(text, PREVIEW) {
                    *text = format!("{cut}… [shortened; call the tool again if you need it]");
                }
            }
            Content::ToolCall(call) => shorten_input(&mut call.input),
            Content::Image { .. } => *content = Content::Text { text: "[a picture was here]".to_owned() },
            Content::Text { .. } | Content::Thinking { .. } => {}
        }
    }
    // A thought is worth most where it was thought, and some servers refuse one without its neighbours.
    message.content.retain(|content| !matches!(content, Content::Thinking { .. }));
    if message.content.is_empty() {
        message.content.push(Content::Text { text: "…".to_owned() });
    }
}

fn shorten_input(input: &mut Value) {
    match input {
        Value::String(text) => {
            if let Some(cut) = preview(text, PREVIEW) {
                *text = format!("{cut}… [shortened]");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(shorten_input),
        Value::Object(members) => members.values_mut().for_each(shorten_input),
        _ => {}
    }
}

/// Returns the beginning of a text that is longer than that.
fn preview(text: &str, longest: usize) -> Option<&str> {
    // One that is barely longer would grow by the note behind it.
    let end = text.char_indices().nth(longest)?.0;
    (text.len() > end + 100).then(|| text.get(..end))?
}

/// Says what the beginning of a conversation was, in its own words and without asking a model: what the user wanted, what
/// was done about it, and what was said last.
fn summary(left_out: &[Message]) -> Message {
    let mut prompts: Vec<String> = Vec::new();
    let mut calls: VecDeque<String> = VecDeque::new();
    let mut reply = String::new();
    let failed = |id: &str| {
        left_out
            .iter()
            .flat_map(|message| &message.content)
            .any(|content| matches!(content, Content::ToolResult { id: of, is_error: true, .. } if of == id))
    };
    for message in left_out {
        for content in &message.content {
            match (message.role, content) {
                // What an earlier summary says stands in this one.
                (Role::User, Content::Text { text }) if text.starts_with(EARLIER) => {
                    prompts.push(earlier(text));
                }
                (Role::User, Content::Text { text }) if !text.starts_with('[') => prompts.push(quoted(text)),
                (Role::Assistant, Content::Text { text }) => reply = quoted(text),
                (Role::Assistant, Content::ToolCall(call)) => {
                    let end = if failed(&call.id) { " (failed)" } else { "" };
                    calls.push_back(format!("{}{end}", named(call)));
                    if calls.len() > NAMED {
                        calls.pop_front();
                    }
                }
                _ => {}
            }
        }
    }
    // The first says what it is all about.
    while prompts.len() > NAMED {
        prompts.remove(1);
    }
    let calls: Vec<String> = calls.into();
    let text = format!(
        "{EARLIER} answers=\"{}\">\nThe beginning of this conversation did not fit any more; this is what is left of it. The \
         files are as the tools show them.\n\nThe user wanted:\n- {}\n\nYour last calls were:\n- {}\n\nYou said then:\n{reply}\n\
         </earlier-conversation>",
        answers(left_out),
        prompts.join("\n- "),
        calls.join("\n- "),
    );
    Message::user(text)
}

/// Returns what an earlier summary says that the user wanted.
fn earlier(text: &str) -> String {
    let wanted =
        text.split("The user wanted:\n- ").nth(1).and_then(|rest| rest.split("\n\nYour last calls").next());
    quoted(wanted.unwrap_or_default())
}

fn quoted(text: &str) -> String {
    let text = text.trim();
    preview(text, QUOTED).map_or_else(|| text.to_owned(), |cut| format!("{cut}…"))
}

fn named(call: &ToolCall) -> String {
    let about = ["path", "file_path", "pattern", "command", "query"];
    let about = about.iter().find_map(|name| call.input.get(name)).and_then(Value::as_str);
    let about = about.and_then(|about| about.lines().next()).unwrap_or_default();
    format!("{} {}", call.name, preview(about, PREVIEW).unwrap_or(about)).trim_end().to_owned()
}

#[cfg(test)]
mod tests;
