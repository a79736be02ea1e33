//! The log: lines to stderr that never make anybody wait.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

/// The environment variable that names the level: off, error, warn, info, debug or trace.
const LEVEL: &str = "KKCODE_LOG";

/// How many lines may wait for a client that does not read our stderr; further ones are lost.
const WAITING_LINES: usize = 1024;

/// How long the last lines may take.
const GRACE: Duration = Duration::from_millis(200);

/// Keeps the log going; [`Logging::finish`] writes what is left.
#[derive(Debug)]
pub(crate) struct Logging {
    lines: Lines,
    thread: JoinHandle<()>,
}

/// Starts the log, at level `warn` if `KKCODE_LOG` names no other.
///
/// A thread of its own writes it. stderr is often a pipe that the client forgets to read; once that is full, a line written
/// by a handler would block the server for good.
pub(crate) fn start() -> io::Result<Logging> {
    let level = std::env::var(LEVEL).ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::WARN);
    let (sender, receiver) = sync_channel(WAITING_LINES);
    let thread = std::thread::Builder::new().name("log".to_owned()).spawn(move || write(&receiver))?;
    let lines = Lines { sender };
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_max_level(level).with_writer(lines.clone());
    subscriber.init();
    Ok(Logging { lines, thread })
}

impl Logging {
    /// Waits, not long, until the lines so far are written.
    pub(crate) fn finish(self) {
        let deadline = Instant::now() + GRACE;
        // An empty line is the sign to end; a full channel means that nobody reads.
        if self.lines.sender.try_send(Vec::new()).is_ok() {
            while !self.thread.is_finished() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

fn write(lines: &Receiver<Vec<u8>>) {
    let mut stderr = io::stderr();
    while let Ok(line) = lines.recv() {
        if line.is_empty() || stderr.write_all(&line).is_err() {
            return;
        }
    }
}

/// Hands each line to the thread that writes; tracing-subscriber formats a line before it writes it, in one piece.
#[derive(Clone, Debug)]
struct Lines {
    sender: SyncSender<Vec<u8>>,
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.sender.try_send(line.to_vec()) {
            Ok(()) | Err(TrySendError::Full(_)) => Ok(line.len()),
            Err(TrySendError::Disconnected(_)) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
