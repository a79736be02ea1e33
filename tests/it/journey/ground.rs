//! The ground gives way: files that go, are closed to us, become folders or change on the disk; clients that do nothing, never
//! answer or do it twice; names of elsewhere. Each is refused with its reason, and nothing is lost (E-13).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use kkcode_tests::ResponseError;
use serde_json::{Value, json};

use super::{TEXT, World, capabilities, options};

const TAKEN: &str = "one\nTWO\nthree\nfour\nFIVE\nSIX\n";

impl World {
    /// Accepts all of a proposal at once.
    fn accept_all(&mut self, proposal: &str) -> Result<Value, ResponseError> {
        self.server.command("kkcode.proposal.accept", json!({"proposalId": proposal}))
    }

    /// Checks that an accept is refused for this reason and leaves both hunks undecided, and that it works `afterwards`.
    #[track_caller]
    fn is_refused(&mut self, proposal: &str, reason: &str, afterwards: impl Fn(&Path)) {
        let refused = self.accept_all(proposal).unwrap_err();
        assert_eq!(refused.code, -32803, "{refused}");
        assert!(refused.message.contains(reason) && refused.message.contains("x y.txt"), "{refused}");
        let states = self.states(proposal);
        assert!(states.iter().all(|state| state == "pending" || state == "stale"), "{states:?}");
        afterwards(&self.file());
        assert_eq!(self.states(proposal), ["pending", "pending"], "as soon as the ground is back");
        self.accept_all(proposal).unwrap();
        assert_eq!(self.on_disk(), TAKEN);
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_file_that_was_deleted_is_not_made_anew() {
    let mut world = World::new();
    let proposal = world.turn();
    fs::remove_file(world.file()).unwrap();
    world.is_refused(&proposal, "x y.txt", |file| {
        assert!(!file.exists());
        fs::write(file, TEXT).unwrap();
    });
    world.done();
}

#[test]
fn a_file_that_was_made_read_only_stays_as_it_is() {
    let mut world = World::new();
    let proposal = world.turn();
    for mode in [0o444, 0o000] {
        set_mode(&world.file(), mode);
        let reason = world.accept_all(&proposal).unwrap_err().message;
        assert!(reason.contains("read-only") || reason.contains("ermission denied"), "{reason}");
    }
    set_mode(&world.file(), 0o444);
    world.is_refused(&proposal, "read-only", |file| {
        assert_eq!(fs::read_to_string(file).unwrap(), TEXT);
        set_mode(file, 0o644);
    });
    world.done();
}

#[test]
fn a_file_that_became_a_folder_is_left_alone() {
    let mut world = World::new();
    let proposal = world.turn();
    fs::remove_file(world.file()).unwrap();
    fs::create_dir(world.file()).unwrap();
    world.is_refused(&proposal, "folder", |file| {
        assert!(file.is_dir());
        fs::remove_dir(file).unwrap();
        fs::write(file, TEXT).unwrap();
    });
    world.done();
}

#[test]
fn a_file_that_is_no_text_any_more_is_left_alone() {
    let mut world = World::new();
    let proposal = world.turn();
    fs::write(world.file(), [0xff, 0x00, 0xfe]).unwrap();
    world.is_refused(&proposal, "not a text file", |file| {
        assert_eq!(fs::read(file).unwrap(), [0xff, 0x00, 0xfe]);
        fs::write(file, TEXT).unwrap();
    });
    world.done();
}

/// Mounts a file system of its own, read-only, over what the server has to write; where this machine lets us.
#[test]
fn a_file_system_that_is_read_only_is_named_as_the_reason() {
    let mut world = World::new();
    let proposal = world.turn();
    let folder = world.dir.path().join("work");
    let mount = |arguments: &[&str]| {
        let status = Command::new("mount").args(arguments).arg(&folder).output();
        status.is_ok_and(|output| output.status.success())
    };
    let name = folder.to_str().unwrap().to_owned();
    if !mount(&["--bind", &name]) {
        kkcode_tests::skip(
            "journey::ground::a_file_system_that_is_read_only_is_named_as_the_reason",
            "this user may not mount",
        );
        world.done();
        return;
    }
    let is_closed = mount(&["-o", "remount,bind,ro"]);
    let refused = world.accept_all(&proposal);
    let states = world.states(&proposal);
    let opened = Command::new("umount").arg(&folder).status();
    assert!(is_closed && opened.is_ok_and(|status| status.success()));
    let refused = refused.unwrap_err();
    assert!(refused.code == -32803 && refused.message.to_lowercase().contains("read-only"), "{refused}");
    assert_eq!(states, ["pending", "pending"]);
    assert_eq!(world.on_disk(), TEXT);
    world.accept_all(&proposal).unwrap();
    assert_eq!(world.on_disk(), TAKEN);
    world.done();
}

#[test]
fn what_another_program_writes_under_an_open_buffer_stays_and_the_buffer_is_the_users() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let foreign = "one\n2\nthree\nfour\nfive\n";
    fs::write(world.file(), foreign).unwrap();
    // The buffer is what counts as long as it is open; the disk is not touched.
    world.accept_by_action(1);
    assert_eq!(world.states(&proposal), ["accepted", "pending"]);
    assert_eq!(world.on_disk(), foreign);
    // Closed without a save: the disk has the other program's line where the hunk's was.
    world.server.notify("textDocument/didClose", json!({"textDocument": {"uri": world.uri()}}));
    let shown = world.hunks(&proposal);
    assert_eq!((shown[0].state.as_str(), shown[1].state.as_str()), ("accepted", "pending"));
    let refused = world.server.command("kkcode.review.undo", json!({})).unwrap_err();
    assert_eq!(refused.code, -32803, "{refused}");
    assert_eq!(world.on_disk(), foreign);
    world.done();
}

#[test]
fn a_client_that_says_yes_and_does_nothing_does_not_hold_up_the_others() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let ids: Vec<String> = world.hunks(&proposal).into_iter().map(|hunk| hunk.id).collect();
    world.hunk_command("kkcode.hunk.accept", &proposal, &ids[0]).unwrap();
    let (id, _) = world.server.expect_request("workspace/applyEdit");
    world.server.respond(&id, Ok(json!({"applied": true})));
    world.hunk_command("kkcode.hunk.reject", &proposal, &ids[1]).unwrap();
    assert_eq!(world.states(&proposal), ["applying", "rejected"]);
    let message = world.server.expect_notification("window/showMessage");
    assert!(message["message"].as_str().unwrap().contains("its text does not show it"), "{message}");
    assert_eq!(world.states(&proposal), ["pending", "rejected"]);
    world.accept_by_action(1);
    assert_eq!(world.states(&proposal), ["accepted", "rejected"]);
    world.done();
}

