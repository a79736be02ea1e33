//! Which process holds the write lock of the database, so that whoever waits in vain can say whom for.

use std::fmt;
use std::path::Path;

use crate::owner::Owner;

/// How much of a command line is shown, in characters.
#[cfg(target_os = "linux")]
const SHOWN: usize = 80;

/// A process that holds the write lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// The process.
    pub owner: Owner,
    /// Whether it is stopped, so that it will not let go by itself.
    pub is_stopped: bool,
    /// What it was started as; empty when nobody may know.
    command: String,
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pid = self.owner.pid();
        write!(f, "process {pid}")?;
        if !self.command.is_empty() {
            write!(f, " (`{}`)", self.command)?;
        }
        if self.is_stopped {
            write!(f, ", which is stopped: let it go on with `kill -CONT {pid}`, or end it")
        } else {
            f.write_str("; try again in a moment")
        }
    }
}

/// Says who uses a database that could not be written.
pub(crate) fn user(writer: Option<&Writer>) -> String {
    writer.map_or_else(|| "another kkcode process; try again in a moment".to_owned(), ToString::to_string)
}

/// Returns the other process that is writing a database now. Only looks: to open and close the file, or its shared memory, by
/// hand would drop all locks that this process has on it. None where the database has no write-ahead log.
#[cfg(target_os = "linux")]
pub(crate) fn of(database: &Path) -> Option<Writer> {
    let mut shared_memory = database.as_os_str().to_owned();
    shared_memory.push("-shm");
    let shared_memory = locks::File::of(Path::new(&shared_memory))?;
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let holder = |pid: &u32| *pid != std::process::id() && shared_memory.is_open_in(*pid);
    let pid = locks::writers(&locks, shared_memory.inode).find(holder)?;
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let is_stopped = stat.rsplit_once(')')?.1.trim_start().starts_with(['T', 't']);
    let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let command: Vec<_> = command
        .split(|byte| *byte == 0)
        .filter(|argument| !argument.is_empty())
        .map(String::from_utf8_lossy)
        .collect();
    let command = command.join(" ").chars().filter(|character| !character.is_control()).take(SHOWN).collect();
    Some(Writer { owner: Owner::of(pid)?, is_stopped, command })
}

/// Elsewhere nobody says who has a lock.
#[cfg(not(target_os = "linux"))]
pub(crate) fn of(_database: &Path) -> Option<Writer> {
    None
}

#[cfg(target_os = "linux")]
mod locks {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    /// The byte of the shared memory that a writer locks: `WAL_WRITE_LOCK`, see <https://sqlite.org/walformat.html>,
    /// section 2.3.1.
    const WRITE_LOCK: u64 = 120;

    pub(super) struct File {
        device: u64,
        pub(super) inode: u64,
    }

    impl File {
        pub(super) fn of(path: &Path) -> Option<Self> {
            let metadata = fs::metadata(path).ok()?;
            Some(Self { device: metadata.dev(), inode: metadata.ino() })
        }

        /// Tells whether a process has it open. The devices of `/proc/locks` are not everywhere those of stat(2).
        pub(super) fn is_open_in(&self, pid: u32) -> bool {
            let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            let mut open = open.filter_map(|entry| Self::of(&entry.path()));
            open.any(|file| (file.device, file.inode) == (self.device, self.inode))
        }
    }

    /// Returns the processes that have the write lock of a file with this number, of what `/proc/locks` says
    /// (`proc_locks(5)`). Those that wait for it have an arrow in their line.
    pub(super) fn writers(locks: &str, inode: u64) -> impl Iterator<Item = u32> {
        locks.lines().filter_map(move |line| {
            let mut fields = line.split_ascii_whitespace().skip(1);
            let is_ours = fields.next()? == "POSIX" && fields.nth(1)? == "WRITE";
            let pid = fields.next()?.parse().ok()?;
            let file: u64 = fields.next()?.rsplit(':').next()?.parse().ok()?;
            let (first, last): (u64, &str) = (fields.next()?.parse().ok()?, fields.next()?);
            let last = last.parse().unwrap_or(u64::MAX);
            (is_ours && inode == file && (first..=last).contains(&WRITE_LOCK)).then_some(pid)
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn who_locks_the_byte_of_the_writer_is_found() {
        let locks = "1: FLOCK  ADVISORY  WRITE 10 fe:00:7 0 EOF
2: POSIX  ADVISORY  READ  11 fe:00:7 120 120
3: POSIX  ADVISORY  WRITE 12 fe:00:8 120 120
4: POSIX  ADVISORY  WRITE 13 fe:00:7 121 127
5: POSIX  ADVISORY  WRITE 14 fe:00:7 120 121
5: -> POSIX  ADVISORY  WRITE 15 fe:00:7 120 120
6: POSIX  ADVISORY  WRITE 16 00:2f:7 0 EOF
a line of tomorrow";
        assert_eq!(locks::writers(locks, 7).collect::<Vec<_>>(), [14, 16]);
    }

    #[test]
    fn a_stopped_writer_is_named_with_what_helps() {
        let owner = Owner::with_start(12, "boot:1");
        let writer = Writer { owner, is_stopped: true, command: "kkcode-lsp worker task_1".to_owned() };
        let said = "process 12 (`kkcode-lsp worker task_1`), which is stopped: let it go on with `kill -CONT 12`, or end it";
        assert_eq!(user(Some(&writer)), said);
        assert_eq!(user(None), "another kkcode process; try again in a moment");
    }
}
