//! The commands that decide: accept and reject, by hunk, file and proposal.

use std::sync::Arc;

use kkcode_core::effect::Reply;
use kkcode_core::event::{Command, Selection};
use kkcode_core::id::{HunkId, ProposalId};
use kkcode_core::uri::{PathStyle, to_path};
use kkcode_protocol::proposal::HunkState;
use kkcode_protocol::review::{
    DecisionResult, FileDecisionParams, HunkAcceptParams, HunkRejectParams, ProposalDecisionParams,
};
use tower_lsp::jsonrpc::Result;

use crate::error;
use crate::session::Session;

pub(super) async fn accept_hunk(session: Arc<Session>, params: HunkAcceptParams) -> Result<DecisionResult> {
    if params.lines.is_some() || params.resolution.is_some() {
        return Err(error::failed(
            "only whole hunks that are not stale can be accepted yet; leave out `lines` and `resolution`",
        ));
    }
    accept(&session, params.proposal_id, Selection::Hunk(HunkId::new(params.hunk_id))).await
}

pub(super) async fn reject_hunk(session: Arc<Session>, params: HunkRejectParams) -> Result<DecisionResult> {
    if params.lines.is_some() || params.replacement.is_some() {
        return Err(error::failed(
            "only whole hunks can be rejected yet; leave out `lines` and `replacement`",
        ));
    }
    let hunk = Selection::Hunk(HunkId::new(params.hunk_id));
    reject(&session, params.proposal_id, hunk, params.reason).await
}

pub(super) async fn accept_file(session: Arc<Session>, params: FileDecisionParams) -> Result<DecisionResult> {
    accept(&session, params.proposal_id, file(&params.uri)?).await
}

pub(super) async fn reject_file(session: Arc<Session>, params: FileDecisionParams) -> Result<DecisionResult> {
    reject(&session, params.proposal_id, file(&params.uri)?, params.reason).await
}

pub(super) async fn accept_proposal(
    session: Arc<Session>,
    params: ProposalDecisionParams,
) -> Result<DecisionResult> {
    accept(&session, params.proposal_id, Selection::All).await
}

pub(super) async fn reject_proposal(
    session: Arc<Session>,
    params: ProposalDecisionParams,
) -> Result<DecisionResult> {
    reject(&session, params.proposal_id, Selection::All, params.reason).await
}

fn file(uri: &str) -> Result<Selection> {
    let path = to_path(uri, PathStyle::NATIVE);
    path.map(Selection::File).ok_or_else(|| error::invalid_params(format!("`{uri}` names no file")))
}

async fn accept(session: &Session, proposal: String, hunks: Selection) -> Result<DecisionResult> {
    decided(session.request(Command::Accept { proposal: ProposalId::new(proposal), hunks }).await?)
}

async fn reject(
    session: &Session,
    proposal: String,
    hunks: Selection,
    reason: Option<String>,
) -> Result<DecisionResult> {
    decided(session.request(Command::Reject { proposal: ProposalId::new(proposal), hunks, reason }).await?)
}

fn decided(reply: Reply) -> Result<DecisionResult> {
    let status = match reply {
        Reply::Applying => HunkState::Applying,
        Reply::Accepted => HunkState::Accepted,
        Reply::Rejected => HunkState::Rejected,
        reply => return Err(error::internal(&format!("a decision was answered by {reply:?}"))),
    };
    Ok(DecisionResult { status })
}
