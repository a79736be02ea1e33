//! A model behind HTTP: one request, and the stream of its answer.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use crate::endpoint::Endpoint;
use crate::failure;
use crate::http::{Broken, Http, broken, network};
use crate::reader::{Events, Reader};
use crate::record::Recorder;
use crate::request::Request;
use crate::stream::{Provider, ProviderError, StreamEvent};

/// How much of the body is read before its events are handed on, in bytes. A fast connection gives some hundred thousand at
/// once; the events of so many would be written to memory and read back.
const PART: usize = 16 * 1024;

/// A model behind HTTP.
#[derive(Clone, Debug)]
pub struct Remote {
    endpoint: Arc<Endpoint>,
    http: Http,
    record: Option<std::path::PathBuf>,
}

impl Remote {
    /// Makes a provider that asks this endpoint. Nothing is connected before the first request.
    pub fn new(endpoint: Endpoint, http: Http) -> Self {
        Self { endpoint: Arc::new(endpoint), http, record: None }
    }

    /// Writes every exchange into this folder, without secrets.
    #[must_use]
    pub fn recording_into(self, folder: std::path::PathBuf) -> Self {
        Self { record: Some(folder), ..self }
    }

    /// Sends a request, a second time without the thoughts in it if they are what the server refuses.
    async fn open(self, request: Request) -> Result<Body, ProviderError> {
        match self.send(&request).await {
            Err(error) if failure::is_about_thoughts(&error) => match request.without_sealed_thoughts() {
                Some(plain) => {
                    tracing::info!(%error, "the request is sent again without thoughts");
                    self.send(&plain).await
                }
                None => Err(error),
            },
            sent => sent,
        }
    }

    async fn send(&self, request: &Request) -> Result<Body, ProviderError> {
        let Self { endpoint, http, record } = self.clone();
        let started = Instant::now();
        let deadline = started + endpoint.limits.total;
        let encoded = endpoint.format().encode(request, &endpoint.settings);
        let mut recorder = record.map(|folder| Recorder::new(folder, &endpoint, &encoded));
        let reader = Reader::new(endpoint.format(), request);
        match http.post(&endpoint, encoded.to_string().into_bytes(), deadline).await {
            Ok(response) => {
                if let Some(recorder) = &mut recorder {
                    recorder.begin(response.status().as_u16(), response.headers());
                }
                Ok(Body {
                    endpoint,
                    response: Some(response),
                    reader,
                    unread: Bytes::new(),
                    deadline,
                    spoken: Instant::now(),
                    recorder,
                })
            }
            Err(error) => {
                let error = endpoint.explain(error);
                if let Some(recorder) = recorder {
                    recorder.end(&error.message);
                }
                Err(error)
            }
        }
    }
}

impl Provider for Remote {
    fn stream(&self, request: Request) -> BoxStream<'static, Result<StreamEvent, ProviderError>> {
        stream::once(self.clone().open(request))
            .map_ok(|body| {
                // Handed on by pieces of the body: what is done for each event alone is next to nothing.
                let next = |mut body: Box<Body>| async { Some((stream::iter(body.next().await?), body)) };
                stream::unfold(Box::new(body), next).flatten()
            })
            .try_flatten()
            .boxed()
    }
}

/// An answer that is being read. Dropping it closes the connection.
struct Body {
    endpoint: Arc<Endpoint>,
    /// None when nothing more will be read.
    response: Option<Response>,
    reader: Reader,
    /// What has come and is not read yet.
    unread: Bytes,
    deadline: Instant,
    /// When the last event came.
    spoken: Instant,
    recorder: Option<Recorder>,
}

impl Body {
    /// Returns what comes next, at least one event; nothing behind the end.
    async fn next(&mut self) -> Option<Events> {
        loop {
            let mut events = if self.unread.is_empty() { self.receive().await? } else { self.read() };
            // An error is the last of them.
            if let Some(event @ Err(_)) = events.pop_if(|event| event.is_err()) {
                events.push(event.map_err(|error| self.endpoint.explain(error)));
            }
            if !events.is_empty() {
                self.spoken = Instant::now();
                return Some(events);
            }
        }
    }

    /// Waits for more of the body.
    async fn receive(&mut self) -> Option<Events> {
        let response = self.response.as_mut()?;
        let limits = self.endpoint.limits;
        let now = Instant::now();
        let due = (now + limits.idle).min(self.spoken + limits.silent).min(self.deadline);
        Some(match timeout_at(due, response.chunk()).await {
            Ok(Ok(Some(piece))) => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.piece(&piece);
                }
                self.unread = piece;
                self.read()
            }
            Ok(Ok(None)) => self.finish(None),
            Ok(Err(error)) => match broken(error) {
                Broken::Closed => self.finish(None),
                Broken::Failed(error) => self.finish(Some(error)),
            },
            Err(_) if due == self.deadline => {
                let total = limits.total.as_secs();
                self.finish(Some(network(format!("the answer took longer than {total} s"))))
            }
            Err(_) => {
                let idle = (due - self.spoken.max(now)).max(limits.idle.min(limits.silent)).as_secs();
                self.finish(Some(network(format!("the server fell silent for {idle} s"))))
            }
        })
    }

    /// Reads a part of what has come.
    fn read(&mut self) -> Events {
        let part = self.unread.split_to(PART.min(self.unread.len()));
        let events = self.reader.push(&part);
        if self.reader.has_ended() {
            self.close("closed");
        }
        events
    }

    /// Ends an answer that closed, or broke for this reason; if its own end was there already, nothing is lost.
    fn finish(&mut self, why: Option<ProviderError>) -> Events {
        let mut events = self.reader.finish();
        let has_stop = events.iter().any(|event| matches!(event, Ok(StreamEvent::Stop(_))));
        let end = why.as_ref().map_or_else(|| "closed".to_owned(), |error| error.message.clone());
        if let Some(why) = why
            && !has_stop
        {
            events.retain(Result::is_ok);
            events.push(Err(why));
        }
        self.close(&end);
        events
    }

    fn close(&mut self, end: &str) {
        self.response = None;
        self.unread.clear();
        if let Some(recorder) = self.recorder.take() {
            recorder.end(end);
        }
    }
}
