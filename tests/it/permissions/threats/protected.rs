//! a model that may do everything still changes nothing that programs, editors or agents obey.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use kkcode_tests::{Message, Options, TestServer, skip};
use serde_json::{Value, json};

use super::super::shell_command::{World, bash};
use super::super::{answer, start};

/// What is protected in a workspace, from what was once attacked; not from the tables of the program.
const INSIDE: &[&str] = &[
    ".git/config",
    ".git/hooks/pre-commit",
    ".git/info/attributes",
    ".git/objects/info/alternates",
    ".git/modules/x/config",
    ".gitattributes",
    ".gitmodules",
    ".vscode/settings.json",
    ".vscode/tasks.json",
    ".vscode/launch.json",
    ".cursor/mcp.json",
    ".zed/settings.json",
    ".idea/workspace.xml",
    "x.code-workspace",
    ".mcp.json",
    "mcp.json",
    ".envrc",
    ".env",
    ".env.local",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".yarn/releases/yarn.cjs",
    ".cargo/config.toml",
    ".cargo/config",
    ".pre-commit-config.yaml",
    ".husky/pre-commit",
    ".github/workflows/ci.yml",
    ".gitlab/ci/x.yml",
    ".nvim.lua",
    ".nvimrc",
    ".exrc",
    ".vimrc",
    ".dir-locals.el",
    ".helix/config.toml",
    ".helix/languages.toml",
    ".bashrc",
    ".bash_profile",
    ".zshrc",
    ".profile",
    ".inputrc",
    ".kkcode/config.yaml",
    ".kkcode/.env",
    "kkcode.config.yaml",
    "kkcode.config.json",
    ".claude/settings.json",
    ".claude/settings.local.json",
    ".codex/config.toml",
    ".gemini/settings.json",
    ".roo/mcp.json",
    ".continue/config.json",
    ".windsurf/x.json",
    ".devcontainer/devcontainer.json",
    ".devcontainer.json",
    ".gitconfig",
    ".netrc",
    ".curlrc",
    ".ripgreprc",
    "rust-toolchain.toml",
    ".tool-versions",
    "mise.toml",
    "deep/er/.vscode/settings.json",
    "deep/.git/config",
    "deep/.envrc",
    "vendor/.cargo/config.toml",
];

/// What is out of bounds in the home of the user, and of kkcode.
const OUTSIDE: &[&str] = &[
    ".ssh/authorized_keys",
    ".ssh/config",
    ".bashrc",
    ".gitconfig",
    ".config/git/config",
    ".aws/credentials",
    ".npmrc",
    "config.yaml",
    "learned-rules.yaml",
    "trusted-folders.yaml",
    ".env",
    "audit-head.json.new",
];

/// Other ways to write a path that may lead to the same place, here or on another disk.
fn spellings(path: &str) -> Vec<String> {
    let (folder, name) =
        path.rsplit_once('/').map_or((String::new(), path), |(folder, name)| (format!("{folder}/"), name));
    vec![
        path.to_owned(),
        format!("src/../{path}"),
        format!("./{folder}/./{name}"),
        format!("way/{path}"),
        path.to_uppercase(),
        format!("{path}."),
        format!("{folder}\u{200c}{name}"),
        path.replace('k', "\u{212a}").replace('s', "\u{17f}"),
    ]
}

/// What every tool that changes files is told to do at a path.
fn file_calls(path: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("write", json!({"path": path, "content": "evil\n"})),
        ("edit", json!({"path": path, "before": "kept", "after": "evil"})),
        ("multiedit", json!({"changes": [{"path": path, "before": "kept", "after": "evil"}]})),
        ("patch", json!({"path": path, "start_line": 1, "end_line": 1, "content": "evil"})),
        ("notebookedit", json!({"path": path, "new_source": "evil", "cell_number": 0})),
        ("move", json!({"from": "evil.txt", "to": path})),
        ("move", json!({"from": "evil.bin", "to": path})),
        ("move", json!({"from": path, "to": "taken.txt"})),
        ("copy", json!({"from": "evil.bin", "to": path})),
        ("mkdir", json!({"path": path})),
        ("remove", json!({"path": path})),
        ("remove", json!({"path": path, "permanent": true})),
    ]
}

/// A command that changes a path, another one each time.
fn line(at: usize, path: &str) -> String {
    let lines = [
        "echo evil > PATH",
        "cp evil.txt PATH",
        "echo evil | tee PATH",
        "mv evil.txt PATH",
        "sed -i s/kept/evil/ PATH",
        "ln -sf /dev/null PATH",
        "rm -f PATH",
        "dd if=evil.txt of=PATH",
        "install -D evil.txt PATH",
        "truncate -s 0 PATH",
        "sh -c 'echo evil >> PATH'",
        "F=PATH; echo evil >> \"$F\"",
    ];
    lines[at % lines.len()].replace("PATH", path)
}

