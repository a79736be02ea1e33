//! Git, asked without hooks, prompts, or a word of whatever environment we were started in.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Problem;

/// How much of what git says stands in a message, in characters.
const SAID: usize = 400;

/// What every call has first: no program that a repository names is run but the filters that make its files what they are.
const QUIETLY: [&str; 6] =
    ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0"];

#[derive(Debug)]
pub(super) struct Git {
    environment: Vec<(OsString, OsString)>,
}

impl Git {
    /// Takes the environment of the calls.
    pub(super) fn new(environment: Vec<(OsString, OsString)>) -> Self {
        let is_gits = |name: &OsStr| name.to_string_lossy().starts_with("GIT_");
        Self { environment: environment.into_iter().filter(|(name, _)| !is_gits(name)).collect() }
    }

    /// Runs git in a folder and returns what it prints. Blocks.
    pub(super) fn run<A: AsRef<OsStr>>(
        &self,
        folder: &Path,
        arguments: impl IntoIterator<Item = A>,
        with: &[(&str, PathBuf)],
    ) -> Result<Vec<u8>, Problem> {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder).args(QUIETLY).args(arguments);
        command.env_clear().envs(self.environment.iter().cloned()).envs(with.iter().cloned());
        command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").stdin(Stdio::null());
        let output = command.output().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "git is not installed".to_owned(),
            _ => format!("git cannot be run: {error}"),
        })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said: String = String::from_utf8_lossy(&output.stderr).trim().chars().take(SAID).collect();
        Err(if said.is_empty() {
            format!("git failed: {}", output.status)
        } else {
            format!("git says: {said}")
        })
    }
}

/// Returns the top of the working tree that a folder is in, and where git keeps the repository, if there can be a worktree of it.
pub(super) fn top(git: &Git, folder: &Path) -> Result<(PathBuf, PathBuf), Problem> {
    let wrong = |problem: Problem| {
        format!(
            "a task can only work in a git worktree of a folder of a git repository that has a commit: {problem}"
        )
    };
    git.run(folder, ["rev-parse", "--quiet", "--verify", "HEAD^{commit}"], &[])
        .map_err(|problem| wrong(format!("{}: {problem}", folder.display())))?;
    let real = |what: &str| {
        let found = git.run(folder, ["rev-parse", "--path-format=absolute", what], &[]).map_err(wrong)?;
        let found = line(&found);
        found.canonicalize().map_err(|error| wrong(format!("{}: {error}", found.display())))
    };
    Ok((real("--show-toplevel")?, real("--git-common-dir")?))
}

/// Returns the path in the one line that git printed.
pub(super) fn line(printed: &[u8]) -> PathBuf {
    path(printed.strip_suffix(b"\n").unwrap_or(printed))
}

/// Returns the path that git printed.
#[cfg(unix)]
pub(super) fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    OsStr::from_bytes(bytes).into()
}

#[cfg(not(unix))]
pub(super) fn path(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}
