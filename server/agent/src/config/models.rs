//! The models that can be asked, and the one that is.

use std::sync::Arc;

use kkcode_provider::prices::{Price, Prices};
use kkcode_provider::retry::{Candidate, Patient};
use kkcode_provider::stream::{Provider, ProviderError};
use serde::Deserialize as _;
use serde_json::Value;

use super::effective::Effective;
use super::provider::{Surroundings, error};
use super::{ConfigSource, Look, agent, selection};

/// A model that can be asked.
#[derive(Clone)]
pub(crate) struct Model {
    /// Who is asked.
    pub(crate) provider: Arc<dyn Provider>,
    /// The model's own id.
    pub(crate) id: String,
    /// How many tokens conversation and answer may have together.
    pub(crate) context: u64,
    /// What it is called, takes and costs, and those that are asked when it fails for good, in that order.
    pub(crate) tariffs: Vec<Tariff>,
}

/// What a model takes and costs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tariff {
    /// The model, as `provider/model`.
    pub(crate) model: String,
    /// Whether it takes pictures.
    pub(crate) sees: bool,
    /// None if it is not known.
    pub(crate) price: Option<Price>,
}

/// A model of the configuration, to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelEntry {
    /// Its name, as `provider/model`.
    pub model: String,
    /// Its provider's name in the configuration.
    pub provider: String,
    /// How many tokens it holds, where the configuration says so.
    pub context_tokens: Option<u64>,
    /// Why it cannot be asked, and what to do.
    pub unavailable: Option<String>,
}

impl Model {
    /// Tells whether any of those that may be asked takes pictures.
    pub(crate) fn sees(&self) -> bool {
        self.tariffs.iter().any(|tariff| tariff.sees)
    }
}

impl ConfigSource {
    /// Returns all models that the configuration names, those of the default provider first. Blocks.
    pub fn models(&self) -> Result<Vec<ModelEntry>, ProviderError> {
        let effective = self.with_found(Look::Now)?;
        let default = selection::default_provider(&effective, &self.home).ok();
        let mut names: Vec<&str> = selection::names(&effective).collect();
        names.sort_by_key(|name| Some(*name) != default.as_deref());
        let mut entries: Vec<ModelEntry> = Vec::new();
        for name in names {
            let provider = selection::provider(&effective, name)?;
            for model in provider.default_model.iter().chain(&provider.models) {
                let full = format!("{name}/{model}");
                if entries.iter().any(|entry| entry.model == full) {
                    continue;
                }
                entries.push(ModelEntry {
                    unavailable: self.candidate(&effective, &full).err().map(|error| error.message),
                    context_tokens: selection::context_limit(&effective, name, model).map(u64::from),
                    provider: name.to_owned(),
                    model: full,
                });
            }
        }
        Ok(entries)
    }

    /// Returns the model of the turns to come, as `provider/model`; why there is none if there is none. Blocks.
    pub fn selected(&self) -> Result<String, ProviderError> {
        let effective = self.with_found(Look::Lately)?;
        let selected = self.kept().selected.clone();
        let wanted = selection::wanted(&effective, None, selected, &self.home)?;
        let first = wanted.first().ok_or_else(|| error("`models.main` names no model"))?;
        let (provider, model) = full_name(&effective, first)?;
        Ok(joined(provider, &model))
    }

    /// Selects the model of the turns to come: `provider/model`, a provider, or a model of the default provider. Returns its
    /// full name. Refuses one that cannot be asked. Blocks.
    pub fn select(&self, wanted: &str) -> Result<String, ProviderError> {
        let effective = self.with_found(Look::Now)?;
        let head = wanted.split_once('/').map_or(wanted, |(provider, _)| provider);
        let full = if selection::names(&effective).any(|name| name == head) {
            let (provider, model) = full_name(&effective, wanted)?;
            joined(provider, &model)
        } else if let Ok(default) = selection::default_provider(&effective, &self.home)
            && selection::provider(&effective, &default)?.has(wanted)
        {
            format!("{default}/{wanted}")
        } else {
            // Says which providers there are.
            selection::provider(&effective, head)?;
            wanted.to_owned()
        };
        self.candidate(&effective, &full)?;
        self.kept().selected = Some(full.clone());
        Ok(full)
    }

