//! The same scenarios for all dialects. `tests/data/<dialect>/<scenario>` holds the bytes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use kkcode_provider::request::{Content, Seal};
use kkcode_provider::retry::{Candidate, Patient, Policy};
use kkcode_provider::stream::{ErrorClass, Provider, StopReason, Usage};
use serde_json::{Value, json};

use super::*;

/// A dialect, and how it differs from the others in what it can say.
struct Dialect {
    name: &'static str,
    format: Format,
    /// It tells calls apart by ids of its own.
    has_ids: bool,
    usage: Usage,
    /// The seals behind the thought of the scenarios, of the stream and of the whole answer.
    seals: fn() -> (Vec<Value>, Vec<Value>),
}

const COUNTED: Usage =
    Usage { input_tokens: 10, output_tokens: 25, cache_read_tokens: 20, cache_write_tokens: 0 };

const DIALECTS: [Dialect; 5] = [
    Dialect {
        name: "anthropic",
        format: Format::Anthropic,
        has_ids: true,
        usage: Usage { cache_write_tokens: 3, ..COUNTED },
        seals: || {
            let signature = json!({"signature": "sig+/=="});
            (vec![signature.clone(), json!({"redacted": "hidden=="})], vec![signature])
        },
    },
    Dialect {
        name: "openai_responses",
        format: Format::OpenaiResponses,
        has_ids: true,
        usage: COUNTED,
        seals: || {
            let summary = json!([{"type": "summary_text", "text": "They want it loud."}]);
            let item =
                json!({"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": "enc=="});
            (vec![item.clone()], vec![item])
        },
    },
    Dialect {
        name: "openai_chat",
        format: Format::OpenaiChat,
        has_ids: true,
        usage: COUNTED,
        seals: || (vec![], vec![]),
    },
    Dialect {
        name: "compatible_chat",
        format: Format::CompatibleChat,
        has_ids: true,
        usage: COUNTED,
        seals: || (vec![], vec![]),
    },
    Dialect {
        name: "ollama",
        format: Format::Ollama,
        has_ids: false,
        usage: Usage { input_tokens: 30, output_tokens: 25, cache_read_tokens: 0, cache_write_tokens: 0 },
        seals: || (vec![], vec![]),
    },
];

impl Dialect {
    fn answer(&self, scenario: &str) -> Answer {
        check_cuts(self.format, &data(&format!("{}/{scenario}", self.name)), 1)
    }

    fn call(&self, nth: usize, id: &str, name: &str, input: Value) -> ToolCall {
        let id = if self.has_ids { id.to_owned() } else { format!("call_1_{nth}") };
        ToolCall { id, name: name.to_owned(), input }
    }

    fn edit(&self) -> ToolCall {
        self.call(1, "call_a", "edit", json!({"path": "src/main.rs", "before": "föö \"x\""}))
    }

    fn read(&self) -> ToolCall {
        self.call(2, "call_b", "read", json!({"path": "b.txt", "lines": [1, 2]}))
    }

    fn thoughts(&self, seals: Vec<Value>) -> Vec<Content> {
        let format = self.name.to_owned();
        let mut seals = seals.into_iter().map(|data| Seal { format: format.clone(), data });
        let first = Content::Thinking { text: "They want it loud.".into(), seal: seals.next() };
        let hidden = seals.map(|seal| Content::Thinking { text: String::new(), seal: Some(seal) });
        [first].into_iter().chain(hidden).collect()
    }
}

fn text(text: &str) -> Content {
    Content::Text { text: text.to_owned() }
}

fn completed(reason: StopReason) -> Option<Outcome> {
    Some(Outcome::Completed(reason))
}

#[test]
fn text_is_told_and_tokens_are_counted() {
    for dialect in &DIALECTS {
        let expected = Answer {
            content: vec![text("Grüße, Wörld 🚀.")],
            calls: vec![],
            usage: dialect.usage,
            outcome: completed(StopReason::EndTurn),
        };
        assert_eq!(dialect.answer("text"), expected, "{}", dialect.name);
    }
}

#[test]
fn thoughts_are_kept_with_what_must_go_back() {
    for dialect in &DIALECTS {
        let answer = dialect.answer("thinking");
        let mut expected = dialect.thoughts((dialect.seals)().0);
        expected.push(text("Done."));
        assert_eq!(answer.content, expected, "{}", dialect.name);
        assert_eq!(answer.outcome, completed(StopReason::EndTurn), "{}", dialect.name);
    }
}

