use serde_json::json;

use super::*;
use crate::request::Message;

fn ids(used: &[&str]) -> CallIds {
    let call = |id: &&str| {
        Content::ToolCall(ToolCall { id: (*id).to_owned(), name: "edit".into(), input: json!({}) })
    };
    let said = Message { role: Role::Assistant, content: used.iter().map(call).collect() };
    let messages = vec![Message::user("go"), said];
    CallIds::of(&Request { model: "m".into(), system: String::new(), messages, tools: Vec::new() })
}

fn call(id: &str, input: &str) -> PartialCall {
    PartialCall { id: id.into(), name: "edit".into(), input: input.into() }
}

#[test]
fn every_call_has_an_id_of_its_own() {
    let mut ids = ids(&["a", "call_2_3"]);
    let mut given = |id: &str| match ids.finish(call(id, "{}")).unwrap() {
        StreamEvent::ToolCall(call) => call.id,
        other => panic!("{other:?}"),
    };
    assert_eq!(given("b"), "b");
    assert_eq!(given("a"), "a_2_2");
    assert_eq!(given(""), "call_2_3_2_3");
    assert_eq!(given(""), "call_2_4");
    assert_eq!(given("b"), "b_2_5");
}

#[test]
fn only_a_complete_object_is_an_input() {
    for (input, value) in [
        ("", json!({})),
        (" ", json!({})),
        (r#"{"a": 1, "a": 2}"#, json!({"a": 2})),
        ("{\"a\": \"🚀\"}\n", json!({"a": "🚀"})),
    ] {
        let expected = ToolCall { id: "x".into(), name: "edit".into(), input: value };
        assert_eq!(ids(&[]).finish(call("x", input)), Ok(StreamEvent::ToolCall(expected)), "{input}");
    }
    for (input, part) in [
        (r#"{"path": "src/ma"#, "not complete JSON"),
        (r#"{"a": 1e400}"#, "not complete JSON"),
        (r#"{"a": "\ud800"}"#, "not complete JSON"),
        (r#"{"a": "\x"}"#, "not complete JSON"),
        (r#"{"a": 1}{"#, "not complete JSON"),
        ("null", "no JSON object"),
        ("[{}]", "no JSON object"),
    ] {
        match ids(&[]).finish(call("x", input)) {
            Ok(StreamEvent::BrokenCall(broken)) => {
                assert!(broken.why.contains(part), "{input}: {}", broken.why);
            }
            other => panic!("{input}: {other:?}"),
        }
    }
    let nameless = PartialCall { name: String::new(), ..call("x", "{}") };
    assert!(matches!(ids(&[]).finish(nameless), Ok(StreamEvent::BrokenCall(_))));
}

#[test]
fn calls_without_end_are_refused() {
    let long = call("x", &" ".repeat(LONGEST_INPUT + 1));
    assert_eq!(long.check().map_err(|error| error.class), Err(ErrorClass::Protocol));
    let mut ids = ids(&[]);
    let mut last = Ok(StreamEvent::Text(String::new()));
    for _ in 0..=MOST_CALLS {
        last = ids.finish(call("", "{}"));
    }
    assert_eq!(last.map_err(|error| error.class), Err(ErrorClass::Protocol));
}
