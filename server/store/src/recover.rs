//! A damaged database: moved aside, and what can be read of it carried over into a new one.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Transaction, params_from_iter};

use crate::audit;
use crate::error::{Failure, StoreError};
use crate::open::{Opened, open};
use crate::write;

/// By how much the numbers of events jump: nobody is told a number again that the damaged database gave.
const JUMP: i64 = 1_000_000;

/// Moves a damaged database aside and begins a new one with what can be read of it. Returns the new one and what the user is
/// to be told; nothing if another process was quicker.
pub(crate) fn recover(
    home: &Path,
    file: &Path,
    reason: &str,
) -> Result<(Opened, Option<String>), StoreError> {
    let io = |error: std::io::Error| StoreError::io(file, &error);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let lock = options.open(with_ending(file, ".lock")).map_err(io)?;
    lock.lock().map_err(io)?;
    if let Ok(opened) = open(home, file) {
        return Ok((opened, None));
    }
    let aside = with_ending(file, &format!(".damaged-{}", write::now()));
    fs::rename(file, &aside).map_err(io)?;
    for ending in ["-wal", "-shm"] {
        match fs::rename(with_ending(file, ending), with_ending(&aside, ending)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
    }
    let mut opened = open(home, file)?;
    let lost = carry_over(&mut opened.connection, &aside).map_err(|failure| failure.of(file))?;
    audit::go_on_after_head(&opened.connection, home)?;
    let what = match &*lost {
        [] => "all of it could be read and is here".to_owned(),
        lost => format!("what could be read is here; some or all is missing of: {}", lost.join(", ")),
    };
    let notice =
        format!("kkcode's store was damaged ({reason}). It was moved to `{}`; {what}.", aside.display());
    tracing::warn!("{notice}");
    Ok((opened, Some(notice)))
}

/// Copies what can be read, and returns the tables of which something is missing.
fn carry_over(connection: &mut Connection, aside: &Path) -> Result<Vec<String>, Failure> {
    let tables = tables(connection)?;
    // By a connection of its own: what it cannot read is no trouble for what we write.
    let Ok(damaged) = open_damaged(aside) else {
        bump(connection)?;
        return Ok(tables);
    };
    connection.pragma_update(None, "foreign_keys", false)?;
    let transaction = connection.transaction()?;
    let mut lost = Vec::new();
    for table in tables {
        if !copy(&damaged, &transaction, &table)? {
            lost.push(table);
        }
    }
    drop_what_hangs_in_the_air(&transaction)?;
    transaction.commit()?;
    connection.pragma_update(None, "foreign_keys", true)?;
    bump(connection)?;
    Ok(lost)
}

fn open_damaged(aside: &Path) -> rusqlite::Result<Connection> {
    let damaged = Connection::open_with_flags(aside, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    damaged.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // With this a table whose entry makes no sense does not hide the others.
    damaged.pragma_update(None, "writable_schema", true)?;
    damaged.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(damaged)
}

/// Returns the tables of the new database; those that are kept by triggers are filled by them.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(
            "SELECT name FROM main.sqlite_schema
             WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'task_count' ORDER BY rowid",
        )?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Copies a table row by row; from both ends when it cannot be read in one go. Tells whether all of it was copied.
fn copy(damaged: &Connection, transaction: &Transaction<'_>, table: &str) -> rusqlite::Result<bool> {
    let columns = |connection: &Connection| -> rusqlite::Result<Vec<String>> {
        let sql = format!("SELECT name FROM pragma_table_info('{table}')");
        connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect()
    };
    let old = columns(damaged).unwrap_or_default();
    let common: Vec<String> = columns(transaction)?.into_iter().filter(|name| old.contains(name)).collect();
    if common.is_empty() {
        return Ok(false);
    }
    let (names, places) = (common.join(", "), vec!["?"; common.len()].join(", "));
    let mut insert =
        transaction.prepare(&format!("INSERT OR IGNORE INTO main.{table} ({names}) VALUES ({places})"))?;
    for order in ["ASC", "DESC"] {
        let select = format!("SELECT {names} FROM {table} ORDER BY rowid {order}");
        let Ok(mut statement) = damaged.prepare(&select) else { return Ok(false) };
        let Ok(mut rows) = statement.query([]) else { return Ok(false) };
        let mut all = true;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) if all => return Ok(true),
                // The end, or the first row that cannot be read.
                Ok(None) | Err(_) => break,
            };
            let values: rusqlite::Result<Vec<Value>> = (0..common.len()).map(|at| row.get(at)).collect();
            // A row that makes no sense, or breaks a rule of the table, is one that is lost.
            all &= values.is_ok_and(|values| insert.execute(params_from_iter(values)).is_ok());
        }
    }
    Ok(false)
}

/// Removes rows that point to others that are lost.
fn drop_what_hangs_in_the_air(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    loop {
        let dangling: Vec<(String, i64)> = transaction
            .prepare("PRAGMA main.foreign_key_check")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        if dangling.is_empty() {
            return Ok(());
        }
        for (table, rowid) in dangling {
            transaction.execute(&format!("DELETE FROM main.{table} WHERE rowid = ?1"), [rowid])?;
        }
    }
}

fn bump(connection: &Connection) -> rusqlite::Result<()> {
    for table in ["event", "task_event"] {
        let jumped = connection
            .execute("UPDATE main.sqlite_sequence SET seq = seq + ?2 WHERE name = ?1", (table, JUMP))?;
        if jumped == 0 {
            connection
                .execute("INSERT INTO main.sqlite_sequence (name, seq) VALUES (?1, ?2)", (table, JUMP))?;
        }
    }
    Ok(())
}

fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
