//! A task from its start to its proposal.

use kkcode_tests::Message;

use super::*;

#[test]
fn a_task_outlives_its_command_and_proposes_what_it_made() {
    let world = World::new(0);
    let id = world.start(&["--description", "loud"]);
    let task = world.end(&id);
    assert_eq!(task["status"], "completed", "{task}");
    assert_eq!(task["description"], "loud");
    assert_eq!(task["result"]["reply"], "Done.");
    assert_eq!(world.text(), TEXT, "nothing is applied");
    let proposal = task["result"]["proposalIds"][0].as_str().unwrap();
    let shown = world.json(&["proposal", "show", proposal]);
    let diff = shown["files"][0]["unifiedDiff"].as_str().unwrap();
    assert!(diff.contains("-two\n+TWO\n"), "{diff}");
    world.nothing_is_left();

    let log = world.log(&id);
    let seqs: Vec<u64> = log.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert!(seqs.is_sorted_by(|one, other| one < other), "{seqs:?}");
    assert_eq!(statuses(&log), ["pending", "running", "completed"]);
    let tools: Vec<&Value> = log.iter().filter(|event| event["kind"] == "toolCalled").collect();
    assert_eq!(tools.len(), 2, "{log:?}");
    assert_eq!(tools[1]["title"], "edit a.txt");
}

#[test]
fn a_level_that_allows_edits_writes_none() {
    let world = World::new(0);
    let id = world.start(&["--level", "yolo"]);
    assert_eq!(world.end(&id)["status"], "completed");
    assert_eq!(world.text(), TEXT);
}

#[test]
fn what_the_user_changes_meanwhile_stays_and_the_proposal_moves() {
    let world = World::new(600);
    let id = world.start(&[]);
    world.worker(&id);
    fs::write(world.work().join("a.txt"), format!("zero\n{TEXT}")).unwrap();
    let task = world.end(&id);
    let proposal = task["result"]["proposalIds"][0].as_str().unwrap();
    world.json(&["proposal", "accept", proposal]);
    assert_eq!(world.text(), "zero\none\nTWO\nthree\n");
}

#[test]
fn everybody_who_follows_a_task_sees_the_same() {
    let world = World::new(600);
    let capabilities = json!({"experimental": {"kkcode": {"protocolVersion": 1}}});
    let server = || {
        let options = Options::new().home(world.home()).workspace(&world.work()).allow_unread();
        options.capabilities(capabilities.clone()).initialized()
    };
    let mut servers = [server(), server()];
    let id = world.start(&[]);
    let watchers: Vec<Child> =
        (0..3).map(|_| follow(&world, &["task", "logs", &id, "--follow", "--json"])).collect();
    world.end(&id);
    for server in &mut servers {
        let status = |message: &Message| match message {
            Message::Notification { method, params } if method == "kkcode/task/didChange" => {
                Some(params["task"]["status"].as_str()?.to_owned())
            }
            _ => None,
        };
        let mut seen = Vec::new();
        while seen.last().is_none_or(|last| last != "completed") {
            seen.push(server.wait_for("the end of the task", status));
        }
        seen.dedup();
        assert!(
            ["pending", "running", "completed"]
                .ends_with(&seen.iter().map(String::as_str).collect::<Vec<_>>()),
            "{seen:?}"
        );
    }
    // What a client that was away is told is the same in all of them.
    let [first, second] =
        servers.map(|mut server| server.call("kkcode/events/since", json!({"seq": 0}))["events"].take());
    assert_eq!(first, second);
    assert!(!first.as_array().unwrap().is_empty());
    let log: Vec<(Value, Value)> =
        world.log(&id).iter().map(|event| (event["seq"].clone(), event["kind"].clone())).collect();
    for watcher in watchers {
        let output = watcher.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let seen: Vec<(Value, Value)> = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|event| (event["seq"].clone(), event["kind"].clone()))
            .collect();
        assert_eq!(seen, log);
    }
}

#[test]
fn a_failure_of_the_model_is_the_error_of_the_task() {
    let world =
        World::with_script("turns:\n  - stream:\n      - error: {class: auth, message: who are you}\n");
    let id = world.start(&[]);
    let task = world.end(&id);
    assert_eq!((&task["status"], &task["error"]["class"]), (&"error".into(), &"auth".into()), "{task}");
}

#[test]
fn a_task_that_waits_for_an_answer_says_so_and_any_command_may_cancel_it() {
    let script = "
turns:
  - stream:
      - tool: {name: question, input: {questions: [{id: color, text: Which color?}]}}
  - stream:
      - text: Done.
";
    let world = World::with_script(script);
    let id = world.start(&[]);
    world.until("it waits", &format!("SELECT status = 'waiting' FROM task WHERE id = '{id}'"));
    let task = world.show(&id);
    assert_eq!(task["waitingFor"]["kind"], "question", "{task}");
    assert!(task["waitingFor"]["questionId"].is_string());
    let task = world.json(&["task", "cancel", &id]);
    assert_eq!((&task["status"], &task["interruptionReason"]), (&"cancelled".into(), &"user_cancel".into()));
    world.nothing_is_left();
}

