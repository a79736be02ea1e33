//! What holds for every file: its length, its first line, nothing left over, nothing about the machine it was written on.

use super::{File, assert_found, assert_none, files};

/// A file of ours that is longer asks to be split.
const LONGEST: usize = 600;

/// Users of our examples; any other home folder is somebody's.
const EXAMPLE_HOMES: &[&str] = &[
    "/home/me/",
    "/home/mia/",
    "/home/you/",
    "/home/user/",
    "/home/u/",
    "/home/u\"",
    "/home/user",
    "/home/other/",
    "/home/{user}",
    "/root/.netrc",
];

/// The hosts that a file may name in a URL. Anything else may be a mirror that only one network can reach.
const HOSTS: &[&str] = &[
    "0.0.0.0",
    "127.0.0.1",
    "127.1.2.3",
    "169.254.169.254",
    "192.168.1.2",
    "8.8.8.8",
    "apache.org",
    "api.anthropic.com",
    "api.deepseek.com",
    "api.openai.com",
    "bevry.me",
    "crates.io",
    "docs.rs",
    "eslint.org",
    "feross.org",
    "nbformat.readthedocs.io",
    "generativelanguage.googleapis.com",
    "github.com",
    "json-schema.org",
    "keepachangelog.com",
    "localhost",
    "mcp.exa.ai",
    "metadata.google.internal",
    "microsoft.github.io",
    "opencollective.com",
    "openrouter.ai",
    "registry.npmjs.org",
    "semver.org",
    "spdx.org",
    "sqlite.org",
    "www.apache.org",
    "www.patreon.com",
    "www.sqlite.org",
    "www.w3.org",
];

/// Addresses that nobody is to reach: what is refused, and how it is spelled.
const REFUSED: &str = "server/agent/src/web/target/refused.txt";

/// Names that RFC 2606 and RFC 6761 keep for examples.
const EXAMPLE_DOMAINS: &[&str] =
    &["example", "example.com", "example.net", "example.org", "invalid", "localhost", "test"];

fn is_source(file: &File) -> bool {
    let written_by_hand = !file.path.contains("/generated/") && !begins_as_generated(&file.text);
    written_by_hand && matches!(file.extension(), Some("rs" | "ts" | "lua"))
}

fn begins_as_generated(text: &str) -> bool {
    text.lines().take(3).any(|line| line.to_lowercase().contains("generated"))
}

fn too_long(file: &File) -> Option<String> {
    let lines = file.text.lines().count();
    (is_source(file) && lines > LONGEST)
        .then(|| format!("{}: {lines} lines; {LONGEST} ask for a split", file.path))
}

fn without_purpose(file: &File) -> Option<String> {
    let states_it = file.text.lines().next().is_some_and(|line| line.starts_with("//! ") && line.len() > 10);
    // `foo/tests.rs` tests what `foo.rs` says.
    let speaks_for_itself = file.is_rust() && !file.path.ends_with("/tests.rs");
    (speaks_for_itself && !states_it)
        .then(|| format!("{}:1: does not begin with `//! ` and what it is for", file.path))
}

/// Returns the lines of shipped sources that promise to be finished one day.
fn left_over(file: &File) -> Vec<String> {
    let is_client = file.path.starts_with("neovim/") || file.path.starts_with("vscode-extension/");
    if !(file.is_shipped_rust() || is_source(file) && is_client) {
        return Vec::new();
    }
    let marks = |line: &str| {
        let word = |word: &str| line.split(|c: char| !c.is_alphanumeric()).any(|part| part == word);
        word("TODO")
            || word("FIXME")
            || word("XXX")
            || line.contains("todo!(")
            || line.contains("unimplemented!(")
    };
    on_lines(file, |line| marks(line).then(|| "is left over".to_owned()))
}

/// Returns the lines that name a folder of somebody's machine.
fn machine_paths(file: &File) -> Vec<String> {
    on_lines(file, |line| {
        ["/root/", "/work/", "/home/"].into_iter().find_map(|folder| {
            line.match_indices(folder).find_map(|(at, _)| {
                let (before, path) = line.split_at(at);
                let begins_here = !before.ends_with(|c: char| c.is_alphanumeric() || "._-*}".contains(c));
                let is_joined =
                    before.strip_suffix('"').is_some_and(|code| code.trim_end().ends_with(['.', '+']));
                let example = EXAMPLE_HOMES.iter().any(|home| path.starts_with(home));
                (begins_here && !is_joined && !example).then(|| format!("{folder} is on one machine only"))
            })
        })
    })
}

