//! What the client can do, read from its raw `initialize` params: one table for everything that has a fallback.
//!
//! | it lacks | so |
//! |---|---|
//! | `experimental.kkcode` | hunks are diagnostics too, and what our notifications say are messages |
//! | `codeActionLiteralSupport` | actions are bare commands |
//! | `resolveSupport` for `edit` | *Accept hunk* and *Accept file* are commands, which send `workspace/applyEdit` |
//! | `documentChanges` | edits are `changes`, made for a version that was checked a moment ago |
//! | `applyEdit` | a command that needs it is refused by a message that names the code action |
//! | `disabledSupport` | a stale hunk has no action |
//! | Markdown in hovers | plain text |
//! | `codeLens.refreshSupport` | lenses are as old as the client's last request |
//! | `workspace.configuration` | changed settings must come with their notification |
//! | `showDocument`, or it is Helix | a message names the place; of a reply, its document |
//! | `workDoneProgress` | what turns do is logged |
//! | `textDocumentContent` | a difference is shown by hovers |
//! | `resourceOperations` | files that are open are deleted and renamed on the disk |
//! | `versionSupport` of diagnostics | they have no version |

use std::path::{Path, PathBuf};

use kkcode_core::event::FileOperations;
use kkcode_core::text::PositionEncoding;
use kkcode_core::uri::{PathStyle, to_path};
use kkcode_protocol::initialize::InitializationOptions;
use serde_json::Value;

/// The client, as far as we act on it.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one capability that the client has or lacks")]
pub(crate) struct ClientCapabilities {
    /// The first of the client's encodings that we have, else UTF-16.
    pub(crate) encoding: PositionEncoding,
    /// Its name.
    pub(crate) name: Option<String>,
    /// It knows our notifications.
    pub(crate) kkcode: bool,
    /// It takes `documentChanges`, and heeds their versions.
    pub(crate) document_changes: bool,
    /// What it does to whole files, when a `WorkspaceEdit` says so.
    pub(crate) operations: FileOperations,
    /// It takes `workspace/applyEdit`.
    pub(crate) apply_edit: bool,
    /// It takes code actions as literals, not as commands only.
    pub(crate) code_action_literals: bool,
    /// It asks for the `edit` of a code action when it needs it.
    pub(crate) resolve_edit: bool,
    /// It shows actions that cannot be taken, and why.
    pub(crate) disabled_actions: bool,
    /// It knows the tag of actions that bring in text of a model.
    pub(crate) llm_tag: bool,
    /// It reads Markdown in hovers, and likes it best.
    pub(crate) hover_markdown: bool,
    /// It asks again for code lenses when it is told to.
    pub(crate) lens_refresh: bool,
    /// It takes the user to a document.
    pub(crate) show_document: bool,
    /// It shows a document in the place of the one that the user is in, whatever it is told.
    pub(crate) replaces_documents: bool,
    /// It shows progress that the server begins.
    pub(crate) work_done_progress: bool,
    /// It asks for the text of virtual documents by LSP 3.18.
    pub(crate) virtual_documents: bool,
    /// It says what its settings are when it is asked.
    pub(crate) configuration: bool,
    /// It drops diagnostics of another version than its text has.
    pub(crate) diagnostic_versions: bool,
    /// It gives back the `data` of a diagnostic.
    pub(crate) diagnostic_data: bool,
    /// Its workspace folders, those that are on the disk.
    pub(crate) folders: Vec<PathBuf>,
    /// What it was configured to tell us.
    pub(crate) options: InitializationOptions,
}

