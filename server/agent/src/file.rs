//! The user's files: where they are, and their text as it is.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use kkcode_core::placement::Found;
use kkcode_core::proposal::{ChangeKind, FileChange};
use kkcode_core::state::name_for_agent;
use thiserror::Error;

use crate::place::Place;

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
    #[error("{} is there already, and is not overwritten", .0.display())]
    Exists(PathBuf),
    #[error("{} is moved to {} by a hunk of this session; use that path", .0.display(), .1.display())]
    Moved(PathBuf, PathBuf),
    #[error("{} is outside of the workspace folders", .0.display())]
    Outside(PathBuf),
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
}

/// Says what was found of a file that is not there: perhaps where a hunk has moved it.
pub(crate) fn nothing(file: &FileChange) -> Found<'_> {
    let moved = file.hunks.iter().find_map(|hunk| match &hunk.kind {
        ChangeKind::Rename { to } if fs::symlink_metadata(to).is_ok() => Some(&**to),
        _ => None,
    });
    Found::Nothing { moved_to: moved }
}

impl FileError {
    pub(crate) fn from_io(path: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing(path.to_owned()),
            io::ErrorKind::IsADirectory => Self::Folder(path.to_owned()),
            _ if is_link(&error) => Self::Changed(path.to_owned()),
            _ => Self::Io { path: path.to_owned(), error },
        }
    }

    /// Returns the same with its paths as the agent calls them.
    pub(crate) fn for_agent(self, folders: &[PathBuf]) -> Self {
        let name = |path: PathBuf| PathBuf::from(name_for_agent(&path, folders));
        match self {
            Self::Missing(path) => Self::Missing(name(path)),
            Self::Folder(path) => Self::Folder(name(path)),
            Self::NotText(path) => Self::NotText(name(path)),
            Self::TooLarge { path, bytes } => Self::TooLarge { path: name(path), bytes },
            Self::Changed(path) => Self::Changed(name(path)),
            Self::Exists(path) => Self::Exists(name(path)),
            Self::Moved(path, to) => Self::Moved(name(path), name(to)),
            Self::Outside(path) => Self::Outside(name(path)),
            Self::Io { path, error } => Self::Io { path: name(path), error },
        }
    }
}

/// Returns the text of a file of the workspace, byte for byte; refuses what is not UTF-8, and NUL bytes.
pub(crate) fn read(path: &Path, folders: &[PathBuf]) -> Result<String, FileError> {
    let file = open(path, folders)?;
    text(path, file)
}

/// Opens a file of the workspace. Where it leads is found out once, and that very file is opened: a link that is put in its
/// way afterwards is not followed.
pub(crate) fn open(path: &Path, folders: &[PathBuf]) -> Result<fs::File, FileError> {
    let real = locate(path, folders)?;
    let from_io = |error| FileError::from_io(path, error);
    Place::at(&real).map_err(from_io)?.open().map_err(from_io)
}

/// Returns the text of a file at a place; a link there is not followed.
pub(crate) fn text_at(place: &Place) -> Result<String, FileError> {
    let from_io = |error| FileError::from_io(place.path(), error);
    text(place.path(), place.open().map_err(from_io)?)
}

/// Returns the text of a file at a place, or of the one that a link there leads to.
pub(crate) fn text_behind(place: &Place) -> Result<String, FileError> {
    let from_io = |error| FileError::from_io(place.path(), error);
    match place.open() {
        Err(error) if is_link(&error) => {
            let real = fs::canonicalize(place.path()).map_err(from_io)?;
            text_at(&Place::at(&real).map_err(from_io)?)
        }
        file => text(place.path(), file.map_err(from_io)?),
    }
}

fn text(path: &Path, file: fs::File) -> Result<String, FileError> {
    let from_io = |error| FileError::from_io(path, error);
    let metadata = file.metadata().map_err(from_io)?;
    if metadata.is_dir() {
        return Err(FileError::Folder(path.to_owned()));
    }
    if !metadata.is_file() {
        return Err(FileError::NotText(path.to_owned()));
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

/// Tells whether a link stood where none may be.
fn is_link(error: &io::Error) -> bool {
    #[cfg(unix)]
    return rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP);
    #[cfg(not(unix))]
    {
        let _no_links = error;
        false
    }
}

/// Returns the file that a tool means by `path`: absolute, or below the first workspace folder. It need not be there. Refuses
/// what is not below a workspace folder, symbolic links followed, and a link that leads nowhere.
pub(crate) fn in_workspace(path: &str, folders: &[PathBuf]) -> Result<PathBuf, FileError> {
    let first = folders.first().ok_or_else(|| FileError::Outside(PathBuf::from(path)))?;
    let named = normalized(&first.join(path));
    match locate(&named, folders) {
        Ok(_) => Ok(named),
        Err(FileError::Outside(_)) => Err(FileError::Outside(PathBuf::from(path))),
        Err(error) => Err(error),
    }
}

/// Returns where an absolute path leads, all links followed; what is not there yet is below the deepest folder that is.
/// Refuses what is not below a workspace folder then.
pub(crate) fn locate(path: &Path, folders: &[PathBuf]) -> Result<PathBuf, FileError> {
    let real = real(path)?;
    let inside = |folder: &PathBuf| fs::canonicalize(folder).is_ok_and(|folder| real.starts_with(folder));
    if folders.iter().any(inside) { Ok(real) } else { Err(FileError::Outside(path.to_owned())) }
}

/// Returns where a path leads; what is not there yet is below the deepest folder that is.
fn real(named: &Path) -> Result<PathBuf, FileError> {
    for there in named.ancestors() {
        match fs::canonicalize(there) {
            Ok(real) => {
                let rest = named.strip_prefix(there).unwrap_or(Path::new(""));
                return Ok(if rest.as_os_str().is_empty() { real } else { real.join(rest) });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(there).is_err() => {
            }
            Err(error) => return Err(FileError::from_io(named, error)),
        }
    }
    Err(FileError::Missing(named.to_owned()))
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
