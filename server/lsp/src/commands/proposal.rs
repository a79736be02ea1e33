//! The commands that list and show proposals.

use std::sync::Arc;

use kkcode_core::id::ProposalId;
use kkcode_protocol::proposal::{Proposal, ProposalListParams, ProposalListResult, ProposalShowParams};
use tower_lsp::jsonrpc::Result;

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
    shown.await.map_err(|e| error::internal(&e))?.ok_or_else(|| unknown("proposal", &params.proposal_id))
}
