//! What a turn does with a model that loops, stops, is cut off or is wrong, and what the client is told meanwhile.

use std::fs;

use kkcode_tests::Message;
use serde_json::{Value, json};

use super::{World, capabilities, folders, options};

/// Runs a turn to its end.
fn run(world: &mut World, argument: Value) -> Value {
    world.server.command("kkcode.turn.start", argument).unwrap();
    world.server.expect_notification("kkcode/turn/didFinish")
}

fn calls(count: usize, name: &str) -> String {
    let turn = format!("  - stream: [{{tool: {{name: {name}, input: {{path: x}}}}}}]\n");
    format!("turns:\n{}", turn.repeat(count))
}

#[test]
fn a_model_that_repeats_itself_is_warned_and_then_stopped() {
    let mut world = World::with(&calls(40, "nonsense"), capabilities());
    let finished = run(&mut world, json!({"prompt": "go"}));
    assert_eq!(finished["status"], "interrupted");
    let reason = finished["error"]["message"].as_str().unwrap();
    assert!(
        reason.contains("the same call of `nonsense` 8 times") && reason.contains("`continue`"),
        "{reason}"
    );
    world.done();
}

#[test]
fn a_turn_ends_at_its_step_limit_and_goes_on_when_told_to() {
    let turn =
        |n| format!("  - stream: [{{tool: {{name: edit, input: {{path: y{n}, before: a, after: b}}}}}}]\n");
    let script = (0..7).map(turn).collect::<Vec<_>>().concat();
    let script = format!("turns:\n{script}  - expect: [continue]\n    stream: [{{text: Done.}}]\n");
    let dir = folders(&script);
    let config = fs::read_to_string(dir.path().join("home/config.yaml")).unwrap();
    fs::write(dir.path().join("home/config.yaml"), format!("{config}agent: {{max_steps: 7}}\n")).unwrap();
    let mut server = options(&dir).capabilities(capabilities()).initialized();
    let started = server.command("kkcode.turn.start", json!({"prompt": "go"})).unwrap();
    let finished = server.expect_notification("kkcode/turn/didFinish");
    assert_eq!(finished["status"], "interrupted", "{finished}");
    assert!(finished["error"]["message"].as_str().unwrap().contains("made 7 requests"), "{finished}");
    let go_on = json!({"prompt": "continue", "sessionId": started["sessionId"]});
    server.command("kkcode.turn.start", go_on).unwrap();
    assert_eq!(server.expect_notification("kkcode/turn/didFinish")["reply"], "Done.");
    server.shutdown();
    server.take_unread();
}

#[test]
fn an_answer_that_reaches_the_output_limit_goes_on() {
    let script = r#"
turns:
  - stream: [{text: "The first half, "}, {stop: max_tokens}]
  - expect: ["The first half, ]"]
    stream: [{text: "and the second."}]
"#;
    let mut world = World::with(script, capabilities());
    let finished = run(&mut world, json!({"prompt": "go"}));
    assert_eq!(
        (&finished["status"], &finished["reply"]),
        (&json!("completed"), &json!("The first half, and the second."))
    );
    world.done();

    let endless = format!("turns:\n{}", "  - stream: [{text: x}, {stop: max_tokens}]\n".repeat(20));
    let mut world = World::with(&endless, capabilities());
    let finished = run(&mut world, json!({"prompt": "go"}));
    assert_eq!((&finished["status"], &finished["reply"]), (&json!("interrupted"), &json!("x".repeat(9))));
    world.done();
}

#[test]
fn a_tool_that_does_not_exist_is_said_so_and_the_turn_goes_on() {
    let script = r#"
turns:
  - stream:
      - tool: {name: fly, input: {}}
      - tool: {name: edit, input: {path: 7}}
  - expect: ["there is no tool `fly`"]
    stream: [{text: "Then not."}]
"#;
    let mut world = World::with(script, capabilities());
    assert_eq!(run(&mut world, json!({"prompt": "go"}))["reply"], "Then not.");
    world.done();
}

#[test]
fn what_a_cancelled_turn_has_said_is_known_to_the_next_one() {
    let script = r#"
turns:
  - stream: [{text: "half a thought"}, {delayMs: 3600000}]
  - expect: [go on]
    stream: [{text: "the other half"}]
"#;
    let mut world = World::with(script, capabilities());
    let started = world.server.command("kkcode.turn.start", json!({"prompt": "think"})).unwrap();
    let turn = json!({"turnId": started["turnId"]});
    // It has said something when it is shown to have.
    while world.server.command("kkcode.turn.show", turn.clone()).unwrap().get("reply").is_none() {}
    world.server.command("kkcode.turn.cancel", turn).unwrap();
    let finished = world.server.expect_notification("kkcode/turn/didFinish");
    assert_eq!((&finished["status"], &finished["reply"]), (&json!("cancelled"), &json!("half a thought")));
    let finished = run(&mut world, json!({"prompt": "go on", "sessionId": started["sessionId"]}));
    assert_eq!(finished["reply"], "the other half", "{finished}");
    world.done();
}

