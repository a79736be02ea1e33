//! What an agent may do: decisions in order of strictness, and what a level says when no rule does.

use serde::{Deserialize, Serialize};

use crate::turn::Level;

pub mod capability;
pub mod characters;
pub mod engine;
pub mod glob;
pub mod ground;
pub mod path;
pub mod rule;
pub mod shell;
mod tables;

#[cfg(test)]
mod ground_for_tests;

/// What is done about a tool call. Of several decisions the greatest, the strictest, holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// It is done.
    Allow,
    /// The user is asked; for an edit, the pending hunk is the question.
    Ask,
    /// It is not done, and the model is told so.
    Deny,
}

/// What a tool call would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It reads files of the workspace.
    Read,
    /// It changes files of the workspace.
    Edit,
}

/// Returns what a level says of an access that no rule speaks of.
pub fn default_decision(level: Level, access: Access) -> Decision {
    match (access, level) {
        (Access::Read, _) | (Access::Edit, Level::AcceptEdits | Level::Yolo) => Decision::Allow,
        (Access::Edit, Level::Manual) => Decision::Ask,
        (Access::Edit, Level::Readonly) => Decision::Deny,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_level_never_decides_more_strictly() {
        let levels = [Level::Readonly, Level::Manual, Level::AcceptEdits, Level::Yolo];
        for access in [Access::Read, Access::Edit] {
            let decisions = levels.map(|level| default_decision(level, access));
            assert!(decisions.is_sorted_by(|stricter, freer| stricter >= freer), "{access:?}: {decisions:?}");
        }
        assert_eq!(default_decision(Level::Readonly, Access::Edit), Decision::Deny);
        assert_eq!(default_decision(Level::default(), Access::Edit), Decision::Ask);
    }
}
