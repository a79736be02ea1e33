//! `OpenAI` Responses, without a conversation kept at the server.
//!
//! Format: the API reference of `OpenAI`, "Responses" and "Streaming events".

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::alike::Frame;
use crate::calls::{CallIds, PartialCall};
use crate::request::{Content, Message, Request, Role, Seal};
use crate::stream::{ErrorClass, ProviderError, StopReason, StreamEvent, Usage};
use crate::wire::{self, Decode, Settings, set};

/// What seals of this format are called.
const FORMAT: &str = "openai_responses";

/// How the names of models begin that think; others refuse to be asked for thoughts.
const THINKING: [&str; 7] = ["o1", "o3", "o4", "gpt-5", "gpt-6", "codex", "gpt-oss"];

/// Returns the body of a request.
pub(crate) fn encode(request: &Request, settings: &Settings) -> Value {
    let mut input = Vec::new();
    for message in &request.messages {
        encode_message(message, &mut input);
    }
    let mut body = json!({
        "model": request.model,
        "input": input,
        "stream": !settings.whole,
        "store": false,
    });
    if !request.system.is_empty() {
        set(&mut body, "instructions", json!(request.system));
    }
    if !request.tools.is_empty() {
        let tool = |tool: &crate::request::ToolSpec| {
            json!({
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.input_schema,
                "strict": false,
            })
        };
        set(&mut body, "tools", request.tools.iter().map(tool).collect::<Value>());
    }
    if let Some(max_tokens) = settings.max_tokens {
        set(&mut body, "max_output_tokens", json!(max_tokens));
    }
    let name = request.model.rsplit('/').next().unwrap_or_default();
    let effort = wire::openai_effort(settings);
    if effort.is_some() || THINKING.iter().any(|thinking| name.starts_with(thinking)) {
        // What is not kept at the server comes back encrypted.
        set(&mut body, "include", json!(["reasoning.encrypted_content"]));
        set(
            &mut body,
            "reasoning",
            match effort {
                Some(effort) => json!({"summary": "auto", "effort": effort}),
                None => json!({"summary": "auto"}),
            },
        );
    }
    body
}

fn encode_message(message: &Message, input: &mut Vec<Value>) {
    let mut parts = Vec::new();
    let say = |parts: &mut Vec<Value>, input: &mut Vec<Value>| {
        let parts = std::mem::take(parts);
        match message.role {
            _ if parts.is_empty() => {}
            Role::User => input.push(json!({"type": "message", "role": "user", "content": parts})),
            // Parts of an answer could only be sent back with the names that the server gave them; a text needs none.
            Role::Assistant => {
                let said: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
                input.push(json!({"type": "message", "role": "assistant", "content": said.concat()}));
            }
        }
    };
    for content in &message.content {
        match content {
            Content::Text { text } if text.is_empty() => {}
            Content::Text { text } => parts.push(json!({"type": "input_text", "text": text})),
            Content::Image { media_type, data } if message.role == Role::User => {
                let url = format!("data:{media_type};base64,{data}");
                parts.push(json!({"type": "input_image", "image_url": url, "detail": "auto"}));
            }
            Content::Thinking { seal: Some(Seal { format, data }), .. } if format == FORMAT => {
                say(&mut parts, input);
                input.push(data.clone());
            }
            Content::Thinking { .. } | Content::Image { .. } => {}
            Content::ToolCall(call) => {
                say(&mut parts, input);
                input.push(json!({
                    "type": "function_call",
                    "call_id": call.id,
                    "name": call.name,
                    "arguments": call.input.to_string(),
                }));
            }
            Content::ToolResult { id, text, .. } => {
                say(&mut parts, input);
                input.push(json!({"type": "function_call_output", "call_id": id, "output": text}));
            }
        }
    }
    say(&mut parts, input);
}

