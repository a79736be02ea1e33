//! How the editor's documents are mirrored, and what their changes say about hunks.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ropey::Rope;

use super::{State, persist};
use crate::document::{ContentChange, Document, DocumentUri};
use crate::effect::{Commit, EditorEffect, Effect};
use crate::id::ProposalId;
use crate::lines::Compare;
use crate::placement::Placement;
use crate::placement::layer::Followed;
use crate::proposal::{ChangeKind, Hunk};
use crate::text::{PositionEncoding, TextRange};

/// A change of whole lines, for the places that have to follow it: lines of the text before, and of the one after.
struct Replaced {
    before: Range<usize>,
    after: Range<usize>,
}

impl State {
    pub(super) fn document_opened(
        &mut self,
        uri: DocumentUri,
        path: Option<PathBuf>,
        language_id: String,
        version: i32,
        text: &str,
    ) -> Vec<Effect> {
        let document = Document {
            uri,
            path: path.clone(),
            language_id,
            version,
            text: Rope::from_str(text),
            out_of_sync: false,
        };
        Arc::make_mut(&mut self.documents).open(document);
        path.map(|path| self.derive_all(&path)).unwrap_or_default()
    }

    pub(super) fn document_changed(
        &mut self,
        uri: &DocumentUri,
        version: i32,
        changes: &[ContentChange],
    ) -> Vec<Effect> {
        let Some(document) = Arc::make_mut(&mut self.documents).get_mut(uri) else { return Vec::new() };
        document.version = version;
        let Some(path) = document.path.clone() else {
            apply_all(document, changes, self.encoding);
            return Vec::new();
        };
        let followers: Vec<ProposalId> =
            self.reviews.placed(&path).map(|(review, ..)| review.proposal.id.clone()).collect();
        let was_in_step = !document.out_of_sync;
        if followers.is_empty() {
            apply_all(document, changes, self.encoding);
            // An answer about the text before, still on its way, is asked for again when it comes.
            return Vec::new();
        }
        let reviews = Arc::make_mut(&mut self.reviews);
        let (mut changed, mut unsure): (Vec<ProposalId>, Vec<ProposalId>) = Default::default();
        let mut rewritten = false;
        for change in changes {
            let before = document.text.clone();
            if document.apply(change, self.encoding).is_err() {
                break;
            }
            let Some(range) = change.range else {
                rewritten = true;
                continue;
            };
            for id in followers.iter().filter(|_| !rewritten && !document.out_of_sync) {
                let placement = reviews.by_id.get_mut(id).and_then(|review| review.placements.get_mut(&path));
                let Some(placement) = placement else { continue };
                let followed = follow(placement, range, &before, &document.text, self.encoding);
                if followed.changed && !changed.contains(id) {
                    changed.push(id.clone());
                }
                if followed.unsure && !unsure.contains(id) {
                    unsure.push(id.clone());
                }
            }
        }
        if rewritten || (was_in_step && document.out_of_sync) {
            return self.derive_all(&path);
        }
        // A file that is to go or to move is looked at whole: what is typed beside its lines is the user's as well.
        unsure.extend(followers.into_iter().filter(|id| self.goes_whole(id, &path)));
        unsure.sort();
        unsure.dedup();
        let mut effects = self.settle(&path, &changed);
        effects.extend(changed.into_iter().map(|id| Effect::Editor(EditorEffect::Refresh(id))));
        effects.extend(unsure.iter().filter_map(|id| self.derive(id, &path)));
        effects
    }

    pub(super) fn document_saved(&mut self, uri: &DocumentUri) -> Vec<Effect> {
        Arc::make_mut(&mut self.documents).save(uri);
        let Some(path) = self.documents.get(uri).and_then(|document| document.path.clone()) else {
            return Vec::new();
        };
        self.make_final(&path)
    }

