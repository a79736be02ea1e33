//! How a verdict comes into the text: by an edit of the editor, by our own write, or by nothing but the word.

use std::path::Path;
use std::sync::Arc;

use super::review::changed_event;
use super::{Outcome, State, Waiting};
use crate::document::Document;
use crate::edits::{Side, text_edits};
use crate::effect::{
    Commit, DocumentEdit, EditorEffect, Effect, FileOperation, FileWrite, Refusal, Reply, TextEdit,
};
use crate::event::Command;
use crate::id::{HunkId, ProposalId, RequestId};
use crate::lines::{Compare, Lines, keys, split};
use crate::placement::Holds;
use crate::proposal::{ChangeKind, FileChange, Hunk, Verdict};
use crate::review::{Aim, Review};
use crate::text::{Position, TextRange};

/// The verdict that a hunk is to have.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) hunk: HunkId,
    pub(super) verdict: Verdict,
}

/// What has to happen for the wishes of one proposal.
#[derive(Default)]
struct Plan {
    direct: Vec<Wish>,
    edits: Vec<(DocumentEdit, Vec<Wish>)>,
    writes: Vec<FileWrite>,
}

impl State {
    /// Sees to it that hunks get their verdicts, and their lines stand in the text or do not, as the verdicts say. The
    /// answer is given when all is done; where the editor has to do something it is [`Reply::Applying`], at once.
    ///
    /// It has to be known where the hunks of open documents stand.
    pub(super) fn steer(
        &mut self,
        answer: Option<(RequestId, Reply)>,
        proposal: &ProposalId,
        wishes: &[Wish],
        mut commit: Commit,
    ) -> Outcome {
        let review = self.reviews.review(proposal)?;
        let mut plan = Plan::default();
        for file in &review.proposal.files {
            let own = |wish: &&Wish| file.hunk(&wish.hunk).is_some();
            let wishes: Vec<Wish> = wishes.iter().filter(own).cloned().collect();
            if !wishes.is_empty() {
                self.plan_file(review, file, wishes, &mut plan)?;
            }
        }
        let Plan { direct, edits, writes } = plan;
        let review = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal);
        let (mut asked, mut before) = (Vec::new(), Vec::new());
        if let Some(review) = review {
            for Wish { hunk, verdict } in direct {
                review.decide(&hunk, verdict.clone(), &mut commit);
                if verdict.expects_new().is_none() {
                    review.placements.values_mut().for_each(|placement| placement.remove(&hunk));
                }
            }
            for (hunk, verdict) in writes.iter().flat_map(|write| &write.hunks) {
                self.attempts += 1;
                before.extend(review.claim(hunk, verdict, self.attempts, &mut commit));
            }
            for (edit, wishes) in edits {
                self.attempts += 1;
                // One that is decided already has a place only if somebody wants it.
                review.wanted.extend(wishes.iter().map(|wish| wish.hunk.clone()));
                let aim = |wish: Wish| (wish.hunk, Aim { attempt: self.attempts, verdict: wish.verdict });
                review.applying.extend(wishes.into_iter().map(aim));
                asked.push(Effect::Editor(EditorEffect::ApplyEdit(edit)));
            }
        }
        let mut effects = Vec::new();
        if !commit.records.is_empty() {
            // What is to be written is not told before it is.
            if writes.is_empty() {
                changed_event(&self.documents, &self.reviews, proposal, &mut commit);
            }
            effects.push(Effect::Persist(commit));
        }
        let waits = (!writes.is_empty()).then_some(());
        let answer = match (answer, asked.is_empty()) {
            (Some((request, reply)), true) => {
                if waits.is_none() {
                    effects.push(Effect::Reply(request, Ok(reply)));
                    None
                } else {
                    Some((request, reply))
                }
            }
            (Some((request, reply)), false) => {
                let now = if matches!(reply, Reply::Decision(_)) { reply } else { Reply::Applying };
                effects.push(Effect::Reply(request, Ok(now)));
                None
            }
            (None, _) => None,
        };
        effects.extend(asked);
        if waits.is_some() {
            effects.push(Effect::WriteFiles { answer, proposal: proposal.clone(), files: writes, before });
        }
        effects.push(Effect::Editor(EditorEffect::Refresh(proposal.clone())));
        Ok(effects)
    }

    fn plan_file(
        &self,
        review: &Review,
        file: &FileChange,
        wishes: Vec<Wish>,
        plan: &mut Plan,
    ) -> Result<(), Refusal> {
        let Some(document) = self.documents.by_path(&file.path) else {
            let (direct, written) = wishes.into_iter().partition(|wish| {
                file.hunk(&wish.hunk).is_some_and(|hunk| !needs_the_disk(hunk, &wish.verdict))
            });
            plan.direct.extend::<Vec<Wish>>(direct);
            let written: Vec<Wish> = written;
            match self.move_back(review, file, &written)? {
                Some(edit) => plan.edits.push((edit, written)),
                None => plan.writes.extend(self.write(file, written)),
            }
            return Ok(());
        };
        let touches_text = |wish: &Wish| {
            let in_text = file.hunk(&wish.hunk).is_some_and(|hunk| hunk.verdict.is_in_text());
            wish.verdict.is_in_text() || in_text
        };
        if document.out_of_sync && wishes.iter().any(touches_text) {
            return Err(Refusal::OutOfSync(document.uri.as_str().to_owned()));
        }
        let mut edited = Vec::new();
        for wish in wishes {
            let Some(hunk) = file.hunk(&wish.hunk) else { continue };
            let place = review.placement(&file.path).and_then(|placement| placement.place(&hunk.id));
            let holds = place.map_or(Holds::Neither, |place| place.holds);
            match side_to_bring(hunk, holds, &wish.verdict)? {
                None => plan.direct.push(Wish { verdict: known_saved(hunk, wish.verdict), ..wish }),
                Some(side) => edited.push((wish, side)),
            }
        }
        if edited.is_empty() {
            return Ok(());
        }
        let operation = edited.iter().find_map(|(wish, _)| operation_of(file.hunk(&wish.hunk)?));
        if operation.as_ref().is_some_and(|operation| !self.can(operation)) {
            plan.writes.extend(self.write(file, edited.into_iter().map(|(wish, _)| wish).collect()));
            return Ok(());
        }
        plan.edits.extend(self.edit(review, file, document, &edited, operation));
        Ok(())
    }

    /// Returns what brings a file back that was moved, if an editor has it open where it is now and can do that. What is
    /// typed there is not moved under the old name.
    fn move_back(
        &self,
        review: &Review,
        file: &FileChange,
        wishes: &[Wish],
    ) -> Result<Option<DocumentEdit>, Refusal> {
        let moved = wishes.iter().filter(|wish| !wish.verdict.is_in_text()).find_map(|wish| {
            let hunk = file.hunk(&wish.hunk)?;
            let ChangeKind::Rename { to } = &hunk.kind else { return None };
            Some((hunk, self.documents.by_path(to)?))
        });
        let Some((hunk, document)) = moved else { return Ok(None) };
        if document.out_of_sync {
            return Err(Refusal::OutOfSync(document.uri.as_str().to_owned()));
        }
        let now = Lines::of_rope(&document.text);
        if now.keys(Compare::Content) != keys(split(&hunk.new_text), Compare::Content) {
            return Err(Refusal::Changed(hunk.id.clone()));
        }
        let operation = FileOperation::Rename { to: file.path.clone() };
        if !self.can(&operation) {
            return Ok(None);
        }
        let all = TextRange::new(
            Position::new(0, 0),
            Position::from_char(&document.text, document.text.len_chars(), self.encoding),
        );
        let edit = TextEdit { range: all, new_text: hunk.old_text.to_string() };
        Ok(Some(DocumentEdit {
            uri: document.uri.clone(),
            version: document.version,
            edits: (hunk.old_text != hunk.new_text).then_some(edit).into_iter().collect(),
            operation: Some(operation),
            label: format!("Undo: {}", review.proposal.title),
            proposal: review.proposal.id.clone(),
            hunks: wishes.iter().map(|wish| wish.hunk.clone()).collect(),
        }))
    }

    fn edit(
        &self,
        review: &Review,
        file: &FileChange,
        document: &Document,
        edited: &[(Wish, Side)],
        operation: Option<FileOperation>,
    ) -> Option<(DocumentEdit, Vec<Wish>)> {
        let placement = review.placement(&file.path)?;
        let side_of = |hunk: &HunkId| {
            let (_, side) = edited.iter().find(|(wish, _)| wish.hunk == *hunk)?;
            Some(*side)
        };
        // Of two that overlap only one can be done now; the other is stale afterwards.
        let chosen = placement.chosen(|place| side_of(&place.hunk).is_some());
        let is_chosen = |wish: &Wish| chosen.iter().any(|place| place.hunk == wish.hunk);
        let edits = match &operation {
            Some(FileOperation::Delete) => Vec::new(),
            _ => text_edits(document, file, placement, &self.reviews.texts, side_of, self.encoding),
        };
        let takes = edited.iter().any(|(_, side)| *side == Side::New);
        let label = format!("{}: {}", if takes { "Accept" } else { "Undo" }, review.proposal.title);
        let wishes: Vec<Wish> =
            edited.iter().map(|(wish, _)| wish).filter(|wish| is_chosen(wish)).cloned().collect();
        let edit = DocumentEdit {
            uri: document.uri.clone(),
            version: document.version,
            edits,
            operation,
            label,
            proposal: review.proposal.id.clone(),
            hunks: wishes.iter().map(|wish| wish.hunk.clone()).collect(),
        };
        Some((edit, wishes))
    }

    fn write(&self, file: &FileChange, wishes: Vec<Wish>) -> Option<FileWrite> {
        if wishes.is_empty() {
            return None;
        }
        let hunks: Vec<(HunkId, Verdict)> =
            wishes.into_iter().map(|wish| (wish.hunk, wish.verdict)).collect();
        let bases = file.bases(|hunk| hunks.iter().any(|(wanted, _)| wanted == hunk));
        let texts = bases
            .into_iter()
            .filter_map(|base| Some((base.clone(), self.reviews.texts.get(base)?.clone())))
            .collect();
        Some(FileWrite { file: file.clone(), texts, hunks })
    }

    fn can(&self, operation: &FileOperation) -> bool {
        match operation {
            FileOperation::Delete => self.operations.delete,
            FileOperation::Rename { .. } => self.operations.rename,
        }
    }

    /// Tells whether an open document's hunks are being looked for.
    pub(super) fn is_looked_for(&self, review: &Review, file: &FileChange) -> bool {
        let document = self.documents.by_path(&file.path);
        document.is_some_and(|document| !document.out_of_sync) && review.placement(&file.path).is_none()
    }

    /// Does something when it is known where the hunks stand.
    pub(super) fn later(&mut self, request: RequestId, command: Command) {
        self.waiting.push(Waiting::Request(request, Box::new(command)));
    }

    /// Lets hunks into the text that the level allows, as far as nothing of the user's stands in their way.
    pub(super) fn apply_now(&mut self, proposal: &ProposalId, hunks: &[HunkId]) -> Vec<Effect> {
        let Ok(review) = self.reviews.review(proposal) else { return Vec::new() };
        let fits = |hunk: &&HunkId| {
            let Some((file, found)) = review.proposal.hunk(hunk) else { return false };
            let place = review.placement(&file.path).and_then(|placement| placement.place(hunk));
            found.verdict == Verdict::Undecided
                && (self.documents.by_path(&file.path).is_none()
                    || place.is_some_and(|place| place.holds.is_pending()))
        };
        let wish = |hunk: &HunkId| Wish { hunk: hunk.clone(), verdict: Verdict::Applied { saved: false } };
        let wishes: Vec<Wish> = hunks.iter().filter(fits).map(wish).collect();
        if wishes.is_empty() {
            return Vec::new();
        }
        self.steer(None, proposal, &wishes, Commit::default()).unwrap_or_else(|refusal| {
            vec![Effect::Editor(EditorEffect::Message(format!("an edit was not applied: {refusal}")))]
        })
    }

    /// Returns the questions whether files that the editor was to take away are gone.
    pub(super) fn look_for_gone(&mut self, proposal: &ProposalId, hunks: &[HunkId]) -> Vec<Effect> {
        let Some(review) = self.reviews.get(proposal) else { return Vec::new() };
        let gone = |hunk: &HunkId| {
            let (file, hunk) = review.proposal.hunk(hunk)?;
            operation_of(hunk).map(|_| file.path.clone())
        };
        let paths: Vec<_> = hunks.iter().filter_map(gone).collect();
        let closed = |path: &&std::path::PathBuf| self.documents.by_path(path).is_none();
        let paths: Vec<_> = paths.iter().filter(closed).cloned().collect();
        paths.iter().filter_map(|path: &std::path::PathBuf| self.derive(proposal, Path::new(path))).collect()
    }
}

