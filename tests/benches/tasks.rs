//! Background tasks as an editor has them: how long until a worker is at work, until everybody who watches knows of the end, and
//! what a worker holds that waits.

#![expect(clippy::indexing_slicing, reason = "what is not in an answer is null")]

#[expect(dead_code, reason = "some of it is for the benchmarks beside another server")]
mod probe;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use probe::{Candidate, Samples, Server};
use serde_json::{Value, json};

/// How many tasks are done, after one that is not counted.
const RUNS: usize = 40;

/// How many workers wait when their memory is read.
const WORKERS: usize = 4;

/// How long a worker may settle before its memory is read.
const SETTLE: Duration = Duration::from_secs(1);

/// What an editor was told of a task, and when.
struct Told {
    at: SystemTime,
    instant: Instant,
    task: Value,
}

fn main() -> Result<()> {
    if !probe::is_wanted() {
        return Ok(());
    }
    let candidate = Candidate::ours()?;
    probe::say_where();
    let folder = probe::folder()?;
    let home = folder.path().join("home");
    fs::create_dir_all(&home)?;
    fs::write(home.join("config.yaml"), "provider: {play: {type: scripted, script: script.yaml}}\n")?;
    let script = |turns: &str| fs::write(home.join("script.yaml"), format!("turns:\n{turns}"));
    script("  - stream: [{text: Done.}]\n")?;
    let mut first = start(&candidate, folder.path())?;
    let mut alive = Samples::default();
    for run in 0..=RUNS {
        let begun = Instant::now();
        command(&mut first, "kkcode.task.start", &json!({"prompt": "measure"}))?;
        let running = until(|| next(&mut first), |task| task["status"] != "pending")?;
        until(|| next(&mut first), is_completed)?;
        if run > 0 {
            alive.push_time(running.instant - begun);
        }
    }
    let mut second = start(&candidate, folder.path())?;
    let (telling, told) = channel();
    std::thread::spawn(move || while next(&mut second).is_ok_and(|news| telling.send(news).is_ok()) {});
    let (mut here, mut elsewhere) = <(Samples, Samples)>::default();
    for run in 0..=RUNS {
        command(&mut first, "kkcode.task.start", &json!({"prompt": "measure"}))?;
        let ends = [until(|| next(&mut first), is_completed)?, until(|| Ok(told.recv()?), is_completed)?];
        for (told, samples) in ends.iter().zip([&mut here, &mut elsewhere]) {
            if run > 0 {
                samples.push_time(told.at.duration_since(ended_at(&told.task)?).unwrap_or_default());
            }
        }
    }
    script("  - stream: [{waitFor: never}]\n")?;
    let mut workers: Vec<Value> = Vec::new();
    for number in 0..WORKERS {
        let prompt = format!("wait {number}");
        command(&mut first, "kkcode.task.start", &json!({"prompt": prompt}))?;
        let is_it = |task: &Value| task["status"] == "running" && task["description"] == prompt;
        workers.push(until(|| next(&mut first), is_it)?.task);
    }
    sleep(SETTLE);
    let mut memory = <[Samples; 3]>::default();
    for worker in &workers {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", worker["pid"]))?;
        for (name, samples) in ["Rss:", "Pss:", "Anonymous:"].iter().zip(&mut memory) {
            samples.push_kib(kib(&rollup, name)?)?;
        }
    }
    for worker in &workers {
        command(&mut first, "kkcode.task.cancel", &json!({"taskId": worker["taskId"]}))?;
        until(
            || next(&mut first),
            |task| task["status"] == "cancelled" && task["taskId"] == worker["taskId"],
        )?;
    }
    first.stop()?;

    probe::head(&["what", "p50", "p99"]);
    probe::row("launch to a worker at work, ms", &[alive.percentile(50), alive.percentile(99)]);
    probe::row("end to the editor it was started in, ms", &[here.percentile(50), here.percentile(99)]);
    probe::row("end to another editor, ms", &[elsewhere.percentile(50), elsewhere.percentile(99)]);
    let [resident, share, own] = &memory;
    probe::row("a worker that waits, resident, MB", &[resident.percentile(50), resident.percentile(99)]);
    probe::row(
        "the same, what several share divided by them, MB",
        &[share.percentile(50), share.percentile(99)],
    );
    probe::row("the same, its own alone, MB", &[own.percentile(50), own.percentile(99)]);
    Ok(())
}

fn is_completed(task: &Value) -> bool {
    task["status"] == "completed"
}

/// Starts a server with an editor that knows our notifications.
fn start(candidate: &Candidate, folder: &Path) -> Result<Server> {
    let mut server = Server::start(candidate, folder)?;
    let uri = format!("file://{}", folder.display());
    let params = json!({
        "processId": std::process::id(),
        "rootUri": uri,
        "workspaceFolders": [{"uri": uri, "name": "bench"}],
        "capabilities": {"experimental": {"kkcode": {"protocolVersion": 1}}},
    });
    server.request("initialize", &params)?;
    server.notify("initialized", &json!({}))?;
    Ok(server)
}

/// Sends a command; its answer is read with the news.
fn command(server: &mut Server, command: &str, argument: &Value) -> Result<()> {
    // Each has an id of its own: the answer may come after the next question.
    static NEXT: AtomicU64 = AtomicU64::new(1_000);
    let params = json!({"command": command, "arguments": [argument]});
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    server.send(&json!({"jsonrpc": "2.0", "id": id, "method": "workspace/executeCommand", "params": params}))
}

/// Waits for the next news of a task.
fn next(server: &mut Server) -> Result<Told> {
    loop {
        let message = server.receive()?;
        ensure!(message.get("error").is_none(), "{message}");
        if message["method"] == "kkcode/task/didChange" {
            let task = message["params"]["task"].clone();
            return Ok(Told { at: SystemTime::now(), instant: Instant::now(), task });
        }
    }
}

/// Returns the first news of a task that is so.
fn until(mut next: impl FnMut() -> Result<Told>, is_so: impl Fn(&Value) -> bool) -> Result<Told> {
    loop {
        let told = next()?;
        if is_so(&told.task) {
            return Ok(told);
        }
    }
}

/// Returns when a task ended, to the millisecond.
fn ended_at(task: &Value) -> Result<SystemTime> {
    let ended: jiff::Timestamp = task["endedAt"].as_str().context("a task without end")?.parse()?;
    Ok(ended.into())
}

/// Returns a line of what Linux counts of a process, in KiB.
fn kib(counted: &str, name: &str) -> Result<u64> {
    let line = counted.lines().find_map(|line| line.strip_prefix(name)).context("what Linux counts")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
