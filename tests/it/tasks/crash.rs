//! Workers, commands and machines that end without a word.

use super::*;

#[test]
fn a_killed_worker_is_seen_at_any_moment_and_its_task_goes_on() {
    let world = World::new(200);
    world.configure("background: {max_parallel: 100}\n");
    let mut ends = std::collections::BTreeSet::new();
    for round in 0..rounds() {
        let id = world.start(&[]);
        let pid = loop {
            let pid = world.sql::<Option<i64>>(&format!("SELECT pid FROM task WHERE id = '{id}'"));
            if let Some(pid) = pid {
                break pid;
            }
            if world.sql::<i64>(&format!("SELECT ended_at IS NOT NULL FROM task WHERE id = '{id}'")) == 1 {
                break 0;
            }
        };
        std::thread::sleep(Duration::from_millis(shuffled(round, 300)));
        if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
            // It may have come to its end before.
            kill_process(pid, Signal::KILL).ok();
        }
        let acknowledged: Vec<Value> = world.log(&id);
        let task = world.end(&id);
        let status = task["status"].as_str().unwrap().to_owned();
        assert!(matches!(&*status, "completed" | "interrupted"), "{task}");
        if status == "interrupted" {
            assert_eq!(task["interruptionReason"], "orphaned", "{task}");
            world.json(&["task", "retry", &id]);
            let task = world.end(&id);
            assert_eq!((&task["status"], &task["attempt"]), (&"completed".into(), &2.into()), "{task}");
        }
        ends.insert(status);
        let log: Vec<Value> = world.log(&id);
        let seqs = |log: &[Value]| log.iter().map(|event| event["seq"].clone()).collect::<Vec<_>>();
        assert!(seqs(&log).starts_with(&seqs(&acknowledged)), "nothing that was told is gone");
        assert_eq!(world.sql::<String>("PRAGMA integrity_check"), "ok");
        assert_eq!(world.text(), TEXT);
    }
    assert!(ends.contains("interrupted"), "{ends:?}");
    world.nothing_is_left();
}

#[test]
fn a_turn_that_had_ended_before_its_worker_was_killed_is_not_asked_for_again() {
    let world = World::new(0);
    let id = world.start(&[]);
    let done = world.end(&id);
    let said = world.sql::<i64>("SELECT count(*) FROM message");
    // As if the worker had been killed before it wrote the end down.
    let cut = format!(
        "UPDATE task SET status = 'interrupted', reason = 'orphaned', result = NULL WHERE id = '{id}'"
    );
    world.write_sql(&cut);
    world.json(&["task", "retry", &id]);
    let again = world.end(&id);
    assert_eq!((&again["status"], &again["attempt"]), (&"completed".into(), &2.into()), "{again}");
    assert_eq!(again["result"], done["result"]);
    assert_eq!(world.sql::<i64>("SELECT count(*) FROM message"), said, "the model was not asked");
}

