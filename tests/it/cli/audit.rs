//! The audit on the command line: every decision is there, and a changed one is named.

use serde_json::{Value, json};

use super::World;

/// A model that wants to see what is asked: without a terminal that is a no.
const SCRIPT: &str = r#"
turns:
  - stream: [{tool: {name: read, input: {path: .env}}}]
  - stream: [{text: Done.}]
"#;

#[test]
fn what_was_decided_is_listed_and_proved() {
    let world = World::new(SCRIPT);
    std::fs::write(world.work().join(".env"), "TOKEN=hunter2\n").unwrap();
    assert_eq!(world.json(&["audit", "list"]), json!([]));
    assert_eq!(world.json(&["audit", "verify"])["whole"], true);
    assert_eq!(world.done(&["audit", "list"]), "nothing was asked or decided\n");

    let report = world.json(&["run", "go"]);
    let session = report["sessionId"].as_str().unwrap();
    let rows = world.json(&["audit", "list"]);
    let rows = rows.as_array().unwrap();
    assert!(!rows.is_empty(), "{report}");
    for row in rows {
        assert_eq!((&row["session"], &row["tool"]), (&json!(session), &json!("read")), "{row}");
    }
    assert!(!json!(rows).to_string().contains("hunter2"), "{rows:?}");
    assert_eq!(world.json(&["audit", "list", "--session", session]).as_array().unwrap().len(), rows.len());
    assert_eq!(world.json(&["audit", "list", "--session", "other"]), json!([]));
    assert_eq!(world.json(&["audit", "list", "--since", "1h"]).as_array().unwrap().len(), rows.len());
    assert_eq!(world.json(&["audit", "list", "--since", "2999-01-01T00:00:00Z"]), json!([]));
    assert!(world.done(&["audit", "list"]).contains("read: "));

    let verified = world.json(&["audit", "verify"]);
    assert_eq!((&verified["whole"], &verified["rows"]), (&json!(true), &json!(rows.len())));
    let (code, _, errors) = world.failed(&["audit", "list", "--since", "soon"]);
    assert!(code == 2 && errors.contains("an age such as"), "{errors}");

    // Whoever says that there was more is believed: what is missing was cut off.
    let head = json!({"seq": rows.len() + 1, "hash": "00"}).to_string();
    std::fs::write(world.dir.path().join("home/audit-head.json"), head).unwrap();
    let (code, printed, _) = world.failed(&["audit", "verify", "--json"]);
    let verified: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((code, &verified["brokenRow"]), (1, &json!(rows.len() + 1)), "{verified}");
}

/// A model that does one thing of each kind.
const EACH: &str = r#"
turns:
  - stream: [{tool: {name: read, input: {path: a.txt}}}]
  - stream: [{tool: {name: read, input: {path: ../outside.txt}}}]
  - stream: [{tool: {name: sysinfo, input: {}}}]
  - stream: [{tool: {name: mkdir, input: {path: build}}}]
  - stream: [{tool: {name: bash, input: {command: "echo API_TOKEN=hunter2 && make all"}}}]
  - stream: [{tool: {name: bash, input: {command: "rm -rf /"}}}]
  - stream: [{text: Done.}]
"#;

#[test]
fn every_question_decision_and_refusal_is_one_row_without_its_secrets() {
    let world = World::new(EACH);
    std::fs::write(world.work().join("a.txt"), "one\n").unwrap();
    world.json(&["run", "go"]);
    let rows = world.json(&["audit", "list"]);
    let told: Vec<String> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let words = ["event", "tool", "decision"].map(|key| row[key].as_str().unwrap());
            words.join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "decided read allow",
            "decided read deny",
            "decided sysinfo allow",
            "asked mkdir ask",
            "decided mkdir deny",
            "asked bash ask",
            "decided bash deny",
            "decided bash deny",
        ],
        "{rows}"
    );
    assert!(rows.to_string().contains("API_TOKEN=[removed] && make all"), "{rows}");
    assert!(!rows.to_string().contains("hunter2"), "{rows}");
    assert_eq!(world.json(&["audit", "verify"])["whole"], true);
}