    /// Returns the model called `provider/model`, or that of a role, or the selected one, or the configured default. Reads the
    /// configuration anew, and looks for an Ollama if there is none; so it blocks.
    pub(crate) fn model(&self, wanted: Option<&str>) -> Result<Model, ProviderError> {
        let effective = self.with_found(Look::Now)?;
        let selected = self.kept().selected.clone();
        let prices = prices(&effective, self)?;
        let mut candidates = Vec::new();
        let mut tariffs = Vec::new();
        let mut context = u64::MAX;
        for wanted in selection::wanted(&effective, wanted, selected, &self.home)? {
            let (provider, model) = full_name(&effective, &wanted)?;
            let limit = selection::context_limit(&effective, provider, &model);
            context = context.min(limit.map_or_else(|| agent::known_context(&model), u64::from));
            let candidate = self.candidate(&effective, &wanted)?;
            let price = prices.of(provider, &model).copied();
            tariffs.push(Tariff { model: joined(provider, &model), sees: candidate.sees, price });
            candidates.push(candidate);
        }
        let first = candidates.first().ok_or_else(|| error("`models.main` names no model"))?;
        let id = first.model.clone();
        Ok(Model { provider: Arc::new(Patient::new(candidates)), id, context, tariffs })
    }

    fn candidate(&self, effective: &Effective, wanted: &str) -> Result<Candidate, ProviderError> {
        let (name, model) = full_name(effective, wanted)?;
        let mut provider = selection::provider(effective, name)?;
        provider.context_limit = selection::context_limit(effective, name, &model);
        let secret = self.kept().secrets.get(name).cloned();
        let surroundings = Surroundings {
            home: &self.home,
            http: &self.http,
            environment: &*self.environment,
            secret,
            keyring: &|| self.in_keyring(name, effective),
        };
        provider.build(name, model, &surroundings)
    }
}

/// Returns a provider's name and the model's own; the provider's default model, or its first, if none is named.
fn full_name<'a>(effective: &Effective, wanted: &'a str) -> Result<(&'a str, String), ProviderError> {
    if let Some((name, model)) = wanted.split_once('/') {
        return Ok((name, model.to_owned()));
    }
    let provider = selection::provider(effective, wanted)?;
    let model = provider.default_model.as_ref().or(provider.models.first()).cloned();
    Ok((wanted, model.unwrap_or_default()))
}

/// Returns the name of a model with its provider's; a scripted provider needs no model.
fn joined(provider: &str, model: &str) -> String {
    if model.is_empty() { provider.to_owned() } else { format!("{provider}/{model}") }
}

/// Returns the prices: the built-in ones, over them the user's file, over that those in the configuration.
fn prices(effective: &Effective, source: &ConfigSource) -> Result<Prices, ProviderError> {
    let mut prices = Prices::built_in();
    if let Some(file) = effective.get(&["usage", "pricing_file"]).and_then(Value::as_str) {
        let path = source.home.join(file);
        let wrong = |why: &dyn std::fmt::Display| error(format!("the prices in {}: {why}", path.display()));
        let text = std::fs::read_to_string(&path).map_err(|e| wrong(&e))?;
        prices = prices.with(serde_saphyr::from_str(&text).map_err(|e| wrong(&e.without_snippet()))?);
    }
    if let Some(own) = effective.get(&["usage", "prices"]) {
        let own = Prices::deserialize(own).map_err(|e| error(format!("`usage.prices` is not right: {e}")))?;
        prices = prices.with(own);
    }
    Ok(prices)
}
