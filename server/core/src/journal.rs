//! What the user decided, in order, so that it can be taken back and made again.
//!
//! Whether a decision is in force is not kept: it is read from the verdicts that the hunks have now. So a decision that the
//! editor's own undo took back, or another server, is not taken back a second time.

use std::collections::BTreeMap;

use crate::event::Decided;
use crate::id::{HunkId, ProposalId};
use crate::proposal::{Timestamp, Verdict};

/// One decision of the user's: what one command, or one edit in the editor, made of some hunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Whose hunks.
    pub proposal: ProposalId,
    /// When it was made.
    pub at: Timestamp,
    /// What it did to each.
    pub changes: Vec<Change>,
}

/// What a decision did to one hunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which hunk.
    pub hunk: HunkId,
    /// Its verdict before.
    pub before: Verdict,
    /// Its verdict since.
    pub after: Verdict,
}

/// The decisions of a workspace, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    acts: Vec<Act>,
}

/// Looks up the verdict that a hunk has now.
type Now<'a> = &'a dyn Fn(&ProposalId, &HunkId) -> Option<Verdict>;

impl Journal {
    /// Makes the journal of what was written down, oldest first.
    pub fn replay(decisions: &[Decided]) -> Self {
        let mut journal = Self::default();
        let mut now: BTreeMap<(ProposalId, HunkId), Verdict> = BTreeMap::new();
        for act in decisions.chunk_by(|one, next| one.act == next.act && one.proposal == next.proposal) {
            let mut changes = Vec::new();
            for decided in act {
                let key = (decided.proposal.clone(), decided.hunk.clone());
                let before = now.insert(key, decided.verdict.clone()).unwrap_or(Verdict::Undecided);
                changes.push(Change { hunk: decided.hunk.clone(), before, after: decided.verdict.clone() });
            }
            if let Some(first) = act.first() {
                let act = Act { proposal: first.proposal.clone(), at: first.at, changes };
                let verdict = |proposal: &ProposalId, hunk: &HunkId| {
                    now.get(&(proposal.clone(), hunk.clone())).cloned()
                };
                journal.record(act, &verdict);
            }
        }
        journal
    }

    /// Takes in what was just decided. What is no decision of the user's is left out.
    pub fn record(&mut self, mut act: Act, now: Now<'_>) {
        act.changes.retain(Change::is_decision);
        if act.changes.is_empty() {
            return;
        }
        let earlier = self.acts.iter().rposition(|known| !known.is_same(&act) && known.is_in_force(now));
        let first_undone = earlier.map_or(0, |index| index + 1);
        if self.acts.iter().skip(first_undone).any(|known| known.is_same(&act)) {
            // Made again, by us or by the editor's redo.
            return;
        }
        let mut index = 0;
        self.acts.retain(|known| {
            index += 1;
            index <= first_undone || known.proposal != act.proposal || known.is_in_force(now)
        });
        self.acts.push(act);
    }

    /// Returns the last decision that is in force, of a proposal or of all.
    pub fn undoable(&self, proposal: Option<&ProposalId>, now: Now<'_>) -> Option<&Act> {
        self.of(proposal).rev().find(|act| act.is_in_force(now))
    }

    /// Returns the decision that was taken back last, of a proposal or of all, if nothing was decided since.
    pub fn redoable(&self, proposal: Option<&ProposalId>, now: Now<'_>) -> Option<&Act> {
        let undone: Vec<&Act> = self.of(proposal).rev().take_while(|act| !act.is_in_force(now)).collect();
        undone.last().copied()
    }

    fn of(&self, proposal: Option<&ProposalId>) -> impl DoubleEndedIterator<Item = &Act> {
        self.acts.iter().filter(move |act| proposal.is_none_or(|proposal| act.proposal == *proposal))
    }
}

impl Act {
    /// Tells whether any of it still stands.
    fn is_in_force(&self, now: Now<'_>) -> bool {
        self.changes.iter().any(|change| change.is_in_force(&self.proposal, now))
    }

    fn is_same(&self, other: &Self) -> bool {
        let same =
            |one: &Change, other: &Change| one.hunk == other.hunk && one.after.says_the_same_as(&other.after);
        self.proposal == other.proposal
            && self.changes.len() == other.changes.len()
            && self.changes.iter().all(|one| other.changes.iter().any(|other| same(one, other)))
    }
}

impl Change {
    /// Tells whether the hunk still has the verdict.
    pub fn is_in_force(&self, proposal: &ProposalId, now: Now<'_>) -> bool {
        now(proposal, &self.hunk).is_some_and(|verdict| verdict.says_the_same_as(&self.after))
    }

    fn is_decision(&self) -> bool {
        matches!(self.after, Verdict::Accepted { .. } | Verdict::Rejected { .. })
            && !self.before.says_the_same_as(&self.after)
    }
}

#[cfg(test)]
mod tests;
