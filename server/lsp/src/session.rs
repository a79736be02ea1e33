//! One client's session: what it can do, the runtime that works for it, and what running turns have said.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use kkcode_agent::config::{ConfigSource, SystemKeyring};
use kkcode_agent::gate::trust;
use kkcode_agent::runtime::{Handle, NewTurn, Retrying, spawn};
use kkcode_agent::task::Tasks;
use kkcode_core::effect::Reply;
use kkcode_core::event::{Command, Event};
use kkcode_core::id::{SessionId, TaskId, TurnId};
use kkcode_core::state::Snapshot;
use kkcode_protocol::task::TaskSummary;
use serde_json::Value;
use tower_lsp::jsonrpc::Result;

use crate::capabilities::ClientCapabilities;
use crate::client::Client;
use crate::front_end::FrontEnd;
use crate::progress::{Progress, Work};
use crate::surface::Surface;
use crate::{error, home, to_proto};

/// What everything that serves one client shares.
#[derive(Debug)]
pub(crate) struct Session {
    client: ClientCapabilities,
    editor: Client,
    handle: Handle,
    config: ConfigSource,
    /// What the client was shown and may be told anew.
    surface: Surface,
    /// What the client is shown of running turns.
    progress: Progress,
    home: PathBuf,
    attached: Once,
    /// What running turns have said, for those who come late.
    said: Mutex<BTreeMap<TurnId, String>>,
    /// What running turns wait for whose last request failed.
    retrying: Mutex<BTreeMap<TurnId, Retrying>>,
    /// The client's spelling of the URIs that `lsp_types` spells otherwise.
    spellings: Mutex<HashMap<String, String>>,
}

impl Session {
    /// Starts a runtime for a client that has said who it is. Opens nothing yet.
    pub(crate) fn start(client: ClientCapabilities, editor: Client) -> Arc<Self> {
        let home = home::find(client.options.home.clone().map(PathBuf::from));
        let config = client.options.config.clone().map(Value::Object);
        let config = ConfigSource::new(home.clone(), config, |name| std::env::var(name).ok())
            .with_keyring(SystemKeyring);
        #[cfg(unix)]
        let config = config.with_helper(home::helper());
        // Only a client of ours asks the user before it says so.
        let said = client.options.trusted;
        let listed = || {
            !client.folders.is_empty() && client.folders.iter().all(|folder| trust::is_trusted(&home, folder))
        };
        let config =
            config.trusting(said != Some(false) && (client.kkcode && said == Some(true) || listed()));
        let (handle, effects) = spawn(home.clone(), config.clone());
        let (attached, said, spellings) = (Once::new(), Mutex::default(), Mutex::default());
        let (front_end, surface, progress) = (editor.clone(), Surface::default(), Progress::default());
        let session = Arc::new(Self {
            client,
            editor,
            handle,
            config,
            surface,
            progress,
            home,
            attached,
            said,
            retrying: Mutex::default(),
            spellings,
        });
        tokio::spawn(FrontEnd::new(Arc::clone(&session), front_end).run(effects));
        session
    }

    /// Returns what the client can do.
    pub(crate) fn client(&self) -> &ClientCapabilities {
        &self.client
    }

    /// Returns what the client calls itself.
    pub(crate) fn client_name(&self) -> String {
        self.client.name.clone().unwrap_or_else(|| "editor".to_owned())
    }

    /// Returns the way to the client.
    pub(crate) fn editor(&self) -> &Client {
        &self.editor
    }

    /// Returns the configuration.
    pub(crate) fn config(&self) -> &ConfigSource {
        &self.config
    }

    /// Returns what the client was shown.
    pub(crate) fn surface(&self) -> &Surface {
        &self.surface
    }

