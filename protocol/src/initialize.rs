//! What client and server tell each other in the `initialize` request besides the Language Server Protocol's own.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of this protocol; grows only when a change is no mere addition.
pub const PROTOCOL_VERSION: u32 = 1;

/// The name in the initialize result's `serverInfo`.
pub const SERVER_NAME: &str = "kkcode-lsp";

/// What a client may give as `initializationOptions`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct InitializationOptions {
    /// Configuration in the shape of `config.yaml`; counts as the user's own, so a client puts nothing in it that a
    /// workspace can set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Map<String, Value>>,
    /// Whether the user trusts the workspace: `false` always wins, `true` is honoured only from a client with
    /// `experimental.kkcode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted: Option<bool>,
    /// An absolute path to use as kkcode's home instead of `$KKCODE_HOME` or `~/.kkcode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
}

/// The `experimental` part of the capabilities of both sides.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExperimentalCapabilities {
    /// Given by a client that knows our notifications, and always by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kkcode: Option<KkcodeCapability>,
}

/// Which version of this protocol one side speaks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct KkcodeCapability {
    /// `1`.
    pub protocol_version: u32,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn foreign_options_and_capabilities_are_passed_over() {
        let options: InitializationOptions =
            serde_json::from_value(json!({ "trusted": false, "somethingElse": 1 })).unwrap();
        assert_eq!(options, InitializationOptions { trusted: Some(false), ..Default::default() });

        let capabilities: ExperimentalCapabilities =
            serde_json::from_value(json!({ "kkcode": { "protocolVersion": 1 }, "localDocs": true })).unwrap();
        assert_eq!(capabilities.kkcode.unwrap().protocol_version, PROTOCOL_VERSION);
    }
}
