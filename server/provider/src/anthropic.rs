//! Anthropic Messages: requests with cache breakpoints, and the events of its streams.
//!
//! Format: the API reference of Anthropic, "Messages" and "Streaming messages", version 2023-06-01.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::alike::Frame;
use crate::calls::{CallIds, PartialCall};
use crate::request::{Content, Message, Request, Role, Seal};
use crate::stream::{ProviderError, StopReason, StreamEvent, Usage};
use crate::thinking;
use crate::wire::{self, Decode, Settings, set};

/// What seals of this format are called.
const FORMAT: &str = "anthropic";

/// The output limit where the user sets none; the format needs one.
const MAX_TOKENS: u32 = 16_384;

/// Returns the body of a request. Its four cache breakpoints are all that the format allows: behind the tools, behind the
/// system prompt, and behind the last two messages of the user, so that each request finds what the one before it left.
pub(crate) fn encode(request: &Request, settings: &Settings) -> Value {
    let spoken = request.messages.iter().filter(|message| !blocks(message).is_empty());
    let mut messages: Vec<Value> = spoken
        .map(|message| {
            let role = match message.role {
                Role::User => "user",
                Role::Assistant => "assistant",
            };
            json!({"role": role, "content": blocks(message)})
        })
        .collect();
    let of_user = messages.iter_mut().rev().filter(|message| message["role"] == "user");
    for message in of_user.take(2) {
        cache_last(message.get_mut("content"));
    }
    let plan = thinking::plan(&request.model, settings, settings.max_tokens.unwrap_or(MAX_TOKENS));
    let mut body = json!({
        "model": request.model,
        "max_tokens": plan.max_tokens,
        "messages": messages,
        "stream": !settings.whole,
    });
    if !request.system.is_empty() {
        set(&mut body, "system", json!([{"type": "text", "text": request.system}]));
        cache_last(body.get_mut("system"));
    }
    if !request.tools.is_empty() {
        let tool = |tool: &crate::request::ToolSpec| json!({"name": tool.name, "description": tool.description, "input_schema": tool.input_schema});
        set(&mut body, "tools", request.tools.iter().map(tool).collect::<Value>());
        cache_last(body.get_mut("tools"));
    }
    for (name, value) in [("thinking", plan.thinking), ("output_config", plan.output)] {
        if let Some(value) = value {
            set(&mut body, name, value);
        }
    }
    body
}

fn cache_last(list: Option<&mut Value>) {
    let last = list.and_then(Value::as_array_mut).and_then(|list| list.last_mut());
    if let Some(Value::Object(last)) = last {
        last.insert("cache_control".to_owned(), json!({"type": "ephemeral"}));
    }
}

/// Returns the blocks of a message. The format refuses empty texts, and thoughts without their own signature.
fn blocks(message: &Message) -> Vec<Value> {
    let block = |content: &Content| match content {
        Content::Text { text } if text.trim().is_empty() => None,
        Content::Text { text } => Some(json!({"type": "text", "text": text})),
        Content::Image { media_type, data } => Some(json!({
            "type": "image",
            "source": {"type": "base64", "media_type": media_type, "data": data},
        })),
        Content::Thinking { text, seal: Some(Seal { format, data }) } if format == FORMAT => {
            Some(match data.get("redacted") {
                Some(redacted) => json!({"type": "redacted_thinking", "data": redacted}),
                None => json!({"type": "thinking", "thinking": text, "signature": data["signature"]}),
            })
        }
        Content::Thinking { .. } => None,
        Content::ToolCall(call) => {
            Some(json!({"type": "tool_use", "id": id(&call.id), "name": call.name, "input": call.input}))
        }
        Content::ToolResult { id: call, text, is_error } => Some(json!({
            "type": "tool_result",
            "tool_use_id": id(call),
            "content": text,
            "is_error": is_error,
        })),
    };
    message.content.iter().filter_map(block).collect()
}

/// Returns an id as the format allows it; another provider's may have other characters.
fn id(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect()
}

/// Reads answers.
pub(crate) struct Decoder {
    ids: CallIds,
    /// The blocks that are open, by their index.
    open: Vec<(u64, Block)>,
    usage: Usage,
    stop: Option<StopReason>,
}

