//! Tasks in a git worktree: what their copy begins with, what comes back of it, and when it goes.

use super::*;

/// Makes a world whose folder is a trusted git repository with one commit.
fn world(script: &str) -> World {
    let world = World::with_script(script);
    git(&world, &["init", "--quiet"]);
    commit(&world);
    world.json(&["trust", "grant"]);
    world
}

fn commit(world: &World) {
    git(world, &["add", "--all"]);
    let who = ["-c", "user.name=user", "-c", "user.email=user@localhost"];
    git(world, &[&who[..], &["commit", "--quiet", "--message", "all"]].concat());
}

#[track_caller]
fn git(world: &World, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(world.work())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn worktrees(world: &World) -> PathBuf {
    world.dir.path().join("home-worktrees")
}

fn started(world: &World) -> String {
    world.start(&["--isolation", "worktree", "--level", "yolo"])
}

#[track_caller]
fn completed(world: &World, id: &str) -> Value {
    let task = world.end(id);
    assert_eq!(task["status"], "completed", "{task}\n{:?}\n{}", world.log(id), world.worker_logs());
    task
}

/// Nothing is left of any worktree, with git or on the disk.
#[track_caller]
fn nothing_stays(world: &World) {
    assert_eq!(git(world, &["worktree", "list"]).lines().count(), 1);
    assert!(!worktrees(world).exists());
}

/// Reads and edits; what comes then is said by the test.
const TWO_STEPS: &str = "
turns:
  - stream:
      - tool: {name: read, input: {path: a.txt}}
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: two, after: TWO}}
";

fn two_steps(world: &World, then: &str) {
    fs::write(world.home().join("script.yaml"), format!("{TWO_STEPS}{then}")).unwrap();
}

const WAIT: &str = "  - stream: [{waitFor: go}]\n";

