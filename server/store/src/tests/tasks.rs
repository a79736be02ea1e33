//! Tasks: one worker each, nothing lost, ends that stay, and nobody who is waited for without end.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};

use kkcode_core::id::TaskId;
use kkcode_core::task::{
    Interruption, Task, TaskEnd, TaskEvent, TaskOutcome, TaskSpec, TaskStatus, WaitingFor,
};

use super::*;
use crate::{Beat, Fence, Limits, Outdated, Owner, Progress, TaskQuery};

const FREE: Limits = Limits { max_parallel: 1_000, max_per_group: 1_000 };

/// Names the home to a test that runs as a child process.
const CHILD_HOME: &str = "KKCODE_STORE_CHILD_HOME";

fn launch(store: &Store, id: &str, group: Option<&str>) -> Task {
    let spec = TaskSpec { prompt: "do it".into(), group: group.map(Into::into), ..TaskSpec::default() };
    let bases = vec![("/w/a".into(), "unsaved".into())];
    wait(|done| store.launch_task(TaskId::new(id), "/w".into(), spec, bases, done)).unwrap()
}

fn claim(store: &Store, id: &str, limits: Limits) -> Option<Fence> {
    let claimed = wait(|done| store.claim_task(TaskId::new(id), "token".into(), limits, done)).unwrap()?;
    assert_eq!(claimed.bases, [("/w/a".into(), "unsaved".to_owned())]);
    Some(Fence { task: claimed.task.id, epoch: claimed.task.epoch })
}

fn read(store: &Store, id: &str) -> Task {
    wait(|done| store.task(TaskId::new(id), done)).unwrap().unwrap()
}

fn end(status: TaskStatus) -> TaskEnd {
    TaskEnd { status, reason: None, error: None, outcome: TaskOutcome::default() }
}

fn note(text: String) -> Progress {
    Progress { lines: vec![TaskEvent::Note { text }], ..Progress::default() }
}

