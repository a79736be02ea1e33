//! How an edit of a turn becomes hunks: named, stored, and told apart from those that were there.

use std::sync::Arc;

use super::review::changed_event;
use super::turns::title;
use super::{Outcome, State};
use crate::effect::{Commit, Effect, Record, Refusal, Reply};
use crate::event::Propose;
use crate::id::{ProposalId, RequestId, TurnId};
use crate::lines::TextHash;
use crate::proposal::{ChangeKind, FileChange, Hunk, NewHunk, Proposal, Verdict, hunk_id};
use crate::review::Review;

impl State {
    pub(super) fn propose(&mut self, request: RequestId, propose: &Propose) -> Outcome {
        let turn = Arc::make_mut(&mut self.turns)
            .get_mut(&propose.turn)
            .ok_or_else(|| Refusal::Unknown { what: "turn", id: propose.turn.to_string() })?;
        if turn.status.is_final() {
            return Err(Refusal::Forbidden(format!("turn `{}` has ended", turn.id)));
        }
        let reviews = Arc::make_mut(&mut self.reviews);
        let mut commit = Commit::default();
        let open = reviews.open_of(&turn.session).map(|review| review.proposal.id.clone());
        let id = open.unwrap_or_else(|| {
            let review = opened(propose, turn, &mut commit);
            reviews.by_id.insert(propose.new_proposal.clone(), review);
            propose.new_proposal.clone()
        });
        if !turn.proposals.contains(&id) {
            turn.proposals.push(id.clone());
        }
        let base = TextHash::of(propose.base.text());
        commit.records.push(Record::Text(base.clone(), propose.base.clone()));
        reviews.texts.insert(base.clone(), propose.base.clone());
        let Some(review) = reviews.by_id.get_mut(&id) else {
            return Err(Refusal::Unknown { what: "proposal", id: id.to_string() });
        };
        review.revision += 1;
        review.placements.remove(&propose.path);
        let file = file_of(&mut review.proposal, propose, &base);
        commit.records.push(Record::File {
            proposal: id.clone(),
            path: propose.path.clone(),
            kind: file.kind,
            base: base.clone(),
        });
        let old_base = std::mem::replace(&mut file.base, base);
        let rebase = Rebase { proposal: &id, turn: &propose.turn, old_base: &old_base };
        rebase.merge(file, propose, &mut commit);
        let pending = file.hunks.iter().filter(|hunk| hunk.verdict == Verdict::Undecided).count();
        let mut effects = Vec::new();
        effects.extend(self.derive(&id, &propose.path));
        changed_event(&self.documents, &self.reviews, &id, &mut commit);
        effects.insert(0, Effect::Persist(commit));
        effects.push(Effect::Reply(request, Ok(Reply::Proposed { proposal: id, pending })));
        Ok(effects)
    }
}

fn opened(propose: &Propose, turn: &crate::turn::Turn, commit: &mut Commit) -> Review {
    let proposal = Proposal {
        id: propose.new_proposal.clone(),
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
        let (path, kind) = (propose.path.clone(), ChangeKind::Modify);
        proposal.files.push(FileChange { path, kind, base: base.clone(), hunks: Vec::new() });
        proposal.files.len() - 1
    });
    #[expect(clippy::indexing_slicing, reason = "the index was just found or made")]
    &mut proposal.files[index]
}

/// The move of a file's hunks to the text that the newest edit was made in.
struct Rebase<'a> {
    proposal: &'a ProposalId,
    turn: &'a TurnId,
    old_base: &'a TextHash,
}

impl Rebase<'_> {
    /// Puts the proposed hunks in the place of the pending ones: an equal one keeps its name, one that is not proposed
    /// any more is superseded. Stale and decided ones stay as they are.
    fn merge(&self, file: &mut FileChange, propose: &Propose, commit: &mut Commit) {
        let mut wanted: Vec<Option<&NewHunk>> = propose.hunks.iter().map(Some).collect();
        for hunk in &mut file.hunks {
            if hunk.verdict != Verdict::Undecided || hunk.base != *self.old_base {
                continue;
            }
            let Some((_, place)) = propose.carried.iter().find(|(id, _)| *id == hunk.id) else { continue };
            let equal = |new: &NewHunk| new.old == *place && new.new_text == hunk.new_text;
            if let Some(new) = wanted.iter_mut().find(|new| new.is_some_and(equal)).and_then(Option::take) {
                hunk.base.clone_from(&file.base);
                hunk.old = new.old.clone();
                hunk.old_text = new.old_text.clone();
                commit.records.push(Record::Hunk {
                    proposal: self.proposal.clone(),
                    path: file.path.clone(),
                    hunk: hunk.clone(),
                });
            } else {
                hunk.verdict = Verdict::Superseded;
                commit.records.push(Record::Decision {
                    proposal: self.proposal.clone(),
                    hunk: hunk.id.clone(),
                    verdict: Verdict::Superseded,
                });
            }
        }
        for new in wanted.into_iter().flatten() {
            let hunk = self.named(file, new);
            commit.records.push(Record::Hunk {
                proposal: self.proposal.clone(),
                path: file.path.clone(),
                hunk: hunk.clone(),
            });
            file.hunks.push(hunk);
        }
        // Only hunks of the present base are in its order; `placed_hunks` takes no others.
        file.hunks.sort_by_key(|hunk| (hunk.base != file.base, hunk.old.start, hunk.old.end));
    }

    fn named(&self, file: &FileChange, new: &NewHunk) -> Hunk {
        let mut ordinal = 0;
        let id = loop {
            let id = hunk_id(self.proposal, &file.path, new, ordinal);
            if file.hunk(&id).is_none() {
                break id;
            }
            ordinal += 1;
        };
        Hunk {
            id,
            turn: self.turn.clone(),
            base: file.base.clone(),
            old: new.old.clone(),
            old_text: new.old_text.clone(),
            new_text: new.new_text.clone(),
            verdict: Verdict::Undecided,
        }
    }
}
