//! What the commands answer, and what they refuse.

use kkcode_protocol::commands::COMMANDS;
use serde_json::json;

use super::{World, capabilities};

/// The commands that the server has; each of the others says plainly that it is not there yet.
const PRESENT: &[&str] = &[
    "kkcode.turn.start",
    "kkcode.turn.cancel",
    "kkcode.turn.show",
    "kkcode.hunk.accept",
    "kkcode.hunk.reject",
    "kkcode.hunk.show",
    "kkcode.file.diff",
    "kkcode.file.accept",
    "kkcode.file.reject",
    "kkcode.proposal.accept",
    "kkcode.proposal.reject",
    "kkcode.proposal.list",
    "kkcode.proposal.show",
    "kkcode.proposal.edit",
    "kkcode.review.undo",
    "kkcode.review.redo",
    "kkcode.review.comment",
    "kkcode.review.send",
    "kkcode.task.start",
    "kkcode.task.list",
    "kkcode.task.show",
    "kkcode.task.logs",
    "kkcode.task.cancel",
    "kkcode.task.retry",
    "kkcode.task.clean",
    "kkcode.session.list",
    "kkcode.session.show",
    "kkcode.session.fork",
    "kkcode.session.rename",
    "kkcode.session.delete",
    "kkcode.model.list",
    "kkcode.model.select",
    "kkcode.permission.answer",
    "kkcode.permission.list",
    "kkcode.permission.forget",
    "kkcode.permission.setLevel",
    "kkcode.question.answer",
    "kkcode.status",
];

#[test]
fn a_command_that_is_not_there_yet_says_so_in_one_sentence() {
    let mut world = World::new();
    for command in COMMANDS.iter().map(|command| command.name).filter(|name| !PRESENT.contains(name)) {
        let refused = world.server.command(command, json!({})).unwrap_err();
        assert_eq!(refused.code, -32803, "{command}: {refused}");
        assert_eq!(refused.message, format!("`{command}` is not there yet; a later version has it"));
    }
    world.done();
}

#[test]
fn wrong_arguments_are_named() {
    let mut world = World::new();
    let mut refused = |command: &str, argument| world.server.command(command, argument).unwrap_err();
    for command in PRESENT.iter().copied() {
        let error = refused(command, json!({"promt": "x"}));
        assert_eq!(error.code, -32602, "{command}: {error}");
        assert!(error.message.contains(command) && error.message.contains("promt"), "{command}: {error}");
        let error = refused(command, json!([1]));
        assert_eq!(error.code, -32602, "{command}: {error}");
    }
    assert_eq!(refused("kkcode.nonsense", json!({})).message, "there is no command `kkcode.nonsense`");
    assert_eq!(refused("kkcode.turn.start", json!({"prompt": " "})).message, "the prompt is empty");
    let missing = refused("kkcode.turn.start", json!({}));
    assert!(missing.message.contains("prompt"), "{missing}");
    let call = |arguments| json!({"command": "kkcode.status", "arguments": arguments});
    let two = world.server.request("workspace/executeCommand", call(json!([{}, {}]))).unwrap_err();
    assert_eq!((two.code, two.message.contains("one object")), (-32602, true));
    world.done();
}

#[test]
fn unknown_names_are_named() {
    let mut world = World::new();
    for (command, argument, noun) in [
        ("kkcode.turn.show", json!({"turnId": "turn_x"}), "turn"),
        ("kkcode.turn.cancel", json!({"turnId": "turn_x"}), "turn"),
        ("kkcode.proposal.show", json!({"proposalId": "prop_x"}), "proposal"),
        ("kkcode.hunk.accept", json!({"proposalId": "prop_x", "hunkId": "h"}), "proposal"),
        ("kkcode.turn.start", json!({"prompt": "p", "sessionId": "session_x"}), "session"),
    ] {
        let refused = world.server.command(command, argument).unwrap_err();
        assert_eq!(refused.code, -32602, "{command}: {refused}");
        assert!(refused.message.starts_with(&format!("there is no {noun} `")), "{command}: {refused}");
    }
    world.done();
}