/// Reads answers.
pub(crate) struct Decoder {
    ids: CallIds,
    /// The calls that are open, by the index of their item.
    calls: Vec<(u64, PartialCall)>,
    /// The items of which something was told, by their index.
    told: Vec<u64>,
    usage: Usage,
    refused: bool,
    has_calls: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    output_index: u64,
    summary_index: u64,
    delta: Option<String>,
    arguments: Option<String>,
    item: Option<Value>,
    /// Boxed, as it is rare, and what is frequent is to be small.
    response: Option<Box<Whole>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Whole {
    object: Option<String>,
    status: Option<String>,
    incomplete_details: Option<Incomplete>,
    output: Option<Vec<Value>>,
    usage: Option<Counts>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Incomplete {
    reason: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Counts {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_tokens_details: Option<Cached>,
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
            told: Vec::new(),
            usage: Usage::default(),
            refused: false,
            has_calls: false,
        }
    }

    fn tell(&mut self, index: u64) {
        if self.told.last() != Some(&index) {
            self.told.push(index);
        }
    }

    fn call(&mut self, index: u64) -> &mut PartialCall {
        let at = self.calls.iter().position(|(open, _)| *open == index).unwrap_or_else(|| {
            self.calls.push((index, PartialCall::default()));
            self.calls.len() - 1
        });
        #[expect(
            clippy::indexing_slicing,
            reason = "the index was found in this list, or is that of its last entry"
        )]
        &mut self.calls[at].1
    }

    /// Tells of a call that is not open yet.
    fn begin_call(&self, index: u64, out: &mut Vec<StreamEvent>) {
        if self.calls.iter().all(|(open, _)| *open != index) {
            out.push(StreamEvent::Begun);
        }
    }

    /// Takes what is known of a call from its item, which has its input only when it is done.
    fn describe(&mut self, index: u64, item: &Value) {
        let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let call = self.call(index);
        call.id = text("call_id");
        call.name = text("name");
        let arguments = text("arguments");
        if !arguments.is_empty() {
            call.input = arguments;
        }
    }

    fn finish_call(&mut self, index: u64, out: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        if let Some(at) = self.calls.iter().position(|(open, _)| *open == index) {
            self.has_calls = true;
            out.push(self.ids.finish(self.calls.remove(at).1)?);
        }
        Ok(())
    }

    fn done(&mut self, index: u64, item: Value, out: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        let was_told = self.told.contains(&index);
        self.tell(index);
        match item.get("type").and_then(Value::as_str).unwrap_or_default() {
            "function_call" => {
                self.describe(index, &item);
                self.finish_call(index, out)?;
            }
            "reasoning" => {
                if !was_told {
                    wire::thinking(out, Some(texts(&item, "summary")));
                }
                Self::seal(item, out);
            }
            "message" if !was_told => {
                let parts = item.get("content").and_then(Value::as_array).into_iter().flatten();
                for part in parts {
                    self.refused |= part.get("type").and_then(Value::as_str) == Some("refusal");
                }
                wire::text(out, Some(texts(&item, "content")));
            }
            _ => {}
        }
        Ok(())
    }

    /// The encrypted thought is taken from the finished item only: in the one that was added it may be incomplete.
    fn seal(mut item: Value, out: &mut Vec<StreamEvent>) {
        if let Some(object) = item.as_object_mut()
            && object.get("encrypted_content").is_some_and(Value::is_string)
        {
            object.remove("status");
            out.push(StreamEvent::Seal(Seal { format: FORMAT.to_owned(), data: item }));
        }
    }

    fn end(&mut self, whole: Whole, out: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        if self.told.is_empty() && self.calls.is_empty() {
            for (item, index) in whole.output.unwrap_or_default().into_iter().zip(0..) {
                self.done(index, item, out)?;
            }
        }
        while let Some(index) = self.calls.first().map(|(index, _)| *index) {
            self.finish_call(index, out)?;
        }
        if let Some(counts) = whole.usage {
            let sent = counts.input_tokens.unwrap_or_default();
            let cached = counts.input_tokens_details.unwrap_or_default().cached_tokens.unwrap_or_default();
            self.usage.input_tokens = sent.saturating_sub(cached);
            self.usage.cache_read_tokens = cached;
            self.usage.output_tokens = counts.output_tokens.unwrap_or_default();
        }
        let reason = whole.incomplete_details.and_then(|details| details.reason);
        out.push(StreamEvent::Stop(match (whole.status.as_deref(), reason.as_deref()) {
            _ if self.refused => StopReason::Refusal,
            (_, Some("content_filter")) => StopReason::Refusal,
            (Some("incomplete"), _) | (_, Some(_)) => StopReason::MaxTokens,
            (Some("cancelled"), _) => {
                let message = "the server cancelled its answer";
                return Err(ProviderError::new(ErrorClass::Overloaded, message));
            }
            _ if self.has_calls => StopReason::ToolUse,
            _ => StopReason::EndTurn,
        }));
        Ok(())
    }
}

