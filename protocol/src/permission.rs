//! Permissions: levels, prompts and their answers, learned rules.

use serde::{Deserialize, Serialize};

use crate::id::{PromptId, RuleId, Timestamp, Uri};
use crate::outcome::Origin;

/// What the agent may do unasked, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Reads and searches; no rule can allow more.
    Readonly,
    /// Reads and searches; edits become pending hunks, all else is asked.
    Manual,
    /// Edits apply at once and are reviewed after; risky commands are asked.
    AcceptEdits,
    /// Everything but what a rule denies and what touches protected paths.
    Yolo,
}

/// What a rule, or all of them together, say; the strictest wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Done unasked.
    Allow,
    /// The user is asked.
    Ask,
    /// Not done.
    Deny,
}

/// An answer to a permission prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PermissionAnswer {
    /// This once.
    AllowOnce,
    /// This once, with the session's pending edits let into their files before.
    ApplyFirst,
    /// Exactly this, until the session ends.
    AllowSession,
    /// From now on, as a learned rule.
    AllowAlways,
    /// No.
    Deny,
}

/// One of the answers that a prompt offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionOption {
    /// The answer.
    pub answer: PermissionAnswer,
    /// What to show for it; for `allow_always` it names what the rule will cover.
    pub title: String,
}

/// A prompt: what the agent wants to do, and the answers to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionPrompt {
    /// The prompt.
    pub prompt_id: PromptId,
    /// What is asked, in one line.
    pub title: String,
    /// Exactly what an approval covers, such as the whole command, and why it is asked.
    pub detail: String,
    /// The whole command line that would be run, byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The change that is asked about, as a unified diff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// The answers, in the order to show them.
    pub options: Vec<PermissionOption>,
    /// The tool that wants it.
    pub tool: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Body of `kkcode/permission/didAsk`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionDidAskParams {
    /// Number of the event.
    pub seq: u64,
    /// What is asked.
    #[serde(flatten)]
    pub prompt: PermissionPrompt,
}

/// Body of `kkcode/permission/didResolve`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionDidResolveParams {
    /// Number of the event.
    pub seq: u64,
    /// What was answered.
    #[serde(flatten)]
    pub resolution: PermissionResolution,
}

/// A prompt that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionResolution {
    /// The prompt.
    pub prompt_id: PromptId,
    /// The answer that counts.
    pub answer: PermissionAnswer,
    /// Who gave it: the name of an editor (its `clientInfo.name`), `cli`, `rule` for a rule or level that came
    /// meanwhile, `cancel` when the turn or task ended.
    pub by: String,
}

/// Argument of `kkcode.permission.answer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PermissionAnswerParams {
    /// The prompt.
    pub prompt_id: PromptId,
    /// The answer.
    pub answer: PermissionAnswer,
    /// What the agent is told with the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feedback: Option<String>,
}

/// Answer to `kkcode.permission.answer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionAnswerResult {
    /// Whether this answer counts; `false` when another came first.
    pub accepted: bool,
}

/// A rule that an `allow_always` made; it holds what was shown when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionRule {
    /// The rule.
    pub rule_id: RuleId,
    /// What it says.
    pub action: Decision,
    /// The tool it is about.
    pub tool: String,
    /// What the command has to begin with, word by word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_prefix: Option<String>,
    /// Patterns that the paths have to match; all paths when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub file_patterns: Vec<String>,
    /// The workspace folder it holds in; everywhere when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_uri: Option<Uri>,
    /// What stands in another agent's settings file of that folder, to which the user agreed or, with `ask`, did not; it
    /// goes when the file changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Argument of `kkcode.permission.list`: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PermissionListParams {}

/// Answer to `kkcode.permission.list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionListResult {
    /// The level in force.
    pub level: Level,
    /// The learned rules, oldest first.
    pub rules: Vec<PermissionRule>,
    /// The prompts that wait for an answer, oldest first.
    pub prompts: Vec<PermissionPrompt>,
}

/// Argument of `kkcode.permission.forget`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PermissionForgetParams {
    /// The rule.
    pub rule_id: RuleId,
}

/// Answer to `kkcode.permission.forget`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionForgetResult {
    /// Whether the rule is gone by this command; `false` when it was gone before.
    pub forgotten: bool,
}

/// Argument of `kkcode.permission.setLevel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PermissionSetLevelParams {
    /// The level of this editor's turns and tasks from now on, until its server ends.
    pub level: Level,
}

/// Answer to `kkcode.permission.setLevel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PermissionSetLevelResult {
    /// The level in force, which may be stricter than the one asked for where the workspace is not trusted.
    pub level: Level,
}
