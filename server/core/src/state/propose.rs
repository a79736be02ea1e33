//! How what a turn, or the user, would like to change becomes hunks: named, stored, told apart from those that were there.

use std::sync::Arc;

use super::rebase::{Rebase, Rebased};
use super::review::changed_event;
use super::steer::Wish;
use super::turns::title;
use super::{Held, Outcome, State, Waiting};
use crate::effect::{Commit, Effect, Record, Refusal, Reply};
use crate::event::{Author, Propose};
use crate::id::{HunkId, ProposalId, RequestId, TurnId};
use crate::lines::TextHash;
use crate::proposal::{FileChange, Hunk, Proposal, Verdict};
use crate::review::Review;

impl State {
    pub(super) fn propose(&mut self, request: RequestId, propose: &Propose) -> Outcome {
        let mut commit = Commit::default();
        let (id, turn) = self.proposal_of(propose, &mut commit)?;
        let reviews = Arc::make_mut(&mut self.reviews);
        let hash = TextHash::of(propose.base.text());
        reviews.texts.insert(hash.clone(), propose.base.clone());
        let unknown = || Refusal::Unknown { what: "proposal", id: id.to_string() };
        let review = reviews.by_id.get_mut(&id).ok_or_else(unknown)?;
        review.revision += 1;
        review.placements.remove(&propose.path);
        let file = file_of(&mut review.proposal, propose, &hash);
        let rebase = Rebase { proposal: &id, turn: &turn, base: &propose.base, carried: &propose.carried };
        rebase.carry(file, &mut commit);
        let rebased = rebase.propose(file, &propose.kind, &propose.hunks, &mut commit);
        for (hunk, by) in &rebased.superseded {
            review.decide(hunk, Verdict::Superseded { by: by.clone() }, &mut commit);
        }
        let note = self.note_for_tool(&id, &propose.path, &rebased, &mut commit);
        let review = self.reviews.review(&id)?;
        let new: Vec<HunkId> =
            rebased.proposed.iter().filter(|hunk| is_undecided(review, hunk)).cloned().collect();
        let open = |file: &FileChange| file.hunks.iter().filter(|hunk| hunk.verdict.is_open()).count();
        let pending = review.proposal.file(&propose.path).map_or(0, open);
        changed_event(&self.documents, &self.reviews, &id, &mut commit);
        let mut effects = vec![Effect::Persist(commit)];
        effects.extend(self.derive(&id, &propose.path));
        effects.extend(self.withdraw(&id, &rebased));
        if propose.apply {
            effects.extend(self.try_to_apply(id.clone(), new.clone()));
            let path = propose.path.clone();
            self.held.push(Held { request, proposal: id, path, hunks: new, note });
        } else {
            let reply = Reply::Proposed { proposal: id, pending, applied: 0, note };
            effects.push(Effect::Reply(request, Ok(reply)));
        }
        Ok(effects)
    }

    /// Answers the tools whose edits are in the text by now, or cannot be: what the next tool reads is settled.
    pub(super) fn answer_tools(&mut self) -> Vec<Effect> {
        let mut answers = Vec::new();
        for held in std::mem::take(&mut self.held) {
            let is_out = |waiting: &Waiting| match waiting {
                Waiting::Apply(proposal, _) | Waiting::Withdraw(proposal, _) => *proposal == held.proposal,
                Waiting::Request(..) => false,
            };
            let Some(review) = self.reviews.get(&held.proposal) else { continue };
            let file = review.proposal.file(&held.path);
            let hunks = || file.into_iter().flat_map(|file| &file.hunks);
            if self.waiting.iter().any(is_out) || hunks().any(|hunk| review.applying.contains_key(&hunk.id)) {
                self.held.push(held);
                continue;
            }
            let is_applied = |hunk: &&Hunk| {
                held.hunks.contains(&hunk.id) && matches!(hunk.verdict, Verdict::Applied { .. })
            };
            let reply = Reply::Proposed {
                proposal: held.proposal.clone(),
                pending: hunks().filter(|hunk| hunk.verdict.is_open()).count(),
                applied: hunks().filter(is_applied).count(),
                note: held.note,
            };
            answers.push(Effect::Reply(held.request, Ok(reply)));
        }
        answers
    }

