//! JSON that is no message, messages at the wrong time, and ids (L-09, L-18).

use kkcode_tests::{Ended, Message, Options, TestServer};
use serde_json::{Value, json};

use super::{
    CANCELLED, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, NOT_INITIALIZED, assert_answers, code,
    framed, send_command, server, unknown_request, unruly,
};

/// Sends a body and checks the code and the id of the one answer.
fn check_invalid(server: &mut TestServer, body: &Value, id: &Value) {
    server.send(body);
    assert_eq!(code(server.response(id.clone())), INVALID_REQUEST, "{body}");
}

#[test]
fn a_batch_is_refused_as_a_whole() {
    let mut server = server();
    check_invalid(
        &mut server,
        &json!([{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}, unknown_request(2)]),
        &Value::Null,
    );
    check_invalid(&mut server, &json!([]), &Value::Null);
    // Nothing in it has run: the server was not shut down.
    assert_answers(&mut server);
}

#[test]
fn what_is_no_request_is_refused_with_its_id() {
    let mut server = server();
    check_invalid(&mut server, &json!({"jsonrpc": "2.0", "id": 5}), &json!(5));
    check_invalid(&mut server, &json!({"jsonrpc": "2.0", "id": "five"}), &json!("five"));
    check_invalid(&mut server, &json!({"id": 5, "method": "shutdown"}), &json!(5));
    check_invalid(&mut server, &json!({"jsonrpc": "1.0", "id": 5, "method": "shutdown"}), &json!(5));
    check_invalid(&mut server, &json!({"jsonrpc": "2.0", "id": 5, "method": 7}), &json!(5));
    for id in [json!(null), json!(1.5), json!([1]), json!({}), json!(true), json!(u64::MAX)] {
        check_invalid(&mut server, &json!({"jsonrpc": "2.0", "id": id, "method": "shutdown"}), &Value::Null);
    }
    for body in [json!({}), json!(null), json!(7), json!("text")] {
        check_invalid(&mut server, &body, &Value::Null);
    }
    assert_answers(&mut server);
}

#[test]
fn ids_come_back_as_they_were() {
    let mut server = server();
    for id in [
        json!(0),
        json!(-1),
        json!(1_i64 << 53),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(""),
        json!("1"),
        json!("x\u{0}y"),
    ] {
        server.send(&unknown_request(id.clone()));
        assert_eq!(code(server.response(id)), METHOD_NOT_FOUND);
    }
}

#[test]
fn any_id_can_be_cancelled() {
    let mut server = unruly();
    for id in [json!(0), json!(-1), json!(1_i64 << 53), json!("x")] {
        server.send(&json!({"jsonrpc": "2.0", "id": id, "method": "workspace/executeCommand", "params": {"command": "hang"}}));
        server.cancel(id.clone());
        assert_eq!(code(server.response(id)), CANCELLED);
    }
}

#[test]
fn an_id_that_is_still_open_is_refused_and_the_first_request_lives() {
    let mut server = unruly();
    let hang = json!({"jsonrpc": "2.0", "id": "same", "method": "workspace/executeCommand", "params": {"command": "hang"}});
    server.send(&hang);
    server.send(&unknown_request("same"));
    assert_eq!(code(server.response("same")), INVALID_REQUEST);
    server.cancel("same");
    assert_eq!(code(server.response("same")), CANCELLED);
    // Closed now, so it can be used again.
    server.send(&unknown_request("same"));
    assert_eq!(code(server.response("same")), METHOD_NOT_FOUND);
}

#[test]
fn two_thousand_requests_cancelled_at_once_are_all_answered() {
    let mut server = unruly();
    for _ in 0..2000 {
        let id = send_command(&mut server, "hang", &Value::Null);
        server.cancel(id);
    }
    for id in 2..=2001 {
        assert_eq!(code(server.response(id)), CANCELLED);
    }
}

#[test]
fn a_storm_of_cancels_leaves_one_answer_for_each_request() {
    let mut server = server();
    let all: Vec<u8> = (1_i64..=2000)
        .flat_map(|id| {
            [
                unknown_request(id * 1000),
                json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": id * 1000}}),
            ]
        })
        .flat_map(|message| framed(&message))
        .collect();
    server.send_raw(all);
    for id in 1_i64..=2000 {
        // The answer was ready before the cancel was read.
        assert_eq!(code(server.response(id * 1000)), METHOD_NOT_FOUND);
    }
}

#[test]
fn cancels_of_nothing_are_ignored() {
    let mut server = server();
    for params in [
        json!({"id": 99}),
        json!({"id": null}),
        json!({"id": 1.5}),
        json!({}),
        json!([]),
        json!(null),
        json!(7),
    ] {
        server.notify("$/cancelRequest", params);
    }
    server.send(&json!({"jsonrpc": "2.0", "method": "$/cancelRequest"}));
    assert_answers(&mut server);
}

#[test]
fn requests_before_initialize_are_refused_and_notifications_dropped() {
    let mut server = Options::new().start();
    assert_eq!(code(server.request("textDocument/hover", json!({}))), NOT_INITIALIZED);
    assert_eq!(code(server.request("shutdown", Value::Null)), NOT_INITIALIZED);
    server.notify(
        "textDocument/didOpen",
        json!({"textDocument": {"uri": "file:///a", "languageId": "x", "version": 1, "text": ""}}),
    );
    server.notify("initialized", json!({}));
    server.initialize();
    assert_answers(&mut server);
}

