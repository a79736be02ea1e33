//! The commands of sessions.

use std::sync::Arc;

use kkcode_core::id::SessionId;
use kkcode_protocol::session::{
    Session as Shown, SessionDeleteResult, SessionListParams, SessionListResult, SessionParams,
    SessionRenameParams, SessionShowParams, SessionSummary,
};
use tower_lsp::jsonrpc::Result;

use crate::session::Session;
use crate::{error, to_proto};

pub(super) async fn list(session: Arc<Session>, params: SessionListParams) -> Result<SessionListResult> {
    let sessions = session.handle().sessions().await.map_err(|refusal| error::refusal(&refusal))?;
    Ok(to_proto::session_list(&session.snapshot().await?, sessions, &params))
}

pub(super) async fn show(session: Arc<Session>, params: SessionShowParams) -> Result<Shown> {
    let id = SessionId::new(params.session_id.clone());
    let (shown, turns) = session.handle().session(id).await.map_err(|refusal| error::refusal(&refusal))?;
    Ok(to_proto::session(&session.snapshot().await?, shown, turns, &params))
}

pub(super) async fn fork(session: Arc<Session>, params: SessionParams) -> Result<SessionSummary> {
    let id = SessionId::new(params.session_id);
    let forked = session.handle().fork_session(id).await.map_err(|refusal| error::refusal(&refusal))?;
    Ok(to_proto::session_summary(&session.snapshot().await?, forked))
}

pub(super) async fn rename(session: Arc<Session>, params: SessionRenameParams) -> Result<SessionSummary> {
    let SessionRenameParams { session_id, title } = params;
    let title = title.trim().to_owned();
    if title.is_empty() {
        return Err(error::invalid_params("the title is empty"));
    }
    let renamed = session.handle().rename_session(SessionId::new(session_id), title).await;
    let renamed = renamed.map_err(|refusal| error::refusal(&refusal))?;
    Ok(to_proto::session_summary(&session.snapshot().await?, renamed))
}

pub(super) async fn delete(session: Arc<Session>, params: SessionParams) -> Result<SessionDeleteResult> {
    let id = SessionId::new(params.session_id);
    let deleted = session.handle().delete_session(id).await.map_err(|refusal| error::refusal(&refusal))?;
    Ok(SessionDeleteResult { deleted })
}
