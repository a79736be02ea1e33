//! What comes while a prompt waits decides it, exactly as the engine says: a level, a rule, a grant.

use serde_json::{Value, json};

use super::{Place, READS, answer, asked, finished, resolved, start};

const MAKES: &str = "
turns:
  - stream: [{tool: {name: mkdir, input: {path: build}}}]
  - expect: [made the folder build]
    stream: [{text: Made.}]
";

const REFUSED: &str = "
turns:
  - stream: [{tool: {name: mkdir, input: {path: build}}}]
  - expect: ['refused: the level `readonly`']
    stream: [{text: Not made.}]
";

fn set_level(server: &mut kkcode_tests::TestServer, level: &str) {
    let set = server.command("kkcode.permission.setLevel", json!({"level": level})).unwrap();
    assert_eq!(set, json!({"level": level}));
}

fn said(resolved: &Value) -> (&str, &str) {
    (resolved["answer"].as_str().unwrap(), resolved["by"].as_str().unwrap())
}

#[test]
fn a_wider_level_answers_what_it_allows_and_every_editor_withdraws_that() {
    let place = Place::new(MAKES);
    let (mut one, mut other) = (place.server("one"), place.server("other"));
    start(&mut one, &json!({}));
    let prompt = asked(&mut one);
    asked(&mut other);
    // That other editor's level is not this turn's.
    set_level(&mut other, "yolo");
    set_level(&mut one, "yolo");
    for server in [&mut one, &mut other] {
        assert_eq!(said(&resolved(server)), ("allow_once", "rule"));
        finished(server, "Made.");
    }
    assert!(!answer(&mut other, &prompt, "deny"));
}

#[test]
fn a_stricter_level_allows_nothing_and_refuses_what_it_forbids() {
    let place = Place::new(REFUSED);
    let (mut one, mut other) = (place.server("one"), place.server("other"));
    start(&mut one, &json!({}));
    asked(&mut one);
    asked(&mut other);
    set_level(&mut one, "readonly");
    for server in [&mut one, &mut other] {
        assert_eq!(said(&resolved(server)), ("deny", "rule"));
        finished(server, "Not made.");
    }
    assert!(!place.work().join("build").exists());
}

#[test]
fn what_a_rule_asks_waits_on_whatever_the_level() {
    let place = Place::new(READS);
    place.configure("permission: {rules: [{tool: read, action: ask}]}\n");
    let mut server = place.server("one");
    start(&mut server, &json!({}));
    let prompt = asked(&mut server);
    set_level(&mut server, "yolo");
    let list = server.command("kkcode.permission.list", json!({})).unwrap();
    assert_eq!(
        list["prompts"][0]["promptId"], prompt["promptId"],
        "what a rule asks is asked at every level"
    );
    assert!(answer(&mut server, &prompt, "allow_once"));
    assert_eq!(said(&resolved(&mut server)), ("allow_once", "one"));
    finished(&mut server, "I have read it.");
}

#[test]
fn a_learned_rule_answers_the_same_question_of_another_session() {
    let place = Place::new(MAKES);
    let (mut one, mut other) = (place.server("one"), place.server("other"));
    start(&mut one, &json!({}));
    let first = asked(&mut one);
    asked(&mut other);
    start(&mut other, &json!({}));
    asked(&mut one);
    let second = asked(&mut other);
    assert!(answer(&mut other, &first, "allow_always"));
    for server in [&mut one, &mut other] {
        let mut answers = [resolved(server), resolved(server)];
        answers.sort_by_key(|told| told["promptId"] == second["promptId"]);
        assert_eq!(said(&answers[0]), ("allow_always", "other"));
        assert_eq!(said(&answers[1]), ("allow_once", "rule"));
        // The second finds the folder made.
        for _ in 0..2 {
            server.expect_notification("kkcode/turn/didFinish");
        }
    }
}

#[test]
fn a_grant_for_the_session_answers_what_the_same_turn_asks_at_the_same_time() {
    let place = Place::new(
        "
turns:
  - stream:
      - tool: {name: read, input: {path: .env}}
      - tool: {name: read, input: {path: .env, offset: 1}}
      - tool: {name: read, input: {path: secret/.env}}
  - expect: [TOKEN=1, TOKEN=2]
    stream: [{text: All of it.}]
",
    );
    std::fs::write(place.work().join("secret/.env"), "TOKEN=2\n").unwrap();
    let mut server = place.server("one");
    start(&mut server, &json!({}));
    let prompts = [asked(&mut server), asked(&mut server), asked(&mut server)];
    let of = |title: &str| prompts.iter().filter(|prompt| prompt["title"] == title).collect::<Vec<_>>();
    let (same, other) = (of("read .env"), of("read secret/.env"));
    assert_eq!((same.len(), other.len()), (2, 1));
    assert!(answer(&mut server, same[0], "allow_session"));
    assert_eq!(said(&resolved(&mut server)), ("allow_session", "one"));
    let told = resolved(&mut server);
    assert_eq!((said(&told), &told["promptId"]), (("allow_once", "rule"), &same[1]["promptId"]));
    assert!(answer(&mut server, other[0], "allow_once"), "that is another file");
    resolved(&mut server);
    finished(&mut server, "All of it.");
}
