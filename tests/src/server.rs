//! A server under test, spoken to as an editor does.

use std::collections::HashMap;
use std::fmt;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::frames::{self, frame};
use crate::inbox::{Inbox, Message, ResponseError, answer};
use crate::process::{Ended, Input, Process};
use crate::strict::{Asked, MetaModel};
use crate::{Binary, DEADLINE, Options};

type Handler = Box<dyn FnMut(Value) -> Result<Value, ResponseError> + Send>;
type Handlers = Arc<Mutex<HashMap<String, Handler>>>;
/// What the open requests ask, by their ids as JSON.
type Open = Arc<Mutex<HashMap<String, Asked>>>;

/// A server as a process, and the client beside it.
///
/// Everything that waits fails the test after [`DEADLINE`], with what was there instead and the server's stderr.
pub struct TestServer {
    process: Process,
    inbox: Arc<Inbox>,
    handlers: Handlers,
    open: Open,
    options: Options,
    /// The reading thread's start, while the output is held.
    held_output: Option<BufReader<ChildStdout>>,
    last_request: i64,
    home: PathBuf,
    /// Removed with the server.
    _temporary_home: Option<TempDir>,
}

impl fmt::Debug for TestServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { process, inbox, .. } = self;
        formatter
            .debug_struct("TestServer")
            .field("process", process)
            .field("inbox", inbox)
            .finish_non_exhaustive()
    }
}

/// Where no keyring of the person who runs the tests is found.
const NO_KEYRING: &str = "unix:path=/nonexistent/kkcode-tests";

impl TestServer {
    pub(crate) fn start(options: Options) -> Self {
        let temporary = options.home.is_none().then(|| TempDir::new().expect("a temporary folder"));
        let home = match (&options.home, &temporary) {
            (Some(home), _) => home.clone(),
            (None, temporary) => temporary.as_ref().expect("made above").path().to_owned(),
        };
        let mut words = options.under.iter().cloned().chain([options.binary.path().into_os_string()]);
        let mut command = Command::new(words.next().expect("at least the program's own path"));
        command.args(words);
        for (name, _) in std::env::vars_os().filter(|(name, _)| stays_here(name.as_encoded_bytes())) {
            command.env_remove(name);
        }
        command.args(&options.arguments).current_dir(options.folder.as_ref().unwrap_or(&home));
        command.env("HOME", &home).env("KKCODE_HOME", &home).env("DBUS_SESSION_BUS_ADDRESS", NO_KEYRING);
        command.envs(options.environment.iter().cloned());
        let (process, output) = Process::start(&mut command, options.errors_held);
        let mut server = Self {
            process,
            inbox: Arc::default(),
            handlers: Arc::default(),
            open: Arc::default(),
            held_output: Some(output),
            last_request: 0,
            home,
            _temporary_home: temporary,
            options,
        };
        if !server.options.output_held {
            server.read_output();
        }
        server
    }

    /// Begins to read the output, if [`Options::hold_output`] held it back.
    pub fn read_output(&mut self) {
        let Some(output) = self.held_output.take() else { return };
        let reading = Reading {
            inbox: Arc::clone(&self.inbox),
            handlers: Arc::clone(&self.handlers),
            open: Arc::clone(&self.open),
            model: MetaModel::at_hand().filter(|_| self.options.binary == Binary::Server),
            input: self.process.input().clone(),
            ignored: self.options.ignored.clone(),
        };
        thread::spawn(move || reading.run(output));
    }

    /// Shakes hands with the params of the options; returns the result of `initialize`.
    pub fn initialize(&mut self) -> Value {
        let params = self.options.initialize_params();
        let result = self.call("initialize", params);
        self.notify("initialized", json!({}));
        result
    }

    /// Sends a request and waits for its answer.
    pub fn request(&mut self, method: &str, params: Value) -> Result<Value, ResponseError> {
        let id = self.send_request(method, params);
        self.response(id)
    }

