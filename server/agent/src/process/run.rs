//! Runs one command: started through the helper where there is one, read as it speaks, ended with everything that it started.

use std::ffi::OsString;
use std::io::{self, PipeReader, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::output::Output;
use super::spec::{self, Report, Spec};

/// How long a command has between being asked to end and being ended; also the helper's.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// How long the helper has to end everything, beyond [`GRACE`].
const PATIENCE: Duration = Duration::from_secs(13);

/// A command to be run.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// What is run, and its bounds.
    pub(crate) spec: Spec,
    /// Its whole environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// The program that starts it, bounds it and ends it, see `sandbox::helper`; without one the command is started as it is,
    /// in a process group of its own.
    pub(crate) helper: Option<PathBuf>,
    /// How long it may take; nothing if as long as it likes.
    pub(crate) timeout: Option<Duration>,
}

/// How a command came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// It ended by itself, with this status.
    Exited(i32),
    /// This signal ended it, not ours.
    Signalled(i32),
    /// It took too long.
    TimedOut,
    /// It was cancelled.
    Cancelled,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) how: How,
    pub(crate) output: String,
}

/// Why a command was not run.
#[derive(Debug, Error)]
pub(crate) enum ProcessError {
    #[error("the command could not be started: {0}")]
    Start(io::Error),
    #[error("the sandbox could not be made: {0}")]
    Sandbox(String),
    #[error("what became of the command is not known: {0}")]
    Lost(io::Error),
}

/// Runs a command to its end. What it says goes to `output` as it comes.
///
/// When `cancel` says so, the time is up, or the returned future is dropped, the command and all that it has started are asked
/// to end, and after [`GRACE`] ended. Whatever it leaves running ends with it.
pub(crate) async fn run(
    order: Order,
    output: Arc<Mutex<Output>>,
    cancel: &CancellationToken,
) -> Result<Ended, ProcessError> {
    let (reader, writer) = io::pipe().map_err(ProcessError::Start)?;
    let (control, theirs) = UnixStream::pair().map_err(ProcessError::Start)?;
    let mut child = start(&order, writer.into(), theirs)?;
    let timeout = order.timeout;
    let reading = tokio::task::spawn_blocking({
        let output = output.clone();
        move || read(reader, &output)
    });
    let control = match order.helper {
        Some(_) => Some(Control::begin(control, order.spec).await.map_err(ProcessError::Start)?),
        None => None,
    };
    let mut running = Running { group: child.id(), control, is_over: false };
    let cut = tokio::select! {
        status = child.wait() => Err(status),
        () = cancel.cancelled() => Ok(How::Cancelled),
        () = after(timeout) => Ok(How::TimedOut),
    };
    let (cut, status) = match cut {
        Err(status) => (None, status),
        Ok(cut) => (Some(cut), running.end(&mut child).await),
    };
    let status = status.map_err(ProcessError::Lost)?;
    running.is_over = true;
    let report = match running.control.take() {
        Some(control) => control.report().await,
        None => Ok(reported(status)),
    };
    running.sweep();
    // Everything that holds the pipe has ended; what has not, because nothing here could find it, is not waited for.
    match tokio::time::timeout(PATIENCE, reading).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::warn!(%error, "not all of a command's output was read"),
        Ok(Err(error)) => tracing::error!(%error, "the reader of a command's output broke down"),
        Err(_) => tracing::warn!("a command left something behind that holds its output"),
    }
    let how = match (cut, report) {
        (Some(cut), _) => cut,
        (None, Ok(Report::Exited(code))) => How::Exited(code),
        (None, Ok(Report::Signalled(signal))) => How::Signalled(signal),
        (None, Ok(Report::Failed(why))) => return Err(ProcessError::Sandbox(why)),
        (None, Err(error)) => {
            let said = lock(&output).text();
            let error = if said.trim().is_empty() { error } else { io::Error::other(said) };
            return Err(ProcessError::Lost(error));
        }
    };
    let output = lock(&output).text();
    Ok(Ended { how, output })
}

