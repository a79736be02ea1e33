//! Document sync that makes no sense, and URIs as clients spell them: the server stays up and goes on.

use kkcode_tests::TestServer;
use serde_json::{Value, json};

use super::{assert_answers, server};

const URI: &str = "file:///project/a.rs";

fn open(server: &mut TestServer, uri: &str, text: &str) {
    let document = json!({"uri": uri, "languageId": "rust", "version": 1, "text": text});
    server.notify("textDocument/didOpen", json!({"textDocument": document}));
}

fn change(server: &mut TestServer, uri: &str, version: i64, changes: &Value) {
    let document = json!({"uri": uri, "version": version});
    server.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}));
}

fn range(from: (i64, i64), to: (i64, i64)) -> Value {
    let position = |(line, character): (i64, i64)| json!({"line": line, "character": character});
    json!([{"range": {"start": position(from), "end": position(to)}, "text": "x"}])
}

/// Checks that the server survives changes to an open document of three lines.
fn check_change(version: i64, changes: &Value) {
    let mut server = server();
    open(&mut server, URI, "one\ntwo\n\u{1F600} three\n");
    change(&mut server, URI, version, changes);
    assert_answers(&mut server);
    // A whole text makes everything good again.
    change(&mut server, URI, version + 1, &json!([{"text": "new\n"}]));
    assert_answers(&mut server);
}

#[test]
fn ranges_that_are_not_in_the_text_do_no_harm() {
    check_change(2, &range((1, 2), (1, 0)));
    check_change(2, &range((2, 0), (0, 0)));
    check_change(2, &range((99, 0), (100, 0)));
    check_change(2, &range((0, 0), (0, 99_999)));
    check_change(2, &range((0, 0), (4_294_967_295, 4_294_967_295)));
    check_change(2, &range((2, 1), (2, 1)));
    check_change(2, &range((-1, 0), (0, 0)));
    check_change(2, &range((0, 0), (9_999_999_999, 0)));
}

#[test]
fn versions_may_be_old_missing_or_leap() {
    for version in [1, 0, -5, i64::from(i32::MAX), i64::MAX] {
        check_change(version.min(i64::MAX - 1), &range((0, 0), (0, 1)));
    }
    let mut server = server();
    open(&mut server, URI, "");
    server.notify(
        "textDocument/didChange",
        json!({"textDocument": {"uri": URI}, "contentChanges": [{"text": "x"}]}),
    );
    server.notify(
        "textDocument/didChange",
        json!({"textDocument": {"uri": URI, "version": null}, "contentChanges": []}),
    );
    assert_answers(&mut server);
}

#[test]
fn changes_of_odd_shapes_do_no_harm() {
    for changes in [
        json!([]),
        json!(null),
        json!(7),
        json!([7]),
        json!([{}]),
        json!([{"range": null, "text": "x"}]),
        json!([{"text": 7}]),
    ] {
        check_change(2, &changes);
    }
}

#[test]
fn documents_may_be_opened_twice_and_closed_though_never_opened() {
    let mut server = server();
    let document = json!({"textDocument": {"uri": URI}});
    change(&mut server, URI, 2, &json!([{"text": "never opened"}]));
    server.notify("textDocument/didSave", document.clone());
    server.notify("textDocument/didClose", document.clone());
    open(&mut server, URI, "one");
    open(&mut server, URI, "two");
    server.notify("textDocument/didClose", document.clone());
    server.notify("textDocument/didClose", document);
    assert_answers(&mut server);
}

#[test]
fn uris_are_taken_as_clients_spell_them() {
    let mut server = server();
    for uri in [
        "file:///a%20b",
        "file:///a%2Fb",
        "file:///100%25",
        "file:///caf%C3%A9",
        "file:///caf%c3%a9",
        "file:///cafe\u{301}",
        "file://localhost/a",
        "file:///c%3A/x",
        "file:///C:/x",
        "file:///c:/x",
        "file://server/share/x",
        "file:///folder/",
        "vscode-remote://ssh-remote+host/a",
        "git:/a?%7B%22ref%22%3A%22%22%7D",
        "untitled:Untitled-1",
        "",
        "not a uri",
        "file:",
        "://",
        "file:///%",
        "file:///%zz",
        "file:///%00",
        "file:///%ff",
        "\u{0}",
    ] {
        open(&mut server, uri, "text\n");
        change(&mut server, uri, 2, &range((0, 0), (0, 1)));
        server.notify("textDocument/didSave", json!({"textDocument": {"uri": uri}}));
        server.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
        assert_answers(&mut server);
    }
    for uri in [json!(7), json!(null), json!({})] {
        server.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
    }
    assert_answers(&mut server);
}

#[test]
fn storms_of_documents_pass() {
    let mut server = server();
    for number in 0..1000 {
        open(&mut server, &format!("file:///project/{number}.rs"), "text\n");
    }
    for number in 0..1000 {
        let document = json!({"textDocument": {"uri": format!("file:///project/{number}.rs")}});
        server.notify("textDocument/didSave", document.clone());
        server.notify("textDocument/didClose", document);
    }
    assert_answers(&mut server);
    open(&mut server, URI, &"a line of fifty bytes, to be repeated many times.\n".repeat(1024 * 1024));
    change(&mut server, URI, 2, &range((500_000, 0), (500_000, 1)));
    assert_answers(&mut server);
}

#[test]
fn workspace_folders_of_odd_shapes_do_no_harm() {
    let mut server = server();
    let folder = |uri: &str| json!({"uri": uri, "name": "n"});
    for event in [
        json!({"added": [folder("file:///a"), folder("file:///a/b"), folder("file:///a")], "removed": []}),
        json!({"added": [], "removed": [folder("file:///never/added")]}),
        json!({"added": [folder("")], "removed": null}),
        json!(null),
    ] {
        server.notify("workspace/didChangeWorkspaceFolders", json!({"event": event}));
    }
    server.notify("workspace/didChangeConfiguration", json!({}));
    server.notify("workspace/didChangeWatchedFiles", json!({"changes": 7}));
    server.notify("window/workDoneProgress/cancel", json!({"token": {}}));
    assert_answers(&mut server);
}
