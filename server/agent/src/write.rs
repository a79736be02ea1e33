//! Writes the user's files: several at once, all or none, whatever happens in between. The only place that writes one.
//!
//! A journal in kkcode's home is written first. `NAME.prepare` names the new texts that are about to be put beside their
//! files; when they are all there and durable it becomes `NAME.commit`, in one step: from then on they take the files'
//! names, after a crash too. Before that a crash leaves every file as it was.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use kkcode_core::lines::{Lines, TextHash};
use serde::{Deserialize, Serialize};

use crate::file::{self, FileError};
use crate::fresh;
use crate::own;
use crate::place::{Place, make_folders};
use crate::trash::{Trash, to_bytes, to_path};

/// A file's text, and what it is to become.
#[derive(Debug)]
pub(crate) struct NewText {
    /// The file.
    pub(crate) path: PathBuf,
    /// The text that was looked at, none for a file that was not there; another one is never overwritten.
    pub(crate) now: Option<Lines>,
    /// The text to come; none for a file that is to go. It goes to the trash, unless another one gets its mode: that one is
    /// the file under a new name.
    pub(crate) new: Option<String>,
    /// The file whose mode a new one gets.
    pub(crate) mode_of: Option<PathBuf>,
}

/// Replaces the texts of files, makes files and their folders, and takes files away. Mode and owner stay, and a symbolic
/// link keeps pointing to the file that is changed. All of them have to be in the workspace folders, links followed.
pub(crate) fn replace_all(home: &Path, folders: &[PathBuf], texts: Vec<NewText>) -> Result<(), FileError> {
    let mut transaction = Transaction::new(home, folders, texts)?;
    while !transaction.step()? {}
    Ok(())
}

