//! X-09: another user of the machine gets at nothing of a home, whatever the umask of the one whose it is.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use kkcode_tests::{TestServer, skip};
use serde_json::json;

use super::super::{Place, finished, start};

const NOBODY: u32 = 65534;

/// A model that leaves behind what there is to leave: output of commands, an edit, something removed.
const LEAVES: &str = "
turns:
  - stream: [{tool: {name: bash, input: {command: 'seq 100000', run_in_background: true}}}]
  - stream: [{tool: {name: bash, input: {command: 'seq 100000; echo new > new.txt; mkdir made'}}}]
  - stream: [{tool: {name: edit, input: {path: a.txt, before: one, after: two}}}]
  - stream: [{tool: {name: remove, input: {path: secret}}}]
  - stream: [{text: Left.}]
";

/// Has a server with no umask do all that leaves files, in a home that others may enter.
fn used(place: &Place) -> TestServer {
    for folder in [place.dir.path().to_owned(), place.home()] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::remove_file(place.work().join(".env")).unwrap();
    let options = place.options("one").under(&["sh", "-c", "umask 000; exec \"$@\"", "sh"]);
    let mut server =
        options.capabilities(json!({"experimental": {"kkcode": {}}})).allow_unread().initialized();
    start(&mut server, &json!({"level": "yolo"}));
    finished(&mut server, "Left.");
    let started = server.command("kkcode.task.start", json!({"prompt": "go on", "level": "yolo"})).unwrap();
    loop {
        let changed = server.expect_notification("kkcode/task/didChange");
        if changed["task"]["taskId"] == started["taskId"] && changed["task"]["status"] == "completed" {
            return server;
        }
    }
}

/// What others may do with a file or folder.
fn of_others(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o077
}

/// Everything below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        found.push(entry.path());
        if entry.file_type().unwrap().is_dir() {
            found.extend(below(&entry.path()));
        }
    }
    found
}

#[test]
fn x09_what_is_made_in_a_home_is_the_users_alone_whatever_the_umask() {
    let place = Place::new(LEAVES);
    let theirs = below(&place.home());
    let server = used(&place);
    // Whatever lies in a folder that nobody enters is as tight as that.
    let is_shut = |path: &Path| {
        let folders = path.ancestors().skip(1).take_while(|folder| *folder != place.home());
        folders.into_iter().any(|folder| of_others(folder) == 0)
    };
    let wide: Vec<String> = below(&place.home())
        .iter()
        .filter(|path| !theirs.contains(path) && !is_shut(path))
        .filter_map(|path| {
            let kind = fs::symlink_metadata(path).unwrap().file_type();
            // A socket is as open as its folder.
            let is_open = !kind.is_socket() && !kind.is_symlink() && of_others(path) != 0;
            is_open.then(|| format!("{:o} {}", of_others(path), path.display()))
        })
        .collect();
    assert!(wide.is_empty(), "{wide:#?}");
    for name in ["state.db", "run", "tasks"] {
        assert!(place.home().join(name).exists(), "{name}");
    }
    drop(server);
}

/// What another user tries; each line that it says is one success. `$1` is the home, `$2` a bell, `$3` the server.
const TRIES: &str = r#"
find "$1" -mindepth 1 \( -name config.yaml -o -name script.yaml \) -prune -o -type d -print 2>/dev/null | while read -r folder; do
    ls -A "$folder" >/dev/null 2>&1 && echo "lists $folder"
    (: > "$folder/new") 2>/dev/null && echo "writes into $folder"
done
find "$1" -mindepth 1 -type f ! -name config.yaml ! -name script.yaml 2>/dev/null | while read -r file; do
    head -c 1 "$file" >/dev/null 2>&1 && echo "reads $file"
    (: >> "$file") 2>/dev/null && echo "writes $file"
done
(: > "$1/new") 2>/dev/null && echo "writes into the home"
for known in state.db state.db-wal audit-head.json; do cat "$1/$known" >/dev/null 2>&1 && echo "reads $known"; done
kill -0 "$3" 2>/dev/null && echo signals
cat "/proc/$3/environ" >/dev/null 2>&1 && echo "reads the environment"
python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"1", sys.argv[1])' "$2" 2>/dev/null && echo rings
echo tried
"#;

fn tries(place: &Place, server: &TestServer, user: Option<u32>) -> String {
    let bells = fs::read_dir(place.home().join("run")).unwrap().flatten().map(|entry| entry.path());
    let bell = bells.into_iter().find(|path| path.extension().is_some_and(|is| is == "bell")).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", TRIES, "sh"]).arg(place.home()).arg(bell).arg(server.pid().to_string());
    command.current_dir("/").env_remove("HOME");
    if let Some(user) = user {
        // Of the groups none is left, either.
        command.uid(user).gid(user);
    }
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn x09_another_user_neither_reads_nor_rings_nor_signals() {
    let test = "x09_another_user_neither_reads_nor_rings_nor_signals";
    if !rustix::process::geteuid().is_root() {
        return skip(test, "only root can be another user");
    }
    if !Command::new("python3").arg("-V").output().is_ok_and(|output| output.status.success()) {
        return skip(test, "python3 is not installed");
    }
    let place = Place::new(LEAVES);
    let server = used(&place);
    assert_eq!(tries(&place, &server, Some(NOBODY)), "tried\n");
    // The user can do it all, so that what is tried is what would work.
    let own = tries(&place, &server, None);
    for tried in ["lists", "reads state.db", "writes", "signals", "rings", "reads the environment"] {
        assert!(own.contains(tried), "{tried}: {own}");
    }
}
