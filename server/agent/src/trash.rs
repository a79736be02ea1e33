//! What was removed from the user's folders, kept for a while in a folder of kkcode's home that nobody else can look into.
//!
//! `trash/ID/entry.json` says where something was; `trash/ID/what` is it. The entry comes first and what it is about
//! afterwards, in one step, so that a crash leaves nothing half.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kkcode_core::proposal::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fresh;
use crate::own;
use crate::place::Place;

/// How long something is kept.
const AGE: Duration = Duration::from_hours(30 * 24);

/// How much is kept; the oldest goes first, and what was thrown away last is kept whatever its size.
const MOST: (usize, u64) = (1_000, 2 * 1024 * 1024 * 1024);

/// The most names in a folder that is counted or copied.
const MOST_NAMES: usize = 1_000_000;

/// The things that were thrown away.
#[derive(Clone, Debug)]
pub struct Trash {
    folder: PathBuf,
}

/// One thing that was thrown away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Thrown {
    /// Its name in the trash.
    pub id: String,
    /// Where it was, absolute.
    pub path: PathBuf,
    /// When it was thrown away.
    pub at: Timestamp,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Its size, of a folder with all that is in it.
    pub bytes: u64,
}

/// What is written down about it. The path is bytes as the system has them.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    path: Vec<u8>,
    at: Timestamp,
}

impl Trash {
    /// Returns the trash of a kkcode home.
    pub fn of(home: &Path) -> Self {
        Self { folder: home.join("trash") }
    }

    /// Returns what is there, the newest first.
    pub fn list(&self) -> io::Result<Vec<Thrown>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut all = Vec::new();
        for entry in entries {
            all.extend(entry?.file_name().to_str().and_then(|id| self.thrown(id)));
        }
        all.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
        Ok(all)
    }

    /// Puts something back where it was. Fails when there is something now, and when its folder cannot be made.
    pub fn restore(&self, id: &str) -> io::Result<PathBuf> {
        let not_there = || io::Error::new(io::ErrorKind::NotFound, format!("`{id}` is not in the trash"));
        let thrown = self.thrown(id).ok_or_else(not_there)?;
        let taken = || {
            let message = format!("{} is there again; move it away first", thrown.path.display());
            io::Error::new(io::ErrorKind::AlreadyExists, message)
        };
        if fs::symlink_metadata(&thrown.path).is_ok() {
            return Err(taken());
        }
        if let Some(parent) = thrown.path.parent() {
            fs::create_dir_all(parent)?;
        }
        let what = self.what(id);
        // A second name, unlike a rename, takes nobody's place; folders cannot have one, nor can it be on another disk.
        match fs::hard_link(&what, &thrown.path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(taken()),
            Err(_) => moved(&what, &thrown.path)?,
        }
        self.forget(id)?;
        Ok(thrown.path)
    }

    /// Returns a new name for something to throw away.
    pub(crate) fn new_id() -> io::Result<String> {
        fresh::name("trash").map_err(|error| io::Error::other(error.to_string()))
    }

    /// Keeps a file, or a link, that is going to be removed: under a second name where that can be, else as a copy.
    pub(crate) fn keep(&self, id: &str, place: &Place) -> io::Result<()> {
        let kept = self.prepare(id, place.path()).and_then(|()| {
            let what = Place::at(&fs::canonicalize(self.folder.join(id))?.join("what"))?;
            match place.link(&what) {
                Ok(()) => what.sync_names(),
                Err(_) => copy_file(place, &what).and_then(|()| what.sync_names()),
            }
        });
        self.or_forget(id, kept)
    }

    /// Moves a file or a folder into the trash, whole. On failure it is where it was.
    pub(crate) fn take(&self, place: &Place) -> io::Result<String> {
        let id = Self::new_id()?;
        let taken = self.prepare(&id, place.path()).and_then(|()| {
            let what = Place::at(&fs::canonicalize(self.folder.join(&id))?.join("what"))?;
            match place.rename(&what) {
                Err(error) if error.kind() == io::ErrorKind::CrossesDevices => take_across(place, &what),
                result => result,
            }?;
            what.sync_names().and_then(|()| place.sync_names())
        });
        self.or_forget(&id, taken)?;
        self.prune(Some(&id));
        Ok(id)
    }

    /// Returns the newest copy of a file that was removed from `path`, if it `is` the right one.
    pub(crate) fn find(&self, path: &Path, mut is: impl FnMut(&Path) -> bool) -> Option<String> {
        let all = self.list().ok()?;
        all.into_iter()
            .filter(|thrown| thrown.path == path && !thrown.is_folder)
            .find(|thrown| is(&self.what(&thrown.id)))
            .map(|thrown| thrown.id)
    }

    /// Returns where something is kept.
    pub(crate) fn what(&self, id: &str) -> PathBuf {
        self.folder.join(id).join("what")
    }

    /// Throws away for good, if it is there.
    pub(crate) fn forget(&self, id: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.folder.join(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Throws away for good what is too old or too much, but never what came last.
    pub(crate) fn prune(&self, last: Option<&str>) {
        let Ok(all) = self.list() else { return };
        let oldest = fresh::now().0.saturating_sub(i64::try_from(AGE.as_millis()).unwrap_or(i64::MAX));
        let (mut count, mut bytes) = (0, 0_u64);
        for thrown in all {
            count += 1;
            bytes = bytes.saturating_add(thrown.bytes);
            let is_too_much = count > MOST.0 || bytes > MOST.1 || thrown.at.0 < oldest;
            if is_too_much
                && last != Some(&thrown.id)
                && let Err(error) = self.forget(&thrown.id)
            {
                tracing::warn!(%error, id = thrown.id, "something old stays in the trash");
            }
        }
    }

    fn thrown(&self, id: &str) -> Option<Thrown> {
        if Path::new(id).components().count() != 1 || !id.starts_with("trash_") {
            return None;
        }
        let entry = fs::read(self.folder.join(id).join("entry.json")).ok()?;
        let entry: Entry = serde_json::from_slice(&entry).ok()?;
        let what = self.what(id);
        let is_folder = fs::symlink_metadata(&what).ok()?.is_dir();
        let bytes = size(&what);
        Some(Thrown { id: id.to_owned(), path: to_path(&entry.path), at: entry.at, is_folder, bytes })
    }

    fn prepare(&self, id: &str, path: &Path) -> io::Result<()> {
        own::folder(&self.folder)?;
        let folder = self.folder.join(id);
        own::folder(&folder)?;
        let entry = Entry { path: to_bytes(path), at: fresh::now() };
        let text = serde_json::to_string(&entry).map_err(io::Error::other)?;
        crate::own::put(&folder.join("entry.json"), &text)
    }

    fn or_forget(&self, id: &str, result: io::Result<()>) -> io::Result<()> {
        if result.is_err()
            && let Err(error) = self.forget(id)
        {
            tracing::warn!(%error, id, "an unfinished entry stays in the trash");
        }
        result
    }
}

/// Returns a path as bytes that can be written down.
pub(crate) fn to_bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_encoded_bytes().to_vec()
}

