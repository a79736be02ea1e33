//! What was told is so after the server was killed.

use std::time::Instant;

use kkcode_tests::DEADLINE;
use serde_json::json;

use super::{SCRIPT, World, capabilities, start};

#[test]
fn an_accepted_hunk_and_its_names_survive_a_kill() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    world.accept_by_action(1);
    let before = world.hunks(&proposal);
    assert_eq!(before[0].state, "accepted");

    let mut world = world.crash();
    world.version = 0;
    world.open();
    assert_eq!(world.hunks(&proposal), before);
    world.accept_by_action(4);
    assert_eq!(world.text, "one\nTWO\nthree\nfour\nFIVE\nSIX\n");
    assert_eq!(world.states(&proposal), ["accepted", "accepted"]);
    assert_eq!(world.show(&proposal)["state"], "accepted");
    world.done();
}

#[test]
fn an_edit_that_was_applied_but_never_told_is_accepted_after_a_kill() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let action = world.action(1, "Accept hunk");
    let resolved = world.server.call("codeAction/resolve", action);
    assert!(resolved["edit"].is_object());
    // The editor applies it, and the server dies before it hears of that.
    world.text = world.text.replace("two", "TWO");
    let mut world = world.crash();
    world.open();
    assert_eq!(world.states(&proposal), ["accepted", "pending"]);
    world.done();
}

#[test]
fn a_hunk_whose_buffer_died_with_the_editor_is_pending_again() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    world.accept_by_action(1);
    assert_eq!(world.states(&proposal), ["accepted", "pending"]);
    let mut world = world.crash();
    // Nobody opens the document: the disk, which never had the hunk, is the text now.
    assert_eq!(world.states(&proposal), ["pending", "pending"]);
    world.done();
}

#[test]
fn a_turn_cut_by_a_kill_is_interrupted_right_after_the_restart() {
    let script = "turns:\n  - stream:\n      - text: thinking about it\n      - delayMs: 3600000\n";
    let mut world = World::with(script, capabilities());
    let started = world.server.command("kkcode.turn.start", json!({"prompt": "shout"})).unwrap();
    let mut world = world.crash();
    let turn = world.server.command("kkcode.turn.show", json!({"turnId": started["turnId"]})).unwrap();
    assert_eq!(turn["status"], "interrupted", "{turn}");
    assert!(turn["error"]["message"].is_string(), "{turn}");
    world.done();
}

#[test]
fn a_turn_of_a_server_that_dies_is_interrupted_in_the_other_server_too() {
    let script = "turns:\n  - stream:\n      - text: thinking about it\n      - delayMs: 3600000\n";
    let mut world = World::with(script, capabilities());
    let mut other = start(&world.dir, capabilities());
    let turn =
        world.server.command("kkcode.turn.start", json!({"prompt": "shout"})).unwrap()["turnId"].clone();
    // A kill between a commit and its ring would be seen with the next look at the store only, half a minute later.
    let begin = Instant::now();
    while other.command("kkcode.status", json!({})).unwrap()["turns"] != 1 {
        assert!(begin.elapsed() < DEADLINE, "the other server does not hear of the turn");
    }
    world.server.kill();
    let finished = other.expect_notification("kkcode/turn/didFinish");
    assert_eq!((&finished["turnId"], &finished["status"]), (&turn, &json!("interrupted")));
    let shown = other.command("kkcode.turn.show", json!({"turnId": turn})).unwrap();
    assert_eq!(shown["status"], "interrupted");
    other.shutdown();
    other.take_unread();
}

#[test]
fn two_kills_in_a_row_change_nothing() {
    let mut world = World::with(SCRIPT, capabilities());
    world.open();
    let proposal = world.turn();
    let before = world.hunks(&proposal);
    let mut world = world.crash().crash();
    world.open();
    assert_eq!(world.hunks(&proposal), before);
    world.done();
}

#[test]
fn a_store_that_is_busy_is_waited_for_and_then_the_command_is_refused_and_not_done() {
    let mut world = World::new();
    let proposal = world.turn();
    let ids: Vec<String> = world.hunks(&proposal).into_iter().map(|hunk| hunk.id).collect();
    let other = rusqlite::Connection::open(world.dir.path().join("home/state.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = world.hunk_command("kkcode.hunk.reject", &proposal, &ids[0]).unwrap_err();
    assert!(refused.code == -32803 && refused.message.contains("in use"), "{refused}");
    let message = world.server.expect_notification("window/showMessage");
    assert!(message["message"].as_str().unwrap().contains("could not write to its store"), "{message}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(world.states(&proposal), ["pending", "pending"]);
    world.hunk_command("kkcode.hunk.reject", &proposal, &ids[0]).unwrap();
    assert_eq!(world.states(&proposal), ["rejected", "pending"]);
    world.done();
}
