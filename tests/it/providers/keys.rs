//! Wherever a key comes from, it goes into the header of a request and nowhere else: no log, no message, no row of the store, no
//! record, no folder of a task, no environment of a command has it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use kkcode_tests::{Binary, Message, Options, TestServer};
use serde_json::{Value, json};

use super::loopback::{Loopback, answer, calls, says};
use super::waits::world;

const KEY: &str = "sk-for-the-header-alone-7c1f";

/// The same in base64, as it stands in credentials.
const KEY_IN_BASE64: &str = "c2stZm9yLXRoZS1oZWFkZXItYWxvbmUtN2MxZg";

/// Shows the environment of a command.
const LOOK: &str = "env; tr '\\0' '\\n' < /proc/self/environ";

/// Shows those of all processes that it can reach, too; only a sandbox keeps the server's from it.
const LOOK_AROUND: &str = "env; for file in /proc/[0-9]*/environ; do tr '\\0' '\\n' < $file; done 2>&1";

/// What a home with a key is made of.
struct Place {
    model: Loopback,
    dir: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
    /// The one file in which the user has written the key.
    written: Option<PathBuf>,
}

impl Place {
    /// Makes one whose configuration has these members for the provider; its model has commands run, and refuses a key by showing it.
    fn new(members: &Value) -> Self {
        let line = if has_sandbox() { LOOK_AROUND } else { LOOK };
        let refusal = json!({"error": {"message": format!("{KEY} is not a key of ours"), "type": "authentication_error"}});
        let look = || calls("bash", &json!({"command": line, "description": "look around"}));
        let model = Loopback::start(vec![
            look(),
            answer("401 Unauthorized", "content-type: application/json\r\n", &refusal.to_string()),
            look(),
            says("Done."),
        ]);
        let dir = world(&model.base());
        let file = dir.path().join("home/config.json");
        let mut config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        config["permission"] = json!({"level": "yolo"});
        let far = config["provider"]["far"].as_object_mut().unwrap();
        far.remove("api_key");
        far.insert("record".into(), json!("records"));
        far.extend(members.as_object().unwrap().clone());
        fs::write(file, config.to_string()).unwrap();
        fs::create_dir(dir.path().join("tmp")).unwrap();
        // Everything that is said about the requests is in the log.
        let environment = vec![("KKCODE_LOG", "trace".to_owned()), ("TMPDIR", path(&dir, "tmp"))];
        Self { model, dir, environment, written: None }
    }

    fn server(&self) -> TestServer {
        let mut options = Options::new()
            .home(self.dir.path().join("home"))
            .workspace(&self.dir.path().join("work"))
            .capabilities(json!({"experimental": {"kkcode": {"protocolVersion": 1}}}));
        for (name, value) in &self.environment {
            options = options.env(*name, value);
        }
        options.allow_unread().initialized()
    }

    /// Runs a command of the command line, and returns all that it says.
    fn said(&self, arguments: &[&str], input: &str) -> String {
        let mut command = Command::new(Binary::Server.path());
        let home = self.dir.path().join("home");
        command.args(arguments).current_dir(self.dir.path().join("work")).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("HOME", &home).env("KKCODE_HOME", &home);
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/kkcode-tests");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut process = command.spawn().unwrap();
        process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = process.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        text(&output.stdout) + &text(&output.stderr)
    }

    /// Waits for a request that has the key where it belongs, and has it nowhere else.
    #[track_caller]
    fn is_asked_with_the_key(&self) -> Value {
        let (head, body) = self.model.request_with_head();
        assert!(head.to_lowercase().contains(&format!("authorization: bearer {KEY}\r\n")), "{head}");
        assert_clean("a request", &body.to_string());
        body
    }

    /// Looks into every file below, but for the one that the user has written.
    #[track_caller]
    fn nothing_was_written(&self) {
        let mut folders = vec![self.dir.path().to_owned()];
        let mut names = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                } else if path.is_file() && self.written.as_ref() != Some(&path) {
                    assert_clean(
                        &path.display().to_string(),
                        &String::from_utf8_lossy(&fs::read(&path).unwrap()),
                    );
                    names.push(path.display().to_string());
                }
            }
        }
        for part in ["state.db", "records/"] {
            assert!(names.iter().any(|name| name.contains(part)), "{part}: {names:?}");
        }
    }

    /// Has a turn and a task use the key, and looks at all that is left of them.
    fn check(&self, prepare: impl FnOnce(&mut TestServer)) {
        let mut server = self.server();
        prepare(&mut server);
        server.command("kkcode.turn.start", json!({"prompt": "look around"})).unwrap();
        let mut heard = Vec::new();
        let finished = hear(&mut server, &mut heard, |method, params| {
            (method == "kkcode/turn/didFinish").then(|| params.clone())
        });
        assert_eq!(finished["error"]["class"], "auth", "{finished}");
        let message = finished["error"]["message"].as_str().unwrap();
        assert!(message.contains("[key] is not a key of ours"), "{message}");
        self.is_asked_with_the_key();
        self.has_looked();

        let task =
            server.command("kkcode.task.start", json!({"prompt": "look again", "level": "yolo"})).unwrap();
        let ended = hear(&mut server, &mut heard, |method, params| {
            let status = params["task"]["status"].as_str()?;
            let has_ended = method == "kkcode/task/didChange" && !["pending", "running"].contains(&status);
            has_ended.then(|| params["task"].clone())
        });
        assert_eq!((&ended["status"], &ended["taskId"]), (&json!("completed"), &task["taskId"]), "{ended}");
        self.is_asked_with_the_key();
        self.has_looked();

        let log = server.command("kkcode.task.logs", json!({"taskId": task["taskId"]})).unwrap();
        assert_clean("the log of the task", &log.to_string());
        self.nothing_was_written();
        server.shutdown();
        heard.extend(server.take_unread().iter().map(|message| format!("{message:?}")));
        assert_clean("what the editor heard", &heard.concat());
        assert_clean("the log", &server.stderr());
        assert!(server.stderr().contains("TRACE"), "the log tells everything");
        for arguments in
            [&["doctor", "--json"][..], &["config", "show"], &["audit", "list"], &["task", "list"]]
        {
            assert_clean(&format!("{arguments:?}"), &self.said(arguments, ""));
        }
        self.nothing_was_written();
    }

    /// Waits for the request in which the model is told what a command has seen of its environment.
    #[track_caller]
    fn has_looked(&self) {
        let body = self.is_asked_with_the_key();
        let result = &body["messages"].as_array().unwrap().last().unwrap()["content"];
        let result = result.as_str().unwrap();
        assert!(result.contains("PATH=") && result.contains("KKCODE=1"), "{result}");
        assert!(!result.contains("FAR_KEY") && !result.contains("OPENAI_API_KEY"), "{result}");
    }
}

