//! `OpenAI` Chat Completions, and the many servers that are nearly compatible with it.
//!
//! Format: the API reference of `OpenAI`, "Chat Completions". What compatible servers do otherwise stands where it is handled.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::alike::Frame;
use crate::calls::{CallIds, PartialCall};
use crate::request::{Content, Message, Request, Role, ToolSpec};
use crate::stream::{ErrorClass, ProviderError, StopReason, StreamEvent, Usage};
use crate::wire::{self, Decode, Settings, set};

/// Who is asked: they disagree on names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    OpenAi,
    Compatible,
}

/// Returns the body of a request.
pub(crate) fn encode(request: &Request, settings: &Settings, server: Server) -> Value {
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(json!({"role": "system", "content": request.system}));
    }
    // Thoughts belong to the turn in which they were thought: behind the last thing that the user said. A picture alone is a
    // tool's.
    let is_said = |message: &Message| {
        message.role == Role::User
            && message.content.iter().any(|content| matches!(content, Content::Text { .. }))
    };
    let turn = request.messages.iter().rposition(is_said).unwrap_or_default();
    for (index, message) in request.messages.iter().enumerate() {
        match message.role {
            Role::User => of_user(message, &mut messages),
            Role::Assistant => {
                let think = server == Server::Compatible && index > turn;
                messages.extend(of_assistant(message, think));
            }
        }
    }
    let mut body = json!({"model": request.model, "messages": messages, "stream": !settings.whole});
    if !settings.whole {
        set(&mut body, "stream_options", json!({"include_usage": true}));
    }
    if !request.tools.is_empty() {
        set(&mut body, "tools", request.tools.iter().map(function).collect::<Value>());
    }
    if let Some(max_tokens) = settings.max_tokens {
        let name = match server {
            Server::OpenAi => "max_completion_tokens",
            Server::Compatible => "max_tokens",
        };
        set(&mut body, name, json!(max_tokens));
    }
    if let Some(effort) = wire::openai_effort(settings) {
        set(&mut body, "reasoning_effort", json!(effort));
    }
    body
}

/// Returns a tool as Chat Completions and Ollama are told of it.
pub(crate) fn function(tool: &ToolSpec) -> Value {
    let function =
        json!({"name": tool.name, "description": tool.description, "parameters": tool.input_schema});
    json!({"type": "function", "function": function})
}

fn of_user(message: &Message, messages: &mut Vec<Value>) {
    let mut parts = Vec::new();
    let mut only_text = String::new();
    let mut has_image = false;
    for content in &message.content {
        match content {
            Content::ToolResult { id, text, .. } => {
                messages.push(json!({"role": "tool", "tool_call_id": id, "content": text}));
            }
            Content::Text { text } => {
                if !only_text.is_empty() {
                    only_text.push_str("\n\n");
                }
                only_text.push_str(text);
                parts.push(json!({"type": "text", "text": text}));
            }
            Content::Image { media_type, data } => {
                has_image = true;
                let url = format!("data:{media_type};base64,{data}");
                parts.push(json!({"type": "image_url", "image_url": {"url": url}}));
            }
            Content::Thinking { .. } | Content::ToolCall(_) => {}
        }
    }
    if has_image {
        messages.push(json!({"role": "user", "content": parts}));
    } else if !parts.is_empty() {
        // Many small servers know content as a string only.
        messages.push(json!({"role": "user", "content": only_text}));
    }
}

