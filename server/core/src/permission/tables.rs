//! The lists that decisions are made with, as data: read once, from text that is compiled in.

use std::collections::{BTreeMap, HashSet};
use std::sync::{LazyLock, OnceLock};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::characters::fold;

/// A list of words, written in one string with blanks between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(crate) struct Words {
    all: Vec<String>,
    known: HashSet<String>,
    /// Those that hold `*` or `?`.
    patterns: Vec<Pattern>,
    /// The names in each, where they are paths.
    parts: OnceLock<Vec<Vec<String>>>,
}

impl From<String> for Words {
    fn from(text: String) -> Self {
        let all: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let patterns =
            all.iter().filter(|word| word.contains(['*', '?'])).map(|word| Pattern::of(word)).collect();
        Self { known: all.iter().cloned().collect(), patterns, all, parts: OnceLock::new() }
    }
}

impl Words {
    pub(crate) fn has(&self, word: &str) -> bool {
        self.known.contains(word)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(String::as_str)
    }

    /// Returns the words as paths: the names in each, folded.
    pub(crate) fn parts(&self) -> &[Vec<String>] {
        self.parts.get_or_init(|| {
            let names = |word: &String| word.split('/').filter(|name| !name.is_empty()).map(fold).collect();
            self.all.iter().map(names).collect()
        })
    }

    /// Tells whether one of the words, which may begin or end with `*`, fits.
    pub(crate) fn fits(&self, text: &str) -> bool {
        self.known.contains(text) || self.patterns.iter().any(|pattern| pattern.fits(text))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// A word that may hold `*` for anything and `?` for one character, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// It holds neither.
    Plain(String),
    /// What stands before and behind its one `*`.
    Around(String, String),
    /// Anything else.
    Any(String),
}

impl Pattern {
    pub(crate) fn of(pattern: &str) -> Self {
        match pattern.split_once('*') {
            _ if pattern.contains('?') => Self::Any(pattern.to_owned()),
            None => Self::Plain(pattern.to_owned()),
            Some((head, tail)) if !tail.contains('*') => Self::Around(head.to_owned(), tail.to_owned()),
            Some(_) => Self::Any(pattern.to_owned()),
        }
    }

    pub(crate) fn fits(&self, text: &str) -> bool {
        match self {
            Self::Plain(plain) => plain == text,
            Self::Around(head, tail) => {
                text.len() >= head.len() + tail.len() && text.starts_with(head) && text.ends_with(tail)
            }
            Self::Any(pattern) => super::glob::fits(pattern, text, super::glob::Reach::All),
        }
    }
}

/// Tells whether a word, which may hold `*` for anything and `?` for one character, fits the whole of a text.
pub(crate) fn word_fits(pattern: &str, text: &str) -> bool {
    Pattern::of(pattern).fits(text)
}

/// A table that could not be read: a mistake in the program, found by its tests. Whoever meets one decides as if nothing
/// was known.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the built-in table `{name}` cannot be read: {error}")]
pub(crate) struct Broken {
    name: &'static str,
    error: String,
}

pub(crate) type Table<T> = LazyLock<Result<T, Broken>>;

pub(crate) fn read<T: DeserializeOwned>(name: &'static str, text: &str) -> Result<T, Broken> {
    serde_saphyr::from_str(text).map_err(|error| Broken { name, error: error.to_string() })
}

/// What paths mean; [`super::path`] reads it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paths {
    pub(crate) protected_folders: Words,
    pub(crate) unprotected_folders: Words,
    pub(crate) asked_folders: Words,
    pub(crate) protected_files: Words,
    pub(crate) protected_endings: Words,
    pub(crate) sensitive: Words,
    pub(crate) secret_files: Words,
    pub(crate) not_secret_files: Words,
    pub(crate) home_secrets: Words,
    pub(crate) home_own: Words,
    pub(crate) home_heaps: Words,
    pub(crate) system: Words,
    pub(crate) not_system: Words,
    pub(crate) harmless_devices: Words,
    pub(crate) network_devices: Words,
}

/// What paths mean.
pub(crate) static PATHS: Table<Paths> = LazyLock::new(|| read("paths", include_str!("tables/paths.yaml")));

/// Sets of programs, by what they can do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Programs {
    pub(crate) shells: Words,
    pub(crate) interpreters: Words,
    /// Options after which an interpreter takes its program text.
    pub(crate) code_options: Words,
    pub(crate) fetchers: Words,
    pub(crate) senders: Words,
    pub(crate) decoders: Words,
    pub(crate) dumpers: Words,
    /// Put whole folders into one stream.
    pub(crate) packers: Words,
    pub(crate) evaluators: Words,
    pub(crate) wrappers: Words,
    /// Programs for which no rule is learned.
    pub(crate) runners: Words,
    pub(crate) readers: Words,
    /// Programs that change files, and which of their words name those.
    pub(crate) writers: BTreeMap<String, Writer>,
    /// Folders from which a program is what its name says.
    pub(crate) trusted_folders: Words,
    pub(crate) builtins: Words,
    pub(crate) agents: Words,
    pub(crate) harmless_variables: Words,
    pub(crate) secret_variables: Words,
    pub(crate) own_variables: Words,
}

/// What a program changes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Writer {
    /// Which operands it changes.
    pub(crate) operands: Written,
    /// Options whose value it changes.
    #[serde(default)]
    pub(crate) options: Words,
    /// Words without which it changes nothing; any one of them, which may end with `*`.
    #[serde(default)]
    pub(crate) only_with: Words,
}

/// Which operands a program changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Written {
    All,
    Last,
    AfterFirst,
    None,
}

/// Sets of programs.
pub(crate) static PROGRAMS: Table<Programs> =
    LazyLock::new(|| read("programs", include_str!("tables/programs.yaml")));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_can_be_read() {
        PATHS.as_ref().unwrap();
        PROGRAMS.as_ref().unwrap();
    }

    #[test]
    fn words_may_hold_a_star() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a*", "ab", true),
            ("*.pem", "x.pem", true),
            ("a*a", "a", false),
            ("a*b*c", "axbyc", true),
        ] {
            assert_eq!(word_fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
