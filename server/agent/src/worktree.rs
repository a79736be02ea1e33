//! A git worktree for a task: a copy of the user's files that its agent works in. What the agent makes of them is proposed for
//! the user's own files, step by step, and the copy goes when nothing else is in it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use kkcode_core::event::Propose;
use kkcode_core::id::{SessionId, TaskId};
use kkcode_core::lines::{Lines, TextHash};
use kkcode_core::proposal::{ChangeKind, FileChange, Hunk, Verdict};
use kkcode_core::review::Review;
use kkcode_core::state::Snapshot;
use kkcode_core::text::BOM;
use serde::{Deserialize, Serialize};

use crate::file::{self, FileError};
use crate::overlay;
use crate::write::{NewText, replace_all};

mod git;
mod seed;

use git::Git;
pub(crate) use seed::discard;

/// Why there is no worktree, for the user.
pub(crate) type Problem = String;

/// A copy of a folder of the user, with the rest of its repository.
#[derive(Debug)]
pub(crate) struct Worktree {
    home: PathBuf,
    /// The folder of the user that the task is about.
    folder: PathBuf,
    /// The top of the user's repository, links followed.
    top: PathBuf,
    /// Where git keeps what all worktrees of the repository share.
    repository: PathBuf,
    /// The top of the copy.
    root: PathBuf,
    /// What is kept about the copy: the state that it began with.
    state: PathBuf,
    git: Git,
}

/// What stood in a file of the user when the agent first changed its copy.
#[derive(Debug, Serialize, Deserialize)]
struct Before {
    path: PathBuf,
    text: Option<String>,
}

/// An edit of the copy.
struct Written {
    edit: Propose,
    after: Option<String>,
}

/// Tells whether there can be a worktree of a folder; says why not. Runs git: blocks.
pub(crate) fn check(folder: &Path, environment: Vec<(OsString, OsString)>) -> Result<(), Problem> {
    git::top(&Git::new(environment), folder).map(drop)
}

