//! The user's configuration: read anew at each use, so that a change counts at once, and never worse than the last good one.

mod agent;
mod background;
mod document;
mod dot_env;
mod effective;
mod keyring;
mod keys;
mod models;
mod ollama;
mod origin;
mod provider;
mod restrict;
#[cfg(unix)]
mod sandbox;
mod schema;
mod selection;
mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use kkcode_core::proposal::Timestamp;
use kkcode_core::task::Delegate;
use kkcode_provider::endpoint::Key;
use kkcode_provider::http::Http;
use kkcode_provider::stream::ProviderError;
use serde_json::{Value, json};

pub(crate) use agent::AgentConfig;
pub(crate) use background::HandOver;
pub(crate) use dot_env::said_of_permissions;
pub(crate) use effective::PROJECT_DOT_ENV;
pub use effective::{Effective, Folder, Setting, is_config_file};
pub use keyring::{Keyring, SystemKeyring};
pub use keys::KeyringState;
pub use models::ModelEntry;
pub(crate) use models::{Model, Tariff};
pub use origin::{Origin, Problem, Severity};
#[cfg(unix)]
pub(crate) use sandbox::SandboxConfig;
pub use schema::json_schema;
pub(crate) use text::text as settings_text;

use crate::gate::policy::Surroundings;
use crate::worktree::Worktree;
use provider::error;

/// Looks up a variable of the environment.
type Environment = dyn Fn(&str) -> Option<String> + Send + Sync;

/// How long what was found on this machine is believed by those who ask often.
const LATELY: Duration = Duration::from_secs(30);

/// An Ollama on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ollama {
    /// Its address.
    pub base_url: String,
    /// The models it has.
    pub models: Vec<String>,
}

/// Whether an Ollama is looked for now, or what was found lately is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Now,
    Lately,
}

/// Tells the user something about the configuration.
type Tell = Box<dyn Fn(String) + Send + Sync>;

/// Where the user's configuration comes from, and what is kept between two readings of it. Clones share all of it.
#[derive(Clone)]
pub struct ConfigSource {
    pub(crate) home: PathBuf,
    environment: Arc<Environment>,
    http: Http,
    /// None where keys are looked for in no keyring.
    keyring: Option<Arc<dyn Keyring>>,
    kept: Arc<Mutex<Kept>>,
    tell: Arc<OnceLock<Tell>>,
    untrusted_told: Arc<AtomicBool>,
    #[cfg(unix)]
    sandbox: crate::sandbox::Sandbox,
}

/// What is kept between two readings.
#[derive(Default)]
struct Kept {
    /// What the editor gave as the user's configuration when it started us.
    options: Option<Value>,
    /// What it gives as the user's settings since.
    settings: Option<Value>,
    /// The Ollama of this machine, and when it was looked for.
    ollama: Option<(Instant, Option<Ollama>)>,
    folders: Vec<Folder>,
    /// Whether the user trusts all folders, also those to come, of which nothing was said.
    trusting: bool,
    /// What the user said about folders, which may be before we have them.
    said: BTreeMap<PathBuf, bool>,
    /// Keys from the editor, by the provider's name; in memory only.
    secrets: BTreeMap<String, Key>,
    /// What the keyring had, by the provider's name, and when it was asked.
    keyring: BTreeMap<String, (Instant, Option<Key>)>,
    /// The model that the user has selected.
    selected: Option<String>,
    /// When the task began that this process works on; none if it works on none.
    task: Option<Timestamp>,
    /// The bounds of the task that this process works on, when an agent has given it away.
    delegate: Option<Arc<Delegate>>,
    /// The worktree of the task that this process works on, if it has one.
    worktree: Option<Arc<Worktree>>,
    /// How often the user has let each go on beyond its budget.
    granted: BTreeMap<String, u32>,
    /// The last configuration without errors.
    good: Option<Arc<Effective>>,
    /// What the user was told about the configuration, so that he is told once.
    told: Vec<Problem>,
}

impl fmt::Debug for ConfigSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigSource").field("home", &self.home).finish_non_exhaustive()
    }
}

impl ConfigSource {
    /// Makes a source of the home folder (`$KKCODE_HOME` or `~/.kkcode`), what the client gave as
    /// `initializationOptions.config`, which goes over the file, and a way to look up a variable of the environment.
    pub fn new(
        home: PathBuf,
        client: Option<Value>,
        environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let kept = Arc::new(Mutex::new(Kept { options: client, ..Kept::default() }));
        let (http, keyring, tell, untrusted_told) = Default::default();
        Self {
            #[cfg(unix)]
            sandbox: crate::sandbox::Sandbox::new(None, home.clone()),
            home,
            environment: Arc::new(environment),
            http,
            keyring,
            kept,
            tell,
            untrusted_told,
        }
    }