/// Ends what a crash interrupted: takes back what was prepared, completes what was committed.
pub(crate) fn recover(home: &Path) {
    let Ok(entries) = fs::read_dir(folder(home)) else { return };
    for journal in entries.flatten().map(|entry| entry.path()) {
        if let Err(error) = recover_one(&Trash::of(home), &journal) {
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
    /// Under which name the trash keeps it.
    trash: Option<String>,
}

/// A write of several files, one step after the other.
struct Transaction {
    trash: Trash,
    texts: Vec<NewText>,
    entries: Vec<Entry>,
    /// Where the files are, as soon as their folders are there: from then on nothing leads elsewhere.
    places: Vec<Places>,
    journal: PathBuf,
    /// The journal's file, locked as long as the transaction is under way: nobody else is to end it.
    lock: Option<fs::File>,
    /// Folders that were made for new files.
    made: Vec<Place>,
    next: Step,
}

/// A file, and what is put beside it.
struct Places {
    target: Place,
    temporary: Place,
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
    fn new(home: &Path, folders: &[PathBuf], texts: Vec<NewText>) -> Result<Self, FileError> {
        let random = |error: getrandom::Error| FileError::from_io(home, io::Error::other(error.to_string()));
        let journal = folder(home).join(fresh::name("write").map_err(random)?);
        let is_moved = |path: &Path| texts.iter().any(|text| text.mode_of.as_deref() == Some(path));
        let mut entries = Vec::new();
        for text in &texts {
            let target = target_of(text, folders)?;
            let name = fresh::name(".kkcode").map_err(random)?;
            let goes = text.new.is_none() && !is_moved(&text.path);
            let trash = goes.then(Trash::new_id).transpose();
            entries.push(Entry {
                temporary: to_bytes(&target.with_file_name(name)),
                target: to_bytes(&target),
                old: text.now.as_ref().map(|now| TextHash::of(now.text())),
                new: text.new.as_deref().map(TextHash::of),
                trash: trash.map_err(|error| FileError::from_io(home, error))?,
            });
        }
        let (trash, places, made) = (Trash::of(home), Vec::new(), Vec::new());
        Ok(Self { trash, texts, entries, places, journal, lock: None, made, next: Step::Prepare })
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
                self.write(index)?;
                if index + 1 < count { Step::Write(index + 1) } else { Step::Commit }
            }
            Step::Commit => {
                for (text, places) in self.texts.iter().zip(&self.places) {
                    check_unchanged(text, &places.target)?;
                }
                let at = |error| FileError::from_io(&self.journal, error);
                let (prepare, commit) =
                    (self.journal.with_extension("prepare"), self.journal.with_extension("commit"));
                fs::rename(&prepare, &commit).and_then(|()| sync_folder_of(&commit)).map_err(at)?;
                Step::Rename(0)
            }
            Step::Rename(index) => {
                if let Some((text, (entry, places))) =
                    self.texts.get(index).zip(self.entries.get(index).zip(self.places.get(index)))
                {
                    check_unchanged(text, &places.target)?;
                    put(entry, places)?;
                }
                if index + 1 < count { Step::Rename(index + 1) } else { Step::Forget }
            }
            Step::Forget => {
                for (entry, places) in self.entries.iter().zip(&self.places) {
                    if entry.new.is_none() {
                        remove(&places.temporary)?;
                    }
                }
                let forget = |extension| remove_journal(&self.journal.with_extension(extension));
                forget("prepare").and_then(|()| forget("commit"))?;
                if let Some(last) = self.entries.iter().find_map(|entry| entry.trash.as_deref()) {
                    self.trash.prune(Some(last));
                }
                Step::Forget
            }
        })
    }

    /// Puts a new text beside its file, and what is to go into the trash too.
    fn write(&mut self, index: usize) -> Result<(), FileError> {
        let Some((text, entry)) = self.texts.get(index).zip(self.entries.get(index)) else { return Ok(()) };
        let (target, temporary) = (to_path(&entry.target), to_path(&entry.temporary));
        let at = |error| FileError::from_io(&text.path, error);
        if text.now.is_none() {
            make_folders(&target, &mut self.made).map_err(|error| FileError::from_io(&target, error))?;
        }
        let target = Place::at(&target).map_err(at)?;
        let temporary = target.beside(temporary.file_name().unwrap_or(OsStr::new(""))).map_err(at)?;
        let places = Places { target, temporary };
        let written = write_beside(text, &places);
        let kept = written.and_then(|()| match &entry.trash {
            Some(id) => self.trash.keep(id, &places.target).map_err(at),
            None => Ok(()),
        });
        // What was begun is taken back too.
        self.places.push(places);
        kept
    }

    fn write_journal(&self) -> Result<fs::File, FileError> {
        let folder = self.journal.parent().unwrap_or(Path::new(""));
        let at = |error| FileError::from_io(&self.journal, error);
        own::folder(folder).map_err(at)?;
        let body = serde_json::to_vec(&self.entries).map_err(|error| at(io::Error::other(error)))?;
        let path = self.journal.with_extension("prepare");
        let mut journal = loop {
            let journal = fs::File::create_new(&path).map_err(at)?;
            journal.lock().map_err(at)?;
            // Another server that ends what a crash left may have seen it before it was locked, and have taken it away.
            if path.exists() {
                break journal;
            }
        };
        journal.write_all(&body).and_then(|()| journal.sync_all()).map_err(at)?;
        sync_folder_of(&path).map_err(at)?;
        Ok(journal)
    }

    /// Puts the old texts back where new ones have taken their place, and removes what was prepared.
    fn take_back(&self) {
        for ((text, entry), places) in self.texts.iter().zip(&self.entries).zip(&self.places) {
            let Places { target, temporary } = places;
            if let Err(error) = take_back_one(text, entry, places) {
                tracing::error!(file = %target.path().display(), %error, "a file could not be put back as it was");
            }
            // What is left of a file that could not be put back is not thrown away.
            let is_there = !matches!(file::text_behind(target), Err(FileError::Missing(_)));
            if (entry.new.is_some() || is_there)
                && let Err(error) = remove(temporary)
            {
                tracing::warn!(%error, "a temporary file is left");
            }
            if let Some(id) = entry.trash.as_ref().filter(|_| is_there)
                && let Err(error) = self.trash.forget(id)
            {
                tracing::warn!(%error, id, "a file that is there is in the trash too");
            }
        }
        for folder in self.made.iter().rev() {
            // One that somebody else has put something into stays.
            let _not_empty = folder.remove_folder();
        }
        for extension in ["prepare", "commit"] {
            if let Err(error) = remove_journal(&self.journal.with_extension(extension)) {
                tracing::warn!(%error, "a journal is left");
            }
        }
    }
}

fn recover_one(trash: &Trash, journal: &Path) -> Result<(), FileError> {
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
        if let (false, Some(id)) = (committed, &entry.trash) {
            trash.forget(id).map_err(at)?;
        }
        let target = match Place::at(&target) {
            // The folder was not made yet, or is gone.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            target => target.map_err(|error| FileError::from_io(&to_path(&entry.target), error))?,
        };
        let name = temporary.file_name().unwrap_or(OsStr::new(""));
        let temporary = target.beside(name).map_err(|error| FileError::from_io(&temporary, error))?;
        let places = Places { target, temporary };
        let now = match file::text_behind(&places.target) {
            Err(FileError::Missing(_)) => Ok(None),
            text => text.map(|text| Some(TextHash::of(&text))),
        };
        let is_prepared = entry.new.is_none() || places.temporary.open().is_ok();
        if committed && now.is_ok_and(|now| now == entry.old) && is_prepared {
            put(&entry, &places)?;
        }
        remove(&places.temporary)?;
    }
    remove_journal(journal)
}

