use std::fs;

use kkcode_core::turn::Level;
use serde_json::json;

use super::*;

/// A folder with a home beside it, and a judge of one tool in it.
struct Place {
    keep: tempfile::TempDir,
}

impl Place {
    fn new(user: &str) -> Self {
        let keep = tempfile::tempdir().unwrap();
        for folder in ["home", "ws/src"] {
            fs::create_dir_all(keep.path().join(folder)).unwrap();
        }
        fs::write(keep.path().join("home/config.yaml"), user).unwrap();
        Self { keep }
    }

    fn folder(&self) -> PathBuf {
        self.keep.path().canonicalize().unwrap().join("ws")
    }

    fn check(&self, level: Level, tool: &str) -> Check {
        self.check_granted(level, tool, Vec::new())
    }

    fn check_granted(&self, level: Level, tool: &str, granted: Vec<Approval>) -> Check {
        let home = self.keep.path().join("home");
        let surroundings = Surroundings { home, temporary: "/tmp".into(), ..Surroundings::default() };
        let gate = Gate::new(surroundings, CancellationToken::new());
        let holding = gate.holding(&[self.folder()]);
        let policy = holding.policy(level, kkcode_core::turn::Mode::Agent.into(), Vec::new());
        Check::new(tool, policy, holding, granted, None)
    }
}

#[test]
fn what_programs_obey_is_proposed_at_every_level() {
    let place = Place::new("");
    for level in [Level::AcceptEdits, Level::Yolo] {
        let check = place.check(level, "edit");
        let at = |name: &str| check.edit(&place.folder().join(name));
        assert_eq!(at("src/main.rs"), Ok(Passage::Applied));
        for protected in
            [".vscode/settings.json", ".git/hooks/pre-commit", ".ENVRC", ".github/workflows/ci.yml"]
        {
            assert_eq!(at(protected), Ok(Passage::Proposed), "{protected} at {level:?}");
        }
    }
    assert!(place.check(Level::Readonly, "edit").tool(&json!({"path": "a"})).is_err());
}

#[test]
fn a_rule_about_a_path_holds_for_looking_whatever_tool_looks() {
    let place = Place::new("permission: {rules: [{tool: '*', action: deny, file_patterns: 'secret/**'}]}");
    let (secret, plain) = (place.folder().join("secret/a"), place.folder().join("src/a"));
    for tool in ["read", "grep", "glob", "list", "edit"] {
        let check = place.check(Level::Yolo, tool);
        assert!(check.look(&secret).unwrap_err().contains("secret/**"), "{tool}");
        assert!(!check.shows(&secret) && !check.names(&secret), "{tool}");
        assert_eq!(check.look(&plain), Ok(()), "{tool}");
    }
    assert!(place.check(Level::Yolo, "edit").edit(&secret).is_err());
}

#[test]
fn what_is_asked_is_noted_and_what_was_granted_is_asked_no_more() {
    let place = Place::new("");
    let env = place.folder().join(".env");
    let check = place.check(Level::Manual, "read");
    assert!(check.look(&env).is_err());
    let asked = check.to_ask().unwrap();
    let granted = vec![check.approval(&asked.call)];
    let check = place.check_granted(Level::Manual, "read", granted);
    assert_eq!((check.look(&env), check.to_ask()), (Ok(()), None));
    assert!(check.look(&place.folder().join(".env.local")).is_err());
}

#[test]
fn a_rule_that_asks_about_a_tool_without_paths_is_asked() {
    let place = Place::new("permission: {rules: [{tool: sysinfo, action: ask}]}");
    assert!(place.check(Level::Yolo, "sysinfo").to_ask().is_some());
    assert!(place.check(Level::Yolo, "todowrite").to_ask().is_none());
}

#[test]
fn files_that_change_are_read_again() {
    let place = Place::new("");
    let home = place.keep.path().join("home");
    let gate =
        Gate::new(Surroundings { home: home.clone(), ..Surroundings::default() }, CancellationToken::new());
    let before = gate.holding(&[place.folder()]);
    assert!(Arc::ptr_eq(&before, &gate.holding(&[place.folder()])));
    fs::write(home.join("config.yaml"), "permission: {rules: [{tool: bash, action: deny}]}").unwrap();
    assert_eq!(
        gate.holding(&[place.folder()])
            .policy(Level::Yolo, kkcode_core::permission::capability::Mode::Agent, Vec::new())
            .rules
            .len(),
        1
    );
}
