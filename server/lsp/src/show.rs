//! Takes the user to what he asked for: a hunk, or what a file would be.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kkcode_agent::view::placed_file;
use kkcode_core::effect::Refusal;
use kkcode_core::id::{HunkId, ProposalId};
use kkcode_core::text::TextRange;
use kkcode_core::uri::{PathStyle, to_path};
use kkcode_protocol::proposal::{FileDiffParams, HunkShowParams, ShownResult};
use lsp_types::MessageType;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::Result;

use crate::hunks::standing;
use crate::session::Session;
use crate::virtual_documents::{Side, VirtualDocument};
use crate::{error, to_proto};

/// How long the client may take to show a document before nobody cares.
const PATIENCE: Duration = Duration::from_secs(10);

/// Shows the document of a hunk, with the hunk's range as the selection.
pub(crate) async fn hunk(session: Arc<Session>, params: HunkShowParams) -> Result<ShownResult> {
    let snapshot = session.snapshot().await?;
    let found = tokio::task::spawn_blocking(move || {
        let unknown = |what, id| error::refusal(&Refusal::Unknown { what, id });
        let review = snapshot.reviews.get(&ProposalId::new(params.proposal_id.as_str()));
        let review = review.ok_or_else(|| unknown("proposal", params.proposal_id))?;
        let found = review.proposal.hunk(&HunkId::new(params.hunk_id.as_str()));
        let (file, hunk) = found.ok_or_else(|| unknown("hunk", params.hunk_id))?;
        let placed = placed_file(&snapshot, review, file);
        let range = standing(review, file, hunk, placed.as_ref(), snapshot.encoding).range;
        Ok((to_proto::uri(&snapshot.documents, &file.path), place(&file.path, range), range))
    });
    let (uri, place, range) = found.await.map_err(|e| error::internal(&e))??;
    let instead = format!("the hunk is at {place}");
    if !session.client().show_document {
        tell(&session, &instead);
        return Ok(ShownResult { shown: false });
    }
    show(&session, json!({"uri": uri, "takeFocus": true, "selection": to_proto::range(range)}), instead);
    Ok(ShownResult { shown: true })
}

/// Shows what a file would be, where the client can show that.
pub(crate) async fn file_diff(session: Arc<Session>, params: FileDiffParams) -> Result<ShownResult> {
    let path = to_path(&params.uri, PathStyle::NATIVE)
        .or_else(|| VirtualDocument::parse(&params.uri).map(|document| document.path))
        .ok_or_else(|| error::invalid_params(format!("`{}` names no file", params.uri)))?;
    let snapshot = session.snapshot().await?;
    let unknown = |what, id| error::refusal(&Refusal::Unknown { what, id });
    let proposal = ProposalId::new(params.proposal_id.as_str());
    let review = snapshot.reviews.get(&proposal).ok_or_else(|| unknown("proposal", params.proposal_id))?;
    if review.proposal.file(&path).is_none() {
        return Err(unknown("file", path.display().to_string()));
    }
    let instead = format!(
        "hover over a hunk of {} to see what it changes; this editor cannot show more",
        path.display()
    );
    let client = session.client();
    if !(client.show_document && (client.virtual_documents || client.kkcode)) {
        tell(&session, &instead);
        return Ok(ShownResult { shown: false });
    }
    let document = VirtualDocument { side: Side::Proposed, proposal, path };
    show(&session, json!({"uri": document.uri(), "takeFocus": true}), instead);
    Ok(ShownResult { shown: true })
}

/// Names a place as compilers do, lines and columns counted from 1.
fn place(path: &Path, range: TextRange) -> String {
    format!("{}:{}", path.display(), range.start.line.saturating_add(1))
}

/// Asks the client to show a document, and tells the user where it is if the client does not; nobody waits for that.
fn show(session: &Arc<Session>, params: Value, instead: String) {
    let answer = session.editor().request("window/showDocument", params, PATIENCE);
    let session = Arc::clone(session);
    tokio::spawn(async move {
        let shown = match answer.await {
            Ok(answer) => answer.get("success").and_then(Value::as_bool).unwrap_or(false),
            Err(error) => {
                tracing::info!(%error, "the client did not show a document");
                false
            }
        };
        if !shown {
            tell(&session, &instead);
        }
    });
}

fn tell(session: &Session, message: &str) {
    let params = json!({"type": MessageType::INFO, "message": format!("kkcode: {message}")});
    session.editor().notify("window/showMessage", params);
}