    /// Takes applied lines out of the text that the agent does not propose any more.
    fn withdraw(&mut self, proposal: &ProposalId, rebased: &Rebased) -> Vec<Effect> {
        if rebased.withdrawn.is_empty() {
            return Vec::new();
        }
        let wishes: Vec<Wish> = rebased
            .withdrawn
            .iter()
            .map(|hunk| Wish { hunk: hunk.clone(), verdict: Verdict::Superseded { by: None } })
            .collect();
        let Ok(review) = self.reviews.review(proposal) else { return Vec::new() };
        let looked_for = review.proposal.files.iter().any(|file| {
            wishes.iter().any(|wish| file.hunk(&wish.hunk).is_some()) && self.is_looked_for(review, file)
        });
        if looked_for {
            self.waiting.push(Waiting::Withdraw(proposal.clone(), rebased.withdrawn.clone()));
            return Vec::new();
        }
        self.steer(None, proposal, &wishes, Commit::default()).unwrap_or_default()
    }

    pub(super) fn withdraw_now(&mut self, proposal: &ProposalId, withdrawn: Vec<HunkId>) -> Vec<Effect> {
        self.withdraw(proposal, &Rebased { withdrawn, ..Rebased::default() })
    }

    /// Returns the proposal that an edit amends, opened if need be, and the turn that its hunks are of.
    fn proposal_of(
        &mut self,
        propose: &Propose,
        commit: &mut Commit,
    ) -> Result<(ProposalId, TurnId), Refusal> {
        let (turn, new_proposal) = match &propose.by {
            Author::User { proposal, comment } => {
                let turn = self.reviews.review(proposal)?.proposal.turn.clone();
                if let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal) {
                    review.comments.push(comment.clone());
                }
                commit.records.push(Record::Comment { proposal: proposal.clone(), comment: comment.clone() });
                return Ok((proposal.clone(), turn));
            }
            Author::Turn { turn, new_proposal } => (turn, new_proposal),
        };
        let turn = Arc::make_mut(&mut self.turns)
            .get_mut(turn)
            .ok_or_else(|| Refusal::Unknown { what: "turn", id: turn.to_string() })?;
        if turn.status.is_final() {
            return Err(Refusal::Forbidden(format!("turn `{}` has ended", turn.id)));
        }
        let reviews = Arc::make_mut(&mut self.reviews);
        let open = reviews.open_of(&turn.session).map(|review| review.proposal.id.clone());
        let id = open.unwrap_or_else(|| {
            let review = opened(new_proposal, propose, turn, commit);
            reviews.by_id.insert(new_proposal.clone(), review);
            new_proposal.clone()
        });
        if !turn.proposals.contains(&id) {
            turn.proposals.push(id.clone());
        }
        Ok((id, turn.id.clone()))
    }
}

fn is_undecided(review: &Review, hunk: &HunkId) -> bool {
    review.proposal.hunk(hunk).is_some_and(|(_, hunk)| hunk.verdict == Verdict::Undecided)
}

fn opened(id: &ProposalId, propose: &Propose, turn: &crate::turn::Turn, commit: &mut Commit) -> Review {
    let proposal = Proposal {
        id: id.clone(),
        session: turn.session.clone(),
        turn: turn.id.clone(),
        title: title(&turn.prompt),
        created_at: propose.at,
        files: Vec::new(),
    };
    commit.records.push(Record::Proposal {
        id: proposal.id.clone(),
        session: proposal.session.clone(),
        turn: proposal.turn.clone(),
        title: proposal.title.clone(),
        at: proposal.created_at,
    });
    Review::new(proposal)
}

fn file_of<'a>(proposal: &'a mut Proposal, propose: &Propose, base: &TextHash) -> &'a mut FileChange {
    let known = proposal.files.iter().position(|file| file.path == propose.path);
    let index = known.unwrap_or_else(|| {
        proposal.files.push(FileChange { path: propose.path.clone(), base: base.clone(), hunks: Vec::new() });
        proposal.files.len() - 1
    });
    #[expect(clippy::indexing_slicing, reason = "the index was just found or made")]
    &mut proposal.files[index]
}
