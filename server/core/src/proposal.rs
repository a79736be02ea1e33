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
    /// The file, absolute; of a new file the place where it would be.
    pub path: PathBuf,
    /// The text that new hunks count their lines in.
    pub base: TextHash,
    /// The hunks, those of the present base first and in its order; decided and superseded ones stay.
    pub hunks: Vec<Hunk>,
}

/// What happens to a file as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is there and gets other lines.
    #[default]
    Modify,
    /// It comes into being.
    Create,
    /// It goes.
    Delete,
    /// It gets another path, and maybe another text.
    Rename {
        /// The path to be.
        to: PathBuf,
    },
}

/// One contiguous change. Only its verdict changes, and where its lines are when it is carried over to a new base.
///
/// A file that comes, goes or gets another path has one hunk for all of that, with the whole text on the sides that
/// there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// Its name; see [`hunk_id`].
    pub id: HunkId,
    /// The turn that proposed it.
    pub turn: TurnId,
    /// What happens to the file as a whole when it is taken.
    pub kind: ChangeKind,
    /// The text that `old` counts its lines in.
    pub base: TextHash,
    /// The base lines that it replaces; empty where it only inserts.
    pub old: Range<usize>,
    /// Those lines, byte for byte.
    pub old_text: Arc<str>,
    /// The lines that it brings, byte for byte; empty where it only deletes.
    pub new_text: Arc<str>,
    /// The lines that stand in the text instead of the old ones as long as it is not taken: those of applied hunks that it
    /// took the place of.
    pub over: Option<Arc<str>>,
    /// The hunk it was a part of, before some of its lines were decided.
    pub split_from: Option<HunkId>,
    /// Whether the same change was refused in an earlier turn.
    pub rejected_before: bool,
    /// What was decided.
    pub verdict: Verdict,
    /// Whether the agent has been told of the verdict.
    pub told: bool,
}

/// What was decided about a hunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing yet; its new lines are not in the text.
    Undecided,
    /// Nothing yet, but the permission level let its new lines into the text at once.
    Applied {
        /// Whether the text with it is on the disk.
        saved: bool,
    },
    /// It was taken: its new lines were seen in the text, or written by us.
    Accepted {
        /// Whether the text with it is on the disk. Until then it can be lost, and is pending again when it is.
        saved: bool,
    },
    /// It was refused.
    Rejected {
        /// What the user says about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The lines that the user would have there instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replacement: Option<String>,
    },
    /// A later edit of the same place, or its own parts, took over.
    Superseded {
        /// The hunk that did; none when the place is left alone now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<HunkId>,
    },
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

    /// Returns what happens to the file as a whole: by the newest hunk that says so and is neither refused nor superseded.
    pub fn kind(&self) -> &ChangeKind {
        let counts = |hunk: &&Hunk| {
            !matches!(hunk.verdict, Verdict::Superseded { .. }) && (hunk.kind != ChangeKind::Modify)
        };
        let open = self.hunks.iter().find(|hunk| hunk.verdict.is_open());
        let whole = self.hunks.iter().rev().find(counts);
        // Once a file that came was taken, what is proposed for it is an edit like any other.
        open.or(whole).map_or(&ChangeKind::Modify, |hunk| &hunk.kind)
    }

    /// Returns the hunks that have a place in a text of this file by one base: those undecided or applied, those taken, and
    /// those `wanted`. With each: whether its new lines are expected in the text.
    pub fn placed_hunks(&self, base: &TextHash, wanted: impl Fn(&HunkId) -> bool) -> Vec<(&Hunk, bool)> {
        let expects_new = |hunk: &Hunk| {
            let refused = matches!(hunk.verdict, Verdict::Rejected { .. }) && wanted(&hunk.id);
            hunk.verdict.expects_new().or(refused.then_some(false))
        };
        let placed = self.hunks.iter().filter(|hunk| hunk.base == *base);
        placed.filter_map(|hunk| Some((hunk, expects_new(hunk)?))).collect()
    }

    /// Returns the bases that hunks with an interest in the text count their lines in, the present one first. A hunk has
    /// one as long as the text can change its verdict, or when it is among those `wanted`.
    pub fn bases(&self, wanted: impl Fn(&HunkId) -> bool) -> Vec<&TextHash> {
        let mut bases: Vec<&TextHash> = Vec::new();
        for hunk in self.hunks.iter().filter(|hunk| hunk.verdict.depends_on_text() || wanted(&hunk.id)) {
            if !bases.contains(&&hunk.base) {
                bases.push(&hunk.base);
            }
        }
        bases.sort_by_key(|base| **base != self.base);
        bases
    }

    /// Returns where the file stands.
    pub fn state(&self) -> ReviewState {
        ReviewState::of(&self.hunks)
    }
}

impl Verdict {
    /// Tells whether the user's word is still missing.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Undecided | Self::Applied { .. })
    }

    /// Tells whether what stands in the text can change it.
    pub fn depends_on_text(&self) -> bool {
        matches!(self, Self::Undecided | Self::Applied { .. } | Self::Accepted { saved: false })
    }

    /// Tells whether the new lines are expected in the text; none for a hunk that has no place in it any more.
    pub fn expects_new(&self) -> Option<bool> {
        match self {
            Self::Undecided => Some(false),
            Self::Applied { .. } | Self::Accepted { .. } => Some(true),
            Self::Rejected { .. } | Self::Superseded { .. } => None,
        }
    }

    /// Returns the same verdict with what is known of the disk.
    #[must_use]
    pub fn with_saved(self, now: bool) -> Self {
        match self {
            Self::Accepted { .. } => Self::Accepted { saved: now },
            Self::Applied { .. } => Self::Applied { saved: now },
            other => other,
        }
    }

    /// Tells whether two verdicts say the same, whatever is on the disk and whatever the reason.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Tells whether the new lines are in the text once this is the verdict.
    pub fn is_in_text(&self) -> bool {
        self.expects_new() == Some(true)
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
                Verdict::Undecided | Verdict::Applied { .. } => return Self::Open,
                Verdict::Accepted { .. } => accepted = true,
                Verdict::Rejected { .. } => rejected = true,
                Verdict::Superseded { .. } => {}
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
