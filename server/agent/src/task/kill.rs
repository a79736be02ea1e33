//! How a worker is ended with all its processes, and nobody else: by identity, never by number alone.
//!
//! Its processes are those below it, those of its session, and those that have its token in their environment, wherever they
//! have gone. They are stopped first, so that none makes another one meanwhile, and then killed, until there are none.

use kkcode_store::Owner;

/// How often is looked for more.
const ROUNDS: usize = 50;

/// Asks a worker to end.
#[cfg(unix)]
pub(super) fn ask_to_end(owner: &Owner) {
    use rustix::process::{Signal, kill_process};
    let Some(pid) = pid(owner.pid()).filter(|_| owner.is_alive()) else { return };
    if let Err(error) = kill_process(pid, Signal::TERM) {
        tracing::info!(%error, "a worker could not be asked to end");
    }
}

#[cfg(not(unix))]
pub(super) fn ask_to_end(_owner: &Owner) {}

/// Kills a worker, when it is there, and all its processes. Blocks.
pub(super) fn all_of(owner: &Owner, token: &str) {
    kill_all(|| {
        let leader = owner.is_alive().then(|| owner.pid());
        processes::of(leader, token)
    });
}

/// Kills what is left of the processes of this worker, but not the worker itself. Blocks.
pub(crate) fn leftovers(token: &str) {
    let us = std::process::id();
    kill_all(|| {
        let mut found = processes::of(Some(us), token);
        found.retain(|pid| *pid != us);
        found
    });
}

#[cfg(unix)]
fn kill_all(find: impl Fn() -> Vec<u32>) {
    use rustix::process::{Signal, kill_process};
    for _ in 0..ROUNDS {
        let found = find();
        if found.is_empty() {
            return;
        }
        for signal in [Signal::STOP, Signal::KILL] {
            for pid in found.iter().filter_map(|found| pid(*found)) {
                // Some may have ended meanwhile, which is all we want.
                let _ended = kill_process(pid, signal);
            }
        }
        std::thread::yield_now();
    }
    tracing::warn!("processes of a worker are left");
}

#[cfg(not(unix))]
fn kill_all(_find: impl Fn() -> Vec<u32>) {}

#[cfg(unix)]
fn pid(pid: u32) -> Option<rustix::process::Pid> {
    i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw)
}

#[cfg(target_os = "linux")]
mod processes {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;

    use crate::task::launch::TOKEN;

    /// What `/proc` says of a process.
    struct Process {
        parent: u32,
        session: u32,
    }

    /// Returns the worker, the processes below it, those of its session, and those with its token. Those that have ended and
    /// wait for their parent are left out.
    pub(super) fn of(leader: Option<u32>, token: &str) -> Vec<u32> {
        let all = all();
        let entry = format!("{TOKEN}={token}");
        let has_token = |pid: u32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == entry.as_bytes())
        };
        let mut found: BTreeSet<u32> = all
            .iter()
            .filter(|(pid, process)| {
                Some(**pid) == leader || Some(process.session) == leader || has_token(**pid)
            })
            .map(|(pid, _)| *pid)
            .collect();
        loop {
            let below =
                all.iter().filter(|(_, process)| found.contains(&process.parent)).map(|(pid, _)| *pid);
            let below: Vec<u32> = below.filter(|pid| !found.contains(pid)).collect();
            if below.is_empty() {
                return found.into_iter().collect();
            }
            found.extend(below);
        }
    }

    fn all() -> BTreeMap<u32, Process> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(|pid: u32| Some((pid, process(pid)?))).collect()
    }

    fn process(pid: u32) -> Option<Process> {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let stat = String::from_utf8_lossy(&stat);
        // The name of the program comes second, in parentheses, and may contain anything.
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        if matches!(fields.next()?, "Z" | "X" | "x") {
            return None;
        }
        let (parent, session) = (fields.next()?, fields.nth(1)?);
        Some(Process { parent: parent.parse().ok()?, session: session.parse().ok()? })
    }
}

/// Elsewhere the group that the worker leads has to do.
#[cfg(not(target_os = "linux"))]
mod processes {
    pub(super) fn of(leader: Option<u32>, _token: &str) -> Vec<u32> {
        leader.into_iter().collect()
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Child, Command, Stdio};

    use super::*;
    use crate::task::launch::TOKEN;

    /// Starts a shell that says when it is ready, and leads a session of its own.
    fn shell(script: &str, token: &str) -> Child {
        let mut child = Command::new("setsid")
            .args(["bash", "-c", script])
            .env(TOKEN, token)
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        child
    }

    fn owner(pid: u32) -> Owner {
        Owner::of(pid).unwrap()
    }

    #[test]
    fn whoever_ignores_signals_or_goes_away_is_found() {
        let script = "trap '' TERM; setsid sleep 999 & (setsid sleep 999 &) ; (trap '' TERM HUP; sleep 999) & \
                      echo ready; exec >&-; sleep 999; sleep 999";
        let mut child = shell(script, "worker_gone");
        all_of(&owner(child.id()), "worker_gone");
        assert!(!child.wait().unwrap().success());
        assert_eq!(processes::of(None, "worker_gone"), Vec::<u32>::new());
    }

    #[test]
    fn what_a_dead_worker_left_is_found_by_its_token() {
        let mut child =
            shell("(setsid sleep 999 &); (sleep 999 &); echo ready; exec >&-; sleep 999", "worker_dead");
        let owner = owner(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!processes::of(None, "worker_dead").is_empty());
        all_of(&owner, "worker_dead");
        assert_eq!(processes::of(None, "worker_dead"), Vec::<u32>::new());
    }

    #[test]
    fn somebody_else_with_the_number_is_left_alone() {
        let mut innocent = shell("echo ready; exec >&-; sleep 999", "worker_other");
        let was = Owner::with_start(innocent.id(), "another boot:1");
        all_of(&was, "worker_mine");
        ask_to_end(&was);
        assert!(innocent.try_wait().unwrap().is_none());
        innocent.kill().unwrap();
        innocent.wait().unwrap();
        all_of(&was, "worker_other");
    }
}
