//! From the client's words to ours.

use kkcode_core::document::{ContentChange, DocumentUri};
use kkcode_core::event::Event;
use kkcode_core::text::{Position, TextRange};
use kkcode_core::turn::Level;
use kkcode_core::uri::{PathStyle, to_path};
use kkcode_protocol as protocol;
use serde::Deserialize;
use serde_json::Value;

use crate::capabilities::folder_path;

// The sync notifications are read with types of our own: `lsp_types` parses and rewrites the URI, and the client's own
// string is the document's name.

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DidOpen {
    text_document: Item,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    uri: String,
    #[serde(default)]
    language_id: String,
    #[serde(default)]
    version: i32,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DidChange {
    text_document: Identifier,
    content_changes: Vec<Change>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OnlyDocument {
    text_document: Identifier,
}

#[derive(Deserialize)]
struct Identifier {
    uri: String,
    #[serde(default)]
    version: i32,
}

#[derive(Deserialize)]
struct Change {
    #[serde(default)]
    range: Option<lsp_types::Range>,
    text: String,
}

/// Reads a notification of document sync or workspace folders; `Ok(None)` for any other.
pub(crate) fn sync_event(method: &str, params: Value) -> Result<Option<Event>, serde_json::Error> {
    Ok(Some(match method {
        "textDocument/didOpen" => {
            let Item { uri, language_id, version, text } = DidOpen::deserialize(params)?.text_document;
            let path = to_path(&uri, PathStyle::NATIVE);
            Event::DocumentOpened { uri: DocumentUri::new(uri), path, language_id, version, text }
        }
        "textDocument/didChange" => {
            let DidChange { text_document, content_changes } = DidChange::deserialize(params)?;
            let change = |change: Change| ContentChange { range: change.range.map(range), text: change.text };
            Event::DocumentChanged {
                uri: DocumentUri::new(text_document.uri),
                version: text_document.version,
                changes: content_changes.into_iter().map(change).collect(),
            }
        }
        "textDocument/didSave" => Event::DocumentSaved { uri: document(params)? },
        "textDocument/didClose" => Event::DocumentClosed { uri: document(params)? },
        "workspace/didChangeWorkspaceFolders" => {
            let paths = |key: &str| {
                let list = params.pointer(&format!("/event/{key}")).and_then(Value::as_array);
                list.into_iter().flatten().filter_map(folder_path).collect()
            };
            Event::FoldersChanged { added: paths("added"), removed: paths("removed") }
        }
        _ => return Ok(None),
    }))
}

fn document(params: Value) -> Result<DocumentUri, serde_json::Error> {
    Ok(DocumentUri::new(OnlyDocument::deserialize(params)?.text_document.uri))
}

/// A position of the protocol.
pub(crate) fn position(position: lsp_types::Position) -> Position {
    Position::new(position.line, position.character)
}

/// A range of the protocol.
pub(crate) fn range(range: lsp_types::Range) -> TextRange {
    TextRange::new(position(range.start), position(range.end))
}

/// A permission level of the protocol.
/// A range of our own messages.
pub(crate) fn own_range(range: &protocol::text::Range) -> TextRange {
    let position = |position: protocol::text::Position| Position::new(position.line, position.character);
    TextRange::new(position(range.start), position(range.end))
}

pub(crate) fn level(level: protocol::permission::Level) -> Level {
    match level {
        protocol::permission::Level::Readonly => Level::Readonly,
        protocol::permission::Level::Manual => Level::Manual,
        protocol::permission::Level::AcceptEdits => Level::AcceptEdits,
        protocol::permission::Level::Yolo => Level::Yolo,
    }
}
