//! Where the hunks of a file stand now, for showing them: in the editor's text, else in the disk's.

use kkcode_core::lines::Lines;
use kkcode_core::placement::Placement;
use kkcode_core::proposal::FileChange;
use kkcode_core::review::Review;
use kkcode_core::state::Snapshot;
use ropey::Rope;

use crate::file;

/// A file's text and its hunks' places in it.
#[derive(Debug)]
pub struct PlacedFile {
    /// The text that the editor has, or the disk.
    pub text: Rope,
    /// Where the hunks stand in it.
    pub placement: Placement,
}

/// Returns the text of a proposal's file and its hunks' places; none when the file is gone or no text.
///
/// Reads the disk for a file that no editor has open, and diffs where the state does not know the places: not for a thread
/// that others wait for.
pub fn placed_file(snapshot: &Snapshot, review: &Review, change: &FileChange) -> Option<PlacedFile> {
    let document = snapshot.documents.by_path(&change.path);
    let text = match document {
        Some(document) if document.out_of_sync => return None,
        Some(document) => document.text.clone(),
        None => Rope::from_str(&file::read(&change.path).ok()?),
    };
    let known = document.and(review.placement(&change.path)).cloned();
    let derived = || {
        let base = snapshot.reviews.text(&change.base)?;
        Some(Placement::derive(base, &change.placed_hunks(), &Lines::of_rope(&text)))
    };
    let placement = known.or_else(derived)?;
    Some(PlacedFile { text, placement })
}