/// Returns the path that was written down.
#[cfg(unix)]
pub(crate) fn to_path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
pub(crate) fn to_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// Moves a file or a folder to another disk: out of sight first, then copied, then removed. On failure it is where it was.
fn take_across(place: &Place, what: &Place) -> io::Result<()> {
    let name = fresh::name(".kkcode").map_err(|error| io::Error::other(error.to_string()))?;
    let hidden = place.beside(OsStr::new(&name))?;
    place.rename(&hidden)?;
    match copy_tree(hidden.path(), what.path()) {
        Ok(()) => remove_tree(hidden.path()),
        Err(error) => {
            hidden.rename(place)?;
            Err(error)
        }
    }
}

/// Moves something to a place where nothing is.
fn moved(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => copy_tree(from, to),
        result => result,
    }
}

/// Copies a file or a folder with all that is in it, durably; links as links, and no link on the way is followed. What cannot be copied (a device, a pipe) fails.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(from)?;
    if metadata.is_symlink() {
        return copy_link(from, to);
    }
    if metadata.is_file() {
        return copy_file(&Place::at(from)?, &Place::at(to)?);
    }
    if !metadata.is_dir() {
        let message = format!("{} is no file, folder or link", from.display());
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    Place::at(to)?.create_folder()?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_tree(&entry.path(), &to.join(entry.file_name()))?;
    }
    fs::set_permissions(to, metadata.permissions())
}

/// Removes a file or a folder with all that is in it. Links are not followed.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

fn copy_file(from: &Place, to: &Place) -> io::Result<()> {
    let mut source = from.open()?;
    let mut target = to.create_new()?;
    io::copy(&mut source, &mut target)?;
    target.set_permissions(source.metadata()?.permissions())?;
    target.sync_all()
}

#[cfg(unix)]
fn copy_link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(fs::read_link(from)?, to)
}

#[cfg(not(unix))]
fn copy_link(from: &Path, _to: &Path) -> io::Result<()> {
    let message = format!("{} is a link, which cannot be copied here", from.display());
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}

/// Returns the size of a file, or of all that is in a folder.
fn size(path: &Path) -> u64 {
    let mut open = vec![path.to_owned()];
    let (mut bytes, mut names) = (0_u64, 0);
    while let Some(path) = open.pop() {
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        names += 1;
        if names > MOST_NAMES {
            break;
        }
        if metadata.is_dir() {
            open.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        } else {
            bytes = bytes.saturating_add(metadata.len());
        }
    }
    bytes
}

#[cfg(test)]
mod tests;