fn of_assistant(message: &Message, think: bool) -> Option<Value> {
    let mut text = String::new();
    let mut thoughts = String::new();
    let mut calls = Vec::new();
    for content in &message.content {
        match content {
            Content::Text { text: more } => text.push_str(more),
            Content::Thinking { text: more, seal: None } => thoughts.push_str(more),
            Content::ToolCall(call) => {
                let function = json!({"name": call.name, "arguments": call.input.to_string()});
                calls.push(json!({"id": call.id, "type": "function", "function": function}));
            }
            Content::Thinking { .. } | Content::Image { .. } | Content::ToolResult { .. } => {}
        }
    }
    if text.is_empty() && calls.is_empty() {
        return None;
    }
    let mut said = Map::new();
    said.insert("role".to_owned(), json!("assistant"));
    said.insert("content".to_owned(), if text.is_empty() { Value::Null } else { json!(text) });
    // DeepSeek and Kimi want the thoughts of a turn back while it calls tools, under the name under which they gave them.
    if think && !thoughts.is_empty() && !calls.is_empty() {
        said.insert("reasoning_content".to_owned(), json!(thoughts));
    }
    if !calls.is_empty() {
        said.insert("tool_calls".to_owned(), json!(calls));
    }
    Some(Value::Object(said))
}

