//! How the agent works: the section `agent` of the configuration.

use serde::Deserialize;
use serde_json::Value;

/// How many requests one turn makes at most, if nothing else is said.
const MAX_STEPS: usize = 100;

/// What a model can hold of which nothing is known, in tokens.
const UNKNOWN_CONTEXT: u64 = 128_000;

/// Parts of models' names, and how many tokens those can hold at least, by their makers' documentation.
const KNOWN_CONTEXTS: [(&str, u64); 10] = [
    ("claude-sonnet-5", 1_000_000),
    ("claude-opus-5", 1_000_000),
    ("gpt-6", 922_000),
    ("claude", 200_000),
    ("gpt-4.1", 1_000_000),
    ("gpt-4", 128_000),
    ("gpt-5", 400_000),
    ("gemini", 1_000_000),
    ("deepseek", 128_000),
    ("o4-mini", 200_000),
];

/// Returns how many tokens a model of this name can hold.
pub(super) fn known_context(model: &str) -> u64 {
    let known = KNOWN_CONTEXTS.iter().find(|(name, _)| model.contains(name));
    known.map_or(UNKNOWN_CONTEXT, |(_, context)| *context)
}

/// The section `agent`. Members that are not known say nothing, as in all of kkcode's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct AgentConfig {
    /// How many requests one turn makes at most; at least 1.
    pub(crate) max_steps: usize,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self { max_steps: MAX_STEPS }
    }
}

impl AgentConfig {
    /// Reads the section; says what is wrong with it.
    pub(super) fn read(section: Option<&Value>) -> Result<Self, String> {
        let section = section.filter(|section| !section.is_null());
        let config =
            section.map(Self::deserialize).transpose().map_err(|e| format!("`agent` is not right: {e}"))?;
        match config.unwrap_or_default() {
            Self { max_steps: 0 } => Err("`agent.max_steps` is 0; a turn needs at least 1".to_owned()),
            config => Ok(config),
        }
    }
}
