//! The thin road, from a command to an accepted hunk that survives a kill.
#![cfg(test)]

use std::fs;
use std::path::PathBuf;

use kkcode_tests::{Options, ResponseError, TestServer};
use serde_json::{Value, json};

mod accept;
mod clients;
mod commands;
mod editors;
mod files;
mod ground;
mod hover;
mod kill;
mod models;
mod prompts;
mod review;
mod sessions;
mod strict;
mod surface;
mod tasks;
mod turns;

const TEXT: &str = "one\ntwo\nthree\nfour\nfive\n";

const SCRIPT: &str = r#"
turns:
  - expect: [shout]
    stream:
      - text: Making it loud.
      - tool: {name: edit, input: {path: "x y.txt", before: two, after: TWO}}
      - tool: {name: edit, input: {path: "x y.txt", before: five, after: "FIVE\nSIX"}}
      - usage: {inputTokens: 100, outputTokens: 20}
  - expect: [proposed, not yet accepted]
    stream:
      - text: "Two hunks wait for you."
"#;

/// A folder with one file, a home with a scripted model, and one server after the other on both.
struct World {
    dir: tempfile::TempDir,
    server: TestServer,
    version: i32,
    text: String,
}

/// What a hunk is and where it stands, as `kkcode.proposal.show` tells it.
#[derive(Debug, PartialEq)]
struct Shown {
    id: String,
    state: String,
    old: String,
    new: String,
    range: Value,
}

/// A client that knows our notifications and resolves edits.
fn capabilities() -> Value {
    json!({
        "experimental": {"kkcode": {"protocolVersion": 1}},
        "general": {"positionEncodings": ["utf-16"]},
        "textDocument": {"codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["refactor.rewrite"]}},
            "dataSupport": true,
            "resolveSupport": {"properties": ["edit"]},
        }},
        "workspace": {"applyEdit": true, "workspaceEdit": {"documentChanges": true}},
    })
}

impl World {
    fn new() -> Self {
        Self::with(SCRIPT, capabilities())
    }

    fn with(script: &str, capabilities: Value) -> Self {
        let dir = folders(script);
        let server = start(&dir, capabilities);
        Self { dir, server, version: 1, text: TEXT.to_owned() }
    }

    /// A client that sends these params, but for the folder; with what `initialize` answers.
    fn of(script: &str, params: &Value) -> (Self, Value) {
        let dir = folders(script);
        let mut options = options(&dir);
        for (name, value) in params.as_object().expect("params") {
            options = options.param(name, value.clone());
        }
        let mut server = options.start();
        let result = server.initialize();
        (Self { dir, server, version: 1, text: TEXT.to_owned() }, result)
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("work/x y.txt")
    }

    /// The file's URI with a raw blank: not as `lsp_types` would write it, but as this client does.
    fn uri(&self) -> String {
        format!("file://{}", self.file().display())
    }

