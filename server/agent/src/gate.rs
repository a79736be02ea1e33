//! The gate: every tool call passes here before it does anything.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use futures::future::BoxFuture;
use kkcode_core::effect::Refusal;
use kkcode_core::event::Command;
use kkcode_core::id::ProposalId;
use kkcode_core::permission::Decision;
use kkcode_core::permission::engine::{Approval, Call, Source, Verdict, decide};
use kkcode_core::permission::heard::Heard;
use kkcode_core::prompt::Resolution;
use kkcode_core::state::Snapshot;
use kkcode_core::task::Delegate;
use kkcode_core::turn::Turn;
use kkcode_provider::request::Message;
use tokio_util::sync::CancellationToken;

use crate::audit;
use crate::config::is_config_file;
use crate::runtime::Handle;

pub mod agreed;
mod ask;
mod bounds;
mod check;
mod disk;
pub(crate) mod heard;
pub mod learned;
mod named;
pub mod policy;
pub mod rules;
pub mod trust;

use ask::{Offer, Settles, Shown, Yes};
pub(crate) use ask::{Questions, prompt};
use bounds::Bounds;
pub(crate) use check::{Asked, Check, Passage};
use heard::Hearing;
use policy::{Holding, Surroundings};
use rules::Problem;

/// What a tool would do outside of the files that the session sees: run something, fetch something, make a folder.
///
/// Whoever makes one has done nothing yet but look at its input. It is done when the gate lets it through, and only then.
pub(crate) struct Act {
    /// What it is, as the engine judges it.
    pub(crate) call: Call,
    /// What the user is asked, on one line.
    pub(crate) title: String,
    /// What the title leaves out: the whole command, the whole address, all paths.
    pub(crate) detail: String,
    /// What it needs beyond what is always allowed.
    pub(crate) reach: Reach,
    /// What the session proposes and it will not see, if that can be applied first.
    pub(crate) unseen: Option<ProposalId>,
    /// Why the user is asked even where it would be allowed.
    pub(crate) asked_anyway: Option<&'static str>,
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

impl Reach {
    /// Says how far it is.
    fn describe(self) -> &'static str {
        match (self.network, self.writes_outside) {
            (false, false) => "inside the workspace",
            (true, false) => "with the network",
            (false, true) => "with writes outside of the workspace",
            (true, true) => "with the network and writes outside of the workspace",
        }
    }
}

/// The gate's word that one act may be done. Nobody else can make one.
#[derive(Clone, Debug)]
pub(crate) struct Permit {
    reach: Reach,
    gate: Arc<Gate>,
    turn: Arc<Turn>,
    call: Call,
    title: String,
    detail: String,
    applied_first: bool,
}

