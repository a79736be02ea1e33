//! The user's configuration: which providers there are, and which model is asked.

mod agent;
mod ollama;
mod provider;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kkcode_provider::endpoint::Key;
use kkcode_provider::http::Http;
use kkcode_provider::retry::{Candidate, Patient};
use kkcode_provider::stream::{Provider, ProviderError};
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(crate) use agent::AgentConfig;
use provider::{ProviderConfig, Surroundings, error};

/// The names of a configuration file, in the order in which they are looked for; the first that exists is read.
const FILES: [&str; 6] = [
    "config.yaml",
    "config.yml",
    "config.json",
    "kkcode.config.yaml",
    "kkcode.config.yml",
    "kkcode.config.json",
];

/// What a model is for: `models.<role>` names one, or a list of which the next is asked when one cannot answer.
const ROLES: [&str; 3] = ["main", "fast", "subagent"];

/// Looks up a variable of the environment.
type Environment = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where the user's configuration comes from, and what is kept between two readings of it. Clones share keys and connections.
#[derive(Clone)]
pub struct ConfigSource {
    pub(crate) home: PathBuf,
    client: Option<Value>,
    environment: Arc<Environment>,
    /// Keys from the editor, by the provider's name; in memory only.
    secrets: Arc<Mutex<BTreeMap<String, Key>>>,
    http: Http,
    /// Whether the user trusts the workspace, and whether the user was told what follows if not.
    trusted: bool,
    untrusted_told: Arc<AtomicBool>,
}

impl fmt::Debug for ConfigSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigSource").field("home", &self.home).finish_non_exhaustive()
    }
}

/// A model that can be asked.
#[derive(Clone)]
pub(crate) struct Model {
    /// Who is asked.
    pub(crate) provider: Arc<dyn Provider>,
    /// The model's own id.
    pub(crate) id: String,
    /// How many tokens conversation and answer may have together.
    pub(crate) context: u64,
}

/// The configuration as it was read once.
struct Config {
    providers: Map<String, Value>,
    models: Map<String, Value>,
    agent: Option<Value>,
}

impl ConfigSource {
    /// Makes a source of the home folder (`$KKCODE_HOME` or `~/.kkcode`), what the client gave as
    /// `initializationOptions.config`, which goes over the file, and a way to look up a variable of the environment.
    pub fn new(
        home: PathBuf,
        client: Option<Value>,
        environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let environment = Arc::new(environment);
        Self {
            home,
            client,
            environment,
            secrets: Arc::default(),
            http: Http::default(),
            trusted: false,
            untrusted_told: Arc::default(),
        }
    }

    /// Says that the user trusts the workspace: its files may instruct the agent.
    #[must_use]
    pub fn trusting(self, trusted: bool) -> Self {
        Self { trusted, ..self }
    }

    /// Tells whether the user trusts the workspace.
    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// Tells whether the user is still to be told that the workspace is not trusted; true once.
    pub(crate) fn tell_untrusted(&self) -> bool {
        !self.untrusted_told.swap(true, Ordering::Relaxed)
    }

    /// Takes a provider's key from the editor's secret storage; it goes before all others. An empty one is forgotten.
    pub fn set_secret(&self, provider: &str, key: &str) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if key.trim().is_empty() {
            secrets.remove(provider);
        } else {
            secrets.insert(provider.to_owned(), Key::new(key));
        }
    }

    /// Returns all models that the configuration names, as `provider/model`, those of the default provider first.
    /// Reads the configuration anew.
    pub fn models(&self) -> Result<Vec<String>, ProviderError> {
        let config = self.read()?;
        let default = config.default_provider(&self.home).ok();
        let mut names: Vec<&String> = config.names().collect();
        names.sort_by_key(|name| Some(*name) != default.as_ref());
        let mut models = Vec::new();
        for name in names {
            let provider = config.provider(name)?;
            for model in provider.default_model.iter().chain(&provider.models) {
                let model = format!("{name}/{model}");
                if !models.contains(&model) {
                    models.push(model);
                }
            }
        }
        Ok(models)
    }

    /// Returns the model called `provider/model`, or that of a role, or the configured default. Reads the configuration
    /// anew, and looks for an Ollama if there is none; so it blocks.
    pub(crate) fn model(&self, wanted: Option<&str>) -> Result<Model, ProviderError> {
        let config = self.read()?;
        let mut candidates = Vec::new();
        let mut context = u64::MAX;
        for wanted in config.wanted(wanted, &self.home)? {
            context = context.min(config.context(&wanted));
            candidates.push(self.candidate(&config, &wanted)?);
        }
        let first = candidates.first().ok_or_else(|| error("`models.main` names no model"))?;
        let id = first.model.clone();
        Ok(Model { provider: Arc::new(Patient::new(candidates)), id, context })
    }

    /// Returns how the agent is to work. Reads the configuration anew.
    pub(crate) fn agent(&self) -> Result<AgentConfig, ProviderError> {
        AgentConfig::read(self.read()?.agent.as_ref()).map_err(error)
    }

    fn candidate(&self, config: &Config, wanted: &str) -> Result<Candidate, ProviderError> {
        let (name, model) = match wanted.split_once('/') {
            Some((name, model)) => (name, Some(model.to_owned())),
            None => (wanted, None),
        };
        let provider = config.provider(name)?;
        let default = provider.default_model.as_ref().or(provider.models.first()).cloned();
        let secret = self.secrets.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let surroundings =
            Surroundings { home: &self.home, http: &self.http, environment: &*self.environment, secret };
        provider.build(name, model.or(default).unwrap_or_default(), &surroundings)
    }

    /// Returns the file's configuration with the client's over it; if it names no provider, what can be found without.
    fn read(&self) -> Result<Config, ProviderError> {
        let mut value = match FILES.iter().map(|name| self.home.join(name)).find(|path| path.exists()) {
            Some(path) => parse(&path).map_err(error)?,
            None => Value::Object(Map::new()),
        };
        if let Some(client) = &self.client {
            merge(&mut value, client);
        }
        let section = |name: &str| value.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let mut config = Config {
            providers: section("provider"),
            models: section("models"),
            agent: value.get("agent").cloned(),
        };
        if config.names().next().is_none()
            && let Some((name, found)) = self.found()
        {
            config.providers.insert(name, found);
        }
        Ok(config)
    }

    /// Returns what can be asked without any configuration: a provider whose key is there, or a running Ollama.
    fn found(&self) -> Option<(String, Value)> {
        provider::found(&*self.environment).or_else(|| {
            let address = ollama::address((self.environment)("OLLAMA_HOST").as_deref())?;
            let models = ollama::models(address)?;
            let base_url = format!("http://{address}");
            Some(("ollama".to_owned(), json!({"type": "ollama", "base_url": base_url, "models": models})))
        })
    }
}