/// Reads answers.
pub(crate) struct Decoder {
    ids: CallIds,
    calls: Vec<(Option<u64>, PartialCall)>,
    usage: Usage,
    finish: Option<String>,
    refused: bool,
    /// Anything was said.
    spoke: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Chunk<'a> {
    /// Only one choice is asked for. The first chunk of some servers, and the one with the counts, has none.
    #[serde(borrow, deserialize_with = "wire::first")]
    choices: Option<Choice<'a>>,
    usage: Option<Counts>,
    error: Option<Value>,
    #[serde(borrow, deserialize_with = "wire::borrowed")]
    object: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Choice<'a> {
    /// What is new, in a stream.
    delta: Option<Said>,
    /// All that was said, in a whole answer.
    message: Option<Box<Said>>,
    #[serde(borrow, deserialize_with = "wire::borrowed")]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    content: Option<String>,
    refusal: Option<String>,
    /// `DeepSeek`, Qwen, GLM, Kimi, vLLM, llama.cpp.
    reasoning_content: Option<String>,
    /// `OpenRouter`, newer vLLM, LM Studio.
    reasoning: Option<String>,
    tool_calls: Option<Vec<CallPiece>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CallPiece {
    index: Option<u64>,
    id: Option<String>,
    function: Option<FunctionPiece>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FunctionPiece {
    name: Option<String>,
    /// A string; an object from some small servers.
    arguments: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Counts {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<Cached>,
    /// `DeepSeek`.
    prompt_cache_hit_tokens: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cached {
    cached_tokens: Option<u64>,
}

impl Decoder {
    pub(crate) fn new(request: &Request) -> Self {
        Self {
            ids: CallIds::of(request),
            calls: Vec::new(),
            usage: Usage::default(),
            finish: None,
            refused: false,
            spoke: false,
        }
    }

    fn said(&mut self, said: Said, out: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        wire::thinking(out, said.reasoning_content.filter(|text| !text.is_empty()).or(said.reasoning));
        wire::text(out, said.content);
        if let Some(refusal) = said.refusal.filter(|refusal| !refusal.is_empty()) {
            self.refused = true;
            wire::text(out, Some(refusal));
        }
        for piece in said.tool_calls.unwrap_or_default() {
            self.piece(piece, out)?;
        }
        Ok(())
    }

    fn piece(&mut self, piece: CallPiece, out: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        let id = piece.id.unwrap_or_default();
        let FunctionPiece { name, arguments } = piece.function.unwrap_or_default();
        let name = name.unwrap_or_default();
        let arguments = match arguments {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text,
            Some(object) => object.to_string(),
        };
        let at = match piece.index {
            Some(index) => self.calls.iter().rposition(|(open, _)| *open == Some(index)),
            None if id.is_empty() => self.calls.len().checked_sub(1),
            None => self.calls.iter().rposition(|(_, call)| call.id == id),
        };
        let open = at.and_then(|at| self.calls.get_mut(at)).map(|(_, call)| call);
        let call = match open {
            // Some servers give every call the index 0: another id is another call, and so is a name behind complete input.
            Some(call) if !is_next(call, &id, &name) => call,
            _ => {
                out.push(StreamEvent::Begun);
                self.calls.push((piece.index, PartialCall::default()));
                let Some((_, call)) = self.calls.last_mut() else { return Ok(()) };
                call
            }
        };
        if call.id.is_empty() {
            call.id = id;
        }
        // A name comes whole, in pieces, or again with every piece.
        if call.name != name {
            call.name.push_str(&name);
        }
        call.input.push_str(&arguments);
        call.check()
    }

    fn count(&mut self, counts: Counts) {
        let cached = counts.prompt_tokens_details.unwrap_or_default().cached_tokens;
        let cached = cached.or(counts.prompt_cache_hit_tokens).unwrap_or_default();
        // Each of them is the total so far: some servers send it with every chunk.
        self.usage = Usage {
            input_tokens: counts.prompt_tokens.unwrap_or_default().saturating_sub(cached),
            output_tokens: counts.completion_tokens.unwrap_or_default(),
            cache_read_tokens: cached,
            cache_write_tokens: 0,
        };
    }

    fn stop(&mut self, out: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        let calls = std::mem::take(&mut self.calls);
        let has_calls = !calls.is_empty();
        let reason = match self.finish.as_deref().unwrap_or_default().to_lowercase().as_str() {
            _ if self.refused => StopReason::Refusal,
            "content_filter" | "safety" | "recitation" => StopReason::Refusal,
            "length" | "max_tokens" => StopReason::MaxTokens,
            "error" | "abort" | "insufficient_system_resource" => {
                let message = "the server broke off its answer and does not say why";
                return Err(ProviderError::new(ErrorClass::Overloaded, message));
            }
            _ if has_calls => StopReason::ToolUse,
            _ => StopReason::EndTurn,
        };
        for (_, call) in calls {
            out.push(self.ids.finish(call)?);
        }
        out.push(StreamEvent::Stop(reason));
        Ok(())
    }

    fn chunk(&mut self, text: &str, out: &mut Vec<StreamEvent>) -> Result<Frame, ProviderError> {
        let Chunk { choices, usage, error, object } = wire::read(text)?;
        if error.is_some_and(|error| !error.is_null()) || object.as_deref() == Some("error") {
            return Err(crate::failure::of_frame(&wire::read(text)?));
        }
        let mut is = Frame::Words;
        if let Some(Choice { delta, message, finish_reason }) = choices {
            let said = delta.or(message.map(|message| *message)).unwrap_or_default();
            if said.tool_calls.is_some() {
                is = Frame::Other;
            }
            self.said(said, out)?;
            self.spoke |= !out.is_empty() || !self.calls.is_empty();
            if let Some(reason) = finish_reason.filter(|reason| !reason.is_empty()) {
                self.finish = Some(reason.into_owned());
            }
        }
        if let Some(usage) = usage {
            self.count(usage);
        }
        Ok(is)
    }
}

fn is_next(call: &PartialCall, id: &str, name: &str) -> bool {
    let other_id = !id.is_empty() && !call.id.is_empty() && id != call.id;
    other_id || !name.is_empty() && call.is_complete()
}

impl Decode for Decoder {
    fn frame(&mut self, frame: &str, out: &mut Vec<StreamEvent>) -> Result<Frame, ProviderError> {
        if frame.trim() == "[DONE]" {
            if self.finish.is_none() && !self.spoke {
                return Err(wire::protocol("the server ended its answer before it said anything"));
            }
            self.stop(out)?;
            return Ok(Frame::Other);
        }
        self.chunk(frame, out)
    }

    fn whole(&mut self, body: &str, out: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        self.chunk(body, out)?;
        if self.finish.is_none() {
            return Err(crate::failure::of_frame(&wire::read(body)?));
        }
        self.stop(out)
    }

    /// Some servers leave out `[DONE]`; they have come to their end if they say why they finished.
    fn close(&mut self, out: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        if self.finish.is_some() { self.stop(out) } else { Ok(()) }
    }

    fn take_usage(&mut self) -> Usage {
        std::mem::take(&mut self.usage)
    }
}
