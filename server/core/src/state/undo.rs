//! How decisions are taken back and made again.

use std::sync::Arc;

use super::steer::Wish;
use super::{Outcome, State, verdict_of};
use crate::effect::{Commit, Effect, Refusal, Reply};
use crate::event::Command;
use crate::id::{ProposalId, RequestId};
use crate::journal::Act;
use crate::proposal::Verdict;

/// Which way the journal is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Back,
    Again,
}

impl State {
    pub(super) fn undo(&mut self, request: RequestId, proposal: Option<&ProposalId>) -> Outcome {
        let now = |proposal: &ProposalId, hunk: &_| verdict_of(&self.reviews, proposal, hunk);
        let act = self.journal.undoable(proposal, &now).cloned();
        self.repeat(request, act, Way::Back, || Command::Undo { proposal: proposal.cloned() })
    }

    pub(super) fn redo(&mut self, request: RequestId, proposal: Option<&ProposalId>) -> Outcome {
        let now = |proposal: &ProposalId, hunk: &_| verdict_of(&self.reviews, proposal, hunk);
        let act = self.journal.redoable(proposal, &now).cloned();
        self.repeat(request, act, Way::Again, || Command::Redo { proposal: proposal.cloned() })
    }

    fn repeat(
        &mut self,
        request: RequestId,
        act: Option<Act>,
        way: Way,
        again: impl Fn() -> Command,
    ) -> Outcome {
        let Some(act) = act else {
            return Ok(vec![Effect::Reply(request, Ok(Reply::Decision(None)))]);
        };
        let mut wishes: Vec<Wish> = Vec::new();
        for change in &act.changes {
            let now = verdict_of(&self.reviews, &act.proposal, &change.hunk);
            let (expected, wanted) = match way {
                Way::Back => (&change.after, &change.before),
                Way::Again => (&change.before, &change.after),
            };
            if now.is_some_and(|now| now.says_the_same_as(expected)) {
                wishes.push(Wish { hunk: change.hunk.clone(), verdict: wanted.clone() });
            }
        }
        if wishes.is_empty() {
            return Err(Refusal::NothingToDecide(format!("proposal `{}`", act.proposal)));
        }
        if self.has_to_look(&act.proposal, &wishes)? {
            let effects = self.look_for(&act.proposal, &wishes);
            self.later(request, again());
            return Ok(effects);
        }
        let outcome = self.steer(
            Some((request, Reply::Decision(Some(act.clone())))),
            &act.proposal,
            &wishes,
            Commit::default(),
        )?;
        // A hunk that stands nowhere now is looked for like any other that waits.
        let mut effects = outcome;
        effects.extend(self.look_again(&act.proposal, &wishes));
        Ok(effects)
    }

    /// Tells whether one of the hunks has no known place in an open document.
    fn has_to_look(&self, proposal: &ProposalId, wishes: &[Wish]) -> Result<bool, Refusal> {
        let review = self.reviews.review(proposal)?;
        Ok(wishes.iter().any(|wish| {
            let Some((file, hunk)) = review.proposal.hunk(&wish.hunk) else { return false };
            if self.documents.by_path(&file.path).is_none_or(|document| document.out_of_sync) {
                return false;
            }
            let touches_text = hunk.verdict.is_in_text() || wish.verdict.is_in_text();
            match review.placement(&file.path) {
                None => touches_text,
                Some(placement) => {
                    touches_text
                        && placement.place(&wish.hunk).is_none()
                        && !review.wanted.contains(&wish.hunk)
                }
            }
        }))
    }

    fn look_for(&mut self, proposal: &ProposalId, wishes: &[Wish]) -> Vec<Effect> {
        let mut paths = Vec::new();
        if let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal) {
            for wish in wishes {
                review.wanted.insert(wish.hunk.clone());
                let path = review.proposal.hunk(&wish.hunk).map(|(file, _)| file.path.clone());
                paths.extend(path.filter(|path| !paths.contains(path)));
            }
        }
        paths.iter().filter_map(|path| self.derive(proposal, path)).collect()
    }

    /// Returns the questions where hunks stand that had no place and are undecided again.
    fn look_again(&mut self, proposal: &ProposalId, wishes: &[Wish]) -> Vec<Effect> {
        let mut paths = Vec::new();
        if let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal) {
            for wish in wishes {
                let Some((file, hunk)) = review.proposal.hunk(&wish.hunk) else { continue };
                let placed =
                    review.placements.get(&file.path).is_some_and(|all| all.place(&hunk.id).is_some());
                if hunk.verdict == Verdict::Undecided && !placed && !paths.contains(&file.path) {
                    paths.push(file.path.clone());
                }
            }
        }
        paths.iter().filter_map(|path| self.derive(proposal, path)).collect()
    }
}
