//! Many tasks: each runs once, no more at a time than may, and the next begins when one ends.

use super::*;

#[test]
fn eight_workers_for_one_task_do_it_once() {
    let world = World::new(0);
    world.configure("background: {max_parallel: 1}\n");
    let blocker = world.start_waiting();
    let ids: Vec<String> = (0..rounds() / 4).map(|_| world.start(&[])).collect();
    world.configure("background: {max_parallel: 1000}\n");
    for id in &ids {
        let workers: Vec<Child> = (0..8).map(|_| follow(&world, &["worker", id])).collect();
        for worker in workers {
            let output = worker.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
    for id in &ids {
        let task = world.end(id);
        assert_eq!(task["status"], "completed", "{task}");
        assert_eq!(statuses(&world.log(id)), ["pending", "running", "completed"]);
    }
    assert_eq!(world.sql::<i64>("SELECT max(epoch) FROM task"), 1);
    world.json(&["task", "cancel", &blocker]);
    world.nothing_is_left();
}

#[test]
fn t03_what_eight_servers_are_given_is_done_once() {
    let world = World::with_script("turns:\n  - stream: [{text: Done.}]\n");
    world.configure("background: {max_parallel: 8}\n");
    let per_server = rounds() / 4;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let options = Options::new().home(world.home()).workspace(&world.work()).allow_unread();
                let mut server = options.initialized();
                for _ in 0..per_server {
                    server.command("kkcode.task.start", json!({"prompt": "do nothing"})).unwrap();
                }
                server.shutdown();
            });
        }
    });
    world.nothing_is_left();
    let told = i64::try_from(8 * per_server).unwrap();
    let of = |what: &str| world.sql::<i64>(&format!("SELECT count(*) FROM task WHERE {what}"));
    assert_eq!((of("status = 'completed'"), of("epoch = 1")), (told, told), "{}", world.worker_logs());
    assert_eq!(world.sql::<i64>("SELECT count(*) FROM turn"), told, "each ran once");
}

#[test]
fn no_more_run_than_may_and_all_come_to_their_end_without_anybody() {
    let world = World::new(100);
    world.configure("background: {max_parallel: 2}\n");
    let ids: Vec<String> = (0..8).map(|_| world.start(&[])).collect();
    // Nobody is attached: the workers start each other.
    world.until("all have ended", "SELECT count(*) = 8 FROM task WHERE status = 'completed'");
    let mut running = 0;
    let changes = "SELECT group_concat(json_extract(body, '$.status')) FROM
                   (SELECT body FROM task_event WHERE json_extract(body, '$.kind') = 'status' ORDER BY seq)";
    for status in world.sql::<String>(changes).split(',') {
        match status {
            "running" => running += 1,
            "completed" => running -= 1,
            _ => {}
        }
        assert!(running <= 2, "{status}");
    }
    let mut arguments = vec!["task", "wait"];
    arguments.extend(ids.iter().map(String::as_str));
    assert_eq!(world.json(&arguments)["tasks"].as_array().unwrap().len(), 8);
    world.nothing_is_left();
}

#[test]
fn what_somebody_was_to_start_who_died_is_started_by_who_ends() {
    let world = World::new(0);
    world.configure("background: {max_parallel: 1}\n");
    let (blocker, left) = (world.start_waiting(), world.start(&[]));
    // A server that is killed between picking a task and starting its worker leaves this.
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let seconds = uptime.split('.').next().unwrap();
    world.write_sql(&format!("UPDATE task SET spawned_at = {seconds}000 WHERE id = '{left}'"));
    world.json(&["task", "cancel", &blocker]);
    // Nobody is attached, and looks.
    world.nothing_is_left();
    assert_eq!(world.sql::<String>(&format!("SELECT status FROM task WHERE id = '{left}'")), "completed");
}

#[test]
fn ten_thousand_that_have_ended_are_in_nobodys_way() {
    let world = World::new(0);
    let id = world.start(&[]);
    world.end(&id);
    world.write_sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
         INSERT INTO task (id, folder, spec, team, status, attempt, epoch, crashes, created_at, ended_at)
         SELECT 'task_old' || i, folder, spec, 'task_old' || i, 'completed', 1, 1, 0, 1, 2 FROM task, n;",
    );
    let list = world.json(&["task", "list"]);
    assert_eq!(list["tasks"].as_array().unwrap().len(), 1000, "a list has a bound");
    assert_eq!(world.json(&["task", "clean"])["removed"], 10_000);
    assert_eq!(world.json(&["task", "list"])["tasks"].as_array().unwrap().len(), 1);
    assert_eq!(world.show(&id)["status"], "completed");
}

#[test]
fn what_ended_long_ago_goes_when_a_server_starts() {
    let world = World::new(0);
    let (old, young) = (world.start(&[]), world.start(&[]));
    for id in [&old, &young] {
        assert_eq!(world.end(id)["status"], "completed");
    }
    world.nothing_is_left();
    world.write_sql(&format!("UPDATE task SET ended_at = ended_at - 31 * 86400000 WHERE id = '{old}'"));
    let server = || Options::new().home(world.home()).workspace(&world.work()).allow_unread().initialized();
    world.configure("background: {keep_days: 0}\n");
    let mut keeps = server();
    keeps.command("kkcode.task.list", json!({})).unwrap();
    keeps.shutdown();
    assert_eq!(world.sql::<i64>("SELECT count(*) FROM task"), 2);
    world.configure("");
    let mut forgets = server();
    world.until("the old one is gone", "SELECT count(*) = 1 FROM task");
    let begin = Instant::now();
    while world.home().join("tasks").join(&old).exists() {
        assert!(begin.elapsed() < DEADLINE, "its files are left");
        std::thread::sleep(Duration::from_millis(5));
    }
    let list = forgets.command("kkcode.task.list", json!({})).unwrap();
    assert_eq!(list["tasks"][0]["taskId"], young, "{list}");
    assert_eq!(world.sql::<i64>("SELECT count(*) FROM proposal"), 2, "what came of it stays");
    forgets.shutdown();
}