impl Worktree {
    /// Returns the worktree of a task: the one that it has already, or a new one that begins as a copy of the user's files, with
    /// everything that is changed, not ignored, or unsaved in an editor. Tells whether it is new. Runs git and copies files: blocks.
    pub(crate) fn of(
        home: &Path,
        task: &TaskId,
        folder: &Path,
        unsaved: &[(PathBuf, String)],
        environment: Vec<(OsString, OsString)>,
    ) -> Result<(Self, bool), Problem> {
        let git = Git::new(environment);
        let (top, repository) = git::top(&git, folder)?;
        let no_folder = |error: io::Error| format!("no folder for worktrees can be made: {error}");
        let all = all(home).map_err(no_folder)?;
        let mut made = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut made, 0o700);
        made.recursive(true).create(&all).map_err(no_folder)?;
        let (root, state) = places(&all, task);
        let folder = folder.to_owned();
        let worktree = Self { home: home.to_owned(), folder, top, repository, root, state, git };
        let is_new = !worktree.is_whole();
        if is_new {
            worktree.remove();
            worktree.seed(unsaved)?;
        }
        Ok((worktree, is_new))
    }

    /// Returns the folder of the user that this is a copy of.
    pub(crate) fn original(&self) -> &Path {
        &self.folder
    }

    /// Returns where git keeps what all worktrees of the repository share.
    pub(crate) fn repository(&self) -> &Path {
        &self.repository
    }

    /// Returns the top of the copy.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder that stands for the user's.
    pub(crate) fn folder(&self) -> PathBuf {
        let real = self.folder.canonicalize().unwrap_or_else(|_| self.folder.clone());
        real.strip_prefix(&self.top).map_or_else(|_| self.root.clone(), |below| joined(&self.root, below))
    }

    /// Returns the path of the user that a path in the copy stands for; none for one that is not in it, or that is git's own.
    fn theirs(&self, path: &Path) -> Option<PathBuf> {
        if let Ok(below) = path.strip_prefix(self.folder()) {
            let is_gits = below.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git"));
            return (!is_gits).then(|| joined(&self.folder, below));
        }
        let below = path.strip_prefix(&self.root).ok()?;
        let is_gits = below.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git"));
        (!is_gits).then(|| joined(&self.top, below))
    }

    /// Returns the path in the copy that stands for one of the user.
    pub(crate) fn ours(&self, path: &Path) -> Option<PathBuf> {
        if let Ok(below) = path.strip_prefix(&self.folder) {
            return Some(joined(&self.folder(), below));
        }
        path.strip_prefix(&self.top).ok().map(|below| joined(&self.root, below))
    }

    /// Makes edits in the copy, all of them or none, and returns what is to be proposed for the user's files. Blocks.
    pub(crate) fn write(
        &self,
        snapshot: &Snapshot,
        session: &SessionId,
        edits: Vec<Propose>,
    ) -> Result<Vec<Propose>, String> {
        let (mut texts, mut written) = (Vec::new(), Vec::new());
        for edit in edits {
            written.push(self.new_texts(edit, &mut texts)?);
        }
        replace_all(&self.home, std::slice::from_ref(&self.root), texts)
            .map_err(|error| error.to_string())?;
        let proposed = written.into_iter().map(|written| self.proposed(snapshot, session, written));
        proposed.filter_map(Result::transpose).collect()
    }

    /// Notes what becomes of the files of an edit.
    fn new_texts(&self, edit: Propose, texts: &mut Vec<NewText>) -> Result<Written, String> {
        let name = edit.path.display();
        let own = || format!("{name} is git's own, or not in the worktree");
        let theirs = self.theirs(&edit.path).ok_or_else(own)?;
        let now = self.text(&edit.path).map_err(|error| error.to_string())?;
        let before = now.as_ref().map(unmarked);
        if before.as_deref().unwrap_or_default() != &**edit.base.text() {
            return Err(format!("{name} was changed meanwhile; read it again"));
        }
        self.note_before(&theirs, before.as_deref())?;
        let mark = now.as_ref().map_or("", |now| if now.text().starts_with(BOM) { "\u{feff}" } else { "" });
        let whole = || edit.hunks.first().map(|hunk| hunk.new_text.to_string()).unwrap_or_default();
        let after = match &edit.kind {
            ChangeKind::Modify => {
                let hunks = edit.hunks.iter().map(|hunk| (&hunk.old, &*hunk.new_text));
                Some(replaced(&edit.base, hunks))
            }
            ChangeKind::Create | ChangeKind::Rename { .. } => Some(whole()),
            ChangeKind::Delete => None,
        };
        let new = after.as_ref().map(|after| format!("{mark}{after}"));
        if let ChangeKind::Rename { to } = &edit.kind {
            let target = self.theirs(to).ok_or_else(own)?;
            self.note_before(&target, None)?;
            let mode_of = Some(edit.path.clone());
            texts.push(NewText { path: to.clone(), now: None, new, mode_of });
            texts.push(NewText { path: edit.path.clone(), now, new: None, mode_of: None });
        } else {
            texts.push(NewText { path: edit.path.clone(), now, new, mode_of: None });
        }
        Ok(Written { edit, after })
    }

    /// Returns what an edit of the copy is for the user's file; none when it is nothing.
    fn proposed(
        &self,
        snapshot: &Snapshot,
        session: &SessionId,
        Written { edit, after }: Written,
    ) -> Result<Option<Propose>, String> {
        let theirs =
            |path: &Path| self.theirs(path).ok_or_else(|| "the file is not in the worktree".to_owned());
        let seen = overlay::read_over(snapshot, session, &theirs(&edit.path)?, |path| {
            self.before(snapshot, session, path)
        });
        let seen = seen.map_err(|error| error.to_string())?;
        Ok(match (edit.kind, after) {
            (ChangeKind::Rename { to }, _) => seen.propose_rename(edit.by, theirs(&to)?, false),
            (_, Some(after)) => Some(seen.propose(edit.by, &after, false)),
            (_, None) => Some(seen.propose_delete(edit.by, false)),
        })
    }

    /// Puts the hunks that wait into a new copy: an attempt before has proposed them, and its agent goes on with them. Blocks.
    pub(crate) fn put_in(&self, snapshot: &Snapshot, session: &SessionId) -> Result<(), Problem> {
        let Some(review) = snapshot.reviews.open_of(session) else { return Ok(()) };
        let mut texts = Vec::new();
        for file in &review.proposal.files {
            let Some(ours) = self.ours(&file.path) else { continue };
            let now = self.text(&ours).map_err(|error| error.to_string())?;
            let seen = overlay::over(
                snapshot,
                review,
                &file.path,
                now.as_ref().map(|now| Lines::new(unmarked(now))),
            );
            let before = now.as_ref().map(unmarked);
            self.note_before(&file.path, before.as_deref())?;
            if let Some(to) = seen.goes_to() {
                let Some(target) = self.ours(to) else { continue };
                self.note_before(to, None)?;
                texts.push(NewText {
                    path: target,
                    now: None,
                    new: seen.text.clone(),
                    mode_of: Some(ours.clone()),
                });
                texts.push(NewText { path: ours, now, new: None, mode_of: None });
            } else if seen.text != before {
                texts.push(NewText { path: ours, now, new: seen.text.clone(), mode_of: None });
            }
        }
        replace_all(&self.home, std::slice::from_ref(&self.root), texts).map_err(|error| error.to_string())
    }

    /// Removes the copy if everything in it is in the proposals of the session; returns it if something else is. Blocks.
    pub(crate) fn end(&self, snapshot: &Snapshot, session: &SessionId) -> Option<PathBuf> {
        match self.changed() {
            Ok(changed) => {
                let rest = changed.iter().find(|path| !self.is_proposed(snapshot, session, path));
                if let Some(rest) = rest {
                    tracing::info!(rest = %rest.display(), "a worktree is kept");
                    return Some(self.root.clone());
                }
                self.remove();
                None
            }
            Err(problem) => {
                tracing::warn!(problem, "nobody knows what is in a worktree; it is kept");
                Some(self.root.clone())
            }
        }
    }

    /// Tells whether a file of the copy, by its path there, is as the session proposes it.
    fn is_proposed(&self, snapshot: &Snapshot, session: &SessionId, ours: &Path) -> bool {
        let Some(theirs) = self.theirs(ours) else { return false };
        let now = match self.text(ours) {
            Ok(now) => now.as_ref().map(unmarked),
            Err(_) => return false,
        };
        let before = |path: &Path| self.before(snapshot, session, path);
        match overlay::read_over(snapshot, session, &theirs, before) {
            Ok(seen) => seen.text == now,
            Err(FileError::Moved(..)) => now.is_none(),
            Err(_) => false,
        }
    }

    /// Returns the text of a file of the copy, none if there is no file.
    fn text(&self, ours: &Path) -> Result<Option<Lines>, FileError> {
        match file::read(ours, std::slice::from_ref(&self.root)) {
            Err(FileError::Missing(_)) => Ok(None),
            text => Ok(Some(Lines::new(text?))),
        }
    }

    /// Returns what the user's file was when the copy began, with what the user has accepted of the session since.
    fn before(
        &self,
        snapshot: &Snapshot,
        session: &SessionId,
        theirs: &Path,
    ) -> Result<Option<Lines>, FileError> {
        let from_io = |error: io::Error| FileError::from_io(theirs, error);
        let text = match fs::read(self.note_of(theirs)) {
            Ok(bytes) => {
                serde_json::from_slice::<Before>(&bytes).map_err(|error| from_io(error.into()))?.text
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let ours = self.ours(theirs).ok_or_else(|| FileError::Missing(theirs.to_owned()))?;
                self.text(&ours)?.as_ref().map(unmarked)
            }
            Err(error) => return Err(from_io(error)),
        };
        let ours = |review: &&Review| review.proposal.session == *session;
        let mut proposals: Vec<_> =
            snapshot.reviews.iter().filter(ours).map(|review| &review.proposal).collect();
        proposals.sort_by_key(|proposal| proposal.created_at);
        let files = proposals.into_iter().filter_map(|proposal| proposal.file(theirs));
        Ok(files.fold(text, with_accepted).map(Lines::new))
    }

    /// Keeps what a file of the user was before its copy is changed for the first time.
    fn note_before(&self, theirs: &Path, text: Option<&str>) -> Result<(), Problem> {
        let note = self.note_of(theirs);
        if note.exists() {
            return Ok(());
        }
        let before = Before { path: theirs.to_owned(), text: text.map(str::to_owned) };
        let written = serde_json::to_vec(&before).map_err(io::Error::from).and_then(|bytes| {
            let new = note.with_extension("new");
            fs::write(&new, bytes)?;
            fs::rename(new, &note)
        });
        written.map_err(|error| format!("what {} was before cannot be kept: {error}", theirs.display()))
    }

    fn note_of(&self, theirs: &Path) -> PathBuf {
        self.state.join("before").join(TextHash::of(&theirs.to_string_lossy()).as_str())
    }
}

