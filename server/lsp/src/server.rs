//! What the server does with each message of the editor.

use std::process::ExitCode;
use std::sync::Arc;

use lsp_types::{
    ExecuteCommandParams, InitializeParams, InitializeResult, PositionEncodingKind, SaveOptions,
    ServerCapabilities, ServerInfo, TextDocumentSyncCapability, TextDocumentSyncKind,
    TextDocumentSyncOptions,
};
use serde_json::Value;
use tokio::sync::watch;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::{LanguageServer, LspService};

use crate::client::Client;
use crate::{connection, lifecycle};

/// The language server of one editor; clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Server;

/// Serves the client on stdin and stdout until it, or its process, is done.
pub(crate) fn run(client_process: Option<u32>) -> ExitCode {
    lifecycle::run(async move {
        let (client, writer) = Client::new();
        let server = Server;
        let (service, _) = LspService::new(|_| server.clone());
        let (sender, process) = watch::channel(client_process);
        let serving =
            connection::serve(tokio::io::stdin(), service, client.clone(), Arc::new(server), sender);
        let reader = tokio::spawn(serving);
        let writer = tokio::spawn(writer.run(tokio::io::stdout()));
        lifecycle::supervise(reader, writer, client, process, async {}).await
    })
}

impl connection::Hooks for Server {
    fn initialize_params(&self, _: &Value) {}

    fn notification(&self, _: &str, _: Value) {}

    fn patch_response(&self, _: &str, _: &mut Value) {}
}

#[tower_lsp::async_trait]
impl LanguageServer for Server {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        Ok(InitializeResult {
            capabilities: ServerCapabilities {
                position_encoding: Some(position_encoding(&params)),
                text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
                    open_close: Some(true),
                    change: Some(TextDocumentSyncKind::INCREMENTAL),
                    save: Some(SaveOptions { include_text: Some(false) }.into()),
                    ..TextDocumentSyncOptions::default()
                })),
                ..ServerCapabilities::default()
            },
            server_info: Some(ServerInfo {
                name: "kkcode-lsp".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        })
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<Value>> {
        Err(Error::invalid_params(format!("unknown command: {}", params.command)))
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }
}

/// Returns the first encoding that the client lists and we have; without a list it is UTF-16.
fn position_encoding(params: &InitializeParams) -> PositionEncodingKind {
    let known = [PositionEncodingKind::UTF8, PositionEncodingKind::UTF16, PositionEncodingKind::UTF32];
    let general = params.capabilities.general.as_ref();
    let mut offered = general.and_then(|general| general.position_encodings.as_ref()).into_iter().flatten();
    offered.find(|encoding| known.contains(encoding)).cloned().unwrap_or(PositionEncodingKind::UTF16)
}