impl Config {
    /// Returns the names of the providers. What is no mapping is a setting for all of them.
    fn names(&self) -> impl Iterator<Item = &String> {
        self.providers.iter().filter(|(_, provider)| provider.is_object()).map(|(name, _)| name)
    }

    fn provider(&self, name: &str) -> Result<ProviderConfig, ProviderError> {
        let Some(provider) = self.providers.get(name).filter(|provider| provider.is_object()) else {
            let known: Vec<&str> = self.names().map(String::as_str).collect();
            return Err(error(format!(
                "there is no provider `{name}` in the configuration; there are: {}",
                known.join(", ")
            )));
        };
        ProviderConfig::deserialize(provider)
            .map_err(|e| error(format!("provider `{name}` in the configuration is not right: {e}")))
    }

    /// Returns how many tokens a model can hold: as configured, else what is known of models of its name.
    fn context(&self, wanted: &str) -> u64 {
        let (name, model) = wanted.split_once('/').unwrap_or((wanted, ""));
        let provider = self.provider(name).ok();
        let configured = provider.as_ref().and_then(|provider| provider.context_limit);
        let default = provider.and_then(|provider| provider.default_model).unwrap_or_default();
        let model = if model.is_empty() { default.as_str() } else { model };
        configured.map_or_else(|| agent::known_context(model), u64::from)
    }

    /// Returns the names of the models that are to be asked, one after the other, each as `provider/model` or `provider`.
    fn wanted(&self, wanted: Option<&str>, home: &Path) -> Result<Vec<String>, ProviderError> {
        match wanted {
            Some(role) if ROLES.contains(&role) && !self.providers.contains_key(role) => {
                self.role(role, home)
            }
            Some(wanted) => Ok(vec![wanted.to_owned()]),
            None => self.role("main", home),
        }
    }

    /// Returns what a role names; what has no model of its own is done by the main one.
    fn role(&self, role: &str, home: &Path) -> Result<Vec<String>, ProviderError> {
        match self.models.get(role).or_else(|| self.models.get("main")) {
            None | Some(Value::Null) => Ok(vec![self.default_provider(home)?]),
            Some(Value::String(name)) => Ok(vec![name.clone()]),
            Some(other) => Vec::deserialize(other)
                .map_err(|_| error(format!("`models.{role}` is neither a model nor a list of models"))),
        }
    }

    fn default_provider(&self, home: &Path) -> Result<String, ProviderError> {
        if let Some(name) = self.providers.get("default").and_then(Value::as_str) {
            return Ok(name.to_owned());
        }
        let mut names = self.names();
        match (names.next(), names.next()) {
            (Some(name), None) => Ok(name.clone()),
            (None, _) => Err(error(format!(
                "no model is configured; name a provider in {}, see \"Providers\" in protocol/README.md,\n\
                 or set one of {} in the environment, or start Ollama",
                home.join("config.yaml").display(),
                provider::key_names(),
            ))),
            (Some(_), Some(_)) => {
                Err(error("several providers are configured; say which with `provider.default`"))
            }
        }
    }
}

fn parse(path: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    // JSON is YAML. An empty file says nothing.
    let value: Value =
        serde_saphyr::from_str(&text).map_err(|error| format!("{} is not right: {error}", path.display()))?;
    match value {
        Value::Null => Ok(Value::Object(Map::new())),
        Value::Object(_) => Ok(value),
        _ => Err(format!("{} is not right: it must be a mapping", path.display())),
    }
}

/// Puts one value over another: mappings key by key, anything else whole; null leaves what is there.
fn merge(config: &mut Value, over: &Value) {
    match (config, over) {
        (_, Value::Null) => {}
        (Value::Object(config), Value::Object(over)) => {
            for (key, value) in over {
                merge(config.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (config, over) => *config = over.clone(),
    }
}

#[cfg(test)]
mod tests;