enum Block {
    /// Text, or a kind that is not known: nothing has to be gathered.
    Other,
    Thinking {
        signature: String,
    },
    Redacted {
        data: String,
    },
    Call(PartialCall),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    index: u64,
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    // What is rare has a box, so that what is frequent is small.
    message: Option<Box<WholeMessage>>,
    content_block: Option<Box<ContentBlock>>,
    usage: Option<Box<Counts>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Delta<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    text: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    partial_json: Option<String>,
    stop_reason: Option<String>,
    stop_details: Option<StopDetails>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StopDetails {
    explanation: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ContentBlock {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    data: Option<String>,
    id: Option<String>,
    name: Option<String>,
    input: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WholeMessage {
    #[serde(rename = "type")]
    kind: String,
    content: Vec<ContentBlock>,
    stop_reason: Option<String>,
    stop_details: Option<StopDetails>,
    usage: Option<Counts>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "the names on the wire")]
struct Counts {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
}

impl Decoder {
    pub(crate) fn new(request: &Request) -> Self {
        Self { ids: CallIds::of(request), open: Vec::new(), usage: Usage::default(), stop: None }
    }

    /// Takes counts, which are totals of the answer so far.
    fn count(&mut self, counts: Option<Counts>) {
        let Some(counts) = counts else { return };
        let Usage { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = &mut self.usage;
        for (known, told) in [
            (input_tokens, counts.input_tokens),
            (output_tokens, counts.output_tokens),
            (cache_read_tokens, counts.cache_read_input_tokens),
            (cache_write_tokens, counts.cache_creation_input_tokens),
        ] {
            *known = told.unwrap_or_default().max(*known);
        }
    }

    fn begin(
        &mut self,
        index: u64,
        block: ContentBlock,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), ProviderError> {
        // A block that begins where one is open ends it, as its own end can only have been left out.
        self.end(index, out)?;
        let ContentBlock { kind, text, thinking, signature, data, id, name, input } = block;
        let block = match kind.as_str() {
            "tool_use" => {
                out.push(StreamEvent::Begun);
                let input = input.filter(|input| input.as_object().is_none_or(|input| !input.is_empty()));
                Block::Call(PartialCall {
                    id: id.unwrap_or_default(),
                    name: name.unwrap_or_default(),
                    input: input
                        .filter(|input| !input.is_null())
                        .map(|input| input.to_string())
                        .unwrap_or_default(),
                })
            }
            "thinking" => {
                wire::thinking(out, thinking);
                Block::Thinking { signature: signature.unwrap_or_default() }
            }
            "redacted_thinking" => {
                out.push(StreamEvent::Begun);
                Block::Redacted { data: data.unwrap_or_default() }
            }
            _ => {
                wire::text(out, text);
                Block::Other
            }
        };
        self.open.push((index, block));
        Ok(())
    }

    fn delta(
        &mut self,
        index: u64,
        delta: Delta<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<Frame, ProviderError> {
        let block = self.open.iter_mut().find(|(open, _)| *open == index).map(|(_, block)| block);
        match &*delta.kind {
            "text_delta" => {
                wire::text(out, delta.text);
                return Ok(Frame::Words);
            }
            "thinking_delta" => {
                wire::thinking(out, delta.thinking);
                return Ok(Frame::Words);
            }
            "signature_delta" => {
                if let Some(Block::Thinking { signature }) = block {
                    out.push(StreamEvent::Begun);
                    signature.push_str(&delta.signature.unwrap_or_default());
                }
            }
            "input_json_delta" => {
                if let Some(Block::Call(call)) = block {
                    call.input.push_str(&delta.partial_json.unwrap_or_default());
                    call.check()?;
                }
            }
            _ => {}
        }
        Ok(Frame::Other)
    }

    fn end(&mut self, index: u64, out: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        let Some(at) = self.open.iter().position(|(open, _)| *open == index) else { return Ok(()) };
        let data = match self.open.remove(at).1 {
            Block::Call(call) => {
                out.push(self.ids.finish(call)?);
                return Ok(());
            }
            Block::Thinking { signature } if !signature.is_empty() => json!({"signature": signature}),
            Block::Redacted { data } => json!({"redacted": data}),
            Block::Thinking { .. } | Block::Other => return Ok(()),
        };
        out.push(StreamEvent::Seal(Seal { format: FORMAT.to_owned(), data }));
        Ok(())
    }

    fn stopped(
        &mut self,
        reason: Option<&str>,
        details: Option<StopDetails>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), ProviderError> {
        let Some(reason) = reason else { return Ok(()) };
        self.stop = Some(match reason {
            "max_tokens" => StopReason::MaxTokens,
            "tool_use" => StopReason::ToolUse,
            "refusal" => StopReason::Refusal,
            "model_context_window_exceeded" => StopReason::ContextFull,
            "pause_turn" => {
                return Err(wire::protocol(
                    "the model paused for a tool of the server, and none was offered",
                ));
            }
            _ => StopReason::EndTurn,
        });
        wire::text(out, details.and_then(|details| details.explanation));
        Ok(())
    }
}

impl Decode for Decoder {
    fn frame(&mut self, frame: &str, out: &mut Vec<StreamEvent>) -> Result<Frame, ProviderError> {
        let Event { kind, index, message, content_block, delta, usage } = wire::read(frame)?;
        match &*kind {
            "content_block_delta" => return self.delta(index, delta.unwrap_or_default(), out),
            "content_block_start" => self.begin(index, *content_block.unwrap_or_default(), out)?,
            "content_block_stop" => self.end(index, out)?,
            "message_start" => self.count(message.and_then(|message| message.usage)),
            "message_delta" => {
                self.count(usage.map(|usage| *usage));
                let Delta { stop_reason, stop_details, .. } = delta.unwrap_or_default();
                self.stopped(stop_reason.as_deref(), stop_details, out)?;
            }
            "message_stop" => {
                while let Some(index) = self.open.first().map(|(index, _)| *index) {
                    self.end(index, out)?;
                }
                out.push(StreamEvent::Stop(self.stop.unwrap_or(StopReason::EndTurn)));
            }
            "error" | "" => return Err(crate::failure::of_frame(&wire::read(frame)?)),
            // Pings, and what is new.
            _ => {}
        }
        Ok(Frame::Other)
    }

    fn whole(&mut self, body: &str, out: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        let WholeMessage { kind, content, stop_reason, stop_details, usage } = wire::read(body)?;
        if kind != "message" {
            return Err(crate::failure::of_frame(&wire::read(body)?));
        }
        self.count(usage);
        for (block, index) in content.into_iter().zip(0..) {
            self.begin(index, block, out)?;
            self.end(index, out)?;
        }
        self.stopped(stop_reason.as_deref(), stop_details, out)?;
        out.push(StreamEvent::Stop(self.stop.unwrap_or(StopReason::EndTurn)));
        Ok(())
    }

    fn close(&mut self, _: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        Ok(())
    }

    fn take_usage(&mut self) -> Usage {
        std::mem::take(&mut self.usage)
    }
}
