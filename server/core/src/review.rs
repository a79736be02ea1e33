//! Proposals under review: each with the places of its hunks in the open documents, and what follows from both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::document::{Document, Documents};
use crate::effect::{FileCount, Refusal, TextEdit};
use crate::id::{HunkId, ProposalId, SessionId};
use crate::lines::{Lines, TextHash, ending, split};
use crate::placement::{Holds, Place, Placement};
use crate::proposal::{FileChange, Hunk, Proposal, ReviewState, Verdict};
use crate::text::{BOM, Position, PositionEncoding, TextRange};
use crate::uri::{PathStyle, from_path};

/// A proposal and where its hunks stand.
#[derive(Clone, Debug)]
pub struct Review {
    /// What is stored.
    pub proposal: Proposal,
    /// Where the hunks stand in the open documents; a file that is not here is closed or being looked at.
    pub(crate) placements: BTreeMap<PathBuf, Placement>,
    /// Hunks whose edit is with the editor, and which attempt that is.
    pub(crate) applying: BTreeMap<HunkId, u64>,
    /// Counts the changes of `proposal`, so that an answer about an older one is not believed.
    pub(crate) revision: u64,
}

/// All proposals of the workspace.
#[derive(Clone, Debug, Default)]
pub struct Reviews {
    pub(crate) by_id: BTreeMap<ProposalId, Review>,
    pub(crate) texts: BTreeMap<TextHash, Arc<Lines>>,
}

/// Where a hunk stands, as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HunkState {
    /// It waits for an answer, and its old lines are where they should be.
    Pending,
    /// Its edit is with the editor.
    Applying,
    /// It is in the text.
    Accepted {
        /// Whether the text with it is on the disk.
        saved: bool,
    },
    /// It was refused.
    Rejected,
    /// It waits for an answer, but the user changed the lines it replaces.
    Stale,
    /// A later edit took over.
    Superseded,
}

impl HunkState {
    /// Returns the state's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applying => "applying",
            Self::Accepted { .. } => "accepted",
            Self::Rejected => "rejected",
            Self::Stale => "stale",
            Self::Superseded => "superseded",
        }
    }
}

impl Reviews {
    /// Returns one review.
    pub fn get(&self, id: &ProposalId) -> Option<&Review> {
        self.by_id.get(id)
    }

    /// Returns all reviews.
    pub fn iter(&self) -> impl Iterator<Item = &Review> {
        self.by_id.values()
    }

    /// Returns the text of a hash, if a loaded proposal counts lines in it.
    pub fn text(&self, hash: &TextHash) -> Option<&Arc<Lines>> {
        self.texts.get(hash)
    }

    /// Returns the session's open proposal; there is at most one.
    pub fn open_of(&self, session: &SessionId) -> Option<&Review> {
        self.iter().find(|review| {
            review.proposal.session == *session && review.proposal.state() == ReviewState::Open
        })
    }

    /// Returns the proposals that have something placed in an open document, with its places.
    pub fn placed(&self, path: &Path) -> impl Iterator<Item = (&Review, &FileChange, &Placement)> {
        self.iter().filter_map(move |review| {
            Some((review, review.proposal.file(path)?, review.placements.get(path)?))
        })
    }

    pub(crate) fn text_of(&self, file: &FileChange) -> Result<&Arc<Lines>, Refusal> {
        self.texts
            .get(&file.base)
            .ok_or_else(|| Refusal::Unknown { what: "text", id: file.base.as_str().to_owned() })
    }
}

impl Review {
    pub(crate) fn new(proposal: Proposal) -> Self {
        Self { proposal, placements: BTreeMap::new(), applying: BTreeMap::new(), revision: 0 }
    }

    /// Returns where a hunk stands.
    pub fn state(&self, file: &FileChange, hunk: &Hunk) -> HunkState {
        match hunk.verdict {
            Verdict::Accepted { saved } => HunkState::Accepted { saved },
            Verdict::Rejected { .. } => HunkState::Rejected,
            Verdict::Superseded => HunkState::Superseded,
            Verdict::Undecided if self.applying.contains_key(&hunk.id) => HunkState::Applying,
            Verdict::Undecided if hunk.base != file.base => HunkState::Stale,
            Verdict::Undecided => match self.placements.get(&file.path).and_then(|all| all.place(&hunk.id)) {
                Some(place) if place.holds == Holds::Neither => HunkState::Stale,
                _ => HunkState::Pending,
            },
        }
    }

