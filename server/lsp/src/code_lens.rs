//! Code lenses: how many hunks of a file are pending, and a way to decide each without a menu.

use std::collections::BTreeMap;
use std::fmt;
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

/// Returns the lenses of a document: those of the file on its first line, two at each hunk. They have their commands already,
/// as those cost nothing, and a client that asks for them later may lose them in between.
pub(crate) async fn of(session: Arc<Session>, params: CodeLensParams) -> Result<Vec<CodeLens>> {
    let uri = params.text_document.uri.to_string();
    let (snapshot, found) = found(&session, uri.clone()).await?;
    let mut proposals: BTreeMap<&ProposalId, Vec<&Waiting>> = BTreeMap::new();
    for hunk in &found {
        proposals.entry(&hunk.proposal).or_default().push(hunk);
    }
    let counts: BTreeMap<&ProposalId, Counts> =
        proposals.iter().map(|(proposal, hunks)| (*proposal, Counts::of(hunks))).collect();
    let lens = |does: Does, hunk: &Waiting, at: Position| {
        let hunk_id = matches!(does, Does::AcceptHunk | Does::RejectHunk).then(|| hunk.hunk.id.to_string());
        let proposal_id = hunk.proposal.to_string();
        let data = LensData { does, proposal_id, uri: uri.clone(), hunk_id };
        let counts = counts.get(&hunk.proposal).copied().unwrap_or_default();
        CodeLens {
            range: to_proto::lsp_range(TextRange::new(at, at)),
            command: Some(command(&snapshot, &data, hunk, counts)),
            data: serde_json::to_value(data).ok(),
        }
    };
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

/// Gives a lens the title and command that it has as things stand now. One without our data comes back as it is.
pub(crate) async fn resolve(session: Arc<Session>, mut lens: CodeLens) -> Result<CodeLens> {
    let Some(data) = lens.data.clone().and_then(|data| LensData::deserialize(data).ok()) else {
        return Ok(lens);
    };
    let (snapshot, found) = found(&session, data.uri.clone()).await?;
    let found: Vec<&Waiting> =
        found.iter().filter(|hunk| hunk.proposal.as_str() == data.proposal_id).collect();
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
    lens.command = Some(command(&snapshot, &data, about, Counts::of(&found)));
    Ok(lens)
}

fn command(snapshot: &Snapshot, data: &LensData, about: &Waiting, counts: Counts) -> Command {
    let (title, command) = match data.does {
        Does::AcceptHunk if about.is_applied() => (format!("{counts} · Keep hunk"), HunkAccept::NAME),
        Does::RejectHunk if about.is_applied() => ("Undo hunk".to_owned(), HunkReject::NAME),
        Does::AcceptHunk => (format!("{counts} · Accept hunk"), HunkAccept::NAME),
        Does::RejectHunk if about.standing.state == HunkState::Stale => {
            ("stale · Reject hunk".to_owned(), HunkReject::NAME)
        }
        Does::RejectHunk => ("Reject hunk".to_owned(), HunkReject::NAME),
        Does::AcceptFile => (format!("{counts} · Accept file"), FileAccept::NAME),
        Does::RejectFile if !counts.can_accept => (format!("{counts} · Reject file"), FileReject::NAME),
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

/// How the hunks of a proposal in a document stand.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    pending: usize,
    stale: usize,
    /// Whether one of them can be accepted, or kept.
    can_accept: bool,
}

impl Counts {
    fn of(hunks: &[&Waiting]) -> Self {
        let stale = hunks.iter().filter(|hunk| hunk.standing.state == HunkState::Stale).count();
        let can_accept = hunks.iter().any(|hunk| hunk.is_pending() || hunk.is_applied());
        Self { pending: hunks.len() - stale, stale, can_accept }
    }
}

/// Says how many hunks are pending, and how many stale if there are any.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pending, self.stale) {
            (pending, 0) => write!(f, "{pending} pending"),
            (0, stale) => write!(f, "{stale} stale"),
            (pending, stale) => write!(f, "{pending} pending, {stale} stale"),
        }
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
