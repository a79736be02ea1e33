//! What differs between two texts: by lines for hunks, as a unified diff for reading.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, IndentHeuristic, IndentLevel, InternedInput, Interner, Token};

/// Lines of one text that stand where lines of the other stood; one of the two may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineChange {
    /// The lines before.
    pub before: Range<usize>,
    /// The lines after.
    pub after: Range<usize>,
}

/// Between two lines that are held fast, how many lines are compared at most: the ones before times the ones after. More
/// are one change, however long; the clock never decides.
const MOST_COMPARED: usize = 400_000_000;

/// Tells whether a change of so many lines is one only because there were too many to compare.
pub fn is_coarse(before: usize, after: usize) -> bool {
    before.saturating_mul(after) > MOST_COMPARED
}

/// Returns the changes from `before` to `after`, in order, none touching the next.
///
/// Lines that each text has once, in the same order, are held fast first, as patience diff does; between them histogram
/// diff, with insertions and deletions moved to where indentation says that a reader would look for them. Without the first
/// step many changes at equal distances would cost the square of their number.
pub fn line_changes<T: AsRef<str>>(before: &[T], after: &[T]) -> Vec<LineChange> {
    let mut input = InternedInput {
        before: Vec::with_capacity(before.len()),
        after: Vec::with_capacity(after.len()),
        interner: Interner::new(before.len() + after.len()),
    };
    input.update_before(before.iter().map(AsRef::as_ref));
    input.update_after(after.iter().map(AsRef::as_ref));
    let mut gaps = Gaps::new(&input.interner);
    let mut changes: Vec<LineChange> = Vec::new();
    let (mut from, mut to) = (0, 0);
    for (old, new) in anchors(&input).into_iter().chain([(before.len(), after.len())]) {
        let gap =
            (input.before.get(from..old).unwrap_or_default(), input.after.get(to..new).unwrap_or_default());
        gaps.compare(gap.0, gap.1, |change| {
            changes.push(LineChange {
                before: change.before.start + from..change.before.end + from,
                after: change.after.start + to..change.after.end + to,
            });
        });
        (from, to) = (old + 1, new + 1);
    }
    changes
}

/// Compares what lies between two lines that are held fast, one gap after the other.
struct Gaps<'a> {
    lines: &'a Interner<&'a str>,
    /// For each line of the two texts the gap that had it last, and its number there: histogram diff counts the
    /// occurrences of every number up to the highest, which has to be of the gap's size.
    numbers: Vec<(u32, u32)>,
    gap: u32,
    diff: Diff,
}

impl<'a> Gaps<'a> {
    fn new(lines: &'a Interner<&'a str>) -> Self {
        Self { lines, numbers: vec![(0, 0); lines.num_tokens() as usize], gap: 0, diff: Diff::default() }
    }

    /// Tells the changes of a gap, counted from its first lines.
    fn compare(&mut self, before: &[Token], after: &[Token], mut tell: impl FnMut(LineChange)) {
        if before.is_empty() && after.is_empty() {
            return;
        }
        let all = LineChange { before: 0..before.len(), after: 0..after.len() };
        if before.is_empty() || after.is_empty() || is_coarse(before.len(), after.len()) {
            return tell(all);
        }
        self.gap += 1;
        let mut tokens = Vec::new();
        let old: Vec<Token> = before.iter().map(|token| self.number(*token, &mut tokens)).collect();
        let count = tokens.len();
        let new: Vec<Token> = after.iter().map(|token| self.number(*token, &mut tokens)).collect();
        if new.iter().all(|token| token.0 as usize >= count) {
            // No line is in both.
            return tell(all);
        }
        self.diff.compute_with(
            Algorithm::Histogram,
            &old,
            &new,
            u32::try_from(tokens.len()).unwrap_or(u32::MAX),
        );
        let indentation = |token: Token| match tokens.get(token.0 as usize) {
            Some(line) => IndentLevel::for_ascii_line(self.lines[*line].bytes(), 8),
            None => IndentLevel::for_ascii_line([], 8),
        };
        self.diff.postprocess_with(&old, &new, IndentHeuristic::new(indentation));
        let wide = |range: Range<u32>| range.start as usize..range.end as usize;
        for hunk in self.diff.hunks() {
            tell(LineChange { before: wide(hunk.before), after: wide(hunk.after) });
        }
    }

    /// Returns the number of a line in this gap, the next one if it is new there.
    fn number(&mut self, line: Token, tokens: &mut Vec<Token>) -> Token {
        let next = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        match self.numbers.get_mut(line.0 as usize) {
            Some((gap, number)) if *gap == self.gap => Token(*number),
            number => {
                if let Some(number) = number {
                    *number = (self.gap, next);
                }
                tokens.push(line);
                Token(next)
            }
        }
    }
}

/// Returns pairs of lines, by number, that are the same and stand once in each text: as many as there are in the same order.
fn anchors(input: &InternedInput<&str>) -> Vec<(usize, usize)> {
    let tokens = input.interner.num_tokens() as usize;
    let (old, new) = (places(&input.before, tokens), places(&input.after, tokens));
    let pair = |(number, token): (usize, &Token)| {
        let once = |places: &[Place]| match places.get(token.0 as usize) {
            Some(Place::Once(number)) => Some(*number),
            _ => None,
        };
        once(&old).and(Some((number, once(&new)?)))
    };
    longest_rising(&input.before.iter().enumerate().filter_map(pair).collect::<Vec<_>>())
}

/// Where a line stands in a text.
#[derive(Clone, Copy)]
enum Place {
    Nowhere,
    Once(usize),
    Often,
}

fn places(text: &[Token], tokens: usize) -> Vec<Place> {
    let mut places = vec![Place::Nowhere; tokens];
    for (number, token) in text.iter().enumerate() {
        if let Some(place) = places.get_mut(token.0 as usize) {
            *place = if matches!(place, Place::Nowhere) { Place::Once(number) } else { Place::Often };
        }
    }
    places
}

/// Returns the longest part of the pairs whose second numbers rise; their first ones do.
fn longest_rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // The last pair of the best part of each length, and for each pair the one before it (patience sorting).
    let mut ends: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    let second = |index: usize| pairs.get(index).map_or(0, |(_, second)| *second);
    for (index, (_, new)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| second(*end) < *new);
        previous.push(length.checked_sub(1).and_then(|shorter| ends.get(shorter).copied()));
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut part = Vec::with_capacity(ends.len());
    let mut next = ends.last().copied();
    while let Some(index) = next {
        part.extend(pairs.get(index).copied());
        next = previous.get(index).copied().flatten();
    }
    part.reverse();
    part
}

/// Returns a unified diff with three lines of context, as `git apply` takes it; empty when nothing differs.
pub fn unified(before: &str, after: &str, before_name: &str, after_name: &str) -> String {
    similar::TextDiff::configure()
        .algorithm(similar::Algorithm::Histogram)
        .diff_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(before_name, after_name)
        .to_string()
}

#[cfg(test)]
mod tests;
