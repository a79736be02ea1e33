//! Option models: which options and operands of a program only look. An allow-list, kept as data.

use std::sync::LazyLock;

use serde::Deserialize;

use super::accept::Word;
use crate::permission::tables::{Table, Words, read};

/// What may run unasked, of one or several programs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    pub(super) programs: Words,
    /// The first word behind the program has to be one of these.
    #[serde(default)]
    subcommand: Words,
    #[serde(default)]
    flags: Words,
    #[serde(default)]
    values: Words,
    #[serde(default)]
    paths: Words,
    /// One of these options has to be there.
    #[serde(default)]
    needs: Words,
    #[serde(default)]
    instead: Words,
    /// Options whose value is a script of `sed`.
    #[serde(default)]
    scripts: Words,
    #[serde(default)]
    style: Style,
    #[serde(default)]
    digits: bool,
    /// Whatever looks like an option and is unknown is text.
    #[serde(default)]
    loose: bool,
    #[serde(default)]
    operands: Words,
    #[serde(default)]
    fewest: usize,
    /// The second of three operands has to be one of these.
    #[serde(default)]
    plain_operands: Words,
    /// Every operand has to be one of these.
    #[serde(default)]
    only_operands: Words,
    /// Examples that it fits, and others: only its tests read them.
    #[cfg_attr(not(test), expect(dead_code, reason = "examples are there to be tested"))]
    #[serde(rename = "match")]
    pub(super) fitting: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "examples are there to be tested"))]
    #[serde(rename = "not_match")]
    pub(super) unfitting: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Style {
    /// Short letters in clusters, long words, `--` before operands.
    #[default]
    Gnu,
    /// Whole words with one dash.
    Words,
}

/// What a word of a fitting command still has to be, beyond its letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Need<'a> {
    /// A file that may be read.
    Read(&'a Word),
    /// A revision, or a file that may be read.
    Revision(&'a Word),
    /// A command that may run.
    Command(&'a [Word]),
}

/// The models of programs that only look.
pub(super) static READERS: Table<Vec<Model>> =
    LazyLock::new(|| read("readers", include_str!("../tables/readers.yaml")));

/// The models of Git's commands that only look.
pub(super) static GIT: Table<Vec<Model>> = LazyLock::new(|| read("git", include_str!("../tables/git.yaml")));

/// Why a command does not fit.
pub(super) type Misfit = String;

impl Model {
    /// Tells what the words behind the program still have to be, if the model knows all of them.
    pub(super) fn check<'a>(&self, words: &'a [Word]) -> Result<Vec<Need<'a>>, Misfit> {
        let mut words = words;
        if !self.subcommand.is_empty() {
            let (first, rest) = words.split_first().ok_or("a subcommand is missing")?;
            if !self.subcommand.has(&first.text) {
                return Err(format!("`{}` is not known to only look", first.text));
            }
            words = rest;
        }
        let mut checking = Checking {
            model: self,
            needs: Vec::new(),
            operands: Vec::new(),
            needed: self.needs.is_empty(),
            replaced: false,
        };
        if self.operands.iter().any(|kind| kind == "command") {
            return checking.wrapper(words);
        }
        let mut rest = words;
        while let Some((word, after)) = rest.split_first() {
            rest = checking.word(word, after)?;
        }
        checking.finish()
    }
}

/// What tests look up without checking anything.
#[cfg(test)]
impl Model {
    /// Returns all words that it knows as options.
    pub(super) fn options(&self) -> impl Iterator<Item = &str> {
        [&self.flags, &self.values, &self.paths, &self.scripts].into_iter().flat_map(Words::iter)
    }

    /// Tells whether an option, or the last of several letters, takes the next word.
    pub(super) fn takes_value(&self, option: &str) -> bool {
        let last = option.chars().last().map(|letter| format!("-{letter}")).unwrap_or_default();
        let lists = [&self.values, &self.paths, &self.scripts];
        let is_cluster = option.starts_with('-') && !option.starts_with("--") && self.style == Style::Gnu;
        lists.iter().any(|list| list.has(option) || is_cluster && list.has(&last))
    }

    /// Tells whether a word is made of options that it knows, or everything is text to it.
    pub(super) fn loose_or_knows(&self, word: &str) -> bool {
        let takes =
            |option: &str| [&self.values, &self.paths, &self.scripts].iter().any(|list| list.has(option));
        let digits = |word: &str| self.digits && word.chars().skip(1).all(|c| c.is_ascii_digit());
        let name = word.split('=').next().unwrap_or_default();
        let letters = || {
            let mut letters = word.chars().skip(1);
            let known = letters.by_ref().find(|letter| {
                let option = format!("-{letter}");
                !self.flags.has(&option) || takes(&option)
            });
            known.is_none_or(|letter| takes(&format!("-{letter}")))
        };
        let text = self.operands.iter().next().is_some_and(|kind| kind.starts_with("text"));
        self.loose && text
            || self.flags.fits(word)
            || takes(word)
            || digits(word)
            || word.starts_with("--") && takes(name)
            || !word.starts_with("--") && self.style == Style::Gnu && letters()
    }

