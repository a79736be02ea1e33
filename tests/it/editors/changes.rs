//! What real editors send while their user types, undoes, formats and reloads: places found on the way are those found afresh.
//!
//! The recordings are in tests/data/did-change, one for each editor: the text that it opened, each `didChange`
//! (its `contentChanges`), `didClose` and `didOpen` that followed, and the text that it wrote in the end.

use std::fs;

use kkcode_tests::{Options, TestServer};
use serde_json::{Value, json};

use super::{notes, repository, world};

struct Replay {
    server: TestServer,
    uri: String,
    version: i32,
    text: String,
    encoding: String,
    proposal: String,
    _dir: tempfile::TempDir,
}

impl Replay {
    /// Opens the text that the editor had opened, and lets the model propose its two hunks.
    fn start(recorded: &Value) -> Self {
        let dir = world();
        let text = recorded["text"].as_str().unwrap();
        fs::write(notes(dir.path()), text).unwrap();
        let mut server = Options::new()
            .home(dir.path().join("home"))
            .workspace(&dir.path().join("work"))
            .allow_unread()
            .capabilities(json!({
                "experimental": {"kkcode": {"protocolVersion": 1}},
                "general": {"positionEncodings": [recorded["positionEncoding"]]},
            }))
            .initialized();
        let uri = format!("file://{}", notes(dir.path()).display());
        server.notify("textDocument/didOpen", opened(&uri, 1, text));
        let turn = server.command("kkcode.turn.start", json!({"prompt": "shout"})).unwrap();
        let finished = server.expect_notification("kkcode/turn/didFinish");
        assert_eq!(finished["turnId"], turn["turnId"]);
        let shown = server.command("kkcode.turn.show", json!({"turnId": turn["turnId"]})).unwrap();
        let proposal = shown["proposalIds"][0].as_str().unwrap().to_owned();
        let encoding = recorded["positionEncoding"].as_str().unwrap().to_owned();
        Self { server, uri, version: 1, text: text.to_owned(), encoding, proposal, _dir: dir }
    }

    /// Sends what the editor sent: a change, or a close and another open, which is how some reload.
    fn send(&mut self, message: &Value) {
        if let Some(changes) = message.get("didChange") {
            self.version += 1;
            for change in changes.as_array().unwrap() {
                self.edit(change);
            }
            let document = json!({"uri": self.uri, "version": self.version});
            let params = json!({"textDocument": document, "contentChanges": changes});
            self.server.notify("textDocument/didChange", params);
        } else if let Some(text) = message.get("didOpen") {
            self.version = 1;
            text.as_str().unwrap().clone_into(&mut self.text);
            self.server.notify("textDocument/didOpen", opened(&self.uri, 1, &self.text));
        } else {
            self.server.notify("textDocument/didClose", json!({"textDocument": {"uri": self.uri}}));
        }
    }

    /// Does to our own copy of the text what one change says.
    fn edit(&mut self, change: &Value) {
        let new = change["text"].as_str().unwrap();
        if change.get("range").is_none() {
            new.clone_into(&mut self.text);
            return;
        }
        let bytes = self.byte(&change["range"]["start"])..self.byte(&change["range"]["end"]);
        self.text.replace_range(bytes, new);
    }

    fn byte(&self, position: &Value) -> usize {
        let number = |name: &str| usize::try_from(position[name].as_u64().unwrap()).unwrap();
        let before: usize = self.text.split_inclusive('\n').take(number("line")).map(str::len).sum();
        let mut units = number("character");
        let within = self.text.get(before..).unwrap().chars().take_while(|char| {
            let width = if self.encoding == "utf-8" { char.len_utf8() } else { char.len_utf16() };
            let goes_on = *char != '\n' && units > 0;
            units = units.saturating_sub(width);
            goes_on
        });
        before + within.map(char::len_utf8).sum::<usize>()
    }

    /// Gives the text as an editor does that has only now opened it.
    fn open_again(&mut self, text: &str) {
        self.server.notify("textDocument/didClose", json!({"textDocument": {"uri": self.uri}}));
        self.server.notify("textDocument/didOpen", opened(&self.uri, 1, text));
    }

    fn hunks(&mut self) -> Value {
        let shown =
            self.server.command("kkcode.proposal.show", json!({"proposalId": self.proposal})).unwrap();
        let hunks = shown["files"][0]["hunks"].clone();
        assert_eq!(hunks.as_array().map(Vec::len), Some(2), "{shown}");
        hunks
    }

    /// Checks that each of the two hunks is where the line is that it changes.
    #[track_caller]
    fn check_places(&mut self, said: &str) {
        let hunks = self.hunks();
        for (hunk, line) in hunks.as_array().unwrap().iter().zip(["two", "six"]) {
            let at = self.text.lines().position(|text| text == line);
            assert!(at.is_some(), "{said}: no line {line:?} in {:?}", self.text);
            assert_eq!(hunk["state"], "pending", "{said}: {hunk}");
            assert_eq!(hunk["range"]["start"], json!({"line": at, "character": 0}), "{said}: {hunk}");
        }
    }
}

fn opened(uri: &str, version: i32, text: &str) -> Value {
    json!({"textDocument": {"uri": uri, "languageId": "plaintext", "version": version, "text": text}})
}

fn recorded(editor: &str) -> Value {
    let file = repository().join(format!("tests/data/did-change/{editor}.json"));
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// Replays what an editor sent: typing, undo, a filter over all of it, a reload.
#[track_caller]
fn check(editor: &str) {
    let recorded = recorded(editor);
    let mut replay = Replay::start(&recorded);
    let before = replay.hunks();
    let messages = recorded["messages"].as_array().unwrap();
    for message in messages {
        replay.send(message);
        // Asked after each message, so that no change is only seen together with the next.
        if message.get("didClose").is_none() {
            replay.check_places(&format!("{editor}: {message}"));
        }
    }
    let followed = replay.hunks();
    assert_eq!(replay.text, recorded["after"], "{editor}: what was sent is what the editor wrote");
    let text = replay.text.clone();
    replay.open_again(&text);
    assert_eq!(followed, replay.hunks(), "{editor}: followed, and found afresh");
    assert_ne!(followed, before, "{editor}: the recording moves a hunk");
    replay.server.shutdown();
}

#[test]
fn hunks_follow_all_that_helix_sends() {
    check("Helix-25.01.1");
}

#[test]
fn hunks_follow_all_that_eglot_sends() {
    check("Eglot-1.9-emacs28.2");
}

#[test]
fn hunks_follow_all_that_the_oldest_neovim_sends() {
    check("Neovim-0.10.4");
}

#[test]
fn hunks_follow_all_that_the_newest_neovim_sends() {
    check("Neovim-0.12.4");
}

#[test]
fn hunks_follow_all_that_vscode_sends() {
    check("VSCode-1.139.1");
}
