//! Hunks as code actions: offered where they stand, their edit made when it is wanted.

use std::sync::Arc;

use kkcode_agent::view::placed_file;
use kkcode_core::document::{Document, DocumentUri};
use kkcode_core::effect::{DocumentEdit, Refusal};
use kkcode_core::id::{HunkId, ProposalId};
use kkcode_core::placement::Holds;
use kkcode_core::review::{HunkState, accept_edit};
use kkcode_core::state::Snapshot;
use kkcode_core::text::TextRange;
use kkcode_core::uri::{PathStyle, to_path};
use kkcode_protocol::commands::{HunkAccept, HunkReject};
use kkcode_protocol::message::Command as _;
use lsp_types::{CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Command, WorkspaceEdit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tower_lsp::jsonrpc::Result;

use crate::session::Session;
use crate::{error, from_proto, to_proto};

/// The kind of everything that decides a hunk.
pub(crate) const KIND: CodeActionKind = CodeActionKind::new("refactor.rewrite.kkcode");

/// What an action of ours is about; comes back with `codeAction/resolve`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ActionData {
    proposal_id: String,
    hunk_id: String,
}

/// Returns the actions at a range: for each pending hunk that touches it, take it or refuse it.
pub(crate) async fn at(session: Arc<Session>, params: CodeActionParams) -> Result<Vec<CodeActionOrCommand>> {
    let wanted = params.context.only.as_ref().is_none_or(|kinds| kinds.iter().any(covers_ours));
    if !wanted {
        return Ok(Vec::new());
    }
    let snapshot = session.snapshot().await?;
    let (uri, range) = (params.text_document.uri, from_proto::range(params.range));
    let found = tokio::task::spawn_blocking(move || {
        document(&snapshot, uri.as_str())
            .map(|document| pending_at(&snapshot, document, range))
            .unwrap_or_default()
    });
    let found = found.await.map_err(|e| error::internal(&e))?;
    Ok(found.iter().flat_map(|data| actions(&session, data)).collect())
}

/// Fills in the edit of an action, for the text as it is now. An action without our data comes back as it is.
pub(crate) async fn resolve(session: Arc<Session>, mut action: CodeAction) -> Result<CodeAction> {
    let Some(data) = action.data.clone().and_then(|data| ActionData::deserialize(data).ok()) else {
        return Ok(action);
    };
    if action.command.is_some() || action.edit.is_some() {
        return Ok(action);
    }
    let snapshot = session.snapshot().await?;
    let edit = tokio::task::spawn_blocking(move || edit_of(&snapshot, &data))
        .await
        .map_err(|e| error::internal(&e))?;
    let edit = to_proto::workspace_edit(&edit?, session.client().document_changes);
    action.edit = Some(WorkspaceEdit::deserialize(edit).map_err(|e| error::internal(&e))?);
    Ok(action)
}

fn covers_ours(kind: &CodeActionKind) -> bool {
    let kind = kind.as_str();
    kind.is_empty() || KIND.as_str() == kind || KIND.as_str().starts_with(&format!("{kind}."))
}

/// Returns the document that the client means: by its own string, else by the file that the string names.
fn document<'a>(snapshot: &'a Snapshot, uri: &str) -> Option<&'a Document> {
    let by_path = || snapshot.documents.by_path(&to_path(uri, PathStyle::NATIVE)?);
    snapshot.documents.get(&DocumentUri::new(uri)).or_else(by_path)
}

fn pending_at(snapshot: &Snapshot, document: &Document, range: TextRange) -> Vec<ActionData> {
    let Some(path) = &document.path else { return Vec::new() };
    let mut found = Vec::new();
    for review in snapshot.reviews.iter() {
        let Some(file) = review.proposal.file(path) else { continue };
        let Some(placed) = placed_file(snapshot, review, file) else { continue };
        for place in placed.placement.places().iter().filter(|place| place.holds == Holds::Old) {
            let pending =
                file.hunk(&place.hunk).is_some_and(|hunk| review.state(file, hunk) == HunkState::Pending);
            if pending && to_proto::hunk_range(&placed.text, &place.lines, snapshot.encoding).touches(&range)
            {
                found.push(ActionData {
                    proposal_id: review.proposal.id.to_string(),
                    hunk_id: place.hunk.to_string(),
                });
            }
        }
    }
    found
}

/// Returns the actions of one hunk, as far as the client can take them.
fn actions(session: &Session, data: &ActionData) -> [CodeActionOrCommand; 2] {
    let client = session.client();
    let command = |title: &str, command: &str| Command {
        title: title.to_owned(),
        command: command.to_owned(),
        arguments: Some(vec![json!({"proposalId": data.proposal_id, "hunkId": data.hunk_id})]),
    };
    let accept = command("Accept hunk", HunkAccept::NAME);
    let reject = command("Reject hunk", HunkReject::NAME);
    if !client.code_action_literals {
        return [CodeActionOrCommand::Command(accept), CodeActionOrCommand::Command(reject)];
    }
    let literal = |command: Command| CodeAction {
        title: command.title.clone(),
        kind: Some(KIND),
        command: Some(command),
        ..CodeAction::default()
    };
    let mut accept = literal(accept);
    if client.resolve_edit {
        accept.command = None;
        accept.data = serde_json::to_value(data).ok();
    }
    [CodeActionOrCommand::CodeAction(accept), CodeActionOrCommand::CodeAction(literal(reject))]
}

fn edit_of(snapshot: &Snapshot, data: &ActionData) -> Result<DocumentEdit> {
    let unknown =
        |what: &'static str, id: &str| error::refusal(&Refusal::Unknown { what, id: id.to_owned() });
    let (proposal, hunk) = (ProposalId::new(data.proposal_id.as_str()), HunkId::new(data.hunk_id.as_str()));
    let review = snapshot.reviews.get(&proposal).ok_or_else(|| unknown("proposal", &data.proposal_id))?;
    let (file, found) = review.proposal.hunk(&hunk).ok_or_else(|| unknown("hunk", &data.hunk_id))?;
    let state = review.state(file, found);
    if !matches!(state, HunkState::Pending | HunkState::Stale) {
        return Err(error::refusal(&Refusal::Decided { hunk, state: state.name() }));
    }
    let document = snapshot.documents.by_path(&file.path);
    let document = document.ok_or_else(|| error::content_modified("the document is not open any more"))?;
    let placed = placed_file(snapshot, review, file);
    let placed =
        placed.ok_or_else(|| error::refusal(&Refusal::OutOfSync(document.uri.as_str().to_owned())))?;
    let place = placed.placement.place(&hunk).filter(|place| place.holds == Holds::Old);
    let place = place.ok_or_else(|| error::refusal(&Refusal::Stale(hunk.clone())))?;
    Ok(DocumentEdit {
        uri: document.uri.clone(),
        version: document.version,
        edits: vec![accept_edit(document, place, found, snapshot.encoding)],
        label: "Accept hunk".to_owned(),
        proposal,
        hunks: vec![hunk],
    })
}
