//! Where the hunks of a file stand in its present text, and what stands there: followed change by change.
//!
//! One rule serves typing, reloading and restarting alike. [`Placement::expected`] writes down the text that should be
//! there — the base with the hunks that are in it — and knows each hunk's place in it. [`Placement::follow`] takes one
//! replacement of lines by lines and says where the hunks are afterwards. A keystroke is a small replacement; a text that
//! changed out of sight is one replacement of everything.

use std::ops::Range;

use crate::diff::{LineChange, line_changes};
use crate::id::HunkId;
use crate::lines::{Compare, Lines, keys, split};
use crate::proposal::Hunk;

/// What a text has at the place of a hunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The lines that the hunk replaces.
    Old,
    /// The lines that the hunk brings.
    New,
    /// Something of the user's own.
    Neither,
}

/// One hunk's place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which hunk.
    pub hunk: HunkId,
    /// The lines of the text that stand in the hunk's place; empty where it only inserts.
    pub lines: Range<usize>,
    /// What they are.
    pub holds: Holds,
    old: Vec<String>,
    new: Vec<String>,
}

/// The places of a file's hunks in one text, in the order of that text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    places: Vec<Place>,
    compare: Compare,
}

impl Placement {
    /// Returns the text that is expected to be there — `base` with those `hunks` that are in it — as line keys, and where
    /// each hunk stands in it.
    ///
    /// `hunks` are in base order, none overlapping another; `true` with a hunk says that its new lines are in the text.
    pub fn expected(base: &Lines, hunks: &[(&Hunk, bool)]) -> (Vec<String>, Self) {
        let only_endings = hunks.iter().any(|(hunk, _)| hunk.changes_only_endings());
        let compare = if only_endings { Compare::Exact } else { Compare::Content };
        let mut text = Vec::with_capacity(base.len());
        let mut places = Vec::with_capacity(hunks.len());
        let mut line = 0;
        let key_range =
            |range: Range<usize>| range.map(|line| compare.key(base.slice(line..line + 1)).to_owned());
        for (hunk, in_text) in hunks {
            text.extend(key_range(line..hunk.old.start));
            let old: Vec<String> = key_range(hunk.old.clone()).collect();
            let new: Vec<String> = keys(split(&hunk.new_text), compare);
            let start = text.len();
            text.extend_from_slice(if *in_text { &new } else { &old });
            places.push(Place {
                hunk: hunk.id.clone(),
                lines: start..text.len(),
                holds: if *in_text { Holds::New } else { Holds::Old },
                old,
                new,
            });
            line = hunk.old.end;
        }
        text.extend(key_range(line..base.len()));
        (text, Self { places, compare })
    }

    /// Returns where the hunks stand in `text`, which may have become anything since.
    pub fn derive(base: &Lines, hunks: &[(&Hunk, bool)], text: &Lines) -> Self {
        let (expected, mut placement) = Self::expected(base, hunks);
        placement.follow(0, &expected, &text.keys(placement.compare));
        placement
    }

    /// Returns the places, in the order of the text.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Returns the place of one hunk.
    pub fn place(&self, hunk: &HunkId) -> Option<&Place> {
        self.places.iter().find(|place| place.hunk == *hunk)
    }

    /// Returns the hunks whose old lines are in the text, and where.
    pub fn pending(&self) -> Vec<(HunkId, Range<usize>)> {
        let pending = |place: &&Place| place.holds == Holds::Old;
        self.places.iter().filter(pending).map(|place| (place.hunk.clone(), place.lines.clone())).collect()
    }

    /// Forgets one hunk: what it would replace is text like any other.
    pub fn remove(&mut self, hunk: &HunkId) {
        self.places.retain(|place| place.hunk != *hunk);
    }

    /// Returns what of a line counts here.
    pub fn compare(&self) -> Compare {
        self.compare
    }

    /// Returns the lines that have to be handed to [`Placement::follow`] when `changed` lines change: those, and all of
    /// every hunk that they touch.
    pub fn reach(&self, changed: Range<usize>) -> Range<usize> {
        let widened = |lines: &Range<usize>, touched: &dyn Fn(&Range<usize>) -> bool| {
            let places = self.places.iter().map(|place| &place.lines).filter(|place| touched(place));
            places.fold(lines.clone(), |all, place| all.start.min(place.start)..all.end.max(place.end))
        };
        let mut reach = widened(&changed, &|place| place.start <= changed.end && place.end >= changed.start);
        // What is left of two hunks after one edit of both is the same lines; neither is cut in two.
        loop {
            let wider = widened(&reach, &|place| place.start < reach.end && place.end > reach.start);
            if wider == reach {
                return reach;
            }
            reach = wider;
        }
    }

    /// Follows one change of the text: from line `at` on, the lines `before` were replaced by the lines `after`.
    ///
    /// Lines are keys, see [`Placement::compare`]; the replaced ones are a [`Placement::reach`]. Costs the size of the
    /// change plus one step for each hunk. Returns whether any hunk holds something else now.
    pub fn follow(&mut self, at: usize, before: &[String], after: &[String]) -> bool {
        let end = at + before.len();
        let mut inner: Vec<&mut Place> = Vec::new();
        for place in &mut self.places {
            if place.lines.start >= at && place.lines.end <= end {
                inner.push(place);
            } else if place.lines.start >= end {
                place.lines = place.lines.start - before.len() + after.len()
                    ..place.lines.end - before.len() + after.len();
            }
        }
        let held: Vec<Holds> = inner.iter().map(|place| place.holds).collect();
        if !inner.is_empty() && !compose(&mut inner, at, before, after) {
            let changes = line_changes(before, after);
            for place in &mut inner {
                place.follow_changes(at, &changes, after);
            }
        }
        inner.iter().zip(held).any(|(place, held)| place.holds != held)
    }
}

