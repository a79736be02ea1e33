//! Rules: what a user, a project or an earlier answer says about tool calls.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Decision;
use super::capability::Mode;
use super::glob::{Reach, fits, list_fits};
use super::ground::Ground;
use super::path::lexical;

/// Whose word a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The user's own configuration.
    User,
    /// What the user answered earlier.
    Learned,
    /// What came with the workspace: it may only forbid.
    Project,
}

/// Where a rule stands, so that a decision can name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; 0 when it is not known.
    pub line: u32,
}

/// One rule. An empty list or an absent field says nothing, and so fits everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The tool, or `*`.
    pub tool: String,
    /// What is decided.
    pub action: Decision,
    /// The modes it is about.
    pub modes: Vec<Mode>,
    /// Calls of a known risk below this are not meant.
    pub risk: Option<u8>,
    /// Patterns of paths.
    pub file_patterns: Vec<String>,
    /// How commands begin.
    pub command_prefixes: Vec<String>,
    /// The folder of the workspace it holds in.
    pub workspace: Option<PathBuf>,
    /// Whose it is.
    pub scope: Scope,
    /// Where it stands.
    pub origin: Origin,
}

/// What a rule is held against: one path, or one simple command, of a call.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The tool.
    pub tool: &'a str,
    /// The mode.
    pub mode: Mode,
    /// The risk.
    pub risk: u8,
    /// The words of a simple command.
    pub command: Option<&'a [String]>,
    /// A path, absolute; as it was written and where it leads.
    pub paths: &'a [PathBuf],
}

impl Rule {
    /// Tells whether a rule that allows covers a subject: every word of it plain, every path by all of its spellings.
    pub fn allows(&self, subject: &Subject<'_>, ground: &Ground) -> bool {
        let command = |words: &[String]| {
            self.command_prefixes.iter().any(|prefix| prefix_covers(prefix, words, Reach::Part))
        };
        self.action == Decision::Allow
            && self.scope != Scope::Project
            && self.is_about(subject, ground)
            && match subject.command {
                Some(words) => {
                    (self.command_prefixes.is_empty() || command(words)) && self.file_patterns.is_empty()
                }
                None => {
                    self.command_prefixes.is_empty()
                        && (self.file_patterns.is_empty()
                            || !subject.paths.is_empty()
                                && subject.paths.iter().all(|path| self.path_fits(path, ground, Reach::Part)))
                }
            }
    }

    /// Tells whether a rule that asks or denies is about a subject: one word or one spelling is enough.
    pub fn forbids(&self, subject: &Subject<'_>, ground: &Ground) -> bool {
        let command = |words: &[String]| {
            self.command_prefixes.iter().any(|prefix| prefix_covers(prefix, words, Reach::All))
        };
        self.action != Decision::Allow
            && self.is_about(subject, ground)
            && match subject.command {
                Some(words) => {
                    self.file_patterns.is_empty() && (self.command_prefixes.is_empty() || command(words))
                }
                None => {
                    self.command_prefixes.is_empty()
                        && (self.file_patterns.is_empty()
                            || subject.paths.iter().any(|path| self.path_fits(path, ground, Reach::Part)))
                }
            }
    }

    /// Tells whether a rule that forbids is about a path that a command names, whatever tool the rule is about.
    pub fn forbids_in_command(&self, path: &Path, mode: Mode, ground: &Ground) -> bool {
        self.action != Decision::Allow
            && !self.file_patterns.is_empty()
            && (self.modes.is_empty() || self.modes.contains(&mode))
            && self.holds_here(ground)
            && self.path_fits(path, ground, Reach::Part)
    }

    fn is_about(&self, subject: &Subject<'_>, ground: &Ground) -> bool {
        let tool = self.tool == "*" || self.tool.eq_ignore_ascii_case(subject.tool);
        let mode = self.modes.is_empty() || self.modes.contains(&subject.mode);
        let risk = self.risk.is_none_or(|risk| subject.risk == 0 || subject.risk >= risk);
        tool && mode && risk && self.holds_here(ground)
    }

    fn holds_here(&self, ground: &Ground) -> bool {
        self.workspace.as_ref().is_none_or(|workspace| {
            let mut folders = ground.folders.iter().chain(&ground.copy_of);
            folders.any(|folder| folder == &lexical(workspace))
        })
    }

