//! The hunks that wait for the user in one document, as every surface shows them: their range, their state, their lines.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use kkcode_agent::resolve;
use kkcode_agent::view::{PlacedFile, placed_file};
use kkcode_core::diff::is_coarse;
use kkcode_core::document::DocumentUri;
use kkcode_core::id::ProposalId;
use kkcode_core::lines::{ending, split};
use kkcode_core::proposal::{ChangeKind, FileChange, Hunk};
use kkcode_core::review::{HunkState, Review};
use kkcode_core::state::Snapshot;
use kkcode_core::text::{Position, PositionEncoding, TextRange};
use kkcode_core::uri::{PathStyle, to_path};

use crate::to_proto;
use crate::virtual_documents::{self, Side, VirtualDocument};

/// How much of a line is shown where a hunk has one line only to say what it is, in characters.
const PREVIEW: usize = 40;

/// A document that can have hunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A file, in the editor or on the disk.
    File(PathBuf),
    /// What a file would be.
    Virtual(VirtualDocument),
}

impl Target {
    /// Returns what the client means by a URI: a document that it opened by this string, else what the string names.
    pub(crate) fn of(snapshot: &Snapshot, uri: &str) -> Option<Self> {
        if let Some(path) = snapshot.documents.get(&DocumentUri::new(uri)).and_then(|open| open.path.clone())
        {
            return Some(Self::File(path));
        }
        to_path(uri, PathStyle::NATIVE)
            .map(Self::File)
            .or_else(|| VirtualDocument::parse(uri).map(Self::Virtual))
    }
}

/// A hunk that has no answer yet.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// Whose hunk.
    pub(crate) proposal: ProposalId,
    /// What the proposal is about.
    pub(crate) title: String,
    /// The file that it changes.
    pub(crate) path: PathBuf,
    /// The hunk.
    pub(crate) hunk: Hunk,
    /// How it stands in the document.
    pub(crate) standing: Standing,
}

/// How a hunk stands in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Where it is shown.
    pub(crate) range: TextRange,
    /// Its state, with what the text says about it.
    pub(crate) state: HunkState,
    /// Why it is stale.
    pub(crate) reason: Option<String>,
    /// For a stale one with lines of the user's in its place: whether it can be merged with them.
    pub(crate) merges: Option<bool>,
}

impl Waiting {
    /// Tells whether the hunk can be taken as it is.
    pub(crate) fn is_pending(&self) -> bool {
        self.standing.state == HunkState::Pending
    }

    /// Tells whether the hunk is in the text and waits for the user's word.
    pub(crate) fn is_applied(&self) -> bool {
        self.standing.state == HunkState::Applied
    }

    /// Tells whether one of the hunk's lines is among those of a range.
    pub(crate) fn is_at(&self, range: TextRange) -> bool {
        let (own, wanted) = (lines_of(self.standing.range), lines_of(range));
        own.start() <= wanted.end() && wanted.start() <= own.end()
    }
}

/// Returns the lines that a range has a part of; one that ends where a line starts has nothing of that line.
fn lines_of(range: TextRange) -> RangeInclusive<u32> {
    let behind = range.end.character == 0 && range.end.line > range.start.line;
    range.start.line..=range.end.line - u32::from(behind)
}

/// Returns the hunks of a document that have no answer yet, from top to bottom.
///
/// May read the disk and diff: not for a thread that others wait for.
pub(crate) fn waiting(snapshot: &Snapshot, target: &Target) -> Vec<Waiting> {
    match target {
        Target::File(path) => waiting_in_file(snapshot, path),
        Target::Virtual(document) if document.side == Side::Proposed => {
            waiting_in_proposed(snapshot, document)
        }
        Target::Virtual(_) => Vec::new(),
    }
}

fn waiting_in_file(snapshot: &Snapshot, path: &Path) -> Vec<Waiting> {
    let mut found = Vec::new();
    for review in snapshot.reviews.iter() {
        let Some(file) = review.proposal.file(path).filter(|file| has_waiting(file)) else { continue };
        let placed = placed_file(snapshot, review, file);
        let stand = |hunk: &Hunk| standing(review, file, hunk, placed.as_ref(), snapshot.encoding);
        found.extend(all_waiting(review, file, stand));
    }
    found.sort_by_key(|hunk| (hunk.standing.range.start, hunk.standing.range.end));
    found
}

fn waiting_in_proposed(snapshot: &Snapshot, document: &VirtualDocument) -> Vec<Waiting> {
    let Some(review) = snapshot.reviews.get(&document.proposal) else { return Vec::new() };
    let Some(file) = review.proposal.file(&document.path) else { return Vec::new() };
    let Some(placed) = placed_file(snapshot, review, file) else { return Vec::new() };
    let proposed = virtual_documents::proposed(file, &placed, snapshot.reviews.texts());
    let stand = |hunk: &Hunk| {
        let Standing { state, reason, merges, .. } =
            standing(review, file, hunk, Some(&placed), snapshot.encoding);
        let lines = proposed.lines.get(&hunk.id).cloned().unwrap_or_default();
        let range = to_proto::hunk_range(&proposed.text, &lines, snapshot.encoding);
        Standing { range, state, reason, merges }
    };
    let mut found: Vec<Waiting> = all_waiting(review, file, stand).collect();
    found.sort_by_key(|hunk| (hunk.standing.range.start, hunk.standing.range.end));
    found
}

