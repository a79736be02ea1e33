//! A bounded picture of a folder before a command runs in it, so that what it changes can be reviewed.

use std::collections::BTreeMap;
use std::fs::{self, FileTimes, Metadata, Permissions};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kkcode_core::permission::shell::config_names_programs;
use kkcode_core::text::BOM;

use super::changes::{After, Change};
use crate::{file, walk};

/// Where a repository is kept, or the file that says where.
const GIT: &str = ".git";

/// How many files a picture has at most.
const MOST_FILES: usize = 20_000;

/// The largest file whose bytes are kept, and how many bytes all have.
const MOST_BYTES: (u64, u64) = (1024 * 1024, 64 * 1024 * 1024);

/// The files of the workspace that are not ignored, as they are at one moment.
#[derive(Debug, Default)]
pub(super) struct Picture {
    files: BTreeMap<PathBuf, Kept>,
    /// Whether there are more files than were looked at.
    is_cut: bool,
    /// Where each folder's git stands.
    heads: Vec<Option<Stamp>>,
}

#[derive(Clone, Debug)]
struct Kept {
    stamp: Stamp,
    /// The bytes; none of a file that is too large, or no file.
    bytes: Option<Arc<[u8]>>,
    permissions: Permissions,
    times: Option<FileTimes>,
}

/// By what a file is known to be another one: device and number, size, and when it and its entry were changed.
type Stamp = (u64, u64, u64, i64, i64, i64, i64);

fn stamp(metadata: &Metadata) -> Stamp {
    let (changed, entry) =
        ((metadata.mtime(), metadata.mtime_nsec()), (metadata.ctime(), metadata.ctime_nsec()));
    (metadata.dev(), metadata.ino(), metadata.len(), changed.0, changed.1, entry.0, entry.1)
}

impl Picture {
    /// Takes the picture. Of a file that is as an earlier picture has it the bytes are not read again.
    pub(super) fn take(folders: &[PathBuf], earlier: Option<&Self>) -> Self {
        let heads = folders.iter().map(|folder| {
            let log = fs::metadata(folder.join(".git/logs/HEAD"));
            log.or_else(|_| fs::metadata(folder.join(".git/HEAD"))).ok().as_ref().map(stamp)
        });
        let mut picture = Self { heads: heads.collect(), ..Self::default() };
        let mut left = MOST_BYTES.1;
        for folder in folders {
            let left_out = Arc::<AtomicBool>::default();
            let Some(mut walk) = walk::through([folder], &left_out) else { continue };
            walk.hidden(false);
            for entry in walk.build().flatten() {
                if entry.file_type().is_some_and(|kind| kind.is_dir()) {
                    if entry.depth() > 0 {
                        picture.take_git(entry.path(), earlier, &mut left);
                    }
                    continue;
                }
                if picture.files.len() == MOST_FILES {
                    picture.is_cut = true;
                    return picture;
                }
                picture.add(entry.into_path(), earlier, &mut left);
            }
            picture.is_cut |= left_out.load(Ordering::Relaxed);
        }
        picture
    }

    fn add(&mut self, path: PathBuf, earlier: Option<&Self>, left: &mut u64) {
        let known = earlier.and_then(|earlier| earlier.files.get(&path));
        if let Ok(kept) = keep(&path, known, *left) {
            let bytes = kept.bytes.as_ref().map_or(0, |bytes| bytes.len());
            *left = left.saturating_sub(u64::try_from(bytes).unwrap_or(u64::MAX));
            self.files.insert(path, kept);
        }
    }

    /// Adds what git obeys of a repository below the workspace. That of the workspace itself is kept from commands.
    fn take_git(&mut self, folder: &Path, earlier: Option<&Self>, left: &mut u64) {
        let git = folder.join(GIT);
        match fs::symlink_metadata(&git) {
            Ok(found) if found.is_dir() => {
                let hooks = fs::read_dir(git.join("hooks")).into_iter().flatten().flatten();
                let hooks = hooks.map(|entry| entry.path());
                let hooks = hooks.filter(|path| path.extension().is_none_or(|end| end != "sample"));
                let others = ["config", "config.worktree"].map(|name| git.join(name));
                for path in hooks.chain(others) {
                    self.add(path, earlier, left);
                }
            }
            // It says where the repository is.
            Ok(_) => self.add(git, earlier, left),
            Err(_) => {}
        }
    }

