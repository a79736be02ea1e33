//! `workspace/executeCommand`: one row for each command that the server has.

use std::sync::Arc;

use kkcode_agent::runtime::NewTurn;
use kkcode_core::effect::Reply;
use kkcode_core::event::{Command as CoreCommand, Selection};
use kkcode_core::id::{HunkId, ProposalId, SessionId, TurnId};
use kkcode_core::proposal::ReviewState;
use kkcode_core::state::Snapshot;
use kkcode_core::turn::{Level, TurnStatus, Usage};
use kkcode_core::uri::{PathStyle, to_path};
use kkcode_protocol::commands::{
    COMMANDS, FileAccept, FileDiff, FileReject, HunkAccept, HunkReject, HunkShow, ProposalAccept,
    ProposalList, ProposalReject, ProposalShow, Status, TurnCancel, TurnShow, TurnStart,
};
use kkcode_protocol::initialize::PROTOCOL_VERSION;
use kkcode_protocol::message::Command;
use kkcode_protocol::proposal::{HunkState, ProposalListParams, ProposalListResult, ProposalShowParams};
use kkcode_protocol::review::{
    DecisionResult, FileDecisionParams, HunkAcceptParams, HunkRejectParams, ProposalDecisionParams,
};
use kkcode_protocol::status::{StatusResult, TaskCounts};
use kkcode_protocol::turn::{
    Mode, TurnCancelParams, TurnCancelResult, TurnShowParams, TurnShowResult, TurnStartParams,
    TurnStartResult,
};
use lsp_types::ExecuteCommandParams;
use serde_json::{Map, Value};
use tower_lsp::jsonrpc::Result;

use crate::session::Session;
use crate::{error, from_proto, show, to_proto};

/// Answers a command. What it changes is on its way before the first `.await`.
pub(crate) async fn execute(session: Arc<Session>, params: ExecuteCommandParams) -> Result<Option<Value>> {
    let ExecuteCommandParams { command, arguments, .. } = params;
    let call = Call { session, arguments };
    match command.as_str() {
        TurnStart::NAME => call.answer::<TurnStart, _>(start_turn).await,
        TurnCancel::NAME => call.answer::<TurnCancel, _>(cancel_turn).await,
        TurnShow::NAME => call.answer::<TurnShow, _>(show_turn).await,
        HunkAccept::NAME => call.answer::<HunkAccept, _>(accept_hunk).await,
        HunkReject::NAME => call.answer::<HunkReject, _>(reject_hunk).await,
        HunkShow::NAME => call.answer::<HunkShow, _>(show::hunk).await,
        FileAccept::NAME => call.answer::<FileAccept, _>(accept_file).await,
        FileReject::NAME => call.answer::<FileReject, _>(reject_file).await,
        FileDiff::NAME => call.answer::<FileDiff, _>(show::file_diff).await,
        ProposalAccept::NAME => call.answer::<ProposalAccept, _>(accept_proposal).await,
        ProposalReject::NAME => call.answer::<ProposalReject, _>(reject_proposal).await,
        ProposalList::NAME => call.answer::<ProposalList, _>(list_proposals).await,
        ProposalShow::NAME => call.answer::<ProposalShow, _>(show_proposal).await,
        Status::NAME => call.answer::<Status, _>(|session, _| status(session)).await,
        name if COMMANDS.iter().any(|known| known.name == name) => {
            Err(error::failed(format!("`{name}` is not there yet; a later version has it")))
        }
        name => Err(error::invalid_params(format!("there is no command `{name}`"))),
    }
}

/// A command on its way to the function that answers it.
struct Call {
    session: Arc<Session>,
    arguments: Vec<Value>,
}

impl Call {
    /// Reads the one argument, a missing one as `{}`, and writes the answer.
    async fn answer<C, F>(self, answer: impl FnOnce(Arc<Session>, C::Params) -> F) -> Result<Option<Value>>
    where
        C: Command,
        F: Future<Output = Result<C::Result>>,
    {
        let mut arguments = self.arguments.into_iter();
        let argument = match (arguments.next(), arguments.next()) {
            (None | Some(Value::Null), None) => Value::Object(Map::new()),
            (Some(argument @ Value::Object(_)), None) => argument,
            _ => {
                return Err(error::invalid_params(format!(
                    "`{}` takes one object as its only argument",
                    C::NAME
                )));
            }
        };
        let params = serde_json::from_value(argument)
            .map_err(|e| error::invalid_params(format!("the argument of `{}` is not right: {e}", C::NAME)))?;
        let result = answer(self.session, params).await?;
        serde_json::to_value(result).map(Some).map_err(|e| error::internal(&e))
    }
}

