//! Prompts: what an agent asks the user while it waits, and what was answered.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::effect::DurableEvent;
use crate::id::{PromptId, SessionId, TaskId, TurnId};
use crate::permission::engine::Approval;
use crate::permission::rule::Rule;
use crate::proposal::Timestamp;

/// Something that the user is asked. It waits for as long as nobody answers and its turn goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Its name.
    pub id: PromptId,
    /// The conversation that it comes from.
    pub session: SessionId,
    /// The turn that waits for it.
    pub turn: TurnId,
    /// The task that the turn is of, if it runs in the background.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// What is asked, on one line.
    pub title: String,
    /// What the user has to know; of a permission everything that it covers, and why it is asked.
    pub detail: String,
    /// What kind of answer is wanted.
    pub kind: PromptKind,
    /// When.
    pub asked_at: Timestamp,
    /// What came of it; none as long as it waits.
    pub resolution: Option<Resolution>,
}

/// What kind of answer a prompt wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PromptKind {
    /// Whether a tool call may be done.
    Permission(Permission),
    /// Answers to some questions.
    Questions {
        /// The questions.
        questions: Vec<Question>,
    },
}

/// A permission that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// The tool that wants it.
    pub tool: String,
    /// The whole command line, of one that would be run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The change that it is about, as a unified diff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// Names what an answer "for the session" allows; none where that is not offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Whether the session's pending edits can be let into their files first, which it will not see otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub applies_first: bool,
    /// The rules that an answer "always" writes; none where that is not offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<LearnedRule>,
}

/// A rule that an answer "always" writes: it allows what it says, in one workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnedRule {
    /// The tool.
    pub tool: String,
    /// How the command begins, word by word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_prefix: Option<String>,
    /// The exact paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub file_patterns: Vec<String>,
    /// The folder of the workspace.
    pub workspace: PathBuf,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Names it in the answers.
    pub id: String,
    /// The question.
    pub text: String,
    /// What helps to answer it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What to choose from; none for a free answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Choice>,
    /// Whether several may be chosen.
    #[serde(default)]
    pub multiple: bool,
    /// Whether a text beside the options is an answer, too.
    #[serde(default)]
    pub allow_text: bool,
}

/// One option of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What to answer with.
    pub value: String,
    /// What to show.
    pub label: String,
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What came of a prompt; the first is final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// The answer.
    pub answer: Answer,
    /// Who gave it: an editor's name, `cli`, `rule` for a level, rule or grant that came meanwhile, or `cancel`.
    pub by: String,
    /// What the agent is told with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<String>,
}

/// An answer to a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes, this once.
    AllowOnce,
    /// Yes, this once, with the session's pending edits let into their files before.
    ApplyFirst,
    /// Yes, exactly this, until the session ends.
    AllowSession,
    /// Yes, from now on, as a rule.
    AllowAlways,
    /// No.
    Deny,
    /// Answers by the name of their question; one that is missing was not answered.
    Questions(BTreeMap<String, Vec<String>>),
    /// The turn ended before anybody answered.
    Withdrawn,
}

impl Prompt {
    /// Tells whether an answer is one of those that the prompt offers.
    pub fn offers(&self, answer: &Answer) -> bool {
        match (&self.kind, answer) {
            (PromptKind::Permission(_), Answer::AllowOnce | Answer::Deny)
            | (PromptKind::Questions { .. }, Answer::Questions(_)) => true,
            (PromptKind::Permission(permission), Answer::ApplyFirst) => permission.applies_first,
            (PromptKind::Permission(permission), Answer::AllowSession) => permission.approval.is_some(),
            (PromptKind::Permission(permission), Answer::AllowAlways) => !permission.rules.is_empty(),
            _ => false,
        }
    }

    /// Returns what clients are told when the prompt has its resolution.
    pub fn resolved(&self, resolution: Resolution) -> DurableEvent {
        DurableEvent::Resolved {
            prompt: self.id.clone(),
            turn: self.turn.clone(),
            is_question: matches!(self.kind, PromptKind::Questions { .. }),
            resolution,
        }
    }

    /// Returns what the user has allowed until the session ends.
    pub fn approval(&self) -> Option<&Approval> {
        match (&self.kind, &self.resolution) {
            (PromptKind::Permission(permission), Some(Resolution { answer: Answer::AllowSession, .. })) => {
                permission.approval.as_ref()
            }
            _ => None,
        }
    }
}

impl Resolution {
    /// Returns what becomes of a prompt whose turn has ended.
    pub fn withdrawn() -> Self {
        Self { answer: Answer::Withdrawn, by: "cancel".to_owned(), feedback: None }
    }
}

impl LearnedRule {
    /// Returns what a rule for one command, or for paths, writes; none for one that holds everywhere.
    pub fn of(rule: &Rule) -> Option<Self> {
        Some(Self {
            tool: rule.tool.clone(),
            command_prefix: rule.command_prefixes.first().cloned(),
            file_patterns: rule.file_patterns.clone(),
            workspace: rule.workspace.clone()?,
        })
    }

    /// Says what the rule allows, in the words of the file in which it is kept.
    pub fn describe(&self) -> String {
        let prefix = self.command_prefix.iter().map(|prefix| format!(" `{prefix} …`"));
        let patterns = self.file_patterns.iter().map(|pattern| format!(" `{pattern}`"));
        std::iter::once(self.tool.clone()).chain(prefix).chain(patterns).collect()
    }
}
