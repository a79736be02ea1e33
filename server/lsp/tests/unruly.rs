//! A language server whose commands hang, panic and ask, on the connection that ships: what no handler can do to it.
//!
//! Not part of the server. The tests in `tests/it/robustness` start it as a process.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a program for tests, and panics are what it is for"
)]

#[path = "../src"]
mod transport {
    pub(crate) mod client;
    pub(crate) mod connection;
    pub(crate) mod frame;
    pub(crate) mod lifecycle;
    pub(crate) mod logging;
}

use std::io::Read;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::lsp_types::{ExecuteCommandParams, InitializeParams, InitializeResult};
use tower_lsp::{LanguageServer, LspService};

// The modules name each other from the root of their crate.
use transport::client::Client;
use transport::{client, connection, frame, lifecycle, logging};

#[derive(Clone)]
struct Unruly {
    client: Client,
    state: Arc<State>,
}

struct State {
    /// The version of each didChange, as they came.
    versions: Mutex<Vec<i64>>,
    /// What `append` was given, in the order in which its handlers began.
    appended: Mutex<Vec<Value>>,
    /// Set by `crash`: the next read panics.
    crash: AtomicBool,
    release: Sender<()>,
    released: Mutex<Receiver<()>>,
}

fn main() -> ExitCode {
    let Ok(logging) = logging::start() else { return ExitCode::FAILURE };
    lifecycle::log_panics();
    let crash_main = std::env::args().any(|argument| argument == "--crash-main");
    let code = lifecycle::run(async move {
        let (client, writer) = Client::new();
        let (release, released) = channel();
        let state = Arc::new(State {
            versions: Mutex::default(),
            appended: Mutex::default(),
            crash: AtomicBool::new(false),
            release,
            released: Mutex::new(released),
        });
        let server = Unruly { client: client.clone(), state: Arc::clone(&state) };
        let (service, _) = LspService::new(|_| server.clone());
        let (sender, process) = watch::channel(None);
        let editor = client.clone();
        let reader = lifecycle::thread("reader", move || {
            connection::serve(Input { state }, service, editor, Arc::new(server), sender)
        });
        let writer = lifecycle::thread("writer", move || writer.run(std::io::stdout()));
        assert!(!crash_main, "the main task crashes");
        let stop = async { tracing::info!("the server has stopped") };
        lifecycle::supervise(reader, writer, client, process, stop).await
    });
    logging.finish();
    code
}

/// stdin, until the connection is to crash.
struct Input {
    state: Arc<State>,
}

impl Read for Input {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        assert!(!self.state.crash.load(Ordering::Relaxed), "the reading thread crashes");
        std::io::stdin().read(bytes)
    }
}

impl connection::Hooks for Unruly {
    fn initialize_params(&self, params: &Value) {
        assert!(params.get("crash").is_none(), "initialize_params panics");
    }

    fn notification(&self, method: &str, params: Value) {
        match method {
            "textDocument/didChange" => {
                self.state.versions.lock().unwrap().push(params["textDocument"]["version"].as_i64().unwrap());
            }
            "kkcode/panic" => panic!("a notification panics"),
            _ => {}
        }
    }

    fn patch_response(&self, method: &str, result: &mut Value) {
        if method == "initialize" {
            result["capabilities"]["patched"] = json!(true);
        }
        assert!(*result != json!("panic while patching"), "patch_response panics");
    }
}

impl Unruly {
    async fn command(&self, name: &str, argument: Value) -> Result<Value> {
        match name {
            "echo" => Ok(argument),
            "hang" => std::future::pending().await,
            "panic" => panic!("a handler panics at once"),
            "panicLater" => {
                tokio::task::yield_now().await;
                panic!("a handler panics later")
            }
            "ask" => Ok(ask(&self.client, &argument).await),
            "askAside" => {
                let client = self.client.clone();
                tokio::spawn(async move {
                    let outcome = ask(&client, &argument).await;
                    client.notify("test/asked", outcome);
                });
                Ok(Value::Null)
            }
            "append" => {
                self.state.appended.lock().unwrap().push(argument["value"].clone());
                pause(argument["pause"].as_str()).await;
                Ok(Value::Null)
            }
            "appended" => Ok(json!(*self.state.appended.lock().unwrap())),
            "versions" => Ok(json!(*self.state.versions.lock().unwrap())),
            "newest" => {
                let newest = self.state.versions.lock().unwrap().last().copied();
                pause(argument["pause"].as_str()).await;
                Ok(json!(newest))
            }
            "block" => {
                tokio::task::yield_now().await;
                self.state.released.lock().unwrap().recv().unwrap();
                Ok(Value::Null)
            }
            "release" => {
                self.state.release.send(()).unwrap();
                Ok(Value::Null)
            }
            "flood" => Ok(self.flood(&argument)),
            "crash" => {
                self.state.crash.store(true, Ordering::Relaxed);
                Ok(Value::Null)
            }
            _ => Err(Error::method_not_found()),
        }
    }

    /// Sends many notifications at once; with a key, each replaces the one before.
    fn flood(&self, argument: &Value) -> Value {
        let text = "x".repeat(usize::try_from(argument["bytes"].as_u64().unwrap()).unwrap());
        for number in 0..argument["count"].as_u64().unwrap() {
            let params = json!({"number": number, "text": text});
            match argument["key"].as_str() {
                Some(key) => self.client.notify_latest(key, "test/latest", params),
                None => self.client.notify("test/flood", params),
            }
        }
        tracing::info!("flooded");
        Value::Null
    }
}

/// Asks the client `test/ask` and tells how it went.
async fn ask(client: &Client, argument: &Value) -> Value {
    let timeout = Duration::from_millis(argument["timeoutMs"].as_u64().unwrap_or(u64::from(u32::MAX)));
    match client.request("test/ask", argument, timeout).await {
        Ok(result) => json!({"result": result}),
        Err(client::RequestError::Timeout) => json!("timeout"),
        Err(client::RequestError::Closed) => json!("closed"),
        Err(client::RequestError::Refused { code, message }) => json!({"code": code, "message": message}),
    }
}

/// Waits in one of the ways in which a handler may wait.
async fn pause(kind: Option<&str>) {
    match kind {
        Some("lock") => drop(tokio::sync::Mutex::new(()).lock().await),
        Some("yield") => tokio::task::yield_now().await,
        Some("sleep") => tokio::time::sleep(Duration::from_millis(1)).await,
        _ => {}
    }
}

#[tower_lsp::async_trait]
impl LanguageServer for Unruly {
    async fn initialize(&self, _: InitializeParams) -> Result<InitializeResult> {
        Ok(InitializeResult::default())
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<Value>> {
        let argument = params.arguments.into_iter().next().unwrap_or_default();
        self.command(&params.command, argument).await.map(Some)
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }
}
