//! Hunks as code actions: offered where they stand, their edit made when it is wanted.

use std::sync::Arc;

use kkcode_agent::view::placed_file;
use kkcode_core::edits::{Side, text_edits};
use kkcode_core::effect::{DocumentEdit, Refusal};
use kkcode_core::id::{HunkId, ProposalId};
use kkcode_core::placement::Place;
use kkcode_core::proposal::{ChangeKind, FileChange, Hunk};
use kkcode_core::review::{HunkState, Review};
use kkcode_core::state::Snapshot;
use kkcode_core::uri::{PathStyle, to_path};
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionTriggerKind, WorkspaceEdit,
};
use serde::{Deserialize, Serialize};
use tower_lsp::jsonrpc::Result;

use crate::hunks::{Target, waiting};
use crate::session::Session;
use crate::{error, from_proto, to_proto};

pub(crate) use offer::add_tags;

mod offer;
mod prompt;
mod selection;

/// The kind of everything that decides or shows hunks; each action has one of its own below it.
pub(crate) const KIND: CodeActionKind = CodeActionKind::new("refactor.rewrite.kkcode");

/// Returns the kinds of all actions.
pub(crate) fn kinds() -> Vec<CodeActionKind> {
    vec![KIND, CodeActionKind::new(prompt::KIND), CodeActionKind::QUICKFIX]
}

/// What an action of ours would edit; comes back with `codeAction/resolve`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum ActionData {
    Hunk { proposal_id: String, hunk_id: String },
    File { proposal_id: String, uri: String },
}

/// Returns the actions at a range: for the hunks that have a line there and, unless nobody asked for them, those that
/// start a turn.
pub(crate) async fn at(session: Arc<Session>, params: CodeActionParams) -> Result<Vec<CodeActionOrCommand>> {
    let only = params.context.only;
    let is_wanted =
        |kind: &CodeActionKind| only.as_ref().is_none_or(|only| only.iter().any(|only| covers(only, kind)));
    let ours = kinds();
    let concerns_us = only.as_ref().is_none_or(|only| {
        let concerns =
            |kind: &CodeActionKind| ours.iter().any(|ours| covers(kind, ours) || covers(ours, kind));
        only.iter().any(concerns)
    });
    if !concerns_us {
        return Ok(Vec::new());
    }
    let snapshot = session.snapshot().await?;
    let (uri, range) = (params.text_document.uri, from_proto::range(params.range));
    let spelled = session.spelled(uri.as_str());
    let automatic = params.context.trigger_kind == Some(CodeActionTriggerKind::AUTOMATIC);
    let diagnostics = params.context.diagnostics;
    let offers = tokio::task::spawn_blocking(move || {
        let mut prompts = Vec::new();
        if !automatic {
            prompts = prompt::in_lines(&snapshot, &spelled, params.range);
            prompts.extend(selection::prompts(&snapshot, &spelled, params.range, &diagnostics));
        }
        let Some(target) = Target::of(&snapshot, uri.as_str()) else { return (Vec::new(), prompts) };
        let mut here = waiting(&snapshot, &target);
        here.retain(|hunk| hunk.is_at(range));
        (offer::all(&snapshot, &here), prompts)
    });
    let (offers, prompts) = offers.await.map_err(|e| error::internal(&e))?;
    let wanted = offers.into_iter().filter(|offer| is_wanted(&offer.kind()));
    let offered = wanted.filter_map(|offer| offer.render(session.client()));
    let prompts = prompts.into_iter().filter(|prompt| is_wanted(&prompt.kind));
    Ok(offered.chain(prompts.map(|prompt| prompt.render(session.client()))).collect())
}

/// Tells whether a kind that the client asks for has `kind` below it, or is it.
fn covers(wanted: &CodeActionKind, kind: &CodeActionKind) -> bool {
    let (wanted, kind) = (wanted.as_str(), kind.as_str());
    wanted.is_empty()
        || kind.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
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

fn edit_of(snapshot: &Snapshot, data: &ActionData) -> Result<DocumentEdit> {
    match data {
        ActionData::Hunk { proposal_id, hunk_id } => {
            let review = review(snapshot, proposal_id)?;
            let id = HunkId::new(hunk_id.as_str());
            let (file, hunk) = review.proposal.hunk(&id).ok_or_else(|| unknown("hunk", hunk_id))?;
            match review.state(file, hunk) {
                HunkState::Pending | HunkState::Stale => {}
                state => return Err(error::refusal(&Refusal::Decided { hunk: id, state: state.name() })),
            }
            let edit = accept(snapshot, review, file, "Accept hunk", |wanted| wanted.id == id)?;
            if edit.edits.is_empty() {
                return Err(error::refusal(&Refusal::Stale(id)));
            }
            Ok(edit)
        }
        ActionData::File { proposal_id, uri } => {
            let review = review(snapshot, proposal_id)?;
            let file = to_path(uri, PathStyle::NATIVE);
            let file =
                file.and_then(|path| review.proposal.file(&path)).ok_or_else(|| unknown("file", uri))?;
            let pending = |hunk: &Hunk| review.state(file, hunk) == HunkState::Pending;
            let edit = accept(snapshot, review, file, "Accept file", pending)?;
            if edit.edits.is_empty() {
                return Err(error::failed(format!("nothing is pending in `{uri}`")));
            }
            Ok(edit)
        }
    }
}

/// Returns the edit that takes the `wanted` hunks whose old lines are in the text of an open document.
fn accept(
    snapshot: &Snapshot,
    review: &Review,
    file: &FileChange,
    label: &str,
    wanted: impl Fn(&Hunk) -> bool,
) -> Result<DocumentEdit> {
    let document = snapshot.documents.by_path(&file.path);
    let document = document.ok_or_else(|| error::content_modified("the document is not open any more"))?;
    let placed = placed_file(snapshot, review, file);
    let placed =
        placed.ok_or_else(|| error::refusal(&Refusal::OutOfSync(document.uri.as_str().to_owned())))?;
    let takes = |place: &Place| {
        let hunk = file.hunk(&place.hunk).filter(|hunk| hunk.kind == ChangeKind::Modify || is_created(hunk));
        place.holds.is_pending() && hunk.is_some_and(&wanted)
    };
    let taken: Vec<HunkId> =
        placed.placement.chosen(takes).into_iter().map(|place| place.hunk.clone()).collect();
    let side = |hunk: &HunkId| taken.contains(hunk).then_some(Side::New);
    let texts = snapshot.reviews.texts();
    Ok(DocumentEdit {
        uri: document.uri.clone(),
        version: document.version,
        edits: text_edits(document, file, &placed.placement, texts, side, snapshot.encoding),
        operation: None,
        label: label.to_owned(),
        proposal: review.proposal.id.clone(),
        hunks: taken,
    })
}

fn is_created(hunk: &Hunk) -> bool {
    hunk.kind == ChangeKind::Create
}

fn review<'a>(snapshot: &'a Snapshot, id: &str) -> Result<&'a Review> {
    snapshot.reviews.get(&ProposalId::new(id)).ok_or_else(|| unknown("proposal", id))
}

fn unknown(what: &'static str, id: &str) -> tower_lsp::jsonrpc::Error {
    error::refusal(&Refusal::Unknown { what, id: id.to_owned() })
}
