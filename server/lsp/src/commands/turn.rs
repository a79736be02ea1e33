//! The commands of turns.

use std::sync::Arc;

use kkcode_agent::runtime::NewTurn;
use kkcode_core::effect::Reply;
use kkcode_core::event::Command;
use kkcode_core::id::{SessionId, TurnId};
use kkcode_core::turn::Level;
use kkcode_core::uri::{PathStyle, to_path};
use kkcode_protocol::turn::{
    Mode, TurnCancelParams, TurnCancelResult, TurnShowParams, TurnShowResult, TurnStartParams,
    TurnStartResult,
};
use tower_lsp::jsonrpc::Result;

use super::unknown;
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
    match session.handle().start_turn(turn).await.map_err(|refusal| error::refusal(&refusal))? {
        Reply::TurnStarted { turn, session } => {
            Ok(TurnStartResult { turn_id: turn.to_string(), session_id: session.to_string() })
        }
        reply => Err(error::internal(&format!("a turn start was answered by {reply:?}"))),
    }
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
    let turn = snapshot.turns.get(&TurnId::new(params.turn_id.as_str()));
    let turn = turn.ok_or_else(|| unknown("turn", &params.turn_id))?;
    Ok(to_proto::turn(turn, session.said_so_far(&turn.id)))
}

/// Reads what a turn is to be; refuses what this version cannot do, rather than do something else.
fn new_turn(params: &TurnStartParams) -> Result<NewTurn> {
    if params.prompt.trim().is_empty() {
        return Err(error::invalid_params("the prompt is empty"));
    }
    let level = match params.mode.unwrap_or_default() {
        Mode::Agent => params.level.map(from_proto::level),
        // Both modes change nothing, whatever the level allows.
        Mode::Ask | Mode::Plan => Some(Level::Readonly),
        Mode::Longagent => {
            return Err(error::failed("mode `longagent` is not there yet; a later version has it"));
        }
    };
    if matches!(level, Some(Level::AcceptEdits | Level::Yolo)) {
        return Err(error::failed(
            "edits cannot be applied unasked yet; use the level `manual` or `readonly`",
        ));
    }
    Ok(NewTurn {
        prompt: prompt_with_context(params),
        session: params.session_id.clone().map(SessionId::new),
        model: params.model.clone(),
        level,
    })
}

/// Returns the prompt, and behind it what the user is looking at.
fn prompt_with_context(params: &TurnStartParams) -> String {
    let place = |uri: &str, range: Option<&kkcode_protocol::text::Range>| {
        let file =
            to_path(uri, PathStyle::NATIVE).map_or_else(|| uri.to_owned(), |path| path.display().to_string());
        match range {
            Some(range) => format!("{file}, lines {} to {}", range.start.line + 1, range.end.line + 1),
            None => file,
        }
    };
    let document = params
        .text_document
        .iter()
        .map(|document| format!("The user is in {}.", place(&document.uri, params.range.as_ref())));
    let context = params.context.iter().map(|item| format!("See {}.", place(&item.uri, item.range.as_ref())));
    let diagnostics = params.diagnostics.iter().map(|item| {
        format!(
            "Diagnostic in {}: {}",
            place(&item.uri, Some(&item.diagnostic.range)),
            item.diagnostic.message
        )
    });
    let lines: Vec<String> = document.chain(context).chain(diagnostics).collect();
    if lines.is_empty() {
        params.prompt.clone()
    } else {
        format!("{}\n\n{}", params.prompt, lines.join("\n"))
    }
}
