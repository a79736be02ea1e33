//! what a model or a user writes to move a cursor, to turn letters round or to hide some is shown as what it is, in prompts and on terminals.

use std::fs;
use std::process::{Command, Stdio};

use kkcode_tests::{Binary, Message, TestServer, skip};
use serde_json::{Value, json};

use super::super::{Place, answer, resolved, start};

/// A title for the window, a cleared screen, letters that run backwards, one without width, and a line that is begun anew.
const SPOOF: &str = "a\u{1b}]0;EVIL\u{7}\u{1b}[2J\u{202e}b\u{200b}c\rd\u{9b}31m";

/// What must never reach a terminal or a prompt as it is.
const UNSEEN: [&str; 6] = ["\u{1b}]0;", "\u{1b}[2J", "\u{202e}", "\u{200b}", "\u{7}", "\u{9b}"];

fn assert_shown(what: &str, text: &str) {
    let raw: Vec<_> = UNSEEN.iter().filter(|unseen| text.contains(**unseen)).collect();
    assert!(raw.is_empty(), "{what} has {raw:?}: {text:?}");
}

/// Runs a command of the command line with a terminal as its stdout, and returns the bytes that the terminal gets.
fn on_terminal(place: &Place, arguments: &[&str]) -> String {
    let quoted: Vec<String> = arguments.iter().map(|word| format!("'{word}'")).collect();
    let line = format!("'{}' {}", Binary::Server.path().display(), quoted.join(" "));
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(place.work());
    command
        .env("HOME", place.home())
        .env("KKCODE_HOME", place.home())
        .env("TERM", "xterm-256color")
        .stdin(Stdio::null());
    String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
}

/// Writes a script. YAML takes none of the letters as they are.
fn script(turns: &Value) -> String {
    let escaped = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) };
    turns.to_string().chars().map(escaped).collect()
}

fn a_question_is_shown(place: &Place, server: &mut TestServer) {
    let options = json!([{"value": SPOOF, "label": SPOOF}, {"value": "b", "label": "b"}]);
    let input = json!({"questions": [{"id": "q", "text": SPOOF, "options": options}]});
    let turns = json!({"turns": [{"stream": [{"tool": {"name": "question", "input": input}}]}]});
    fs::write(place.home().join("script.yaml"), script(&turns)).unwrap();
    let started = start(server, &json!({}));
    let told = server.expect_notification("kkcode/question/didAsk");
    let question = &told["questions"][0];
    for text in [&told["title"], &question["text"], &question["options"][0]["label"]] {
        assert_shown("a question", text.as_str().unwrap());
    }
    server.command("kkcode.turn.cancel", json!({"turnId": started["turnId"]})).unwrap();
    server.expect_notification("kkcode/turn/didFinish");
}

#[test]
fn x08_what_cannot_be_seen_is_shown_in_prompts_and_on_terminals() {
    if !Command::new("script").arg("-V").output().is_ok_and(|output| output.status.success()) {
        return skip("x08_what_cannot_be_seen_is_shown_in_prompts_and_on_terminals", "there is no script");
    }
    let call = |name: &str, input: Value| json!({"stream": [{"tool": {"name": name, "input": input}}]});
    let turns = json!({"turns": [
        call("bash", json!({"command": format!("make '{SPOOF}'"), "description": SPOOF})),
        call("bash", json!({"command": "make x", "description": SPOOF})),
        call("mkdir", json!({"path": SPOOF})),
        call("write", json!({"path": format!("x{SPOOF}"), "content": SPOOF})),
        {"stream": [{"text": SPOOF}]},
    ]});
    let place = Place::new(&script(&turns));
    let mut server = place
        .options("one")
        .capabilities(json!({"experimental": {"kkcode": {}}}))
        .allow_unread()
        .initialized();
    let started = start(&mut server, &json!({"prompt": SPOOF}));
    let mut asked = 0;
    loop {
        let told = server.wait_for("a question, or the end", |message| match message {
            Message::Notification { method, params }
                if method == "kkcode/permission/didAsk" || method == "kkcode/turn/didFinish" =>
            {
                Some(params.clone())
            }
            _ => None,
        });
        if told["promptId"].is_null() {
            break;
        }
        asked += 1;
        for key in ["title", "detail"] {
            assert_shown(key, told[key].as_str().unwrap_or_default());
        }
        let list = on_terminal(&place, &["permission", "list"]);
        assert_shown("permission list", &list.replace('\u{200b}', ""));
        answer(&mut server, &told, "deny");
        resolved(&mut server);
    }
    assert_eq!(asked, 1, "one command is asked, what is not shown as it is is refused");
    a_question_is_shown(&place, &mut server);
    fs::write(place.home().join("script.yaml"), script(&turns)).unwrap();
    let task = server.command("kkcode.task.start", json!({"prompt": SPOOF, "level": "readonly"})).unwrap();
    let task = task["taskId"].as_str().unwrap();
    on_terminal(&place, &["task", "wait", task, "--timeout-ms", "20000"]);
    let session = started["sessionId"].as_str().unwrap();
    for arguments in [
        &["audit", "list"][..],
        &["permission", "list"],
        &["session", "list"],
        &["session", "show", session],
        &["task", "list"],
        &["task", "show", task],
        &["task", "logs", task],
        &["task", "wait", task],
        &["proposal", "list"],
        &["run", SPOOF],
    ] {
        let shown = on_terminal(&place, arguments);
        // A letter without width hides nothing in a line of a terminal, and holds pictures together.
        assert_shown(&format!("{arguments:?}"), &shown.replace('\u{200b}', ""));
    }
}
