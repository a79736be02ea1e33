//! Every dialect passes the same scenarios, on bytes written by hand, recorded and sent over a socket.

#![expect(
    clippy::format_collect,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::string_slice,
    clippy::unnecessary_wraps,
    clippy::unwrap_used,
    reason = "this crate is for tests: they fail by a panic, and write json!(..) and Some(..) where they call and compare"
)]

mod contract;
mod loopback;
mod quirks;
mod recorded;
mod recording;
mod requests;
mod server;

use std::path::PathBuf;

use kkcode_provider::answer::{Answer, Outcome};
use kkcode_provider::reader::Reader;
use kkcode_provider::request::{BrokenCall, Message, Request, ToolCall};
use kkcode_provider::stream::{ProviderError, StreamEvent};
use kkcode_provider::wire::Format;

fn data(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn request() -> Request {
    Request {
        model: "m".into(),
        system: "be brief".into(),
        messages: vec![Message::user("go")],
        tools: Vec::new(),
    }
}

type Events = Vec<Result<StreamEvent, ProviderError>>;

/// What a reader makes of a body that arrives in these pieces.
fn read<'a>(format: Format, pieces: impl IntoIterator<Item = &'a [u8]>) -> Events {
    let mut reader = Reader::new(format, &request());
    let mut events = Vec::new();
    for piece in pieces {
        events.extend(reader.push(piece));
    }
    events.extend(reader.finish());
    events
}

fn answer(events: &Events) -> Answer {
    let mut answer = Answer::default();
    for event in events {
        answer.add(Some(event.clone()));
    }
    answer.add(None);
    answer
}

/// Reads a body whole, byte by byte and cut in two at every offset, or every few, and sees that nothing changes; then only its beginnings,
/// and sees that none of them is taken for an answer.
fn check_cuts(format: Format, body: &[u8], step: usize) -> Answer {
    let events = read(format, [body]);
    assert_eq!(read(format, body.chunks(1)), events, "byte by byte");
    let whole = answer(&events);
    for at in (0..body.len()).step_by(step) {
        let (head, tail) = body.split_at(at);
        assert_eq!(read(format, [head, tail]), events, "cut at {at}");
        let cut = answer(&read(format, [head]));
        match &cut.outcome {
            Some(Outcome::Completed(_) | Outcome::Refused) => {
                assert_eq!(cut.outcome, whole.outcome, "ended at {at}");
                assert_eq!(cut.content, whole.content, "ended at {at}");
            }
            Some(Outcome::Truncated | Outcome::Failed(_)) => {
                let known = |call: &Result<ToolCall, BrokenCall>| call.is_err() || whole.calls.contains(call);
                assert!(cut.calls.iter().all(known), "ended at {at}: {:?}", cut.calls);
            }
            other => panic!("ended at {at}: {other:?}"),
        }
    }
    whole
}
