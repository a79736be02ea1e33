//! The server and the protocol name the same commands, requests and notifications.

use std::collections::BTreeSet;

use kkcode_protocol::commands::COMMANDS;
use kkcode_protocol::message::MessageSpec;
use kkcode_protocol::notifications::NOTIFICATIONS;
use kkcode_protocol::requests::REQUESTS;

use super::tokens::{mentions, shipped};
use super::{File, assert_found, assert_none, files};

/// What looks like a command's name and is a file's.
const FILES: &[&str] = &["kkcode.config.yaml", "kkcode.config.yml", "kkcode.config.json"];

/// What the protocol has and the server has not, because the issue that builds it is open; a command among these is refused
/// with one sentence.
const NOT_YET: &[&str] = &[];

/// Returns the Rust name of a message: `TurnDidUpdate` of `kkcode/turn/didUpdate`.
fn type_name(spec: &MessageSpec) -> String {
    let words = spec.name.split(['.', '/']).skip(1);
    words
        .flat_map(|word| {
            let (first, rest) = word.split_at(1);
            [first.to_uppercase(), rest.to_owned()]
        })
        .collect()
}

fn messages() -> impl Iterator<Item = &'static MessageSpec> {
    COMMANDS.iter().chain(REQUESTS).chain(NOTIFICATIONS)
}

/// Returns what is wrong with the messages that no file of the server names, by wire name or by type: those that are not
/// announced in `not_yet`, and those that are and need not.
fn unknown_to<'a>(server: impl IntoIterator<Item = &'a File>, not_yet: &[&str]) -> Vec<String> {
    let mut named = BTreeSet::new();
    for file in server {
        named.extend(mentions(file).into_iter().flatten().map(|mention| last(&mention.path).to_owned()));
        named
            .extend(shipped(file).into_iter().flatten().map(|token| token.text.trim_matches('"').to_owned()));
    }
    let verdict = |spec: &MessageSpec| {
        let is_named = named.contains(spec.name) || named.contains(&type_name(spec));
        match (is_named, not_yet.contains(&spec.name)) {
            (false, false) => Some(format!("{}: the server neither handles nor sends it", spec.name)),
            (true, true) => Some(format!("{}: is there now: take it out of NOT_YET", spec.name)),
            (true, false) | (false, true) => None,
        }
    };
    messages().filter_map(verdict).collect()
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// Returns the names in a file's strings that look like messages of ours and are none.
fn undocumented(file: &File) -> Vec<String> {
    let is_known = |name: &str| FILES.contains(&name) || messages().any(|spec| spec.name == name);
    let quoted = |line: &str| -> Vec<String> {
        let parts: Vec<_> = line.split(['"', '\'', '`']).map(str::to_owned).collect();
        parts.into_iter().skip(1).step_by(2).collect()
    };
    let numbered = (1..).zip(file.text.lines());
    numbered
        .flat_map(|(number, line)| quoted(line).into_iter().map(move |name| (number, name)))
        .filter(|(_, name)| looks_like_a_message(name) && !is_known(name))
        .map(|(number, name)| format!("{}:{number}: {name} is not in the protocol", file.path))
        .collect()
}

fn looks_like_a_message(name: &str) -> bool {
    let parts: Vec<_> = name.split(['.', '/']).collect();
    let is_word = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphabetic());
    parts.len() == 3 && parts.first() == Some(&"kkcode") && parts.iter().all(is_word)
}

fn server() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|file| file.path.starts_with("server/lsp/src/") && file.is_shipped_rust())
}

#[test]
fn the_server_knows_every_message_of_the_protocol() {
    assert_none(&unknown_to(server(), NOT_YET));
}

#[test]
fn every_message_of_the_server_is_in_the_protocol() {
    assert_none(&server().flat_map(undocumented).collect::<Vec<_>>());
}

#[test]
fn a_forgotten_message_is_found() {
    let turns = File::sample(
        "server/lsp/src/a.rs",
        "use kkcode_protocol::commands::TurnStart;\nconst A: &str = \"kkcode.turn.cancel\";",
    );
    let findings = unknown_to([&turns], &["kkcode.turn.start", "kkcode.task.start"]);
    assert_found(&findings, "kkcode.turn.show: the server");
    assert_found(&findings, "kkcode/turn/didFinish: the server");
    assert_found(&findings, "kkcode.turn.start: is there now");
    assert_eq!(findings.len(), messages().count() - "turn.cancel task.start".split(' ').count());
}

#[test]
fn an_undocumented_message_is_found() {
    let bad = File::sample(
        "server/lsp/src/a.rs",
        "let a = [\"kkcode.turn.start\",\n  \"kkcode.turn.startle\", \"kkcode/turn/didStart\"];",
    );
    let findings = undocumented(&bad);
    assert_found(&findings, "a.rs:2: kkcode.turn.startle is not in the protocol");
    assert_found(&findings, "kkcode/turn/didStart is not");
    assert_eq!(findings.len(), 2);
    assert_none(&undocumented(&File::sample(
        "server/lsp/src/a.rs",
        "read(\"kkcode.config.yaml\", \"kkcode.turn.start\")",
    )));
}
