use super::*;
use crate::permission::ground_for_tests::{Disk, frame};
use crate::permission::rule::Scope;

mod heard;
mod monotone;
mod ways_round;

fn rule(action: Decision, tool: &str, prefixes: &[&str], patterns: &[&str]) -> Rule {
    let own = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    Rule {
        tool: tool.to_owned(),
        action,
        modes: Vec::new(),
        risk: None,
        file_patterns: own(patterns),
        command_prefixes: own(prefixes),
        workspace: None,
        scope: Scope::User,
        origin: Origin { file: "/home/user/.kkcode/config.yaml".into(), line: 7 },
    }
}

fn command(line: &str) -> Call {
    Call {
        tool: "bash".to_owned(),
        action: Action::Command { line: line.to_owned(), shell: Shell::Bash, network: false },
    }
}

fn edit(paths: &[&str]) -> Call {
    let writes = paths.iter().map(|&path| path.to_owned()).collect();
    Call {
        tool: "multiedit".to_owned(),
        action: Action::Files { reads: Vec::new(), writes, detail: String::new() },
    }
}

fn read(path: &str) -> Call {
    Call {
        tool: "read".to_owned(),
        action: Action::Files { reads: vec![path.to_owned()], writes: Vec::new(), detail: String::new() },
    }
}

fn verdict(level: Level, rules: &[Rule], call: &Call) -> Verdict {
    let (ground, disk) = frame();
    let disk: Disk = disk.link("/ws/out", "/srv").link("/ws/rc", ".vscode/settings.json");
    let policy = Policy { level, rules: rules.to_vec(), ..Policy::default() };
    decide(&policy, &ground, &disk, call)
}

fn decision(level: Level, rules: &[Rule], call: &Call) -> Decision {
    verdict(level, rules, call).decision
}

use Decision::{Allow, Ask, Deny};
use Level::{AcceptEdits, Manual, Readonly, Yolo};

#[test]
fn levels_decide_what_no_rule_speaks_of() {
    for (call, expected) in [
        (command("ls"), [Allow, Allow, Allow, Allow]),
        (command("npm test"), [Deny, Ask, Ask, Allow]),
        (command("rm -rf /"), [Deny, Deny, Deny, Deny]),
        (command("python3 w.py .bashrc"), [Deny, Ask, Ask, Ask]),
        (edit(&["src/a"]), [Deny, Ask, Allow, Allow]),
        (edit(&[".vscode/settings.json"]), [Deny, Ask, Ask, Ask]),
        (edit(&["rc"]), [Deny, Ask, Ask, Ask]),
        (edit(&["AGENTS.md"]), [Deny, Ask, Ask, Allow]),
        (edit(&["out/x"]), [Deny; 4]),
        (edit(&["../x"]), [Deny; 4]),
        (edit(&["src/a", "../x"]), [Deny; 4]),
        (read("src/a"), [Allow; 4]),
        (read("/etc/hosts"), [Ask, Ask, Ask, Allow]),
        (read(".env"), [Ask, Ask, Ask, Allow]),
        (read("/home/user/.ssh/id_rsa"), [Deny; 4]),
        (read("/home/user/.kkcode/config.yaml"), [Deny; 4]),
        (
            Call { tool: "mcp_x_y".to_owned(), action: Action::Other("{}".to_owned()) },
            [Deny, Ask, Ask, Allow],
        ),
    ] {
        let found = [Readonly, Manual, AcceptEdits, Yolo].map(|level| decision(level, &[], &call));
        assert_eq!(found, expected, "{call:?}");
    }
}

#[test]
fn the_reason_is_the_one_that_applies() {
    for (path, why) in
        [(".env", "`.env` may hold secrets"), ("/etc/hosts", "`/etc/hosts` lies outside the workspace")]
    {
        assert_eq!(verdict(Manual, &[], &read(path)).reason, why);
    }
}

#[test]
fn rules_count_in_their_order_of_strictness_and_are_named() {
    let allow = rule(Allow, "bash", &["npm test"], &[]);
    let deny = rule(Deny, "bash", &["npm"], &[]);
    assert_eq!(decision(Manual, std::slice::from_ref(&allow), &command("npm test --watch")), Allow);
    assert_eq!(decision(Manual, &[allow.clone(), deny.clone()], &command("npm test")), Deny);
    assert_eq!(decision(Yolo, &[rule(Ask, "bash", &["npm"], &[])], &command("npm test")), Ask);
    assert_eq!(
        decision(Readonly, std::slice::from_ref(&allow), &command("npm test")),
        Deny,
        "readonly is a ceiling"
    );
    let found = verdict(Yolo, &[deny], &command("cd src && npm run x"));
    assert_eq!(found.source.to_string(), "rule `deny bash `npm`` in /home/user/.kkcode/config.yaml:7");
    let project = Rule { scope: Scope::Project, ..allow };
    assert_eq!(decision(Manual, &[project], &command("npm test")), Ask, "a project may only tighten");
}

#[test]
fn modes_that_only_talk_lift_for_nobody() {
    let (ground, disk) = frame();
    for mode in [Mode::Ask, Mode::Plan] {
        let policy =
            Policy { level: Yolo, mode, rules: vec![rule(Allow, "*", &[], &[])], ..Policy::default() };
        assert_eq!(decide(&policy, &ground, &disk, &command("npm test")).decision, Deny);
        assert_eq!(decide(&policy, &ground, &disk, &edit(&["a"])).decision, Deny);
        assert_eq!(decide(&policy, &ground, &disk, &command("ls")).decision, Allow);
    }
}

#[test]
fn what_is_learned_says_what_was_shown() {
    let (ground, disk) = frame();
    let learned = |line: &str| -> Vec<String> {
        learned_rules(&ground, &disk, &command(line)).iter().map(Rule::describe).collect()
    };
    assert_eq!(learned("npm test"), ["allow bash `npm test`"]);
    assert_eq!(learned("cargo build && cargo test"), ["allow bash `cargo build`", "allow bash `cargo test`"]);
    for nothing in ["sh -c x", "npm test > x", "npm test | sh", "echo $(x)", "rm -rf /"] {
        assert!(learned(nothing).is_empty(), "{nothing}");
    }
    let rules = learned_rules(&ground, &disk, &edit(&["src/a"]));
    assert_eq!(rules[0].describe(), "allow multiedit src/a");
    assert_eq!(rules[0].workspace.as_deref(), Some(std::path::Path::new("/ws")));
    assert!(learned_rules(&ground, &disk, &edit(&[".vscode/x"])).is_empty());
}
