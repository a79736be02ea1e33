//! How a server is started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::{Binary, TestServer};

/// How a server is started and what is told it at first; begins as a client that can nothing, in an empty home.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing runs before `start` or `initialized`"]
pub struct Options {
    pub(crate) binary: Binary,
    pub(crate) under: Vec<OsString>,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) home: Option<PathBuf>,
    pub(crate) folder: Option<PathBuf>,
    pub(crate) ignored: Vec<String>,
    pub(crate) unread_allowed: bool,
    pub(crate) output_held: bool,
    pub(crate) errors_held: bool,
    params: Map<String, Value>,
}

impl Options {
    /// Returns the options of a plain client.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts another program than the shipped server.
    pub fn binary(mut self, binary: Binary) -> Self {
        self.binary = binary;
        self
    }

    /// Starts the program by another one that is given its path and arguments at the end, such as `strace -f`.
    pub fn under(mut self, program: &[&str]) -> Self {
        self.under = program.iter().map(OsString::from).collect();
        self
    }

    /// Adds an argument to the command line.
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets an environment variable; the rest is inherited, but for `HOME` and `KKCODE_*`.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Uses a folder as `KKCODE_HOME`, so that several servers can share it; without this it is a new temporary one.
    pub fn home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }

    /// Opens a workspace folder: the process starts in it, and `initialize` names it.
    pub fn workspace(mut self, folder: &Path) -> Self {
        let uri = format!("file://{}", folder.display());
        self.folder = Some(folder.to_owned());
        self.param("rootUri", json!(uri))
            .param("workspaceFolders", json!([{"uri": uri, "name": "workspace"}]))
    }

    /// Sets the client's capabilities.
    pub fn capabilities(self, capabilities: Value) -> Self {
        self.param("capabilities", capabilities)
    }

    /// Sets one member of the `initialize` params.
    pub fn param(mut self, name: &str, value: Value) -> Self {
        self.params.insert(name.to_owned(), value);
        self
    }

    /// Leaves notifications and requests of this method out: they never wait to be read.
    pub fn ignore(mut self, method: &str) -> Self {
        self.ignored.push(method.to_owned());
        self
    }

    /// Lets messages stay unread at the end.
    pub fn allow_unread(mut self) -> Self {
        self.unread_allowed = true;
        self
    }

    /// Leaves the server's stdout unread until [`TestServer::read_output`].
    pub fn hold_output(mut self) -> Self {
        self.output_held = true;
        self
    }

    /// Leaves the server's stderr unread for ever.
    pub fn hold_errors(mut self) -> Self {
        self.errors_held = true;
        self
    }

    /// Starts the server and sends nothing.
    pub fn start(self) -> TestServer {
        TestServer::start(self)
    }

    /// Starts the server and shakes hands.
    pub fn initialized(self) -> TestServer {
        let mut server = self.start();
        server.initialize();
        server
    }

    /// Returns the params of `initialize`.
    pub(crate) fn initialize_params(&self) -> Value {
        let mut params = json!({"processId": std::process::id(), "rootUri": null, "capabilities": {}});
        if let Some(defaults) = params.as_object_mut() {
            defaults.extend(self.params.clone());
        }
        params
    }
}
