//! One guarded way to fetch: the address that is connected to is the address that was judged, at every step of the way.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kkcode_provider::http;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HeaderMap;
use reqwest::{Client, Response, redirect};

use super::address::{self, Allowed};
use super::target::Target;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a fetch may take in all.
const TOTAL: Duration = Duration::from_secs(30);

/// The most bytes of an answer, unpacked.
const MOST: usize = 5 * 1024 * 1024;

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// What is asked for; what comes is judged by what it is.
const ACCEPT: &str =
    "text/html, text/markdown, text/plain, application/json, application/xml;q=0.9, text/*;q=0.8";

/// Asks name servers for the addresses of a name.
type Lookup = dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync;

/// Fetches from the network.
#[derive(Clone)]
pub(crate) struct Web {
    allowed: Allowed,
    lookup: Arc<Lookup>,
    total: Duration,
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// An answer.
    Body {
        /// Where it came from at last.
        from: String,
        /// Its type, as the server says it; empty if it does not.
        kind: String,
        /// Its bytes, all of them.
        bytes: Vec<u8>,
    },
    /// It is at another server, for which the user was not asked.
    Elsewhere(String),
}

impl Web {
    /// Makes a way to the addresses that are allowed. No proxy is used: it would ask the name servers itself.
    pub(crate) fn new(allowed: Allowed) -> Self {
        let lookup = |name: String| {
            async move {
                let found = tokio::net::lookup_host((name, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            }
            .boxed()
        };
        Self { allowed, lookup: Arc::new(lookup), total: TOTAL }
    }

    /// Fetches what is at an address.
    pub(crate) async fn fetch(&self, target: Target) -> Result<Page, String> {
        let host = target.host().to_owned();
        let fetched = tokio::time::timeout(self.total, self.follow(target)).await;
        let late = || format!("{host} did not answer within {} s", self.total.as_secs_f64());
        fetched.unwrap_or_else(|_| Err(late()))
    }

    async fn follow(&self, mut target: Target) -> Result<Page, String> {
        let client = self.client().await?;
        for _ in 0..=REDIRECTS {
            let request = client.get(target.url().clone()).header("accept", ACCEPT);
            let response = request.send().await.map_err(|error| unreachable(&target, error))?;
            let status = response.status();
            if let Some(location) = location(&response) {
                let to = target.redirect(&location, self.allowed)?;
                if !to.is_same_server(&target) {
                    return Ok(Page::Elsewhere(to.to_string()));
                }
                target = to;
                continue;
            }
            if !status.is_success() {
                return Err(format!("{target} answered {status}"));
            }
            let kind = kind(response.headers());
            let bytes = body(response).await.map_err(|why| format!("{target}: {why}"))?;
            return Ok(Page::Body { from: target.to_string(), kind, bytes });
        }
        Err(format!("{target} is the end of {REDIRECTS} redirects, and redirects again"))
    }

    async fn client(&self) -> Result<Client, String> {
        let resolver = Arc::new(Guard { allowed: self.allowed, lookup: self.lookup.clone() });
        // Reading the roots of TLS takes milliseconds.
        let made = tokio::task::spawn_blocking(move || {
            http::install_tls();
            let agent = concat!("kkcode-lsp/", env!("CARGO_PKG_VERSION"));
            let builder = Client::builder().user_agent(agent).connect_timeout(CONNECT);
            builder.redirect(redirect::Policy::none()).no_proxy().dns_resolver(resolver).build()
        });
        let made = made.await.map_err(|error| error.to_string())?;
        made.map_err(|error| format!("no HTTP client can be made: {}", http::chain(&error)))
    }
}

/// Resolves names, and gives back only addresses that may be connected to.
struct Guard {
    allowed: Allowed,
    lookup: Arc<Lookup>,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (allowed, lookup) = (self.allowed, self.lookup.clone());
        async move {
            let found = lookup(name.as_str().to_owned()).await?;
            // One address that is refused among others is an attempt: which of them is connected to would be chance.
            if let Some(why) = found.iter().find_map(|address| address::refuse(*address, allowed)) {
                return Err(Box::from(format!("{}: {why}", name.as_str())) as Box<dyn Error + Send + Sync>);
            }
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        }
        .boxed()
    }
}

/// Returns where an answer sends us, if it does.
fn location(response: &Response) -> Option<String> {
    let to = response.headers().get("location").filter(|_| response.status().is_redirection())?;
    Some(String::from_utf8_lossy(to.as_bytes()).into_owned())
}

fn kind(headers: &HeaderMap) -> String {
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok());
    kind.unwrap_or_default().to_owned()
}

/// Reads an answer up to the limit, counted unpacked.
async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    if let Some(encoding) =
        response.headers().get("content-encoding").filter(|encoding| *encoding != "identity")
    {
        return Err(format!("the answer is packed as {encoding:?}, which was not asked for"));
    }
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(piece)) if bytes.len() + piece.len() > MOST => {
                return Err(format!("the answer is larger than {} MiB", MOST / 1024 / 1024));
            }
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            Ok(None) => return Ok(bytes),
            Err(error) => return Err(format!("the answer broke off: {}", http::chain(&error.without_url()))),
        }
    }
}

fn unreachable(target: &Target, error: reqwest::Error) -> String {
    let why = http::chain(&error.without_url());
    format!("{} cannot be reached without a proxy: {why}", target.host())
}

#[cfg(test)]
mod tests;
