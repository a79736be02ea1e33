//! The commands that decide: accept and reject, by hunk, lines, file and proposal; undo and redo; comments.

use std::ops::Range;
use std::sync::Arc;

use kkcode_agent::resolve;
use kkcode_agent::runtime::{NewTurn, fresh_name};
use kkcode_core::comment::Comment;
use kkcode_core::effect::{Refusal, Reply};
use kkcode_core::event::{Command, Selection};
use kkcode_core::id::{CommentId, HunkId, ProposalId};
use kkcode_core::journal::Act;
use kkcode_core::proposal::Verdict;
use kkcode_core::state::Snapshot;
use kkcode_core::uri::{PathStyle, to_path};
use kkcode_protocol::proposal::HunkState;
use kkcode_protocol::review::{
    DecisionResult, FileDecisionParams, HunkAcceptParams, HunkRejectParams, ProposalDecisionParams,
    Resolution, ReviewAction, ReviewCommentParams, ReviewCommentResult, ReviewDecision, ReviewSendParams,
    ReviewSendResult, ReviewUndoParams, ReviewUndoResult,
};
use kkcode_protocol::text::LineSelector;
use tower_lsp::jsonrpc::Result;

use super::unknown;
use crate::session::Session;
use crate::virtual_documents::VirtualDocument;
use crate::{error, to_proto};

pub(super) async fn accept_hunk(session: Arc<Session>, params: HunkAcceptParams) -> Result<DecisionResult> {
    let (proposal, hunk) = (ProposalId::new(params.proposal_id), HunkId::new(params.hunk_id));
    let Some(resolution) = params.resolution else {
        return accept(&session, proposal, selection(hunk, params.lines)).await;
    };
    if params.lines.is_some() {
        return Err(error::invalid_params("a stale hunk is taken as a whole; leave out `lines`"));
    }
    let how = match resolution {
        Resolution::Merge => resolve::Resolution::Merge,
        Resolution::Theirs => resolve::Resolution::Theirs,
    };
    let snapshot = session.snapshot().await?;
    let command =
        tokio::task::spawn_blocking(move || resolve::resolve(&snapshot, &proposal, &hunk, how)).await;
    let command = command.map_err(|e| error::internal(&e))?.map_err(|e| error::refusal(&e))?;
    decided(session.request(command).await?)
}

pub(super) async fn reject_hunk(session: Arc<Session>, params: HunkRejectParams) -> Result<DecisionResult> {
    let HunkRejectParams { proposal_id, hunk_id, lines, reason, replacement } = params;
    let hunks = selection(HunkId::new(hunk_id), lines);
    let proposal = ProposalId::new(proposal_id);
    decided(session.request(Command::Reject { proposal, hunks, reason, replacement }).await?)
}

pub(super) async fn accept_file(session: Arc<Session>, params: FileDecisionParams) -> Result<DecisionResult> {
    accept(&session, ProposalId::new(params.proposal_id), file(&params.uri)?).await
}

pub(super) async fn reject_file(session: Arc<Session>, params: FileDecisionParams) -> Result<DecisionResult> {
    reject(&session, params.proposal_id, file(&params.uri)?, params.reason).await
}

pub(super) async fn accept_proposal(
    session: Arc<Session>,
    params: ProposalDecisionParams,
) -> Result<DecisionResult> {
    accept(&session, ProposalId::new(params.proposal_id), Selection::All).await
}

pub(super) async fn reject_proposal(
    session: Arc<Session>,
    params: ProposalDecisionParams,
) -> Result<DecisionResult> {
    reject(&session, params.proposal_id, Selection::All, params.reason).await
}

pub(super) async fn undo(session: Arc<Session>, params: ReviewUndoParams) -> Result<ReviewUndoResult> {
    repeated(session.request(Command::Undo { proposal: params.proposal_id.map(ProposalId::new) }).await?)
}

pub(super) async fn redo(session: Arc<Session>, params: ReviewUndoParams) -> Result<ReviewUndoResult> {
    repeated(session.request(Command::Redo { proposal: params.proposal_id.map(ProposalId::new) }).await?)
}

pub(super) async fn comment(
    session: Arc<Session>,
    params: ReviewCommentParams,
) -> Result<ReviewCommentResult> {
    if params.text.trim().is_empty() {
        return Err(error::invalid_params("the comment is empty"));
    }
    if params.hunk_id.is_some() && params.range.is_some() {
        return Err(error::invalid_params("a comment is about a hunk or a range, not both"));
    }
    let id = CommentId::new(fresh_name("comment").map_err(|e| error::internal(&e))?);
    let line = |line: u32| usize::try_from(line).unwrap_or(usize::MAX);
    let comment = Comment {
        id: id.clone(),
        path: path(&params.uri)?,
        hunk: params.hunk_id.map(HunkId::new),
        lines: params.range.map(|range| line(range.start.line)..line(range.end.line) + 1),
        text: params.text,
        is_edit: false,
        sent: false,
    };
    let proposal = ProposalId::new(params.proposal_id);
    match session.request(Command::Comment { proposal, comment }).await? {
        Reply::Commented => Ok(ReviewCommentResult { comment_id: id.to_string() }),
        reply => Err(error::internal(&format!("a comment was answered by {reply:?}"))),
    }
}