    pub(super) fn document_closed(&mut self, uri: &DocumentUri) -> Vec<Effect> {
        let closed = Arc::make_mut(&mut self.documents).close(uri);
        let Some(path) = closed.and_then(|document| document.path) else { return Vec::new() };
        // The disk owns the text again; what was only in the buffer is gone.
        self.derive_all(&path)
    }

    /// Tells whether a hunk that waits deletes or moves the file.
    fn goes_whole(&self, proposal: &ProposalId, path: &Path) -> bool {
        let goes = |hunk: &Hunk| {
            hunk.verdict.is_open() && matches!(hunk.kind, ChangeKind::Delete | ChangeKind::Rename { .. })
        };
        let file = self.reviews.get(proposal).and_then(|review| review.proposal.file(path));
        file.is_some_and(|file| file.hunks.iter().any(goes))
    }

    /// Returns the questions where the hunks of a file stand now, for every proposal that waits for something there.
    pub(super) fn derive_all(&mut self, path: &Path) -> Vec<Effect> {
        let ids: Vec<ProposalId> = self
            .reviews
            .iter()
            .filter(|review| review.proposal.file(path).is_some())
            .map(|review| review.proposal.id.clone())
            .collect();
        ids.iter().filter_map(|id| self.derive(id, path)).collect()
    }

    /// Writes down what the text says about the hunks of a file, for these proposals.
    pub(super) fn settle(&mut self, path: &Path, proposals: &[ProposalId]) -> Vec<Effect> {
        let mut commit = Commit::default();
        for id in proposals {
            self.read_verdicts(id, path, &mut commit);
        }
        persist(commit).into_iter().collect()
    }
}

fn apply_all(document: &mut Document, changes: &[ContentChange], encoding: PositionEncoding) {
    for change in changes {
        if document.apply(change, encoding).is_err() {
            return;
        }
    }
}

/// Lets the places of one file follow one change of its text.
fn follow(
    placement: &mut Placement,
    range: TextRange,
    before: &Rope,
    after: &Rope,
    encoding: PositionEncoding,
) -> Followed {
    let mut all = Followed::default();
    for layer in placement.layers_mut() {
        let compare = layer.compare();
        let Some(replaced) = replaced_lines(range, before, after, encoding, compare) else { continue };
        let reach = layer.reach(replaced.before.clone());
        let reach_after = reach.start..reach.end - replaced.before.end + replaced.after.end;
        let followed =
            layer.follow(reach.start, &keys(before, reach, compare), &keys(after, reach_after, compare));
        all.changed |= followed.changed;
        all.unsure |= followed.unsure;
    }
    all
}

/// Returns which lines a change of `range` replaced by which.
fn replaced_lines(
    range: TextRange,
    before: &Rope,
    after: &Rope,
    encoding: PositionEncoding,
    compare: Compare,
) -> Option<Replaced> {
    let chars = range.to_chars(before, encoding).ok()?;
    let (first, last) = (before.char_to_line(chars.start), before.char_to_line(chars.end));
    // A line feed put in front of a line can join the carriage return that ended the line above.
    let first = first.saturating_sub(usize::from(compare == Compare::Exact));
    let (lines_before, lines_after) = (line_count(before), line_count(after));
    let end = (last + 1).min(lines_before);
    let first = first.min(end);
    let behind = lines_before - end;
    Some(Replaced { before: first..end, after: first..lines_after.checked_sub(behind)?.max(first) })
}

/// Returns the number of lines, without the empty one that a rope has behind a final line ending.
fn line_count(text: &Rope) -> usize {
    let lines = text.len_lines();
    if text.line_to_char(lines - 1) == text.len_chars() { lines - 1 } else { lines }
}

fn keys(text: &Rope, lines: Range<usize>, compare: Compare) -> Vec<String> {
    text.get_lines_at(lines.start)
        .into_iter()
        .flatten()
        .take(lines.len())
        .map(|line| compare.key(&line.to_string()).to_owned())
        .collect()
}
