//! Runs the command beside its helper, and ends whatever it leaves behind.

use std::fs;
use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, kill_process_group, wait};

use crate::process::{Report, Spec};

/// How long a command has between being asked to end and being ended.
pub(super) const GRACE: Duration = crate::process::GRACE;

/// How long killed processes have to be gone: on a busy machine, or in the middle of a write, one takes its time.
pub(super) const BURIAL: Duration = Duration::from_secs(5);

/// How long is waited before it is looked again for processes that are left: at first, and at most.
const ROUND: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(50)];

/// Runs the command to its end, or to the moment when the other end of `control` is closed.
pub(super) fn run(spec: &Spec, control: &UnixStream) -> Result<Report, String> {
    let (program, arguments) = spec.argv.split_first().ok_or("there is no command")?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&spec.cwd).stdin(Stdio::null());
    let child = std::os::unix::process::CommandExt::process_group(&mut command, 0).spawn();
    let child =
        child.map_err(|error| format!("{program} was not started in {}: {error}", spec.cwd.display()))?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or("the command has no id")?;
    let over = Arc::new(AtomicBool::new(false));
    let watched = control.try_clone().map_err(|error| error.to_string())?;
    let watcher = std::thread::Builder::new().spawn({
        let over = over.clone();
        move || end_when_closed(watched, pid, &over)
    });
    drop(watcher.map_err(|error| format!("nobody would end the command: {error}"))?);
    let report = wait_for(pid);
    over.store(true, Ordering::SeqCst);
    end_the_rest();
    report
}

/// Waits until nobody wants the command any more, and ends its group.
fn end_when_closed(mut control: UnixStream, group: Pid, over: &AtomicBool) {
    let mut byte = [0];
    while control.read(&mut byte).is_ok_and(|count| count > 0) {}
    for signal in [Signal::TERM, Signal::KILL] {
        if over.load(Ordering::SeqCst) {
            return;
        }
        // It has ended in this moment, or there is nothing that could be done.
        let _ended = kill_process_group(group, signal);
        std::thread::sleep(GRACE);
    }
}

/// Waits for the command, and buries the orphans that come to us.
fn wait_for(command: Pid) -> Result<Report, String> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == command => return Ok(report(status)),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(format!("what became of the command is not known: {error}")),
        }
    }
}

fn report(status: WaitStatus) -> Report {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Report::Exited(code),
        (None, Some(signal)) => Report::Signalled(signal),
        (None, None) => Report::Failed("the command has no exit status".to_owned()),
    }
}

/// Ends all that has been started by this process or what it started, whatever session or group it is in: all orphans come to this process. They are stopped
/// first, so that none starts another one meanwhile.
pub(super) fn end_the_rest() {
    let [mut pause, longest] = ROUND;
    let begun = Instant::now();
    while begun.elapsed() < BURIAL {
        let rest = descendants();
        for signal in [Signal::STOP, Signal::KILL] {
            for pid in &rest {
                // One that has ended in this moment is what is wanted.
                let _ended = kill_process(*pid, signal);
            }
        }
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) => {}
                Err(Errno::CHILD) => return,
                // Killed processes take a moment to end, and to become ours.
                _ => break,
            }
        }
        std::thread::sleep(pause);
        pause = longest.min(pause * 2);
    }
}

/// Returns all processes that descend from this one.
fn descendants() -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    let mut others: Vec<(Pid, Pid)> = pids.filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let (mut found, mut of) = (Vec::new(), vec![getpid()]);
    while !of.is_empty() {
        let (children, rest): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|(_, parent)| of.contains(parent));
        others = rest;
        of = children.into_iter().map(|(pid, _)| pid).collect();
        found.extend(&of);
    }
    found
}

/// Returns the parent of a process, field 4 of proc(5) `stat`; the name before it may hold anything.
fn parent(pid: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    Pid::from_raw(fields.split_whitespace().nth(1)?.parse().ok()?)
}
