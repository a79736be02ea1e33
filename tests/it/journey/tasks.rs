//! Background tasks in editors: seen in every window, followed, cancelled, and what they propose is reviewed.

use std::fs;
use std::path::PathBuf;

use kkcode_tests::{Message, Options, TestServer};
use serde_json::{Value, json};

const LOUD: &str = "
turns:
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: two, after: TWO}}
  - stream: [{text: It is loud now.}]
";

/// A model that thinks for longer than any test waits.
const SLOW: &str = "turns: [{stream: [{text: Let me think.}, {delayMs: 600000}, {text: No.}]}]";

/// A home with a script, and a folder with a file.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new(script: &str) -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir_all(place.work()).unwrap();
        fs::create_dir_all(place.home()).unwrap();
        fs::write(place.home().join("script.yaml"), script).unwrap();
        let config = "provider: {play: {type: scripted, script: script.yaml}}\n";
        fs::write(place.home().join("config.yaml"), config).unwrap();
        fs::write(place.work().join("a.txt"), "one\ntwo\n").unwrap();
        place
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    fn server(&self, capabilities: Value) -> TestServer {
        let options = Options::new().home(self.home()).workspace(&self.work()).capabilities(capabilities);
        options.allow_unread().initialized()
    }
}

fn ours() -> Value {
    json!({"experimental": {"kkcode": {}}})
}

fn plain() -> Value {
    json!({"window": {"workDoneProgress": true}})
}

fn start(server: &mut TestServer) -> Value {
    server.command("kkcode.task.start", json!({"prompt": "be loud\nplease"})).unwrap()["taskId"].clone()
}

/// Returns what a notification of this method says.
fn said<'a>(message: &'a Message, wanted: &str) -> Option<&'a Value> {
    match message {
        Message::Notification { method, params } if method == wanted => Some(params),
        _ => None,
    }
}

/// Waits until a client of ours hears of a task with this status, and returns its record.
fn heard(server: &mut TestServer, status: &str) -> Value {
    server.wait_for(&format!("a task that is {status}"), |message| {
        said(message, "kkcode/task/didChange").filter(|params| params["task"]["status"] == status).cloned()
    })
}

fn progress(server: &mut TestServer, kind: &str) -> Value {
    server.wait_for(&format!("progress: {kind}"), |message| {
        said(message, "$/progress").filter(|params| params["value"]["kind"] == kind).cloned()
    })
}

#[test]
fn a_task_is_seen_in_every_window_and_its_proposal_is_reviewed_in_any() {
    let place = Place::new(LOUD);
    let (mut one, mut two) = (place.server(ours()), place.server(ours()));
    let task = start(&mut one);
    for server in [&mut one, &mut two] {
        let told = heard(server, "completed");
        let record = &told["task"];
        assert_eq!((&record["taskId"], &record["description"]), (&task, &json!("be loud")), "{told}");
        assert_eq!(record["result"]["reply"], "It is loud now.");
        let argument = json!({"proposalId": record["result"]["proposalIds"][0]});
        let proposal = server.command("kkcode.proposal.show", argument).unwrap();
        assert_eq!(proposal["files"][0]["hunks"][0]["newText"], "TWO\n", "{proposal}");
        let listed = server.command("kkcode.task.list", json!({"status": "completed"})).unwrap();
        assert_eq!(listed["tasks"][0]["taskId"], task);
        assert_eq!(server.command("kkcode.status", json!({})).unwrap()["tasks"]["running"], 0);
    }
    assert_eq!(fs::read_to_string(place.work().join("a.txt")).unwrap(), "one\ntwo\n");

    let shown = two.command("kkcode.task.show", json!({"taskId": task})).unwrap();
    assert_eq!((&shown["prompt"], &shown["isolation"]), (&json!("be loud\nplease"), &json!("none")));
    let all = two.command("kkcode.task.logs", json!({"taskId": task})).unwrap();
    let kinds: Vec<&str> =
        all["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"toolCalled") && kinds.last() == Some(&"taskChanged"), "{kinds:?}");
    let first = two.command("kkcode.task.logs", json!({"taskId": task, "limit": 1})).unwrap();
    let behind = json!({"taskId": task, "sinceSeq": first["nextSeq"]});
    let rest = two.command("kkcode.task.logs", behind).unwrap();
    assert_eq!(rest["events"].as_array().unwrap().len(), kinds.len() - 1);

    let argument = json!({"proposalId": shown["result"]["proposalIds"][0]});
    two.command("kkcode.proposal.accept", argument).unwrap();
    one.wait_for("the decision of the other window", |message| {
        said(message, "kkcode/proposal/didChange").filter(|params| params["state"] == "accepted").map(drop)
    });
    assert_eq!(fs::read_to_string(place.work().join("a.txt")).unwrap(), "one\nTWO\n");
    assert_eq!(two.command("kkcode.task.clean", json!({"olderThanDays": 1})).unwrap(), json!({"removed": 0}));
    assert_eq!(two.command("kkcode.task.clean", json!({"olderThanDays": 0})).unwrap(), json!({"removed": 1}));
    assert_eq!(one.command("kkcode.task.show", json!({"taskId": task})).unwrap_err().code, -32602);
}

#[test]
fn the_progress_of_a_task_cancels_it_also_in_a_window_that_came_later() {
    let place = Place::new(SLOW);
    let mut one = place.server(ours());
    let task = start(&mut one);
    heard(&mut one, "running");
    one.kill();

    let mut two = place.server(plain());
    let (id, params) = two.expect_request("window/workDoneProgress/create");
    let token = params["token"].clone();
    assert_eq!(token, json!(format!("kkcode-task-{}", task.as_str().unwrap())));
    two.respond(&id, Ok(Value::Null));
    let begun = progress(&mut two, "begin");
    assert_eq!((&begun["token"], &begun["value"]["title"]), (&token, &json!("kkcode: be loud")));
    two.notify("window/workDoneProgress/cancel", json!({"token": token}));
    assert_eq!(progress(&mut two, "end")["value"]["message"], "cancelled");
    let told = two.expect_notification("window/showMessage");
    assert_eq!(told["message"], "kkcode: the task “be loud” is cancelled");
    let record = two.command("kkcode.task.show", json!({"taskId": task})).unwrap();
    assert_eq!(
        (&record["status"], &record["interruptionReason"]),
        (&json!("cancelled"), &json!("user_cancel"))
    );
}

#[test]
fn what_a_task_cannot_be_is_said() {
    let place = Place::new(LOUD);
    let mut server = place.server(ours());
    let mut refused = |argument: Value| server.command("kkcode.task.start", argument).unwrap_err();
    assert_eq!(refused(json!({"prompt": " "})).code, -32602);
    assert_eq!(refused(json!({"prompt": "go", "timeoutMs": 10})).code, -32602);
    assert_eq!(refused(json!({"prompt": "go", "executionMode": "fork_context"})).code, -32602);
    assert_eq!(refused(json!({"prompt": "go", "mode": "longagent"})).code, -32803);
    let unknown = server.command("kkcode.task.cancel", json!({"taskId": "task_0"})).unwrap_err();
    assert!(unknown.code == -32602 && unknown.message.contains("there is no task `task_0`"), "{unknown:?}");
}