    fn on_disk(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn open(&mut self) {
        let document =
            json!({"uri": self.uri(), "languageId": "text", "version": self.version, "text": self.text});
        self.server.notify("textDocument/didOpen", json!({"textDocument": document}));
    }

    /// Does to the text what `edits` of one version say, as an editor does, and tells the server.
    fn apply(&mut self, edits: &Value) {
        self.version += 1;
        let mut changes = Vec::new();
        for edit in edits.as_array().expect("edits") {
            let range = &edit["range"];
            let byte = |position: &Value| {
                let (line, character) =
                    (position["line"].as_u64().unwrap(), position["character"].as_u64().unwrap());
                let before: usize =
                    self.text.split_inclusive('\n').take(usize::try_from(line).unwrap()).map(str::len).sum();
                before + usize::try_from(character).unwrap()
            };
            let bytes = byte(&range["start"])..byte(&range["end"]);
            self.text.replace_range(bytes, edit["newText"].as_str().unwrap());
            changes.push(json!({"range": range, "text": edit["newText"]}));
        }
        let document = json!({"uri": self.uri(), "version": self.version});
        let params = json!({"textDocument": document, "contentChanges": changes});
        self.server.notify("textDocument/didChange", params);
    }

    /// The user types: replaces `from..to` of a line.
    fn type_text(&mut self, line: u32, from: u32, to: u32, text: &str) {
        let range =
            json!({"start": {"line": line, "character": from}, "end": {"line": line, "character": to}});
        self.apply(&json!([{"range": range, "newText": text}]));
    }

    /// Runs a turn to its end and returns its proposal.
    fn turn(&mut self) -> String {
        let started = self.server.command("kkcode.turn.start", json!({"prompt": "shout, please"})).unwrap();
        let finished = self.server.expect_notification("kkcode/turn/didFinish");
        assert_eq!(finished["turnId"], started["turnId"]);
        assert_eq!(finished["status"], "completed", "{finished}");
        assert_eq!(finished["reply"], "Two hunks wait for you.");
        finished["proposalIds"][0].as_str().expect("a proposal").to_owned()
    }

    fn show(&mut self, proposal: &str) -> Value {
        self.server.command("kkcode.proposal.show", json!({"proposalId": proposal})).unwrap()
    }

    fn hunks(&mut self, proposal: &str) -> Vec<Shown> {
        let shown = self.show(proposal);
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        let hunks = shown["files"][0]["hunks"].as_array().expect("hunks");
        hunks
            .iter()
            .map(|hunk| Shown {
                id: text(&hunk["hunkId"]),
                state: text(&hunk["state"]),
                old: text(&hunk["oldText"]),
                new: text(&hunk["newText"]),
                range: hunk["range"].clone(),
            })
            .collect()
    }

    fn states(&mut self, proposal: &str) -> Vec<String> {
        self.hunks(proposal).into_iter().map(|hunk| hunk.state).collect()
    }

    fn actions(&mut self, line: u32) -> Vec<Value> {
        let place = json!({"line": line, "character": 1});
        let params = json!({
            "textDocument": {"uri": self.uri()},
            "range": {"start": place, "end": place},
            "context": {"diagnostics": []},
        });
        let actions = self.server.call("textDocument/codeAction", params);
        actions.as_array().expect("actions").clone()
    }

    fn action(&mut self, line: u32, title: &str) -> Value {
        let actions = self.actions(line);
        actions
            .into_iter()
            .find(|action| action["title"] == title)
            .unwrap_or_else(|| panic!("no {title:?} at {line}"))
    }

    /// Accepts the hunk at a line by its code action, as an editor does.
    fn accept_by_action(&mut self, line: u32) {
        let action = self.action(line, "Accept hunk");
        let resolved = self.server.call("codeAction/resolve", action);
        let change = resolved["edit"]["documentChanges"][0].clone();
        assert_eq!(change["textDocument"], json!({"uri": self.uri(), "version": self.version}));
        self.apply(&change["edits"]);
    }

    fn hunk_command(&mut self, command: &str, proposal: &str, hunk: &str) -> Result<Value, ResponseError> {
        self.server.command(command, json!({"proposalId": proposal, "hunkId": hunk}))
    }

    /// Kills the server as a crash would and starts another in its place, which is told of nothing.
    fn crash(self) -> Self {
        let Self { dir, mut server, version, text } = self;
        server.take_unread();
        server.kill();
        let server = start(&dir, capabilities());
        Self { dir, server, version, text }
    }

    /// Forgets what came and was not looked at.
    fn done(mut self) {
        self.server.shutdown();
        self.server.take_unread();
    }
}

/// A home with a script, and a folder with a file.
fn folders(script: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["home", "work"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    fs::write(dir.path().join("home/script.yaml"), script).unwrap();
    let config = "provider:\n  default: play\n  play: {type: scripted, script: script.yaml}\n";
    fs::write(dir.path().join("home/config.yaml"), config).unwrap();
    fs::write(dir.path().join("work/x y.txt"), TEXT).unwrap();
    dir
}

fn start(dir: &tempfile::TempDir, capabilities: Value) -> TestServer {
    options(dir).capabilities(capabilities).initialized()
}

fn options(dir: &tempfile::TempDir) -> Options {
    Options::new()
        .home(dir.path().join("home"))
        .workspace(&dir.path().join("work"))
        .ignore("kkcode/turn/didUpdate")
        .ignore("kkcode/proposal/didChange")
        .ignore("window/logMessage")
        .ignore("window/workDoneProgress/create")
}
