//! The way to the client: the only writer, and the requests we ask it.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::oneshot;
use tower_lsp::jsonrpc::Response;

/// Above this many queued bytes no further request is taken from the client.
const PAUSE_ABOVE: usize = 16 * 1024 * 1024;

/// Below this many queued bytes requests are taken again.
const RESUME_BELOW: usize = PAUSE_ABOVE / 2;

/// Above this many queued bytes a plain notification is dropped: the client has not read for a long time.
const DROP_ABOVE: usize = 2 * PAUSE_ABOVE;

/// How much is handed to the pipe at once; what waits behind it can still be replaced.
const BATCH: usize = 64 * 1024;

/// Why a request to the client has no result.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum RequestError {
    /// The client did not answer in time.
    #[error("the client did not answer in time")]
    Timeout,
    /// The client answered with an error.
    #[error("the client refused: {message} ({code})")]
    Refused {
        /// The JSON-RPC error code.
        code: i64,
        /// The client's own words.
        message: String,
    },
    /// The connection is at its end.
    #[error("the connection to the client is closed")]
    Closed,
}

/// A handle to the client; clones share one queue and one pipe.
///
/// Nothing here waits for the client but [`Client::request`]: messages are queued, in the order of the calls, and one thread
/// writes them. What a client does not read is bounded: beyond 16 MiB the connection takes no further requests, beyond 32
/// MiB plain notifications are dropped, a [`Client::notify_latest`] replaces its predecessor and a request of ours is taken
/// back when its time is over. So only answers to requests that are already running can still be added.
///
/// This pause cannot deadlock by itself: writing never depends on reading, so it ends as soon as the client reads. A
/// client that waits with reading until it has written everything stalls itself, and only itself. During the pause the end
/// of the input is not noticed; the end of the output, of the client's process, and signals are.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    shared: Arc<Shared>,
}

/// The other end of a [`Client`]: what it queued, for one thread to write.
#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    outbox: Mutex<Outbox>,
    /// There is something to write, or nothing more will come. Only the writer waits for it.
    queued: Condvar,
    /// The queue is short again, or closed. Only the reader waits for it.
    drained: Condvar,
    waiting: Mutex<HashMap<String, oneshot::Sender<Result<Value, RequestError>>>>,
    last_request: AtomicU64,
}

#[derive(Debug, Default)]
struct Outbox {
    messages: BTreeMap<u64, Message>,
    /// Where the message of a key stands that is not yet written.
    latest: HashMap<String, u64>,
    last: u64,
    bytes: usize,
    /// Set while notifications are being dropped, so that it is logged once.
    dropping: bool,
    closed: bool,
}

#[derive(Debug)]
struct Message {
    key: Option<String>,
    /// Boxed, for the encoder leaves up to twice the space that it needs.
    body: Box<[u8]>,
}

impl Message {
    /// Returns about how much memory the message takes in the queue, in bytes.
    fn size(&self) -> usize {
        self.body.len() + 128
    }
}

impl Client {
    /// Returns a client whose messages wait for the writer.
    pub(crate) fn new() -> (Self, Writer) {
        let shared = Arc::<Shared>::default();
        (Self { shared: Arc::clone(&shared) }, Writer { shared })
    }

    /// Queues a notification.
    pub(crate) fn notify(&self, method: &str, params: impl Serialize) {
        if let Some(body) = encode(method, json!({"jsonrpc": "2.0", "method": method}), params) {
            self.shared.push_unless_flooded(method, Message { key: None, body });
        }
    }

    /// Queues a notification in place of the last one with the same key, if that is not yet written.
    ///
    /// It takes its place at the end, so that it never overtakes what was queued before it.
    pub(crate) fn notify_latest(&self, key: impl Into<String>, method: &str, params: impl Serialize) {
        if let Some(body) = encode(method, json!({"jsonrpc": "2.0", "method": method}), params) {
            self.shared.push(Message { key: Some(key.into()), body });
        }
    }

