//! Tasks that an agent gives away: the scripted model of the agent is one, that of its subagents another.

use super::*;

/// Makes a world in which the agent and its subagents follow a script each.
fn world(agent: &str, subagent: &str) -> World {
    let world = World::with_script(agent);
    let config = "models: {main: play/scripted, subagent: sub/scripted}\nprovider:\n  \
                  play: {type: scripted, script: script.yaml}\n  sub: {type: scripted, script: sub.yaml}\n";
    fs::write(world.home().join("config.yaml"), config).unwrap();
    fs::write(world.home().join("sub.yaml"), subagent).unwrap();
    world
}

/// Ends when the test lets it.
const FINDS: &str = "turns:\n  - stream:\n      - waitFor: go\n      - text: Found it.\n";

fn run(world: &World) -> Value {
    let run = world.json(&["run", "go", "--level", "yolo"]);
    assert_eq!(run["status"], "completed", "{run}");
    run
}

#[test]
fn a_reply_comes_back_and_edits_are_a_proposal() {
    let agent = "
turns:
  - stream:
      - tool: {name: task, input: {prompt: make it loud, description: loud}}
  - expect: [\"ended: completed]\", \"description: loud\", \"Loud now.\"]
    stream: [{text: All done.}]
";
    let subagent = "
turns:
  - expect: [make it loud]
    stream:
      - tool: {name: read, input: {path: a.txt}}
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: two, after: TWO}}
  - stream: [{text: Loud now.}]
";
    let world = world(agent, subagent);
    run(&world);
    assert_eq!(world.text(), TEXT, "nothing of a subagent is applied");
    let tasks = world.json(&["task", "list"]);
    let task = &tasks["tasks"][0];
    assert_eq!((&task["status"], &task["description"]), (&"completed".into(), &"loud".into()), "{tasks}");
    let proposal = task["result"]["proposalIds"][0].as_str().unwrap();
    world.json(&["proposal", "accept", proposal]);
    assert_eq!(world.text(), "one\nTWO\nthree\n");
    world.nothing_is_left();
}

#[test]
fn tools_that_were_not_given_and_files_outside_of_the_scope_are_refused() {
    let agent = "
turns:
  - stream:
      - tool: {name: task, input: {prompt: look, subagent_type: explore}}
  - expect: [Refused.]
    stream:
      - tool: {name: task, input: {prompt: write, write_scope: src}}
  - expect: [Refused too.]
    stream: [{text: All done.}]
";
    let subagent = "
turns:
  - stream:
      - tool: {name: write, input: {path: b.txt, content: quiet}}
  - expect: [refused]
    stream: [{text: Refused.}]
";
    let world = world(agent, subagent);
    // The second subagent has all tools, and is refused by its scope.
    fs::write(
        world.home().join("sub.yaml"),
        subagent.replace("text: Refused.", "text: Refused. Refused too."),
    )
    .unwrap();
    run(&world);
    let tasks = world.json(&["task", "list"]);
    for task in tasks["tasks"].as_array().unwrap() {
        assert_eq!(task["result"]["proposalIds"].as_array().map_or(0, Vec::len), 0, "{task}");
    }
    let log: String = world.sql("SELECT group_concat(body, char(10)) FROM task_event");
    assert!(log.contains("was not given the tool `write`"), "{log}");
    assert!(log.contains("outside of the write scope"), "{log}");
}

