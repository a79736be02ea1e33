//! Everything that the program can ask for. Together with [`crate::event`] the map of the whole program.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ropey::Rope;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::comment::Comment;
use crate::document::DocumentUri;
use crate::event::Event;
use crate::id::{CommentId, HunkId, PromptId, ProposalId, RequestId, SessionId, TaskId, TurnId};
use crate::journal::Act;
use crate::lines::{Lines, TextHash};
use crate::placement::Texts;
use crate::prompt::{LearnedRule, Prompt, Resolution};
use crate::proposal::{FileChange, Hunk, ReviewState, Timestamp, Verdict};
use crate::task::TaskStatus;
use crate::text::TextRange;
use crate::turn::{Failure, Level, Turn, TurnEnd};

/// Something to be done, in order; what stands behind a [`Effect::Persist`] is done when its commit is durable.
#[derive(Debug)]
pub enum Effect {
    /// Write this down, all or nothing.
    Persist(Commit),
    /// Answer a request.
    Reply(RequestId, Result<Reply, Refusal>),
    /// Tell the editor.
    Editor(EditorEffect),
    /// Begin to work on a turn.
    StartTurn(Turn),
    /// Stop working on a turn.
    CancelTurn(TurnId),
    /// Write down rules that an answer "always" made, then answer.
    Learn {
        /// The rules.
        rules: Vec<LearnedRule>,
        /// Where the answers go, and what they are.
        answers: Vec<(RequestId, Reply)>,
    },
    /// Find out where the hunks of a file stand; answered by [`Event::Derived`].
    Derive(Derive),
    /// Write hunks into files, or take them out, all or none; answered by [`Event::FilesWritten`].
    WriteFiles {
        /// Where the answer goes when all went well, and what it is.
        answer: Option<(RequestId, Reply)>,
        /// Whose hunks.
        proposal: ProposalId,
        /// What is written.
        files: Vec<FileWrite>,
        /// The verdicts that the hunks have again if it cannot be.
        before: Vec<(HunkId, Verdict)>,
    },
    /// Read what the store knows of these folders; answered by [`Event::Loaded`].
    Load {
        /// The workspace folders.
        folders: Vec<PathBuf>,
        /// The folder of the user that the first one is a copy of; what belongs to it is read too.
        copy_of: Option<PathBuf>,
        /// Sessions of these folders that are wanted however old they are.
        sessions: Vec<SessionId>,
        /// Goes back with the answer: what was written since is not in it.
        generation: u64,
    },
    /// Let this happen after a while.
    After(Duration, Box<Event>),
}

/// What only the editor can do or show.
#[derive(Debug)]
pub enum EditorEffect {
    /// Change the text of an open document.
    ApplyEdit(DocumentEdit),
    /// What is shown of a proposal may have changed.
    Refresh(ProposalId),
    /// Something durable has happened; the runtime adds the number that the commit gave it.
    Durable(u64, DurableEvent),
    /// Prompts are others than before, as the store knows them.
    Prompts,
    /// Tell the user.
    Message(String),
}

/// Hunks to be written into one file, or taken out of it.
#[derive(Clone, Debug)]
pub struct FileWrite {
    /// The file and its hunks.
    pub file: FileChange,
    /// The texts that the hunks count their lines in.
    pub texts: Texts,
    /// Which of the hunks, and the verdict of each when it is done: its new lines stand in the file then, or do not.
    pub hunks: Vec<(HunkId, Verdict)>,
}

/// An edit of an open document, for exactly one version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentEdit {
    /// The client's own name of the document.
    pub uri: DocumentUri,
    /// The version that the ranges are of.
    pub version: i32,
    /// The replacements, none overlapping another.
    pub edits: Vec<TextEdit>,
    /// What happens to the file itself, behind the replacements.
    pub operation: Option<FileOperation>,
    /// What the editor may call it in its undo list.
    pub label: String,
    /// Whose hunks.
    pub proposal: ProposalId,
    /// Which hunks it takes.
    pub hunks: Vec<HunkId>,
}

