//! What an agent sees of a file: its own pending edits over the editor's text over the disk; and how what it makes of that is
//! proposed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kkcode_core::diff::line_changes;
use kkcode_core::edits::{base_text, overlay_text};
use kkcode_core::event::{Author, Propose};
use kkcode_core::id::{HunkId, SessionId};
use kkcode_core::lines::Lines;
use kkcode_core::placement::{Found, Placement};
use kkcode_core::proposal::{ChangeKind, FileChange, NewHunk};
use kkcode_core::review::Review;
use kkcode_core::state::Snapshot;
use kkcode_core::text::BOM;

use crate::file::{self, FileError};
use crate::fresh;

/// One file as a session sees it.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The file; of one that a pending rename brings here, the path that it still has.
    pub(crate) path: PathBuf,
    /// The text without the session's pending and applied hunks, and without byte order mark; none when there is no file.
    pub(crate) base: Option<Arc<Lines>>,
    /// The text with them; none when the session sees no file there.
    pub(crate) text: Option<String>,
    /// What the session's pending edits make of the file as a whole.
    kind: ChangeKind,
    /// Where those hunks stand in `base`.
    carried: Vec<(HunkId, std::ops::Range<usize>)>,
}

/// Reads a file as a session sees it. Reads the disk and may diff: not for the runtime's own thread.
///
/// A file that is not there is no error, see [`Seen::text`]; one that cannot be read as text is.
pub(crate) fn read(snapshot: &Snapshot, session: &SessionId, path: &Path) -> Result<Seen, FileError> {
    read_over(snapshot, session, path, |path| base_of(snapshot, path))
}

/// Reads a file as a session sees it over what is said to be there.
pub(crate) fn read_over(
    snapshot: &Snapshot,
    session: &SessionId,
    path: &Path,
    now: impl Fn(&Path) -> Result<Option<Lines>, FileError>,
) -> Result<Seen, FileError> {
    let review = snapshot.reviews.open_of(session);
    if let Some((review, from)) = review.and_then(|review| Some((review, renamed_to(review, path)?))) {
        return Ok(over(snapshot, review, &from.path, now(&from.path)?));
    }
    if let Some(review) = review {
        return match over(snapshot, review, path, now(path)?) {
            Seen { kind: ChangeKind::Rename { to }, .. } => Err(FileError::Moved(path.to_owned(), to)),
            seen => Ok(seen),
        };
    }
    let base = now(path)?;
    let text = base.as_ref().map(|base| base.text().to_string());
    let base = base.map(Arc::new);
    Ok(Seen { path: path.to_owned(), base, text, kind: ChangeKind::Modify, carried: Vec::new() })
}

/// Reads a file as a proposal would have it.
pub(crate) fn read_in(snapshot: &Snapshot, review: &Review, path: &Path) -> Result<Seen, FileError> {
    Ok(over(snapshot, review, path, base_of(snapshot, path)?))
}

/// Reads a file as a proposal would have it over what is said to be there.
pub(crate) fn over(snapshot: &Snapshot, review: &Review, path: &Path, now: Option<Lines>) -> Seen {
    let texts = snapshot.reviews.texts();
    let seen = |base: Option<Lines>, text, kind, carried| Seen {
        path: path.to_owned(),
        base: base.map(Arc::new),
        text,
        kind,
        carried,
    };
    let Some(file) = review.proposal.file(path) else {
        let text = now.as_ref().map(|now| now.text().to_string());
        return seen(now, text, ChangeKind::Modify, Vec::new());
    };
    let found = match (&now, snapshot.documents.by_path(path)) {
        (Some(now), Some(_)) => Found::Buffer(now),
        (Some(now), None) => Found::Disk(now),
        (None, _) => file::nothing(file),
    };
    let placement = Placement::derive(file, texts, found, |_| false);
    if let Some(whole) = pending_whole(file, &placement) {
        let text = (whole.kind != ChangeKind::Delete).then(|| whole.new_text.to_string());
        return seen(now, text, whole.kind.clone(), vec![(whole.id.clone(), whole.old.clone())]);
    }
    let Some(now) = now else { return seen(None, None, ChangeKind::Modify, Vec::new()) };
    let text = overlay_text(&now, file, &placement, texts);
    let (base, carried) = base_text(&now, file, &placement, texts, None);
    seen(Some(Lines::new(base)), Some(text), ChangeKind::Modify, carried)
}

