use serde_json::json;

use super::*;
use crate::request::Seal;
use crate::stream::ErrorClass;

fn answer(events: impl IntoIterator<Item = StreamEvent>) -> Answer {
    let mut answer = Answer::default();
    for event in events {
        answer.add(Some(Ok(event)));
    }
    answer
}

fn seal(data: &str) -> Seal {
    Seal { format: "f".into(), data: json!(data) }
}

#[test]
fn thoughts_keep_their_seals_and_their_places() {
    let call = ToolCall { id: "1".into(), name: "edit".into(), input: json!({}) };
    let answer = answer([
        StreamEvent::Thinking("a".into()),
        StreamEvent::Thinking("b".into()),
        StreamEvent::Seal(seal("ab")),
        StreamEvent::Seal(seal("hidden")),
        StreamEvent::Thinking("c".into()),
        StreamEvent::Text("x".into()),
        StreamEvent::Text("y".into()),
        StreamEvent::ToolCall(call.clone()),
        StreamEvent::Text("z".into()),
    ]);
    let expected = [
        Content::Thinking { text: "ab".into(), seal: Some(seal("ab")) },
        Content::Thinking { text: String::new(), seal: Some(seal("hidden")) },
        Content::Thinking { text: "c".into(), seal: None },
        Content::Text { text: "xy".into() },
        Content::ToolCall(call),
        Content::Text { text: "z".into() },
    ];
    assert_eq!(answer.content, expected);
    assert_eq!(answer.text(), "xyz");
    assert_eq!(answer.outcome, None);
}

#[test]
fn an_answer_ends_once() {
    let error = ProviderError::new(ErrorClass::Network, "gone");
    let stop = |reason| Some(Ok(StreamEvent::Stop(reason)));
    for (end, outcome) in [
        (None, Outcome::Truncated),
        (stop(StopReason::EndTurn), Outcome::Completed(StopReason::EndTurn)),
        (stop(StopReason::Refusal), Outcome::Refused),
        (Some(Err(error.clone())), Outcome::Failed(error)),
    ] {
        let mut answer = Answer::default();
        answer.add(end);
        answer.cancel();
        answer.add(Some(Ok(StreamEvent::Text("late".into()))));
        answer.add(None);
        assert_eq!((answer.outcome, answer.content), (Some(outcome), Vec::new()));
    }
    let mut cancelled = Answer::default();
    cancelled.cancel();
    cancelled.add(stop(StopReason::EndTurn));
    assert_eq!(cancelled.outcome, Some(Outcome::Cancelled));
}

#[test]
fn a_broken_call_is_kept_without_its_input_and_answered() {
    let broken = BrokenCall { id: "1".into(), name: "edit".into(), why: "cut".into() };
    let answer = answer([StreamEvent::BrokenCall(broken.clone())]);
    let kept = ToolCall { id: "1".into(), name: "edit".into(), input: json!({}) };
    assert_eq!(answer.content, [Content::ToolCall(kept)]);
    assert_eq!(answer.calls, [Err(broken.clone())]);
    let result = Content::ToolResult { id: "1".into(), text: "cut".into(), is_error: true };
    assert_eq!(broken.result(), result);
}
