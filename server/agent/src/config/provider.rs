//! From the entry of one provider in the configuration to a provider that can be asked.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kkcode_provider::endpoint::{Endpoint, Key, Limits};
use kkcode_provider::http::Http;
use kkcode_provider::remote::Remote;
use kkcode_provider::retry::{Candidate, Policy};
use kkcode_provider::scripted::Scripted;
use kkcode_provider::stream::{ErrorClass, ProviderError};
use kkcode_provider::wire::{self, Format, Settings};
use serde::Deserialize;
use serde_json::{Map, Value};

/// What is known of a provider without being told.
struct Known {
    name: &'static str,
    base_url: &'static str,
    key: &'static str,
    model: &'static str,
}

/// Providers whose name, or whose type, says where they are. The first whose key is in the environment is asked when nothing
/// is configured.
const KNOWN: [Known; 5] = [
    Known {
        name: "anthropic",
        base_url: "https://api.anthropic.com/v1",
        key: "ANTHROPIC_API_KEY",
        model: "claude-sonnet-5",
    },
    Known {
        name: "openai",
        base_url: "https://api.openai.com/v1",
        key: "OPENAI_API_KEY",
        model: "gpt-6.1-sol",
    },
    Known {
        name: "deepseek",
        base_url: "https://api.deepseek.com/v1",
        key: "DEEPSEEK_API_KEY",
        model: "deepseek-flash",
    },
    Known {
        name: "gemini",
        base_url: "https://generativelanguage.googleapis.com/v1beta/openai",
        key: "GEMINI_API_KEY",
        model: "gemini-3.8-flash",
    },
    Known {
        name: "openrouter",
        base_url: "https://openrouter.ai/api/v1",
        key: "OPENROUTER_API_KEY",
        model: "anthropic/claude-sonnet-5",
    },
];

/// Where Ollama is if nobody says otherwise.
pub(super) const OLLAMA: &str = "http://127.0.0.1:11434";

/// The longest wait for Ollama, which may have to load the model first.
const OLLAMA_TIMEOUT: Duration = Duration::from_mins(5);

/// The tokens of a thought where the configuration only says that there are thoughts.
const THINKING_BUDGET: u32 = 10_000;

/// The entry of a provider. Members that are not known say nothing, as in all of kkcode's configuration.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ProviderConfig {
    #[serde(rename = "type")]
    kind: String,
    protocol: Option<String>,
    base_url: Option<String>,
    api_key: Option<String>,
    api_key_env: Option<String>,
    pub(super) default_model: Option<String>,
    #[serde(default)]
    pub(super) models: Vec<String>,
    max_tokens: Option<u32>,
    pub(super) context_limit: Option<u32>,
    retry_attempts: Option<u32>,
    retry_base_delay_ms: Option<u64>,
    timeout_ms: Option<u64>,
    stream_idle_timeout_ms: Option<u64>,
    stream: Option<bool>,
    images: Option<bool>,
    thinking: Option<Thinking>,
    thinking_effort: Option<String>,
    reasoning_effort: Option<String>,
    #[serde(default)]
    headers: Map<String, Value>,
    script: Option<PathBuf>,
    record: Option<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
struct Thinking {
    #[serde(rename = "type", default)]
    kind: String,
    budget_tokens: Option<u32>,
}

/// What a provider is built with.
pub(super) struct Surroundings<'a> {
    pub(super) home: &'a Path,
    pub(super) http: &'a Http,
    pub(super) environment: &'a dyn Fn(&str) -> Option<String>,
    /// The key that the editor gave for this provider.
    pub(super) secret: Option<Key>,
    /// Asks the keyring for the key of this provider.
    pub(super) keyring: &'a dyn Fn() -> Option<Key>,
}

/// Returns the name and the entry of the first known provider whose key is in the environment, or was given by the editor.
pub(super) fn found(
    environment: &dyn Fn(&str) -> Option<String>,
    has_secret: &dyn Fn(&str) -> bool,
) -> Option<(String, Value)> {
    let has_key = |known: &&Known| {
        environment(known.key).is_some_and(|key| !key.trim().is_empty()) || has_secret(known.name)
    };
    let known = KNOWN.iter().find(has_key)?;
    let kind = if matches!(known.name, "anthropic" | "openai") { known.name } else { "openai-compatible" };
    Some((known.name.to_owned(), serde_json::json!({"type": kind, "default_model": known.model})))
}

