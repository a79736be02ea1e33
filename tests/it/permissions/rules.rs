//! Rules of files in real turns, and learned ones as clients see them.

use std::fs;

use serde_json::json;

use super::{Place, asked, finished, start, text};

const TRIES: &str = "
turns:
  - stream: [{tool: {name: read, input: {path: secret/b.txt}}}]
  - expect: ['refused', 'secret/**']
    stream: [{tool: {name: grep, input: {pattern: one, output_mode: content}}}]
  - expect: ['a.txt:1:one']
    stream: [{tool: {name: edit, input: {path: secret/b.txt, before: one, after: two}}}]
  - expect: ['refused', 'secret/**']
    stream: [{tool: {name: write, input: {path: secret/c.txt, content: x}}}]
  - expect: ['refused', 'secret/**']
    stream: [{text: No way.}]
";

#[test]
fn a_rule_that_denies_a_path_holds_for_every_tool() {
    let place = Place::new(TRIES);
    place.configure(
        "permission: {level: yolo, rules: [{tool: '*', action: deny, file_patterns: 'secret/**'}]}\n",
    );
    let mut server = place.server("one");
    let started = start(&mut server, &json!({}));
    finished(&mut server, "No way.");
    assert_eq!(text(&place.work().join("secret/b.txt")), "one secret\n");
    assert!(!place.work().join("secret/c.txt").exists());
    let session = json!({"sessionId": started["sessionId"]});
    let shown = server.command("kkcode.session.show", session).unwrap();
    assert!(!shown.to_string().contains("one secret"), "nothing of it was found");
}

#[test]
fn a_rule_that_asks_is_asked_each_time() {
    let place = Place::new(&super::READS.replace(".env", "a.txt").replace("TOKEN=1", "one"));
    place.configure("permission: {level: yolo, rules: [{tool: read, action: ask}]}\n");
    let mut server = place.server("one");
    start(&mut server, &json!({}));
    let prompt = asked(&mut server);
    assert_eq!(super::titles(&prompt), ["allow_once", "deny"], "the user's own rule is lifted by no answer");
    assert!(prompt["detail"].as_str().unwrap().contains("config.yaml:4"), "{prompt}");
    assert!(super::answer(&mut server, &prompt, "allow_once"));
    super::resolved(&mut server);
    finished(&mut server, "I have read it.");
}

#[test]
fn learned_rules_are_listed_and_forgotten() {
    let place = Place::new(super::READS);
    let work = place.work().canonicalize().unwrap();
    let learned = format!(
        "rules:\n  - {{id: rule_x, tool: bash, command_prefix: make, workspace: {}, created_at: '2026-01-01T00:00:00Z'}}\n",
        work.display()
    );
    fs::write(place.home().join("learned-rules.yaml"), learned).unwrap();
    let mut server = place.server("one");
    let list = server.command("kkcode.permission.list", json!({})).unwrap();
    assert_eq!(
        (&list["rules"][0]["ruleId"], &list["rules"][0]["commandPrefix"]),
        (&json!("rule_x"), &json!("make"))
    );
    assert_eq!(list["level"], "manual");
    let forget = |server: &mut kkcode_tests::TestServer| {
        server.command("kkcode.permission.forget", json!({"ruleId": "rule_x"})).unwrap()["forgotten"].clone()
    };
    assert_eq!((forget(&mut server), forget(&mut server)), (json!(true), json!(false)));
    let list = server.command("kkcode.permission.list", json!({})).unwrap();
    assert_eq!(list["rules"], json!([]));
}
