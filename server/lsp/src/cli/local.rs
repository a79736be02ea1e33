//! A runtime without an editor: the same as the server's, in one folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kkcode_agent::config::{ConfigSource, SystemKeyring};
use kkcode_agent::gate::trust;
use kkcode_agent::runtime::{Handle, ToFrontEnd, spawn};
use kkcode_core::effect::{EditorEffect, Reply};
use kkcode_core::event::{Command, Event};
use kkcode_core::state::Snapshot;
use tokio::sync::mpsc::UnboundedReceiver;

use super::failure::Failure;
use super::output;
use crate::home;

/// How long the end waits for what is still to be written down.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

/// Returns the user's configuration and, as far as the user trusts it, that of a folder.
pub(crate) fn config(folder: &Path) -> ConfigSource {
    let home = home::find(None);
    let trusted = trust::is_trusted(&home, folder);
    let config = ConfigSource::new(home, None, |name| std::env::var(name).ok())
        .with_keyring(SystemKeyring)
        .trusting(trusted);
    #[cfg(unix)]
    let config = config.with_helper(home::helper());
    config.set_folders(vec![folder.to_owned()]);
    config
}

/// The runtime, and what it tells.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) handle: Handle,
    pub(crate) effects: UnboundedReceiver<ToFrontEnd>,
    /// The folder it works in, symbolic links followed.
    pub(crate) folder: PathBuf,
}

impl Local {
    /// Starts a runtime in a folder, the present one when none is named.
    pub(crate) fn start(folder: Option<&Path>) -> Result<Self, Failure> {
        let named = folder.unwrap_or(Path::new("."));
        let folder = named
            .canonicalize()
            .map_err(|error| Failure::usage(format!("the folder {}: {error}", named.display())))?;
        if !folder.is_dir() {
            return Err(Failure::usage(format!("{} is no folder", named.display())));
        }
        let (handle, effects) = spawn(home::find(None), config(&folder));
        let folders = vec![folder.clone()];
        let (encoding, operations) = Default::default();
        handle.send(Event::Attached { encoding, folders, operations });
        Ok(Self { handle, effects, folder })
    }

    /// Returns the state after all that was sent.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, Failure> {
        self.handle.snapshot().await.ok_or_else(|| Failure::internal(&"the runtime has ended"))
    }

    /// Has something done.
    pub(crate) async fn request(&self, command: Command) -> Result<Reply, Failure> {
        Ok(self.handle.request(command).await?)
    }

    /// Writes down what is left, ends, and says on stderr what the user was to be told.
    pub(crate) async fn stop(mut self) {
        self.handle.stop(STOP_PATIENCE).await;
        while let Ok(told) = self.effects.try_recv() {
            if let ToFrontEnd::Effect(EditorEffect::Message(message)) = told {
                output::note(&message);
            }
        }
    }
}
