//! Machines that fail: system calls that kill, disks that are full or fail, power that goes, clocks that jump.

use std::collections::BTreeMap;

use super::*;

/// Runs a command of a world under strace with these arguments; none, and a mark, where there is no strace.
fn traced(world: &World, test: &str, strace: &[&str], arguments: &[&str]) -> Option<Output> {
    let probe = Command::new("strace").args(["-f", "-qq", "-o", "/dev/null", "true"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        skip(test, "there is no strace, or it may not trace");
        return None;
    }
    let command = world.command(&[]);
    let mut traced = Command::new("strace");
    traced.args(["-qq"]).args(strace).arg(&world.program).args(arguments).arg("--json");
    traced.current_dir(world.work()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => traced.env(name, value),
            None => traced.env_remove(name),
        };
    }
    Some(traced.output().unwrap())
}

/// Makes a world whose only slot is taken, so that what is started only waits, and returns what takes it.
fn crowded() -> (World, String) {
    let world = World::new(0);
    world.configure("background: {max_parallel: 1}\n");
    let blocker = world.start_waiting();
    (world, blocker)
}

#[test]
fn t06_a_command_that_dies_at_any_system_call_leaves_a_whole_store() {
    let (world, blocker) = crowded();
    let mut acknowledged = Vec::new();
    let points = rounds() / 8;
    for call in ["pwrite64", "fsync", "unlink"] {
        for when in 1..=points {
            let inject = format!("inject={call}:signal=KILL:when={when}");
            let trace = format!("trace={call}");
            let output = traced(
                &world,
                "t06_a_command_that_dies_at_any_system_call_leaves_a_whole_store",
                &["-f", "-o", "/dev/null", "-e", &trace, "-e", &inject],
                &["task", "start", "make it loud"],
            );
            let Some(output) = output else { return };
            if let Ok(started) = serde_json::from_slice::<Value>(&output.stdout) {
                acknowledged.push(started["taskId"].as_str().unwrap().to_owned());
            }
            assert_eq!(world.sql::<String>("PRAGMA integrity_check"), "ok", "{call} {when}");
        }
    }
    let known = known(&world);
    for id in &acknowledged {
        assert!(known.contains(id), "{id} was acknowledged");
    }
    let torn = "SELECT count(*) FROM task WHERE NOT EXISTS (SELECT 1 FROM task_event WHERE task_event.task = task.id)";
    assert_eq!(world.sql::<i64>(torn), 0, "a task and its first line are one write");
    world.json(&["task", "cancel", &blocker]);
}

