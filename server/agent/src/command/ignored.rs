//! Which files of a workspace no one reviews: what its ignore files leave out, and git's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::walk;

/// The ignore files of a workspace folder, read as they are needed.
#[derive(Debug)]
pub(super) struct Ignored {
    root: PathBuf,
    folders: BTreeMap<PathBuf, Arc<Gitignore>>,
    everywhere: Gitignore,
}

impl Ignored {
    /// Begins without having read more than the user's own ignore file.
    pub(super) fn new(root: &Path) -> Self {
        let (everywhere, problem) = Gitignore::global();
        if let Some(problem) = problem {
            tracing::debug!(%problem, "the user's own ignore file is not right");
        }
        Self { root: root.to_owned(), folders: BTreeMap::new(), everywhere }
    }

    /// Tells whether a path below the root, or a folder that it is in, is left out.
    pub(super) fn holds(&mut self, path: &Path, is_folder: bool) -> bool {
        let Ok(below) = path.strip_prefix(&self.root) else { return false };
        if below.components().any(|part| part.as_os_str() == ".git") {
            return true;
        }
        let mut at = self.root.clone();
        let mut parts = below.components().peekable();
        while let Some(part) = parts.next() {
            at.push(part);
            if self.one(&at, is_folder || parts.peek().is_some()) {
                return true;
            }
        }
        false
    }

    /// Judges one path by the ignore files above it; the nearest that says something holds.
    fn one(&mut self, path: &Path, is_folder: bool) -> bool {
        let root = self.root.clone();
        for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(&root)) {
            let rules = self.of(folder);
            let found = rules.matched(path, is_folder);
            if !found.is_none() {
                return found.is_ignore();
            }
        }
        self.everywhere.matched(path, is_folder).is_ignore()
    }

    fn of(&mut self, folder: &Path) -> Arc<Gitignore> {
        if let Some(known) = self.folders.get(folder) {
            return known.clone();
        }
        let mut builder = GitignoreBuilder::new(folder);
        for name in [".git/info/exclude", ".gitignore", ".ignore"] {
            let file = folder.join(name);
            if walk::is_ignore_file(&file)
                && let Some(problem) = builder.add(&file)
            {
                tracing::debug!(%problem, "an ignore file is not right");
            }
        }
        let read = Arc::new(builder.build().unwrap_or_else(|_| Gitignore::empty()));
        self.folders.insert(folder.to_owned(), read.clone());
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_ignore_file_holds_and_what_is_in_a_folder_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("src")).unwrap();
        std::fs::write(root.join(".gitignore"), "target/\n*.o\n").unwrap();
        std::fs::write(root.join("src/.gitignore"), "!keep.o\n").unwrap();
        let mut ignored = Ignored::new(root);
        let mut holds = |path: &str| ignored.holds(&root.join(path), false);
        assert!(holds("target/debug/a.txt") && holds("a.o") && holds("src/b.o") && holds(".git/index"));
        assert!(!holds("src/keep.o") && !holds("src/main.c") && !holds("targets/a.txt"));
    }
}
