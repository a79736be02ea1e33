//! Several servers of one home: everybody is asked, one answer counts.

use serde_json::json;

use super::{Place, READS, answer, asked, finished, resolved, start};

#[test]
fn another_editor_answers_and_this_one_withdraws() {
    let place = Place::new(READS);
    let (mut one, mut other) = (place.server("one"), place.server("other"));
    start(&mut one, &json!({}));
    let (prompt, same) = (asked(&mut one), asked(&mut other));
    assert_eq!(prompt["promptId"], same["promptId"]);
    assert!(answer(&mut other, &same, "allow_once"));
    for server in [&mut one, &mut other] {
        assert_eq!(resolved(server)["by"], "other");
        finished(server, "I have read it.");
    }
    assert!(!answer(&mut one, &prompt, "deny"));
}

#[test]
fn of_two_answers_at_once_one_counts() {
    let place = Place::new(READS);
    let (mut one, mut other) = (place.server("one"), place.server("other"));
    start(&mut one, &json!({}));
    let (prompt, _) = (asked(&mut one), asked(&mut other));
    let argument = json!({"promptId": prompt["promptId"], "answer": "allow_once"});
    let call = json!({"command": "kkcode.permission.answer", "arguments": [argument]});
    let first = one.send_request("workspace/executeCommand", call.clone());
    let second = other.send_request("workspace/executeCommand", call);
    let accepted = [one.response(first).unwrap(), other.response(second).unwrap()];
    let count = accepted.iter().filter(|answer| answer["accepted"] == true).count();
    assert_eq!(count, 1, "{accepted:?}");
    for server in [&mut one, &mut other] {
        resolved(server);
        finished(server, "I have read it.");
    }
}

#[test]
fn nobody_being_there_is_no_answer_and_who_comes_later_is_asked() {
    let place = Place::new(READS);
    let mut plain = place.plain("plain");
    start(&mut plain, &json!({}));
    let (id, _) = plain.expect_request("window/showMessageRequest");
    // Closing a message says nothing.
    plain.respond(&id, Ok(json!(null)));
    let told = plain.expect_notification("window/showMessage");
    assert!(told["message"].as_str().unwrap().contains("waits for your answer: read .env"), "{told}");
    let mut late = place.server("late");
    let prompt = asked(&mut late);
    assert!(answer(&mut late, &prompt, "allow_once"));
    resolved(&mut late);
    finished(&mut late, "I have read it.");
    let told = plain.expect_notification("window/showMessage");
    assert!(told["message"].as_str().unwrap().contains("I have read it."), "{told}");
}

#[test]
fn what_a_killed_server_asked_is_withdrawn_with_its_turn() {
    let place = Place::new(READS);
    let mut server = place.server("one");
    let started = start(&mut server, &json!({}));
    let prompt = asked(&mut server);
    server.kill();
    let mut server = place.server("one");
    let turn = server.command("kkcode.turn.show", json!({"turnId": started["turnId"]})).unwrap();
    assert_eq!(turn["status"], "interrupted");
    let list = server.command("kkcode.permission.list", json!({})).unwrap();
    assert_eq!(list["prompts"], json!([]));
    assert!(!answer(&mut server, &prompt, "allow_once"));
    let events = server.call("kkcode/events/since", json!({"seq": 0}));
    let withdrawn = &events["events"][1];
    assert_eq!((&withdrawn["kind"], &withdrawn["by"]), (&json!("permissionResolved"), &json!("cancel")));
    server.take_unread();
}

const MAKES: &str = "
turns:
  - stream: [{tool: {name: mkdir, input: {path: build}}}]
  - expect: [made the folder build]
    stream: [{text: Made.}]
";

#[test]
fn always_writes_the_rule_that_was_shown_and_holds_in_every_server_until_it_is_forgotten() {
    let place = Place::new(MAKES);
    let (mut one, mut other) = (place.server("one"), place.server("other"));
    let configured = super::text(&place.home().join("config.yaml"));
    start(&mut one, &json!({}));
    asked(&mut one);
    let prompt = asked(&mut other);
    let always =
        prompt["options"].as_array().unwrap().iter().find(|option| option["answer"] == "allow_always");
    assert_eq!(always.unwrap()["title"], "Always allow in this workspace: mkdir `build`");
    assert!(answer(&mut other, &prompt, "allow_always"));
    for server in [&mut one, &mut other] {
        resolved(server);
        finished(server, "Made.");
    }
    let learned = super::text(&place.home().join("learned-rules.yaml"));
    assert!(learned.contains("tool: mkdir") && learned.contains("- build"), "{learned}");
    assert_eq!(super::text(&place.home().join("config.yaml")), configured, "that file is the user's");

    std::fs::remove_dir(place.work().join("build")).unwrap();
    start(&mut one, &json!({}));
    for server in [&mut one, &mut other] {
        finished(server, "Made.");
    }
    let rules = one.command("kkcode.permission.list", json!({})).unwrap()["rules"].clone();
    let rule = &rules[0];
    assert_eq!((&rule["tool"], &rule["filePatterns"]), (&json!("mkdir"), &json!(["build"])));
    let forgotten = other.command("kkcode.permission.forget", json!({"ruleId": rule["ruleId"]})).unwrap();
    assert_eq!(forgotten, json!({"forgotten": true}));

    std::fs::remove_dir(place.work().join("build")).unwrap();
    start(&mut one, &json!({}));
    let prompt = asked(&mut one);
    assert_eq!(asked(&mut other)["promptId"], prompt["promptId"], "it is asked again");
    assert!(answer(&mut one, &prompt, "allow_once"));
    for server in [&mut one, &mut other] {
        resolved(server);
        finished(server, "Made.");
    }
}
