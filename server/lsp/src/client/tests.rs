//! The outbox, and requests that get an answer, none, or a strange one.

use std::thread;

use serde_json::json;

use super::*;

const NEVER: Duration = Duration::from_mins(10);

fn client() -> Client {
    Client::new().0
}

/// Takes all that waits to be written, one body a line.
fn written(client: &Client) -> Vec<String> {
    let mut bodies = Vec::new();
    while let Some(message) = lock(&client.shared.outbox).pop() {
        bodies.push(String::from_utf8(message.body.into()).unwrap());
    }
    bodies
}

#[test]
fn messages_keep_their_order() {
    let client = client();
    client.notify("a", json!({}));
    client.notify("b", json!([1]));
    assert_eq!(
        written(&client),
        [r#"{"jsonrpc":"2.0","method":"a","params":{}}"#, r#"{"jsonrpc":"2.0","method":"b","params":[1]}"#,]
    );
}

#[test]
fn null_params_are_left_out() {
    let client = client();
    client.notify("a", Value::Null);
    assert_eq!(written(&client), [r#"{"jsonrpc":"2.0","method":"a"}"#]);
}

#[test]
fn the_latest_of_a_key_replaces_what_is_not_yet_written() {
    let client = client();
    client.notify_latest("x", "a", json!([1]));
    client.notify_latest("y", "a", json!([2]));
    client.notify_latest("x", "a", json!([3]));
    assert_eq!(
        written(&client),
        [r#"{"jsonrpc":"2.0","method":"a","params":[2]}"#, r#"{"jsonrpc":"2.0","method":"a","params":[3]}"#,]
    );
    client.notify_latest("x", "a", json!([4]));
    assert_eq!(written(&client).len(), 1);
}

#[tokio::test]
async fn a_request_has_the_result_or_the_error_of_its_answer() {
    let client = client();
    let first = client.request("a", json!({}), NEVER);
    let second = client.request("b", json!({}), NEVER);
    assert_eq!(written(&client)[1], r#"{"id":"kk2","jsonrpc":"2.0","method":"b","params":{}}"#);
    let refused = RequestError::Refused { code: 1, message: "no".to_owned() };
    client.settle(&json!("kk2"), Err(refused.clone()));
    client.settle(&json!("kk1"), Ok(json!(1)));
    assert_eq!(first.await, Ok(json!(1)));
    assert_eq!(second.await, Err(refused));
    assert_eq!(written(&client).len(), 0, "an answered request is not cancelled");
}

#[tokio::test]
async fn answers_that_nobody_waits_for_are_dropped() {
    let client = client();
    let request = client.request("a", json!({}), NEVER);
    for id in [json!("kk2"), json!(1), json!(null), json!({}), json!("")] {
        client.settle(&id, Ok(json!("stray")));
    }
    client.settle(&json!("kk1"), Ok(json!("first")));
    client.settle(&json!("kk1"), Ok(json!("second")));
    assert_eq!(request.await, Ok(json!("first")));
}

#[tokio::test]
async fn a_written_request_is_cancelled_when_its_time_is_over() {
    let client = client();
    let request = client.request("a", json!({}), Duration::ZERO);
    assert_eq!(written(&client).len(), 1);
    assert_eq!(request.await, Err(RequestError::Timeout));
    assert_eq!(written(&client), [r#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"kk1"}}"#]);
    assert_eq!(lock(&client.shared.waiting).len(), 0);
}

#[test]
fn a_dropped_request_that_was_not_written_is_taken_back() {
    let client = client();
    drop(client.request("a", json!({}), NEVER));
    assert_eq!(written(&client).len(), 0);
    assert_eq!(lock(&client.shared.waiting).len(), 0);
    assert_eq!(lock(&client.shared.outbox).bytes, 0);
}

#[tokio::test]
async fn the_end_of_the_connection_ends_requests() {
    let client = client();
    let before = client.request("a", json!({}), NEVER);
    client.close();
    let after = client.request("a", json!({}), NEVER);
    assert_eq!(before.await, Err(RequestError::Closed));
    assert_eq!(after.await, Err(RequestError::Closed));
    assert_eq!(lock(&client.shared.waiting).len(), 0);
}

#[test]
fn a_closed_client_writes_what_is_left_and_ends() {
    let (client, writer) = Client::new();
    client.notify("a", json!({}));
    client.close();
    client.notify("b", json!({}));
    let mut output = Vec::new();
    writer.run(&mut output).unwrap();
    let body = r#"{"jsonrpc":"2.0","method":"a","params":{}}"#;
    assert_eq!(String::from_utf8(output).unwrap(), format!("Content-Length: {}\r\n\r\n{body}", body.len()));
}

#[test]
fn a_client_that_does_not_read_loses_notifications_but_no_answers() {
    let client = client();
    let mebibyte = "x".repeat(1024 * 1024);
    for _ in 0..40 {
        client.notify("a", &mebibyte);
    }
    for _ in 0..4 {
        client.notify_latest("same", "b", &mebibyte);
    }
    let bytes = lock(&client.shared.outbox).bytes;
    assert!(bytes < DROP_ABOVE + 3 * mebibyte.len(), "{bytes}");
    client.answer(&Response::from_ok(1.into(), json!("kept")));
    assert_eq!(written(&client).last().unwrap(), r#"{"jsonrpc":"2.0","result":"kept","id":1}"#);
    client.notify("a", json!({}));
    assert_eq!(written(&client).len(), 1, "it reads again");
}

#[test]
fn requests_are_taken_again_once_the_client_reads() {
    let (client, writer) = Client::new();
    while lock(&client.shared.outbox).bytes <= PAUSE_ABOVE {
        client.answer(&Response::from_ok(1.into(), json!("x".repeat(1024 * 1024))));
    }
    let waiting = thread::spawn({
        let client = client.clone();
        move || client.wait_until_drained()
    });
    assert!(!waiting.is_finished());
    let writing = thread::spawn(move || writer.run(io::sink()));
    waiting.join().unwrap();
    client.close();
    writing.join().unwrap().unwrap();
}

#[test]
fn the_end_of_the_connection_ends_the_wait_for_a_client_that_does_not_read() {
    let (client, _writer) = Client::new();
    while lock(&client.shared.outbox).bytes <= PAUSE_ABOVE {
        client.answer(&Response::from_ok(1.into(), json!("x".repeat(1024 * 1024))));
    }
    client.close();
    client.wait_until_drained();
}
