//! The commands of models, and the keys that the editor keeps for their providers.

use std::sync::Arc;

use kkcode_agent::config::{ConfigSource, ModelEntry};
use kkcode_protocol::editor::{SecretSetParams, SecretSetResult};
use kkcode_protocol::model::{
    ModelInfo, ModelListParams, ModelListResult, ModelSelectParams, ModelSelectResult,
};
use tower_lsp::jsonrpc::Result;

use crate::error;
use crate::session::Session;

pub(super) async fn list(session: Arc<Session>, _: ModelListParams) -> Result<ModelListResult> {
    reading(&session, |config| {
        let models = config.models().map_err(|e| error::failed(e.message))?;
        // Without any model nothing is selected; that is no failure of a list.
        let selected = config.selected().ok();
        Ok(ModelListResult { models: models.into_iter().map(info).collect(), selected })
    })
    .await
}

pub(super) async fn select(session: Arc<Session>, params: ModelSelectParams) -> Result<ModelSelectResult> {
    reading(&session, move |config| {
        let model = config.select(&params.model).map_err(|e| error::failed(e.message))?;
        Ok(ModelSelectResult { model })
    })
    .await
}

/// Takes a key from the editor's secret storage, for as long as the server runs.
pub(crate) fn set_secret(session: &Session, params: SecretSetParams) -> Result<SecretSetResult> {
    let SecretSetParams { provider, key } = params;
    if provider.trim().is_empty() {
        return Err(error::invalid_params("`provider` of `kkcode/secret/set` is empty"));
    }
    session.config().set_secret(provider, &key);
    Ok(SecretSetResult {})
}

/// Has something done that reads the configuration, where it may block.
pub(super) async fn reading<T: Send + 'static>(
    session: &Session,
    read: impl FnOnce(ConfigSource) -> Result<T> + Send + 'static,
) -> Result<T> {
    let config = session.config().clone();
    tokio::task::spawn_blocking(move || read(config)).await.map_err(|e| error::internal(&e))?
}

fn info(entry: ModelEntry) -> ModelInfo {
    let ModelEntry { model, provider, context_tokens, unavailable } = entry;
    ModelInfo { model, provider, context_tokens, unavailable }
}
