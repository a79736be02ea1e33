//! The judge of one tool call: what it may look at, what it may change, and what the user has to be asked first.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kkcode_core::permission::Decision;
use kkcode_core::permission::capability::Capability;
use kkcode_core::permission::engine::{Action, Approval, Call, Policy, Source, Verdict, approval};
use kkcode_core::turn::Level;
use serde_json::Value;

use super::bounds::Bounds;
use super::policy::Holding;
use super::{judged, refusal};

/// What an edit may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// It is let into the text at once and reviewed afterwards.
    Applied,
    /// It is a proposal and waits for the user.
    Proposed,
}

/// Something that the user has to allow before a call can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// What it is.
    pub(crate) call: Call,
    /// Why it is asked.
    pub(crate) verdict: Verdict,
}

/// The judge of one tool call.
#[derive(Debug)]
pub(crate) struct Check {
    tool: String,
    capability: Capability,
    pub(super) policy: Policy,
    pub(super) holding: Arc<Holding>,
    /// The bounds of a subagent.
    bounds: Option<Bounds>,
    /// What the user let through for this call alone.
    granted: Vec<Approval>,
    /// Whether a path of the call was judged: the tool's name alone then says nothing more.
    named_a_path: AtomicBool,
    asked: Mutex<Option<Asked>>,
    /// What was decided, for the notes.
    decided: Mutex<Vec<(Call, Verdict)>>,
}

impl Check {
    pub(super) fn new(
        tool: &str,
        policy: Policy,
        holding: Arc<Holding>,
        granted: Vec<Approval>,
        bounds: Option<Bounds>,
    ) -> Self {
        Self {
            tool: tool.to_owned(),
            capability: Capability::of_tool(tool),
            policy,
            holding,
            bounds,
            granted,
            named_a_path: AtomicBool::new(false),
            asked: Mutex::default(),
            decided: Mutex::default(),
        }
    }

    /// Returns the level that holds: the turn's, or a stricter one that a file says.
    pub(crate) fn level(&self) -> Level {
        self.policy.level
    }

    /// Takes note that something is refused before it can be judged by a rule, for the reason given.
    pub(crate) fn refused(&self, action: Action, reason: &str) {
        let verdict =
            Verdict { decision: Decision::Deny, reason: reason.to_owned(), source: Source::BuiltIn };
        self.named_a_path.store(true, Ordering::Relaxed);
        self.note(&Call { tool: self.tool.clone(), action }, &verdict);
    }

    /// Takes note that a tool which names no path may be called.
    pub(crate) fn let_through(&self) {
        if !self.named_a_path.load(Ordering::Relaxed) {
            let call = self.call(None);
            let verdict = self.judge(&call);
            if verdict.decision == Decision::Allow {
                self.note(&call, &verdict);
            }
        }
    }

    /// Refuses a tool that may not be called at all, whatever its input is. What has to be asked is asked later, with more to show.
    pub(crate) fn tool(&self, input: &Value) -> Result<(), String> {
        let call = self.call(None);
        let verdict = self.judge(&call);
        if verdict.decision != Decision::Deny {
            return Ok(());
        }
        let action = Action::Other(crate::tool::title(&self.tool, input));
        self.note(&Call { action, ..call }, &verdict);
        Err(refusal(&verdict))
    }

    /// Refuses to look at a file or folder. If the user has to be asked, that is noted for [`Self::to_ask`].
    pub(crate) fn look(&self, path: &Path) -> Result<(), String> {
        self.named_a_path.store(true, Ordering::Relaxed);
        let call = self.look_call(path);
        let verdict = self.judge(&call);
        if verdict.decision != Decision::Ask {
            self.note(&call, &verdict);
        }
        match verdict.decision {
            Decision::Allow => Ok(()),
            Decision::Deny => Err(refusal(&verdict)),
            Decision::Ask => {
                let refusal = super::nobody_to_ask(&verdict);
                let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
                asked.get_or_insert(Asked { call, verdict });
                Err(refusal)
            }
        }
    }

    /// Tells whether a search may show what is in a file; nobody is asked.
    pub(crate) fn shows(&self, path: &Path) -> bool {
        self.judge(&self.look_call(path)).decision == Decision::Allow
    }

    /// Tells whether the name of a file may be told: what is asked before it is read has a name that is no secret.
    pub(crate) fn names(&self, path: &Path) -> bool {
        self.judge(&self.look_call(path)).decision != Decision::Deny
    }

    /// Judges an edit of a file: for one that would have to be asked, the pending hunk is the question.
    pub(crate) fn edit(&self, path: &Path) -> Result<Passage, String> {
        self.named_a_path.store(true, Ordering::Relaxed);
        let writes = vec![path.to_string_lossy().into_owned()];
        let action = Action::Files { reads: Vec::new(), writes, detail: String::new() };
        let call = Call { tool: self.tool.clone(), action };
        let verdict = self.judge(&call);
        self.note(&call, &verdict);
        match verdict.decision {
            Decision::Allow => Ok(Passage::Applied),
            Decision::Ask => Ok(Passage::Proposed),
            Decision::Deny => Err(refusal(&verdict)),
        }
    }

    /// Returns what was decided, once.
    pub(crate) fn take_decided(&self) -> Vec<(Call, Verdict)> {
        std::mem::take(&mut self.decided.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, call: &Call, verdict: &Verdict) {
        let mut decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        decided.push((call.clone(), verdict.clone()));
    }

    /// Returns what the user has to be asked before the call can go on.
    pub(crate) fn to_ask(&self) -> Option<Asked> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).take();
        let is_bare = !self.named_a_path.load(Ordering::Relaxed)
            && matches!(self.capability, Capability::Read | Capability::Search);
        asked.or_else(|| {
            let call = self.call(None);
            let verdict = self.judge(&call);
            (is_bare && verdict.decision == Decision::Ask).then_some(Asked { call, verdict })
        })
    }

    /// Decides about a call.
    pub(crate) fn judge(&self, call: &Call) -> Verdict {
        if let Some(reason) = self.bounds.as_ref().and_then(|bounds| bounds.refuses(&self.tool, call)) {
            return Verdict { decision: Decision::Deny, reason, source: Source::BuiltIn };
        }
        let mut verdict = judged(&self.holding, &self.policy, call);
        if verdict.decision == Decision::Ask && self.granted.contains(&self.approval(call)) {
            verdict.decision = Decision::Allow;
        }
        verdict
    }

    /// Returns the name of what a call would do.
    pub(crate) fn approval(&self, call: &Call) -> Approval {
        approval(&self.holding.ground, call)
    }

    /// Looking at a file is reading it, whatever tool does it and whatever it does then.
    fn look_call(&self, path: &Path) -> Call {
        let only_looks = matches!(self.capability, Capability::Read | Capability::Search);
        let call = self.call(Some(path));
        if only_looks { call } else { Call { tool: "read".to_owned(), ..call } }
    }

    fn call(&self, path: Option<&Path>) -> Call {
        let reads = path.map(|path| path.to_string_lossy().into_owned()).into_iter().collect();
        let action = Action::Files { reads, writes: Vec::new(), detail: String::new() };
        Call { tool: self.tool.clone(), action }
    }
}
