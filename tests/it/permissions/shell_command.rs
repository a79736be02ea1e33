//! Commands of an agent from its call to the user's review: what runs is what was judged, on the files as the session sees them.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kkcode_tests::{Binary, skip};
use rusqlite::Connection;
use serde_json::{Value, json};

/// A home with a scripted model, and a workspace that is none of the temporary folders.
pub(super) struct World {
    dir: tempfile::TempDir,
}

impl World {
    /// Makes a world in which the model calls these tools, one after the other.
    pub(super) fn new(calls: &[(&str, Value)]) -> Self {
        let dir = tempfile::Builder::new().prefix("kkcode-command-").tempdir_in("/var/tmp").unwrap();
        for folder in ["home", "ws"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        let world = Self { dir };
        world.play(calls);
        fs::write(world.home("config.yaml"), "provider: {play: {type: scripted, script: script.json}}\n")
            .unwrap();
        world
    }

    fn play(&self, calls: &[(&str, Value)]) {
        let turn =
            |(name, input): &(&str, Value)| json!({"stream": [{"tool": {"name": name, "input": input}}]});
        let mut turns: Vec<Value> = calls.iter().map(turn).collect();
        turns.push(json!({"stream": [{"text": "Done.\n"}]}));
        fs::write(self.home("script.json"), json!({"turns": turns}).to_string()).unwrap();
    }

    pub(super) fn home(&self, path: &str) -> PathBuf {
        self.dir.path().join("home").join(path)
    }

    pub(super) fn ws(&self, path: &str) -> PathBuf {
        self.dir.path().join("ws").join(path)
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.ws(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.ws(path)).unwrap()
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(Binary::Server.path());
        command.args(arguments).current_dir(self.ws("")).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"KKCODE_") {
                command.env_remove(name);
            }
        }
        command
            .env("HOME", self.home(""))
            .env("KKCODE_HOME", self.home(""))
            .env("CANARY_API_KEY", "canary-key");
        command
    }

    /// Runs one turn; returns what the user is shown, and what the model was told of each call.
    pub(super) fn run(&self, arguments: &[&str]) -> (String, Vec<String>) {
        let before = self.results().len();
        let mut all = vec!["run", "do it"];
        all.extend(arguments);
        let output = self.command(&all).output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        (shown, self.results().split_off(before))
    }

    /// What the model was told of its calls so far.
    pub(super) fn results(&self) -> Vec<String> {
        let Ok(store) = Connection::open(self.home("state.db")) else { return Vec::new() };
        let Ok(mut query) = store.prepare("select body from message order by rowid") else {
            return Vec::new();
        };
        let rows = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let mut results = Vec::new();
        for row in rows {
            let message: Value = serde_json::from_str(&row.unwrap()).unwrap();
            for content in message["content"].as_array().unwrap() {
                if content["type"] == "tool_result" {
                    results.push(content["text"].as_str().unwrap().to_owned());
                }
            }
        }
        results
    }

    /// Tells whether commands see pending edits on this machine; says that a test is skipped if not.
    fn has_layers(&self, test: &str) -> bool {
        let output = self.command(&["doctor", "--json"]).output().unwrap();
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        let has = report.contains("with pending edits where they are");
        if !has {
            skip(test, "this machine makes no copy-on-write layers");
        }
        has
    }
}

pub(super) fn bash(line: &str) -> (&'static str, Value) {
    ("bash", json!({"command": line}))
}