/// Returns the files that a session sees and that are not there, with their texts, and those that are and that it does not see.
pub(crate) fn changed_files(snapshot: &Snapshot, session: &SessionId) -> Vec<(PathBuf, Option<String>)> {
    let Some(review) = snapshot.reviews.open_of(session) else { return Vec::new() };
    let mut changed = Vec::new();
    for file in &review.proposal.files {
        let Ok(seen) = read_in(snapshot, review, &file.path) else { continue };
        match seen.kind {
            ChangeKind::Modify => {}
            ChangeKind::Create | ChangeKind::Delete => changed.push((file.path.clone(), seen.text)),
            ChangeKind::Rename { to } => {
                changed.push((file.path.clone(), None));
                changed.push((to, seen.text));
            }
        }
    }
    changed
}

impl Seen {
    /// Returns the path that a pending rename gives the file.
    pub(crate) fn goes_to(&self) -> Option<&Path> {
        match &self.kind {
            ChangeKind::Rename { to } => Some(to),
            ChangeKind::Modify | ChangeKind::Create | ChangeKind::Delete => None,
        }
    }

    /// Returns the proposal to make `text` of the file: an edit of one that is there, a new one where there is none.
    pub(crate) fn propose(self, by: Author, text: &str, apply: bool) -> Propose {
        let kind = match (&self.base, self.kind) {
            (None, _) => ChangeKind::Create,
            (Some(_), ChangeKind::Rename { to }) => ChangeKind::Rename { to },
            (Some(_), _) => ChangeKind::Modify,
        };
        let base = self.base.unwrap_or_else(|| Arc::new(Lines::new("")));
        let hunks = match &kind {
            ChangeKind::Modify => hunks(&base, text),
            ChangeKind::Create | ChangeKind::Delete | ChangeKind::Rename { .. } => vec![whole(&base, text)],
        };
        Propose { by, path: self.path, kind, base, hunks, carried: self.carried, apply, at: fresh::now() }
    }

    /// Returns the proposal that the file goes; one that would only come does not come any more.
    pub(crate) fn propose_delete(self, by: Author, apply: bool) -> Propose {
        let exists = self.base.is_some();
        let base = self.base.unwrap_or_else(|| Arc::new(Lines::new("")));
        let kind = if exists { ChangeKind::Delete } else { ChangeKind::Create };
        let hunks = if exists { vec![whole(&base, "")] } else { Vec::new() };
        Propose { by, path: self.path, kind, base, hunks, carried: self.carried, apply, at: fresh::now() }
    }

    /// Returns the proposal that the file gets another path, or the one back that it has on the disk; none when there is no
    /// file to move.
    pub(crate) fn propose_rename(self, by: Author, to: PathBuf, apply: bool) -> Option<Propose> {
        let text = self.text?;
        let base = self.base?;
        let (kind, hunks) = if to == self.path {
            (ChangeKind::Modify, hunks(&base, &text))
        } else {
            (ChangeKind::Rename { to }, vec![whole(&base, &text)])
        };
        Some(Propose {
            by,
            path: self.path,
            kind,
            base,
            hunks,
            carried: self.carried,
            apply,
            at: fresh::now(),
        })
    }
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

/// Returns the one hunk of a file that comes, goes or moves.
fn whole(base: &Lines, text: &str) -> NewHunk {
    NewHunk { old: 0..base.len(), old_text: base.text().clone(), new_text: text.into() }
}

/// Returns the text that the editor has, else the disk, without byte order mark; none when there is no file.
fn base_of(snapshot: &Snapshot, path: &Path) -> Result<Option<Lines>, FileError> {
    let text = match snapshot.documents.by_path(path) {
        Some(document) => document.text.to_string(),
        None => match file::read(path, &snapshot.folders) {
            Err(FileError::Missing(_)) => return Ok(None),
            text => text?,
        },
    };
    Ok(Some(Lines::new(text.strip_prefix(BOM).unwrap_or(&text))))
}

/// Returns the hunk that waits for an answer and makes the file come, go or move.
fn pending_whole<'a>(file: &'a FileChange, placement: &Placement) -> Option<&'a kkcode_core::proposal::Hunk> {
    file.hunks.iter().find(|hunk| {
        let pending = placement.place(&hunk.id).is_some_and(|place| place.holds.is_pending());
        hunk.kind != ChangeKind::Modify && hunk.verdict.is_open() && pending
    })
}

/// Returns the file that a pending hunk of a proposal gives this path.
fn renamed_to<'a>(review: &'a Review, path: &Path) -> Option<&'a FileChange> {
    review.proposal.files.iter().find(|file| {
        let to = |kind: &ChangeKind| matches!(kind, ChangeKind::Rename { to } if to == path);
        file.hunks.iter().any(|hunk| hunk.verdict.is_open() && to(&hunk.kind))
    })
}