#[test]
fn t06_a_worker_that_dies_at_any_system_call_leaves_a_whole_task() {
    let test = "t06_a_worker_that_dies_at_any_system_call_leaves_a_whole_task";
    let (world, blocker) = crowded();
    let mut died = 0;
    for (call, most) in [("pwrite64", 90), ("fsync", 7), ("openat", 60)] {
        for round in 0..rounds() / 8 {
            let id = world.start(&[]);
            // Only now there is room for it, for as long as it takes.
            world.configure("background: {max_parallel: 100}\n");
            let when = 1 + round * most / (rounds() / 8);
            let inject = format!("inject={call}:signal=KILL:when={when}");
            let trace = format!("trace={call}");
            let strace = ["-f", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            let Some(output) = traced(&world, test, &strace, &["worker", &id]) else { return };
            died += u64::from(!output.status.success());
            assert_eq!(world.sql::<String>("PRAGMA integrity_check"), "ok", "{call} {when}");
            let mut task = world.end(&id);
            // Who died is seen to have died, and what it did stays done.
            while task["status"] == "interrupted" {
                world.json(&["task", "retry", &id]);
                task = world.end(&id);
            }
            assert_eq!(task["status"], "completed", "{call} {when}: {task} {}", world.worker_logs());
            let seqs: Vec<u64> = world.log(&id).iter().map(|event| event["seq"].as_u64().unwrap()).collect();
            assert!(seqs.is_sorted_by(|one, next| one < next), "{call} {when}: {seqs:?}");
            let proposal = task["result"]["proposalIds"][0].as_str().unwrap();
            let shown = world.json(&["proposal", "show", proposal]);
            assert_eq!(shown["files"][0]["hunks"].as_array().unwrap().len(), 1, "{call} {when}: {shown}");
            world.configure("background: {max_parallel: 1}\n");
            // A worker that is about to leave would take the next task.
            while world.processes().len() > 1 {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
    assert!(died > rounds() / 8, "only {died} died");
    world.json(&["task", "cancel", &blocker]);
    world.nothing_is_left();
}

#[test]
fn t07_a_write_without_room_is_told_and_can_be_tried_again() {
    let (world, blocker) = crowded();
    let before = known(&world).len();
    let output = traced(
        &world,
        "t07_a_write_without_room_is_told_and_can_be_tried_again",
        &["-f", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", "inject=pwrite64:error=ENOSPC:when=1+"],
        &["task", "start", "make it loud"],
    );
    let Some(output) = output else { return };
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no room left on the disk"), "{said}");
    assert_eq!(known(&world).len(), before);
    world.start(&[]);
    assert_eq!(known(&world).len(), before + 1);
    world.json(&["task", "cancel", &blocker]);
}

#[test]
fn t08_what_could_not_be_synced_is_not_told_as_saved() {
    let (world, blocker) = crowded();
    let output = traced(
        &world,
        "t08_what_could_not_be_synced_is_not_told_as_saved",
        &[
            "-f",
            "-o",
            "/dev/null",
            "-e",
            "trace=fsync,fdatasync",
            "-e",
            "inject=fsync,fdatasync:error=EIO:when=1+",
        ],
        &["task", "start", "make it loud"],
    );
    let Some(output) = output else { return };
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("state.db"), "{said}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(world.sql::<String>("PRAGMA integrity_check"), "ok");
    let next = world.start(&[]);
    assert!(known(&world).contains(&next), "the next write is as good as any");
    world.json(&["task", "cancel", &blocker]);
}

#[test]
fn t09_a_worker_ten_years_away_is_left_alone() {
    let test = "t09_a_worker_ten_years_away_is_left_alone";
    let faked = ["/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1"];
    let Some(library) = faked.iter().find(|path| exists(Path::new(path))) else {
        skip(test, "there is no libfaketime");
        return;
    };
    for jump in ["+3650d", "-3650d"] {
        let world = World::new(1_500);
        let mut command = world.command(&["task", "start", "make it loud", "--json"]);
        let output = command.env("LD_PRELOAD", library).env("FAKETIME", jump).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let started: Value = serde_json::from_slice(&output.stdout).unwrap();
        let task = world.end(started["taskId"].as_str().unwrap());
        assert_eq!(task["status"], "completed", "{jump}: {task}");
    }
}

/// A system call of a trace that counts when the power goes.
enum Call {
    /// Bytes were written to a file at a place.
    Write(String, Vec<u8>, usize),
    /// What was written to a file is on the disk.
    Sync(String),
    /// A file is gone.
    Unlink(String),
    /// A file has this length.
    Truncate(String, usize),
    /// The user was told that the task was taken.
    Told,
}

/// Reads a line of `strace -f -y -xx`: all texts are in hexadecimal.
fn call(line: &str) -> Option<Call> {
    let bytes_of = |text: &str| -> Vec<u8> {
        text.split("\\x").skip(1).filter_map(|byte| u8::from_str_radix(byte.get(..2)?, 16).ok()).collect()
    };
    let name_of = |text: &str| {
        let path = String::from_utf8(bytes_of(text)).ok()?;
        let name = path.rsplit('/').next()?.to_owned();
        matches!(&*name, "state.db" | "state.db-wal" | "state.db-journal").then_some(name)
    };
    let (head, rest) = line.split_once('(')?;
    let file = || name_of(rest.split_once('<')?.1.split_once('>')?.0);
    let number = |at: usize| {
        let arguments = rest.rsplit_once(')').map_or(rest, |(arguments, _)| arguments);
        arguments.rsplit(", ").nth(at)?.parse::<usize>().ok()
    };
    match head.split_ascii_whitespace().last()? {
        "pwrite64" => Some(Call::Write(file()?, bytes_of(rest.split('"').nth(1)?), number(0)?)),
        "fsync" | "fdatasync" => Some(Call::Sync(file()?)),
        "unlink" => Some(Call::Unlink(name_of(rest)?)),
        "ftruncate" => Some(Call::Truncate(file()?, number(0)?)),
        "write"
            if rest.starts_with("1<") && bytes_of(rest.split('"').nth(1)?).starts_with(b"{\"taskId\"") =>
        {
            Some(Call::Told)
        }
        _ => None,
    }
}

fn write_at(content: &mut Vec<u8>, bytes: &[u8], at: usize) {
    content.resize(content.len().max(at + bytes.len()), 0);
    content[at..at + bytes.len()].copy_from_slice(bytes);
}

#[test]
fn t21_after_a_power_cut_the_acknowledged_is_there() {
    let test = "t21_after_a_power_cut_the_acknowledged_is_there";
    let world = World::new(0);
    let first = world.start(&[]);
    world.end(&first);
    world.nothing_is_left();
    world.sql::<i64>("PRAGMA wal_checkpoint(TRUNCATE)");
    // What is on the disk, and what was written and may be lost.
    let read = |name: &str| fs::read(world.home().join(name)).ok().map(|bytes| (name.to_owned(), bytes));
    let mut disk: BTreeMap<String, Vec<u8>> =
        ["state.db", "state.db-wal"].into_iter().filter_map(read).collect();
    let mut written = disk.clone();
    let trace = world.dir.path().join("trace");
    let shown = trace.display().to_string();
    let calls = "trace=pwrite64,write,fsync,fdatasync,unlink,ftruncate";
    // The worker is traced too: its writes and those of the command are in one order.
    let options = ["-f", "-y", "-xx", "-s", "70000", "-e", calls, "-o", &shown];
    let Some(output) = traced(&world, test, &options, &["task", "start", "make it loud"]) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (mut told, mut cuts) = (false, 0);
    for call in fs::read_to_string(&trace).unwrap().lines().filter_map(call) {
        match call {
            Call::Write(name, bytes, at) => write_at(written.entry(name).or_default(), &bytes, at),
            Call::Truncate(name, length) => written.entry(name).or_default().resize(length, 0),
            Call::Unlink(name) => {
                written.remove(&name);
                disk.remove(&name);
            }
            Call::Sync(name) => {
                disk.insert(name.clone(), written.get(&name).cloned().unwrap_or_default());
            }
            Call::Told => told = true,
        }
        cuts += 1;
        let after = tempfile::tempdir().unwrap();
        for (name, bytes) in &disk {
            fs::write(after.path().join(name), bytes).unwrap();
        }
        let store = rusqlite::Connection::open(after.path().join("state.db")).unwrap();
        let is_whole: String = store.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(is_whole, "ok", "after {cuts} calls");
        let tasks: usize = store.query_row("SELECT count(*) FROM task", [], |row| row.get(0)).unwrap();
        assert!(tasks == 2 || tasks == 1 && !told, "{tasks} tasks after {cuts} calls");
    }
    assert!(told && cuts > 20, "{cuts} calls: {}", fs::read_to_string(&trace).unwrap().lines().count());
}
