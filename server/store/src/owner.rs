//! Which process a turn runs in, and whether that process is still there.

/// A process, told apart from a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub(crate) pid: u32,
    /// The boot and the moment it started at; empty where that cannot be known.
    pub(crate) start: String,
}

/// Returns the time since the machine was started, in milliseconds: sleep counts, and nobody can set it.
pub fn since_boot() -> i64 {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000)
    }
    #[cfg(not(target_os = "linux"))]
    crate::write::now()
}

impl Owner {
    /// Returns a process that runs.
    pub fn of(pid: u32) -> Option<Self> {
        Some(Self { pid, start: start_of(pid)? })
    }

    /// Makes a process of what was written down of it.
    pub fn with_start(pid: u32, start: &str) -> Self {
        Self { pid, start: start.to_owned() }
    }

    /// Returns the number of the process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns the process that we are.
    pub(crate) fn this_process() -> Self {
        let pid = std::process::id();
        Self { pid, start: start_of(pid).unwrap_or_default() }
    }

    /// Tells whether the process still runs. One that has ended and waits for its parent to notice does not.
    pub fn is_alive(&self) -> bool {
        if self.start.is_empty() {
            exists(self.pid)
        } else {
            start_of(self.pid).as_ref() == Some(&self.start)
        }
    }
}

/// Returns boot and start of a running process. Field 22 of `/proc/<pid>/stat` is the start in clock ticks since boot
/// (`proc_pid_stat(5)`); it alone could repeat after a reboot.
#[cfg(target_os = "linux")]
fn start_of(pid: u32) -> Option<String> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let ticks = ticks_of(&String::from_utf8_lossy(&stat))?.to_owned();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(format!("{}:{ticks}", boot.trim()))
}

#[cfg(not(target_os = "linux"))]
fn start_of(_pid: u32) -> Option<String> {
    None
}

/// Returns the start from the contents of `/proc/<pid>/stat`; none for a process that has ended.
#[cfg(target_os = "linux")]
fn ticks_of(stat: &str) -> Option<&str> {
    // The name of the program comes second, in parentheses, and may contain anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") { None } else { fields.nth(18) }
}

#[cfg(unix)]
fn exists(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| match rustix::process::test_kill_process(pid) {
        Ok(()) => true,
        Err(error) => error == rustix::io::Errno::PERM,
    })
}

/// Where nobody can be asked, a turn is left alone rather than ended under the feet of a running server.
#[cfg(not(unix))]
fn exists(_pid: u32) -> bool {
    true
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
