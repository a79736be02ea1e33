//! The list of faults that tasks have to bear, T-01 to T-21: each is a test here or in a module beside, as the table says.

use std::collections::BTreeSet;

use super::*;

/// Which test shows which fault: the functions of `tests/it/tasks`, and one of the store.
const SHOWN: [(&str, &[&str]); 21] = [
    ("T-01 a killed worker", &["a_killed_worker_is_seen_at_any_moment_and_its_task_goes_on"]),
    (
        "T-02 a killed server",
        &[
            "t02_a_killed_server_leaves_its_tasks_to_the_next",
            "a_killed_server_changes_nothing_for_its_workers",
            "a_command_that_is_killed_changes_nothing_for_the_worker",
        ],
    ),
    (
        "T-03 eight processes on one store",
        &["t03_what_eight_servers_are_given_is_done_once", "eight_workers_for_one_task_do_it_once"],
    ),
    ("T-04 a stopped worker that comes back", &["a_worker_that_was_away_too_long_writes_nothing_any_more"]),
    (
        "T-05 the number of a process given again",
        &["t05_who_has_the_number_of_a_killed_worker_is_left_alone"],
    ),
    (
        "T-06 death at each write",
        &[
            "t06_a_command_that_dies_at_any_system_call_leaves_a_whole_store",
            "t06_a_worker_that_dies_at_any_system_call_leaves_a_whole_task",
        ],
    ),
    (
        "T-07 a full disk",
        &[
            "a_full_disk_is_told_and_what_was_there_stays",
            "t07_a_write_without_room_is_told_and_can_be_tried_again",
        ],
    ),
    ("T-08 a failing disk", &["t08_what_could_not_be_synced_is_not_told_as_saved"]),
    ("T-09 a clock that jumps", &["t09_a_worker_ten_years_away_is_left_alone"]),
    ("T-10 all asleep", &["t10_a_sleep_of_all_interrupts_nobody"]),
    ("T-11 a reboot", &["a_machine_that_was_started_anew_interrupts_and_signals_nobody"]),
    ("T-12 a damaged database", &["t12_a_damaged_store_is_moved_aside_and_the_user_told"]),
    ("T-13 a fork bomb", &["t13_children_that_make_children_are_gone_after_a_cancel"]),
    ("T-14 children that will not go", &["t14_children_that_will_not_go_are_gone_after_a_cancel"]),
    ("T-15 a flood on stdout", &["t15_a_flood_of_output_is_cut_and_others_go_on"]),
    ("T-16 a deleted program", &["a_program_that_is_deleted_goes_on_and_can_be_stopped"]),
    ("T-17 a poisonous task", &["a_task_that_kills_its_workers_is_given_up_after_three"]),
    ("T-18 many that have ended", &["ten_thousand_that_have_ended_are_in_nobodys_way"]),
    (
        "T-19 a question whose asker is killed",
        &[
            "t19_a_question_outlives_whoever_shows_it",
            "t19_a_question_is_asked_again_by_the_next_server_and_answered_once",
        ],
    ),
    (
        "T-20 homes of all kinds",
        &[
            "a_home_that_may_not_be_written_refuses_and_says_why",
            "a_home_with_spaces_and_other_letters_is_a_home",
            "a_home_that_is_a_file_or_full_is_refused_with_a_reason",
        ],
    ),
    ("T-21 a power cut", &["t21_after_a_power_cut_the_acknowledged_is_there"]),
];

#[test]
fn each_fault_of_the_list_has_its_test() {
    let sources = [
        include_str!("crash.rs"),
        include_str!("faults.rs"),
        include_str!("limits.rs"),
        include_str!("machine.rs"),
        include_str!("places.rs"),
        include_str!("stop.rs"),
    ];
    let numbers: BTreeSet<&str> = SHOWN.iter().filter_map(|(fault, _)| fault.get(..4)).collect();
    assert_eq!(numbers.len(), 21);
    for (fault, tests) in SHOWN {
        for test in tests {
            let head = format!("#[test]\nfn {test}()");
            assert!(sources.iter().any(|source| source.contains(&head)), "{fault}: there is no test {test}");
        }
    }
}

