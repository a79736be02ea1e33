//! What becomes of files on the disk when hunks get their verdicts, and where hunks stand in them.

use std::fs;
use std::path::{Path, PathBuf};

use kkcode_core::edits::{Side, edited_text};
use kkcode_core::effect::{Derive, FileWrite};
use kkcode_core::event::Event;
use kkcode_core::id::HunkId;
use kkcode_core::lines::Lines;
use kkcode_core::placement::{Found, Holds, Placement};
use kkcode_core::proposal::{ChangeKind, FileChange, Hunk, Verdict};
use kkcode_core::text::BOM;

use crate::file::{self, FileError};
use crate::trash::Trash;
use crate::write::{self, NewText};

/// Finds out where the hunks of a file stand.
pub(super) fn derived(folders: &[PathBuf], question: Derive) -> Event {
    let Derive { proposal, file, texts, wanted, revision, document } = question;
    let version = document.as_ref().map(|(version, _)| *version);
    let wanted = |hunk: &HunkId| wanted.contains(hunk);
    let placement = match document {
        Some((_, text)) => {
            Some(Placement::derive(&file, &texts, Found::Buffer(&Lines::of_rope(&text)), wanted))
        }
        None => match file::read(&file.path, folders) {
            Ok(text) => Some(Placement::derive(&file, &texts, Found::Disk(&Lines::new(text)), wanted)),
            Err(FileError::Missing(_)) => {
                Some(Placement::derive(&file, &texts, file::nothing(&file), wanted))
            }
            Err(error) => {
                tracing::info!(%error, "the hunks of a file have no place for now");
                None
            }
        },
    };
    Event::Derived { proposal, path: file.path, revision, version, placement }
}

/// Writes hunks into files, or takes them out, all or none. Returns them with their verdicts.
pub(super) fn write_hunks(
    home: &Path,
    folders: &[PathBuf],
    files: &[FileWrite],
) -> Result<Vec<(HunkId, Verdict)>, String> {
    let ground = Ground { folders, trash: Trash::of(home) };
    let (mut texts, mut restored) = (Vec::new(), Vec::new());
    for write in files {
        texts.extend(ground.new_texts(write, &mut restored)?);
    }
    write::replace_all(home, folders, texts).map_err(|error| error.to_string())?;
    for id in restored {
        if let Err(error) = ground.trash.forget(&id) {
            tracing::warn!(%error, id, "a file that was put back is in the trash too");
        }
    }
    Ok(files.iter().flat_map(|write| write.hunks.iter().cloned()).collect())
}

/// Where the files are, and those that were removed.
struct Ground<'a> {
    folders: &'a [PathBuf],
    trash: Trash,
}

