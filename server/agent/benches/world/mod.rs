//! What the benchmarks share: a runtime without an editor, a scripted model, and figures of many runs.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::path::Path;
use std::time::{Duration, Instant};

use kkcode_agent::config::ConfigSource;
use kkcode_agent::runtime::{CallEnd, Handle, NewTurn, ToFrontEnd, TurnUpdate, Update, spawn};
use kkcode_core::effect::{DurableEvent, EditorEffect, Reply};
use kkcode_core::event::{Event, FileOperations};
use kkcode_core::id::SessionId;
use kkcode_core::text::PositionEncoding;
use kkcode_core::turn::TurnStatus;
use tokio::sync::mpsc::UnboundedReceiver;

/// A model that plays `script.yaml`, as a configuration file says it.
pub(crate) const SCRIPTED: &str = "provider: {default: play, play: {type: scripted, script: script.yaml}}\n";

/// A runtime that works in a folder, with a home of its own.
pub(crate) struct World {
    pub(crate) home: tempfile::TempDir,
    handle: Handle,
    told: UnboundedReceiver<ToFrontEnd>,
}

/// What was heard of a turn.
pub(crate) struct Heard {
    pub(crate) session: SessionId,
    /// From the request to the end of the turn.
    pub(crate) whole: Duration,
    /// From the first call of a tool to the result of the last one.
    pub(crate) calls: Duration,
    /// What the tools answered, and how many of them that they could not.
    pub(crate) results: Vec<String>,
    pub(crate) failed: usize,
}

impl World {
    /// Starts a runtime in a folder, with a configuration file.
    pub(crate) fn start(folder: &Path, config: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config.yaml"), config).unwrap();
        // Nobody listens there, whatever runs on this machine.
        let environment = |name: &str| (name == "OLLAMA_HOST").then(|| "127.0.0.1:1".to_owned());
        let config = ConfigSource::new(home.path().to_owned(), None, environment);
        let (handle, told) = spawn(home.path().to_owned(), config);
        let folders = vec![folder.canonicalize().unwrap()];
        let (encoding, operations) = (PositionEncoding::Utf16, FileOperations::default());
        handle.send(Event::Attached { encoding, folders, operations });
        Self { home, handle, told }
    }

    /// Says what the model does from now on.
    pub(crate) fn script(&self, script: &str) {
        std::fs::write(self.home.path().join("script.yaml"), script).unwrap();
    }

    /// Runs a turn that must come to its end.
    pub(crate) async fn turn(&mut self, session: Option<SessionId>) -> Heard {
        let started = Instant::now();
        let new = NewTurn { prompt: "go on".to_owned(), session, ..NewTurn::default() };
        let Reply::TurnStarted { turn, session } = self.handle.start_turn(new).await.unwrap() else {
            panic!("a turn start is answered by its names");
        };
        let (mut first, mut last, mut results, mut failed) = (None, started, Vec::new(), 0);
        loop {
            match self.told.recv().await.unwrap() {
                ToFrontEnd::Turn(TurnUpdate { update: Update::ToolCall { .. }, .. }) => {
                    first.get_or_insert_with(Instant::now);
                }
                ToFrontEnd::Turn(TurnUpdate { update: Update::ToolResult { text, end, .. }, .. }) => {
                    last = Instant::now();
                    failed += usize::from(end != CallEnd::Ok);
                    results.push(text);
                }
                ToFrontEnd::Effect(EditorEffect::Durable(
                    _,
                    DurableEvent::TurnFinished { turn: ended, .. },
                )) if ended == turn => {
                    break;
                }
                _ => {}
            }
        }
        let whole = started.elapsed();
        let status = self.handle.snapshot().await.unwrap().turns[&turn].status.clone();
        assert_eq!(status, TurnStatus::Completed);
        Heard { session, whole, calls: first.map_or(Duration::ZERO, |first| last - first), results, failed }
    }

    /// Ends the runtime.
    pub(crate) async fn stop(self) {
        self.handle.stop(Duration::from_secs(10)).await;
    }
}

/// Tells whether `cargo bench` runs this program; `cargo test --all-targets` starts it too, and then it does nothing.
pub(crate) fn is_wanted() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// Prints how busy the machine was before the run.
pub(crate) fn say_where() {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "{cores} cores, load before the run {load}; above {} the figures mean little\n",
        cores + cores / 2
    );
}

/// Returns the value that `share` percent of some times do not exceed, in milliseconds.
pub(crate) fn percentile(times: &[Duration], share: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let last = sorted.len() - 1;
    sorted[(last * share).div_ceil(100)].as_secs_f64() * 1e3
}
