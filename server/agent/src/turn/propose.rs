//! What becomes of the edits that tools and commands make.

use kkcode_core::effect::{ProposedFile, Reply};
use kkcode_core::event::{Command, Propose};
use kkcode_core::id::SessionId;

use super::Ports;

impl Ports {
    /// Proposes edits, all of them or none. In a worktree they are made there first, and proposed for the user's files.
    pub(crate) async fn propose(
        &self,
        session: &SessionId,
        edits: Vec<Propose>,
    ) -> Result<Vec<ProposedFile>, String> {
        let worktree = self.config.worktree();
        let edits = match &worktree {
            None => edits,
            Some(worktree) => {
                let snapshot = self.handle.snapshot().await.ok_or("the server is shutting down")?;
                let (worktree, session) = (worktree.clone(), session.clone());
                let written =
                    tokio::task::spawn_blocking(move || worktree.write(&snapshot, &session, edits)).await;
                written.map_err(|error| {
                    tracing::error!(%error, "a worktree could not be written");
                    "internal error, see the server's log".to_owned()
                })??
            }
        };
        let mut files = match self.handle.request(Command::Propose(edits)).await {
            Ok(Reply::Proposed { files, .. }) => files,
            Ok(reply) => return Err(format!("the proposal was answered by {reply:?}")),
            Err(refusal) => return Err(refusal.to_string()),
        };
        for file in &mut files {
            // The agent knows a file by its path in the copy.
            let ours = worktree.as_ref().and_then(|worktree| worktree.ours(&file.path));
            file.path = ours.unwrap_or_else(|| std::mem::take(&mut file.path));
        }
        Ok(files)
    }
}
