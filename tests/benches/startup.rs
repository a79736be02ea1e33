//! How long from the start of the process to its `initialize` answer, and what it then holds in memory, against `ruff server`.

mod probe;

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;
use probe::{Candidate, Samples, Server};

/// How often each server is started, after one start that is not counted.
const RUNS: usize = 40;

/// How long a server may settle before its memory is read.
const SETTLE: Duration = Duration::from_millis(100);

/// What was measured of one server.
#[derive(Clone, Default)]
struct Figures {
    answer: Samples,
    memory: Samples,
}

fn main() -> Result<()> {
    if !probe::is_wanted() {
        return Ok(());
    }
    let candidates = probe::candidates()?;
    probe::say_where();
    let mut figures = vec![Figures::default(); candidates.len()];
    for candidate in &candidates {
        start_once(candidate, &mut Figures::default())?;
    }
    for run in 0..RUNS {
        // A B, B A, A B …: neither always comes second.
        let mut order: Vec<_> = candidates.iter().zip(&mut figures).collect();
        if run % 2 == 1 {
            order.reverse();
        }
        for (candidate, figures) in order {
            start_once(candidate, figures)?;
        }
    }
    print(&candidates, &figures);
    Ok(())
}

fn start_once(candidate: &Candidate, figures: &mut Figures) -> Result<()> {
    let folder = probe::folder()?;
    let started = Instant::now();
    let mut server = Server::start(candidate, folder.path())?;
    server.initialize(folder.path())?;
    figures.answer.push_time(started.elapsed());
    server.notify("initialized", &serde_json::json!({}))?;
    sleep(SETTLE);
    figures.memory.push_kib(server.resident_kib()?)?;
    server.stop()
}

fn print(candidates: &[Candidate], figures: &[Figures]) {
    probe::head(&["server", "answer min ms", "answer p50 ms", "idle memory min MB", "idle memory p50 MB"]);
    let rows: Vec<[f64; 4]> = figures
        .iter()
        .map(|of| {
            [
                of.answer.percentile(0),
                of.answer.percentile(50),
                of.memory.percentile(0),
                of.memory.percentile(50),
            ]
        })
        .collect();
    for (candidate, row) in candidates.iter().zip(&rows) {
        probe::row(candidate.name, row);
    }
    if let [ours, ruff] = rows.as_slice() {
        let ratios: Vec<_> = ours.iter().zip(ruff).map(|(ours, ruff)| ours / ruff).collect();
        probe::row("ratio", &ratios);
    }
}
