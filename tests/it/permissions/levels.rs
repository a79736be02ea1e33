//! Levels and modes in real turns.

use std::fs;

use serde_json::json;

use super::{Place, finished, start, text};

const EDITS: &str = "
turns:
  - stream:
      - tool: {name: write, input: {path: .vscode/settings.json, content: '{}'}}
      - tool: {name: write, input: {path: new.txt, content: new}}
  - stream: [{text: Done.}]
";

const REFUSED: &str = "
turns:
  - stream: [{tool: {name: write, input: {path: new.txt, content: new}}}]
  - expect: ['refused: REASON']
    stream: [{text: Done.}]
";

#[test]
fn what_programs_obey_is_pending_even_at_the_widest_level() {
    let place = Place::new(EDITS);
    let mut server = place.server("one");
    start(&mut server, &json!({"level": "yolo"}));
    finished(&mut server, "Done.");
    assert_eq!(text(&place.work().join("new.txt")).trim_end(), "new");
    assert!(!place.work().join(".vscode/settings.json").exists());
    let list = server.command("kkcode.proposal.list", json!({})).unwrap();
    let proposal = json!({"proposalId": list["proposals"][0]["proposalId"]});
    let shown = server.command("kkcode.proposal.show", proposal).unwrap();
    let states: Vec<_> =
        shown["files"].as_array().unwrap().iter().map(|file| &file["hunks"][0]["state"]).collect();
    assert_eq!(states, ["pending", "applied"]);
}

#[test]
fn a_mode_that_only_talks_is_a_ceiling_whatever_the_level() {
    for mode in ["ask", "plan"] {
        let place = Place::new(&REFUSED.replace("REASON", "this mode allows nothing but looking"));
        place.configure("permission: {rules: [{tool: '*', action: allow}]}\n");
        let mut server = place.server("one");
        start(&mut server, &json!({"mode": mode, "level": "yolo"}));
        finished(&mut server, "Done.");
        assert!(!place.work().join("new.txt").exists());
    }
}

#[test]
fn the_configured_level_holds_until_the_user_sets_another() {
    let place = Place::new(&REFUSED.replace("REASON", "the level `readonly`"));
    place.configure("permission: {level: accept-edits}\n");
    let mut server = place.server("one");
    let level = |server: &mut kkcode_tests::TestServer| {
        server.command("kkcode.status", json!({})).unwrap()["level"].clone()
    };
    assert_eq!(level(&mut server), "accept-edits");
    place.configure("permission: {level: yolo}\n");
    assert_eq!(level(&mut server), "yolo", "a change counts at once");
    let set = server.command("kkcode.permission.setLevel", json!({"level": "readonly"})).unwrap();
    assert_eq!((set, level(&mut server)), (json!({"level": "readonly"}), json!("readonly")));
    start(&mut server, &json!({}));
    finished(&mut server, "Done.");
}

#[test]
fn what_another_agents_settings_forbid_is_forbidden_and_what_is_broken_there_closes() {
    let place = Place::new(&REFUSED.replace("REASON", "the level `readonly`"));
    fs::create_dir(place.work().join(".claude")).unwrap();
    fs::write(place.work().join(".claude/settings.json"), "{\n  broken").unwrap();
    let mut server = place.server("one");
    start(&mut server, &json!({"level": "yolo"}));
    let told = server.expect_notification("window/showMessage");
    assert!(told["message"].as_str().unwrap().contains(".claude/settings.json:2: permissions"), "{told}");
    finished(&mut server, "Done.");
}

#[test]
fn a_project_tightens_and_never_loosens() {
    let place = Place::new(&REFUSED.replace("REASON", "the level `readonly`"));
    place.configure("permission: {level: yolo}\n");
    let project = place.work().join(".kkcode/config.yaml");
    fs::write(&project, "permission: {level: readonly}\n").unwrap();
    let mut server = place.server("one");
    let set = server.command("kkcode.permission.setLevel", json!({"level": "yolo"})).unwrap();
    assert_eq!(set, json!({"level": "readonly"}));
    start(&mut server, &json!({"level": "yolo"}));
    finished(&mut server, "Done.");
    drop(server);

    let place = Place::new(super::READS);
    let loose = "permission: {level: yolo, rules: [{tool: '*', action: allow}]}\n";
    fs::write(place.work().join(".kkcode/config.yaml"), loose).unwrap();
    let mut server = place.server("one");
    start(&mut server, &json!({}));
    let prompt = super::asked(&mut server);
    assert!(super::answer(&mut server, &prompt, "allow_once"), "it is asked all the same");
    super::resolved(&mut server);
    finished(&mut server, "I have read it.");
    // What of it does not count was said.
    server.take_unread();
}

#[test]
fn a_key_that_cannot_be_read_fails_closed_and_is_named() {
    let place = Place::new(&REFUSED.replace("REASON", "the level `readonly`"));
    let mut server = place.server("one");
    server.command("kkcode.model.list", json!({})).unwrap();
    place.configure("permission:\n  level: yollo\n");
    start(&mut server, &json!({"level": "yolo"}));
    server.wait_for("what is wrong", |message| match message {
        kkcode_tests::Message::Notification { method, params } if method == "window/showMessage" => {
            let text = params["message"].as_str().unwrap();
            text.contains("config.yaml:5: `permission.level`").then_some(())
        }
        _ => None,
    });
    finished(&mut server, "Done.");
    server.take_unread();
}