    /// Tells whether git has moved to another commit, or anything else that its log of heads says, since `before`.
    pub(super) fn git_moved(&self, before: &Self) -> bool {
        self.heads != before.heads
    }

    /// Returns what is different from `before` and can become hunks, and in words what cannot.
    pub(super) fn since(&self, before: &Self) -> (Vec<Change>, Vec<String>) {
        let (mut changes, mut others) = (Vec::new(), Vec::new());
        for (path, now) in &self.files {
            let was = before.files.get(path);
            if was.is_some_and(|was| was.stamp == now.stamp) || was.is_none() && before.is_cut {
                continue;
            }
            let unchanged = was.is_some_and(|was| was.bytes.is_some() && was.bytes == now.bytes);
            if is_harmless_git(path, now) {
                continue;
            }
            let name = path.display();
            if let Some(was) = was
                && was.permissions != now.permissions
            {
                others.push(format!("{name} (its mode)"));
            }
            let was_text = was.is_none_or(|was| text_of(was).is_some());
            match text_of(now).filter(|_| was_text) {
                _ if unchanged => {}
                Some(text) => {
                    let base = was.and_then(|was| text_of(was).map(ToOwned::to_owned));
                    changes.push(Change { path: path.clone(), base, after: After::Text(text.to_owned()) });
                }
                None => others.push(format!("{name} (no text, or too large)")),
            }
        }
        for (path, was) in &before.files {
            let is_of_git = path.components().any(|part| part.as_os_str() == GIT);
            if self.files.contains_key(path) || self.is_cut || is_of_git || fs::symlink_metadata(path).is_ok()
            {
                continue;
            }
            match text_of(was) {
                Some(base) => {
                    let base = Some(base.to_owned());
                    changes.push(Change { path: path.clone(), base, after: After::Gone });
                }
                None => others.push(format!("{} (gone)", path.display())),
            }
        }
        if self.is_cut || before.is_cut {
            others.push(format!("files behind the first {MOST_FILES}, which are not looked at"));
        }
        (changes, others)
    }

    /// Puts a file back as it is in this picture, with its mode and time; one that is not in it goes. With `saved` it gets
    /// this text, which came after the picture.
    pub(super) fn restore(&self, path: &Path, saved: Option<&str>) -> io::Result<()> {
        let kept = self.files.get(path);
        let (bytes, kept) = match (saved, kept) {
            (Some(saved), None) => return fs::write(path, saved),
            (Some(saved), Some(kept)) => {
                let mark = text_of(kept).and_then(|text| text.chars().next()).filter(|first| *first == BOM);
                let mark = mark.filter(|_| !saved.starts_with(BOM)).map(String::from).unwrap_or_default();
                (Arc::from(format!("{mark}{saved}").into_bytes()), Kept { times: None, ..kept.clone() })
            }
            (None, Some(kept)) => {
                let bytes = kept.bytes.clone().ok_or_else(|| io::Error::other("its text was not kept"))?;
                (bytes, kept.clone())
            }
            (None, None) => return fs::remove_file(path),
        };
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        let name = crate::fresh::name("back").map_err(|error| io::Error::other(error.to_string()))?;
        let beside = path.with_file_name(format!(".{name}"));
        let written = fs::write(&beside, &bytes).and_then(|()| {
            fs::set_permissions(&beside, kept.permissions.clone())?;
            if let Some(times) = kept.times {
                fs::File::open(&beside)?.set_times(times)?;
            }
            fs::rename(&beside, path)
        });
        if written.is_err() && beside.exists() {
            fs::remove_file(&beside)?;
        }
        written
    }
}

