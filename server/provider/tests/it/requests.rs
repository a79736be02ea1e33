//! What each dialect sends. `tests/data/<dialect>/request.json` holds the bodies; `UPDATE_EXPECT=1` writes them anew.

use expect_test::expect_file;
use kkcode_provider::request::{Content, Role, Seal, ToolSpec};
use kkcode_provider::wire::{Settings, Thinking};
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

fn checked(format: Format, model: &str, settings: &Settings) -> Value {
    let body = format.encode(&Request { model: model.to_owned(), ..conversation() }, settings);
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

/// The bodies that are kept: of a model that nobody knows, of one with a budget of thought, of one that thinks as it likes.
fn kept() -> [(&'static str, &'static str, Settings); 3] {
    let settings = |thinking, effort: &str| Settings {
        thinking: Some(thinking),
        effort: Some(effort.to_owned()),
        max_tokens: Some(32_000),
        context_limit: Some(64_000),
        whole: true,
    };
    [
        ("request", "org/model", Settings::default()),
        ("budget", "claude-sonnet-4-6", settings(Thinking::Budget(4000), "high")),
        ("adaptive", "claude-opus-5-5", settings(Thinking::Adaptive, "max")),
    ]
}

#[test]
fn conversations_are_encoded() {
    for (name, format) in NAMES {
        for (file, model, settings) in kept() {
            let body = checked(format, model, &settings);
            let path = format!("{}/tests/data/{name}/{file}.json", env!("CARGO_MANIFEST_DIR"));
            expect_file![path].assert_eq(&format!("{body:#}\n"));
        }
    }
}

#[test]
fn settings_have_each_formats_names() {
    let settings = Settings {
        max_tokens: Some(8000),
        context_limit: Some(32_000),
        thinking: Some(Thinking::Budget(4000)),
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
fn each_format_is_told_how_hard_to_think_in_its_own_words() {
    let told = |format: Format, model: &str, thinking, effort: Option<&str>| {
        let settings = Settings { thinking, effort: effort.map(str::to_owned), ..Settings::default() };
        let body = format.encode(&Request { model: model.into(), ..conversation() }, &settings);
        let said = ["thinking", "output_config", "reasoning", "reasoning_effort", "think"];
        let said = said.into_iter().filter_map(|name| Some(format!("{name}={}", body.get(name)?)));
        said.collect::<Vec<_>>().join(" ")
    };
    for (format, model, thinking, effort, expected) in [
        (
            Format::Anthropic,
            "claude-opus-4-8",
            Some(Thinking::Budget(4000)),
            Some("max"),
            r#"thinking={"display":"summarized","type":"adaptive"} output_config={"effort":"max"}"#,
        ),
        (
            Format::Anthropic,
            "claude-haiku-4-5",
            Some(Thinking::Adaptive),
            None,
            r#"thinking={"budget_tokens":10000,"type":"enabled"}"#,
        ),
        (
            Format::OpenaiResponses,
            "gpt-5.4",
            Some(Thinking::Off),
            None,
            r#"reasoning={"effort":"none","summary":"auto"}"#,
        ),
        (
            Format::OpenaiResponses,
            "gpt-5.4",
            None,
            Some("xhigh"),
            r#"reasoning={"effort":"xhigh","summary":"auto"}"#,
        ),
        (Format::CompatibleChat, "m", None, Some("off"), r#"reasoning_effort="none""#),
        (Format::CompatibleChat, "m", Some(Thinking::Adaptive), None, ""),
        (Format::Ollama, "m", Some(Thinking::Off), None, "think=false"),
        (Format::Ollama, "m", Some(Thinking::Adaptive), None, "think=true"),
        (Format::Ollama, "m", None, Some("max"), r#"think="high""#),
    ] {
        assert_eq!(told(format, model, thinking, effort), expected, "{format:?} {model}");
    }
}

#[test]
fn a_thinking_budget_leaves_room_for_the_answer() {
    let encoded = |max_tokens, budget| {
        let settings =
            Settings { max_tokens, thinking: Some(Thinking::Budget(budget)), ..Settings::default() };
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

#[test]
fn a_picture_behind_a_tools_result_reaches_the_model_behind_all_results() {
    let mut request = conversation();
    let last = request.messages.last_mut().unwrap();
    let image = Content::Image { media_type: "image/png".into(), data: "cGljdHVyZQ==".into() };
    last.content = vec![
        result("c1", "the picture a.png is below", false),
        result("functions.edit:2", "denied", true),
        image,
    ];
    for (name, format) in NAMES {
        let body = format.encode(&request, &Settings::default());
        let messages = body.get("messages").or(body.get("input")).unwrap().as_array().unwrap();
        let last = messages.last().unwrap();
        let picture = |text: &str| last.pointer(text).map(Value::to_string).unwrap_or_default();
        let place = match format {
            // In the same message, behind the results.
            Format::Anthropic => "/content/2/source/data",
            Format::OpenaiResponses => "/content/0/image_url",
            Format::OpenaiChat | Format::CompatibleChat => "/content/0/image_url/url",
            Format::Ollama => "/images/0",
        };
        assert!(picture(place).contains("cGljdHVyZQ=="), "{name}: {last}");
        let text = body.to_string();
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is not in {text}"));
        assert!(at("denied") < at("cGljdHVyZQ=="), "{name}");
    }
}