fn child(test: &str, home: &TempDir) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("tests::tasks::{test}"), "--ignored", "--nocapture"])
        .env(CHILD_HOME, home.path().join("home"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs so many children at once and returns the lines of all that begin so.
fn lines_of(count: usize, test: &str, home: &TempDir, prefix: &str) -> Vec<String> {
    let children: Vec<Child> = (0..count).map(|_| child(test, home)).collect();
    let mut lines = Vec::new();
    for mut child in children {
        let mut text = String::new();
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(child.wait().unwrap().success(), "{text}");
        lines.extend(text.lines().filter_map(|line| line.strip_prefix(prefix)).map(ToOwned::to_owned));
    }
    lines
}

fn child_store() -> Store {
    Store::new(std::env::var_os(CHILD_HOME).expect("only run as a child").into())
}

#[test]
#[ignore = "the child of four_processes_lose_no_update_of_a_task"]
fn child_that_updates() {
    let (store, fence) = (child_store(), Fence { task: TaskId::new("task_1"), epoch: 1 });
    for number in 0..200 {
        let progress = note(format!("{} {number}", std::process::id()));
        // Another process may have the write lock for longer than we wait.
        while let Err(error) = wait(|done| store.task_progress(fence.clone(), progress.clone(), done)) {
            assert!(matches!(error, StoreError::Busy { .. }), "{error}");
        }
    }
}

#[test]
fn four_processes_lose_no_update_of_a_task() {
    let home = home();
    let store = store(&home);
    launch(&store, "task_1", None);
    assert_eq!(claim(&store, "task_1", FREE).unwrap().epoch, 1);
    lines_of(4, "child_that_updates", &home, "");
    let log = wait(|done| store.task_log(TaskId::new("task_1"), 0, 10_000, done)).unwrap();
    let notes: std::collections::BTreeSet<&String> = log
        .iter()
        .filter_map(|(.., line)| match line {
            TaskEvent::Note { text } => Some(text),
            _ => None,
        })
        .collect();
    assert_eq!(notes.len(), 800);
    assert!(log.is_sorted_by(|one, other| one.0 < other.0), "the numbers grow");
}

#[test]
#[ignore = "the child of eight_processes_claim_each_task_once"]
fn child_that_claims() {
    let store = child_store();
    for number in 0..200 {
        let id = format!("task_{number}");
        let claimed = loop {
            match wait(|done| store.claim_task(TaskId::new(&*id), "token".into(), FREE, done)) {
                Err(StoreError::Busy { .. }) => {}
                claimed => break claimed.unwrap(),
            }
        };
        if let Some(claimed) = claimed {
            println!("claimed {id} {}", claimed.task.epoch);
        }
    }
}

#[test]
fn eight_processes_claim_each_task_once() {
    let home = home();
    let store = store(&home);
    for number in 0..200 {
        launch(&store, &format!("task_{number}"), None);
    }
    let mut claimed = lines_of(8, "child_that_claims", &home, "claimed ");
    claimed.sort();
    let mut wanted: Vec<String> = (0..200).map(|number| format!("task_{number} 1")).collect();
    wanted.sort();
    assert_eq!(claimed, wanted);
}

#[test]
fn who_has_lost_a_task_writes_nothing_of_it_any_more() {
    let home = home();
    let store = store(&home);
    launch(&store, "task_1", None);
    let old = claim(&store, "task_1", FREE).unwrap();
    let late = store.fenced(old.clone());
    commit(&late, vec![], vec![changed("p")]).unwrap();
    assert!(wait(|done| store.rescue_task(old.clone(), Interruption::Orphaned, done)).unwrap());
    assert!(!wait(|done| store.rescue_task(old.clone(), Interruption::Orphaned, done)).unwrap());
    let refused = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::Conflict { .. })), "{result:?}");
    };
    let writes_nothing = || {
        refused(commit(&late, vec![], vec![changed("p")]).map(drop));
        refused(wait(|done| late.task_progress(old.clone(), note("late".into()), done)));
        refused(wait(|done| late.end_task(old.clone(), end(TaskStatus::Completed), done)).map(drop));
        refused(wait(|done| late.park_task(old.clone(), "p".into(), done)).map(drop));
        assert_eq!(wait(|done| late.beat(old.clone(), done)).unwrap(), Beat::Lost);
    };
    writes_nothing();
    assert_eq!(read(&store, "task_1").status, TaskStatus::Interrupted);
    assert_eq!(read(&store, "task_1").reason, Some(Interruption::Orphaned));

    wait(|done| store.retry_task(TaskId::new("task_1"), done)).unwrap().unwrap();
    let new = claim(&store, "task_1", FREE).unwrap();
    assert!(new.epoch > old.epoch);
    writes_nothing();
    let ended = wait(|done| store.end_task(new.clone(), end(TaskStatus::Completed), done)).unwrap();
    assert_eq!((ended.status, ended.attempt), (TaskStatus::Completed, 2));
    writes_nothing();
    refused(wait(|done| store.end_task(new, end(TaskStatus::Error), done)).map(drop));
    assert_eq!(read(&store, "task_1").status, TaskStatus::Completed);
}

#[test]
fn a_task_that_was_to_stop_is_cancelled_whatever_its_worker_says() {
    let home = home();
    let store = store(&home);
    launch(&store, "task_1", None);
    let fence = claim(&store, "task_1", FREE).unwrap();
    assert_eq!(wait(|done| store.beat(fence.clone(), done)).unwrap(), Beat::Held(Level::Manual));
    let cancel = || {
        wait(|done| store.cancel_task(TaskId::new("task_1"), Interruption::RemoteCancel, done))
            .unwrap()
            .unwrap()
    };
    assert_eq!((cancel().status, cancel().cancel_requested), (TaskStatus::Running, true));
    assert_eq!(wait(|done| store.beat(fence.clone(), done)).unwrap(), Beat::Stop(Interruption::RemoteCancel));
    let ended = wait(|done| store.end_task(fence, end(TaskStatus::Completed), done)).unwrap();
    assert_eq!((ended.status, ended.reason), (TaskStatus::Cancelled, Some(Interruption::RemoteCancel)));
    assert_eq!(cancel().status, TaskStatus::Cancelled);

    launch(&store, "task_2", None);
    let id = TaskId::new("task_2");
    let cancelled =
        wait(|done| store.cancel_task(id.clone(), Interruption::UserCancel, done)).unwrap().unwrap();
    assert_eq!(cancelled.status, TaskStatus::Cancelled);
    assert_eq!(claim(&store, "task_2", FREE), None);
    let refused = wait(|done| store.retry_task(TaskId::new("task_9"), done)).unwrap();
    assert_eq!(refused, None);
    assert_eq!(wait(|done| store.retry_task(id, done)).unwrap().unwrap().status, TaskStatus::Pending);
    assert!(claim(&store, "task_2", FREE).is_some());
}