/// What an editor does to a whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileOperation {
    /// It deletes it.
    Delete,
    /// It gives it another path.
    Rename {
        /// The path to be.
        to: PathBuf,
    },
}

/// A range and what is to stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEdit {
    /// What is replaced.
    pub range: TextRange,
    /// What stands there afterwards.
    pub new_text: String,
}

/// The question where the hunks of a file stand.
#[derive(Debug)]
pub struct Derive {
    /// Whose hunks.
    pub proposal: ProposalId,
    /// The file and its hunks.
    pub file: FileChange,
    /// The texts that the hunks count their lines in.
    pub texts: Texts,
    /// Hunks whose place is looked for although the text cannot change their verdict.
    pub wanted: BTreeSet<HunkId>,
    /// Goes back with the answer.
    pub revision: u64,
    /// The text to look in, with its version; the file on the disk when absent.
    pub document: Option<(i32, Rope)>,
}

/// One transaction of the store.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// What is written down.
    pub records: Vec<Record>,
    /// What attached clients are told of it, each with a number of its own.
    pub events: Vec<DurableEvent>,
}

/// One thing written down.
#[derive(Clone, Debug)]
pub enum Record {
    /// A conversation begins.
    Session {
        /// Its name.
        id: SessionId,
        /// The folder it works in.
        folder: Option<PathBuf>,
        /// What was asked first, on one line.
        title: String,
        /// When.
        at: Timestamp,
    },
    /// A turn begins.
    Turn(Turn),
    /// A turn ends. Refused when it has ended before.
    TurnEnded {
        /// Which turn.
        turn: TurnId,
        /// How.
        end: TurnEnd,
    },
    /// A text that hunks count their lines in; once for each hash.
    Text(TextHash, Arc<Lines>),
    /// A proposal is opened.
    Proposal {
        /// Its name.
        id: ProposalId,
        /// The conversation it belongs to.
        session: SessionId,
        /// The turn that opened it.
        turn: TurnId,
        /// What was asked, on one line.
        title: String,
        /// When.
        at: Timestamp,
    },
    /// A file of a proposal counts its lines in this text from now on.
    File {
        /// Whose file.
        proposal: ProposalId,
        /// Which file.
        path: PathBuf,
        /// The text.
        base: TextHash,
    },
    /// A hunk is proposed, or carried over to a new base.
    Hunk {
        /// Whose hunk.
        proposal: ProposalId,
        /// In which file.
        path: PathBuf,
        /// The hunk.
        hunk: Hunk,
    },
    /// A hunk is decided, or its decision is taken back.
    Decision {
        /// Whose hunk.
        proposal: ProposalId,
        /// Which hunk.
        hunk: HunkId,
        /// What it was before. Refused when the store has something else, and not yet this.
        before: Verdict,
        /// What was decided.
        verdict: Verdict,
    },
    /// The agent is told of the verdicts of hunks.
    Told {
        /// Whose hunks.
        proposal: ProposalId,
        /// Which hunks.
        hunks: Vec<HunkId>,
    },
    /// The user has said something about a proposal.
    Comment {
        /// About which proposal.
        proposal: ProposalId,
        /// What.
        comment: Comment,
    },
    /// The user is asked something.
    Prompt(Box<Prompt>),
    /// A prompt is answered. Refused when it has been before.
    PromptResolved {
        /// Which prompt.
        prompt: PromptId,
        /// What came of it.
        resolution: Resolution,
    },
    /// A turn has ended; what it asked is withdrawn.
    PromptsWithdrawn {
        /// Which turn.
        turn: TurnId,
    },
    /// Comments were sent to the agent.
    CommentsSent {
        /// Which.
        comments: Vec<CommentId>,
    },
}

