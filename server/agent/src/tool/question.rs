//! `question`: asks the user something that the agent cannot decide itself.

use std::collections::BTreeSet;

use kkcode_core::prompt::{Choice, Question};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Context, Kind, Outcome, Tool, clipped};
use crate::gate::Questions;

/// How many questions are asked together, and how many options one has.
const MOST: (usize, usize) = (10, 20);

/// How long a question may be, in bytes.
const LONGEST: usize = 2_000;

pub(super) const TOOL: Tool = Tool {
    name: "question",
    description: "Ask the user what you cannot find out or decide yourself, and wait for the answer. Ask rarely, and all that \
                  belongs together at once. Each question has an `id`, a `text` and, as a rule, `options` to choose from; \
                  without options the user answers in own words. The answers come by the `id` of their question; one that \
                  the user left out is null.",
    schema,
    kind: Kind::Notes,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    questions: Vec<Asked>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Asked {
    id: String,
    text: String,
    header: Option<String>,
    description: Option<String>,
    #[serde(default)]
    options: Vec<AskedOption>,
    #[serde(default)]
    multi: bool,
    #[serde(default)]
    allow_custom: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedOption {
    label: String,
    value: Option<String>,
    description: Option<String>,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "questions": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST.0,
                "items": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "string", "description": "names the question in the answers"},
                        "text": {"type": "string", "description": "the question"},
                        "header": {"type": "string", "description": "what it is about, in a few words"},
                        "description": {"type": "string", "description": "what helps to answer it"},
                        "options": {
                            "type": "array",
                            "maxItems": MOST.1,
                            "items": {
                                "type": "object",
                                "properties": {
                                    "label": {"type": "string", "description": "what the user sees"},
                                    "value": {"type": "string", "description": "what the answer is; the label if left out"},
                                    "description": {"type": "string", "description": "what it means"}
                                },
                                "required": ["label"],
                                "additionalProperties": false
                            }
                        },
                        "multi": {"type": "boolean", "description": "several options may be chosen"},
                        "allowCustom": {"type": "boolean", "description": "own words are an answer, too"}
                    },
                    "required": ["id", "text"],
                    "additionalProperties": false
                }
            }
        },
        "required": ["questions"],
        "additionalProperties": false
    })
}

fn run(input: &Value, _: &Context<'_>) -> Result<Outcome, String> {
    let Input { questions } = super::input("question", input)?;
    if questions.is_empty() || questions.len() > MOST.0 {
        return Err(format!("ask 1 to {} questions at once, not {}", MOST.0, questions.len()));
    }
    let names: BTreeSet<&str> = questions.iter().map(|question| question.id.as_str()).collect();
    if names.len() < questions.len() {
        return Err("two questions have the same `id`; give each its own".to_owned());
    }
    if let Some(question) = questions.iter().find(|question| question.options.len() > MOST.1) {
        return Err(format!("question `{}` has more than {} options", clipped(&question.id, 100), MOST.1));
    }
    let title = questions.first().map(|first| first.header.as_ref().unwrap_or(&first.text));
    let title = clipped(title.map_or("", String::as_str).lines().next().unwrap_or_default(), 120);
    let questions = questions.into_iter().map(question).collect();
    Ok(Outcome::Question(Questions { title, questions }))
}

fn question(asked: Asked) -> Question {
    let options = asked.options.into_iter().map(|option| Choice {
        value: clipped(option.value.as_ref().unwrap_or(&option.label), LONGEST),
        label: clipped(&option.label, LONGEST),
        description: option.description.map(|text| clipped(&text, LONGEST)),
    });
    Question {
        id: asked.id,
        text: clipped(&asked.text, LONGEST),
        description: asked.description.map(|text| clipped(&text, LONGEST)),
        options: options.collect(),
        multiple: asked.multi,
        allow_text: asked.allow_custom,
    }
}
