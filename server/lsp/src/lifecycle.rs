//! When the server ends, and with which exit code.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

use crate::client::Client;

/// How long the last messages, and the server's own stop, may take.
const GRACE: Duration = Duration::from_millis(200);

/// Why the server ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The client sent `exit`.
    Exit {
        /// Whether a `shutdown` request came before.
        after_shutdown: bool,
    },
    /// The client closed our input.
    InputClosed {
        /// Whether a `shutdown` request came before.
        after_shutdown: bool,
    },
    /// The input makes no sense any more, and why.
    Unreadable(String),
    /// The client no longer takes our output, and why.
    OutputClosed(String),
    /// The process that started us is gone, by the id it named.
    ClientGone(u32),
    /// The user or the system asked us to stop, by this signal.
    Signal(&'static str),
    /// A thread of the connection itself panicked.
    Crashed,
}

impl Ending {
    /// Returns the exit code: 0 for an end that was asked for in the right way, as LSP 3.17 wants it (`exit`).
    ///
    /// A signal counts as asked for: Neovim stops a slow server with SIGTERM and warns the user of any other code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Exit { after_shutdown: true }
            | Self::InputClosed { after_shutdown: true }
            | Self::Signal(_) => 0,
            Self::Crashed => 101,
            _ => 1,
        }
    }
}

/// Runs `server` on a runtime of its own and returns the exit code of the process.
///
/// The runtime is left behind, not joined: it would wait for every blocking operation, however long, also after a panic
/// that unwinds to here, and leave a process that does nothing. The thread that reads stdin ends with the process.
pub(crate) fn run(server: impl Future<Output = u8>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot start the runtime");
            return ExitCode::FAILURE;
        }
    };
    let code = catch_unwind(AssertUnwindSafe(|| runtime.block_on(server)));
    runtime.shutdown_background();
    ExitCode::from(code.unwrap_or(Ending::Crashed.code()))
}

/// Runs a part of the connection on a thread of its own, in the context of the current runtime.
///
/// The receiver fails if the thread panics or cannot be started.
pub(crate) fn thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> oneshot::Receiver<T> {
    let (sender, receiver) = oneshot::channel();
    let runtime = Handle::current();
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _context = runtime.enter();
        // After the first reason to end nobody asks for another one.
        drop(sender.send(work()));
    });
    if let Err(error) = spawned {
        tracing::error!(name, %error, "cannot start a thread");
    }
    receiver
}

/// Waits for the first reason to end, then lets the server stop and the last messages be written, and returns the exit code.
///
/// `stop` is the server's own end: what it has to write down, in 200 ms at most.
pub(crate) async fn supervise(
    reader: oneshot::Receiver<Ending>,
    mut writer: oneshot::Receiver<io::Result<()>>,
    client: Client,
    client_process: watch::Receiver<Option<u32>>,
    stop: impl Future<Output = ()>,
) -> u8 {
    let ending = tokio::select! {
        ending = reader => ending.unwrap_or(Ending::Crashed),
        written = &mut writer => written.map_or(Ending::Crashed, output_closed),
        process = client_gone(client_process) => Ending::ClientGone(process),
        signal = stop_signal() => Ending::Signal(signal),
    };
    if ending.code() == 0 {
        tracing::info!(?ending, "the server ends");
    } else {
        tracing::error!(?ending, "the server ends");
    }
    if tokio::time::timeout(GRACE, stop).await.is_err() {
        tracing::warn!("the server did not stop in time");
    }
    client.close();
    if !writer.is_terminated() && tokio::time::timeout(GRACE, writer).await.is_err() {
        tracing::warn!("the client did not take the last messages");
    }
    ending.code()
}

/// Logs panics as errors: stderr belongs to the log, and stdout to the client.
pub(crate) fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let message = message(panic.payload());
        let backtrace = std::backtrace::Backtrace::capture();
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(thread = thread.name(), location, %backtrace, "panic: {message}");
    }));
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

fn output_closed(written: io::Result<()>) -> Ending {
    Ending::OutputClosed(written.err().map(|error| error.to_string()).unwrap_or_default())
}

/// Returns the client's process id once it is known and that process has ended.
async fn client_gone(mut process: watch::Receiver<Option<u32>>) -> u32 {
    loop {
        let id = *process.borrow_and_update();
        tokio::select! {
            gone = ended(id) => return gone,
            // Without a sender nothing new comes, and the first branch goes on.
            Ok(()) = process.changed() => {}
        }
    }
}

async fn ended(id: Option<u32>) -> u32 {
    match id {
        Some(id) if process_ended(id).await => id,
        _ => std::future::pending().await,
    }
}

/// Waits until the process has ended; returns `false` at once if that cannot be known.
#[cfg(target_os = "linux")]
async fn process_ended(id: u32) -> bool {
    use rustix::process::{PidfdFlags, pidfd_open};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    #[expect(deprecated, reason = "the replacement is unsafe; what it asks for, an OwnedFd gives")]
    let watch = |process| AsyncFd::with_interest(process, Interest::READABLE);
    let Some(pid) = pid(id) else { return false };
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(process) => match watch(process) {
            // Readable means ended, also while the parent has not yet collected it.
            Ok(process) => process.readable().await.is_ok(),
            Err(_) => poll_process(pid).await,
        },
        Err(rustix::io::Errno::SRCH) => true,
        // Before Linux 5.3, or forbidden in a container.
        Err(_) => poll_process(pid).await,
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
async fn process_ended(id: u32) -> bool {
    match pid(id) {
        Some(pid) => poll_process(pid).await,
        None => false,
    }
}

/// Elsewhere the end of the input has to do.
#[cfg(not(unix))]
async fn process_ended(_: u32) -> bool {
    false
}

#[cfg(unix)]
fn pid(id: u32) -> Option<rustix::process::Pid> {
    i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw)
}

#[cfg(unix)]
async fn poll_process(pid: rustix::process::Pid) -> bool {
    while rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH) {
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    true
}

/// Returns the name of the first signal that asks us to stop.
#[cfg(unix)]
async fn stop_signal() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};

    let wait = async |kind: SignalKind| match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(error) => {
            tracing::warn!(%error, "cannot listen to a signal");
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = wait(SignalKind::terminate()) => "SIGTERM",
        () = wait(SignalKind::interrupt()) => "SIGINT",
        () = wait(SignalKind::hangup()) => "SIGHUP",
    }
}

#[cfg(not(unix))]
async fn stop_signal() -> &'static str {
    match tokio::signal::ctrl_c().await {
        Ok(()) => "ctrl-c",
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