/// The design's promise about proposed code: the agent's build has it, the user's does not.
#[test]
fn the_agent_builds_its_proposed_text_and_the_user_builds_the_accepted_one() {
    const TEST: &str = "the_agent_builds_its_proposed_text_and_the_user_builds_the_accepted_one";
    if !["/usr/bin/make", "/usr/bin/cc"].iter().all(|program| Path::new(program).exists()) {
        return skip(TEST, "make or cc is not installed");
    }
    let world = World::new(&[
        ("edit", json!({"path": "main.c", "before": "accepted", "after": "proposed"})),
        bash("make -s && ./build/program"),
        bash("make && ./build/program"),
    ]);
    if !world.has_layers(TEST) {
        return;
    }
    world.write("main.c", "#include <stdio.h>\nint main(void) { puts(\"accepted\"); return 0; }\n");
    world.write("Makefile", "build/program: main.c\n\tmkdir -p build\n\tcc -o build/program main.c\n");
    world.write(".gitignore", "build/\n");
    let build = || {
        let made = Command::new("make").arg("-s").current_dir(world.ws("")).status().unwrap();
        assert!(made.success());
        let ran = Command::new(world.ws("build/program")).output().unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    assert_eq!(build(), "accepted\n");
    let (shown, results) = world.run(&["--level", "yolo"]);
    assert!(shown.contains("+int main(void) { puts(\"proposed\"); return 0; }"), "{shown}");
    assert!(results[1].starts_with("proposed\n"), "{}", results[1]);
    // What was built stays for the session's next command, and is not built again.
    assert!(results[2].contains("up to date") && results[2].contains("proposed\n"), "{}", results[2]);
    assert_eq!(build(), "accepted\n");
    fs::remove_file(world.ws("build/program")).unwrap();
    assert_eq!(build(), "accepted\n");
}

/// Without pending edits the command is in the workspace itself; with them it is apart. Either way what it writes is proposed.
#[test]
fn what_a_command_writes_is_proposed_and_reviewed() {
    for pending in [false, true] {
        let line = "echo changed > a.txt; rm gone.txt; mkdir -p new; echo new > new/n.txt; echo out > ignored.log; \
                    printf '\\000\\001' > some.bin; ls";
        let edit = ("edit", json!({"path": "pending.txt", "before": "before", "after": "after"}));
        let calls = if pending { vec![edit, bash(line)] } else { vec![bash(line)] };
        let world = World::new(&calls);
        if pending && !world.has_layers("what_a_command_writes_is_proposed_and_reviewed") {
            continue;
        }
        for (path, text) in [
            ("a.txt", "one\n"),
            ("gone.txt", "two\n"),
            ("pending.txt", "before\n"),
            (".gitignore", "*.log\n"),
        ] {
            world.write(path, text);
        }
        let (shown, results) = world.run(&["--level", "yolo"]);
        let told = results.last().unwrap();
        for line in ["-one", "+changed", "-two", "+new"] {
            assert!(shown.contains(&format!("\n{line}\n")), "pending {pending}: {line} in {shown}\n{told}");
        }
        assert!(told.contains("some.bin"), "{told}");
        assert!(!shown.contains("ignored.log") && !shown.contains("some.bin"), "{shown}");
        // Nothing of it is in the user's files before he says so.
        assert_eq!((world.read("a.txt"), world.read("gone.txt")), ("one\n".into(), "two\n".into()));
        assert!(!world.ws("new/n.txt").exists());
        let listed = world.command(&["proposal", "list", "--json"]).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let id = listed.split('"').find(|word| word.starts_with("prop_")).unwrap();
        let accepted = world.command(&["proposal", "accept", id]).output().unwrap();
        assert!(accepted.status.success(), "{accepted:?}");
        assert_eq!(world.read("a.txt"), "changed\n");
        assert!(!world.ws("gone.txt").exists() && world.ws("new/n.txt").exists());
    }
}

#[test]
fn a_command_sees_deleted_and_created_files_as_the_session_does() {
    const TEST: &str = "a_command_sees_deleted_and_created_files_as_the_session_does";
    let world = World::new(&[
        ("write", json!({"path": "made/new.txt", "content": "made\n"})),
        bash("cat made/new.txt; rm old.txt; echo second > made/new.txt"),
        bash("cat made/new.txt; ls old.txt 2>&1; test -e old.txt || echo none"),
    ]);
    if !world.has_layers(TEST) {
        return;
    }
    world.write("old.txt", "old\n");
    let (shown, results) = world.run(&["--level", "yolo"]);
    assert!(results[1].starts_with("made\n"), "{}", results[1]);
    assert!(results[2].starts_with("second\n") && results[2].contains("none"), "{}", results[2]);
    assert!(shown.contains("+second") && shown.contains("-old"), "{shown}");
    assert_eq!(world.read("old.txt"), "old\n");
}

#[test]
fn no_key_and_nothing_of_the_servers_surroundings_gets_into_a_command() {
    let world = World::new(&[bash("env; cat /proc/$PPID/environ 2>/dev/null; tty; cat")]);
    let (_, results) = world.run(&["--level", "yolo"]);
    assert!(!results[0].contains("canary-key") && !results[0].contains("CARGO_MANIFEST"), "{}", results[0]);
    assert!(
        results[0].contains("GIT_OPTIONAL_LOCKS=0") && results[0].contains("not a tty"),
        "{}",
        results[0]
    );
}

#[test]
fn a_failed_command_says_how_it_ended() {
    let world = World::new(&[
        bash("echo out; echo err >&2; exit 3"),
        ("bash", json!({"command": "sleep 1000", "timeout": 1000})),
    ]);
    let (_, results) = world.run(&["--level", "yolo"]);
    assert_eq!(results[0], "out\nerr\n[exit status 3]");
    assert!(results[1].contains("the time was up"), "{}", results[1]);
}

/// Nobody is there to be asked: what a level does not allow is refused, and nothing has run.
#[test]
fn what_would_be_asked_is_not_run() {
    let world = World::new(&[bash("echo ran > ran.txt")]);
    let (_, results) = world.run(&["--level", "manual"]);
    assert!(results[0].starts_with("denied"), "{}", results[0]);
    assert!(!world.ws("ran.txt").exists());
}

#[test]
fn a_command_in_the_background_ends_with_its_server() {
    let world = World::new(&[(
        "bash",
        json!({"command": "echo $$ > /tmp/pid; exec sleep 1000", "run_in_background": true}),
    )]);
    let (_, results) = world.run(&["--level", "yolo"]);
    assert!(results[0].starts_with("started in the background as cmd_"), "{}", results[0]);
    let left = fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(world.dir.path()))
    });
    assert_eq!(left.count(), 0);
}
