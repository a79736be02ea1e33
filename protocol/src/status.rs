//! How things stand, for a status line.

use serde::{Deserialize, Serialize};

use crate::id::ModelName;
use crate::outcome::Usage;
use crate::permission::Level;

/// Argument of `kkcode.status`: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StatusParams {}

/// Answer to `kkcode.status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct StatusResult {
    /// The server's version.
    pub version: String,
    /// The version of this protocol.
    pub protocol_version: u32,
    /// The permission level in force.
    pub level: Level,
    /// The model of the turns and tasks to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// Its provider's name in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Whether the user trusts all folders of the workspace.
    pub trusted: bool,
    /// How many turns are running or waiting in this editor.
    pub turns: u32,
    /// The tasks of this workspace that have not ended.
    pub tasks: TaskCounts,
    /// How many hunks of this workspace's open proposals wait for a decision, stale ones included.
    pub pending_hunks: u32,
    /// What the model requests of this server have counted since it started.
    pub usage: Usage,
    /// What all model requests with this home have counted today (UTC), which is what the budget of a day goes by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_today: Option<Usage>,
    /// How commands of agents are bounded on this machine, in a few words, or `not sandboxed`; absent until that has been tried
    /// out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
}

/// How many tasks there are of each status that is no end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TaskCounts {
    /// Waiting for a free worker.
    pub pending: u32,
    /// In a worker's hands.
    pub running: u32,
    /// Waiting for an answer.
    pub waiting: u32,
}
