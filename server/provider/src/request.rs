//! What a model is asked, in no provider's words.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One request to a model: the whole conversation, and what it may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The model's own id, without the provider's name; it may contain slashes.
    pub model: String,
    /// What the model is told before the conversation.
    pub system: String,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// The tools it may call.
    pub tools: Vec<ToolSpec>,
}

/// One message of a conversation; kept in the store as it is here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub content: Vec<Content>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The user, or the tools.
    User,
    /// The model.
    Assistant,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Plain text.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    Image {
        /// Its media type, such as `image/png`.
        media_type: String,
        /// Its bytes in base64.
        data: String,
    },
    /// What the model thought before it spoke.
    Thinking {
        /// The thought; empty where the provider shows none.
        text: String,
        /// What the provider wants back with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seal: Option<Seal>,
    },
    /// The model wants a tool called.
    ToolCall(ToolCall),
    /// What a tool answered. Every call has exactly one result, in the message behind it.
    ToolResult {
        /// The call's id.
        id: String,
        /// The answer.
        text: String,
        /// Whether the tool did not do what was asked.
        is_error: bool,
    },
}

/// What a provider wants back, unchanged, with a thought of its model: a signature, or the thought itself, encrypted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seal {
    /// The wire format that gave it. Others leave it out, and the thought with it.
    pub format: String,
    /// What it is; only that format knows.
    pub data: Value,
}

/// A call of a tool by the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Ties the result to the call; unique in the conversation.
    pub id: String,
    /// Which tool.
    pub name: String,
    /// Its arguments: complete JSON, not yet checked against the tool's schema.
    pub input: Value,
}

/// A call that cannot be run, because its input is no complete JSON object. A type of its own, so that nobody runs it.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokenCall {
    /// Ties the result to the call; unique in the conversation.
    pub id: String,
    /// Which tool.
    pub name: String,
    /// What is wrong with it, for the model.
    pub why: String,
}

/// A tool as the model is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// Its name.
    pub name: &'static str,
    /// What it does and when to use it.
    pub description: &'static str,
    /// JSON Schema of its input.
    pub input_schema: Value,
}

/// How the message begins that stands for the beginning of a conversation which did not fit any more; its `answers` says
/// how many of the model's messages are not there.
pub const EARLIER: &str = "<earlier-conversation";

/// What stands in the place of a picture for a model that sees none.
const NO_PICTURE: &str =
    "[a picture is left out here, as you cannot see pictures; ask the user what is on it if that matters]";

/// Returns how many messages of the model a conversation has had, those included that a summary stands for.
pub fn answers(messages: &[Message]) -> usize {
    let of = |message: &Message| match message.role {
        Role::Assistant => 1,
        Role::User => message.content.iter().map(left_out).sum(),
    };
    messages.iter().map(of).sum()
}

fn left_out(content: &Content) -> usize {
    let Content::Text { text } = content else { return 0 };
    let count =
        text.strip_prefix(EARLIER).and_then(|rest| rest.strip_prefix(" answers=\"")?.split('"').next());
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

impl Request {
    /// Tells whether there is a picture in it.
    pub fn has_pictures(&self) -> bool {
        self.messages.iter().flat_map(|message| &message.content).any(Content::is_picture)
    }

    /// Returns the request for a model that sees no pictures: each message says that there was one.
    pub(crate) fn without_pictures(mut self) -> Self {
        for Message { content, .. } in &mut self.messages {
            let before = content.len();
            content.retain(|content| !content.is_picture());
            if content.len() == before {
                continue;
            }
            let is_said = content.iter().any(|content| matches!(content, Content::Text { .. }));
            match content.last_mut() {
                // Beside results, a text would be taken for the beginning of a turn of the user.
                Some(Content::ToolResult { text, .. }) if !is_said => {
                    text.push('\n');
                    text.push_str(NO_PICTURE);
                }
                _ => content.push(Content::Text { text: NO_PICTURE.to_owned() }),
            }
        }
        self
    }

    /// Returns the request without the thoughts that a provider wanted back; none if there are none in it.
    pub(crate) fn without_sealed_thoughts(&self) -> Option<Self> {
        let is_sealed = |content: &Content| matches!(content, Content::Thinking { seal: Some(_), .. });
        if !self.messages.iter().flat_map(|message| &message.content).any(is_sealed) {
            return None;
        }
        let mut plain = self.clone();
        plain.messages.iter_mut().for_each(|message| message.content.retain(|content| !is_sealed(content)));
        Some(plain)
    }
}

impl Content {
    fn is_picture(&self) -> bool {
        matches!(self, Self::Image { .. })
    }
}

impl BrokenCall {
    /// Returns the call as it is kept in the conversation: without its input.
    pub fn call(&self) -> ToolCall {
        ToolCall {
            id: self.id.clone(),
            name: self.name.clone(),
            input: Value::Object(serde_json::Map::new()),
        }
    }

    /// Returns what the model is answered.
    pub fn result(self) -> Content {
        Content::ToolResult { id: self.id, text: self.why, is_error: true }
    }
}

impl Message {
    /// Makes a message of the user with nothing but text.
    pub fn user(text: impl Into<String>) -> Self {
        Self { role: Role::User, content: vec![Content::Text { text: text.into() }] }
    }
}
