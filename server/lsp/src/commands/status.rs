//! `kkcode.status`: how things stand.

use std::sync::Arc;

use kkcode_agent::gate::policy::level_in_force;
use kkcode_agent::task::TaskQuery;
use kkcode_core::proposal::ReviewState;
use kkcode_core::state::Snapshot;
use kkcode_core::task::TaskStatus;
use kkcode_core::turn::{TurnStatus, Usage};
use kkcode_protocol::initialize::PROTOCOL_VERSION;
use kkcode_protocol::status::{StatusParams, StatusResult, TaskCounts};
use tower_lsp::jsonrpc::Result;

use super::model;
use crate::session::Session;
use crate::{error, to_proto};

pub(super) async fn show(session: Arc<Session>, _: StatusParams) -> Result<StatusResult> {
    let snapshot = session.snapshot().await?;
    let turns = snapshot.turns.values().filter(|turn| turn.status == TurnStatus::Running).count();
    let mut usage = Usage::default();
    for turn in snapshot.turns.values() {
        usage += turn.usage;
    }
    // Without any model there is none to name; a turn says what to do.
    let model = model::reading(&session, |config| Ok(config.selected().ok())).await?;
    let seen = snapshot.clone();
    let level = model::reading(&session, move |config| Ok(level_in_force(&config, &seen))).await?;
    let today = session.handle().spent_today().await;
    let usage_today =
        today.inspect_err(|error| tracing::warn!(%error, "what was used today cannot be read")).ok();
    Ok(StatusResult {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol_version: PROTOCOL_VERSION,
        level: to_proto::level(level),
        provider: model.as_deref().and_then(|model| Some(model.split('/').next()?.to_owned())),
        model,
        trusted: session.config().is_trusted(),
        turns: narrow(turns),
        tasks: tasks(&session, &snapshot).await?,
        pending_hunks: narrow(waiting_hunks(&snapshot)),
        usage: to_proto::usage(usage),
        usage_today: usage_today.map(to_proto::usage),
        sandbox: sandbox(&session),
    })
}

/// Says how commands are bounded, if that is known; if not, it is found out meanwhile.
#[cfg(unix)]
fn sandbox(session: &Session) -> Option<String> {
    let sandbox = session.config().sandbox();
    if sandbox.known().is_none() {
        let sandbox = sandbox.clone();
        tokio::spawn(async move { sandbox.offer().await.is_sandboxed() });
    }
    sandbox.known().map(kkcode_agent::sandbox::Offer::summary)
}

#[cfg(not(unix))]
fn sandbox(_session: &Session) -> Option<String> {
    Some("not sandboxed".to_owned())
}

/// Counts the tasks of this workspace that have not ended.
async fn tasks(session: &Session, snapshot: &Snapshot) -> Result<TaskCounts> {
    let tasks = session.tasks();
    let count = async |status| {
        let query = TaskQuery { status: Some(status), folders: Some(snapshot.folders.clone()), group: None };
        let found = tasks.list(query).await.map_err(|refusal| error::refusal(&refusal))?;
        Ok(narrow(found.len()))
    };
    Ok(TaskCounts {
        pending: count(TaskStatus::Pending).await?,
        running: count(TaskStatus::Running).await?,
        waiting: count(TaskStatus::Waiting).await?,
    })
}

fn waiting_hunks(snapshot: &Snapshot) -> usize {
    let open = snapshot.reviews.iter().filter(|review| review.proposal.state() == ReviewState::Open);
    open.flat_map(|review| review.counts(&snapshot.documents)).map(|count| count.pending + count.stale).sum()
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
