//! What no client can do to the server: wedge it, end it, or make it lie. Each test has a fresh process.
#![cfg(test)]

mod documents;
mod framing;
mod handlers;
mod lifecycle;
mod messages;
mod output;
mod questions;

use kkcode_tests::{Binary, Options, ResponseError, TestServer};
use serde_json::{Value, json};

/// The codes of JSON-RPC 2.0 and LSP 3.17 (`ErrorCodes`, `LSPErrorCodes`).
const PARSE_ERROR: i64 = -32700;
const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;
const INTERNAL_ERROR: i64 = -32603;
const NOT_INITIALIZED: i64 = -32002;
const CANCELLED: i64 = -32800;

/// Starts the shipped server and shakes hands.
fn server() -> TestServer {
    Options::new().initialized()
}

/// Starts the server whose commands misbehave, and shakes hands.
fn unruly() -> TestServer {
    Options::new().binary(Binary::Unruly).initialized()
}

/// Fails unless the server answers a request that every server can answer.
fn assert_answers(server: &mut TestServer) {
    assert_eq!(code(server.request("test/unknown", json!({}))), METHOD_NOT_FOUND);
}

/// Returns the code of an error that must have come.
fn code(outcome: Result<Value, ResponseError>) -> i64 {
    outcome.expect_err("an error").code
}

/// Sends a command and returns the id of the request.
fn send_command(server: &mut TestServer, command: &str, argument: &Value) -> i64 {
    server.send_request("workspace/executeCommand", json!({"command": command, "arguments": [argument]}))
}

/// Returns a request as it stands on the wire.
fn framed(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Returns a request that the server answers with "method not found".
fn unknown_request(id: impl Into<Value>) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": "test/unknown"})
}
