//! What every wire format is asked to do: encode a request, and turn the frames of the answer into events.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::alike::Frame;
use crate::lines::LineTooLong;
use crate::request::Request;
use crate::stream::{ErrorClass, ProviderError, StreamEvent, Usage};
use crate::{anthropic, ollama, openai_chat, openai_responses};

/// The wire formats that are spoken over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Anthropic Messages.
    Anthropic,
    /// `OpenAI` Responses.
    OpenaiResponses,
    /// `OpenAI` Chat Completions, as `OpenAI` has them.
    OpenaiChat,
    /// Chat Completions as compatible servers have them.
    CompatibleChat,
    /// Ollama `/api/chat`.
    Ollama,
}

/// What a user has set for all requests to a provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The most tokens of one answer.
    pub max_tokens: Option<u32>,
    /// How many tokens conversation and answer may have together.
    pub context_limit: Option<u32>,
    /// Whether the model thinks before it answers; as the model has it, if nothing is set.
    pub thinking: Option<Thinking>,
    /// How hard to think, where a format has a word for it: `off`, `low`, `medium`, `high`, `max`, …
    pub effort: Option<String>,
    /// Ask for the whole answer at once.
    pub whole: bool,
}

/// Whether a model thinks before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thinking {
    /// Not, if the model can be kept from it.
    Off,
    /// As much as the model finds right.
    Adaptive,
    /// So many tokens at most.
    Budget(u32),
}

/// Turns the frames of one answer into events: no I/O, no clock, and never more than one [`StreamEvent::Stop`].
pub(crate) trait Decode: Send {
    /// Reads one frame: the data of a server-sent event, or one line of JSON.
    fn frame(&mut self, frame: &str, out: &mut Vec<StreamEvent>) -> Result<Frame, ProviderError>;

    /// Reads an answer that came whole, as one JSON value.
    fn whole(&mut self, body: &str, out: &mut Vec<StreamEvent>) -> Result<(), ProviderError>;

    /// Hears that the body has come to its end; adds the stop if the format has said enough for it.
    fn close(&mut self, out: &mut Vec<StreamEvent>) -> Result<(), ProviderError>;

    /// Takes the tokens counted so far.
    fn take_usage(&mut self) -> Usage;
}

impl Format {
    /// Returns where requests go, below the provider's base address.
    pub fn path(self) -> &'static str {
        match self {
            Self::Anthropic => "/messages",
            Self::OpenaiResponses => "/responses",
            Self::OpenaiChat | Self::CompatibleChat => "/chat/completions",
            Self::Ollama => "/api/chat",
        }
    }

    /// Returns the body of a request.
    pub fn encode(self, request: &Request, settings: &Settings) -> Value {
        match self {
            Self::Anthropic => anthropic::encode(request, settings),
            Self::OpenaiResponses => openai_responses::encode(request, settings),
            Self::OpenaiChat => openai_chat::encode(request, settings, openai_chat::Server::OpenAi),
            Self::CompatibleChat => openai_chat::encode(request, settings, openai_chat::Server::Compatible),
            Self::Ollama => ollama::encode(request, settings),
        }
    }

    pub(crate) fn decoder(self, request: &Request) -> Box<dyn Decode> {
        match self {
            Self::Anthropic => Box::new(anthropic::Decoder::new(request)),
            Self::OpenaiResponses => Box::new(openai_responses::Decoder::new(request)),
            Self::OpenaiChat | Self::CompatibleChat => Box::new(openai_chat::Decoder::new(request)),
            Self::Ollama => Box::new(ollama::Decoder::new(request)),
        }
    }
}

/// Returns how hard to think in the words of `OpenAI`, whose formats have nothing else for it.
pub(crate) fn openai_effort(settings: &Settings) -> Option<&str> {
    match (settings.thinking, settings.effort.as_deref()) {
        (_, Some("off")) | (Some(Thinking::Off), None) => Some("none"),
        (_, effort) => effort,
    }
}

impl From<LineTooLong> for ProviderError {
    fn from(error: LineTooLong) -> Self {
        protocol(error)
    }
}

/// Reads JSON that a server sent.
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, ProviderError> {
    serde_json::from_str(text)
        .map_err(|error| not_understood(text, &format!("a frame is not understood ({error})")))
}

/// Returns the error of an answer that the format does not allow.
pub(crate) fn not_understood(text: &str, what: &str) -> ProviderError {
    crate::failure::unexpected(what, text)
}

/// Returns the error of an answer that says something which must not be said there.
pub(crate) fn protocol(message: impl fmt::Display) -> ProviderError {
    ProviderError::new(ErrorClass::Protocol, message.to_string())
}

/// Puts a member into a JSON object that is being made.
pub(crate) fn set(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(object) = object {
        object.insert(name.to_owned(), value.into());
    }
}

/// Adds text, if there is any.
pub(crate) fn text(out: &mut Vec<StreamEvent>, text: Option<String>) {
    out.extend(text.filter(|text| !text.is_empty()).map(StreamEvent::Text));
}

/// Adds a thought, if there is any.
pub(crate) fn thinking(out: &mut Vec<StreamEvent>, text: Option<String>) {
    out.extend(text.filter(|text| !text.is_empty()).map(StreamEvent::Thinking));
}

/// Reads a text, or null, without a copy where there is nothing to be unescaped. serde would copy any text that is optional.
pub(crate) fn borrowed<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    Ok(Option::<Text<'de>>::deserialize(from)?.map(|Text(text)| text))
}

/// Reads the first entry of a list, if there is a list with one; what is behind it is not looked at.
pub(crate) fn first<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    struct First<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for First<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_unit<E>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<T>, A::Error> {
            let first = list.next_element()?;
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(first)
        }
    }

    from.deserialize_any(First(PhantomData))
}