impl ClientCapabilities {
    /// Reads the `initialize` params. What is missing or of the wrong type is not there.
    pub(crate) fn read(params: &Value) -> Self {
        let has =
            |pointer: &str| params.pointer(&format!("/capabilities{pointer}")) == Some(&Value::Bool(true));
        let there = |pointer: &str| {
            params.pointer(&format!("/capabilities{pointer}")).is_some_and(|value| !value.is_null())
        };
        let name = params.pointer("/clientInfo/name").and_then(Value::as_str);
        let strings = |pointer: &str| {
            let list = params.pointer(&format!("/capabilities{pointer}")).and_then(Value::as_array);
            list.into_iter().flatten().filter_map(Value::as_str)
        };
        let mut encodings = strings("/general/positionEncodings").filter_map(encoding);
        let mut resolved = strings("/textDocument/codeAction/resolveSupport/properties");
        Self {
            encoding: encodings.next().unwrap_or_default(),
            name: name.map(str::to_owned),
            kkcode: there("/experimental/kkcode"),
            // Neovim heeds versions and does not say so.
            document_changes: has("/workspace/workspaceEdit/documentChanges") || name == Some("Neovim"),
            operations: FileOperations {
                delete: strings("/workspace/workspaceEdit/resourceOperations").any(|kind| kind == "delete"),
                rename: strings("/workspace/workspaceEdit/resourceOperations").any(|kind| kind == "rename"),
            },
            apply_edit: has("/workspace/applyEdit"),
            code_action_literals: there("/textDocument/codeAction/codeActionLiteralSupport"),
            resolve_edit: has("/textDocument/codeAction/dataSupport")
                && resolved.any(|property| property == "edit"),
            disabled_actions: has("/textDocument/codeAction/disabledSupport"),
            llm_tag: params
                .pointer("/capabilities/textDocument/codeAction/tagSupport/valueSet")
                .and_then(Value::as_array)
                .is_some_and(|tags| tags.contains(&Value::from(1))),
            hover_markdown: strings("/textDocument/hover/contentFormat").next() == Some("markdown"),
            lens_refresh: has("/workspace/codeLens/refreshSupport"),
            show_document: has("/window/showDocument/support"),
            // Neovim opens a window of its own when `takeFocus` is false, and does as Helix does when it is missing.
            replaces_documents: name == Some("helix"),
            work_done_progress: has("/window/workDoneProgress"),
            virtual_documents: there("/workspace/textDocumentContent"),
            configuration: has("/workspace/configuration"),
            diagnostic_versions: has("/textDocument/publishDiagnostics/versionSupport"),
            diagnostic_data: has("/textDocument/publishDiagnostics/dataSupport"),
            folders: folders(params),
            options: params
                .get("initializationOptions")
                .and_then(|options| serde_json::from_value(options.clone()).ok())
                .unwrap_or_default(),
        }
    }
}

/// Returns the encoding's name in the protocol.
pub(crate) fn encoding_name(encoding: PositionEncoding) -> &'static str {
    match encoding {
        PositionEncoding::Utf8 => "utf-8",
        PositionEncoding::Utf16 => "utf-16",
        PositionEncoding::Utf32 => "utf-32",
    }
}

fn encoding(name: &str) -> Option<PositionEncoding> {
    [PositionEncoding::Utf8, PositionEncoding::Utf16, PositionEncoding::Utf32]
        .into_iter()
        .find(|encoding| encoding_name(*encoding) == name)
}

/// Returns the workspace folders; an old client's root where there are none.
fn folders(params: &Value) -> Vec<PathBuf> {
    let listed =
        params.get("workspaceFolders").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let paths: Vec<PathBuf> = listed.iter().filter_map(folder_path).collect();
    if !paths.is_empty() {
        return paths;
    }
    let root_uri =
        params.get("rootUri").and_then(Value::as_str).and_then(|uri| to_path(uri, PathStyle::NATIVE));
    let root_path = || {
        params.get("rootPath").and_then(Value::as_str).map(PathBuf::from).filter(|path| path.is_absolute())
    };
    // Helix without a project names the file system's root; that is no workspace.
    root_uri
        .or_else(root_path)
        .filter(|root| root.parent().is_some())
        .map(|root| without_slash(&root))
        .into_iter()
        .collect()
}

/// Returns the path of a `WorkspaceFolder`.
pub(crate) fn folder_path(folder: &Value) -> Option<PathBuf> {
    to_path(folder.get("uri")?.as_str()?, PathStyle::NATIVE).map(|path| without_slash(&path))
}

fn without_slash(path: &Path) -> PathBuf {
    path.components().collect()
}

#[cfg(test)]
mod tests;