    /// Returns how much of each file waits for the user.
    pub fn counts(&self, documents: &Documents) -> Vec<FileCount> {
        let count = |file: &FileChange| {
            let count = |wanted: &[HunkState]| {
                file.hunks.iter().filter(|hunk| wanted.contains(&self.state(file, hunk))).count()
            };
            let uri = documents.by_path(&file.path).map(|document| document.uri.as_str().to_owned());
            FileCount {
                uri: uri.unwrap_or_else(|| from_path(&file.path, PathStyle::NATIVE)),
                pending: count(&[HunkState::Pending, HunkState::Applying]),
                stale: count(&[HunkState::Stale]),
            }
        };
        self.proposal.files.iter().map(count).collect()
    }

    /// Returns where the hunks of a file stand, if its document is open and has been looked at.
    pub fn placement(&self, path: &Path) -> Option<&Placement> {
        self.placements.get(path)
    }
}

/// Returns the edit that takes one hunk into an open document.
///
/// The replaced range is exactly the hunk's lines. Where the document lacks the line ending that the new lines lean on,
/// or the new lines one that the document goes on behind, the edit brings it, so that no two lines run together.
pub fn accept_edit(document: &Document, place: &Place, hunk: &Hunk, encoding: PositionEncoding) -> TextEdit {
    let text = &document.text;
    let char_of = |line: usize| text.try_line_to_char(line).unwrap_or(text.len_chars());
    let (start, end) = (char_of(place.lines.start), char_of(place.lines.end));
    let line_before =
        place.lines.start.checked_sub(1).and_then(|line| text.get_line(line)).map(|line| line.to_string());
    let new_text = fit(&hunk.new_text, line_before.as_deref(), end < text.len_chars());
    let range =
        TextRange::new(Position::from_char(text, start, encoding), Position::from_char(text, end, encoding));
    TextEdit { range, new_text }
}

/// Returns `text` with one hunk taken into it, by the same rules as [`accept_edit`].
pub fn accepted_text(text: &Lines, place: &Place, hunk: &Hunk) -> String {
    let (before, after) = (text.slice(0..place.lines.start), text.slice(place.lines.end..text.len()));
    let line_before = place.lines.start.checked_sub(1).map(|line| text.slice(line..line + 1));
    let new_text = fit(&hunk.new_text, line_before, !after.is_empty());
    let bom = if place.lines.start == 0 && text.text().starts_with(BOM) { "\u{feff}" } else { "" };
    [bom, before, &new_text, after.strip_prefix(BOM).unwrap_or(after)].concat()
}

/// Returns `text` with all pending hunks of a file taken into it: what the agent sees.
pub fn overlay_text(text: &Lines, file: &FileChange, placement: &Placement) -> String {
    text_with(text, file, placement, |_| true)
}

/// Returns `text` with those pending hunks of a file taken into it that are wanted.
pub fn text_with(
    text: &Lines,
    file: &FileChange,
    placement: &Placement,
    wanted: impl Fn(&HunkId) -> bool,
) -> String {
    let pending = |place: &&Place| place.holds == Holds::Old && wanted(&place.hunk);
    placement.places().iter().rev().filter(pending).fold(text.text().to_string(), |text, place| {
        match file.hunk(&place.hunk) {
            Some(hunk) => accepted_text(&Lines::new(text), place, hunk),
            None => text,
        }
    })
}

/// Returns new lines with the line endings that keep them apart from what stands around them.
fn fit(new_text: &str, line_before: Option<&str>, more_follows: bool) -> String {
    let fallback = || {
        let own = split(new_text).next().map_or("", ending);
        if own.is_empty() { "\n" } else { own }
    };
    let mut fitted = String::with_capacity(new_text.len() + 4);
    if new_text.is_empty() {
        return fitted;
    }
    let ending_before = line_before.map(ending);
    if ending_before == Some("") {
        fitted += fallback();
    }
    fitted += new_text;
    if more_follows && ending(split(new_text).last().unwrap_or_default()).is_empty() {
        fitted += ending_before.filter(|ending| !ending.is_empty()).unwrap_or_else(fallback);
    }
    fitted
}

#[cfg(test)]
mod tests;
