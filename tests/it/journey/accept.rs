//! What accepting and rejecting does to the text, and what is said of it.

use std::fs;

use serde_json::json;

use super::{TEXT, World, capabilities};

#[test]
fn a_hunk_is_accepted_by_its_code_action_and_final_when_saved() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let hunks = world.hunks(&proposal);
    assert_eq!((hunks[0].old.as_str(), hunks[0].new.as_str()), ("two\n", "TWO\n"));
    assert_eq!((hunks[1].old.as_str(), hunks[1].new.as_str()), ("five\n", "FIVE\nSIX\n"));
    assert_eq!(
        hunks[0].range,
        json!({"start": {"line": 1, "character": 0}, "end": {"line": 2, "character": 0}})
    );
    assert_eq!(world.states(&proposal), ["pending", "pending"]);
    assert!(world.actions(3).is_empty(), "line 4 is nobody's");

    world.accept_by_action(1);
    assert_eq!(world.text, "one\nTWO\nthree\nfour\nfive\n");
    assert_eq!(world.states(&proposal), ["accepted", "pending"]);
    let shown = world.show(&proposal);
    assert_eq!(shown["files"][0]["hunks"][0]["saved"], false);
    assert_eq!(world.on_disk(), TEXT, "the buffer is the editor's to save");

    fs::write(world.file(), &world.text).unwrap();
    world.server.notify("textDocument/didSave", json!({"textDocument": {"uri": world.uri()}}));
    let shown = world.show(&proposal);
    assert_eq!(shown["files"][0]["hunks"][0]["saved"], true);
    assert_eq!(shown["state"], "open");
    world.done();
}

#[test]
fn typing_moves_a_hunk_and_its_edit() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    world.type_text(0, 0, 0, "zero\nand a half\n");
    world.type_text(4, 5, 5, "!");
    assert_eq!(world.hunks(&proposal)[1].range["start"]["line"], 6);
    world.accept_by_action(6);
    assert_eq!(world.text, "zero\nand a half\none\ntwo\nthree!\nfour\nFIVE\nSIX\n");
    assert_eq!(world.states(&proposal), ["pending", "accepted"]);
    world.done();
}

#[test]
fn a_hunk_in_which_the_user_typed_is_stale_until_that_is_undone() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let id = world.hunks(&proposal)[0].id.clone();
    world.type_text(1, 3, 3, " or three");
    assert_eq!(world.states(&proposal), ["stale", "pending"]);
    let titles: Vec<serde_json::Value> =
        world.actions(1).iter().map(|action| action["title"].clone()).collect();
    assert_eq!(titles, ["Take proposal here", "Keep mine"]);
    let refused = world.hunk_command("kkcode.hunk.accept", &proposal, &id).unwrap_err();
    assert_eq!(refused.code, -32803);
    assert!(refused.message.contains("stale"), "{refused}");
    world.type_text(1, 3, 12, "");
    assert_eq!(world.states(&proposal), ["pending", "pending"]);
    world.done();
}

#[test]
fn a_hunk_is_accepted_by_our_own_edit_and_the_text_decides() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let id = world.hunks(&proposal)[0].id.clone();
    let answer = world.hunk_command("kkcode.hunk.accept", &proposal, &id).unwrap();
    assert_eq!(answer, json!({"status": "applying"}));
    let (request, params) = world.server.expect_request("workspace/applyEdit");
    assert_eq!(world.states(&proposal), ["applying", "pending"]);
    let change = params["edit"]["documentChanges"][0].clone();
    assert_eq!(change["textDocument"]["version"], 1);
    world.apply(&change["edits"]);
    world.server.respond(&request, Ok(json!({"applied": true})));
    assert_eq!(world.states(&proposal), ["accepted", "pending"]);
    world.done();
}

#[test]
fn an_edit_that_the_editor_refuses_leaves_the_hunk_pending() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let id = world.hunks(&proposal)[0].id.clone();
    world.hunk_command("kkcode.hunk.accept", &proposal, &id).unwrap();
    let (request, _) = world.server.expect_request("workspace/applyEdit");
    world.server.respond(&request, Ok(json!({"applied": false, "failureReason": "read-only"})));
    let message = world.server.expect_notification("window/showMessage");
    assert!(message["message"].as_str().unwrap().contains("read-only"), "{message}");
    assert_eq!(world.states(&proposal), ["pending", "pending"]);
    world.done();
}

#[test]
fn a_file_that_is_not_open_is_written_by_the_server() {
    let mut world = World::new();
    let proposal = world.turn();
    let ids: Vec<String> = world.hunks(&proposal).into_iter().map(|hunk| hunk.id).collect();
    let answer = world.hunk_command("kkcode.hunk.accept", &proposal, &ids[1]).unwrap();
    assert_eq!(answer, json!({"status": "accepted"}));
    assert_eq!(world.on_disk(), "one\ntwo\nthree\nfour\nFIVE\nSIX\n");
    let answer = world
        .server
        .command(
            "kkcode.hunk.reject",
            json!({"proposalId": proposal, "hunkId": ids[0], "reason": "too loud"}),
        )
        .unwrap();
    assert_eq!(answer, json!({"status": "rejected"}));
    let shown = world.show(&proposal);
    assert_eq!(shown["state"], "partial");
    assert_eq!(shown["files"][0]["hunks"][0]["reason"], "too loud");
    let decided = world.hunk_command("kkcode.hunk.accept", &proposal, &ids[0]).unwrap_err();
    assert_eq!((decided.code, decided.message.contains("rejected already")), (-32803, true), "{decided}");
    world.done();
}

