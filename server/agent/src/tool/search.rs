//! The files that a search goes through: those of the disk that no ignore file leaves out, as the session sees them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use globset::{GlobBuilder, GlobSet};
use ignore::types::{Types, TypesBuilder};
use ignore::{DirEntry, WalkState};

use super::Context;
use crate::{overlay, place, walk};

/// How long a search may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a search goes through.
#[derive(Debug)]
pub(super) struct Search {
    /// The folders, or the one file.
    roots: Vec<PathBuf>,
    /// Where those lead, links followed once.
    real_roots: Vec<PathBuf>,
    /// Which files, by their path below the root.
    pattern: Option<Pattern>,
    types: Option<Types>,
    /// Whether names that begin with a dot are meant too.
    hidden: bool,
    /// Files that are not as the disk has them, and files that the session does not see.
    overlaid: BTreeMap<PathBuf, Option<String>>,
}

/// A file to be searched.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'a> {
    /// As the disk has it.
    OnDisk(&'a Path),
    /// As the session sees it.
    Overlaid(&'a Path, &'a str),
}

/// A glob over paths below a root, or over names in any folder.
#[derive(Debug)]
struct Pattern {
    glob: GlobSet,
    /// Whether it is a name that is matched.
    by_name: bool,
    /// Whether those that match are left out.
    negated: bool,
}

impl Search {
    /// Prepares a search below a path, or through the whole workspace.
    pub(super) fn new(ctx: &Context<'_>, path: Option<&str>) -> Result<Self, String> {
        let overlaid = overlaid(ctx);
        let roots = match path {
            None => ctx.snapshot.folders.clone(),
            Some(path) => {
                let root = ctx.path(path)?;
                if !root.exists() && !overlaid.keys().any(|file| file.starts_with(&root)) {
                    return Err(format!("{} does not exist", ctx.name(&root)));
                }
                ctx.check.look(&root)?;
                vec![root]
            }
        };
        if roots.is_empty() {
            return Err("no folder is open; there is nothing to search".to_owned());
        }
        let real = |root: &PathBuf| root.canonicalize().unwrap_or_else(|_| root.clone());
        let real_roots = roots.iter().map(real).collect();
        Ok(Self { roots, real_roots, pattern: None, types: None, hidden: false, overlaid })
    }

    /// Takes only files that match a glob. One without `/` is matched by a file's name, in any folder; one that begins with
    /// `!` leaves out what matches.
    pub(super) fn matching(mut self, pattern: &str) -> Result<Self, String> {
        let (negated, glob) = match pattern.strip_prefix('!') {
            Some(glob) => (true, glob),
            None => (false, pattern),
        };
        self.hidden |=
            !negated && glob.split('/').any(|part| part.starts_with('.') && !part.starts_with(".."));
        let by_name = !glob.contains('/');
        let glob = glob.strip_prefix("./").or(glob.strip_prefix('/')).unwrap_or(glob);
        let built = GlobBuilder::new(glob).literal_separator(true).build();
        let built = built.and_then(|glob| GlobSet::builder().add(glob).build());
        let glob = built.map_err(|error| format!("the pattern is not right: {error}"))?;
        self.pattern = Some(Pattern { glob, by_name, negated });
        Ok(self)
    }

    /// Opens a file that was found, wherever its root leads: the walk follows no link below that, and neither does this, so that
    /// what is read is in the place that is judged.
    pub(super) fn open(&self, path: &Path) -> io::Result<fs::File> {
        let mut roots = self.roots.iter().zip(&self.real_roots);
        let below = roots.find_map(|(root, real)| Some((real, path.strip_prefix(root).ok()?)));
        match below {
            Some((real, rest)) if rest.as_os_str().is_empty() => place::open(real),
            Some((real, rest)) => place::open(&real.join(rest)),
            None => Err(io::Error::from(io::ErrorKind::NotFound)),
        }
    }

    /// Takes only files of a type, as ripgrep names them: `rust`, `py`, `js`, …
    pub(super) fn of_type(mut self, name: &str) -> Result<Self, String> {
        let mut types = TypesBuilder::new();
        types.add_defaults().select(name);
        self.types = Some(types.build().map_err(|error| format!("{error}; `glob` takes any pattern"))?);
        Ok(self)
    }

