//! Prompts in the client: told or asked when they come, taken back when somebody else was quicker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kkcode_core::id::PromptId;
use kkcode_core::prompt::{Answer, Choice, Prompt, PromptKind, Question, Resolution};
use kkcode_protocol::message::Notification as _;
use kkcode_protocol::notifications::{
    PermissionDidAsk, PermissionDidResolve, QuestionDidAsk, QuestionDidResolve,
};
use kkcode_protocol::permission::{
    PermissionAnswer, PermissionDidAskParams, PermissionDidResolveParams, PermissionOption,
};
use kkcode_protocol::question::{QuestionDidAskParams, QuestionDidResolveParams};
use lsp_types::MessageType;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::session::Session;
use crate::to_proto;

/// How long a message with buttons may stand.
const USER_PATIENCE: Duration = Duration::from_hours(24);

/// What a plain client shows for no answer.
const NO_ANSWER: &str = "No answer";

/// The prompts that the client knows.
#[derive(Debug, Default)]
pub(crate) struct Prompts {
    /// Those that were told; a message that asks the user is taken back when its sender goes.
    told: BTreeMap<PromptId, Told>,
}

#[derive(Debug)]
struct Told {
    is_question: bool,
    _withdraw: Option<oneshot::Sender<()>>,
}

impl Prompts {
    /// Tells the client of a prompt, unless it knows it.
    pub(crate) fn ask(&mut self, session: &Arc<Session>, seq: u64, prompt: &Prompt) {
        if self.told.contains_key(&prompt.id) || prompt.resolution.is_some() {
            return;
        }
        let is_question = matches!(prompt.kind, PromptKind::Questions { .. });
        let withdraw = if session.client().kkcode {
            if let Some(prompt) = to_proto::permission_prompt(prompt) {
                let params = PermissionDidAskParams { seq, prompt };
                session.editor().notify(PermissionDidAsk::NAME, params);
            } else if let Some(prompt) = to_proto::question_prompt(prompt) {
                session.editor().notify(QuestionDidAsk::NAME, QuestionDidAskParams { seq, prompt });
            }
            None
        } else {
            let (withdraw, withdrawn) = oneshot::channel::<()>();
            let (session, prompt) = (Arc::clone(session), prompt.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = by_message(session, prompt) => {}
                    // Dropping the question takes it back from the client.
                    _ = withdrawn => {}
                }
            });
            Some(withdraw)
        };
        self.told.insert(prompt.id.clone(), Told { is_question, _withdraw: withdraw });
    }

    /// Tells the client what came of a prompt, if it knows it, and takes back what asks for it.
    pub(crate) fn resolve(
        &mut self,
        session: &Session,
        seq: u64,
        prompt: &PromptId,
        resolution: &Resolution,
    ) {
        let Some(told) = self.told.remove(prompt) else { return };
        if !session.client().kkcode {
            return;
        }
        if told.is_question {
            let resolution = to_proto::question_resolution(prompt.as_str(), resolution);
            let params = QuestionDidResolveParams { seq, resolution };
            session.editor().notify(QuestionDidResolve::NAME, params);
        } else {
            let resolution = to_proto::permission_resolution(prompt.as_str(), resolution);
            let params = PermissionDidResolveParams { seq, resolution };
            session.editor().notify(PermissionDidResolve::NAME, params);
        }
    }
}

/// Asks the user by messages with buttons, for a client without our notifications.
async fn by_message(session: Arc<Session>, prompt: Prompt) {
    let answer = match (&prompt.kind, to_proto::permission_prompt(&prompt)) {
        (_, Some(permission)) => permission_answer(&session, &prompt, &permission.options).await,
        (PromptKind::Questions { questions }, None) => question_answers(&session, questions).await,
        (PromptKind::Permission(_), None) => None,
    };
    let Some(answer) = answer else {
        // Closing a message is no answer: what asks waits on, for this editor or another.
        let message = format!(
            "kkcode waits for your answer: {}; answer it in another editor, or cancel the turn",
            prompt.title
        );
        let params = json!({"type": MessageType::WARNING, "message": message});
        session.editor().notify("window/showMessage", params);
        return;
    };
    let resolution = Resolution { answer, by: session.client_name(), feedback: None };
    match session.handle().answer(prompt.id, resolution).await {
        Ok(accepted) => tracing::debug!(accepted, "a prompt was answered"),
        Err(refusal) => tracing::warn!(%refusal, "the answer to a prompt was not taken"),
    }
}

async fn permission_answer(
    session: &Session,
    prompt: &Prompt,
    options: &[PermissionOption],
) -> Option<Answer> {
    let message = format!("kkcode: {}\n{}", prompt.title, prompt.detail);
    let titles = options.iter().map(|option| option.title.as_str());
    let chosen = choose(session, &message, titles).await?;
    let option = options.iter().find(|option| option.title == chosen)?;
    Some(match option.answer {
        PermissionAnswer::AllowOnce => Answer::AllowOnce,
        PermissionAnswer::ApplyFirst => Answer::ApplyFirst,
        PermissionAnswer::AllowSession => Answer::AllowSession,
        PermissionAnswer::AllowAlways => Answer::AllowAlways,
        PermissionAnswer::Deny => Answer::Deny,
    })
}

/// Asks one question after the other; in own words such a client cannot answer.
async fn question_answers(session: &Session, questions: &[Question]) -> Option<Answer> {
    let mut answers = BTreeMap::new();
    for question in questions {
        let description = question.description.iter().map(|text| format!("\n{text}"));
        let message: String =
            std::iter::once(format!("kkcode: {}", question.text)).chain(description).collect();
        let labels = question.options.iter().map(|option| option.label.as_str());
        let chosen = choose(session, &message, labels.chain([NO_ANSWER])).await?;
        let option = question.options.iter().find(|option| option.label == chosen);
        if let Some(Choice { value, .. }) = option {
            answers.insert(question.id.clone(), vec![value.clone()]);
        }
    }
    Some(Answer::Questions(answers))
}

/// Returns the title that the user chose; none if the message was closed or is not shown.
async fn choose(session: &Session, message: &str, titles: impl Iterator<Item = &str>) -> Option<String> {
    let actions: Vec<Value> = titles.map(|title| json!({ "title": title })).collect();
    let params = json!({"type": MessageType::WARNING, "message": message, "actions": actions});
    let chosen = session.editor().request("window/showMessageRequest", params, USER_PATIENCE).await;
    match chosen {
        Ok(chosen) => chosen.get("title").and_then(Value::as_str).map(str::to_owned),
        Err(error) => {
            tracing::info!(%error, "the client did not ask the user");
            None
        }
    }
}
