//! Background tasks as processes: what they survive, how they end, and what they leave.
#![cfg(test)]
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use kkcode_tests::{Binary, DEADLINE, Options, Terminal, skip};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

mod crash;
mod delegation;
mod faults;
mod limits;
mod machine;
mod places;
mod run;
mod stop;
mod worktree;

/// A home with a scripted model, and a folder with a file.
struct World {
    dir: tempfile::TempDir,
    program: PathBuf,
}

/// Reads, thinks for a while, edits, and says so; once more if it is asked to go on after that, because its worker was killed
/// between the last words and the end of the turn.
const SCRIPT: &str = "
turns:
  - stream:
      - text: Looking.
      - tool: {name: read, input: {path: a.txt}}
  - stream:
      - delayMs: DELAY
      - tool: {name: edit, input: {path: a.txt, before: two, after: TWO}}
  - stream:
      - delayMs: DELAY
      - text: Done.
  - stream: [{text: Done.}]
";

const TEXT: &str = "one\ntwo\nthree\n";

impl World {
    /// Makes a world in which a task takes so many milliseconds at least.
    fn new(delay_ms: u64) -> Self {
        Self::with_script(&SCRIPT.replace("DELAY", &(delay_ms / 2).to_string()))
    }

    fn with_script(script: &str) -> Self {
        let world = Self { dir: tempfile::tempdir().unwrap(), program: Binary::Server.path() };
        fs::create_dir_all(world.home()).unwrap();
        fs::create_dir_all(world.work()).unwrap();
        fs::write(world.home().join("script.yaml"), script).unwrap();
        fs::write(world.home().join("wait.yaml"), "turns:\n  - stream: [{waitFor: never}]\n").unwrap();
        world.configure("");
        fs::write(world.work().join("a.txt"), TEXT).unwrap();
        world
    }

