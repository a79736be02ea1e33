//! What the user makes of a proposal beside taking and refusing it: a stale hunk merged or taken all the same, a text changed.

use std::path::Path;
use std::sync::Arc;

use kkcode_core::comment::Comment;
use kkcode_core::diff::unified;
use kkcode_core::edits::base_text;
use kkcode_core::effect::Refusal;
use kkcode_core::event::{Author, Command, Resolve};
use kkcode_core::id::{CommentId, HunkId, ProposalId};
use kkcode_core::lines::Lines;
use kkcode_core::merge::{merge, merge_words};
use kkcode_core::placement::Holds;
use kkcode_core::proposal::{ChangeKind, Hunk, NewHunk, ReviewState};
use kkcode_core::review::Review;
use kkcode_core::state::Snapshot;
use kkcode_core::text::BOM;

use crate::view::{PlacedFile, placed_file};
use crate::{fresh, overlay};

/// How a stale hunk is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// As the three-way merge with the user's lines, by lines or by words.
    Merge,
    /// In place of the user's lines.
    Theirs,
}

/// What stands in a stale hunk's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The user's lines.
    pub current: String,
    /// What a merge makes of them; none when it is not clean.
    pub merged: Option<String>,
}

/// Returns what stands in a hunk's way; none for a hunk that is not stale, or whose file comes, goes or moves.
pub fn conflict(placed: &PlacedFile, hunk: &Hunk) -> Option<Conflict> {
    let place = placed.placement.place(&hunk.id).filter(|place| place.holds == Holds::Neither)?;
    if hunk.kind != ChangeKind::Modify {
        return None;
    }
    let text = Lines::of_rope(&placed.text);
    let current = text.slice(place.lines.clone());
    let current = current.strip_prefix(BOM).unwrap_or(current).to_owned();
    let [base, mine, theirs] = [&*hunk.old_text, &current, &*hunk.new_text].map(Lines::new);
    let words = || merge_words(&hunk.old_text, &current, &hunk.new_text);
    let merged = merge(&base, &mine, &theirs).or_else(words);
    Some(Conflict { current, merged })
}

/// Returns the command that takes a stale hunk into the text of now. Reads the disk and diffs: not for the runtime's threads.
pub fn resolve(
    snapshot: &Snapshot,
    proposal: &ProposalId,
    hunk: &HunkId,
    resolution: Resolution,
) -> Result<Command, Refusal> {
    let review = review_of(snapshot, proposal)?;
    let unknown = || Refusal::Unknown { what: "hunk", id: hunk.to_string() };
    let (file, found) = review.proposal.hunk(hunk).ok_or_else(unknown)?;
    let placed = placed_file(snapshot, review, file).ok_or_else(|| Refusal::Stale(hunk.clone()))?;
    let Some(conflict) = conflict(&placed, found) else {
        let hunks = kkcode_core::event::Selection::Hunk(hunk.clone());
        return Ok(Command::Accept { proposal: proposal.clone(), hunks });
    };
    let new_text = match (resolution, conflict.merged) {
        (Resolution::Theirs, _) => found.new_text.clone(),
        (Resolution::Merge, Some(merged)) => merged.into(),
        (Resolution::Merge, None) => {
            return Err(Refusal::Forbidden(format!(
                "hunk `{hunk}` and your change touch the same words and cannot be merged; take the proposal there \
                 (`theirs`) or reject the hunk to keep yours"
            )));
        }
    };
    let text = placed.text.to_string();
    let now = Lines::new(text.strip_prefix(BOM).unwrap_or(&text));
    let (base, mut carried) = base_text(&now, file, &placed.placement, snapshot.reviews.texts(), Some(hunk));
    let index = carried.iter().position(|(id, _)| id == hunk).ok_or_else(|| Refusal::Stale(hunk.clone()))?;
    let (_, old) = carried.remove(index);
    let base = Arc::new(Lines::new(base));
    let new = NewHunk { old_text: base.slice(old.clone()).into(), old, new_text };
    let version = snapshot.documents.by_path(&file.path).map(|document| document.version);
    let (proposal, hunk) = (proposal.clone(), hunk.clone());
    Ok(Command::Resolve(Resolve { proposal, hunk, version, base, new, carried }))
}

/// Returns the command that makes the user's own text what is proposed for a file. Reads the disk and diffs: not for the
/// runtime's threads.
pub fn edit(snapshot: &Snapshot, proposal: &ProposalId, path: &Path, text: &str) -> Result<Command, Refusal> {
    let review = review_of(snapshot, proposal)?;
    if review.proposal.state() != ReviewState::Open {
        return Err(Refusal::NothingToDecide(format!("proposal `{proposal}`")));
    }
    if review.proposal.file(path).is_none() {
        return Err(Refusal::Unknown { what: "file", id: path.display().to_string() });
    }
    let seen = overlay::read_in(snapshot, review, path).map_err(|e| Refusal::NotWritten(e.to_string()))?;
    let before = seen.text.clone().unwrap_or_default();
    let name = path.display().to_string();
    let comment = Comment {
        id: CommentId::new(fresh::name("comment").map_err(|e| Refusal::Forbidden(e.to_string()))?),
        path: path.to_owned(),
        hunk: None,
        lines: None,
        text: unified(&before, text, &name, &name),
        is_edit: true,
        sent: false,
    };
    let by = Author::User { proposal: proposal.clone(), comment };
    Ok(Command::Propose(vec![seen.propose(by, text, false)]))
}

fn review_of<'a>(snapshot: &'a Snapshot, id: &ProposalId) -> Result<&'a Review, Refusal> {
    snapshot.reviews.get(id).ok_or_else(|| Refusal::Unknown { what: "proposal", id: id.to_string() })
}
