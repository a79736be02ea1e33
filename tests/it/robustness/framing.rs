//! Bytes that are no messages, and messages cut into pieces (L-02, L-03, L-04).

use kkcode_tests::{Ended, Options};
use serde_json::{Value, json};

use super::{METHOD_NOT_FOUND, PARSE_ERROR, assert_answers, code, framed, server, unknown_request};

/// Sends bytes that lose no message behind them, and checks that the next request is answered.
fn check_goes_on(bytes: impl AsRef<[u8]>) {
    let mut server = server();
    server.send_raw(bytes.as_ref());
    assert_answers(&mut server);
}

/// Sends bytes behind which nothing can be read any more, and checks that the server ends and says why.
fn check_ends(bytes: impl Into<Vec<u8>>, why: &str) {
    let mut server = server();
    server.send_raw(bytes);
    assert_eq!(server.wait_exit(), Ended::Code(1));
    assert!(server.stderr().contains(why), "{}", server.stderr());
}

/// Sends a body under a header, and checks that it is answered as an ordinary request.
fn check_header(header: &str) {
    let mut server = server();
    let body = unknown_request("here").to_string();
    server.send_raw(header.replace('%', &body.len().to_string()) + &body);
    assert_eq!(code(server.response("here")), METHOD_NOT_FOUND);
}

#[test]
fn headers_are_read_as_clients_write_them() {
    for header in [
        "content-length: %\r\n\r\n",
        "CONTENT-LENGTH:%\r\n\r\n",
        "Content-Length:   %  \r\n\r\n",
        "Content-Length: 000%\r\n\r\n",
        "Content-Length: %\n\n",
        "Content-Length: %\r\nContent-Length: %\r\n\r\n",
        "Content-Length: %\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n",
        "Content-Type: application/vscode-jsonrpc; charset=utf8\r\nContent-Length: %\r\n\r\n",
        "content-type: application/vscode-jsonrpc\r\nX-Whatever: 1\r\nContent-Length: %\r\n\r\n",
    ] {
        check_header(header);
    }
}

#[test]
fn junk_between_messages_is_skipped() {
    check_goes_on("hello\r\n");
    check_goes_on("\r\n\r\n\n");
    check_goes_on("no newline and then: ");
    check_goes_on(b"\xFF\xFE\x00".repeat(100));
    check_goes_on("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

#[test]
fn a_length_that_is_no_number_costs_its_message_only() {
    for bad in ["abc", "", "-5", "+5", "5.0", "0x5", "5 5"] {
        check_goes_on(format!("Content-Length: {bad}\r\n\r\n{{\"jsonrpc\":\"2.0\"}}"));
    }
}

#[test]
fn a_message_without_length_is_skipped() {
    check_goes_on("Content-Type: application/vscode-jsonrpc\r\n\r\n{\"jsonrpc\":\"2.0\"}\r\n");
}

#[test]
fn a_length_that_is_too_small_costs_two_errors_at_most() {
    let mut server = server();
    // The body is cut in two: the first part is no JSON, the rest is junk before the next header.
    server.send_raw("Content-Length: 20\r\n\r\n".to_owned() + &unknown_request(1).to_string());
    assert_eq!(code(server.response(Value::Null)), PARSE_ERROR);
    assert_answers(&mut server);
}

#[test]
fn two_different_lengths_end_the_server() {
    check_ends("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "two different Content-Length headers");
}

#[test]
fn a_giant_length_ends_the_server_at_its_header() {
    for length in ["67108865", "10000000000000", "99999999999999999999"] {
        check_ends(format!("Content-Length: {length}\r\n\r\n"), length);
    }
}

#[test]
fn a_header_without_end_ends_the_server_after_eight_kibibytes() {
    check_ends("x".repeat(3 * 1024 * 1024), "no complete message header");
    check_ends("X: y\r\n".repeat(500_000), "no complete message header");
}

#[test]
fn an_announced_body_takes_memory_only_as_it_comes() {
    let mut server = server();
    let before = server.resident_bytes();
    server.send_raw("Content-Length: 67108864\r\n\r\n".to_owned() + &" ".repeat(1024 * 1024));
    server.wait_taken();
    let most = server.peak_bytes();
    assert!(most < before + 8 * 1024 * 1024, "{before} bytes grew to {most}");
    server.close_input();
    assert_eq!(server.wait_exit(), Ended::Code(1));
}

#[test]
fn bodies_of_every_size_are_read() {
    let mut server = server();
    for size in [0, 1, 16 * 1024 * 1024, 64 * 1024 * 1024] {
        // Padded by blanks, which JSON ignores.
        let request = unknown_request(size).to_string();
        if size < request.len() {
            server.send_body(vec![b' '; size]);
            assert_eq!(code(server.response(Value::Null)), PARSE_ERROR);
        } else {
            server.send_body(request.clone() + &" ".repeat(size - request.len()));
            assert_eq!(code(server.response(size)), METHOD_NOT_FOUND);
        }
    }
}

#[test]
fn a_message_may_be_cut_at_every_byte() {
    let mut server = server();
    for byte in framed(&unknown_request("cut")) {
        server.send_raw([byte]);
    }
    assert_eq!(code(server.response("cut")), METHOD_NOT_FOUND);
}

#[test]
fn messages_may_come_in_one_piece() {
    let mut server = server();
    let all: Vec<u8> = (1_i64..=500).flat_map(|id| framed(&unknown_request(-id))).collect();
    server.send_raw(all);
    for id in 1_i64..=500 {
        assert_eq!(code(server.response(-id)), METHOD_NOT_FOUND);
    }
}

#[test]
fn a_bad_body_is_answered_and_the_next_one_served() {
    let deep = "[".repeat(100_000);
    let deep_object = "{\"a\":".repeat(100_000);
    for body in [
        &b"{\"jsonrpc\":\"2.0\",\"id\":1,"[..],
        b"{]",
        b"",
        b"\xEF\xBB\xBF{}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xFF\xFE\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test\"} trailing",
        deep.as_bytes(),
        deep_object.as_bytes(),
    ] {
        let mut server = server();
        server.send_body(body);
        assert_eq!(code(server.response(Value::Null)), PARSE_ERROR, "{:?}", body.get(..40.min(body.len())));
        assert_answers(&mut server);
    }
}

#[test]
fn half_an_emoji_loses_no_message() {
    let mut server = server();
    server.send_body(r#"{"jsonrpc":"2.0","id":"lone \ud83d","method":"test/unknown"}"#);
    assert_eq!(code(server.response("lone \u{FFFD}")), METHOD_NOT_FOUND);
    let text = r#"{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"file:///a","languageId":"text","version":1,"text":"\udc00"}}}"#;
    server.send_body(text);
    assert_answers(&mut server);
}

#[test]
fn bad_bytes_before_initialize_do_not_end_the_server() {
    let mut server = Options::new().start();
    server.send_raw("junk\r\n");
    server.send_body("{]");
    assert_eq!(code(server.response(Value::Null)), PARSE_ERROR);
    server.initialize();
    server.send(&json!({"jsonrpc": "2.0", "method": "$/setTrace", "params": {"value": "off"}}));
    assert_answers(&mut server);
}
