//! How what a turn, or the user, would like to change becomes hunks: named, stored, told apart from those that were there.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::rebase::{Rebase, Rebased};
use super::review::changed_event;
use super::steer::Wish;
use super::turns::title;
use super::{Held, Outcome, State, Waiting};
use crate::effect::{Commit, Effect, ProposedFile, Record, Refusal, Reply};
use crate::event::{Author, Propose};
use crate::id::{HunkId, ProposalId, RequestId, TurnId};
use crate::lines::TextHash;
use crate::proposal::{FileChange, Hunk, Proposal, Verdict};
use crate::review::Review;
use crate::task::GO_ON;
use crate::turn::Turn;

impl State {
    /// Takes in what should become of some files, all of it in one commit or, when it is refused, none of it.
    pub(super) fn propose(&mut self, request: RequestId, proposes: &[Propose]) -> Outcome {
        let first = proposes.first().ok_or_else(|| Refusal::Forbidden("nothing is proposed".to_owned()))?;
        let mut commit = Commit::default();
        let (id, turn) = self.proposal_of(first, &mut commit)?;
        let mut held = Held { request, proposal: id.clone(), files: Vec::new(), hunks: Vec::new() };
        let mut withdrawn = Vec::new();
        // Behind the turn's end nothing gets into a text by itself.
        let is_over = self.turns.get(&turn).is_some_and(|turn| turn.status.is_final());
        let applies = |propose: &Propose| propose.apply && !is_over;
        for propose in proposes {
            let rebased = self.propose_file(&id, &turn, propose, &mut commit)?;
            let note = self.note_for_tool(&id, &propose.path, &rebased, &mut commit);
            let review = self.reviews.review(&id)?;
            if applies(propose) {
                let undecided = |hunk: &&HunkId| is_undecided(review, hunk);
                held.hunks.extend(rebased.proposed.iter().filter(undecided).cloned());
            }
            withdrawn.extend(rebased.withdrawn);
            held.files.push((propose.path.clone(), note));
        }
        changed_event(&self.documents, &self.reviews, &id, &mut commit);
        let mut effects = vec![Effect::Persist(commit)];
        effects.extend(proposes.iter().filter_map(|propose| self.derive(&id, &propose.path)));
        effects.extend(self.withdraw(&id, withdrawn));
        if proposes.iter().any(applies) {
            effects.extend(self.try_to_apply(id, held.hunks.clone()));
            self.held.push(held);
        } else if let Some(review) = self.reviews.get(&id) {
            effects.push(Effect::Reply(request, Ok(answer(review, held))));
        }
        Ok(effects)
    }

    /// Makes the hunks of one file.
    fn propose_file(
        &mut self,
        id: &ProposalId,
        turn: &TurnId,
        propose: &Propose,
        commit: &mut Commit,
    ) -> Result<Rebased, Refusal> {
        let reviews = Arc::make_mut(&mut self.reviews);
        let hash = TextHash::of(propose.base.text());
        reviews.texts.insert(hash.clone(), propose.base.clone());
        let unknown = || Refusal::Unknown { what: "proposal", id: id.to_string() };
        let review = reviews.by_id.get_mut(id).ok_or_else(unknown)?;
        review.revision += 1;
        review.placements.remove(&propose.path);
        let file = file_of(&mut review.proposal, propose, &hash);
        let rebase = Rebase { proposal: id, turn, base: &propose.base, carried: &propose.carried };
        rebase.carry(file, commit);
        let rebased = rebase.propose(file, &propose.kind, &propose.hunks, commit);
        for (hunk, by) in &rebased.superseded {
            review.decide(hunk, Verdict::Superseded { by: by.clone() }, commit);
        }
        Ok(rebased)
    }

    /// Answers the tools whose edits are in the text by now, or cannot be: what the next tool reads is settled.
    pub(super) fn answer_tools(&mut self) -> Vec<Effect> {
        let mut answers = Vec::new();
        for held in std::mem::take(&mut self.held) {
            let is_out = |waiting: &Waiting| match waiting {
                Waiting::Apply(proposal, _) | Waiting::Withdraw(proposal, _) => *proposal == held.proposal,
                Waiting::Request(..) | Waiting::Recall(..) => false,
            };
            let Some(review) = self.reviews.get(&held.proposal) else { continue };
            let files = held.files.iter().filter_map(|(path, _)| review.proposal.file(path));
            let mut hunks = files.flat_map(|file| &file.hunks);
            if self.waiting.iter().any(is_out) || hunks.any(|hunk| review.applying.contains_key(&hunk.id)) {
                self.held.push(held);
                continue;
            }
            answers.push(Effect::Reply(held.request, Ok(answer(review, held))));
        }
        answers
    }

