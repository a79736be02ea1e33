//! What a folder brings along counts when the user trusts it; when it does not, that is said.

use std::fs;

use serde_json::{Value, json};

use super::{World, errors};

/// A folder with instructions and a configuration of its own, which names another model.
fn world() -> World {
    let world = World::new("turns:\n  - stream: [{text: The user's model.}]\n");
    fs::write(
        world.dir.path().join("home/theirs.yaml"),
        "turns:\n  - stream: [{text: The project's model.}]\n",
    )
    .unwrap();
    fs::create_dir(world.work().join(".kkcode")).unwrap();
    let config = "provider: {default: theirs, theirs: {type: scripted, script: theirs.yaml}}\n";
    fs::write(world.work().join(".kkcode/config.yaml"), config).unwrap();
    fs::write(world.work().join("AGENTS.md"), "Be brief.\n").unwrap();
    world
}

/// Runs a turn and returns its reply and what was said beside it.
fn run(world: &World) -> (Value, String) {
    let output = world.command(&["run", "go", "--json"]).env("KKCODE_LOG", "info").output().unwrap();
    assert!(output.status.success(), "{}", errors(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    (report["reply"].clone(), errors(&output))
}

#[test]
fn a_folder_counts_as_long_as_it_is_trusted() {
    let world = world();
    let (reply, said) = run(&world);
    assert_eq!(reply, "The user's model.");
    assert!(said.contains("AGENTS.md is passed over") && said.contains("`kkcode-lsp trust grant`"), "{said}");
    assert!(said.contains(".kkcode/config.yaml:1") && said.contains("is not used"), "{said}");

    assert_eq!(world.json(&["trust", "grant"])["trusted"], json!(true));
    let (reply, said) = run(&world);
    assert_eq!(reply, "The project's model.");
    assert!(said.contains("instructions are read") && !said.contains("passed over"), "{said}");
    assert!(!said.contains("is not used"), "{said}");

    assert_eq!(world.json(&["trust", "revoke"])["trusted"], json!(false));
    assert_eq!(run(&world).0, "The user's model.");
}

#[test]
fn config_and_doctor_say_whether_a_folder_counts() {
    let world = world();
    let setting = |report: &Value, key: &str| {
        let settings = report["settings"].as_array().unwrap().iter();
        settings.clone().find(|setting| setting["key"] == key).map(|setting| setting["value"].clone())
    };
    let trust = |report: &Value| {
        let checks = report["checks"].as_array().unwrap().iter();
        checks.clone().find(|check| check["name"] == "trust").unwrap()["status"].clone()
    };
    assert_eq!(setting(&world.json(&["config", "show"]), "provider.default"), None);
    assert_eq!(trust(&world.json(&["doctor"])), "missing");
    world.done(&["trust", "grant"]);
    assert_eq!(setting(&world.json(&["config", "show"]), "provider.default"), Some(json!("theirs")));
    assert_eq!(trust(&world.json(&["doctor"])), "ok");
}