#[test]
fn a_copy_begins_with_all_that_the_user_has_and_gives_back_a_proposal() {
    let world = world(
        "
turns:
  - stream:
      - tool: {name: read, input: {path: a.txt}}
      - tool: {name: read, input: {path: ignored.txt}}
      - tool: {name: bash, input: {command: 'cat staged.txt new/untracked.txt link; test ! -e gone.txt; test -x run.sh && git status --short'}}
  - expect: [\"staged\\nuntracked\\none\\nmine\\nthree\", \" M a.txt\"]
    stream:
      - tool: {name: edit, input: {path: a.txt, before: three, after: THREE}}
      - tool: {name: write, input: {path: deep/made.txt, content: \"made\\n\"}}
      - tool: {name: remove, input: {path: staged.txt}}
      - tool: {name: move, input: {from: new/untracked.txt, to: new/moved.txt}}
      - tool: {name: bash, input: {command: 'grep -c THREE a.txt && echo shell >> run.sh'}}
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: one, after: ONE}}
      - tool: {name: bash, input: {command: 'cat a.txt deep/made.txt new/moved.txt; ls'}}
  - expect: [\"ONE\\nmine\\nTHREE\\nmade\\nuntracked\\n\"]
    stream: [{text: Done.}]
",
    );
    fs::write(world.work().join("gone.txt"), "gone\n").unwrap();
    fs::write(world.work().join("run.sh"), "#!/bin/sh\n").unwrap();
    fs::write(world.work().join(".gitignore"), "ignored.txt\n").unwrap();
    commit(&world);
    fs::write(world.work().join("a.txt"), "one\nmine\nthree\n").unwrap();
    fs::remove_file(world.work().join("gone.txt")).unwrap();
    fs::write(world.work().join("staged.txt"), "staged\n").unwrap();
    git(&world, &["add", "staged.txt"]);
    fs::create_dir(world.work().join("new")).unwrap();
    fs::write(world.work().join("new/untracked.txt"), "untracked\n").unwrap();
    fs::write(world.work().join("ignored.txt"), "ignored\n").unwrap();
    std::os::unix::fs::symlink("a.txt", world.work().join("link")).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(world.work().join("run.sh"), executable).unwrap();
    let state =
        |world: &World| (git(world, &["status", "--porcelain", "-uall"]), git(world, &["count-objects"]));
    let before = state(&world);

    let task = completed(&world, &started(&world));
    assert_eq!(state(&world), before, "nothing of the user's is touched, nothing is left in his repository");
    assert_eq!(task["result"].get("worktreePath"), None, "{task}");
    nothing_stays(&world);

    let proposal = task["result"]["proposalIds"][0].as_str().unwrap();
    let shown = world.json(&["proposal", "show", proposal]);
    let files = shown["files"].as_array().unwrap();
    let of = |name: &str| {
        files.iter().find(|file| file["path"].as_str().or(file["uri"].as_str()).unwrap().ends_with(name))
    };
    assert_eq!(files.len(), 5, "{shown}");
    assert_eq!(of("/a.txt").unwrap()["hunks"].as_array().unwrap().len(), 2, "{shown}");
    world.json(&["proposal", "accept", proposal]);
    let text = |name: &str| fs::read_to_string(world.work().join(name)).ok();
    assert_eq!(world.text(), "ONE\nmine\nTHREE\n");
    assert_eq!(text("deep/made.txt").as_deref(), Some("made\n"));
    assert_eq!(text("run.sh").as_deref(), Some("#!/bin/sh\nshell\n"));
    assert_eq!((text("staged.txt"), text("new/untracked.txt")), (None, None));
    assert_eq!(text("new/moved.txt").as_deref(), Some("untracked\n"));
}

#[test]
fn what_the_user_changes_meanwhile_is_neither_seen_nor_lost() {
    let world = world(
        "
turns:
  - stream:
      - tool: {name: read, input: {path: a.txt}}
  - stream:
      - waitFor: go
      - tool: {name: read, input: {path: a.txt}}
      - tool: {name: edit, input: {path: a.txt, before: three, after: THREE}}
  - expect: [proposed]
    stream: [{text: Done.}]
",
    );
    let id = started(&world);
    world.until("it has read", "SELECT count(*) > 0 FROM task_event WHERE body LIKE '%a.txt%'");
    fs::write(world.work().join("a.txt"), "ONE, mine\ntwo\nthree\n").unwrap();
    fs::write(world.home().join("go"), "").unwrap();
    let task = completed(&world, &id);
    world.json(&["proposal", "accept", task["result"]["proposalIds"][0].as_str().unwrap()]);
    assert_eq!(world.text(), "ONE, mine\ntwo\nTHREE\n");
    nothing_stays(&world);
}

#[test]
fn a_killed_worker_goes_on_in_its_copy_and_a_lost_copy_is_made_again() {
    for loses in [false, true] {
        let world = world(&format!("{TWO_STEPS}{WAIT}"));
        let id = started(&world);
        world.until("the edit", "SELECT count(*) = 1 FROM hunk");
        let copy = worktrees(&world).join(&id);
        assert_eq!(fs::read_to_string(copy.join("a.txt")).unwrap(), "one\nTWO\nthree\n");
        signal(world.worker(&id), Signal::KILL);
        assert_eq!(world.end(&id)["status"], "interrupted");
        assert!(copy.exists(), "whoever goes on with the task finds it");
        if loses {
            fs::remove_dir_all(&copy).unwrap();
            // What the user does to his file stays out of the proposal.
            fs::write(world.work().join("a.txt"), "one\ntwo\nthree\nfour\n").unwrap();
        }
        let then = "
  - stream:
      - tool: {name: read, input: {path: a.txt}}
  - expect: [TWO]
    stream:
      - tool: {name: edit, input: {path: a.txt, before: one, after: ONE}}
  - stream: [{text: Done.}]
";
        two_steps(&world, then);
        world.json(&["task", "retry", &id]);
        let task = completed(&world, &id);
        let proposals = task["result"]["proposalIds"].as_array().unwrap();
        assert_eq!(proposals.len(), 1, "{task}");
        world.json(&["proposal", "accept", proposals[0].as_str().unwrap()]);
        assert_eq!(world.text(), if loses { "ONE\nTWO\nthree\nfour\n" } else { "ONE\nTWO\nthree\n" });
        nothing_stays(&world);
    }
}

#[test]
fn a_cancelled_task_keeps_its_copy_and_what_it_has_proposed() {
    let world = world(&format!("{TWO_STEPS}{WAIT}"));
    let id = started(&world);
    world.until("the edit", "SELECT count(*) = 1 FROM hunk");
    world.json(&["task", "cancel", &id]);
    let task = world.end(&id);
    assert_eq!(task["status"], "cancelled", "{task}");
    let copy = worktrees(&world).join(&id);
    assert_eq!(task["result"]["worktreePath"], copy.to_str().unwrap(), "{task}");
    world.json(&["proposal", "accept", task["result"]["proposalIds"][0].as_str().unwrap()]);
    assert_eq!(world.text(), "one\nTWO\nthree\n");
    // An accepted hunk is not proposed once more by who goes on.
    let then = "
  - stream:
      - tool: {name: read, input: {path: a.txt}}
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: three, after: THREE}}
  - stream: [{text: Done.}]
";
    two_steps(&world, then);
    world.json(&["task", "retry", &id]);
    let task = completed(&world, &id);
    let proposals = task["result"]["proposalIds"].as_array().unwrap();
    let last = proposals.last().unwrap().as_str().unwrap();
    let shown = world.json(&["proposal", "show", last]);
    let pending = shown["files"][0]["hunks"].as_array().unwrap();
    let pending = pending.iter().filter(|hunk| hunk["state"] == "pending").count();
    assert_eq!(pending, 1, "{shown}");
    world.json(&["proposal", "accept", last]);
    assert_eq!(world.text(), "one\nTWO\nTHREE\n");
}

