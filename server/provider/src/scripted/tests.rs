use super::*;
use crate::request::Role;

const SCRIPT: &str = r#"
turns:
  - expect: [shout]
    stream:
      - thinking: They want it loud.
      - text: "I will "
      - delayMs: 3600000
      - tool: {name: edit, input: {path: a.txt, before: one, after: ONE}}
      - usage: {inputTokens: 10, outputTokens: 5}
  - expect: [proposed, not yet accepted]
    stream:
      - text: Done.
  - stream:
      - text: half an ans
      - error: {class: overloaded, message: come back later}
  - stream:
      - text: as far as I can
      - stop: max_tokens
"#;

fn script(text: &str) -> (tempfile::TempDir, Scripted) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("script.yaml");
    std::fs::write(&path, text).unwrap();
    (dir, Scripted::new(path))
}

/// A conversation in which the model has spoken so many times, and this was said last.
fn request(spoken: usize, said: &str) -> Request {
    let answer = Message { role: Role::Assistant, content: vec![Content::Text { text: "…".into() }] };
    let mut messages = vec![answer; spoken];
    messages.push(Message::user(said));
    Request { model: "m".into(), system: String::new(), messages, tools: Vec::new() }
}

async fn events(scripted: &Scripted, spoken: usize, said: &str) -> Vec<Result<StreamEvent, ProviderError>> {
    scripted.stream(request(spoken, said)).collect().await
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_played_as_it_is_written() {
    let (_dir, scripted) = script(SCRIPT);
    let call = ToolCall {
        id: "call_1_4".into(),
        name: "edit".into(),
        input: serde_json::json!({"path": "a.txt", "before": "one", "after": "ONE"}),
    };
    let expected = [
        StreamEvent::Thinking("They want it loud.".into()),
        StreamEvent::Text("I will ".into()),
        StreamEvent::ToolCall(call),
        StreamEvent::Usage(Usage { input_tokens: 10, output_tokens: 5, ..Usage::default() }),
        StreamEvent::Stop(StopReason::ToolUse),
    ];
    assert_eq!(events(&scripted, 0, "please shout").await, expected.map(Ok));
}

#[tokio::test]
async fn each_request_plays_the_next_turn() {
    let (_dir, scripted) = script(SCRIPT);
    let done = [StreamEvent::Text("Done.".into()), StreamEvent::Stop(StopReason::EndTurn)];
    assert_eq!(events(&scripted, 1, "proposed, not yet accepted").await, done.map(Ok));
    let overloaded = ProviderError::new(ErrorClass::Overloaded, "come back later");
    assert_eq!(
        events(&scripted, 2, "go on").await,
        [Ok(StreamEvent::Text("half an ans".into())), Err(overloaded)]
    );
    assert_eq!(events(&scripted, 3, "go on").await.pop(), Some(Ok(StreamEvent::Stop(StopReason::MaxTokens))));
}

#[track_caller]
fn assert_script_error(events: &[Result<StreamEvent, ProviderError>], part: &str) {
    let [Err(error)] = events else { panic!("one error, not {events:?}") };
    assert_eq!(error.class, ErrorClass::Script);
    assert!(error.message.contains(part), "{}", error.message);
}

#[tokio::test]
async fn what_is_wrong_with_a_script_is_said() {
    let (_dir, scripted) = script(SCRIPT);
    assert_script_error(&events(&scripted, 4, "more").await, "has 4 turns and was asked for one more");
    assert_script_error(&events(&scripted, 0, "whisper").await, "turn 1 of the script");
    assert_script_error(
        &events(&scripted, 0, "whisper").await,
        "expects `shout`, but the last message is: whisper",
    );
    let (_dir, wrong) = script("turns:\n  - stream:\n      - txet: hello\n");
    assert_script_error(&events(&wrong, 0, "x").await, "txet");
    let missing = Scripted::new("/nonexistent/script.yaml".into());
    assert_script_error(&events(&missing, 0, "x").await, "/nonexistent/script.yaml cannot be read");
}
