//! What the agent is told of the review: at the start of a turn all of it, with a tool's result what is about that file.
//! Each decision is told once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::State;
use super::rebase::Rebased;
use crate::comment::Comment;
use crate::effect::{Commit, Record};
use crate::id::{HunkId, ProposalId, SessionId};
use crate::proposal::{ChangeKind, FileChange, Hunk, Verdict};
use crate::review::{HunkState, Review};

/// Returns how the agent calls a path, in tool calls and in what it is told: below the first workspace folder by what follows,
/// else in full.
pub fn name_for_agent(path: &Path, folders: &[PathBuf]) -> String {
    let below = folders.first().and_then(|folder| path.strip_prefix(folder).ok());
    match below {
        Some(below) if below.as_os_str().is_empty() => ".".to_owned(),
        Some(below) => below.display().to_string(),
        None => path.display().to_string(),
    }
}

impl State {
    /// Returns what the agent has to know of the review of a session since its last turn; none when there is nothing.
    pub(super) fn review_note(&mut self, session: &SessionId, commit: &mut Commit) -> Option<String> {
        let mut lines = Vec::new();
        let mut told: Vec<(ProposalId, Vec<HunkId>)> = Vec::new();
        let mut edits: Vec<(ProposalId, Comment)> = Vec::new();
        let reviews = self.reviews.iter().filter(|review| review.proposal.session == *session);
        for review in reviews {
            let mut hunks = Vec::new();
            let unsent = review.comments.iter().filter(|comment| comment.is_edit && !comment.sent);
            edits.extend(unsent.map(|comment| (review.proposal.id.clone(), comment.clone())));
            for file in &review.proposal.files {
                for hunk in &file.hunks {
                    if let Some(line) = decided(review, file, hunk, self.folders_of_the_user()) {
                        hunks.push(hunk.id.clone());
                        lines.push(line);
                    }
                }
                lines.extend(waiting(review, file, self.folders_of_the_user()));
            }
            if !hunks.is_empty() {
                told.push((review.proposal.id.clone(), hunks));
            }
        }
        for (proposal, hunks) in told {
            self.mark_told(&proposal, hunks, commit);
        }
        lines.extend(edits.iter().map(|(_, comment)| {
            format!(
                "{}: the user changed what you proposed, like this:\n{}",
                name_for_agent(&comment.path, self.folders_of_the_user()),
                comment.text
            )
        }));
        self.comments_sent(
            edits.into_iter().map(|(proposal, comment)| (proposal, comment.id)).collect(),
            commit,
        );
        (!lines.is_empty())
            .then(|| format!("Review of what you proposed, since your last turn:\n- {}", lines.join("\n- ")))
    }

    /// Returns what the agent has to know with the result of a tool that touched a file.
    pub(super) fn note_for_tool(
        &mut self,
        proposal: &ProposalId,
        path: &Path,
        rebased: &Rebased,
        commit: &mut Commit,
    ) -> Option<String> {
        let review = self.reviews.get(proposal)?;
        let file = review.proposal.file(path)?;
        let mut lines: Vec<String> = rebased
            .dropped
            .iter()
            .map(|reason| {
                let why = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
                format!("a change was left out, because the user rejected the same one in this turn{why}")
            })
            .collect();
        let mut told = Vec::new();
        for hunk in &file.hunks {
            if let (Verdict::Rejected { .. }, Some(line)) =
                (&hunk.verdict, decided(review, file, hunk, self.folders_of_the_user()))
            {
                told.push(hunk.id.clone());
                lines.push(line);
            }
        }
        if !told.is_empty() {
            self.mark_told(proposal, told, commit);
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Returns the folders whose files are proposed for.
    pub(super) fn folders_of_the_user(&self) -> &[PathBuf] {
        self.copy_of.as_ref().map_or(&self.folders, std::slice::from_ref)
    }

    fn mark_told(&mut self, proposal: &ProposalId, hunks: Vec<HunkId>, commit: &mut Commit) {
        if let Some(review) = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal) {
            for id in &hunks {
                if let Some(hunk) = review.proposal.hunk_mut(id) {
                    hunk.told = true;
                }
            }
        }
        commit.records.push(Record::Told { proposal: proposal.clone(), hunks });
    }
}

/// Says what was decided about a hunk, if the agent does not know yet.
fn decided(review: &Review, file: &FileChange, hunk: &Hunk, folders: &[PathBuf]) -> Option<String> {
    if hunk.told {
        return None;
    }
    let what = describe(file, hunk, folders);
    match &hunk.verdict {
        Verdict::Accepted { .. } => {
            let place = review.placement(&file.path).and_then(|placement| placement.place(&hunk.id));
            let changed = place.is_some_and(|place| place.holds == crate::placement::Holds::Neither);
            Some(format!("{what}: accepted{}", if changed { ", then changed by the user" } else { "" }))
        }
        Verdict::Rejected { reason, replacement } => {
            let why = reason.as_ref().map_or_else(String::new, |reason| format!(", because: {reason}"));
            let instead = replacement
                .as_ref()
                .map_or_else(String::new, |lines| format!("\n  the user would have there instead:\n{lines}"));
            Some(format!("{what}: rejected{why}{instead}"))
        }
        Verdict::Undecided | Verdict::Applied { .. } | Verdict::Superseded { .. } => None,
    }
}

/// Says how much of a file waits for the user.
fn waiting(review: &Review, file: &FileChange, folders: &[PathBuf]) -> Vec<String> {
    let count =
        |wanted: HunkState| file.hunks.iter().filter(|hunk| review.state(file, hunk) == wanted).count();
    let path = name_for_agent(&file.path, folders);
    [
        (HunkState::Pending, "pending"),
        (HunkState::Applied, "applied, not yet reviewed"),
        (
            HunkState::Stale,
            "stale, because the user changed the lines that they replace; you see the user's text there",
        ),
    ]
    .into_iter()
    .filter_map(|(state, word)| {
        let count = count(state);
        let hunks = if count == 1 { "hunk" } else { "hunks" };
        (count > 0).then(|| format!("{path}: {count} {hunks} {word}"))
    })
    .collect()
}

fn describe(file: &FileChange, hunk: &Hunk, folders: &[PathBuf]) -> String {
    let path = name_for_agent(&file.path, folders);
    match &hunk.kind {
        ChangeKind::Create => format!("new file {path}"),
        ChangeKind::Delete => format!("deletion of {path}"),
        ChangeKind::Rename { to } => format!("rename of {path} to {}", name_for_agent(to, folders)),
        ChangeKind::Modify => {
            let (first, last) = (hunk.old.start + 1, hunk.old.end.max(hunk.old.start + 1));
            let text = if hunk.new_text.is_empty() { &hunk.old_text } else { &hunk.new_text };
            let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
            format!("{path}, lines {first} to {last} (`{line}`)")
        }
    }
}
