//! The copy-on-write layer of a session over a workspace folder: pending edits go in, what a command wrote comes out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use kkcode_core::text::BOM;
use rustix::fs::{CWD, FileType, Mode};

use super::changes::{After, Change};
use super::ignored::Ignored;
use crate::file;
use crate::own;
use crate::process::Layers;

/// How many files that a command wrote are looked at.
const MOST_FILES: usize = 5000;

/// The largest file that becomes hunks, in bytes.
const MOST_BYTES: u64 = 2 * 1024 * 1024;

/// By this attribute a folder hides all that is below it in other layers (kernel documentation, `filesystems/overlayfs`).
const OPAQUE: &str = "user.overlay.opaque";

/// Makes the folders of a layer over `folder` below `state`.
pub(super) fn make(state: &Path, folder: &Path) -> io::Result<Layers> {
    let at = |name: &str| state.join(name);
    let layers =
        Layers { folder: folder.to_owned(), pending: at("pending"), upper: at("upper"), work: at("work") };
    for path in [&layers.pending, &layers.upper, &layers.work] {
        own::folder(path)?;
    }
    let metadata = fs::metadata(folder)?;
    for path in [&layers.pending, &layers.upper] {
        fs::set_permissions(path, metadata.permissions())?;
    }
    Ok(layers)
}

/// Removes a folder with layers in it. The file system leaves working folders behind that nobody may enter.
pub(super) fn remove(state: &Path) -> io::Result<()> {
    for layer in fs::read_dir(state)?.flatten() {
        let left = layer.path().join("work/work");
        if left.is_dir() {
            fs::set_permissions(&left, Permissions::from_mode(0o700))?;
        }
    }
    fs::remove_dir_all(state)
}

/// Sees to it that the pending layer shows every file as the session sees it. `seen` has the files that it sees otherwise than
/// the disk has them, with their texts, none for one that it does not see. A file that was in the layer stays there, with the
/// text of now, so that its time says when that text came.
pub(super) fn put_in(layers: &Layers, seen: &BTreeMap<PathBuf, Option<String>>) -> io::Result<()> {
    let mut paths: BTreeSet<PathBuf> = seen.keys().filter_map(|path| below(path, &layers.folder)).collect();
    for entry in walk(&layers.pending)? {
        if !entry.metadata.is_dir() {
            paths.insert(entry.below);
        }
    }
    for path in paths {
        let real = layers.folder.join(&path);
        let text = match seen.get(&real) {
            Some(Some(text)) => Some(with_mark(layers, &real, text).into_bytes()),
            Some(None) => None,
            None => fs::read(&real).ok(),
        };
        put(layers, &path, text.as_deref())?;
    }
    Ok(())
}

/// Puts one file into the pending layer, or the sign that it is gone.
fn put(layers: &Layers, path: &Path, text: Option<&[u8]>) -> io::Result<()> {
    let (at, real) = (layers.pending.join(path), layers.folder.join(path));
    let was = fs::symlink_metadata(&at).ok();
    let is_right = match (text, &was) {
        (Some(text), Some(was)) => was.is_file() && fs::read(&at)? == text,
        (None, Some(was)) => is_whiteout(was),
        (Some(_), None) => false,
        (None, None) => fs::symlink_metadata(&real).is_err(),
    };
    // What a command left in the upper layer would hide what is right now.
    let over = layers.upper.join(path);
    if fs::symlink_metadata(&over).is_ok_and(|over| !over.is_dir()) {
        fs::remove_file(&over)?;
    }
    if is_right {
        return Ok(());
    }
    if was.is_some() {
        fs::remove_file(&at)?;
    }
    folders(layers, path)?;
    match text {
        Some(text) => {
            fs::write(&at, text)?;
            if let Ok(metadata) = fs::metadata(&real) {
                fs::set_permissions(&at, Permissions::clone(&metadata.permissions()))?;
            }
            Ok(())
        }
        None if fs::symlink_metadata(&real).is_ok() => {
            Ok(rustix::fs::mknodat(CWD, &at, FileType::CharacterDevice, Mode::empty(), 0)?)
        }
        None => Ok(()),
    }
}

/// Makes the folders above a file of the pending layer, as accessible as those that they lie over.
fn folders(layers: &Layers, path: &Path) -> io::Result<()> {
    let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
    above.reverse();
    for folder in above {
        let at = layers.pending.join(folder);
        if !at.exists() {
            fs::create_dir(&at)?;
            if let Ok(metadata) = fs::metadata(layers.folder.join(folder)) {
                fs::set_permissions(&at, metadata.permissions())?;
            }
        }
    }
    Ok(())
}

/// What a command wrote.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// What can become hunks.
    pub(super) changes: Vec<Change>,
    /// What stays in the layer, in words.
    pub(super) stays: Vec<String>,
    /// How many files stay because they are ignored.
    pub(super) ignored: usize,
}

/// Reads what commands have written over the folder; what they had found there is not known here.
pub(super) fn read(layers: &Layers) -> io::Result<Written> {
    let mut ignored = Ignored::new(&layers.folder);
    let mut written = Written::default();
    for (count, entry) in walk(&layers.upper)?.into_iter().enumerate() {
        if count == MOST_FILES {
            written.stays.push(format!("more than {MOST_FILES} files; those behind them are not looked at"));
            break;
        }
        let real = layers.folder.join(&entry.below);
        let is_folder = entry.metadata.is_dir();
        if ignored.holds(&real, is_folder) {
            written.ignored += usize::from(!is_folder);
        } else if is_folder {
            read_folder(layers, &entry, &mut ignored, &mut written);
        } else {
            read_file(layers, &real, &entry, &mut ignored, &mut written);
        }
    }
    Ok(written)
}

