//! What only the editor knows or can do: trust, secrets, saving.

use serde::{Deserialize, Serialize};

use crate::id::Uri;

/// Body of `kkcode/trust/didChange`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TrustDidChangeParams {
    /// The workspace folder.
    pub uri: Uri,
    /// Whether the user trusts it from now on.
    pub trusted: bool,
}

/// Parameters of `kkcode/secret/set`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretSetParams {
    /// The provider's name in the configuration.
    pub provider: String,
    /// The key; an empty one makes the server forget it. Kept in memory only, never logged or stored.
    pub key: String,
}

impl std::fmt::Debug for SecretSetParams {
    /// Leaves the key out, so that no log can hold it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretSetParams").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// Result of `kkcode/secret/set`: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecretSetResult {}

/// Parameters of `kkcode/document/save`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DocumentSaveParams {
    /// The document, whose buffer was clean before our edit.
    pub uri: Uri,
}

/// Result of `kkcode/document/save`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DocumentSaveResult {
    /// Whether the disk has the buffer's text now.
    pub saved: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_printed() {
        let params = SecretSetParams { provider: "anthropic".to_owned(), key: "sk-123".to_owned() };
        assert_eq!(format!("{params:?}"), r#"SecretSetParams { provider: "anthropic", .. }"#);
    }
}
