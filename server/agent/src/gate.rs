//! The gate: every tool call passes here before it does anything.

use std::path::{Path, PathBuf};

use kkcode_core::permission::engine::{Action, Call, Policy, decide};
use kkcode_core::permission::ground::Ground;
use kkcode_core::permission::{Access, Decision, default_decision};
use kkcode_core::turn::Level;

mod disk;
pub mod learned;
pub mod policy;
pub mod rules;
pub mod trust;

/// What a tool call may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// It may go on; what it edits is let into the text at once and reviewed afterwards.
    Applied,
    /// It may go on; what it edits is a proposal and waits for the user.
    Proposed,
    /// It may not. The text is for the model.
    Refused(&'static str),
}

/// Judges a tool call.
pub(crate) fn check(level: Level, access: Access) -> Passage {
    match default_decision(level, access) {
        Decision::Allow => Passage::Applied,
        Decision::Ask => Passage::Proposed,
        Decision::Deny => Passage::Refused("refused: the user's level is `readonly`, which allows no edits"),
    }
}

/// Judges an edit of one file, links followed: what programs or agents obey waits for the user at every level.
pub(crate) fn check_edit(level: Level, path: &Path, folders: &[PathBuf]) -> Passage {
    // Only the workspace is of interest: nothing outside it gets here.
    let ground = Ground { folders: folders.to_vec(), home: "/nonexistent".into(), ..Ground::default() };
    let writes = vec![path.to_string_lossy().into_owned()];
    let action = Action::Files { reads: Vec::new(), writes, detail: String::new() };
    let policy = Policy { level, ..Policy::default() };
    match decide(&policy, &ground, &disk::Disk, &Call { tool: "edit".to_owned(), action }).decision {
        Decision::Allow => Passage::Applied,
        Decision::Ask => Passage::Proposed,
        Decision::Deny => Passage::Refused("refused: this file is not the agent's to change"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_obey_is_proposed_at_every_level() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let folders = [folder.clone()];
        for level in [Level::AcceptEdits, Level::Yolo] {
            let at = |name: &str| check_edit(level, &folder.join(name), &folders);
            assert_eq!(at("src/main.rs"), Passage::Applied);
            for protected in
                [".vscode/settings.json", ".git/hooks/pre-commit", ".ENVRC", ".github/workflows/ci.yml"]
            {
                assert_eq!(at(protected), Passage::Proposed, "{protected} at {level:?}");
            }
        }
        assert!(matches!(check_edit(Level::Readonly, &folder.join("a"), &folders), Passage::Refused(_)));
    }
}
