//! What an agent sees of a file: its own pending edits over the editor's text over the disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kkcode_core::diff::line_changes;
use kkcode_core::id::{HunkId, SessionId};
use kkcode_core::lines::Lines;
use kkcode_core::placement::Placement;
use kkcode_core::proposal::NewHunk;
use kkcode_core::review::overlay_text;
use kkcode_core::state::Snapshot;
use kkcode_core::text::BOM;

use crate::file::{self, FileError};

/// One file as a session sees it.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The file.
    pub(crate) path: PathBuf,
    /// The text without the session's pending hunks: the editor's, else the disk's. Without byte order mark.
    pub(crate) base: Arc<Lines>,
    /// The text with them.
    pub(crate) text: String,
    /// Where those hunks stand in `base`.
    pub(crate) carried: Vec<(HunkId, std::ops::Range<usize>)>,
}

/// Reads a file as a session sees it. Reads the disk and may diff: not for the runtime's own thread.
pub(crate) fn read(snapshot: &Snapshot, session: &SessionId, path: &Path) -> Result<Seen, FileError> {
    let text = match snapshot.documents.by_path(path) {
        Some(document) => document.text.to_string(),
        None => file::read(path)?,
    };
    let base = Lines::new(text.strip_prefix(BOM).unwrap_or(&text));
    let review = snapshot.reviews.open_of(session);
    let known = review.and_then(|review| review.proposal.file(path));
    let (text, carried) = match known.and_then(|file| Some((file, snapshot.reviews.text(&file.base)?))) {
        None => (base.text().to_string(), Vec::new()),
        Some((file, old_base)) => {
            let placement = Placement::derive(old_base, &file.placed_hunks(), &base);
            (overlay_text(&base, file, &placement), placement.pending())
        }
    };
    Ok(Seen { path: path.to_owned(), base: Arc::new(base), text, carried })
}

/// Returns what has to become of `base` to make it `text`.
pub(crate) fn hunks(base: &Lines, text: &str) -> Vec<NewHunk> {
    let after = Lines::new(text);
    let (old, new): (Vec<&str>, Vec<&str>) = (base.iter().collect(), after.iter().collect());
    line_changes(&old, &new)
        .into_iter()
        .map(|change| NewHunk {
            old: change.before.clone(),
            old_text: base.slice(change.before).into(),
            new_text: after.slice(change.after).into(),
        })
        .collect()
}
