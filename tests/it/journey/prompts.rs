//! Turns without a client of ours: prompts as text, actions on a selection, progress, replies as documents.

use kkcode_tests::{Message, Options};
use serde_json::{Value, json};

use super::{SCRIPT, World, capabilities, folders};

/// A client that knows nothing of us, but shows progress and documents.
fn plain() -> Value {
    let mut plain = capabilities();
    plain.as_object_mut().unwrap().remove("experimental");
    plain["window"] = json!({"workDoneProgress": true, "showDocument": {"support": true}});
    plain
}

fn actions(world: &mut World, from: [u32; 2], to: [u32; 2], context: &Value) -> Vec<Value> {
    let place = |[line, character]: [u32; 2]| json!({"line": line, "character": character});
    let params = json!({
        "textDocument": {"uri": world.uri()},
        "range": {"start": place(from), "end": place(to)},
        "context": context,
    });
    world.server.call("textDocument/codeAction", params).as_array().unwrap().clone()
}

fn titles(actions: &[Value]) -> Vec<&str> {
    actions.iter().map(|action| action["title"].as_str().unwrap()).collect()
}

#[test]
fn a_selection_can_be_asked_about_and_worked_on() {
    let mut world = World::new();
    world.open();
    let none = json!({"diagnostics": []});
    assert_eq!(actions(&mut world, [1, 0], [1, 0], &none), Vec::<Value>::new(), "nothing is selected");
    let selected = actions(&mut world, [1, 0], [2, 5], &none);
    assert_eq!(titles(&selected), ["Ask", "Explain", "Refactor…", "Document", "Write tests", "Fix"]);
    assert_eq!(selected[5]["kind"], "quickfix");
    let argument = &selected[1]["command"]["arguments"][0];
    assert_eq!(argument["textDocument"], json!({"uri": world.uri(), "version": 1}));
    assert_eq!((&argument["mode"], &argument["range"]["end"]["line"]), (&json!("ask"), &json!(2)));
    let only = json!({"diagnostics": [], "only": ["quickfix"]});
    assert_eq!(titles(&actions(&mut world, [1, 0], [2, 5], &only)), ["Fix"]);
    let automatic = json!({"diagnostics": [], "triggerKind": 2});
    assert_eq!(actions(&mut world, [1, 0], [2, 5], &automatic), Vec::<Value>::new());
    world.done();
}

