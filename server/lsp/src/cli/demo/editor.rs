//! The editor of the demo: one open document, code actions, and their edits done to its text as editors do them.

use std::fs;
use std::path::{Path, PathBuf};

use kkcode_core::uri::{PathStyle, from_path};
use serde_json::{Value, json};

use super::server::Server;
use super::show::Show;
use super::{Place, broken};
use crate::cli::failure::Failure;
use crate::cli::json::look;

/// An editor with one document.
pub(super) struct Editor {
    server: Server,
    folder: PathBuf,
    name: String,
    text: String,
    version: i64,
}

impl Editor {
    /// Shakes hands with the server and opens a document.
    pub(super) fn open(server: Server, folder: &Path, name: &str) -> Result<Self, Failure> {
        let text = fs::read_to_string(folder.join(name)).map_err(|error| broken(&error))?;
        Self::attach(server, folder.to_owned(), name.to_owned(), text)
    }

    fn attach(mut server: Server, folder: PathBuf, name: String, text: String) -> Result<Self, Failure> {
        let uri = from_path(&folder, PathStyle::NATIVE);
        let actions = json!({
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["refactor.rewrite"]}},
            "dataSupport": true,
            "resolveSupport": {"properties": ["edit"]},
        });
        let params = json!({
            "processId": std::process::id(),
            "clientInfo": {"name": "kkcode-lsp demo"},
            "rootUri": uri,
            "workspaceFolders": [{"uri": uri, "name": "shop"}],
            "capabilities": {
                "general": {"positionEncodings": ["utf-8"]},
                "textDocument": {"codeAction": actions},
                "workspace": {"applyEdit": true, "workspaceEdit": {"documentChanges": true}},
                "experimental": {"kkcode": {"protocolVersion": 1}},
            },
        });
        server.call("initialize", &params)?;
        server.notify("initialized", &json!({}))?;
        let mut editor = Self { server, folder, name, text, version: 1 };
        let document =
            json!({"uri": editor.uri(), "languageId": "python", "version": 1, "text": editor.text});
        editor.server.notify("textDocument/didOpen", &json!({"textDocument": document}))?;
        Ok(editor)
    }

    /// Starts a turn and returns its name.
    pub(super) fn ask(&mut self, prompt: &str) -> Result<String, Failure> {
        let document = json!({"uri": self.uri(), "version": self.version});
        let started =
            self.server.command("kkcode.turn.start", &json!({"prompt": prompt, "textDocument": document}))?;
        string(look(&started, "/turnId"))
    }

    /// Shows what a turn does while it does it, and returns its proposal.
    pub(super) fn follow(&mut self, turn: &str, show: &mut Show) -> Result<String, Failure> {
        loop {
            let wanted = ["kkcode/turn/didUpdate", "kkcode/turn/didFinish"];
            let (method, params) = self.server.notification(&wanted)?;
            if look(&params, "/turnId") != turn {
                continue;
            }
            if method == "kkcode/turn/didUpdate" {
                show.update(look(&params, "/update"))?;
                continue;
            }
            if look(&params, "/status") != "completed" {
                return Err(broken(look(&params, "/error/message")));
            }
            show.reply_ends()?;
            return string(look(&params, "/proposalIds/0"));
        }
    }

    /// Returns a proposal with its hunks and diffs.
    pub(super) fn proposal(&mut self, id: &str) -> Result<Value, Failure> {
        self.server.command("kkcode.proposal.show", &json!({"proposalId": id}))
    }

    /// Returns the lines, from 0, at which the pending hunks of a file stand.
    pub(super) fn lines_of(&mut self, proposal: &str, name: &str) -> Result<Vec<u64>, Failure> {
        let shown = self.proposal(proposal)?;
        let pending = hunks(&shown, name).filter(|hunk| look(hunk, "/state") == "pending");
        Ok(pending.filter_map(|hunk| look(hunk, "/range/start/line").as_u64()).collect())
    }

    /// Returns how many hunks of a proposal wait.
    pub(super) fn pending(&mut self, proposal: &str) -> Result<usize, Failure> {
        let shown = self.proposal(proposal)?;
        let files = look(&shown, "/files").as_array().into_iter().flatten();
        let all = files.filter_map(|file| look(file, "/hunks").as_array()).flatten();
        Ok(all.filter(|hunk| look(hunk, "/state") == "pending").count())
    }

    /// Types a line before another one.
    pub(super) fn type_line(&mut self, line: u64, text: &str) -> Result<(), Failure> {
        let at = json!({"line": line, "character": 0});
        self.apply(&json!([{"range": {"start": at, "end": at}, "newText": text}]))
    }

    /// Takes the hunk at a line by its code action, and returns what it brings.
    pub(super) fn accept_at(&mut self, line: u64) -> Result<String, Failure> {
        let at = json!({"line": line, "character": 0});
        let params = json!({
            "textDocument": {"uri": self.uri()},
            "range": {"start": at, "end": at},
            "context": {"diagnostics": [], "only": ["refactor.rewrite.kkcode.acceptHunk"]},
        });
        let mut actions = self.server.call("textDocument/codeAction", &params)?;
        let action =
            actions.get_mut(0).map(Value::take).ok_or_else(|| broken(&"there is no hunk to accept"))?;
        let resolved = self.server.call("codeAction/resolve", &action)?;
        let change = look(&resolved, "/edit/documentChanges/0");
        if look(change, "/textDocument/version") != self.version {
            return Err(broken(&"the edit is for another version"));
        }
        let brings = string(look(change, "/edits/0/newText"))?;
        self.apply(look(change, "/edits"))?;
        Ok(brings)
    }

    /// Refuses a hunk of a file, by its place among all of that file, and returns what it would have brought.
    pub(super) fn reject(
        &mut self,
        proposal: &str,
        name: &str,
        index: usize,
        reason: &str,
    ) -> Result<String, Failure> {
        let shown = self.proposal(proposal)?;
        let hunk = hunks(&shown, name).nth(index).ok_or_else(|| broken(&"there is no hunk to reject"))?;
        let argument = json!({"proposalId": proposal, "hunkId": look(hunk, "/hunkId"), "reason": reason});
        let brings = string(look(hunk, "/newText"))?;
        self.server.command("kkcode.hunk.reject", &argument)?;
        Ok(brings)
    }

    /// Takes all hunks of a file that is not open, and returns what the first brings.
    pub(super) fn accept_file(&mut self, proposal: &str, name: &str) -> Result<String, Failure> {
        let shown = self.proposal(proposal)?;
        let brings = hunks(&shown, name).next().map(|hunk| string(look(hunk, "/newText")));
        let uri = from_path(&self.folder.join(name), PathStyle::NATIVE);
        self.server.command("kkcode.file.accept", &json!({"proposalId": proposal, "uri": uri}))?;
        let text = fs::read_to_string(self.folder.join(name)).map_err(|error| broken(&error))?;
        let brings = brings.unwrap_or_else(|| Err(broken(&"there is no file to accept")))?;
        if text.contains(&brings) { Ok(brings) } else { Err(broken(&"the accepted file is not written")) }
    }

    /// Kills the server, and goes on with a new one. The text that is not saved is the editor's, and still there.
    pub(super) fn crash(self, place: &Place) -> Result<Self, Failure> {
        let Self { server, folder, name, text, .. } = self;
        server.kill()?;
        Self::attach(Server::start(place)?, folder, name, text)
    }

    /// Writes the text to the disk, as an editor does.
    pub(super) fn save(&mut self) -> Result<(), Failure> {
        fs::write(self.folder.join(&self.name), &self.text).map_err(|error| broken(&error))?;
        self.server.notify("textDocument/didSave", &json!({"textDocument": {"uri": self.uri()}}))
    }

    /// Ends the server, and returns the text.
    pub(super) fn close(self) -> Result<String, Failure> {
        let Self { server, text, .. } = self;
        server.stop()?;
        Ok(text)
    }

    /// Does to the text what edits of one version say, and tells the server.
    fn apply(&mut self, edits: &Value) -> Result<(), Failure> {
        let mut changes = Vec::new();
        for edit in edits.as_array().into_iter().flatten() {
            let (start, end) = (self.byte(look(edit, "/range/start")), self.byte(look(edit, "/range/end")));
            let new = string(look(edit, "/newText"))?;
            let (Some(head), Some(tail)) = (self.text.get(..start), self.text.get(end..)) else {
                return Err(broken(&"an edit is outside of the text"));
            };
            self.text = format!("{head}{new}{tail}");
            changes.push(json!({"range": look(edit, "/range"), "text": new}));
        }
        self.version += 1;
        let document = json!({"uri": self.uri(), "version": self.version});
        let params = json!({"textDocument": document, "contentChanges": changes});
        self.server.notify("textDocument/didChange", &params)
    }

    /// Returns the byte of a position, which counts bytes too.
    fn byte(&self, position: &Value) -> usize {
        let number = |name: &str| {
            look(position, &format!("/{name}")).as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
        };
        let before: usize = self.text.split_inclusive('\n').take(number("line")).map(str::len).sum();
        before + number("character")
    }

    fn uri(&self) -> String {
        from_path(&self.folder.join(&self.name), PathStyle::NATIVE)
    }
}

/// Returns the hunks of a file of a proposal, by the end of its URI.
fn hunks<'a>(proposal: &'a Value, name: &'a str) -> impl Iterator<Item = &'a Value> {
    let files = look(proposal, "/files").as_array().into_iter().flatten();
    let of_file =
        files.filter(move |file| look(file, "/uri").as_str().is_some_and(|uri| uri.ends_with(name)));
    of_file.filter_map(|file| look(file, "/hunks").as_array()).flatten()
}

fn string(value: &Value) -> Result<String, Failure> {
    value.as_str().map(str::to_owned).ok_or_else(|| broken(&"the server left something out"))
}
