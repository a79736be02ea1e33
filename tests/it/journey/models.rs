//! Which model is asked, the keys that an editor keeps, and a configuration that changes while the server runs.

use std::fs;

use serde_json::{Value, json};

use super::{World, capabilities};

const TWO: &str = "provider:\n  default: play\n  play: {type: scripted, script: script.yaml, models: [one, two]}\n  \
                   keyed: {type: openai-compatible, base_url: 'https://example.com', api_key_env: NO_SUCH_KEY, default_model: m}\n";

#[test]
fn models_are_listed_and_selected() {
    let mut world = World::new();
    fs::write(world.dir.path().join("home/config.yaml"), TWO).unwrap();
    let list = world.server.command("kkcode.model.list", json!({})).unwrap();
    assert_eq!(list["selected"], "play/one");
    let names: Vec<_> = list["models"].as_array().unwrap().iter().map(|model| &model["model"]).collect();
    assert_eq!(names, ["play/one", "play/two", "keyed/m"]);
    assert!(list["models"][2]["unavailable"].as_str().unwrap().contains("NO_SUCH_KEY is not set"), "{list}");
    let selected = world.server.command("kkcode.model.select", json!({"model": "two"})).unwrap();
    assert_eq!(selected, json!({"model": "play/two"}));
    let status = world.server.command("kkcode.status", json!({})).unwrap();
    assert_eq!((&status["model"], &status["provider"]), (&json!("play/two"), &json!("play")));
    let refused = world.server.command("kkcode.model.select", json!({"model": "keyed/m"})).unwrap_err();
    assert_eq!(refused.code, -32803);
    assert!(refused.message.contains("NO_SUCH_KEY is not set"), "{refused}");
    world.done();
}

#[test]
fn a_key_from_the_editor_is_used_and_never_seen_again() {
    let mut world = World::new();
    fs::write(world.dir.path().join("home/config.yaml"), TWO).unwrap();
    let key = "sk-only-in-memory";
    let set = world.server.request("kkcode/secret/set", json!({"provider": "keyed", "key": key})).unwrap();
    assert_eq!(set, json!({}));
    let list = world.server.command("kkcode.model.list", json!({})).unwrap();
    assert_eq!(list["models"][2], json!({"model": "keyed/m", "provider": "keyed"}));
    world.turn();
    let mut folders = vec![world.dir.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                let bytes = fs::read(&path).unwrap();
                assert!(!bytes.windows(key.len()).any(|part| part == key.as_bytes()), "{}", path.display());
            }
        }
    }
    assert!(!world.server.stderr().contains(key));
    let taken = world.server.request("kkcode/secret/set", json!({"provider": "keyed", "key": ""})).unwrap();
    assert_eq!(taken, json!({}));
    let list = world.server.command("kkcode.model.list", json!({})).unwrap();
    assert!(list["models"][2]["unavailable"].is_string(), "{list}");
    world.done();
}

#[test]
fn a_changed_configuration_counts_at_once_and_a_bad_one_is_told() {
    let mut world = World::new();
    let file = world.dir.path().join("home/config.yaml");
    let selected =
        |world: &mut World| world.server.command("kkcode.model.list", json!({})).unwrap()["selected"].clone();
    assert_eq!(selected(&mut world), "play");
    fs::write(&file, TWO).unwrap();
    assert_eq!(selected(&mut world), "play/one");
    let uri = format!("file://{}", file.display());
    fs::write(&file, "provider:\n  default: 7\n").unwrap();
    world.server.notify("textDocument/didSave", json!({"textDocument": {"uri": uri}}));
    let message = world.server.expect_notification("window/showMessage");
    let message = message["message"].as_str().unwrap();
    assert!(message.contains("config.yaml:2: `provider.default` must be a text, not 7"), "{message}");
    assert!(message.contains("the configuration from before stays in force"), "{message}");
    assert_eq!(selected(&mut world), "play/one");
    fs::write(&file, TWO).unwrap();
    let settings = json!({"kkcode": {"models": {"main": "play/two"}}});
    world.server.notify("workspace/didChangeConfiguration", json!({"settings": settings}));
    assert_eq!(selected(&mut world), "play/two");
    world.done();
}

#[test]
fn a_client_that_is_asked_for_its_settings_is_heard() {
    let mut capabilities = capabilities();
    capabilities["workspace"]["configuration"] = json!(true);
    let mut world = World::with(super::SCRIPT, capabilities);
    fs::write(world.dir.path().join("home/config.yaml"), TWO).unwrap();
    world.server.notify("workspace/didChangeConfiguration", json!({"settings": null}));
    let (id, params) = world.server.expect_request("workspace/configuration");
    assert_eq!(params, json!({"items": [{"section": "kkcode"}]}));
    world.server.respond(&id, Ok(json!([{"models": {"main": 7}}])));
    let message = world.server.expect_notification("window/showMessage");
    let message = message["message"].as_str().unwrap();
    assert!(message.contains("the editor's settings: `models.main` must be a text"), "{message}");
    world.done();
}

#[test]
fn a_turn_asks_before_it_goes_beyond_its_budget() {
    let mut world = World::new();
    let budget = "provider:\n  default: play\n  play: {type: scripted, script: script.yaml}\n\
                  usage: {budget: {turn_tokens: 1}}\n";
    fs::write(world.dir.path().join("home/config.yaml"), budget).unwrap();
    let script = "turns:\n  - stream:\n      - tool: {name: list, input: {}}\n      - usage: {inputTokens: 5, outputTokens: 5}\n  \
                  - stream:\n      - text: never said\n";
    fs::write(world.dir.path().join("home/script.yaml"), script).unwrap();
    let started = world.server.command("kkcode.turn.start", json!({"prompt": "look"})).unwrap();
    let asked = world.server.expect_notification("kkcode/question/didAsk");
    let question = &asked["questions"][0];
    assert_eq!(question["text"], "this turn has used 10 tokens; its budget is 1. Go on, as far again?");
    let labels: Vec<&Value> =
        question["options"].as_array().unwrap().iter().map(|option| &option["label"]).collect();
    assert_eq!(labels, ["Go on", "Stop"]);
    let turn = json!({"turnId": started["turnId"]});
    let waits = world.server.command("kkcode.turn.show", turn.clone()).unwrap();
    assert_eq!(waits["status"], "waiting");
    let answers = json!({question["id"].as_str().unwrap(): question["options"][1]["value"]});
    let argument = json!({"questionId": asked["questionId"], "answers": answers});
    assert_eq!(world.server.command("kkcode.question.answer", argument).unwrap(), json!({"accepted": true}));
    world.server.expect_notification("kkcode/question/didResolve");
    let finished = world.server.expect_notification("kkcode/turn/didFinish");
    assert_eq!(finished["status"], "budget_exhausted");
    assert_eq!(finished["error"]["class"], "budget");
    let shown = world.server.command("kkcode.turn.show", turn).unwrap();
    assert_eq!(shown["usage"], json!({"inputTokens": 5, "outputTokens": 5}));
    let status = world.server.command("kkcode.status", json!({})).unwrap();
    assert_eq!(status["usageToday"], json!({"inputTokens": 5, "outputTokens": 5}));
    world.done();
}