    /// Calls a visitor of its own in each thread for every file, in no order. Tells whether it came to the end: not when
    /// a visitor returns false, when it takes too long, or when the turn is cancelled.
    pub(super) fn run<'s, V: FnMut(Found<'_>) -> bool + Send + 's>(
        &'s self,
        ctx: &'s Context<'_>,
        visitor: impl Fn() -> V,
    ) -> bool {
        let (stopped, until) = (AtomicBool::new(false), Instant::now() + PATIENCE);
        let visited = Mutex::new(Vec::new());
        let goes_on = || {
            let late = ctx.cancel.is_cancelled() || Instant::now() > until;
            stopped.fetch_or(late, Ordering::Relaxed);
            !stopped.load(Ordering::Relaxed)
        };
        if let Some(walk) = self.walk() {
            walk.run(|| {
                let mut visit = visitor();
                let (stopped, visited, goes_on) = (&stopped, &visited, &goes_on);
                Box::new(move |entry| {
                    if !goes_on() {
                        return WalkState::Quit;
                    }
                    let Some(path) = self.file(entry) else { return WalkState::Continue };
                    let found = match self.overlaid.get(&path) {
                        None => Found::OnDisk(&path),
                        Some(text) => {
                            let mut visited =
                                visited.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                            visited.push(path.clone());
                            let Some(text) = text else { return WalkState::Continue };
                            Found::Overlaid(&path, text)
                        }
                    };
                    if visit(found) {
                        WalkState::Continue
                    } else {
                        stopped.store(true, Ordering::Relaxed);
                        WalkState::Quit
                    }
                })
            });
        }
        let visited = visited.into_inner().unwrap_or_default();
        let mut visit = visitor();
        for (path, text) in &self.overlaid {
            // One that is on the disk and was not visited is left out by an ignore file.
            let is_new = !visited.contains(path) && !path.exists();
            if let Some(text) = text
                && is_new
                && self.wants(path)
                && !(goes_on() && visit(Found::Overlaid(path, text)))
            {
                return false;
            }
        }
        goes_on()
    }

    fn walk(&self) -> Option<ignore::WalkParallel> {
        let roots = self.roots.iter().filter(|root| root.exists());
        let mut walk = walk::through(roots, &Arc::default())?;
        walk.hidden(!self.hidden);
        if let Some(types) = &self.types {
            walk.types(types.clone());
        }
        Some(walk.build_parallel())
    }

    /// Returns the path of an entry that is a file and wanted.
    fn file(&self, entry: Result<DirEntry, ignore::Error>) -> Option<PathBuf> {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                tracing::debug!(%error, "a search passes over this");
                return None;
            }
        };
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        (is_file && self.matches(entry.path())).then(|| entry.into_path())
    }

    /// Tells whether a file that only the session sees is wanted.
    fn wants(&self, path: &Path) -> bool {
        let of_type = self.types.as_ref().is_none_or(|types| types.matched(path, false).is_whitelist());
        self.roots.iter().any(|root| path.starts_with(root)) && of_type && self.matches(path)
    }

    fn matches(&self, path: &Path) -> bool {
        let Some(Pattern { glob, by_name, negated }) = &self.pattern else { return true };
        if *by_name {
            return glob.is_match(path.file_name().unwrap_or_default()) != *negated;
        }
        let below = self.roots.iter().find_map(|root| path.strip_prefix(root).ok()).unwrap_or(path);
        let below = if below.as_os_str().is_empty() {
            Path::new(path.file_name().unwrap_or_default())
        } else {
            below
        };
        glob.is_match(below) != *negated
    }
}

/// Compares two paths that were found as `Path` does, folder by folder, but by their bytes at once: among tens of thousands
/// of paths with a long beginning in common that is what a search would spend its time on.
pub(super) fn in_order(a: &Path, b: &Path) -> std::cmp::Ordering {
    let (a, b) = (a.as_os_str().as_encoded_bytes(), b.as_os_str().as_encoded_bytes());
    let rank = |byte: u8| if std::path::is_separator(char::from(byte)) { 0 } else { byte };
    match a.iter().zip(b).find(|(a, b)| a != b) {
        Some((a, b)) => rank(*a).cmp(&rank(*b)),
        None => a.len().cmp(&b.len()),
    }
}

/// Returns the files whose text the disk does not have: open documents and what the session's edits make.
fn overlaid(ctx: &Context<'_>) -> BTreeMap<PathBuf, Option<String>> {
    let (snapshot, session) = (ctx.snapshot, &ctx.turn.session);
    let documents = snapshot.documents.iter().filter_map(|document| document.path.clone());
    let proposed = snapshot.reviews.open_of(session).into_iter().flat_map(|review| &review.proposal.files);
    let mut overlaid = BTreeMap::new();
    for path in documents.chain(proposed.map(|file| file.path.clone())) {
        if let Ok(seen) = ctx.look_unjudged(&path) {
            overlaid.insert(path, seen.text);
        }
    }
    overlaid.extend(overlay::changed_files(snapshot, session));
    overlaid
}

#[cfg(test)]
mod tests;
