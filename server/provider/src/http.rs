//! Requests over HTTP: the clients, the waiting, and what a status or a broken connection means.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use jiff::fmt::rfc2822;
use reqwest::header::HeaderMap;
use reqwest::{Client, Response, redirect};
use tokio::time::{Instant, timeout_at};

use crate::endpoint::Endpoint;
use crate::failure;
use crate::stream::{ErrorClass, ProviderError};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How much of the body of a refusal is read, in bytes.
const LONGEST_REFUSAL: usize = 64 * 1024;

/// The HTTP clients of a process. Making them takes milliseconds, most of it for the roots of TLS, so they are made with the
/// first request, and kept, so that connections are used again.
#[derive(Clone, Default)]
pub struct Http {
    clients: Arc<Clients>,
}

#[derive(Default)]
struct Clients {
    /// For this machine, unencrypted and never through a proxy.
    plain: OnceLock<Result<Client, String>>,
    /// For all others.
    encrypted: OnceLock<Result<Client, String>>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

impl Http {
    /// Returns the client for this machine, unencrypted (`is_plain`), or the one for all others, which only speaks TLS.
    pub async fn client(&self, is_plain: bool) -> Result<Client, ProviderError> {
        let clients = Arc::clone(&self.clients);
        let made = tokio::task::spawn_blocking(move || {
            let (cell, make): (_, fn() -> reqwest::Result<Client>) =
                if is_plain { (&clients.plain, plain) } else { (&clients.encrypted, encrypted) };
            cell.get_or_init(|| make().map_err(|error| chain(&error))).clone()
        });
        let made = made.await.map_err(|error| error.to_string()).flatten();
        made.map_err(|error| network(format!("no HTTP client can be made: {error}")))
    }

    /// Sends a request and returns its answer, if that is a success, when its headers have come.
    pub(crate) async fn post(
        &self,
        endpoint: &Endpoint,
        body: Vec<u8>,
        deadline: Instant,
    ) -> Result<Response, ProviderError> {
        let headers = endpoint.headers()?;
        let client = self.client(endpoint.is_plain()).await?;
        let due = (Instant::now() + endpoint.limits.headers).min(deadline);
        let request = client.post(endpoint.url().clone()).headers(headers).body(body).send();
        let response = match timeout_at(due, request).await {
            Err(_) => return Err(network("the server did not begin to answer in time")),
            Ok(Err(error)) => return Err(unreachable(endpoint, error)),
            Ok(Ok(response)) => response,
        };
        if response.status().is_success() {
            check_encoding(response.headers())?;
            return Ok(response);
        }
        let due = (Instant::now() + endpoint.limits.idle).min(deadline);
        Err(refusal(response, due).await)
    }
}

fn builder() -> reqwest::ClientBuilder {
    let agent = concat!("kkcode-lsp/", env!("CARGO_PKG_VERSION"));
    // A redirect would take the key along, or turn the request into another one: the user is told instead.
    Client::builder().user_agent(agent).connect_timeout(CONNECT).redirect(redirect::Policy::none())
}

fn plain() -> reqwest::Result<Client> {
    install_tls();
    let here = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
    builder().no_proxy().tls_certs_only([]).resolve_to_addrs("localhost", &here).build()
}

fn encrypted() -> reqwest::Result<Client> {
    install_tls();
    builder().https_only(true).build()
}

/// Chooses the library that encrypts, for all clients of the process; more than once does no harm.
pub fn install_tls() {
    // An error says that there is one already, which will do.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// Refuses what the client could not unpack; it asks for gzip only.
fn check_encoding(headers: &HeaderMap) -> Result<(), ProviderError> {
    match headers.get("content-encoding").and_then(|value| value.to_str().ok()) {
        None | Some("identity") => Ok(()),
        Some(encoding) => {
            let message = format!("the answer is packed as `{encoding}`, which was not asked for");
            Err(ProviderError::new(ErrorClass::Protocol, message))
        }
    }
}

async fn refusal(mut response: Response, due: Instant) -> ProviderError {
    let status = response.status();
    if status.is_redirection() {
        let to =
            response.headers().get("location").and_then(|value| value.to_str().ok()).unwrap_or("nowhere");
        let message = format!(
            "the server answered {status} and points to {to}; if that is right, set `base_url` to it"
        );
        return ProviderError::new(ErrorClass::Protocol, message);
    }
    let retry_after = retry_after(response.headers(), SystemTime::now());
    let mut body = Vec::new();
    // What can be had of the body is enough.
    while let Ok(Ok(Some(piece))) = timeout_at(due, response.chunk()).await {
        body.extend_from_slice(&piece);
        if body.len() >= LONGEST_REFUSAL {
            break;
        }
    }
    let error = failure::of_status(status.as_u16(), &String::from_utf8_lossy(&body));
    ProviderError { retry_after, ..error }
}

/// Returns how long a server asks to wait: in milliseconds, in seconds, or until a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let duration = |value: f64| Duration::try_from_secs_f64(value).ok();
    if let Some(wait) = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return duration(wait / 1000.0);
    }
    let text = text("retry-after")?;
    if let Ok(seconds) = text.parse::<f64>() {
        return duration(seconds);
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(SystemTime::from(date).duration_since(now).unwrap_or_default())
}

/// Returns the error of a request that got no answer.
fn unreachable(endpoint: &Endpoint, error: reqwest::Error) -> ProviderError {
    let origin = endpoint.url().origin().ascii_serialization();
    let what = if error.is_connect() || error.is_timeout() { "cannot be reached" } else { "did not answer" };
    let error = error.without_url();
    let hint = if endpoint.is_plain() { "; is the server running?" } else { "" };
    network(format!("{origin} {what} ({}){hint}", chain(&error)))
}

/// How a body that came in part ended.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The connection was closed before the end that HTTP announces.
    Closed,
    /// Something else.
    Failed(ProviderError),
}

/// Returns what a broken body means.
pub(crate) fn broken(error: reqwest::Error) -> Broken {
    // With gzip on, a lost connection is a decoding error too.
    let is_lost = sources(&error).any(|source| source.to_string().contains("from connection"));
    if error.is_decode() && !is_lost && !is_closed(&error) {
        let message = format!("the answer cannot be unpacked: {}", chain(&error.without_url()));
        return Broken::Failed(ProviderError::new(ErrorClass::Protocol, message));
    }
    if is_closed(&error) {
        return Broken::Closed;
    }
    Broken::Failed(network(format!("the connection broke: {}", chain(&error.without_url()))))
}

/// Tells whether the connection was closed in an orderly way, only too soon.
fn is_closed(error: &reqwest::Error) -> bool {
    sources(error).any(|source| {
        let early = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
        let text = source.to_string();
        source.downcast_ref().is_some_and(early)
            || text.contains("end of file before message length")
            || text.contains("connection closed before message completed")
            || text.contains("unexpected EOF")
    })
}

pub(crate) fn network(message: impl Into<String>) -> ProviderError {
    ProviderError::new(ErrorClass::Network, message)
}

fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// Returns an error with what caused it, the most telling last.
pub fn chain(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    for source in sources(error) {
        let text = source.to_string();
        // Some errors repeat their cause.
        if !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

#[cfg(test)]
mod tests;
