//! Sessions, in the client's words.

use kkcode_agent::sessions::{StoredSession, StoredTurn};
use kkcode_core::state::Snapshot;
use kkcode_core::turn::{Mode, Usage};
use kkcode_core::uri::{PathStyle, from_path};
use kkcode_protocol as protocol;

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
        turn_count: u32::try_from(session.turn_count).unwrap_or(u32::MAX),
        active_turn_id: session.active_turn.map(|id| id.to_string()),
        open_proposal_id: open,
        created_at: timestamp(session.created_at),
        updated_at: timestamp(session.updated_at),
    }
}

/// A session with its turns.
pub(crate) fn session(
    snapshot: &Snapshot,
    session: StoredSession,
    turns: Vec<StoredTurn>,
) -> protocol::session::Session {
    let mut counted = Usage::default();
    for stored in &turns {
        counted += stored.turn.usage;
    }
    protocol::session::Session {
        summary: session_summary(snapshot, session),
        turns: turns.into_iter().map(session_turn).collect(),
        usage: usage(counted),
    }
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