#[test]
fn a_task_without_its_key_waits_for_it_and_keeps_no_process() {
    let world = World::new(0);
    let provider = "provider:\n  cloud: {type: anthropic, default_model: m, api_key_env: NOT_SET, base_url: 'http://127.0.0.1:9'}\n";
    fs::write(world.home().join("config.yaml"), provider).unwrap();
    let id = world.start(&[]);
    world.until("it waits", &format!("SELECT status = 'waiting' FROM task WHERE id = '{id}'"));
    world.nothing_is_left();
    let task = world.show(&id);
    assert_eq!(task["waitingFor"], serde_json::json!({"kind": "key", "provider": "cloud"}), "{task}");
    assert_eq!(world.json(&["task", "cancel", &id])["status"], "cancelled");
}

#[test]
fn a_task_begins_with_the_conversation_that_it_is_forked_from() {
    let world = World::with_script(
        "turns:\n  - stream: [{text: First.}]\n  - expect: [second]\n    stream: [{text: Second.}]\n",
    );
    let first = world.json(&["run", "the first"]);
    let session = first["sessionId"].as_str().unwrap();
    let id = world.json(&["task", "start", "the second", "--fork", session])["taskId"]
        .as_str()
        .unwrap()
        .to_owned();
    let task = world.end(&id);
    assert_eq!(task["result"]["reply"], "Second.", "{task}");
    assert_ne!(task["sessionId"], session);
}

#[test]
fn a_command_of_a_task_is_in_the_sandbox() {
    let script = "
turns:
  - stream:
      - tool: {name: bash, input: {command: 'if cat /proc/$PPID/environ > /dev/null; then echo open; else echo shut; fi'}}
  - expect: ['shut']
    stream: [{text: Done.}]
";
    let world = World::with_script(script);
    let report = world.output(&["doctor"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let sandbox =
        report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "sandbox").unwrap();
    if sandbox["status"] != "ok" {
        let name = "tasks::run::a_command_of_a_task_is_in_the_sandbox";
        return kkcode_tests::skip(name, &sandbox["message"].to_string());
    }
    let task = world.end(&world.start(&["--level", "yolo"]));
    assert_eq!(task["status"], "completed", "{task}");
}

#[test]
fn who_waits_on_a_terminal_sees_what_the_tasks_do() {
    let test = "who_waits_on_a_terminal_sees_what_the_tasks_do";
    if !Terminal::is_possible() {
        return skip(test, "there is no tmux");
    }
    let script = "
turns:
  - stream:
      - tool: {name: read, input: {path: a.txt}}
  - stream:
      - waitFor: go
      - text: Done.
";
    let world = World::with_script(script);
    let ids = [
        world.start(&["--description", "The first\u{1b}[2J one"]),
        world.start(&["--description", "The second"]),
    ];
    let home = world.home();
    let wait = format!(
        "cd '{}'; HOME='{home}' KKCODE_HOME='{home}' '{}' task wait {}; echo ended with $?; exec cat",
        world.work().display(),
        world.program.display(),
        ids.join(" "),
        home = home.display(),
    );
    let terminal = Terminal::start(world.dir.path(), (80, 24), &["sh", "-c", &wait]);
    terminal.shows(&["[2J one · read a.txt", "s  The second · read a.txt"]);
    fs::write(home.join("go"), "").unwrap();
    terminal.shows(&["ended with 0"]);
    let screen = terminal.text();
    assert!(ids.iter().all(|id| screen.contains(&format!("{id}  completed"))), "{screen}");
    assert!(!screen.contains("· read a.txt"), "the lines are gone: {screen}");
}

#[test]
fn a_level_that_is_chosen_holds_for_tasks_that_run_and_those_that_wait() {
    let script = "
turns:
  - stream:
      - waitFor: go
      - tool: {name: bash, input: {command: touch made}}
  - expect: ['(level readonly)']
    stream: [{text: I only look.}]
";
    let world = World::with_script(script);
    world.configure("background: {max_parallel: 1}\n");
    let (running, waiting) = (world.start(&["--level", "yolo"]), world.start(&["--level", "yolo"]));
    world.worker(&running);
    // Somewhere else another level says nothing here.
    let elsewhere = tempfile::tempdir().unwrap();
    let server =
        |folder: &Path| Options::new().home(world.home()).workspace(folder).allow_unread().initialized();
    let set = |server: &mut kkcode_tests::TestServer, level: &str| {
        server.command("kkcode.permission.setLevel", json!({"level": level})).unwrap();
    };
    set(&mut server(elsewhere.path()), "manual");
    assert_eq!(world.show(&running)["level"], "yolo");
    set(&mut server(&world.work()), "readonly");
    let told = "SELECT count(*) FROM task_event WHERE body LIKE '%the level is `readonly` from now on%'";
    world.until("the worker knows it", told);
    fs::write(world.home().join("go"), "").unwrap();
    for task in [running, waiting] {
        let ended = world.end(&task);
        assert_eq!(
            (&ended["status"], &ended["result"]["reply"]),
            (&json!("completed"), &json!("I only look.")),
            "{ended}"
        );
    }
}
