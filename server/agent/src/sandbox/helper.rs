//! The helper process: makes the bounds around itself, then runs the command inside them.

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitCode};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, Resource, Rlimit, Signal, pidfd_open, set_child_subreaper,
    set_dumpable_behavior, set_parent_process_death_signal, setrlimit, setsid,
};

use super::{bubblewrap, capabilities, landlock, mounts, namespaces, seccomp, supervise};
use crate::process::{Namespaces, Report, Spec, receive, send};

/// How long the process inside may take to end everything, beyond the command's own time.
const PATIENCE: Duration = supervise::BURIAL.saturating_add(Duration::from_secs(1));

/// Which of the two processes of the helper this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The one that is started: it makes the namespaces.
    Outside,
    /// The one that is first in the namespaces: it runs the command.
    Inside,
}

/// Runs the command that comes over the socket at standard input, within its bounds, and reports over the same socket what came of
/// it. When the other end closes it, the command is ended with all that it has started.
///
/// Must be called before the process has a second thread.
pub fn helper(stage: Stage) -> ExitCode {
    let control = match io::stdin().as_fd().try_clone_to_owned() {
        Ok(control) => UnixStream::from(control),
        Err(error) => {
            tracing::error!(%error, "sandbox-exec has no socket at standard input");
            return ExitCode::FAILURE;
        }
    };
    let report = match stage {
        Stage::Outside => outside(&control),
        Stage::Inside => inside(&control).map(Some),
    };
    let report = report.unwrap_or_else(|why| Some(Report::Failed(why)));
    if let Some(report) = report
        && let Err(error) = send(&mut &control, &report)
    {
        tracing::debug!(%error, "nobody wants to know what came of the command");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Makes the namespaces, and starts the process inside them, which reports. Without namespaces it is that process itself.
fn outside(control: &UnixStream) -> Result<Option<Report>, String> {
    let spec: Spec =
        receive(&mut &*control).map_err(|error| format!("the command does not come: {error}"))?;
    setsid().map_err(|error| format!("no session of its own: {error}"))?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(|error| format!("no limit for core files: {error}"))?;
    let Some(confine) = &spec.confine else { return inside(control).map(Some) };
    let sockets = mounts::sockets();
    let mut inner = match confine.namespaces {
        Namespaces::Own => {
            namespaces::enter(confine)?;
            mounts::make(&spec, confine, &sockets)?;
            namespaces::keep_capabilities()?;
            Command::new("/proc/self/exe")
        }
        Namespaces::Bubblewrap => bubblewrap::command(&spec, confine, &sockets)?,
        // Out of reach for what is inside, it finds all that is left there.
        Namespaces::None => {
            adopt_orphans()?;
            Command::new("/proc/self/exe")
        }
    };
    let inner = inner.args(["sandbox-exec", "--inside"]).spawn();
    let mut inner = inner.map_err(|error| format!("the process inside was not started: {error}"))?;
    attend(&mut inner, control).map_err(|error| format!("the process inside is lost: {error}"))?;
    supervise::end_the_rest();
    Ok(None)
}

fn adopt_orphans() -> Result<(), String> {
    let own = Some(rustix::process::getpid());
    set_child_subreaper(own).map_err(|error| format!("orphans would get away: {error}"))
}

/// Waits until the process inside has ended. When nobody wants it any more it has some time to end everything.
fn attend(inner: &mut Child, control: &UnixStream) -> io::Result<()> {
    let pid = i32::try_from(inner.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    let ended = PollFd::new(&pidfd, PollFlags::IN);
    let mut both = [ended.clone(), PollFd::new(control, PollFlags::RDHUP)];
    while poll(&mut both, None) == Err(rustix::io::Errno::INTR) {}
    let [ended, _] = &both;
    if ended.revents().is_empty() {
        let patience = supervise::GRACE + PATIENCE;
        let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
        if poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&patience))? == 0 {
            inner.kill()?;
        }
    }
    inner.wait().map(drop)
}

/// Takes on the bounds, and runs the command.
fn inside(control: &UnixStream) -> Result<Report, String> {
    let spec: Spec =
        receive(&mut &*control).map_err(|error| format!("the command does not come: {error}"))?;
    let failed = |what: &'static str| move |error| format!("{what}: {error}");
    let namespaces = spec.confine.as_ref().map_or(Namespaces::None, |confine| confine.namespaces);
    if namespaces == Namespaces::None {
        adopt_orphans()?;
    } else {
        set_parent_process_death_signal(Some(Signal::KILL)).map_err(failed("it would outlive its parent"))?;
    }
    if namespaces == Namespaces::Own {
        namespaces::finish()?;
    }
    if let Some(confine) = &spec.confine {
        capabilities::drop_all()?;
        landlock::restrict(confine)?;
        seccomp::restrict(confine)?;
    }
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(failed("the helper cannot be kept apart"))?;
    supervise::run(&spec, control)
}