/// Returns the lines with a URL of a host that is not in [`HOSTS`].
fn unknown_hosts(file: &File) -> Vec<String> {
    on_lines(file, |line| {
        line.match_indices("://").find_map(|(at, colon)| {
            let (scheme, rest) = line.split_at(at);
            let is_web =
                ["http", "https", "sparse+https", "git", "ssh"].iter().any(|web| scheme.ends_with(web));
            let authority = rest.strip_prefix(colon)?;
            let authority =
                authority.split(|c: char| !(c.is_alphanumeric() || ".-_@:".contains(c))).next()?;
            let host = authority.rsplit('@').next()?.split(':').next()?.trim_end_matches('.').to_lowercase();
            let host = host.as_str();
            let known = host.is_empty()
                || HOSTS.contains(&host)
                || EXAMPLE_DOMAINS
                    .iter()
                    .any(|domain| host == *domain || host.ends_with(&format!(".{domain}")));
            (is_web && !known).then(|| {
                format!(
                    "{host} is no host that everybody reaches, or HOSTS in tests/it/tidy/texts.rs lacks it"
                )
            })
        })
    })
}

/// Applies a rule to each line and names the place of what it finds.
fn on_lines(file: &File, rule: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let numbered = (1..).zip(file.text.lines());
    numbered
        .filter_map(|(number, line)| rule(line).map(|finding| format!("{}:{number}: {finding}", file.path)))
        .collect()
}

/// This file holds the bad samples, and the corpora of command lines name the places that they reach for.
fn all_but_this() -> impl Iterator<Item = &'static File> {
    let others = [
        "tests/it/tidy/texts.rs",
        "server/core/tests/data/exec-policy.jsonl",
        "server/core/tests/data/exec-policy-own.jsonl",
    ];
    files().iter().filter(move |file| !others.contains(&file.path.as_str()))
}

#[test]
fn files_are_short_enough_to_read() {
    assert_none(&files().iter().filter_map(too_long).collect::<Vec<_>>());
}

#[test]
fn files_begin_with_their_purpose() {
    assert_none(&files().iter().filter_map(without_purpose).collect::<Vec<_>>());
}

#[test]
fn nothing_is_left_over_in_shipped_code() {
    assert_none(&files().iter().flat_map(left_over).collect::<Vec<_>>());
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    assert_none(&all_but_this().flat_map(machine_paths).collect::<Vec<_>>());
}

#[test]
fn every_url_is_public() {
    assert_none(
        &all_but_this().filter(|file| file.path != REFUSED).flat_map(unknown_hosts).collect::<Vec<_>>(),
    );
}

#[test]
fn a_long_file_is_found() {
    let lines = |count| "//! Long.\n".repeat(count);
    assert!(too_long(&File::sample("server/core/src/a.rs", &lines(601))).is_some());
    assert!(too_long(&File::sample("neovim/lua/a.lua", &lines(601))).is_some());
    assert!(too_long(&File::sample("server/core/src/a.rs", &lines(600))).is_none());
    assert!(
        too_long(&File::sample("vscode-extension/src/a.ts", &format!("// Generated.\n{}", lines(700))))
            .is_none()
    );
    assert!(too_long(&File::sample("Cargo.lock", &lines(700))).is_none());
}

#[test]
fn a_file_without_purpose_is_found() {
    for bad in ["", "use std::fmt;\n", "//!\n//! Late.\n", "// Not a doc comment of the file.\n"] {
        assert!(without_purpose(&File::sample("server/core/src/a.rs", bad)).is_some(), "{bad:?}");
    }
    assert!(without_purpose(&File::sample("server/core/src/a.rs", "//! What a file is for.\n")).is_none());
    assert!(without_purpose(&File::sample("server/core/src/a/tests.rs", "use super::*;\n")).is_none());
}

#[test]
fn what_is_left_over_is_found() {
    for bad in
        ["// TODO: later", "/// FIXME", "// XXX", "fn f() { todo!() }", "fn f() { unimplemented!(\"a\") }"]
    {
        assert_found(&left_over(&File::sample("server/core/src/a.rs", bad)), "a.rs:1: is left over");
    }
    assert_found(&left_over(&File::sample("neovim/lua/a.lua", "-- TODO")), "is left over");
    assert_none(&left_over(&File::sample("server/core/src/a.rs", "const TODOS: &str = \"xxx\";")));
}

#[test]
fn a_machine_path_is_found() {
    for bad in ["cd /root/x", "\"/work/main\"", "file:///home/alice/a.rs", "PATH=/home/bob/bin"] {
        assert_found(&machine_paths(&File::sample("README.md", bad)), "is on one machine only");
    }
    for good in
        ["file:///home/me/a.rs", "tests/work/a", "folder .. \"/work/a\"", "/home/user/x", "server/root/a"]
    {
        assert_none(&machine_paths(&File::sample("README.md", good)));
    }
}

#[test]
fn an_unknown_host_is_found() {
    for bad in [
        "https://mirror.corp.internal/npm",
        "see http://10.1.2.3:8080/",
        "\"resolved\": \"https://user:word@npm.local/a.tgz\"",
    ] {
        assert_found(
            &unknown_hosts(&File::sample("package-lock.json", bad)),
            "no host that everybody reaches",
        );
    }
    for good in [
        "https://github.com/a/b",
        "http://127.0.0.1:80",
        "https://me:word@api.example.com:80",
        "file:///a",
        "http://{address}/",
    ] {
        assert_none(&unknown_hosts(&File::sample("README.md", good)));
    }
}
