//! How a turn's end is shown to a client without our notifications: its reply as a Markdown document, a message beside it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kkcode_agent::reply;
use kkcode_agent::runtime::NewTurn;
use kkcode_core::id::SessionId;
use kkcode_core::turn::{Turn, TurnStatus};
use kkcode_core::uri::{PathStyle, from_path};
use lsp_types::MessageType;
use serde_json::{Value, json};

use crate::progress::title;
use crate::session::Session;

/// How long the client may take to show a document before a message names it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a question may stand. Nobody waits for its answer.
const ANSWER_PATIENCE: Duration = Duration::from_hours(1);

/// What the user answers to go on with a turn that was interrupted.
const CONTINUE: &str = "Continue";

/// Shows how a turn ended. Reads and writes files and asks the client, all of it in a task of its own.
pub(crate) fn show(session: &Arc<Session>, turn: &Turn) {
    let session = Arc::clone(session);
    let turn = turn.clone();
    tokio::spawn(async move {
        let document = document(&session, &turn).await;
        end(&session, &turn, document.as_deref());
    });
}

/// Shows the reply as a document. Returns its path when the client does not show it by itself.
async fn document(session: &Session, turn: &Turn) -> Option<std::path::PathBuf> {
    let reply = turn.reply.clone().filter(|reply| !reply.trim().is_empty())?;
    let (home, prompt, id) = (session.home().to_owned(), turn.prompt.clone(), turn.id.clone());
    let written = tokio::task::spawn_blocking(move || reply::write(&home, &id, &prompt, &reply)).await;
    let path = match written {
        Ok(Ok(path)) => path,
        Ok(Err(error)) => {
            tracing::warn!(%error, "a reply cannot be shown as a document");
            return None;
        }
        Err(error) => {
            tracing::error!(%error, "a reply was not written");
            return None;
        }
    };
    let client = session.client();
    if !client.show_document || client.replaces_documents {
        return Some(path);
    }
    let params = json!({"uri": from_path(&path, PathStyle::NATIVE), "takeFocus": false});
    let answer = session.editor().request("window/showDocument", params, PATIENCE).await;
    let shown = answer.is_ok_and(|answer| answer.get("success").and_then(Value::as_bool) == Some(true));
    (!shown).then_some(path)
}

/// Says how the turn ended, and where its reply is.
fn end(session: &Arc<Session>, turn: &Turn, document: Option<&Path>) {
    let place = document.map(|path| format!("; the reply is in {}", path.display())).unwrap_or_default();
    match &turn.status {
        TurnStatus::Failed(failure) => {
            tell(session, MessageType::ERROR, &format!("the turn failed: {}", failure.message));
        }
        TurnStatus::Interrupted { reason } => {
            offer_to_go_on(session, turn, &format!("the turn was interrupted: {reason}{place}"));
        }
        status => {
            let reply = turn.reply.as_deref().filter(|reply| !reply.trim().is_empty()).unwrap_or("done");
            tell(session, MessageType::INFO, &format!("{}: {}{place}", status.name(), title(reply)));
        }
    }
}

/// Asks whether the turn is to go on, and has it go on.
fn offer_to_go_on(session: &Arc<Session>, turn: &Turn, message: &str) {
    let params = json!({
        "type": MessageType::WARNING,
        "message": format!("kkcode: {message}"),
        "actions": [{"title": CONTINUE}],
    });
    let answer = session.editor().request("window/showMessageRequest", params, ANSWER_PATIENCE);
    let (session, id, turn) = (Arc::clone(session), turn.session.clone(), turn.clone());
    tokio::spawn(async move {
        let wanted = answer.await.is_ok_and(|answer| answer.get("title") == Some(&json!(CONTINUE)));
        if wanted && let Err(error) = go_on(&session, id, &turn).await {
            tell(&session, MessageType::ERROR, &error.message);
        }
    });
}

async fn go_on(session: &Session, id: SessionId, turn: &Turn) -> tower_lsp::jsonrpc::Result<()> {
    let next = NewTurn {
        prompt: "continue".to_owned(),
        session: Some(id),
        model: turn.model.clone(),
        level: Some(turn.level),
        mode: turn.mode,
        ..NewTurn::default()
    };
    session.start_turn(next).await.map(drop)
}

fn tell(session: &Session, kind: MessageType, message: &str) {
    let params = json!({"type": kind, "message": format!("kkcode: {message}")});
    session.editor().notify("window/showMessage", params);
}
