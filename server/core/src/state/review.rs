//! How hunks are decided: by the user's word, by the editor's text, by our own write.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Outcome, State, persist};
use crate::document::Documents;
use crate::effect::{
    Commit, Derive, DocumentEdit, DurableEvent, EditorEffect, Effect, Record, Refusal, Reply,
};
use crate::event::{Command, Event};
use crate::id::{HunkId, ProposalId, RequestId};
use crate::lines::{Lines, TextHash};
use crate::placement::{Holds, Place, Placement};
use crate::proposal::{Proposal, Verdict};
use crate::review::{HunkState, Review, Reviews, accept_edit};
use crate::turn::Turn;

/// How long an edit that the editor calls applied may take to show in the text.
const EDIT_PATIENCE: Duration = Duration::from_secs(10);

impl State {
    pub(super) fn accept_hunk(&mut self, request: RequestId, proposal: ProposalId, hunk: HunkId) -> Outcome {
        let review = review_of(&self.reviews, &proposal)?;
        let (file, found) = hunk_of(review, &hunk)?;
        match review.state(file, found) {
            HunkState::Pending => {}
            HunkState::Stale => return Err(Refusal::Stale(hunk)),
            state => return Err(Refusal::Decided { hunk, state: state.name() }),
        }
        let Some(document) = self.documents.by_path(&file.path) else {
            let base = self.reviews.text_of(file)?.clone();
            return Ok(vec![Effect::WriteFile { request, proposal, hunk, file: file.clone(), base }]);
        };
        if document.out_of_sync {
            return Err(Refusal::OutOfSync(document.uri.as_str().to_owned()));
        }
        let Some(placement) = review.placement(&file.path) else {
            self.waiting.push((request, Command::AcceptHunk { proposal, hunk }));
            return Ok(Vec::new());
        };
        let Some(place) = placement.place(&hunk) else { return Err(Refusal::Stale(hunk)) };
        let edit = DocumentEdit {
            uri: document.uri.clone(),
            version: document.version,
            edits: vec![accept_edit(document, place, found, self.encoding)],
            label: format!("Accept hunk: {}", review.proposal.title),
            proposal: proposal.clone(),
            hunks: vec![hunk.clone()],
        };
        self.attempts += 1;
        if let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(&proposal) {
            review.applying.insert(hunk, self.attempts);
        }
        Ok(vec![
            Effect::Reply(request, Ok(Reply::Applying)),
            Effect::Editor(EditorEffect::ApplyEdit(edit)),
            Effect::Editor(EditorEffect::Refresh(proposal)),
        ])
    }

    pub(super) fn reject_hunk(
        &mut self,
        request: RequestId,
        proposal: &ProposalId,
        hunk: &HunkId,
        reason: Option<String>,
    ) -> Outcome {
        let review = review_of(&self.reviews, proposal)?;
        let (file, found) = hunk_of(review, hunk)?;
        match review.state(file, found) {
            HunkState::Pending | HunkState::Stale => {}
            state => return Err(Refusal::Decided { hunk: hunk.clone(), state: state.name() }),
        }
        let path = file.path.clone();
        let mut commit = Commit::default();
        if let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal) {
            review.decide(hunk, Verdict::Rejected { reason }, &mut commit);
            if let Some(placement) = review.placements.get_mut(&path) {
                placement.remove(hunk);
            }
        }
        changed_event(&self.documents, &self.reviews, proposal, &mut commit);
        Ok(vec![
            Effect::Persist(commit),
            Effect::Editor(EditorEffect::Refresh(proposal.clone())),
            Effect::Reply(request, Ok(Reply::Rejected)),
        ])
    }

    pub(super) fn edit_answered(
        &mut self,
        proposal: &ProposalId,
        hunks: &[HunkId],
        applied: bool,
        reason: Option<String>,
    ) -> Vec<Effect> {
        let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal) else {
            return Vec::new();
        };
        if applied {
            let overdue = |hunk: &HunkId| {
                let attempt = *review.applying.get(hunk)?;
                let event = Event::EditOverdue { proposal: proposal.clone(), hunk: hunk.clone(), attempt };
                Some(Effect::After(EDIT_PATIENCE, Box::new(event)))
            };
            return hunks.iter().filter_map(overdue).collect();
        }
        review.applying.retain(|hunk, _| !hunks.contains(hunk));
        let reason = reason.unwrap_or_else(|| "it gave no reason".to_owned());
        vec![
            Effect::Editor(EditorEffect::Message(format!("the editor did not apply the edit: {reason}"))),
            Effect::Editor(EditorEffect::Refresh(proposal.clone())),
        ]
    }

    pub(super) fn edit_overdue(&mut self, proposal: &ProposalId, hunk: &HunkId, attempt: u64) -> Vec<Effect> {
        let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal) else {
            return Vec::new();
        };
        if review.applying.get(hunk) != Some(&attempt) {
            return Vec::new();
        }
        review.applying.remove(hunk);
        let message = format!("the editor said it applied hunk `{hunk}`, but its text does not show it");
        vec![
            Effect::Editor(EditorEffect::Message(message)),
            Effect::Editor(EditorEffect::Refresh(proposal.clone())),
        ]
    }

    pub(super) fn file_written(
        &mut self,
        request: RequestId,
        proposal: &ProposalId,
        hunk: &HunkId,
        result: Result<(), String>,
    ) -> Vec<Effect> {
        if let Err(reason) = result {
            return vec![Effect::Reply(request, Err(Refusal::NotWritten(reason)))];
        }
        let mut commit = Commit::default();
        if let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal) {
            review.decide(hunk, Verdict::Accepted { saved: true }, &mut commit);
        }
        changed_event(&self.documents, &self.reviews, proposal, &mut commit);
        vec![
            Effect::Persist(commit),
            Effect::Editor(EditorEffect::Refresh(proposal.clone())),
            Effect::Reply(request, Ok(Reply::Accepted)),
        ]
    }

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
    fn decide(&mut self, hunk: &HunkId, verdict: Verdict, commit: &mut Commit) {
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

fn review_of<'a>(reviews: &'a Reviews, id: &ProposalId) -> Result<&'a Review, Refusal> {
    reviews.get(id).ok_or_else(|| Refusal::Unknown { what: "proposal", id: id.to_string() })
}

fn hunk_of<'a>(
    review: &'a Review,
    id: &HunkId,
) -> Result<(&'a crate::proposal::FileChange, &'a crate::proposal::Hunk), Refusal> {
    review.proposal.hunk(id).ok_or_else(|| Refusal::Unknown { what: "hunk", id: id.to_string() })
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
