//! What a command changed becomes hunks: pending or applied, as the level says.

use std::path::PathBuf;
use std::sync::Arc;

use kkcode_core::effect::ProposedFile;
use kkcode_core::event::{Author, Propose};
use kkcode_core::id::ProposalId;
use kkcode_core::lines::Lines;
use kkcode_core::merge::merge;
use kkcode_core::state::Snapshot;
use kkcode_core::text::BOM;

use super::Site;
use crate::gate::Passage;
use crate::{fresh, overlay};

/// How many changed files become hunks; nobody reviews more, and a tool that rewrites everything is undone by git.
pub(super) const MOST: usize = 300;

/// How many files are named.
const NAMED: usize = 30;

/// A file that a command has changed.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) path: PathBuf,
    /// Its text as the command found it; none where there was no file.
    pub(super) base: Option<String>,
    pub(super) after: After,
}

/// What a file is afterwards.
#[derive(Clone, Debug)]
pub(super) enum After {
    Text(String),
    Gone,
}

/// What came of changes.
#[derive(Debug, Default)]
pub(super) struct Proposed {
    /// The files whose changes the session sees now.
    pub(super) taken: Vec<PathBuf>,
    /// Those that could not be proposed, each with the reason.
    pub(super) refused: Vec<(PathBuf, String)>,
    /// Those that a rule does not let the agent change, each with the rule.
    denied: Vec<(PathBuf, String)>,
    /// For the model.
    told: Vec<String>,
}

impl Proposed {
    /// Adds what came of more changes.
    pub(super) fn add(&mut self, more: Self) {
        self.taken.extend(more.taken);
        self.refused.extend(more.refused);
        self.denied.extend(more.denied);
        self.told.extend(more.told);
    }

    fn refuse(&mut self, paths: Vec<PathBuf>, why: &str) {
        self.refused.extend(paths.into_iter().map(|path| (path, why.to_owned())));
    }

    /// Says for the model what came of the changes; empty when there were none.
    pub(super) fn text(&self) -> String {
        let mut lines: Vec<String> = self.told.iter().take(NAMED).cloned().collect();
        if self.told.len() > NAMED {
            lines.push(format!("and {} more files", self.told.len() - NAMED));
        }
        let other = self.refused.iter().chain(&self.denied);
        lines.extend(other.map(|(path, why)| format!("{}: {why}", path.display())));
        lines.join("\n")
    }
}

/// Proposes changes, all in one commit. What the session sees already is nothing new.
pub(super) async fn propose(site: &Site, changes: Vec<Change>) -> Result<Proposed, String> {
    if changes.is_empty() {
        return Ok(Proposed::default());
    }
    let snapshot = Arc::new(site.ports.handle.snapshot().await.ok_or("the server is shutting down")?);
    let judged = {
        let site = site.clone();
        tokio::task::spawn_blocking(move || judge(&site, &snapshot, changes)).await
    };
    let (mut proposed, edits) = judged.map_err(|error| {
        tracing::error!(%error, "what a command changed could not be looked at");
        "internal error, see the server's log".to_owned()
    })?;
    if edits.is_empty() {
        return Ok(proposed);
    }
    let (edits, what): (Vec<Propose>, Vec<&str>) = edits.into_iter().unzip();
    let paths: Vec<PathBuf> = edits.iter().map(|edit| edit.path.clone()).collect();
    match site.ports.propose(&site.turn.session, edits).await {
        Ok(files) => {
            for (file, what) in files.into_iter().zip(what) {
                proposed.told.push(format!("{} {what}; {}", file.path.display(), state(&file)));
                proposed.told.extend(file.note);
            }
            proposed.taken.extend(paths);
        }
        Err(refusal) => proposed.refuse(paths, &refusal),
    }
    Ok(proposed)
}

fn state(file: &ProposedFile) -> String {
    match (file.pending, file.applied) {
        (0, 0) => "nothing is left to review".to_owned(),
        (pending, 0) => format!("proposed, not yet accepted: {pending} to review"),
        (_, applied) => format!("applied, the user reviews it there: {applied}"),
    }
}

/// Looks at changes one by one; returns what the rules refuse or the session sees already, and what is to be proposed.
fn judge(
    site: &Site,
    snapshot: &Arc<Snapshot>,
    changes: Vec<Change>,
) -> (Proposed, Vec<(Propose, &'static str)>) {
    let (mut proposed, mut edits) = (Proposed::default(), Vec::new());
    for change in changes {
        let path = change.path.clone();
        match edit(site, snapshot, change) {
            Ok(Some(edit)) => edits.push(edit),
            Ok(None) => proposed.taken.push(path),
            Err(Refused::Failed(why)) => proposed.refused.push((path, why)),
            Err(Refused::Denied(why)) => proposed.denied.push((path, why)),
        }
    }
    (proposed, edits)
}

/// Why a change is not proposed.
enum Refused {
    /// It could not be.
    Failed(String),
    /// A rule forbids it.
    Denied(String),
}

/// Returns what is to be proposed of a change and what that is, in a word; nothing if the session sees it so already.
fn edit(
    site: &Site,
    snapshot: &Arc<Snapshot>,
    change: Change,
) -> Result<Option<(Propose, &'static str)>, Refused> {
    let seen = overlay::read(snapshot, &site.turn.session, &change.path)
        .map_err(|error| Refused::Failed(error.to_string()))?;
    let new_proposal = fresh::name("prop").map_err(|error| Refused::Failed(error.to_string()))?;
    let by = Author::Command { turn: site.turn.id.clone(), new_proposal: ProposalId::new(new_proposal) };
    // The rules for the tools that write files hold for what a command writes too.
    let passage =
        site.gate.check(&site.turn, snapshot, "write", &[]).edit(&change.path).map_err(Refused::Denied)?;
    // Behind a cancel, as behind the end, nothing gets into a text by itself.
    let apply = passage == Passage::Applied && !site.turn.proposes_only && !site.gate.is_cancelled();
    let without_mark = |text: String| text.strip_prefix(BOM).map(ToOwned::to_owned).unwrap_or(text);
    let base = change.base.map(without_mark);
    // The user, or another agent, may have changed it while the command ran.
    let is_as_found = base == seen.text;
    Ok(match (&seen.text, change.after) {
        (None, After::Gone) => None,
        (Some(_), After::Gone) if is_as_found => Some((seen.propose_delete(by, apply), "is gone")),
        (Some(_), After::Gone) => {
            Some((seen.propose_delete(by, false), "is gone, and was changed meanwhile"))
        }
        (text, After::Text(after)) => {
            let after = without_mark(after);
            let what = if text.is_some() { "is changed" } else { "is new" };
            let (after, apply, what) = match text {
                Some(now) if !is_as_found && *now != after => {
                    let lines = |text: &str| Lines::new(text);
                    match merge(&lines(base.as_deref().unwrap_or_default()), &lines(now), &lines(&after)) {
                        Some(merged) => (merged, apply, what),
                        None => (after, false, "is changed, and the same lines were changed meanwhile"),
                    }
                }
                _ => (after, apply, what),
            };
            if text.as_deref() == Some(&*after) {
                return Ok(None);
            }
            Some((seen.propose(by, &after, apply), what))
        }
    })
}