    /// Sends a request that must succeed, and returns its result.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.request(method, params).unwrap_or_else(|error| panic!("{method} failed: {error}"))
    }

    /// Executes a command with one object as its argument.
    pub fn command(&mut self, command: &str, argument: Value) -> Result<Value, ResponseError> {
        self.request("workspace/executeCommand", json!({"command": command, "arguments": [argument]}))
    }

    /// Sends a request and returns its id, for [`TestServer::response`].
    pub fn send_request(&mut self, method: &str, params: Value) -> i64 {
        self.last_request += 1;
        let id = self.last_request;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
    }

    /// Waits for the answer to the request with this id.
    pub fn response(&mut self, id: impl Into<Value>) -> Result<Value, ResponseError> {
        let wanted = id.into();
        self.wait_for(&format!("the answer to {wanted}"), |message| match message {
            Message::Response { id, outcome } if *id == wanted => Some(outcome.clone()),
            _ => None,
        })
    }

    /// Sends a notification.
    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Cancels a request.
    pub fn cancel(&mut self, id: impl Into<Value>) {
        self.notify("$/cancelRequest", json!({"id": id.into()}));
    }

    /// Sends any JSON as the body of a message.
    pub fn send(&mut self, message: &Value) {
        if let (Some(id), Some(asked)) = (message.get("id"), Asked::by(message)) {
            lock(&self.open).insert(id.to_string(), asked);
        }
        self.send_body(message.to_string());
    }

    /// Sends any bytes as the body of a message.
    pub fn send_body(&mut self, body: impl AsRef<[u8]>) {
        self.send_raw(frame(body.as_ref()));
    }

    /// Sends bytes as they are. Never blocks: what the server does not take yet waits here.
    pub fn send_raw(&mut self, bytes: impl Into<Vec<u8>>) {
        self.process.input().write(bytes.into());
    }

    /// Waits until the server has taken what was sent, but for what a pipe holds (64 KiB on Linux).
    pub fn wait_taken(&self) {
        assert!(self.process.input().wait_taken(), "the server does not read; stderr: {}", self.stderr());
    }

    /// Waits for the first notification of this method and returns its params.
    pub fn expect_notification(&mut self, wanted: &str) -> Value {
        self.wait_for(wanted, |message| match message {
            Message::Notification { method, params } if method == wanted => Some(params.clone()),
            _ => None,
        })
    }

    /// Waits for the first request of this method and returns its id and params; answer with [`TestServer::respond`].
    pub fn expect_request(&mut self, wanted: &str) -> (Value, Value) {
        self.wait_for(wanted, |message| match message {
            Message::Request { id, method, params } if method == wanted => Some((id.clone(), params.clone())),
            _ => None,
        })
    }

    /// Answers a request of the server.
    pub fn respond(&mut self, id: &Value, outcome: Result<Value, ResponseError>) {
        self.send(&answer(id, outcome));
    }

    /// Answers every request of this method from now on, as soon as it comes, also while the test waits for something else.
    pub fn on_request(
        &mut self,
        method: &str,
        handler: impl FnMut(Value) -> Result<Value, ResponseError> + Send + 'static,
    ) {
        lock(&self.handlers).insert(method.to_owned(), Box::new(handler));
    }

    /// Waits for the first message for which `wanted` returns something, removes it and returns that; `what` names it in
    /// the failure. Messages that are not wanted stay, in their order.
    pub fn wait_for<T>(&mut self, what: &str, wanted: impl FnMut(&Message) -> Option<T>) -> T {
        self.inbox.take(wanted).unwrap_or_else(|why| {
            panic!(
                "waiting for {what}: {why}\nprocess: {:?}\nstderr: {}",
                self.process.ended(),
                self.stderr()
            )
        })
    }

    /// Returns all messages that have come and were not read, and counts them as read.
    pub fn take_unread(&mut self) -> Vec<Message> {
        self.inbox.drain()
    }

    /// Returns the folder that is `KKCODE_HOME`.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.process.pid().as_raw_nonzero().get().unsigned_abs()
    }

    /// Returns what the server has written to stderr so far.
    pub fn stderr(&self) -> String {
        self.process.errors()
    }

    /// Waits until the server has written `text` to stderr.
    pub fn wait_for_log(&self, text: &str) {
        assert!(self.process.wait_for_error(text), "no {text:?} in {}", self.stderr());
    }

    /// Returns the memory that the server holds now (`VmRSS` of Linux), in bytes.
    pub fn resident_bytes(&self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    /// Returns the most memory that the server has ever held (`VmHWM` of Linux), in bytes.
    pub fn peak_bytes(&self) -> u64 {
        self.status_bytes("VmHWM:")
    }

    fn status_bytes(&self, name: &str) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("/proc of the server");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the line of that name");
        let kib = line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of KiB");
        kib * 1024
    }

    /// Closes the server's stdin.
    pub fn close_input(&mut self) {
        self.process.input().close();
    }

    /// Closes the server's stdout from this side; only after [`Options::hold_output`].
    pub fn close_output(&mut self) {
        if self.held_output.take().is_some() {
            self.inbox.end();
        }
    }

    /// Sends a signal to the server.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Kills the server, as a crash would, and waits for its end.
    pub fn kill(mut self) {
        self.process.signal(Signal::KILL);
        self.wait_exit();
        // What it was about to say in its last moment is no message, and what it had said nobody waits for.
        self.inbox.forgive_cut_message();
        drop(self.inbox.drain());
        self.finish();
    }

    /// Ends the server as an editor does; returns how it ended.
    pub fn shutdown(&mut self) -> Ended {
        self.read_output();
        self.call("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        self.wait_exit()
    }

    /// Waits for the end of the process and of its output; messages before it can still be read. Output that is held is
    /// never looked at: its last message may be cut.
    pub fn wait_exit(&mut self) -> Ended {
        let Some(ended) = self.process.wait() else {
            panic!("the server did not end within {DEADLINE:?}\nstderr: {}", self.stderr())
        };
        self.close_output();
        assert!(self.inbox.wait_end(), "the server ended, and its stdout is still open");
        ended
    }

    /// Says whether the process still runs.
    pub fn is_running(&self) -> bool {
        self.process.ended().is_none()
    }

    /// Fails on what the test has not read.
    fn finish(&mut self) {
        let violations = self.inbox.violations();
        assert!(violations.is_empty(), "not messages: {violations:#?}\nstderr: {}", self.stderr());
        let unread = self.inbox.drain();
        assert!(unread.is_empty() || self.options.unread_allowed, "messages nobody read: {unread:#?}");
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("stderr of the server: {}", self.stderr());
        } else {
            if self.is_running() {
                let ended = self.shutdown();
                assert_eq!(ended, Ended::Code(0), "after shutdown and exit; stderr: {}", self.stderr());
            }
            self.finish();
        }
    }
}