/// What is told to every attached client, now or when it comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DurableEvent {
    /// The hunks of a proposal, or what was decided about them, changed.
    ProposalChanged {
        /// Which proposal.
        proposal: ProposalId,
        /// Where it stands.
        state: ReviewState,
        /// Its files.
        files: Vec<FileCount>,
    },
    /// A turn ended.
    TurnFinished {
        /// Which turn.
        turn: TurnId,
        /// How, as on the wire.
        status: String,
        /// What the model said last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply: Option<String>,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Failure>,
        /// The proposals it opened or amended.
        proposals: Vec<ProposalId>,
    },
    /// The user is asked something.
    Asked {
        /// What.
        prompt: Box<Prompt>,
    },
    /// A prompt has its resolution.
    Resolved {
        /// Which prompt.
        prompt: PromptId,
        /// The turn that asked.
        turn: TurnId,
        /// Whether it was questions, no permission.
        is_question: bool,
        /// What came of it.
        resolution: Resolution,
    },
    /// A task has another status, or does something else; its record says what.
    TaskChanged {
        /// Which task.
        task: TaskId,
        /// Where it stood then.
        status: TaskStatus,
        /// Which attempt that was.
        attempt: u32,
    },
}

/// How much of a file waits for the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCount {
    /// The file's URI: the client's own where it has the file open.
    pub uri: String,
    /// Hunks that wait for an answer.
    pub pending: usize,
    /// Hunks whose place the user has changed.
    pub stale: usize,
}

/// What came of what was proposed for one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposedFile {
    /// Which file.
    pub path: PathBuf,
    /// How many hunks of it wait for the user.
    pub pending: usize,
    /// How many hunks are let into the text at once.
    pub applied: usize,
    /// What the agent has to know of what the user decided about this file meanwhile.
    pub note: Option<String>,
}

/// What a request was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The turn runs.
    TurnStarted {
        /// Its name.
        turn: TurnId,
        /// Its conversation.
        session: SessionId,
    },
    /// Whether there was a running turn to stop.
    TurnCancelled(bool),
    /// What was proposed.
    Proposed {
        /// In which proposal.
        proposal: ProposalId,
        /// What came of it in each file, in the order of the edits.
        files: Vec<ProposedFile>,
    },
    /// Edits are on their way; the outcome is told by events.
    Applying,
    /// All of it is taken, and on the disk.
    Accepted,
    /// All of it is refused.
    Rejected,
    /// The decision that is being taken back or made again; none when there is none.
    Decision(Option<Act>),
    /// The comment is kept.
    Commented,
    /// What came of a prompt.
    Answered(Resolution),
    /// Whether the answer to a prompt counts: not when another came first.
    AnswerTaken(bool),
    /// The level in force.
    Level(Level),
}

/// Why a request was not done. The message says what to do.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing waits for an answer there.
    #[error("nothing waits for an answer in {0}")]
    NothingToDecide(String),
    /// A name that nobody has.
    #[error("there is no {what} `{id}` in this workspace")]
    Unknown {
        /// The noun.
        what: &'static str,
        /// The name.
        id: String,
    },
    /// The hunk has its answer.
    #[error("hunk `{hunk}` is {state} already")]
    Decided {
        /// Which hunk.
        hunk: HunkId,
        /// What it is.
        state: &'static str,
    },
    /// The user's text differs from what the hunk replaces.
    #[error(
        "hunk `{0}` is stale: the lines it replaces were changed; undo that change to take it, or reject it"
    )]
    Stale(HunkId),
    /// What the hunk brought is not in the text any more.
    #[error("the lines that hunk `{0}` brought were changed since; undo that change to take it back")]
    Changed(HunkId),
    /// The document is another than the one that was looked at.
    #[error("the text of {0} changed meanwhile; try again")]
    TextChanged(String),
    /// The selected lines are not lines of the hunk, or the hunk cannot be taken in parts.
    #[error("{0}")]
    NoSuchLines(String),
    /// The mirror of the document is not the editor's text.
    #[error("the text of `{0}` is out of step with the editor; close the document and open it again")]
    OutOfSync(String),
    /// The file could not be written.
    #[error("{0}")]
    NotWritten(String),
    /// The level or mode forbids it.
    #[error("{0}")]
    Forbidden(String),
    /// The prompt takes other answers.
    #[error("prompt `{0}` does not offer that answer")]
    NotOffered(String),
    /// Another process has decided it a moment before.
    #[error("{0}")]
    Overtaken(String),
    /// It could not be written down.
    #[error("{0}")]
    NotStored(String),
}
