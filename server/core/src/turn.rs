//! Turns: one user prompt, from its start to its one end.

use std::path::PathBuf;

use ropey::Rope;
use serde::{Deserialize, Serialize};

use crate::id::{ProposalId, SessionId, TurnId};
use crate::proposal::Timestamp;
use crate::text::TextRange;

/// How much an agent may do without asking, from least to most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It may look, and change nothing.
    Readonly,
    /// Every edit is proposed and waits for the user.
    #[default]
    Manual,
    /// Edits are applied and reviewed afterwards.
    AcceptEdits,
    /// Nearly everything is done unasked.
    Yolo,
}

/// How the agent works on a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It answers, reads, and changes nothing.
    Ask,
    /// It works out a plan, and changes nothing.
    Plan,
    /// It does the work.
    #[default]
    Agent,
}

/// Something that the user was looking at when a turn began: told to the model with the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// Why it is told.
    pub role: ExcerptRole,
    /// The client's own name of the document.
    pub uri: String,
    /// The file behind it.
    pub path: Option<PathBuf>,
    /// The part that is meant, in the client's units; the whole when absent.
    pub range: Option<TextRange>,
    /// The text at that moment; none where no editor had the document open.
    pub text: Option<Rope>,
}

/// Why an excerpt is told to the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExcerptRole {
    /// The user is in this document; a range is what is selected.
    Document,
    /// The user adds it.
    Context,
    /// A tool has something to say about it.
    Diagnostic(String),
}

/// A turn, as it is listed and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its name.
    pub id: TurnId,
    /// The conversation it belongs to.
    pub session: SessionId,
    /// What the user asked.
    pub prompt: String,
    /// Provider and model, as `provider/model`; the configured default when absent.
    pub model: Option<String>,
    /// What the agent may do in it.
    pub level: Level,
    /// How the agent works on it.
    pub mode: Mode,
    /// Whether nothing of it is let into a text before the user says so, whatever the level; not stored.
    pub proposes_only: bool,
    /// What the user was looking at; not stored here.
    pub excerpts: Vec<Excerpt>,
    /// When it began.
    pub started_at: Timestamp,
    /// Where it stands.
    pub status: TurnStatus,
    /// What the model said last, once the turn has ended.
    pub reply: Option<String>,
    /// Tokens used so far.
    pub usage: Usage,
    /// The proposals it opened or amended.
    pub proposals: Vec<ProposalId>,
    /// What the agent is told, in front of the prompt, of the review since the session's last turn; not stored here.
    pub review_note: Option<String>,
}

/// Where a turn stands. The last five are ends, and final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TurnStatus {
    /// It goes on.
    Running,
    /// The model came to its own end.
    Completed,
    /// The user stopped it.
    Cancelled,
    /// Something else stopped it: a crash, a restart, a step limit.
    Interrupted {
        /// What stopped it.
        reason: String,
    },
    /// It could not go on.
    Failed(Failure),
    /// Its budget ran out.
    BudgetExhausted,
}

/// Why a turn failed, for the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind of failure, as on the wire: `auth`, `protocol`, `script`, …
    pub class: String,
    /// What happened, and what to do.
    pub message: String,
}

/// Tokens of a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens sent to the model.
    pub input_tokens: u64,
    /// Tokens that came back.
    pub output_tokens: u64,
}

/// How a turn ended, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnEnd {
    /// The final status, never [`TurnStatus::Running`].
    pub status: TurnStatus,
    /// What the model said last.
    pub reply: Option<String>,
    /// Tokens used in all.
    pub usage: Usage,
}

impl TurnStatus {
    /// Tells whether the turn has ended.
    pub fn is_final(&self) -> bool {
        *self != Self::Running
    }

    /// Returns the status as on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Interrupted { .. } => "interrupted",
            Self::Failed(_) => "failed",
            Self::BudgetExhausted => "budget_exhausted",
        }
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, more: Self) {
        self.input_tokens = self.input_tokens.saturating_add(more.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(more.output_tokens);
    }
}
