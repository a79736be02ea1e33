//! Where the keys of models are: the names of their variables, and those that are known without it.

use std::collections::BTreeSet;
use std::time::Instant;

use kkcode_provider::endpoint::Key;
use serde_json::Value;

use super::{ConfigSource, Effective, LATELY, provider, selection};

/// What is known of the keyring of the operating system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyringState {
    /// The user wants no keys from there.
    Unused,
    /// It cannot be asked, for this reason.
    Unreachable(String),
    /// It has the keys of these providers.
    Reached(Vec<String>),
}

impl ConfigSource {
    /// Returns the names of all variables of the environment in which keys are: those that the configuration names, with
    /// errors in it or without, and those of the providers that are known without it. Blocks.
    pub(crate) fn key_variables(&self) -> BTreeSet<String> {
        let search =
            self.read().get(&["tool", "websearch", "api_key_env"]).and_then(Value::as_str).map(str::to_owned);
        let named = self.of_providers("api_key_env");
        named.into_iter().chain(search).chain(provider::key_variables().map(str::to_owned)).collect()
    }

    /// Returns all keys that the editor gave, or that stand in the configuration. Blocks.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = self.kept().secrets.values().cloned().collect();
        keys.extend(self.kept().keyring.values().filter_map(|(_, key)| key.clone()));
        keys.extend(self.of_providers("api_key").iter().map(|key| Key::new(key)));
        keys
    }

    /// Takes all keys that are known out of texts: those of the configuration, of the editor and of the environment. Blocks.
    pub(crate) fn hide_keys(&self, texts: &mut [&mut String]) {
        let mut keys = self.keys();
        let named = self.key_variables().into_iter().filter_map(|name| self.variable(&name));
        keys.extend(named.map(|key| Key::new(&key)));
        for text in texts {
            for key in &keys {
                if key.is_in(text) {
                    **text = key.remove_from(text);
                }
            }
        }
    }

    /// Returns a provider's key from the keyring; none where there is no keyring, or the user wants none. What was found
    /// lately is believed. Blocks.
    pub(super) fn in_keyring(&self, provider: &str, effective: &Effective) -> Option<Key> {
        let keyring = self.keyring.as_ref()?;
        if effective.get(&["keyring"]) == Some(&Value::Bool(false)) {
            return None;
        }
        if let Some((at, found)) = self.kept().keyring.get(provider)
            && at.elapsed() < LATELY
        {
            return found.clone();
        }
        let found = keyring.get(provider).unwrap_or_else(|why| {
            tracing::info!(%why, provider, "no key is looked for there");
            None
        });
        self.kept().keyring.insert(provider.to_owned(), (Instant::now(), found.clone()));
        found
    }

    /// Looks into the keyring for the keys of all providers that are configured or well known. Blocks.
    pub fn keyring(&self) -> KeyringState {
        let effective = self.read();
        let Some(keyring) = &self.keyring else { return KeyringState::Unused };
        if effective.get(&["keyring"]) == Some(&Value::Bool(false)) {
            return KeyringState::Unused;
        }
        let mut names: Vec<String> = selection::names(&effective).map(str::to_owned).collect();
        names.extend(provider::known_names().map(str::to_owned));
        names.sort();
        names.dedup();
        let mut found = Vec::new();
        for name in names {
            match keyring.get(&name) {
                Ok(Some(_)) => found.push(name),
                Ok(None) => {}
                Err(why) => return KeyringState::Unreachable(why),
            }
        }
        KeyringState::Reached(found)
    }

    /// Returns what all providers say of something, in the configuration of now and in the last good one.
    fn of_providers(&self, what: &str) -> Vec<String> {
        let good = self.kept().good.clone();
        let of = |effective: &Effective| {
            let providers = effective.get(&["provider"]).and_then(Value::as_object);
            let said =
                providers.into_iter().flatten().filter_map(|(_, provider)| provider.get(what)?.as_str());
            said.map(str::to_owned).collect::<Vec<_>>()
        };
        let mut said = of(&self.read());
        said.extend(good.iter().flat_map(|good| of(good)));
        said
    }
}
