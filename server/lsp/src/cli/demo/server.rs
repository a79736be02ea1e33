//! The server of the demo: this very program as a process of its own, spoken to over its stdin and stdout.

use std::collections::VecDeque;
use std::io::Write as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Place, broken};
use crate::cli::failure::Failure;
use crate::cli::json::look;
use crate::frame::FrameReader;

/// How long the server may say nothing.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server. Dropping it kills it, if it did not end by itself.
pub(super) struct Server {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    /// What came while something else was waited for.
    early: VecDeque<Value>,
    last_request: u64,
}

impl Server {
    /// Starts a server on the demo's home. The user's own configuration and keys are not for it.
    pub(super) fn start(place: &Place) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|error| broken(&error))?;
        let mut child = Command::new(program)
            .args(["serve", "--stdio"])
            .current_dir(place.work())
            .env("KKCODE_HOME", place.home())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| broken(&error))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(broken(&"the server has no stdin and stdout"));
        };
        let (sender, messages) = channel();
        thread::spawn(move || read(output, |message| sender.send(message).is_ok()));
        Ok(Self { child, input, messages, early: VecDeque::new(), last_request: 0 })
    }

    /// Sends a request and waits for its result.
    pub(super) fn call(&mut self, method: &str, params: &Value) -> Result<Value, Failure> {
        self.last_request += 1;
        let id = json!(self.last_request);
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        let mut answer =
            self.wait(|message| message.get("method").is_none() && *look(message, "/id") == id)?;
        match answer.get("error") {
            Some(error) => Err(broken(&format!("{method}: {}", look(error, "/message")))),
            None => Ok(answer.get_mut("result").map(Value::take).unwrap_or_default()),
        }
    }

    /// Executes a command with one object as its argument.
    pub(super) fn command(&mut self, command: &str, argument: &Value) -> Result<Value, Failure> {
        self.call("workspace/executeCommand", &json!({"command": command, "arguments": [argument]}))
    }

    /// Sends a notification.
    pub(super) fn notify(&mut self, method: &str, params: &Value) -> Result<(), Failure> {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
    }

    /// Waits for the next notification that is `wanted`, by its method; others stay.
    pub(super) fn notification(&mut self, wanted: &[&str]) -> Result<(String, Value), Failure> {
        let is_wanted =
            |message: &Value| look(message, "/method").as_str().is_some_and(|name| wanted.contains(&name));
        let mut message = self.wait(is_wanted)?;
        let method = look(&message, "/method").as_str().unwrap_or_default().to_owned();
        Ok((method, message.get_mut("params").map(Value::take).unwrap_or_default()))
    }

    /// Ends the server as the protocol says.
    pub(super) fn stop(mut self) -> Result<(), Failure> {
        self.call("shutdown", &Value::Null)?;
        self.notify("exit", &Value::Null)?;
        let ended = self.child.wait().map_err(|error| broken(&error))?;
        if ended.success() { Ok(()) } else { Err(broken(&format!("the server ended with {ended}"))) }
    }

    /// Kills the server: SIGKILL, so that it can do nothing about it.
    pub(super) fn kill(mut self) -> Result<(), Failure> {
        self.child.kill().and_then(|()| self.child.wait()).map(drop).map_err(|error| broken(&error))
    }

    fn send(&mut self, message: &Value) -> Result<(), Failure> {
        let body = message.to_string();
        let frame = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.input
            .write_all(frame.as_bytes())
            .and_then(|()| self.input.flush())
            .map_err(|error| broken(&error))
    }

    fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<Value, Failure> {
        if let Some(at) = self.early.iter().position(&wanted) {
            return self.early.remove(at).ok_or_else(|| broken(&"a message is lost"));
        }
        loop {
            let message = self.messages.recv_timeout(PATIENCE);
            let message = message.map_err(|_| broken(&"the server does not answer"))?;
            if wanted(&message) {
                return Ok(message);
            }
            self.early.push_back(message);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended cannot be killed, which is as well.
        if self.child.kill().is_ok()
            && let Err(error) = self.child.wait()
        {
            tracing::warn!(%error, "the demo's server is left");
        }
    }
}

/// Reads messages until the output ends or nobody takes them.
fn read(output: ChildStdout, mut take: impl FnMut(Value) -> bool) {
    let mut frames = FrameReader::new(output);
    while let Ok(Some(body)) = frames.next() {
        match serde_json::from_slice(&body) {
            Ok(message) => {
                if !take(message) {
                    return;
                }
            }
            Err(error) => tracing::warn!(%error, "the demo's server says something that is no JSON"),
        }
    }
}