    fn configure(&self, more: &str) {
        let scripted = |name: &str, script: &str| format!("  {name}: {{type: scripted, script: {script}}}\n");
        let (play, wait) = (scripted("play", "script.yaml"), scripted("wait", "wait.yaml"));
        let config = format!("models: {{main: play/scripted}}\nprovider:\n{play}{wait}{more}");
        // In one step: a worker may read it just then.
        let new = self.home().join("config.yaml.new");
        fs::write(&new, config).unwrap();
        fs::rename(new, self.home().join("config.yaml")).unwrap();
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            let bytes = name.as_encoded_bytes();
            if bytes.starts_with(b"KKCODE_") || bytes.ends_with(b"_API_KEY") {
                command.env_remove(name);
            }
        }
        command.args(arguments).current_dir(self.work());
        command.env("HOME", self.home()).env("KKCODE_HOME", self.home()).stdin(Stdio::null());
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        self.command(&arguments).output().unwrap()
    }

    /// Runs a command with `--json` that must succeed, and returns its one value.
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.output(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}\n{}", self.worker_logs());
        serde_json::from_slice(&output.stdout).unwrap()
    }

    #[track_caller]
    fn start(&self, more: &[&str]) -> String {
        let mut arguments = vec!["task", "start", "make it loud"];
        arguments.extend(more);
        self.json(&arguments)["taskId"].as_str().unwrap().to_owned()
    }

    /// Starts a task that takes its place until it is cancelled.
    #[track_caller]
    fn start_waiting(&self) -> String {
        let id = self.start(&["--model", "wait/scripted"]);
        self.worker(&id);
        id
    }

    #[track_caller]
    fn show(&self, id: &str) -> Value {
        self.json(&["task", "show", id])
    }

    /// Waits until a task has ended, and returns it.
    #[track_caller]
    fn end(&self, id: &str) -> Value {
        let list = self.json(&["task", "wait", id, "--timeout-ms", "60000"]);
        list["tasks"][0].clone()
    }

    fn log(&self, id: &str) -> Vec<Value> {
        self.json(&["task", "logs", id])["events"].as_array().unwrap().clone()
    }

    /// Stops a worker, but not in the middle of a write: nobody else could write then.
    #[track_caller]
    fn stop(&self, worker: Pid) {
        let begin = Instant::now();
        loop {
            signal(worker, Signal::STOP);
            let stat = format!("/proc/{}/stat", worker.as_raw_nonzero());
            while !fs::read_to_string(&stat).unwrap().contains(") T ") {
                std::thread::yield_now();
            }
            let store = rusqlite::Connection::open(self.home().join("state.db")).unwrap();
            store.busy_timeout(Duration::ZERO).unwrap();
            if store.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_ok() {
                return;
            }
            signal(worker, Signal::CONT);
            assert!(begin.elapsed() < DEADLINE, "the worker writes all the time");
        }
    }

    /// Waits until the store says so, behind everybody's back.
    #[track_caller]
    fn until(&self, what: &str, sql: &str) {
        let begin = Instant::now();
        while !self.sql::<Option<bool>>(sql).unwrap_or_default() {
            assert!(begin.elapsed() < DEADLINE, "{what}: {}", self.worker_logs());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn sql<T: rusqlite::types::FromSql + Default>(&self, sql: &str) -> T {
        let database = self.home().join("state.db");
        if !database.exists() {
            return T::default();
        }
        let connection = rusqlite::Connection::open(database).unwrap();
        connection.busy_timeout(DEADLINE).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap_or_default()
    }

    fn write_sql(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.home().join("state.db")).unwrap();
        connection.busy_timeout(DEADLINE).unwrap();
        connection.execute_batch(sql).unwrap();
    }

    /// Waits until a worker has the task, and returns its process.
    #[track_caller]
    fn worker(&self, id: &str) -> Pid {
        self.until("a worker", &format!("SELECT status = 'running' FROM task WHERE id = '{id}'"));
        let pid = self.sql::<i64>(&format!("SELECT pid FROM lease WHERE task = '{id}' ORDER BY epoch DESC"));
        Pid::from_raw(i32::try_from(pid).unwrap()).expect("the worker's process")
    }

    /// Returns the processes of this home that still run.
    fn processes(&self) -> Vec<u32> {
        let variable = format!("KKCODE_HOME={}", self.home().display());
        processes_with(&variable)
    }

    /// Waits until no process of this home is left.
    #[track_caller]
    fn nothing_is_left(&self) {
        let begin = Instant::now();
        while !self.processes().is_empty() {
            assert!(begin.elapsed() < DEADLINE, "{:?} are left: {}", self.processes(), self.worker_logs());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn worker_logs(&self) -> String {
        let folders = fs::read_dir(self.home().join("tasks")).into_iter().flatten().flatten();
        folders.filter_map(|folder| fs::read_to_string(folder.path().join("worker.log")).ok()).collect()
    }

    fn text(&self) -> String {
        fs::read_to_string(self.work().join("a.txt")).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for pid in self.processes() {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            pid.map(|pid| kill_process(pid, Signal::KILL));
        }
    }
}

/// Returns the processes with this in their environment.
fn processes_with(variable: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let has_it = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes()) && is_alive(*pid)
    };
    pids.filter(has_it).collect()
}

/// Tells whether a process runs, or is stopped: not one that has ended and was not collected.
fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !matches!(rest.trim_start().chars().next(), Some('Z' | 'X')))
}

/// Tells whether a process is there at all.
fn runs(pid: Pid) -> bool {
    u32::try_from(pid.as_raw_nonzero().get()).is_ok_and(is_alive)
}

#[track_caller]
fn until_gone(pid: Pid) {
    let begin = Instant::now();
    while runs(pid) {
        assert!(begin.elapsed() < DEADLINE, "{pid:?} is left");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(pid: Pid, signal: Signal) {
    kill_process(pid, signal).unwrap();
}

/// How often something random is tried: 40 times, or what `KKCODE_TEST_LONG` says.
fn rounds() -> u64 {
    std::env::var("KKCODE_TEST_LONG").ok().and_then(|count| count.parse().ok()).unwrap_or(40)
}

/// Returns a number below `below` that is another one each time, and the same in each run.
fn shuffled(round: u64, below: u64) -> u64 {
    let mixed = round.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (mixed >> 33) % below.max(1)
}

/// Starts a command that is followed until it ends.
fn follow(world: &World, arguments: &[&str]) -> Child {
    world.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Returns the statuses that a log tells of, in order.
fn statuses(log: &[Value]) -> Vec<String> {
    let of = |event: &Value| event["task"]["status"].as_str().map(ToOwned::to_owned);
    log.iter().filter(|event| event["kind"] == "taskChanged").filter_map(of).collect()
}

/// Returns the tasks that the store knows.
fn known(world: &World) -> Vec<String> {
    let list = world.json(&["task", "list"]);
    let ids =
        list["tasks"].as_array().unwrap().iter().map(|task| task["taskId"].as_str().unwrap().to_owned());
    ids.collect()
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}
