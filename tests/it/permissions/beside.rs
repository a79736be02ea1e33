//! What the user types and saves while a command runs is the user's: it is neither undone nor proposed.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use kkcode_tests::{DEADLINE, TestServer};
use serde_json::{Value, json};

use super::{Place, finished, start};

/// A model that runs a script, which waits for the user by files of its own, and then does something.
fn world(line: &str, config: &str) -> Place {
    world_of(line, config, &json!({"command": "bash wait.sh"}))
}

fn world_of(line: &str, config: &str, bash: &Value) -> Place {
    let script = json!({"turns": [
        {"stream": [{"tool": {"name": "bash", "input": bash}}]},
        {"stream": [{"text": "Done."}]},
    ]});
    let place = Place::new(&script.to_string());
    let wait = format!("touch /tmp/begun\nuntil [ -e /tmp/go ]; do sleep 0.02; done\n{line}\n");
    fs::write(place.work().join("wait.sh"), wait).unwrap();
    place.configure(&format!("permission:\n  rules: [{{tool: bash, action: allow}}]\n{config}"));
    fs::write(place.work().join("a.txt"), "one\ntwo\nthree\nfour\n").unwrap();
    place
}

fn uri(place: &Place) -> String {
    format!("file://{}/a.txt", place.work().display())
}

/// An editor with the file open in it.
fn editor(place: &Place, text: &str) -> TestServer {
    let capabilities = json!({
        "experimental": {"kkcode": {}},
        "workspace": {"applyEdit": true, "workspaceEdit": {"documentChanges": true}},
    });
    let mut server = place.options("one").capabilities(capabilities).initialized();
    let document = json!({"uri": uri(place), "languageId": "text", "version": 1, "text": text});
    server.notify("textDocument/didOpen", json!({"textDocument": document}));
    server
}

fn types(server: &mut TestServer, place: &Place, version: i32, text: &str) {
    let document = json!({"uri": uri(place), "version": version});
    let params = json!({"textDocument": document, "contentChanges": [{"text": text}]});
    server.notify("textDocument/didChange", params);
}

fn saves(server: &mut TestServer, place: &Place, text: &str) {
    fs::write(place.work().join("a.txt"), text).unwrap();
    server.notify("textDocument/didSave", json!({"textDocument": {"uri": uri(place)}}));
}

/// Returns what a command sees as `/tmp`, if one has run.
fn temporary(place: &Place) -> Option<PathBuf> {
    let session = fs::read_dir(place.home().join("commands")).ok()?.flatten().next()?;
    Some(session.path().join("tmp"))
}

/// Waits until the command runs.
fn begun(place: &Place) {
    is_there(place, "begun");
}

fn is_there(place: &Place, name: &str) {
    let begin = Instant::now();
    while !temporary(place).is_some_and(|folder| folder.join(name).exists()) {
        assert!(begin.elapsed() < DEADLINE, "the command does not get there");
        std::thread::yield_now();
    }
}

fn goes_on(server: &mut TestServer, place: &Place) {
    // Whatever was sent before is known.
    server.command("kkcode.status", json!({})).unwrap();
    fs::write(temporary(place).unwrap().join("go"), "").unwrap();
}

fn text(place: &Place) -> String {
    fs::read_to_string(place.work().join("a.txt")).unwrap()
}

/// Returns the files of the one proposal, and what would become of each.
fn proposed(server: &mut TestServer) -> Value {
    let list = server.command("kkcode.proposal.list", json!({})).unwrap();
    let proposal = json!({"proposalId": list["proposals"][0]["proposalId"]});
    server.command("kkcode.proposal.show", proposal).unwrap()["files"].clone()
}

/// Waits until there is a proposal.
fn are_proposed(server: &mut TestServer) -> Value {
    let begin = Instant::now();
    let list = |server: &mut TestServer| server.command("kkcode.proposal.list", json!({})).unwrap();
    while list(server)["proposals"].as_array().unwrap().is_empty() {
        assert!(begin.elapsed() < DEADLINE, "nothing is proposed");
    }
    proposed(server)
}

#[test]
fn what_is_saved_while_a_command_runs_stays_saved() {
    let place = world("echo new > c.txt", "");
    let mut server = editor(&place, "one\ntwo\nthree\nfour\n");
    start(&mut server, &json!({}));
    begun(&place);
    types(&mut server, &place, 2, "one\ntwo\nthree\nfour\ntyped\n");
    saves(&mut server, &place, "one\ntwo\nthree\nfour\ntyped\n");
    goes_on(&mut server, &place);
    finished(&mut server, "Done.");
    assert_eq!(text(&place), "one\ntwo\nthree\nfour\ntyped\n");
    let files = proposed(&mut server);
    assert_eq!(files.as_array().unwrap().len(), 1, "{files}");
    assert!(files[0]["uri"].as_str().unwrap().ends_with("c.txt"), "{files}");
}

#[test]
fn what_a_command_writes_over_it_is_proposed_beside_it() {
    let place = world("sed -i s/one/ONE/ a.txt", "");
    let mut server = editor(&place, "one\ntwo\nthree\nfour\n");
    start(&mut server, &json!({}));
    begun(&place);
    types(&mut server, &place, 2, "one\ntwo\nthree\nfour\ntyped\n");
    saves(&mut server, &place, "one\ntwo\nthree\nfour\ntyped\n");
    goes_on(&mut server, &place);
    finished(&mut server, "Done.");
    assert_eq!(text(&place), "one\ntwo\nthree\nfour\ntyped\n", "what was saved is on the disk");
    let files = proposed(&mut server);
    assert_eq!(files[0]["hunks"].as_array().unwrap().len(), 1, "{files}");
    assert_eq!(files[0]["hunks"][0]["state"], "pending");
}