fn read_file(layers: &Layers, real: &Path, entry: &Entry, ignored: &mut Ignored, written: &mut Written) {
    if is_whiteout(&entry.metadata) {
        written.changes.extend(gone(real, ignored));
        return;
    }
    let name = entry.below.display();
    if entry.metadata.is_symlink() {
        written.stays.push(format!("{name} (a link)"));
    } else if !entry.metadata.is_file() {
        written.stays.push(format!("{name} (no file)"));
    } else if entry.metadata.len() > MOST_BYTES {
        written.stays.push(format!("{name} ({} bytes)", entry.metadata.len()));
    } else {
        match file::read(&entry.path, std::slice::from_ref(&layers.upper)) {
            Ok(text) => {
                written.changes.push(Change { path: real.to_owned(), base: None, after: After::Text(text) });
            }
            Err(file::FileError::NotText(_)) => written.stays.push(format!("{name} (no text)")),
            Err(error) => written.stays.push(format!("{name} ({error})")),
        }
    }
    let mode = |metadata: &Metadata| metadata.mode() & 0o111;
    if fs::metadata(real).is_ok_and(|was| mode(&was) != mode(&entry.metadata)) {
        written.stays.push(format!("whether {name} can be executed"));
    }
}

/// What is not in the upper layer of a folder that hides all others is gone.
fn read_folder(layers: &Layers, entry: &Entry, ignored: &mut Ignored, written: &mut Written) {
    let mut value = [0; 8];
    let is_opaque = rustix::fs::lgetxattr(&entry.path, OPAQUE, &mut value).is_ok_and(|length| length > 0);
    if !is_opaque {
        return;
    }
    let real = layers.folder.join(&entry.below);
    for change in gone(&real, ignored) {
        let still = below(&change.path, &layers.folder).map(|path| layers.upper.join(path));
        if still.is_none_or(|still| fs::symlink_metadata(still).is_err()) {
            written.changes.push(change);
        }
    }
}

/// Returns that a file, or all files of a folder, are gone.
fn gone(real: &Path, ignored: &mut Ignored) -> Vec<Change> {
    let gone = |path: PathBuf| Change { path, base: None, after: After::Gone };
    match fs::symlink_metadata(real) {
        Ok(metadata) if metadata.is_dir() => {
            let entries = walk(real).unwrap_or_default();
            let files = entries.into_iter().filter(|entry| entry.metadata.is_file());
            files.map(|entry| entry.path).filter(|path| !ignored.holds(path, false)).map(gone).collect()
        }
        _ => vec![gone(real.to_owned())],
    }
}

/// Takes what has become hunks over into the pending layer, with its time, so that it is not read again.
pub(super) fn take_over(layers: &Layers, changes: &[PathBuf]) -> io::Result<()> {
    for path in changes.iter().filter_map(|path| below(path, &layers.folder)) {
        let (from, to) = (layers.upper.join(&path), layers.pending.join(&path));
        let Ok(metadata) = fs::symlink_metadata(&from) else {
            put(layers, &path, None)?;
            continue;
        };
        if is_whiteout(&metadata) || !metadata.is_file() {
            if !metadata.is_dir() {
                fs::remove_file(&from)?;
            }
            put(layers, &path, None)?;
        } else {
            folders(layers, &path)?;
            if fs::symlink_metadata(&to).is_ok() {
                fs::remove_file(&to)?;
            }
            fs::rename(&from, &to)?;
        }
    }
    // What such a folder hid is hidden one by one now.
    let mut ignored = Ignored::new(&layers.folder);
    for entry in walk(&layers.upper)?.iter().filter(|entry| entry.metadata.is_dir()) {
        if !ignored.holds(&layers.folder.join(&entry.below), true) {
            match rustix::fs::lremovexattr(&entry.path, OPAQUE) {
                Ok(()) | Err(rustix::io::Errno::NODATA) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// One file or folder of a tree.
#[derive(Debug)]
struct Entry {
    path: PathBuf,
    below: PathBuf,
    metadata: Metadata,
}

/// Returns all that is below a folder, links not followed, folders before what is in them.
fn walk(root: &Path) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let metadata = fs::symlink_metadata(&path)?;
            let Some(below) = below(&path, root) else { continue };
            if metadata.is_dir() {
                folders.push(path.clone());
            }
            found.push(Entry { path, below, metadata });
        }
    }
    Ok(found)
}

fn below(path: &Path, folder: &Path) -> Option<PathBuf> {
    path.strip_prefix(folder).ok().map(Path::to_owned)
}

/// Tells whether this is the sign that a file of a lower layer is gone: a character device of number 0.
fn is_whiteout(metadata: &Metadata) -> bool {
    metadata.file_type().is_char_device() && metadata.rdev() == 0
}

/// Returns the text of a file as it would be written: with its byte order mark if it has one.
fn with_mark(layers: &Layers, real: &Path, text: &str) -> String {
    let has_mark =
        file::read(real, std::slice::from_ref(&layers.folder)).is_ok_and(|text| text.starts_with(BOM));
    if has_mark { format!("{BOM}{text}") } else { text.to_owned() }
}