/// Returns the texts of a list of parts, one behind the other.
fn texts(item: &Value, list: &str) -> String {
    let parts = item.get(list).and_then(Value::as_array).into_iter().flatten();
    let text =
        |part: &Value| part.get("text").or(part.get("refusal")).and_then(Value::as_str).map(str::to_owned);
    parts.filter_map(text).collect()
}

/// Tells whether a frame must be understood; kinds that are not known here may look as they like.
fn is_known(kind: &str) -> bool {
    ["output_text", "refusal", "reasoning", "function_call", "output_item"]
        .iter()
        .any(|part| kind.contains(part))
        || matches!(kind, "response.completed" | "response.incomplete" | "response.failed")
}

impl Decode for Decoder {
    fn frame(&mut self, frame: &str, out: &mut Vec<StreamEvent>) -> Result<Frame, ProviderError> {
        if frame.trim() == "[DONE]" {
            return Ok(Frame::Other);
        }
        let read = wire::read::<Event<'_>>(frame).or_else(|error| {
            let Kind { kind } = wire::read(frame)?;
            if is_known(&kind) { Err(error) } else { Ok(Event { kind, ..Event::default() }) }
        });
        let Event { kind, output_index, summary_index, delta, arguments, item, response } = read?;
        match &*kind {
            "response.output_text.delta" => {
                self.tell(output_index);
                wire::text(out, delta);
                return Ok(Frame::Words);
            }
            "response.refusal.delta" => {
                self.tell(output_index);
                self.refused = true;
                wire::text(out, delta);
            }
            "response.reasoning_summary_part.added" if summary_index > 0 => {
                wire::thinking(out, Some("\n\n".to_owned()));
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                self.tell(output_index);
                wire::thinking(out, delta);
                return Ok(Frame::Words);
            }
            "response.function_call_arguments.delta" => {
                self.begin_call(output_index, out);
                let call = self.call(output_index);
                call.input.push_str(&delta.unwrap_or_default());
                call.check()?;
            }
            "response.function_call_arguments.done" => {
                if let Some(arguments) = arguments.filter(|arguments| !arguments.is_empty()) {
                    self.call(output_index).input = arguments;
                }
            }
            "response.output_item.added" => {
                let item = item.unwrap_or_default();
                if item.get("type").and_then(Value::as_str) == Some("function_call") {
                    self.begin_call(output_index, out);
                    self.describe(output_index, &item);
                }
            }
            "response.output_item.done" => self.done(output_index, item.unwrap_or_default(), out)?,
            "response.completed" | "response.incomplete" => self.end(*response.unwrap_or_default(), out)?,
            "response.failed" | "response.error" | "error" | "" => {
                return Err(crate::failure::of_frame(&wire::read(frame)?));
            }
            _ => {}
        }
        Ok(Frame::Other)
    }

    fn whole(&mut self, body: &str, out: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        let whole: Whole = wire::read(body)?;
        if whole.object.as_deref() != Some("response") || whole.status.as_deref() == Some("failed") {
            return Err(crate::failure::of_frame(&wire::read(body)?));
        }
        self.end(whole, out)
    }

    fn close(&mut self, _: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        Ok(())
    }

    fn take_usage(&mut self) -> Usage {
        std::mem::take(&mut self.usage)
    }
}
