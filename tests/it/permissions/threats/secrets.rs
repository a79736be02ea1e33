//! what is secret is where the user has put it, and in the header of a request; nowhere else, not even after a crash.

use std::fs;

use serde_json::json;

use super::super::{Place, start};

/// The soft and the hard limit of core files of a process.
fn core_limits(pid: u32) -> Vec<String> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    line.split_whitespace().take(2).map(str::to_owned).collect()
}

#[test]
fn x04_neither_server_nor_worker_leaves_a_core_file() {
    let turns = json!({"turns": [{"stream": [{"waitFor": "never"}]}]});
    let place = Place::new(&turns.to_string());
    // As where somebody has asked for core files.
    let options = place.options("one").under(&["sh", "-c", "ulimit -c unlimited; exec \"$@\"", "sh"]);
    let mut server =
        options.capabilities(json!({"experimental": {"kkcode": {}}})).allow_unread().initialized();
    assert_eq!(core_limits(server.pid()), ["0", "0"]);
    start(&mut server, &json!({}));
    let started = server.command("kkcode.task.start", json!({"prompt": "go on"})).unwrap();
    while {
        let changed = server.expect_notification("kkcode/task/didChange");
        changed["task"]["taskId"] != started["taskId"] || changed["task"]["status"] != "running"
    } {}
    let workers: Vec<u32> = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| {
            let words = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let home = fs::read_to_string(format!("/proc/{pid}/environ")).unwrap_or_default();
            words.contains("\0worker\0")
                && home.contains(&format!("KKCODE_HOME={}\0", place.home().display()))
        })
        .collect();
    assert_eq!(workers.len(), 1, "{workers:?}");
    assert_eq!(core_limits(workers[0]), ["0", "0"]);
    server.command("kkcode.task.cancel", json!({"taskId": started["taskId"]})).unwrap();
    while server.expect_notification("kkcode/task/didChange")["task"]["status"] != "cancelled" {}
}