#[test]
fn a_diagnostic_of_another_server_can_be_fixed() {
    let script = "turns:\n  - expect: [\"error of lint: no such number\", \"2\\ttwo\"]\n    stream: [{text: Fixed.}]\n";
    let mut world = World::with(script, capabilities());
    world.open();
    let range = json!({"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 3}});
    let lint = json!({"range": range, "severity": 1, "source": "lint", "message": "no such number", "data": {"x": 1}});
    let ours = json!({"range": range, "source": "kkcode", "message": "a hunk"});
    let found = actions(&mut world, [1, 1], [1, 1], &json!({"diagnostics": [lint, ours]}));
    assert_eq!(titles(&found), ["Fix"]);
    world.server.call("workspace/executeCommand", found[0]["command"].clone());
    let finished = world.server.expect_notification("kkcode/turn/didFinish");
    assert_eq!(finished["reply"], "Fixed.", "{finished}");
    world.done();
}

#[test]
fn a_line_of_text_is_a_prompt() {
    let mut world = World::new();
    world.text = "// kkcode: shout, please\none\n# kkcode? why two\ntwo\nfive\n".to_owned();
    std::fs::write(world.file(), &world.text).unwrap();
    world.open();
    let none = json!({"diagnostics": []});
    assert_eq!(titles(&actions(&mut world, [1, 0], [1, 0], &none)), [] as [&str; 0]);
    assert_eq!(titles(&actions(&mut world, [2, 3], [2, 3], &none)), ["Ask: why two"]);
    let found = actions(&mut world, [0, 3], [0, 3], &none);
    assert_eq!(titles(&found), ["Do: shout, please"]);
    let started = world.server.call("workspace/executeCommand", found[0]["command"].clone());
    assert!(started["turnId"].is_string() && started["sessionId"].is_string(), "{started}");
    let finished = world.server.expect_notification("kkcode/turn/didFinish");
    assert_eq!(
        (&finished["turnId"], &finished["status"]),
        (&started["turnId"], &json!("completed")),
        "{finished}"
    );
    world.done();
}

#[test]
fn progress_says_what_a_turn_does_and_its_cancel_ends_it() {
    let script = r#"
turns:
  - stream:
      - tool: {name: edit, input: {path: "x y.txt", before: two, after: TWO}}
  - stream: [{delayMs: 3600000}]
"#;
    let dir = folders(script);
    let mut server = Options::new()
        .home(dir.path().join("home"))
        .workspace(&dir.path().join("work"))
        .ignore("textDocument/publishDiagnostics")
        .capabilities(plain())
        .initialized();
    let started = server.command("kkcode.turn.start", json!({"prompt": "make it loud\nnow"})).unwrap();
    let (id, params) = server.expect_request("window/workDoneProgress/create");
    let token = format!("kkcode-turn-{}", started["turnId"].as_str().unwrap());
    assert_eq!(params, json!({"token": token}));
    server.respond(&id, Ok(Value::Null));
    let begin = server.expect_notification("$/progress");
    assert_eq!(
        begin["value"],
        json!({"kind": "begin", "title": "kkcode: make it loud", "cancellable": true})
    );
    let report = server.expect_notification("$/progress");
    assert_eq!((&report["token"], &report["value"]["message"]), (&json!(token), &json!("edit x y.txt")));
    server.notify("window/workDoneProgress/cancel", json!({"token": token}));
    let end = server.expect_notification("$/progress");
    assert_eq!(end["value"], json!({"kind": "end", "message": "cancelled"}));
    server.expect_notification("window/showMessage");
    server.shutdown();
    server.take_unread();
}

#[test]
fn a_reply_is_a_document_and_an_interrupted_turn_goes_on_by_one_click() {
    let script = "turns:\n  - stream: [{text: \"# So\\n\\nThis is why.\"}]\n";
    let dir = folders(script);
    let mut server = Options::new()
        .home(dir.path().join("home"))
        .workspace(&dir.path().join("work"))
        .ignore("window/workDoneProgress/create")
        .capabilities(plain())
        .initialized();
    server.command("kkcode.turn.start", json!({"prompt": "why?", "mode": "ask"})).unwrap();
    let (id, params) = server.expect_request("window/showDocument");
    server.respond(&id, Ok(json!({"success": true})));
    assert_eq!(params["takeFocus"], false);
    let path = params["uri"].as_str().unwrap().strip_prefix("file://").unwrap().to_owned();
    assert_eq!(std::fs::read_to_string(path).unwrap(), "> why?\n\n# So\n\nThis is why.\n");
    assert_eq!(server.expect_notification("window/showMessage")["message"], "kkcode: completed: # So");
    server.shutdown();

    let nonsense = "  - stream: [{tool: {name: nonsense, input: {}}}]\n".repeat(8);
    let script = format!("turns:\n{nonsense}  - expect: [continue]\n    stream: [{{text: Better.}}]\n");
    let mut world = World::with(&script, {
        let mut plain = plain();
        plain["window"] = json!({});
        plain
    });
    world.server.command("kkcode.turn.start", json!({"prompt": "go"})).unwrap();
    let (id, params) = world.server.expect_request("window/showMessageRequest");
    assert_eq!(params["actions"], json!([{"title": "Continue"}]));
    assert!(params["message"].as_str().unwrap().contains("interrupted"), "{params}");
    world.server.respond(&id, Ok(json!({"title": "Continue"})));
    let message = world.server.wait_for("the end of the second turn", |message| match message {
        Message::Notification { method, params } if method == "window/showMessage" => Some(params.clone()),
        _ => None,
    });
    assert!(message["message"].as_str().unwrap().starts_with("kkcode: completed: Better."), "{message}");
    world.done();
}

#[test]
fn a_prompt_in_a_document_that_has_changed_is_refused() {
    let mut world = World::with(SCRIPT, capabilities());
    world.open();
    let found = actions(&mut world, [1, 0], [1, 3], &json!({"diagnostics": []}));
    world.type_text(0, 0, 0, "x");
    let refused = world.server.request("workspace/executeCommand", found[1]["command"].clone()).unwrap_err();
    assert_eq!(refused.code, -32801, "{refused}");
    world.done();
}
