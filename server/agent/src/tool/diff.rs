//! What edits would make of their files, as a unified diff for the user who is asked about them.

use std::path::{Path, PathBuf};

use kkcode_core::diff::unified;
use kkcode_core::event::Propose;
use kkcode_core::proposal::ChangeKind;

use super::clipped;

/// The most of a diff that is shown, in bytes.
const MOST: usize = 100_000;

/// Returns what proposed edits would make of their files, as a unified diff with paths below the workspace folders.
pub(crate) fn diff_of(edits: &[Propose], folders: &[PathBuf]) -> String {
    let name = |path: &Path| {
        let below = folders.iter().find_map(|folder| path.strip_prefix(folder).ok());
        below.unwrap_or(path).to_string_lossy().trim_start_matches('/').to_owned()
    };
    let diff = |edit: &Propose| {
        let (old, before, after) = (name(&edit.path), edit.base.text(), changed(edit));
        let (a, b) = (format!("a/{old}"), format!("b/{old}"));
        match &edit.kind {
            ChangeKind::Modify => unified(before, &after, &a, &b),
            ChangeKind::Create => unified("", &after, "/dev/null", &b),
            ChangeKind::Delete => unified(before, "", &a, "/dev/null"),
            ChangeKind::Rename { to } => {
                let to = name(to);
                let lines = unified(before, &after, &a, &format!("b/{to}"));
                format!("diff --git {a} b/{to}\nrename from {old}\nrename to {to}\n{lines}")
            }
        }
    };
    clipped(&edits.iter().map(diff).collect::<String>(), MOST)
}

/// Returns the text of a file with an edit in it.
fn changed(edit: &Propose) -> String {
    let (mut text, mut line) = (String::new(), 0);
    for hunk in &edit.hunks {
        text += edit.base.slice(line..hunk.old.start);
        text += &hunk.new_text;
        line = hunk.old.end;
    }
    text += edit.base.slice(line..edit.base.len());
    text
}
