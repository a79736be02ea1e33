//! A sandbox in which a test runs lines for real: no network, nothing of the user's, an empty root.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// Returns a command that runs `/usr/bin/bash` with a script in a sandbox; its workspace is `/ws`.
pub(super) fn sandbox() -> Command {
    let mut command = Command::new("bwrap");
    command.args(["--unshare-all", "--die-with-parent", "--clearenv", "--tmpfs", "/"]);
    for (folder, link) in [("usr/bin", "/bin"), ("usr/lib", "/lib"), ("usr/lib64", "/lib64")] {
        command.args(["--symlink", folder, link]);
    }
    command.args(["--ro-bind", "/usr", "/usr", "--dev", "/dev", "--proc", "/proc"]);
    command
}

/// Tells whether this machine can make such a sandbox; says that a test is skipped if it cannot.
pub(super) fn is_there(test: &str, programs: &[&str]) -> bool {
    let works =
        sandbox().args(["/usr/bin/bash", "-c", "true"]).output().is_ok_and(|run| run.status.success());
    if !works {
        skip(test, "bubblewrap makes no sandbox here");
        return false;
    }
    let missing = programs.iter().find(|program| {
        !sandbox()
            .args(["/usr/bin/bash", "-c", "PATH=/usr/local/bin:/usr/bin type -P \"$1\"", "bash", program])
            .output()
            .is_ok_and(|run| run.status.success())
    });
    if let Some(program) = missing {
        skip(test, &format!("{program} is not installed"));
    }
    missing.is_none()
}

/// Says that a test is skipped, where `tests/run` reads it.
fn skip(test: &str, reason: &str) {
    let line = format!("SKIPPED: {test}: {reason}\n");
    match std::env::var_os("KKCODE_TEST_SKIPS") {
        Some(file) => {
            let file = std::fs::OpenOptions::new().append(true).create(true).open(file);
            file.unwrap().write_all(line.as_bytes()).unwrap();
        }
        None => std::io::stderr().write_all(line.as_bytes()).unwrap(),
    }
}

/// Runs a command with an input, and returns what it put out.
pub(super) fn run(mut command: Command, input: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // A driver that ends early closes its input; what it did not answer is found by who reads its answers.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    })
}

/// Returns the lines of both corpora.
pub(super) fn corpora() -> Vec<String> {
    [
        include_str!("../../../../tests/data/exec-policy.jsonl"),
        include_str!("../../../../tests/data/exec-policy-own.jsonl"),
    ]
    .into_iter()
    .flat_map(str::lines)
    .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
    .filter(|line| line.get("shell").is_none())
    .map(|line| line["cmd"].as_str().unwrap().to_owned())
    .collect()
}
