//! Where the hunks of one base stand in a text, and what stands there: followed change by change.
//!
//! One rule serves typing, reloading and restarting alike. [`Layer::expected`] writes down the text that should be there —
//! the base with the hunks that are in it — and knows each hunk's place in it. [`Layer::follow`] takes one replacement of
//! lines by lines and says where the hunks are afterwards. A keystroke is a small replacement; a text that changed out of
//! sight is one replacement of everything.

use std::ops::Range;

use super::{Holds, Place};
use crate::diff::{LineChange, line_changes};
use crate::id::HunkId;
use crate::lines::{Compare, Lines, keys, split};
use crate::proposal::{ChangeKind, Hunk};

/// The places of the hunks of one base in one text, in the order of that text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(super) places: Vec<Place>,
    compare: Compare,
}

/// What following a change has shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Followed {
    /// Some hunk holds something else now.
    pub(crate) changed: bool,
    /// Only a look at the whole text can tell whether a lost hunk is back.
    pub(crate) unsure: bool,
}

impl Layer {
    /// Returns the text that is expected to be there — `base` with those `hunks` that are in it — as line keys, and where
    /// each hunk stands in it.
    ///
    /// `hunks` are in base order, none overlapping another; `true` with a hunk says that its new lines are in the text.
    pub(crate) fn expected(base: &Lines, hunks: &[(&Hunk, bool)]) -> (Vec<String>, Self) {
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
            let over: Option<Vec<String>> = hunk.over.as_ref().map(|over| keys(split(over), compare));
            // A file that goes or moves has no text that could say so.
            let new = !matches!(hunk.kind, ChangeKind::Delete | ChangeKind::Rename { .. });
            let new: Option<Vec<String>> = new.then(|| keys(split(&hunk.new_text), compare));
            let start = text.len();
            let (now, holds) = match (&new, &over) {
                (Some(new), _) if *in_text => (new, Holds::New),
                (_, Some(over)) => (over, Holds::Over),
                _ => (&old, Holds::Old),
            };
            text.extend_from_slice(now);
            places.push(Place { hunk: hunk.id.clone(), lines: start..text.len(), holds, old, new, over });
            line = hunk.old.end;
        }
        text.extend(key_range(line..base.len()));
        (text, Self { places, compare })
    }

    /// Returns where the hunks stand in `text`, which may have become anything since.
    pub(crate) fn derive(base: &Lines, hunks: &[(&Hunk, bool)], text: &Lines) -> Self {
        let (expected, mut layer) = Self::expected(base, hunks);
        layer.follow(0, &expected, &text.keys(layer.compare));
        layer
    }

    /// Puts the parts of a hunk in its place, each with its lines of the old and of the new ones.
    pub(super) fn split(&mut self, hunk: &HunkId, parts: &[(HunkId, Range<usize>, Range<usize>)]) {
        let Some(index) = self.places.iter().position(|place| place.hunk == *hunk) else { return };
        let whole = self.places.remove(index);
        let some =
            |lines: &[String], range: &Range<usize>| lines.get(range.clone()).unwrap_or_default().to_vec();
        let mut start = whole.lines.start;
        for (number, (id, old, new)) in parts.iter().enumerate() {
            let lines = match whole.holds {
                Holds::New => new,
                Holds::Old | Holds::Over | Holds::Neither => old,
            };
            let (from, end) = match whole.holds {
                // Nobody can tell which part of them is whose.
                Holds::Neither => (whole.lines.start, whole.lines.end),
                _ => (start, start + lines.len()),
            };
            self.places.insert(
                index + number,
                Place {
                    hunk: id.clone(),
                    lines: from..end,
                    holds: whole.holds,
                    old: some(&whole.old, old),
                    new: whole.new.as_ref().map(|lines| some(lines, new)),
                    over: None,
                },
            );
            start = end;
        }
    }

    /// Returns what of a line counts here.
    pub(crate) fn compare(&self) -> Compare {
        self.compare
    }

    /// Returns the lines that have to be handed to [`Layer::follow`] when `changed` lines change: those, and all of
    /// every hunk that they touch.
    pub(crate) fn reach(&self, changed: Range<usize>) -> Range<usize> {
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
    /// Lines are keys, see [`Layer::compare`]; the replaced ones are a [`Layer::reach`]. Costs the size of the
    /// change plus one step for each hunk.
    pub(crate) fn follow(&mut self, at: usize, before: &[String], after: &[String]) -> Followed {
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
        let changed = inner.iter().zip(held).any(|(place, held)| place.holds != held);
        let is_touched = inner.iter().any(|place| place.holds == Holds::Neither);
        // What was lost may stand elsewhere by now.
        let is_back = |place: &Place| {
            let lines = place.old.iter().chain(place.new.iter().flatten());
            place.holds == Holds::Neither && lines.into_iter().any(|line| after.contains(line))
        };
        Followed { changed, unsure: is_touched || self.places.iter().any(is_back) }
    }
}

impl Place {
    /// Returns what may stand in the hunk's place, and what that means.
    fn readings(&self) -> Vec<(&[String], Holds)> {
        let new = self.new.as_deref().map(|lines| (lines, Holds::New));
        let over = self.over.as_deref().map(|lines| (lines, Holds::Over));
        new.into_iter().chain([(&self.old[..], Holds::Old)]).chain(over).collect()
    }

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
        let readings = self.readings();
        let whole = readings
            .iter()
            .find(|(lines, holds)| found == *lines && (!lines.is_empty() || (alone && *holds == Holds::New)));
        let part = || {
            let place_of = |(lines, holds): &(&[String], Holds)| Some((only_place_of(lines, found)?, *holds));
            readings.iter().find_map(place_of).filter(|_| was_lost)
        };
        let (lines, holds) = if let Some((_, holds)) = whole {
            (new_start..new_end, *holds)
        } else if let Some((lines, holds)) = part() {
            (new_start + lines.start..new_start + lines.end, holds)
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
            for (lines, holds) in [(now, place.holds)].into_iter().chain(place.readings()) {
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
