//! The editor's settings, and the configuration files that are saved in it.

use std::sync::Arc;
use std::time::Duration;

use kkcode_agent::config::is_config_file;
use kkcode_core::uri::{PathStyle, to_path};
use serde_json::{Value, json};

use crate::session::Session;

/// The section of the editor's settings that is ours; it has the shape of `config.yaml`.
const SECTION: &str = "kkcode";

/// How long the client may take to say what its settings are.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes the settings that `workspace/didChangeConfiguration` brings, or asks for them if it brings none.
pub(crate) fn changed(session: &Arc<Session>, params: &Value) {
    let settings = params.get("settings").filter(|settings| !settings.is_null());
    if let Some(settings) = settings {
        // Some clients send the section, others only what is in it.
        take(session, settings.get(SECTION).unwrap_or(settings).clone());
    } else if session.client().configuration {
        let params = json!({"items": [{"section": SECTION}]});
        let answer = session.editor().request("workspace/configuration", params, PATIENCE);
        let session = Arc::clone(session);
        tokio::spawn(async move {
            match answer.await {
                Ok(mut answer) => take(&session, answer.get_mut(0).map(Value::take).unwrap_or_default()),
                Err(error) => tracing::warn!(%error, "the client did not say what its settings are"),
            }
        });
    } else {
        look_again(session);
    }
}

/// Reads the configuration again if one of its files was saved, so that the user hears at once what is wrong with it.
pub(crate) fn saved(session: &Session, params: &Value) {
    let uri = params.pointer("/textDocument/uri").and_then(Value::as_str);
    if uri.and_then(|uri| to_path(uri, PathStyle::NATIVE)).is_some_and(|path| is_config_file(&path)) {
        look_again(session);
    }
}

fn take(session: &Session, settings: Value) {
    // An empty object, or null, takes back what the editor said before.
    session.config().set_settings(settings.is_object().then_some(settings));
    look_again(session);
}

fn look_again(session: &Session) {
    let config = session.config().clone();
    tokio::task::spawn_blocking(move || config.look_again());
}
