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
    /// The text that was looked at; another one is never overwritten.
    pub(crate) now: Lines,
    /// The text to come.
    pub(crate) new: String,
}

/// Replaces the texts of files. Mode and owner stay, and a symbolic link keeps pointing to the file that is changed.
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
    temporary: Vec<u8>,
    old: TextHash,
    new: TextHash,
}

/// A write of several files, one step after the other.
struct Transaction {
    texts: Vec<NewText>,
    entries: Vec<Entry>,
    journal: PathBuf,
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
            let target =
                fs::canonicalize(&text.path).map_err(|error| FileError::from_io(&text.path, error))?;
            let name = fresh::name(".kkcode").map_err(random)?;
            entries.push(Entry {
                temporary: to_bytes(&target.with_file_name(name)),
                target: to_bytes(&target),
                old: TextHash::of(text.now.text()),
                new: TextHash::of(&text.new),
            });
        }
        Ok(Self { texts, entries, journal, next: Step::Prepare })
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

    fn perform(&self) -> Result<Step, FileError> {
        let count = self.texts.len();
        Ok(match self.next {
            Step::Prepare => {
                self.write_journal()?;
                if count == 0 { Step::Forget } else { Step::Write(0) }
            }
            Step::Write(index) => {
                if let Some((text, entry)) = self.texts.get(index).zip(self.entries.get(index)) {
                    write_beside(text, &to_path(&entry.temporary), &to_path(&entry.target))?;
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
                    let target = to_path(&entry.target);
                    check_unchanged(text, &target)?;
                    rename(&to_path(&entry.temporary), &target)?;
                }
                if index + 1 < count { Step::Rename(index + 1) } else { Step::Forget }
            }
            Step::Forget => {
                let forget = |extension| remove(&self.journal.with_extension(extension));
                forget("prepare").and_then(|()| forget("commit"))?;
                Step::Forget
            }
        })
    }

    fn write_journal(&self) -> Result<(), FileError> {
        let folder = self.journal.parent().unwrap_or(Path::new(""));
        let at = |error| FileError::from_io(&self.journal, error);
        fs::create_dir_all(folder).map_err(at)?;
        let body = serde_json::to_vec(&self.entries).map_err(|error| at(io::Error::other(error)))?;
        let path = self.journal.with_extension("prepare");
        let mut journal = fs::File::create_new(&path).map_err(at)?;
        journal.write_all(&body).and_then(|()| journal.sync_all()).map_err(at)?;
        sync_folder(folder).map_err(at)
    }

    /// Puts the old texts back where new ones have taken their place, and removes what was prepared.
    fn take_back(&self) {
        for (text, entry) in self.texts.iter().zip(&self.entries) {
            let (target, temporary) = (to_path(&entry.target), to_path(&entry.temporary));
            let ours = file::read(&target)
                .is_ok_and(|now| TextHash::of(&now) == entry.new && entry.new != entry.old);
            if ours {
                let old = NewText {
                    path: text.path.clone(),
                    now: Lines::new(""),
                    new: text.now.text().to_string(),
                };
                let back = write_beside(&old, &temporary, &target).and_then(|()| rename(&temporary, &target));
                if let Err(error) = back {
                    tracing::error!(file = %target.display(), %error, "a file could not be put back as it was");
                }
            }
            if let Err(error) = remove(&temporary) {
                tracing::warn!(%error, "a temporary file is left");
            }
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
    let committed = journal.extension().is_some_and(|extension| extension == "commit");
    // A journal that cannot be read was cut off while it was written: nothing had been put anywhere yet.
    let entries: Vec<Entry> = serde_json::from_slice(&fs::read(journal).map_err(at)?).unwrap_or_default();
    for entry in entries {
        let (target, temporary) = (to_path(&entry.target), to_path(&entry.temporary));
        let unchanged = || file::read(&target).is_ok_and(|now| TextHash::of(&now) == entry.old);
        if committed && temporary.exists() && unchanged() {
            rename(&temporary, &target)?;
        }
        remove(&temporary)?;
    }
    remove(journal)
}

/// Writes a text beside the file whose name it is to take, with that file's mode and owner, durably.
fn write_beside(text: &NewText, temporary: &Path, target: &Path) -> Result<(), FileError> {
    let at = |error| FileError::from_io(&text.path, error);
    let metadata = fs::metadata(target).map_err(at)?;
    if metadata.permissions().readonly() {
        return Err(at(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only")));
    }
    let mut new = fs::File::create_new(temporary).map_err(at)?;
    new.write_all(text.new.as_bytes()).map_err(at)?;
    keep_owner(&new, &metadata).map_err(at)?;
    new.set_permissions(metadata.permissions()).map_err(at)?;
    new.sync_all().map_err(at)
}

/// The last look before the last step: what another program wrote is not overwritten.
fn check_unchanged(text: &NewText, target: &Path) -> Result<(), FileError> {
    let unchanged = TextHash::of(&file::read(target)?) == TextHash::of(text.now.text());
    if unchanged { Ok(()) } else { Err(FileError::Changed(text.path.clone())) }
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