#[test]
fn a_copy_stays_when_something_in_it_is_in_no_proposal() {
    let world = world(
        "
turns:
  - stream:
      - tool: {name: copy, input: {from: picture.bin, to: second.bin}}
  - stream: [{text: Done.}]
",
    );
    fs::write(world.work().join("picture.bin"), [0, 159, 146, 150]).unwrap();
    let id = started(&world);
    let task = completed(&world, &id);
    let copy = worktrees(&world).join(&id);
    assert_eq!(task["result"]["worktreePath"], copy.to_str().unwrap(), "{task}");
    assert_eq!(fs::read(copy.join("second.bin")).unwrap(), [0, 159, 146, 150]);
    assert!(!world.work().join("second.bin").exists());
    // It goes with the task, and git forgets it.
    world.nothing_is_left();
    assert_eq!(world.json(&["task", "clean", "--older-than-days", "0"])["removed"], 1);
    assert!(!worktrees(&world).exists());
    let known = git(&world, &["worktree", "list", "--porcelain"]);
    assert_eq!(known.matches("worktree ").count(), 1, "{known}");
}

#[test]
fn what_holds_for_the_users_folder_holds_for_its_copy() {
    let world = world(
        "
turns:
  - stream:
      - tool: {name: read, input: {path: a.txt}}
      - tool: {name: read, input: {path: b.txt}}
  - stream:
      - tool: {name: edit, input: {path: a.txt, before: two, after: TWO}}
      - tool: {name: edit, input: {path: b.txt, before: two, after: TWO}}
      - tool: {name: write, input: {path: .git, content: 'gitdir: /elsewhere'}}
  - stream: [{text: Done.}]
",
    );
    for name in ["b.txt", "c.txt"] {
        fs::write(world.work().join(name), TEXT).unwrap();
    }
    // One rule names the user's own path; another is in a file that git ignores.
    let rule = format!(
        "permission: {{rules: [{{tool: edit, action: deny, file_patterns: ['{}/a.txt']}}]}}\n",
        world.work().display()
    );
    world.configure(&rule);
    fs::create_dir(world.work().join(".kkcode")).unwrap();
    fs::write(world.work().join(".gitignore"), ".kkcode\n").unwrap();
    let own = "permission: {rules: [{tool: edit, action: deny, file_patterns: [b.txt]}]}\n";
    fs::write(world.work().join(".kkcode/config.yaml"), own).unwrap();
    let task = completed(&world, &started(&world));
    assert_eq!(task["result"]["proposalIds"], json!([]), "{task}");
    nothing_stays(&world);
}

