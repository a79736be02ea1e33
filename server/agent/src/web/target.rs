//! An address to fetch from, as it is written: what cannot be meant well, or not be understood by all in one way, is refused.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use super::address::{self, Allowed};

/// Names of this machine and of the networks around it, which no public name server has; the user can allow them.
const PRIVATE_NAMES: [&str; 6] = ["localhost", "local", "internal", "lan", "home.arpa", "localdomain"];

/// Names under which clouds hand out keys.
const METADATA_NAMES: [&str; 4] =
    ["metadata", "metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"];

/// The longest address, in bytes.
const LONGEST: usize = 8 * 1024;

/// An address that may be fetched, as far as its own letters say. What its name resolves to is judged when it is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target(Url);

impl Target {
    /// Reads an address. Refuses all but http and https, secrets in it, special addresses, and numbers that are not written as
    /// everybody reads them.
    pub(crate) fn parse(text: &str, allowed: Allowed) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(format!("the address has {} bytes; at most {LONGEST} are taken", text.len()));
        }
        let refuse = |why: &str| Err(format!("`{}` is not fetched: {why}", text.escape_debug()));
        if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
            return refuse("it has white space, a control character or a backslash in it; write them as %XX");
        }
        let url = match Url::parse(text) {
            Ok(url) => url,
            Err(error) => return refuse(&format!("{error}")),
        };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("only http and https are");
        }
        // Others read `http:/server` and `http:///server` otherwise.
        let behind = text.get(url.scheme().len()..).unwrap_or_default();
        if behind.strip_prefix("://").is_none_or(|host| host.is_empty() || host.starts_with('/')) {
            return refuse("write it as https://example.com/ is written");
        }
        if !url.username().is_empty() || url.password().is_some() {
            // Not repeated: there is a secret in it.
            return Err("the address has a user or a password in it; leave them out".to_owned());
        }
        let Some(host) = url.host_str() else { return refuse("it names no server") };
        let host = host.to_owned();
        match literal(&host) {
            Some(address) => {
                let written = written_host(text);
                if address.is_ipv4() && written != host {
                    return refuse("write the server's number as four decimal numbers, or use its name");
                }
                match address::refuse(address, allowed) {
                    Some(why) => refuse(&why),
                    None => Ok(Self(url)),
                }
            }
            None => match refuse_name(&host, allowed) {
                Some(why) => refuse(why),
                None => Ok(Self(url)),
            },
        }
    }

    /// Returns where a redirect from here leads. Refuses whatever [`Self::parse`] refuses, and giving up encryption.
    pub(super) fn redirect(&self, location: &str, allowed: Allowed) -> Result<Self, String> {
        let refuse = |why: String| format!("{self} redirects, and that is not followed: {why}");
        let to = self.0.join(location).map_err(|error| refuse(error.to_string()))?;
        let to = Self::parse(to.as_str(), allowed).map_err(refuse)?;
        if self.0.scheme() == "https" && to.0.scheme() != "https" {
            return Err(refuse(format!("{to} is not encrypted")));
        }
        Ok(to)
    }

    /// Tells whether both are at the same server.
    pub(super) fn is_same_server(&self, other: &Self) -> bool {
        self.host().eq_ignore_ascii_case(other.host())
    }

    /// Returns the name of the server.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Returns the address that a host is, if it is no name.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Returns the host as it was written, before numbers in it were made plain.
fn written_host(text: &str) -> &str {
    let behind = text.split_once("//").map_or(text, |(_, rest)| rest);
    let authority = behind.split(['/', '?', '#']).next().unwrap_or_default();
    authority.split(':').next().unwrap_or_default()
}

/// Returns why a name is not asked for; none if it may be.
fn refuse_name(host: &str, allowed: Allowed) -> Option<&'static str> {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let is_below = |domain: &str| {
        name.strip_suffix(domain).is_some_and(|front| front.is_empty() || front.ends_with('.'))
    };
    if name.is_empty() {
        return Some("it names no server");
    }
    if METADATA_NAMES.iter().any(|known| is_below(known)) {
        return Some("clouds hand out keys there");
    }
    if allowed == Allowed::Public && PRIVATE_NAMES.iter().any(|known| is_below(known)) {
        return Some("it is this machine or on a private network");
    }
    None
}

#[cfg(test)]
mod tests;