/// Tells whether a hunk of the file has no answer yet.
pub(crate) fn has_waiting(file: &FileChange) -> bool {
    file.hunks.iter().any(|hunk| hunk.verdict.is_open())
}

fn all_waiting(
    review: &Review,
    file: &FileChange,
    stand: impl Fn(&Hunk) -> Standing,
) -> impl Iterator<Item = Waiting> {
    let undecided = file.hunks.iter().filter(|hunk| hunk.verdict.is_open());
    undecided.map(move |hunk| Waiting {
        proposal: review.proposal.id.clone(),
        title: review.proposal.title.clone(),
        path: file.path.clone(),
        hunk: hunk.clone(),
        standing: stand(hunk),
    })
}

/// Returns where and how a hunk stands in the text of its file; without a text at the line that it was made for.
pub(crate) fn standing(
    review: &Review,
    file: &FileChange,
    hunk: &Hunk,
    placed: Option<&PlacedFile>,
    encoding: PositionEncoding,
) -> Standing {
    let place = placed.and_then(|placed| Some((placed, placed.placement.place(&hunk.id)?)));
    let mut state = review.state_in(file, hunk, placed.map(|placed| &placed.placement));
    if state == HunkState::Pending && place.is_none() {
        state = HunkState::Stale;
    }
    let made_for = || {
        let line = Position::new(u32::try_from(hunk.old.start).unwrap_or(u32::MAX), 0);
        TextRange::new(line, line)
    };
    let range = place
        .map_or_else(made_for, |(placed, place)| to_proto::hunk_range(&placed.text, &place.lines, encoding));
    let reason = match (state, placed) {
        (HunkState::Stale, Some(_)) => Some(match hunk.kind {
            ChangeKind::Create => "another file is there by now".to_owned(),
            ChangeKind::Delete | ChangeKind::Rename { .. } => "the file was changed".to_owned(),
            ChangeKind::Modify => "the lines that it replaces were changed".to_owned(),
        }),
        (HunkState::Stale, None) => Some("its file cannot be read".to_owned()),
        _ => None,
    };
    let merges = placed
        .filter(|_| state == HunkState::Stale)
        .and_then(|placed| Some(resolve::conflict(placed, hunk)?.merged.is_some()));
    Standing { range, state, reason, merges }
}

/// Returns the hunks of a proposal that have no answer yet, file by file, as a reader goes through them.
pub(crate) fn in_order(review: &Review) -> impl DoubleEndedIterator<Item = &Hunk> {
    let hunks = review.proposal.files.iter().flat_map(|file| &file.hunks);
    hunks.filter(|hunk| hunk.verdict.is_open())
}

/// Returns the lines of a hunk as those of a diff, without line endings.
pub(crate) fn diff(hunk: &Hunk) -> Vec<String> {
    let marked = |mark: char, text: &'_ str| -> Vec<String> {
        split(text).map(|line| format!("{mark}{}", without_ending(line))).collect()
    };
    [marked('-', &hunk.old_text), marked('+', &hunk.new_text)].concat()
}

/// Says on one line what a hunk does to the file `path`.
pub(crate) fn summary(hunk: &Hunk, path: &Path) -> String {
    let (old, new) = (split(&hunk.old_text).count(), split(&hunk.new_text).count());
    let lines = |count: usize| if count == 1 { "1 line".to_owned() } else { format!("{count} lines") };
    if let ChangeKind::Rename { to } = &hunk.kind {
        let folder = path.parent().unwrap_or(path);
        return format!("rename the file to {}", to.strip_prefix(folder).unwrap_or(to).display());
    }
    match (old, new) {
        _ if hunk.kind == ChangeKind::Create => format!("new file: {}", lines(new)),
        _ if hunk.kind == ChangeKind::Delete => format!("delete the file: {}", lines(old)),
        _ if hunk.changes_only_endings() => format!("other line endings for {}", lines(old)),
        _ if is_coarse(old, new) => {
            format!("{} by {}, too many to be compared line by line", lines(old), lines(new))
        }
        (0, _) => format!("insert {}: {}", lines(new), preview(&hunk.new_text)),
        (_, 0) => format!("delete {}: {}", lines(old), preview(&hunk.old_text)),
        (1, 1) => format!("{} → {}", preview(&hunk.old_text), preview(&hunk.new_text)),
        _ => format!(
            "{} by {}: {} → {}",
            lines(old),
            lines(new),
            preview(&hunk.old_text),
            preview(&hunk.new_text)
        ),
    }
}

/// Returns the beginning of the first line that has something on it.
fn preview(text: &str) -> String {
    let line = split(text).map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if line.chars().count() <= PREVIEW {
        return line.to_owned();
    }
    line.chars().take(PREVIEW - 1).chain(['…']).collect()
}

fn without_ending(line: &str) -> &str {
    line.strip_suffix(ending(line)).unwrap_or(line)
}

#[cfg(test)]
mod tests;
