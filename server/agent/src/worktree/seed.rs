//! How a copy comes to be, what has changed in it since, and how it goes.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kkcode_core::id::TaskId;
use kkcode_core::text::BOM;

use super::git::Git;
use super::{Problem, Worktree, git};
use crate::gate::policy;

/// Files at the top of a folder that instruct agents; those that git ignores are copied too.
const INSTRUCTIONS: [&str; 3] = ["AGENTS.md", "CLAUDE.md", "KKCODE.md"];

impl Worktree {
    /// Tells whether the copy was made whole: the last thing that is written is what it began with.
    pub(super) fn is_whole(&self) -> bool {
        self.root.is_dir() && self.state.join("tree").is_file()
    }

    /// Makes the copy. When that fails nothing is left of it.
    pub(super) fn seed(&self, unsaved: &[(PathBuf, String)]) -> Result<(), Problem> {
        let seeded = self.seed_all(unsaved);
        if seeded.is_err() {
            self.remove();
        }
        seeded
    }

    fn seed_all(&self, unsaved: &[(PathBuf, String)]) -> Result<(), Problem> {
        let failed = |what: &Path, error: io::Error| format!("{} cannot be copied: {error}", what.display());
        for folder in ["before", "objects"] {
            fs::create_dir_all(self.state.join(folder)).map_err(|error| failed(&self.state, error))?;
        }
        let add = ["worktree", "add", "--quiet", "--detach"].map(Into::into);
        let root = self.root.clone().into_os_string();
        self.git.run(&self.top, add.into_iter().chain([root, "HEAD".into()]), &[])?;
        // Asked for once: later the agent may have written what git would find in the copy.
        let own = self.git.run(&self.root, ["rev-parse", "--absolute-git-dir"], &[])?;
        let own = git::line(&own);
        fs::write(self.state.join("git-dir"), own.as_os_str().as_encoded_bytes())
            .map_err(|error| failed(&self.state, error))?;
        let status = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"];
        let status = self.git.run(&self.top, status, &[])?;
        let entries = status.split(|byte| *byte == 0).filter_map(|entry| entry.get(3..));
        let paths: Vec<PathBuf> = entries.filter(|path| !path.is_empty()).map(git::path).collect();
        let (gone, there): (Vec<_>, Vec<_>) =
            paths.iter().partition(|path| fs::symlink_metadata(self.top.join(path)).is_err());
        for path in gone {
            remove(&self.root.join(path)).map_err(|error| failed(path, error))?;
        }
        for path in there {
            copy(&self.top.join(path), &self.root, path).map_err(|error| failed(path, error))?;
        }
        // What bounds and instructs the agent holds in the copy too, ignored by git or not.
        let bounds = policy::files_of_project(&self.folder);
        for theirs in bounds.chain(INSTRUCTIONS.map(|name| self.folder.join(name))) {
            let Some(ours) = self.ours(&theirs).filter(|ours| theirs.is_file() && !ours.exists()) else {
                continue;
            };
            let Ok(below) = ours.strip_prefix(&self.root) else { continue };
            copy(&theirs, &self.root, below).map_err(|error| failed(&theirs, error))?;
        }
        for (theirs, text) in unsaved {
            let Some(ours) = self.ours(theirs) else { continue };
            // A link may lead back to the user's own file.
            if ours.canonicalize().is_ok_and(|real| !real.starts_with(&self.root)) {
                continue;
            }
            let has_mark = fs::read(&ours).is_ok_and(|bytes| bytes.starts_with(BOM.to_string().as_bytes()));
            let mark = if has_mark && !text.starts_with(BOM) { "\u{feff}" } else { "" };
            fs::write(&ours, format!("{mark}{text}")).map_err(|error| failed(theirs, error))?;
        }
        fs::copy(own.join("index"), self.state.join("index")).map_err(|error| failed(&self.root, error))?;
        let tree = self.tree()?;
        fs::write(self.state.join("tree"), tree).map_err(|error| failed(&self.state, error))
    }

