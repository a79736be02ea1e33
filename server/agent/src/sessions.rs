//! Sessions as a whole: listed, shown, copied, named, deleted, and their conversations.

use futures::future::BoxFuture;
use kkcode_core::effect::Refusal;
use kkcode_core::event::Event;
use kkcode_core::id::{ProposalId, SessionId, TurnId};
use kkcode_core::turn::Turn;
use kkcode_store::{Forked, Store, StoreError};
pub use kkcode_store::{StoredSession, StoredTurn};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::fresh;
use crate::runtime::Handle;

impl Handle {
    /// Returns the sessions of the workspace, last used first.
    pub async fn sessions(&self) -> Result<Vec<StoredSession>, Refusal> {
        let snapshot = self.snapshot().await.ok_or_else(ended)?;
        let folders = snapshot.folders;
        self.ask_store(|store, done| store.sessions(folders, done)).await
    }

    /// Returns a session and its turns, oldest first.
    pub async fn session(&self, id: SessionId) -> Result<(StoredSession, Vec<StoredTurn>), Refusal> {
        let wanted = id.clone();
        self.ask_store(|store, done| store.session(wanted, done)).await?.ok_or_else(|| unknown(&id))
    }

    /// Returns a turn, however old it is.
    pub async fn turn(&self, id: TurnId) -> Result<Turn, Refusal> {
        let wanted = id.clone();
        let unknown = || Refusal::Unknown { what: "turn", id: id.to_string() };
        self.ask_store(|store, done| store.turn(wanted, done)).await?.ok_or_else(unknown)
    }

    /// Says why a proposal that is not at hand cannot be shown, and what to do.
    pub async fn not_at_hand(&self, id: ProposalId) -> Refusal {
        let wanted = id.clone();
        match self.ask_store(|store, done| store.session_of(wanted, done)).await {
            Ok(Some(session)) => Refusal::Forbidden(format!(
                "proposal `{id}` is an old one or of another folder; it is at hand again in its folder as soon as a turn is \
                 started in its session `{session}`"
            )),
            Ok(None) => Refusal::Unknown { what: "proposal", id: id.to_string() },
            Err(refusal) => refusal,
        }
    }

    /// Returns what was said in a session, as it was told to the model.
    pub async fn conversation(&self, id: SessionId) -> Result<Vec<Value>, Refusal> {
        self.ask_store(|store, done| store.messages(id, done)).await
    }

    /// Copies a session, so that the conversation can go on in two ways.
    pub async fn fork_session(&self, id: SessionId) -> Result<StoredSession, Refusal> {
        let new = fresh::name("session").map_err(|error| Refusal::Forbidden(error.to_string()))?;
        let (from, new) = (id.clone(), SessionId::new(new));
        let forked = self
            .ask_store(|store, done| store.fork_session(from, new, Forked::Ended, fresh::now(), done))
            .await?;
        self.send(Event::StoreChanged);
        forked.ok_or_else(|| unknown(&id))
    }

    /// Gives a session a title.
    pub async fn rename_session(&self, id: SessionId, title: String) -> Result<StoredSession, Refusal> {
        let named = id.clone();
        let renamed = self.ask_store(|store, done| store.rename_session(named, title, done)).await?;
        renamed.ok_or_else(|| unknown(&id))
    }

    /// Deletes a session with its proposals, and tells whether there was one.
    pub async fn delete_session(&self, id: SessionId) -> Result<bool, Refusal> {
        let deleted = self.ask_store(|store, done| store.delete_session(id, done)).await?;
        self.send(Event::StoreChanged);
        Ok(deleted)
    }

    /// Has the store do something, in the order of the calls, and waits for what comes of it.
    fn ask_store<T, F>(&self, ask: F) -> BoxFuture<'static, Result<T, Refusal>>
    where
        T: Send + 'static,
        F: FnOnce(&Store, Box<dyn FnOnce(Result<T, StoreError>) + Send>),
    {
        let (answer, answered) = oneshot::channel();
        ask(self.store(), Box::new(move |result| drop(answer.send(result))));
        Box::pin(async move {
            match answered.await {
                Ok(result) => result.map_err(|error| match error {
                    StoreError::Conflict { what } => Refusal::Forbidden(what),
                    error => Refusal::NotStored(error.to_string()),
                }),
                Err(_) => Err(ended()),
            }
        })
    }
}

fn unknown(id: &SessionId) -> Refusal {
    Refusal::Unknown { what: "session", id: id.to_string() }
}

fn ended() -> Refusal {
    Refusal::Forbidden("the server is shutting down".to_owned())
}
