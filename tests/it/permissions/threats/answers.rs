//! an answer is for what was shown, once, and for nothing that was put in its place.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use kkcode_tests::{Binary, Message, TestServer};
use serde_json::{Value, json};

use super::super::{Place, answer, asked, finished, resolved, start, text};

/// A place whose model calls these tools, one after the other.
fn calls(calls: &[(&str, Value)]) -> Place {
    let turn = |(name, input): &(&str, Value)| json!({"stream": [{"tool": {"name": name, "input": input}}]});
    let mut turns: Vec<Value> = calls.iter().map(turn).collect();
    turns.push(json!({"stream": [{"text": "Done."}]}));
    Place::new(&json!({"turns": turns}).to_string())
}

fn answered(server: &mut TestServer, asked: &Value, with: &str) {
    assert!(answer(server, asked, with), "{asked}");
    resolved(server);
}

fn open(server: &mut TestServer) -> Vec<Value> {
    let list = server.command("kkcode.permission.list", json!({})).unwrap();
    list["prompts"].as_array().unwrap().iter().map(|prompt| prompt["promptId"].clone()).collect()
}

#[test]
fn x10_an_answer_is_for_one_prompt_and_counts_once() {
    let place = calls(&[("mkdir", json!({"path": "build"}))]);
    let mut server = place.server("one");
    start(&mut server, &json!({}));
    let first = asked(&mut server);
    start(&mut server, &json!({}));
    let second = asked(&mut server);
    assert_ne!(first["origin"]["sessionId"], second["origin"]["sessionId"]);
    answered(&mut server, &first, "deny");
    finished(&mut server, "Done.");
    for again in ["allow_once", "allow_session", "allow_always", "deny"] {
        assert!(!answer(&mut server, &first, again), "{again}");
    }
    // The second asks for the very same, and waits on.
    assert_eq!(open(&mut server), [second["promptId"].clone()]);
    for forged in ["", "prompt_x", "*", second["origin"]["sessionId"].as_str().unwrap()] {
        let argument = json!({"promptId": forged, "answer": "allow_once"});
        let said = server.command("kkcode.permission.answer", argument);
        assert!(said.as_ref().map_or(true, |said| said["accepted"] == false), "{forged}: {said:?}");
    }
    assert_eq!(open(&mut server), [second["promptId"].clone()]);
    assert!(!place.work().join("build").exists() && !place.home().join("learned-rules.yaml").exists());
    answered(&mut server, &second, "allow_once");
    finished(&mut server, "Done.");
    assert!(place.work().join("build").exists());
}

#[test]
fn x10_what_is_allowed_for_a_session_is_that_call_to_the_byte() {
    let line = |line: &str| ("bash", json!({"command": line}));
    let allowed = [line("sh ./show.sh"), ("mkdir", json!({"path": "build"}))];
    let others = [
        line("sh ./show.sh "),
        line("sh  ./show.sh"),
        line("sh ./show.sh\n"),
        line("sh ./show.sh 1"),
        line("cd secret && sh ./show.sh"),
        line("A=1 sh ./show.sh"),
        ("mkdir", json!({"path": "Build"})),
        ("mkdir", json!({"path": "build2"})),
        ("mkdir", json!({"path": "secret/build"})),
    ];
    let place = calls(&[&allowed[..], &others[..], &allowed[..]].concat());
    fs::write(place.work().join("show.sh"), "echo ran >> ran.txt\n").unwrap();
    let mut server = place.server("one");
    start(&mut server, &json!({}));
    for _ in &allowed {
        let prompt = asked(&mut server);
        answered(&mut server, &prompt, "allow_session");
    }
    for (tool, input) in &others {
        let prompt = asked(&mut server);
        assert_eq!(prompt["tool"], *tool, "{input}: {prompt}");
        let shown = input.get("command").map_or(Value::Null, Clone::clone);
        assert_eq!(prompt.get("command").cloned().unwrap_or_default(), shown);
        answered(&mut server, &prompt, "deny");
    }
    // What was allowed is not asked again, and ends the turn.
    finished(&mut server, "Done.");
    let names: Vec<_> = fs::read_dir(place.work()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name == "Build" || name == "build2"), "{names:?}");
}

