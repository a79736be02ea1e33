//! Prompts and what came of them, on the wire.

use std::collections::BTreeMap;

use kkcode_core::prompt::{Answer, LearnedRule, Permission, Prompt, PromptKind, Question, Resolution};
use kkcode_protocol::outcome::Origin;
use kkcode_protocol::permission::{
    PermissionAnswer, PermissionOption, PermissionPrompt, PermissionResolution,
};
use kkcode_protocol::question::{self, QuestionOption, QuestionPrompt, QuestionResolution};

/// A permission prompt; none if it asks questions.
pub(crate) fn permission_prompt(prompt: &Prompt) -> Option<PermissionPrompt> {
    let PromptKind::Permission(permission) = &prompt.kind else { return None };
    Some(PermissionPrompt {
        prompt_id: prompt.id.to_string(),
        title: prompt.title.clone(),
        detail: prompt.detail.clone(),
        command: permission.command.clone(),
        diff: permission.diff.clone(),
        options: options(permission),
        tool: permission.tool.clone(),
        origin: origin(prompt),
    })
}

/// The answers that a permission prompt offers, in the order to show them.
fn options(permission: &Permission) -> Vec<PermissionOption> {
    let option = |answer, title: String| PermissionOption { answer, title };
    let mut options = vec![option(PermissionAnswer::AllowOnce, "Allow once".to_owned())];
    if permission.applies_first {
        let title = "Apply the pending edits, then run it".to_owned();
        options.push(option(PermissionAnswer::ApplyFirst, title));
    }
    if permission.approval.is_some() {
        let title = "Allow exactly this for the session".to_owned();
        options.push(option(PermissionAnswer::AllowSession, title));
    }
    if !permission.rules.is_empty() {
        let rules: Vec<String> = permission.rules.iter().map(LearnedRule::describe).collect();
        let title = format!("Always allow in this workspace: {}", rules.join(", "));
        options.push(option(PermissionAnswer::AllowAlways, title));
    }
    options.push(option(PermissionAnswer::Deny, "Deny".to_owned()));
    options
}

/// Questions; none if a permission is asked for.
pub(crate) fn question_prompt(prompt: &Prompt) -> Option<QuestionPrompt> {
    let PromptKind::Questions { questions } = &prompt.kind else { return None };
    Some(QuestionPrompt {
        question_id: prompt.id.to_string(),
        title: prompt.title.clone(),
        detail: (!prompt.detail.is_empty()).then(|| prompt.detail.clone()),
        questions: questions.iter().map(question).collect(),
        origin: origin(prompt),
    })
}

fn question(question: &Question) -> question::Question {
    question::Question {
        id: question.id.clone(),
        text: question.text.clone(),
        description: question.description.clone(),
        options: question
            .options
            .iter()
            .map(|option| QuestionOption {
                value: option.value.clone(),
                label: option.label.clone(),
                description: option.description.clone(),
            })
            .collect(),
        multiple: question.multiple,
        allow_text: question.allow_text,
    }
}

/// What came of a permission prompt; what was withdrawn was not allowed.
pub(crate) fn permission_resolution(prompt: &str, resolution: &Resolution) -> PermissionResolution {
    PermissionResolution {
        prompt_id: prompt.to_owned(),
        answer: match resolution.answer {
            Answer::AllowOnce => PermissionAnswer::AllowOnce,
            Answer::ApplyFirst => PermissionAnswer::ApplyFirst,
            Answer::AllowSession => PermissionAnswer::AllowSession,
            Answer::AllowAlways => PermissionAnswer::AllowAlways,
            Answer::Deny | Answer::Questions(_) | Answer::Withdrawn => PermissionAnswer::Deny,
        },
        by: resolution.by.clone(),
    }
}

/// What was answered to questions; nothing if they were withdrawn.
pub(crate) fn question_resolution(prompt: &str, resolution: &Resolution) -> QuestionResolution {
    let answers = match &resolution.answer {
        Answer::Questions(answers) => answers.clone(),
        _ => BTreeMap::new(),
    };
    let answer = |values: Vec<String>| match <[String; 1]>::try_from(values) {
        Ok([one]) => question::Answer::One(one),
        Err(several) => question::Answer::Several(several),
    };
    QuestionResolution {
        question_id: prompt.to_owned(),
        answers: answers.into_iter().map(|(name, values)| (name, answer(values))).collect(),
        by: resolution.by.clone(),
    }
}

fn origin(prompt: &Prompt) -> Origin {
    Origin {
        session_id: prompt.session.to_string(),
        turn_id: Some(prompt.turn.to_string()),
        task_id: prompt.task.as_ref().map(ToString::to_string),
    }
}
