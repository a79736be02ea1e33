//! Where the hunks of a file stand in its present text: one layer for each base that hunks count their lines in.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::id::HunkId;
use crate::lines::{Compare, Lines, TextHash, keys, split};
use crate::proposal::{ChangeKind, FileChange, Hunk};

pub(crate) mod layer;

use layer::Layer;

/// What a text has at the place of a hunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The lines that the hunk replaces.
    Old,
    /// The lines that the hunk brings.
    New,
    /// The lines of applied hunks that it took the place of.
    Over,
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
    /// None where the file itself goes.
    new: Option<Vec<String>>,
    over: Option<Vec<String>>,
}

/// What was found where a file should be.
#[derive(Clone, Copy, Debug)]
pub enum Found<'a> {
    /// An editor has it open, with this text.
    Buffer(&'a Lines),
    /// It is on the disk, with this text.
    Disk(&'a Lines),
    /// There is no such file.
    Nothing {
        /// Where a hunk moves it, if there is a file.
        moved_to: Option<&'a Path>,
    },
}

/// The places of a file's hunks in one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    layers: Vec<Layer>,
}

/// The texts that hunks count their lines in.
pub type Texts = BTreeMap<TextHash, Arc<Lines>>;

impl Holds {
    /// Tells whether the hunk can be taken: nothing of the user's own is in its place, and not its new lines.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Old | Self::Over)
    }
}

impl Placement {
    /// Returns where the hunks of a file stand in what was found, however it came to be so: those whose verdict depends on
    /// the text, those `wanted`, and those that share their base.
    pub fn derive(
        file: &FileChange,
        texts: &Texts,
        found: Found<'_>,
        wanted: impl Fn(&HunkId) -> bool,
    ) -> Self {
        let mut layers = Vec::new();
        for base in file.bases(&wanted) {
            let Some(text) = texts.get(base) else { continue };
            let hunks = file.placed_hunks(base, &wanted);
            let mut layer = match found {
                Found::Buffer(now) | Found::Disk(now) => Layer::derive(text, &hunks, now),
                Found::Nothing { .. } => Layer::expected(&Lines::new(""), &[]).1,
            };
            if let Found::Nothing { moved_to } = found {
                layer.places = hunks.iter().map(|(hunk, _)| absent(hunk, moved_to)).collect();
            }
            for (hunk, _) in hunks.iter().filter(|(hunk, _)| hunk.kind != ChangeKind::Modify) {
                layer.look_at_whole(hunk, found);
            }
            layers.push(layer);
        }
        Self { layers }
    }

    /// Returns the places, those of the present base first, each base's in the order of the text.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.layers.iter().flat_map(|layer| &layer.places)
    }

    /// Returns the place of one hunk.
    pub fn place(&self, hunk: &HunkId) -> Option<&Place> {
        self.places().find(|place| place.hunk == *hunk)
    }

    /// Returns the places that are `wanted` in the order of the text; of two that overlap the one of the newer base.
    pub fn chosen(&self, wanted: impl Fn(&Place) -> bool) -> Vec<&Place> {
        let mut chosen: Vec<&Place> = Vec::new();
        for place in self.places().filter(|place| wanted(place)) {
            let free =
                |other: &&Place| place.lines.end <= other.lines.start || place.lines.start >= other.lines.end;
            if chosen.iter().all(free) {
                chosen.push(place);
            }
        }
        chosen.sort_by_key(|place| (place.lines.start, place.lines.end));
        chosen
    }

    /// Forgets one hunk: what it would replace is text like any other.
    pub fn remove(&mut self, hunk: &HunkId) {
        for layer in &mut self.layers {
            layer.places.retain(|place| place.hunk != *hunk);
        }
    }

    /// Puts the parts of a hunk in its place, each with its lines of the old and of the new ones.
    pub(crate) fn split(&mut self, hunk: &HunkId, parts: &[(HunkId, Range<usize>, Range<usize>)]) {
        for layer in &mut self.layers {
            layer.split(hunk, parts);
        }
    }

    pub(crate) fn layers_mut(&mut self) -> impl Iterator<Item = &mut Layer> {
        self.layers.iter_mut()
    }
}

impl Layer {
    /// A file that comes, goes or moves is taken as a whole: what the text has is that or it is the user's.
    fn look_at_whole(&mut self, hunk: &Hunk, found: Found<'_>) {
        let Some(place) = self.places.iter_mut().find(|place| place.hunk == hunk.id) else { return };
        if let (ChangeKind::Create, Found::Buffer(text)) = (&hunk.kind, found)
            && text.text().chars().all(|c| matches!(c, '\r' | '\n'))
        {
            // The buffer of a file that is not there yet has an empty line in some editors: that is no text of the user's.
            place.lines = 0..text.len();
            place.holds = Holds::Old;
            return;
        }
        let (text, wanted) = match (&hunk.kind, found) {
            (ChangeKind::Create, Found::Disk(text)) => (text, Holds::New),
            (ChangeKind::Delete | ChangeKind::Rename { .. }, Found::Buffer(text) | Found::Disk(text)) => {
                (text, Holds::Old)
            }
            _ => return,
        };
        let side = if wanted == Holds::New { &hunk.new_text } else { &hunk.old_text };
        let same = text.keys(Compare::Content) == keys(split(side), Compare::Content);
        place.lines = 0..text.len();
        place.holds = if same { wanted } else { Holds::Neither };
    }
}

/// Returns the place of a hunk whose file is not there.
fn absent(hunk: &Hunk, moved_to: Option<&Path>) -> Place {
    let holds = match &hunk.kind {
        ChangeKind::Create => Holds::Old,
        ChangeKind::Delete => Holds::New,
        ChangeKind::Rename { to } if moved_to == Some(to) => Holds::New,
        // Somebody took it away.
        ChangeKind::Rename { .. } | ChangeKind::Modify => Holds::Neither,
    };
    Place { hunk: hunk.id.clone(), lines: 0..0, holds, old: Vec::new(), new: None, over: None }
}
