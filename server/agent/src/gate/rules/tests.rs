use super::*;

fn user(text: &str) -> Section {
    section(Path::new("/home/me/.kkcode/config.yaml"), text, Scope::User)
}

#[test]
fn rules_are_read_with_their_lines() {
    let found = user(
        "provider: {a: 1}\npermission:\n  level: accept-edits\n  rules:\n    - tool: bash\n      action: deny\n      command_prefix: rm\n    \
         - {tool: edit, action: allow, file_patterns: [src/**], modes: [agent], risk: 3}\n",
    );
    assert_eq!(found.problems, []);
    assert_eq!(found.level, Some(Level::AcceptEdits));
    let described: Vec<String> =
        found.rules.iter().map(|rule| format!("{} {}", rule.origin.line, rule.describe())).collect();
    assert_eq!(described, ["5 deny bash `rm`", "8 allow edit src/**"]);
}

/// Row B26 of the study: an error in the configuration once dropped the whole file.
#[test]
fn b26_one_bad_key_tightens_and_keeps_the_other_rules() {
    for (text, key, line) in [
        ("permission:\n  level: yollo\n  rules:\n    - {tool: bash, action: deny}\n", "permission.level", 2),
        (
            "permission:\n  rules:\n    - {tool: bash, action: deny}\n    - {tool: bash, action: sometimes}\n",
            "permission.rules[1]",
            4,
        ),
        ("permission:\n  levle: yolo\n  rules:\n    - {tool: bash, action: deny}\n", "permission.levle", 2),
        (
            "permission:\n  rules:\n    - {tool: bash, action: deny}\n    - {tool: bash, action: allow, comand_prefix: ls}\n",
            "permission.rules[1]",
            4,
        ),
    ] {
        let found = user(text);
        let problem = found.problems.first().unwrap_or_else(|| panic!("{text}"));
        assert_eq!((problem.key.as_str(), problem.line), (key, line), "{problem}");
        assert_eq!(found.level, Some(Level::Readonly), "{text}");
        assert_eq!(found.rules.len(), 1, "{text}");
    }
    let broken = user("permission:\n  level: [\n");
    assert_eq!((broken.level, broken.problems.len()), (Some(Level::Readonly), 1));
    assert!(user("# nothing\n").problems.is_empty() && user("").problems.is_empty());
}

#[test]
fn what_another_agent_forbids_is_forbidden_and_what_it_allows_is_not_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.json");
    std::fs::write(
        &path,
        r#"{"permissions": {"allow": ["Bash(*)"], "deny": ["Bash(curl:*)", "Read(./secrets/**)"], "ask": ["WebFetch"]}}"#,
    )
    .unwrap();
    let rules = claude(&path).rules;
    assert!(rules.iter().all(|rule| rule.action != Decision::Allow && rule.scope == Scope::Project));
    let described: Vec<String> = rules.iter().map(Rule::describe).collect();
    assert!(described.contains(&"deny bash `curl`".to_owned()), "{described:?}");
    assert!(described.contains(&"deny read secrets/**".to_owned()), "{described:?}");
    assert!(described.contains(&"ask webfetch".to_owned()), "{described:?}");
    std::fs::write(&path, "{").unwrap();
    assert_eq!(claude(&path).level, Some(Level::Readonly));
}
