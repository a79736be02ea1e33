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
    BudgetExhausted {
        /// Which one, and how to go on.
        #[serde(default)]
        reason: String,
    },
}

/// Why a turn failed, for the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind of failure, as on the wire: `auth`, `protocol`, `script`, …
    pub class: String,
    /// What happened, and what to do.
    pub message: String,
}

/// What requests to models have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens sent to the model, without those of the two counts of the cache.
    pub input_tokens: u64,
    /// Tokens that came back.
    pub output_tokens: u64,
    /// Tokens sent that the provider had in its cache.
    #[serde(default)]
    pub cache_read_tokens: u64,
    /// Tokens sent that the provider put into its cache.
    #[serde(default)]
    pub cache_write_tokens: u64,
    /// What the tokens with a known price cost, in millionths of a US dollar.
    #[serde(default)]
    pub cost_micro_usd: u64,
    /// Whether there are tokens among them whose price is not known.
    #[serde(default)]
    pub unpriced: bool,
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

impl Usage {
    /// Returns all tokens, in both directions, whether the provider had them in its cache or not.
    pub fn tokens(self) -> u64 {
        let sent = self.input_tokens.saturating_add(self.cache_read_tokens);
        sent.saturating_add(self.cache_write_tokens).saturating_add(self.output_tokens)
    }
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
            Self::BudgetExhausted { .. } => "budget_exhausted",
        }
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, more: Self) {
        self.input_tokens = self.input_tokens.saturating_add(more.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(more.output_tokens);
        self.cache_read_tokens = self.cache_read_tokens.saturating_add(more.cache_read_tokens);
        self.cache_write_tokens = self.cache_write_tokens.saturating_add(more.cache_write_tokens);
        self.cost_micro_usd = self.cost_micro_usd.saturating_add(more.cost_micro_usd);
        self.unpriced = self.unpriced || more.unpriced;
    }
}
