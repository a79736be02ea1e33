//! One Information diagnostic for each hunk that waits, for clients that have no other way to list and walk them.

use std::collections::{BTreeMap, BTreeSet};

use kkcode_core::id::{HunkId, ProposalId};
use kkcode_core::review::HunkState;
use kkcode_core::state::Snapshot;
use lsp_types::DiagnosticSeverity;
use serde_json::{Value, json};

use crate::capabilities::ClientCapabilities;
use crate::hunks::{Target, Waiting, has_waiting, summary, waiting};
use crate::to_proto;

/// What our diagnostics say they come from.
const SOURCE: &str = "kkcode";

/// What is to be said about one document.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// The version of the text that the ranges are of; none for the disk.
    version: Option<i32>,
    hunks: Vec<Waiting>,
}

/// What counts when two reports are compared: not where the hunks stand, for the editor moves diagnostics by itself.
#[derive(Debug, Default)]
struct Told {
    hunks: Vec<(ProposalId, HunkId, &'static str)>,
    /// The version of the text that it was told of. An editor that has another one by then may drop what it is told.
    version: Option<i32>,
}

/// Whether the user may be typing just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typing {
    GoesOn,
    /// Nothing has come for a while: what was told of older texts is told of this one, in case it was dropped.
    Rests,
}

/// What the client was told last.
#[derive(Debug, Default)]
pub(crate) struct Published {
    by_uri: BTreeMap<String, Told>,
}

impl Published {
    /// Forgets what was told of these documents: they were opened since, and begin without diagnostics in some editors.
    pub(crate) fn forget(&mut self, opened: &BTreeSet<String>) {
        for uri in opened {
            // What is told of a document next differs from nothing, even when it is nothing.
            if let Some(told) = self.by_uri.get_mut(uri) {
                told.hunks.clear();
            }
        }
    }

    /// Returns what has to be published, so that the client knows of these reports and of nothing else.
    pub(crate) fn update(
        &mut self,
        reports: &BTreeMap<String, Report>,
        client: &ClientCapabilities,
        typing: Typing,
    ) -> Vec<Value> {
        let mut news = Vec::new();
        self.by_uri.retain(|uri, _| {
            let stays = reports.contains_key(uri);
            if !stays {
                news.push(json!({"uri": uri, "diagnostics": []}));
            }
            stays
        });
        for (uri, report) in reports {
            let told = Told { hunks: report.hunks.iter().map(told).collect(), version: report.version };
            let is_known = self.by_uri.get(uri).is_some_and(|known| {
                let arrived = typing == Typing::GoesOn || known.version == told.version;
                known.hunks == told.hunks && arrived
            });
            if is_known {
                continue;
            }
            self.by_uri.insert(uri.clone(), told);
            let diagnostics: Vec<Value> = report.hunks.iter().map(|hunk| diagnostic(hunk, client)).collect();
            let mut params = json!({"uri": uri, "diagnostics": diagnostics});
            if let (Some(version), Some(params)) = (report.version, params.as_object_mut())
                && client.diagnostic_versions
            {
                params.insert("version".to_owned(), json!(version));
            }
            news.push(params);
        }
        news
    }
}

/// Returns what there is to say, for every file with a hunk that waits, open or not.
///
/// May read the disk and diff: not for a thread that others wait for.
pub(crate) fn reports(snapshot: &Snapshot) -> BTreeMap<String, Report> {
    let files = snapshot.reviews.iter().flat_map(|review| &review.proposal.files);
    let paths: BTreeSet<_> = files.filter(|file| has_waiting(file)).map(|file| &file.path).collect();
    let report = |path: &std::path::PathBuf| {
        let version = snapshot.documents.by_path(path).map(|document| document.version);
        let report = Report { version, hunks: waiting(snapshot, &Target::File(path.clone())) };
        (to_proto::uri(&snapshot.documents, path), report)
    };
    paths.into_iter().map(report).collect()
}

fn told(hunk: &Waiting) -> (ProposalId, HunkId, &'static str) {
    (hunk.proposal.clone(), hunk.hunk.id.clone(), name(hunk))
}

/// The state as far as it is told: a hunk on its way is pending until it has arrived.
fn name(hunk: &Waiting) -> &'static str {
    match hunk.standing.state {
        HunkState::Stale => HunkState::Stale.name(),
        HunkState::Applied => HunkState::Applied.name(),
        _ => HunkState::Pending.name(),
    }
}

fn diagnostic(hunk: &Waiting, client: &ClientCapabilities) -> Value {
    let state = name(hunk);
    let reason = hunk.standing.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let mut diagnostic = json!({
        "range": to_proto::range(hunk.standing.range),
        "severity": DiagnosticSeverity::INFORMATION,
        "code": state,
        "source": SOURCE,
        "message": format!("{state} hunk{reason}: {}", summary(&hunk.hunk, &hunk.path)),
    });
    if let Some(diagnostic) = diagnostic.as_object_mut().filter(|_| client.diagnostic_data) {
        let data = json!({"proposalId": hunk.proposal.as_str(), "hunkId": hunk.hunk.id.as_str()});
        diagnostic.insert("data".to_owned(), data);
    }
    diagnostic
}

#[cfg(test)]
mod tests;
