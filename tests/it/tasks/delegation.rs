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
    let subagent = "turns:\n  - stream:\n      - delayMs: 1500\n      - text: Found it.\n";
    let world = world(agent, subagent);
    let first = run(&world);
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
