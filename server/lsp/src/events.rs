//! `kkcode/events/since`: what happened while a client was away.

use kkcode_core::effect::DurableEvent;
use kkcode_core::proposal::Timestamp;
use kkcode_core::state::Snapshot;
use kkcode_core::turn::TurnStatus;
use kkcode_protocol::events::{Event, EventBody, EventsSinceParams, EventsSinceResult, TurnText};
use kkcode_protocol::proposal::ProposalChange;
use kkcode_protocol::turn::TurnOutcome;
use tower_lsp::jsonrpc::Result;

use crate::session::Session;
use crate::{error, to_proto};

/// How many events one answer has at most.
const MOST: usize = 1_000;

/// Returns the durable events of this workspace behind a number, and what running turns have said so far.
pub(crate) async fn since(session: &Session, params: EventsSinceParams) -> Result<EventsSinceResult> {
    let snapshot = session.snapshot().await?;
    let read = session.handle().events_since(params.seq).await;
    let read = read.ok_or_else(|| error::failed("the server is shutting down"))?;
    let read = read.map_err(|e| error::failed(format!("kkcode cannot read its store: {e}")))?;
    let mut next_seq = params.seq;
    let mut events = Vec::new();
    for (seq, at, happened) in read {
        if events.len() == MOST {
            break;
        }
        next_seq = next_seq.max(seq);
        if let DurableEvent::TaskChanged { task, .. } = &happened {
            let task = session.task(&snapshot, task).await;
            events.extend(task.map(|task| {
                let task_id = Some(task.task_id.clone());
                let body = EventBody::TaskChanged { task: Box::new(task) };
                Event { seq, at: to_proto::timestamp(at), task_id, body }
            }));
            continue;
        }
        events.extend(event(&snapshot, seq, at, happened));
    }
    let running = snapshot.turns.values().filter(|turn| turn.status == TurnStatus::Running);
    let turns = running.map(|turn| TurnText {
        turn_id: turn.id.to_string(),
        text: session.said_so_far(&turn.id).unwrap_or_default(),
    });
    Ok(EventsSinceResult { events, next_seq, turns: turns.collect() })
}

/// Returns an event on the wire; none for one of another workspace.
fn event(snapshot: &Snapshot, seq: u64, at: Timestamp, happened: DurableEvent) -> Option<Event> {
    let body = match happened {
        DurableEvent::ProposalChanged { proposal, state, files } => {
            snapshot.reviews.get(&proposal)?;
            EventBody::ProposalChanged(ProposalChange {
                proposal_id: proposal.to_string(),
                state: to_proto::review_state(state),
                files: files.into_iter().map(to_proto::file_count).collect(),
            })
        }
        DurableEvent::TurnFinished { turn, .. } => {
            let turn = snapshot.turns.get(&turn)?;
            EventBody::TurnFinished(TurnOutcome {
                turn_id: turn.id.to_string(),
                status: to_proto::turn_status(&turn.status),
                reply: turn.reply.clone(),
                error: to_proto::turn_error(&turn.status),
                interruption_reason: to_proto::interruption_reason(&turn.status),
                proposal_ids: turn.proposals.iter().map(ToString::to_string).collect(),
            })
        }
        DurableEvent::Asked { prompt } => {
            snapshot.turns.get(&prompt.turn)?;
            match (to_proto::permission_prompt(&prompt), to_proto::question_prompt(&prompt)) {
                (Some(prompt), _) => EventBody::PermissionAsked(prompt),
                (None, prompt) => EventBody::QuestionAsked(prompt?),
            }
        }
        DurableEvent::Resolved { prompt, turn, is_question, resolution } => {
            snapshot.turns.get(&turn)?;
            if is_question {
                EventBody::QuestionResolved(to_proto::question_resolution(prompt.as_str(), &resolution))
            } else {
                EventBody::PermissionResolved(to_proto::permission_resolution(prompt.as_str(), &resolution))
            }
        }
        // Its record is read for it.
        DurableEvent::TaskChanged { .. } => return None,
    };
    Some(Event { seq, at: to_proto::timestamp(at), task_id: None, body })
}
