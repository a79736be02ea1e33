//! The bodies that a server of each format gets when there are pictures: one that the user adds, one that the agent reads.

use std::fs;

use serde_json::{Value, json};

use super::loopback::{Loopback, answer};
use super::pictures::PNG;
use super::waits::{run, world};

/// The picture in base64.
const DATA: &str = "iVBORw0KGgoAAAANSUhEUg==";

/// The same as an address.
const URL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==";

/// What the user said, and what is said of the picture.
const PROMPT: &str = "what is it?\n\nThe user adds the picture a.png, which is below.";

/// What the tool answers beside its picture.
const RESULT: &str = "(b.png, image/png)";

/// Has a model of this kind call `read` for a picture, in a turn with another one, and say something; returns the bodies of both
/// requests, but for what has no pictures: the system prompt and the tools.
fn bodies(kind: &str, protocol: Option<&str>, call: &Value, end: &Value) -> [Value; 2] {
    let whole = |body: &Value| answer("200 OK", "content-type: application/json\r\n", &body.to_string());
    let model = Loopback::start(vec![whole(call), whole(end)]);
    let dir = world(&if kind == "ollama" { model.origin() } else { model.base() });
    let file = dir.path().join("home/config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    config["provider"]["far"]["type"] = json!(kind);
    if let Some(protocol) = protocol {
        config["provider"]["far"]["protocol"] = json!(protocol);
    }
    fs::write(file, config.to_string()).unwrap();
    for name in ["a.png", "b.png"] {
        fs::write(dir.path().join("work").join(name), PNG).unwrap();
    }
    let (code, printed, errors) = run(&dir, &["what is it?", "--attach", "a.png"]);
    assert_eq!((code, printed.as_str()), (Some(0), "Two cats.\n"), "{errors}");
    [model.request(), model.request()].map(|mut body| {
        let members = body.as_object_mut().unwrap();
        assert!(members.remove("tools").is_some(), "{kind}");
        let is_told = ["system", "instructions"].iter().any(|name| members.remove(*name).is_some());
        if !is_told {
            let first = body["messages"].as_array_mut().unwrap().remove(0);
            assert_eq!(first["role"], "system", "{kind}");
        }
        body
    })
}

#[test]
fn anthropic_gets_pictures_as_blocks() {
    let input = json!({"path": "b.png"});
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "read", "input": input});
    let asked = bodies(
        "anthropic",
        None,
        &json!({"type": "message", "role": "assistant", "content": [call], "stop_reason": "tool_use"}),
        &json!({"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Two cats."}],
                "stop_reason": "end_turn"}),
    );
    let source = json!({"type": "base64", "media_type": "image/png", "data": DATA});
    let cached = json!({"type": "image", "source": source, "cache_control": {"type": "ephemeral"}});
    let prompt = json!({"role": "user", "content": [{"type": "text", "text": PROMPT}, cached]});
    let result =
        json!({"type": "tool_result", "tool_use_id": "toolu_1", "content": RESULT, "is_error": false});
    let body =
        |messages: Value| json!({"model": "m", "max_tokens": 16384, "stream": true, "messages": messages});
    assert_eq!(asked[0], body(json!([prompt])));
    assert_eq!(
        asked[1],
        body(json!([
            prompt,
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result, cached]},
        ]))
    );
}

#[test]
fn openai_responses_gets_pictures_as_parts() {
    let arguments = json!({"path": "b.png"}).to_string();
    let call = json!({"type": "function_call", "call_id": "call_1", "name": "read", "arguments": arguments});
    let text = json!({"type": "output_text", "text": "Two cats."});
    let asked = bodies(
        "openai-compatible",
        Some("responses"),
        &json!({"object": "response", "status": "completed", "output": [call]}),
        &json!({"object": "response", "status": "completed",
                "output": [{"type": "message", "role": "assistant", "content": [text]}]}),
    );
    let picture = json!({"type": "input_image", "image_url": URL, "detail": "auto"});
    let prompt = json!({"type": "message", "role": "user",
                        "content": [{"type": "input_text", "text": PROMPT}, picture]});
    let body = |input: Value| json!({"model": "m", "stream": true, "store": false, "input": input});
    assert_eq!(asked[0], body(json!([prompt])));
    assert_eq!(
        asked[1],
        body(json!([
            prompt,
            call,
            {"type": "function_call_output", "call_id": "call_1", "output": RESULT},
            {"type": "message", "role": "user", "content": [picture]},
        ]))
    );
}

#[test]
fn chat_completions_gets_pictures_as_parts() {
    let arguments = json!({"path": "b.png"}).to_string();
    let function = json!({"name": "read", "arguments": arguments});
    let call = json!({"id": "call_1", "type": "function", "function": function});
    let said = json!({"role": "assistant", "content": null, "tool_calls": [call]});
    let asked = bodies(
        "openai-compatible",
        None,
        &json!({"choices": [{"index": 0, "message": said, "finish_reason": "tool_calls"}]}),
        &json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "Two cats."},
                             "finish_reason": "stop"}]}),
    );
    let picture = json!({"type": "image_url", "image_url": {"url": URL}});
    let prompt = json!({"role": "user", "content": [{"type": "text", "text": PROMPT}, picture]});
    let body = |messages: Value| {
        let options = json!({"include_usage": true});
        json!({"model": "m", "stream": true, "stream_options": options, "messages": messages})
    };
    assert_eq!(asked[0], body(json!([prompt])));
    assert_eq!(
        asked[1],
        body(json!([
            prompt,
            said,
            {"role": "tool", "tool_call_id": "call_1", "content": RESULT},
            {"role": "user", "content": [picture]},
        ]))
    );
}

#[test]
fn ollama_gets_pictures_beside_the_text() {
    let call = json!({"function": {"name": "read", "arguments": {"path": "b.png"}}});
    let asked = bodies(
        "ollama",
        None,
        &json!({"message": {"role": "assistant", "content": "", "tool_calls": [call]}, "done": true}),
        &json!({"message": {"role": "assistant", "content": "Two cats."}, "done": true}),
    );
    let prompt = json!({"role": "user", "content": PROMPT, "images": [DATA]});
    let body = |messages: Value| json!({"model": "m", "stream": true, "messages": messages});
    assert_eq!(asked[0], body(json!([prompt])));
    assert_eq!(
        asked[1],
        body(json!([
            prompt,
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_name": "read", "content": RESULT},
            {"role": "user", "content": "", "images": [DATA]},
        ]))
    );
}