impl Place {
    /// Follows line changes that are no mere choice between old and new lines: somebody typed.
    fn follow_changes(&mut self, at: usize, changes: &[LineChange], after: &[String]) {
        let (start, end) = (self.lines.start - at, self.lines.end - at);
        let touching: Vec<&LineChange> =
            changes.iter().filter(|change| touches(change, start, end)).collect();
        let shift = |line: usize, passed: &dyn Fn(&LineChange) -> bool| {
            changes
                .iter()
                .filter(|change| passed(change))
                .fold(line, |line, change| line - change.before.len() + change.after.len())
        };
        let shifted_start = || shift(start, &|change| change.before.end <= start);
        let (Some(first), Some(last)) = (touching.first(), touching.last()) else {
            let start = shifted_start();
            self.lines = at + start..at + start + self.lines.len();
            return;
        };
        let new_start = if first.before.start <= start { first.after.start } else { shifted_start() };
        let new_end = if last.before.end >= end {
            last.after.end
        } else {
            shift(end, &|change| {
                change.before.end < end || (change.before.end == end && !change.before.is_empty())
            })
        };
        let found = after.get(new_start..new_end).unwrap_or_default();
        // Lines that went together with their neighbours are gone, not accepted.
        let alone = touching.iter().all(|change| change.before.start >= start && change.before.end <= end);
        let was_lost = self.holds == Holds::Neither;
        let (lines, holds) = if found == self.new && (alone || !self.new.is_empty()) {
            (new_start..new_end, Holds::New)
        } else if found == self.old && !self.old.is_empty() {
            (new_start..new_end, Holds::Old)
        } else if let (true, Some(lines)) = (was_lost, only_place_of(&self.old, found)) {
            (new_start + lines.start..new_start + lines.end, Holds::Old)
        } else if let (true, Some(lines)) = (was_lost, only_place_of(&self.new, found)) {
            (new_start + lines.start..new_start + lines.end, Holds::New)
        } else {
            (new_start..new_end, Holds::Neither)
        };
        self.lines = at + lines.start..at + lines.end;
        self.holds = holds;
    }
}

/// Tells whether a change reaches into the lines `start..end`. Whole lines put in at an edge do not; into a place without
/// lines only what replaces the lines on both of its sides does.
fn touches(change: &LineChange, start: usize, end: usize) -> bool {
    // For an empty place both comparisons are with the same line: the change has to begin above and end below it.
    change.before.start < end && change.before.end > start
}

/// Returns where `wanted` stands in `lines`, if it is there once and is not nothing.
fn only_place_of(wanted: &[String], lines: &[String]) -> Option<Range<usize>> {
    if wanted.iter().all(|line| line.trim().is_empty()) {
        return None;
    }
    let mut starts = lines
        .windows(wanted.len())
        .enumerate()
        .filter(|(_, window)| *window == wanted)
        .map(|(start, _)| start);
    let start = starts.next()?;
    starts.next().is_none().then(|| start..start + wanted.len())
}

/// How many ways through a change are kept for each hunk; real changes need one or two.
const MOST_WAYS: usize = 64;

/// One way to read a changed text up to the end of a hunk.
struct Way {
    /// Where in the text the hunk ends, and so where the reading goes on.
    end: usize,
    /// Where it begins.
    start: usize,
    holds: Holds,
    /// The way to the hunk before, by index.
    from: usize,
}

/// Reads `after` as `before` with every hunk holding its old lines, its new ones, or what it held, and nothing else
/// changed. Sets the places and returns true if there is such a reading; it is exact, so it needs no guess about
/// which line became which.
fn compose(places: &mut [&mut Place], at: usize, before: &[String], after: &[String]) -> bool {
    let mut stages: Vec<Vec<Way>> = Vec::with_capacity(places.len());
    let mut line = 0;
    for place in places.iter() {
        let (start, end) = (place.lines.start - at, place.lines.end - at);
        let (Some(gap), Some(now)) = (before.get(line..start), before.get(start..end)) else { return false };
        let ends: Vec<usize> = match stages.last() {
            None => vec![0],
            Some(ways) => ways.iter().map(|way| way.end).collect(),
        };
        let mut ways: Vec<Way> = Vec::new();
        for (from, end) in ends.into_iter().enumerate() {
            let Some(rest) = after.get(end..).filter(|rest| rest.starts_with(gap)) else { continue };
            let start = end + gap.len();
            let rest = rest.get(gap.len()..).unwrap_or_default();
            for (lines, holds) in
                [(now, place.holds), (&place.old[..], Holds::Old), (&place.new[..], Holds::New)]
            {
                let end = start + lines.len();
                if rest.starts_with(lines) && ways.len() < MOST_WAYS && ways.iter().all(|way| way.end != end)
                {
                    ways.push(Way { end, start, holds, from });
                }
            }
        }
        if ways.is_empty() {
            return false;
        }
        stages.push(ways);
        line = end;
    }
    let Some(gap) = before.get(line..) else { return false };
    let Some(ways) = stages.last() else { return false };
    let Some(mut index) = ways.iter().position(|way| after.get(way.end..) == Some(gap)) else { return false };
    for (place, ways) in places.iter_mut().zip(&stages).rev() {
        let Some(way) = ways.get(index) else { return false };
        place.lines = at + way.start..at + way.end;
        place.holds = way.holds;
        index = way.from;
    }
    true
}

#[cfg(test)]
mod tests;
