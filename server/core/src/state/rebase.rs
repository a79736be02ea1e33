//! How a file's hunks are moved to a new base: the text that the newest edit, or the user's merge, was made in.

use std::ops::Range;
use std::sync::Arc;

use super::steer::Wish;
use super::{Outcome, State};
use crate::effect::{Commit, Effect, Record, Refusal, Reply};
use crate::event::{Command, Resolve, Selection};
use crate::id::{HunkId, ProposalId, RequestId, TurnId};
use crate::lines::{Lines, TextHash, split};
use crate::proposal::{ChangeKind, FileChange, Hunk, NewHunk, Verdict, hunk_id};

/// The move of a file's hunks to a new base.
pub(super) struct Rebase<'a> {
    pub(super) proposal: &'a ProposalId,
    /// The turn that the new hunks are of.
    pub(super) turn: &'a TurnId,
    /// The new base.
    pub(super) base: &'a Arc<Lines>,
    /// Where hunks that go along stand in it.
    pub(super) carried: &'a [(HunkId, Range<usize>)],
}

/// What a rebase has made of a file.
#[derive(Debug, Default)]
pub(super) struct Rebased {
    /// New hunks, and old ones that are proposed still.
    pub(super) proposed: Vec<HunkId>,
    /// Hunks that another took over, or nothing.
    pub(super) superseded: Vec<(HunkId, Option<HunkId>)>,
    /// Applied hunks whose lines have to leave the text again.
    pub(super) withdrawn: Vec<HunkId>,
    /// What was proposed and refused before in the same turn, with the user's reason.
    pub(super) dropped: Vec<Option<String>>,
}

impl FileChange {
    /// Returns a hunk with a name that no other of the file has.
    pub(super) fn named(
        &self,
        proposal: &ProposalId,
        turn: &TurnId,
        kind: ChangeKind,
        new: &NewHunk,
    ) -> Hunk {
        let mut ordinal = 0;
        let id = loop {
            let id = hunk_id(proposal, &self.path, new, ordinal);
            if self.hunk(&id).is_none() {
                break id;
            }
            ordinal += 1;
        };
        Hunk {
            id,
            turn: turn.clone(),
            kind,
            base: self.base.clone(),
            old: new.old.clone(),
            old_text: new.old_text.clone(),
            new_text: new.new_text.clone(),
            over: None,
            split_from: None,
            rejected_before: false,
            verdict: Verdict::Undecided,
            told: false,
        }
    }
}

