//! The loop between the client's messages and the tower service: in order, and proof against any client.
//!
//! `tower_lsp::Server` is not used. Measured with 0.20: four handlers that wait block everything behind them, one bad
//! frame or a panic ends the process, `exit` does not, and an answer that comes after its cancel does. Here a message is
//! taken only when everything before it has been applied or, at least, has run to its first `.await`; what waits, waits in
//! a task of its own; and each request is answered exactly once, whatever its handler does.
//!
//! Reading and writing have a thread each rather than a task: a handler that computes for long before its first `.await`
//! kept the writing task from running (tokio runs what a task wakes next on the same worker, and no other may steal it).

use std::collections::HashMap;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::Service;
use tower_lsp::jsonrpc::{Error, Id, Request, Response};
use tower_lsp::{ExitedError, LanguageServer, LspService};

use crate::client::Client;
use crate::frame::FrameReader;
use crate::lifecycle::Ending;
use incoming::{Call, Incoming};

mod incoming;
mod initialize;

/// What the server wants to see raw; implemented by the server beside [`LanguageServer`].
///
/// All calls are made by the one thread that reads, in the order of the messages (`patch_response` where the response is
/// made). They must not block, and a panic costs no more than that one message.
pub(crate) trait Hooks: Send + Sync + 'static {
    /// Shows the params of the `initialize` request as the client wrote them, before it is handled.
    fn initialize_params(&self, params: &Value);

    /// Applies a notification of document sync, workspace folders, progress or our own (see [`is_ordered`]).
    ///
    /// Only called between the answer to `initialize` and the `shutdown` request.
    fn notification(&self, method: &str, params: Value);

    /// Adds to a successful result what `lsp_types` 0.94 has no type for.
    fn patch_response(&self, method: &str, result: &mut Value);
}

/// Says whether a notification goes to [`Hooks::notification`] rather than to the tower service.
fn is_ordered(method: &str) -> bool {
    matches!(
        method,
        "textDocument/didOpen"
            | "textDocument/didChange"
            | "textDocument/didSave"
            | "textDocument/didClose"
            | "workspace/didChangeWorkspaceFolders"
            | "workspace/didChangeConfiguration"
            | "window/workDoneProgress/cancel"
    ) || method.starts_with("kkcode/")
}

/// Reads and handles messages until the input ends, `exit` arrives or nothing more can be read.
///
/// Blocks; to be called in the context of a runtime. The process id that the client names is sent to `client_process`.
/// Handlers that still wait at the end are dropped.
pub(crate) fn serve<S: LanguageServer>(
    input: impl Read,
    service: LspService<S>,
    client: Client,
    hooks: Arc<dyn Hooks>,
    client_process: watch::Sender<Option<u32>>,
) -> Ending {
    let answers = Arc::new(Answers { client, hooks, state: Mutex::default() });
    let mut inbound = Inbound { service, answers, client_process, handlers: JoinSet::new(), last_request: 0 };
    let mut frames = FrameReader::new(input);
    loop {
        let body = match frames.next() {
            Ok(Some(body)) => body,
            Ok(None) => return Ending::InputClosed { after_shutdown: inbound.answers.is_shut_down() },
            Err(error) => return Ending::Unreadable(error.to_string()),
        };
        match incoming::read(body) {
            Incoming::Call(call) if call.method == "exit" => {
                if let Some(id) = call.id {
                    inbound.answers.client.answer(&Response::from_ok(id, Value::Null));
                }
                return Ending::Exit { after_shutdown: inbound.answers.is_shut_down() };
            }
            Incoming::Call(Call { id: Some(id), method, params }) => {
                inbound.answers.client.wait_until_drained();
                inbound.request(id, method, params);
            }
            Incoming::Call(Call { id: None, method, params }) => inbound.notification(&method, params),
            Incoming::Answer { id, outcome } => inbound.answers.client.settle(&id, outcome),
            Incoming::Invalid { id, error } => {
                tracing::warn!(%id, %error, "invalid message");
                inbound.answers.client.wait_until_drained();
                inbound.answers.client.answer(&Response::from_error(id, error));
            }
        }
    }
}

type Handled = Result<Option<Response>, ExitedError>;
type Handling = BoxFuture<'static, Handled>;

/// What the reading thread owns.
struct Inbound<S> {
    service: LspService<S>,
    answers: Arc<Answers>,
    client_process: watch::Sender<Option<u32>>,
    handlers: JoinSet<()>,
    last_request: u64,
}

impl<S: LanguageServer> Inbound<S> {
    fn request(&mut self, id: Id, method: String, params: Option<Value>) {
        // The service sees ids of ours: any id of the client can then be cancelled (tower-lsp reads 32 bits), and what the
        // service remembers of a handler that panicked does not block a later request with the same id.
        self.last_request += 1;
        let handler = Id::String(self.last_request.to_string());
        if let Err(error) = self.answers.begin(&id, &handler, &method) {
            self.answers.client.answer(&Response::from_error(id, error));
            return;
        }
        let params = if method == "initialize" { self.initializing(params) } else { params };
        let request = request(&method, params).id(handler).finish();
        let answers = Arc::clone(&self.answers);
        match self.start(request) {
            Started::Ended(outcome) => answers.finish(id, &method, outcome),
            Started::Waits(handling) => self.spawn(async move {
                let outcome = AssertUnwindSafe(handling).catch_unwind().await;
                answers.finish(id, &method, outcome.ok());
            }),
        }
    }

