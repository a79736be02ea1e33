//! `config` and `doctor`: what is in effect and from where, what is wrong and where, what is missing and what to do.

use std::fs;

use serde_json::{Value, json};

use super::{World, errors};

const USER: &str = "\
provider:
  default: play
  play: {type: scripted, script: script.yaml}
  remote:
    type: anthropic
    api_key: sk-very-secret
    headers: {x-team: also-secret}
permission:
  level: accept-edits
";

fn world(config: &str) -> World {
    let world = World::new("turns: []");
    fs::write(world.dir.path().join("home/config.yaml"), config).unwrap();
    world
}

/// Returns the item of a list that has this name.
#[track_caller]
fn named<'a>(list: &'a Value, by: &str, name: &str) -> &'a Value {
    list.as_array()
        .unwrap()
        .iter()
        .find(|item| item[by] == name)
        .unwrap_or_else(|| panic!("{name} in {list}"))
}

#[test]
fn each_value_is_shown_with_its_origin_and_no_secret() {
    let world = world(USER);
    fs::write(world.work().join("kkcode.config.yaml"), "permission:\n  level: manual\n").unwrap();
    let report = world.json(&["config", "show"]);
    let file = |path: &str| world.dir.path().join(path).canonicalize().unwrap().display().to_string();
    let origin = |key: &str| named(&report["settings"], "key", key)["origin"].as_str().unwrap().to_owned();
    assert_eq!(named(&report["settings"], "key", "permission.level")["value"], "manual");
    assert!(
        origin("permission.level").contains(&format!("{}:2", file("work/kkcode.config.yaml"))),
        "{report}"
    );
    assert!(origin("provider.remote.type").ends_with("config.yaml:5"), "{report}");
    let files: Vec<&str> = report["files"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    let shown = world.done(&["config", "show"]);
    assert!(shown.contains("provider.remote.type = \"anthropic\"  "), "{shown}");
    for text in [shown, report.to_string()] {
        assert!(!text.contains("sk-very-secret") && !text.contains("also-secret"), "{text}");
    }
}

#[test]
fn what_is_wrong_is_named_with_file_line_and_key() {
    let world = world(USER);
    assert!(world.done(&["config", "check"]).starts_with("nothing is wrong with "));
    let config = "permission:\n  level: sometimes\n  levle: yolo\nagent:\n  max_steps: many\n";
    fs::write(world.dir.path().join("home/config.yaml"), config).unwrap();
    let (code, printed, _) = world.failed(&["config", "check", "--json"]);
    assert_eq!(code, 1);
    let report: Value = serde_json::from_str(&printed).unwrap();
    for (key, line, severity) in [
        ("permission.level", 2, "error"),
        ("permission.levle", 3, "warning"),
        ("agent.max_steps", 5, "error"),
    ] {
        let problem = named(&report["problems"], "key", key);
        assert_eq!(problem["severity"], severity);
        assert!(problem["origin"].as_str().unwrap().ends_with(&format!("config.yaml:{line}")), "{problem}");
    }
    let unknown = named(&report["problems"], "key", "permission.levle");
    assert!(unknown["message"].as_str().unwrap().contains("did you mean `permission.level`?"), "{unknown}");
    let (code, printed, _) = world.failed(&["config", "check"]);
    let first = printed.lines().next().unwrap();
    assert_eq!(code, 1);
    assert!(first.starts_with("error: ") && first.contains("config.yaml:2: `permission.level`"), "{printed}");

    fs::write(world.dir.path().join("home/config.yaml"), "permission: [\n").unwrap();
    let (code, printed, _) = world.failed(&["config", "check"]);
    assert_eq!((code, printed.contains("config.yaml:")), (1, true), "{printed}");
    let (code, _, errors) = world.failed(&["run", "go", "--json"]);
    let error: Value = serde_json::from_str(errors.lines().last().unwrap()).unwrap();
    assert_eq!((code, error["error"]["class"].is_string()), (1, true), "{errors}");
}

#[test]
fn the_schema_is_one_and_knows_what_the_check_knows() {
    let world = world(USER);
    let schema: Value = serde_json::from_str(&world.done(&["config", "schema"])).unwrap();
    assert_eq!(schema, world.json(&["config", "schema"]));
    assert!(schema["$schema"].as_str().unwrap().starts_with("https://json-schema.org/"), "{schema}");
    let levels = &schema["properties"]["permission"]["properties"]["level"]["enum"];
    assert_eq!(*levels, json!(["readonly", "manual", "accept-edits", "yolo"]));
}

#[test]
fn the_doctor_says_whether_a_turn_can_be_started() {
    let dead = "127.0.0.1:1";
    let world = world(USER);
    let doctor = |arguments: &[&str]| world.command(arguments).env("OLLAMA_HOST", dead).output().unwrap();
    let output = doctor(&["doctor", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["ready"]), (Some(0), &json!(true)), "{report}");
    assert_eq!(named(&report["checks"], "name", "model")["status"], "ok");
    #[cfg(target_os = "linux")]
    {
        let keyring = named(&report["checks"], "name", "keyring");
        assert_eq!(
            (&keyring["status"], keyring["advice"].is_string()),
            (&json!("missing"), true),
            "{keyring}"
        );
    }
    let ollama = named(&report["checks"], "name", "ollama");
    assert_eq!((&ollama["status"], ollama["advice"].is_string()), (&json!("missing"), true));

    fs::write(world.dir.path().join("home/config.yaml"), "{}\n").unwrap();
    let output = doctor(&["doctor"]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("NO model") && printed.contains("→ "), "{printed}");
    assert!(printed.ends_with("no turn can be started before that is mended\n"), "{printed}");
}

/// Starts a Secret Service of its own, unlocked and with its files in a folder that goes with the test, and keeps, finds, uses
/// and forgets a key there.
#[cfg(target_os = "linux")]
const ROUND: &str = r#"
printf password | gnome-keyring-daemon --unlock --components=secrets > "$HOME/keyring.env" || exit 77
printf 'sk-not-to-be-seen\n' | "$1" config key set play --json || exit 1
"$1" doctor --json || exit 2
"$1" config key forget play --json || exit 3
"$1" doctor --json || exit 4
"#;

#[cfg(target_os = "linux")]
#[test]
fn a_key_is_kept_found_and_forgotten_in_a_real_keyring() {
    use std::process::Command;

    let name = "cli::config::a_key_is_kept_found_and_forgotten_in_a_real_keyring";
    for program in ["gnome-keyring-daemon", "dbus-run-session"] {
        if Command::new(program).arg("--version").output().is_err() {
            return kkcode_tests::skip(name, &format!("{program} is not installed"));
        }
    }
    let world = World::new("turns: [{stream: [{text: Hello.}]}]");
    let home = world.dir.path().join("home");
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "sh", "-c", ROUND, "sh"]).arg(kkcode_tests::Binary::Server.path());
    command.env("HOME", &home).env("KKCODE_HOME", &home).env("XDG_DATA_HOME", home.join("data"));
    command.env("XDG_RUNTIME_DIR", &home).env_remove("DBUS_SESSION_BUS_ADDRESS").current_dir(world.work());
    let output = command.output().unwrap();
    let (said, wrong) = (String::from_utf8(output.stdout.clone()).unwrap(), errors(&output));
    if output.status.code() == Some(77) {
        return kkcode_tests::skip(name, "the Secret Service does not start here");
    }
    assert_eq!(output.status.code(), Some(0), "{said}{wrong}");
    assert!(!said.contains("sk-not-to-be-seen") && !wrong.contains("sk-not-to-be-seen"), "{said}{wrong}");
    let told: Vec<Value> =
        serde_json::Deserializer::from_str(&said).into_iter().collect::<Result<_, _>>().unwrap();
    assert_eq!(told[0], json!({"provider": "play", "kept": true}), "{wrong}");
    let keyring = |report: &Value| named(&report["checks"], "name", "keyring")["message"].clone();
    assert_eq!(keyring(&told[1]), "reached; it has the key of play", "{said}");
    assert_eq!(told[2], json!({"provider": "play", "forgotten": true}));
    assert_eq!(keyring(&told[3]), "reached; it has no key of a provider", "{said}");
}

/// There is no keyring in tests; on other systems than Linux there always is one, which is the user's.
#[cfg(target_os = "linux")]
#[test]
fn without_a_keyring_a_key_is_not_kept_and_not_shown() {
    use std::io::Write as _;
    use std::process::Stdio;

    let world = World::new("turns: []");
    let mut command = world.command(&["config", "key", "set", "anthropic"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"sk-not-to-be-seen\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = errors(&output);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{said}");
    assert!(said.contains("keyring") && said.contains("environment"), "{said}");
    assert!(!said.contains("sk-not-to-be-seen"), "{said}");

    let (code, _, said) = world.failed(&["config", "key", "set", "anthropic"]);
    assert!(code == 2 && said.contains("a key is one word"), "{said}");
    let (code, _, said) = world.failed(&["config", "key", "forget", "anthropic"]);
    assert!(code == 1 && said.contains("keyring"), "{said}");
}