/// Writes the text to come beside the file whose name it is to take, with that file's mode and owner, durably.
fn write_beside(text: &NewText, places: &Places) -> Result<(), FileError> {
    let at = |error| FileError::from_io(&text.path, error);
    let read_only = || at(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only"));
    let model = match (&text.now, &text.new, &text.mode_of) {
        (Some(_), Some(_), _) => Some(places.target.open().and_then(|file| file.metadata()).map_err(at)?),
        (Some(_), None, _) => Some(fs::metadata(places.target.path()).map_err(at)?),
        (None, _, Some(other)) => Some(fs::metadata(other).map_err(at)?),
        (None, _, None) => None,
    };
    if text.now.is_some() && model.as_ref().is_some_and(|model| model.permissions().readonly()) {
        return Err(read_only());
    }
    let Some(new_text) = &text.new else { return Ok(()) };
    let mut new = places.temporary.create_new().map_err(at)?;
    new.write_all(new_text.as_bytes()).map_err(at)?;
    if let Some(model) = model {
        keep_owner(&new, &model).map_err(at)?;
        new.set_permissions(model.permissions()).map_err(at)?;
    }
    new.sync_all().map_err(at)
}

/// Lets what was prepared take the file's place; a file that goes gets the temporary name.
fn put(entry: &Entry, Places { target, temporary }: &Places) -> Result<(), FileError> {
    let at = |error| FileError::from_io(target.path(), error);
    match (&entry.old, &entry.new) {
        (_, None) => target.rename(temporary),
        (Some(_), Some(_)) => temporary.rename(target),
        // Unlike a rename this fails when somebody has made such a file in between.
        (None, Some(_)) => temporary.link(target).and_then(|()| temporary.remove()),
    }
    .and_then(|()| target.sync_names())
    .map_err(at)
}

/// Puts one file back as it was, if it is as we have made it.
fn take_back_one(text: &NewText, entry: &Entry, places: &Places) -> Result<(), FileError> {
    let Places { target, temporary } = places;
    let at = |error| FileError::from_io(target.path(), error);
    let now = match file::text_behind(target) {
        Err(FileError::Missing(_)) => None,
        text => Some(TextHash::of(&text?)),
    };
    if now != entry.new || entry.new == entry.old {
        return Ok(());
    }
    match (&text.now, &entry.new) {
        (Some(_), None) => match temporary.rename(target) {
            // It had not gone yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result.and_then(|()| target.sync_names()).map_err(at),
        },
        (None, Some(_)) => remove(target),
        (Some(old), Some(_)) => {
            let back = NewText {
                path: text.path.clone(),
                now: Some(Lines::new("")),
                new: Some(old.text().to_string()),
                mode_of: None,
            };
            write_beside(&back, places)?;
            temporary.rename(target).and_then(|()| target.sync_names()).map_err(at)
        }
        (None, None) => Ok(()),
    }
}

/// Returns the file that is written: of one that is there the one behind symbolic links, unless it is to go.
fn target_of(text: &NewText, folders: &[PathBuf]) -> Result<PathBuf, FileError> {
    if text.now.is_some() && text.new.is_some() {
        return file::locate(&text.path, folders);
    }
    let invalid = || FileError::from_io(&text.path, io::Error::from(io::ErrorKind::InvalidInput));
    let name = text.path.file_name().ok_or_else(invalid)?;
    // The folders of a new file may have to be made.
    Ok(file::locate(text.path.parent().unwrap_or(Path::new("/")), folders)?.join(name))
}

/// The last look before the last step: what another program wrote is not overwritten.
fn check_unchanged(text: &NewText, target: &Place) -> Result<(), FileError> {
    let now = if text.new.is_some() { file::text_at(target) } else { file::text_behind(target) };
    let now = match now {
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

/// Removes a file, if it is there.
fn remove(place: &Place) -> Result<(), FileError> {
    match place.remove() {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::from_io(place.path(), error)),
        _ => Ok(()),
    }
}

/// Removes a journal, if it is there.
fn remove_journal(path: &Path) -> Result<(), FileError> {
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

/// Makes durable which names there are in the folder of a file.
#[cfg(unix)]
fn sync_folder_of(path: &Path) -> io::Result<()> {
    fs::File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder_of(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