impl Ground<'_> {
    /// Returns what a file, or the two of a rename, become when hunks get their verdicts; notes what comes out of the trash.
    fn new_texts(&self, write: &FileWrite, restored: &mut Vec<String>) -> Result<Vec<NewText>, String> {
        let FileWrite { file, texts, hunks } = write;
        let now = match file::read(&file.path, self.folders) {
            Err(FileError::Missing(_)) => None,
            text => Some(Lines::new(text.map_err(|error| error.to_string())?)),
        };
        let verdict = |hunk: &HunkId| hunks.iter().find(|(id, _)| id == hunk).map(|(_, verdict)| verdict);
        let found = now.as_ref().map_or_else(|| file::nothing(file), Found::Disk);
        let placement = Placement::derive(file, texts, found, |hunk| verdict(hunk).is_some());
        let path = file.path.display();
        let is_edit =
            |(id, _): &(HunkId, Verdict)| file.hunk(id).is_some_and(|hunk| hunk.kind == ChangeKind::Modify);
        if now.is_none() && hunks.iter().any(is_edit) {
            return Err(FileError::Missing(file.path.clone()).to_string());
        }
        for (id, verdict) in hunks {
            let holds = placement.place(id).map_or(Holds::Neither, |place| place.holds);
            if holds == Holds::Neither && verdict.is_in_text() {
                return Err(format!(
                    "hunk `{id}` is stale: the lines of {path} that it replaces were changed"
                ));
            }
            if holds == Holds::Neither {
                return Err(format!("the lines that hunk `{id}` brought to {path} were changed since"));
            }
        }
        let whole = hunks.iter().filter_map(|(id, verdict)| Some((file.hunk(id)?, verdict)));
        let whole = whole.rev().find(|(hunk, _)| hunk.kind != ChangeKind::Modify);
        if let Some((hunk, verdict)) = whole {
            return Ok(self.whole_texts(file, hunk, verdict.is_in_text(), now, restored));
        }
        let Some(now) = now else { return Err(FileError::Missing(file.path.clone()).to_string()) };
        let side =
            |hunk: &HunkId| verdict(hunk).map(|to| if to.is_in_text() { Side::New } else { Side::Old });
        let new = edited_text(&now, file, &placement, texts, side);
        Ok(vec![NewText { path: file.path.clone(), now: Some(now), new: Some(new), mode_of: None }])
    }

    /// Returns what becomes of a file that comes, goes or moves; or that is put back.
    fn whole_texts(
        &self,
        file: &FileChange,
        hunk: &Hunk,
        take: bool,
        now: Option<Lines>,
        restored: &mut Vec<String>,
    ) -> Vec<NewText> {
        let (old, new) = (hunk.old_text.to_string(), hunk.new_text.to_string());
        let one = |path: &Path, now: Option<Lines>, new: Option<String>, mode_of: Option<&Path>| NewText {
            path: path.to_owned(),
            now,
            new,
            mode_of: mode_of.map(Path::to_owned),
        };
        // A byte order mark that the file has is not in the hunk.
        let mark = |text: &str| if text.starts_with(BOM) { "\u{feff}" } else { "" };
        let now_mark = now.as_ref().map_or("", |now| mark(now.text()));
        match (&hunk.kind, take) {
            (ChangeKind::Create, true) => vec![one(&file.path, now, Some(new), None)],
            (ChangeKind::Create, false) | (ChangeKind::Delete, true) => {
                vec![one(&file.path, now, None, None)]
            }
            (ChangeKind::Delete, false) if now.is_none() => {
                let (old, mode_of) = self.thrown_away(&file.path, old, restored);
                vec![one(&file.path, None, Some(old), mode_of.as_deref())]
            }
            (ChangeKind::Delete | ChangeKind::Modify, _) => vec![one(&file.path, now, Some(old), None)],
            (ChangeKind::Rename { to }, true) => vec![
                one(to, None, Some(format!("{now_mark}{new}")), Some(&file.path)),
                one(&file.path, now, None, None),
            ],
            (ChangeKind::Rename { to }, false) => {
                let there = file::read(to, self.folders).unwrap_or_default();
                let there_mark = mark(&there);
                vec![
                    one(&file.path, None, Some(format!("{there_mark}{old}")), Some(to)),
                    one(to, Some(Lines::new(format!("{there_mark}{new}"))), None, None),
                ]
            }
        }
    }

    /// Returns the text of a file that was removed, as it was to the byte, and where its mode is still known. When the trash
    /// does not have it any more, the text that the hunk has.
    fn thrown_away(&self, path: &Path, old: String, restored: &mut Vec<String>) -> (String, Option<PathBuf>) {
        let real = file::locate(path, self.folders).unwrap_or_else(|_| path.to_owned());
        let mut found = None;
        let id = self.trash.find(&real, |what| {
            found =
                fs::read_to_string(what).ok().filter(|text| text.strip_prefix(BOM).unwrap_or(text) == old);
            found.is_some()
        });
        match (id, found) {
            (Some(id), Some(text)) => {
                let what = self.trash.what(&id);
                restored.push(id);
                (text, Some(what))
            }
            _ => (old, None),
        }
    }
}
