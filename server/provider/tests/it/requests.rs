//! What each dialect sends. `tests/data/<dialect>/request.json` holds the bodies; `UPDATE_EXPECT=1` writes them anew.

use expect_test::expect_file;
use kkcode_provider::request::{Content, Role, Seal, ToolSpec};
use kkcode_provider::wire::Settings;
use serde_json::{Value, json};

use super::*;

const NAMES: [(&str, Format); 5] = [
    ("anthropic", Format::Anthropic),
    ("openai_responses", Format::OpenaiResponses),
    ("openai_chat", Format::OpenaiChat),
    ("compatible_chat", Format::CompatibleChat),
    ("ollama", Format::Ollama),
];

fn text(text: &str) -> Content {
    Content::Text { text: text.into() }
}

fn thought(text: &str, seal: Option<(&str, Value)>) -> Content {
    let seal = seal.map(|(format, data)| Seal { format: format.into(), data });
    Content::Thinking { text: text.into(), seal }
}

fn result(id: &str, text: &str, is_error: bool) -> Content {
    Content::ToolResult { id: id.into(), text: text.into(), is_error }
}

/// A conversation with all that there can be in one: an earlier turn that was cut short, thoughts of every provider, an
/// image, two calls at once, one of them refused.
fn conversation() -> Request {
    let user = |content| Message { role: Role::User, content };
    let model = |content| Message { role: Role::Assistant, content };
    let call =
        |id: &str, name: &str, input| Content::ToolCall(ToolCall { id: id.into(), name: name.into(), input });
    let image = Content::Image { media_type: "image/png".into(), data: "iVBORw0KGgo=".into() };
    let signed = ("anthropic", json!({"signature": "sig=="}));
    let hidden = ("anthropic", json!({"redacted": "hidden=="}));
    let encrypted = json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "enc=="});
    let edit = json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]});
    Request {
        model: "org/model".into(),
        system: "You are brief.".into(),
        messages: vec![
            user(vec![text("first")]),
            model(vec![
                thought("of an earlier turn", None),
                text("done"),
                call("c0", "edit", json!({"path": "z"})),
            ]),
            user(vec![result("c0", "proposed", false)]),
            model(vec![]),
            user(vec![text("look at this"), image]),
            model(vec![
                thought("plain", None),
                thought("signed", Some(signed)),
                thought("", Some(hidden)),
                thought("", Some(("openai_responses", encrypted))),
                text("I will."),
                call("c1", "edit", json!({"path": "a"})),
                call("functions.edit:2", "edit", json!({"path": "b"})),
            ]),
            user(vec![
                result("c1", "proposed", false),
                result("functions.edit:2", "denied", true),
                text("note"),
            ]),
        ],
        tools: vec![
            ToolSpec { name: "read", description: "reads a file", input_schema: json!({"type": "object"}) },
            ToolSpec { name: "edit", description: "edits a file", input_schema: edit },
        ],
    }
}

fn checked(format: Format, settings: &Settings) -> Value {
    let body = format.encode(&conversation(), settings);
    let text = body.to_string();
    for (call, answer) in [("c1", "proposed"), ("functions.edit:2", "denied")] {
        // Anthropic's ids have fewer characters.
        let id = if format == Format::Anthropic { call.replace(['.', ':'], "_") } else { call.to_owned() };
        if format != Format::Ollama {
            assert_eq!(
                text.matches(&format!("\"{id}\"")).count(),
                2,
                "one call and one result of {id}: {text}"
            );
        }
        assert!(text.contains(answer), "{text}");
    }
    body
}

#[test]
fn conversations_are_encoded() {
    for (name, format) in NAMES {
        let body = checked(format, &Settings::default());
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/{name}/request.json"));
        expect_file![path].assert_eq(&format!("{body:#}\n"));
    }
}

#[test]
fn settings_have_each_formats_names() {
    let settings = Settings {
        max_tokens: Some(8000),
        context_limit: Some(32_000),
        thinking_budget: Some(4000),
        effort: Some("high".into()),
        whole: true,
    };
    let empty = Request { tools: vec![], messages: vec![], system: String::new(), model: "m".into() };
    let encoded = |format: Format| format.encode(&empty, &settings);
    assert_eq!(
        encoded(Format::Anthropic),
        json!({"model": "m", "messages": [], "stream": false, "max_tokens": 8000,
               "thinking": {"type": "enabled", "budget_tokens": 4000}})
    );
    assert_eq!(
        encoded(Format::OpenaiResponses),
        json!({"model": "m", "input": [], "stream": false, "store": false, "max_output_tokens": 8000,
               "include": ["reasoning.encrypted_content"], "reasoning": {"summary": "auto", "effort": "high"}})
    );
    assert_eq!(
        encoded(Format::OpenaiChat),
        json!({"model": "m", "messages": [], "stream": false, "max_completion_tokens": 8000, "reasoning_effort": "high"})
    );
    assert_eq!(
        encoded(Format::CompatibleChat),
        json!({"model": "m", "messages": [], "stream": false, "max_tokens": 8000, "reasoning_effort": "high"})
    );
    assert_eq!(
        encoded(Format::Ollama),
        json!({"model": "m", "messages": [], "stream": false, "think": "high",
               "options": {"num_ctx": 32000, "num_predict": 8000}})
    );
}

#[test]
fn a_thinking_budget_leaves_room_for_the_answer() {
    let encoded = |max_tokens, budget| {
        let settings = Settings { max_tokens, thinking_budget: Some(budget), ..Settings::default() };
        let body = Format::Anthropic.encode(&conversation(), &settings);
        (body["max_tokens"].as_u64().unwrap(), body["thinking"]["budget_tokens"].as_u64().unwrap())
    };
    assert_eq!(encoded(None, 10_000), (16_384, 10_000));
    assert_eq!(encoded(Some(8000), 10_000), (8000, 6976));
    assert_eq!(encoded(Some(500), 10), (2048, 1024));
}

#[test]
fn models_that_think_are_asked_for_their_thoughts() {
    let asked = |model: &str| {
        let request = Request { model: model.into(), ..conversation() };
        Format::OpenaiResponses.encode(&request, &Settings::default()).get("reasoning").is_some()
    };
    for (model, thinks) in [("gpt-5.1", true), ("o3", true), ("openai/gpt-5", true), ("gpt-4o", false)] {
        assert_eq!(asked(model), thinks, "{model}");
    }
}

#[test]
fn a_compatible_server_gets_the_thoughts_of_the_running_turn_back() {
    let mut request = conversation();
    let last = request.messages.last_mut().unwrap();
    last.content.retain(|content| matches!(content, Content::ToolResult { .. }));
    let thoughts = |format: Format| {
        let body = format.encode(&request, &Settings::default());
        let messages = body["messages"].as_array().unwrap().iter();
        let thoughts = messages.filter_map(|message| message.get("reasoning_content"));
        thoughts.cloned().collect::<Vec<_>>()
    };
    assert_eq!(thoughts(Format::CompatibleChat), ["plain"]);
    assert_eq!(thoughts(Format::OpenaiChat), [""; 0]);
}

#[test]
fn at_most_four_cache_breakpoints_are_set() {
    let mut request = conversation();
    for turn in 0..10 {
        request.messages.push(Message::user(format!("turn {turn}")));
        let body = Format::Anthropic.encode(&request, &Settings::default()).to_string();
        assert_eq!(body.matches("cache_control").count(), 4);
    }
}
