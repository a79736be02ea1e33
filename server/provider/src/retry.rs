//! Failed requests sent again, and other models asked when one fails for good; never after anything was said.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};

use crate::request::Request;
use crate::stream::{ErrorClass, Provider, ProviderError, Retry, StreamEvent};

/// The longest wait between two requests. A server that asks for more is not waited for.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How often and after how long a failed request is sent again.
#[derive(Clone)]
pub struct Policy {
    /// The most requests after the first.
    pub retries: u32,
    /// The first wait.
    pub base: Duration,
    /// Gives a number from 0 to 1 that spreads the waits of many clients.
    pub random: Arc<dyn Fn() -> f64 + Send + Sync>,
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { retries, base, random: _ } = self;
        f.debug_struct("Policy").field("retries", retries).field("base", base).finish_non_exhaustive()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { retries: 5, base: Duration::from_millis(800), random: Arc::new(random) }
    }
}

impl Policy {
    /// Returns how long is waited before a retry, counted from 1; none if it is not worth it.
    ///
    /// The wait is three times longer each time for a rate limit and twice as long else, and up to a fifth longer or
    /// shorter by chance; what the server asks for goes before.
    pub fn wait(&self, retry: u32, error: &ProviderError) -> Option<Duration> {
        if retry > self.retries || !is_passing(error.class) {
            return None;
        }
        if let Some(asked) = error.retry_after {
            return (asked <= LONGEST_WAIT).then_some(asked);
        }
        let factor: f64 = if error.class == ErrorClass::RateLimit { 3.0 } else { 2.0 };
        let grown = factor.powi(i32::try_from(retry).unwrap_or(i32::MAX).saturating_sub(1));
        let wait = self.base.as_secs_f64() * grown;
        let spread = 0.8 + 0.4 * (self.random)().clamp(0.0, 1.0);
        Some(Duration::from_secs_f64(
            (wait.min(LONGEST_WAIT.as_secs_f64()) * spread).min(LONGEST_WAIT.as_secs_f64()),
        ))
    }
}

/// Tells whether the same request may succeed later.
fn is_passing(class: ErrorClass) -> bool {
    matches!(class, ErrorClass::RateLimit | ErrorClass::Overloaded | ErrorClass::Network)
}

fn random() -> f64 {
    let mut bytes = [0; 4];
    if getrandom::fill(&mut bytes).is_err() {
        // Without randomness all wait equally long, which is no harm to one client.
        return 0.5;
    }
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

/// A model, and those that are asked in its place when it cannot answer.
#[derive(Clone)]
pub struct Patient {
    models: Arc<Vec<Candidate>>,
}

/// One model that can be asked.
#[derive(Clone)]
pub struct Candidate {
    /// Who is asked.
    pub provider: Arc<dyn Provider>,
    /// The model's own id; it takes the place of the request's.
    pub model: String,
    /// Whether it takes pictures; if not, they are left out of what it is asked, and it is told so.
    pub sees: bool,
    /// How patient one is with it.
    pub policy: Policy,
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("model", &self.model)
            .field("sees", &self.sees)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Patient").field(&self.models).finish()
    }
}

impl Patient {
    /// Asks these models, the first as long as it can answer.
    pub fn new(models: Vec<Candidate>) -> Self {
        Self { models: Arc::new(models) }
    }
}

impl Provider for Patient {
    fn stream(&self, request: Request) -> BoxStream<'static, Result<StreamEvent, ProviderError>> {
        let asking = Asking {
            models: Arc::clone(&self.models),
            request,
            at: 0,
            retry: 0,
            next: Next::Ask(Duration::ZERO),
        };
        stream::unfold(Box::new(asking), |mut asking| async {
            asking.next().await.map(|event| (event, asking))
        })
        .boxed()
    }
}

/// A request under way. Dropping it ends it, also while it waits.
struct Asking {
    models: Arc<Vec<Candidate>>,
    request: Request,
    /// The model that is asked.
    at: usize,
    /// How many retries it has had.
    retry: u32,
    next: Next,
}

enum Next {
    /// The request is sent, after a while.
    Ask(Duration),
    /// Nothing was said yet.
    Listen(BoxStream<'static, Result<StreamEvent, ProviderError>>),
    /// Something was said: there is no way back.
    Follow(BoxStream<'static, Result<StreamEvent, ProviderError>>),
    End,
}

impl Asking {
    async fn next(&mut self) -> Option<Result<StreamEvent, ProviderError>> {
        loop {
            match &mut self.next {
                Next::End => return None,
                Next::Ask(wait) => {
                    tokio::time::sleep(*wait).await;
                    let Some(Candidate { provider, model, sees, policy: _ }) = self.models.get(self.at)
                    else {
                        self.next = Next::End;
                        let message = "no model is configured";
                        return Some(Err(ProviderError::new(ErrorClass::Configuration, message)));
                    };
                    let request = Request { model: model.clone(), ..self.request.clone() };
                    let request = if *sees { request } else { request.without_pictures() };
                    self.next = Next::Listen(provider.stream(request));
                }
                Next::Follow(stream) => return stream.next().await,
                Next::Listen(stream) => match stream.next().await {
                    Some(Ok(event @ StreamEvent::Usage(_))) => return Some(Ok(event)),
                    Some(Ok(event)) => {
                        if let Next::Listen(stream) = std::mem::replace(&mut self.next, Next::End) {
                            self.next = Next::Follow(stream);
                        }
                        return Some(Ok(event));
                    }
                    Some(Err(error)) => return Some(self.failed(error)),
                    None => {
                        let message = "the server closed the connection without an answer";
                        return Some(self.failed(ProviderError::new(ErrorClass::Network, message)));
                    }
                },
            }
        }
    }

    fn failed(&mut self, error: ProviderError) -> Result<StreamEvent, ProviderError> {
        let policy = self.models.get(self.at).map(|candidate| &candidate.policy);
        if let Some(after) = policy.and_then(|policy| policy.wait(self.retry + 1, &error)) {
            self.retry += 1;
            self.next = Next::Ask(after);
            return Ok(StreamEvent::Retry(Retry { attempt: self.retry, after, error }));
        }
        if is_passing(error.class) && self.at + 1 < self.models.len() {
            (self.at, self.retry) = (self.at + 1, 0);
            self.next = Next::Ask(Duration::ZERO);
            return Ok(StreamEvent::Retry(Retry { attempt: 0, after: Duration::ZERO, error }));
        }
        self.next = Next::End;
        Err(error)
    }
}

#[cfg(test)]
mod tests;