#[test]
fn a_client_that_resolves_nothing_gets_commands() {
    let mut poor = capabilities();
    poor["textDocument"]["codeAction"] =
        json!({"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}});
    let mut world = World::with(super::SCRIPT, poor);
    world.open();
    let proposal = world.turn();
    let action = world.action(1, "Accept hunk");
    assert_eq!(action["command"]["command"], "kkcode.hunk.accept");
    // Helix resolves what has a command only; it comes back as it went.
    assert_eq!(world.server.call("codeAction/resolve", action.clone()), action);
    let command = action["command"].clone();
    world.server.call(
        "workspace/executeCommand",
        json!({"command": command["command"], "arguments": command["arguments"]}),
    );
    let (request, params) = world.server.expect_request("workspace/applyEdit");
    world.apply(&params["edit"]["documentChanges"][0]["edits"].clone());
    world.server.respond(&request, Ok(json!({"applied": true})));
    assert_eq!(world.states(&proposal), ["accepted", "pending"]);
    world.done();
}

#[test]
fn a_client_without_versioned_edits_or_literals_gets_what_it_can_take() {
    let mut poor = capabilities();
    poor["textDocument"] = json!({});
    poor["workspace"] = json!({"applyEdit": true});
    let mut world = World::with(super::SCRIPT, poor);
    world.open();
    let proposal = world.turn();
    let command = world.action(1, "Accept hunk");
    assert_eq!(command["command"], "kkcode.hunk.accept", "a bare command, no literal");
    let id = world.hunks(&proposal)[0].id.clone();
    world.hunk_command("kkcode.hunk.accept", &proposal, &id).unwrap();
    let (request, params) = world.server.expect_request("workspace/applyEdit");
    let uri = world.uri();
    world.apply(&params["edit"]["changes"][&uri].clone());
    world.server.respond(&request, Ok(json!({"applied": true})));
    assert_eq!(world.states(&proposal), ["accepted", "pending"]);
    world.done();
}

#[test]
fn only_wanted_kinds_are_offered() {
    let mut world = World::new();
    world.open();
    world.turn();
    let place = json!({"line": 1, "character": 0});
    let mut offered = |only: &str| {
        let params = json!({
            "textDocument": {"uri": world.uri()},
            "range": {"start": place, "end": place},
            "context": {"diagnostics": [], "only": [only]},
        });
        world.server.call("textDocument/codeAction", params).as_array().unwrap().len()
    };
    assert_eq!(offered("refactor"), 8);
    assert_eq!(offered("refactor.rewrite.kkcode"), 8);
    assert_eq!(offered("quickfix"), 0);
    assert_eq!(offered("refactor.rewrite.kk"), 0);
    world.done();
}

#[test]
fn a_file_is_accepted_at_once_and_so_is_a_proposal() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let argument = json!({"proposalId": proposal, "uri": world.uri()});
    assert_eq!(
        world.server.command("kkcode.file.accept", argument.clone()).unwrap(),
        json!({"status": "applying"})
    );
    let (request, params) = world.server.expect_request("workspace/applyEdit");
    let edits = params["edit"]["documentChanges"][0]["edits"].clone();
    assert_eq!(edits.as_array().unwrap().len(), 2);
    // All ranges are of one version, so an editor applies them from the last to the first.
    let backwards = edits.as_array().unwrap().iter().rev().cloned().collect();
    world.apply(&backwards);
    world.server.respond(&request, Ok(json!({"applied": true})));
    assert_eq!(world.text, "one\nTWO\nthree\nfour\nFIVE\nSIX\n");
    assert_eq!(world.states(&proposal), ["accepted", "accepted"]);
    let nothing = world.server.command("kkcode.file.accept", argument).unwrap_err();
    assert_eq!((nothing.code, nothing.message.contains("nothing waits")), (-32803, true), "{nothing}");
    let elsewhere = json!({"proposalId": proposal, "uri": "file:///elsewhere"});
    assert_eq!(world.server.command("kkcode.file.reject", elsewhere).unwrap_err().code, -32602);
    world.done();

    let mut world = World::new();
    let proposal = world.turn();
    let all = json!({"proposalId": proposal});
    assert_eq!(
        world.server.command("kkcode.proposal.accept", all.clone()).unwrap(),
        json!({"status": "accepted"})
    );
    assert_eq!(world.on_disk(), "one\nTWO\nthree\nfour\nFIVE\nSIX\n");
    assert_eq!(world.server.command("kkcode.proposal.reject", all).unwrap_err().code, -32803);
    world.done();
}

#[test]
fn a_file_that_was_changed_elsewhere_is_not_overwritten() {
    let mut world = World::new();
    let proposal = world.turn();
    fs::write(world.file(), "one\n2\nthree\nfour\nfive\n").unwrap();
    let ids: Vec<String> = world.hunks(&proposal).into_iter().map(|hunk| hunk.id).collect();
    assert_eq!(world.states(&proposal), ["stale", "pending"]);
    let refused = world.hunk_command("kkcode.hunk.accept", &proposal, &ids[0]).unwrap_err();
    assert!(refused.code == -32803 && refused.message.contains("stale"), "{refused}");
    world.hunk_command("kkcode.hunk.accept", &proposal, &ids[1]).unwrap();
    assert_eq!(world.on_disk(), "one\n2\nthree\nfour\nFIVE\nSIX\n");
    fs::remove_file(world.file()).unwrap();
    let gone = world.hunk_command("kkcode.hunk.accept", &proposal, &ids[0]).unwrap_err();
    assert!(gone.code == -32803 && gone.message.contains("does not exist"), "{gone}");
    world.done();
}
