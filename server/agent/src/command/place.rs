//! Where a command runs: in the workspace itself with a picture of it, or apart in copy-on-write layers.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};

use kkcode_core::id::SessionId;
use kkcode_core::text::BOM;

use super::before::Picture;
use super::changes::{self, After, Change};
use super::layer;
use crate::own;
use crate::process::Layers;

/// Where a command runs.
#[derive(Debug)]
pub(super) enum Place {
    /// In the workspace.
    InWorkspace {
        folders: Vec<PathBuf>,
        /// The workspace before.
        before: Result<Picture, String>,
    },
    /// In layers over the workspace folders.
    Apart {
        layers: Vec<Layers>,
        /// The folder of the layers that are for one command alone; those of the session stay, and what is ignored is there for
        /// its next command.
        own: Option<PathBuf>,
    },
}

impl Place {
    /// The workspace itself.
    pub(super) fn in_workspace(folders: &[PathBuf]) -> Self {
        Self::InWorkspace { folders: folders.to_vec(), before: Ok(Picture::take(folders, None)) }
    }

    /// Layers over the folders with everything as the session sees it: those of the session, or for a background command new ones
    /// of its own.
    pub(super) fn apart(
        state: &Path,
        folders: &[PathBuf],
        seen: &BTreeMap<PathBuf, Option<String>>,
        in_background: bool,
    ) -> io::Result<Self> {
        let own = if in_background {
            let name = crate::fresh::name("background");
            Some(state.join(name.map_err(|error| io::Error::other(error.to_string()))?))
        } else {
            None
        };
        let state = own.as_deref().unwrap_or(state);
        let mut layers = Vec::new();
        // A folder inside another lies under that one's layer.
        let outermost =
            |folder: &&PathBuf| !folders.iter().any(|other| folder.starts_with(other) && *folder != other);
        for folder in folders.iter().filter(outermost) {
            let mut hasher = DefaultHasher::new();
            folder.hash(&mut hasher);
            let one = layer::make(&state.join(format!("layer-{:016x}", hasher.finish())), folder)?;
            layer::put_in(&one, seen)?;
            layers.push(one);
        }
        Ok(Self::Apart { layers, own })
    }

    pub(super) fn layers(&self) -> Vec<Layers> {
        match self {
            Self::InWorkspace { .. } => Vec::new(),
            Self::Apart { layers, .. } => layers.clone(),
        }
    }

    pub(super) fn is_apart(&self) -> bool {
        matches!(self, Self::Apart { .. })
    }
}

/// Returns the folder in which everything about a session's commands is kept.
pub(crate) fn folder(home: &Path, session: &SessionId) -> PathBuf {
    home.join("commands").join(session.to_string())
}

/// Makes a folder that nobody else looks into.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    own::folder(path)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(path, mode)
}

/// Puts back what a command changed in the workspace, to be proposed instead. What the editor has `saved` meanwhile stays, and is
/// no change of the command's; what that has made of it is put back to what was saved. Returns the changes, the same as texts by
/// path where they may be made again, and in words what stays as the command made it: what is no text, everything when git has
/// moved to another commit, and everything when it is more than anybody reviews.
pub(super) fn put_back(
    folders: &[PathBuf],
    before: &Picture,
    saved: &BTreeMap<PathBuf, String>,
) -> (Vec<Change>, BTreeMap<PathBuf, After>, Vec<String>) {
    let now = Picture::take(folders, Some(before));
    let (mut changes, mut others) = now.since(before);
    let without_mark = |text: &str| text.strip_prefix(BOM).unwrap_or(text).to_owned();
    changes.retain(|change| match (&change.after, saved.get(&change.path)) {
        (After::Text(text), Some(saved)) => without_mark(text) != without_mark(saved),
        _ => true,
    });
    let stays = if now.git_moved(before) {
        Some("which came with a change of git's history")
    } else if changes.len() > changes::MOST {
        Some("which are more than anybody reviews")
    } else {
        None
    };
    if let Some(why) = stays.filter(|_| !changes.is_empty()) {
        others.insert(0, format!("{} files, {why}", changes.len()));
        return (Vec::new(), BTreeMap::new(), others);
    }
    let mut back = Vec::new();
    for change in changes {
        match before.restore(&change.path, saved.get(&change.path).map(String::as_str)) {
            Ok(()) => back.push(change),
            Err(error) => others.push(format!("{} ({error})", change.path.display())),
        }
    }
    let texts = back.iter().filter(|change| !saved.contains_key(&change.path));
    let texts = texts.map(|change| (change.path.clone(), change.after.clone())).collect();
    (back, texts, others)
}

/// Makes a file what a command had made it.
pub(super) fn make_again(path: &Path, after: &After) -> io::Result<()> {
    match after {
        After::Text(text) => fs::write(path, text),
        After::Gone => fs::remove_file(path),
    }
}
