//! What the server writes, and clients that do not read it (L-05, L-06).

use kkcode_tests::{Binary, Ended, Options};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{METHOD_NOT_FOUND, assert_answers, code, framed, send_command, unknown_request};

/// How much memory a server may hold whose client does not read, in bytes.
const MEMORY: u64 = 64 * 1024 * 1024;

fn held() -> Options {
    Options::new().binary(Binary::Unruly).hold_output().env("KKCODE_LOG", "info")
}

#[test]
fn stdout_is_only_messages_while_everything_is_logged() {
    // The test client reads every byte of stdout and fails on one that is no message.
    let mut server = Options::new().binary(Binary::Unruly).env("KKCODE_LOG", "trace").initialized();
    for command in ["panic", "panicLater", "echo", "nonsense"] {
        drop(server.command(command, json!({})));
    }
    server.notify("kkcode/panic", json!({}));
    server.send_raw("junk\r\n");
    server.send_body("{]");
    assert!(server.response(Value::Null).is_err());
    assert_eq!(server.shutdown(), Ended::Code(0));
    let log = server.stderr();
    for line in ["panic: a handler panics at once", "panic: a notification panics", "the server has stopped"]
    {
        assert!(log.contains(line), "no {line:?} in {log}");
    }
}

#[test]
fn a_log_that_nobody_reads_holds_up_nothing() {
    let mut server = Options::new().env("KKCODE_LOG", "trace").hold_errors().initialized();
    // Far more than a pipe holds.
    for _ in 0..5000 {
        server.send(&json!({"jsonrpc": "2.0", "id": "stray", "result": "x".repeat(100)}));
        server.notify("$/cancelRequest", json!({"id": 1}));
    }
    assert_answers(&mut server);
    assert_eq!(server.shutdown(), Ended::Code(0));
}

#[test]
fn notifications_that_nobody_reads_are_bounded() {
    let mut server = held().start();
    server
        .send(&json!({"jsonrpc": "2.0", "id": "i", "method": "initialize", "params": {"capabilities": {}}}));
    send_command(&mut server, "flood", &json!({"count": 20_000, "bytes": 3000}));
    server.wait_for_log("flooded");
    let id = send_command(&mut server, "echo", &json!("still here"));
    server.read_output();
    assert!(server.response("i").is_ok());
    assert_eq!(server.response(1), Ok(Value::Null), "answers are never dropped");
    assert_eq!(server.response(id), Ok(json!("still here")));
    assert!(server.peak_bytes() < MEMORY, "{} bytes", server.peak_bytes());
    let numbers: Vec<_> = server.take_unread().iter().map(number).collect();
    assert!(numbers.is_sorted(), "what is left keeps its order");
    assert!((1..20_000).contains(&numbers.len()), "{} notifications", numbers.len());
}

#[test]
fn only_the_latest_of_a_key_is_written() {
    let mut server = held().start();
    server
        .send(&json!({"jsonrpc": "2.0", "id": "i", "method": "initialize", "params": {"capabilities": {}}}));
    let first =
        send_command(&mut server, "flood", &json!({"count": 20_000, "bytes": 100, "key": "progress"}));
    server.wait_for_log("flooded");
    server.read_output();
    assert!(server.response("i").is_ok());
    assert_eq!(server.response(first), Ok(Value::Null));
    // One may have been on its way while the next ones came.
    let numbers: Vec<_> = server.take_unread().iter().map(number).collect();
    assert!(numbers.is_sorted() && numbers.len() < 1000, "{} notifications", numbers.len());
    assert_eq!(numbers.last(), Some(&19_999), "the last state is always told");
    assert!(server.peak_bytes() < MEMORY, "{} bytes", server.peak_bytes());
}

fn number(message: &kkcode_tests::Message) -> u64 {
    match message {
        kkcode_tests::Message::Notification { params, .. } => params["number"].as_u64().unwrap(),
        other => panic!("not a notification of the flood: {other:?}"),
    }
}

#[test]
fn requests_whose_answers_nobody_reads_wait_outside() {
    let mut server = Options::new().hold_output().start();
    server
        .send(&json!({"jsonrpc": "2.0", "id": "i", "method": "initialize", "params": {"capabilities": {}}}));
    // The name of an unknown method is repeated in its answer: 40 MB of answers.
    let method = "x".repeat(10_000);
    for id in 0..4000 {
        server.send_raw(framed(&json!({"jsonrpc": "2.0", "id": id, "method": method})));
    }
    server.wait_for_log("no requests are taken");
    server.read_output();
    assert!(server.response("i").is_ok());
    for id in 0..4000 {
        assert_eq!(code(server.response(id)), METHOD_NOT_FOUND);
    }
    assert!(server.peak_bytes() < MEMORY, "{} bytes", server.peak_bytes());
    assert_answers(&mut server);
}

#[test]
fn a_client_that_never_reads_can_still_be_outlived() {
    let mut server = Options::new().hold_output().allow_unread().start();
    server
        .send(&json!({"jsonrpc": "2.0", "id": "i", "method": "initialize", "params": {"capabilities": {}}}));
    let method = "x".repeat(10_000);
    for id in 0..4000 {
        server.send_raw(framed(&json!({"jsonrpc": "2.0", "id": id, "method": method})));
    }
    server.wait_for_log("no requests are taken");
    server.signal(Signal::TERM);
    assert_eq!(server.wait_exit(), Ended::Code(0));
}

#[test]
fn a_client_that_closes_our_output_ends_the_server() {
    let mut server = Options::new().hold_output().start();
    server.close_output();
    server.send(&unknown_request(1));
    assert_eq!(server.wait_exit(), Ended::Code(1));
    assert!(server.stderr().contains("OutputClosed"), "{}", server.stderr());
}