    /// Says which program starts commands within bounds: one that has `sandbox-exec`, see [`crate::sandbox`].
    #[cfg(unix)]
    #[must_use]
    pub fn with_helper(self, helper: Option<PathBuf>) -> Self {
        Self { sandbox: crate::sandbox::Sandbox::new(helper, self.home.clone()), ..self }
    }

    /// Returns the way to the sandbox.
    #[cfg(unix)]
    pub fn sandbox(&self) -> &crate::sandbox::Sandbox {
        &self.sandbox
    }

    /// Says that the user trusts the workspace: its files may instruct the agent, and its configuration counts.
    #[must_use]
    pub fn trusting(self, trusted: bool) -> Self {
        {
            let mut kept = self.kept();
            kept.trusting = trusted;
            kept.folders.iter_mut().for_each(|folder| folder.trusted = trusted);
        }
        self
    }

    /// Looks for keys in a keyring too, where nobody else has one.
    #[must_use]
    pub fn with_keyring(self, keyring: impl Keyring + 'static) -> Self {
        Self { keyring: Some(Arc::new(keyring)), ..self }
    }

    /// Tells whether the user trusts all folders of the workspace.
    pub fn is_trusted(&self) -> bool {
        let kept = self.kept();
        if !kept.folders.is_empty() {
            kept.folders.iter().all(|folder| folder.trusted)
        } else if kept.said.is_empty() {
            kept.trusting
        } else {
            kept.said.values().all(|trusted| *trusted)
        }
    }

    /// Tells whether the user is still to be told that the workspace is not trusted; true once.
    pub(crate) fn tell_untrusted(&self) -> bool {
        !self.untrusted_told.swap(true, Ordering::Relaxed)
    }

    /// Returns how the agent is to work. Blocks.
    pub(crate) fn agent(&self) -> Result<AgentConfig, ProviderError> {
        AgentConfig::read(self.effective()?.get(&["agent"])).map_err(error)
    }

    /// Returns what decisions need to know of the machine.
    pub(crate) fn surroundings(&self) -> Surroundings {
        let variable = |name: &str| (self.environment)(name).filter(|value| !value.is_empty());
        Surroundings {
            home: self.home.clone(),
            user_home: variable("HOME").or_else(|| variable("USERPROFILE")).map(PathBuf::from),
            path: variable("PATH").map(Into::into),
            temporary: variable("TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from),
            copy_of: self.worktree().map(|worktree| worktree.original().to_owned()),
        }
    }

    /// Returns the HTTP clients of the process.
    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// Returns a variable of the environment, if it is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|value| !value.trim().is_empty())
    }

    /// Returns kkcode's home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Says who tells the user what is wrong with the configuration; without that the log does. Only the first counts.
    pub fn on_problem(&self, tell: impl Fn(String) + Send + Sync + 'static) {
        if self.tell.set(Box::new(tell)).is_err() {
            tracing::debug!("the configuration has somebody who tells about it already");
        }
    }

    /// Takes the user's settings in the editor, in place of those before; they go over what it gave at the start.
    pub fn set_settings(&self, settings: Option<Value>) {
        self.kept().settings = settings;
    }

    /// Takes the folders whose project configuration counts. What the user said about one holds, before this and after.
    pub fn set_folders(&self, folders: Vec<PathBuf>) {
        let mut kept = self.kept();
        let trusted = |path: &PathBuf| kept.said.get(path).copied().unwrap_or(kept.trusting);
        let folder = |path| Folder { trusted: trusted(&path), path };
        kept.folders = folders.into_iter().map(folder).collect();
    }

    /// Says whether the user trusts a folder; none is before this.
    pub fn set_trusted(&self, folder: &Path, trusted: bool) {
        let mut kept = self.kept();
        kept.said.insert(folder.to_owned(), trusted);
        for known in kept.folders.iter_mut().filter(|known| known.path == folder) {
            known.trusted = trusted;
        }
    }

    /// Takes a provider's key from the editor's secret storage; it goes before all others. An empty one is forgotten.
    pub fn set_secret(&self, provider: impl Into<String>, key: &str) {
        let provider = provider.into();
        let mut kept = self.kept();
        if key.trim().is_empty() {
            kept.secrets.remove(&provider);
        } else {
            kept.secrets.insert(provider, Key::new(key));
        }
    }

    /// Returns the configuration as it is on the disk now, with all that is wrong with it. Blocks.
    pub fn read(&self) -> Effective {
        let (client, folders) = {
            let kept = self.kept();
            ([kept.options.clone(), kept.settings.clone()], kept.folders.clone())
        };
        Effective::read(&self.home, &client, &folders)
    }