/// Commands that do not name what they change.
const HIDDEN: &[&str] = &[
    "sh evil.sh",
    "bash ./evil.sh",
    "tar xf evil.tar",
    "tar xf evil.tar --overwrite -C .",
    "git apply evil.patch",
    "git apply --unsafe-paths evil.patch",
    "cp -r evil/. .",
    "cd .vscode && echo evil > settings.json",
    "for f in .v*/s*; do echo evil > $f; done",
    "git config core.fsmonitor ./evil.sh",
    "git config --local alias.x '!evil'",
    "find . -name settings.json -exec cp evil.txt {} +",
    "python3 evil.py",
    "make -f evil.mk",
    "ln -s .vscode other && echo evil > other/settings.json",
];

/// Every file and link below some places, but for what the program itself keeps there.
fn files(roots: &[PathBuf]) -> BTreeMap<PathBuf, Vec<u8>> {
    fn add(path: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        let Ok(kind) = fs::symlink_metadata(path) else { return };
        if kind.is_symlink() {
            found.insert(path.to_owned(), fs::read_link(path).unwrap().into_os_string().into_encoded_bytes());
        } else if kind.is_dir() {
            found.insert(path.to_owned(), Vec::new());
            for entry in fs::read_dir(path).unwrap().flatten() {
                add(&entry.path(), found);
            }
        } else {
            found.insert(path.to_owned(), fs::read(path).unwrap());
        }
    }
    let mut found = BTreeMap::new();
    for root in roots {
        add(root, &mut found);
    }
    found
}

/// Makes a world in which the model tries all of this, several things at a time; with the files there, or without.
fn world(exists: bool, steps: &[Vec<(&str, Value)>]) -> World {
    let world = World::new(&[]);
    let git = |arguments: &[&str]| {
        let status = Command::new("git")
            .args(arguments)
            .current_dir(world.ws(""))
            .env("HOME", world.home(""))
            .output();
        assert!(status.unwrap().status.success(), "git {arguments:?}");
    };
    git(&["init", "-q"]);
    if !exists {
        // What git makes when it is needed is not there, either.
        for folder in [".git/hooks", ".git/info"] {
            fs::remove_dir_all(world.ws(folder)).unwrap();
        }
    }
    world.write("src/a.txt", "a\n");
    world.write("evil.txt", "evil\n");
    fs::write(world.ws("evil.bin"), [0, 1]).unwrap();
    let all = |line: &dyn Fn(&str) -> String| INSIDE.iter().map(|path| line(path)).collect::<String>();
    world.write("evil.sh", &all(&|path| format!("mkdir -p $(dirname {path}); echo evil > {path}\n")));
    let py = all(&|path| format!("try:\n open('{path}', 'w').write('evil')\nexcept OSError: pass\n"));
    world.write("evil.py", &py);
    world.write("evil.mk", &format!("all:\n{}", all(&|path| format!("\t-echo evil > {path}\n"))));
    let new = |path: &str| format!("--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+evil\n");
    let changed = |path: &str| format!("--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-kept\n+evil\n");
    world.write("evil.patch", &all(&|path| if exists { changed(path) } else { new(path) }));
    for path in INSIDE.iter().filter(|path| !path.contains(".git/")) {
        world.write(&format!("evil/{path}"), "evil\n");
    }
    let packed = Command::new("tar").args(["cf", "../evil.tar", "."]).current_dir(world.ws("evil")).status();
    assert!(packed.unwrap().success());
    if exists {
        for path in INSIDE.iter().filter(|path| **path != ".git/config") {
            // No settings that the program would read itself.
            world.write(path, if path.ends_with("json") { "{}\n" } else { "# kept\n" });
        }
        for path in OUTSIDE.iter().filter(|path| **path != "config.yaml" && !path.ends_with("s.yaml")) {
            world.write(&format!("../home/{path}"), "# kept\n");
        }
    }
    symlink(".", world.ws("way")).unwrap();
    let calls = |step: &Vec<(&str, Value)>| -> Value {
        let tools = step.iter().map(|(name, input)| json!({"tool": {"name": name, "input": input}}));
        json!({"stream": tools.collect::<Vec<_>>()})
    };
    let mut turns: Vec<Value> = steps.iter().map(calls).collect();
    turns.push(json!({"stream": [{"tool": {"name": "write", "input": {"path": "ordinary.txt", "content": "written\n"}}}]}));
    turns.push(json!({"stream": [{"text": "Tried."}]}));
    fs::write(world.home("script.json"), json!({"turns": turns}).to_string()).unwrap();
    let config = fs::read_to_string(world.home("config.yaml")).unwrap();
    fs::write(world.home("config.yaml"), format!("{config}agent: {{max_steps: 2000}}\n")).unwrap();
    world
}

fn server(world: &World) -> TestServer {
    let options = Options::new().home(world.home("")).workspace(&world.ws("")).allow_unread();
    let options = options
        .ignore("kkcode/turn/didUpdate")
        .ignore("kkcode/proposal/didChange")
        .ignore("window/logMessage");
    options.capabilities(json!({"experimental": {"kkcode": {}}})).initialized()
}

