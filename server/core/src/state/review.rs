//! What texts say about hunks: where they stand, which are in, and what follows for their verdicts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{State, persist};
use crate::document::Documents;
use crate::effect::{Commit, Derive, DurableEvent, EditorEffect, Effect, Record};
use crate::id::{HunkId, ProposalId};
use crate::lines::{Lines, TextHash};
use crate::placement::{Holds, Place, Placement};
use crate::proposal::{Proposal, Verdict};
use crate::review::{Review, Reviews};
use crate::turn::Turn;

impl State {
    /// Returns the question where the hunks of a file stand now; none if no hunk there depends on it.
    pub(super) fn derive(&mut self, proposal: &ProposalId, path: &Path) -> Option<Effect> {
        let review = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal)?;
        review.placements.remove(path);
        let file = review.proposal.file(path)?.clone();
        let open =
            |verdict: &Verdict| matches!(verdict, Verdict::Undecided | Verdict::Accepted { saved: false });
        if !file.hunks.iter().any(|hunk| hunk.base == file.base && open(&hunk.verdict)) {
            return None;
        }
        let revision = review.revision;
        let base = self.reviews.texts.get(&file.base)?.clone();
        let document = match self.documents.by_path(path) {
            Some(document) if document.out_of_sync => return None,
            Some(document) => Some((document.version, document.text.clone())),
            None => None,
        };
        Some(Effect::Derive(Derive { proposal: proposal.clone(), file, base, revision, document }))
    }

    pub(super) fn derived(
        &mut self,
        proposal: &ProposalId,
        path: &Path,
        revision: u64,
        version: Option<i32>,
        placement: Option<Placement>,
    ) -> Vec<Effect> {
        let now = self.documents.by_path(path).map(|document| document.version);
        let reviews = Arc::make_mut(&mut self.reviews);
        let mut effects = Vec::new();
        if let Some(review) = reviews.by_id.get_mut(proposal) {
            if review.revision != revision || now != version {
                return self.derive(proposal, path).into_iter().collect();
            }
            if let Some(placement) = placement {
                review.placements.insert(path.to_owned(), placement);
                effects = self.settle(path, std::slice::from_ref(proposal));
                effects.push(Effect::Editor(EditorEffect::Refresh(proposal.clone())));
            }
        }
        if version.is_none()
            && let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal)
        {
            // A file on the disk is looked at once: nobody tells us when it changes.
            review.placements.remove(path);
        }
        for (request, command) in std::mem::take(&mut self.waiting) {
            effects.extend(self.requested(request, command));
        }
        effects
    }

    /// Reads from the text which hunks of a file are in it: taken ones that were pending, lost ones that were taken.
    pub(super) fn read_verdicts(&mut self, id: &ProposalId, path: &Path, commit: &mut Commit) {
        // What an editor has open may not be on the disk, whatever it told us.
        let saved = self.documents.by_path(path).is_none();
        self.decide_by(id, path, commit, |verdict, holds| match (verdict, holds) {
            (Verdict::Undecided, Holds::New) => Some(Verdict::Accepted { saved }),
            (Verdict::Accepted { saved: false }, Holds::Old) => Some(Verdict::Undecided),
            (Verdict::Accepted { saved: false }, Holds::New) if saved => Some(Verdict::Accepted { saved }),
            _ => None,
        });
    }

    /// Takes note that the text of a file is on the disk: what was taken is final, whatever formatters made of it.
    pub(super) fn make_final(&mut self, path: &Path) -> Vec<Effect> {
        let ids: Vec<ProposalId> =
            self.reviews.placed(path).map(|(review, ..)| review.proposal.id.clone()).collect();
        let mut commit = Commit::default();
        for id in &ids {
            self.decide_by(id, path, &mut commit, |verdict, _| {
                (*verdict == Verdict::Accepted { saved: false }).then_some(Verdict::Accepted { saved: true })
            });
        }
        persist(commit).into_iter().collect()
    }

    /// Gives each placed hunk of a file the verdict that `read` finds in its present one and in the text.
    fn decide_by(
        &mut self,
        id: &ProposalId,
        path: &Path,
        commit: &mut Commit,
        read: impl Fn(&Verdict, Holds) -> Option<Verdict>,
    ) {
        let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(id) else { return };
        let Some((file, placement)) = review.proposal.file(path).zip(review.placements.get(path)) else {
            return;
        };
        let verdict_of =
            |place: &Place| Some((place.hunk.clone(), read(&file.hunk(&place.hunk)?.verdict, place.holds)?));
        let verdicts: Vec<(HunkId, Verdict)> = placement.places().iter().filter_map(verdict_of).collect();
        if verdicts.is_empty() {
            return;
        }
        for (hunk, verdict) in verdicts {
            review.decide(&hunk, verdict, commit);
        }
        changed_event(&self.documents, &self.reviews, id, commit);
    }

    pub(super) fn loaded(
        &mut self,
        proposals: Vec<Proposal>,
        texts: Vec<(TextHash, Arc<Lines>)>,
        turns: Vec<Turn>,
    ) -> Vec<Effect> {
        let old = std::mem::take(&mut self.reviews);
        let mut by_id = BTreeMap::new();
        let mut files = Vec::new();
        for proposal in proposals {
            let mut review = Review::new(proposal);
            // Questions that are still out are about the review that was.
            review.revision = old.get(&review.proposal.id).map_or(0, |old| old.revision + 1);
            files.extend(
                review.proposal.files.iter().map(|file| (review.proposal.id.clone(), file.path.clone())),
            );
            by_id.insert(review.proposal.id.clone(), review);
        }
        self.reviews = Arc::new(Reviews { by_id, texts: texts.into_iter().collect() });
        self.turns = Arc::new(turns.into_iter().map(|turn| (turn.id.clone(), turn)).collect());
        let mut effects: Vec<Effect> = files.iter().filter_map(|(id, path)| self.derive(id, path)).collect();
        effects.extend(self.reviews.by_id.keys().map(|id| Effect::Editor(EditorEffect::Refresh(id.clone()))));
        effects
    }
}

impl Review {
    /// Sets a verdict and writes it down.
    pub(super) fn decide(&mut self, hunk: &HunkId, verdict: Verdict, commit: &mut Commit) {
        self.applying.remove(hunk);
        self.revision += 1;
        let Some(found) = self.proposal.hunk_mut(hunk) else { return };
        found.verdict = verdict.clone();
        commit.records.push(Record::Decision {
            proposal: self.proposal.id.clone(),
            hunk: hunk.clone(),
            verdict,
        });
    }
}

/// Adds to a commit what clients are told of a proposal.
pub(super) fn changed_event(documents: &Documents, reviews: &Reviews, id: &ProposalId, commit: &mut Commit) {
    let Some(review) = reviews.get(id) else { return };
    let event = DurableEvent::ProposalChanged {
        proposal: id.clone(),
        state: review.proposal.state(),
        files: review.counts(documents),
    };
    commit.tell(event);
}