#[test]
fn the_selection_the_context_and_the_diagnostics_reach_the_model_as_lines() {
    let script = r#"
turns:
  - expect:
      - "fix it"
      - "The user has selected this in x y.txt, lines 2 to 3:\n2\tTYPED two\n3\tthree\n"
      - "The user adds other.txt, all of it:\n1\tfrom the disk\n"
      - "At line 5 there is this error [E1] of lint: five is too many"
      - "4\tfour\n5\tfive\n"
    stream: [{text: "Fixed."}]
"#;
    let mut world = World::with(script, capabilities());
    fs::write(world.dir.path().join("work/other.txt"), "from the disk\n").unwrap();
    world.open();
    world.type_text(1, 0, 0, "TYPED ");
    let other = format!("file://{}/work/other.txt", world.dir.path().display());
    let range =
        |a: u32, b: u32| json!({"start": {"line": a, "character": 0}, "end": {"line": b, "character": 0}});
    let diagnostic = json!({"range": range(4, 4), "severity": 1, "code": "E1", "source": "lint", "message": "five is too many"});
    let argument = json!({
        "prompt": "fix it",
        "textDocument": {"uri": world.uri(), "version": world.version},
        "range": range(1, 3),
        "context": [{"uri": other}],
        "diagnostics": [{"uri": world.uri(), "diagnostic": diagnostic}],
    });
    let finished = run(&mut world, argument);
    assert_eq!(finished["reply"], "Fixed.", "{finished}");
    let list = world.server.command("kkcode.session.list", json!({})).unwrap();
    assert_eq!(list["sessions"][0]["title"], "fix it", "the prompt is the user's own words");
    world.done();
}

#[test]
fn asking_and_planning_change_nothing() {
    for mode in ["ask", "plan"] {
        let mut world = World::new();
        world
            .server
            .command("kkcode.turn.start", json!({"prompt": "shout", "mode": mode, "level": "manual"}))
            .unwrap();
        let finished = world.server.expect_notification("kkcode/turn/didFinish");
        assert_eq!(finished["proposalIds"], json!([]), "{mode}");
        world.done();
    }
}

#[test]
fn what_a_turn_thinks_calls_and_counts_is_told_as_it_happens() {
    let script = r#"
turns:
  - stream:
      - thinking: "Two is "
      - thinking: "enough."
      - text: "I change it."
      - tool: {name: edit, input: {path: "x y.txt", before: two, after: TWO}}
      - usage: {inputTokens: 10, outputTokens: 2}
  - stream: [{text: " Done."}, {usage: {inputTokens: 20, outputTokens: 3}}]
"#;
    let dir = folders(script);
    let mut server = kkcode_tests::Options::new()
        .home(dir.path().join("home"))
        .workspace(&dir.path().join("work"))
        .ignore("kkcode/proposal/didChange")
        .capabilities(capabilities())
        .initialized();
    server.command("kkcode.turn.start", json!({"prompt": "go"})).unwrap();
    server.expect_notification("kkcode/turn/didFinish");
    server.shutdown();
    let told: Vec<(Value, Value)> = server
        .take_unread()
        .into_iter()
        .filter_map(|message| match message {
            Message::Notification { method, params } if method == "kkcode/turn/didUpdate" => {
                Some((params["offset"].clone(), params["update"].clone()))
            }
            _ => None,
        })
        .collect();
    let kinds: Vec<&str> = told.iter().map(|(_, update)| update["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["thinking", "text", "usage", "toolCall", "toolResult", "text", "usage"], "{told:?}");
    assert_eq!(told[0].1["text"], "Two is enough.");
    assert_eq!(told[3].1["title"], "edit x y.txt");
    assert_eq!(told[4].1["status"], "ok");
    assert_eq!(told[5], (json!(12), json!({"kind": "text", "text": " Done."})));
    assert_eq!(told[6].1["usage"], json!({"inputTokens": 30, "outputTokens": 5}));
}

#[test]
fn a_project_instructs_the_agent_where_the_user_trusts_it() {
    for (trusted, told) in [(json!(true), false), (json!(false), true), (Value::Null, true)] {
        let dir = folders("turns:\n  - stream: [{text: Hello.}]\n");
        fs::write(dir.path().join("work/AGENTS.md"), "Be brief.\n").unwrap();
        let mut server = options(&dir)
            .capabilities(capabilities())
            .param("initializationOptions", json!({"trusted": trusted}))
            .env("KKCODE_LOG", "info")
            .initialized();
        server.command("kkcode.turn.start", json!({"prompt": "go"})).unwrap();
        server.expect_notification("kkcode/turn/didFinish");
        if told {
            let message = server.expect_notification("window/showMessage");
            let text = message["message"].as_str().unwrap();
            assert!(text.contains("AGENTS.md is passed over") && text.contains("not trusted"), "{text}");
        } else {
            server.wait_for_log("instructions are read");
        }
        server.shutdown();
        server.take_unread();
    }
}
