//! Models of the configured providers.

use serde::{Deserialize, Serialize};

use crate::id::ModelName;

/// A model that can be selected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ModelInfo {
    /// Its name with its provider's, `provider/model`.
    pub model: ModelName,
    /// Its provider's name in the configuration.
    pub provider: String,
    /// How many tokens a conversation may have, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
    /// Why it cannot be used at the moment and what to do about it, such as a missing key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<String>,
}

/// Argument of `kkcode.model.list`: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ModelListParams {}

/// Answer to `kkcode.model.list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ModelListResult {
    /// The models, as the configuration and the providers name them, provider by provider.
    pub models: Vec<ModelInfo>,
    /// The one of the turns and tasks to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected: Option<ModelName>,
}

/// Argument of `kkcode.model.select`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelSelectParams {
    /// The model, `provider/model`; a model without provider is one of the default provider.
    pub model: ModelName,
}

/// Answer to `kkcode.model.select`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ModelSelectResult {
    /// The selected model, with its provider.
    pub model: ModelName,
}