/// Returns the known providers whose keys are in the environment, with the variables' names.
pub(super) fn keys_in(environment: &dyn Fn(&str) -> Option<String>) -> Vec<(&'static str, &'static str)> {
    let has_key = |known: &&Known| environment(known.key).is_some_and(|key| !key.trim().is_empty());
    KNOWN.iter().filter(has_key).map(|known| (known.name, known.key)).collect()
}

/// Returns the names of the known providers.
pub(super) fn known_names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|known| known.name)
}

/// Returns the variables in which the keys of known providers are.
pub(super) fn key_variables() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|known| known.key)
}

/// Returns the names of the variables in which keys are looked for, for the user.
pub(super) fn key_names() -> String {
    KNOWN.map(|known| known.key).join(", ")
}

impl ProviderConfig {
    /// Tells whether the user has named a model for this provider.
    pub(super) fn has(&self, model: &str) -> bool {
        self.default_model.as_deref() == Some(model) || self.models.iter().any(|known| known == model)
    }

    /// Returns the provider for one of its models. Connects to nothing.
    pub(super) fn build(
        &self,
        name: &str,
        model: String,
        with: &Surroundings<'_>,
    ) -> Result<Candidate, ProviderError> {
        if self.kind == "scripted" {
            let script = self.script.as_ref().ok_or_else(|| {
                error(format!("provider `{name}` is of type `scripted` and needs `script: PATH`"))
            })?;
            let policy = Policy { retries: 0, ..Policy::default() };
            return Ok(Candidate {
                provider: Arc::new(Scripted::new(with.home.join(script))),
                model,
                sees: self.sees(),
                policy,
            });
        }
        if model.is_empty() {
            return Err(error(format!("provider `{name}` needs `default_model`, or ask for `{name}/MODEL`")));
        }
        let mut endpoint = Endpoint::new(name, self.format(name)?, &self.base_url(name)?)?;
        endpoint.limits = self.limits();
        endpoint.settings = self.settings();
        for (header, value) in &self.headers {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            endpoint = endpoint.with_header(header, &value)?;
        }
        if let Some((key, from)) = self.key(name, with)? {
            endpoint = endpoint.with_key(key, &from);
        }
        let mut remote = Remote::new(endpoint, with.http.clone());
        if let Some(folder) = &self.record {
            remote = remote.recording_into(with.home.join(folder));
        }
        let mut policy = Policy::default();
        policy.retries = self.retry_attempts.unwrap_or(policy.retries);
        policy.base = self.retry_base_delay_ms.map_or(policy.base, Duration::from_millis);
        Ok(Candidate { provider: Arc::new(remote), model, sees: self.sees(), policy })
    }

    /// Tells whether the provider needs a key that is nowhere.
    pub(super) fn lacks_key(&self, name: &str, with: &Surroundings<'_>) -> bool {
        self.kind != "scripted" && self.key(name, with).is_err()
    }

    /// Tells whether its models take pictures, as far as the user has not said that they do not.
    pub(super) fn sees(&self) -> bool {
        self.images.unwrap_or(true)
    }

