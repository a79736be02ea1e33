//! The commands that list and show proposals, and the one that puts the user's own text in their place.

use std::sync::Arc;

use kkcode_agent::resolve;
use kkcode_agent::view::placed_file;
use kkcode_core::id::ProposalId;
use kkcode_protocol::proposal::{
    Proposal, ProposalEditParams, ProposalEditResult, ProposalListParams, ProposalListResult,
    ProposalShowParams,
};
use tower_lsp::jsonrpc::Result;

use super::review::path;
use super::unknown;
use crate::session::Session;
use crate::{error, to_proto};

pub(super) async fn list(session: Arc<Session>, params: ProposalListParams) -> Result<ProposalListResult> {
    let snapshot = session.snapshot().await?;
    let mut proposals: Vec<_> =
        snapshot.reviews.iter().map(|review| to_proto::summary(&snapshot, review)).collect();
    proposals.retain(|proposal| params.state.is_none_or(|state| proposal.state == state));
    proposals.sort_by(|one, other| other.updated_at.cmp(&one.updated_at));
    Ok(ProposalListResult { proposals })
}

pub(super) async fn show(session: Arc<Session>, params: ProposalShowParams) -> Result<Proposal> {
    let snapshot = session.snapshot().await?;
    let id = ProposalId::new(params.proposal_id.as_str());
    let shown = tokio::task::spawn_blocking(move || {
        let review = snapshot.reviews.get(&id)?;
        Some(to_proto::proposal(&snapshot, review))
    });
    if let Some(shown) = shown.await.map_err(|e| error::internal(&e))? {
        return Ok(shown);
    }
    let id = ProposalId::new(params.proposal_id);
    Err(error::refusal(&session.handle().not_at_hand(id).await))
}

pub(super) async fn edit(session: Arc<Session>, params: ProposalEditParams) -> Result<ProposalEditResult> {
    let (id, path) = (ProposalId::new(params.proposal_id.as_str()), path(&params.uri)?);
    let snapshot = session.snapshot().await?;
    let (proposal, file) = (id.clone(), path.clone());
    let command =
        tokio::task::spawn_blocking(move || resolve::edit(&snapshot, &proposal, &file, &params.text)).await;
    let command = command.map_err(|e| error::internal(&e))?.map_err(|e| error::refusal(&e))?;
    session.request(command).await?;
    let snapshot = session.snapshot().await?;
    let shown = tokio::task::spawn_blocking(move || {
        let review = snapshot.reviews.get(&id)?;
        let file = review.proposal.file(&path)?;
        let placed = placed_file(&snapshot, review, file);
        let hunk = |hunk| to_proto::hunk(&snapshot, review, file, hunk, placed.as_ref());
        Some(ProposalEditResult {
            proposal_id: id.to_string(),
            hunks: file.hunks.iter().filter(|hunk| hunk.verdict.is_open()).map(hunk).collect(),
        })
    });
    shown.await.map_err(|e| error::internal(&e))?.ok_or_else(|| unknown("proposal", &params.proposal_id))
}