#[test]
fn a_file_that_is_deleted_over_it_is_there() {
    let place = world("rm a.txt", "");
    let mut server = editor(&place, "one\ntwo\nthree\nfour\n");
    start(&mut server, &json!({}));
    begun(&place);
    types(&mut server, &place, 2, "typed\n");
    saves(&mut server, &place, "typed\n");
    goes_on(&mut server, &place);
    finished(&mut server, "Done.");
    assert_eq!(text(&place), "typed\n");
}

/// The command runs over unsaved text, on layers; more is typed meanwhile.
#[test]
fn what_is_typed_while_a_command_runs_is_not_undone_by_what_it_wrote() {
    let edits = ["one\ntwo\nthree\nfour\nmore\n", "one\ntwo\nthree\nfour\nmore and more\n"];
    for (sed, applied) in [("s/one/ONE/", true), ("s/more/MORE/", false)] {
        let place = world(&format!("sed -i {sed} a.txt"), "  level: accept-edits\n");
        let mut server = editor(&place, edits[0]);
        start(&mut server, &json!({}));
        begun(&place);
        types(&mut server, &place, 2, edits[1]);
        goes_on(&mut server, &place);
        if applied {
            let (request, params) = server.expect_request("workspace/applyEdit");
            let edit = &params["edit"]["documentChanges"][0]["edits"];
            assert_eq!(edit.as_array().unwrap().len(), 1, "{params}");
            assert!(edit[0]["range"]["end"]["line"].as_u64().unwrap() <= 1, "{params}");
            types(&mut server, &place, 3, &edits[1].replace("one", "ONE"));
            server.respond(&request, Ok(json!({"applied": true})));
        }
        finished(&mut server, "Done.");
        let files = proposed(&mut server);
        let state = if applied { "applied" } else { "pending" };
        assert_eq!(files[0]["hunks"][0]["state"], state, "{files}");
        assert_eq!(text(&place), "one\ntwo\nthree\nfour\n", "the disk is as it was");
    }
}

/// Tells whether a background command has layers of its own.
fn has_layers(place: &Place) -> bool {
    let kept = fs::read_dir(temporary(place).unwrap().parent().unwrap()).unwrap().flatten();
    kept.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("background"))
}

/// In the background, too: what it writes is seen by nobody until it has ended, and is reviewed then.
#[test]
fn what_a_background_command_writes_is_proposed_when_it_has_ended() {
    for ends_by_itself in [true, false] {
        let input = json!({"command": "bash wait.sh", "run_in_background": true});
        let line = if ends_by_itself { "" } else { "\ntouch /tmp/written; exec sleep 1000" };
        let place = world_of(&format!("sed -i s/one/ONE/ a.txt; echo new > c.txt{line}"), "", &input);
        let mut server = editor(&place, "one\ntwo\nthree\nfour\n");
        start(&mut server, &json!({}));
        begun(&place);
        types(&mut server, &place, 2, "one\ntwo\nthree\nfour\ntyped\n");
        saves(&mut server, &place, "one\ntwo\nthree\nfour\ntyped\n");
        finished(&mut server, "Done.");
        goes_on(&mut server, &place);
        if ends_by_itself {
            are_proposed(&mut server);
        } else {
            is_there(&place, "written");
            server.shutdown();
            server = editor(&place, "one\ntwo\nthree\nfour\ntyped\n");
        }
        assert_eq!(text(&place), "one\ntwo\nthree\nfour\ntyped\n", "what was saved is on the disk");
        let files = proposed(&mut server);
        let states: Vec<&Value> =
            files.as_array().unwrap().iter().map(|file| &file["hunks"][0]["state"]).collect();
        assert_eq!(states, ["pending", "pending"], "{files}");
        assert_eq!(
            files[0]["hunks"].as_array().unwrap().len(),
            1,
            "what was typed is no part of it: {files}"
        );
        let begin = Instant::now();
        while has_layers(&place) {
            assert!(begin.elapsed() < DEADLINE, "the layers stay");
            std::thread::yield_now();
        }
    }
}

#[test]
fn what_a_command_of_a_cancelled_turn_wrote_is_proposed() {
    let place = world("", "  level: accept-edits\n");
    let script = "echo new > c.txt; sed -i s/one/ONE/ a.txt; touch /tmp/begun; exec sleep 1000\n";
    fs::write(place.work().join("wait.sh"), script).unwrap();
    let mut server = editor(&place, "one\ntwo\nthree\nfour\n");
    let started = start(&mut server, &json!({}));
    begun(&place);
    server.command("kkcode.turn.cancel", json!({"turnId": started["turnId"]})).unwrap();
    server.expect_notification("kkcode/turn/didFinish");
    let files = are_proposed(&mut server);
    let states: Vec<&Value> =
        files.as_array().unwrap().iter().map(|file| &file["hunks"][0]["state"]).collect();
    assert_eq!(states, ["pending", "pending"], "{files}");
    assert_eq!(text(&place), "one\ntwo\nthree\nfour\n");
    assert!(!place.work().join("c.txt").exists());
}
