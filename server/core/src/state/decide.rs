//! How hunks are decided by the user's word: taken into the editor's text or the disk's, or refused.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::review::changed_event;
use super::{Outcome, State};
use crate::effect::{Commit, DocumentEdit, EditorEffect, Effect, FileWrite, Refusal, Reply};
use crate::event::{Command, Event, Selection};
use crate::id::{HunkId, ProposalId, RequestId};
use crate::proposal::{FileChange, Hunk, Verdict};
use crate::review::{HunkState, Review, Reviews, accept_edit};

/// How long an edit that the editor calls applied may take to show in the text.
const EDIT_PATIENCE: Duration = Duration::from_secs(10);

impl State {
    pub(super) fn accept(
        &mut self,
        request: RequestId,
        proposal: ProposalId,
        selection: Selection,
    ) -> Outcome {
        let review = review_of(&self.reviews, &proposal)?;
        let wanted = waiting(review, &selection, &[HunkState::Pending])?;
        let (mut edits, mut writes) = (Vec::new(), Vec::new());
        for (file, hunks) in wanted {
            let ids: Vec<HunkId> = hunks.iter().map(|hunk| hunk.id.clone()).collect();
            let Some(document) = self.documents.by_path(&file.path) else {
                let base = self.reviews.text_of(file)?.clone();
                writes.push(FileWrite { file: file.clone(), base, hunks: ids });
                continue;
            };
            if document.out_of_sync {
                return Err(Refusal::OutOfSync(document.uri.as_str().to_owned()));
            }
            let Some(placement) = review.placement(&file.path) else {
                self.waiting.push((request, Command::Accept { proposal, hunks: selection }));
                return Ok(Vec::new());
            };
            let edit =
                |hunk: &&Hunk| Some(accept_edit(document, placement.place(&hunk.id)?, hunk, self.encoding));
            edits.push(DocumentEdit {
                uri: document.uri.clone(),
                version: document.version,
                edits: hunks.iter().filter_map(edit).collect(),
                label: format!("Accept: {}", review.proposal.title),
                proposal: proposal.clone(),
                hunks: ids,
            });
        }
        if edits.is_empty() {
            return Ok(vec![Effect::WriteFiles { request: Some(request), proposal, files: writes }]);
        }
        Ok(self.applying(request, &proposal, edits, writes))
    }

    /// Sends edits to the editor, and writes what it does not have open; the answer does not wait for either.
    fn applying(
        &mut self,
        request: RequestId,
        proposal: &ProposalId,
        edits: Vec<DocumentEdit>,
        files: Vec<FileWrite>,
    ) -> Vec<Effect> {
        let mut effects = vec![Effect::Reply(request, Ok(Reply::Applying))];
        for edit in edits {
            self.attempts += 1;
            if let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal) {
                review.applying.extend(edit.hunks.iter().map(|hunk| (hunk.clone(), self.attempts)));
            }
            effects.push(Effect::Editor(EditorEffect::ApplyEdit(edit)));
        }
        if !files.is_empty() {
            effects.push(Effect::WriteFiles { request: None, proposal: proposal.clone(), files });
        }
        effects.push(Effect::Editor(EditorEffect::Refresh(proposal.clone())));
        effects
    }

    pub(super) fn reject(
        &mut self,
        request: RequestId,
        proposal: &ProposalId,
        hunks: &Selection,
        reason: Option<&str>,
    ) -> Outcome {
        let review = review_of(&self.reviews, proposal)?;
        let wanted = waiting(review, hunks, &[HunkState::Pending, HunkState::Stale])?;
        let wanted: Vec<(PathBuf, HunkId)> = wanted
            .into_iter()
            .flat_map(|(file, hunks)| hunks.into_iter().map(|hunk| (file.path.clone(), hunk.id.clone())))
            .collect();
        let mut commit = Commit::default();
        if let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal) {
            for (path, hunk) in wanted {
                review.decide(&hunk, Verdict::Rejected { reason: reason.map(str::to_owned) }, &mut commit);
                if let Some(placement) = review.placements.get_mut(&path) {
                    placement.remove(&hunk);
                }
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

    pub(super) fn files_written(
        &mut self,
        request: Option<RequestId>,
        proposal: &ProposalId,
        result: Result<Vec<HunkId>, String>,
    ) -> Vec<Effect> {
        let hunks = match (result, request) {
            (Ok(hunks), _) => hunks,
            (Err(reason), Some(request)) => {
                return vec![Effect::Reply(request, Err(Refusal::NotWritten(reason)))];
            }
            (Err(reason), None) => return vec![Effect::Editor(EditorEffect::Message(reason))],
        };
        let mut commit = Commit::default();
        if let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal) {
            for hunk in hunks {
                review.decide(&hunk, Verdict::Accepted { saved: true }, &mut commit);
            }
        }
        changed_event(&self.documents, &self.reviews, proposal, &mut commit);
        let refresh = Effect::Editor(EditorEffect::Refresh(proposal.clone()));
        let reply = request.map(|request| Effect::Reply(request, Ok(Reply::Accepted)));
        [Effect::Persist(commit), refresh].into_iter().chain(reply).collect()
    }
}

fn review_of<'a>(reviews: &'a Reviews, id: &ProposalId) -> Result<&'a Review, Refusal> {
    reviews.get(id).ok_or_else(|| Refusal::Unknown { what: "proposal", id: id.to_string() })
}

/// Returns the hunks that are meant and stand in one of the `states`, by file. One that is named and does not is refused
/// by name; of a file or a proposal there has to be one.
fn waiting<'a>(
    review: &'a Review,
    hunks: &Selection,
    states: &[HunkState],
) -> Result<Vec<(&'a FileChange, Vec<&'a Hunk>)>, Refusal> {
    let of_file = |file: &'a FileChange| {
        let waits = |hunk: &&Hunk| states.contains(&review.state(file, hunk));
        (file, file.hunks.iter().filter(waits).collect::<Vec<_>>())
    };
    let found: Vec<_> = match hunks {
        Selection::Hunk(id) => {
            let unknown = || Refusal::Unknown { what: "hunk", id: id.to_string() };
            let (file, hunk) = review.proposal.hunk(id).ok_or_else(unknown)?;
            return match review.state(file, hunk) {
                state if states.contains(&state) => Ok(vec![(file, vec![hunk])]),
                HunkState::Stale => Err(Refusal::Stale(id.clone())),
                state => Err(Refusal::Decided { hunk: id.clone(), state: state.name() }),
            };
        }
        Selection::File(path) => {
            let unknown = || Refusal::Unknown { what: "file", id: path.display().to_string() };
            vec![of_file(review.proposal.file(path).ok_or_else(unknown)?)]
        }
        Selection::All => review.proposal.files.iter().map(of_file).collect(),
    };
    let found: Vec<_> = found.into_iter().filter(|(_, hunks)| !hunks.is_empty()).collect();
    if found.is_empty() {
        let what = match hunks {
            Selection::File(path) => path.display().to_string(),
            Selection::Hunk(_) | Selection::All => format!("proposal `{}`", review.proposal.id),
        };
        return Err(Refusal::NothingToDecide(what));
    }
    Ok(found)
}
