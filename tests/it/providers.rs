//! Turns of a real server with models that other people's software plays, one for each wire format.
#![cfg(test)]

use std::fs;

use kkcode_tests::{Options, TestServer};
use serde_json::{Value, json};

mod bad_calls;
#[cfg(target_os = "linux")]
mod keys;
mod loopback;
mod peer;
mod picture_bodies;
mod pictures;
mod types;
mod waits;
mod web;

use peer::Peer;

/// What the peer answers: to a result of a tool with words, to a prompt by what it asks for.
const FIXTURES: &str = include_str!("providers/fixtures.json");

/// The providers, each with the path of its requests.
const PROVIDERS: [(&str, &str); 4] = [
    ("anthropic", "/v1/messages"),
    ("responses", "/v1/responses"),
    ("chat", "/v1/chat/completions"),
    ("ollama", "/api/chat"),
];

/// Starts a server whose providers are all played by the peer.
fn start(dir: &tempfile::TempDir, peer: &Peer) -> TestServer {
    for folder in ["home", "work"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    fs::write(dir.path().join("work/a.txt"), "one\ntwo\nthree\n").unwrap();
    let url = &peer.url;
    let entry = |kind: &str, base: String| {
        json!({"type": kind, "base_url": base, "api_key": "sk-peer", "default_model": "m", "retry_attempts": 1,
               "retry_base_delay_ms": 1})
    };
    let mut responses = entry("openai-compatible", format!("{url}/v1"));
    responses["protocol"] = json!("responses");
    let config = json!({"provider": {
        "default": "anthropic",
        "anthropic": entry("anthropic", format!("{url}/v1")),
        "responses": responses,
        "chat": entry("openai-compatible", format!("{url}/v1")),
        "ollama": entry("ollama", url.clone()),
    }});
    fs::write(dir.path().join("home/config.json"), config.to_string()).unwrap();
    Options::new()
        .home(dir.path().join("home"))
        .workspace(&dir.path().join("work"))
        .capabilities(json!({"experimental": {"kkcode": {"protocolVersion": 1}}}))
        .ignore("kkcode/turn/didUpdate")
        .ignore("kkcode/proposal/didChange")
        .initialized()
}

/// Runs a turn with one of the models and returns how it finished.
fn turn(server: &mut TestServer, model: &str, prompt: &str) -> Value {
    let started = server.command("kkcode.turn.start", json!({"prompt": prompt, "model": model})).unwrap();
    let finished = server.expect_notification("kkcode/turn/didFinish");
    assert_eq!(finished["turnId"], started["turnId"]);
    finished
}

fn run(test: &str, check: impl Fn(&mut TestServer, &Peer, &str, &str)) {
    let Some(peer) = Peer::start(test, FIXTURES) else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut server = start(&dir, &peer);
    for (provider, path) in PROVIDERS {
        check(&mut server, &peer, provider, path);
    }
    server.shutdown();
    server.take_unread();
}

#[test]
fn a_tool_is_called_and_answered_in_every_format() {
    run("providers::a_tool_is_called_and_answered_in_every_format", |server, peer, provider, path| {
        let finished = turn(server, provider, "please shout");
        assert_eq!(finished["status"], "completed", "{provider}: {finished}");
        assert_eq!(finished["reply"], "One hunk waits for you, ünïcode 🚀.", "{provider}");
        let proposal = server
            .command("kkcode.proposal.show", json!({"proposalId": finished["proposalIds"][0]}))
            .unwrap();
        let hunk = &proposal["files"][0]["hunks"][0];
        assert_eq!(
            (&hunk["oldText"], &hunk["newText"]),
            (&json!("two\n"), &json!("TWO\n")),
            "{provider}: {proposal}"
        );
        let bodies = peer.requests(path);
        assert_eq!(bodies.len(), 2, "{provider}: one request with the prompt, one with the result");
        let last = bodies[1].to_string();
        assert!(
            last.contains("proposed, not yet accepted") && last.contains("please shout"),
            "{provider}: {last}"
        );
    });
}

#[test]
fn a_refusal_of_the_server_is_tried_again_and_then_told() {
    run("providers::a_refusal_of_the_server_is_tried_again_and_then_told", |server, peer, provider, path| {
        let finished = turn(server, provider, "please fail");
        assert_eq!(finished["status"], "failed", "{provider}: {finished}");
        assert_eq!(finished["error"]["class"], "rate_limit", "{provider}: {finished}");
        let message = finished["error"]["message"].as_str().unwrap();
        assert_eq!(message, format!("{provider}: the server answered 429: Rate limited"), "{provider}");
        assert_eq!(peer.requests(path).len(), 2, "{provider}");
    });
}

#[test]
fn an_answer_that_the_server_cuts_is_no_answer() {
    run("providers::an_answer_that_the_server_cuts_is_no_answer", |server, _, provider, _| {
        let finished = turn(server, provider, "please stop early");
        assert_eq!(finished["status"], "interrupted", "{provider}: {finished}");
        let reply = finished["reply"].as_str().expect("what was said");
        assert!(reply.starts_with("This sen") && !reply.ends_with("all there is."), "{provider}: {reply}");
    });
}