    /// Queues a request at once and returns what the client answers.
    ///
    /// If the answer is not there after `timeout`, or the future is dropped, the request is withdrawn: taken out of the
    /// queue, or cancelled by `$/cancelRequest`. No handler of a client's request may wait for it; spawn a task.
    pub(crate) fn request(
        &self,
        method: &str,
        params: impl Serialize,
        timeout: Duration,
    ) -> BoxFuture<'static, Result<Value, RequestError>> {
        let id = format!("kk{}", self.shared.last_request.fetch_add(1, Ordering::Relaxed) + 1);
        let (sender, answer) = oneshot::channel();
        lock(&self.shared.waiting).insert(id.clone(), sender);
        let body = encode(method, json!({"jsonrpc": "2.0", "id": id, "method": method}), params);
        let position = body.and_then(|body| self.shared.push(Message { key: None, body }));
        if position.is_none() {
            // Nobody will answer; without the sender the request is closed.
            lock(&self.shared.waiting).remove(&id);
        }
        let withdraw = Withdraw { shared: Arc::clone(&self.shared), id, position };
        Box::pin(async move {
            // Named, so that it is moved in whole and lives as long as the future.
            let _withdraw = withdraw;
            match tokio::time::timeout(timeout, answer).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => Err(RequestError::Closed),
                Err(_) => Err(RequestError::Timeout),
            }
        })
    }

    /// Queues the answer to a request of the client.
    pub(crate) fn answer(&self, response: &Response) {
        match serde_json::to_vec(response) {
            Ok(body) => drop(self.shared.push(Message { key: None, body: body.into() })),
            Err(error) => tracing::error!(%error, "cannot encode an answer"),
        }
    }

    /// Hands over what the client answered; an id that is not, or no longer, waited for is logged.
    pub(crate) fn settle(&self, id: &Value, outcome: Result<Value, RequestError>) {
        let sender = id.as_str().and_then(|id| lock(&self.shared.waiting).remove(id));
        if sender.is_none_or(|sender| sender.send(outcome).is_err()) {
            tracing::warn!(%id, "answer to a request that is not open");
        }
    }

    /// Blocks the reading thread while the client has too much to read.
    pub(crate) fn wait_until_drained(&self) {
        let mut outbox = lock(&self.shared.outbox);
        if outbox.bytes > PAUSE_ABOVE {
            tracing::warn!("the client does not read its messages; no requests are taken until it does");
            while !outbox.is_short() {
                outbox = self.shared.drained.wait(outbox).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Ends all open requests with [`RequestError::Closed`] and lets the writer end once everything is written.
    pub(crate) fn close(&self) {
        lock(&self.shared.outbox).closed = true;
        lock(&self.shared.waiting).clear();
        self.shared.queued.notify_all();
        self.shared.drained.notify_all();
    }
}

impl Writer {
    /// Writes all that is queued, until the client is closed or the pipe breaks.
    pub(crate) fn run(self, mut output: impl Write) -> io::Result<()> {
        while let Some(batch) = self.shared.next_batch() {
            output.write_all(&batch)?;
            output.flush()?;
        }
        Ok(())
    }
}

impl Shared {
    /// Returns where the message stands, or `None` if the connection is closed.
    fn push(&self, message: Message) -> Option<u64> {
        let position = lock(&self.outbox).push(message);
        self.queued.notify_all();
        position
    }

    fn push_unless_flooded(&self, method: &str, message: Message) {
        let mut outbox = lock(&self.outbox);
        let flooded = outbox.bytes > DROP_ABOVE;
        if flooded && !outbox.dropping {
            tracing::error!(method, "the client does not read its messages; notifications are dropped");
        }
        outbox.dropping = flooded;
        if !flooded {
            outbox.push(message);
            self.queued.notify_all();
        }
    }

    /// Waits for messages and takes some; `None` once the client is closed and everything is written.
    fn next_batch(&self) -> Option<Vec<u8>> {
        let mut outbox = lock(&self.outbox);
        while outbox.messages.is_empty() && !outbox.closed {
            outbox = self.queued.wait(outbox).unwrap_or_else(PoisonError::into_inner);
        }
        let mut batch = Vec::new();
        while batch.len() < BATCH
            && let Some(message) = outbox.pop()
        {
            batch.extend_from_slice(format!("Content-Length: {}\r\n\r\n", message.body.len()).as_bytes());
            batch.extend_from_slice(&message.body);
        }
        if outbox.is_short() {
            self.drained.notify_all();
        }
        Some(batch).filter(|batch| !batch.is_empty())
    }
}

impl Outbox {
    fn push(&mut self, message: Message) -> Option<u64> {
        if self.closed {
            return None;
        }
        self.last += 1;
        if let Some(key) = &message.key
            && let Some(previous) = self.latest.insert(key.clone(), self.last)
        {
            self.remove(previous);
        }
        self.bytes += message.size();
        self.messages.insert(self.last, message);
        Some(self.last)
    }

    fn pop(&mut self) -> Option<Message> {
        let (_, message) = self.messages.pop_first()?;
        self.bytes -= message.size();
        if let Some(key) = &message.key {
            self.latest.remove(key);
        }
        Some(message)
    }

    fn remove(&mut self, position: u64) -> bool {
        let message = self.messages.remove(&position);
        self.bytes -= message.as_ref().map_or(0, Message::size);
        message.is_some()
    }

    fn is_short(&self) -> bool {
        self.bytes < RESUME_BELOW || self.closed
    }
}

/// Withdraws a request that is still open when its future ends.
struct Withdraw {
    shared: Arc<Shared>,
    id: String,
    position: Option<u64>,
}

impl Drop for Withdraw {
    fn drop(&mut self) {
        let open = lock(&self.shared.waiting).remove(&self.id).is_some();
        let Some(position) = self.position.filter(|_| open) else { return };
        if !lock(&self.shared.outbox).remove(position) {
            let method = "$/cancelRequest";
            Client { shared: Arc::clone(&self.shared) }.notify(method, json!({"id": self.id}));
        }
    }
}

/// Returns the message `head` with `params`, which are left out when they are null, or logs why there is none.
fn encode(method: &str, mut head: Value, params: impl Serialize) -> Option<Box<[u8]>> {
    let encoded = serde_json::to_value(params).and_then(|mut params| {
        if let Some(Value::String(message)) =
            params.get_mut("message").filter(|_| method.starts_with(MESSAGE))
        {
            *message = message.replace("](", "] (");
        }
        if let Some(head) = head.as_object_mut().filter(|_| !params.is_null()) {
            head.insert("params".to_owned(), params);
        }
        serde_json::to_vec(&head)
    });
    encoded.map(Vec::into).map_err(|error| tracing::error!(method, %error, "cannot encode a message")).ok()
}

/// How the methods begin that show a text of ours to the user. Some editors make links of Markdown's in it, and such a link may
/// run a command: parts of the text are somebody else's.
const MESSAGE: &str = "window/showMessage";

/// Locks even after a panic: every critical section here leaves its data whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
