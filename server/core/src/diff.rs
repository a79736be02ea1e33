//! What differs between two texts: by lines for hunks, as a unified diff for reading.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};

/// Lines of one text that stand where lines of the other stood; one of the two may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineChange {
    /// The lines before.
    pub before: Range<usize>,
    /// The lines after.
    pub after: Range<usize>,
}

/// Returns the changes from `before` to `after`, in order, none touching the next.
///
/// Histogram diff, with insertions and deletions moved to where indentation says that a reader would look for them.
pub fn line_changes<T: AsRef<str>>(before: &[T], after: &[T]) -> Vec<LineChange> {
    let mut input = InternedInput::default();
    input.update_before(before.iter().map(AsRef::as_ref));
    input.update_after(after.iter().map(AsRef::as_ref));
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let wide = |range: Range<u32>| range.start as usize..range.end as usize;
    diff.hunks().map(|hunk| LineChange { before: wide(hunk.before), after: wide(hunk.after) }).collect()
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