#[test]
fn what_cannot_be_done_yet_is_refused_and_not_done_otherwise() {
    let mut world = World::new();
    let argument = json!({"prompt": "p", "mode": "longagent"});
    assert_eq!(world.server.command("kkcode.turn.start", argument).unwrap_err().code, -32803);
    world.done();
}

#[test]
fn a_turn_is_shown_and_counted() {
    let mut world = World::new();
    let proposal = world.turn();
    let list = world.server.command("kkcode.proposal.list", json!({"state": "open"})).unwrap();
    assert_eq!(list["proposals"][0]["proposalId"], proposal);
    assert_eq!(list["proposals"][0]["title"], "shout, please");
    assert_eq!(list["proposals"][0]["files"][0]["pending"], 2);
    assert_eq!(
        world.server.command("kkcode.proposal.list", json!({"state": "rejected"})).unwrap(),
        json!({"proposals": []})
    );
    let shown = world.show(&proposal);
    let turn =
        world.server.command("kkcode.turn.show", json!({"turnId": shown["origin"]["turnId"]})).unwrap();
    assert_eq!(turn["status"], "completed");
    assert_eq!(turn["usage"], json!({"inputTokens": 100, "outputTokens": 20}));
    let status = world.server.command("kkcode.status", json!({})).unwrap();
    assert_eq!(
        (&status["pendingHunks"], &status["turns"], &status["level"]),
        (&json!(2), &json!(0), &json!("manual"))
    );
    let diff = shown["files"][0]["unifiedDiff"].as_str().unwrap();
    assert!(diff.starts_with("--- a/x y.txt\n+++ b/x y.txt\n@@ -1,5 +1,6 @@\n one\n-two\n+TWO\n"), "{diff}");
    world.done();
}

#[test]
fn a_running_turn_is_cancelled_and_says_what_it_had() {
    let script = "turns:\n  - stream:\n      - text: half a thought\n      - delayMs: 3600000\n";
    let mut world = World::with(script, capabilities());
    let started = world.server.command("kkcode.turn.start", json!({"prompt": "shout"})).unwrap();
    let busy =
        world.server.command("kkcode.turn.start", json!({"prompt": "p", "sessionId": started["sessionId"]}));
    assert_eq!(busy.unwrap_err().code, -32803);
    let cancel = |world: &mut World| {
        world.server.command("kkcode.turn.cancel", json!({"turnId": started["turnId"]})).unwrap()
    };
    assert_eq!(cancel(&mut world), json!({"cancelled": true}));
    let finished = world.server.expect_notification("kkcode/turn/didFinish");
    assert_eq!(
        (&finished["status"], &finished["interruptionReason"]),
        (&json!("cancelled"), &json!("user_cancel"))
    );
    assert_eq!(cancel(&mut world), json!({"cancelled": false}));
    world.done();
}

#[test]
fn a_plain_client_is_told_by_a_message() {
    let mut plain = capabilities();
    plain.as_object_mut().unwrap().remove("experimental");
    let mut world = World::with(super::SCRIPT, plain);
    world.server.command("kkcode.turn.start", json!({"prompt": "whisper"})).unwrap();
    let message = world.server.expect_notification("window/showMessage");
    assert_eq!(message["type"], 1);
    assert!(message["message"].as_str().unwrap().contains("expects `shout`"), "{message}");
    world.done();
}

#[test]
fn a_request_for_an_older_text_is_refused() {
    let mut world = World::new();
    world.open();
    let start = json!({"prompt": "shout", "textDocument": {"uri": world.uri(), "version": 7}});
    assert_eq!(world.server.command("kkcode.turn.start", start).unwrap_err().code, -32801);
    world.done();
}
