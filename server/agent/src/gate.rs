//! The gate: every tool call passes here before it does anything.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use futures::future::BoxFuture;
use kkcode_core::permission::Decision;
use kkcode_core::permission::engine::{Approval, Call, Verdict, decide};
use kkcode_core::state::Snapshot;
use kkcode_core::turn::{Level, Turn};
use tokio_util::sync::CancellationToken;

mod check;
mod disk;
pub mod learned;
pub mod policy;
pub mod rules;
pub mod trust;

pub(crate) use check::{Asked, Check, Passage};
use policy::{Holding, Surroundings};

/// What a tool would do outside of the files that the session sees: run something, fetch something, make a folder.
///
/// Whoever makes one has done nothing yet but look at its input. It is done when the gate lets it through, and only then.
pub(crate) struct Act {
    /// What it is, as the engine judges it.
    pub(crate) call: Call,
    /// What the user is asked, on one line.
    pub(crate) title: String,
    /// All of it: the whole command, the whole address.
    pub(crate) detail: String,
    /// What it needs beyond what is always allowed.
    pub(crate) reach: Reach,
    /// Does it; returns what the model is told.
    pub(crate) run: Box<dyn FnOnce(Permit) -> BoxFuture<'static, Result<String, String>> + Send>,
}

/// How far an act reaches beyond the workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// It uses the network.
    pub(crate) network: bool,
    /// It writes outside of the workspace and its temporary folder.
    pub(crate) writes_outside: bool,
}

/// The gate's word that one act may be done. Nobody else can make one.
#[derive(Clone, Debug)]
pub(crate) struct Permit {
    level: Level,
    reach: Reach,
    cancel: CancellationToken,
}

/// The gate of one turn. Reads files: its methods are not for the runtime's own thread unless they are async.
#[derive(Debug)]
pub(crate) struct Gate {
    surroundings: Surroundings,
    cancel: CancellationToken,
    read: Mutex<Option<Read>>,
}

/// What was read, and what the files were like then.
#[derive(Debug)]
struct Read {
    folders: Vec<PathBuf>,
    stamps: Vec<Option<(SystemTime, u64)>>,
    holding: Arc<Holding>,
}

impl Gate {
    /// Makes the gate of a turn that ends when `cancel` says so.
    pub(crate) fn new(surroundings: Surroundings, cancel: CancellationToken) -> Self {
        Self { surroundings, cancel, read: Mutex::default() }
    }

    /// Returns the judge of one call of a turn's tool. What the user let through for this call alone is in `granted`.
    pub(crate) fn check(&self, turn: &Turn, snapshot: &Snapshot, tool: &str, granted: &[Approval]) -> Check {
        let holding = self.holding(&snapshot.folders);
        // The user may have said otherwise since the turn began.
        let level = snapshot.turns.get(&turn.id).map_or(turn.level, |known| known.level);
        let policy = holding.policy(level, turn.mode.into(), Vec::new());
        Check::new(tool, policy, holding, granted.to_vec())
    }

    /// Decides about an act, asks the user if that is what the decision says, and lets it be done. Returns what the model is
    /// told.
    pub(crate) async fn pass(
        self: &Arc<Self>,
        turn: &Arc<Turn>,
        snapshot: &Arc<Snapshot>,
        act: Act,
    ) -> Result<String, String> {
        let Act { call, reach, run, .. } = act;
        let (gate, turn, snapshot) = (self.clone(), turn.clone(), snapshot.clone());
        let judged = tokio::task::spawn_blocking(move || {
            let check = gate.check(&turn, &snapshot, &call.tool, &[]);
            (check.judge(&call), check.level())
        });
        let (verdict, level) = judged.await.map_err(|error| {
            tracing::error!(%error, "the gate broke down");
            "refused: the permissions cannot be read, see the server's log".to_owned()
        })?;
        match verdict.decision {
            Decision::Allow => run(Permit { level, reach, cancel: self.cancel.clone() }).await,
            Decision::Ask => Err(nobody_to_ask(&verdict)),
            Decision::Deny => Err(refusal(&verdict)),
        }
    }

    /// Returns what holds in these folders, read again if one of the files is not as it was.
    fn holding(&self, folders: &[PathBuf]) -> Arc<Holding> {
        let stamps = policy::files(&self.surroundings, folders).map(|path| stamp(&path)).collect::<Vec<_>>();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        match &*read {
            Some(read) if read.folders == folders && read.stamps == stamps => read.holding.clone(),
            _ => {
                let cwd = folders.first().cloned().unwrap_or_else(|| PathBuf::from("/nonexistent"));
                let holding = Arc::new(policy::holding(&self.surroundings, folders, &cwd));
                *read = Some(Read { folders: folders.to_vec(), stamps, holding: holding.clone() });
                holding
            }
        }
    }
}

impl Permit {
    /// Returns the level that holds.
    pub(crate) fn level(&self) -> Level {
        self.level
    }

    /// Returns how far the act may reach.
    pub(crate) fn reach(&self) -> Reach {
        self.reach
    }

    /// Returns what says that the turn is over: whatever the act started ends then.
    pub(crate) fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Act").field("call", &self.call).field("reach", &self.reach).finish_non_exhaustive()
    }
}

/// Says that a call is refused, and by what.
pub(crate) fn refusal(verdict: &Verdict) -> String {
    format!("refused: {} ({})", verdict.reason, verdict.source)
}

/// Says that a call would need an answer that nobody can give.
pub(crate) fn nobody_to_ask(verdict: &Verdict) -> String {
    format!(
        "refused: the user would have to allow this, and cannot be asked: {} ({})",
        verdict.reason, verdict.source
    )
}

fn stamp(path: &std::path::Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Judges a call by what holds.
fn judged(holding: &Holding, policy: &kkcode_core::permission::engine::Policy, call: &Call) -> Verdict {
    decide(policy, &holding.ground, &disk::Disk, call)
}

#[cfg(test)]
mod tests;
