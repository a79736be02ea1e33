//! Has the editor save, before a command looks at the disk, what nobody but an edit of ours left unsaved.

use kkcode_core::document::DocumentUri;
use kkcode_core::edits::{Side, edited_text};
use kkcode_core::lines::{Compare, Lines};
use kkcode_core::placement::{Found, Placement};
use kkcode_core::proposal::{FileChange, Verdict};
use kkcode_core::state::Snapshot;
use kkcode_core::text::BOM;
use kkcode_core::turn::Level;
use tokio::sync::oneshot;

use super::Site;
use crate::file;
use crate::runtime::{Save, ToFrontEnd};

/// Asks the editor to save the documents that a command needs on the disk, and waits for its answers. Where the level applies
/// no edits by itself only if the user had some applied for this command. Those that are not saved stay what they are.
pub(super) async fn before(site: &Site, applied_first: bool) {
    let Some(snapshot) = site.ports.handle.snapshot().await else { return };
    let (gate, turn) = (site.gate.clone(), site.turn.clone());
    let found = tokio::task::spawn_blocking(move || {
        let level = gate.check(&turn, &snapshot, "bash", &[]).level();
        let wanted = !turn.proposes_only && (applied_first || level >= Level::AcceptEdits);
        if wanted { unsaved_by_us(&snapshot) } else { Vec::new() }
    });
    let mut answers = Vec::new();
    for uri in found.await.unwrap_or_default() {
        let (saved, answer) = oneshot::channel();
        // A front end that has gone saves nothing.
        let _nobody_listens = site.ports.front_end.send(ToFrontEnd::Save(Save { uri: uri.clone(), saved }));
        answers.push((uri, answer));
    }
    for (uri, answer) in answers {
        if !answer.await.unwrap_or(false) {
            tracing::info!(uri = uri.as_str(), "the editor did not save a document before a command");
        }
    }
}

/// Returns the open documents that would be as on the disk without hunks of ours.
fn unsaved_by_us(snapshot: &Snapshot) -> Vec<DocumentUri> {
    let files = snapshot.reviews.iter().flat_map(|review| &review.proposal.files);
    let mut found: Vec<DocumentUri> = files.filter_map(|file| is_ours(snapshot, file)).collect();
    found.sort();
    found.dedup();
    found
}

fn is_ours(snapshot: &Snapshot, file: &FileChange) -> Option<DocumentUri> {
    let is_unsaved = |verdict: &Verdict| {
        matches!(verdict, Verdict::Applied { saved: false } | Verdict::Accepted { saved: false })
    };
    let document = snapshot.documents.by_path(&file.path).filter(|document| !document.out_of_sync)?;
    // An edit that is on its way into the text leaves its hunk undecided until it is seen there.
    if !file.hunks.iter().any(|hunk| is_unsaved(&hunk.verdict) || hunk.verdict == Verdict::Undecided) {
        return None;
    }
    let now = Lines::of_rope(&document.text);
    let texts = snapshot.reviews.texts();
    let placement = Placement::derive(file, texts, Found::Buffer(&now), |_| false);
    let unsaved = |id: &_| file.hunk(id).is_some_and(|hunk| is_unsaved(&hunk.verdict)).then_some(Side::Old);
    let before = Lines::new(edited_text(&now, file, &placement, texts, unsaved));
    let on_disk = file::read(&file.path, &snapshot.folders).ok()?;
    let on_disk = Lines::new(on_disk.strip_prefix(BOM).unwrap_or(&on_disk));
    let same = before.keys(Compare::Content) == on_disk.keys(Compare::Content);
    same.then(|| document.uri.clone())
}