#[test]
fn a_tool_is_called_behind_text() {
    for dialect in &DIALECTS {
        let answer = dialect.answer("tool");
        let call = dialect.edit();
        assert_eq!(answer.content, [text("I edit."), Content::ToolCall(call.clone())], "{}", dialect.name);
        assert_eq!(answer.calls, [Ok(call)], "{}", dialect.name);
        assert_eq!(answer.outcome, completed(StopReason::ToolUse), "{}", dialect.name);
        assert_eq!(answer.usage, dialect.usage, "{}", dialect.name);
    }
}

#[test]
fn calls_whose_pieces_are_mixed_are_told_apart() {
    for dialect in &DIALECTS {
        let answer = dialect.answer("parallel");
        assert_eq!(answer.calls, [Ok(dialect.edit()), Ok(dialect.read())], "{}", dialect.name);
        assert_eq!(answer.outcome, completed(StopReason::ToolUse), "{}", dialect.name);
    }
}

#[test]
fn a_refusal_is_no_answer() {
    // Ollama has no way to say so.
    for dialect in DIALECTS.iter().filter(|dialect| dialect.format != Format::Ollama) {
        let answer = dialect.answer("refusal");
        assert_eq!(answer.outcome, Some(Outcome::Refused), "{}", dialect.name);
        assert_eq!(answer.text(), "I cannot help with that.", "{}", dialect.name);
    }
}

#[test]
fn a_call_that_the_output_limit_cut_is_not_run() {
    for dialect in &DIALECTS {
        let answer = dialect.answer("max_tokens");
        assert_eq!(answer.outcome, completed(StopReason::MaxTokens), "{}", dialect.name);
        assert_eq!(answer.text(), "as far as", "{}", dialect.name);
        match answer.calls.as_slice() {
            [Err(BrokenCall { id, name, why })] => {
                assert_eq!((id.as_str(), name.as_str()), ("call_a", "edit"), "{}", dialect.name);
                assert!(why.contains("not complete JSON"), "{why}");
            }
            [] if dialect.format == Format::Ollama => {}
            other => panic!("{}: {other:?}", dialect.name),
        }
    }
}

#[test]
fn an_error_in_the_stream_fails_and_keeps_what_was_said() {
    for dialect in &DIALECTS {
        let answer = dialect.answer("error");
        assert_eq!(answer.text(), "half an ans", "{}", dialect.name);
        let message = "the server broke off its answer: come back later";
        let error = ProviderError::new(ErrorClass::Overloaded, message);
        assert_eq!(answer.outcome, Some(Outcome::Failed(error)), "{}", dialect.name);
    }
}

#[test]
fn a_stream_without_its_own_end_is_cut_off_and_runs_nothing() {
    for dialect in &DIALECTS {
        let answer = dialect.answer("truncated");
        assert_eq!(answer.outcome, Some(Outcome::Truncated), "{}", dialect.name);
        // Ollama's calls come whole, and still are not run without an end.
        assert_eq!(answer.calls.is_empty(), dialect.has_ids, "{}", dialect.name);
    }
}

/// A model that answers with these bodies, one after the other, and then breaks the connection or closes it.
struct Played {
    format: Format,
    bodies: Mutex<VecDeque<Vec<u8>>>,
    breaks: bool,
}

impl Provider for Played {
    fn stream(&self, _: Request) -> BoxStream<'static, Result<StreamEvent, ProviderError>> {
        let body = self.bodies.lock().unwrap().pop_front().unwrap_or_else(|| panic!("asked too often"));
        let mut events = read(self.format, [body.as_slice()]);
        if self.breaks && !events.iter().any(|event| matches!(event, Ok(StreamEvent::Stop(_)) | Err(_))) {
            events.push(Err(ProviderError::new(ErrorClass::Network, "the connection broke")));
        }
        stream::iter(events).boxed()
    }
}

