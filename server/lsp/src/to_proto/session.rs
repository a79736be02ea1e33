//! Sessions, in the client's words.

use kkcode_agent::sessions::{StoredSession, StoredTurn};
use kkcode_core::state::Snapshot;
use kkcode_core::turn::{Mode, Usage};
use kkcode_core::uri::{PathStyle, from_path};
use kkcode_protocol as protocol;
use kkcode_protocol::session::{SessionListParams, SessionShowParams};

use super::{interruption_reason, timestamp, turn_error, turn_status, usage};

/// A session in a list.
pub(crate) fn session_summary(
    snapshot: &Snapshot,
    session: StoredSession,
) -> protocol::session::SessionSummary {
    let open = snapshot.reviews.open_of(&session.id).map(|review| review.proposal.id.to_string());
    let folder = session.folder.as_deref().map(|folder| from_path(folder, PathStyle::NATIVE));
    protocol::session::SessionSummary {
        session_id: session.id.to_string(),
        title: session.title,
        workspace_uri: folder.unwrap_or_default(),
        forked_from: session.forked_from.map(|id| id.to_string()),
        model: session.model,
        turn_count: count(session.turn_count),
        active_turn_id: session.active_turn.map(|id| id.to_string()),
        open_proposal_id: open,
        created_at: timestamp(session.created_at),
        updated_at: timestamp(session.updated_at),
    }
}

/// The part of a list that was asked for.
pub(crate) fn session_list(
    snapshot: &Snapshot,
    sessions: Vec<StoredSession>,
    params: &SessionListParams,
) -> protocol::session::SessionListResult {
    let total = count(sessions.len());
    let part = sessions.into_iter().skip(index(params.offset, 0)).take(index(params.limit, usize::MAX));
    let summary = |session| session_summary(snapshot, session);
    protocol::session::SessionListResult { sessions: part.map(summary).collect(), total }
}

/// A session with its turns, as far as they were asked for.
pub(crate) fn session(
    snapshot: &Snapshot,
    session: StoredSession,
    mut turns: Vec<StoredTurn>,
    params: &SessionShowParams,
) -> protocol::session::Session {
    let mut counted = Usage::default();
    for stored in &turns {
        counted += stored.turn.usage;
    }
    let before = params.before.as_deref();
    if let Some(end) = turns.iter().position(|stored| Some(stored.turn.id.as_str()) == before) {
        turns.truncate(end);
    }
    let earlier = turns.len().saturating_sub(index(params.limit, usize::MAX));
    protocol::session::Session {
        summary: session_summary(snapshot, session),
        turns: turns.into_iter().skip(earlier).map(session_turn).collect(),
        earlier: count(earlier),
        usage: usage(counted),
    }
}

fn index(asked: Option<u32>, default: usize) -> usize {
    asked.map_or(default, |asked| usize::try_from(asked).unwrap_or(usize::MAX))
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn session_turn(StoredTurn { turn, ended_at }: StoredTurn) -> protocol::session::SessionTurn {
    protocol::session::SessionTurn {
        turn_id: turn.id.to_string(),
        mode: match turn.mode {
            Mode::Ask => protocol::turn::Mode::Ask,
            Mode::Plan => protocol::turn::Mode::Plan,
            Mode::Agent => protocol::turn::Mode::Agent,
        },
        status: turn_status(&turn.status),
        error: turn_error(&turn.status),
        interruption_reason: interruption_reason(&turn.status),
        prompt: turn.prompt,
        reply: turn.reply,
        proposal_ids: turn.proposals.iter().map(ToString::to_string).collect(),
        usage: usage(turn.usage),
        started_at: timestamp(turn.started_at),
        ended_at: ended_at.map(timestamp),
    }
}
