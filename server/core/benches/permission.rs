//! What a decision about a command line costs: the lines of the corpus, long ones, and deeply nested ones. Figures, not tests.
//!
//! `cargo bench --package kkcode-core --bench permission`
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program that prints figures and may stop where it is wrong"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kkcode_core::permission::ground::{Entry, Ground, World};
use kkcode_core::permission::shell::{Shell, judge};

/// How often each of the long lines is judged.
const RUNS: usize = 200;

/// How often the whole corpus is judged.
const ROUNDS: usize = 20;

/// The disk of this machine.
struct Disk;

impl World for Disk {
    fn link_target(&self, path: &Path) -> Option<PathBuf> {
        fs::read_link(path).ok()
    }

    fn entry(&self, path: &Path) -> Entry {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Entry::Folder,
            Ok(_) => Entry::File,
            Err(_) => Entry::Nothing,
        }
    }

    fn text(&self, path: &Path) -> Option<String> {
        fs::read_to_string(path).ok()
    }

    fn names(&self, folder: &Path) -> Option<Vec<String>> {
        let names = fs::read_dir(folder).ok()?.flatten();
        Some(names.filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }
}

fn main() {
    let workspace = tempfile::tempdir().expect("a folder");
    let path = workspace.path().to_owned();
    fs::create_dir_all(path.join("src")).expect("a folder");
    fs::create_dir_all(path.join(".git")).expect("a folder");
    fs::write(path.join(".git/config"), "[core]\n\tbare = false\n").expect("a file");
    let ground = Ground {
        folders: vec![path.clone()],
        copy_of: None,
        cwd: path,
        home: "/home/user".into(),
        own: vec!["/home/user/.kkcode".into()],
        temporary: vec!["/tmp".into()],
        program_folders: vec!["/usr/bin".into(), "/bin".into()],
        ignores_case: false,
    };
    let time = |line: &str| {
        let started = Instant::now();
        std::hint::black_box(judge(line, Shell::Bash, &ground, &Disk));
        started.elapsed()
    };
    let corpus = corpus();
    // The tables are read once.
    time("ls");

    println!("| lines | p50 µs | p99 µs | longest µs |\n|---|---|---|---|");
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        all.extend(corpus.iter().map(|line| time(line)));
    }
    row(&format!("the {} of the corpus", corpus.len()), all);
    let two_hundred: Vec<String> = corpus.iter().map(|line| filled(line, 200)).collect();
    row("the same, filled up to 200 bytes", two_hundred.iter().map(|line| time(line)).collect());
    let long = |line: &str| {
        let line = filled(line, 10_000);
        (0..RUNS).map(|_| time(&line)).collect()
    };
    row("10,000 characters that only look", long("grep -n word src/main.rs"));
    row("10,000 characters that ask", long("npm test -- --grep \"$(cat list)\""));
    row(
        "10,000 characters in one word",
        (0..RUNS).map(|_| time(&format!("echo {}", "x".repeat(9_995)))).collect(),
    );

    println!("\n| nested, bytes | 1,000 ms | 2,000 ms | 4,000 ms | 8,000 ms |\n|---|---|---|---|---|");
    for (what, open, close) in [
        ("`$(…)`", "$(", ")"),
        ("`(…)`", "(", ")"),
        ("`{ …; }`", "{ ", "; }"),
        ("`${x:-…}`", "${x:-", "}"),
        ("`sh -c \"…\"`", "sh -c \"", "\""),
        ("`if …; then :; fi`", "if ", "; then :; fi"),
        ("`<<a` without an end", "<<a ", ""),
        ("quotation marks", "\"'", ""),
    ] {
        let millis: Vec<String> = [1_000, 2_000, 4_000, 8_000]
            .iter()
            .map(|bytes| {
                let depth = bytes / (open.len() + close.len());
                let line = format!("{}ls{}", open.repeat(depth), close.repeat(depth));
                let best = (0..5).map(|_| time(&line)).min().unwrap_or_default();
                format!("{:.2}", best.as_secs_f64() * 1e3)
            })
            .collect();
        println!("| {what} | {} |", millis.join(" | "));
    }
}

/// Returns the lines of the corpus for bash.
fn corpus() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let text = fs::read_to_string(folder.join("exec-policy.jsonl")).expect("the corpus");
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let of_bash = lines.filter(|line| {
        matches!(line.get("shell").and_then(serde_json::Value::as_str), None | Some("" | "bash"))
    });
    of_bash.filter_map(|line| Some(line.get("cmd")?.as_str()?.to_owned())).collect()
}

/// Returns a line that is so long, by lists of itself.
fn filled(line: &str, length: usize) -> String {
    let mut filled = line.to_owned();
    while filled.len() + line.len() + 4 <= length {
        filled.push_str(" && ");
        filled.push_str(line);
    }
    filled
}

fn row(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let at = |percent: usize| {
        took.get((took.len() * percent / 100).min(took.len() - 1)).map_or(0.0, |at| at.as_secs_f64() * 1e6)
    };
    println!("| {what} | {:.1} | {:.1} | {:.1} |", at(50), at(99), at(100));
}
