//! Exchanges written down as they were, without secrets, and read back.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::endpoint::{Endpoint, Key};
use crate::wire::Format;

/// The headers that are written down; any other may have a secret in it.
const HARMLESS: [&str; 6] =
    ["content-type", "content-encoding", "transfer-encoding", "retry-after", "request-id", "x-request-id"];

/// One exchange with a server, as it is kept in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// The wire format.
    pub format: Format,
    /// Where the request went.
    pub url: String,
    /// The body of the request.
    pub request: Value,
    /// The status of the answer; none if it was no success, or there was none.
    pub status: Option<u16>,
    /// The harmless headers of the answer.
    pub headers: Vec<(String, String)>,
    /// The body of the answer, unpacked, in the pieces in which it came. Bytes that are no text are lost.
    pub body: Vec<String>,
    /// How it ended: `closed`, `cancelled`, or what went wrong.
    pub end: String,
}

/// Writes one exchange when it has ended; also when nobody waits for it any more.
#[derive(Debug)]
pub(crate) struct Recorder {
    folder: PathBuf,
    key: Option<Key>,
    exchange: Exchange,
    /// The end of a piece that was cut inside a character.
    partial: Vec<u8>,
}

impl Recorder {
    pub(crate) fn new(folder: PathBuf, endpoint: &Endpoint, request: &Value) -> Self {
        let exchange = Exchange {
            format: endpoint.format(),
            url: endpoint.url().to_string(),
            request: request.clone(),
            status: None,
            headers: Vec::new(),
            body: Vec::new(),
            end: "cancelled".to_owned(),
        };
        Self { folder, key: endpoint.key().cloned(), exchange, partial: Vec::new() }
    }

    pub(crate) fn begin(&mut self, status: u16, headers: &HeaderMap) {
        self.exchange.status = Some(status);
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let kept = HARMLESS.iter().filter_map(|name| Some(((*name).to_owned(), text(name)?)));
        self.exchange.headers = kept.collect();
    }

    pub(crate) fn piece(&mut self, bytes: &[u8]) {
        self.partial.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.partial) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.partial.len(),
        };
        let rest = self.partial.split_off(whole);
        let piece = std::mem::replace(&mut self.partial, rest);
        self.exchange.body.push(String::from_utf8_lossy(&piece).into_owned());
    }

    pub(crate) fn end(mut self, end: &str) {
        end.clone_into(&mut self.exchange.end);
    }

    fn write(&self) -> std::io::Result<()> {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        let mut exchange = self.exchange.clone();
        if let Some(key) = &self.key {
            exchange.body = without(key, &exchange.body);
        }
        let text = serde_json::to_string_pretty(&exchange)?;
        let text = self.key.as_ref().map_or_else(|| text.clone(), |key| key.remove_from(&text));
        let mut folder = std::fs::DirBuilder::new();
        folder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        folder.create(&self.folder)?;
        std::fs::write(self.folder.join(format!("{time:013}-{number:06}.json")), text + "\n")
    }
}

/// Removes a key from a text in pieces, also where it lies across their borders: what stands in its place is in the piece in
/// which it began.
fn without(key: &Key, pieces: &[String]) -> Vec<String> {
    let secret = key.expose();
    let joined = pieces.concat();
    let found: Vec<usize> =
        if secret.is_empty() { Vec::new() } else { joined.match_indices(secret).map(|(at, _)| at).collect() };
    let mut found = found.into_iter().peekable();
    // Where the piece begins in all of the text, and how far that was handed on.
    let (mut begin, mut done) = (0, 0);
    let clean = |piece: &String| {
        let end = begin + piece.len();
        let mut clean = String::new();
        while let Some(at) = found.next_if(|at| *at < end) {
            clean.push_str(joined.get(done.max(begin)..at).unwrap_or_default());
            clean.push_str("[key]");
            done = at + secret.len();
        }
        clean.push_str(joined.get(done.max(begin)..end).unwrap_or_default());
        begin = end;
        clean
    };
    pieces.iter().map(clean).collect()
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Err(error) = self.write() {
            tracing::warn!(folder = %self.folder.display(), %error, "an exchange cannot be written down");
        }
    }
}

/// Reads the exchanges of a folder that came to their own end with an answer, oldest first. Errors name the file.
pub fn exchanges(folder: &Path) -> Result<Vec<Exchange>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", folder.display());
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| failed(&error))? {
        paths.push(entry.map_err(|error| failed(&error))?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let read = |path: &PathBuf| -> Result<Exchange, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
        serde_json::from_str(&text).map_err(|error| failed(&error))
    };
    let all: Vec<Exchange> = paths.iter().map(read).collect::<Result<_, _>>()?;
    Ok(all.into_iter().filter(|exchange| exchange.status.is_some() && exchange.end != "cancelled").collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_removed_wherever_pieces_are_cut() {
        let text = "a sk-1 sk-1sk-1 é sk- 1";
        for from in 0..=text.len() {
            for length in 0..=text.len() - from {
                let Some((first, rest)) = text.split_at_checked(from) else { continue };
                let Some((second, third)) = rest.split_at_checked(length) else { continue };
                let pieces = [first, second, third].map(str::to_owned);
                let clean = without(&Key::new("sk-1"), &pieces);
                assert_eq!(clean.concat(), "a [key] [key][key] é sk- 1", "{pieces:?}");
                assert_eq!(clean.len(), 3);
            }
        }
        assert_eq!(without(&Key::new(""), &["a".to_owned()]), ["a"]);
        assert_eq!(
            without(&Key::new("sk-1"), &["x sk".into(), "-".into(), "1 y".into()]),
            ["x [key]", "", " y"]
        );
    }
}