/// The gate of one turn. Reads files: its methods are not for the runtime's own thread unless they are async.
#[derive(Debug)]
pub(crate) struct Gate {
    surroundings: Surroundings,
    cancel: CancellationToken,
    /// The bounds of a subagent.
    delegate: Option<Arc<Delegate>>,
    /// The way to the user.
    user: Option<Handle>,
    read: Mutex<Option<Read>>,
    /// What is wrong with the files, as far as the user was not told.
    problems: Mutex<Vec<Problem>>,
    /// What came from the network into the conversation.
    hearing: Mutex<Hearing>,
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
        Self {
            surroundings,
            cancel,
            delegate: None,
            user: None,
            read: Mutex::default(),
            problems: Mutex::default(),
            hearing: Mutex::default(),
        }
    }

    /// Says by which way the user is asked.
    pub(crate) fn asking(self, user: Handle) -> Self {
        Self { user: Some(user), ..self }
    }

    /// Says within which bounds the agent works, if it is a subagent.
    pub(crate) fn within(self, delegate: Option<Arc<Delegate>>) -> Self {
        Self { delegate, ..self }
    }

    /// Returns the judge of one call of a turn's tool. What the user let through for this call alone is in `granted`.
    pub(crate) fn check(&self, turn: &Turn, snapshot: &Snapshot, tool: &str, granted: &[Approval]) -> Check {
        let holding = self.holding(&snapshot.folders);
        // The user may have said otherwise since the turn began.
        let level = snapshot.chosen_levels.get(&turn.id).copied().unwrap_or(holding.level);
        let mut policy = holding.policy(level, turn.mode.into(), snapshot.approvals(&turn.session));
        policy.heard = self.heard(turn, snapshot);
        let folder = snapshot.folders.first().cloned().unwrap_or_default();
        let bounds = self.delegate.clone().map(|delegate| Bounds { delegate, folder });
        Check::new(tool, policy, holding, granted.to_vec(), bounds)
    }

    /// Tells whether the turn was cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Takes in what is new in the turn's conversation.
    pub(crate) fn hear(&self, messages: &[Message]) {
        self.hearing.lock().unwrap_or_else(PoisonError::into_inner).read(messages);
    }

    /// Returns what came from the network into the conversation.
    fn heard(&self, turn: &Turn, snapshot: &Snapshot) -> Option<Arc<Heard>> {
        // What an agent gives away to another is not the user's word.
        let of_user = |other: &&Turn| self.delegate.is_none() && other.session == turn.session;
        let prompts = snapshot.turns.values().filter(of_user).map(|turn| turn.prompt.as_str());
        let hearing = self.hearing.lock().unwrap_or_else(PoisonError::into_inner);
        hearing.heard(prompts).map(Arc::new)
    }

    /// Decides about an act, asks the user if that is what the decision says, and lets it be done. Returns what came of it, as
    /// the model is told; as an error what the model is told of an act that was not let through.
    pub(crate) async fn pass(
        self: &Arc<Self>,
        turn: &Arc<Turn>,
        snapshot: &Arc<Snapshot>,
        act: Act,
    ) -> Result<Result<String, String>, String> {
        let Act { call, title, detail, reach, unseen, asked_anyway, run } = act;
        let (gate, owner, seen, wanted) = (self.clone(), turn.clone(), snapshot.clone(), call.clone());
        let judged = tokio::task::spawn_blocking(move || {
            let check = gate.check(&owner, &seen, &wanted.tool, &[]);
            let mut verdict = check.judge(&wanted);
            let mut offer = check.offer(&wanted, &verdict);
            let mut settles = Settles::Verdict;
            if let Some(why) = asked_anyway.filter(|_| verdict.decision != Decision::Deny) {
                verdict =
                    Verdict { decision: Decision::Ask, reason: why.to_owned(), source: Source::BuiltIn };
                (offer, settles) = (Offer::default(), Settles::User);
            }
            (verdict, offer, settles)
        });
        let (verdict, mut offer, settles) = judged.await.map_err(|error| broken(&error))?;
        offer.applies_first = unseen.is_some();
        let said = match verdict.decision {
            Decision::Allow => Yes::default(),
            Decision::Ask => {
                let shown =
                    Shown { title: title.clone(), detail: detail.clone(), diff: None, offer, settles };
                self.ask_of_files(turn, snapshot, &call, &verdict, shown).await?
            }
            Decision::Deny => {
                self.note(turn, &call, &verdict, None);
                return Err(refusal(&verdict));
            }
        };
        if verdict.decision == Decision::Allow {
            self.note(turn, &call, &verdict, None);
        }
        let applied_first = said.applies_first;
        if applied_first && let (Some(proposal), Some(user)) = (unseen, &self.user) {
            match user.request(Command::Apply { proposal }).await {
                // The user has decided them all meanwhile.
                Ok(_) | Err(Refusal::NothingToDecide(_)) => {}
                Err(refusal) => {
                    return Ok(Err(format!("not run: the pending edits could not be applied: {refusal}")));
                }
            }
        }
        let (gate, turn) = (self.clone(), turn.clone());
        let done = run(Permit { reach, gate, turn, call, title, detail, applied_first }).await;
        Ok(match said.feedback {
            Some(said) => done.map(|text| format!("{text}\n(the user allowed this and says: {said})")),
            None => done,
        })
    }

    /// Asks the user about an act, and once more when a file that it names has changed until the answer.
    async fn ask_of_files(
        self: &Arc<Self>,
        turn: &Arc<Turn>,
        snapshot: &Arc<Snapshot>,
        call: &Call,
        verdict: &Verdict,
        mut shown: Shown,
    ) -> Result<Yes, String> {
        let look = || {
            let (gate, folders, call) = (self.clone(), snapshot.folders.clone(), call.clone());
            tokio::task::spawn_blocking(move || named::named(&gate.holding(&folders), &call))
        };
        let mut verdict = verdict.clone();
        let mut before = look().await.map_err(|error| broken(&error))?;
        loop {
            let said = self.ask(turn, call, &verdict, shown.clone()).await?;
            let now = look().await.map_err(|error| broken(&error))?;
            let Some(file) = named::changed(&before, &now) else { return Ok(said) };
            verdict.reason = format!("`{}` has changed since you were asked", file.display());
            before = now;
            // Whatever was allowed by then was allowed for the file as it was.
            shown.settles = Settles::User;
        }
    }

    /// Takes note of a decision, and of the answer if the user was asked.
    pub(crate) fn note(&self, turn: &Turn, call: &Call, verdict: &Verdict, answer: Option<&Resolution>) {
        let (decision, answer) = (verdict.decision, answer.map(|answer| (&answer.answer, &answer.by)));
        tracing::debug!(turn = %turn.id, tool = %call.tool, ?decision, source = %verdict.source, ?answer, "decided");
        // What the user is asked, and answers, is written down together with the prompt.
        let (None, Some(user)) = (answer, &self.user) else { return };
        user.store().audit(audit::record(turn, call, verdict), |written| {
            if let Err(error) = written {
                tracing::error!(%error, "a decision is not in the audit");
            }
        });
    }

    /// Returns what is wrong with the files that were read, each once.
    pub(crate) fn take_problems(&self) -> Vec<Problem> {
        std::mem::take(&mut self.problems.lock().unwrap_or_else(PoisonError::into_inner))
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
                let known = |problem: &&Problem| {
                    read.as_ref().is_some_and(|read| read.holding.problems.contains(problem))
                };
                // What is wrong with the configuration is told by whoever reads the rest of it.
                let is_told = |problem: &&Problem| is_config_file(&problem.file) || known(problem);
                let news = holding.problems.iter().filter(|problem| !is_told(problem)).cloned();
                self.problems.lock().unwrap_or_else(PoisonError::into_inner).extend(news);
                *read = Some(Read { folders: folders.to_vec(), stamps, holding: holding.clone() });
                holding
            }
        }
    }
}

