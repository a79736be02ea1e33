//! Requests to a client that answers late, wrongly, or never (L-07, L-08).

use kkcode_tests::{Ended, ResponseError, TestServer};
use serde_json::{Value, json};

use super::{CANCELLED, assert_answers, code, framed, send_command, unruly};

/// Lets a task of the server ask `test/ask` and returns the id of the question.
fn question(server: &mut TestServer, argument: Value) -> Value {
    assert_eq!(server.command("askAside", argument), Ok(Value::Null));
    server.expect_request("test/ask").0
}

/// Answers a question with a whole message and checks what the server makes of it.
fn check_answer(rest: &Value, expected: &Value) {
    let mut server = unruly();
    let id = question(&mut server, json!({}));
    let mut answer = json!({"jsonrpc": "2.0", "id": id});
    answer.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    server.send(&answer);
    assert_eq!(server.expect_notification("test/asked"), *expected, "{rest}");
    assert_answers(&mut server);
}

#[test]
fn answers_are_taken_as_they_are_meant() {
    check_answer(&json!({"result": {"applied": true}}), &json!({"result": {"applied": true}}));
    check_answer(&json!({"result": null}), &json!({"result": null}));
    check_answer(&json!({"result": 1, "error": null}), &json!({"result": 1}));
    check_answer(
        &json!({"error": {"code": -32601, "message": "no"}}),
        &json!({"code": -32601, "message": "no"}),
    );
    check_answer(
        &json!({"result": null, "error": {"code": 1, "message": "no"}}),
        &json!({"code": 1, "message": "no"}),
    );
}

#[test]
fn answers_that_make_no_sense_are_errors() {
    check_answer(
        &json!({"result": 1, "error": {"code": 1, "message": "no"}}),
        &json!({"code": -32603, "message": "the answer has both a result and an error"}),
    );
    check_answer(&json!({"error": 7}), &json!({"code": -32603, "message": "malformed error: 7"}));
    check_answer(
        &json!({"error": {"code": "x", "message": []}}),
        &json!({"code": -32603, "message": "malformed error: {\"code\":\"x\",\"message\":[]}"}),
    );
}

#[test]
fn an_answer_with_another_id_answers_nothing() {
    let mut server = unruly();
    let id = question(&mut server, json!({}));
    for other in [json!("kk999"), json!(1), json!(null), json!([id]), json!({"id": id})] {
        server.respond(&other, Ok(json!("wrong")));
    }
    assert_answers(&mut server);
    server.respond(&id, Ok(json!("right")));
    server.respond(&id, Ok(json!("again")));
    assert_eq!(server.expect_notification("test/asked"), json!({"result": "right"}));
    assert_answers(&mut server);
}

#[test]
fn a_question_that_is_never_answered_is_withdrawn() {
    let mut server = unruly();
    let id = question(&mut server, json!({"timeoutMs": 1}));
    assert_eq!(server.expect_notification("test/asked"), json!("timeout"));
    assert_eq!(server.expect_notification("$/cancelRequest"), json!({"id": id}));
    server.respond(&id, Ok(json!("too late")));
    assert_answers(&mut server);
}

#[test]
fn questions_that_are_never_answered_leave_nothing_behind() {
    let mut server = unruly();
    let ask = |server: &mut TestServer| {
        for _ in 0..500 {
            server.command("askAside", json!({"timeoutMs": 1, "text": "x".repeat(10_000)})).unwrap();
            assert_eq!(server.expect_notification("test/asked"), json!("timeout"));
        }
        // A question that was not yet written is taken back and never seen.
        server.take_unread();
    };
    ask(&mut server);
    let before = server.resident_bytes();
    for _ in 0..3 {
        ask(&mut server);
    }
    let after = server.resident_bytes();
    assert!(after < before + 8 * 1024 * 1024, "{before} bytes grew to {after}");
    drop(server.take_unread());
}

#[test]
fn handlers_that_wait_for_the_client_hold_up_nothing() {
    for changes in [90, 101, 1000] {
        let mut server = unruly();
        let asking: Vec<_> = (0..4).map(|_| send_command(&mut server, "ask", &json!({}))).collect();
        for version in 1..=changes {
            server.notify(
                "textDocument/didChange",
                json!({"textDocument": {"uri": "file:///a", "version": version}}),
            );
        }
        assert_eq!(server.command("newest", json!({})), Ok(json!(changes)));
        for _ in 0..4 {
            let (id, _) = server.expect_request("test/ask");
            server.respond(&id, Ok(json!("yes")));
        }
        for id in asking {
            assert_eq!(server.response(id), Ok(json!({"result": "yes"})));
        }
    }
}

#[test]
fn a_client_may_answer_after_all_it_has_to_say() {
    let mut server = unruly();
    let asking = send_command(&mut server, "ask", &json!({}));
    let (question, _) = server.expect_request("test/ask");
    let change = |version: i64| {
        let params = json!({"textDocument": {"uri": "file:///a", "version": version}});
        framed(&json!({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": params}))
    };
    server.send_raw((1..=1000).flat_map(change).collect::<Vec<_>>());
    server.respond(&question, Err(ResponseError::new(1, "no")));
    assert_eq!(server.response(asking), Ok(json!({"code": 1, "message": "no"})));
}

#[test]
fn a_command_cancelled_while_it_waits_for_the_client_withdraws_its_question() {
    let mut server = unruly();
    let asking = send_command(&mut server, "ask", &json!({}));
    let (question, _) = server.expect_request("test/ask");
    server.cancel(asking);
    assert_eq!(code(server.response(asking)), CANCELLED);
    assert_eq!(server.expect_notification("$/cancelRequest"), json!({"id": question}));
    // The client had answered before it read that.
    server.respond(&question, Ok(json!("yes")));
    assert_answers(&mut server);
}

#[test]
fn the_end_of_the_connection_ends_every_question() {
    let mut server = unruly();
    for _ in 0..10 {
        question(&mut server, json!({}));
    }
    server.close_input();
    assert_eq!(server.wait_exit(), Ended::Code(1));
    // What tasks still say is lost or not, as their last moment goes.
    drop(server.take_unread());
}
