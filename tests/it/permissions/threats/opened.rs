//! a folder that is only opened, looked at and asked about runs nothing, reaches nobody and changes no setting.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use kkcode_tests::{Binary, Options, TestServer, skip};
use rustix::fs::FileType;
use serde_json::{Value, json};

use super::super::start;

/// The folders: by rows of the table of known faults, and what might never end; what each is about, and its files. In them
/// `EVIL` is a program that leaves a mark, `URL` a server that counts its calls, `OUTSIDE` a folder that is not to be read.
const HOSTILE: &str = include_str!("hostile.json");

/// What the model of every folder does: it looks at all that it can.
const LOOKS: &str = "
turns:
  - stream: [{tool: {name: list, input: {path: .}}}]
  - stream: [{tool: {name: read, input: {path: README.md}}}]
  - stream: [{tool: {name: list, input: {path: src}}}]
  - stream: [{tool: {name: read, input: {path: src/a.rs}}}]
  - stream: [{tool: {name: glob, input: {pattern: '**/*'}}}]
  - stream: [{tool: {name: grep, input: {pattern: 'kept|main'}}}]
  - stream: [{text: Seen.}]
";

/// What all the folders have in common: the program, the server and the place that they try to get at.
struct Enemy {
    dir: tempfile::TempDir,
    listener: TcpListener,
}

impl Enemy {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let enemy = Self { dir, listener };
        fs::create_dir(enemy.path("outside")).unwrap();
        fs::write(enemy.path("outside/secret.txt"), "kept outside\n").unwrap();
        let config = format!("[core]\n\tfsmonitor = {}\n", enemy.path("evil").display());
        fs::write(enemy.path("outside/gitconfig"), config).unwrap();
        fs::write(enemy.path("evil"), format!("#!/bin/sh\n: > '{}'\n", enemy.path("pwned").display()))
            .unwrap();
        fs::set_permissions(enemy.path("evil"), fs::Permissions::from_mode(0o755)).unwrap();
        enemy
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, text: &str) -> String {
        let url = format!("http://{}/v1", self.listener.local_addr().unwrap());
        let path = |name| self.path(name).display().to_string();
        text.replace("EVIL", &path("evil")).replace("URL", &url).replace("OUTSIDE", &path("outside"))
    }

    /// Makes a folder with these traps, and a home for who opens it.
    fn set(&self, name: &str, row: &Value) -> (PathBuf, PathBuf) {
        let (home, work) = (self.path(name).join("home"), self.path(name).join("ws"));
        fs::create_dir_all(&home).unwrap();
        fs::create_dir_all(work.join("src")).unwrap();
        fs::write(home.join("config.yaml"), "provider: {play: {type: scripted, script: script.yaml}}\n")
            .unwrap();
        fs::write(home.join("script.yaml"), LOOKS).unwrap();
        fs::write(work.join("README.md"), "kept\n").unwrap();
        fs::write(work.join("src/a.rs"), "fn main() {}\n").unwrap();
        for (path, trap) in row["files"].as_object().unwrap() {
            self.lay(&work.join(path), trap);
        }
        (home, work)
    }

    fn lay(&self, path: &Path, trap: &Value) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match trap {
            Value::String(text) => fs::write(path, self.text(text)).unwrap(),
            Value::Array(lines) => {
                let lines: Vec<&str> = lines.iter().map(|line| line.as_str().unwrap()).collect();
                fs::write(path, self.text(&(lines.join("\n") + "\n"))).unwrap();
            }
            trap => match trap.as_object().unwrap().iter().next().unwrap() {
                (kind, Value::String(target)) if kind == "link" => symlink(self.text(target), path).unwrap(),
                (kind, _) if kind == "pipe" => {
                    rustix::fs::mknodat(rustix::fs::CWD, path, FileType::Fifo, 0o600.into(), 0).unwrap();
                }
                (kind, _) if kind == "folder" => fs::create_dir(path).unwrap(),
                (kind, _) if kind == "large" => fs::File::create(path).unwrap().set_len(100 << 20).unwrap(),
                trap => panic!("{trap:?}"),
            },
        }
    }

    /// Starts a server in a folder, under strace, which writes a trace beside it.
    fn server(&self, name: &str, (home, work): &(PathBuf, PathBuf)) -> (TestServer, PathBuf) {
        let trace = self.path(name).join("trace");
        let strace = strace(&trace);
        let strace: Vec<&str> = strace.iter().map(String::as_str).collect();
        let options = Options::new().under(&strace).home(home).workspace(work).allow_unread();
        let server = options.capabilities(json!({"experimental": {"kkcode": {}}})).initialized();
        (server, trace)
    }
}

/// Returns the words that have a program traced.
fn strace(trace: &Path) -> Vec<String> {
    let calls = "trace=execve,execveat,socket,connect,sendto,sendmsg,sendmmsg,open,openat,openat2";
    let shown = trace.display().to_string();
    let words = ["strace", "-f", "-qq", "-y", "-s", "200", "--seccomp-bpf", "-e", calls, "-o", &shown];
    words.map(str::to_owned).to_vec()
}

/// What a trace tells of who was reached.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    programs: Vec<String>,
    reached: Vec<String>,
    opened: BTreeSet<String>,
}

