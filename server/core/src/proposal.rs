//! What a session would like to change: stored texts and hunks that never change, and what was decided about them.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::id::{HunkId, ProposalId, SessionId, TurnId};
use crate::lines::{Compare, TextHash, hex, keys, split};

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// What a session would like to change, in all files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Its name.
    pub id: ProposalId,
    /// The conversation that it belongs to.
    pub session: SessionId,
    /// The turn that opened it.
    pub turn: TurnId,
    /// What was asked, on one line.
    pub title: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// The files it touches, in the order they were first touched.
    pub files: Vec<FileChange>,
}

/// What a proposal would like to change in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// The file, absolute.
    pub path: PathBuf,
    /// What happens to the file as a whole.
    pub kind: ChangeKind,
    /// The text that the hunks count their lines in.
    pub base: TextHash,
    /// The hunks, in base order; decided and superseded ones stay.
    pub hunks: Vec<Hunk>,
}

/// What happens to a file as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is there and gets other lines.
    Modify,
}

/// One contiguous change. Everything but `verdict` was given once and stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// Its name; see [`hunk_id`].
    pub id: HunkId,
    /// The turn that proposed it.
    pub turn: TurnId,
    /// The text that `old` counts its lines in.
    pub base: TextHash,
    /// The base lines that it replaces; empty where it only inserts.
    pub old: Range<usize>,
    /// Those lines, byte for byte.
    pub old_text: Arc<str>,
    /// The lines that it brings, byte for byte; empty where it only deletes.
    pub new_text: Arc<str>,
    /// What was decided.
    pub verdict: Verdict,
}

/// What was decided about a hunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing yet.
    Undecided,
    /// It was taken: its new lines were seen in the text, or written by us.
    Accepted {
        /// Whether the text with it is on the disk. Until then it can be lost, and is pending again when it is.
        saved: bool,
    },
    /// It was refused.
    Rejected {
        /// What the user said about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A later edit of the same place took over.
    Superseded,
}

/// Where a proposal or one of its files stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// Something waits for an answer.
    Open,
    /// Everything was taken.
    Accepted,
    /// Everything was refused.
    Rejected,
    /// Some was taken and some refused.
    Partial,
}

/// A hunk before it has a name: base lines and what would stand there instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHunk {
    /// The base lines that it replaces.
    pub old: Range<usize>,
    /// Those lines, byte for byte.
    pub old_text: Arc<str>,
    /// The lines that it brings, byte for byte.
    pub new_text: Arc<str>,
}

impl Proposal {
    /// Returns the file change of a path.
    pub fn file(&self, path: &std::path::Path) -> Option<&FileChange> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Returns a hunk and the file it is in.
    pub fn hunk(&self, id: &HunkId) -> Option<(&FileChange, &Hunk)> {
        self.files.iter().find_map(|file| Some((file, file.hunk(id)?)))
    }

    /// Returns a hunk to be decided.
    pub fn hunk_mut(&mut self, id: &HunkId) -> Option<&mut Hunk> {
        self.files.iter_mut().flat_map(|file| &mut file.hunks).find(|hunk| hunk.id == *id)
    }

    /// Returns where the proposal stands as a whole.
    pub fn state(&self) -> ReviewState {
        ReviewState::of(self.files.iter().flat_map(|file| &file.hunks))
    }
}

impl FileChange {
    /// Returns one of its hunks.
    pub fn hunk(&self, id: &HunkId) -> Option<&Hunk> {
        self.hunks.iter().find(|hunk| hunk.id == *id)
    }

    /// Returns the hunks that have a place in a text of this file: those undecided, and those taken that count their
    /// lines in the present base. With each: whether its new lines are expected in the text.
    pub fn placed_hunks(&self) -> Vec<(&Hunk, bool)> {
        self.hunks
            .iter()
            .filter(|hunk| hunk.base == self.base)
            .filter_map(|hunk| match hunk.verdict {
                Verdict::Undecided => Some((hunk, false)),
                Verdict::Accepted { .. } => Some((hunk, true)),
                Verdict::Rejected { .. } | Verdict::Superseded => None,
            })
            .collect()
    }

    /// Returns where the file stands.
    pub fn state(&self) -> ReviewState {
        ReviewState::of(&self.hunks)
    }
}

impl Hunk {
    /// Tells whether old and new lines differ in nothing but their endings, so that only exact bytes can tell them apart.
    pub fn changes_only_endings(&self) -> bool {
        let content = |text| keys(split(text), Compare::Content);
        content(&self.old_text) == content(&self.new_text)
    }
}

impl ReviewState {
    fn of<'a>(hunks: impl IntoIterator<Item = &'a Hunk>) -> Self {
        let (mut accepted, mut rejected) = (false, false);
        for hunk in hunks {
            match hunk.verdict {
                Verdict::Undecided => return Self::Open,
                Verdict::Accepted { .. } => accepted = true,
                Verdict::Rejected { .. } => rejected = true,
                Verdict::Superseded => {}
            }
        }
        match (accepted, rejected) {
            (true, true) => Self::Partial,
            (true, false) => Self::Accepted,
            (false, _) => Self::Rejected,
        }
    }
}

/// Returns the name of a hunk: 16 hexadecimal digits from its proposal, the path at creation, its old and new lines and
/// its number among equals. The same edit always has the same name, whatever stands around it.
pub fn hunk_id(proposal: &ProposalId, path: &std::path::Path, hunk: &NewHunk, ordinal: usize) -> HunkId {
    let mut hash = Sha256::new();
    for part in [
        proposal.as_str().as_bytes(),
        path.as_os_str().as_encoded_bytes(),
        hunk.old_text.as_bytes(),
        hunk.new_text.as_bytes(),
        &(ordinal as u64).to_le_bytes(),
    ] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digits = hex(&hash.finalize());
    HunkId::new(digits.get(..16).unwrap_or(&digits))
}
