//! Which words of a command name files that it changes.

use super::scan::{Part, Word};
use crate::permission::tables::{Programs, Writer, Written};

/// Returns the words that name what a command changes, its redirections included.
pub(super) fn written(programs: &Programs, part: &Part) -> Vec<Word> {
    let mut found: Vec<Word> = part.outputs.clone();
    if let Some(writer) = writer(programs, part) {
        found.extend(operands(writer, part));
        found.extend(option_values(writer, part));
    }
    found
}

/// Returns what the tables say of a command that changes files, if it does.
pub(super) fn writer<'a>(programs: &'a Programs, part: &Part) -> Option<&'a Writer> {
    let writer = programs.writers.get(&*part.program())?;
    (writer.only_with.is_empty() || part.arguments().any(|word| writer.only_with.fits(word)))
        .then_some(writer)
}

/// Returns the words of a command that are no options.
pub(super) fn operands_of(part: &Part) -> Vec<&Word> {
    let mut only_operands = false;
    let words = part.words.iter().skip(1).filter(|word| {
        let is_option = !only_operands && word.text.starts_with('-') && word.text.len() > 1;
        only_operands |= word.text == "--";
        !is_option
    });
    words.collect()
}

fn operands(writer: &Writer, part: &Part) -> Vec<Word> {
    let mut operands = operands_of(part);
    if matches!(&*part.program(), "sed" | "gsed" | "perl" | "ruby" | "gawk" | "awk") {
        operands.retain(|word| !is_script(&word.text));
    }
    match writer.operands {
        Written::All => operands.into_iter().cloned().collect(),
        Written::Last => operands.last().map(|word| (*word).clone()).into_iter().collect(),
        Written::AfterFirst => operands.into_iter().skip(1).cloned().collect(),
        Written::None => Vec::new(),
    }
}

/// Tells whether a word is program text for `sed` and its like rather than a file.
fn is_script(word: &str) -> bool {
    let mut chars = word.chars();
    let begins = matches!(chars.next(), Some('s' | 'y' | '/' | '{' | '$' | '0'..='9'));
    let second = chars.next().is_some_and(|c| matches!(c, '/' | '|' | '#' | ',' | '!' | '@' | '%'));
    word.contains([' ', '(', '{', ';'])
        || begins && second && word.matches(['/', '|', '#', ',', '!', '@', '%']).count() > 1
}

/// Values of options, in any of the spellings `-o x`, `-ox`, `--out x`, `--out=x`, `of=x`.
fn option_values(writer: &Writer, part: &Part) -> Vec<Word> {
    let mut found = Vec::new();
    let mut words = part.words.iter().skip(1).peekable();
    while let Some(word) = words.next() {
        for option in writer.options.iter() {
            let value = if word.text == option || is_cluster(option, &word.text) {
                words.peek().map(|next| next.text.clone())
            } else if let Some(rest) = word.text.strip_prefix(option) {
                match rest.strip_prefix('=') {
                    Some(value) => Some(value.to_owned()),
                    None if option.len() == 2 && option.starts_with('-') => Some(rest.to_owned()),
                    None => None,
                }
            } else {
                None
            };
            found.extend(value.map(|text| Word { text, unknown: word.unknown, glob: word.glob }));
        }
    }
    found
}

/// Tells whether a short option stands last in a cluster, as in `-qO`.
fn is_cluster(option: &str, word: &str) -> bool {
    let Some(letter) = option.strip_prefix('-').filter(|letter| letter.len() == 1) else { return false };
    word.len() > 2
        && !word.starts_with("--")
        && word.strip_prefix('-').is_some_and(|letters| letters.chars().all(|c| c.is_ascii_alphabetic()))
        && word.ends_with(letter)
}
