//! Frames that are like the one before but for their words: nearly all of a stream. Their words are read where they lie.
//!
//! What makes this right is the grammar of JSON: in a value any string may stand in the place of another, and the rest of the
//! value means what it meant.

use memchr::{memchr2, memmem};

use crate::stream::StreamEvent;

/// After so many frames in a row that are like no other nobody looks any more: some servers number their frames.
const PATIENCE: u32 = 16;

/// What a frame was to whoever decoded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// It said words: one with other words in the same place says those, and changes nothing else than this one did.
    Words,
    /// Anything else.
    Other,
}

/// The frame before, without its words.
#[derive(Debug, Default)]
pub(crate) struct Alike {
    head: String,
    tail: String,
    words: Option<Kind>,
    in_vain: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
}

impl Alike {
    /// Returns what a frame says if it is like the one before.
    pub(crate) fn read(&mut self, frame: &[u8]) -> Option<StreamEvent> {
        let kind = self.words?;
        let words = frame.strip_prefix(self.head.as_bytes())?.strip_suffix(self.tail.as_bytes())?;
        if words.is_empty() {
            return None;
        }
        let words = if is_plain(words) {
            std::str::from_utf8(words).ok()?.to_owned()
        } else {
            // With its quotation marks, which are the last of the head and the first of the tail.
            let string = frame.get(self.head.len() - 1..frame.len() - self.tail.len() + 1)?;
            serde_json::from_slice(string).ok()?
        };
        self.in_vain = 0;
        Some(match kind {
            Kind::Text => StreamEvent::Text(words),
            Kind::Thinking => StreamEvent::Thinking(words),
        })
    }

    /// Takes note of a frame that was decoded, and of what it said.
    pub(crate) fn note(&mut self, frame: &str, is: Frame, said: &[StreamEvent]) {
        self.words = None;
        if is == Frame::Other || self.in_vain >= PATIENCE {
            return;
        }
        let (kind, words) = match said {
            [StreamEvent::Text(words)] => (Kind::Text, words),
            [StreamEvent::Thinking(words)] => (Kind::Thinking, words),
            _ => return,
        };
        self.in_vain += 1;
        // Without escapes all strings stand in the frame as they are; where one is these words but once, there they came from.
        if frame.contains('\\') {
            return;
        }
        let parts = |at: usize| Some((frame.get(..at)?, frame.get(at + words.len()..)?));
        let mut places = memmem::find_iter(frame.as_bytes(), words.as_bytes())
            .filter_map(parts)
            .filter(|(head, tail)| head.ends_with('"') && tail.starts_with('"'));
        if let (Some((head, tail)), None) = (places.next(), places.next()) {
            self.head.clear();
            self.head.push_str(head);
            self.tail.clear();
            self.tail.push_str(tail);
            self.words = Some(kind);
        }
    }
}

/// Tells whether words stand in JSON as they are.
fn is_plain(words: &[u8]) -> bool {
    memchr2(b'"', b'\\', words).is_none() && words.iter().all(|byte| *byte >= b' ')
}

#[cfg(test)]
mod tests;
