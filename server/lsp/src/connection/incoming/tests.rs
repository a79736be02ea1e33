//! What bodies are taken for.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Checks a body against a short form of what it was taken for.
fn check(body: &str, expected: &str) {
    assert_eq!(render(read(body.as_bytes().to_vec())), expected, "{body}");
}

fn render(incoming: Incoming) -> String {
    match incoming {
        Incoming::Call(Call { id: Some(id), method, params }) => format!("request {id} {method} {params:?}"),
        Incoming::Call(Call { id: None, method, params }) => format!("notification {method} {params:?}"),
        Incoming::Answer { id, outcome: Ok(result) } => format!("answer {id} {result}"),
        Incoming::Answer { id, outcome: Err(error) } => format!("answer {id} {error}"),
        Incoming::Invalid { id, error } => format!("invalid {id} {}", error.code),
    }
}

#[test]
fn requests_and_notifications() {
    check(r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#, "request 1 a None");
    check(r#"{"jsonrpc":"2.0","id":"x","method":"a","params":null}"#, r#"request "x" a Some(Null)"#);
    check(r#"{"jsonrpc":"2.0","id":-7,"method":"a","params":[]}"#, "request -7 a Some(Array [])");
    check(r#"{"jsonrpc":"2.0","id":9007199254740992,"method":"a"}"#, "request 9007199254740992 a None");
    check(r#" {"jsonrpc":"2.0","method":"a"} "#, "notification a None");
}

#[test]
fn answers() {
    check(r#"{"jsonrpc":"2.0","id":"kk1","result":{}}"#, r#"answer "kk1" {}"#);
    check(r#"{"jsonrpc":"2.0","id":"kk1","result":null,"error":null}"#, r#"answer "kk1" null"#);
    check(r#"{"id":1,"error":{"code":-1,"message":"no"}}"#, "answer 1 the client refused: no (-1)");
    check(
        r#"{"id":1,"result":null,"error":{"code":-1,"message":"no"}}"#,
        "answer 1 the client refused: no (-1)",
    );
    check(r#"{"id":[],"result":1}"#, "answer [] 1");
    check(r#"{"result":1}"#, "answer null 1");
    check(
        r#"{"id":1,"result":1,"error":{"code":-1,"message":"no"}}"#,
        "answer 1 the client refused: the answer has both a result and an error (-32603)",
    );
    check(
        r#"{"id":1,"error":{"code":"x"}}"#,
        r#"answer 1 the client refused: malformed error: {"code":"x"} (-32603)"#,
    );
}

#[test]
fn what_is_no_message_is_told_with_its_id() {
    check(r#"{"jsonrpc":"2.0","id":5}"#, "invalid 5 -32600");
    check(r#"{"id":"x","method":"a"}"#, r#"invalid "x" -32600"#);
    check(r#"{"jsonrpc":"1.0","id":5,"method":"a"}"#, "invalid 5 -32600");
    check(r#"{"jsonrpc":2.0,"method":"a"}"#, "invalid null -32600");
    check(r#"{"jsonrpc":"2.0","id":5,"method":["a"]}"#, "invalid 5 -32600");
    for id in ["null", "1.5", "[1]", "true", "18446744073709551615"] {
        check(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"a"}}"#), "invalid null -32600");
    }
    for body in ["[]", r#"[{"jsonrpc":"2.0","id":1,"method":"shutdown"}]"#, "1", "null", "\"x\"", "{}"] {
        check(body, "invalid null -32600");
    }
}

#[test]
fn what_is_no_json_is_told() {
    let deep = "[".repeat(100_000);
    for body in ["", " ", "{", "{]", "{\"jsonrpc\":\"2.0\",}", "nul", "\u{FEFF}{}", "1e999", &deep] {
        check(body, "invalid null -32700");
    }
    assert_eq!(render(read(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xFF\"}".to_vec())), "invalid null -32700");
}

#[test]
fn a_lone_surrogate_does_not_lose_the_message() {
    for (escaped, text) in [
        (r"a\ud800b", "a\u{FFFD}b"),
        (r"\uDFFF", "\u{FFFD}"),
        (r"\ud83d\ude00\ud83d", "\u{1F600}\u{FFFD}"),
        (r"\ud83d\ud83d\ude00", "\u{FFFD}\u{1F600}"),
        (r"\ud800\\ud800", "\u{FFFD}\\ud800"),
        (r"\ud800\u0041", "\u{FFFD}A"),
        (r"\ud800\n", "\u{FFFD}\n"),
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","method":"a","params":["{escaped}"]}}"#);
        check(&body, &format!("notification a Some({:?})", json!([text])));
    }
}

proptest! {
    #[test]
    fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..80)) {
        drop(read(body));
    }

    #[test]
    fn repaired_text_keeps_its_utf16_length(units in proptest::collection::vec(
        prop_oneof![0xD7F0_u16..0xE010, 0_u16..0x80], 0..40,
    )) {
        let escaped: Vec<_> = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
        let body = format!(r#"{{"jsonrpc":"2.0","method":"a","params":["{}"]}}"#, escaped.concat());
        let Incoming::Call(call) = read(body.into_bytes()) else { panic!("not a call") };
        let text = call.params.unwrap()[0].as_str().unwrap().to_owned();
        let lossy = String::from_utf16_lossy(&units);
        prop_assert_eq!(text.encode_utf16().count(), units.len());
        prop_assert_eq!(text, lossy);
    }
}
