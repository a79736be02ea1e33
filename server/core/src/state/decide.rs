//! How hunks are decided by the user's word, and what the editor and the disk answer.

use std::sync::Arc;
use std::time::Duration;

use super::review::changed_event;
use super::steer::Wish;
use super::{Outcome, State};
use crate::effect::{Commit, EditorEffect, Effect, Refusal, Reply};
use crate::event::{Command, Event, Selection};
use crate::id::{HunkId, ProposalId, RequestId};
use crate::proposal::{FileChange, Hunk, Verdict};
use crate::review::{HunkState, Review};

/// How long an edit that the editor calls applied may take to show in the text.
const EDIT_PATIENCE: Duration = Duration::from_secs(10);

impl State {
    pub(super) fn accept(
        &mut self,
        request: RequestId,
        proposal: &ProposalId,
        selection: &Selection,
    ) -> Outcome {
        let again = || Command::Accept { proposal: proposal.clone(), hunks: selection.clone() };
        self.decide(request, proposal, selection, &Verdict::Accepted { saved: false }, again)
    }

    pub(super) fn apply(&mut self, request: RequestId, proposal: &ProposalId) -> Outcome {
        let again = || Command::Apply { proposal: proposal.clone() };
        self.decide(request, proposal, &Selection::All, &Verdict::Applied { saved: false }, again)
    }

    pub(super) fn reject(
        &mut self,
        request: RequestId,
        proposal: &ProposalId,
        selection: &Selection,
        reason: Option<&str>,
        replacement: Option<&str>,
    ) -> Outcome {
        let (reason, replacement) = (reason.map(str::to_owned), replacement.map(str::to_owned));
        let again = || Command::Reject {
            proposal: proposal.clone(),
            hunks: selection.clone(),
            reason: reason.clone(),
            replacement: replacement.clone(),
        };
        let verdict = Verdict::Rejected { reason: reason.clone(), replacement: replacement.clone() };
        self.decide(request, proposal, selection, &verdict, again)
    }

    /// Gives the hunks that are meant and wait for it a verdict. Where it is not known yet where they stand, does it
    /// `again` later.
    fn decide(
        &mut self,
        request: RequestId,
        proposal: &ProposalId,
        selection: &Selection,
        verdict: &Verdict,
        again: impl Fn() -> Command,
    ) -> Outcome {
        let states: &[HunkState] = match verdict {
            Verdict::Rejected { .. } => &[HunkState::Pending, HunkState::Applied, HunkState::Stale],
            Verdict::Applied { .. } => &[HunkState::Pending],
            _ => &[HunkState::Pending, HunkState::Applied],
        };
        let review = self.reviews.review(proposal)?;
        let found = waiting(review, selection, states)?;
        if found.iter().any(|(file, _)| self.is_looked_for(review, file)) {
            self.later(request, again());
            return Ok(Vec::new());
        }
        let mut commit = Commit::default();
        let wishes = match selection {
            Selection::Lines { hunk, old, new } => {
                let hunk = self.split(proposal, hunk, old.clone(), new.clone(), &mut commit)?;
                vec![Wish { hunk, verdict: verdict.clone() }]
            }
            Selection::Hunk(_) | Selection::File(_) | Selection::All => found
                .into_iter()
                .flat_map(|(_, hunks)| hunks)
                .map(|hunk| Wish { hunk: hunk.id.clone(), verdict: verdict.clone() })
                .collect(),
        };
        let done = match verdict {
            Verdict::Rejected { .. } => Reply::Rejected,
            _ => Reply::Accepted,
        };
        self.steer(Some((request, done)), proposal, &wishes, commit)
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
                let attempt = review.applying.get(hunk)?.attempt;
                let event = Event::EditOverdue { proposal: proposal.clone(), hunk: hunk.clone(), attempt };
                Some(Effect::After(EDIT_PATIENCE, Box::new(event)))
            };
            let mut effects: Vec<Effect> = hunks.iter().filter_map(overdue).collect();
            // A file that the editor took away shows no text that could tell.
            effects.extend(self.look_for_gone(proposal, hunks));
            return effects;
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
        if review.applying.get(hunk).is_none_or(|aim| aim.attempt != attempt) {
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
        answer: Option<(RequestId, Reply)>,
        proposal: &ProposalId,
        result: Result<Vec<(HunkId, Verdict)>, String>,
        before: Vec<(HunkId, Verdict)>,
    ) -> Vec<Effect> {
        let mut commit = Commit::default();
        let last = match (&result, answer) {
            (Ok(_), answer) => answer.map(|(request, reply)| Effect::Reply(request, Ok(reply))),
            (Err(reason), Some((request, _))) => {
                Some(Effect::Reply(request, Err(Refusal::NotWritten(reason.clone()))))
            }
            (Err(reason), None) => Some(Effect::Editor(EditorEffect::Message(reason.clone()))),
        };
        if let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal) {
            let written = result.map(|hunks| {
                hunks.into_iter().map(|(hunk, verdict)| (hunk, verdict.with_saved(true))).collect()
            });
            for (hunk, verdict) in written.unwrap_or(before) {
                review.decide(&hunk, verdict, &mut commit);
            }
        }
        changed_event(&self.documents, &self.reviews, proposal, &mut commit);
        let refresh = Effect::Editor(EditorEffect::Refresh(proposal.clone()));
        [Effect::Persist(commit), refresh].into_iter().chain(last).collect()
    }
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
        Selection::Hunk(id) | Selection::Lines { hunk: id, .. } => {
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
            _ => format!("proposal `{}`", review.proposal.id),
        };
        return Err(Refusal::NothingToDecide(what));
    }
    Ok(found)
}
