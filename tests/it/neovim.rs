//! The server and the plugin in a real Neovim, oldest and newest.
#![cfg(test)]

mod cases;
mod screen;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kkcode_tests::{Binary, skip};

const SCRIPT: &str = r#"
turns:
  - stream:
      - tool: {name: edit, input: {path: "a b.txt", before: two, after: TWO}}
  - stream:
      - text: Done.
"#;

#[test]
fn a_hunk_is_accepted_and_survives_a_kill_in_the_oldest_neovim() {
    check("oldest");
}

#[test]
fn a_hunk_is_accepted_and_survives_a_kill_in_the_newest_neovim() {
    check("newest");
}

#[track_caller]
fn check(which: &str) {
    let Some(nvim) = nvim(which) else {
        skip(&format!("neovim::{which}"), "tests/install/neovim could not install it");
        return;
    };
    let dir = world();
    fs::write(dir.path().join("home/script.yaml"), SCRIPT).unwrap();
    fs::write(dir.path().join("home/config.yaml"), "provider: {play: {type: scripted, script: script.yaml}}")
        .unwrap();
    fs::write(dir.path().join("work/a b.txt"), "öne\ntwo\nthree\n").unwrap();
    run(&nvim, "thread.lua", dir.path(), &[]);
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository")
}

/// Returns the Neovim of that name, if it is installed.
fn nvim(which: &str) -> Option<PathBuf> {
    let tools = std::env::var_os("KKCODE_TEST_TOOLS")
        .map_or_else(|| repository().join("target/tools"), PathBuf::from);
    let nvim = tools.join(format!("neovim-{which}/bin/nvim"));
    nvim.exists().then_some(nvim)
}

/// Makes a folder with a home and a workspace.
fn world() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["home", "work"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    dir
}

/// Runs a script of tests/neovim with its own arguments, the server and the folder; it fails if the script does.
#[track_caller]
fn run(nvim: &Path, script: &str, dir: &Path, arguments: &[&str]) {
    let output = Command::new(nvim)
        .args(["--headless", "--clean", "-l"])
        .arg(repository().join("tests/neovim").join(script))
        .args(arguments)
        .args([server_script(dir), dir.to_owned()])
        .env("XDG_STATE_HOME", dir.join("state"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
}

/// Writes a program that notes its process id and becomes the server.
fn server_script(dir: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let script = dir.join("server");
    let lines = format!(
        "#!/bin/sh\necho $$ > '{dir}/pid'\nexport KKCODE_HOME='{dir}/home'\nexec '{server}' \"$@\"\n",
        dir = dir.display(),
        server = Binary::Server.path().display(),
    );
    fs::write(&script, lines).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    script
}
