//! Commands that no level runs, by their names and words: the table of them, and how it is looked up.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::scan::Part;
use crate::permission::tables::{Broken, Pattern, Table, Words, read};

/// A row of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) programs: Words,
    /// What has to stand among the words, in this order.
    #[serde(default)]
    words: Sequence,
    /// Words with which it is harmless.
    #[serde(default)]
    unless: Words,
    pub(super) why: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "examples are there to be tested"))]
    #[serde(rename = "match")]
    pub(super) fitting: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "examples are there to be tested"))]
    #[serde(rename = "not_match")]
    pub(super) unfitting: Vec<String>,
}

/// Alternatives, one after the other.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "String")]
struct Sequence(Vec<Vec<Alternative>>);

/// A word that may stand at a place.
#[derive(Debug)]
enum Alternative {
    /// An option counts letter by letter.
    Option(Pattern),
    /// Any other word whatever its case; here it is lower.
    Word(Pattern),
}

impl From<String> for Sequence {
    fn from(text: String) -> Self {
        let alternatives = |step: &str| step.split('|').map(Alternative::of).collect();
        Self(text.split_whitespace().map(alternatives).collect())
    }
}

impl Alternative {
    fn of(word: &str) -> Self {
        if word.starts_with('-') {
            Self::Option(Pattern::of(word))
        } else {
            Self::Word(Pattern::of(&word.to_lowercase()))
        }
    }

    fn fits(&self, word: &str) -> bool {
        match self {
            Self::Word(pattern) if word.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) => {
                pattern.fits(&word.to_lowercase())
            }
            Self::Word(pattern) | Self::Option(pattern) => pattern.fits(word),
        }
    }
}

/// The rows, found by the name of a program.
#[derive(Debug)]
pub(super) struct Catastrophes {
    rows: Vec<Row>,
    by_name: BTreeMap<String, Vec<usize>>,
    /// Rows with a `*` in a name.
    patterns: Vec<usize>,
}

fn load(name: &'static str, text: &str) -> Result<Catastrophes, Broken> {
    let rows: Vec<Row> = read(name, text)?;
    let (mut by_name, mut patterns) = (BTreeMap::<String, Vec<usize>>::new(), Vec::new());
    for (at, row) in rows.iter().enumerate() {
        for program in row.programs.iter() {
            by_name.entry(program.to_lowercase()).or_default().push(at);
        }
        if row.programs.iter().any(|program| program.contains('*')) {
            patterns.push(at);
        }
    }
    Ok(Catastrophes { rows, by_name, patterns })
}

/// What no level runs in bash.
pub(super) static BASH: Table<Catastrophes> =
    LazyLock::new(|| load("catastrophes", include_str!("../tables/catastrophes.yaml")));

/// What no level runs in the shells of Windows.
pub(super) static WINDOWS: Table<Catastrophes> =
    LazyLock::new(|| load("windows", include_str!("../tables/windows.yaml")));

impl Catastrophes {
    /// Returns the row that a command fits.
    pub(super) fn find(&self, part: &Part) -> Option<&Row> {
        let program = part.program();
        let named = self.by_name.get(&*program).into_iter().flatten();
        named.chain(&self.patterns).filter_map(|at| self.rows.get(*at)).find(|row| row.fits(&program, part))
    }

    #[cfg(test)]
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }
}

impl Row {
    fn fits(&self, program: &str, part: &Part) -> bool {
        if !self.programs.fits(program) || part.arguments().any(|word| self.unless.has(word)) {
            return false;
        }
        let mut words = part.arguments();
        self.words.0.iter().all(|alternatives| {
            words.any(|word| alternatives.iter().any(|alternative| alternative.fits(word)))
        })
    }
}
