//! `kkcode/trust/didChange`: the user trusts a workspace folder, or no longer does.

use std::sync::Arc;

use kkcode_agent::gate::trust;
use kkcode_core::uri::{PathStyle, to_path};
use kkcode_protocol::editor::TrustDidChangeParams;
use lsp_types::MessageType;
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::session::Session;

/// Takes the user's word for a folder, from a client that asks for it, and keeps it in kkcode's home.
pub(crate) fn changed(session: &Arc<Session>, params: &Value) {
    if !session.client().kkcode {
        tracing::warn!("a client that does not say that it knows our methods is not believed about trust");
        return;
    }
    let TrustDidChangeParams { uri, trusted } = match TrustDidChangeParams::deserialize(params) {
        Ok(params) => params,
        Err(error) => {
            tracing::warn!(%error, "a change of trust that cannot be read");
            return;
        }
    };
    let Some(folder) = to_path(&uri, PathStyle::NATIVE) else {
        tracing::warn!(uri, "trust in what is no folder");
        return;
    };
    session.config().set_trusted(&folder, trusted);
    let session = Arc::clone(session);
    tokio::task::spawn_blocking(move || {
        let home = session.home();
        let kept = folder.canonicalize().map_err(|error| error.to_string()).and_then(|folder| {
            let kept = if trusted { trust::grant(home, &folder) } else { trust::revoke(home, &folder) };
            kept.map_err(|error| error.to_string())
        });
        if let Err(reason) = kept {
            let message = format!(
                "kkcode: whether {} is trusted holds until the server ends: {reason}",
                folder.display()
            );
            session
                .editor()
                .notify("window/showMessage", json!({"type": MessageType::WARNING, "message": message}));
        }
    });
}
