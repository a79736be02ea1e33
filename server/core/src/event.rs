//! Everything that can happen. Together with [`crate::effect`] the map of the whole program.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::comment::Comment;
use crate::document::{ContentChange, DocumentUri};
use crate::effect::Reply;
use crate::id::{CommentId, HunkId, PromptId, ProposalId, RequestId, SessionId, TurnId};
use crate::lines::{Lines, TextHash};
use crate::placement::Placement;
use crate::prompt::{Prompt, Resolution};
use crate::proposal::{ChangeKind, NewHunk, Proposal, Timestamp, Verdict};
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
        /// What it can do to whole files.
        operations: FileOperations,
    },
    /// The first folder is a copy of this one: sessions that begin are of this one, and what is proposed is for its files. Sent
    /// before [`Event::Attached`], if at all.
    CopyOf {
        /// The folder of the user.
        folder: PathBuf,
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
    /// Our own write of files has ended.
    FilesWritten {
        /// Where the answer goes when all went well, and what it is.
        answer: Option<(RequestId, Reply)>,
        /// Whose hunks.
        proposal: ProposalId,
        /// What the hunks have become on the disk, or why nothing has changed there.
        result: Result<Vec<(HunkId, Verdict)>, String>,
        /// The verdicts that the hunks have again if it is nothing.
        before: Vec<(HunkId, Verdict)>,
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
    /// The configuration says this about levels.
    LevelsRead {
        /// The level of turns that name none.
        configured: Level,
        /// The widest that anybody may choose.
        widest: Level,
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
        /// What it knows.
        known: Box<Known>,
    },
    /// Another process has written to the store.
    StoreChanged,
    /// A commit failed: what is in memory is ahead of the store, and what waited for the commit was not told.
    CommitFailed {
        /// What to tell the user, if that has not been done.
        reason: Option<String>,
    },
}

/// What the store knows of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The proposals.
    pub proposals: Vec<Proposal>,
    /// The texts that their hunks count lines in.
    pub texts: Vec<(TextHash, Arc<Lines>)>,
    /// What was said about them.
    pub comments: Vec<(ProposalId, Comment)>,
    /// What was decided about them, in order.
    pub decisions: Vec<Decided>,
    /// Hunks whose text an editor of another living process holds unsaved.
    pub elsewhere: Vec<(ProposalId, HunkId)>,
    /// The turns.
    pub turns: Vec<Turn>,
    /// The prompts that wait, those of running turns, and those that were answered for a session.
    pub prompts: Vec<Prompt>,
}

impl Known {
    /// Forgets all but one session: what others have proposed, and their turns.
    pub fn keep_only(&mut self, session: &SessionId) {
        self.proposals.retain(|proposal| proposal.session == *session);
        let kept: Vec<&ProposalId> = self.proposals.iter().map(|proposal| &proposal.id).collect();
        self.comments.retain(|(proposal, _)| kept.contains(&proposal));
        self.decisions.retain(|decided| kept.contains(&&decided.proposal));
        self.elsewhere.retain(|(proposal, _)| kept.contains(&proposal));
        self.turns.retain(|turn| turn.session == *session);
        self.prompts.retain(|prompt| prompt.session == *session);
    }
}

/// One verdict as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The same for all that one commit decided; greater for later ones.
    pub act: u64,
    /// When.
    pub at: Timestamp,
    /// Whose hunk.
    pub proposal: ProposalId,
    /// Which hunk.
    pub hunk: HunkId,
    /// What was decided.
    pub verdict: Verdict,
}

