//! A wait for a server that asks for patience is seen, and ends with a cancel.

use std::fs;
use std::process::Command;

use kkcode_tests::{Binary, Options, TestServer};
use serde_json::{Value, json};

use super::loopback::{Loopback, refuses, says};

/// A home whose only model is played by a server on loopback, and a folder with a file.
pub(super) fn world(base: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["home", "work"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    fs::write(dir.path().join("work/a.txt"), "one\n").unwrap();
    let model =
        json!({"type": "openai-compatible", "base_url": base, "api_key": "sk-x", "default_model": "m"});
    let config = json!({"provider": {"default": "far", "far": model}});
    fs::write(dir.path().join("home/config.json"), config.to_string()).unwrap();
    dir
}

pub(super) fn server(dir: &tempfile::TempDir) -> TestServer {
    Options::new()
        .home(dir.path().join("home"))
        .workspace(&dir.path().join("work"))
        .capabilities(json!({
            "experimental": {"kkcode": {"protocolVersion": 1}},
            "window": {"workDoneProgress": true},
        }))
        .ignore("kkcode/proposal/didChange")
        .initialized()
}

pub(super) fn run(dir: &tempfile::TempDir, arguments: &[&str]) -> (Option<i32>, String, String) {
    let home = dir.path().join("home");
    let mut command = Command::new(Binary::Server.path());
    command.arg("run").args(arguments).current_dir(dir.path().join("work"));
    command.env("HOME", &home).env("KKCODE_HOME", &home);
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Waits for the next update of this kind.
fn update(server: &mut TestServer, kind: &str) -> Value {
    loop {
        let update = server.expect_notification("kkcode/turn/didUpdate")["update"].clone();
        if update["kind"] == kind {
            return update;
        }
    }
}

/// Takes up the progress that the server wants to show.
fn take_up_progress(server: &mut TestServer) {
    let (id, _) = server.expect_request("window/workDoneProgress/create");
    server.respond(&id, Ok(Value::Null));
}

#[test]
fn a_turn_that_waits_for_its_model_says_so_and_goes_on() {
    let model =
        Loopback::start(vec![refuses("429 Too Many Requests", "retry-after: 1\r\n"), says("Here I am.")]);
    let dir = world(&model.base());
    let mut server = server(&dir);
    let turn = server.command("kkcode.turn.start", json!({"prompt": "go"})).unwrap();
    take_up_progress(&mut server);
    let waits = update(&mut server, "status");
    assert_eq!((&waits["status"], &waits["retry"]["attempt"]), (&json!("retrying"), &json!(1)), "{waits}");
    assert_eq!(waits["retry"]["error"]["class"], "rate_limit", "{waits}");
    assert!(waits["retry"]["at"].as_str().unwrap().ends_with('Z'), "{waits}");
    let again = update(&mut server, "status");
    assert_eq!(again, json!({"kind": "status", "status": "running"}));
    assert_eq!(server.expect_notification("kkcode/turn/didFinish")["reply"], "Here I am.");
    let shown = server.command("kkcode.turn.show", json!({"turnId": turn["turnId"]})).unwrap();
    assert_eq!((&shown["status"], shown.get("retry")), (&json!("completed"), None), "{shown}");
    server.shutdown();
    let unread = server.take_unread();
    assert!(
        unread.iter().any(|message| format!("{message:?}").contains("slow down (rate_limit); retry 1 in"))
    );
}

#[test]
fn a_cancel_ends_the_wait() {
    let model =
        Loopback::start(vec![refuses("429 Too Many Requests", "retry-after: 50\r\n"), says("Too late.")]);
    let dir = world(&model.base());
    let mut server = server(&dir);
    let turn = server.command("kkcode.turn.start", json!({"prompt": "go"})).unwrap();
    take_up_progress(&mut server);
    let turn = json!({"turnId": turn["turnId"]});
    let waits = update(&mut server, "status");
    let shown = server.command("kkcode.turn.show", turn.clone()).unwrap();
    assert_eq!((&shown["status"], &shown["retry"]), (&json!("retrying"), &waits["retry"]), "{shown}");
    server.command("kkcode.turn.cancel", turn.clone()).unwrap();
    assert_eq!(server.expect_notification("kkcode/turn/didFinish")["status"], "cancelled");
    let shown = server.command("kkcode.turn.show", turn).unwrap();
    assert_eq!((&shown["status"], shown.get("retry")), (&json!("cancelled"), None), "{shown}");
    model.request();
    assert!(!model.is_asked_more());
    server.shutdown();
    server.take_unread();
}

#[test]
fn a_wait_is_said_on_the_command_line() {
    let model =
        Loopback::start(vec![refuses("503 Service Unavailable", "retry-after: 0\r\n"), says("Here.")]);
    let dir = world(&model.base());
    let (code, printed, errors) = run(&dir, &["go"]);
    assert_eq!((code, printed.as_str()), (Some(0), "Here.\n"), "{errors}");
    assert!(errors.contains("(overloaded); retry 1 in 0 s"), "{errors}");
}
