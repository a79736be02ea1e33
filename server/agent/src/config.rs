//! The user's configuration: which providers there are, and which model is asked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kkcode_provider::scripted::Scripted;
use kkcode_provider::stream::{ErrorClass, Provider, ProviderError};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The names of a configuration file, in the order in which they are looked for; the first that exists is read.
const FILES: [&str; 6] = [
    "config.yaml",
    "config.yml",
    "config.json",
    "kkcode.config.yaml",
    "kkcode.config.yml",
    "kkcode.config.json",
];

/// Where the user's configuration comes from.
#[derive(Clone, Debug)]
pub struct ConfigSource {
    /// The home folder, `$KKCODE_HOME` or `~/.kkcode`.
    pub home: PathBuf,
    /// What the client gave as `initializationOptions.config`; it goes over the file.
    pub client: Option<Value>,
}

/// A model that can be asked.
#[derive(Clone)]
pub(crate) struct Model {
    /// Who is asked.
    pub(crate) provider: Arc<dyn Provider>,
    /// The model's own id.
    pub(crate) id: String,
}

#[derive(Debug, Deserialize)]
struct ProviderConfig {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    script: Option<PathBuf>,
    #[serde(default)]
    default_model: Option<String>,
}

impl ConfigSource {
    /// Returns the model called `provider/model`, or the configured default. Reads the configuration anew.
    pub(crate) fn model(&self, wanted: Option<&str>) -> Result<Model, ProviderError> {
        let error = |message: String| ProviderError::new(ErrorClass::Configuration, message);
        let config = self.read().map_err(error)?;
        let empty = Map::new();
        let providers = config.get("provider").and_then(Value::as_object).unwrap_or(&empty);
        let named = |name: &str| providers.get(name).filter(|provider| provider.is_object());
        let (name, model) = match wanted {
            Some(wanted) => match wanted.split_once('/') {
                Some((name, model)) => (name.to_owned(), Some(model.to_owned())),
                None => (wanted.to_owned(), None),
            },
            None => (self.default_provider(providers).map_err(error)?, None),
        };
        let Some(provider) = named(&name) else {
            let known: Vec<&str> =
                providers.keys().map(String::as_str).filter(|name| named(name).is_some()).collect();
            return Err(error(format!(
                "there is no provider `{name}` in the configuration; there are: {}",
                known.join(", ")
            )));
        };
        let provider = ProviderConfig::deserialize(provider)
            .map_err(|e| error(format!("provider `{name}` in the configuration is not right: {e}")))?;
        let id = model.or_else(|| provider.default_model.clone()).unwrap_or_default();
        Ok(Model { provider: self.provider(&name, provider)?, id })
    }

    fn provider(&self, name: &str, config: ProviderConfig) -> Result<Arc<dyn Provider>, ProviderError> {
        let error = |message: String| ProviderError::new(ErrorClass::Configuration, message);
        match config.kind.as_str() {
            "scripted" => {
                let script = config.script.ok_or_else(|| {
                    error(format!("provider `{name}` is of type `scripted` and needs `script: PATH`"))
                })?;
                Ok(Arc::new(Scripted::new(self.home.join(script))))
            }
            kind => Err(error(format!(
                "provider `{name}` is of type `{kind}`, which this version does not speak yet; it speaks `scripted`"
            ))),
        }
    }

    fn default_provider(&self, providers: &Map<String, Value>) -> Result<String, String> {
        if let Some(name) = providers.get("default").and_then(Value::as_str) {
            return Ok(name.to_owned());
        }
        let mut names = providers.iter().filter(|(_, provider)| provider.is_object()).map(|(name, _)| name);
        match (names.next(), names.next()) {
            (Some(name), None) => Ok(name.clone()),
            (None, _) => Err(format!(
                "no model is configured; name a provider in {}, see \"Providers in the configuration\" in protocol/README.md",
                self.home.join("config.yaml").display()
            )),
            (Some(_), Some(_)) => {
                Err("several providers are configured; say which with `provider.default`".to_owned())
            }
        }
    }

    /// Returns the file's configuration with the client's over it.
    fn read(&self) -> Result<Value, String> {
        let mut config = match FILES.iter().map(|name| self.home.join(name)).find(|path| path.exists()) {
            Some(path) => parse(&path)?,
            None => Value::Object(Map::new()),
        };
        if let Some(client) = &self.client {
            merge(&mut config, client);
        }
        Ok(config)
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
