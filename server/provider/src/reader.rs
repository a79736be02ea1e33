//! The body of an answer, bytes in and events out: finds its framing, holds its limits, and sees that it ends in one way.

use std::fmt;

use crate::alike::Alike;
use crate::failure;
use crate::lines::{Lines, text};
use crate::request::Request;
use crate::sse::Sse;
use crate::stream::{ErrorClass, ProviderError, StreamEvent};
use crate::wire::{Decode, Format, protocol};

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

/// How much of the body is kept to be shown if it is not understood, in bytes.
const HEAD: usize = 2048;

/// Reads one answer. A pure state machine: the same events come out however the bytes are cut.
pub struct Reader {
    decode: Box<dyn Decode>,
    format: Format,
    framing: Framing,
    /// The beginning of the body, as long as nothing of it was understood.
    head: Vec<u8>,
    /// Bytes read.
    length: usize,
    state: State,
    alike: Alike,
}

/// How long a frame that says a few words is about, in bytes.
const FRAME: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No frame has come.
    Begun,
    /// At least one frame was understood.
    Understood,
    /// The stop, or an error, was told.
    Ended,
}

/// How the frames of the body are told apart. Its first character says so; what the server declares is often wrong.
enum Framing {
    Unknown,
    Sse(Sse),
    Lines(Lines),
    /// One JSON value.
    Whole(Vec<u8>),
    /// Neither; read until there is enough of it to be shown.
    Foreign,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, length, state, .. } = self;
        let mut shown = f.debug_struct("Reader");
        shown.field("format", format).field("length", length).field("state", state).finish_non_exhaustive()
    }
}

/// What a piece of the body says.
pub(crate) type Events = Vec<Result<StreamEvent, ProviderError>>;

impl Reader {
    /// Makes a reader of the answer to a request.
    pub fn new(format: Format, request: &Request) -> Self {
        let decode = format.decoder(request);
        Self {
            decode,
            format,
            framing: Framing::Unknown,
            head: Vec::new(),
            length: 0,
            state: State::Begun,
            alike: Alike::default(),
        }
    }

    /// Tells whether the answer has come to its end; what follows changes nothing.
    pub fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Reads more of the body. An error is the last event.
    pub fn push(&mut self, bytes: &[u8]) -> Events {
        let mut out = Vec::with_capacity(bytes.len() / FRAME);
        let result = if self.has_ended() { Ok(()) } else { self.read(bytes, &mut out) };
        self.tell(out, result)
    }

    /// Hears that the body has come to its end, or broke. If neither a stop nor an error was told by then, it was cut off.
    pub fn finish(&mut self) -> Events {
        let mut out = Vec::new();
        if self.has_ended() {
            return Vec::new();
        }
        let result = self.close(&mut out);
        let mut events = self.tell(out, result);
        if !self.has_ended() {
            self.state = State::Ended;
            events.extend(self.usage().map(Ok));
        }
        events
    }

    /// Takes what was counted so far.
    fn usage(&mut self) -> Option<StreamEvent> {
        let usage = self.decode.take_usage();
        (!usage.is_zero()).then_some(StreamEvent::Usage(usage))
    }

    /// Puts the events in their last order: whatever ends the answer, the tokens come right before it.
    fn tell(&mut self, out: Vec<StreamEvent>, result: Result<(), ProviderError>) -> Events {
        if result.is_ok() && !out.iter().any(|event| matches!(event, StreamEvent::Stop(_))) {
            return out.into_iter().map(Ok).collect();
        }
        let mut events = Vec::with_capacity(out.len() + 1);
        for event in out {
            let is_stop = matches!(event, StreamEvent::Stop(_));
            if is_stop {
                self.state = State::Ended;
                events.extend(self.usage().map(Ok));
            }
            events.push(Ok(event));
            if is_stop {
                return events;
            }
        }
        if let Err(error) = result {
            self.state = State::Ended;
            events.extend(self.usage().map(Ok));
            events.push(Err(error));
        }
        events
    }