#[test]
fn a_command_that_is_killed_changes_nothing_for_the_worker() {
    let world = World::new(300);
    for round in 0..rounds() / 4 {
        let mut child = follow(&world, &["task", "start", "make it loud", "--json"]);
        std::thread::sleep(Duration::from_millis(shuffled(round, 120)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // Whatever was written down is done, by workers that are there or by those that look.
    let list = world.json(&["task", "list"]);
    for task in list["tasks"].as_array().unwrap() {
        assert_eq!(world.end(task["taskId"].as_str().unwrap())["status"], "completed");
    }
    assert_eq!(world.sql::<i64>("SELECT count(*) FROM task WHERE epoch > 1"), 0, "no second worker");
    world.nothing_is_left();
}

#[test]
fn a_killed_server_changes_nothing_for_its_workers() {
    let world = World::new(300);
    world.configure("background: {max_parallel: 100}\n");
    let mut told = Vec::new();
    for round in 0..rounds() {
        let mut server =
            Options::new().home(world.home()).workspace(&world.work()).allow_unread().initialized();
        let start = json!({"command": "kkcode.task.start", "arguments": [{"prompt": "make it loud"}]});
        let asked = server.send_request("workspace/executeCommand", start);
        if round % 2 == 0 {
            let started = server.response(asked).unwrap();
            told.push(started["taskId"].as_str().unwrap().to_owned());
        }
        std::thread::sleep(Duration::from_millis(shuffled(round, 60)));
        server.kill();
    }
    // Every task that was told is there, and so may be one that was asked for in the last moment.
    let list = world.json(&["task", "list"]);
    let tasks = list["tasks"].as_array().unwrap();
    assert!(told.iter().all(|id| tasks.iter().any(|task| task["taskId"] == **id)), "{list}");
    for task in tasks {
        let task = world.end(task["taskId"].as_str().unwrap());
        assert_eq!(task["status"], "completed", "{task}\n{}", world.worker_logs());
    }
    assert_eq!(world.sql::<i64>("SELECT count(*) FROM task WHERE epoch > 1"), 0, "no second worker");
    assert_eq!(world.sql::<String>("PRAGMA integrity_check"), "ok");
    world.nothing_is_left();
}

#[test]
fn t02_a_killed_server_leaves_its_tasks_to_the_next() {
    let world = World::new(3_000);
    let server = || Options::new().home(world.home()).workspace(&world.work()).allow_unread().initialized();
    let mut first = server();
    let ids = [(); 2].map(|()| {
        let started = first.command("kkcode.task.start", json!({"prompt": "make it loud"})).unwrap();
        started["taskId"].as_str().unwrap().to_owned()
    });
    let workers = ids.each_ref().map(|id| world.worker(id));
    let logs = |server: &mut kkcode_tests::TestServer, id: &str, since: &Value| {
        server.command("kkcode.task.logs", json!({"taskId": id, "sinceSeq": since})).unwrap()
    };
    let read = ids.each_ref().map(|id| logs(&mut first, id, &json!(0)));
    first.kill();

    let mut next = server();
    let list = next.command("kkcode.task.list", json!({})).unwrap();
    for (id, worker) in ids.iter().zip(workers) {
        let task = list["tasks"].as_array().unwrap().iter().find(|task| task["taskId"] == **id).unwrap();
        assert_eq!(task["status"], "running", "{task}");
        assert_eq!(task["pid"], worker.as_raw_nonzero().get(), "{task}");
    }
    for (id, read) in ids.iter().zip(read) {
        assert_eq!(world.end(id)["status"], "completed", "{}", world.worker_logs());
        let rest = logs(&mut next, id, &read["nextSeq"]);
        let events = |logs: &Value| logs["events"].as_array().unwrap().clone();
        let all = [events(&read), events(&rest)].concat();
        let seqs = |events: &[Value]| events.iter().map(|event| event["seq"].clone()).collect::<Vec<_>>();
        assert_eq!(seqs(&all), seqs(&world.log(id)), "nothing is missing and nothing is there twice");
        assert_eq!(statuses(&all), ["pending", "running", "completed"]);
    }
    assert_eq!(world.sql::<i64>("SELECT max(epoch) FROM task"), 1, "no second worker");
    drop(next);
    world.nothing_is_left();
}

/// What happens in a namespace of process numbers, as its first process: a worker is killed, a bystander gets its number, and
/// somebody looks after the tasks.
const NUMBER_GIVEN_AGAIN: &str = r#"
set -eu
KKCODE task start "make it loud" --json > started
worker=
while [ -z "$worker" ]; do worker=$(pgrep -f 'worker task_[a-z0-9]*$' || true); done
sleep 1
kill -KILL "$worker"
while kill -0 "$worker" 2> gone; do sleep 0.1; done
echo $((worker - 1)) > /proc/sys/kernel/ns_last_pid
sleep 600 &
[ $! = "$worker" ] || exit 77
KKCODE task list --json > list
sleep 1
kill -0 "$worker" && echo spared
kill -KILL "$worker"
"#;

#[test]
fn t05_who_has_the_number_of_a_killed_worker_is_left_alone() {
    let test = "t05_who_has_the_number_of_a_killed_worker_is_left_alone";
    let world = World::new(60_000);
    let script = NUMBER_GIVEN_AGAIN.replace("KKCODE", &world.program.display().to_string());
    let inside = world.command(&[]);
    let mut apart = Command::new("unshare");
    apart.args(["--fork", "--pid", "--mount-proc", "--kill-child", "bash", "-c", &script]);
    for (name, value) in inside.get_envs() {
        match value {
            Some(value) => apart.env(name, value),
            None => apart.env_remove(name),
        };
    }
    let output = apart.current_dir(world.work()).stdin(Stdio::null()).output();
    let output = match output {
        Ok(output) if !String::from_utf8_lossy(&output.stderr).contains("unshare") => output,
        other => {
            skip(test, &format!("there can be no namespace of process numbers: {other:?}"));
            return;
        }
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) || said.contains("ns_last_pid") {
        skip(test, "the next process number cannot be chosen");
        return;
    }
    assert!(output.status.success(), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "spared\n", "{said}");
    let list: Value = serde_json::from_slice(&fs::read(world.work().join("list")).unwrap()).unwrap();
    assert_eq!(list["tasks"][0]["status"], "interrupted", "{list}");
}

#[test]
fn a_machine_that_was_started_anew_interrupts_and_signals_nobody() {
    let world = World::new(60_000);
    let id = world.start(&[]);
    let worker = world.worker(&id);
    world.stop(worker);
    // As if the number were another process's now; and the token is another's, too.
    world.write_sql("UPDATE lease SET start = 'another-boot:1', token = 'worker_of_before'");
    let list = world.json(&["task", "list"]);
    assert_eq!(list["tasks"][0]["status"], "interrupted", "{list}");
    assert!(runs(worker), "a process that has only the number is left alone");
}

#[test]
fn a_task_that_kills_its_workers_is_given_up_after_three() {
    let world = World::new(60_000);
    let id = world.start(&[]);
    for attempt in 1..=3 {
        let worker = world.worker(&id);
        signal(worker, Signal::KILL);
        let task = world.end(&id);
        if attempt < 3 {
            assert_eq!(task["status"], "interrupted", "{task}");
            world.json(&["task", "retry", &id]);
        } else {
            assert_eq!((&task["status"], &task["error"]["class"]), (&"error".into(), &"crashed".into()));
        }
    }
}

#[test]
fn a_program_that_is_deleted_goes_on_and_can_be_stopped() {
    let mut world = World::new(60_000);
    let copy = world.dir.path().join("kkcode-lsp");
    fs::copy(&world.program, &copy).unwrap();
    world.program.clone_from(&copy);
    world.configure("background: {max_parallel: 1}\n");
    let first = world.start(&[]);
    let worker = world.worker(&first);
    let second = world.start(&[]);
    fs::remove_file(&copy).unwrap();
    assert!(!exists(&copy));
    world.program = Binary::Server.path();
    assert_eq!(world.json(&["task", "cancel", &first])["status"], "cancelled");
    until_gone(worker);
    // The worker that has ended starts the next one, though its own program is gone.
    world.worker(&second);
    assert_eq!(world.json(&["task", "cancel", &second])["status"], "cancelled");
}
