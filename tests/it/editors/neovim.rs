//! Neovim without the plugin, oldest and newest: the recipe of docs/editors.md and its keys, files that go and move under it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use kkcode_tests::skip;

use super::{SCRIPT, TEXT, notes, repository, world};

fn neovim(which: &str) -> Option<PathBuf> {
    let tools = std::env::var_os("KKCODE_TEST_TOOLS")
        .map_or_else(|| repository().join("target/tools"), PathBuf::from);
    let neovim = tools.join(format!("neovim-{which}/bin/nvim"));
    neovim.exists().then_some(neovim)
}

/// Runs a case of tests/neovim/plain in both, with a model that does what the script says; the case fails if it does.
#[track_caller]
fn check(case: &str, script: &str) {
    for which in ["oldest", "newest"] {
        let Some(neovim) = neovim(which) else {
            skip(&format!("editors::neovim::{case} ({which})"), "tests/install/neovim could not install it");
            continue;
        };
        let dir = world();
        fs::write(dir.path().join("home/script.yaml"), script).unwrap();
        fs::create_dir(dir.path().join("bin")).unwrap();
        fs::rename(dir.path().join("server"), dir.path().join("bin/kkcode-lsp")).unwrap();
        assert_eq!(fs::read_to_string(notes(dir.path())).unwrap(), TEXT);
        let output = Command::new(neovim)
            .args(["--headless", "--clean", "-l"])
            .arg(repository().join("tests/neovim/plain.lua"))
            .arg(case)
            .arg(dir.path())
            .env("XDG_STATE_HOME", dir.path().join("state"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{which}: {}\n{}", text(&output.stdout), text(&output.stderr));
    }
}

#[test]
fn a_hunk_is_accepted_and_the_next_one_rejected_with_code_actions() {
    check("walk", SCRIPT);
}

/// A turn with these calls of tools.
fn turn(calls: &[&str]) -> String {
    let calls = calls.join("\n      - tool: ");
    format!("turns:\n  - stream:\n      - tool: {calls}\n  - stream:\n      - text: Done.\n")
}

const MOVE: &str = "{name: move, input: {from: notes.txt, to: deep/moved.txt}}";
const EDIT_MOVED: &str = "{name: edit, input: {path: deep/moved.txt, before: two, after: TWO}}";
const REMOVE: &str = "{name: remove, input: {path: notes.txt}}";

#[test]
fn an_open_file_moves_with_its_buffer_and_comes_back() {
    check("move", &turn(&[MOVE]));
}

#[test]
fn an_open_file_moves_and_changes_at_once() {
    check("move_and_edit", &turn(&[MOVE, EDIT_MOVED]));
}

#[test]
fn an_open_file_goes_with_its_buffer_and_comes_back() {
    check("remove", &turn(&[REMOVE]));
}

#[test]
fn an_open_file_that_the_user_types_in_neither_moves_nor_goes() {
    check("typed", &turn(&[MOVE]));
    check("typed", &turn(&[REMOVE]));
}
