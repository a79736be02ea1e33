//! What was acknowledged is there, whatever happens to the process or to its writes.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::*;

/// Names the home to a test that runs as a child process.
const CHILD_HOME: &str = "KKCODE_STORE_CHILD_HOME";

fn child(test: &str, home: &TempDir, prefix: &str) -> Child {
    let exe = std::env::current_exe().unwrap();
    let script = format!("{prefix} exec \"$0\" --exact tests::durability::{test} --ignored --nocapture");
    Command::new("sh")
        .args(["-c", &script])
        .arg(exe)
        .env(CHILD_HOME, home.path().join("home"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Returns the number of an acknowledged event that a child has printed.
fn acknowledged(line: &str) -> Option<u64> {
    line.strip_prefix("seq ")?.parse().ok()
}

#[test]
#[ignore = "the child of a_killed_process_loses_nothing_it_acknowledged"]
fn child_that_commits_until_it_is_killed() {
    let store = Store::new(std::env::var_os(CHILD_HOME).expect("only run as a child").into());
    for number in 0_u64.. {
        // Now and then something large, so that checkpoints happen and writes are long.
        let (hash, lines) = text(&format!("{number} {}\n", std::process::id()).repeat(20_000));
        let records = if number % 8 == 0 { vec![Record::Text(hash, lines)] } else { vec![] };
        let seqs = commit(&store, records, vec![changed("p"), changed("p")]).unwrap();
        for seq in seqs {
            println!("seq {seq}");
        }
    }
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged() {
    let home = home();
    let mut last = 0;
    let mut seed = 1_usize;
    for _ in 0..20 {
        let mut child = child("child_that_commits_until_it_is_killed", &home, "");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        seed = (seed * 73 + 31) % 101;
        // The child is already at its next commits when we have read so far.
        let mut seqs: Vec<u64> = lines
            .by_ref()
            .map_while(Result::ok)
            .filter_map(|line| acknowledged(&line))
            .take(seed + 1)
            .collect();
        child.kill().unwrap();
        seqs.extend(lines.map_while(Result::ok).filter_map(|line| acknowledged(&line)));
        child.wait().unwrap();
        assert!(seqs.len() > seed, "it committed until it was killed");

        let connection = raw(&home);
        let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(integrity, "ok");
        let stored: u64 = connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap();
        assert_eq!(stored % 2, 0, "each commit as a whole");
        let newest: u64 = connection.query_row("SELECT max(seq) FROM event", [], |row| row.get(0)).unwrap();
        assert_eq!(newest, stored, "no number was given twice or left out");
        // Each number up to the newest is there, so all acknowledged ones are.
        assert!(seqs[0] > last && seqs.is_sorted() && *seqs.last().unwrap() <= newest);
        last = newest;
    }
}

#[test]
#[ignore = "the child of a_write_that_fails_is_told_and_does_not_spoil_the_next"]
fn child_whose_files_cannot_grow() {
    let store = Store::new(std::env::var_os(CHILD_HOME).expect("only run as a child").into());
    commit(&store, small(Some("/w"), "/w/x"), vec![changed("p")]).unwrap();
    let before = load(&store, &["/w"]).unwrap();
    let (hash, lines) = text(&"large\n".repeat(500_000));
    let large = || {
        vec![decision("p", "h", Verdict::Superseded { by: None }), Record::Text(hash.clone(), lines.clone())]
    };
    for _ in 0..3 {
        let error = commit(&store, large(), vec![changed("p")]).unwrap_err();
        assert!(matches!(error, StoreError::Io { .. } | StoreError::Full { .. }), "{error:?}");
        assert_eq!(load(&store, &["/w"]).unwrap(), before);
    }
    let resource = rustix::process::Resource::Fsize;
    let hard = rustix::process::getrlimit(resource).maximum;
    rustix::process::setrlimit(resource, rustix::process::Rlimit { current: hard, maximum: hard }).unwrap();
    assert_eq!(commit(&store, large(), vec![changed("p")]), Ok(vec![2]));
    println!("survived");
}

#[test]
fn a_write_that_fails_is_told_and_does_not_spoil_the_next() {
    let home = home();
    // At most 1 MiB a file; a write beyond that is an error rather than a signal.
    let child = child("child_whose_files_cannot_grow", &home, "trap '' XFSZ; ulimit -S -f 1024;");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("survived"));
}
