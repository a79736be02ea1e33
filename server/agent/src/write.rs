//! Writes the user's files: several at once, all or none, whatever happens in between. The only place that writes one.
//!
//! A journal in kkcode's home is written first. `NAME.prepare` names the new texts that are about to be put beside their
//! files; when they are all there and durable it becomes `NAME.commit`, in one step: from then on they take the files'
//! names, after a crash too. Before that a crash leaves every file as it was.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use kkcode_core::lines::{Lines, TextHash};
use serde::{Deserialize, Serialize};

use crate::file::{self, FileError};
use crate::fresh;

/// A file's text, and what it is to become.
#[derive(Debug)]
pub(crate) struct NewText {
    /// The file.
    pub(crate) path: PathBuf,
    /// The text that was looked at, none for a file that was not there; another one is never overwritten.
    pub(crate) now: Option<Lines>,
    /// The text to come; none for a file that is to go.
    pub(crate) new: Option<String>,
    /// The file whose mode a new one gets.
    pub(crate) mode_of: Option<PathBuf>,
}

/// Replaces the texts of files, makes files and their folders, and takes files away. Mode and owner stay, and a symbolic link keeps pointing to the file that is changed.
pub(crate) fn replace_all(home: &Path, texts: Vec<NewText>) -> Result<(), FileError> {
    let mut transaction = Transaction::new(home, texts)?;
    while !transaction.step()? {}
    Ok(())
}

/// Ends what a crash interrupted: takes back what was prepared, completes what was committed.
pub(crate) fn recover(home: &Path) {
    let Ok(entries) = fs::read_dir(folder(home)) else { return };
    for journal in entries.flatten().map(|entry| entry.path()) {
        if let Err(error) = recover_one(&journal) {
            tracing::error!(journal = %journal.display(), %error, "an interrupted write could not be ended");
        }
    }
}

/// What a journal says of one file. Paths are bytes as the system has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    target: Vec<u8>,
    /// What is to take the file's name; of a file that goes, what it is called until all is done.
    temporary: Vec<u8>,
    old: Option<TextHash>,
    new: Option<TextHash>,
}

/// A write of several files, one step after the other.
struct Transaction {
    texts: Vec<NewText>,
    entries: Vec<Entry>,
    journal: PathBuf,
    /// The journal's file, locked as long as the transaction is under way: nobody else is to end it.
    lock: Option<fs::File>,
    /// Folders that were made for new files.
    made: Vec<PathBuf>,
    next: Step,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Prepare,
    Write(usize),
    Commit,
    Rename(usize),
    Forget,
}

impl Transaction {
    fn new(home: &Path, texts: Vec<NewText>) -> Result<Self, FileError> {
        let random = |error: getrandom::Error| FileError::from_io(home, io::Error::other(error.to_string()));
        let journal = folder(home).join(fresh::name("write").map_err(random)?);
        let mut entries = Vec::new();
        for text in &texts {
            let target = target_of(text).map_err(|error| FileError::from_io(&text.path, error))?;
            let name = fresh::name(".kkcode").map_err(random)?;
            entries.push(Entry {
                temporary: to_bytes(&target.with_file_name(name)),
                target: to_bytes(&target),
                old: text.now.as_ref().map(|now| TextHash::of(now.text())),
                new: text.new.as_deref().map(TextHash::of),
            });
        }
        Ok(Self { texts, entries, journal, lock: None, made: Vec::new(), next: Step::Prepare })
    }

    /// Does the next thing. Returns whether that was the last. When it fails nothing has changed, or all that has is
    /// taken back.
    fn step(&mut self) -> Result<bool, FileError> {
        let done = matches!(self.next, Step::Forget);
        match self.perform() {
            Ok(next) => {
                self.next = next;
                Ok(done)
            }
            Err(error) => {
                self.take_back();
                Err(error)
            }
        }
    }