impl Permit {
    /// Returns how far the act may reach.
    pub(crate) fn reach(&self) -> Reach {
        self.reach
    }

    /// Tells whether the session's pending edits were let into their files for the act.
    pub(crate) fn applied_first(&self) -> bool {
        self.applied_first
    }

    /// Takes note that the act was refused more, for the reason given.
    pub(crate) fn refused(&self, reason: &str) {
        let (decision, reason) = (Decision::Deny, reason.to_owned());
        self.gate.note(&self.turn, &self.call, &Verdict { decision, reason, source: Source::BuiltIn }, None);
    }

    /// Returns what says that the turn is over: whatever the act started ends then.
    pub(crate) fn cancel(&self) -> &CancellationToken {
        &self.gate.cancel
    }

    /// Asks the user whether the same may be done once more and reach further, for the reason given. Returns the permit for
    /// that, or what the model is told instead.
    pub(crate) async fn widened(&self, reach: Reach, reason: &str) -> Result<Self, String> {
        let source = Source::BuiltIn;
        let verdict = Verdict { decision: Decision::Ask, reason: reason.to_owned(), source };
        let title = format!("{}, {}", self.title, reach.describe());
        // What was shown and may be allowed for longer is the act without this.
        let detail = self.detail.clone();
        let shown = Shown { title, detail, diff: None, offer: Offer::default(), settles: Settles::User };
        self.gate.ask(&self.turn, &self.call, &verdict, shown).await?;
        Ok(Self { reach, ..self.clone() })
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

/// Says that the gate itself failed: nothing passes then.
fn broken(error: &dyn fmt::Display) -> String {
    tracing::error!(%error, "the gate broke down");
    "refused: the permissions cannot be read, see the server's log".to_owned()
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
