//! Commands where nothing can lie over the files: what they would not see is saved, applied or told, and what they would write
//! unreviewed is asked.
#![cfg(unix)]

use std::fs;
use std::path::PathBuf;

use kkcode_tests::TestServer;
use serde_json::{Value, json};

use super::{Place, answer, asked, finished, resolved, start};

/// A model that edits a file and then runs a command, and is told what it expects of that.
fn edits_and_runs(command: &Value, told: &str) -> Place {
    let place = Place::new(
        &json!({"turns": [
            {"stream": [{"tool": {"name": "read", "input": {"path": "a.txt"}}}]},
            {"stream": [{"tool": {"name": "edit", "input": {"path": "a.txt", "before": "one", "after": "two"}}}]},
            {"stream": [{"tool": {"name": "bash", "input": command}}]},
            {"expect": [told], "stream": [{"text": "Run."}]},
        ]})
        .to_string(),
    );
    place.configure("permission: {sandbox: {mode: 'off'}}\n");
    fs::write(place.work().join("show.sh"), "cat a.txt\n").unwrap();
    place
}

fn file(place: &Place) -> PathBuf {
    place.work().join("a.txt")
}

fn uri(place: &Place) -> String {
    format!("file://{}", file(place).display())
}

/// A client that takes edits and saves, with the file open in it.
fn editor(place: &Place) -> TestServer {
    let capabilities = json!({
        "experimental": {"kkcode": {}},
        "workspace": {"applyEdit": true, "workspaceEdit": {"documentChanges": true}},
    });
    let mut server = place.options("one").capabilities(capabilities).initialized();
    let document = json!({"uri": uri(place), "languageId": "text", "version": 1, "text": "one\n"});
    server.notify("textDocument/didOpen", json!({"textDocument": document}));
    server
}

/// Has the edit in the buffer, and leaves it unsaved.
fn takes_the_edit(server: &mut TestServer, place: &Place) {
    let (request, params) = server.expect_request("workspace/applyEdit");
    assert_eq!(params["edit"]["documentChanges"][0]["textDocument"]["version"], 1, "{params}");
    let document = json!({"uri": uri(place), "version": 2});
    let params = json!({"textDocument": document, "contentChanges": [{"text": "two\n"}]});
    server.notify("textDocument/didChange", params);
    server.respond(&request, Ok(json!({"applied": true})));
}

fn saves(server: &mut TestServer, place: &Place) {
    let (request, params) = server.expect_request("kkcode/document/save");
    assert_eq!(params, json!({"uri": uri(place)}));
    fs::write(file(place), "two\n").unwrap();
    server.notify("textDocument/didSave", json!({"textDocument": {"uri": uri(place)}}));
    server.respond(&request, Ok(json!({"saved": true})));
}

#[test]
fn what_only_we_left_unsaved_is_saved_before_a_command_reads_it() {
    let place = edits_and_runs(&json!({"command": "cat a.txt"}), "two");
    let mut server = editor(&place);
    start(&mut server, &json!({"level": "yolo"}));
    takes_the_edit(&mut server, &place);
    saves(&mut server, &place);
    finished(&mut server, "Run.");
}

#[test]
fn what_the_editor_does_not_save_is_told_as_not_seen() {
    let place = edits_and_runs(
        &json!({"command": "cat a.txt"}),
        "it did not see what is pending or unsaved of a.txt",
    );
    let mut server = editor(&place);
    start(&mut server, &json!({"level": "yolo"}));
    takes_the_edit(&mut server, &place);
    let (request, _) = server.expect_request("kkcode/document/save");
    server.respond(&request, Ok(json!({"saved": false})));
    finished(&mut server, "Run.");
    assert_eq!(fs::read_to_string(file(&place)).unwrap(), "one\n");
}