    /// Tells whether it runs the command among its words.
    pub(super) fn runs_a_command(&self) -> bool {
        self.operands.iter().any(|kind| kind == "command")
    }
}

struct Checking<'a, 'model> {
    model: &'model Model,
    needs: Vec<Need<'a>>,
    operands: Vec<&'a Word>,
    /// An option was there without which the program does more than look.
    needed: bool,
    /// An option took the place of the first operand.
    replaced: bool,
}

impl<'a> Checking<'a, '_> {
    /// Takes one word, and returns what follows it and its value.
    fn word(&mut self, word: &'a Word, after: &'a [Word]) -> Result<&'a [Word], Misfit> {
        let (model, text) = (self.model, word.text.as_str());
        if text == "--" && model.style == Style::Gnu {
            self.operands.extend(after);
            return Ok(&[]);
        }
        if word.glob {
            self.operands.push(word);
            return Ok(after);
        }
        if model.style == Style::Words {
            return self.whole(word, after);
        }
        if let Some(long) = text.strip_prefix("--") {
            harmless(text)?;
            if model.flags.fits(text) {
                self.note(text);
                return Ok(after);
            }
            let (name, value) = long.split_once('=').map_or((text, None), |(name, value)| {
                (text.get(..name.len() + 2).unwrap_or(text), Some(value))
            });
            if model.values.has(name) || model.paths.has(name) {
                self.note(name);
                if value.is_some() {
                    return self.value(name, value, after);
                }
                let (next, after) = after.split_first().ok_or_else(|| format!("`{name}` lacks its value"))?;
                return self.separate(name, next).map(|()| after);
            }
        } else if text.len() > 1 && text.starts_with('-') {
            return self.cluster(word, after);
        } else {
            self.operands.push(word);
            return Ok(after);
        }
        self.unknown(word, after)
    }

    fn unknown(&mut self, word: &'a Word, after: &'a [Word]) -> Result<&'a [Word], Misfit> {
        if self.model.loose {
            self.operands.push(word);
            return Ok(after);
        }
        Err(format!("the option `{}` is not known to only look", word.text))
    }

    /// A program whose options are words, such as `find`.
    fn whole(&mut self, word: &'a Word, after: &'a [Word]) -> Result<&'a [Word], Misfit> {
        let (model, text) = (self.model, word.text.as_str());
        if model.flags.has(text) {
            self.note(text);
            return Ok(after);
        }
        if model.values.has(text) || model.paths.has(text) {
            self.note(text);
            let (next, after) = after.split_first().ok_or_else(|| format!("`{text}` lacks its value"))?;
            self.separate(text, next)?;
            return Ok(after);
        }
        if text.starts_with('-') && text.len() > 1 {
            return self.unknown(word, after);
        }
        self.operands.push(word);
        Ok(after)
    }

    /// Short options that stand together.
    fn cluster(&mut self, word: &'a Word, after: &'a [Word]) -> Result<&'a [Word], Misfit> {
        let (model, text) = (self.model, word.text.as_str());
        harmless(text)?;
        if model.digits && text.get(1..).is_some_and(|digits| digits.chars().all(|c| c.is_ascii_digit())) {
            return Ok(after);
        }
        if model.flags.has(text) {
            self.note(text);
            return Ok(after);
        }
        for (at, letter) in text.char_indices().skip(1) {
            let option = format!("-{letter}");
            let behind = text.get(at + letter.len_utf8()..).unwrap_or_default();
            if model.flags.has(&option) && (behind.is_empty() || !model.values.has(&option)) {
                self.note(&option);
                continue;
            }
            if model.values.has(&option) || model.paths.has(&option) || model.scripts.has(&option) {
                self.note(&option);
                if behind.is_empty() {
                    let (next, after) =
                        after.split_first().ok_or_else(|| format!("`{option}` lacks its value"))?;
                    self.separate(&option, next)?;
                    return Ok(after);
                }
                return self.value(&option, Some(behind), after);
            }
            return self.unknown(word, after);
        }
        Ok(after)
    }

    /// A value that stands in the word of its option.
    fn value(&mut self, option: &str, value: Option<&str>, after: &'a [Word]) -> Result<&'a [Word], Misfit> {
        let value = value.unwrap_or_default();
        if self.model.paths.has(option) {
            return Err(format!("write the file of `{option}` as a word of its own"));
        }
        self.script(option, value)?;
        harmless(value)?;
        Ok(after)
    }

    /// A value that is a word of its own.
    fn separate(&mut self, option: &str, value: &'a Word) -> Result<(), Misfit> {
        if value.glob {
            return Err(format!("the value of `{option}` is a pattern"));
        }
        if self.model.paths.has(option) {
            self.needs.push(Need::Read(value));
            return Ok(());
        }
        self.script(option, &value.text)?;
        harmless(&value.text)
    }

    fn script(&self, option: &str, value: &str) -> Result<(), Misfit> {
        if self.model.scripts.has(option) && !sed_only_prints(value) {
            return Err(format!("`{value}` is not known to only look"));
        }
        Ok(())
    }

    fn note(&mut self, option: &str) {
        self.needed |= self.model.needs.has(option);
        self.replaced |= self.model.instead.has(option);
    }

    fn finish(mut self) -> Result<Vec<Need<'a>>, Misfit> {
        let model = self.model;
        if !self.needed {
            return Err("without the option that makes it only look it does more".to_owned());
        }
        if self.operands.len() + usize::from(self.replaced) < model.fewest {
            return Err("an operand is missing".to_owned());
        }
        let kinds: Vec<&str> = model.operands.iter().skip(usize::from(self.replaced)).collect();
        for (at, operand) in std::mem::take(&mut self.operands).into_iter().enumerate() {
            let kind = kinds.get(at).or(kinds.last().filter(|last| last.ends_with('*')));
            let kind = kind.ok_or_else(|| format!("the operand `{}` is one too many", operand.text))?;
            if !model.plain_operands.is_empty() && at == 1 && !model.plain_operands.has(&operand.text) {
                return Err(format!("`{}` is not known to only look", operand.text));
            }
            if !model.only_operands.is_empty() && !model.only_operands.fits(&operand.text) {
                return Err(format!("`{}` may hold a secret", operand.text));
            }
            self.needs.extend(operand_need(kind.trim_end_matches('*'), operand)?);
        }
        Ok(self.needs)
    }

    /// A program that runs the command behind its own options and operands.
    fn wrapper(mut self, words: &'a [Word]) -> Result<Vec<Need<'a>>, Misfit> {
        let mut rest = words;
        while let Some((word, after)) = rest.split_first().filter(|(word, _)| word.text.starts_with('-')) {
            rest = self.word(word, after)?;
        }
        for kind in self.model.operands.iter().take_while(|kind| *kind != "command") {
            let (operand, after) = rest.split_first().ok_or("an operand is missing")?;
            self.needs.extend(operand_need(kind, operand)?);
            rest = after;
        }
        if rest.is_empty() || !self.operands.is_empty() {
            return Err("the command that it would run is missing".to_owned());
        }
        self.needs.push(Need::Command(rest));
        Ok(self.needs)
    }
}

