//! Code lenses: how many hunks of a file are pending, and a way to decide each without a menu.

use std::collections::BTreeMap;
use std::sync::Arc;

use kkcode_core::id::ProposalId;
use kkcode_core::review::HunkState;
use kkcode_core::state::Snapshot;
use kkcode_core::text::{Position, TextRange};
use kkcode_protocol::commands::{FileAccept, FileReject, HunkAccept, HunkReject};
use kkcode_protocol::message::Command as _;
use lsp_types::{CodeLens, CodeLensParams, Command};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tower_lsp::jsonrpc::Result;

use crate::hunks::{Target, Waiting, waiting};
use crate::session::Session;
use crate::{error, to_proto};

/// What a lens is about; comes back with `codeLens/resolve`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LensData {
    does: Does,
    proposal_id: String,
    /// The document that the lens is in.
    uri: String,
    /// The hunk, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hunk_id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Does {
    AcceptHunk,
    RejectHunk,
    AcceptFile,
    RejectFile,
}

/// Returns the lenses of a document, without their commands: those of the file on its first line, two at each hunk.
pub(crate) async fn of(session: Arc<Session>, params: CodeLensParams) -> Result<Vec<CodeLens>> {
    let uri = params.text_document.uri.to_string();
    let (_, found) = found(&session, uri.clone()).await?;
    let lens = |does: Does, hunk: &Waiting, at: Position| {
        let hunk_id = matches!(does, Does::AcceptHunk | Does::RejectHunk).then(|| hunk.hunk.id.to_string());
        let proposal_id = hunk.proposal.to_string();
        let data = LensData { does, proposal_id, uri: uri.clone(), hunk_id };
        CodeLens {
            range: to_proto::lsp_range(TextRange::new(at, at)),
            command: None,
            data: serde_json::to_value(data).ok(),
        }
    };
    let mut proposals: BTreeMap<&ProposalId, Vec<&Waiting>> = BTreeMap::new();
    for hunk in &found {
        proposals.entry(&hunk.proposal).or_default().push(hunk);
    }
    let mut lenses = Vec::new();
    for hunks in proposals.values() {
        let Some(first) = hunks.first() else { continue };
        if hunks.iter().any(|hunk| hunk.is_pending() || hunk.is_applied()) {
            lenses.push(lens(Does::AcceptFile, first, Position::new(0, 0)));
        }
        lenses.push(lens(Does::RejectFile, first, Position::new(0, 0)));
    }
    for hunk in found.iter().filter(|hunk| hunk.standing.state != HunkState::Applying) {
        let at = Position::new(hunk.standing.range.start.line, 0);
        if hunk.is_pending() || hunk.is_applied() {
            lenses.push(lens(Does::AcceptHunk, hunk, at));
        }
        lenses.push(lens(Does::RejectHunk, hunk, at));
    }
    Ok(lenses)
}

/// Gives a lens its title and command, as things stand now. One without our data comes back as it is.
pub(crate) async fn resolve(session: Arc<Session>, mut lens: CodeLens) -> Result<CodeLens> {
    let Some(data) = lens.data.clone().and_then(|data| LensData::deserialize(data).ok()) else {
        return Ok(lens);
    };
    if lens.command.is_some() {
        return Ok(lens);
    }
    let (snapshot, mut found) = found(&session, data.uri.clone()).await?;
    found.retain(|hunk| hunk.proposal.as_str() == data.proposal_id);
    let about = match &data.hunk_id {
        Some(id) => found.iter().find(|hunk| hunk.hunk.id.as_str() == id),
        None => found.first(),
    };
    let gone = || error::content_modified("the hunk of this code lens is decided");
    let about = about.ok_or_else(gone)?;
    let needs_pending = match data.does {
        Does::AcceptHunk => !about.is_pending() && !about.is_applied(),
        Does::AcceptFile => !found.iter().any(|hunk| hunk.is_pending() || hunk.is_applied()),
        Does::RejectHunk | Does::RejectFile => false,
    };
    if needs_pending {
        return Err(error::content_modified("the hunk of this code lens is not pending any more"));
    }
    lens.command = Some(command(&snapshot, &data, about, &found));
    Ok(lens)
}

fn command(snapshot: &Snapshot, data: &LensData, about: &Waiting, found: &[Waiting]) -> Command {
    let counts = counts(found);
    let only_stale = !found.iter().any(|hunk| hunk.is_pending() || hunk.is_applied());
    let (title, command) = match data.does {
        Does::AcceptHunk if about.is_applied() => (format!("{counts} · Keep hunk"), HunkAccept::NAME),
        Does::RejectHunk if about.is_applied() => ("Undo hunk".to_owned(), HunkReject::NAME),
        Does::AcceptHunk => (format!("{counts} · Accept hunk"), HunkAccept::NAME),
        Does::RejectHunk if about.standing.state == HunkState::Stale => {
            ("stale · Reject hunk".to_owned(), HunkReject::NAME)
        }
        Does::RejectHunk => ("Reject hunk".to_owned(), HunkReject::NAME),
        Does::AcceptFile => (format!("{counts} · Accept file"), FileAccept::NAME),
        Does::RejectFile if only_stale => (format!("{counts} · Reject file"), FileReject::NAME),
        Does::RejectFile => ("Reject file".to_owned(), FileReject::NAME),
    };
    let argument = match &data.hunk_id {
        Some(hunk) => json!({"proposalId": data.proposal_id, "hunkId": hunk}),
        None => {
            json!({"proposalId": data.proposal_id, "uri": to_proto::uri(&snapshot.documents, &about.path)})
        }
    };
    Command { title, command: command.to_owned(), arguments: Some(vec![argument]) }
}

/// Says how many hunks are pending, and how many stale if there are any.
fn counts(found: &[Waiting]) -> String {
    let stale = found.iter().filter(|hunk| hunk.standing.state == HunkState::Stale).count();
    let pending = found.len() - stale;
    match (pending, stale) {
        (_, 0) => format!("{pending} pending"),
        (0, _) => format!("{stale} stale"),
        _ => format!("{pending} pending, {stale} stale"),
    }
}

async fn found(session: &Session, uri: String) -> Result<(Snapshot, Vec<Waiting>)> {
    let snapshot = session.snapshot().await?;
    let found = tokio::task::spawn_blocking(move || {
        let target = Target::of(&snapshot, &uri);
        let found = target.map(|target| waiting(&snapshot, &target)).unwrap_or_default();
        (snapshot, found)
    });
    found.await.map_err(|e| error::internal(&e))
}