/// The diff that was shown is of a text that is no longer there: what came meanwhile stays, and the user sees what would become of it.
#[test]
fn x10_what_changes_between_question_and_answer_is_kept_and_shown_again() {
    for (meanwhile, becomes) in
        [("OTHER=9\nTOKEN=1\nMORE=3\n", Some("OTHER=9\nTOKEN=2\nMORE=3\n")), ("TOKEN=7\n", None), ("", None)]
    {
        let place = calls(&[
            ("read", json!({"path": ".env"})),
            ("edit", json!({"path": ".env", "before": "TOKEN=1", "after": "TOKEN=2"})),
        ]);
        let file = place.work().join(".env");
        let mut server = place.server("one");
        start(&mut server, &json!({}));
        let reads = asked(&mut server);
        answered(&mut server, &reads, "allow_once");
        let edits = asked(&mut server);
        assert_eq!(edits["diff"], "--- a/.env\n+++ b/.env\n@@ -1 +1 @@\n-TOKEN=1\n+TOKEN=2\n");
        fs::write(&file, meanwhile).unwrap();
        answered(&mut server, &edits, "allow_once");
        server.expect_notification("kkcode/turn/didFinish");
        assert_eq!(text(&file), meanwhile);
        let list = server.command("kkcode.proposal.list", json!({})).unwrap();
        for proposal in list["proposals"].as_array().unwrap() {
            let id = json!({"proposalId": proposal["proposalId"]});
            let shown = server.command("kkcode.proposal.show", id.clone()).unwrap();
            let diff = shown["files"][0]["unifiedDiff"].as_str().unwrap_or_default();
            assert!(becomes.is_none() || diff.contains(" OTHER=9\n-TOKEN=1\n+TOKEN=2\n MORE=3\n"), "{diff}");
            // Nothing of what came is lost by taking it, either.
            drop(server.command("kkcode.proposal.accept", id));
        }
        assert_eq!(text(&file), becomes.unwrap_or(meanwhile), "{list}");
        server.take_unread();
    }
}

/// Waits for a question; none if the turn has ended instead.
fn asked_or_ended(server: &mut TestServer) -> Option<Value> {
    let told = server.wait_for("a question, or the end", |message| match message {
        Message::Notification { method, params }
            if method == "kkcode/permission/didAsk" || method == "kkcode/turn/didFinish" =>
        {
            Some(params.clone())
        }
        _ => None,
    });
    told["promptId"].is_string().then_some(told)
}

/// A script is what it was when it was asked about.
#[test]
fn x10_a_script_that_changes_between_question_and_answer_is_asked_once_more() {
    for line in ["sh show.sh", "./show.sh"] {
        let place = calls(&[("bash", json!({"command": line}))]);
        let script = place.work().join("show.sh");
        fs::write(&script, "#!/bin/sh\necho first > ran.txt\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
        let mut server = place.server("one");
        start(&mut server, &json!({"level": "manual"}));
        let prompt = asked_or_ended(&mut server).expect("a question");
        fs::write(&script, "#!/bin/sh\necho other > ran.txt\n").unwrap();
        assert!(answer(&mut server, &prompt, "allow_once"));
        resolved(&mut server);
        let prompt = asked_or_ended(&mut server).expect("a second question");
        assert!(
            prompt["detail"].as_str().unwrap().contains("show.sh` has changed since you were asked"),
            "{prompt}"
        );
        assert!(answer(&mut server, &prompt, "deny"));
        resolved(&mut server);
        assert!(asked_or_ended(&mut server).is_none());
        assert!(!place.work().join("ran.txt").exists());
    }
}

/// What is removed, moved or copied is what stood there, not what a link that came meanwhile leads to.
#[test]
fn x10_a_link_that_comes_between_question_and_answer_leads_nowhere() {
    for (tool, input) in [
        ("remove", json!({"path": "secret", "recursive": true, "permanent": true})),
        ("remove", json!({"path": "secret/some.bin"})),
        ("move", json!({"from": "secret", "to": "taken"})),
        ("copy", json!({"from": "secret/some.bin", "to": "taken.bin"})),
        ("copy", json!({"from": "other.bin", "to": "secret/new.bin"})),
        ("mkdir", json!({"path": "secret/made"})),
        ("bash", json!({"command": "rm -r secret/some.bin; cp a.txt secret/new.txt"})),
    ] {
        let place = calls(&[(tool, input.clone())]);
        let outside = place.dir.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("some.bin"), [7, 0, 7]).unwrap();
        // What is no text is done by the tool itself, when the user lets it.
        fs::write(place.work().join("secret/some.bin"), [0, 1, 2]).unwrap();
        fs::write(place.work().join("other.bin"), [0, 3]).unwrap();
        let mut server = place.server("one");
        start(&mut server, &json!({"level": "manual"}));
        let prompt = asked_or_ended(&mut server).unwrap_or_else(|| panic!("{tool} {input} is not asked"));
        fs::rename(place.work().join("secret"), place.dir.path().join("was")).unwrap();
        symlink(&outside, place.work().join("secret")).unwrap();
        let mut open = Some(prompt);
        while let Some(prompt) = open {
            // It may have been judged once more and been refused by now, or be asked once more.
            answer(&mut server, &prompt, "allow_once");
            resolved(&mut server);
            open = asked_or_ended(&mut server);
        }
        let left: Vec<_> = fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["some.bin"], "{tool} {input}");
        assert_eq!(fs::read(outside.join("some.bin")).unwrap(), [7, 0, 7], "{tool} {input}");
        let taken = place.work().join("taken");
        assert!(taken.is_symlink() || !taken.join("some.bin").exists(), "{tool} {input}");
        let copied = fs::read(place.work().join("taken.bin")).unwrap_or_default();
        assert_ne!(copied, [7, 0, 7], "{tool} {input}");
        server.take_unread();
    }
}

