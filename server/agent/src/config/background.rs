//! What a background task's worker is given of the configuration, and how many run at the same time.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use kkcode_provider::endpoint::Key;
use kkcode_provider::stream::ProviderError;
use kkcode_store::Limits;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ConfigSource, Look, provider, selection};

/// How many tasks run at the same time if nothing else is said.
const MAX_PARALLEL: usize = 4;

/// How many days a task that has ended is kept if nothing else is said.
const KEEP_DAYS: u64 = 30;

/// More days than anybody counts: about 2,700 years.
const MOST_DAYS: u64 = 1_000_000;

/// What no file holds and a worker needs: it goes through a pipe, once, and is never written down.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct HandOver {
    /// What the editor gave as the user's configuration.
    options: Option<Value>,
    settings: Option<Value>,
    /// Keys of providers.
    secrets: BTreeMap<String, String>,
}

impl ConfigSource {
    /// Returns what a worker is given.
    pub(crate) fn hand_over(&self) -> HandOver {
        let kept = self.kept();
        let secrets = kept.secrets.iter();
        HandOver {
            options: kept.options.clone(),
            settings: kept.settings.clone(),
            secrets: secrets.map(|(name, key)| (name.clone(), key.expose().to_owned())).collect(),
        }
    }

    /// Makes the source of a worker.
    pub(crate) fn handed_over(
        home: PathBuf,
        given: HandOver,
        variables: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let source = Self::new(home, given.options, variables);
        {
            let mut kept = source.kept();
            kept.settings = given.settings;
            kept.secrets = given.secrets.iter().map(|(name, key)| (name.clone(), Key::new(key))).collect();
        }
        source
    }

    /// Returns how many tasks run at the same time: `background.max_parallel` and `background.max_parallel_per_group`, at least
    /// 1 each. Blocks.
    pub(crate) fn task_limits(&self) -> Limits {
        let number = |name: &str| {
            let number = self.effective().ok()?.get(&["background", name])?.as_u64()?;
            usize::try_from(number).ok().map(|number| number.max(1))
        };
        let max_parallel = number("max_parallel").unwrap_or(MAX_PARALLEL);
        Limits { max_parallel, max_per_group: number("max_parallel_per_group").unwrap_or(max_parallel) }
    }

    /// Returns how long an attempt of a task may work if nothing else is said, in milliseconds: `background.worker_timeout_ms`.
    /// Blocks.
    pub(crate) fn task_timeout_ms(&self) -> Option<u64> {
        self.effective().ok()?.get(&["background", "worker_timeout_ms"])?.as_u64()
    }

    /// Returns how long a task that has ended is kept: `background.keep_days`, none for 0, which is until somebody removes it.
    /// Blocks.
    pub(crate) fn task_retention(&self) -> Option<Duration> {
        // What cannot be read may say that everything is to be kept.
        let effective = self.effective().ok()?;
        let days = effective.get(&["background", "keep_days"]).map_or(Some(KEEP_DAYS), Value::as_u64)?;
        (days > 0).then(|| Duration::from_hours(days.min(MOST_DAYS) * 24))
    }

    /// Returns the provider of a model, if it needs a key that is neither here nor in a file nor in the environment. Blocks.
    pub(crate) fn missing_key(&self, wanted: Option<&str>) -> Result<Option<String>, ProviderError> {
        let effective = self.with_found(Look::Lately)?;
        let selected = self.kept().selected.clone();
        let wanted = selection::wanted(&effective, wanted, selected, &self.home)?;
        let Some(first) = wanted.first() else { return Ok(None) };
        let name = first.split_once('/').map_or(first.as_str(), |(name, _)| name);
        Ok(self.lacks_key_of(name)?.then(|| name.to_owned()))
    }

    /// Tells whether a provider needs a key that is nowhere. Blocks.
    pub(crate) fn lacks_key_of(&self, name: &str) -> Result<bool, ProviderError> {
        let effective = self.with_found(Look::Lately)?;
        let secret = self.kept().secrets.get(name).cloned();
        let with = provider::Surroundings {
            home: &self.home,
            http: &self.http,
            environment: &*self.environment,
            secret,
            keyring: &|| self.in_keyring(name, &effective),
        };
        Ok(selection::provider(&effective, name)?.lacks_key(name, &with))
    }
}