/// What the thread that reads the output knows.
struct Reading {
    inbox: Arc<Inbox>,
    handlers: Handlers,
    open: Open,
    /// What every message has to obey.
    model: Option<&'static MetaModel>,
    input: Input,
    ignored: Vec<String>,
}

impl Reading {
    fn run(self, mut output: BufReader<ChildStdout>) {
        loop {
            let read = frames::read(&mut output).and_then(|message| {
                message.map(|message| Ok((Message::read(&message)?, message))).transpose()
            });
            match read {
                Ok(Some((message, raw))) => {
                    self.check(&raw);
                    self.receive(message);
                }
                Ok(None) => return self.inbox.end(),
                Err(violation) => {
                    self.inbox.complain(violation);
                    frames::drain(&mut output);
                    return self.inbox.end();
                }
            }
        }
    }

    /// Complains of what the protocol does not allow.
    fn check(&self, message: &Value) {
        let is_answer = message.get("method").is_none();
        let id = message.get("id").filter(|_| is_answer);
        let asked = id.and_then(|id| lock(&self.open).remove(&id.to_string()));
        let violations = self.model.map(|model| model.violations(message, asked.as_ref()));
        violations.into_iter().flatten().for_each(|violation| self.inbox.complain(violation));
    }

    fn receive(&self, message: Message) {
        if message.method().is_some_and(|method| self.ignored.iter().any(|ignored| ignored == method)) {
            return;
        }
        if let Message::Request { id, method, params } = &message {
            let mut handlers = lock(&self.handlers);
            if let Some(handler) = handlers.get_mut(method) {
                let body = answer(id, handler(params.clone())).to_string();
                return self.input.write(frame(body.as_bytes()));
            }
        }
        self.inbox.push(message);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells whether a variable is for this process only: kkcode's own, and keys of models, which no test may ask.
fn stays_here(name: &[u8]) -> bool {
    name.starts_with(b"KKCODE_") || name.ends_with(b"_API_KEY")
}
