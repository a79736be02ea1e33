//! A walk through folders of the user that waits for nothing: an ignore file that is a pipe, a device or without an end is not read.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ignore::WalkBuilder;

/// The files that the walk would read, in every folder that it comes to and above where it begins.
const IGNORE_FILES: [&str; 4] = [".gitignore", ".ignore", ".git/info/exclude", ".git/commondir"];

/// A larger file is no ignore file.
const MOST_BYTES: u64 = 1024 * 1024;

/// Returns a walk through these folders without `.git`, as their ignore files have it; none if there are no folders. Where it
/// begins below an ignore file that cannot be read without waiting, no ignore file counts; a folder with one is left out, and
/// that is what `left_out` says afterwards.
pub(crate) fn through<'a>(
    roots: impl IntoIterator<Item = &'a PathBuf>,
    left_out: &Arc<AtomicBool>,
) -> Option<WalkBuilder> {
    let roots: Vec<&PathBuf> = roots.into_iter().collect();
    let mut walk = WalkBuilder::new(roots.first()?);
    for root in roots.iter().skip(1) {
        walk.add(root);
    }
    walk.require_git(false).follow_links(false);
    let is_trapped = roots.iter().any(|root| root.ancestors().any(waits));
    if is_trapped {
        walk.parents(false).ignore(false).git_ignore(false).git_exclude(false);
    }
    let left_out = Arc::clone(left_out);
    walk.filter_entry(move |entry| {
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        let is_left_out = !is_trapped && is_folder && waits(entry.path());
        left_out.fetch_or(is_left_out, Ordering::Relaxed);
        !is_left_out && entry.file_name() != ".git"
    });
    Some(walk)
}

/// Tells whether reading the ignore files of a folder might take for ever.
fn waits(folder: &Path) -> bool {
    let is_bad = |name: &str| {
        let path = folder.join(name);
        fs::metadata(&path).is_ok_and(|found| !found.is_dir()) && !is_ignore_file(&path)
    };
    IGNORE_FILES.into_iter().any(is_bad)
}

/// Tells whether an ignore file can be read.
pub(crate) fn is_ignore_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= MOST_BYTES)
}
