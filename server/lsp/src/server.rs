//! What the server does with each message of the editor: convert, hand on, convert back.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kkcode_protocol::commands::COMMANDS;
use kkcode_protocol::initialize::{PROTOCOL_VERSION, SERVER_NAME};
use lsp_types::{
    CodeAction, CodeActionOptions, CodeActionParams, CodeActionProviderCapability, CodeActionResponse,
    ExecuteCommandOptions, ExecuteCommandParams, InitializeParams, InitializeResult, InitializedParams,
    OneOf, PositionEncodingKind, SaveOptions, ServerCapabilities, ServerInfo, TextDocumentSyncCapability,
    TextDocumentSyncKind, TextDocumentSyncOptions, WorkspaceFoldersServerCapabilities,
    WorkspaceServerCapabilities,
};
use serde_json::{Value, json};
use tokio::sync::watch;
use tower_lsp::jsonrpc::Result;
use tower_lsp::{LanguageServer, LspService};

use crate::capabilities::{ClientCapabilities, encoding_name};
use crate::client::Client;
use crate::session::Session;
use crate::{code_actions, commands, connection, error, from_proto, lifecycle};

/// How long the end of the process waits for what is still to be written down.
const STOP_PATIENCE: Duration = Duration::from_millis(300);

/// The language server of one editor; clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    editor: Client,
    /// What the client can do, once it has said so.
    client: Arc<OnceLock<ClientCapabilities>>,
    session: Arc<OnceLock<Arc<Session>>>,
}

/// Serves the client on stdin and stdout until it, or its process, is done.
pub(crate) fn run(client_process: Option<u32>) -> ExitCode {
    lifecycle::run(async move {
        let (client, writer) = Client::new();
        let server = Server { editor: client.clone(), client: Arc::default(), session: Arc::default() };
        let (service, _) = LspService::new(|_| server.clone());
        let (sender, process) = watch::channel(client_process);
        let hooks = Arc::new(server.clone());
        let editor = client.clone();
        let reader = lifecycle::thread("reader", move || {
            connection::serve(std::io::stdin(), service, editor, hooks, sender)
        });
        let writer = lifecycle::thread("writer", move || writer.run(std::io::stdout()));
        lifecycle::supervise(reader, writer, client, process, async move {
            if let Some(session) = server.session.get() {
                session.stop(STOP_PATIENCE).await;
            }
        })
        .await
    })
}

impl Server {
    fn session(&self) -> Result<Arc<Session>> {
        let session = self.session.get().ok_or_else(|| error::failed("the server is not initialized"))?;
        Ok(Arc::clone(session))
    }
}

impl connection::Hooks for Server {
    fn initialize_params(&self, params: &Value) {
        // A second `initialize` is refused, and changes nothing.
        self.client.get_or_init(|| ClientCapabilities::read(params));
    }

    fn notification(&self, method: &str, params: Value) {
        let Some(session) = self.session.get() else { return };
        if method == "textDocument/didOpen"
            && let Some(uri) = params.pointer("/textDocument/uri").and_then(Value::as_str)
        {
            session.note_spelling(uri);
        }
        match from_proto::sync_event(method, params) {
            Ok(Some(event)) => session.handle().send(event),
            Ok(None) => tracing::debug!(method, "a notification that nothing is done about"),
            Err(error) => tracing::warn!(method, %error, "a notification that cannot be read"),
        }
    }

    fn patch_response(&self, method: &str, result: &mut Value) {
        if method != "initialize"
            && let Some(session) = self.session.get()
        {
            session.respell(result);
        }
    }
}

#[tower_lsp::async_trait]
impl LanguageServer for Server {
    async fn initialize(&self, _: InitializeParams) -> Result<InitializeResult> {
        let client = self.client.get().cloned().unwrap_or_default();
        let encoding = encoding_name(client.encoding);
        self.session.get_or_init(|| Session::start(client, self.editor.clone()));
        Ok(InitializeResult { capabilities: capabilities(encoding), server_info: Some(server_info()) })
    }

    async fn initialized(&self, _: InitializedParams) {
        if let Ok(session) = self.session() {
            // The first use reads the store; before this the client waited for our answer.
            session.handle();
        }
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<Value>> {
        commands::execute(self.session()?, params).await
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        code_actions::at(self.session()?, params).await.map(Some)
    }

    async fn code_action_resolve(&self, action: CodeAction) -> Result<CodeAction> {
        code_actions::resolve(self.session()?, action).await
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }
}

fn server_info() -> ServerInfo {
    ServerInfo { name: SERVER_NAME.to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) }
}

fn capabilities(encoding: &'static str) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(PositionEncodingKind::new(encoding)),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(SaveOptions { include_text: Some(false) }.into()),
            ..TextDocumentSyncOptions::default()
        })),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![code_actions::KIND]),
            resolve_provider: Some(true),
            ..CodeActionOptions::default()
        })),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: COMMANDS.iter().map(|command| command.name.to_owned()).collect(),
            ..ExecuteCommandOptions::default()
        }),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            ..WorkspaceServerCapabilities::default()
        }),
        experimental: Some(json!({"kkcode": {"protocolVersion": PROTOCOL_VERSION}})),
        ..ServerCapabilities::default()
    }
}
