//! Ollama `/api/chat`: lines of JSON.
//!
//! Format: "Generate a chat completion" in Ollama's `docs/api.md`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::alike::Frame;
use crate::calls::{CallIds, PartialCall};
use crate::openai_chat::function;
use crate::request::{Content, Message, Request, Role};
use crate::stream::{ProviderError, StopReason, StreamEvent, Usage};
use crate::wire::{self, Decode, Settings, Thinking, set};

/// Returns the body of a request.
pub(crate) fn encode(request: &Request, settings: &Settings) -> Value {
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(json!({"role": "system", "content": request.system}));
    }
    for message in &request.messages {
        encode_message(message, &request.messages, &mut messages);
    }
    let mut body = json!({"model": request.model, "messages": messages, "stream": !settings.whole});
    if !request.tools.is_empty() {
        set(&mut body, "tools", request.tools.iter().map(function).collect::<Value>());
    }
    // Without `num_ctx` the server keeps to its own small limit and silently drops the beginning of the conversation.
    let limits = [("num_ctx", settings.context_limit), ("num_predict", settings.max_tokens)];
    let options: Map<String, Value> =
        limits.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
    if !options.is_empty() {
        set(&mut body, "options", options);
    }
    if let Some(think) = think(settings) {
        set(&mut body, "think", think);
    }
    body
}

/// Returns whether, and how hard, a model is to think; the server knows three words for that.
fn think(settings: &Settings) -> Option<Value> {
    match (settings.thinking, settings.effort.as_deref()) {
        (Some(Thinking::Off), _) | (None, Some("off" | "none")) => Some(json!(false)),
        (_, Some("minimal" | "low")) => Some(json!("low")),
        (_, Some("xhigh" | "max")) => Some(json!("high")),
        (_, Some(effort)) => Some(json!(effort)),
        (Some(_), None) => Some(json!(true)),
        (None, None) => None,
    }
}

fn encode_message(message: &Message, all: &[Message], messages: &mut Vec<Value>) {
    let mut text = String::new();
    let mut images = Vec::new();
    let mut calls = Vec::new();
    for content in &message.content {
        match content {
            Content::Text { text: more } => text.push_str(more),
            Content::Image { data, .. } => images.push(data),
            Content::ToolCall(call) => {
                calls.push(json!({"function": {"name": call.name, "arguments": call.input}}));
            }
            Content::ToolResult { id, text, .. } => {
                messages.push(json!({"role": "tool", "tool_name": tool_name(all, id), "content": text}));
            }
            Content::Thinking { .. } => {}
        }
    }
    if text.is_empty() && images.is_empty() && calls.is_empty() {
        return;
    }
    let role = match message.role {
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    let mut encoded = json!({"role": role, "content": text});
    if !images.is_empty() {
        set(&mut encoded, "images", json!(images));
    }
    if !calls.is_empty() {
        set(&mut encoded, "tool_calls", json!(calls));
    }
    messages.push(encoded);
}

/// Returns the tool that a result is from: the format knows no ids.
fn tool_name<'a>(messages: &'a [Message], id: &str) -> &'a str {
    let contents = messages.iter().flat_map(|message| &message.content);
    let mut names = contents.filter_map(|content| match content {
        Content::ToolCall(call) if call.id == id => Some(call.name.as_str()),
        _ => None,
    });
    names.next().unwrap_or_default()
}

/// Reads answers.
pub(crate) struct Decoder {
    ids: CallIds,
    usage: Usage,
    has_calls: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Line<'a> {
    message: Option<Said>,
    done: bool,
    #[serde(borrow, deserialize_with = "wire::borrowed")]
    done_reason: Option<Cow<'a, str>>,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
    error: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    content: Option<String>,
    thinking: Option<String>,
    /// Gateways that imitate Ollama.
    reasoning_content: Option<String>,
    tool_calls: Option<Vec<Call>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Call {
    id: Option<String>,
    function: Option<Function>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Function {
    name: Option<String>,
    arguments: Option<Value>,
}

impl Decoder {
    pub(crate) fn new(request: &Request) -> Self {
        Self { ids: CallIds::of(request), usage: Usage::default(), has_calls: false }
    }

    fn said(&mut self, said: Said, out: &mut Vec<StreamEvent>) -> Result<Frame, ProviderError> {
        wire::thinking(out, said.thinking.or(said.reasoning_content));
        wire::text(out, said.content);
        let Some(calls) = said.tool_calls else { return Ok(Frame::Words) };
        for call in calls {
            self.has_calls = true;
            let Function { name, arguments } = call.function.unwrap_or_default();
            let input = match arguments {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text,
                Some(object) => object.to_string(),
            };
            let (id, name) = (call.id.unwrap_or_default(), name.unwrap_or_default());
            out.push(self.ids.finish(PartialCall { id, name, input })?);
        }
        Ok(Frame::Other)
    }
}

impl Decode for Decoder {
    fn frame(&mut self, frame: &str, out: &mut Vec<StreamEvent>) -> Result<Frame, ProviderError> {
        let Line { message, done, done_reason, prompt_eval_count, eval_count, error } = wire::read(frame)?;
        if error.is_some_and(|error| !error.is_null()) {
            return Err(crate::failure::of_frame(&wire::read(frame)?));
        }
        let is = self.said(message.unwrap_or_default(), out)?;
        if !done {
            return Ok(is);
        }
        self.usage.input_tokens = prompt_eval_count.unwrap_or_default();
        self.usage.output_tokens = eval_count.unwrap_or_default();
        out.push(StreamEvent::Stop(match done_reason.as_deref() {
            Some("length") => StopReason::MaxTokens,
            Some(reason @ ("load" | "unload")) => {
                let what = format!("the server did not answer, it only did `{reason}` the model");
                return Err(wire::protocol(what));
            }
            _ if self.has_calls => StopReason::ToolUse,
            _ => StopReason::EndTurn,
        }));
        Ok(Frame::Other)
    }

    fn whole(&mut self, body: &str, out: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        self.frame(body, out).map(drop)
    }

    fn close(&mut self, _: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        Ok(())
    }

    fn take_usage(&mut self) -> Usage {
        std::mem::take(&mut self.usage)
    }
}
