//! Which models the configuration means: by name, by role, or by default.

use std::path::Path;

use kkcode_provider::stream::ProviderError;
use serde::Deserialize as _;
use serde_json::Value;

use super::effective::Effective;
use super::provider::{self, ProviderConfig, error};

/// What a model is for: `models.<role>` names one, or a list of which the next is asked when one cannot answer.
const ROLES: [&str; 3] = ["main", "fast", "subagent"];

/// Returns the names of the providers. What is no mapping is a setting for all of them.
pub(super) fn names(effective: &Effective) -> impl Iterator<Item = &str> {
    let providers = effective.get(&["provider"]).and_then(Value::as_object);
    providers.into_iter().flatten().filter_map(|(name, provider)| {
        (provider.is_object() && name != "model_context").then_some(name.as_str())
    })
}

pub(super) fn provider(effective: &Effective, name: &str) -> Result<ProviderConfig, ProviderError> {
    if !names(effective).any(|known| known == name) {
        let known: Vec<&str> = names(effective).collect();
        return Err(error(format!(
            "there is no provider `{name}` in the configuration; there are: {}",
            known.join(", ")
        )));
    }
    let provider = effective.get(&["provider", name]).unwrap_or(&Value::Null);
    ProviderConfig::deserialize(provider)
        .map_err(|e| error(format!("provider `{name}` in the configuration is not right: {e}")))
}

/// Returns the names of the models that are to be asked, one after the other, each as `provider/model` or `provider`.
pub(super) fn wanted(
    effective: &Effective,
    wanted: Option<&str>,
    selected: Option<String>,
    home: &Path,
) -> Result<Vec<String>, ProviderError> {
    match (wanted, selected) {
        (Some(name), _) if ROLES.contains(&name) && effective.get(&["provider", name]).is_none() => {
            role(effective, name, home)
        }
        (Some(name), _) => Ok(vec![name.to_owned()]),
        (None, Some(selected)) => Ok(vec![selected]),
        (None, None) => role(effective, "main", home),
    }
}

/// Returns what a role names; what has no model of its own is done by the main one.
fn role(effective: &Effective, role: &str, home: &Path) -> Result<Vec<String>, ProviderError> {
    let named = effective.get(&["models", role]).or_else(|| effective.get(&["models", "main"]));
    match named {
        None => Ok(vec![default_provider(effective, home)?]),
        Some(Value::String(name)) => Ok(vec![name.clone()]),
        Some(other) => Vec::deserialize(other)
            .map_err(|_| error(format!("`models.{role}` is neither a model nor a list of models"))),
    }
}

pub(super) fn default_provider(effective: &Effective, home: &Path) -> Result<String, ProviderError> {
    if let Some(name) = effective.get(&["provider", "default"]).and_then(Value::as_str) {
        return Ok(name.to_owned());
    }
    let mut names = names(effective);
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name.to_owned()),
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

/// Returns how many tokens a model holds where the configuration says so: by its name, by the longest beginning of it, or
/// for all models of its provider.
pub(super) fn context_limit(effective: &Effective, provider: &str, model: &str) -> Option<u32> {
    let of_models = effective.get(&["provider", "model_context"]).and_then(Value::as_object);
    let longest = of_models
        .into_iter()
        .flatten()
        .filter(|(name, _)| model.starts_with(name.as_str()))
        .max_by_key(|(name, _)| name.len())
        .map(|(_, limit)| limit);
    let limit = longest.or_else(|| effective.get(&["provider", provider, "context_limit"]));
    limit.and_then(Value::as_u64).and_then(|limit| u32::try_from(limit).ok())
}