    /// Takes applied lines out of the text that the agent does not propose any more.
    pub(super) fn withdraw(&mut self, proposal: &ProposalId, withdrawn: Vec<HunkId>) -> Vec<Effect> {
        if withdrawn.is_empty() {
            return Vec::new();
        }
        let wishes: Vec<Wish> = withdrawn
            .iter()
            .map(|hunk| Wish { hunk: hunk.clone(), verdict: Verdict::Superseded { by: None } })
            .collect();
        let Ok(review) = self.reviews.review(proposal) else { return Vec::new() };
        let looked_for = review.proposal.files.iter().any(|file| {
            wishes.iter().any(|wish| file.hunk(&wish.hunk).is_some()) && self.is_looked_for(review, file)
        });
        if looked_for {
            self.waiting.push(Waiting::Withdraw(proposal.clone(), withdrawn));
            return Vec::new();
        }
        self.steer(None, proposal, &wishes, Commit::default()).unwrap_or_default()
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
            Author::Turn { turn, new_proposal } | Author::Command { turn, new_proposal } => {
                (turn, new_proposal)
            }
        };
        let may_be_late = matches!(propose.by, Author::Command { .. });
        let about = about(&self.turns, turn);
        let turn = Arc::make_mut(&mut self.turns)
            .get_mut(turn)
            .ok_or_else(|| Refusal::Unknown { what: "turn", id: turn.to_string() })?;
        if turn.status.is_final() && !may_be_late {
            return Err(Refusal::Forbidden(format!("turn `{}` has ended", turn.id)));
        }
        let reviews = Arc::make_mut(&mut self.reviews);
        let open = reviews.open_of(&turn.session).map(|review| review.proposal.id.clone());
        let id = open.unwrap_or_else(|| {
            let review = opened(new_proposal, propose, turn, about, commit);
            reviews.by_id.insert(new_proposal.clone(), review);
            new_proposal.clone()
        });
        if !turn.proposals.contains(&id) {
            turn.proposals.push(id.clone());
        }
        Ok((id, turn.id.clone()))
    }
}

/// Says what came of what a tool proposed.
fn answer(review: &Review, held: Held) -> Reply {
    let Held { proposal, files, hunks: wanted, .. } = held;
    let file = |(path, note): (PathBuf, Option<String>)| {
        let hunks = || review.proposal.file(&path).into_iter().flat_map(|file| &file.hunks);
        let is_applied =
            |hunk: &&Hunk| wanted.contains(&hunk.id) && matches!(hunk.verdict, Verdict::Applied { .. });
        let pending = hunks().filter(|hunk| hunk.verdict.is_open()).count();
        let applied = hunks().filter(is_applied).count();
        ProposedFile { path, pending, applied, note }
    };
    Reply::Proposed { proposal, files: files.into_iter().map(file).collect() }
}

fn is_undecided(review: &Review, hunk: &HunkId) -> bool {
    review.proposal.hunk(hunk).is_some_and(|(_, hunk)| hunk.verdict == Verdict::Undecided)
}

/// Says what a turn is about: its prompt, or the prompt that it only goes on with.
fn about(turns: &BTreeMap<TurnId, Turn>, id: &TurnId) -> String {
    let Some(turn) = turns.get(id) else { return String::new() };
    let before = turns.values().filter(|other| other.session == turn.session && other.prompt != GO_ON);
    let said = if turn.prompt == GO_ON { before.max_by_key(|other| other.started_at) } else { None };
    title(&said.unwrap_or(turn).prompt)
}

fn opened(id: &ProposalId, propose: &Propose, turn: &Turn, title: String, commit: &mut Commit) -> Review {
    let proposal = Proposal {
        id: id.clone(),
        session: turn.session.clone(),
        turn: turn.id.clone(),
        title,
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
