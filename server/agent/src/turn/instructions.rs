//! The files by which a project instructs agents: AGENTS.md, CLAUDE.md and KKCODE.md, from the root to the file.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use kkcode_core::state::{Snapshot, name_for_agent};
use kkcode_core::turn::TurnStatus;
use kkcode_provider::request::ToolCall;
use serde_json::Value;

use super::{Link, blocking, shutting_down};
use crate::file;

/// The names, in the order in which they are read in one folder.
const NAMES: [&str; 3] = ["AGENTS.md", "CLAUDE.md", "KKCODE.md"];

/// The most that is told of one file, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// One file of instructions.
#[derive(Debug, PartialEq, Eq)]
struct Instructions {
    path: PathBuf,
    text: String,
}

/// The files that a session's model was told of in the results of its tools.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<BTreeSet<PathBuf>>);

impl Told {
    /// Returns those that it was not told of yet, and takes note that it is now.
    fn news(&self, found: Vec<PathBuf>) -> Vec<PathBuf> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.into_iter().filter(|path| told.insert(path.clone())).collect()
    }

    /// Takes note that the model does not know any more what it was told.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Link {
    /// Returns the instructions that hold for what a call was about and that the model does not know yet; none if there are
    /// none. Where the user does not trust the workspace he hears of them, once, and the model does not.
    pub(super) async fn instructions_for(&self, call: &ToolCall) -> Result<Option<String>, TurnStatus> {
        let paths = paths(&call.input);
        if paths.is_empty() {
            return Ok(None);
        }
        let snapshot = self.ports.handle.snapshot().await.ok_or_else(shutting_down)?;
        let link = self.clone();
        blocking(move || {
            let folders = &snapshot.folders;
            let mut found: Vec<PathBuf> =
                paths.iter().flat_map(|path| find(folders, place(path, folders).as_deref())).collect();
            found.retain(|path| !link.in_system.contains(path));
            if found.is_empty() {
                return None;
            }
            if !link.ports.config.is_trusted() {
                if link.ports.config.tell_untrusted() {
                    link.tell_user(passed_over(&found, folders));
                }
                return None;
            }
            let found = link.ports.memory.told.news(found);
            let text = render(&found, &snapshot);
            (!text.is_empty()).then_some(text)
        })
        .await
    }
}

/// Returns the paths that a call is about.
fn paths(input: &Value) -> Vec<String> {
    let changes = input.get("changes").and_then(Value::as_array).into_iter().flatten();
    let path = |input: &Value| {
        ["path", "file_path"].iter().find_map(|name| input.get(name)?.as_str().map(str::to_owned))
    };
    changes.chain([input]).filter_map(path).collect()
}

/// Returns the folder that a path is, or that the file lies in; none outside of the workspace.
fn place(path: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = file::in_workspace(path, folders).ok()?;
    if path.is_dir() { Some(path) } else { path.parent().map(Path::to_owned) }
}

/// Says that there are instructions which the agent does not follow.
pub(super) fn passed_over(found: &[PathBuf], folders: &[PathBuf]) -> String {
    let mut names: Vec<String> = found.iter().map(|path| name_for_agent(path, folders)).collect();
    names.dedup();
    format!(
        "{} {} passed over: this workspace is not trusted, so nothing in it instructs the agent; `kkcode-lsp trust grant` \
         trusts it",
        names.join(", "),
        if names.len() == 1 { "is" } else { "are" },
    )
}

/// Reads instructions and returns them as the model is told them; nothing when there are none.
pub(super) fn render(found: &[PathBuf], snapshot: &Snapshot) -> String {
    let mut text = String::new();
    for instruction in read(found, snapshot) {
        let name = name_for_agent(&instruction.path, &snapshot.folders);
        tracing::info!(file = name, bytes = instruction.text.len(), "instructions are read");
        // Writing to a string cannot fail.
        let _written =
            write!(text, "\n\n<instructions file=\"{name}\">\n{}\n</instructions>", instruction.text);
    }
    text
}

/// Returns the files that there are, the outermost first: in every workspace folder, and in the folders from there to a
/// place. Reads none of them.
pub(super) fn find(folders: &[PathBuf], place: Option<&Path>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for root in folders {
        let mut places = vec![root.clone()];
        let below = place.and_then(|place| place.strip_prefix(root).ok());
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
fn read(found: &[PathBuf], snapshot: &Snapshot) -> Vec<Instructions> {
    let mut all: Vec<Instructions> = Vec::new();
    for path in found {
        let inside = file::in_workspace(&path.to_string_lossy(), &snapshot.folders);
        let text = match (snapshot.documents.by_path(path), inside) {
            (Some(document), Ok(_)) => Ok(document.text.to_string()),
            (None, Ok(path)) => file::read(&path, &snapshot.folders),
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
        let found = find(std::slice::from_ref(&root), Some(&root.join("a/b")));
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
