//! What tools can do, and what the levels and modes say about it.

use serde::{Deserialize, Serialize};

use super::Decision;
use crate::turn::Level;

/// What a tool call would do, by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Reads files of the workspace.
    Read,
    /// Searches them.
    Search,
    /// Fetches something from the network.
    Network,
    /// Changes files.
    Edit,
    /// Runs a command that only looks.
    SafeShell,
    /// Runs any other command.
    RiskyShell,
    /// Starts or stops work in the background.
    Task,
    /// Nobody has said: tools of other people.
    Unknown,
}

/// In what way an agent works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It answers questions.
    Ask,
    /// It makes a plan.
    Plan,
    /// It works.
    #[default]
    Agent,
    /// It works in stages, on its own.
    LongAgent,
}

impl Capability {
    /// Returns the capability of a tool by its name. What is not known here is [`Self::Unknown`]; a command is
    /// [`Self::RiskyShell`] until it was judged.
    pub fn of_tool(tool: &str) -> Self {
        match tool {
            "read" | "list" | "sysinfo" | "todowrite" | "question" | "enter_plan" | "exit_plan" | "skill"
            | "background_output" | "task_get" | "task_output" | "task_list" | "git_info" | "git_status"
            | "git_list_snapshots" => Self::Read,
            "glob" | "grep" => Self::Search,
            "webfetch" | "websearch" | "codesearch" => Self::Network,
            "write"
            | "edit"
            | "patch"
            | "multiedit"
            | "notebookedit"
            | "move"
            | "copy"
            | "remove"
            | "mkdir"
            | "archive"
            | "git_snapshot"
            | "git_restore"
            | "git_apply_patch"
            | "git_delete_snapshot"
            | "git_cleanup"
            | "git_auto_stage"
            | "git_auto_commit" => Self::Edit,
            "bash" | "powershell" | "cmd" | "git_auto_push" | "http_request" => Self::RiskyShell,
            "task" | "task_group" | "task_stop" | "task_parallel" | "background_cancel" => Self::Task,
            _ => Self::Unknown,
        }
    }

    /// Returns the risk that kkcode's rules count with: 9 for what changes or runs something, else 1.
    pub fn risk(self) -> u8 {
        match self {
            Self::Edit | Self::RiskyShell | Self::SafeShell | Self::Task | Self::Unknown => 9,
            Self::Read | Self::Search | Self::Network => 1,
        }
    }
}

impl From<crate::turn::Mode> for Mode {
    fn from(mode: crate::turn::Mode) -> Self {
        match mode {
            crate::turn::Mode::Ask => Self::Ask,
            crate::turn::Mode::Plan => Self::Plan,
            crate::turn::Mode::Agent => Self::Agent,
        }
    }
}

/// Returns what a level says of a capability that no rule speaks of.
pub fn default_decision(level: Level, capability: Capability) -> Decision {
    use Capability as C;
    match (capability, level) {
        (C::Read | C::Search | C::SafeShell, _)
        | (_, Level::Yolo)
        | (C::Edit | C::Task, Level::AcceptEdits) => Decision::Allow,
        // What is fetched can carry something out, in its address; it changes nothing.
        (C::Network, _) | (_, Level::Manual | Level::AcceptEdits) => Decision::Ask,
        (_, Level::Readonly) => Decision::Deny,
    }
}

/// Returns the most that a level and a mode let anybody allow: no rule and no answer lifts it.
pub fn ceiling(level: Level, mode: Mode, capability: Capability) -> Decision {
    let looks = matches!(
        capability,
        Capability::Read | Capability::Search | Capability::SafeShell | Capability::Network
    );
    let bounded = level == Level::Readonly || matches!(mode, Mode::Ask | Mode::Plan);
    if bounded && !looks { Decision::Deny } else { Decision::Allow }
}

#[cfg(test)]
mod tests {
    use super::*;

    use Decision::{Allow, Ask, Deny};

    const ALL: [Capability; 8] = [
        Capability::Read,
        Capability::Search,
        Capability::Network,
        Capability::Edit,
        Capability::SafeShell,
        Capability::RiskyShell,
        Capability::Task,
        Capability::Unknown,
    ];

    #[test]
    fn a_wider_level_never_decides_more_strictly() {
        let levels = [Level::Readonly, Level::Manual, Level::AcceptEdits, Level::Yolo];
        for capability in ALL {
            let decisions = levels.map(|level| default_decision(level, capability));
            assert!(
                decisions.is_sorted_by(|stricter, freer| stricter >= freer),
                "{capability:?}: {decisions:?}"
            );
        }
    }

    #[test]
    fn the_levels_say_what_kkcode_users_know() {
        let row = |capability| {
            [Level::Readonly, Level::Manual, Level::AcceptEdits, Level::Yolo]
                .map(|level| default_decision(level, capability))
        };
        assert_eq!(row(Capability::Read), [Allow; 4]);
        assert_eq!(row(Capability::SafeShell), [Allow; 4]);
        assert_eq!(row(Capability::RiskyShell), [Deny, Ask, Ask, Allow]);
        assert_eq!(row(Capability::Edit), [Deny, Ask, Allow, Allow]);
        assert_eq!(row(Capability::Task), [Deny, Ask, Allow, Allow]);
        assert_eq!(row(Capability::Unknown), [Deny, Ask, Ask, Allow]);
        assert_eq!(row(Capability::Network), [Ask, Ask, Ask, Allow]);
    }

    #[test]
    fn modes_that_only_talk_are_ceilings() {
        for mode in [Mode::Ask, Mode::Plan] {
            assert_eq!(ceiling(Level::Yolo, mode, Capability::Edit), Decision::Deny);
            assert_eq!(ceiling(Level::Yolo, mode, Capability::RiskyShell), Decision::Deny);
            assert_eq!(ceiling(Level::Yolo, mode, Capability::SafeShell), Decision::Allow);
        }
        assert_eq!(ceiling(Level::Manual, Mode::Agent, Capability::Edit), Decision::Allow);
    }
}