/// What an editor can do to whole files, in its own undo list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileOperations {
    /// It can delete one.
    pub delete: bool,
    /// It can give one another path.
    pub rename: bool,
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
    /// Take in what one call of a tool would like to do to files, all by one author: for each file all of it, in place of
    /// what the turn's session had pending there. All of it is taken in, or none.
    Propose(Vec<Propose>),
    /// Take hunks.
    Accept {
        /// Whose hunks.
        proposal: ProposalId,
        /// Which hunks.
        hunks: Selection,
    },
    /// Let all pending hunks into their files now, to be reviewed there.
    Apply {
        /// Whose hunks.
        proposal: ProposalId,
    },
    /// Refuse hunks.
    Reject {
        /// Whose hunks.
        proposal: ProposalId,
        /// Which hunks.
        hunks: Selection,
        /// What the user says about it.
        reason: Option<String>,
        /// The lines that the user would have there instead.
        replacement: Option<String>,
    },
    /// Take a stale hunk in a form that fits the text of now.
    Resolve(Resolve),
    /// Take the last decision back.
    Undo {
        /// Of this proposal; of the workspace when absent.
        proposal: Option<ProposalId>,
    },
    /// Make the decision again that was taken back last.
    Redo {
        /// Of this proposal; of the workspace when absent.
        proposal: Option<ProposalId>,
    },
    /// Ask the user; answered when the prompt has its resolution.
    Ask(Box<Prompt>),
    /// Wait for the resolution of a prompt that was asked before.
    AwaitAnswer {
        /// Which prompt.
        prompt: PromptId,
    },
    /// Answer a prompt.
    Answer {
        /// Which prompt.
        prompt: PromptId,
        /// The answer, and who gives it.
        resolution: Resolution,
    },
    /// Set the level of this server's turns from now on.
    SetLevel(Level),
    /// Keep what the user has to say, for the next turn.
    Comment {
        /// About which proposal.
        proposal: ProposalId,
        /// The comment.
        comment: Comment,
    },
}

/// Which hunks of a proposal are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// This one.
    Hunk(HunkId),
    /// Some lines of this one, counted from 0, the ends left out.
    Lines {
        /// Which hunk.
        hunk: HunkId,
        /// Lines that it replaces.
        old: Range<usize>,
        /// Lines that it brings.
        new: Range<usize>,
    },
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
    /// Whether nothing of it is let into a text before the user says so, whatever the level.
    pub proposes_only: bool,
    /// What the user is looking at; the state adds the texts of open documents.
    pub excerpts: Vec<Excerpt>,
    /// The comments that the prompt tells the agent of.
    pub comments: Vec<(ProposalId, CommentId)>,
    /// When.
    pub at: Timestamp,
}

/// What should become of one file.
#[derive(Clone, Debug)]
pub struct Propose {
    /// Who would have it so.
    pub by: Author,
    /// The file, absolute; of a new one the path where it would be.
    pub path: PathBuf,
    /// What happens to the file as a whole.
    pub kind: ChangeKind,
    /// The text without any of the session's hunks that are pending or applied; empty for a file that is not there.
    pub base: Arc<Lines>,
    /// What should become of it, in base order; when the file as a whole comes, goes or moves, one hunk for all of it.
    pub hunks: Vec<NewHunk>,
    /// Where the session's pending and applied hunks stand in `base`.
    pub carried: Vec<(HunkId, Range<usize>)>,
    /// Whether the permission level lets it into the text at once.
    pub apply: bool,
    /// When.
    pub at: Timestamp,
}

/// Who would have a file changed.
#[derive(Clone, Debug)]
pub enum Author {
    /// A turn, through one of its tools.
    Turn {
        /// Which turn.
        turn: TurnId,
        /// The name for a new proposal, if the session has none open.
        new_proposal: ProposalId,
    },
    /// A command of a turn, which may outlive it: what it wrote is only proposed then.
    Command {
        /// Which turn.
        turn: TurnId,
        /// The name for a new proposal, if the session has none open.
        new_proposal: ProposalId,
    },
    /// The user, who has changed the proposed text.
    User {
        /// Of which proposal.
        proposal: ProposalId,
        /// What the agent will be told of it.
        comment: Comment,
    },
}

/// A stale hunk in a form that fits the text of now.
#[derive(Clone, Debug)]
pub struct Resolve {
    /// Whose hunk.
    pub proposal: ProposalId,
    /// Which hunk.
    pub hunk: HunkId,
    /// The version of the open document that was looked at; none for the disk.
    pub version: Option<i32>,
    /// The text of now, without the hunks that are pending or applied.
    pub base: Arc<Lines>,
    /// What the hunk is to be.
    pub new: NewHunk,
    /// Where the proposal's pending and applied hunks of that file stand in `base`.
    pub carried: Vec<(HunkId, Range<usize>)>,
}