pub(super) async fn send(session: Arc<Session>, params: ReviewSendParams) -> Result<ReviewSendResult> {
    let snapshot = session.snapshot().await?;
    let proposal = ProposalId::new(params.proposal_id.as_str());
    let turn = round(&snapshot, &proposal).ok_or_else(|| unknown("proposal", &params.proposal_id))??;
    let (turn, _) = session.start_turn(turn).await?;
    Ok(ReviewSendResult { turn_id: turn.to_string() })
}

/// Returns the turn that tells the agent of all comments; what was decided is told by the review note of any turn.
fn round(snapshot: &Snapshot, proposal: &ProposalId) -> Option<Result<NewTurn>> {
    let review = snapshot.reviews.get(proposal)?;
    let comments: Vec<&Comment> =
        review.comments.iter().filter(|comment| !comment.sent && !comment.is_edit).collect();
    let hunks = || review.proposal.files.iter().flat_map(|file| &file.hunks);
    let untold = hunks().any(|hunk| {
        !hunk.told && matches!(hunk.verdict, Verdict::Accepted { .. } | Verdict::Rejected { .. })
    });
    if comments.is_empty() && !untold && !review.comments.iter().any(|comment| !comment.sent) {
        let message = format!(
            "there is nothing to send about proposal `{proposal}`; comment on it or decide a hunk first"
        );
        return Some(Err(error::failed(message)));
    }
    let about = |comment: &&Comment| {
        let path = comment.path.display();
        let hunk = comment.hunk.as_ref().and_then(|hunk| review.proposal.hunk(hunk));
        let lines = comment.lines.as_ref().map(|lines| lines.start + 1..lines.end);
        let place = match (hunk, lines) {
            (Some((_, hunk)), _) => {
                let quote = if hunk.new_text.is_empty() { &hunk.old_text } else { &hunk.new_text };
                format!("{path}, on the change\n{}\n ", quoted(quote))
            }
            (None, Some(lines)) => format!("{path}, lines {} to {}", lines.start, lines.end),
            (None, None) => path.to_string(),
        };
        format!("- {place}: {}", comment.text)
    };
    let said: Vec<String> = comments.iter().map(about).collect();
    let prompt = if said.is_empty() {
        "Go on with what I decided about your proposal.".to_owned()
    } else {
        format!("My comments on your proposal:\n{}", said.join("\n"))
    };
    let comments = comments.iter().map(|comment| (proposal.clone(), comment.id.clone())).collect();
    let session = Some(review.proposal.session.clone());
    Some(Ok(NewTurn { prompt, session, comments, ..NewTurn::default() }))
}

fn quoted(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("  > {line}")).collect();
    lines.join("\n")
}

fn selection(hunk: HunkId, lines: Option<LineSelector>) -> Selection {
    let range = |lines: Option<[u32; 2]>| -> Range<usize> {
        let [from, to] = lines.unwrap_or_default();
        usize::try_from(from).unwrap_or(usize::MAX)..usize::try_from(to).unwrap_or(usize::MAX)
    };
    match lines {
        None => Selection::Hunk(hunk),
        Some(lines) => Selection::Lines { hunk, old: range(lines.old), new: range(lines.new) },
    }
}

fn file(uri: &str) -> Result<Selection> {
    path(uri).map(Selection::File)
}

/// Returns the file that a URI names, or whose base or proposed text it names.
pub(super) fn path(uri: &str) -> Result<std::path::PathBuf> {
    to_path(uri, PathStyle::NATIVE)
        .or_else(|| VirtualDocument::parse(uri).map(|document| document.path))
        .ok_or_else(|| error::invalid_params(format!("`{uri}` names no file")))
}

async fn accept(session: &Session, proposal: ProposalId, hunks: Selection) -> Result<DecisionResult> {
    decided(session.request(Command::Accept { proposal, hunks }).await?)
}

async fn reject(
    session: &Session,
    proposal: String,
    hunks: Selection,
    reason: Option<String>,
) -> Result<DecisionResult> {
    let proposal = ProposalId::new(proposal);
    decided(session.request(Command::Reject { proposal, hunks, reason, replacement: None }).await?)
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

fn repeated(reply: Reply) -> Result<ReviewUndoResult> {
    match reply {
        Reply::Decision(act) => Ok(ReviewUndoResult { decision: act.as_ref().map(decision) }),
        reply => Err(error::internal(&Refusal::Forbidden(format!("an undo was answered by {reply:?}")))),
    }
}

fn decision(act: &Act) -> ReviewDecision {
    let rejected = act.changes.iter().find_map(|change| match &change.after {
        Verdict::Rejected { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    ReviewDecision {
        action: if rejected.is_some() { ReviewAction::Reject } else { ReviewAction::Accept },
        proposal_id: act.proposal.to_string(),
        hunk_ids: act.changes.iter().map(|change| change.hunk.to_string()).collect(),
        reason: rejected.flatten(),
        at: to_proto::timestamp(act.at),
    }
}
