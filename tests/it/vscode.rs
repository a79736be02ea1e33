//! The packed extension with the real server in a real VS Code, driven by keys and clicks in a browser.
#![cfg(test)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use kkcode_tests::{Binary, skip};
use serde_json::Value;

#[test]
fn hunks_of_a_turn_are_decided_one_by_one_and_found_again() {
    check("review");
}

#[test]
fn an_untrusted_workspace_chooses_nothing() {
    check("hostile");
}

#[test]
fn a_trusted_workspace_chooses_no_program_and_no_home() {
    check("trusted");
}

/// The settings offer what `npm run manifest -- --server FILE` copied from the server's own schema.
#[test]
fn the_settings_offer_only_what_the_server_knows() {
    let text = std::fs::read_to_string(repository().join("vscode-extension/package.json")).unwrap();
    let manifest: Value = serde_json::from_str(&text).unwrap();
    let output = Command::new(Binary::Server.path()).args(["config", "schema"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let offered = &manifest["contributes"]["configuration"]["properties"]["kkcode.config"]["properties"];
    let sections = offered.as_object().expect("the sections of the configuration");
    assert!(sections.contains_key("provider"), "{sections:?}");
    for (section, holds) in sections {
        let known = &schema["properties"][section];
        assert!(known.is_object(), "`{section}` is gone from the server: renew the manifest");
        for name in holds["properties"].as_object().into_iter().flatten().map(|(name, _)| name) {
            assert!(known["properties"][name].is_object(), "`{section}.{name}` is gone: renew the manifest");
        }
    }
    assert!(!offered.to_string().contains("\"api_key\""), "keys belong into the secret storage");
}

#[test]
fn comments_lines_and_own_versions_reach_the_agent() {
    check("rounds");
}

#[test]
fn conversations_are_renamed_copied_shown_and_deleted() {
    check("sessions");
}

#[test]
fn a_key_reaches_its_provider_and_no_file() {
    check("keys");
}

#[test]
fn the_agent_waits_for_a_permission_and_an_answer() {
    check("waiting");
}

#[test]
fn each_answer_to_a_permission_does_what_it_says() {
    check("answers");
}

#[test]
fn a_task_is_followed_cancelled_and_found_again() {
    check("tasks");
}

#[test]
fn a_task_that_failed_is_started_again_and_brings_a_proposal() {
    check("attempts");
}

#[test]
fn a_task_in_a_worktree_proposes_for_the_users_own_files() {
    check("worktree");
}

#[test]
fn who_wants_no_messages_of_tasks_gets_none() {
    check("quiet");
}

#[test]
fn what_happened_while_no_window_was_open_is_told_once() {
    check("away");
}

#[test]
fn a_killed_server_is_started_again_and_what_waited_still_waits() {
    check("killed");
}

#[test]
fn what_one_window_decides_the_other_sees() {
    check("windows");
}

#[test]
fn files_of_several_folders_are_reviewed_where_they_are() {
    check("folders");
}

#[test]
fn a_hunk_that_the_user_has_written_into_is_merged_or_taken_all_the_same() {
    check("conflicts");
}

#[test]
fn each_way_to_begin_a_turn_says_what_it_is_about() {
    check("beginnings");
}

#[test]
fn files_proposals_and_lines_are_decided_at_once_and_taken_back() {
    check("decisions");
}

#[test]
fn line_endings_and_an_end_without_one_stay() {
    check("endings");
}

#[test]
fn a_byte_order_mark_stays() {
    check("mark");
}

#[test]
fn what_goes_wrong_is_told() {
    check("refusals");
}

/// Runs a case of tests/vscode/cases.mjs; it fails if the case does.
#[track_caller]
fn check(case: &str) {
    // One browser at a time: each wants a whole machine.
    static ALONE: Mutex<()> = Mutex::new(());
    let (Some(tools), Some(chromium)) = (vscode(), chromium()) else {
        skip(
            &format!("vscode::{case}"),
            "tests/install/vscode could not install VS Code, or there is no chromium",
        );
        return;
    };
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let package = package().as_ref().unwrap_or_else(|error| panic!("{error}"));
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(tools.join("node"))
        .arg(repository().join("tests/vscode/run.mjs"))
        .arg(case)
        .args([&tools, dir.path(), package])
        .env("KKCODE_TEST_CHROMIUM", chromium)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

/// Packs the extension with the server of now, once for all cases; the message says why it cannot be packed.
fn package() -> &'static Result<PathBuf, String> {
    static PACKAGE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    PACKAGE.get_or_init(|| {
        let extension = repository().join("vscode-extension");
        // Beside the server, and therefore in a folder that git does not see.
        let server = Binary::Server.path();
        let package = server.with_file_name("kkcode-test.vsix");
        let output = Command::new("node")
            .arg("scripts/package.mjs")
            .arg("--server")
            .arg(&server)
            .arg("--out")
            .arg(&package)
            .current_dir(extension)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("node does not start: {error}"))?;
        if output.status.success() { Ok(package) } else { Err(said(&output)) }
    })
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}", text(&output.stdout), text(&output.stderr))
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository")
}

/// Returns the folder of tests/install/vscode, if VS Code was installed there and the extension's own packages are, too.
fn vscode() -> Option<PathBuf> {
    let tools = std::env::var_os("KKCODE_TEST_TOOLS")
        .map_or_else(|| repository().join("target/tools"), PathBuf::from)
        .join("vscode");
    let packages = repository().join("vscode-extension/node_modules");
    (tools.join("installed").exists() && packages.exists()).then_some(tools)
}

fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("chromium")).find(|program| program.exists())
}
