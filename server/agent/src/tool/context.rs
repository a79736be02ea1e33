//! What a tool call reaches: the turn, the files as its session sees them, and what the model has seen of them.

use std::fs;
use std::path::{Path, PathBuf};

use kkcode_core::event::{Author, Propose};
use kkcode_core::id::ProposalId;
use kkcode_core::lines::Lines;
use kkcode_core::permission::engine::Action;
use kkcode_core::state::{Snapshot, name_for_agent};
use kkcode_core::turn::{Level, Turn};
use tokio_util::sync::CancellationToken;

use super::anchor;
use super::reads::Reads;
use crate::config::ConfigSource;
use crate::file::FileError;
use crate::gate::{Check, Passage};
use crate::overlay::Seen;
use crate::picture::Picture;
use crate::{file, fresh, overlay};

/// What a tool call reaches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// The turn that calls.
    pub(crate) turn: &'a Turn,
    /// The state at the moment of the call.
    pub(crate) snapshot: &'a Snapshot,
    /// What the turn's model has seen of files.
    pub(crate) reads: &'a Reads,
    /// Judges what the call would look at and change.
    pub(crate) check: &'a Check,
    /// The user's configuration, for tools with settings of their own.
    pub(crate) config: &'a ConfigSource,
    /// Says when the turn is over: a long search stops then.
    pub(crate) cancel: &'a CancellationToken,
    /// What an act takes along; none where nothing is run, such as in a test of the tools alone.
    #[cfg(unix)]
    pub(crate) site: Option<&'a crate::command::Site>,
}

impl Context<'_> {
    /// Returns the file or folder that the model means, which need not be there; refuses what is not in the workspace.
    pub(super) fn path(&self, path: &str) -> Result<PathBuf, String> {
        let folders = &self.snapshot.folders;
        file::in_workspace(path, folders).map_err(|error| {
            let is_outside = matches!(error, FileError::Outside(_));
            let reason = error.for_agent(folders).to_string();
            if is_outside {
                let reads = vec![path.to_owned()];
                let action = Action::Files { reads, writes: Vec::new(), detail: String::new() };
                self.check.refused(action, &reason);
            }
            reason
        })
    }

    /// Returns how the model calls a path: below the first workspace folder by what follows, else in full.
    pub(super) fn name(&self, path: &Path) -> String {
        name_for_agent(path, &self.snapshot.folders)
    }

    /// Looks at a file as the session sees it; there may be none.
    pub(super) fn look(&self, path: &Path) -> Result<Seen, String> {
        let seen = self.look_unjudged(path)?;
        if seen.text.is_some() {
            self.check.look(path)?;
        }
        Ok(seen)
    }

    /// Looks at a file that is shown to nobody before it was judged.
    pub(super) fn look_unjudged(&self, path: &Path) -> Result<Seen, String> {
        overlay::read(self.snapshot, &self.turn.session, path)
            .map_err(|error| error.for_agent(&self.snapshot.folders).to_string())
    }

    /// Reads a picture of the workspace. Pictures have no hunks: what is on the disk is what the session sees.
    pub(super) fn picture(&self, path: &Path) -> Result<Picture, String> {
        let folders = &self.snapshot.folders;
        let file = file::open(path, folders);
        if !matches!(file, Err(FileError::Missing(_))) {
            self.check.look(path)?;
        }
        let file = file.map_err(|error| error.for_agent(folders).to_string())?;
        Picture::read(file).map_err(|error| format!("{} cannot be shown: {error}", self.name(path)))
    }

    /// Reads a file as the session sees it; refuses one that is not there.
    pub(super) fn see(&self, path: &Path) -> Result<(Seen, Lines), String> {
        let mut seen = self.look(path)?;
        let text = seen.text.take().ok_or_else(|| self.missing(path))?;
        Ok((seen, Lines::new(text)))
    }

    /// Returns the proposal to make `text` of a file that was looked at. It is let into the file at once where the user's
    /// level allows that and the place of the change was found to the letter.
    pub(super) fn propose(&self, seen: Seen, text: &str, found: anchor::Level) -> Result<Propose, String> {
        let sure = found == anchor::Level::Exact || self.check.level() == Level::Yolo;
        let paths: Vec<&Path> = [Some(&*seen.path), seen.goes_to()].into_iter().flatten().collect();
        let apply = self.may_apply(&paths)? && sure;
        Ok(seen.propose(self.author()?, text, apply))
    }

    /// Returns the proposal that a file goes.
    pub(super) fn propose_delete(&self, seen: Seen) -> Result<Propose, String> {
        let apply = self.may_apply(&[&seen.path])?;
        Ok(seen.propose_delete(self.author()?, apply))
    }

    /// Returns the proposal that a file gets another path; none when there is no file.
    pub(super) fn propose_rename(&self, seen: Seen, to: PathBuf) -> Result<Option<Propose>, String> {
        let apply = self.may_apply(&[&seen.path, &to])?;
        Ok(seen.propose_rename(self.author()?, to, apply))
    }

    /// Tells whether an edit of these files is let into them at once; refuses one that may not be made at all.
    fn may_apply(&self, paths: &[&Path]) -> Result<bool, String> {
        let mut apply = !self.turn.proposes_only;
        for path in paths {
            apply &= self.check.edit(path)? == Passage::Applied;
        }
        Ok(apply)
    }

    fn author(&self) -> Result<Author, String> {
        let new_proposal = fresh::name("prop").map_err(|error| error.to_string())?;
        Ok(Author::Turn { turn: self.turn.id.clone(), new_proposal: ProposalId::new(new_proposal) })
    }

    /// Says that a file does not exist, and which one is called nearly so.
    fn missing(&self, path: &Path) -> String {
        let name = self.name(path);
        let lower = |name: &std::ffi::OsStr| name.to_string_lossy().to_lowercase();
        let wanted = path.file_name().map(lower);
        let twin = path.parent().and_then(|folder| fs::read_dir(folder).ok()).and_then(|entries| {
            entries.flatten().map(|entry| entry.file_name()).find(|name| Some(lower(name)) == wanted)
        });
        // A diff calls its files so.
        let prefixed = ["a/", "b/"].into_iter().find_map(|prefix| name.strip_prefix(prefix));
        let own = prefixed.filter(|own| self.path(own).is_ok_and(|path| path.is_file()));
        match (twin, own) {
            (Some(twin), _) => format!("{name} does not exist; there is `{}`", twin.display()),
            (None, Some(own)) => format!("{name} does not exist; there is `{own}`"),
            (None, None) => format!("{name} does not exist"),
        }
    }
}
