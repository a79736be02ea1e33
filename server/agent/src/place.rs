//! A file by the handle of the folder that it is in: whatever links others put in the way meanwhile lead nowhere else.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use rustix::fs::{AtFlags, Mode, OFlags};

/// A name in a folder that is held open. There need not be anything of that name.
///
/// Where there are no such handles (outside of Unix) it is a path like any other.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    name: OsString,
    #[cfg(unix)]
    folder: std::os::fd::OwnedFd,
}

impl Place {
    /// Finds the folder of an absolute path that holds no link any more. Fails when there is one by now.
    pub(crate) fn at(real: &Path) -> io::Result<Self> {
        let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
        let name = real.file_name().ok_or_else(invalid)?.to_owned();
        let parent = real.parent().filter(|parent| parent.is_absolute()).ok_or_else(invalid)?;
        #[cfg(unix)]
        let folder = open_folder(parent)?;
        #[cfg(not(unix))]
        let _exists = fs::metadata(parent)?;
        Ok(Self {
            path: real.to_owned(),
            name,
            #[cfg(unix)]
            folder,
        })
    }

    /// Returns another name in the same folder.
    pub(crate) fn beside(&self, name: &OsStr) -> io::Result<Self> {
        Ok(Self {
            path: self.path.with_file_name(name),
            name: name.to_owned(),
            #[cfg(unix)]
            folder: self.folder.try_clone()?,
        })
    }

    /// Returns where it was found, for messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(unix)]
impl Place {
    /// Opens the file to be read; a link is not followed, and a pipe that nobody writes to is not waited for.
    pub(crate) fn open(&self) -> io::Result<fs::File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.folder, &self.name, flags, Mode::empty())?.into())
    }

    /// Makes the file; fails when something of the name is there, a link too.
    pub(crate) fn create_new(&self) -> io::Result<fs::File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        Ok(rustix::fs::openat(&self.folder, &self.name, flags, mode)?.into())
    }

    /// Makes a folder.
    pub(crate) fn create_folder(&self) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(&self.folder, &self.name, Mode::from_raw_mode(0o777))?)
    }

    /// Gives the file or folder another name, in the place of what has it.
    pub(crate) fn rename(&self, to: &Self) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.folder, &self.name, &to.folder, &to.name)?)
    }

    /// Gives the file or folder another name; fails when something has it.
    pub(crate) fn rename_to_free(&self, to: &Self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{RenameFlags, renameat_with};
            use rustix::io::Errno;
            let flags = RenameFlags::NOREPLACE;
            match renameat_with(&self.folder, &self.name, &to.folder, &to.name, flags) {
                // A file system that cannot do this.
                Err(Errno::INVAL | Errno::NOSYS) => {}
                result => return Ok(result?),
            }
        }
        match rustix::fs::statat(&to.folder, &to.name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(rustix::io::Errno::NOENT) => self.rename(to),
            Err(error) => Err(error.into()),
            Ok(_) => Err(io::Error::from(io::ErrorKind::AlreadyExists)),
        }
    }

    /// Gives the file a second name; fails when something has it.
    pub(crate) fn link(&self, to: &Self) -> io::Result<()> {
        Ok(rustix::fs::linkat(&self.folder, &self.name, &to.folder, &to.name, AtFlags::empty())?)
    }

    /// Removes the file, or the link.
    pub(crate) fn remove(&self) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.folder, &self.name, AtFlags::empty())?)
    }

    /// Removes the folder if it is empty.
    pub(crate) fn remove_folder(&self) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.folder, &self.name, AtFlags::REMOVEDIR)?)
    }

    /// Makes durable which names there are in the folder.
    pub(crate) fn sync_names(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.folder)?)
    }
}

#[cfg(not(unix))]
impl Place {
    pub(crate) fn open(&self) -> io::Result<fs::File> {
        fs::File::open(&self.path)
    }

    pub(crate) fn create_new(&self) -> io::Result<fs::File> {
        fs::File::create_new(&self.path)
    }

    pub(crate) fn create_folder(&self) -> io::Result<()> {
        fs::create_dir(&self.path)
    }

    pub(crate) fn rename(&self, to: &Self) -> io::Result<()> {
        fs::rename(&self.path, &to.path)
    }

    pub(crate) fn rename_to_free(&self, to: &Self) -> io::Result<()> {
        if fs::symlink_metadata(&to.path).is_ok() {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        fs::rename(&self.path, &to.path)
    }

    pub(crate) fn link(&self, to: &Self) -> io::Result<()> {
        fs::hard_link(&self.path, &to.path)
    }

    pub(crate) fn remove(&self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }

    pub(crate) fn remove_folder(&self) -> io::Result<()> {
        fs::remove_dir(&self.path)
    }

    pub(crate) fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes the folders that something at `target` needs, a path that holds no link, and notes which.
pub(crate) fn make_folders(target: &Path, made: &mut Vec<Place>) -> io::Result<()> {
    let missing: Vec<&Path> = target.ancestors().skip(1).take_while(|folder| !folder.exists()).collect();
    for folder in missing.into_iter().rev() {
        let place = Place::at(folder)?;
        place.create_folder()?;
        made.push(place);
    }
    Ok(())
}

/// Opens a file to be read by an absolute path that holds no link any more. Fails when there is one by now.
pub(crate) fn open(real: &Path) -> io::Result<fs::File> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, ResolveFlags, openat2};
        use rustix::io::Errno;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match openat2(CWD, real, flags, Mode::empty(), resolve) {
            // An older kernel, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => {}
            file => return Ok(file?.into()),
        }
    }
    Place::at(real)?.open()
}

/// Returns the names in a folder, by an absolute path that holds no link any more, and which of them are folders or lead to one.
/// Fails when there is a link by now.
pub(crate) fn names(real: &Path) -> io::Result<Vec<(OsString, bool)>> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = open_folder(real)?;
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&folder)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let is_folder = rustix::fs::statat(&folder, name, AtFlags::empty()).is_ok_and(|found| {
                rustix::fs::FileType::from_raw_mode(found.st_mode) == rustix::fs::FileType::Directory
            });
            names.push((name.to_owned(), is_folder));
        }
        Ok(names)
    }
    #[cfg(not(unix))]
    fs::read_dir(real)?.map(|entry| entry.map(|entry| (entry.file_name(), entry.path().is_dir()))).collect()
}

/// Opens a folder by a path that holds no links.
#[cfg(unix)]
fn open_folder(path: &Path) -> io::Result<std::os::fd::OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, ResolveFlags, openat2};
        use rustix::io::Errno;
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match openat2(CWD, path, flags, Mode::empty(), resolve) {
            // An older kernel, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => {}
            folder => return Ok(folder?),
        }
    }
    walk(path, flags)
}

/// Opens one folder after the other, none of which may be a link.
#[cfg(unix)]
fn walk(path: &Path, flags: OFlags) -> io::Result<std::os::fd::OwnedFd> {
    use std::path::Component;
    let mut folder = rustix::fs::open("/", flags, Mode::empty())?;
    for part in path.components() {
        match part {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(name) => {
                folder = rustix::fs::openat(&folder, name, flags | OFlags::NOFOLLOW, Mode::empty())?;
            }
            Component::ParentDir | Component::Prefix(_) => {
                return Err(io::Error::from(io::ErrorKind::InvalidInput));
            }
        }
    }
    Ok(folder)
}

#[cfg(test)]
mod tests;