/// Starts a task whose agent runs this in a shell, and returns the world and the task.
fn running(shell: &str) -> (World, String) {
    let command = serde_json::to_string(shell).unwrap();
    let world = World::with_script(&format!(
        "turns:\n  - stream:\n      - tool: {{name: bash, input: {{command: {command}, description: run}}}}\n  - stream: [{{text: Done.}}]\n",
    ));
    let id = world.start(&["--level", "yolo"]);
    (world, id)
}

/// Waits until this many processes sleep for so many seconds, which nobody else does.
#[track_caller]
fn until_asleep(world: &World, seconds: &str, wanted: impl Fn(usize) -> bool) {
    let begin = Instant::now();
    let asleep = || {
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        lines.filter(|line| *line == format!("sleep\0{seconds}\0").into_bytes()).count()
    };
    while !wanted(asleep()) {
        assert!(begin.elapsed() < DEADLINE, "{} processes: {}", asleep(), world.worker_logs());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn t13_children_that_make_children_are_gone_after_a_cancel() {
    // What has no end is refused by the gate. This makes sixty at once, each of which leaves its parent.
    let seconds = format!("13{}", std::process::id());
    let many = format!("for i in $(seq 60); do (sleep {seconds} &); done; sleep {seconds}");
    let (world, id) = running(&many);
    until_asleep(&world, &seconds, |count| count > 40);
    let beside = world.show(&id);
    assert_eq!(beside["status"], "running", "{beside}");
    assert_eq!(world.json(&["task", "cancel", &id])["status"], "cancelled");
    until_asleep(&world, &seconds, |count| count == 0);
    world.nothing_is_left();
}

#[test]
fn t14_children_that_will_not_go_are_gone_after_a_cancel() {
    let seconds = format!("14{}", std::process::id());
    let script =
        format!("trap '' TERM HUP; setsid sleep {seconds} & (setsid sleep {seconds} &) ; sleep {seconds}");
    let (world, id) = running(&format!("bash -c \"{script}\""));
    until_asleep(&world, &seconds, |count| count == 3);
    assert_eq!(world.json(&["task", "cancel", &id])["status"], "cancelled");
    until_asleep(&world, &seconds, |count| count == 0);
    world.nothing_is_left();
}

#[test]
fn t15_a_flood_of_output_is_cut_and_others_go_on() {
    for flood in [
        "head -c 200000000 /dev/zero | tr '\\0' x",
        "yes | head -c 200000000",
        "head -c 200000000 /dev/zero",
        "head -c 50000000 /dev/urandom",
    ] {
        let command = serde_json::to_string(flood).unwrap();
        let world = World::with_script(&format!(
            "turns:\n  - stream:\n      - tool: {{name: bash, input: {{command: {command}, description: run}}}}\n  - stream: [{{waitFor: never}}]\n",
        ));
        let id = world.start(&["--level", "yolo"]);
        let worker = world.worker(&id);
        world.until("a turn", "SELECT count(*) > 0 FROM turn");
        // Another task beside is done as ever.
        let script = world.home().join("beside.yaml");
        fs::write(script, "turns:\n  - stream: [{text: Done.}]\n").unwrap();
        fs::write(
            world.home().join("config.yaml"),
            "provider: {play: {type: scripted, script: script.yaml}, beside: {type: scripted, script: beside.yaml}}\n",
        )
        .unwrap();
        let beside = world.start(&["--model", "beside/any"]);
        assert_eq!(world.end(&beside)["status"], "completed");
        let begin = Instant::now();
        let is_done = |event: &Value| event["kind"] == "toolFinished" && event["status"] == "ok";
        while !world.log(&id).iter().any(is_done) {
            assert!(begin.elapsed() < DEADLINE, "{flood}: {:?} {}", world.log(&id), world.worker_logs());
            std::thread::sleep(Duration::from_millis(100));
        }
        let status = fs::read_to_string(format!("/proc/{}/status", worker.as_raw_nonzero())).unwrap();
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let most: u64 = most.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(most < 100 << 10, "{flood}: the worker had {most} KiB");
        assert_eq!(world.json(&["task", "cancel", &id])["status"], "cancelled");
        let folder = world.home().join("tasks").join(&id);
        let kept = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
        let kept: u64 = kept.sum();
        assert!(kept < 20 << 20, "{flood}: {kept} bytes are kept");
        let cut = world.sql::<i64>("SELECT count(*) FROM message WHERE body LIKE '%left out%' OR body LIKE '%bytes that are no text%'");
        assert!(cut > 0, "{flood}: the model is told that something is missing");
        world.nothing_is_left();
    }
}

#[test]
fn t10_a_sleep_of_all_interrupts_nobody() {
    let world = World::new(60_000);
    let id = world.start(&[]);
    let worker = world.worker(&id);
    let mut watcher = follow(&world, &["task", "wait", &id, "--timeout-ms", "8000", "--json"]);
    world.until("it is looked after", "SELECT count(*) > 0 FROM turn");
    let watched = Pid::from_child(&watcher);
    world.stop(worker);
    signal(watched, Signal::STOP);
    // Time passes for nobody but the clock: the beat is as old as after a sleep past the lease.
    world.write_sql("UPDATE lease SET beat = beat - 60000");
    signal(watched, Signal::CONT);
    signal(worker, Signal::CONT);
    assert_eq!(watcher.wait().unwrap().code(), Some(1), "it waited in vain");
    assert_eq!(world.show(&id)["status"], "running");
    assert!(runs(worker));
    assert_eq!(world.json(&["task", "cancel", &id])["status"], "cancelled");
}

#[test]
fn t12_a_damaged_store_is_moved_aside_and_the_user_told() {
    let world = World::new(0);
    let id = world.start(&[]);
    assert_eq!(world.end(&id)["status"], "completed");
    world.nothing_is_left();
    world.sql::<i64>("PRAGMA wal_checkpoint(TRUNCATE)");
    let database = world.home().join("state.db");
    let whole = fs::read(&database).unwrap();
    let mut zeroed = whole.clone();
    zeroed[..16].fill(0);
    let mut overwritten = whole.clone();
    overwritten[4096..4160].fill(0xa5);
    for (fault, bytes) in
        [("header", zeroed), ("page", overwritten), ("half", whole[..whole.len() / 2].to_vec())]
    {
        for ending in ["-wal", "-shm"] {
            fs::remove_file(world.home().join(format!("state.db{ending}"))).ok();
        }
        fs::write(&database, bytes).unwrap();
        let output = world.output(&["task", "list"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("damaged"), "{fault}: {said} {}", String::from_utf8_lossy(&output.stdout));
        let aside = fs::read_dir(world.home()).unwrap().flatten();
        let aside = aside.filter(|entry| entry.file_name().to_string_lossy().contains("damaged")).count();
        assert!(aside > 0, "{fault}: it is moved aside");
        let next = world.start(&[]);
        assert_eq!(world.end(&next)["status"], "completed", "{fault}");
        world.nothing_is_left();
        fs::remove_file(&database).unwrap();
    } // Without its log it is as it was when the log was last taken in.
    fs::write(&database, &whole).unwrap();
    let started = world.start(&[]);
    assert_eq!(world.end(&started)["status"], "completed");
    world.nothing_is_left();
    for ending in ["-wal", "-shm"] {
        fs::remove_file(world.home().join(format!("state.db{ending}"))).ok();
    }
    fs::write(&database, &whole).unwrap();
    assert_eq!(known(&world), [id]);
    let next = world.start(&[]);
    assert_eq!(world.end(&next)["status"], "completed");
}

#[test]
fn t19_a_question_outlives_whoever_shows_it() {
    let script = "turns:\n  - stream:\n      - tool: {name: question, input: {questions: [{id: color, text: Which color?}]}}\n  - stream: [{text: Done.}]\n";
    let world = World::with_script(script);
    let id = world.start(&[]);
    world.until("it waits", &format!("SELECT status = 'waiting' FROM task WHERE id = '{id}'"));
    let question = world.show(&id)["waitingFor"]["questionId"].clone();
    for _ in 0..3 {
        let mut shower = follow(&world, &["task", "logs", &id, "--follow", "--json"]);
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(shower.stdout.take().unwrap()), &mut line)
            .unwrap();
        shower.kill().unwrap();
        shower.wait().unwrap();
        let task = world.show(&id);
        assert_eq!((&task["status"], &task["waitingFor"]["questionId"]), (&"waiting".into(), &question));
    }
    assert_eq!(world.json(&["task", "cancel", &id])["status"], "cancelled");
    world.nothing_is_left();
}

#[test]
fn t19_a_question_is_asked_again_by_the_next_server_and_answered_once() {
    let script = "turns:\n  - stream:\n      - tool: {name: question, input: {questions: [{id: color, text: Which color?}]}}\n  - stream: [{text: Done.}]\n";
    let world = World::with_script(script);
    let capabilities = json!({"experimental": {"kkcode": {}}});
    let server = || {
        let options = Options::new().home(world.home()).workspace(&world.work()).allow_unread();
        options.capabilities(capabilities.clone()).initialized()
    };
    let mut first = server();
    let started = first.command("kkcode.task.start", json!({"prompt": "ask me"})).unwrap();
    let asked = first.expect_notification("kkcode/question/didAsk");
    first.kill();
    let (mut one, mut other) = (server(), server());
    for server in [&mut one, &mut other] {
        let again = server.expect_notification("kkcode/question/didAsk");
        assert_eq!(again["questionId"], asked["questionId"], "{again}");
    }
    let answer = json!({"questionId": asked["questionId"], "answers": {"color": "red"}});
    let answers = [&mut one, &mut other]
        .map(|server| server.command("kkcode.question.answer", answer.clone()).unwrap()["accepted"].clone());
    assert_eq!(answers, [true, false], "the first answer counts");
    let task = world.end(started["taskId"].as_str().unwrap());
    assert_eq!(task["status"], "completed", "{task}");
    other.expect_notification("kkcode/question/didResolve");
    drop((one, other));
    world.nothing_is_left();
}

#[test]
fn a_worker_that_is_stopped_in_the_middle_of_a_write_is_in_nobodys_way() {
    let world = World::with_script(&busy_script());
    let id = world.start(&[]);
    let worker = world.worker(&id);
    let Some(()) = stop_in_a_write(&world, worker) else {
        skip(
            "a_worker_that_is_stopped_in_the_middle_of_a_write_is_in_nobodys_way",
            "the worker was never stopped in the middle of a write",
        );
        return;
    };
    // Whoever reads goes on; whoever writes is told whom for.
    assert_eq!(world.show(&id)["status"], "running");
    let output = world.output(&["task", "start", "another"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("kill -CONT {}", worker.as_raw_nonzero())), "{said}");

    let task = world.json(&["task", "cancel", &id]);
    assert_eq!(task["status"], "cancelled", "{task}");
    until_gone(worker);
    assert_eq!(world.sql::<String>("PRAGMA integrity_check"), "ok");
    world.start(&[]);
}

/// Calls a tool all the time: each call is written down.
fn busy_script() -> String {
    let call = "      - tool: {name: bash, input: {command: 'true', description: nothing}}\n";
    format!("turns:\n  - stream:\n{}  - stream: [{{delayMs: 60000, text: Done.}}]\n", call.repeat(400))
}

/// Stops a worker again and again until it holds the write lock: byte 120 of the shared memory.
fn stop_in_a_write(world: &World, worker: Pid) -> Option<()> {
    let stat = format!("/proc/{}/stat", worker.as_raw_nonzero());
    let shared_memory =
        std::os::unix::fs::MetadataExt::ino(&fs::metadata(world.home().join("state.db-shm")).ok()?);
    let is_writing = || {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            matches!(fields[1..], ["POSIX", _, "WRITE", pid, file, "120", _]
                if pid == worker.as_raw_nonzero().to_string() && file.ends_with(&format!(":{shared_memory}")))
        })
    };
    let begin = Instant::now();
    while begin.elapsed() < DEADLINE {
        signal(worker, Signal::STOP);
        while !fs::read_to_string(&stat).ok()?.contains(") T ") {
            std::thread::yield_now();
        }
        if is_writing() {
            return Some(());
        }
        signal(worker, Signal::CONT);
        std::thread::yield_now();
    }
    None
}
