//! What texts say about hunks: where they stand, which are in, and what follows for their verdicts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{Outcome, State, Waiting, persist};
use crate::comment::Comment;
use crate::document::Documents;
use crate::effect::{Commit, Derive, DurableEvent, EditorEffect, Effect, Record, Refusal, Reply};
use crate::event::{Command, Known};
use crate::id::{HunkId, ProposalId, RequestId};
use crate::journal::Journal;
use crate::lines::TextHash;
use crate::placement::{Holds, Place, Placement};
use crate::proposal::Verdict;
use crate::review::{Aim, Review, Reviews};

impl State {
    /// Returns the question where the hunks of a file stand now; none if no hunk there depends on it.
    pub(super) fn derive(&mut self, proposal: &ProposalId, path: &Path) -> Option<Effect> {
        let review = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal)?;
        review.placements.remove(path);
        let file = review.proposal.file(path)?.clone();
        if file.bases(|hunk| review.wanted.contains(hunk)).is_empty() {
            return None;
        }
        let revision = review.revision;
        let wanted = review.wanted.clone();
        let bases = file.bases(|hunk| wanted.contains(hunk));
        let text = |base: &&TextHash| Some(((*base).clone(), self.reviews.texts.get(*base)?.clone()));
        let texts = bases.iter().filter_map(text).collect();
        let document = match self.documents.by_path(path) {
            Some(document) if document.out_of_sync => return None,
            Some(document) => Some((document.version, document.text.clone())),
            None => None,
        };
        Some(Effect::Derive(Derive { proposal: proposal.clone(), file, texts, wanted, revision, document }))
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
        for waiting in std::mem::take(&mut self.waiting) {
            effects.extend(match waiting {
                waiting @ Waiting::Recall(..) => {
                    self.waiting.push(waiting);
                    continue;
                }
                Waiting::Request(request, command) => self.requested(request, *command),
                Waiting::Apply(proposal, hunks) => self.try_to_apply(proposal, hunks),
                Waiting::Withdraw(proposal, hunks) => self.withdraw(&proposal, hunks),
            });
        }
        effects
    }

    /// Lets hunks into the text that the level allows, now or when it is known where they stand.
    pub(super) fn try_to_apply(&mut self, proposal: ProposalId, hunks: Vec<HunkId>) -> Vec<Effect> {
        let Some(review) = self.reviews.get(&proposal) else { return Vec::new() };
        let files = hunks.iter().filter_map(|hunk| review.proposal.hunk(hunk)).map(|(file, _)| file);
        if files.into_iter().any(|file| self.is_looked_for(review, file)) {
            self.waiting.push(Waiting::Apply(proposal, hunks));
            return Vec::new();
        }
        self.apply_now(&proposal, &hunks)
    }

    /// Reads from the text which hunks of a file are in it: taken ones that were pending, lost ones that were taken, and
    /// those whose edit we asked for.
    pub(super) fn read_verdicts(&mut self, id: &ProposalId, path: &Path, commit: &mut Commit) {
        // What an editor has open may not be on the disk, whatever it told us.
        let saved = self.documents.by_path(path).is_none();
        self.decide_by(id, path, commit, |verdict, holds, aim| {
            if let Some(aim) = aim {
                let arrived = if aim.is_in_text() { holds == Holds::New } else { holds == Holds::Old };
                return arrived.then(|| aim.clone().with_saved(saved));
            }
            match (verdict, holds) {
                (Verdict::Undecided, Holds::New) => Some(Verdict::Accepted { saved }),
                (Verdict::Accepted { saved: false }, Holds::Old | Holds::Over) => Some(Verdict::Undecided),
                (Verdict::Accepted { saved: false } | Verdict::Applied { saved: false }, Holds::New)
                    if saved =>
                {
                    Some(verdict.clone().with_saved(saved))
                }
                _ => None,
            }
        });
    }

    /// Takes note that the text of a file is on the disk: what was taken is final, whatever formatters made of it.
    pub(super) fn make_final(&mut self, path: &Path) -> Vec<Effect> {
        let ids: Vec<ProposalId> =
            self.reviews.placed(path).map(|(review, ..)| review.proposal.id.clone()).collect();
        let mut commit = Commit::default();
        for id in &ids {
            self.decide_by(id, path, &mut commit, |verdict, holds, _| match verdict {
                Verdict::Accepted { saved: false } => Some(verdict.clone().with_saved(true)),
                Verdict::Applied { saved: false } if holds == Holds::New => {
                    Some(verdict.clone().with_saved(true))
                }
                _ => None,
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
        read: impl Fn(&Verdict, Holds, Option<&Verdict>) -> Option<Verdict>,
    ) {
        let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(id) else { return };
        let Some((file, placement)) = review.proposal.file(path).zip(review.placements.get(path)) else {
            return;
        };
        let verdict_of = |place: &Place| {
            let hunk = file.hunk(&place.hunk).filter(|hunk| !review.elsewhere.contains(&hunk.id))?;
            let aim = review.applying.get(&hunk.id).map(|aim| &aim.verdict);
            Some((hunk.id.clone(), read(&hunk.verdict, place.holds, aim)?))
        };
        let verdicts: Vec<(HunkId, Verdict)> = placement.places().filter_map(verdict_of).collect();
        if verdicts.is_empty() {
            return;
        }
        for (hunk, verdict) in verdicts {
            review.decide(&hunk, verdict, commit);
        }
        changed_event(&self.documents, &self.reviews, id, commit);
    }

    pub(super) fn loaded(&mut self, known: Known) -> Vec<Effect> {
        let Known { proposals, texts, comments, decisions, elsewhere, turns, prompts } = known;
        let old = std::mem::take(&mut self.reviews);
        let mut by_id = BTreeMap::new();
        let mut files = Vec::new();
        for proposal in proposals {
            let mut review = Review::new(proposal);
            let id = review.proposal.id.clone();
            if let Some(old) = old.get(&id) {
                // Questions that are still out are about the review that was; edits that are out are about this one too.
                review.revision = old.revision + 1;
                let same = |hunk: &HunkId| {
                    let before = old.proposal.hunk(hunk).map(|(_, hunk)| &hunk.verdict);
                    before == review.proposal.hunk(hunk).map(|(_, hunk)| &hunk.verdict)
                };
                review.applying = old.applying.clone().into_iter().filter(|(hunk, _)| same(hunk)).collect();
                review.wanted.clone_from(&old.wanted);
            }
            let of_this = |(proposal, _): &&(ProposalId, _)| *proposal == id;
            review.elsewhere = elsewhere.iter().filter(of_this).map(|(_, hunk)| hunk.clone()).collect();
            let of_this = |(proposal, _): &&(ProposalId, Comment)| *proposal == id;
            review.comments = comments.iter().filter(of_this).map(|(_, comment)| comment.clone()).collect();
            files.extend(review.proposal.files.iter().map(|file| (id.clone(), file.path.clone())));
            by_id.insert(id, review);
        }
        self.reviews = Arc::new(Reviews { by_id, texts: texts.into_iter().collect() });
        self.turns = Arc::new(turns.into_iter().map(|turn| (turn.id.clone(), turn)).collect());
        self.journal = Journal::replay(&decisions);
        let mut effects: Vec<Effect> = files.iter().filter_map(|(id, path)| self.derive(id, path)).collect();
        effects.extend(self.reviews.by_id.keys().map(|id| Effect::Editor(EditorEffect::Refresh(id.clone()))));
        let is_recall = |waiting: &mut Waiting| matches!(waiting, Waiting::Recall(..));
        let recalls: Vec<Waiting> = self.waiting.extract_if(.., is_recall).collect();
        for recall in recalls {
            if let Waiting::Recall(request, start) = recall {
                effects.extend(self.requested(request, Command::StartTurn(*start)));
            }
        }
        // What waited for places that are looked for no more would wait for ever.
        if !effects.iter().any(|effect| matches!(effect, Effect::Derive(_))) {
            for waiting in std::mem::take(&mut self.waiting) {
                if let Waiting::Request(request, command) = waiting {
                    effects.extend(self.requested(request, *command));
                }
            }
        }
        effects.extend(self.prompts_loaded(prompts));
        effects
    }

    pub(super) fn comment(&mut self, request: RequestId, proposal: &ProposalId, comment: Comment) -> Outcome {
        let review = self.reviews.review(proposal)?;
        if review.proposal.file(&comment.path).is_none() {
            return Err(Refusal::Unknown { what: "file", id: comment.path.display().to_string() });
        }
        if let Some(hunk) = comment.hunk.as_ref().filter(|hunk| review.proposal.hunk(hunk).is_none()) {
            return Err(Refusal::Unknown { what: "hunk", id: hunk.to_string() });
        }
        if let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal) {
            review.comments.push(comment.clone());
        }
        let record = Record::Comment { proposal: proposal.clone(), comment };
        let commit = Commit { records: vec![record], events: Vec::new() };
        Ok(vec![Effect::Persist(commit), Effect::Reply(request, Ok(Reply::Commented))])
    }
}

impl Review {
    /// Writes down what is about to be written into a file, before it is: so that of two servers one does it, and that after
    /// a crash the file is asked. Returns the verdict that the hunk had.
    pub(super) fn claim(
        &mut self,
        hunk: &HunkId,
        wanted: &Verdict,
        attempt: u64,
        commit: &mut Commit,
    ) -> Option<(HunkId, Verdict)> {
        let before = self.proposal.hunk(hunk)?.1.verdict.clone();
        let claimed = if wanted.is_in_text() { wanted.clone() } else { before.clone() };
        if claimed.is_in_text() {
            self.decide(hunk, claimed.with_saved(false), commit);
        }
        self.applying.insert(hunk.clone(), Aim { attempt, verdict: wanted.clone() });
        Some((hunk.clone(), before))
    }

    /// Sets a verdict and writes it down.
    pub(super) fn decide(&mut self, hunk: &HunkId, verdict: Verdict, commit: &mut Commit) {
        self.applying.remove(hunk);
        self.wanted.remove(hunk);
        self.elsewhere.remove(hunk);
        self.revision += 1;
        let Some(found) = self.proposal.hunk_mut(hunk) else { return };
        if !found.verdict.says_the_same_as(&verdict) {
            found.told = false;
        }
        let before = std::mem::replace(&mut found.verdict, verdict.clone());
        commit.records.push(Record::Decision {
            proposal: self.proposal.id.clone(),
            hunk: hunk.clone(),
            before,
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
