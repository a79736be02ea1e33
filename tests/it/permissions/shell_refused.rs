//! What the sandbox refused a command that failed is offered to the user, once.
#![cfg(target_os = "linux")]

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};

use super::{Place, answer, asked, finished, resolved, start};

/// A model that runs a line, and then expects to be told something.
fn runs(line: &str, told: &str) -> String {
    let script = json!({"turns": [
        {"stream": [{"tool": {"name": "bash", "input": {"command": line}}}]},
        {"expect": [told], "stream": [{"text": "Done."}]},
    ]});
    script.to_string()
}

fn sandboxed(place: &Place, test: &str) -> bool {
    let mut server = place.server("look");
    let mut known = Value::Null;
    for _ in 0..600 {
        known = server.command("kkcode.status", json!({})).unwrap()["sandbox"].clone();
        if !known.is_null() {
            break;
        }
        std::thread::yield_now();
    }
    let is_sandboxed = known != json!("not sandboxed");
    if !is_sandboxed {
        kkcode_tests::skip(test, "this machine has no sandbox for commands");
    }
    is_sandboxed
}

#[test]
fn a_command_that_wanted_the_network_is_run_again_with_it_when_the_user_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let place = Place::new(&runs("python3 reach.py", "connected"));
    let script =
        format!("import socket\nsocket.create_connection(('127.0.0.1', {port}))\nprint('connected')\n");
    fs::write(place.work().join("reach.py"), script).unwrap();
    let test = "a_command_that_wanted_the_network_is_run_again_with_it_when_the_user_says_so";
    if !Path::new("/usr/bin/python3").exists() {
        return kkcode_tests::skip(test, "python3 is not installed");
    }
    if !sandboxed(&place, test) {
        return;
    }
    let mut server = place.server("one");
    start(&mut server, &json!({"level": "yolo"}));
    let prompt = asked(&mut server);
    assert!(prompt["title"].as_str().unwrap().contains("with the network"), "{prompt}");
    assert!(answer(&mut server, &prompt, "allow_once"));
    resolved(&mut server);
    finished(&mut server, "Done.");
    listener.accept().unwrap();
}

#[test]
fn a_write_outside_is_refused_told_and_not_done_when_the_user_says_no() {
    let outside = tempfile::tempdir_in("/var/tmp").unwrap();
    let at = outside.path().join("file");
    let place = Place::new(&runs(&format!("echo out > {}", at.display()), "it was not run once more"));
    if !sandboxed(&place, "a_write_outside_is_refused_told_and_not_done_when_the_user_says_no") {
        return;
    }
    let mut server = place.server("one");
    start(&mut server, &json!({"level": "yolo"}));
    let prompt = asked(&mut server);
    assert!(prompt["title"].as_str().unwrap().contains("writes outside"), "{prompt}");
    assert!(answer(&mut server, &prompt, "deny"));
    resolved(&mut server);
    finished(&mut server, "Done.");
    assert!(!at.exists());
}

#[test]
fn with_the_users_word_it_writes_outside() {
    let outside = tempfile::tempdir_in("/var/tmp").unwrap();
    let at = outside.path().join("file");
    let line = format!("echo out > {} || exit 1", at.display());
    let place = Place::new(&runs(&line, "allowed it once more"));
    if !sandboxed(&place, "with_the_users_word_it_writes_outside") {
        return;
    }
    let mut server = place.server("one");
    start(&mut server, &json!({"level": "yolo"}));
    let prompt = asked(&mut server);
    assert!(answer(&mut server, &prompt, "allow_once"));
    resolved(&mut server);
    finished(&mut server, "Done.");
    assert_eq!(fs::read_to_string(&at).unwrap(), "out\n");
}