impl Rebase<'_> {
    /// Gives the file its new base, and carries over the hunks that go along.
    pub(super) fn carry(&self, file: &mut FileChange, commit: &mut Commit) {
        let base = TextHash::of(self.base.text());
        file.base.clone_from(&base);
        commit.records.push(Record::Text(base.clone(), self.base.clone()));
        commit.records.push(Record::File {
            proposal: self.proposal.clone(),
            path: file.path.clone(),
            base: base.clone(),
        });
        for (id, place) in self.carried {
            let Some(hunk) = file.hunks.iter_mut().find(|hunk| hunk.id == *id) else { continue };
            if hunk.base == base && hunk.old == *place {
                continue;
            }
            hunk.base.clone_from(&base);
            hunk.old = place.clone();
            hunk.old_text = self.base.slice(place.clone()).into();
            commit.records.extend(self.record(file, id));
        }
        file.sort();
    }

    /// Puts the proposed hunks in the place of the pending and applied ones: an equal one keeps its name, one that is not
    /// proposed any more is superseded. Stale and decided ones stay as they are.
    pub(super) fn propose(
        &self,
        file: &mut FileChange,
        kind: &ChangeKind,
        hunks: &[NewHunk],
        commit: &mut Commit,
    ) -> Rebased {
        let mut rebased = Rebased::default();
        let mut wanted: Vec<NewHunk> = hunks.to_vec();
        let mut replaced: Vec<Hunk> = Vec::new();
        for (id, _) in self.carried {
            let Some(hunk) = file.hunk(id).filter(|hunk| hunk.verdict.is_open()) else { continue };
            let equal =
                |new: &NewHunk| new.old == hunk.old && new.new_text == hunk.new_text && *kind == hunk.kind;
            if let Some(index) = wanted.iter().position(equal) {
                wanted.remove(index);
                rebased.proposed.push(id.clone());
            } else {
                replaced.push(hunk.clone());
            }
        }
        let (applied, pending): (Vec<Hunk>, Vec<Hunk>) = replaced
            .into_iter()
            .partition(|hunk| matches!(hunk.verdict, Verdict::Applied { .. }) || hunk.over.is_some());
        let mut made: Vec<Hunk> = Vec::new();
        for cluster in clusters(&applied, &mut wanted) {
            let over = self.composed(
                &cluster.lines,
                cluster.applied.iter().map(|hunk| {
                    let text = if hunk.verdict.is_in_text() {
                        &hunk.new_text
                    } else {
                        hunk.over.as_ref().unwrap_or(&hunk.old_text)
                    };
                    (hunk.old.clone(), &**text)
                }),
            );
            let new_text = self
                .composed(&cluster.lines, cluster.new.iter().map(|new| (new.old.clone(), &*new.new_text)));
            let old_text = self.base.slice(cluster.lines.clone());
            if new_text == old_text {
                rebased.withdrawn.extend(cluster.applied.iter().map(|hunk| hunk.id.clone()));
                continue;
            }
            let new =
                NewHunk { old: cluster.lines.clone(), old_text: old_text.into(), new_text: new_text.into() };
            let hunk =
                Hunk { over: Some(over.into()), ..file.named(self.proposal, self.turn, kind.clone(), &new) };
            rebased
                .superseded
                .extend(cluster.applied.iter().map(|old| (old.id.clone(), Some(hunk.id.clone()))));
            file.hunks.push(hunk.clone());
            made.push(hunk);
        }
        for new in &wanted {
            let mut hunk = file.named(self.proposal, self.turn, kind.clone(), new);
            match refused(file, &hunk) {
                Some((turn, reason)) if turn == *self.turn => {
                    rebased.dropped.push(reason);
                    continue;
                }
                Some(_) => hunk.rejected_before = true,
                None => {}
            }
            file.hunks.push(hunk.clone());
            made.push(hunk);
        }
        for old in pending {
            let over = made.iter().find(|new| touch(&new.old, &old.old)).map(|new| new.id.clone());
            rebased.superseded.push((old.id, over));
        }
        for hunk in made {
            commit.records.extend(self.record(file, &hunk.id));
            rebased.proposed.push(hunk.id);
        }
        file.sort();
        rebased
    }

    /// Returns some base lines with parts of them replaced.
    fn composed<'t>(
        &self,
        lines: &Range<usize>,
        parts: impl Iterator<Item = (Range<usize>, &'t str)>,
    ) -> String {
        let mut text = String::new();
        let mut line = lines.start;
        for (old, new) in parts {
            text += self.base.slice(line..old.start);
            text += new;
            line = old.end;
        }
        text + self.base.slice(line..lines.end)
    }

    fn record(&self, file: &FileChange, id: &HunkId) -> Option<Record> {
        let (proposal, path) = (self.proposal.clone(), file.path.clone());
        file.hunk(id).map(|hunk| Record::Hunk { proposal, path, hunk: hunk.clone() })
    }
}

impl FileChange {
    /// Puts the hunks of the present base first, in its order.
    pub(super) fn sort(&mut self) {
        let base = self.base.clone();
        self.hunks.sort_by_key(|hunk| (hunk.base != base, hunk.old.start, hunk.old.end));
    }
}

/// Applied hunks and the new ones that change the same lines, which become one.
struct Cluster {
    lines: Range<usize>,
    applied: Vec<Hunk>,
    new: Vec<NewHunk>,
}

