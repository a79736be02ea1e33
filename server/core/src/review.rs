//! Proposals under review: each with the places of its hunks in the open documents, and what follows from both.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::comment::Comment;
use crate::document::Documents;
use crate::effect::{FileCount, Refusal};
use crate::id::{HunkId, ProposalId, SessionId};
use crate::placement::{Holds, Placement, Texts};
use crate::proposal::{FileChange, Hunk, Proposal, ReviewState, Verdict};
use crate::uri::{PathStyle, from_path};

/// A proposal and where its hunks stand.
#[derive(Clone, Debug)]
pub struct Review {
    /// What is stored.
    pub proposal: Proposal,
    /// Where the hunks stand in the open documents; a file that is not here is closed or being looked at.
    pub(crate) placements: BTreeMap<PathBuf, Placement>,
    /// What the user has to say about it.
    pub comments: Vec<Comment>,
    /// Hunks whose edit is with the editor, and what becomes of them when it shows in the text.
    pub(crate) applying: BTreeMap<HunkId, Aim>,
    /// Hunks whose place is looked for although the text cannot change their verdict.
    pub(crate) wanted: BTreeSet<HunkId>,
    /// Hunks whose text another server's editor holds unsaved: ours has nothing to say about them.
    pub(crate) elsewhere: BTreeSet<HunkId>,
    /// Counts the changes of `proposal`, so that an answer about an older one is not believed.
    pub(crate) revision: u64,
}

/// What an edit that is with the editor is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Aim {
    /// Which attempt it is.
    pub(crate) attempt: u64,
    /// The verdict that the hunk gets when the edit shows in the text.
    pub(crate) verdict: Verdict,
}

/// All proposals of the workspace.
#[derive(Clone, Debug, Default)]
pub struct Reviews {
    pub(crate) by_id: BTreeMap<ProposalId, Review>,
    pub(crate) texts: Texts,
}

/// Where a hunk stands, as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HunkState {
    /// It waits for an answer, and its old lines are where they should be.
    Pending,
    /// Its edit is with the editor.
    Applying,
    /// It is in the text by the level's leave, and waits for an answer.
    Applied,
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
            Self::Applied => "applied",
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

    /// Returns the texts that the hunks count their lines in.
    pub fn texts(&self) -> &Texts {
        &self.texts
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

    pub(crate) fn review(&self, id: &ProposalId) -> Result<&Review, Refusal> {
        self.get(id).ok_or_else(|| Refusal::Unknown { what: "proposal", id: id.to_string() })
    }
}

impl Review {
    pub(crate) fn new(proposal: Proposal) -> Self {
        Self {
            proposal,
            placements: BTreeMap::new(),
            comments: Vec::new(),
            applying: BTreeMap::new(),
            wanted: BTreeSet::new(),
            elsewhere: BTreeSet::new(),
            revision: 0,
        }
    }

    /// Returns where a hunk stands.
    pub fn state(&self, file: &FileChange, hunk: &Hunk) -> HunkState {
        let holds = || Some(self.placements.get(&file.path)?.place(&hunk.id)?.holds);
        self.state_by(hunk, file, holds)
    }

    /// Returns where a hunk stands in a text in which its file's hunks have these places.
    pub fn state_in(&self, file: &FileChange, hunk: &Hunk, placement: Option<&Placement>) -> HunkState {
        self.state_by(hunk, file, || Some(placement?.place(&hunk.id)?.holds))
    }

    fn state_by(&self, hunk: &Hunk, file: &FileChange, holds: impl Fn() -> Option<Holds>) -> HunkState {
        match hunk.verdict {
            Verdict::Rejected { .. } => HunkState::Rejected,
            Verdict::Superseded { .. } => HunkState::Superseded,
            _ if self.applying.contains_key(&hunk.id) => HunkState::Applying,
            Verdict::Accepted { saved } => HunkState::Accepted { saved },
            Verdict::Undecided => match holds() {
                Some(Holds::Neither) => HunkState::Stale,
                // Where nothing has been looked for, an old base is no good sign.
                None if hunk.base != file.base => HunkState::Stale,
                _ => HunkState::Pending,
            },
            // The editor's undo took it out of the text again.
            Verdict::Applied { .. } if holds().is_some_and(Holds::is_pending) => HunkState::Pending,
            Verdict::Applied { .. } => HunkState::Applied,
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
                pending: count(&[HunkState::Pending, HunkState::Applying, HunkState::Applied]),
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
