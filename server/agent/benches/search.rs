//! `glob` and `grep` against `rg`, in the same minute: calls of a running turn against whole processes. Figures, not tests.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a program that prints figures and may stop where it is wrong"
)]

mod world;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use world::World;

/// How often each search is made by both, after one that is not counted.
const RUNS: usize = 30;

/// Searches: a name, the tool, its input, and the arguments with which `rg` does the same work.
fn searches() -> [(&'static str, &'static str, Value, &'static [&'static str]); 6] {
    [
        ("all Rust files", "glob", json!({"pattern": "*.rs"}), &["--files", "-g", "*.rs"]),
        ("one name", "glob", json!({"pattern": "**/Cargo.toml"}), &["--files", "-g", "**/Cargo.toml"]),
        ("a word in few files", "grep", json!({"pattern": "WalkParallel"}), &["-l", "WalkParallel"]),
        ("a word in most files", "grep", json!({"pattern": "return"}), &["-l", "return"]),
        (
            "a class, counted",
            "grep",
            json!({"pattern": "fn [a-z_]+_mut\\(", "type": "rust", "output_mode": "count"}),
            &["-c", "-t", "rust", "fn [a-z_]+_mut\\("],
        ),
        (
            "a rare line, any case",
            "grep",
            json!({"pattern": "thread.*poisoned", "ignoreCase": true, "output_mode": "content"}),
            &["-n", "-i", "thread.*poisoned"],
        ),
    ]
}

#[tokio::main]
async fn main() {
    if !world::is_wanted() {
        return;
    }
    let Some(rg) = rg() else {
        println!("SKIPPED: rg is not installed (tests/install/ripgrep), so there is no ratio");
        return;
    };
    let tree = tree();
    world::say_where();
    println!("Tree: {} files.\n", lines(&rg, &tree, &["--files"]));
    println!("| search | results | rg ms | ours ms | ratio of medians |\n|---|---|---|---|---|");
    let mut world = World::start(&tree, world::SCRIPTED);
    for (name, tool, input, arguments) in searches() {
        let (mut theirs, mut ours, mut results) = (Vec::new(), Vec::new(), String::new());
        for run in 0..=RUNS {
            let time = |theirs: &mut Vec<Duration>| theirs.push(process(&rg, &tree, arguments));
            // A B, B A, A B …: neither always comes second.
            if run % 2 == 0 {
                time(&mut theirs);
            }
            world.script(&call(tool, &input));
            let heard = world.turn(None).await;
            ours.push(heard.calls);
            results.clone_from(&heard.results[0]);
            if run % 2 == 1 {
                time(&mut theirs);
            }
        }
        let found = lines(&rg, &tree, arguments);
        assert!(found > 0 && !results.starts_with('('), "{name}: rg {found}, ours {results}");
        let (theirs, ours) = (world::percentile(&theirs[1..], 50), world::percentile(&ours[1..], 50));
        println!("| `{tool}` {name} | {found} | {theirs:.1} | {ours:.1} | {:.2} |", ours / theirs);
    }
    world.stop().await;
}

/// A script of one call and an end.
fn call(tool: &str, input: &Value) -> String {
    format!(
        "turns:\n  - stream: [{{tool: {{name: {tool}, input: {input}}}}}]\n  - stream: [{{text: Done.}}]\n"
    )
}

/// Runs `rg` as somebody would who wants its output, and returns how long that took.
fn process(rg: &Path, tree: &Path, arguments: &[&str]) -> Duration {
    let started = Instant::now();
    let output = rg_in(rg, tree, arguments).output().unwrap();
    let time = started.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    time
}

fn lines(rg: &Path, tree: &Path, arguments: &[&str]) -> usize {
    let output = rg_in(rg, tree, arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().count()
}

/// Ignore files count without a repository too, as they do for our tools.
fn rg_in(rg: &Path, tree: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(rg);
    command.args(["--no-config", "--no-require-git"]).args(arguments).current_dir(tree).stdin(Stdio::null());
    command
}

/// Returns the `rg` that tests/install/ripgrep has put there, else the one that the user has.
fn rg() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let tools =
        std::env::var_os("KKCODE_TEST_TOOLS").map_or_else(|| root.join("target/tools"), PathBuf::from);
    let works = |rg: &PathBuf| {
        Command::new(rg).arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    [tools.join("ripgrep/bin/rg"), PathBuf::from("rg")].into_iter().find(works)
}

/// Returns `KKCODE_BENCH_TREE`, else what cargo has unpacked of the crates that this workspace is built from.
fn tree() -> PathBuf {
    if let Some(tree) = std::env::var_os("KKCODE_BENCH_TREE") {
        return PathBuf::from(tree);
    }
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo = cargo.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    cargo.map(|cargo| cargo.join("registry/src")).filter(|sources| sources.is_dir()).unwrap()
}
