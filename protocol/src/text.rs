//! Places in documents, identical to the Language Server Protocol's on the wire, and lines of a hunk.

use serde::{Deserialize, Serialize};

use crate::id::Uri;

/// A place in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// Line, from 0.
    pub line: u32,
    /// Offset in the line, from 0, in code units of the negotiated position encoding; a byte order mark does not count.
    pub character: u32,
}

/// A part of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Range {
    /// Where it begins.
    pub start: Position,
    /// Where it ends; this place is no longer part of it.
    pub end: Position,
}

/// A document, and the version of it that a request is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DocumentIdentifier {
    /// Its address.
    pub uri: Uri,
    /// Its version, as `textDocument/didChange` counts; with it, a request for another version is refused (-32801).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
}

/// A document, or a part of one, that the agent gets to see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContextItem {
    /// The document's address.
    pub uri: Uri,
    /// The part; the whole document when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
}

/// A diagnostic that the editor has from any server, and its document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContextDiagnostic {
    /// The document's address.
    pub uri: Uri,
    /// The diagnostic.
    pub diagnostic: Diagnostic,
}

/// The part of the Language Server Protocol's `Diagnostic` that the agent gets to see; other members are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// Where.
    pub range: Range,
    /// 1 error, 2 warning, 3 information, 4 hint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<u8>,
    /// Its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<DiagnosticCode>,
    /// The tool that found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What is wrong.
    pub message: String,
}

/// A diagnostic's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum DiagnosticCode {
    /// Such as `2322`.
    Number(i64),
    /// Such as `unused_variables`.
    Text(String),
}

/// Some lines of a hunk: old ones to take out, new ones to put in; a side that is left out gives no line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineSelector {
    /// Lines of the hunk's `oldText`: from the first, up to but without the second, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<[u32; 2]>,
    /// Lines of the hunk's `newText`, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<[u32; 2]>,
}