#[test]
fn a_task_in_the_background_is_told_once_also_in_a_later_turn() {
    let agent = "
turns:
  - stream:
      - tool: {name: task, input: {prompt: look, run_in_background: true}}
  - expect: [it runs in the background]
    stream: [{text: Later.}]
  - expect: [\"ended: completed]\", Found it.]
    stream: [{text: Thanks.}]
  - expect: [once more]
    stream: [{text: Nothing new.}]
";
    let world = world(agent, FINDS);
    let first = run(&world);
    fs::write(world.home().join("go"), "").unwrap();
    let session = first["sessionId"].as_str().unwrap();
    let tasks = world.json(&["task", "list"]);
    world.end(tasks["tasks"][0]["taskId"].as_str().unwrap());
    let more = ["run", "anything?", "--session", session, "--level", "yolo"];
    let told = world.json(&more);
    assert_eq!(told["status"], "completed", "{told}");
    let again = world.json(&["run", "once more", "--session", session, "--level", "yolo"]);
    assert_eq!(again["status"], "completed", "{again}");
    let count = "SELECT count(*) FROM message WHERE body LIKE '%ended: completed]%'";
    assert_eq!(world.sql::<i64>(count), 1);
}

/// Gives away a task that takes long, in the background; returns its id and the session of the agent.
fn given_away(world: &World) -> (String, String) {
    let session = run(world)["sessionId"].as_str().unwrap().to_owned();
    let tasks = world.json(&["task", "list"]);
    (tasks["tasks"][0]["taskId"].as_str().unwrap().to_owned(), session)
}

const GIVES_AWAY: &str = "
turns:
  - stream:
      - tool: {name: task, input: {prompt: look, description: a look, run_in_background: true}}
  - expect: [it runs in the background]
    stream: [{text: Later.}]
";

const TAKES_LONG: &str = "turns:\n  - stream:\n      - text: Looking around.\n      - delayMs: 600000\n";

#[test]
fn an_agent_looks_at_its_task_and_ends_it() {
    let world = world(GIVES_AWAY, TAKES_LONG);
    let (id, session) = given_away(&world);
    let more = format!(
        "
  - expect: [go on]
    stream: [{{tool: {{name: task_list, input: {{}}}}}}]
  - expect: [\"{id} \", \"general: a look\"]
    stream: [{{tool: {{name: task_get, input: {{task_id: {id}}}}}}}]
  - expect: [\"task_id: {id}\", \"status: \"]
    stream: [{{tool: {{name: background_output, input: {{task_id: {id}}}}}}}]
  - expect: [\"[it is \"]
    stream: [{{tool: {{name: task_stop, input: {{task_id: {id}}}}}}}]
  - stream: [{{tool: {{name: task_get, input: {{task_id: task_none}}}}}}]
  - expect: [you have started nothing that is called]
    stream: [{{text: Ended it.}}]
  # When its end is told while the turn still runs.
  - stream: [{{text: Ended it.}}]
"
    );
    fs::write(world.home().join("script.yaml"), format!("{GIVES_AWAY}{more}")).unwrap();
    let told = world.json(&["run", "go on", "--session", &session, "--level", "yolo"]);
    assert_eq!(told["status"], "completed", "{told}");
    let task = world.end(&id);
    assert_eq!(
        (&task["status"], &task["interruptionReason"]),
        (&"cancelled".into(), &"remote_cancel".into()),
        "{task}"
    );
    world.nothing_is_left();
}

#[test]
fn nobody_looks_at_the_tasks_of_another_conversation() {
    let world = world(GIVES_AWAY, TAKES_LONG);
    let (id, _) = given_away(&world);
    let stranger = format!(
        "
turns:
  - stream: [{{tool: {{name: task_stop, input: {{task_id: {id}}}}}}}]
  - expect: [you have started nothing that is called]
    stream: [{{tool: {{name: task_list, input: {{}}}}}}]
  - expect: [you have given no tasks away]
    stream: [{{text: None.}}]
"
    );
    fs::write(world.home().join("script.yaml"), stranger).unwrap();
    run(&world);
    let status = world.show(&id)["status"].clone();
    assert!(status == "running" || status == "pending", "{status}");
    world.json(&["task", "cancel", &id]);
    assert_eq!(world.end(&id)["status"], "cancelled");
    world.nothing_is_left();
}

#[test]
fn a_group_begins_without_those_that_cannot_and_each_end_is_told_once() {
    let agent = "
turns:
  - stream:
      - tool:
          name: task_group
          input:
            group_label: looks
            tasks:
              - {prompt: look here, description: here}
              - {prompt: write there, write_scope: /etc}
              - {prompt: look there, description: there, task_id: third}
  - expect: [\"status: partial_error\", \"lane_1: task_id task_\", \"lane_2: error: \", \"third: task_id task_\"]
    stream: [{text: Later.}]
  - expect: [\"description: here\", \"description: there\", Found it.]
    stream: [{text: Thanks.}]
  - expect: [once more]
    stream: [{text: Nothing new.}]
";
    let world = world(agent, FINDS);
    let session = run(&world)["sessionId"].as_str().unwrap().to_owned();
    fs::write(world.home().join("go"), "").unwrap();
    let tasks = world.json(&["task", "list"]);
    let ids: Vec<&str> =
        tasks["tasks"].as_array().unwrap().iter().map(|task| task["taskId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2, "{tasks}");
    for id in ids {
        let task = world.end(id);
        assert_eq!((&task["status"], &task["groupLabel"]), (&"completed".into(), &"looks".into()), "{task}");
    }
    for prompt in ["anything?", "once more"] {
        let told = world.json(&["run", prompt, "--session", &session, "--level", "yolo"]);
        assert_eq!(told["status"], "completed", "{told}");
    }
    let told = "SELECT coalesce(sum((length(body) - length(replace(body, 'ended: completed]', ''))) / 17), 0) \
                FROM message";
    assert_eq!(world.sql::<i64>(told), 2);
    world.nothing_is_left();
}

#[test]
fn a_task_that_is_waited_for_ends_with_the_turn_that_waits() {
    let agent = "turns:\n  - stream:\n      - tool: {name: task, input: {prompt: look}}\n";
    let world = world(agent, TAKES_LONG);
    let mut waits = world.command(&["run", "go", "--level", "yolo"]).spawn().unwrap();
    world.until("the task of the agent", "SELECT count(*) FROM task WHERE status = 'running'");
    let id = world.json(&["task", "list"])["tasks"][0]["taskId"].as_str().unwrap().to_owned();
    signal(Pid::from_child(&waits), Signal::INT);
    waits.wait().unwrap();
    let task = world.end(&id);
    assert_eq!(
        (&task["status"], &task["interruptionReason"]),
        (&"cancelled".into(), &"user_cancel".into()),
        "{task}"
    );
    world.nothing_is_left();
}

#[test]
fn a_subagent_gives_tasks_away_only_where_somebody_could_begin_them() {
    let agent = "
turns:
  - stream:
      - tool: {name: task, input: {prompt: hand it on}}
  - expect: [\"ended: completed]\", Did it myself.]
    stream: [{text: All done.}]
";
    let subagent = "
turns:
  - stream:
      - tool: {name: task, input: {prompt: deeper}}
  - expect: [no task can begin now, background.max_parallel]
    stream: [{text: Did it myself.}]
";
    let world = world(agent, subagent);
    let config = fs::read_to_string(world.home().join("config.yaml")).unwrap();
    fs::write(world.home().join("config.yaml"), format!("{config}background: {{max_parallel: 1}}\n"))
        .unwrap();
    run(&world);
    assert_eq!(world.json(&["task", "list"])["tasks"].as_array().unwrap().len(), 1);
    world.nothing_is_left();
}

#[test]
fn a_subagent_may_begin_with_the_whole_conversation() {
    let agent = "
turns:
  - stream:
      - tool: {name: read, input: {path: a.txt}}
  - stream:
      - tool: {name: task, input: {prompt: what was it?, inherit_context: true, write_scope: read-only}}
  - expect: [\"ended: completed]\", \"It was two.\"]
    stream: [{text: So it was.}]
";
    let says = "  - expect: [what was it?]\n    stream: [{text: It was two.}]\n";
    // The conversation that it begins with counts.
    let world = world(agent, &format!("turns:\n{}", says.repeat(4)));
    let session = run(&world)["sessionId"].as_str().unwrap().to_owned();
    let task = &world.json(&["task", "list"])["tasks"][0];
    let own = task["sessionId"].as_str().unwrap();
    assert_ne!(own, session);
    let read = |session: &str| {
        world.sql::<i64>(&format!(
            "SELECT count(*) FROM message WHERE session = '{session}' AND body LIKE '%three%'"
        ))
    };
    assert_eq!((read(&session), read(own)), (1, 1), "what was read is in both");
}

#[test]
fn a_subagent_goes_on_where_it_has_ended() {
    let agent = "
turns:
  - stream:
      - tool: {name: task, input: {prompt: look}}
  - expect: [\"ended: completed]\"]
    stream: [{text: First.}]
";
    let subagent = "
turns:
  - expect: [look]
    stream: [{text: I saw it.}]
  - expect: [and now?]
    stream: [{text: I saw more.}]
";
    let world = world(agent, subagent);
    let session = run(&world)["sessionId"].as_str().unwrap().to_owned();
    let first = world.json(&["task", "list"])["tasks"][0].clone();
    let more = format!(
        "  - expect: [go on]
    stream:
      - tool: {{name: task, input: {{session_id: {}, prompt: and now?}}}}
  - expect: [\"ended: completed]\", \"I saw more.\"]
    stream: [{{text: Second.}}]
",
        first["sessionId"].as_str().unwrap()
    );
    fs::write(world.home().join("script.yaml"), format!("{agent}{more}")).unwrap();
    let again = world.json(&["run", "go on", "--session", &session, "--level", "yolo"]);
    assert_eq!((&again["status"], &again["reply"]), (&"completed".into(), &"Second.".into()), "{again}");
    let list = world.json(&["task", "list"]);
    let tasks = list["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 2, "{list}");
    assert!(tasks.iter().all(|task| task["sessionId"] == first["sessionId"]), "{list}");
}

#[test]
fn a_subagent_outlives_the_killed_worker_that_waited_for_it_and_its_end_is_told_once() {
    let agent = "turns:\n  - stream:\n      - tool: {name: task, input: {prompt: look}}\n";
    let world = world(agent, FINDS);
    let parent = world.start(&["--level", "yolo"]);
    let waits = world.worker(&parent);
    let of_child = format!("FROM task WHERE id <> '{parent}'");
    world.until("the child", &format!("SELECT count(*) {of_child} AND status = 'running'"));
    let child: String = world.sql(&format!("SELECT id {of_child}"));
    let worker = world.worker(&child);
    signal(waits, Signal::KILL);
    assert_eq!(world.end(&parent)["status"], "interrupted");
    assert!(runs(worker), "nobody has ended it");
    fs::write(world.home().join("go"), "").unwrap();
    assert_eq!(world.end(&child)["status"], "completed");
    let told = "turns:\n  - expect: ['ended: completed]', Found it.]\n    stream: [{text: Thanks.}]\n";
    fs::write(world.home().join("script.yaml"), told).unwrap();
    world.json(&["task", "retry", &parent]);
    let task = world.end(&parent);
    assert_eq!(
        (&task["status"], &task["result"]["reply"]),
        (&"completed".into(), &"Thanks.".into()),
        "{task}"
    );
    assert_eq!(
        world.sql::<i64>(
            "SELECT count(*) FROM message WHERE body LIKE '%Found it.%' AND body LIKE '%\"role\":\"user\"%'"
        ),
        1
    );
    world.nothing_is_left();
}

#[test]
fn what_was_given_away_is_told_to_a_turn_of_the_next_server() {
    let gives_away = "
turns:
  - stream:
      - tool: {name: task, input: {prompt: look, run_in_background: true}}
";
    let agent = format!("{gives_away}  - stream: [{{waitFor: never}}]\n");
    let world = world(&agent, FINDS);
    let server = || Options::new().home(world.home()).workspace(&world.work()).allow_unread().initialized();
    let mut first = server();
    let started = first.command("kkcode.turn.start", json!({"prompt": "go", "level": "yolo"})).unwrap();
    world.until("the child", "SELECT count(*) FROM task WHERE status = 'running'");
    let child: String = world.sql("SELECT id FROM task");
    world.until(
        "the second answer",
        "SELECT count(*) > 0 FROM message WHERE body LIKE '%runs in the background%'",
    );
    first.kill();
    fs::write(world.home().join("go"), "").unwrap();
    assert_eq!(world.end(&child)["status"], "completed");
    let then = "
  - expect: ['ended: completed]', Found it.]
    stream: [{text: Thanks.}]
  - expect: [once more]
    stream: [{text: Nothing new.}]
";
    fs::write(world.home().join("script.yaml"), format!("{gives_away}{then}")).unwrap();
    let session = started["sessionId"].as_str().unwrap();
    let mut next = server();
    for (prompt, reply) in [("and now?", "Thanks."), ("once more", "Nothing new.")] {
        let turn = json!({"prompt": prompt, "sessionId": session, "level": "yolo"});
        let turn = next.command("kkcode.turn.start", turn).unwrap();
        let ended = format!(
            "SELECT ended_at IS NOT NULL FROM turn WHERE id = '{}'",
            turn["turnId"].as_str().unwrap()
        );
        world.until(reply, &ended);
        let said = format!("SELECT reply FROM turn WHERE id = '{}'", turn["turnId"].as_str().unwrap());
        assert_eq!(world.sql::<String>(&said), reply);
    }
    drop(next);
    world.nothing_is_left();
}
