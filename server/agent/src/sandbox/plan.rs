//! What bounds a command gets: made from the workspace, the user's home, the configuration and what the gate allowed.

use std::path::{Path, PathBuf};

use kkcode_core::permission::path::{hidden_in_home, protected_in_workspace};

use crate::process::{Confine, Layers, Namespaces};

/// Places with secrets or power outside of any home.
const HIDDEN: [&str; 8] = [
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/ssl/private",
    "/var/run/secrets",
    "/run/secrets",
    "/run/credentials",
];

/// What a command may do beyond its workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// It has the network.
    pub(crate) network: bool,
    /// It writes wherever the user may, but where secrets are.
    pub(crate) writes_outside: bool,
}

/// What the bounds of a command are made from. All paths are absolute, links followed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// The workspace folders.
    pub(crate) folders: Vec<PathBuf>,
    /// What the user has added.
    pub(crate) writable: Vec<PathBuf>,
    /// The user's home.
    pub(crate) home: PathBuf,
    /// Where kkcode keeps its own files.
    pub(crate) own: Vec<PathBuf>,
    /// What is seen wherever it is: where programs are looked for, and what the workspace belongs to.
    pub(crate) visible: Vec<PathBuf>,
    /// The command's own temporary folder.
    pub(crate) temporary: PathBuf,
    /// The folders that it sees with pending edits in them.
    pub(crate) layers: Vec<Layers>,
}

impl Plan {
    /// Returns the bounds. Looks at the disk: blocks.
    pub(crate) fn confine(self, namespaces: Namespaces, allowed: Allowed) -> Confine {
        let hidden = self.hidden();
        let read_only = if allowed.writes_outside { Vec::new() } else { self.read_only() };
        let mut writable = self.writable;
        if allowed.writes_outside {
            writable.push(PathBuf::from("/"));
        }
        let visible = self.visible.into_iter().filter(|folder| folder.is_absolute()).collect();
        writable.extend(self.folders);
        Confine {
            namespaces,
            writable,
            read_only,
            hidden,
            visible,
            temporary: self.temporary,
            network: allowed.network,
            layers: self.layers,
        }
    }

    /// Returns what a command does not see: by its name, and where a link of that name leads.
    fn hidden(&self) -> Vec<PathBuf> {
        let home = Some(&self.home).filter(|home| home.is_absolute());
        let of_home =
            home.into_iter().flat_map(|home| hidden_in_home().into_iter().map(|name| home.join(name)));
        let run = PathBuf::from(format!("/run/user/{}", rustix::process::geteuid().as_raw()));
        let named = of_home.chain(self.own.iter().cloned()).chain(HIDDEN.map(PathBuf::from)).chain([run]);
        let mut hidden: Vec<PathBuf> = named
            .flat_map(|path| [path.canonicalize().ok(), Some(path)])
            .flatten()
            .filter(|path| path.exists())
            .collect();
        hidden.sort();
        hidden.dedup();
        // A workspace inside such a place is the user's own wish.
        hidden.retain(|hidden| !self.folders.contains(hidden));
        hidden
    }

    /// Returns what some program obeys: in the workspace, and not to be written by a command.
    fn read_only(&self) -> Vec<PathBuf> {
        let layered = |folder: &Path| self.layers.iter().any(|layers| layers.folder == folder);
        let folders = self.folders.iter().filter(|folder| !layered(folder));
        folders
            .inspect(|folder| complete(&folder.join(".git")))
            .flat_map(|folder| protected_in_workspace().into_iter().map(move |name| folder.join(name)))
            .filter(|path| path.symlink_metadata().is_ok_and(|metadata| !metadata.is_symlink()))
            .collect()
    }
}

/// Makes the folders that git itself makes sooner or later: what is not there cannot be kept from a command, which would make
/// it and put a hook into it.
fn complete(git: &Path) {
    if !git.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        return;
    }
    for name in ["hooks", "info", "modules"] {
        match std::fs::create_dir(git.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                tracing::warn!(%error, folder = %git.display(), "a folder of git cannot be kept from commands");
            }
            Ok(()) | Err(_) => {}
        }
    }
}