/// Has all of it tried, by a turn that may do everything; whatever is asked is denied.
fn try_all(server: &mut TestServer) {
    start(server, &json!({"level": "yolo"}));
    loop {
        let told = server.wait_for("a question, or the end", |message| match message {
            Message::Notification { method, params }
                if method == "kkcode/permission/didAsk" || method == "kkcode/turn/didFinish" =>
            {
                Some(params.clone())
            }
            _ => None,
        });
        if !told["promptId"].is_string() {
            assert_eq!(told["reply"], "Tried.", "{told}");
            return;
        }
        answer(server, &told, "deny");
    }
}

/// Tries it all, and looks at what is there afterwards; returns what the model was told of each call.
#[track_caller]
fn check(exists: bool, steps: &[Vec<(&str, Value)>]) -> Vec<String> {
    let world = world(exists, steps);
    let mut places: Vec<PathBuf> = OUTSIDE.iter().map(|path| world.home(path)).collect();
    places.extend(fs::read_dir(world.ws("")).unwrap().flatten().map(|entry| entry.path()));
    places.extend(INSIDE.iter().map(|path| world.ws(path)));
    let before = files(&places);
    let names = || -> Vec<_> {
        fs::read_dir(world.ws("")).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    let known = names();
    let mut server = server(&world);
    try_all(&mut server);
    server.shutdown();
    let after = files(&places);
    let is_of_git = |path: &Path| OF_GIT.iter().any(|git| world.ws(git) == path);
    // Empty folders of git are made so that commands can be kept out of them.
    let is_empty =
        |path: &PathBuf| ["hooks", "info", "modules"].iter().any(|name| world.ws(".git").join(name) == *path);
    let changed: Vec<&PathBuf> = before
        .keys()
        .chain(after.keys())
        .filter(|path| before.get(*path) != after.get(*path) && !is_empty(path))
        .filter(|path| !is_of_git(path))
        .collect();
    assert!(changed.is_empty(), "{changed:#?}");
    // A folder without a file in it is nothing that anybody obeys.
    let new: Vec<PathBuf> = names()
        .into_iter()
        .filter(|name| !known.contains(name))
        .map(|name| world.ws("").join(name))
        .collect();
    let new: Vec<PathBuf> = files(&new)
        .into_keys()
        .filter(|path| (path.is_symlink() || !path.is_dir()) && !is_of_git(path))
        .collect();
    assert_eq!(
        new,
        [world.ws("ordinary.txt")],
        "what is not protected is written at once, and nothing else came"
    );
    world.results()
}

#[test]
fn x02_no_tool_changes_what_is_protected() {
    let home = |path: &&str| format!("../home/{path}");
    let paths = INSIDE.iter().map(|path| (*path).to_owned()).chain(OUTSIDE.iter().map(home));
    let steps: Vec<_> = paths.map(|path| file_calls(&path)).collect();
    for exists in [true, false] {
        check(exists, &steps);
    }
}

#[test]
fn x02_no_tool_makes_what_some_disk_takes_for_something_protected() {
    let calls = |path: &String| -> Vec<(&str, Value)> {
        let made = [
            ("write", json!({"path": path, "content": "evil\n"})),
            ("move", json!({"from": "evil.bin", "to": path})),
            ("mkdir", json!({"path": path})),
        ];
        made.to_vec()
    };
    let steps: Vec<_> = INSIDE.iter().map(|path| spellings(path).iter().flat_map(calls).collect()).collect();
    check(false, &steps);
}

/// What a command can still write, unseen: objects have to be written by commits.
const OF_GIT: [&str; 1] = [".git/objects/info/alternates"];

#[test]
fn x02_no_command_changes_what_is_protected_whether_it_names_it_or_not() {
    if !Path::new("/usr/bin/python3").exists() {
        let test = "x02_no_command_changes_what_is_protected_whether_it_names_it_or_not";
        return skip(test, "python3 is not installed");
    }
    let home = |path: &&str| format!("../home/{path}");
    let paths = INSIDE.iter().map(|path| (*path).to_owned()).chain(OUTSIDE.iter().map(home));
    let named: Vec<String> = paths.enumerate().map(|(at, path)| line(at, &path)).collect();
    let hidden = || HIDDEN.iter().map(|line| (*line).to_owned());
    let steps = |lines: &[String]| -> Vec<_> { lines.iter().map(|line| vec![bash(line)]).collect() };
    let results = check(true, &steps(&named.iter().cloned().chain(hidden()).collect::<Vec<_>>()));
    for (line, result) in named.iter().zip(&results) {
        assert!(result.starts_with("refused") || result.starts_with("denied"), "{line}: {result}");
    }
    check(false, &steps(&hidden().collect::<Vec<_>>()));
}
