//! Finds out whether an Ollama is running on this machine, and which models it has.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde::Deserialize;

/// Whoever listens on this machine is reached at once, or not at all.
const REACHED: Duration = Duration::from_millis(300);

/// How long one who was reached may take to answer, on a machine that has much to do.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where Ollama listens if nobody says otherwise.
const PORT: u16 = 11434;

/// How much of the answer is read, in bytes.
const LONGEST_ANSWER: u64 = 1024 * 1024;

#[derive(Deserialize)]
struct Tags {
    models: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
}

/// Returns where an Ollama is on this machine, if `OLLAMA_HOST` has this value; none if that is elsewhere.
pub(super) fn address(host: Option<&str>) -> Option<SocketAddr> {
    let host = host.unwrap_or_default().trim();
    let host = host.strip_prefix("http://").unwrap_or(host).trim_end_matches('/');
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !name.ends_with(':') => (name, port.parse().ok()?),
        _ => (host, PORT),
    };
    let address = match name {
        "" | "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        name => name.trim_start_matches('[').trim_end_matches(']').parse().ok()?,
    };
    // A server that listens everywhere listens here too.
    let address = if address.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address };
    address.is_loopback().then_some(SocketAddr::new(address, port))
}

/// Returns the models that an Ollama at this address has, the newest first; none if there is no Ollama. Where nobody
/// listens it blocks for less than a second.
pub(super) fn models(address: SocketAddr) -> Option<Vec<String>> {
    let mut stream = TcpStream::connect_timeout(&address, REACHED).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    // With version 1.0 the answer ends with the connection. In one piece: who answers after the first would reset it.
    let question = format!("GET /api/tags HTTP/1.0\r\nhost: {address}\r\n\r\n");
    stream.write_all(question.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8(answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    if !head.lines().next()?.contains(" 200") {
        return None;
    }
    let tags: Tags = serde_json::from_str(body).ok()?;
    Some(tags.models.into_iter().map(|tag| tag.name).collect())
}
