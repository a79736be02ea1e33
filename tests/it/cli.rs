//! The command line as a process: what it prints, how it exits, what it leaves.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use kkcode_tests::Binary;
use serde_json::Value;

mod audit;
mod config;
mod demo;
mod run;
mod sessions;
mod trust;

/// A home with a scripted model, and a folder with two files.
struct World {
    dir: tempfile::TempDir,
}

const SCRIPT: &str = r#"
turns:
  - expect: [shout]
    stream:
      - text: Making it loud.
      - tool: {name: edit, input: {path: "a b.txt", before: two, after: "TWO\nand more"}}
      - tool: {name: edit, input: {path: ü.txt, before: last, after: LAST}}
      - usage: {inputTokens: 7, outputTokens: 3}
  - expect: [proposed]
    stream:
      - text: "Done.\n"
"#;

const FIRST: &str = "one\ntwo\nthree";
const SECOND: &str = "x\r\nlast\r\n";

impl World {
    fn new(script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["home", "work"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join("home/script.yaml"), script).unwrap();
        fs::write(
            dir.path().join("home/config.yaml"),
            "provider: {play: {type: scripted, script: script.yaml}}\n",
        )
        .unwrap();
        fs::write(dir.path().join("work/a b.txt"), FIRST).unwrap();
        fs::write(dir.path().join("work/ü.txt"), SECOND).unwrap();
        Self { dir }
    }

    fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        command(&self.dir.path().join("home"), &self.work(), arguments)
    }

    fn texts(&self) -> [String; 2] {
        ["a b.txt", "ü.txt"].map(|name| fs::read_to_string(self.work().join(name)).unwrap())
    }

    /// Runs a command that must succeed, and returns its stdout.
    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", errors(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command with `--json` that must succeed, and returns its one value.
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        serde_json::from_str(&self.done(&arguments)).unwrap()
    }

    /// Runs a command that must fail, and returns its exit code, stdout and stderr.
    fn failed(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.command(arguments).output().unwrap();
        let printed = String::from_utf8(output.stdout.clone()).unwrap();
        (output.status.code().expect("an exit code"), printed, errors(&output))
    }
}

fn command(home: &Path, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(Binary::Server.path());
    for (name, _) in std::env::vars_os() {
        let bytes = name.as_encoded_bytes();
        if bytes.starts_with(b"KKCODE_") || bytes.ends_with(b"_API_KEY") {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(folder).env("HOME", home).env("KKCODE_HOME", home);
    // No keyring of the person who runs the tests is found.
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/kkcode-tests");
    command.stdin(Stdio::null());
    command
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn wrong_use_is_code_2_and_says_why_in_the_wanted_form() {
    let world = World::new(SCRIPT);
    for arguments in
        [&["fly"][..], &["run"], &["run", ""], &["run", "p", "--cwd", "nowhere"], &["session", "show"]]
    {
        let (code, printed, errors) = world.failed(arguments);
        assert_eq!((code, printed.as_str()), (2, ""), "{arguments:?}");
        assert!(errors.starts_with("error: "), "{errors}");
        let mut with_json = arguments.to_vec();
        with_json.push("--json");
        let (code, printed, errors) = world.failed(&with_json);
        assert_eq!((code, printed.as_str()), (2, ""), "{with_json:?}");
        let error: Value = serde_json::from_str(&errors).unwrap_or_else(|_| panic!("{errors}"));
        assert_eq!(error["error"]["class"], "usage", "{errors}");
    }
    assert!(world.done(&["--help"]).contains("Usage: kkcode-lsp"));
}
