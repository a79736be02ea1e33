//! When the server ends, and with which code (L-14).

use std::process::{Child, Command, Stdio};

use kkcode_tests::{Binary, Ended, Options, TestServer};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{assert_answers, send_command, server, unruly};

/// A process that stands for the editor and lives until it is killed.
fn editor() -> Child {
    Command::new("sleep").arg("600").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

fn end(mut editor: Child) {
    editor.kill().unwrap();
    editor.wait().unwrap();
}

/// Checks that a server ends with code 1 when its client closes the pipe.
fn check_end_of_input(mut server: TestServer) {
    server.close_input();
    assert_eq!(server.wait_exit(), Ended::Code(1));
    drop(server.take_unread());
}

#[test]
fn shutdown_and_exit_end_the_server_though_its_input_stays_open() {
    let mut server = server();
    assert_eq!(server.shutdown(), Ended::Code(0));
}

#[test]
fn shutdown_and_exit_in_one_piece_are_answered() {
    let mut server = server();
    let id = server.send_request("shutdown", Value::Null);
    server.notify("exit", Value::Null);
    assert_eq!(server.response(id), Ok(Value::Null));
    assert_eq!(server.wait_exit(), Ended::Code(0));
}

#[test]
fn exit_without_shutdown_is_an_error() {
    let mut server = server();
    server.notify("exit", Value::Null);
    assert_eq!(server.wait_exit(), Ended::Code(1));
}

#[test]
fn exit_before_initialize_is_an_error() {
    let mut server = Options::new().start();
    server.notify("exit", Value::Null);
    assert_eq!(server.wait_exit(), Ended::Code(1));
}

#[test]
fn exit_sent_as_a_request_is_answered() {
    let mut server = server();
    assert_eq!(server.request("exit", Value::Null), Ok(Value::Null));
    assert_eq!(server.wait_exit(), Ended::Code(1));
}

#[test]
fn the_end_of_input_ends_an_idle_server() {
    check_end_of_input(server());
    check_end_of_input(Options::new().start());
}

#[test]
fn what_was_asked_before_the_end_of_input_is_answered() {
    let mut server = server();
    let ids: Vec<_> = (0..10).map(|_| server.send_request("test/unknown", Value::Null)).collect();
    server.close_input();
    for id in ids {
        assert!(server.response(id).is_err());
    }
    assert_eq!(server.wait_exit(), Ended::Code(1));
}

#[test]
fn the_end_of_input_ends_a_server_in_the_middle_of_a_message() {
    for piece in ["Content-Length: 5", "Content-Length: 5\r\n\r\n{"] {
        let mut server = server();
        server.send_raw(piece);
        check_end_of_input(server);
    }
}

#[test]
fn the_end_of_input_ends_a_server_whose_commands_hang() {
    let mut server = unruly();
    for _ in 0..5 {
        send_command(&mut server, "hang", &Value::Null);
    }
    assert_answers(&mut server);
    check_end_of_input(server);
}

#[test]
fn the_end_of_input_ends_a_server_whose_handler_waits_for_the_client() {
    let mut server = unruly();
    send_command(&mut server, "ask", &json!({}));
    server.expect_request("test/ask");
    check_end_of_input(server);
}

#[test]
fn the_end_of_input_ends_a_server_whose_handler_blocks_its_thread() {
    let mut server = unruly();
    send_command(&mut server, "block", &Value::Null);
    assert_answers(&mut server);
    check_end_of_input(server);
}

#[test]
fn the_end_of_input_after_shutdown_is_no_error() {
    let mut server = server();
    assert_eq!(server.request("shutdown", Value::Null), Ok(Value::Null));
    server.close_input();
    assert_eq!(server.wait_exit(), Ended::Code(0));
}

#[test]
fn exit_ends_a_server_whose_commands_hang() {
    let mut server = unruly();
    send_command(&mut server, "hang", &Value::Null);
    send_command(&mut server, "block", &Value::Null);
    assert_eq!(server.shutdown(), Ended::Code(0));
}

#[test]
fn the_end_of_the_editor_ends_the_server_though_the_pipe_is_held() {
    let editor = editor();
    // This test is the other process that holds the pipe.
    let mut server = Options::new().param("processId", json!(editor.id())).initialized();
    assert_answers(&mut server);
    end(editor);
    assert_eq!(server.wait_exit(), Ended::Code(1));
    assert!(server.stderr().contains("ClientGone"), "{}", server.stderr());
}

#[test]
fn the_end_of_the_editor_on_the_command_line_ends_the_server() {
    for initialized in [true, false] {
        let editor = editor();
        let options = Options::new()
            .argument(format!("--clientProcessId={}", editor.id()))
            .param("processId", Value::Null);
        let mut server = if initialized { options.initialized() } else { options.start() };
        end(editor);
        assert_eq!(server.wait_exit(), Ended::Code(1));
    }
}

#[test]
fn the_end_of_the_editor_ends_a_server_whose_commands_hang_and_whose_output_is_not_read() {
    let editor = editor();
    let options = Options::new().binary(Binary::Unruly).param("processId", json!(editor.id())).allow_unread();
    let mut server = options.initialized();
    send_command(&mut server, "hang", &Value::Null);
    send_command(&mut server, "flood", &json!({"count": 10_000, "bytes": 1000}));
    end(editor);
    assert_eq!(server.wait_exit(), Ended::Code(1));
}

#[test]
fn an_editor_that_has_already_ended_ends_the_server() {
    let editor = editor();
    let id = editor.id();
    end(editor);
    let mut server = Options::new().start();
    server.send_request("initialize", json!({"processId": id, "capabilities": {}}));
    assert_eq!(server.wait_exit(), Ended::Code(1));
    // Whether its answer was still written is a matter of luck.
    drop(server.take_unread());
}

#[test]
fn a_process_id_that_means_nothing_is_ignored() {
    for id in [json!(null), json!(0), json!(-1), json!(1.5), json!("1"), json!(u64::MAX), json!(u32::MAX)] {
        let mut server = Options::new().param("processId", id).initialized();
        assert_answers(&mut server);
    }
}

#[test]
fn signals_end_the_server_in_order() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut server = unruly();
        send_command(&mut server, "hang", &Value::Null);
        assert_answers(&mut server);
        server.signal(signal);
        assert_eq!(server.wait_exit(), Ended::Code(0));
    }
}

#[test]
fn a_stopped_server_goes_on_where_it_was() {
    let mut server = server();
    server.signal(Signal::STOP);
    let id = server.send_request("test/unknown", Value::Null);
    server.signal(Signal::CONT);
    assert!(server.response(id).is_err());
}

#[test]
fn the_server_stops_before_it_ends() {
    let mut server = Options::new().binary(Binary::Unruly).env("KKCODE_LOG", "info").initialized();
    assert_eq!(server.shutdown(), Ended::Code(0));
    assert!(server.stderr().contains("the server has stopped"), "{}", server.stderr());
}

#[test]
fn the_command_line_takes_what_clients_pass() {
    let pid = std::process::id();
    for arguments in [
        vec![],
        vec!["--stdio".to_owned()],
        vec!["serve".to_owned()],
        vec!["serve".to_owned(), "--stdio".to_owned()],
        vec!["--stdio".to_owned(), format!("--clientProcessId={pid}")],
        vec!["--clientProcessId".to_owned(), pid.to_string(), "--stdio".to_owned()],
    ] {
        let options = arguments.iter().fold(Options::new(), Options::argument);
        let mut server = options.initialized();
        assert_eq!(server.shutdown(), Ended::Code(0), "{arguments:?}");
    }
}
