//! The rules of ARCHITECTURE.md, held by tests over the source tree; each has a companion that shows it can fail.
#![cfg(test)]

mod documents;
mod layers;
mod places;
mod protocol;
mod purity;
mod texts;
mod tokens;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// A file of the repository that is or could be committed.
struct File {
    /// Relative to the repository, with `/`.
    path: String,
    text: String,
}

impl File {
    /// Returns a file that exists only for a companion test.
    fn sample(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Returns what follows the last dot of the name, if anything does.
    fn extension(&self) -> Option<&str> {
        Path::new(&self.path).extension()?.to_str()
    }

    fn is_rust(&self) -> bool {
        self.extension() == Some("rs")
    }

    /// Tells whether this is source code that ends up in the server, `tests.rs` files and test folders left out.
    fn is_shipped_rust(&self) -> bool {
        let in_server = self.path.starts_with("server/") || self.path.starts_with("protocol/");
        let for_tests = self.path.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "benches"));
        self.is_rust() && in_server && !for_tests
    }
}

/// Returns the folder that holds the workspace.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests folder lies in the repository").to_owned()
}

/// Returns every text file that git tracks or would offer to add: a rule speaks up before the commit.
fn files() -> &'static [File] {
    static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
        let output = Command::new("git")
            .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root())
            .output()
            .expect("git tells which files are ours");
        assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
        let names = String::from_utf8(output.stdout).expect("our file names are UTF-8");
        names.split_terminator('\0').filter_map(read).collect()
    });
    assert!(FILES.len() > 50, "the repository was found");
    &FILES
}

/// Reads one file; nothing for what is not text or was deleted a moment ago.
fn read(path: &str) -> Option<File> {
    let text = std::fs::read_to_string(root().join(path)).ok()?;
    Some(File { path: path.to_owned(), text })
}

/// Returns the repository's file `path`.
fn file(path: &str) -> &'static File {
    files().iter().find(|file| file.path == path).unwrap_or_else(|| panic!("there is no {path}"))
}

/// Fails with all findings of a rule, one per line.
#[track_caller]
fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

/// Fails unless a rule found something in a bad sample, and said `words` about it.
#[track_caller]
fn assert_found(findings: &[String], words: &str) {
    assert!(
        findings.iter().any(|finding| finding.contains(words)),
        "nothing about {words:?} in {findings:?}"
    );
}
