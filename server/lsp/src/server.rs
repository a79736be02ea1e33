//! What the server does with each message of the editor: convert, hand on, convert back.

use std::future::{Ready, ready};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kkcode_protocol::commands::COMMANDS;
use kkcode_protocol::editor::{SecretSetParams, SecretSetResult};
use kkcode_protocol::events::{EventsSinceParams, EventsSinceResult};
use kkcode_protocol::initialize::{PROTOCOL_VERSION, SERVER_NAME};
use kkcode_protocol::message::{Notification as _, Request as _};
use kkcode_protocol::notifications::TrustDidChange;
use kkcode_protocol::proposal::{ProposalContentParams, ProposalContentResult};
use kkcode_protocol::requests::{EventsSince, ProposalContent, SecretSet};
use lsp_types::{
    CodeAction, CodeActionOptions, CodeActionParams, CodeActionProviderCapability, CodeActionResponse,
    CodeLens, CodeLensOptions, CodeLensParams, ExecuteCommandOptions, ExecuteCommandParams, Hover,
    HoverParams, HoverProviderCapability, InitializeParams, InitializeResult, InitializedParams, OneOf,
    PositionEncodingKind, SaveOptions, ServerCapabilities, ServerInfo, TextDocumentSyncCapability,
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
use crate::{
    code_actions, code_lens, commands, connection, error, events, from_proto, hover, lifecycle, progress,
    settings, trust, virtual_documents,
};

/// How long the end of the process waits for what is still to be written down.
const STOP_PATIENCE: Duration = Duration::from_millis(200);

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
        let (service, _) = LspService::build(|_| server.clone())
            .custom_method(ProposalContent::NAME, Server::content)
            .custom_method(SecretSet::NAME, Server::set_secret)
            .custom_method(virtual_documents::CONTENT, Server::content)
            .custom_method(EventsSince::NAME, Server::events_since)
            .finish();
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

    async fn events_since(&self, params: EventsSinceParams) -> Result<EventsSinceResult> {
        events::since(&*self.session()?, params).await
    }

    async fn content(&self, params: ProposalContentParams) -> Result<ProposalContentResult> {
        virtual_documents::content(&*self.session()?, params).await
    }

    fn set_secret(&self, params: SecretSetParams) -> Ready<Result<SecretSetResult>> {
        ready(self.session().and_then(|session| commands::set_secret(&session, params)))
    }
}

impl connection::Hooks for Server {
    fn initialize_params(&self, params: &Value) {
        // A second `initialize` is refused, and changes nothing.
        self.client.get_or_init(|| ClientCapabilities::read(params));
    }

    fn notification(&self, method: &str, params: Value) {
        let Some(session) = self.session.get() else { return };
        if method == "window/workDoneProgress/cancel" {
            if let Some(work) = progress::cancelled(&params) {
                commands::cancel(session, work);
            }
            return;
        }
        let opened = (method == "textDocument/didOpen")
            .then(|| params.pointer("/textDocument/uri").and_then(Value::as_str).map(str::to_owned))
            .flatten();
        if let Some(uri) = &opened {
            session.note_spelling(uri);
        }
        match method {
            "workspace/didChangeConfiguration" => settings::changed(session, &params),
            TrustDidChange::NAME => trust::changed(session, &params),
            "textDocument/didSave" => settings::saved(session, &params),
            _ => {}
        }
        match from_proto::sync_event(method, params) {
            Ok(Some(event)) => {
                session.handle().send(event);
                session.surface().note_changed();
                if let Some(uri) = opened.filter(|_| !session.client().kkcode) {
                    session.surface().note_opened(&uri);
                }
            }
            Ok(None) => tracing::debug!(method, "a notification that nothing is done about"),
            Err(error) => tracing::warn!(method, %error, "a notification that cannot be read"),
        }
    }

    fn patch_response(&self, method: &str, result: &mut Value) {
        let Some(session) = self.session.get() else { return };
        match method {
            // `lsp_types` knows neither of LSP 3.18.
            "initialize" if session.client().virtual_documents => {
                let schemes = virtual_documents::schemes();
                if let Some(Value::Object(workspace)) = result.pointer_mut("/capabilities/workspace") {
                    workspace.insert("textDocumentContent".to_owned(), json!({"schemes": schemes}));
                }
            }
            "initialize" => {}
            "textDocument/codeAction" | "codeAction/resolve" if session.client().llm_tag => {
                session.respell(result);
                code_actions::add_tags(result);
            }
            _ => session.respell(result),
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

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        code_lens::of(self.session()?, params).await.map(Some)
    }

    async fn code_lens_resolve(&self, lens: CodeLens) -> Result<CodeLens> {
        code_lens::resolve(self.session()?, lens).await
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        hover::at(self.session()?, params).await
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
            code_action_kinds: Some(code_actions::kinds()),
            resolve_provider: Some(true),
            ..CodeActionOptions::default()
        })),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: Some(true) }),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
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
