//! Files that an agent removes and moves: seen, taken, refused and given back, open and not, by the editor and on the disk.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{TEXT, World, capabilities};

/// A turn that does one thing.
fn script(tool: &str) -> String {
    format!("turns:\n  - stream:\n      - tool: {tool}\n  - stream:\n      - text: Two hunks wait for you.\n")
}

const REMOVE: &str = r#"{name: remove, input: {path: "x y.txt"}}"#;
const MOVE: &str = r#"{name: move, input: {from: "x y.txt", to: "deep/z.txt"}}"#;

/// A client that can delete and rename files itself.
fn with_operations() -> Value {
    let mut capabilities = capabilities();
    capabilities["workspace"]["workspaceEdit"]["resourceOperations"] = json!(["create", "rename", "delete"]);
    capabilities
}

impl World {
    fn moved(&self) -> PathBuf {
        self.dir.path().join("work/deep/z.txt")
    }

    fn decide_all(&mut self, verb: &str, proposal: &str) -> Value {
        let argument = json!({"proposalId": proposal});
        self.server.command(&format!("kkcode.proposal.{verb}"), argument).unwrap()
    }

    fn undo_last(&mut self) {
        let undone = self.server.command("kkcode.review.undo", json!({})).unwrap();
        assert!(undone["decision"].is_object(), "{undone}");
    }

    /// Does to whole files what the server asks for, as an editor does, and says so.
    fn take_operation(&mut self) -> Value {
        let (id, params) = self.server.expect_request("workspace/applyEdit");
        let changes = params["edit"]["documentChanges"].clone();
        self.server.notify("textDocument/didClose", json!({"textDocument": {"uri": self.uri()}}));
        if changes[0]["kind"] == "delete" {
            fs::remove_file(self.file()).unwrap();
        } else {
            fs::create_dir_all(self.moved().parent().unwrap()).unwrap();
            fs::rename(self.file(), self.moved()).unwrap();
            let uri = changes[0]["newUri"].as_str().unwrap();
            let document = json!({"uri": uri, "languageId": "text", "version": 1, "text": self.text});
            self.server.notify("textDocument/didOpen", json!({"textDocument": document}));
        }
        self.server.respond(&id, Ok(json!({"applied": true})));
        changes
    }
}

#[test]
fn a_file_that_no_editor_has_open_goes_and_comes_back_to_the_byte() {
    let mut world = World::with(&script(REMOVE), capabilities());
    let bytes = format!("\u{feff}{}", TEXT.replace('\n', "\r\n"));
    fs::write(world.file(), &bytes).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(world.file(), fs::Permissions::from_mode(0o751)).unwrap();
    }
    let proposal = world.turn();
    assert_eq!(world.states(&proposal), ["pending"]);
    assert_eq!(world.on_disk(), bytes, "nothing goes before it is accepted");
    for _ in 0..2 {
        world.decide_all("accept", &proposal);
        assert!(!world.file().exists());
        assert_eq!(world.states(&proposal), ["accepted"]);
        world.undo_last();
        assert_eq!(world.on_disk(), bytes);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(world.file()).unwrap().permissions().mode() & 0o777, 0o751);
        }
        assert_eq!(world.states(&proposal), ["pending"]);
    }
    world.decide_all("reject", &proposal);
    assert_eq!(world.states(&proposal), ["rejected"]);
    assert_eq!(world.on_disk(), bytes);
    let trash = world.dir.path().join("home/trash");
    assert_eq!(fs::read_dir(trash).unwrap().count(), 0, "what came back is in the trash no more");
    world.done();
}

#[test]
fn a_file_that_no_editor_has_open_moves_and_comes_back_to_the_byte() {
    let mut world = World::with(&script(MOVE), capabilities());
    let bytes = format!("\u{feff}{TEXT}");
    fs::write(world.file(), &bytes).unwrap();
    let proposal = world.turn();
    assert!(!world.moved().exists());
    world.decide_all("accept", &proposal);
    assert!(!world.file().exists());
    assert_eq!(fs::read_to_string(world.moved()).unwrap(), bytes);
    world.undo_last();
    assert_eq!(world.on_disk(), bytes);
    assert!(!world.moved().exists());
    world.decide_all("reject", &proposal);
    assert_eq!(world.on_disk(), bytes);
    world.done();
}

#[test]
fn an_editor_that_can_deletes_and_renames_the_files_that_it_has_open() {
    for tool in [REMOVE, MOVE] {
        let mut world = World::with(&script(tool), with_operations());
        world.open();
        let proposal = world.turn();
        let hunk = world.hunks(&proposal)[0].id.clone();
        let status = world.hunk_command("kkcode.hunk.accept", &proposal, &hunk).unwrap();
        assert_eq!(status, json!({"status": "applying"}));
        assert!(world.file().exists(), "the editor does it");
        let changes = world.take_operation();
        let expected = if tool == REMOVE {
            json!([{"kind": "delete", "uri": world.uri()}])
        } else {
            json!([{"kind": "rename", "oldUri": world.uri(), "newUri": format!("file://{}", world.moved().display())}])
        };
        assert_eq!(changes, expected);
        assert_eq!(world.states(&proposal), ["accepted"], "{tool}");
        world.done();
    }
}