#[test]
fn a_client_that_never_answers_can_still_take_the_hunk_itself() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let ids: Vec<String> = world.hunks(&proposal).into_iter().map(|hunk| hunk.id).collect();
    world.hunk_command("kkcode.hunk.accept", &proposal, &ids[0]).unwrap();
    let (_, params) = world.server.expect_request("workspace/applyEdit");
    let again = world.hunk_command("kkcode.hunk.accept", &proposal, &ids[0]).unwrap_err();
    assert!(again.code == -32803 && again.message.contains("applying"), "{again}");
    // Not the answer counts, the text does.
    world.apply(&params["edit"]["documentChanges"][0]["edits"]);
    assert_eq!(world.states(&proposal), ["accepted", "pending"]);
    world.done();
}

#[test]
fn a_client_that_applies_an_edit_twice_has_the_text_that_it_says() {
    let mut world = World::new();
    world.open();
    let proposal = world.turn();
    let ids: Vec<String> = world.hunks(&proposal).into_iter().map(|hunk| hunk.id).collect();
    world.hunk_command("kkcode.hunk.accept", &proposal, &ids[1]).unwrap();
    let (id, params) = world.server.expect_request("workspace/applyEdit");
    let edits = params["edit"]["documentChanges"][0]["edits"].clone();
    world.apply(&edits);
    world.apply(&edits);
    world.server.respond(&id, Ok(json!({"applied": true})));
    assert_eq!(world.text, "one\ntwo\nthree\nfour\nFIVE\nSIX\nSIX\n");
    assert_eq!(world.states(&proposal), ["pending", "accepted"]);
    // The line too many is the user's to remove; the other hunk is where it was.
    world.accept_by_action(1);
    assert_eq!(world.text, "one\nTWO\nthree\nfour\nFIVE\nSIX\nSIX\n");
    assert_eq!(world.states(&proposal), ["accepted", "accepted"]);
    world.done();
}

#[test]
fn a_proposal_of_another_workspace_is_not_decided_from_here() {
    let mut world = World::new();
    let proposal = world.turn();
    let hunk = world.hunks(&proposal)[0].id.clone();
    let elsewhere = world.dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let mut other = options(&world.dir).workspace(&elsewhere).capabilities(capabilities()).initialized();
    for command in ["kkcode.hunk.accept", "kkcode.hunk.reject"] {
        let argument = json!({"proposalId": proposal, "hunkId": hunk});
        let refused = other.command(command, argument).unwrap_err();
        assert_eq!(refused.code, -32602, "{refused}");
        assert!(refused.message.starts_with("there is no proposal `"), "{refused}");
    }
    other.shutdown();
    assert_eq!(world.states(&proposal), ["pending", "pending"]);
    assert_eq!(world.on_disk(), TEXT);
    world.done();
}