    fn perform(&mut self) -> Result<Step, FileError> {
        let count = self.texts.len();
        Ok(match self.next {
            Step::Prepare => {
                self.lock = Some(self.write_journal()?);
                if count == 0 { Step::Forget } else { Step::Write(0) }
            }
            Step::Write(index) => {
                if let Some((text, entry)) = self.texts.get(index).zip(self.entries.get(index)) {
                    let target = to_path(&entry.target);
                    if text.now.is_none() {
                        make_folders(&target, &mut self.made)?;
                    }
                    write_beside(text, &to_path(&entry.temporary), &target)?;
                }
                if index + 1 < count { Step::Write(index + 1) } else { Step::Commit }
            }
            Step::Commit => {
                for (text, entry) in self.texts.iter().zip(&self.entries) {
                    check_unchanged(text, &to_path(&entry.target))?;
                }
                let (prepare, commit) =
                    (self.journal.with_extension("prepare"), self.journal.with_extension("commit"));
                rename(&prepare, &commit)?;
                Step::Rename(0)
            }
            Step::Rename(index) => {
                if let Some((text, entry)) = self.texts.get(index).zip(self.entries.get(index)) {
                    let (temporary, target) = (to_path(&entry.temporary), to_path(&entry.target));
                    check_unchanged(text, &target)?;
                    put(entry, &temporary, &target)?;
                }
                if index + 1 < count { Step::Rename(index + 1) } else { Step::Forget }
            }
            Step::Forget => {
                for entry in self.entries.iter().filter(|entry| entry.new.is_none()) {
                    remove(&to_path(&entry.temporary))?;
                }
                let forget = |extension| remove(&self.journal.with_extension(extension));
                forget("prepare").and_then(|()| forget("commit"))?;
                Step::Forget
            }
        })
    }

    fn write_journal(&self) -> Result<fs::File, FileError> {
        let folder = self.journal.parent().unwrap_or(Path::new(""));
        let at = |error| FileError::from_io(&self.journal, error);
        fs::create_dir_all(folder).map_err(at)?;
        let body = serde_json::to_vec(&self.entries).map_err(|error| at(io::Error::other(error)))?;
        let path = self.journal.with_extension("prepare");
        let mut journal = fs::File::create_new(&path).map_err(at)?;
        journal.lock().map_err(at)?;
        journal.write_all(&body).and_then(|()| journal.sync_all()).map_err(at)?;
        sync_folder(folder).map_err(at)?;
        Ok(journal)
    }

    /// Puts the old texts back where new ones have taken their place, and removes what was prepared.
    fn take_back(&self) {
        for (text, entry) in self.texts.iter().zip(&self.entries) {
            let (target, temporary) = (to_path(&entry.target), to_path(&entry.temporary));
            if let Err(error) = take_back_one(text, entry, &temporary, &target) {
                tracing::error!(file = %target.display(), %error, "a file could not be put back as it was");
            }
            // What is left of a file that could not be put back is not thrown away.
            if (entry.new.is_some() || target.exists())
                && let Err(error) = remove(&temporary)
            {
                tracing::warn!(%error, "a temporary file is left");
            }
        }
        for folder in self.made.iter().rev() {
            // One that somebody else has put something into stays.
            let _not_empty = fs::remove_dir(folder);
        }
        for extension in ["prepare", "commit"] {
            if let Err(error) = remove(&self.journal.with_extension(extension)) {
                tracing::warn!(%error, "a journal is left");
            }
        }
    }
}

fn recover_one(journal: &Path) -> Result<(), FileError> {
    let at = |error| FileError::from_io(journal, error);
    let file = match fs::File::open(journal) {
        // Its writer has just ended it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file.map_err(at)?,
    };
    match file.try_lock() {
        Ok(()) => {}
        // Its writer lives.
        Err(fs::TryLockError::WouldBlock) => return Ok(()),
        Err(fs::TryLockError::Error(error)) => return Err(at(error)),
    }
    if !journal.exists() {
        return Ok(());
    }
    let committed = journal.extension().is_some_and(|extension| extension == "commit");
    // A journal that cannot be read was cut off while it was written: nothing had been put anywhere yet.
    let entries: Vec<Entry> = serde_json::from_slice(&fs::read(journal).map_err(at)?).unwrap_or_default();
    for entry in entries {
        let (target, temporary) = (to_path(&entry.target), to_path(&entry.temporary));
        let now = match file::read(&target) {
            Err(FileError::Missing(_)) => Ok(None),
            text => text.map(|text| Some(TextHash::of(&text))),
        };
        if committed && now.is_ok_and(|now| now == entry.old) && (entry.new.is_none() || temporary.exists()) {
            put(&entry, &temporary, &target)?;
        }
        remove(&temporary)?;
    }
    remove(journal)
}