#[test]
fn a_moved_file_that_an_editor_has_open_is_brought_back_by_it() {
    let mut world = World::with(&script(MOVE), with_operations());
    let proposal = world.turn();
    world.decide_all("accept", &proposal);
    let moved = format!("file://{}", world.moved().display());
    let open = |text: &str| json!({"textDocument": {"uri": moved, "languageId": "text", "version": 7, "text": text}});
    world.server.notify("textDocument/didOpen", open("the user's\n"));
    let refused = world.server.command("kkcode.review.undo", json!({})).unwrap_err();
    assert_eq!(refused.code, -32803, "{refused}");
    world.server.notify("textDocument/didClose", json!({"textDocument": {"uri": moved}}));
    world.server.notify("textDocument/didOpen", open(TEXT));
    world.undo_last();
    let (id, params) = world.server.expect_request("workspace/applyEdit");
    let rename = json!([{"kind": "rename", "oldUri": moved, "newUri": format!("file://{}", world.file().display()).replace(' ', "%20")}]);
    assert_eq!(params["edit"]["documentChanges"], rename);
    fs::rename(world.moved(), world.file()).unwrap();
    world.server.notify("textDocument/didClose", json!({"textDocument": {"uri": moved}}));
    world.open();
    world.server.respond(&id, Ok(json!({"applied": true})));
    assert_eq!(world.states(&proposal), ["pending"]);
    assert_eq!(world.on_disk(), TEXT);
    world.done();
}

#[test]
fn a_file_that_somebody_took_away_was_not_moved() {
    let mut world = World::with(&script(MOVE), capabilities());
    let proposal = world.turn();
    fs::remove_file(world.file()).unwrap();
    let hunk = world.hunks(&proposal).remove(0);
    assert_eq!(hunk.state, "stale");
    let refused = world.hunk_command("kkcode.hunk.accept", &proposal, &hunk.id).unwrap_err();
    assert!(refused.code == -32803 && refused.message.contains("x y.txt"), "{refused}");
    fs::write(world.file(), TEXT).unwrap();
    assert_eq!(world.states(&proposal), ["pending"]);
    world.done();
}

#[test]
fn where_the_editor_cannot_the_server_deletes_and_renames_on_the_disk() {
    for tool in [REMOVE, MOVE] {
        let mut world = World::with(&script(tool), capabilities());
        world.open();
        let proposal = world.turn();
        let hunk = world.hunks(&proposal)[0].id.clone();
        let status = world.hunk_command("kkcode.hunk.accept", &proposal, &hunk).unwrap();
        assert_eq!(status, json!({"status": "accepted"}), "{tool}");
        assert!(!world.file().exists(), "{tool}");
        assert_eq!(world.moved().exists(), tool == MOVE);
        world.done();
    }
}

#[test]
fn a_refused_move_of_an_open_file_leaves_everything_where_it_is() {
    for tool in [REMOVE, MOVE] {
        let mut world = World::with(&script(tool), with_operations());
        world.open();
        let proposal = world.turn();
        let hunk = world.hunks(&proposal)[0].id.clone();
        world.hunk_command("kkcode.hunk.reject", &proposal, &hunk).unwrap();
        assert_eq!(world.states(&proposal), ["rejected"]);
        assert_eq!(world.on_disk(), TEXT);
        assert!(!world.moved().exists());
        world.done();
    }
}

#[test]
fn a_file_that_the_user_goes_on_writing_is_not_deleted() {
    let mut world = World::with(&script(REMOVE), with_operations());
    world.open();
    let proposal = world.turn();
    // Beside the lines that go is in the file that goes.
    world.type_text(5, 0, 0, "mine\n");
    assert_eq!(world.states(&proposal), ["stale"]);
    let end = json!({"start": {"line": 5, "character": 0}, "end": {"line": 6, "character": 0}});
    world.apply(&json!([{"range": end, "newText": ""}]));
    assert_eq!(world.states(&proposal), ["pending"]);
    world.type_text(5, 0, 0, "mine\n");
    assert_eq!(world.states(&proposal), ["stale"]);
    let hunk = world.hunks(&proposal)[0].id.clone();
    let refused = world.hunk_command("kkcode.hunk.accept", &proposal, &hunk).unwrap_err();
    assert_eq!(refused.code, -32803, "{refused}");
    assert!(world.file().exists());
    world.done();
}