/// Returns the folder of all worktrees: beside kkcode's home, which no agent may look into.
fn all(home: &Path) -> io::Result<PathBuf> {
    let mut name = home.file_name().unwrap_or_default().to_owned();
    name.push("-worktrees");
    Ok(home.canonicalize()?.with_file_name(name))
}

/// Returns where the copy of a task is, and what is kept about it.
fn places(all: &Path, task: &TaskId) -> (PathBuf, PathBuf) {
    (all.join(task.as_str()), all.join(format!("{task}.state")))
}

/// Joins without a slash at the end.
fn joined(folder: &Path, below: &Path) -> PathBuf {
    if below.as_os_str().is_empty() { folder.to_owned() } else { folder.join(below) }
}

/// Returns a text without byte order mark.
fn unmarked(text: &Lines) -> String {
    text.text().strip_prefix(BOM).unwrap_or(text.text()).to_owned()
}

/// Returns a text with some of its lines replaced, each range behind the one before.
fn replaced<'a>(base: &Lines, changes: impl IntoIterator<Item = (&'a Range<usize>, &'a str)>) -> String {
    let (mut text, mut at) = (String::new(), 0);
    for (old, new) in changes {
        text.push_str(base.slice(at..old.start));
        text.push_str(new);
        at = old.end;
    }
    text.push_str(base.slice(at..base.len()));
    text
}

/// Returns a text with the hunks that the user has accepted of it.
fn with_accepted(text: Option<String>, file: &FileChange) -> Option<String> {
    let base = Lines::new(text.clone().unwrap_or_default());
    let hash = TextHash::of(base.text());
    let is_accepted = |hunk: &&Hunk| hunk.base == hash && matches!(hunk.verdict, Verdict::Accepted { .. });
    let mut hunks: Vec<_> = file.hunks.iter().filter(is_accepted).collect();
    if let Some(whole) = hunks.iter().find(|hunk| hunk.kind != ChangeKind::Modify) {
        return (whole.kind != ChangeKind::Delete).then(|| whole.new_text.to_string());
    }
    hunks.sort_by_key(|hunk| hunk.old.start);
    text.map(|_| replaced(&base, hunks.into_iter().map(|hunk| (&hunk.old, &*hunk.new_text))))
}