/// Writes the text to come beside the file whose name it is to take, with that file's mode and owner, durably.
fn write_beside(text: &NewText, temporary: &Path, target: &Path) -> Result<(), FileError> {
    let at = |error| FileError::from_io(&text.path, error);
    let read_only = || at(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only"));
    let model = match (&text.now, &text.mode_of) {
        (Some(_), _) => Some(fs::metadata(target).map_err(at)?),
        (None, Some(other)) => Some(fs::metadata(other).map_err(at)?),
        (None, None) => None,
    };
    if text.now.is_some() && model.as_ref().is_some_and(|model| model.permissions().readonly()) {
        return Err(read_only());
    }
    let Some(new_text) = &text.new else { return Ok(()) };
    let mut new = fs::File::create_new(temporary).map_err(at)?;
    new.write_all(new_text.as_bytes()).map_err(at)?;
    if let Some(model) = model {
        keep_owner(&new, &model).map_err(at)?;
        new.set_permissions(model.permissions()).map_err(at)?;
    }
    new.sync_all().map_err(at)
}

/// Lets what was prepared take the file's place; a file that goes gets the temporary name.
fn put(entry: &Entry, temporary: &Path, target: &Path) -> Result<(), FileError> {
    match (&entry.old, &entry.new) {
        (_, None) => rename(target, temporary),
        (Some(_), Some(_)) => rename(temporary, target),
        (None, Some(_)) => {
            // Unlike a rename this fails when somebody has made such a file in between.
            fs::hard_link(temporary, target).map_err(|error| FileError::from_io(target, error))?;
            remove(temporary)?;
            sync_folder(target.parent().unwrap_or(Path::new("/")))
                .map_err(|error| FileError::from_io(target, error))
        }
    }
}

/// Puts one file back as it was, if it is as we have made it.
fn take_back_one(text: &NewText, entry: &Entry, temporary: &Path, target: &Path) -> Result<(), FileError> {
    let now = match file::read(target) {
        Err(FileError::Missing(_)) => None,
        text => Some(TextHash::of(&text?)),
    };
    if now != entry.new || entry.new == entry.old {
        return Ok(());
    }
    match (&text.now, &entry.new) {
        (Some(_), None) if temporary.exists() => rename(temporary, target),
        (None, Some(_)) => remove(target),
        (Some(old), Some(_)) => {
            let back = NewText {
                path: text.path.clone(),
                now: Some(Lines::new("")),
                new: Some(old.text().to_string()),
                mode_of: None,
            };
            write_beside(&back, temporary, target).and_then(|()| rename(temporary, target))
        }
        _ => Ok(()),
    }
}

/// Returns the file that is written: of one that is there the one behind symbolic links, unless it is to go.
fn target_of(text: &NewText) -> io::Result<PathBuf> {
    if text.now.is_some() && text.new.is_some() {
        return fs::canonicalize(&text.path);
    }
    let name = text.path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let parent = text.path.parent().unwrap_or(Path::new("/"));
    // The folders of a new file may have to be made.
    Ok(fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned()).join(name))
}

/// Makes the folders that a new file needs, and notes which.
fn make_folders(target: &Path, made: &mut Vec<PathBuf>) -> Result<(), FileError> {
    let missing: Vec<&Path> = target.ancestors().skip(1).take_while(|folder| !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        fs::create_dir(folder).map_err(|error| FileError::from_io(folder, error))?;
        made.push(folder.to_owned());
    }
    Ok(())
}

/// The last look before the last step: what another program wrote is not overwritten.
fn check_unchanged(text: &NewText, target: &Path) -> Result<(), FileError> {
    let now = match file::read(target) {
        Err(FileError::Missing(_)) => None,
        text => Some(text?),
    };
    let unchanged = match (&now, &text.now) {
        (None, None) => true,
        (Some(now), Some(expected)) => **expected.text() == **now,
        _ => false,
    };
    if unchanged {
        return Ok(());
    }
    Err(if text.now.is_none() {
        FileError::Exists(text.path.clone())
    } else {
        FileError::Changed(text.path.clone())
    })
}

/// Gives a file another name, durably.
fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    let at = |error| FileError::from_io(to, error);
    fs::rename(from, to).map_err(at)?;
    sync_folder(to.parent().unwrap_or(Path::new("/"))).map_err(at)
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::from_io(path, error)),
        _ => Ok(()),
    }
}

fn folder(home: &Path) -> PathBuf {
    home.join("writes")
}

#[cfg(unix)]
fn keep_owner(new: &fs::File, old: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let now = new.metadata()?;
    if (now.uid(), now.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    fchown(new, Some(old.uid()), Some(old.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_new: &fs::File, _old: &fs::Metadata) -> io::Result<()> {
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

fn to_bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_encoded_bytes().to_vec()
}

#[cfg(unix)]
fn to_path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn to_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests;