#[test]
fn groups_take_turns_and_no_more_run_than_may() {
    let home = home();
    let store = store(&home);
    for id in ["a1", "a2", "a3"] {
        launch(&store, id, Some("a"));
    }
    launch(&store, "b1", Some("b"));
    let limits = Limits { max_parallel: 3, max_per_group: 2 };
    let next = || wait(|done| store.next_task(limits, done)).unwrap().map(|id| id.to_string());
    assert_eq!(next().as_deref(), Some("a1"));
    assert_eq!(next().as_deref(), Some("b1"), "the other group has none yet");
    assert!(claim(&store, "a1", limits).is_some());
    assert_eq!(next().as_deref(), Some("a2"));
    assert_eq!(next(), None, "three run, or are about to");
    let are_starting = || wait(|done| store.are_starting(done)).unwrap();
    assert!(are_starting());
    for id in ["b1", "a2"] {
        assert!(claim(&store, id, limits).is_some());
    }
    assert!(!are_starting());
    assert_eq!(claim(&store, "a3", limits), None);
    assert_eq!(claim(&store, "a3", Limits { max_parallel: 9, ..limits }), None, "two of the group run");
    raw(&home).execute("UPDATE task SET spawned_at = 1 WHERE id = 'a3'", []).unwrap();
    assert_eq!(claim(&store, "a3", limits), None);
    let spawned: Option<i64> =
        raw(&home).query_row("SELECT spawned_at FROM task WHERE id = 'a3'", [], |row| row.get(0)).unwrap();
    assert_eq!(spawned, None, "who ends next may start a worker for it at once");
    let counts = wait(|done| store.task_counts(done)).unwrap();
    assert_eq!((counts.pending, counts.running), (1, 3));
}

#[test]
fn a_task_whose_workers_end_without_a_word_is_given_up() {
    let home = home();
    let store = store(&home);
    launch(&store, "task_1", None);
    for crash in 1..=3 {
        let fence = claim(&store, "task_1", FREE).unwrap();
        wait(|done| store.rescue_task(fence.clone(), Interruption::Orphaned, done)).unwrap();
        wait(|done| store.forget_lease(fence, done)).unwrap();
        let task = read(&store, "task_1");
        assert_eq!(task.crashes, crash);
        let wanted = if crash < 3 { TaskStatus::Interrupted } else { TaskStatus::Error };
        assert_eq!(task.status, wanted);
        if crash == 3 {
            assert_eq!(task.error.unwrap().class, "crashed");
        }
        wait(|done| store.retry_task(TaskId::new("task_1"), done)).unwrap().unwrap();
    }
    assert_eq!(read(&store, "task_1").crashes, 0, "who tries again after that begins anew");

    // Workers that end before they claim.
    launch(&store, "task_2", None);
    raw(&home).execute("UPDATE task SET spawned_at = -100000, crashes = 2 WHERE id = 'task_2'", []).unwrap();
    raw(&home).execute("UPDATE task SET status = 'cancelled', ended_at = 1 WHERE id = 'task_1'", []).unwrap();
    launch(&store, "task_3", None);
    let next = wait(|done| store.next_task(FREE, done)).unwrap();
    assert_eq!(next, Some(TaskId::new("task_3")), "the one that is given up is in nobody's way");
    assert_eq!(read(&store, "task_2").status, TaskStatus::Error);
}

#[test]
fn a_worker_of_another_boot_or_another_process_is_gone() {
    let home = home();
    let store = store(&home);
    launch(&store, "task_1", None);
    claim(&store, "task_1", FREE).unwrap();
    let lease = || wait(|done| store.tended(done)).unwrap().leases.remove(0);
    assert!(lease().holds && lease().owner.is_alive());
    assert_eq!(lease().owner.pid(), std::process::id());
    assert_eq!(lease().token, "token");
    assert!(lease().silent_ms >= 0 && lease().stopping_ms.is_none());
    for start in ["00000000-0000-0000-0000-000000000000:1", "1"] {
        raw(&home).execute("UPDATE lease SET start = ?1", [start]).unwrap();
        assert!(!lease().owner.is_alive(), "{start}");
    }
    assert!(!Owner::with_start(u32::MAX, "x").is_alive());
}