/// Locks what a command has said; nothing breaks down while it is held.
pub(super) fn lock(output: &Mutex<Output>) -> std::sync::MutexGuard<'_, Output> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start(order: &Order, output: OwnedFd, control: UnixStream) -> Result<Child, ProcessError> {
    let wrong = || ProcessError::Start(io::Error::from(io::ErrorKind::InvalidInput));
    let mut command = if let Some(helper) = &order.helper {
        let mut command = Command::new(helper);
        command.arg("sandbox-exec").stdin(OwnedFd::from(control));
        command
    } else {
        let (program, arguments) = order.spec.argv.split_first().ok_or_else(wrong)?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&order.spec.cwd).stdin(Stdio::null()).process_group(0);
        command
    };
    let twin = output.try_clone().map_err(ProcessError::Start)?;
    command.env_clear().envs(order.environment.iter().cloned()).stdout(output).stderr(twin);
    command.spawn().map_err(ProcessError::Start)
}

fn read(mut from: PipeReader, output: &Mutex<Output>) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => lock(output).push(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

async fn after(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// A command that runs. Dropped before its end it is ended.
struct Running {
    /// The process group of a command without helper, which is its process id.
    group: Option<u32>,
    control: Option<Control>,
    is_over: bool,
}

impl Running {
    /// Asks it to end, and ends it if it does not.
    async fn end(&mut self, child: &mut Child) -> io::Result<std::process::ExitStatus> {
        let patience = if let Some(control) = &self.control {
            control.ask_to_end();
            GRACE + PATIENCE
        } else {
            self.signal(rustix::process::Signal::TERM);
            GRACE
        };
        if let Ok(status) = tokio::time::timeout(patience, child.wait()).await {
            return status;
        }
        self.signal(rustix::process::Signal::KILL);
        child.start_kill()?;
        child.wait().await
    }

    /// Ends what a command without helper has left behind in its group.
    fn sweep(&self) {
        if self.control.is_none() {
            self.signal(rustix::process::Signal::KILL);
        }
    }

    /// Sends a signal to the group of a command without helper.
    fn signal(&self, signal: rustix::process::Signal) {
        let group = self.group.and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        let Some(group) = group else { return };
        if let Err(error) = rustix::process::kill_process_group(group, signal) {
            tracing::debug!(%error, "a process group has ended already");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The helper sees that the socket is closed, and ends everything.
        if !self.is_over && self.control.is_none() {
            self.signal(rustix::process::Signal::KILL);
        }
    }
}

/// Our end of the socket to the helper.
struct Control(tokio::net::UnixStream);

impl Control {
    /// Tells the helper what to do: once for the process that makes the namespaces, and once for the one inside.
    async fn begin(control: UnixStream, spec: Spec) -> io::Result<Self> {
        let control = tokio::task::spawn_blocking(move || {
            let mut control = control;
            let (one, two) = (spec::send(&mut control, &spec), spec::send(&mut control, &spec));
            // A helper that is not there any more has said why, or its exit does.
            for error in [one, two].into_iter().filter_map(Result::err) {
                tracing::debug!(%error, "the helper of a command does not listen");
            }
            control.set_nonblocking(true).map(|()| control)
        });
        let control = control.await.map_err(io::Error::other)??;
        Ok(Self(tokio::net::UnixStream::from_std(control)?))
    }

    fn ask_to_end(&self) {
        if let Err(error) = rustix::net::shutdown(&self.0, rustix::net::Shutdown::Write) {
            tracing::debug!(%error, "the helper of a command has ended already");
        }
    }

    async fn report(self) -> io::Result<Report> {
        let stream = self.0.into_std()?;
        stream.set_nonblocking(false)?;
        let read = move || spec::receive(&mut &stream);
        let report = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?;
        report.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::other("the process that runs it was killed"),
            _ => error,
        })
    }
}

fn reported(status: std::process::ExitStatus) -> Report {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => Report::Exited(code),
        (None, Some(signal)) => Report::Signalled(signal),
        (None, None) => Report::Failed("it has no exit status".to_owned()),
    }
}
