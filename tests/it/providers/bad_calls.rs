//! Calls that a model leaves off in the middle: nothing is run, the model or the user is told, and nothing else happens.

use std::fs;

use serde_json::json;

use super::loopback::{Loopback, answer, says};
use super::waits::{run, world};

/// The beginning of a call that would change the file, and what follows it.
fn begun(said: &str, end: &str) -> String {
    let arguments = "{\"path\": \"a.txt\", \"before\": \"one\", \"after\": \"t";
    let call = json!({"index": 0, "id": "call_1", "function": {"name": "edit", "arguments": arguments}});
    let delta = json!({"choices": [{"index": 0, "delta": {"content": said, "tool_calls": [call]}}]});
    answer("200 OK", "content-type: text/event-stream\r\n", &format!("data: {delta}\n\n{end}"))
}

#[test]
fn a_stream_that_ends_in_a_call_is_cut_off_and_runs_nothing() {
    let model = Loopback::start(vec![begun("I change it.", "")]);
    let dir = world(&model.base());
    let (code, printed, errors) = run(&dir, &["go", "--level", "yolo", "--apply"]);
    assert_eq!((code, printed.as_str()), (Some(1), "I change it.\n"), "{errors}");
    assert!(errors.contains("the model's answer was cut off") && errors.contains("--session"), "{errors}");
    assert_eq!(fs::read_to_string(dir.path().join("work/a.txt")).unwrap(), "one\n");
    model.request();
    assert!(!model.is_asked_more());
}

#[test]
fn a_call_that_is_no_whole_json_is_told_to_the_model_and_not_run() {
    let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]});
    let model = Loopback::start(vec![
        begun("I change it.", &format!("data: {end}\n\ndata: [DONE]\n\n")),
        says("Then not."),
    ]);
    let dir = world(&model.base());
    let (code, printed, errors) = run(&dir, &["go", "--level", "yolo", "--apply"]);
    assert_eq!((code, printed.as_str()), (Some(0), "Then not.\n"), "{errors}");
    assert_eq!(fs::read_to_string(dir.path().join("work/a.txt")).unwrap(), "one\n");
    model.request();
    let request = model.request();
    let messages = request["messages"].as_array().unwrap();
    let told = messages.iter().find(|message| message["role"] == "tool").expect("a result");
    assert_eq!(told["tool_call_id"], "call_1");
    assert!(told["content"].as_str().unwrap().contains("JSON"), "{told}");
}

#[test]
fn a_stream_that_ends_in_a_call_before_any_text_is_not_asked_for_again() {
    let model = Loopback::start(vec![begun("", ""), says("Once more.")]);
    let dir = world(&model.base());
    let (code, printed, errors) = run(&dir, &["go", "--level", "yolo", "--apply"]);
    assert_eq!((code, printed.as_str()), (Some(1), ""), "{errors}");
    assert!(errors.contains("the model's answer was cut off") && !errors.contains("retry"), "{errors}");
    assert_eq!(fs::read_to_string(dir.path().join("work/a.txt")).unwrap(), "one\n");
    model.request();
    assert!(!model.is_asked_more());
}
