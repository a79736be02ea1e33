//! Tasks that are to stop: those that do, and those that cannot.

use super::*;

#[test]
fn a_task_is_cancelled_and_can_be_done_again_from_where_it_was() {
    let world = World::new(60_000);
    let id = world.start(&[]);
    world.until("a tool", &format!("SELECT count(*) > 4 FROM task_event WHERE task = '{id}'"));
    let task = world.json(&["task", "cancel", &id]);
    assert_eq!(task["status"], "cancelled", "{task}");
    assert_eq!(task["interruptionReason"], "user_cancel");
    world.nothing_is_left();
    let asked = |world: &World| world.sql::<i64>("SELECT count(*) FROM message");
    let before = asked(&world);
    assert!(before >= 3, "the first step is written down");

    let script = SCRIPT.replace("DELAY", "0");
    fs::write(world.home().join("script.yaml"), script).unwrap();
    assert_eq!(world.json(&["task", "retry", &id])["attempt"], 2);
    let task = world.end(&id);
    assert_eq!(task["status"], "completed", "{task}");
    assert!(task.get("interruptionReason").is_none());
    let reads = "SELECT count(*) FROM task_event WHERE json_extract(body, '$.tool') = 'read'";
    assert_eq!(world.sql::<i64>(reads), 1, "what was done is not done again");
    assert_eq!(world.sql::<i64>("SELECT count(DISTINCT session) FROM turn"), 1);
}

#[test]
fn a_task_that_has_ended_stays_as_it_is() {
    let world = World::new(0);
    let id = world.start(&[]);
    let task = world.end(&id);
    assert_eq!(world.json(&["task", "cancel", &id])["status"], "completed");
    assert_eq!(world.show(&id)["endedAt"], task["endedAt"]);
    assert!(!world.output(&["task", "retry", &id]).status.success());
    assert!(!world.output(&["task", "cancel", "task_nobody"]).status.success());
}

#[test]
fn a_worker_that_is_stopped_is_killed_and_the_task_cancelled() {
    let world = World::new(60_000);
    let id = world.start(&[]);
    let worker = world.worker(&id);
    world.stop(worker);
    let task = world.json(&["task", "cancel", &id]);
    assert_eq!(task["status"], "cancelled", "{task}");
    until_gone(worker);
    assert_eq!(statuses(&world.log(&id)).last().unwrap(), "cancelled");
}

#[test]
fn a_task_is_cut_off_when_its_time_is_over() {
    let world = World::new(60_000);
    let id = world.start(&["--timeout-ms", "1000"]);
    let task = world.end(&id);
    assert_eq!((&task["status"], &task["interruptionReason"]), (&"interrupted".into(), &"timeout".into()));
    world.nothing_is_left();
}

#[test]
fn a_worker_that_somebody_ends_says_that_it_was_interrupted() {
    let world = World::new(60_000);
    let id = world.start(&[]);
    world.until("a turn", "SELECT count(*) > 0 FROM turn");
    signal(world.worker(&id), Signal::TERM);
    let task = world.end(&id);
    assert_eq!((&task["status"], &task["interruptionReason"]), (&"interrupted".into(), &"interrupt".into()));
}

#[test]
fn a_worker_that_was_away_too_long_writes_nothing_any_more() {
    let world = World::new(60_000);
    let id = world.start(&[]);
    world.until("a turn", "SELECT count(*) > 0 FROM turn");
    let worker = world.worker(&id);
    world.stop(worker);
    // Somebody looks after it all the time; the lease is 15 s.
    let task = world.end(&id);
    assert_eq!((&task["status"], &task["interruptionReason"]), (&"interrupted".into(), &"timeout".into()));
    let written = "SELECT (SELECT count(*) FROM message) || ' ' || (SELECT count(*) FROM task_event)";
    let before = world.sql::<String>(written);
    signal(worker, Signal::CONT);
    until_gone(worker);
    assert_eq!(world.show(&id)["status"], "interrupted");
    assert_eq!(world.sql::<String>(written), before);
    assert!(world.worker_logs().contains("not this worker's any more"), "{}", world.worker_logs());
}
