//! The files that a command line names, as they were when the user was asked about it: a script that is another by the time of
//! the answer is not what was said yes to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kkcode_core::permission::engine::{Action, Call};
use kkcode_core::permission::shell::judge;

use super::disk::Disk;
use super::policy::Holding;

/// By what a file is known to be another one: which it is, how long, and when its bytes and its entry were changed.
type Stamp = (u64, u64, u64, i64, i64, i64, i64);

/// Returns the files that a call names; none unless it is a command.
pub(super) fn named(holding: &Holding, call: &Call) -> BTreeMap<PathBuf, Stamp> {
    let Action::Command { line, shell, .. } = &call.action else { return BTreeMap::new() };
    let judgement = judge(line, *shell, &holding.ground, &Disk);
    let programs = judgement.all.iter().filter_map(|words| words.first()).filter(|word| word.contains('/'));
    let programs = programs.map(|program| holding.ground.cwd.join(program));
    judgement
        .paths
        .into_iter()
        .chain(programs)
        .filter_map(|path| Some((stamp(&path)?, path)))
        .map(|(stamp, path)| (path, stamp))
        .collect()
}

/// Returns a file that is not as it was.
pub(super) fn changed<'a>(
    before: &'a BTreeMap<PathBuf, Stamp>,
    now: &'a BTreeMap<PathBuf, Stamp>,
) -> Option<&'a Path> {
    let is_other = |path: &&PathBuf| before.get(*path) != now.get(*path);
    before.keys().chain(now.keys()).find(is_other).map(PathBuf::as_path)
}

#[cfg(unix)]
fn stamp(path: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt as _;
    let found = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some((
        found.dev(),
        found.ino(),
        found.len(),
        found.mtime(),
        found.mtime_nsec(),
        found.ctime(),
        found.ctime_nsec(),
    ))
}

#[cfg(not(unix))]
fn stamp(path: &Path) -> Option<Stamp> {
    let found = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let changed = found.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some((0, 0, found.len(), i64::try_from(changed.as_secs()).ok()?, i64::from(changed.subsec_nanos()), 0, 0))
}
