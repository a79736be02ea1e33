//! What is allowed only looks: every allowed line of the corpora runs under `strace` in a sandbox that is full of bait.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::{fs, str};

use super::judged;
use super::sandbox::{corpora, is_there, sandbox};
use crate::permission::shell::Class;
use crate::permission::shell::accept::accept;

/// What the kernel is asked for that could change something, reach out or run something.
const CALLS: &str = "execve,execveat,open,openat,openat2,creat,truncate,ftruncate,unlink,unlinkat,rename,renameat,renameat2,\
                     mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,chown,fchownat,connect,\
                     bind,sendto,ptrace,mount,setxattr,mknodat";

/// Runs each of the scripts, and says which one comes next by a program that is run for nothing else. The variables are those that
/// commands of an agent have.
const DRIVER: &str = r#"
cd /ws || exit
export HOME=/home/user PATH=/usr/local/bin:/usr/bin:/bin GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0 GIT_PAGER=cat
export GIT_CONFIG_NOSYSTEM=1
for script in /lines/*; do
  /usr/bin/true CANARY "$script"
  /usr/bin/timeout 5 /usr/bin/bash --noprofile --norc "$script" </dev/null >/dev/null 2>&1
done
exit 0
"#;

/// Makes a workspace in which every name of the lines is there, and whatever a careless reader would follow or run.
fn bait(dir: &Path, lines: &[String]) {
    let text = "bait\n";
    for folder in ["ws/src", "ws/target", "home/.ssh", "outside", "lines"] {
        fs::create_dir_all(dir.join(folder)).unwrap();
    }
    let names = lines.iter().filter_map(|line| accept(line).ok()).flatten().flat_map(|command| {
        command.words.into_iter().skip(1).map(|word| word.text).chain(command.inputs).collect::<Vec<_>>()
    });
    for name in names.collect::<BTreeSet<_>>() {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
        let path = dir.join("ws").join(&name);
        if plain
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && !name.contains("..")
            && !path.exists()
        {
            fs::create_dir_all(path.parent().unwrap()).ok();
            fs::write(&path, text).ok();
        }
    }
    fs::write(dir.join("home/.ssh/id_rsa"), text).unwrap();
    fs::write(dir.join("outside/canary"), text).unwrap();
    symlink("/home/user/.ssh/id_rsa", dir.join("ws/src/link")).unwrap();
    symlink("/outside", dir.join("ws/src/folder")).unwrap();
    // Names that are options, and programs that have the names of others.
    for name in ["-delete", "--output=pwned", "-exec", "--pre=x", "ls", "cat", "git", "grep"] {
        fs::write(dir.join("ws").join(name), "#!/bin/sh\ntouch /ws/pwned\n").unwrap();
    }
    for (at, line) in lines.iter().enumerate() {
        fs::write(dir.join(format!("lines/{at:05}")), line).unwrap();
    }
}

/// Returns what is wrong with one call, as `strace` writes it.
fn wrong(call: &str) -> Option<&'static str> {
    let (name, rest) = call.split_once('(')?;
    let failed = rest.contains(" = -1 ");
    let path = rest.split('"').nth(1).unwrap_or_default();
    match name {
        "execve" | "execveat" => {
            let system = [
                "/usr/bin/",
                "/bin/",
                "/usr/local/bin/",
                "/usr/lib/git-core/",
                "/usr/local/libexec/git-core/",
            ];
            (!failed && !system.iter().any(|folder| path.starts_with(folder)))
                .then_some("it runs what is no program of the system")
        }
        "open" | "openat" | "openat2" => {
            let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|flag| rest.contains(flag));
            let inner = path.starts_with("/dev/null") || path.starts_with("/dev/tty");
            if writes && !inner {
                return Some("it opens a file for writing");
            }
            let canary = path.contains("/.ssh/")
                || path.starts_with("/outside")
                || path.contains("src/link")
                || path.contains("src/folder/");
            (canary && !failed).then_some("it reads a canary")
        }
        "connect" | "bind" | "sendto" => rest.contains("AF_INET").then_some("it reaches out"),
        _ => (!failed).then_some("it changes something"),
    }
}

/// P-05 of the reliability study.
#[test]
fn p05_what_is_allowed_leaves_every_canary_alone() {
    if !is_there("p05_what_is_allowed_leaves_every_canary_alone", &["strace", "git", "timeout"]) {
        return;
    }
    let lines: Vec<String> = corpora()
        .into_iter()
        .filter(|line| judged(line).class == Class::Harmless && !line.contains("sleep"))
        .collect();
    let dir = tempfile::tempdir().unwrap();
    bait(dir.path(), &lines);
    let mut command = sandbox();
    for (from, to) in [("ws", "/ws"), ("home", "/home/user"), ("outside", "/outside"), ("lines", "/lines")] {
        command.arg("--bind").arg(dir.path().join(from)).arg(to);
    }
    command.arg("--bind").arg(dir.path()).arg("/log");
    let driver = format!(
        "cd /ws && git init -q . && git -c user.name=a -c user.email=b commit -q --allow-empty -m x; \
         exec strace -f --seccomp-bpf -qq -s 4096 -e trace={CALLS} -e signal=none -o /log/trace /usr/bin/bash --noprofile --norc -c '{}'",
        DRIVER.replace('\'', r"'\''")
    );
    let status = command.args(["/usr/bin/bash", "-c", &driver]).status().unwrap();
    assert!(status.success(), "{status}");
    let trace = fs::read(dir.path().join("trace")).unwrap();
    let (mut run, mut ran, mut report) = (None, 0, String::new());
    let mut begun = BTreeMap::new();
    for line in trace.split(|byte| *byte == b'\n').filter_map(|line| str::from_utf8(line).ok()) {
        // The number of the process stands before the call; another process may come between its begin and its end.
        let Some((process, call)) = line.split_once(' ') else { continue };
        if let Some(call) = call.trim_start().strip_suffix(" <unfinished ...>") {
            begun.insert(process, call);
            continue;
        }
        let end = call.trim_start().strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>"));
        let call = match end {
            Some((_, end)) => &format!("{}{end}", begun.remove(process).unwrap_or_default()),
            None => call.trim_start(),
        };
        if let Some((_, script)) = call.split_once("CANARY\", \"/lines/") {
            run = script.get(..5).and_then(|at| at.parse::<usize>().ok());
            ran += 1;
            continue;
        }
        if let (Some(at), Some(wrong)) = (run, wrong(call)) {
            writeln!(report, "{:?}: {wrong}: {call}", lines[at]).unwrap();
        }
    }
    assert_eq!(ran, lines.len(), "not all lines were run");
    assert!(ran > 300 && report.is_empty(), "{report}");
    assert!(!dir.path().join("ws/pwned").exists());
}

#[test]
fn a_call_that_does_more_than_look_is_found() {
    for (call, found) in [
        (r#"openat(AT_FDCWD, "a", O_RDONLY|O_CLOEXEC) = 3"#, false),
        (r#"openat(AT_FDCWD, "a", O_WRONLY|O_CREAT, 0666) = 3"#, true),
        (r#"openat(AT_FDCWD, "/dev/null", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3"#, false),
        (r#"openat(AT_FDCWD, "/home/user/.ssh/id_rsa", O_RDONLY) = 3"#, true),
        (r#"execve("/usr/bin/ls", ["ls"], 0x1 /* 3 vars */) = 0"#, false),
        (r#"execve("./x.sh", ["x"], 0x1 /* 3 vars */) = 0"#, true),
        (r#"unlink("a") = 0"#, true),
        (r#"connect(3, {sa_family=AF_INET, sin_port=htons(53)}, 16) = 0"#, true),
    ] {
        assert_eq!(wrong(call).is_some(), found, "{call}");
    }
}
