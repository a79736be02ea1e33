//! What the sandbox refused a command that failed: read from what it said, since the kernel tells nobody else.

use std::path::{Path, PathBuf};

/// What a command was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The network; the line that says so.
    Network(String),
    /// To write; the line that says so.
    Write(String),
}

/// What programs say when there is no network, in small letters.
const NO_NETWORK: &[&str] = &[
    "connection refused",
    "socket: operation not permitted",
    "network is unreachable",
    "could not resolve host",
    "couldn't resolve host",
    "couldn't connect to server",
    "failed to connect to",
    "temporary failure in name resolution",
    "temporary failure resolving",
    "name or service not known",
    "failed to lookup address information",
    "dns error",
    "no such host",
    "unable to resolve",
    "getaddrinfo",
    "enetunreach",
    "eai_again",
    "enotfound",
    "network unreachable",
    "unable to access 'http",
    "dial tcp",
    "spurious network error",
];

/// What programs say when they may not write, in small letters.
const NO_WRITE: &[&str] =
    &["permission denied", "read-only file system", "eacces", "erofs", "operation not permitted"];

/// Returns what a command was refused, as far as its output says so.
pub(super) fn refused(output: &str, network: bool, writable: &[PathBuf]) -> Option<Refused> {
    let says = |line: &str, words: &[&str]| {
        let line = line.to_lowercase();
        words.iter().any(|word| line.contains(word))
    };
    if !network && let Some(line) = output.lines().find(|line| says(line, NO_NETWORK)) {
        return Some(Refused::Network(line.trim().to_owned()));
    }
    let mut denied = output.lines().filter(|line| says(line, NO_WRITE));
    denied
        .find(|line| names_a_place_outside(line, writable))
        .map(|line| Refused::Write(line.trim().to_owned()))
}

/// Tells whether a line names a path, absolute, that may not be written.
fn names_a_place_outside(line: &str, writable: &[PathBuf]) -> bool {
    let words = line.split(|char: char| char.is_whitespace() || "'\"`:,;()[]‘’".contains(char));
    words.filter(|word| word.starts_with('/') && word.len() > 1).any(|word| {
        let path = Path::new(word);
        !writable.iter().any(|folder| path.starts_with(folder))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(output: &str) -> Option<Refused> {
        refused(output, false, &["/ws".into(), "/tmp".into()])
    }

    #[test]
    fn what_was_refused_is_told_by_the_line_that_says_so() {
        let line = "curl: (6) Could not resolve host: example.com";
        assert_eq!(said(&format!("fetching\n{line}\n")), Some(Refused::Network(line.into())));
        let line = "touch: cannot touch '/home/u/x': Read-only file system";
        assert_eq!(said(line), Some(Refused::Write(line.into())));
        assert_eq!(refused("dial tcp 1.2.3.4: connect", true, &[]), None);
    }

    #[test]
    fn a_failure_of_another_kind_is_not_the_sandbox() {
        assert_eq!(said("make: *** [all] Error 2"), None);
        assert_eq!(said("bash: /ws/run.sh: Permission denied"), None);
        assert_eq!(said("bash: ./run.sh: Permission denied"), None);
    }
}
