//! `run`: a diff that git takes, all files or none, and failures that are no replies.

use std::process::Command;

use serde_json::{Value, json};

use super::{FIRST, SCRIPT, SECOND, World};

const AFTER: [&str; 2] = ["one\nTWO\nand more\nthree", "x\r\nLAST\r\n"];

#[test]
fn the_diff_is_taken_by_git_and_nothing_is_written_before() {
    let world = World::new(SCRIPT);
    let output = world.command(&["run", "shout, please", "--level", "yolo"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(world.texts(), [FIRST, SECOND], "whatever the level, nothing is written");
    assert!(!output.stdout.contains(&0x1b), "no colours into a pipe");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "Done.\n");
    std::fs::write(world.dir.path().join("patch"), &output.stdout).unwrap();
    let git = |arguments: &[&str]| {
        let git = Command::new("git").args(arguments).current_dir(world.work()).output().unwrap();
        assert!(git.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&git.stderr));
    };
    git(&["init", "-q"]);
    git(&["apply", "../patch"]);
    assert_eq!(world.texts(), AFTER);
}

#[test]
fn apply_writes_all_of_it_and_json_is_one_value() {
    let world = World::new(SCRIPT);
    let report = world.json(&["run", "shout, please", "--apply"]);
    assert_eq!(world.texts(), AFTER);
    assert_eq!((&report["status"], &report["reply"]), (&json!("completed"), &json!("Done.\n")));
    assert_eq!(report["usage"], json!({"inputTokens": 7, "outputTokens": 3}));
    assert!(report["patch"].as_str().unwrap().starts_with("--- a/a b.txt\n+++ b/a b.txt\n"), "{report}");
    let shown = world.json(&["proposal", "show", report["proposalIds"][0].as_str().unwrap()]);
    assert_eq!(shown["state"], "accepted");
}

#[test]
fn a_file_that_cannot_be_written_leaves_all_others_as_they_were() {
    let world = World::new(SCRIPT);
    let locked = world.work().join("ü.txt");
    let mut permissions = std::fs::metadata(&locked).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&locked, permissions).unwrap();
    let (code, printed, errors) = world.failed(&["run", "shout, please", "--apply", "--json"]);
    assert_eq!((code, world.texts()), (1, [FIRST, SECOND].map(str::to_owned)));
    assert!(errors.contains("read-only"), "{errors}");
    let report: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(report["status"], "completed", "what was proposed is not lost");
}

#[test]
fn a_proposal_is_decided_later() {
    let world = World::new(SCRIPT);
    let report = world.json(&["run", "shout, please"]);
    let proposal = report["proposalIds"][0].as_str().unwrap();
    assert_eq!(
        world.json(&["proposal", "reject", proposal, "--file", "a b.txt"]),
        json!({"status": "rejected"})
    );
    assert_eq!(world.json(&["proposal", "accept", proposal]), json!({"status": "accepted"}));
    assert_eq!(world.texts(), [FIRST, AFTER[1]]);
    let list = world.json(&["proposal", "list"]);
    assert_eq!(list["proposals"][0]["state"], "partial", "{list}");
    let (code, _, errors) = world.failed(&["proposal", "accept", proposal]);
    assert_eq!((code, errors.starts_with("error: nothing waits")), (1, true), "{errors}");
}

#[test]
fn what_goes_wrong_is_an_exit_code_and_an_error_and_no_reply() {
    for (script, class, part) in [
        ("turns: []", "script", "was asked for one more"),
        ("turns:\n  - stream: [{error: {class: auth, message: no key}}]", "auth", "no key"),
        ("turns:\n  - stream: [{stop: refusal}]", "refusal", "declined"),
    ] {
        let world = World::new(script);
        let (code, printed, errors) = world.failed(&["run", "p", "--json"]);
        let (report, error): (Value, Value) =
            (serde_json::from_str(&printed).unwrap(), serde_json::from_str(&errors).unwrap());
        assert_eq!((code, &report["status"]), (1, &json!("failed")), "{printed}");
        assert_eq!((&error["error"]["class"], &error["error"]), (&json!(class), &report["error"]));
        assert!(error["error"]["message"].as_str().unwrap().contains(part), "{errors}");
        assert_eq!(report.get("patch"), None);
    }
}

#[test]
fn what_was_refused_is_named_with_its_reason() {
    let world = World::new(REFUSED);
    std::fs::write(world.work().join(".env"), "TOKEN=x\n").unwrap();
    let report = world.json(&["run", "go", "--level", "readonly"]);
    let denied = report["denied"].as_array().unwrap();
    let told: Vec<_> = denied.iter().map(|denied| denied["tool"].as_str().unwrap()).collect();
    assert_eq!(told, ["read", "edit"], "{report}");
    assert_eq!(denied[0]["action"], "read .env", "{report}");
    for denied in denied {
        assert!(
            ["action", "reason", "source"].iter().all(|name| !denied[name].as_str().unwrap().is_empty()),
            "{report}"
        );
    }
    let next = world.json(&["run", "shout", "--session", report["sessionId"].as_str().unwrap()]);
    assert_eq!(next["denied"], json!([]), "what another turn was refused is that turn's");
}

#[test]
fn a_mode_that_changes_nothing_prints_the_answer() {
    let world = World::new("turns:\n  - expect: [why]\n    stream: [{text: Because.}]");
    assert_eq!(world.done(&["run", "why?", "--mode", "ask"]), "Because.\n");
}

/// A model that wants what it may not have, and then is content.
const REFUSED: &str = r#"
turns:
  - stream:
      - tool: {name: read, input: {path: .env}}
      - tool: {name: edit, input: {path: a b.txt, before: two, after: TWO}}
  - expect: [refused]
    stream: [{text: I may not.}]
  - stream: [{text: Well.}]
"#;

/// How many files are written at once where a kill is to hit in the middle.
const MANY: usize = 60;

#[test]
fn a_kill_between_two_files_leaves_all_of_them_or_none() {
    let name = |n: usize| format!("f{n}.txt");
    let edit = |n: usize| {
        format!("      - tool: {{name: edit, input: {{path: {}, before: old, after: new}}}}\n", name(n))
    };
    let edits: String = (0..MANY).map(edit).collect::<Vec<_>>().concat();
    let world = World::new(&format!("turns:\n  - stream:\n{edits}  - stream: [{{text: Done.}}]\n"));
    let journals = world.dir.path().join("home/writes");
    let committed = || {
        let journals = std::fs::read_dir(&journals).into_iter().flatten().flatten();
        journals.into_iter().any(|journal| journal.path().extension().is_some_and(|kind| kind == "commit"))
    };
    let mut cut = 0;
    for after in 0..6 {
        for n in 0..MANY {
            std::fs::write(world.work().join(name(n)), "old\n").unwrap();
        }
        let mut child = world.command(&["run", "go", "--apply", "--json"]).spawn().unwrap();
        // From the commit of the journal on the files are renamed one after the other.
        while child.try_wait().unwrap().is_none() && !committed() {
            std::thread::yield_now();
        }
        let renamed = || {
            (0..MANY)
                .filter(|n| std::fs::read_to_string(world.work().join(name(*n))).unwrap() == "new\n")
                .count()
        };
        while child.try_wait().unwrap().is_none() && renamed() < after * MANY / 6 {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        cut += usize::from((1..MANY).contains(&renamed()));
        // Whoever comes next ends what was interrupted.
        world.done(&["proposal", "list"]);
        let now = renamed();
        assert!(now == 0 || now == MANY, "{now} of {MANY} files are new");
    }
    assert!(cut > 0, "no kill has hit between two files");
}
