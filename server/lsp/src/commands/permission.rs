//! The commands of permissions.

use std::sync::Arc;

use kkcode_agent::gate::policy::level_in_force;
use kkcode_agent::gate::rules::Problem;
use kkcode_agent::gate::{agreed, learned};
use kkcode_core::id::PromptId;
use kkcode_core::prompt::{Answer, Resolution};
use kkcode_protocol::permission::{
    PermissionAnswer, PermissionAnswerParams, PermissionAnswerResult, PermissionForgetParams,
    PermissionForgetResult, PermissionListParams, PermissionListResult, PermissionSetLevelParams,
    PermissionSetLevelResult,
};
use tower_lsp::jsonrpc::Result;

use super::model;
use crate::session::Session;
use crate::{error, from_proto, to_proto};

pub(super) async fn answer(
    session: Arc<Session>,
    params: PermissionAnswerParams,
) -> Result<PermissionAnswerResult> {
    let answer = match params.answer {
        PermissionAnswer::AllowOnce => Answer::AllowOnce,
        PermissionAnswer::ApplyFirst => Answer::ApplyFirst,
        PermissionAnswer::AllowSession => Answer::AllowSession,
        PermissionAnswer::AllowAlways => Answer::AllowAlways,
        PermissionAnswer::Deny => Answer::Deny,
    };
    let feedback = params.feedback.filter(|feedback| !feedback.trim().is_empty());
    let resolution = Resolution { answer, by: session.client_name(), feedback };
    let answered = session.handle().answer(PromptId::new(params.prompt_id), resolution).await;
    Ok(PermissionAnswerResult { accepted: answered.map_err(|refusal| error::refusal(&refusal))? })
}

pub(super) async fn list(session: Arc<Session>, _: PermissionListParams) -> Result<PermissionListResult> {
    let snapshot = session.snapshot().await?;
    let seen = snapshot.clone();
    let (level, learned, agreed) = model::reading(&session, move |config| {
        let learned = learned::list(config.home()).map_err(|e| error::failed(e.to_string()))?;
        let agreed = agreed::list(config.home()).map_err(|e| error::failed(e.to_string()))?;
        Ok((level_in_force(&config, &seen), learned, agreed))
    })
    .await?;
    Ok(PermissionListResult {
        level: to_proto::level(level),
        rules: learned
            .into_iter()
            .map(to_proto::learned_rule)
            .chain(agreed.into_iter().map(to_proto::agreement))
            .collect(),
        prompts: snapshot.open_prompts().into_iter().filter_map(to_proto::permission_prompt).collect(),
    })
}

pub(super) async fn forget(
    session: Arc<Session>,
    params: PermissionForgetParams,
) -> Result<PermissionForgetResult> {
    let home = session.home().to_owned();
    let forgotten = tokio::task::spawn_blocking(move || {
        Ok(learned::forget(&home, &params.rule_id)? || agreed::forget(&home, &params.rule_id)?)
    })
    .await;
    let forgotten: std::result::Result<bool, Problem> = forgotten.map_err(|e| error::internal(&e))?;
    let forgotten = forgotten.map_err(|e| error::failed(e.to_string()))?;
    Ok(PermissionForgetResult { forgotten })
}

pub(super) async fn set_level(
    session: Arc<Session>,
    params: PermissionSetLevelParams,
) -> Result<PermissionSetLevelResult> {
    let level = from_proto::level(params.level);
    session.tasks().set_level(level).await.map_err(|refusal| error::refusal(&refusal))?;
    let snapshot = session.snapshot().await?;
    let level = model::reading(&session, move |config| Ok(level_in_force(&config, &snapshot))).await?;
    Ok(PermissionSetLevelResult { level: to_proto::level(level) })
}