/// Tells whether commands can be bounded here.
fn has_sandbox() -> bool {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(Binary::Server.path());
    command.args(["doctor", "--json"]).env("HOME", home.path()).env("KKCODE_HOME", home.path());
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/kkcode-tests");
    let report: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    checks.iter().any(|check| check["name"] == "sandbox" && check["status"] == "ok")
}

/// Waits for a notification, and keeps what it and those before it say.
fn hear(
    server: &mut TestServer,
    heard: &mut Vec<String>,
    mut wanted: impl FnMut(&str, &Value) -> Option<Value>,
) -> Value {
    loop {
        let (found, shown) = server.wait_for("a notification", |message| match message {
            Message::Notification { method, params } => {
                Some((wanted(method, params), format!("{message:?}")))
            }
            _ => None,
        });
        heard.push(shown);
        if let Some(found) = found {
            return found;
        }
    }
}

fn path(dir: &tempfile::TempDir, name: &str) -> String {
    dir.path().join(name).display().to_string()
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for form in [KEY, KEY_IN_BASE64] {
        if let Some(at) = text.find(form) {
            let (start, end) =
                (text.floor_char_boundary(at.saturating_sub(200)), text.ceil_char_boundary(at + 100));
            panic!("{what} has the key: {}", text.get(start..end).unwrap_or_default());
        }
    }
}

#[test]
fn a_key_of_the_environment_is_nowhere_else() {
    let mut place = Place::new(&json!({"api_key_env": "OPENAI_API_KEY"}));
    place.environment.push(("OPENAI_API_KEY", KEY.to_owned()));
    place.check(|_| {});
}

#[test]
fn a_key_of_a_variable_that_the_configuration_names_is_nowhere_else() {
    let mut place = Place::new(&json!({"api_key_env": "FAR_KEY"}));
    place.environment.push(("FAR_KEY", KEY.to_owned()));
    place.check(|_| {});
}

#[test]
fn a_key_of_the_editor_is_nowhere_else() {
    Place::new(&json!({"api_key_env": "FAR_KEY"})).check(|server| {
        let given = server.request("kkcode/secret/set", json!({"provider": "far", "key": KEY})).unwrap();
        assert_eq!(given, json!({}));
    });
}

#[test]
fn a_key_of_a_dot_env_file_stays_in_it() {
    let mut place = Place::new(&json!({}));
    let file = place.dir.path().join("home/.env");
    fs::write(&file, format!("KKCODE_PROVIDER__FAR__API_KEY={KEY}\n")).unwrap();
    place.written = Some(file);
    place.check(|_| {});
}

#[test]
fn a_key_of_the_configuration_stays_in_it() {
    let mut place = Place::new(&json!({"api_key": KEY}));
    place.written = Some(place.dir.path().join("home/config.json"));
    place.check(|_| {});
}

/// A Secret Service of its own, unlocked, whose files are in a folder of the test.
struct SecretService {
    process: Child,
    address: String,
}

impl SecretService {
    /// Starts it; says why it cannot.
    fn start(folder: &Path) -> Result<Self, String> {
        let script = "printf password | gnome-keyring-daemon --unlock --components=secrets > /dev/null || exit 1\n\
                      echo \"$DBUS_SESSION_BUS_ADDRESS\"; read -r _";
        let mut command = Command::new("dbus-run-session");
        command.args(["--", "sh", "-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.env("HOME", folder).env("XDG_DATA_HOME", folder.join("data")).env("XDG_RUNTIME_DIR", folder);
        command.env_remove("DBUS_SESSION_BUS_ADDRESS").stderr(Stdio::null());
        let mut process = command.spawn().map_err(|error| format!("dbus-run-session: {error}"))?;
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).unwrap();
        if address.trim().is_empty() {
            process.wait().unwrap();
            return Err("the Secret Service does not start here".to_owned());
        }
        Ok(Self { process, address: address.trim().to_owned() })
    }
}

impl Drop for SecretService {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().ok();
    }
}

#[test]
fn a_key_of_the_keyring_is_nowhere_else() {
    let mut place = Place::new(&json!({"api_key_env": "FAR_KEY"}));
    let folder = place.dir.path().join("keyring");
    fs::create_dir(&folder).unwrap();
    let service = match SecretService::start(&folder) {
        Ok(service) => service,
        Err(why) => return kkcode_tests::skip("providers::keys::a_key_of_the_keyring_is_nowhere_else", &why),
    };
    place.environment.push(("DBUS_SESSION_BUS_ADDRESS", service.address.clone()));
    let kept = place.said(&["config", "key", "set", "far"], &format!("{KEY}\n"));
    assert!(kept.contains("far"), "{kept}");
    assert_clean("config key set", &kept);
    place.check(|_| {});
}
