//! Every dialect passes the same scenarios, on bytes written by hand, recorded and sent over a socket.
//!
//! | what is bad | where it is tested |
//! |---|---|
//! | HTML with 200 | `loopback::a_page_instead_of_an_answer_is_named`, `contract::bodies_of_other_kinds_are_named` |
//! | gzip | `loopback::a_packed_answer_is_unpacked_up_to_the_limit` |
//! | a wrong content type | `loopback::what_a_server_declares_does_not_matter_if_the_answer_is_good` |
//! | CRLF | the same; cut in two: `lines/tests.rs` |
//! | split UTF-8 | `check_cuts` below, for every scenario of `contract` and `recorded`; `loopback::a_slow_drip_is_an_answer` |
//! | comments and pings | `loopback::what_a_server_declares_does_not_matter_if_the_answer_is_good`, without end: `loopback::silence_ends_at_its_limit` |
//! | a line of 8 MB | `loopback::a_line_that_does_not_end_is_refused`, `contract::limits_end_an_answer`, `lines/tests.rs` |
//! | a missing end | `contract::a_stream_without_its_own_end_is_cut_off_and_runs_nothing`, `loopback::an_answer_without_its_end_is_cut_off` |
//! | an error frame in the stream | `contract::an_error_in_the_stream_fails_and_keeps_what_was_said`, `loopback::an_error_in_the_stream_keeps_what_was_said` |
//! | duplicate ids | `quirks::an_id_that_the_conversation_has_is_given_once_more_under_another_name`, `calls/tests.rs` |
//! | a slow drip | `loopback::a_slow_drip_is_an_answer` |
//! | a reset before the headers, and after | `loopback::a_reset_is_told_from_an_end`, `loopback::a_reset_behind_the_end_changes_nothing` |
//! | 413, 429, 500, 529 | `loopback::refusals_have_their_classes`, `loopback::what_passes_is_asked_again`, `loopback::what_does_not_pass_is_asked_once` |

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
mod tls;

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
