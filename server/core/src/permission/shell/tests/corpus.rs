//! The corpus of command lines: none decided more freely than it should be, and few harmless ones asked.

use serde::Deserialize;

use crate::permission::ground::Ground;
use crate::permission::ground_for_tests::{Disk, frame};
use crate::permission::shell::{Class, Shell, judge};

/// A line of `tests/data/exec-policy*.jsonl`: one object with the decision that is due and why.
#[derive(Debug, Deserialize)]
struct Line {
    cmd: String,
    expect: String,
    why: String,
    #[serde(default)]
    shell: String,
    #[serde(default)]
    ctx: String,
}

/// Sets up what a line says about the world it is judged in.
fn world(ctx: &str) -> (Ground, Disk) {
    let (mut ground, mut disk) = frame();
    ground.home = "/home/u".into();
    ground.own = vec!["/home/u/.kkcode".into()];
    let config = |disk: Disk, text: &str| disk.file("/ws/.git/config", text);
    if ctx.contains("fsmonitor") {
        disk = config(disk, "[core]\n\tfsmonitor = ./x.sh\n");
    }
    if ctx.contains("textconv") {
        disk =
            config(disk.file("/ws/.gitattributes", "*.txt diff=d\n"), "[diff \"d\"]\n\ttextconv = ./x.sh\n");
    }
    if ctx.contains("filter.") {
        disk = config(disk, "[filter \"d\"]\n\tclean = ./x.sh\n");
    }
    if ctx.contains("alias") {
        disk = config(disk, "[alias]\n\tst = !cmd\n");
    }
    if ctx.contains("->") {
        disk = disk.link("/ws/notes.txt", "/home/u/.ssh/id_ed25519");
    }
    if ctx.contains("PATH=.") {
        ground.program_folders.insert(0, ".".into());
        disk = disk.file("/ws/ls", "x");
    }
    (ground, disk)
}

#[test]
fn no_line_of_the_corpus_is_decided_more_freely_than_it_should_be() {
    replay(include_str!("../../../../tests/data/exec-policy.jsonl"));
}

#[test]
fn no_line_of_our_own_corpus_is_decided_more_freely_than_it_should_be() {
    replay(include_str!("../../../../tests/data/exec-policy-own.jsonl"));
}

/// Judges every line of a corpus.
fn replay(text: &str) {
    let lines: Vec<Line> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 400);
    let (mut freer, mut asked, mut harmless, mut stricter) = (Vec::new(), Vec::new(), 0, Vec::new());
    for line in &lines {
        let (ground, disk) = world(&line.ctx);
        let shell = match line.shell.as_str() {
            "powershell" => Shell::PowerShell,
            "cmd" => Shell::Cmd,
            _ => Shell::Bash,
        };
        let found = judge(&line.cmd, shell, &ground, &disk);
        let report = format!("{:?} ({}): {:?}, {}", line.cmd, line.why, found.class, found.reason);
        let due = match line.expect.as_str() {
            "allow" => Class::Harmless,
            "ask" => Class::Ordinary,
            _ => Class::Never,
        };
        if found.class < due {
            freer.push(report);
        } else if due == Class::Harmless && shell == Shell::Bash {
            // In the shells of Windows nothing runs unasked.
            harmless += 1;
            if found.class > due {
                asked.push(report);
            }
        } else if due == Class::Ordinary && found.class == Class::Never {
            stricter.push(report);
        }
    }
    assert!(freer.is_empty(), "{} decided too freely:\n{}", freer.len(), freer.join("\n"));
    assert!(
        asked.len() * 100 <= harmless * 3,
        "{} of {harmless} harmless lines asked:\n{}",
        asked.len(),
        asked.join("\n")
    );
    assert!(
        stricter.len() * 100 <= lines.len(),
        "{} denied that should ask:\n{}",
        stricter.len(),
        stricter.join("\n")
    );
}
