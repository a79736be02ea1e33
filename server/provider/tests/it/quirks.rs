//! What servers do that no reference describes.

use kkcode_provider::request::{Content, Role};
use kkcode_provider::stream::{ErrorClass, StopReason, Usage};
use serde_json::{Value, json};

use super::*;

fn chat(frames: &[Value]) -> Answer {
    let body: String = frames.iter().map(|frame| format!("data: {frame}\n\n")).collect();
    answer(&read(Format::CompatibleChat, [body.as_bytes()]))
}

fn delta(delta: Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta}]})
}

fn finish(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

fn calls(answer: &Answer) -> Vec<(&str, &str, &Value)> {
    answer
        .calls
        .iter()
        .map(|call| call.as_ref().unwrap())
        .map(|call| (&*call.id, &*call.name, &call.input))
        .collect()
}

#[test]
fn pieces_of_calls_are_put_together_however_they_are_marked() {
    let (a, b) = (json!({"x": 1}), json!({"y": 2}));
    let expected = [("a", "edit", &a), ("b", "read", &b)];
    let piece = |index: Option<u64>, id: Option<&str>, name: Option<&str>, arguments: &str| {
        let mut piece = json!({"function": {"arguments": arguments}});
        if let Some(index) = index {
            piece["index"] = json!(index);
        }
        if let Some(id) = id {
            piece["id"] = json!(id);
        }
        if let Some(name) = name {
            piece["function"]["name"] = json!(name);
        }
        delta(json!({"tool_calls": [piece]}))
    };
    for (what, pieces) in [
        (
            "indices out of order",
            vec![
                piece(Some(5), Some("a"), Some("edit"), "{\"x\""),
                piece(Some(2), Some("b"), Some("read"), "{\"y\""),
                piece(Some(5), None, None, ":1}"),
                piece(Some(2), None, None, ":2}"),
            ],
        ),
        (
            "always the index 0",
            vec![
                piece(Some(0), Some("a"), Some("edit"), "{\"x\""),
                piece(Some(0), None, None, ":1}"),
                piece(Some(0), Some("b"), Some("read"), "{\"y\":2}"),
            ],
        ),
        (
            "no index, ids with every piece",
            vec![
                piece(None, Some("a"), Some("edit"), "{\"x\""),
                piece(None, Some("b"), Some("read"), "{\"y\""),
                piece(None, Some("a"), None, ":1}"),
                piece(None, Some("b"), None, ":2}"),
            ],
        ),
        (
            "no index, ids at first only",
            vec![
                piece(None, Some("a"), Some("edit"), "{\"x\""),
                piece(None, None, None, ":1}"),
                piece(None, Some("b"), Some("read"), "{\"y\""),
                piece(None, None, None, ":2}"),
            ],
        ),
        (
            "names in pieces, and again",
            vec![
                piece(Some(0), Some("a"), Some("ed"), ""),
                piece(Some(0), Some("a"), Some("it"), "{\"x\":1}"),
                piece(Some(1), Some("b"), Some("read"), "{\"y\""),
                piece(Some(1), Some("b"), Some("read"), ":2}"),
            ],
        ),
    ] {
        let answer = chat(&[pieces, vec![finish("tool_calls")]].concat());
        assert_eq!(calls(&answer), expected, "{what}");
    }
    let nameless = [
        piece(Some(0), Some(""), Some("edit"), "{\"x\":1}"),
        piece(Some(0), Some(""), Some("edit"), "{\"x\":2}"),
        finish("stop"),
    ];
    let two = json!({"x": 2});
    assert_eq!(calls(&chat(&nameless)), [("call_1_1", "edit", &a), ("call_1_2", "edit", &two)]);
}

#[test]
fn an_id_that_the_conversation_has_is_given_once_more_under_another_name() {
    let frame = json!({"id": "x", "function": {"name": "edit", "arguments": {}}});
    let body =
        json!({"choices": [{"message": {"tool_calls": [frame, frame]}, "finish_reason": "tool_calls"}]});
    let mut request = request();
    let used = ToolCall { id: "x".into(), name: "edit".into(), input: json!({}) };
    request.messages.push(Message { role: Role::Assistant, content: vec![Content::ToolCall(used)] });
    let mut reader = Reader::new(Format::OpenaiChat, &request);
    let mut events = reader.push(body.to_string().as_bytes());
    events.extend(reader.finish());
    assert_eq!(calls(&answer(&events)), [("x_2_1", "edit", &json!({})), ("x_2_2", "edit", &json!({}))]);
}

#[test]
fn reasons_to_finish_are_told_apart() {
    let said = delta(json!({"content": "x"}));
    for (reason, outcome) in [
        ("stop", Outcome::Completed(StopReason::EndTurn)),
        ("eos", Outcome::Completed(StopReason::EndTurn)),
        ("length", Outcome::Completed(StopReason::MaxTokens)),
        ("content_filter", Outcome::Refused),
    ] {
        assert_eq!(chat(&[said.clone(), finish(reason)]).outcome, Some(outcome), "{reason}");
    }
    for reason in ["error", "abort", "insufficient_system_resource"] {
        let outcome = chat(&[said.clone(), finish(reason)]).outcome;
        assert!(
            matches!(&outcome, Some(Outcome::Failed(error)) if error.class == ErrorClass::Overloaded),
            "{reason}: {outcome:?}"
        );
    }
    assert_eq!(chat(&[said]).outcome, Some(Outcome::Truncated));
}

#[test]
fn the_mark_of_the_end_alone_is_no_answer() {
    let outcome = answer(&read(Format::CompatibleChat, [&b"data: [DONE]\n\n"[..]])).outcome;
    assert!(
        matches!(&outcome, Some(Outcome::Failed(error)) if error.class == ErrorClass::Protocol),
        "{outcome:?}"
    );
}

#[test]
fn counts_with_every_chunk_are_not_added_up() {
    let frame = |text: &str, sent: u64, got: u64| json!({"choices": [{"delta": {"content": text}}], "usage": {"prompt_tokens": sent, "completion_tokens": got}});
    let answer = chat(&[frame("a", 10, 1), frame("b", 10, 2), finish("stop"), frame("", 10, 3)]);
    let expected = Usage { input_tokens: 10, output_tokens: 3, ..Usage::default() };
    assert_eq!((answer.usage, answer.text().as_str()), (expected, "ab"));
}

#[test]
fn odd_chunks_say_nothing() {
    let answer = chat(&[
        json!({"choices": []}),
        json!({"choices": null, "object": null}),
        json!({}),
        json!({"choices": [{"delta": {"role": "assistant", "content": null, "tool_calls": null}, "finish_reason": ""}]}),
        json!({"choices": [{"delta": null}], "obfuscation": "xyz"}),
        delta(json!({"content": "a"})),
        finish("stop"),
    ]);
    assert_eq!(answer.text(), "a");
    assert_eq!(answer.outcome, Some(Outcome::Completed(StopReason::EndTurn)));
}

fn anthropic(frames: &[Value]) -> Answer {
    let body: String = frames.iter().map(|frame| format!("data: {frame}\n\n")).collect();
    answer(&read(Format::Anthropic, [body.as_bytes()]))
}

#[test]
fn stop_reasons_of_anthropic_are_told_apart() {
    let stopped = |reason: &str| {
        let details = json!({"explanation": "not this"});
        let delta = json!({"stop_reason": reason, "stop_details": details});
        anthropic(&[json!({"type": "message_delta", "delta": delta}), json!({"type": "message_stop"})])
    };
    for (reason, outcome) in [
        ("end_turn", Outcome::Completed(StopReason::EndTurn)),
        ("stop_sequence", Outcome::Completed(StopReason::EndTurn)),
        ("max_tokens", Outcome::Completed(StopReason::MaxTokens)),
        ("model_context_window_exceeded", Outcome::Completed(StopReason::ContextFull)),
        ("refusal", Outcome::Refused),
    ] {
        assert_eq!(stopped(reason).outcome, Some(outcome), "{reason}");
    }
    assert!(matches!(stopped("pause_turn").outcome, Some(Outcome::Failed(_))));
    assert_eq!(stopped("refusal").text(), "not this");
}

#[test]
fn a_call_may_come_without_pieces() {
    let block = json!({"type": "tool_use", "id": "a", "name": "edit", "input": {"x": 1}});
    let answer = anthropic(&[
        json!({"type": "content_block_start", "index": 0, "content_block": block}),
        json!({"type": "message_stop"}),
    ]);
    assert_eq!(calls(&answer), [("a", "edit", &json!({"x": 1}))]);
}

#[test]
fn the_responses_of_a_gateway_that_sends_only_the_end_are_read() {
    let text = json!({"type": "message", "content": [{"type": "output_text", "text": "hi"}]});
    let call = json!({"type": "function_call", "call_id": "a", "name": "edit", "arguments": "{\"x\":1}"});
    let end =
        json!({"type": "response.completed", "response": {"status": "completed", "output": [text, call]}});
    let answer = answer(&read(Format::OpenaiResponses, [format!("data: {end}\n\n").as_bytes()]));
    assert_eq!(answer.text(), "hi");
    assert_eq!(calls(&answer), [("a", "edit", &json!({"x": 1}))]);
    assert_eq!(answer.outcome, Some(Outcome::Completed(StopReason::ToolUse)));
}

#[test]
fn an_answer_that_a_filter_cut_is_refused() {
    let response = json!({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}});
    let end = json!({"type": "response.incomplete", "response": response});
    let answer = answer(&read(Format::OpenaiResponses, [format!("data: {end}\n\n").as_bytes()]));
    assert_eq!(answer.outcome, Some(Outcome::Refused));
}

#[test]
fn ollama_that_only_loads_the_model_did_not_answer() {
    let line = json!({"message": {"content": ""}, "done": true, "done_reason": "load"}).to_string();
    let outcome = answer(&read(Format::Ollama, [line.as_bytes()])).outcome;
    assert!(
        matches!(&outcome, Some(Outcome::Failed(error)) if error.message.contains("`load`")),
        "{outcome:?}"
    );
}
