//! The commands of turns.

use std::sync::Arc;

use kkcode_agent::runtime::NewTurn;
use kkcode_core::effect::Reply;
use kkcode_core::event::Command;
use kkcode_core::id::{SessionId, TurnId};
use kkcode_core::turn::{self, Excerpt, ExcerptRole};
use kkcode_core::uri::{PathStyle, to_path};
use kkcode_protocol::text::{Diagnostic, DiagnosticCode, Range};
use kkcode_protocol::turn::{
    Mode, TurnCancelParams, TurnCancelResult, TurnShowParams, TurnShowResult, TurnStartParams,
    TurnStartResult,
};
use tower_lsp::jsonrpc::Result;

use crate::session::Session;
use crate::{error, from_proto, to_proto};

pub(super) async fn start(session: Arc<Session>, params: TurnStartParams) -> Result<TurnStartResult> {
    let turn = new_turn(&params)?;
    if let Some(document) = &params.text_document
        && let Some(version) = document.version
    {
        let snapshot = session.snapshot().await?;
        let open = snapshot.documents.iter().find(|open| open.uri.as_str() == document.uri);
        if open.is_some_and(|open| open.version != version) {
            return Err(error::content_modified(format!(
                "`{}` is not at version {version} any more",
                document.uri
            )));
        }
    }
    let (turn, session) = session.start_turn(turn).await?;
    Ok(TurnStartResult { turn_id: turn.to_string(), session_id: session.to_string() })
}

pub(super) async fn cancel(session: Arc<Session>, params: TurnCancelParams) -> Result<TurnCancelResult> {
    let turn = TurnId::new(params.turn_id);
    match session.request(Command::CancelTurn { turn }).await? {
        Reply::TurnCancelled(cancelled) => Ok(TurnCancelResult { cancelled }),
        reply => Err(error::internal(&format!("a cancel was answered by {reply:?}"))),
    }
}

pub(super) async fn show(session: Arc<Session>, params: TurnShowParams) -> Result<TurnShowResult> {
    let snapshot = session.snapshot().await?;
    let id = TurnId::new(params.turn_id);
    let old;
    let turn = if let Some(turn) = snapshot.turns.get(&id) {
        turn
    } else {
        old = session.handle().turn(id).await.map_err(|refusal| error::refusal(&refusal))?;
        &old
    };
    let (so_far, retrying) = (session.said_so_far(&turn.id), session.retrying(&turn.id));
    let retrying = retrying.filter(|_| turn.status == turn::TurnStatus::Running);
    Ok(to_proto::turn(turn, snapshot.is_waiting(&turn.id), so_far, retrying.as_ref()))
}

/// Reads what a turn is to be; refuses what this version cannot do, rather than do something else.
fn new_turn(params: &TurnStartParams) -> Result<NewTurn> {
    if params.prompt.trim().is_empty() {
        return Err(error::invalid_params("the prompt is empty"));
    }
    let mode = match params.mode.unwrap_or_default() {
        Mode::Agent => turn::Mode::Agent,
        Mode::Ask => turn::Mode::Ask,
        Mode::Plan => turn::Mode::Plan,
        Mode::Longagent => {
            return Err(error::failed("mode `longagent` is not there yet; a later version has it"));
        }
    };
    Ok(NewTurn {
        prompt: params.prompt.clone(),
        session: params.session_id.clone().map(SessionId::new),
        model: params.model.clone(),
        level: params.level.map(from_proto::level),
        mode,
        excerpts: excerpts(params),
        proposes_only: false,
        comments: Vec::new(),
    })
}

/// Returns what the user is looking at; the texts of open documents are added where the turn begins.
fn excerpts(params: &TurnStartParams) -> Vec<Excerpt> {
    let excerpt = |role, uri: &str, range: Option<&Range>| Excerpt {
        role,
        uri: uri.to_owned(),
        path: to_path(uri, PathStyle::NATIVE),
        range: range.map(from_proto::own_range),
        text: None,
    };
    let document = params
        .text_document
        .iter()
        .map(|document| excerpt(ExcerptRole::Document, &document.uri, params.range.as_ref()));
    let context =
        params.context.iter().map(|item| excerpt(ExcerptRole::Context, &item.uri, item.range.as_ref()));
    let diagnostics = params.diagnostics.iter().map(|item| {
        let role = ExcerptRole::Diagnostic(described(&item.diagnostic));
        excerpt(role, &item.uri, Some(&item.diagnostic.range))
    });
    document.chain(context).chain(diagnostics).collect()
}

/// Returns what a diagnostic says, on its first line by whom and how bad it is.
fn described(diagnostic: &Diagnostic) -> String {
    let severity = match diagnostic.severity {
        Some(2) => "warning",
        Some(3) => "information",
        Some(4) => "hint",
        _ => "error",
    };
    let code = match &diagnostic.code {
        Some(DiagnosticCode::Number(number)) => format!(" [{number}]"),
        Some(DiagnosticCode::Text(text)) => format!(" [{text}]"),
        None => String::new(),
    };
    let source = diagnostic.source.as_ref().map(|source| format!(" of {source}")).unwrap_or_default();
    format!("{severity}{code}{source}: {}", diagnostic.message)
}
