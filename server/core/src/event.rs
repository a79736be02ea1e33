//! Everything that can happen. Together with [`crate::effect`] the map of the whole program.

use std::path::PathBuf;
use std::sync::Arc;

use crate::document::{ContentChange, DocumentUri};
use crate::id::{HunkId, ProposalId, RequestId, SessionId, TurnId};
use crate::lines::{Lines, TextHash};
use crate::placement::Placement;
use crate::proposal::{NewHunk, Proposal, Timestamp};
use crate::text::PositionEncoding;
use crate::turn::{Excerpt, Level, Mode, Turn, TurnEnd};

/// Something that happened, in the order in which it is to be believed.
#[derive(Debug)]
pub enum Event {
    /// A front end is there and has said who it is; sent once, first.
    Attached {
        /// How it counts characters.
        encoding: PositionEncoding,
        /// The folders it works in.
        folders: Vec<PathBuf>,
    },
    /// The client works in other folders from now on.
    FoldersChanged {
        /// Those that are new.
        added: Vec<PathBuf>,
        /// Those that are gone.
        removed: Vec<PathBuf>,
    },
    /// The editor owns this text from now on.
    DocumentOpened {
        /// The client's own name of it.
        uri: DocumentUri,
        /// The file behind it.
        path: Option<PathBuf>,
        /// The language.
        language_id: String,
        /// The version, which may be smaller than one heard before.
        version: i32,
        /// The whole text.
        text: String,
    },
    /// The editor's text changed, by these changes one after the other.
    DocumentChanged {
        /// Which document.
        uri: DocumentUri,
        /// The version after the changes.
        version: i32,
        /// The changes, each in the text that the one before left.
        changes: Vec<ContentChange>,
    },
    /// The editor wrote the text to the disk.
    DocumentSaved {
        /// Which document.
        uri: DocumentUri,
    },
    /// The disk owns this text again.
    DocumentClosed {
        /// Which document.
        uri: DocumentUri,
    },
    /// A front end or a turn wants something done, and waits for a [`crate::effect::Effect::Reply`].
    Requested {
        /// Where the answer goes.
        request: RequestId,
        /// What is wanted.
        command: Command,
    },
    /// The editor answered our edit. The answer is not believed when it says yes: the text decides.
    EditAnswered {
        /// Whose hunks.
        proposal: ProposalId,
        /// Which hunks the edit was to take.
        hunks: Vec<HunkId>,
        /// What the editor says.
        applied: bool,
        /// Why not, in its words.
        reason: Option<String>,
    },
    /// The time is over in which an edit that the editor called applied should have been seen in the text.
    EditOverdue {
        /// Whose hunk.
        proposal: ProposalId,
        /// Which hunk.
        hunk: HunkId,
        /// Which attempt.
        attempt: u64,
    },
    /// Our own write of files that are not open has ended.
    FilesWritten {
        /// Where the answer of the accept goes, if it still waits for one.
        request: Option<RequestId>,
        /// Whose hunks.
        proposal: ProposalId,
        /// Which hunks are on the disk now, or why none of them is.
        result: Result<Vec<HunkId>, String>,
    },
    /// It is known where the hunks of a file stand.
    Derived {
        /// Whose hunks.
        proposal: ProposalId,
        /// In which file.
        path: PathBuf,
        /// The state of the review when the question was asked.
        revision: u64,
        /// The version of the document that was read; none for the disk.
        version: Option<i32>,
        /// The places; none when the file cannot be read.
        placement: Option<Placement>,
    },
    /// A turn has ended.
    TurnEnded {
        /// Which turn.
        turn: TurnId,
        /// How.
        end: TurnEnd,
    },
    /// The store has told what it knows of this workspace; takes the place of all that was known.
    Loaded {
        /// The state of the store when it was asked, by [`crate::effect::Effect::Load`].
        generation: u64,
        /// The proposals.
        proposals: Vec<Proposal>,
        /// The texts they count their lines in.
        texts: Vec<(TextHash, Arc<Lines>)>,
        /// The turns.
        turns: Vec<Turn>,
    },
    /// A commit failed: what is in memory is ahead of the store, and what waited for the commit was not told.
    CommitFailed {
        /// Why, for the user.
        reason: String,
    },
}

/// What a front end or a turn wants done.
#[derive(Debug)]
pub enum Command {
    /// Start a turn.
    StartTurn(StartTurn),
    /// Stop a turn.
    CancelTurn {
        /// Which turn.
        turn: TurnId,
    },
    /// Take in what a turn's tool would like to do to a file: all of it, in place of what the turn's session had pending
    /// there.
    Propose(Propose),
    /// Take hunks.
    Accept {
        /// Whose hunks.
        proposal: ProposalId,
        /// Which hunks.
        hunks: Selection,
    },
    /// Refuse hunks.
    Reject {
        /// Whose hunks.
        proposal: ProposalId,
        /// Which hunks.
        hunks: Selection,
        /// What the user says about it.
        reason: Option<String>,
    },
}

/// Which hunks of a proposal are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// This one.
    Hunk(HunkId),
    /// All of one file that wait for an answer.
    File(PathBuf),
    /// All that wait for an answer.
    All,
}

/// A turn to be started.
#[derive(Clone, Debug)]
pub struct StartTurn {
    /// Its name, new.
    pub turn: TurnId,
    /// The conversation to go on with, or the name of a new one.
    pub session: SessionId,
    /// Whether the conversation is new.
    pub new_session: bool,
    /// What the user asks.
    pub prompt: String,
    /// Provider and model, as `provider/model`.
    pub model: Option<String>,
    /// What the agent may do; the present level when absent.
    pub level: Option<Level>,
    /// How the agent works on it.
    pub mode: Mode,
    /// What the user is looking at; the state adds the texts of open documents.
    pub excerpts: Vec<Excerpt>,
    /// When.
    pub at: Timestamp,
}

/// An edit of one file, computed by a tool.
#[derive(Clone, Debug)]
pub struct Propose {
    /// The turn whose tool it was.
    pub turn: TurnId,
    /// The name for a new proposal, if the session has none open.
    pub new_proposal: ProposalId,
    /// The file, absolute.
    pub path: PathBuf,
    /// The text without any of the session's pending hunks.
    pub base: Arc<Lines>,
    /// What should become of it, in base order.
    pub hunks: Vec<NewHunk>,
    /// Where the session's pending hunks stand in `base`, by [`crate::placement::Placement::pending`].
    pub carried: Vec<(HunkId, std::ops::Range<usize>)>,
    /// When.
    pub at: Timestamp,
}