#[test]
fn notifications_reach_the_server_only_while_it_serves() {
    let change = |version: i64| json!({"textDocument": {"uri": "file:///a", "version": version}, "contentChanges": []});
    let mut server = Options::new().binary(kkcode_tests::Binary::Unruly).start();
    server.notify("textDocument/didChange", change(1));
    server.initialize();
    server.notify("textDocument/didChange", change(2));
    assert_eq!(server.command("versions", Value::Null), Ok(json!([2])));
}

#[test]
fn initialize_works_once() {
    let mut server = server();
    let again = server.request("initialize", json!({"capabilities": {}, "processId": 1}));
    assert_eq!(code(again), INVALID_REQUEST);
    assert_answers(&mut server);
}

#[test]
fn a_failed_initialize_may_be_tried_again() {
    let mut server = Options::new().start();
    assert_eq!(code(server.request("initialize", json!([1]))), INVALID_PARAMS);
    server.initialize();
    assert_answers(&mut server);
}

#[test]
fn messages_sent_together_with_initialize_are_not_lost() {
    let mut server = Options::new().start();
    let initialize =
        json!({"jsonrpc": "2.0", "id": "i", "method": "initialize", "params": {"capabilities": {}}});
    let initialized = json!({"jsonrpc": "2.0", "method": "initialized"});
    server.send_raw([framed(&initialize), framed(&initialized), framed(&unknown_request("u"))].concat());
    assert!(server.response("i").is_ok());
    // The answer to initialize is on its way by then, or the specification wants this refusal.
    assert!([METHOD_NOT_FOUND, NOT_INITIALIZED].contains(&code(server.response("u"))));
    assert_answers(&mut server);
}

#[test]
fn odd_members_of_initialize_turn_no_client_away() {
    for params in [
        json!({}),
        json!({"capabilities": {}, "rootUri": ""}),
        json!({"capabilities": {}, "processId": "seven", "workspaceFolders": 7, "trace": "loud"}),
        json!({"capabilities": {"general": {"positionEncodings": "utf-8"}}, "rootUri": "not a uri"}),
    ] {
        let mut server = Options::new().start();
        let result = server.call("initialize", params);
        assert_eq!(result["serverInfo"]["name"], "kkcode-lsp");
        assert_answers(&mut server);
    }
}

#[test]
fn requests_after_shutdown_are_refused_and_exit_still_works() {
    let mut server = server();
    assert_eq!(server.request("shutdown", Value::Null), Ok(Value::Null));
    assert_eq!(code(server.request("shutdown", Value::Null)), INVALID_REQUEST);
    assert_eq!(code(server.request("initialize", json!({"capabilities": {}}))), INVALID_REQUEST);
    assert_eq!(code(server.request("workspace/executeCommand", json!({"command": "x"}))), INVALID_REQUEST);
    server.notify("textDocument/didSave", json!({"textDocument": {"uri": "file:///a"}}));
    server.notify("exit", Value::Null);
    assert_eq!(server.wait_exit(), Ended::Code(0));
}

#[test]
fn shutdown_takes_any_params_and_needs_an_id() {
    for params in [json!(null), json!({}), json!([])] {
        let mut server = server();
        server.notify("shutdown", Value::Null);
        assert_eq!(server.request("shutdown", params), Ok(Value::Null));
        server.notify("exit", json!({}));
        assert_eq!(server.wait_exit(), Ended::Code(0));
    }
}

#[test]
fn a_notification_sent_as_a_request_is_answered() {
    let mut server = server();
    for method in ["textDocument/didOpen", "textDocument/didChange", "initialized", "$/cancelRequest"] {
        assert_eq!(code(server.request(method, json!({}))), INVALID_REQUEST, "{method}");
    }
    assert_eq!(code(server.request("$/unknown", json!({}))), METHOD_NOT_FOUND);
    server.notify("$/unknown", json!({}));
    server.notify("workspace/executeCommand", json!({"command": "x"}));
    assert_answers(&mut server);
}

#[test]
fn unknown_commands_and_malformed_params_are_refused() {
    let mut server = server();
    assert_eq!(code(server.command("test.unknown", json!({}))), INVALID_PARAMS);
    for params in [
        json!(null),
        json!(7),
        json!([]),
        json!({}),
        json!({"command": 7}),
        json!({"command": "x", "arguments": "y"}),
    ] {
        assert_eq!(code(server.request("workspace/executeCommand", params)), INVALID_PARAMS);
    }
}

#[test]
fn answers_that_nobody_asked_for_are_dropped() {
    let mut server = server();
    for answer in [
        json!({"jsonrpc": "2.0", "id": "kk1", "result": 1}),
        json!({"jsonrpc": "2.0", "id": 1, "result": null}),
        json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "parse error"}}),
        json!({"jsonrpc": "2.0", "id": {}, "result": 1, "error": 7}),
        json!({"jsonrpc": "2.0", "result": 1}),
        json!({"error": []}),
    ] {
        server.send(&answer);
    }
    assert_answers(&mut server);
    let responses =
        server.take_unread().into_iter().filter(|message| matches!(message, Message::Response { .. }));
    assert_eq!(responses.count(), 0, "an answer is not answered");
}