#[test]
fn what_the_user_typed_is_not_saved_for_a_command() {
    let place = edits_and_runs(
        &json!({"command": "cat a.txt"}),
        "it did not see what is pending or unsaved of a.txt",
    );
    let mut server = editor(&place);
    let document = json!({"uri": uri(&place), "version": 1});
    let typed = json!({"textDocument": document, "contentChanges": [{"text": "one\ntyped\n"}]});
    server.notify("textDocument/didChange", typed);
    start(&mut server, &json!({"level": "yolo"}));
    let (request, _) = server.expect_request("workspace/applyEdit");
    let document = json!({"uri": uri(&place), "version": 2});
    let params = json!({"textDocument": document, "contentChanges": [{"text": "two\ntyped\n"}]});
    server.notify("textDocument/didChange", params);
    server.respond(&request, Ok(json!({"applied": true})));
    finished(&mut server, "Run.");
}

#[test]
fn pending_edits_are_applied_first_when_the_user_says_so() {
    let place = edits_and_runs(&json!({"command": "sh ./show.sh"}), "two");
    let mut server = place.server("one");
    start(&mut server, &json!({}));
    let prompt = asked(&mut server);
    assert!(prompt["title"].as_str().unwrap().contains("will not see the pending edits"), "{prompt}");
    assert_eq!(prompt["options"][1]["answer"], "apply_first", "{prompt}");
    assert_eq!(fs::read_to_string(file(&place)).unwrap(), "one\n");
    assert!(answer(&mut server, &prompt, "apply_first"));
    assert_eq!(resolved(&mut server)["answer"], "apply_first");
    finished(&mut server, "Run.");
    assert_eq!(fs::read_to_string(file(&place)).unwrap(), "two\n");
    let list = server.command("kkcode.proposal.list", json!({})).unwrap();
    let proposal = json!({"proposalId": list["proposals"][0]["proposalId"]});
    let shown = server.command("kkcode.proposal.show", proposal).unwrap();
    assert_eq!(shown["files"][0]["hunks"][0]["state"], "applied", "it is still to be reviewed");
}

#[test]
fn pending_edits_that_are_open_are_applied_in_the_editor_and_saved() {
    let place = edits_and_runs(&json!({"command": "sh ./show.sh"}), "two");
    let mut server = editor(&place);
    start(&mut server, &json!({}));
    let prompt = asked(&mut server);
    assert!(answer(&mut server, &prompt, "apply_first"));
    resolved(&mut server);
    takes_the_edit(&mut server, &place);
    saves(&mut server, &place);
    finished(&mut server, "Run.");
}

#[test]
fn without_them_it_runs_on_the_files_as_they_are_and_says_so() {
    let place = edits_and_runs(
        &json!({"command": "sh ./show.sh"}),
        "it did not see what is pending or unsaved of a.txt",
    );
    let mut server = place.server("one");
    start(&mut server, &json!({}));
    let prompt = asked(&mut server);
    assert!(answer(&mut server, &prompt, "allow_once"));
    resolved(&mut server);
    finished(&mut server, "Run.");
    assert_eq!(fs::read_to_string(file(&place)).unwrap(), "one\n");
}

#[test]
fn a_background_command_on_the_files_themselves_is_asked_at_every_level() {
    let input = json!({"command": "cat a.txt", "run_in_background": true});
    let script = json!({"turns": [
        {"stream": [{"tool": {"name": "bash", "input": input}}]},
        {"expect": ["denied by the user"], "stream": [{"text": "Not run."}]},
    ]});
    let place = Place::new(&script.to_string());
    place.configure("permission: {sandbox: {mode: 'off'}}\n");
    let mut server = place.server("one");
    start(&mut server, &json!({"level": "yolo"}));
    let prompt = asked(&mut server);
    assert!(prompt["detail"].as_str().unwrap().contains("what it writes there is not reviewed"), "{prompt}");
    assert!(answer(&mut server, &prompt, "deny"));
    resolved(&mut server);
    finished(&mut server, "Not run.");
}
