//! The audit: what the gate writes into it, and how it is read.

use std::path::PathBuf;
use std::sync::mpsc;

use kkcode_core::audit::{AuditEvent, AuditRecord};
use kkcode_core::effect::Refusal;
use kkcode_core::permission::engine::{Action, Call, Verdict};
use kkcode_core::turn::Turn;
pub use kkcode_store::{AuditBreak, AuditFilter, AuditRow, AuditState};
use kkcode_store::{Store, StoreError};

/// Reads rows of the audit of a home, oldest first. Blocks.
pub fn list(home: PathBuf, filter: AuditFilter) -> Result<Vec<AuditRow>, Refusal> {
    let (rows, read) = mpsc::channel();
    // The receiver waits below.
    Store::new(home).audited(filter, move |found| drop(rows.send(found)));
    received(&read)
}

/// Looks through the whole audit of a home. Blocks.
pub fn verify(home: PathBuf) -> Result<AuditState, Refusal> {
    let (state, read) = mpsc::channel();
    Store::new(home).verify_audit(move |found| drop(state.send(found)));
    received(&read)
}

fn received<T>(read: &mpsc::Receiver<Result<T, StoreError>>) -> Result<T, Refusal> {
    let found =
        read.recv().map_err(|error| Refusal::NotStored(format!("the store gave no answer: {error}")))?;
    found.map_err(|error| Refusal::NotStored(error.to_string()))
}

/// Returns the record of what was decided about a call without asking the user.
pub(crate) fn record(turn: &Turn, call: &Call, verdict: &Verdict) -> AuditRecord {
    let action = match &call.action {
        Action::Command { line, .. } => line.clone(),
        Action::Files { reads, writes, .. } => {
            let named = |what: &str, paths: &[String]| {
                (!paths.is_empty()).then(|| format!("{what} {}", paths.join(", ")))
            };
            let parts = [named("look at", reads), named("change", writes)];
            parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
        }
        Action::Fetch(address) => address.clone(),
        Action::Other(words) => words.clone(),
    };
    AuditRecord {
        event: AuditEvent::Decided,
        session: turn.session.clone(),
        turn: turn.id.clone(),
        prompt: None,
        tool: call.tool.clone(),
        action,
        decision: verdict.decision,
        by: verdict.source.to_string(),
        reason: verdict.reason.clone(),
    }
}
