//! The lines of a file that are most like a quotation that does not stand in it, for the model to see what it got wrong.

use std::collections::HashSet;
use std::fmt::Write as _;

use kkcode_core::lines::{Compare, Lines};

/// How many lines of the quotation are compared, and how many of the file.
const COMPARED: (usize, usize) = (8, 200_000);

/// How much of a line is shown, in characters, and how many lines at most.
const SHOWN: (usize, usize) = (200, 12);

/// Shows the lines that share most words with the beginning of a quotation; nothing where none shares half of them.
pub(super) fn hint(text: &Lines, before: &str) -> String {
    let wanted: Vec<(&str, HashSet<&str>)> = before
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(COMPARED.0)
        .map(|line| (line, words(line).collect()))
        .collect();
    let scores: Vec<Vec<f32>> =
        text.iter().take(COMPARED.1).map(|line| scores(Compare::Content.key(line).trim(), &wanted)).collect();
    let mut best = (0.0, 0);
    for start in 0..scores.len() {
        let window = scores.iter().skip(start).zip(0..wanted.len());
        let score: f32 = window.map(|(line, index)| line.get(index).copied().unwrap_or_default()).sum();
        if score > best.0 {
            best = (score, start);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "there are eight lines at most")]
    let enough = wanted.len() as f32 / 2.0;
    if best.0 < enough {
        return String::new();
    }
    let quoted = before.lines().count().clamp(1, SHOWN.1);
    let mut hint = "; most like it is:".to_owned();
    let from = best.1;
    for (number, line) in text.iter().enumerate().skip(from).take(quoted) {
        let line: String = Compare::Content.key(line).chars().take(SHOWN.0).collect();
        // Writing to a string does not fail.
        let _infallible = write!(hint, "\n{:6}\u{2192}{line}", number + 1);
    }
    hint
}

/// Returns how much a line of the file is like each line that is wanted: from 0 to 1.
fn scores(line: &str, wanted: &[(&str, HashSet<&str>)]) -> Vec<f32> {
    let of = |(text, its_words): &(&str, HashSet<&str>)| {
        if *text == line {
            return 1.0;
        }
        let (mut shared, mut all) = (0_u16, 0_u16);
        for word in words(line).take(200) {
            all += 1;
            shared += u16::from(its_words.contains(word));
        }
        let most = all.max(u16::try_from(its_words.len()).unwrap_or(u16::MAX));
        if most == 0 { 0.0 } else { 0.9 * f32::from(shared.min(most)) / f32::from(most) }
    };
    wanted.iter().map(of).collect()
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}
