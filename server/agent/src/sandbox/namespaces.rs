//! Namespaces of its own for a command: users, mounts, processes, messages and, without network, the network.

use std::fs;

use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountFlags, mount};
use rustix::process::{getegid, geteuid};
use rustix::thread::{CapabilitySet, capabilities, configure_capability_in_ambient_set, set_capabilities};

use super::loopback;
use crate::process::Confine;

/// The most processes in a namespace, where the kernel counts them there: stops a bomb long before the machine is full.
const MOST_PROCESSES: u32 = 8192;

/// What the process inside needs until it has finished the namespaces.
const NEEDED_INSIDE: [CapabilitySet; 2] = [CapabilitySet::SYS_ADMIN, CapabilitySet::SETPCAP];

/// Enters new namespaces; the next child is the first process in them.
pub(super) fn enter(confine: &Confine) -> Result<(), String> {
    let mut wanted = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWIPC;
    if !confine.network {
        wanted |= CloneFlags::CLONE_NEWNET;
    }
    let (user, group) = (geteuid(), getegid());
    // Root with all its powers needs no user namespace, in which the files of all others would belong to nobody.
    let as_root = user.is_root() && unshare(wanted).is_ok();
    if !as_root {
        unshare(wanted | CloneFlags::CLONE_NEWUSER).map_err(|error| format!("no namespaces: {error}"))?;
        let put = |name: &str, text: String| {
            fs::write(format!("/proc/self/{name}"), text)
                .map_err(|error| format!("no user namespace: {name}: {error}"))
        };
        put("setgroups", "deny".to_owned())?;
        put("uid_map", format!("{user} {user} 1", user = user.as_raw()))?;
        put("gid_map", format!("{group} {group} 1", group = group.as_raw()))?;
    }
    if !confine.network {
        loopback::bring_up().map_err(|error| format!("no loopback device: {error}"))?;
    }
    Ok(())
}

/// Keeps the powers over the new namespaces for the process inside, which is not root in them.
pub(super) fn keep_capabilities() -> Result<(), String> {
    let failed = |error| format!("no capabilities for the process inside: {error}");
    let mut sets = capabilities(None).map_err(failed)?;
    for capability in NEEDED_INSIDE {
        sets.inheritable |= capability;
    }
    set_capabilities(None, sets).map_err(failed)?;
    for capability in NEEDED_INSIDE {
        configure_capability_in_ambient_set(capability, true).map_err(failed)?;
    }
    Ok(())
}

/// Finishes the namespaces from inside: shows the command its own processes alone.
pub(super) fn finish() -> Result<(), String> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", "/proc", "proc", flags, None).map_err(|error| format!("no /proc of its own: {error}"))?;
    if counts_processes_by_namespace()
        && let Err(error) = fs::write("/proc/sys/kernel/pid_max", MOST_PROCESSES.to_string())
    {
        tracing::debug!(%error, "the processes of a command are not bounded");
    }
    Ok(())
}

/// Tells whether `pid_max` is that of the namespace; before Linux 6.14 it is the whole machine's.
fn counts_processes_by_namespace() -> bool {
    let name = rustix::system::uname();
    let mut numbers = name.release().to_str().unwrap_or_default().split(['.', '-']);
    let mut next = || numbers.next().and_then(|number| number.parse::<u32>().ok()).unwrap_or(0);
    (next(), next()) >= (6, 14)
}
