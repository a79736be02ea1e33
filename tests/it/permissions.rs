//! The user is asked: by real servers, in every client, one answer.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use kkcode_tests::{Options, TestServer};
use serde_json::{Value, json};

mod beside;
mod clients;
mod heard;
mod levels;
mod meanwhile;
mod questions;
mod rules;
mod settings;
mod several;
mod shell_command;
mod shell_refused;
mod shell_sandbox;
mod shown;
mod terminal;
mod threats;
mod unseen;
mod ways_round;

/// A model that reads a file which is asked, and says so.
const READS: &str = "
turns:
  - stream: [{tool: {name: read, input: {path: .env}}}]
  - expect: [TOKEN=1]
    stream: [{text: I have read it.}]
";

/// A model that is told no.
const REFUSED: &str = "
turns:
  - stream: [{tool: {name: read, input: {path: .env}}}]
  - expect: ['denied by the user, who says: look at the example']
    stream: [{text: I have not.}]
";

/// A home with a script, and a folder with an ordinary file and one that is asked.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new(script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["home", "work/.kkcode", "work/secret"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        let place = Self { dir };
        fs::write(place.home().join("script.yaml"), script).unwrap();
        place.configure("");
        for (name, text) in [(".env", "TOKEN=1\n"), ("a.txt", "one\n"), ("secret/b.txt", "one secret\n")] {
            fs::write(place.work().join(name), text).unwrap();
        }
        place
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// Gives the user a configuration, with what stands behind the provider.
    fn configure(&self, more: &str) {
        let provider = "provider:\n  default: play\n  play: {type: scripted, script: script.yaml}\n";
        fs::write(self.home().join("config.yaml"), format!("{provider}{more}")).unwrap();
    }

    fn options(&self, name: &str) -> Options {
        Options::new()
            .home(self.home())
            .workspace(&self.work())
            .param("clientInfo", json!({"name": name}))
            .ignore("kkcode/turn/didUpdate")
            .ignore("kkcode/proposal/didChange")
            .ignore("window/logMessage")
    }

    /// A client that knows our notifications.
    fn server(&self, name: &str) -> TestServer {
        self.options(name).capabilities(json!({"experimental": {"kkcode": {}}})).initialized()
    }

    /// One that does not.
    fn plain(&self, name: &str) -> TestServer {
        self.options(name).initialized()
    }
}

fn start(server: &mut TestServer, more: &Value) -> Value {
    let mut argument = json!({"prompt": "go on"});
    argument.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.command("kkcode.turn.start", argument).unwrap()
}

fn answer(server: &mut TestServer, asked: &Value, answer: &str) -> bool {
    let argument = json!({"promptId": asked["promptId"], "answer": answer});
    server.command("kkcode.permission.answer", argument).unwrap()["accepted"].as_bool().unwrap()
}

fn asked(server: &mut TestServer) -> Value {
    server.expect_notification("kkcode/permission/didAsk")
}

fn resolved(server: &mut TestServer) -> Value {
    server.expect_notification("kkcode/permission/didResolve")
}

fn finished(server: &mut TestServer, reply: &str) {
    let finished = server.expect_notification("kkcode/turn/didFinish");
    assert_eq!((&finished["status"], &finished["reply"]), (&json!("completed"), &json!(reply)), "{finished}");
}

fn titles(asked: &Value) -> Vec<&str> {
    asked["options"].as_array().unwrap().iter().map(|option| option["answer"].as_str().unwrap()).collect()
}

#[test]
fn a_turn_waits_until_it_is_answered_and_once_is_once() {
    let place = Place::new(READS);
    let mut server = place.server("one");
    let started = start(&mut server, &json!({}));
    let prompt = asked(&mut server);
    assert_eq!(prompt["title"], "read .env");
    assert!(prompt["detail"].as_str().unwrap().contains("may hold secrets"), "{prompt}");
    assert_eq!(titles(&prompt), ["allow_once", "allow_session", "deny"]);
    assert_eq!(prompt["origin"]["turnId"], started["turnId"]);
    let turn = server.command("kkcode.turn.show", json!({"turnId": started["turnId"]})).unwrap();
    assert_eq!(turn["status"], "waiting");
    let list = server.command("kkcode.permission.list", json!({})).unwrap();
    assert_eq!(list["prompts"][0]["promptId"], prompt["promptId"]);
    let refused = json!({"promptId": prompt["promptId"], "answer": "allow_always"});
    assert_eq!(server.command("kkcode.permission.answer", refused).unwrap_err().code, -32803);
    assert!(answer(&mut server, &prompt, "allow_once"));
    let told = resolved(&mut server);
    assert_eq!((&told["answer"], &told["by"]), (&json!("allow_once"), &json!("one")));
    finished(&mut server, "I have read it.");
    assert!(!answer(&mut server, &prompt, "deny"), "a late answer is ignored");
    let events = server.call("kkcode/events/since", json!({"seq": 0}));
    let kinds: Vec<&Value> =
        events["events"].as_array().unwrap().iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["permissionAsked", "permissionResolved", "turnFinished"]);
}

#[test]
fn a_no_is_told_to_the_model_with_what_the_user_says() {
    let place = Place::new(REFUSED);
    let mut server = place.server("one");
    start(&mut server, &json!({}));
    let prompt = asked(&mut server);
    let argument =
        json!({"promptId": prompt["promptId"], "answer": "deny", "feedback": "look at the example"});
    server.command("kkcode.permission.answer", argument).unwrap();
    assert_eq!(resolved(&mut server)["answer"], "deny");
    finished(&mut server, "I have not.");
}

#[test]
fn what_is_allowed_for_a_session_is_asked_no_more_in_it_also_after_a_kill() {
    let again = "  - stream: [{tool: {name: read, input: {path: .env}}}]\n  \
                 - expect: [TOKEN=1]\n    stream: [{text: And again.}]\n";
    let place = Place::new(&format!("{READS}{again}"));
    let mut server = place.server("one");
    let started = start(&mut server, &json!({}));
    let prompt = asked(&mut server);
    assert!(answer(&mut server, &prompt, "allow_session"));
    resolved(&mut server);
    finished(&mut server, "I have read it.");
    server.kill();
    let mut server = place.server("one");
    start(&mut server, &json!({"sessionId": started["sessionId"]}));
    finished(&mut server, "And again.");
    fs::write(place.home().join("script.yaml"), READS).unwrap();
    start(&mut server, &json!({}));
    let prompt = asked(&mut server);
    assert!(answer(&mut server, &prompt, "allow_once"), "another session asks for itself");
    resolved(&mut server);
    finished(&mut server, "I have read it.");
}

#[test]
fn what_a_cancelled_turn_asked_is_withdrawn() {
    let place = Place::new(READS);
    let mut server = place.server("one");
    let started = start(&mut server, &json!({}));
    let prompt = asked(&mut server);
    server.command("kkcode.turn.cancel", json!({"turnId": started["turnId"]})).unwrap();
    let told = resolved(&mut server);
    assert_eq!((&told["answer"], &told["by"]), (&json!("deny"), &json!("cancel")));
    let finished = server.expect_notification("kkcode/turn/didFinish");
    assert_eq!(finished["status"], "cancelled");
    assert!(!answer(&mut server, &prompt, "allow_once"));
}

/// Returns the text of a file.
fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}
