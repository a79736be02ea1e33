//! What the user has to say about a proposal, kept until it is sent to the agent.

use std::ops::Range;
use std::path::PathBuf;

use crate::id::{CommentId, HunkId};

/// A comment on a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its name.
    pub id: CommentId,
    /// The file it is about.
    pub path: PathBuf,
    /// The hunk it is about.
    pub hunk: Option<HunkId>,
    /// The lines of the user's text of then that it is about, from 0, the end left out.
    pub lines: Option<Range<usize>>,
    /// What the user says.
    pub text: String,
    /// Whether it is no comment but a change that the user made of what was proposed, as a unified diff.
    pub is_edit: bool,
    /// Whether the agent has been told.
    pub sent: bool,
}
