//! The user's files: read as they are, written whole or not at all. The only place that writes one.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use kkcode_core::lines::{Lines, TextHash};
use thiserror::Error;

/// The largest file that is read, in bytes.
pub(crate) const MOST_BYTES: u64 = 50 * 1024 * 1024;

/// Why a file was not read or written.
#[derive(Debug, Error)]
pub(crate) enum FileError {
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    #[error("{} is a folder", .0.display())]
    Folder(PathBuf),
    #[error("{} is not a text file in UTF-8, and is left alone", .0.display())]
    NotText(PathBuf),
    #[error("{} has {bytes} bytes; at most {MOST_BYTES} are read", path.display())]
    TooLarge { path: PathBuf, bytes: u64 },
    #[error("{} was changed by another program in this moment; look at it and try again", .0.display())]
    Changed(PathBuf),
    #[error("{} is outside of the workspace folders", .0.display())]
    Outside(PathBuf),
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
}

impl FileError {
    fn from_io(path: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing(path.to_owned()),
            io::ErrorKind::IsADirectory => Self::Folder(path.to_owned()),
            _ => Self::Io { path: path.to_owned(), error },
        }
    }
}

/// Returns the text of a file, byte for byte; refuses what is not UTF-8, and NUL bytes.
pub(crate) fn read(path: &Path) -> Result<String, FileError> {
    let from_io = |error| FileError::from_io(path, error);
    let file = fs::File::open(path).map_err(from_io)?;
    let metadata = file.metadata().map_err(from_io)?;
    if metadata.is_dir() {
        return Err(FileError::Folder(path.to_owned()));
    }
    if metadata.len() > MOST_BYTES {
        return Err(FileError::TooLarge { path: path.to_owned(), bytes: metadata.len() });
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(from_io)?;
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(FileError::NotText(path.to_owned())),
    }
}

/// Replaces the text of a file that has the text `expected` now.
///
/// The new text is written beside the file, made durable, and takes its name in one step; mode and owner stay, and a
/// symbolic link keeps pointing to the file that is changed.
pub(crate) fn replace(path: &Path, expected: &Lines, text: &str) -> Result<(), FileError> {
    let from_io = |error| FileError::from_io(path, error);
    let target = fs::canonicalize(path).map_err(from_io)?;
    let folder = target.parent().ok_or_else(|| FileError::Folder(path.to_owned()))?;
    let metadata = fs::metadata(&target).map_err(from_io)?;
    if metadata.permissions().readonly() {
        return Err(from_io(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only")));
    }
    let mut new = tempfile::Builder::new().prefix(".kkcode-").tempfile_in(folder).map_err(from_io)?;
    new.write_all(text.as_bytes()).map_err(from_io)?;
    new.as_file().set_permissions(metadata.permissions()).map_err(from_io)?;
    keep_owner(&new, &metadata).map_err(from_io)?;
    new.as_file().sync_all().map_err(from_io)?;
    // The last look before the last step: what came in between is not overwritten.
    if TextHash::of(&read(&target)?) != TextHash::of(expected.text()) {
        return Err(FileError::Changed(path.to_owned()));
    }
    new.persist(&target).map_err(|error| from_io(error.error))?;
    sync_folder(folder).map_err(from_io)
}

#[cfg(unix)]
fn keep_owner(new: &tempfile::NamedTempFile, old: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let now = new.as_file().metadata()?;
    if (now.uid(), now.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    fchown(new.as_file(), Some(old.uid()), Some(old.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_new: &tempfile::NamedTempFile, _old: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Returns the file that a tool means by `path`: absolute, or below the first workspace folder. Refuses what is not below
/// a workspace folder, symbolic links followed.
pub(crate) fn in_workspace(path: &str, folders: &[PathBuf]) -> Result<PathBuf, FileError> {
    let outside = || FileError::Outside(PathBuf::from(path));
    let first = folders.first().ok_or_else(outside)?;
    let named = normalized(&first.join(path));
    let real = fs::canonicalize(&named).map_err(|error| FileError::from_io(&named, error))?;
    let inside = |folder: &PathBuf| fs::canonicalize(folder).is_ok_and(|folder| real.starts_with(folder));
    if folders.iter().any(inside) { Ok(named) } else { Err(outside()) }
}

/// Returns a path without `.` and `..`, by its words alone.
fn normalized(path: &Path) -> PathBuf {
    let mut normalized = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                normalized.pop();
            }
            part => normalized.push(part),
        }
    }
    normalized
}

#[cfg(test)]
mod tests;