    /// Returns the configuration to go by: what is on the disk now, or the last one without errors. Fails if there never was
    /// one. The user is told once what is wrong. Blocks.
    pub fn effective(&self) -> Result<Arc<Effective>, ProviderError> {
        let read = Arc::new(self.read());
        let mut kept = self.kept();
        let news: Vec<Problem> = read
            .problems()
            .iter()
            .filter(|problem| problem.severity > Severity::Note && !kept.told.contains(problem))
            .cloned()
            .collect();
        kept.told = read.problems().to_vec();
        let errors: Vec<String> = read.errors().map(ToString::to_string).collect();
        let had_one = kept.good.is_some();
        if errors.is_empty() {
            kept.good = Some(Arc::clone(&read));
        }
        let good = kept.good.clone();
        drop(kept);
        if !news.is_empty() && (had_one || errors.is_empty()) {
            let list: Vec<String> = news.iter().map(ToString::to_string).collect();
            let kept_old =
                if errors.is_empty() { "" } else { "\nthe configuration from before stays in force" };
            self.tell(format!("kkcode: {}{kept_old}", list.join("\n")));
        }
        good.ok_or_else(|| error(errors.join("\n")))
    }

    /// Reads the configuration again because it may have changed, so that the user hears at once what is wrong with it. Blocks.
    pub fn look_again(&self) {
        if let Err(error) = self.effective() {
            self.tell(format!("kkcode: {error}"));
        }
    }

    /// Says since when this process works on a task, whose budget counts from then; none if it works on none.
    pub(crate) fn set_task(&self, since: Option<Timestamp>) {
        self.kept().task = since;
    }

    /// Returns since when this process works on a task.
    pub(crate) fn task_since(&self) -> Option<Timestamp> {
        self.kept().task
    }

    /// Says within which bounds this process works, when an agent has given it its task.
    pub(crate) fn set_delegate(&self, delegate: Option<Delegate>) {
        self.kept().delegate = delegate.map(Arc::new);
    }

    /// Returns the bounds within which this process works; none if no agent has set it to work.
    pub(crate) fn delegate(&self) -> Option<Arc<Delegate>> {
        self.kept().delegate.clone()
    }

    /// Says that this process works in a worktree.
    pub(crate) fn set_worktree(&self, worktree: Worktree) {
        self.kept().worktree = Some(Arc::new(worktree));
    }

    /// Returns the worktree that this process works in; none if it works on the user's files.
    pub(crate) fn worktree(&self) -> Option<Arc<Worktree>> {
        self.kept().worktree.clone()
    }

    /// Notes that the user lets somebody go on beyond a budget: it counts once more from now on.
    pub(crate) fn grant(&self, whose: &str) {
        *self.kept().granted.entry(whose.to_owned()).or_default() += 1;
    }

    /// Returns how often the user has let somebody go on.
    pub(crate) fn grants(&self, whose: &str) -> u32 {
        self.kept().granted.get(whose).copied().unwrap_or_default()
    }

    /// Returns the names of the variables of the environment in which the keys of known providers are, those that are set.
    pub fn keys_in_environment(&self) -> Vec<(&'static str, &'static str)> {
        provider::keys_in(&*self.environment)
    }

    /// Returns a running Ollama; none if there is none on this machine. Blocks; where nobody listens for less than a second.
    pub fn running_ollama(&self) -> Option<Ollama> {
        let address = ollama::address((self.environment)("OLLAMA_HOST").as_deref());
        let find = |address| {
            Some(Ollama { base_url: format!("http://{address}"), models: ollama::models(address)? })
        };
        let found = address.and_then(find);
        self.kept().ollama = Some((Instant::now(), found.clone()));
        found
    }

    /// Returns the configuration to go by and, if it names no provider, what can be found without: one whose key is there, or
    /// a running Ollama.
    fn with_found(&self, look: Look) -> Result<Arc<Effective>, ProviderError> {
        let effective = self.effective()?;
        if selection::names(&effective).next().is_some() {
            return Ok(effective);
        }
        let has_secret = |name: &str| {
            self.kept().secrets.contains_key(name) || self.in_keyring(name, &effective).is_some()
        };
        let found = provider::found(&*self.environment, &has_secret).or_else(|| {
            let known =
                self.kept().ollama.clone().filter(|(at, _)| look == Look::Lately && at.elapsed() < LATELY);
            let Ollama { base_url, models } =
                known.map_or_else(|| self.running_ollama(), |(_, found)| found)?;
            Some(("ollama".to_owned(), json!({"type": "ollama", "base_url": base_url, "models": models})))
        });
        let Some((name, provider)) = found else { return Ok(effective) };
        let mut effective = Effective::clone(&effective);
        effective.add_found(&name, &provider);
        Ok(Arc::new(effective))
    }

    fn tell(&self, message: String) {
        if let Some(tell) = self.tell.get() {
            tell(message);
        } else {
            tracing::warn!("{message}");
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