#[test]
fn the_clock_on_the_wall_takes_no_task_away() {
    let home = home();
    let store = store(&home);
    launch(&store, "task_1", None);
    let fence = claim(&store, "task_1", FREE).unwrap();
    // As if the clock had been set ten years back, or forth, since.
    for at in [0_i64, i64::MAX / 2] {
        raw(&home).execute("UPDATE task SET created_at = ?1, started_at = ?1", [at]).unwrap();
        let lease = wait(|done| store.tended(done)).unwrap().leases.remove(0);
        assert!(lease.holds && (0..10_000).contains(&lease.silent_ms), "{lease:?}");
        assert_eq!(wait(|done| store.beat(fence.clone(), done)).unwrap(), Beat::Held(Level::Manual));
    }
}

#[test]
fn a_task_without_its_key_waits_and_is_taken_up_again() {
    let home = home();
    let store = store(&home);
    launch(&store, "task_1", None);
    let fence = claim(&store, "task_1", FREE).unwrap();
    let parked = wait(|done| store.park_task(fence, "cloud".into(), done)).unwrap();
    assert_eq!(parked.status, TaskStatus::Waiting);
    assert_eq!(parked.waiting_for, Some(WaitingFor::Key { provider: "cloud".into() }));
    let tended = wait(|done| store.tended(done)).unwrap();
    assert_eq!(tended.parked, [(TaskId::new("task_1"), "cloud".to_owned())]);
    assert!(tended.leases.is_empty());
    let start = || wait(|done| store.start_parked(TaskId::new("task_1"), done)).unwrap();
    assert!(start() && !start(), "one is quicker");
    let task = claim(&store, "task_1", FREE).map(|_| read(&store, "task_1")).unwrap();
    assert_eq!((task.status, task.attempt, task.waiting_for), (TaskStatus::Running, 1, None));
}

#[test]
fn what_ended_long_ago_is_cleaned_away_and_the_rest_is_listed() {
    let home = home();
    let store = store(&home);
    for number in 0..250 {
        let id = format!("task_{number}");
        launch(&store, &id, None);
        if number < 240 {
            let fence = claim(&store, &id, FREE).unwrap();
            wait(|done| store.end_task(fence, end(TaskStatus::Completed), done)).unwrap();
        }
    }
    let list = |query: TaskQuery| wait(|done| store.tasks(query, done)).unwrap();
    let of = |status| TaskQuery { status: Some(status), ..TaskQuery::default() };
    assert_eq!(list(TaskQuery::default())[0].id.as_str(), "task_249");
    assert_eq!(list(of(TaskStatus::Pending)).len(), 10);
    let elsewhere = TaskQuery { folders: Some(vec!["/other".into()]), ..TaskQuery::default() };
    assert!(list(elsewhere).is_empty());
    let clean_but = |before, but_newest, with_worktree| {
        let outdated = Outdated { ended_before: Timestamp(before), but_newest, with_worktree };
        wait(|done| store.clean_tasks(outdated, done)).unwrap()
    };
    let clean = |before| clean_but(before, i64::MAX, true);
    assert!(clean(1).is_empty());
    // All ended at once, then each a millisecond after the one before; one has a worktree.
    raw(&home).execute("UPDATE task SET ended_at = 1000 + number WHERE ended_at IS NOT NULL", []).unwrap();
    let kept = r#"UPDATE task SET result = '{"worktree": "/w/task_2"}' WHERE id = 'task_2'"#;
    raw(&home).execute(kept, []).unwrap();
    let names = |ids: Vec<TaskId>| ids.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(clean_but(1, 235, false)), ["task_0", "task_1", "task_3", "task_4"]);
    assert!(clean_but(1, 235, false).is_empty());
    let mut removed = 4;
    loop {
        let ids = clean(i64::MAX);
        if ids.is_empty() {
            break;
        }
        assert!(ids.len() <= 100);
        removed += ids.len();
    }
    assert_eq!(removed, 240);
    let counts = wait(|done| store.task_counts(done)).unwrap();
    assert_eq!((counts.completed, counts.pending), (0, 10));
    assert_eq!(list(TaskQuery::default()).len(), 10);
    let rows: usize = raw(&home).query_row("SELECT count(*) FROM task_event", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 10);
}
