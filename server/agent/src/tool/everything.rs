//! Files and folders that a tool moves, copies or removes as they are, because they are no text: every path of them is
//! judged and shown before anything is done.

use std::fs;
use std::path::{Path, PathBuf};

use futures::FutureExt as _;
use kkcode_core::permission::engine::{Action, Call};

use super::{Context, Outcome};
use crate::file::{self, FileError};
use crate::gate::{Act, Reach};
use crate::overlay::{self, Seen};

/// The most paths that one call may touch: all of them are shown to whoever is asked.
const MOST_PATHS: usize = 2_000;

/// What stands at a path.
#[derive(Debug)]
pub(super) enum What {
    /// A text file, as the session sees it: what happens to it can be a hunk.
    Text(Seen),
    /// A folder, a link, or a file that is no text.
    Whole(Whole),
    /// Nothing, as the session sees it.
    Nothing(Seen),
}

/// Something that is no text.
#[derive(Debug)]
pub(super) struct Whole {
    /// Where it is, links on the way followed; it may be a link itself.
    pub(super) real: PathBuf,
    /// Whether it is a folder.
    pub(super) is_folder: bool,
    /// It, and all that is in it, as the call spells it.
    pub(super) paths: Vec<PathBuf>,
}

/// What a tool would do, before the gate has judged it.
pub(super) struct Plan {
    pub(super) tool: &'static str,
    /// What the user is asked, on one line.
    pub(super) title: String,
    pub(super) reads: Vec<PathBuf>,
    pub(super) writes: Vec<PathBuf>,
}

/// Finds out what stands at a path.
pub(super) fn what(ctx: &Context<'_>, path: &Path) -> Result<What, String> {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    match overlay::read(ctx.snapshot, &ctx.turn.session, path) {
        Ok(seen) if seen.text.is_none() => Ok(What::Nothing(seen)),
        Ok(seen) if !is_link => Ok(What::Text(seen)),
        Ok(_) | Err(FileError::Folder(_) | FileError::NotText(_) | FileError::TooLarge { .. }) => {
            whole(ctx, path).map(What::Whole)
        }
        // A folder that is there only as far as the session's new files are in it.
        Err(error) => Err(error.to_string()),
    }
}

/// Returns where something stands or would stand, links on the way followed; the last name may be a link itself.
pub(super) fn real(ctx: &Context<'_>, path: &Path) -> Result<PathBuf, String> {
    let folders = &ctx.snapshot.folders;
    if folders.iter().any(|folder| folder.starts_with(path)) {
        return Err(format!("{} is a folder that the user works in, and stays", ctx.name(path)));
    }
    let name = path.file_name().ok_or_else(|| format!("{} has no name", ctx.name(path)))?;
    let parent = path.parent().unwrap_or(Path::new("/"));
    let parent = file::locate(parent, folders).map_err(|error| error.to_string())?;
    Ok(parent.join(name))
}

/// Returns the outcome that does something as soon as the gate lets it.
pub(super) fn act(plan: Plan, run: impl FnOnce() -> Result<String, String> + Send + 'static) -> Outcome {
    let spelled = |paths: &[PathBuf]| -> Vec<String> {
        paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
    };
    let (reads, writes) = (spelled(&plan.reads), spelled(&plan.writes));
    let mut shown = [reads.clone(), writes.clone()].concat();
    shown.sort();
    shown.dedup();
    let detail = shown.join("\n");
    let action = Action::Files { reads, writes, detail: plan.title.clone() };
    Outcome::Act(Act {
        call: Call { tool: plan.tool.to_owned(), action },
        title: plan.title,
        detail,
        reach: Reach::default(),
        unseen: None,
        asked_anyway: None,
        run: Box::new(|_permit| {
            let done = tokio::task::spawn_blocking(run);
            async { done.await.unwrap_or_else(|error| Err(format!("internal error: {error}"))) }.boxed()
        }),
    })
}

/// Returns what the paths below one folder would be below another.
pub(super) fn below(paths: &[PathBuf], from: &Path, to: &Path) -> Vec<PathBuf> {
    let moved = |path: &PathBuf| match path.strip_prefix(from) {
        Ok(rest) if rest.as_os_str().is_empty() => to.to_owned(),
        Ok(rest) => to.join(rest),
        Err(_) => to.to_owned(),
    };
    paths.iter().map(moved).collect()
}

fn whole(ctx: &Context<'_>, path: &Path) -> Result<Whole, String> {
    let real = real(ctx, path)?;
    let name = ctx.name(path);
    let is_folder = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    if let Some(changed) = waits_below(ctx, path) {
        return Err(format!(
            "{name} holds {}, which waits for the user with a change of this session; ask for that to be decided first, or do \
             this file by file",
            ctx.name(&changed)
        ));
    }
    let (mut paths, mut open) = (Vec::new(), vec![path.to_owned()]);
    while let Some(path) = open.pop() {
        if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir()) {
            let entries = fs::read_dir(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let entries =
                entries.map_err(|error| format!("{} cannot be listed: {error}", ctx.name(&path)))?;
            open.extend(entries.iter().map(fs::DirEntry::path));
        }
        paths.push(path);
        if paths.len() + open.len() > MOST_PATHS {
            return Err(format!(
                "{name} holds more than {MOST_PATHS} files and folders; do it in smaller parts"
            ));
        }
    }
    paths.sort();
    Ok(Whole { real, is_folder, paths })
}

/// Returns a file below a folder that the session changes and that nobody has decided.
fn waits_below(ctx: &Context<'_>, folder: &Path) -> Option<PathBuf> {
    let review = ctx.snapshot.reviews.open_of(&ctx.turn.session)?;
    let files = review.proposal.files.iter();
    let mut open = files.filter(|file| file.hunks.iter().any(|hunk| hunk.verdict.is_open()));
    open.find(|file| file.path.starts_with(folder)).map(|file| file.path.clone())
}
