//! Handlers that wait, hang, block and panic: order, concurrency, cancelling, and one answer for each request.

use kkcode_tests::{Binary, Ended, Options, TestServer};
use serde_json::{Value, json};

use super::{CANCELLED, INTERNAL_ERROR, assert_answers, code, framed, send_command, unruly};

fn change(version: i64) -> Value {
    let params =
        json!({"textDocument": {"uri": "file:///a", "version": version}, "contentChanges": [{"text": ""}]});
    json!({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": params})
}

/// Returns changes with the versions from 1 to `last`, in one piece.
fn changes(last: i64) -> Vec<u8> {
    (1..=last).flat_map(|version| framed(&change(version))).collect()
}

/// Starts as many commands that never end, and returns their ids.
fn hang(server: &mut TestServer, count: usize) -> Vec<i64> {
    (0..count).map(|_| send_command(server, "hang", &Value::Null)).collect()
}

#[test]
fn a_thousand_changes_are_applied_in_order() {
    let mut server = unruly();
    server.send_raw(changes(1000));
    let expected: Vec<i64> = (1..=1000).collect();
    assert_eq!(server.command("versions", Value::Null), Ok(json!(expected)));
}

#[test]
fn the_request_behind_a_change_sees_it_however_it_waits() {
    for pause in ["nothing", "lock", "yield", "sleep"] {
        let mut server = unruly();
        let mut ids = Vec::new();
        for version in 1..=1000 {
            server.send(&change(version));
            ids.push((version, send_command(&mut server, "newest", &json!({"pause": pause}))));
        }
        for (version, id) in ids {
            assert_eq!(server.response(id), Ok(json!(version)), "{pause}");
        }
    }
}

#[test]
fn handlers_begin_in_order_however_they_wait() {
    for pause in ["nothing", "lock", "yield", "sleep"] {
        let mut server = unruly();
        let ids: Vec<_> = (0..1000)
            .map(|value| send_command(&mut server, "append", &json!({"value": value, "pause": pause})))
            .collect();
        for id in ids {
            assert_eq!(server.response(id), Ok(Value::Null));
        }
        let expected: Vec<_> = (0..1000).collect();
        assert_eq!(server.command("appended", Value::Null), Ok(json!(expected)), "{pause}");
    }
}

#[test]
fn commands_that_hang_hold_up_nothing() {
    for count in [1, 3, 4, 5, 8, 64, 1000] {
        let mut server = unruly();
        let hanging = hang(&mut server, count);
        server.send_raw(changes(200));
        assert_eq!(server.command("echo", json!({"a": 1})), Ok(json!({"a": 1})));
        assert_eq!(server.command("newest", json!({})), Ok(json!(200)));
        for id in hanging {
            server.cancel(id);
            assert_eq!(code(server.response(id)), CANCELLED);
        }
    }
}

#[test]
fn a_handler_that_blocks_its_thread_holds_up_no_other() {
    let mut server = unruly();
    let blocked = send_command(&mut server, "block", &Value::Null);
    for _ in 0..100 {
        assert_eq!(server.command("echo", json!({})), Ok(json!({})));
    }
    assert_eq!(server.command("release", Value::Null), Ok(Value::Null));
    assert_eq!(server.response(blocked), Ok(Value::Null));
}

#[test]
fn a_panic_costs_its_own_request() {
    for command in ["panic", "panicLater"] {
        let mut server = unruly();
        let hanging = hang(&mut server, 3);
        for _ in 0..3 {
            let error = server.command(command, Value::Null).unwrap_err();
            assert_eq!(
                (error.code, error.message.as_str()),
                (INTERNAL_ERROR, "internal error, see the server's log")
            );
        }
        assert_answers(&mut server);
        for id in hanging {
            server.cancel(id);
            assert_eq!(code(server.response(id)), CANCELLED);
        }
        server.wait_for_log("a handler panics");
    }
}

#[test]
fn a_panic_does_not_block_its_id() {
    let mut server = unruly();
    let message = |command: &str| {
        let params = json!({"command": command, "arguments": [1]});
        json!({"jsonrpc": "2.0", "id": "same", "method": "workspace/executeCommand", "params": params})
    };
    server.send(&message("panicLater"));
    assert_eq!(code(server.response("same")), INTERNAL_ERROR);
    server.send(&message("echo"));
    assert_eq!(server.response("same"), Ok(json!(1)));
}

#[test]
fn a_panic_while_a_notification_is_applied_costs_that_notification() {
    let mut server = unruly();
    server.notify("kkcode/panic", json!({}));
    server.send(&change(1));
    // Without a version the hook panics, holding a lock; the test server's lock is then poisoned, ours are not.
    assert_eq!(server.command("newest", json!({})), Ok(json!(1)));
    server.notify("textDocument/didChange", json!(null));
    assert_eq!(code(server.command("newest", json!({}))), INTERNAL_ERROR);
    assert_eq!(server.command("echo", json!(7)), Ok(json!(7)));
}

#[test]
fn a_panic_while_a_result_is_patched_costs_that_request() {
    let mut server = unruly();
    assert_eq!(code(server.command("echo", json!("panic while patching"))), INTERNAL_ERROR);
    assert_answers(&mut server);
}

#[test]
fn a_panic_while_initialize_is_seen_turns_no_client_away() {
    let mut server = Options::new().binary(Binary::Unruly).param("crash", json!(true)).start();
    let result = server.initialize();
    assert_eq!(result["capabilities"]["patched"], json!(true), "the result is patched");
    assert_answers(&mut server);
}

#[test]
fn a_crash_of_the_connection_leaves_no_zombie() {
    let mut server = unruly();
    server.command("crash", Value::Null).unwrap();
    assert_eq!(server.wait_exit(), Ended::Code(101));
    assert!(server.stderr().contains("the reading thread crashes"), "{}", server.stderr());
}

#[test]
fn a_crash_of_the_main_task_leaves_no_zombie() {
    let mut server = Options::new().binary(Binary::Unruly).argument("--crash-main").start();
    assert_eq!(server.wait_exit(), Ended::Code(101));
    assert!(server.stderr().contains("the main task crashes"), "{}", server.stderr());
}