    /// Returns what is known of this provider, by its name and then by its type.
    fn known(&self, name: &str) -> Option<&'static Known> {
        let by = |name: &str| KNOWN.iter().find(|known| known.name == name);
        by(name).filter(|_| self.kind != "ollama").or_else(|| by(&self.kind))
    }

    fn base_url(&self, name: &str) -> Result<String, ProviderError> {
        if let Some(base_url) = &self.base_url {
            return Ok(base_url.clone());
        }
        if self.kind == "ollama" {
            return Ok(OLLAMA.to_owned());
        }
        let known = self.known(name).ok_or_else(|| error(format!("provider `{name}` needs `base_url`")))?;
        Ok(known.base_url.to_owned())
    }

    fn format(&self, name: &str) -> Result<Format, ProviderError> {
        // Users of kkcode reach compatible servers with type `openai` and another address.
        let is_openai = self.kind == "openai"
            && self.base_url.as_deref().is_none_or(|url| url.starts_with("https://api.openai.com"));
        let chat = if is_openai { Format::OpenaiChat } else { Format::CompatibleChat };
        let protocol = match self.protocol.as_deref() {
            Some("chat" | "openai" | "chat_completions") => Some(chat),
            Some("responses") => Some(Format::OpenaiResponses),
            Some("anthropic" | "messages") => Some(Format::Anthropic),
            Some("ollama") => Some(Format::Ollama),
            None => None,
            Some(other) => {
                return Err(error(format!(
                    "provider `{name}` has `protocol: {other}`; there are chat, responses, messages and ollama"
                )));
            }
        };
        match (self.kind.as_str(), protocol) {
            ("anthropic", _) => Ok(Format::Anthropic),
            ("ollama", _) => Ok(Format::Ollama),
            ("openai" | "openai-compatible" | "gateway", Some(format)) => Ok(format),
            ("openai", None) => Ok(if is_openai { Format::OpenaiResponses } else { chat }),
            ("openai-compatible", None) => Ok(chat),
            ("gateway", None) => {
                Err(error(format!("provider `{name}` is of type `gateway` and needs `protocol`")))
            }
            (kind, _) => Err(error(format!(
                "provider `{name}` is of type `{kind}`; there are anthropic, openai, openai-compatible, ollama, gateway \
                 and scripted"
            ))),
        }
    }

    /// Returns the key and where it came from; none for a provider that needs none.
    fn key(&self, name: &str, with: &Surroundings<'_>) -> Result<Option<(Key, String)>, ProviderError> {
        if let Some(key) = &with.secret {
            return Ok(Some((key.clone(), "the editor's secret storage".to_owned())));
        }
        if let Some(key) = self.api_key.as_deref().filter(|key| !key.trim().is_empty()) {
            return Ok(Some((Key::new(key), "`api_key` in the configuration".to_owned())));
        }
        let of_known = self.known(name).filter(|_| self.base_url.is_none() && self.kind != "ollama");
        let variable = self.api_key_env.as_deref().or(of_known.map(|known| known.key));
        // Empty is kkcode's way to say that there is no key.
        if variable == Some("") || self.kind == "ollama" && variable.is_none() {
            return Ok(None);
        }
        let in_environment =
            variable.and_then(|name| (with.environment)(name).filter(|key| !key.trim().is_empty()));
        if let (Some(key), Some(variable)) = (in_environment, variable) {
            return Ok(Some((Key::new(&key), variable.to_owned())));
        }
        match ((with.keyring)(), variable) {
            (Some(key), _) => Ok(Some((key, "the keyring of the operating system".to_owned()))),
            (None, None) => Ok(None),
            (None, Some(variable)) => Err(error(format!(
                "provider `{name}` has no key: {variable} is not set in the environment, and the keyring has none \
                 (`kkcode-lsp config key set {name}` keeps one there)"
            ))),
        }
    }

    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        if self.kind == "ollama" {
            (limits.headers, limits.idle) = (OLLAMA_TIMEOUT, OLLAMA_TIMEOUT);
        }
        limits.headers = self.timeout_ms.map_or(limits.headers, Duration::from_millis);
        limits.idle = self.stream_idle_timeout_ms.map_or(limits.idle, Duration::from_millis);
        limits.silent = limits.silent.max(limits.idle);
        limits
    }

    fn settings(&self) -> Settings {
        let thinking =
            self.thinking.as_ref().map(|thinking| match (thinking.kind.as_str(), thinking.budget_tokens) {
                ("disabled", _) => wire::Thinking::Off,
                ("adaptive", _) => wire::Thinking::Adaptive,
                (_, Some(budget)) => wire::Thinking::Budget(budget),
                (_, None) => wire::Thinking::Budget(THINKING_BUDGET),
            });
        Settings {
            max_tokens: self.max_tokens,
            context_limit: self.context_limit,
            thinking,
            effort: self.reasoning_effort.clone().or_else(|| self.thinking_effort.clone()),
            whole: self.stream == Some(false),
        }
    }
}

pub(super) fn error(message: impl Into<String>) -> ProviderError {
    ProviderError::new(ErrorClass::Configuration, message)
}