/// Takes the new hunks that touch applied ones out of `wanted`.
fn clusters(applied: &[Hunk], wanted: &mut Vec<NewHunk>) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = Vec::new();
    for hunk in applied {
        clusters.push(Cluster { lines: hunk.old.clone(), applied: vec![hunk.clone()], new: Vec::new() });
    }
    for new in std::mem::take(wanted) {
        let (touched, mut rest): (Vec<Cluster>, Vec<Cluster>) =
            clusters.into_iter().partition(|cluster| touch(&cluster.lines, &new.old));
        if touched.is_empty() {
            clusters = rest;
            wanted.push(new);
            continue;
        }
        let mut joined = Cluster { lines: new.old.clone(), applied: Vec::new(), new: Vec::new() };
        for cluster in touched {
            joined.lines =
                joined.lines.start.min(cluster.lines.start)..joined.lines.end.max(cluster.lines.end);
            joined.applied.extend(cluster.applied);
            joined.new.extend(cluster.new);
        }
        joined.new.push(new);
        joined.applied.sort_by_key(|hunk| (hunk.old.start, hunk.old.end));
        joined.new.sort_by_key(|new| (new.old.start, new.old.end));
        rest.push(joined);
        rest.sort_by_key(|cluster| cluster.lines.start);
        clusters = rest;
    }
    clusters
}

/// Tells whether lines overlap or adjoin.
fn touch(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start <= other.end && other.start <= one.end
}

/// Returns the turn and the reason of a hunk that the user refused and that was the same.
fn refused(file: &FileChange, hunk: &Hunk) -> Option<(TurnId, Option<String>)> {
    file.hunks.iter().rev().find_map(|known| match &known.verdict {
        Verdict::Rejected { reason, .. }
            if known.old_text == hunk.old_text
                && known.new_text == hunk.new_text
                && known.kind == hunk.kind =>
        {
            Some((known.turn.clone(), reason.clone()))
        }
        _ => None,
    })
}

impl State {
    /// Takes a stale hunk in a form that fits the text of now.
    pub(super) fn resolve(&mut self, request: RequestId, resolve: Resolve) -> Outcome {
        let review = self.reviews.review(&resolve.proposal)?;
        let unknown = || Refusal::Unknown { what: "hunk", id: resolve.hunk.to_string() };
        let (file, hunk) = review.proposal.hunk(&resolve.hunk).ok_or_else(unknown)?;
        let path = file.path.clone();
        let version = self.documents.by_path(&path).map(|document| document.version);
        if version != resolve.version {
            return Err(Refusal::TextChanged(path.display().to_string()));
        }
        if hunk.verdict != Verdict::Undecided {
            return Err(Refusal::Decided { hunk: hunk.id.clone(), state: review.state(file, hunk).name() });
        }
        let fits = resolve.base.slice(resolve.new.old.clone()) == &*resolve.new.old_text;
        if !fits || split(&resolve.new.old_text).count() != resolve.new.old.len() {
            return Err(Refusal::Stale(resolve.hunk));
        }
        let turn = hunk.turn.clone();
        let Resolve { proposal, hunk: id, base, new, carried, .. } = resolve;
        let mut commit = Commit::default();
        let reviews = Arc::make_mut(&mut self.reviews);
        reviews.texts.insert(TextHash::of(base.text()), base.clone());
        if let Some(review) = reviews.by_id.get_mut(&proposal) {
            review.revision += 1;
            review.placements.remove(&path);
            if let Some(file) = review.proposal.files.iter_mut().find(|file| file.path == path) {
                let rebase = Rebase { proposal: &proposal, turn: &turn, base: &base, carried: &carried };
                rebase.carry(file, &mut commit);
                let base = file.base.clone();
                if let Some(hunk) = file.hunks.iter_mut().find(|hunk| hunk.id == id) {
                    hunk.base = base;
                    hunk.old = new.old;
                    hunk.old_text = new.old_text;
                    hunk.new_text = new.new_text;
                    hunk.over = None;
                    hunk.kind = ChangeKind::Modify;
                }
                commit.records.extend(rebase.record(file, &id));
                file.sort();
            }
        }
        if self.documents.by_path(&path).is_none() {
            let wish = Wish { hunk: id, verdict: Verdict::Accepted { saved: true } };
            return self.steer(Some((request, Reply::Accepted)), &proposal, &[wish], commit);
        }
        let mut effects = vec![Effect::Persist(commit)];
        effects.extend(self.derive(&proposal, &path));
        self.later(request, Command::Accept { proposal, hunks: Selection::Hunk(id) });
        Ok(effects)
    }
}