#[tokio::test]
async fn a_request_is_not_sent_again_once_a_call_or_a_hidden_thought_has_begun() {
    let hidden: [&[u8]; 2] = [
        b"data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"redacted_thinking\",\"data\":\"edit==\"}}\n\n",
        b"data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\"}}\n\n\
          data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"edit==\"}}\n\n",
    ];
    for dialect in &DIALECTS {
        let mut cut = vec![data(&format!("{}/truncated", dialect.name))];
        if dialect.format == Format::Anthropic {
            cut.extend(hidden.map(<[u8]>::to_vec));
        }
        for (body, breaks) in cut.iter().flat_map(|body| [(body, false), (body, true)]) {
            let line_ends = (0..body.len()).filter(|at| body[*at] == b'\n').map(|at| &body[..=at]);
            for begun in line_ends {
                let bodies = vec![begun.to_vec(), data(&format!("{}/text", dialect.name))];
                let model = Played { format: dialect.format, bodies: Mutex::new(bodies.into()), breaks };
                let policy = Policy { retries: 1, base: Duration::ZERO, ..Policy::default() };
                let model = Candidate { provider: Arc::new(model), model: "m".into(), sees: true, policy };
                let answer = answer(&Patient::new(vec![model]).stream(request()).collect::<Events>().await);
                // Each of these bodies says so in the first frame that says anything at all.
                let has_begun = String::from_utf8_lossy(begun).contains("edit");
                let shown = format!("{}: {}", dialect.name, String::from_utf8_lossy(begun));
                match &answer.outcome {
                    Some(Outcome::Truncated) if has_begun && !breaks => {}
                    Some(Outcome::Failed(_)) if has_begun && breaks => {}
                    Some(Outcome::Completed(_)) if !has_begun => {
                        assert_eq!(answer.text(), "Grüße, Wörld 🚀.");
                    }
                    other => panic!("{other:?} after {shown}"),
                }
            }
        }
    }
}

#[test]
fn an_answer_may_come_whole() {
    for dialect in &DIALECTS {
        let answer = dialect.answer("whole");
        let mut expected = dialect.thoughts((dialect.seals)().1);
        let (edit, read) = (dialect.edit(), dialect.read());
        expected.push(text("I edit."));
        expected.extend([&edit, &read].map(|call| Content::ToolCall(call.clone())));
        assert_eq!(answer.content, expected, "{}", dialect.name);
        assert_eq!(answer.calls, [Ok(edit), Ok(read)], "{}", dialect.name);
        assert_eq!(answer.usage, dialect.usage, "{}", dialect.name);
        assert_eq!(answer.outcome, completed(StopReason::ToolUse), "{}", dialect.name);
    }
}

#[test]
fn bodies_of_other_kinds_are_named() {
    for dialect in &DIALECTS {
        for (body, class, message) in [
            ("", ErrorClass::Network, "the server closed the connection without an answer"),
            (" \r\n ", ErrorClass::Network, "the server closed the connection without an answer"),
            (
                "<!doctype html>\n<title>Log in</title>",
                ErrorClass::Protocol,
                "the answer is not what was asked for; it begins: <!doctype html> <title>Log in</title>",
            ),
            (
                "upstream gone",
                ErrorClass::Protocol,
                "the answer is not what was asked for; it begins: upstream gone",
            ),
            (
                r#"{"error": {"message": "slow down", "type": "rate_limit_error"}}"#,
                ErrorClass::RateLimit,
                "the server broke off its answer: slow down",
            ),
        ] {
            let answer = answer(&read(dialect.format, [body.as_bytes()]));
            let error = ProviderError::new(class, message);
            assert_eq!(answer.outcome, Some(Outcome::Failed(error)), "{}: {body}", dialect.name);
        }
    }
}

#[test]
fn limits_end_an_answer() {
    let ending = |events: Events| answer(&events).outcome;
    let failed = |message: &str| Some(Outcome::Failed(ProviderError::new(ErrorClass::Protocol, message)));
    let long_line = format!("data: {}", "x".repeat(8 * 1024 * 1024));
    let message = "a line of the answer is longer than 8388608 bytes";
    assert_eq!(ending(read(Format::Anthropic, long_line.as_bytes().chunks(65536))), failed(message));
    let pings = format!(": {}\n", "ping".repeat(250_000)).repeat(7);
    let bombs = std::iter::repeat_n(pings.as_bytes(), 10);
    let message = "the answer is longer than 67108864 bytes";
    assert_eq!(ending(read(Format::Anthropic, bombs)), failed(message));
    // The longest line that is allowed is read: a text of nearly 8 MB.
    let text = "x".repeat(8_000_000);
    let line = format!(r#"{{"message":{{"content":"{text}"}},"done":true,"done_reason":"stop"}}"#);
    assert_eq!(answer(&read(Format::Ollama, line.as_bytes().chunks(65536))).text(), text);
}
