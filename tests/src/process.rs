//! A child process that cannot outlive its test.

use std::io::{BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use crate::DEADLINE;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, signal) => Self::Signal(signal.unwrap_or_default()),
        }
    }
}

/// A running child; its end is awaited by a thread of its own.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    ended: Arc<(Mutex<Option<Ended>>, Condvar)>,
    input: Input,
    errors: Arc<(Mutex<Errors>, Condvar)>,
    /// Open, and never read.
    _held_errors: Option<ChildStderr>,
}

impl Process {
    /// Starts a child and returns its stdout beside it; stderr is collected, unless it is to be held unread.
    pub(crate) fn start(command: &mut Command, errors_held: bool) -> (Self, BufReader<ChildStdout>) {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let input = Input::new(child.stdin.take().expect("stdin is piped"));
        let mut stderr = child.stderr.take();
        let held_errors = if errors_held { stderr.take() } else { None };
        let errors = stderr.map(collect).unwrap_or_default();
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        let ended = Arc::<(Mutex<Option<Ended>>, Condvar)>::default();
        let process = Self { pid, ended: Arc::clone(&ended), input, errors, _held_errors: held_errors };
        thread::spawn(move || wait(child, &ended));
        (process, output)
    }

    /// Returns the process id.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Returns the way to the child's stdin.
    pub(crate) fn input(&self) -> &Input {
        &self.input
    }

    /// Sends a signal, unless the process has ended.
    pub(crate) fn signal(&self, signal: Signal) {
        let ended = lock(&self.ended.0);
        if ended.is_none() {
            // It may end at this very moment; then there is nothing to signal.
            kill_process(self.pid, signal).ok();
        }
    }

    /// Returns how the process ended, if it did.
    pub(crate) fn ended(&self) -> Option<Ended> {
        *lock(&self.ended.0)
    }

    /// Waits for the end; `None` if it does not come.
    pub(crate) fn wait(&self) -> Option<Ended> {
        let (ended, changed) = &*self.ended;
        let waited = changed.wait_timeout_while(lock(ended), DEADLINE, |ended| ended.is_none());
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Returns what the process has written to stderr so far.
    pub(crate) fn errors(&self) -> String {
        lock(&self.errors.0).text()
    }

    /// Waits until stderr has `text` in it; returns whether it does.
    pub(crate) fn wait_for_error(&self, text: &str) -> bool {
        let (errors, changed) = &*self.errors;
        let missing = |errors: &mut Errors| !errors.ended && !errors.text().contains(text);
        let waited = changed.wait_timeout_while(lock(errors), DEADLINE, missing);
        waited.unwrap_or_else(PoisonError::into_inner).0.text().contains(text)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

fn wait(mut child: Child, ended: &(Mutex<Option<Ended>>, Condvar)) {
    let status = child.wait().expect("a child can be waited for");
    *lock(&ended.0) = Some(status.into());
    ended.1.notify_all();
}

/// What was written to stderr.
#[derive(Debug, Default)]
struct Errors {
    bytes: Vec<u8>,
    ended: bool,
}

impl Errors {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

fn collect(mut stderr: ChildStderr) -> Arc<(Mutex<Errors>, Condvar)> {
    let collected = Arc::<(Mutex<Errors>, Condvar)>::default();
    let into = Arc::clone(&collected);
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = stderr.read(&mut chunk) {
            lock(&into.0).bytes.extend(chunk.iter().take(read));
            into.1.notify_all();
        }
        lock(&into.0).ended = true;
        into.1.notify_all();
    });
    collected
}

/// What the thread that writes is asked to do.
#[derive(Debug)]
enum Work {
    Write(Vec<u8>),
    Tell(Sender<()>),
}

/// The stdin of a child; clones share it. A thread writes, so that a child that does not read blocks no test.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    /// Gone once the input is closed.
    thread: Arc<Mutex<Option<Sender<Work>>>>,
}

impl Input {
    fn new(mut stdin: ChildStdin) -> Self {
        let (sender, receiver) = channel();
        thread::spawn(move || {
            while let Ok(work) = receiver.recv() {
                match work {
                    Work::Write(bytes) => {
                        if stdin.write_all(&bytes).and_then(|()| stdin.flush()).is_err() {
                            return;
                        }
                    }
                    // Nobody may be waiting any more.
                    Work::Tell(taken) => drop(taken.send(())),
                }
            }
        });
        Self { thread: Arc::new(Mutex::new(Some(sender))) }
    }

    /// Writes after everything before; does nothing once the input is closed.
    pub(crate) fn write(&self, bytes: Vec<u8>) {
        if let Some(thread) = &*lock(&self.thread) {
            // The thread is gone if the child no longer reads; its end says why.
            drop(thread.send(Work::Write(bytes)));
        }
    }

    /// Waits until everything before is in the pipe, which holds 64 KiB on Linux; returns whether it is.
    pub(crate) fn wait_taken(&self) -> bool {
        let (sender, taken) = channel();
        if let Some(thread) = &*lock(&self.thread) {
            drop(thread.send(Work::Tell(sender)));
        }
        taken.recv_timeout(DEADLINE).is_ok()
    }

    /// Closes the input once everything before is written.
    pub(crate) fn close(&self) {
        drop(lock(&self.thread).take());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
