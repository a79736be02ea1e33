//! Questions that the agent asks the user.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::QuestionId;
use crate::outcome::Origin;

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// Names the question in the answers.
    pub id: String,
    /// The question.
    pub text: String,
    /// What helps to answer it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What to choose from; empty for a question with a free answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<QuestionOption>,
    /// Whether several options may be chosen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub multiple: bool,
    /// Whether a text beside the options is an answer, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_text: bool,
}

/// One option of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QuestionOption {
    /// What to answer with.
    pub value: String,
    /// What to show.
    pub label: String,
    /// What it means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// An answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Answer {
    /// The value of an option, or a text.
    One(String),
    /// The values of several options.
    Several(Vec<String>),
}

/// Answers by the `id` of their question; one that is missing was not answered.
pub type Answers = BTreeMap<String, Answer>;

/// Questions that are asked together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QuestionPrompt {
    /// The questions, together.
    pub question_id: QuestionId,
    /// What they are about, in one line.
    pub title: String,
    /// What the user should know before answering, as Markdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The questions, one by one.
    pub questions: Vec<Question>,
    /// Where they come from.
    pub origin: Origin,
}

/// Body of `kkcode/question/didAsk`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QuestionDidAskParams {
    /// Number of the event.
    pub seq: u64,
    /// What is asked.
    #[serde(flatten)]
    pub prompt: QuestionPrompt,
}

/// Body of `kkcode/question/didResolve`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QuestionDidResolveParams {
    /// Number of the event.
    pub seq: u64,
    /// What was answered.
    #[serde(flatten)]
    pub resolution: QuestionResolution,
}

/// Questions that were answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QuestionResolution {
    /// The questions, together.
    pub question_id: QuestionId,
    /// The answers that count.
    pub answers: Answers,
    /// Who gave them: the name of an editor (its `clientInfo.name`), `cli`, or `cancel` when the turn or task ended.
    pub by: String,
}

/// Argument of `kkcode.question.answer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuestionAnswerParams {
    /// The questions, together.
    pub question_id: QuestionId,
    /// The answers; an empty object lets the agent go on without.
    pub answers: Answers,
}

/// Answer to `kkcode.question.answer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct QuestionAnswerResult {
    /// Whether these answers count; `false` when others came first.
    pub accepted: bool,
}