    /// Returns what the client is shown of running turns.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Returns kkcode's home.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Starts a turn, at its place in the order of messages, and begins its progress.
    pub(crate) fn start_turn(
        &self,
        turn: NewTurn,
    ) -> impl Future<Output = Result<(TurnId, SessionId)>> + Send + use<'_> {
        let prompt = turn.prompt.clone();
        let started = self.handle().start_turn(turn);
        async move {
            match started.await.map_err(|refusal| error::refusal(&refusal))? {
                Reply::TurnStarted { turn, session } => {
                    let work = Work::Turn(turn.clone());
                    self.progress.begin(&self.editor, &self.client, &work, &prompt);
                    Ok((turn, session))
                }
                reply => Err(error::internal(&format!("a turn start was answered by {reply:?}"))),
            }
        }
    }

    /// Returns the way to the runtime; with the first call the store is read.
    pub(crate) fn handle(&self) -> &Handle {
        self.attached.call_once(|| {
            let ClientCapabilities { encoding, operations, folders, .. } = &self.client;
            let (encoding, operations) = (*encoding, *operations);
            self.handle.send(Event::Attached { encoding, folders: folders.clone(), operations });
            // Its own `handle` would wait for this call.
            tokio::spawn(Tasks::new(&self.handle, &self.config).attend());
        });
        &self.handle
    }

    /// Has something done, at its place in the order of messages.
    pub(crate) fn request(&self, command: Command) -> impl Future<Output = Result<Reply>> + Send + use<> {
        let request = self.handle().request(command);
        async move { request.await.map_err(|refusal| error::refusal(&refusal)) }
    }

    /// Returns the background tasks of this home.
    pub(crate) fn tasks(&self) -> Tasks {
        Tasks::new(self.handle(), &self.config)
    }

    /// Returns a task of this workspace as it is now; none for one of another.
    pub(crate) async fn task(&self, snapshot: &Snapshot, id: &TaskId) -> Option<TaskSummary> {
        let task = self.tasks().get(id).await.ok()?;
        let is_ours = |folder: &PathBuf| folder.starts_with(&task.folder) || task.folder.starts_with(folder);
        snapshot.folders.iter().any(is_ours).then(|| to_proto::task_summary(&task))
    }

    /// Returns the state after everything that was sent before.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot> {
        self.handle().snapshot().await.ok_or_else(|| error::failed("the server is shutting down"))
    }

    /// Stops turns and writes down what is left.
    pub(crate) async fn stop(&self, patience: Duration) {
        self.handle.stop(patience).await;
    }

    /// Notes what a running turn says, and returns what it had said before, in the client's units.
    pub(crate) fn hear(&self, turn: &TurnId, text: &str) -> u64 {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let said = said.entry(turn.clone()).or_default();
        let before = self.client.encoding.length(said);
        said.push_str(text);
        before
    }

    /// Returns what a running turn has said.
    pub(crate) fn said_so_far(&self, turn: &TurnId) -> Option<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).get(turn).cloned()
    }

    /// Notes that a running turn waits to send a failed request again, or waits no more.
    pub(crate) fn note_retry(&self, turn: &TurnId, retrying: Option<Retrying>) {
        let mut waiting = self.retrying.lock().unwrap_or_else(PoisonError::into_inner);
        match retrying {
            Some(retrying) => drop(waiting.insert(turn.clone(), retrying)),
            None => drop(waiting.remove(turn)),
        }
    }

    /// Returns what a running turn waits for, if its last request failed.
    pub(crate) fn retrying(&self, turn: &TurnId) -> Option<Retrying> {
        self.retrying.lock().unwrap_or_else(PoisonError::into_inner).get(turn).cloned()
    }

    /// Forgets what a turn has said, once its end is written down.
    pub(crate) fn forget(&self, turn: &TurnId) {
        self.note_retry(turn, None);
        self.said.lock().unwrap_or_else(PoisonError::into_inner).remove(turn);
    }

    /// Notes how the client spells the URI of a document that it opened.
    pub(crate) fn note_spelling(&self, uri: &str) {
        if let Ok(parsed) = lsp_types::Url::parse(uri)
            && parsed.as_str() != uri
        {
            let mut spellings = self.spellings.lock().unwrap_or_else(PoisonError::into_inner);
            spellings.insert(parsed.into(), uri.to_owned());
        }
    }

    /// Returns a URI as the client spells it.
    pub(crate) fn spelled(&self, uri: &str) -> String {
        let spellings = self.spellings.lock().unwrap_or_else(PoisonError::into_inner);
        spellings.get(uri).cloned().unwrap_or_else(|| uri.to_owned())
    }

    /// Gives the URIs in a result the client's own spelling.
    pub(crate) fn respell(&self, result: &mut Value) {
        let spellings = self.spellings.lock().unwrap_or_else(PoisonError::into_inner);
        if !spellings.is_empty() {
            respell(result, &spellings);
        }
    }
}

/// Replaces spellings in the members that hold a URI.
fn respell(value: &mut Value, spellings: &HashMap<String, String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| respell(item, spellings)),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member {
                    Value::String(uri) if name == "uri" => {
                        if let Some(spelling) = spellings.get(uri) {
                            uri.clone_from(spelling);
                        }
                    }
                    Value::Object(changes) if name == "changes" => {
                        let respelled = std::mem::take(changes).into_iter();
                        let spelling = |uri: String| spellings.get(&uri).cloned().unwrap_or(uri);
                        changes.extend(respelled.map(|(uri, edits)| (spelling(uri), edits)));
                    }
                    member => respell(member, spellings),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn uris_go_back_as_the_client_spelled_them() {
        let theirs = "file:///w/a b/ü.rs";
        let parsed = lsp_types::Url::parse(theirs).unwrap().to_string();
        assert_ne!(parsed, theirs);
        let spellings = HashMap::from([(parsed.clone(), theirs.to_owned())]);
        let edits = json!([{"range": 0, "newText": parsed}]);
        let mut value = json!({"edit": {
            "documentChanges": [{"textDocument": {"uri": parsed, "version": 1}, "edits": edits}],
            "changes": {parsed.clone(): edits, "file:///other": []},
        }});
        respell(&mut value, &spellings);
        let expected = json!({"edit": {
            "documentChanges": [{"textDocument": {"uri": theirs, "version": 1}, "edits": edits}],
            "changes": {theirs: edits, "file:///other": []},
        }});
        assert_eq!(value, expected);
    }
}