#[test]
fn where_there_can_be_none_the_reason_is_said_before_anything_begins() {
    let world = World::new(0);
    let refused = |world: &World| {
        let output = world.output(&["task", "start", "go", "--isolation", "worktree"]);
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refused(&world);
    assert!(said.contains("trust the folder first"), "{said}");
    world.json(&["trust", "grant"]);
    let said = refused(&world);
    assert!(said.contains("has a commit") && said.contains("not a git repository"), "{said}");
    git(&world, &["init", "--quiet"]);
    let said = refused(&world);
    assert!(said.contains("has a commit"), "{said}");
    assert_eq!(world.json(&["task", "list"])["tasks"], json!([]));
    assert!(!worktrees(&world).exists());
}

#[test]
fn unsaved_text_is_in_the_copy_of_a_folder_inside_a_repository() {
    let world = World::with_script(
        "
turns:
  - stream:
      - tool: {name: read, input: {path: b.txt}}
  - expect: [unsaved]
    stream:
      - tool: {name: edit, input: {path: b.txt, before: three, after: THREE}}
  - stream: [{text: Done.}]
",
    );
    let folder = world.work().join("inside");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("b.txt"), TEXT).unwrap();
    git(&world, &["init", "--quiet"]);
    commit(&world);
    let trusted = world.command(&["trust", "grant"]).current_dir(&folder).output().unwrap();
    assert!(trusted.status.success());
    let mut server = Options::new().home(world.home()).workspace(&folder).allow_unread().initialized();
    let uri = format!("file://{}/b.txt", folder.display());
    let text = "one\nunsaved\nthree\n";
    let opened = json!({"uri": uri, "languageId": "plaintext", "version": 1, "text": text});
    server.notify("textDocument/didOpen", json!({"textDocument": opened}));
    let task = json!({"prompt": "make it loud", "isolation": "worktree", "level": "yolo"});
    let started = server.command("kkcode.task.start", task).unwrap();
    let task = completed(&world, started["taskId"].as_str().unwrap());
    assert_eq!(fs::read_to_string(folder.join("b.txt")).unwrap(), TEXT);
    let proposal = &task["result"]["proposalIds"][0];
    let shown = server.command("kkcode.proposal.show", json!({"proposalId": proposal})).unwrap();
    assert_eq!(shown["files"][0]["uri"], uri, "{shown}");
    let hunks = shown["files"][0]["hunks"].as_array().unwrap();
    assert_eq!(hunks.len(), 1, "what the user has typed is not proposed back: {shown}");
    assert_eq!((&hunks[0]["oldText"], &hunks[0]["state"]), (&json!("three\n"), &json!("pending")));
    nothing_stays(&world);
}

#[test]
fn an_agent_gives_a_task_away_that_works_in_a_worktree() {
    let agent = "
turns:
  - stream:
      - tool: {name: task, input: {prompt: make it loud, isolation: worktree, run_in_background: true}}
  - expect: [it runs in the background]
    stream: [{text: Later.}]
";
    let world = world(agent);
    let config = "models: {main: play/scripted, subagent: sub/scripted}\nprovider:\n  \
                  play: {type: scripted, script: script.yaml}\n  sub: {type: scripted, script: sub.yaml}\n";
    fs::write(world.home().join("config.yaml"), config).unwrap();
    fs::write(world.home().join("sub.yaml"), format!("{TWO_STEPS}  - stream: [{{text: Done.}}]\n")).unwrap();
    let run = world.json(&["run", "go", "--level", "yolo"]);
    assert_eq!(run["status"], "completed", "{run}");
    let id = world.json(&["task", "list"])["tasks"][0]["taskId"].as_str().unwrap().to_owned();
    let task = completed(&world, &id);
    assert_eq!(world.text(), TEXT);
    world.json(&["proposal", "accept", task["result"]["proposalIds"][0].as_str().unwrap()]);
    assert_eq!(world.text(), "one\nTWO\nthree\n");
    nothing_stays(&world);
}

#[test]
fn a_repository_that_the_agent_puts_in_the_place_of_gits_own_is_not_believed() {
    let world = World::new(0);
    let mark = world.dir.path().join("pwned");
    // The repository brings another one along, as files like any others, that names a program.
    let evil = world.work().join("evil");
    for folder in ["objects", "refs"] {
        fs::create_dir_all(evil.join(folder)).unwrap();
        fs::write(evil.join(folder).join("kept"), "").unwrap();
    }
    fs::write(evil.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    let program = format!("[filter \"x\"]\n\tclean = touch {}; cat\n", mark.display());
    fs::write(evil.join("config"), program).unwrap();
    fs::write(world.work().join(".gitattributes"), "*.new filter=x\n").unwrap();
    let does = "echo \"gitdir: $PWD/evil\" > .git; echo new > a.new\n";
    fs::write(world.work().join("build.sh"), does).unwrap();
    let script = "turns:\n  - stream:\n      - tool: {name: bash, input: {command: sh build.sh}}\n  - stream: [{text: Done.}]\n";
    fs::write(world.home().join("script.yaml"), script).unwrap();
    // Without a sandbox, in which nothing of it would be kept.
    world.configure("permission: {sandbox: {mode: off}}\n");
    git(&world, &["init", "--quiet"]);
    commit(&world);
    world.json(&["trust", "grant"]);
    let id = started(&world);
    completed(&world, &id);
    assert!(!mark.exists(), "a program that the repository names was run");
}
