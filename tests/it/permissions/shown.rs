//! What a prompt says: everything once, the command byte for byte, the change as a diff, and where it comes from.

use serde_json::{Value, json};

use super::{Place, READS, answer, asked, finished, resolved, start};

fn text<'a>(prompt: &'a Value, key: &str) -> &'a str {
    prompt[key].as_str().unwrap_or_else(|| panic!("{key} of {prompt}"))
}

#[test]
fn the_detail_says_what_the_title_has_not_said() {
    let place = Place::new(READS);
    let mut server = place.server("one");
    start(&mut server, &json!({}));
    let prompt = asked(&mut server);
    assert_eq!(text(&prompt, "title"), "read .env");
    assert!(!text(&prompt, "detail").starts_with(".env"), "{prompt}");
    assert_eq!((&prompt["command"], &prompt["diff"]), (&Value::Null, &Value::Null));
    assert!(answer(&mut server, &prompt, "allow_once"));
    resolved(&mut server);
    finished(&mut server, "I have read it.");
}

#[cfg(unix)]
#[test]
fn a_command_is_shown_whole() {
    let line = "make one &&\n  make 'two  three'";
    let call = json!({"name": "bash", "input": {"command": line, "description": "build it"}});
    let script = json!({"turns": [
        {"stream": [{"tool": call}]},
        {"expect": ["denied by the user"], "stream": [{"text": "Not built."}]},
    ]});
    let place = Place::new(&script.to_string());
    let mut server = place.server("one");
    start(&mut server, &json!({}));
    let prompt = asked(&mut server);
    assert_eq!(text(&prompt, "command"), line);
    assert!(text(&prompt, "title").starts_with("run a command: build it"), "{prompt}");
    assert!(text(&prompt, "detail").starts_with(line), "{prompt}");
    assert!(answer(&mut server, &prompt, "deny"));
    resolved(&mut server);
    finished(&mut server, "Not built.");
}

#[test]
fn an_edit_that_is_asked_shows_what_it_would_change() {
    let place = Place::new(
        "
turns:
  - stream: [{tool: {name: read, input: {path: .env}}}]
  - stream: [{tool: {name: edit, input: {path: .env, before: TOKEN=1, after: TOKEN=2}}}]
  - expect: ['denied by the user']
    stream: [{text: Not changed.}]
",
    );
    let mut server = place.server("one");
    start(&mut server, &json!({}));
    let reads = asked(&mut server);
    assert!(answer(&mut server, &reads, "allow_once"));
    resolved(&mut server);
    let edits = asked(&mut server);
    assert_eq!(text(&edits, "diff"), "--- a/.env\n+++ b/.env\n@@ -1 +1 @@\n-TOKEN=1\n+TOKEN=2\n");
    let list = server.command("kkcode.permission.list", json!({})).unwrap();
    assert_eq!(list["prompts"][0]["diff"], edits["diff"]);
    assert!(answer(&mut server, &edits, "deny"));
    resolved(&mut server);
    finished(&mut server, "Not changed.");
}

#[test]
fn the_prompt_of_a_task_names_it() {
    let place = Place::new(READS);
    let mut server = place.options("one").ignore("kkcode/task/didChange").ignore("kkcode/turn/didFinish");
    let mut server = {
        server = server.capabilities(json!({"experimental": {"kkcode": {}}}));
        server.initialized()
    };
    let started = server.command("kkcode.task.start", json!({"prompt": "go on"})).unwrap();
    let prompt = asked(&mut server);
    assert_eq!(prompt["origin"]["taskId"], started["taskId"], "{started} {prompt}");
    assert!(answer(&mut server, &prompt, "deny"));
    resolved(&mut server);
    server.take_unread();
}
