//! Streams that other programs wrote: aimock 1.43.0, and `LiteLLM` 1.106.2 in front of it.

use serde_json::json;

use super::*;
use kkcode_provider::request::Content;
use kkcode_provider::stream::{ErrorClass, StopReason};

const FORMATS: [(&str, Format); 4] = [
    ("anthropic", Format::Anthropic),
    ("openai-chat", Format::CompatibleChat),
    ("openai-responses", Format::OpenaiResponses),
    ("ollama", Format::Ollama),
];

/// Reads the recordings of one case, whoever made them, with the format they are in.
fn recordings(case: &str) -> Vec<(String, Answer)> {
    let mut found = Vec::new();
    for from in ["aimock", "litellm-via-anthropic", "litellm-via-openai"] {
        // LiteLLM does not serve Ollama's format.
        for (name, format) in FORMATS.into_iter().filter(|(name, _)| from == "aimock" || *name != "ollama") {
            let file = format!("{from}-{name}-{case}");
            let body = data(&format!("recorded/{file}"));
            found.push((file, check_cuts(format, &body, 1 + body.len() / 200)));
        }
    }
    found
}

#[test]
fn text_is_read() {
    for (file, answer) in recordings("text") {
        assert_eq!(answer.text(), "Hi there! This is a streamed answer with ünïcode 🚀 in it.", "{file}");
        assert_eq!(answer.outcome, Some(Outcome::Completed(StopReason::EndTurn)), "{file}");
    }
}

#[test]
fn tool_calls_are_read() {
    for (file, answer) in recordings("tools") {
        assert_eq!(answer.text(), "I'll read the file first.", "{file}");
        let calls: Vec<_> =
            answer.calls.into_iter().map(|call| call.map(|call| (call.name, call.input)).unwrap()).collect();
        let expected = [
            ("read_file".to_owned(), json!({"path": "src/main.rs", "start": 1})),
            ("apply_edit".to_owned(), json!({"path": "src/main.rs", "old": "foo", "new": "bär 🚀"})),
        ];
        assert_eq!(calls, expected, "{file}");
        assert_eq!(answer.outcome, Some(Outcome::Completed(StopReason::ToolUse)), "{file}");
    }
}

#[test]
fn thoughts_are_read_where_they_were_sent() {
    for (file, answer) in recordings("think") {
        assert_eq!(answer.text(), "42", "{file}");
        assert_eq!(answer.outcome, Some(Outcome::Completed(StopReason::EndTurn)), "{file}");
        let body = String::from_utf8(data(&format!("recorded/{file}"))).unwrap();
        let thoughts: String = answer
            .content
            .iter()
            .map_while(|content| match content {
                Content::Thinking { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let expected = if body.contains("Let me think") { "Let me think about it." } else { "" };
        assert_eq!(thoughts, expected, "{file}");
    }
}

#[test]
fn what_came_whole_is_read() {
    let answer = check_cuts(Format::Anthropic, &data("recorded/litellm-mock-anthropic-whole"), 1);
    assert_eq!(answer.text(), "Hi there from litellm mock ünïcode 🚀");
    assert_eq!(answer.outcome, Some(Outcome::Completed(StopReason::EndTurn)));
    assert_eq!((answer.usage.input_tokens, answer.usage.output_tokens), (2095, 503));
    let answer = check_cuts(Format::CompatibleChat, &data("recorded/litellm-mock-openai-chat-text"), 7);
    assert_eq!(answer.text(), "Hi there from litellm mock ünïcode 🚀");
}

#[test]
fn an_error_frame_is_read() {
    let events = read(Format::OpenaiResponses, [&*data("recorded/litellm-mock-openai-responses-error")]);
    let message = "the server broke off its answer: Error processing stream start";
    assert_eq!(events, [Err(ProviderError::new(ErrorClass::Overloaded, message))]);
}
