//! Where the hunks of a file stand now, for showing them: in the editor's text, else in the disk's.

use kkcode_core::lines::Lines;
use kkcode_core::placement::{Found, Placement};
use kkcode_core::proposal::FileChange;
use kkcode_core::review::Review;
use kkcode_core::state::Snapshot;
use ropey::Rope;

use crate::file::{self, FileError};

/// A file's text and its hunks' places in it.
#[derive(Debug)]
pub struct PlacedFile {
    /// The text that the editor has, or the disk; empty when there is no file.
    pub text: Rope,
    /// Where the hunks stand in it.
    pub placement: Placement,
}

/// Returns the text of a proposal's file and its hunks' places; none when it is no text, or what the editor has is unknown.
///
/// Reads the disk for a file that no editor has open, and diffs where the state does not know the places: not for a thread
/// that others wait for.
pub fn placed_file(snapshot: &Snapshot, review: &Review, change: &FileChange) -> Option<PlacedFile> {
    let document = snapshot.documents.by_path(&change.path);
    let text = match document {
        Some(document) if document.out_of_sync => return None,
        Some(document) => Some(document.text.clone()),
        None => match file::read(&change.path, &snapshot.folders) {
            Ok(text) => Some(Rope::from_str(&text)),
            Err(FileError::Missing(_)) => None,
            Err(_) => return None,
        },
    };
    let known = document.and(review.placement(&change.path)).cloned();
    let placement = known.unwrap_or_else(|| {
        let lines = text.as_ref().map(Lines::of_rope);
        let found = match (&lines, document) {
            (Some(lines), Some(_)) => Found::Buffer(lines),
            (Some(lines), None) => Found::Disk(lines),
            (None, _) => file::nothing(change),
        };
        Placement::derive(change, snapshot.reviews.texts(), found, |_| false)
    });
    Some(PlacedFile { text: text.unwrap_or_default(), placement })
}
