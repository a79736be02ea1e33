//! Invariant 1 in the source of core: no clock, randomness, files, network, processes or threads.

use super::tokens::{mentions, shipped};
use super::{File, assert_found, assert_none, files};

/// What core may not name.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "std::os::fd",
    "std::os::unix::fs",
    "std::os::unix::io",
    "std::os::unix::net",
    "std::os::unix::process",
    "std::os::unix::thread",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::time::SystemTime",
    "std::time::Instant",
    "std::hash::RandomState",
    "std::collections::hash_map::RandomState",
    "tokio",
    "SystemTime",
    "Instant",
];

/// Methods of `std::path::Path` that look at the disk.
const LOOKS_AT_DISK: &[&str] = &[
    "canonicalize",
    "exists",
    "is_dir",
    "is_file",
    "is_symlink",
    "metadata",
    "read_dir",
    "read_link",
    "try_exists",
];

fn impurities(file: &File) -> Vec<String> {
    match (mentions(file), shipped(file)) {
        (Ok(mentions), Ok(tokens)) => {
            let named = mentions
                .iter()
                .filter(|mention| OUTSIDE.iter().any(|outside| mention.is_within(outside)))
                .map(|mention| (mention.line, mention.path.clone()));
            let called = tokens.windows(3).filter_map(|window| match window {
                [dot, method, open] if dot.text == "." && open.text == "(" => {
                    let looks = LOOKS_AT_DISK.contains(&method.text.as_str());
                    looks.then(|| (method.line, format!(".{}()", method.text)))
                }
                _ => None,
            });
            let because = "invariant 1: time, ids and the state of files come to core with events";
            named
                .chain(called)
                .map(|(line, what)| format!("{}:{line}: {what} ({because})", file.path))
                .collect()
        }
        (Err(error), _) | (_, Err(error)) => vec![error],
    }
}

fn core_files() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|file| file.path.starts_with("server/core/src/") && file.is_shipped_rust())
}

#[test]
fn core_touches_nothing_outside_itself() {
    assert!(core_files().count() > 5, "core was found");
    let findings: Vec<_> = core_files().flat_map(impurities).collect();
    assert_none(&findings);
}

#[test]
fn an_impure_core_is_found() {
    for (text, what) in [
        ("use std::fs;", "std::fs"),
        ("use std::{fmt, fs::File};", "std::fs::File"),
        ("fn f() { let now = std::time::SystemTime::now(); }", "std::time::SystemTime::now"),
        ("use std::time::{Duration, Instant};", "std::time::Instant"),
        ("fn f() { std::thread::spawn(|| ()); }", "std::thread::spawn"),
        ("fn f(path: &Path) -> bool { path.exists() }", ".exists()"),
        ("use tokio::sync::mpsc;", "tokio::sync::mpsc"),
        ("fn f( {", "is not Rust"),
    ] {
        assert_found(&impurities(&File::sample("server/core/src/a.rs", text)), what);
    }
    let pure = "// std::fs\nuse std::time::Duration;\n#[cfg(test)]\nmod tests { use std::fs; }";
    assert_none(&impurities(&File::sample("server/core/src/a.rs", pure)));
}
