//! Opening the database: what must be true of its folder, its file and SQLite itself before anything is read or written.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{Failure, StoreError};
use crate::schema;

/// How long we wait for other processes.
const PATIENCE: Duration = Duration::from_secs(2);

/// SQLite from 3.7.0 to 3.51.2 can corrupt a file in WAL mode when one connection writes while another checkpoints
/// (<https://sqlite.org/wal.html>, "The WAL-Reset Bug").
const OLDEST_SQLITE: i32 = 3_051_003;

/// How large a database is looked through before it is used: what takes some hundredths of a second. Damage in a larger
/// one is found by what reads it.
const CHECKED_BYTES: u64 = 32 << 20;

/// What is said of a database that we did not write: it is whole, and nobody moves it.
pub(crate) const STRANGER: &str = "it is the database of another program";

/// An open database.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) id: FileId,
}

/// Tells whether a name still stands for the same file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId(u64, u64);

impl FileId {
    /// Returns which file a name stands for. Only looks at it: to open and close the file by hand would drop all locks
    /// that this process has on it.
    pub(crate) fn of(file: &Path) -> Option<Self> {
        let metadata = fs::metadata(file).ok()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            Some(Self(metadata.dev(), metadata.ino()))
        }
        #[cfg(not(unix))]
        {
            // Elsewhere a file that is open cannot be deleted.
            let _present = metadata;
            Some(Self(0, 0))
        }
    }
}

/// Opens the database of a home; makes both where they are missing.
pub(crate) fn open(home: &Path, file: &Path) -> Result<Opened, StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        let reason = format!("SQLite {} can corrupt it; 3.51.3 or newer is needed", rusqlite::version());
        return Err(StoreError::io(file, &reason));
    }
    make_home(home)?;
    open_on(file, network_filesystem(home))
}

/// Opens a database of which it is known whether it lies on a network file system, and on which.
pub(crate) fn open_on(file: &Path, network: Option<&'static str>) -> Result<Opened, StoreError> {
    if fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(StoreError::io(file, &"it is not a file"));
    }
    let is_new = fs::metadata(file).map_or(true, |metadata| metadata.len() == 0);
    #[cfg(unix)]
    give_log_the_mode_of(file);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection =
        Connection::open_with_flags(file, flags).map_err(|error| Failure::Sqlite(error).of(file))?;
    if is_new {
        for_us_only(file)?;
    }
    let prepared = prepare(&mut connection, file, network);
    if prepared.is_err() {
        // What is refused is left as it is, the log of a newer version too.
        connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .map_err(|error| Failure::Sqlite(error).of(file))?;
    }
    prepared.map_err(|failure| failure.of(file))?;
    let id = FileId::of(file).ok_or_else(|| StoreError::io(file, &"it was deleted a moment ago"))?;
    Ok(Opened { connection, id })
}

fn prepare(connection: &mut Connection, file: &Path, network: Option<&'static str>) -> Result<(), Failure> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    refuse_strangers(connection, file)?;
    refuse_damage(connection, file)?;
    match network {
        None => {
            if use_log(connection)? != "wal" {
                tracing::warn!(file = %file.display(), "SQLite cannot use a write-ahead log here");
            }
        }
        Some(kind) => {
            tracing::warn!(file = %file.display(), kind, "the store is on a network file system");
            match connection.pragma_update_and_check(None, "journal_mode", "delete", |row| row.get(0)) {
                Ok(mode) if String::eq(&mode, "delete") => {}
                Err(error) if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) => {
                    return Err(error.into());
                }
                // Another process uses it with shared memory.
                _ => return Err(StoreError::NetworkFilesystem { file: file.to_owned(), kind }.into()),
            }
        }
    }
    // With a rollback journal only EXTRA makes the end of a transaction durable, by a sync of the folder.
    connection.pragma_update(None, "synchronous", if network.is_some() { "EXTRA" } else { "FULL" })?;
    connection.pragma_update(None, "wal_autocheckpoint", 1000)?;
    schema::migrate(connection)?;
    Ok(())
}

