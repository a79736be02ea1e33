//! The files by which a project instructs agents: AGENTS.md, CLAUDE.md and KKCODE.md, from the root to the file.

use std::path::{Path, PathBuf};

use kkcode_core::state::Snapshot;

use crate::file;

/// The names, in the order in which they are read in one folder.
const NAMES: [&str; 3] = ["AGENTS.md", "CLAUDE.md", "KKCODE.md"];

/// The most that is told of one file, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// One file of instructions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Instructions {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// Returns the files that there are, the outermost first: in every workspace folder, and in the folders from there to the
/// document. Reads none of them.
pub(super) fn find(folders: &[PathBuf], document: Option<&Path>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for root in folders {
        let mut places = vec![root.clone()];
        let below = document.and_then(Path::parent).and_then(|folder| folder.strip_prefix(root).ok());
        for part in below.into_iter().flat_map(Path::components) {
            let next = places.last().unwrap_or(root).join(part);
            places.push(next);
        }
        for path in places.iter().flat_map(|place| NAMES.map(|name| place.join(name))) {
            if path.is_file() && !found.contains(&path) {
                found.push(path);
            }
        }
    }
    found
}

/// Reads instructions. What is no text, or lies outside of the workspace behind a symbolic link, is left out; so is a file
/// that says what another one has said, or only that the other one is to be read.
pub(super) fn read(found: &[PathBuf], snapshot: &Snapshot) -> Vec<Instructions> {
    let mut all: Vec<Instructions> = Vec::new();
    for path in found {
        let inside = file::in_workspace(&path.to_string_lossy(), &snapshot.folders);
        let text = match (snapshot.documents.by_path(path), inside) {
            (Some(document), Ok(_)) => Ok(document.text.to_string()),
            (None, Ok(path)) => file::read(&path),
            (_, Err(error)) => Err(error),
        };
        let text = match text {
            Ok(text) => bounded(text.trim()),
            Err(error) => {
                tracing::warn!(%error, "instructions are not read");
                continue;
            }
        };
        let is_import = |text: &str| {
            text.strip_prefix('@').is_some_and(|name| NAMES.contains(&name.trim_start_matches("./")))
        };
        if !text.is_empty() && !is_import(&text) && !all.iter().any(|known| known.text == text) {
            all.push(Instructions { path: path.clone(), text });
        }
    }
    all
}

fn bounded(text: &str) -> String {
    if text.len() <= MOST_BYTES {
        return text.to_owned();
    }
    let cut = text.floor_char_boundary(MOST_BYTES);
    format!("{}\n[cut: the file has {} bytes]", text.get(..cut).unwrap_or_default(), text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_found_from_the_root_to_the_file_and_read_once() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
        };
        write("AGENTS.md", "root\n");
        write("CLAUDE.md", "@AGENTS.md\n");
        write("a/KKCODE.md", "inner");
        write("a/b/AGENTS.md", "root");
        write("other/AGENTS.md", "elsewhere");
        let found = find(std::slice::from_ref(&root), Some(&root.join("a/b/x.rs")));
        let names: Vec<_> = found.iter().map(|path| path.strip_prefix(&root).unwrap()).collect();
        assert_eq!(names, ["AGENTS.md", "CLAUDE.md", "a/KKCODE.md", "a/b/AGENTS.md"].map(Path::new));
        let snapshot =
            Snapshot { folders: vec![root.clone()], ..kkcode_core::state::State::default().snapshot() };
        let texts: Vec<_> = read(&found, &snapshot).into_iter().map(|read| read.text).collect();
        assert_eq!(texts, ["root", "inner"]);
        assert_eq!(find(std::slice::from_ref(&root), None), [root.join("AGENTS.md"), root.join("CLAUDE.md")]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_workspace_is_not_followed() {
        let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = dir.path().canonicalize().unwrap();
        std::fs::write(outside.path().join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), root.join("AGENTS.md")).unwrap();
        let found = find(std::slice::from_ref(&root), None);
        assert_eq!(found.len(), 1);
        let snapshot = Snapshot { folders: vec![root], ..kkcode_core::state::State::default().snapshot() };
        assert_eq!(read(&found, &snapshot), []);
    }
}
