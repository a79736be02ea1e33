//! What a decision is made on: the folders, the level, and a look at the disk that somebody else takes.

use std::path::{Path, PathBuf};

/// Where an agent works. All paths are absolute, links followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ground {
    /// The workspace folders.
    pub folders: Vec<PathBuf>,
    /// The folder of the user that the first one is a copy of: what is said of its paths holds for the copy.
    pub copy_of: Option<PathBuf>,
    /// Where a command begins.
    pub cwd: PathBuf,
    /// The user's home folder.
    pub home: PathBuf,
    /// Where kkcode keeps its own files.
    pub own: Vec<PathBuf>,
    /// Folders for temporary files.
    pub temporary: Vec<PathBuf>,
    /// Where programs are looked for, in order, as the variable `PATH` lists them.
    pub program_folders: Vec<PathBuf>,
    /// Whether the workspace's file system takes `A` and `a` for the same name.
    pub ignores_case: bool,
}

impl Ground {
    /// Returns the path of the user that a path in a copy of his folder stands for.
    pub(crate) fn original(&self, path: &Path) -> Option<PathBuf> {
        let (copy, of) = (self.folders.first()?, self.copy_of.as_ref()?);
        Some(of.join(path.strip_prefix(copy).ok()?))
    }
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing, or nothing that can be seen.
    Nothing,
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// A look at the disk. Core takes none itself.
pub trait World {
    /// Returns where a link leads, as it is written; none if the path is no link.
    fn link_target(&self, path: &Path) -> Option<PathBuf>;
    /// Returns what stands at a path, links followed.
    fn entry(&self, path: &Path) -> Entry;
    /// Returns the text of a small file; none if it is absent, too large, or no text.
    fn text(&self, path: &Path) -> Option<String>;
    /// Returns the names in a folder; none if there are too many, or it cannot be read.
    fn names(&self, folder: &Path) -> Option<Vec<String>>;
}
