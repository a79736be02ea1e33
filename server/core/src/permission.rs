//! What an agent may do: decisions in order of strictness.

use serde::{Deserialize, Serialize};

pub mod capability;
pub mod characters;
pub mod engine;
pub mod glob;
pub mod ground;
pub mod heard;
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
