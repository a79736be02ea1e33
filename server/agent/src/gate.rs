//! The gate: every tool call passes here before it does anything.

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
