//! The command of questions.

use std::sync::Arc;

use kkcode_core::id::PromptId;
use kkcode_core::prompt::{Answer, Resolution};
use kkcode_protocol::question::{self, QuestionAnswerParams, QuestionAnswerResult};
use tower_lsp::jsonrpc::Result;

use crate::error;
use crate::session::Session;

pub(super) async fn answer(
    session: Arc<Session>,
    params: QuestionAnswerParams,
) -> Result<QuestionAnswerResult> {
    let values = |answer| match answer {
        question::Answer::One(one) => vec![one],
        question::Answer::Several(several) => several,
    };
    let answers = params.answers.into_iter().map(|(name, answer)| (name, values(answer))).collect();
    let answer = Answer::Questions(answers);
    let resolution = Resolution { answer, by: session.client_name(), feedback: None };
    let answered = session.handle().answer(PromptId::new(params.question_id), resolution).await;
    Ok(QuestionAnswerResult { accepted: answered.map_err(|refusal| error::refusal(&refusal))? })
}