#[test]
fn x10_a_learned_rule_that_somebody_widened_lifts_nothing_that_is_built_in() {
    let line = |line: &str| ("bash", json!({"command": line}));
    let denied = [
        line("rm -rf ~"),
        line("echo x > .git/config"),
        line("cat ~/.ssh/id_rsa"),
        ("write", json!({"path": "../outside.txt", "content": "x"})),
        ("read", json!({"path": "../home/config.yaml"})),
    ];
    for (wide, decision) in [("tool: bash, command_prefix: ''", "ask"), ("tool: bash", "allow")] {
        let place = calls(&[&[line("sh ./show.sh")][..], &denied[..]].concat());
        fs::write(place.work().join("show.sh"), "echo ran\n").unwrap();
        let learned = |(id, more): (&str, &str)| {
            let (work, at) = (place.work(), "2026-01-01T00:00:00Z");
            format!("- {{id: {id}, workspace: '{}', created_at: '{at}', {more}}}\n", work.display())
        };
        let rules = [
            ("rule_a", wide),
            ("rule_b", "tool: '*', file_patterns: ['**', '/**', '../**']"),
            ("rule_c", "tool: bash, command_prefix: rm"),
        ];
        let text = rules.into_iter().map(learned).collect::<String>();
        fs::write(place.home().join("learned-rules.yaml"), format!("rules:\n{text}")).unwrap();
        let mut server = place.server("one");
        // The user sees them as they are.
        let list = server.command("kkcode.permission.list", json!({})).unwrap();
        let shown: Vec<&Value> =
            list["rules"].as_array().unwrap().iter().map(|rule| &rule["ruleId"]).collect();
        assert_eq!(shown, ["rule_a", "rule_b", "rule_c"]);
        start(&mut server, &json!({}));
        // One with an empty prefix covers no command, one without any covers all that may be allowed.
        if let Some(prompt) = asked_or_ended(&mut server) {
            assert_eq!(prompt["command"], "sh ./show.sh");
            answered(&mut server, &prompt, "deny");
            finished(&mut server, "Done.");
        }
        let mut audit = Command::new(Binary::Server.path());
        audit.args(["audit", "list", "--json"]).current_dir(place.work());
        audit.env("HOME", place.home()).env("KKCODE_HOME", place.home());
        let rows: Value = serde_json::from_slice(&audit.output().unwrap().stdout).unwrap();
        let of = |line: bool| {
            let is_line = move |row: &&Value| row.to_string().contains("show.sh") == line;
            rows.as_array().unwrap().iter().filter(is_line).map(|row| row["decision"].as_str().unwrap())
        };
        assert_eq!(of(true).next(), Some(decision), "{rows}");
        assert_eq!(of(false).collect::<Vec<_>>(), ["deny"; 5], "{rows}");
    }
}
