//! What `.claude/settings.json` allows counts when the user agreed once, and until it changes.

use std::fs;
use std::process::Command;

use kkcode_tests::{Binary, TestServer};
use serde_json::{Value, json};

use super::{Place, answer, asked, finished, resolved, start};

const MAKES: &str = "
turns:
  - stream: [{tool: {name: mkdir, input: {path: build}}}]
  - expect: [made the folder build]
    stream: [{text: Made.}]
";

fn place(allow: &Value) -> Place {
    let place = Place::new(MAKES);
    fs::create_dir(place.work().join(".claude")).unwrap();
    write(&place, allow);
    place
}

fn write(place: &Place, allow: &Value) {
    let settings = json!({"permissions": {"allow": allow}}).to_string();
    fs::write(place.work().join(".claude/settings.json"), settings).unwrap();
}

fn trusted(place: &Place) -> TestServer {
    place
        .options("one")
        .param("initializationOptions", json!({"trusted": true}))
        .capabilities(json!({"experimental": {"kkcode": {}}}))
        .initialized()
}

/// Starts a turn and waits until the settings are asked about and the folder is.
fn both_asked(server: &mut TestServer) -> (Value, Value) {
    start(server, &json!({}));
    (server.expect_notification("kkcode/question/didAsk"), asked(server))
}

fn say(server: &mut TestServer, question: &Value, value: &str) {
    let id = question["questions"][0]["id"].as_str().unwrap();
    let argument = json!({"questionId": question["questionId"], "answers": {id: value}});
    server.command("kkcode.question.answer", argument).unwrap();
    server.expect_notification("kkcode/question/didResolve");
}

fn again(place: &Place) {
    fs::remove_dir(place.work().join("build")).unwrap();
}

fn cli(place: &Place, arguments: &[&str]) -> String {
    let mut command = Command::new(Binary::Server.path());
    command.args(arguments).current_dir(place.work());
    command.env("HOME", place.home()).env("KKCODE_HOME", place.home());
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn what_the_user_agreed_to_counts_until_the_file_changes_or_it_is_forgotten() {
    let place = place(&json!(["Edit(./build)", "Bash(make)"]));
    let mut server = trusted(&place);
    let (question, _) = both_asked(&mut server);
    let text = question["questions"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("Edit(./build)") && text.contains("cannot be said exactly here:\n  Bash(make)"),
        "{text}"
    );
    say(&mut server, &question, "agree");
    let told = resolved(&mut server);
    assert_eq!((&told["answer"], &told["by"]), (&json!("allow_once"), &json!("rule")));
    finished(&mut server, "Made.");
    again(&place);
    start(&mut server, &json!({}));
    finished(&mut server, "Made.");

    let rules = server.command("kkcode.permission.list", json!({})).unwrap()["rules"].clone();
    assert_eq!((&rules[0]["action"], &rules[0]["settings"]), (&json!("allow"), &json!(["Edit(./build)"])));
    let listed = cli(&place, &["permission", "list"]);
    assert!(listed.contains("Edit(./build)"), "{listed}");
    let decided = cli(&place, &["permission", "check", "--tool", "mkdir", "--path", "build"]);
    assert!(decided.starts_with("allow") && decided.contains("settings.json"), "{decided}");

    write(&place, &json!(["Edit(./build)", "Edit(./src)"]));
    again(&place);
    let (question, prompt) = both_asked(&mut server);
    say(&mut server, &question, "refuse");
    assert!(answer(&mut server, &prompt, "allow_once"));
    resolved(&mut server);
    finished(&mut server, "Made.");
    let rule = server.command("kkcode.permission.list", json!({})).unwrap()["rules"][0].clone();
    assert_eq!(rule["action"], "ask");
    assert!(cli(&place, &["permission", "forget", rule["ruleId"].as_str().unwrap()]).contains("forgot"));
    again(&place);
    let (_, prompt) = both_asked(&mut server);
    assert!(answer(&mut server, &prompt, "allow_once"));
    resolved(&mut server);
    finished(&mut server, "Made.");
    server.expect_notification("kkcode/question/didResolve");
}

#[test]
fn settings_that_are_not_trusted_are_not_even_asked_about() {
    let place = place(&json!(["Edit(./build)"]));
    let mut server = place.server("one");
    start(&mut server, &json!({}));
    let prompt = asked(&mut server);
    assert!(answer(&mut server, &prompt, "allow_once"));
    resolved(&mut server);
    finished(&mut server, "Made.");
}