fn operand_need<'a>(kind: &str, operand: &'a Word) -> Result<Option<Need<'a>>, Misfit> {
    let text = operand.text.as_str();
    if operand.glob && !matches!(kind, "read" | "rev") {
        return Err(format!("`{text}` is a pattern where none is due"));
    }
    let fits = match kind {
        "text" => true,
        "number" => {
            text.trim_end_matches(['s', 'm']).parse::<f64>().is_ok_and(|number| (0.0..1e6).contains(&number))
        }
        "plus" => text.starts_with('+'),
        "sed" => sed_only_prints(text),
        "jq" => {
            let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$'));
            let mut known = words.filter(|word| {
                matches!(
                    *word,
                    "env" | "$ENV" | "import" | "include" | "modulemeta" | "repeat" | "until" | "while"
                )
            });
            known.next().is_none()
        }
        "read" => return Ok(Some(Need::Read(operand))),
        "rev" => return Ok(Some(Need::Revision(operand))),
        _ => false,
    };
    if fits { Ok(None) } else { Err(format!("`{text}` is not known to only look")) }
}

/// Tells whether a script of `sed` does nothing but print lines: addresses of numbers, `$` and regular expressions without
/// backslash, each pair followed by one of the commands that write nothing.
fn sed_only_prints(script: &str) -> bool {
    let mut rest = script;
    loop {
        rest = rest.trim_start_matches([' ', ';']);
        let Some(behind) = sed_address(rest) else { return false };
        rest = behind;
        if let Some(second) = rest.strip_prefix(',') {
            let Some(behind) = sed_address(second.strip_prefix('+').unwrap_or(second)) else { return false };
            if behind.len() == second.len() {
                return false;
            }
            rest = behind;
        }
        let Some(behind) = rest.strip_prefix(['p', '=', 'd', 'q']) else { return false };
        rest = behind.trim_start_matches(' ');
        if rest.is_empty() {
            return true;
        }
        if !rest.starts_with(';') {
            return false;
        }
    }
}

/// Returns what follows an address of `sed`, if there is one; nothing when it has no end.
fn sed_address(text: &str) -> Option<&str> {
    if let Some(pattern) = text.strip_prefix('/') {
        let (pattern, rest) = pattern.split_once('/')?;
        return (!pattern.contains(['\\', '\n', '[']) && !pattern.is_empty()).then_some(rest);
    }
    Some(text.strip_prefix('$').unwrap_or_else(|| text.trim_start_matches(|c: char| c.is_ascii_digit())))
}

/// Refuses values that some program takes for more than text.
fn harmless(value: &str) -> Result<(), Misfit> {
    if value.contains("%G") || value.contains("%(signature") || value.contains("%(trailers:") {
        return Err("the format would start another program".to_owned());
    }
    Ok(())
}
