//! Where a provider is and how it is asked; what cannot be asked safely is refused here.

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::stream::{ErrorClass, ProviderError};
use crate::wire::{Format, Settings};

/// What is shorter may stand in any text by chance, in bytes.
const LEAST_KEY: usize = 8;

/// A key for a provider. It has no way out but the header of a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// Takes a key. White space around it is no part of it.
    pub fn new(key: &str) -> Self {
        Self(key.trim().to_owned())
    }

    /// Tells whether the key is in a text. What is too short to be a key is in none.
    pub fn is_in(&self, text: &str) -> bool {
        self.0.len() >= LEAST_KEY && text.contains(&self.0)
    }

    /// Returns the key in clear, for a process of ours that asks in the user's name too.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns a text without the key: some servers put it into their error messages.
    pub fn remove_from(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "[key]") }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([key])")
    }
}

/// How long is waited for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the request to the headers of the answer, connecting included.
    pub headers: Duration,
    /// Between two pieces of the body.
    pub idle: Duration,
    /// Between two events; pings are none.
    pub silent: Duration,
    /// From the request to the end of the answer.
    pub total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            headers: Duration::from_mins(2),
            idle: Duration::from_mins(2),
            silent: Duration::from_mins(5),
            total: Duration::from_hours(1),
        }
    }
}

/// Where a provider is, and all that its requests have in common.
#[derive(Clone, Debug)]
pub struct Endpoint {
    name: String,
    format: Format,
    url: Url,
    key: Option<Key>,
    key_from: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// How long is waited for what.
    pub limits: Limits,
    /// What the user has set for all requests.
    pub settings: Settings,
}

impl Endpoint {
    /// Makes an endpoint of the provider's name in the configuration, its format and its base address.
    ///
    /// Refuses whatever is not encrypted and leaves this machine.
    pub fn new(name: &str, format: Format, base_url: &str) -> Result<Self, ProviderError> {
        let refuse = |why: &str| configuration(name, &format!("`base_url` is {base_url}, {why}"));
        let mut url =
            Url::parse(base_url).map_err(|error| refuse(&format!("which is no address: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            // The address is not repeated: it has a secret in it.
            return Err(configuration(name, "`base_url` has a user or a password in it; use `api_key_env`"));
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => {
                return Err(refuse(
                    "which is not encrypted; only https is, or a server on this machine (127.0.0.1, [::1], localhost)",
                ));
            }
            _ => return Err(refuse("which is no http address")),
        }
        let path = format!("{}{}", url.path().trim_end_matches('/'), format.path());
        url.set_path(&path);
        Ok(Self {
            name: name.to_owned(),
            format,
            url,
            key: None,
            key_from: None,
            headers: Vec::new(),
            limits: Limits::default(),
            settings: Settings::default(),
        })
    }

    /// Sets the key, and where it came from, for messages.
    #[must_use]
    pub fn with_key(self, key: Key, from: &str) -> Self {
        Self { key: Some(key), key_from: Some(from.to_owned()), ..self }
    }

    /// Adds a header of the user's own.
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, ProviderError> {
        let refuse = || configuration(&self.name, &format!("the header `{name}` cannot be sent"));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| refuse())?;
        value.set_sensitive(true);
        self.headers.push((header, value));
        Ok(self)
    }

    /// Returns the provider's name in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the wire format.
    pub fn format(&self) -> Format {
        self.format
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// Tells whether requests go to this machine, unencrypted.
    pub(crate) fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Returns all headers of a request.
    pub(crate) fn headers(&self) -> Result<HeaderMap, ProviderError> {
        let mut headers = HeaderMap::new();
        let accept =
            if self.settings.whole { "application/json" } else { "text/event-stream, application/x-ndjson" };
        headers.insert("accept", HeaderValue::from_static(accept));
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        if self.format == Format::Anthropic {
            headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
        }
        if let Some(Key(key)) = &self.key {
            let (name, value) = match self.format {
                Format::Anthropic => ("x-api-key", key.clone()),
                _ => ("authorization", format!("Bearer {key}")),
            };
            let mut value = HeaderValue::from_str(&value).map_err(|_| {
                let from = self.key_from.as_deref().unwrap_or("the configuration");
                configuration(&self.name, &format!("the key from {from} has characters that no key has"))
            })?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        Ok(headers)
    }

    /// Returns the error as the user reads it: who failed, why, and what to do. The key is taken out of it.
    pub(crate) fn explain(&self, mut error: ProviderError) -> ProviderError {
        let hint = match (error.class, &self.key_from) {
            (ErrorClass::Auth, Some(from)) => format!("; the key came from {from}"),
            (ErrorClass::Auth, None) => "; there is no key for it, set `api_key_env`".to_owned(),
            _ => String::new(),
        };
        let message = match &self.key {
            Some(key) => key.remove_from(&error.message),
            None => error.message,
        };
        error.message = format!("{}: {message}{hint}", self.name);
        error
    }
}

/// Returns an error of the configuration of one provider.
pub(crate) fn configuration(name: &str, what: &str) -> ProviderError {
    ProviderError::new(ErrorClass::Configuration, format!("provider `{name}`: {what}"))
}

/// Tells whether an address is on this machine, whatever a name server says.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || literal.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
