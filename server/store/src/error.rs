//! Why the store could not do something, in words for the user.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

use crate::writer::{self, Writer};

/// Why the store could not do something. Nothing of it was done then, with one exception: a commit that ends in
/// [`StoreError::Io`] may be found written after all, when the disk took it and did not say so.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// Another process held the write lock for as long as we were willing to wait.
    #[error("`{}` is in use by {}", file.display(), writer::user(writer.as_deref()))]
    Busy {
        /// The database.
        file: PathBuf,
        /// Who has it, where that can be known.
        writer: Option<Box<Writer>>,
    },
    /// There is no room.
    #[error("there is no room left on the disk for `{}`; free some space and try again", file.display())]
    Full {
        /// The database.
        file: PathBuf,
    },
    /// The file or its folder may not be written.
    #[error("`{}` may not be written; check its permissions and those of its folder", file.display())]
    ReadOnly {
        /// The database.
        file: PathBuf,
    },
    /// What is there is not, or not any more, a database of ours. It is left as it is.
    #[error("`{}` is damaged ({reason}); move it and its `-wal` away to start with an empty store", file.display())]
    Damaged {
        /// The database.
        file: PathBuf,
        /// What is wrong with it, in SQLite's words or ours.
        reason: String,
    },
    /// A newer kkcode has written the database. It is left as it is.
    #[error(
        "`{}` was written by a newer kkcode (format {found}, this one knows {known}); update this one",
        file.display()
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// The version of its format.
        found: i64,
        /// The newest version that we know.
        known: i64,
    },
    /// The database lies where its locks cannot be trusted.
    #[error(
        "`{}` is on a network file system ({kind}) that cannot share it safely; \
         let KKCODE_HOME name a folder on a local disk",
        file.display()
    )]
    NetworkFilesystem {
        /// The database.
        file: PathBuf,
        /// The file system.
        kind: &'static str,
    },
    /// What was to be written does not fit what is there: somebody else was faster, or the order was wrong.
    #[error("{what}")]
    Conflict {
        /// What does not fit.
        what: String,
    },
    /// Something else is wrong with the file, its folder or the disk.
    #[error("cannot use `{}`: {reason}", file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why a transaction did not work; becomes a [`StoreError`] where the file is known.
#[derive(Debug)]
pub(crate) enum Failure {
    Sqlite(rusqlite::Error),
    Conflict(String),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    /// Adds to a violated constraint what was written when it spoke up.
    pub(crate) fn while_writing(self, what: impl FnOnce() -> String) -> Self {
        match self {
            Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Self::Conflict(format!("cannot store {}: {error}", what()))
            }
            other => other,
        }
    }

    /// Adds the file.
    pub(crate) fn of(self, file: &Path) -> StoreError {
        match self {
            Self::Sqlite(error) => StoreError::from_sqlite(&error, file),
            Self::Conflict(what) => StoreError::Conflict { what },
            Self::Store(error) => error,
        }
    }
}

impl StoreError {
    /// Tells whether the connection is as good as before, so that only the one operation failed.
    pub(crate) fn spares_connection(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Conflict { .. })
    }

    pub(crate) fn io(file: &Path, reason: &impl ToString) -> Self {
        Self::Io { file: file.to_owned(), reason: reason.to_string() }
    }

    fn from_sqlite(error: &rusqlite::Error, file: &Path) -> Self {
        let reason = error.to_string();
        let file = file.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Busy { writer: writer::of(&file).map(Box::new), file }
            }
            Some(ErrorCode::DiskFull) => Self::Full { file },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly { file },
            Some(ErrorCode::ConstraintViolation) => Self::Conflict { what: reason },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged { file, reason },
            None if is_unreadable(error) => Self::Damaged { file, reason },
            _ => Self::Io { file, reason },
        }
    }
}

/// Tells whether SQLite is content with a row, but the row says something that we never wrote.
fn is_unreadable(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::QueryReturnedNoRows
            | rusqlite::Error::Utf8Error(..)
    )
}
