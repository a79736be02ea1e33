//! P-04 of the reliability study: a wider level allows what a stricter one does, and a rule that forbids, or that came with a
//! workspace, frees nothing.

use super::*;

/// The lines of the corpora.
fn lines() -> Vec<String> {
    let corpora = [
        include_str!("../../../../tests/data/exec-policy.jsonl"),
        include_str!("../../../../tests/data/exec-policy-own.jsonl"),
    ];
    let line = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let command = |line: serde_json::Value| line["cmd"].as_str().unwrap().to_owned();
    corpora.iter().flat_map(|corpus| corpus.lines()).map(line).map(command).collect()
}

#[test]
fn p04_a_wider_level_is_as_free_and_more_rules_that_forbid_free_nothing() {
    let calls = lines().iter().map(|line| command(line)).collect::<Vec<_>>();
    let calls = calls.into_iter().chain([edit(&["src/a", ".env"]), read("/etc/hosts"), edit(&["../x"])]);
    let mine = rule(Allow, "bash", &["npm", "git commit", "rm"], &[]);
    let of_workspace =
        |action| Rule { scope: Scope::Project, ..rule(action, "*", &["git", "npm", "ls"], &["src/**"]) };
    let added = [
        rule(Deny, "bash", &["npm"], &[]),
        rule(Ask, "*", &[], &["src/**"]),
        of_workspace(Allow),
        of_workspace(Ask),
        of_workspace(Deny),
    ];
    for (at, call) in calls.enumerate() {
        let of_levels = [Readonly, Manual, AcceptEdits, Yolo]
            .map(|level| decision(level, std::slice::from_ref(&mine), &call));
        assert!(of_levels.is_sorted_by(|stricter, wider| stricter >= wider), "{call:?}: {of_levels:?}");
        // Each takes its turn with the rules.
        for added in added.iter().skip(at % 5).step_by(5) {
            for (level, before) in [Readonly, Manual, AcceptEdits, Yolo].into_iter().zip(of_levels) {
                let after = decision(level, &[mine.clone(), added.clone()], &call);
                assert!(after >= before, "{call:?} at {level:?}: {before:?}, with {added:?} {after:?}");
            }
        }
    }
}