    fn notification(&mut self, method: &str, params: Option<Value>) {
        if is_ordered(method) {
            if self.answers.is_serving() {
                self.answers.guarded(|hooks| hooks.notification(method, params.unwrap_or_default()));
            } else {
                tracing::warn!(method, "notification before the answer to initialize or after shutdown");
            }
            return;
        }
        let params = match method {
            "$/cancelRequest" => {
                self.answers.handler_of(params.as_ref()).map(|handler| json!({"id": handler}))
            }
            // Its type wants an object, and some clients leave it out.
            "initialized" => Some(params.filter(Value::is_object).unwrap_or_else(|| json!({}))),
            // As a notification it would shut the service down.
            "shutdown" => return tracing::warn!("shutdown without an id"),
            _ => params,
        };
        if let Started::Waits(handling) = self.start(request(method, params).finish()) {
            self.spawn(async move {
                // The panic hook has logged it, and nobody waits for an answer.
                drop(AssertUnwindSafe(handling).catch_unwind().await);
            });
        }
    }

    /// Returns what the service is to see of the params of `initialize`.
    fn initializing(&self, params: Option<Value>) -> Option<Value> {
        let params = params?;
        self.answers.guarded(|hooks| hooks.initialize_params(&params));
        let process = params.get("processId").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
        if process.is_some() {
            self.client_process.send_replace(process);
        }
        Some(initialize::readable(params))
    }

    /// Runs a handler to its first `.await`, so that what it does before happens in the order of the messages.
    fn start(&mut self, request: Request) -> Started {
        let service = &mut self.service;
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let mut handling = service.call(request);
            match handling.poll_unpin(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(handled) => Started::Ended(Some(handled)),
                Poll::Pending => Started::Waits(handling),
            }
        }));
        polled.unwrap_or(Started::Ended(None))
    }

    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        while self.handlers.try_join_next().is_some() {}
        self.handlers.spawn(task);
    }
}

enum Started {
    /// `None` after a panic.
    Ended(Option<Handled>),
    Waits(Handling),
}

/// Builds a message for the service.
fn request(method: &str, params: Option<Value>) -> tower_lsp::jsonrpc::RequestBuilder {
    let request = Request::build(method.to_owned());
    match params {
        // tower-lsp 0.20 refuses any params here, and clients send null or {}.
        Some(params) if method != "shutdown" => request.params(params),
        _ => request,
    }
}

/// What the reading thread shares with the handlers: who is still to be answered.
struct Answers {
    client: Client,
    hooks: Arc<dyn Hooks>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    phase: Phase,
    /// The requests that have no answer yet, with the ids by which the service knows them.
    open: HashMap<Id, Id>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Uninitialized,
    Initializing,
    Serving,
    ShutDown,
}

impl Answers {
    /// Notes that a request is open; refuses what the service would not refuse by itself.
    fn begin(&self, id: &Id, handler: &Id, method: &str) -> Result<(), Error> {
        let mut state = self.state();
        if state.open.contains_key(id) {
            return Err(invalid_request("a request with this id is still open"));
        }
        match (method, state.phase) {
            ("initialize", Phase::Uninitialized) => state.phase = Phase::Initializing,
            ("initialize", _) => return Err(invalid_request("initialize may be sent once")),
            ("shutdown", Phase::Serving) => state.phase = Phase::ShutDown,
            _ => {}
        }
        state.open.insert(id.clone(), handler.clone());
        Ok(())
    }

    /// Answers a request; `outcome` is `None` if its handler panicked.
    fn finish(&self, id: Id, method: &str, outcome: Option<Handled>) {
        let result = match outcome {
            Some(Ok(Some(response))) => response.into_parts().1,
            // The service drops requests that begin with `$/`; the specification wants an answer.
            Some(Ok(None)) => Err(Error::method_not_found()),
            Some(Err(ExitedError { .. })) => Err(Error::invalid_request()),
            None => Err(internal_error()),
        };
        let result = result.and_then(|mut result| {
            let patched = self.guarded(|hooks| hooks.patch_response(method, &mut result));
            patched.map(|()| result).ok_or_else(internal_error)
        });
        let mut state = self.state();
        state.open.remove(&id);
        if method == "initialize" && state.phase == Phase::Initializing {
            state.phase = if result.is_ok() { Phase::Serving } else { Phase::Uninitialized };
        }
        drop(state);
        self.client.answer(&Response::from_parts(id, result));
    }

    /// Returns how the service knows the request that a `$/cancelRequest` names.
    fn handler_of(&self, params: Option<&Value>) -> Option<Id> {
        let id = serde_json::from_value(params?.get("id")?.clone()).ok()?;
        self.state().open.get(&id).cloned()
    }

    fn guarded<T>(&self, call: impl FnOnce(&dyn Hooks) -> T) -> Option<T> {
        // The panic hook logs it.
        catch_unwind(AssertUnwindSafe(|| call(&*self.hooks))).ok()
    }

    fn is_serving(&self) -> bool {
        self.state().phase == Phase::Serving
    }

    fn is_shut_down(&self) -> bool {
        self.state().phase == Phase::ShutDown
    }

    /// Locks even after a panic: no critical section can leave the state half changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn invalid_request(message: &'static str) -> Error {
    Error { message: message.into(), ..Error::invalid_request() }
}

fn internal_error() -> Error {
    Error { message: "internal error, see the server's log".into(), ..Error::internal_error() }
}