/// Refuses what a newer version or another program has written, before anything is written.
fn refuse_strangers(connection: &Connection, file: &Path) -> Result<(), Failure> {
    // One look: another process may make the tables between two.
    let moment = connection.unchecked_transaction()?;
    let (found, is_empty) = (schema::version(&moment)?, schema::is_empty(&moment)?);
    moment.finish()?;
    let known = schema::known_version();
    if found > known {
        return Err(StoreError::Newer { file: file.to_owned(), found, known }.into());
    }
    if found < 1 && !is_empty {
        let reason = STRANGER.to_owned();
        return Err(StoreError::Damaged { file: file.to_owned(), reason }.into());
    }
    Ok(())
}

fn refuse_damage(connection: &Connection, file: &Path) -> Result<(), Failure> {
    if fs::metadata(file).is_ok_and(|metadata| metadata.len() > CHECKED_BYTES) {
        return Ok(());
    }
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    Err(StoreError::Damaged { file: file.to_owned(), reason: found }.into())
}

/// Asks for a write-ahead log and returns the journal mode that is in force now. SQLite does not always wait by itself
/// when several processes do this to a new file at once.
fn use_log(connection: &Connection) -> rusqlite::Result<String> {
    let begin = Instant::now();
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && begin.elapsed() < PATIENCE =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

/// Makes the folder, for nobody but the user.
fn make_home(home: &Path) -> Result<(), StoreError> {
    match fs::metadata(home) {
        Ok(metadata) if metadata.is_dir() => return Ok(()),
        Ok(_) => return Err(StoreError::io(home, &"it is not a folder")),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::io(home, &error)),
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(home).map_err(|error| StoreError::io(home, &error))?;
    // The first commit is not durable before its folder is.
    let parent = home.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent
        && let Err(error) = fs::File::open(parent).and_then(|parent| parent.sync_all())
    {
        tracing::debug!(folder = %parent.display(), %error, "cannot sync a folder");
    }
    Ok(())
}

/// Takes a file that was made a moment ago away from everybody else; SQLite gives its `-wal` and `-shm` the same mode.
fn for_us_only(file: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let owner_only = fs::Permissions::from_mode(0o600);
        fs::set_permissions(file, owner_only).map_err(|error| StoreError::io(file, &error))?;
    }
    #[cfg(not(unix))]
    let _unchanged = file;
    Ok(())
}

/// Makes the log and the shared memory of a file that may be written writable too. SQLite made them read-only if the file
/// was so at that time, and the store would stay read-only with them.
#[cfg(unix)]
fn give_log_the_mode_of(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    const OWNER_WRITES: u32 = 0o200;
    let mode = |file: &Path| Some(fs::metadata(file).ok()?.permissions().mode());
    let Some(wanted) = mode(file).filter(|mode| mode & OWNER_WRITES != 0) else { return };
    for ending in ["-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        let name = Path::new(&name);
        if mode(name).is_some_and(|mode| mode & OWNER_WRITES == 0)
            && let Err(error) = fs::set_permissions(name, fs::Permissions::from_mode(wanted))
        {
            tracing::warn!(file = %name.display(), %error, "cannot make this file writable");
        }
    }
}

/// Returns the name of the file system of a folder when it is one that other machines may write to, or that leaves locks
/// to a program. The numbers are those of statfs(2) and `linux/magic.h`.
#[cfg(target_os = "linux")]
fn network_filesystem(folder: &Path) -> Option<&'static str> {
    let magic = rustix::fs::statfs(folder).ok()?.f_type;
    name_of_network_filesystem(u32::try_from(magic).ok()?)
}

#[cfg(not(target_os = "linux"))]
fn network_filesystem(_folder: &Path) -> Option<&'static str> {
    None
}

#[cfg(target_os = "linux")]
pub(crate) fn name_of_network_filesystem(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x6969 => "nfs",
        0x517b => "smb",
        0xff53_4d42 => "cifs",
        0xfe53_4d42 => "smb2",
        0x0102_1997 => "9p",
        0x6573_5546 => "fuse",
        0x5346_414f => "afs",
        0x7375_7245 => "coda",
        0x00c3_6400 => "ceph",
        0x0bd0_0bd0 => "lustre",
        0x4750_4653 => "gpfs",
        0x7461_636f => "ocfs2",
        0x0116_1970 => "gfs2",
        0x786f_4256 => "vboxsf",
        0xbacb_acbc => "vmhgfs",
        _ => return None,
    })
}
