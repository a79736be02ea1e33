//! What the store spends on background tasks, however many have ended: a launch, a claim, a line of a log, an end, and a look
//! at those that one waits for. Run it with `cargo bench --package kkcode-store --bench tasks`.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and breaks when something is wrong"
)]

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use kkcode_core::id::TaskId;
use kkcode_core::task::{TaskEnd, TaskEvent, TaskOutcome, TaskSpec, TaskStatus};
use kkcode_store::{Fence, Limits, Progress, Store, StoreError, TaskQuery};

/// How often everything is done.
const TIMES: usize = 50;

const LIMITS: Limits = Limits { max_parallel: 1_000, max_per_group: 1_000 };

fn main() {
    println!("| finished tasks | what | p50 ms | p99 ms |");
    println!("|---|---|---|---|");
    for finished in [10, 1_000, 100_000] {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        launch(&store, "task_first");
        fill(home.path(), finished);
        measure(&store, finished);
    }
}

fn measure(store: &Store, finished: usize) {
    let mut times: [(&str, Vec<Duration>); 8] = [
        ("launch, durable", Vec::new()),
        ("claim, durable", Vec::new()),
        ("heartbeat", Vec::new()),
        ("1,000 lines of a log, one after the other", Vec::new()),
        ("wake: one that is waited for", Vec::new()),
        ("look after workers", Vec::new()),
        ("list, the newest 1,000", Vec::new()),
        ("end, durable", Vec::new()),
    ];
    for round in 0..TIMES {
        let id = format!("task_{finished}_{round}");
        let mut note = |at: usize, begin: Instant| times[at].1.push(begin.elapsed());
        let begin = Instant::now();
        launch(store, &id);
        note(0, begin);
        let begin = Instant::now();
        let claimed = wait(|done| store.claim_task(TaskId::new(&*id), "token".into(), LIMITS, done));
        note(1, begin);
        let fence = Fence { task: TaskId::new(&*id), epoch: claimed.unwrap().unwrap().task.epoch };
        let begin = Instant::now();
        wait(|done| store.beat(fence.clone(), done)).unwrap();
        note(2, begin);
        if round < 5 {
            let begin = Instant::now();
            for line in 0..1_000 {
                let lines = vec![TaskEvent::Note { text: format!("line {line}") }];
                let progress = Progress { lines, ..Progress::default() };
                wait(|done| store.task_progress(fence.clone(), progress, done)).unwrap();
            }
            note(3, begin);
        }
        let begin = Instant::now();
        wait(|done| store.task_statuses(vec![fence.task.clone()], done)).unwrap();
        note(4, begin);
        let begin = Instant::now();
        wait(|done| store.tended(done)).unwrap();
        note(5, begin);
        let begin = Instant::now();
        wait(|done| store.tasks(TaskQuery::default(), done)).unwrap();
        note(6, begin);
        let end = TaskEnd {
            status: TaskStatus::Completed,
            reason: None,
            error: None,
            outcome: TaskOutcome::default(),
        };
        let begin = Instant::now();
        wait(|done| store.end_task(fence, end, done)).unwrap();
        note(7, begin);
    }
    for (what, mut times) in times {
        times.sort();
        let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1_000.0;
        println!("| {finished} | {what} | {:.3} | {:.3} |", at(50), at(99));
    }
}

fn launch(store: &Store, id: &str) {
    let spec = TaskSpec { prompt: "write the tests".repeat(20), ..TaskSpec::default() };
    wait(|done| store.launch_task(TaskId::new(id), "/work".into(), spec, Vec::new(), done)).unwrap();
}

/// Adds tasks that have ended, each with five lines in its log.
fn fill(home: &std::path::Path, count: usize) {
    let connection = rusqlite::Connection::open(home.join("state.db")).unwrap();
    let fill = format!(
        "BEGIN;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO task (id, folder, spec, team, status, attempt, epoch, crashes, created_at, ended_at)
         SELECT 'task_old' || i, folder, spec, 'task_old' || i, 'completed', 1, 1, 0, 1, 2 FROM task, n;
         INSERT INTO task_event (task, at, body)
         SELECT id, 1, '{{\"kind\":\"note\",\"text\":\"a line\"}}' FROM task, (VALUES (1), (2), (3), (4), (5));
         COMMIT;"
    );
    connection.execute_batch(&fill).unwrap();
}

fn wait<T: Send + 'static>(
    call: impl FnOnce(Box<dyn FnOnce(Result<T, StoreError>) + Send>),
) -> Result<T, StoreError> {
    let (sender, result) = channel();
    call(Box::new(move |outcome| sender.send(outcome).unwrap()));
    result.recv_timeout(Duration::from_mins(1)).unwrap()
}