impl Seen {
    fn read(trace: &Path, home: &Path, outside: &Path) -> Self {
        let trace = fs::read_to_string(trace).unwrap();
        let bell = format!("sun_path=\"{}/run/", home.display());
        let beyond = format!("<{}", outside.display());
        let mut seen = Self::default();
        for line in trace.lines() {
            if line.contains(" execve") && !line.contains("resumed>") && !is_own(line) {
                seen.programs.push(line.to_owned());
            }
            let address =
                line.contains("sa_family=") && !line.contains("=AF_NETLINK") && !line.contains(&bell);
            if address || line.contains(" socket(AF_INET") {
                seen.reached.push(line.to_owned());
            }
            if line.rsplit_once(" = ").is_some_and(|(_, result)| result.contains(&beyond)) {
                seen.opened.insert(line.to_owned());
            }
        }
        seen
    }
}

/// Tells whether what is executed is the server itself, or what it tries in a folder of its own to learn how it can bound commands.
fn is_own(line: &str) -> bool {
    let server = format!("execve(\"{}\", [", Binary::Server.path().display());
    let helper = "execve(\"/proc/self/exe\", [\"/proc/self/exe\", \"sandbox-exec\"";
    let trial = "execve(\"/bin/sh\", [\"/bin/sh\", \"-c\", \": > file && ! (: > '";
    [&*server, helper].iter().any(|own| line.contains(own))
        || line.contains(trial) && line.contains("sandbox-trial/trial_")
}

/// Opens a folder as an editor does, has the agent look around, and asks what there is to ask. Returns how the turn ended, and
/// what the server is set to.
fn look_around(server: &mut TestServer, work: &Path) -> (Value, Value) {
    for (name, language, text) in
        [("README.md", "markdown", "kept\n"), ("src/a.rs", "rust", "fn main() {}\n")]
    {
        let uri = format!("file://{}", work.join(name).display());
        let document = json!({"uri": uri, "languageId": language, "version": 1, "text": text});
        server.notify("textDocument/didOpen", json!({"textDocument": document}));
    }
    start(server, &json!({"mode": "ask"}));
    let ended = server.expect_notification("kkcode/turn/didFinish");
    (ended, server.command("kkcode.status", json!({})).unwrap())
}

fn can_trace(test: &str) -> bool {
    let probe = std::process::Command::new("strace")
        .args(["-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "true"])
        .output();
    let can = probe.is_ok_and(|output| output.status.success());
    if !can {
        skip(test, "there is no strace, or it may not trace");
    }
    can
}

/// The eye of the test below: what it must not find it does find where it is.
#[test]
fn x01_what_is_run_reached_and_opened_is_seen_in_a_trace() {
    if !can_trace("x01_what_is_run_reached_and_opened_is_seen_in_a_trace") {
        return;
    }
    let enemy = Enemy::new();
    let line = enemy.text("EVIL; cat OUTSIDE/secret.txt; exec 3<>/dev/tcp/127.0.0.1/1");
    let trace = enemy.path("trace");
    let strace = strace(&trace);
    let mut command = std::process::Command::new(&strace[0]);
    command.args(&strace[1..]).args(["bash", "-c", &line]).output().unwrap();
    let seen = Seen::read(&trace, &enemy.path("home"), &enemy.path("outside"));
    assert!(seen.programs.iter().any(|line| line.contains("/evil\"")), "{seen:#?}");
    assert!(seen.reached.iter().any(|line| line.contains("connect(")), "{seen:#?}");
    assert!(!seen.opened.is_empty() && enemy.path("pwned").exists(), "{seen:#?}");
}

#[test]
fn x01_a_hostile_folder_that_is_opened_runs_and_reaches_nothing() {
    if !can_trace("x01_a_hostile_folder_that_is_opened_runs_and_reaches_nothing") {
        return;
    }
    let enemy = Enemy::new();
    let hostile: Vec<Value> = serde_json::from_str(HOSTILE).unwrap();
    let rows = Mutex::new(hostile.iter().enumerate());
    let faults = Mutex::new(Vec::new());
    let try_one = |at: usize, row: &Value| {
        let name = at.to_string();
        let place = enemy.set(&name, row);
        let (mut server, trace) = enemy.server(&name, &place);
        let (ended, status) = look_around(&mut server, &place.1);
        server.shutdown();
        let seen = Seen::read(&trace, &place.0, &enemy.path("outside"));
        // What cannot be read as a configuration is told, and nothing is done until it can.
        let is_told = row["id"] == "never ends" && ended["error"]["class"] == "configuration";
        let is_done = ended["reply"] == "Seen." || is_told;
        let is_own = (is_told || status["provider"] == "play") && status["trusted"] == false;
        let is_tight = status["level"] == "manual" || status["level"] == "readonly";
        let is_quiet = seen.programs.is_empty() && seen.reached.is_empty() && seen.opened.is_empty();
        if !(is_done && is_own && is_tight && is_quiet) || enemy.path("pwned").exists() {
            faults.lock().unwrap().push(format!("{row}: {ended} {status} {seen:#?}"));
        }
    };
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let next = rows.lock().unwrap().next();
                    let Some((at, row)) = next else { return };
                    try_one(at, row);
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let nobody = enemy.listener.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
    assert!(!enemy.path("pwned").exists());
}