/// Tells whether a file is a configuration of git by which nothing is run.
fn is_harmless_git(path: &Path, now: &Kept) -> bool {
    let is_config = path.file_name().is_some_and(|name| name == "config" || name == "config.worktree");
    let is_of_git = path.parent().and_then(Path::file_name).is_some_and(|name| name == GIT);
    is_config && is_of_git && text_of(now).is_some_and(|text| !config_names_programs(text))
}

fn keep(path: &Path, known: Option<&Kept>, left: u64) -> io::Result<Kept> {
    let metadata = fs::symlink_metadata(path)?;
    let stamp = stamp(&metadata);
    if let Some(known) = known.filter(|known| known.stamp == stamp) {
        return Ok(known.clone());
    }
    let is_kept = metadata.is_file() && metadata.len() <= MOST_BYTES.0.min(left);
    let bytes = if is_kept { Some(fs::read(path)?.into()) } else { None };
    let times = metadata.modified().ok().map(|modified| FileTimes::new().set_modified(modified));
    Ok(Kept { stamp, bytes, permissions: metadata.permissions(), times })
}

fn text_of(kept: &Kept) -> Option<&str> {
    kept.bytes.as_deref().and_then(text)
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
        .filter(|text| u64::try_from(text.len()).is_ok_and(|length| length <= file::MOST_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_different_is_found_and_can_be_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, text) in [("a.txt", "one\n"), ("b.txt", "two\n"), (".gitignore", "out/\n")] {
            fs::write(at(name), text).unwrap();
        }
        fs::write(at("c.bin"), [0, 1]).unwrap();
        let folders = [folder.path().to_owned()];
        let before = Picture::take(&folders, None);
        fs::write(at("a.txt"), "changed\n").unwrap();
        fs::remove_file(at("b.txt")).unwrap();
        fs::write(at("c.bin"), [0, 2, 3]).unwrap();
        fs::write(at("new.txt"), "new\n").unwrap();
        fs::create_dir(at("out")).unwrap();
        fs::write(at("out/x.txt"), "built\n").unwrap();
        let after = Picture::take(&folders, Some(&before));
        let (changes, others) = after.since(&before);
        let mut names: Vec<String> = changes
            .iter()
            .map(|change| change.path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        assert_eq!(names, ["a.txt", "b.txt", "new.txt"]);
        assert!(others.len() == 1 && others[0].contains("c.bin"), "{others:?}");
        for change in &changes {
            before.restore(&change.path, None).unwrap();
        }
        assert_eq!(fs::read_to_string(at("a.txt")).unwrap(), "one\n");
        assert_eq!(fs::read_to_string(at("b.txt")).unwrap(), "two\n");
        assert!(!at("new.txt").exists() && at("out/x.txt").exists());
    }

    #[test]
    fn a_repository_below_that_runs_nothing_is_left_alone_and_what_would_run_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let folders = [dir.path().canonicalize().unwrap()];
        let deep = folders[0].join("deep/.git");
        let before = Picture::take(&folders, None);
        fs::create_dir_all(deep.join("hooks")).unwrap();
        fs::write(deep.join("config"), "[core]\n\tbare = false\n").unwrap();
        fs::write(deep.join("hooks/pre-commit.sample"), "#!/bin/sh\n").unwrap();
        let after = Picture::take(&folders, Some(&before));
        assert!(after.since(&before).0.is_empty(), "git makes it so");
        fs::write(deep.join("config"), "[core]\n\tfsmonitor = evil\n").unwrap();
        fs::write(deep.join("hooks/pre-commit"), "#!/bin/sh\n").unwrap();
        fs::create_dir(folders[0].join("other")).unwrap();
        fs::write(folders[0].join("other/.git"), "gitdir: ../evil\n").unwrap();
        let now = Picture::take(&folders, Some(&after));
        let found: Vec<PathBuf> = now.since(&after).0.into_iter().map(|change| change.path).collect();
        assert_eq!(
            found,
            [deep.join("config"), deep.join("hooks/pre-commit"), folders[0].join("other/.git")]
        );
        after.restore(&deep.join("config"), None).unwrap();
        assert_eq!(fs::read_to_string(deep.join("config")).unwrap(), "[core]\n\tbare = false\n");
    }
}