    /// Returns the paths of the copy that are not as they were when it began; not those that git ignores.
    pub(super) fn changed(&self) -> Result<Vec<PathBuf>, Problem> {
        let began = fs::read_to_string(self.state.join("tree"));
        let began = began.map_err(|error| format!("what it began with cannot be read: {error}"))?;
        let now = self.tree()?;
        let diff = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", &began, &now];
        let paths = self.git.run(&self.root, diff, &self.apart()?)?;
        let paths = paths.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        Ok(paths.map(|path| self.root.join(git::path(path))).collect())
    }

    /// Removes the copy and what is kept about it.
    pub(super) fn remove(&self) {
        give_up(&self.git, Some(&self.repository), &self.root, &self.state);
    }

    /// Returns the name of what is in the copy now, git's objects of it kept apart from the user's repository.
    fn tree(&self) -> Result<String, Problem> {
        self.git.run(&self.root, ["add", "--all"], &self.apart()?)?;
        let tree = self.git.run(&self.root, ["write-tree"], &self.apart()?)?;
        Ok(String::from_utf8_lossy(&tree).trim().to_owned())
    }

    /// Returns what keeps git's index and objects out of the user's repository, and git from believing what is in the copy.
    fn apart(&self) -> Result<[(&'static str, PathBuf); 5], Problem> {
        let own = fs::read(self.state.join("git-dir"))
            .map_err(|error| format!("where git keeps the worktree cannot be read: {error}"))?;
        Ok([
            ("GIT_DIR", git::path(&own)),
            ("GIT_WORK_TREE", self.root.clone()),
            ("GIT_INDEX_FILE", self.state.join("index")),
            ("GIT_OBJECT_DIRECTORY", self.state.join("objects")),
            ("GIT_ALTERNATE_OBJECT_DIRECTORIES", self.repository.join("objects")),
        ])
    }
}

/// Copies a file or a link, whatever is in the way of it; a folder is somebody else's repository, and left out.
fn copy(from: &Path, root: &Path, below: &Path) -> io::Result<()> {
    let kind = fs::symlink_metadata(from)?;
    if kind.is_dir() {
        tracing::info!(folder = %from.display(), "a repository in the repository is not copied");
        return Ok(());
    }
    let to = root.join(below);
    let above: Vec<&Path> = below.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()).collect();
    for folder in above.into_iter().rev().map(|folder| root.join(folder)) {
        if fs::symlink_metadata(&folder).is_ok_and(|found| !found.is_dir()) {
            fs::remove_file(&folder)?;
        }
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    remove(&to)?;
    #[cfg(unix)]
    if kind.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    fs::copy(from, to).map(drop)
}

/// Removes whatever is there.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        // Something above it is a file by now, or it is gone.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(())
        }
        removed => removed,
    }
}

/// Removes the worktree of a task that nobody goes on with, if it has one, whatever is in it. Runs git: blocks.
pub(crate) fn discard(home: &Path, task: &TaskId, environment: Vec<(OsString, OsString)>) {
    let Ok(all) = super::all(home) else { return };
    let (root, state) = super::places(&all, task);
    if root.exists() || state.exists() {
        let own = fs::read(state.join("git-dir")).map(|own| git::path(&own)).unwrap_or_default();
        // It is `worktrees/<name>` there.
        let repository = own.parent().and_then(Path::parent);
        give_up(&Git::new(environment), repository, &root, &state);
    }
}

fn give_up(git: &Git, repository: Option<&Path>, root: &Path, state: &Path) {
    let Some(all) = root.parent() else { return };
    if let Some(repository) = repository {
        // Also when the folder is gone: git may have kept its name.
        let remove = ["worktree", "remove", "--force", "--force"].map(OsStr::new);
        let git_dir = [("GIT_DIR", repository.to_owned())];
        if let Err(problem) = git.run(all, remove.into_iter().chain([root.as_os_str()]), &git_dir) {
            tracing::debug!(problem, "git does not know the worktree");
        }
    }
    for folder in [root, state] {
        if let Err(error) = fs::remove_dir_all(folder)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(folder = %folder.display(), %error, "a worktree could not be removed");
        }
    }
    // The folder of all worktrees goes with the last one.
    let _others_are_in_it = fs::remove_dir(all);
}