async fn start_turn(session: Arc<Session>, params: TurnStartParams) -> Result<TurnStartResult> {
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

async fn cancel_turn(session: Arc<Session>, params: TurnCancelParams) -> Result<TurnCancelResult> {
    let turn = TurnId::new(params.turn_id);
    match session.request(CoreCommand::CancelTurn { turn }).await? {
        Reply::TurnCancelled(cancelled) => Ok(TurnCancelResult { cancelled }),
        reply => Err(error::internal(&format!("a cancel was answered by {reply:?}"))),
    }
}

async fn show_turn(session: Arc<Session>, params: TurnShowParams) -> Result<TurnShowResult> {
    let snapshot = session.snapshot().await?;
    let turn = snapshot.turns.get(&TurnId::new(params.turn_id.as_str()));
    let turn = turn.ok_or_else(|| unknown("turn", &params.turn_id))?;
    Ok(to_proto::turn(turn, session.said_so_far(&turn.id)))
}

async fn accept_hunk(session: Arc<Session>, params: HunkAcceptParams) -> Result<DecisionResult> {
    if params.lines.is_some() || params.resolution.is_some() {
        return Err(error::failed(
            "only whole hunks that are not stale can be accepted yet; leave out `lines` and `resolution`",
        ));
    }
    accept(&session, params.proposal_id, Selection::Hunk(HunkId::new(params.hunk_id))).await
}

async fn reject_hunk(session: Arc<Session>, params: HunkRejectParams) -> Result<DecisionResult> {
    if params.lines.is_some() || params.replacement.is_some() {
        return Err(error::failed(
            "only whole hunks can be rejected yet; leave out `lines` and `replacement`",
        ));
    }
    let hunk = Selection::Hunk(HunkId::new(params.hunk_id));
    reject(&session, params.proposal_id, hunk, params.reason).await
}

async fn accept_file(session: Arc<Session>, params: FileDecisionParams) -> Result<DecisionResult> {
    accept(&session, params.proposal_id, file(&params.uri)?).await
}

async fn reject_file(session: Arc<Session>, params: FileDecisionParams) -> Result<DecisionResult> {
    reject(&session, params.proposal_id, file(&params.uri)?, params.reason).await
}

async fn accept_proposal(session: Arc<Session>, params: ProposalDecisionParams) -> Result<DecisionResult> {
    accept(&session, params.proposal_id, Selection::All).await
}

async fn reject_proposal(session: Arc<Session>, params: ProposalDecisionParams) -> Result<DecisionResult> {
    reject(&session, params.proposal_id, Selection::All, params.reason).await
}

fn file(uri: &str) -> Result<Selection> {
    let path = to_path(uri, PathStyle::NATIVE);
    path.map(Selection::File).ok_or_else(|| error::invalid_params(format!("`{uri}` names no file")))
}

async fn accept(session: &Session, proposal: String, hunks: Selection) -> Result<DecisionResult> {
    decided(session.request(CoreCommand::Accept { proposal: ProposalId::new(proposal), hunks }).await?)
}

async fn reject(
    session: &Session,
    proposal: String,
    hunks: Selection,
    reason: Option<String>,
) -> Result<DecisionResult> {
    decided(
        session.request(CoreCommand::Reject { proposal: ProposalId::new(proposal), hunks, reason }).await?,
    )
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

async fn list_proposals(session: Arc<Session>, params: ProposalListParams) -> Result<ProposalListResult> {
    let snapshot = session.snapshot().await?;
    let mut proposals: Vec<_> =
        snapshot.reviews.iter().map(|review| to_proto::summary(&snapshot, review)).collect();
    proposals.retain(|proposal| params.state.is_none_or(|state| proposal.state == state));
    proposals.sort_by(|one, other| other.updated_at.cmp(&one.updated_at));
    Ok(ProposalListResult { proposals })
}

async fn show_proposal(
    session: Arc<Session>,
    params: ProposalShowParams,
) -> Result<kkcode_protocol::proposal::Proposal> {
    let snapshot = session.snapshot().await?;
    let id = ProposalId::new(params.proposal_id.as_str());
    let shown = tokio::task::spawn_blocking(move || {
        let review = snapshot.reviews.get(&id)?;
        Some(to_proto::proposal(&snapshot, review))
    });
    shown.await.map_err(|e| error::internal(&e))?.ok_or_else(|| unknown("proposal", &params.proposal_id))
}

async fn status(session: Arc<Session>) -> Result<StatusResult> {
    let snapshot = session.snapshot().await?;
    let turns = snapshot.turns.values().filter(|turn| turn.status == TurnStatus::Running).count();
    let mut usage = Usage::default();
    for turn in snapshot.turns.values() {
        usage += turn.usage;
    }
    Ok(StatusResult {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol_version: PROTOCOL_VERSION,
        level: to_proto::level(snapshot.level),
        model: None,
        provider: None,
        trusted: false,
        turns: narrow(turns),
        tasks: TaskCounts::default(),
        pending_hunks: narrow(waiting_hunks(&snapshot)),
        usage: to_proto::usage(usage),
    })
}

fn waiting_hunks(snapshot: &Snapshot) -> usize {
    let open = snapshot.reviews.iter().filter(|review| review.proposal.state() == ReviewState::Open);
    open.flat_map(|review| review.counts(&snapshot.documents)).map(|count| count.pending + count.stale).sum()
}

fn unknown(what: &'static str, id: &str) -> tower_lsp::jsonrpc::Error {
    error::refusal(&kkcode_core::effect::Refusal::Unknown { what, id: id.to_owned() })
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