    /// Patterns are relative to a folder of the workspace; a path outside is compared whole.
    fn path_fits(&self, path: &Path, ground: &Ground, reach: Reach) -> bool {
        let relative = ground.folders.iter().filter_map(|folder| path.strip_prefix(folder).ok());
        let mut spellings: Vec<String> = relative.map(|path| path.to_string_lossy().into_owned()).collect();
        if spellings.is_empty()
            || self.file_patterns.iter().any(|pattern| pattern.trim_start_matches('!').starts_with('/'))
        {
            spellings.push(path.to_string_lossy().into_owned());
            spellings.extend(ground.original(path).map(|path| path.to_string_lossy().into_owned()));
        }
        list_fits(&self.file_patterns, &spellings, reach)
    }

    /// Says what the rule says, in words.
    pub fn describe(&self) -> String {
        let verb = match self.action {
            Decision::Allow => "allow",
            Decision::Ask => "ask",
            Decision::Deny => "deny",
        };
        let prefixes = self.command_prefixes.iter().map(|prefix| format!(" `{prefix}`"));
        let patterns = self.file_patterns.iter().map(|pattern| format!(" {pattern}"));
        std::iter::once(format!("{verb} {}", self.tool)).chain(prefixes).chain(patterns).collect()
    }
}

/// Tells whether a command begins with the words of a prefix; one with `*` has to fit as a whole. A rule that forbids means
/// the program wherever it lies.
fn prefix_covers(prefix: &str, words: &[String], reach: Reach) -> bool {
    if prefix.contains('*') {
        let whole = words.join(" ");
        let bare = bare_program(words).join(" ");
        return fits(prefix, &whole, reach) || reach == Reach::All && fits(prefix, &bare, reach);
    }
    let mut wanted = prefix.split_whitespace();
    let begins = |words: &[String]| {
        wanted.clone().enumerate().all(|(at, word)| words.get(at).is_some_and(|found| found == word))
    };
    let begins = begins(words) || reach == Reach::All && begins(&bare_program(words));
    begins && wanted.next().is_some()
}

/// Returns the words with the program's folder taken off.
fn bare_program(words: &[String]) -> Vec<String> {
    let mut words = words.to_vec();
    if let Some(program) = words.first_mut() {
        *program = program.rsplit('/').next().unwrap_or_default().to_lowercase();
    }
    words
}

/// Returns the prefix that an answer "always" would write for a command: whole words, none of them an option or a path. None
/// if the program runs whatever it is given: such a rule would cover anything.
pub fn learned_prefix(words: &[String]) -> Option<String> {
    let program = words.first()?;
    let plain =
        |word: &String| word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.'));
    if !plain(program) || super::shell::runs_its_words(program) {
        return None;
    }
    // The whole command, unless what follows the second word is only detail.
    let named = words.iter().take_while(|word| plain(word) && !word.starts_with('-')).count();
    match named {
        0 | 1 if words.len() > 1 => Some(words.join(" ")).filter(|_| words.iter().all(plain)),
        named => Some(words.get(..named.min(3))?.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_prefix_is_whole_words() {
        assert!(prefix_covers("npm test", &words("npm test --watch"), Reach::Part));
        assert!(!prefix_covers("npm test", &words("npm testing"), Reach::Part));
        assert!(
            !prefix_covers("rm", &words("/bin/rm x"), Reach::Part)
                && prefix_covers("rm", &words("/bin/rm x"), Reach::All)
        );
        assert!(
            prefix_covers("rm*", &words("rm -rf a/b"), Reach::All)
                && !prefix_covers("rm*", &words("rm -rf a/b"), Reach::Part)
        );
        assert!(!prefix_covers("", &words("x"), Reach::All));
    }

    #[test]
    fn what_is_learned_is_no_wider_than_it_reads() {
        assert_eq!(learned_prefix(&words("npm test")).as_deref(), Some("npm test"));
        assert_eq!(learned_prefix(&words("cargo test -p core")).as_deref(), Some("cargo test"));
        assert_eq!(learned_prefix(&words("make")).as_deref(), Some("make"));
        assert_eq!(learned_prefix(&words("ls -la")).as_deref(), Some("ls -la"));
        for nothing in [
            "sh -c x",
            "env x",
            "python3 -c x",
            "xargs rm",
            "sudo ls",
            "rm -rf a/b",
            "rm x",
            "./x",
            "npx x",
            "touch a/b",
        ] {
            assert_eq!(learned_prefix(&words(nothing)), None, "{nothing}");
        }
    }
}