    fn read(&mut self, bytes: &[u8], out: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        self.length += bytes.len();
        if self.length > LONGEST_ANSWER {
            return Err(protocol(format!("the answer is longer than {LONGEST_ANSWER} bytes")));
        }
        let earlier = self.head.len();
        if self.state == State::Begun {
            let room = HEAD.saturating_sub(self.head.len());
            self.head.extend(bytes.iter().take(room));
        }
        let start;
        let mut bytes = bytes;
        if matches!(self.framing, Framing::Unknown) {
            let Some(framing) = framing(self.format, &self.head) else { return Ok(()) };
            self.framing = framing;
            // Until now it was white space, or a byte order mark in pieces.
            if earlier > 0 {
                start = [self.head.get(..earlier).unwrap_or_default(), bytes].concat();
                bytes = &start;
            }
        }
        let Self { decode, framing, state, alike, .. } = self;
        let mut frame = |bytes: &[u8]| {
            if let Some(event) = alike.read(bytes) {
                out.push(event);
                return Ok(());
            }
            let before = out.len();
            let text = text(bytes);
            let is = decode.frame(&text, out)?;
            alike.note(&text, is, out.get(before..).unwrap_or_default());
            *state = State::Understood;
            Ok(())
        };
        match framing {
            Framing::Sse(sse) => sse.push(bytes, frame),
            Framing::Lines(lines) => {
                while let Some(line) = lines.next(&mut bytes)? {
                    match line.trim_ascii() {
                        b"" => {}
                        line => frame(line)?,
                    }
                }
                Ok(())
            }
            Framing::Whole(body) => {
                body.extend_from_slice(bytes);
                Ok(())
            }
            Framing::Foreign if self.length >= HEAD => Err(self.foreign()),
            Framing::Foreign | Framing::Unknown => Ok(()),
        }
    }

    fn close(&mut self, out: &mut Vec<StreamEvent>) -> Result<(), ProviderError> {
        let rest = match &mut self.framing {
            Framing::Sse(sse) => sse.rest(),
            Framing::Lines(lines) => lines.rest().map(|line| text(&line).into_owned()),
            Framing::Whole(body) => {
                let body = std::mem::take(body);
                let body = String::from_utf8_lossy(&body);
                return match serde_json::from_str::<serde::de::IgnoredAny>(&body) {
                    Err(error) if error.is_eof() => Ok(()),
                    _ => self.decode.whole(&body, out),
                };
            }
            Framing::Unknown | Framing::Foreign => None,
        };
        // What the close cut in two is no JSON, and says nothing.
        let is_complete = |rest: &String| {
            rest.trim() == "[DONE]" || serde_json::from_str::<serde::de::IgnoredAny>(rest).is_ok()
        };
        if let Some(rest) = rest.filter(is_complete) {
            self.decode.frame(&rest, out)?;
            self.state = State::Understood;
        }
        if out.iter().any(|event| matches!(event, StreamEvent::Stop(_))) {
            return Ok(());
        }
        self.decode.close(out)?;
        let is_cut = self.state == State::Understood || is_cut_frame(&self.head);
        match self.framing {
            _ if is_cut => Ok(()),
            _ if self.head.trim_ascii().is_empty() => {
                let message = "the server closed the connection without an answer";
                Err(ProviderError::new(ErrorClass::Network, message))
            }
            _ => Err(self.foreign()),
        }
    }

    fn foreign(&self) -> ProviderError {
        let head = String::from_utf8_lossy(&self.head);
        failure::unexpected("the answer is not what was asked for", &head)
    }
}

/// Tells whether a body of which nothing was understood is at least the beginning of what was expected.
fn is_cut_frame(head: &[u8]) -> bool {
    let lines: Vec<&[u8]> = head.split(|byte| matches!(byte, b'\r' | b'\n')).collect();
    let fields: [&[u8]; 5] = [b"data:", b"event:", b"id:", b"retry:", b":"];
    let is_field = |line: &&[u8]| {
        line.trim_ascii().is_empty()
            || fields.iter().any(|field| line.starts_with(field) || field.starts_with(line))
    };
    !head.trim_ascii().is_empty() && (lines.iter().all(is_field) || head.trim_ascii_start().starts_with(b"{"))
}

/// Returns the framing of a body that begins so; nothing as long as it begins with white space only.
fn framing(format: Format, head: &[u8]) -> Option<Framing> {
    let mark = b"\xEF\xBB\xBF";
    let head = head.strip_prefix(mark).unwrap_or(head);
    if mark.starts_with(head) {
        return None;
    }
    let first = head.trim_ascii_start().first()?;
    Some(match first {
        b'{' | b'[' if format == Format::Ollama => Framing::Lines(Lines::default()),
        b'{' | b'[' => Framing::Whole(Vec::new()),
        b':' | b'd' | b'e' | b'i' | b'r' if format != Format::Ollama => Framing::Sse(Sse::default()),
        _ => Framing::Foreign,
    })
}
