//! How some lines of a hunk are decided on their own: the hunk becomes up to three.

use std::ops::Range;
use std::sync::Arc;

use super::State;
use crate::effect::{Commit, Record, Refusal};
use crate::id::{HunkId, ProposalId};
use crate::lines::split;
use crate::proposal::{ChangeKind, Hunk, NewHunk, Verdict};

impl State {
    /// Splits a hunk so that these of its lines are one of their own, and returns that. All of its lines are the hunk
    /// itself.
    ///
    /// New lines that come without old ones are put behind all old ones, as a reader of a diff sees them.
    pub(super) fn split(
        &mut self,
        proposal: &ProposalId,
        id: &HunkId,
        old: Range<usize>,
        new: Range<usize>,
        commit: &mut Commit,
    ) -> Result<HunkId, Refusal> {
        let unknown = || Refusal::Unknown { what: "hunk", id: id.to_string() };
        let review = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal).ok_or_else(unknown)?;
        let file =
            review.proposal.files.iter_mut().find(|file| file.hunk(id).is_some()).ok_or_else(unknown)?;
        let index = file.hunks.iter().position(|hunk| hunk.id == *id).ok_or_else(unknown)?;
        let hunk = file.hunks.get(index).ok_or_else(unknown)?.clone();
        let (old_lines, new_lines): (Vec<&str>, Vec<&str>) =
            (split(&hunk.old_text).collect(), split(&hunk.new_text).collect());
        let outside = |lines: &Range<usize>, len: usize| lines.start > lines.end || lines.end > len;
        if outside(&old, old_lines.len())
            || outside(&new, new_lines.len())
            || (old.is_empty() && new.is_empty())
        {
            return Err(Refusal::NoSuchLines(format!(
                "hunk `{id}` has {} old and {} new lines, counted from 0; select at least one of them",
                old_lines.len(),
                new_lines.len()
            )));
        }
        // Without old lines the new ones go behind all of them; without new ones the old ones go before all of those.
        let old = if old.is_empty() { old_lines.len()..old_lines.len() } else { old };
        let new = if new.is_empty() { 0..0 } else { new };
        if old.len() == old_lines.len() && new.len() == new_lines.len() {
            return Ok(id.clone());
        }
        if hunk.kind != ChangeKind::Modify || hunk.over.is_some() {
            return Err(Refusal::NoSuchLines(format!("hunk `{id}` can only be decided as a whole")));
        }
        let parts = [
            (0..old.start, 0..new.start),
            (old.clone(), new.clone()),
            (old.end..old_lines.len(), new.end..new_lines.len()),
        ];
        let mut taken = id.clone();
        let mut made: Vec<(HunkId, Range<usize>, Range<usize>)> = Vec::new();
        for (number, (old, new)) in parts.into_iter().enumerate() {
            if old.is_empty() && new.is_empty() {
                continue;
            }
            let text = |lines: &[&str], range: &Range<usize>| -> Arc<str> {
                lines.get(range.clone()).unwrap_or_default().concat().into()
            };
            let start = hunk.old.start;
            let part = NewHunk {
                old: start + old.start..start + old.end,
                old_text: text(&old_lines, &old),
                new_text: text(&new_lines, &new),
            };
            let part = Hunk {
                split_from: Some(id.clone()),
                verdict: hunk.verdict.clone(),
                ..file.named(proposal, &hunk.turn, ChangeKind::Modify, &part)
            };
            if number == 1 {
                taken = part.id.clone();
            }
            made.push((part.id.clone(), old, new));
            commit.records.push(Record::Hunk {
                proposal: proposal.clone(),
                path: file.path.clone(),
                hunk: part.clone(),
            });
            file.hunks.insert(index + made.len() - 1, part);
        }
        if let Some(placement) = review.placements.get_mut(&file.path) {
            placement.split(id, &made);
        }
        review.decide(id, Verdict::Superseded { by: Some(taken.clone()) }, commit);
        Ok(taken)
    }
}