/// Returns which lines the editor has to put in a hunk's place for a verdict; none when nothing has to change there.
fn side_to_bring(hunk: &Hunk, holds: Holds, verdict: &Verdict) -> Result<Option<Side>, Refusal> {
    match (verdict.is_in_text(), holds) {
        (true, Holds::New) | (false, Holds::Old) => Ok(None),
        (true, Holds::Old | Holds::Over) => Ok(Some(Side::New)),
        (false, Holds::New | Holds::Over) => Ok(Some(Side::Old)),
        (true, Holds::Neither) => Err(Refusal::Stale(hunk.id.clone())),
        (false, Holds::Neither) if !hunk.verdict.is_in_text() => Ok(None),
        (false, Holds::Neither) => Err(Refusal::Changed(hunk.id.clone())),
    }
}

/// Tells whether a verdict about a hunk of a closed file changes the file, or cannot be judged without it.
fn needs_the_disk(hunk: &Hunk, verdict: &Verdict) -> bool {
    match &hunk.verdict {
        Verdict::Applied { .. } | Verdict::Accepted { .. } => !verdict.is_in_text(),
        _ => verdict.is_in_text() || hunk.over.is_some(),
    }
}

/// What is on the disk of a hunk that stays in the text is known from before.
fn known_saved(hunk: &Hunk, verdict: Verdict) -> Verdict {
    match hunk.verdict {
        Verdict::Applied { saved } | Verdict::Accepted { saved } => verdict.with_saved(saved),
        _ => verdict,
    }
}

fn operation_of(hunk: &Hunk) -> Option<FileOperation> {
    match &hunk.kind {
        ChangeKind::Modify | ChangeKind::Create => None,
        ChangeKind::Delete => Some(FileOperation::Delete),
        ChangeKind::Rename { to } => Some(FileOperation::Rename { to: to.clone() }),
    }
}
