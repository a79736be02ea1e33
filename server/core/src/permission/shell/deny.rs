//! What no level runs, and what every level asks: found in anything that a line holds.

use std::path::PathBuf;

use super::catastrophe::BASH;
use super::scan::{Part, Scan, UNKNOWN, Word};
use super::{Class, Judge, code, flow, git, writes};
use crate::permission::path::{Standing, names_secrets};

/// The most dangerous thing about a line, if it is more than ordinary.
pub(super) fn worst(judge: &Judge<'_>, scan: &Scan, folders: &[Vec<PathBuf>]) -> Option<(Class, String)> {
    let Ok(catastrophes) = BASH.as_ref() else {
        return Some((Class::Protected, "the built-in tables cannot be read".to_owned()));
    };
    if scan.floods {
        return Some((Class::Never, "it starts processes without end".to_owned()));
    }
    if let Some((name, _)) = scan.variables.iter().find(|(name, _)| judge.programs.own_variables.fits(name)) {
        return Some((Class::Never, format!("the variable {name} changes what the agent obeys")));
    }
    let mut worst: Option<(Class, String)> = None;
    for (part, folders) in scan.parts.iter().zip(folders) {
        let named =
            catastrophes.find(part).map(|row| (Class::Never, format!("`{}` {}", part.program(), row.why)));
        let found = named.or_else(|| Looking { judge, scan, part, folders }.worst());
        if let Some(found) = found
            && worst.as_ref().is_none_or(|(class, _)| found.0 > *class)
        {
            if found.0 == Class::Never {
                return Some(found);
            }
            worst = Some(found);
        }
    }
    if ends_the_agent(judge, scan) {
        return Some((Class::Never, "it ends processes of the agent".to_owned()));
    }
    let secret = |at: usize, part: &Part| {
        folders.get(at).is_some_and(|folders| Looking { judge, scan, part, folders }.holds_private())
    };
    if let Some(reason) = flow::worst(judge, scan, &secret) {
        return Some((Class::Never, reason.to_owned()));
    }
    if scan.unread > 0 {
        worst = worst.or(Some((Class::Protected, "it is nested deeper than can be judged".to_owned())));
    }
    if scan.parts.len() > 2000 {
        worst = worst.or(Some((Class::Protected, "it holds more commands than can be judged".to_owned())));
    }
    worst
}

fn ends_the_agent(judge: &Judge<'_>, scan: &Scan) -> bool {
    let kills =
        scan.parts.iter().any(|part| matches!(&*part.program(), "kill" | "pkill" | "killall" | "skill"));
    let names = |word: &str| word.contains("kkcode") || judge.programs.agents.has(word);
    kills && scan.parts.iter().any(|part| part.arguments().any(names))
}

/// A look at one command in the folders where it may run.
struct Looking<'a> {
    judge: &'a Judge<'a>,
    scan: &'a Scan,
    part: &'a Part,
    folders: &'a [PathBuf],
}

type Found = Option<(Class, String)>;

#[expect(clippy::unnecessary_wraps, reason = "what every look returns")]
fn never(reason: impl Into<String>) -> Found {
    Some((Class::Never, reason.into()))
}

impl Looking<'_> {
    fn worst(&self) -> Found {
        let text_only = matches!(&*self.part.program(), "echo" | "printf");
        self.touches(text_only)
            .or_else(|| self.writes())
            .or_else(|| self.destroys())
            .or_else(|| self.git())
            .or_else(|| if text_only { None } else { self.unknown_program() })
    }

    /// Secrets of the user and what agents keep for themselves, wherever they are named.
    fn touches(&self, text_only: bool) -> Found {
        let words = self.part.words.iter().filter(|_| !text_only);
        let redirected = self.part.inputs.iter().chain(&self.part.outputs);
        for word in words.chain(redirected) {
            if word.glob && self.stands_for_secrets(word) {
                return never("it touches keys, tokens or passwords of the user");
            }
            for standing in self.standings_if_special(word) {
                if standing.secret {
                    return never("it touches keys, tokens or passwords of the user");
                }
                if standing.own {
                    return never("it touches what agents keep for themselves");
                }
            }
        }
        None
    }

    fn writes(&self) -> Found {
        let mut asked = None;
        for word in writes::written(self.judge.programs, self.part) {
            for standing in self.standings(&word) {
                match written_worst(&standing) {
                    Some((Class::Never, reason)) => return never(reason),
                    found => asked = asked.or(found),
                }
            }
        }
        asked
    }

    /// Removing or opening up whole trees of folders.
    fn destroys(&self) -> Found {
        let program = self.part.program();
        let whole = self.part.arguments().any(is_recursive);
        let operands = || writes::operands_of(self.part);
        match &*program {
            "rm" | "trash" | "srm" | "trash-put" | "rimraf" if whole || program != "rm" => {
                let piped = self.piped_words();
                self.any(
                    operands().into_iter().chain(&piped).collect(),
                    |standing| !(standing.inside || standing.temporary) || standing.is_a_root(),
                    true,
                )
                .then_some((Class::Never, "it removes more than something inside the workspace".to_owned()))
            }
            "chmod" | "chown" | "chgrp" | "setfacl" | "chattr" => self
                .any(
                    operands(),
                    |standing| standing.is_a_root() && !standing.inside || standing.system,
                    false,
                )
                .then_some((Class::Never, "it changes the rights of a home or the system".to_owned())),
            "mv" | "cp" | "rsync" | "ln" | "shred" | "truncate" => self
                .any(
                    operands(),
                    |standing| {
                        program != "cp"
                            && program != "rsync"
                            && program != "ln"
                            && standing.is_a_root()
                            && !standing.inside
                    },
                    false,
                )
                .then_some((Class::Never, "it moves or empties a whole home or system".to_owned())),
            "find" | "fd" | "fdfind" => self.find_destroys(),
            _ => {
                let trees = code::removed_trees(self.part);
                let words: Vec<Word> =
                    trees.into_iter().map(|text| Word { text, ..Word::default() }).collect();
                let code = self.judge.programs.interpreters.fits(&program);
                (code
                    && self.any(
                        words.iter().collect(),
                        |standing| standing.is_a_root() || standing.system,
                        false,
                    ))
                .then_some((Class::Never, "it removes a whole home or system".to_owned()))
            }
        }
    }

    /// The words that `xargs` gets from a command that prints what it is given.
    fn piped_words(&self) -> Vec<Word> {
        let Some(base) = self.scan.parts.get(self.part.base).filter(|base| base.program() == "xargs") else {
            return Vec::new();
        };
        let sources =
            self.scan.parts.iter().filter(|part| {
                matches!(&*part.program(), "echo" | "printf") && flow::along_a_pipe(part, base)
            });
        sources.flat_map(|part| part.words.iter().skip(1).cloned()).collect()
    }

    fn find_destroys(&self) -> Found {
        let changes = self.part.arguments().any(|word| {
            matches!(
                word,
                "-delete"
                    | "rm"
                    | "shred"
                    | "unlink"
                    | "mv"
                    | "chmod"
                    | "chown"
                    | "truncate"
                    | "dd"
                    | "sh"
                    | "bash"
                    | "/bin/rm"
                    | "/usr/bin/rm"
                    | "cp"
                    | "sed"
                    | "perl"
                    | "python3"
            )
        });
        let starts: Vec<&Word> = self
            .part
            .words
            .iter()
            .skip(1)
            .take_while(|word| !word.text.starts_with(['-', '(', '!']))
            .collect();
        let outside = |standing: &Standing| {
            standing.above && !standing.inside
                || standing.home
                || standing.system
                || !(standing.inside || standing.temporary)
        };
        if changes && self.any(starts, outside, false) {
            return never("it changes files all over a home or the system");
        }
        // What it looks for by name.
        let mut words = self.part.words.iter();
        let mut sought = Vec::new();
        while let Some(word) = words.next() {
            if matches!(word.text.as_str(), "-name" | "-iname" | "-path" | "-ipath" | "-wholename") {
                sought.extend(words.next());
            }
        }
        let obeyed = |word: &&Word| self.standings(word).iter().any(|standing| standing.protected);
        (changes && sought.iter().any(obeyed))
            .then_some((Class::Never, "it changes what some program obeys".to_owned()))
    }

    fn git(&self) -> Found {
        if self.part.program() != "git" {
            return None;
        }
        let words: Vec<&str> = self.part.arguments().collect();
        let sub = |name: &str| words.contains(&name);
        if sub("config")
            && let Some(reason) = git::config_is_dangerous(words.iter().copied())
        {
            return never(format!("it {reason}"));
        }
        let url = |word: &&str| word.contains("://") || word.starts_with("ext::");
        let with_token = |word: &str| {
            word.split_once("://")
                .is_some_and(|(_, rest)| rest.split('/').next().unwrap_or_default().contains('@'))
        };
        if sub("push") && words.iter().any(url)
            || sub("remote") && words.iter().any(|word| with_token(word) && !word.starts_with("ssh"))
        {
            return never(
                "it publishes to a place that is no remote of the repository, or writes a token down",
            );
        }
        None
    }

    /// A program that no table knows is given something that programs obey.
    fn unknown_program(&self) -> Found {
        let (programs, name) = (self.judge.programs, self.part.program());
        if programs.readers.has(&name) || name.is_empty() || writes::writer(programs, self.part).is_some() {
            return None;
        }
        let interpreted = programs.interpreters.fits(&name) || programs.shells.has(&name);
        let strings = if interpreted { code::strings(self.part) } else { Vec::new() };
        let strings: Vec<Word> = strings
            .into_iter()
            .filter(|text| !text.contains([' ', '\n']))
            .map(|text| Word { text, ..Word::default() })
            .collect();
        self.part.words.iter().chain(&strings).find_map(|word| {
            let standings = self.standings_if_special(word);
            let kept =
                |standing: &Standing| standing.own || standing.secret || standing.home_dot && interpreted;
            if standings.iter().any(kept) {
                return never("it touches what is kept from agents");
            }
            let protected = standings.iter().any(|standing| standing.protected);
            if protected && interpreted && strings.contains(word) && code::writes(self.part) {
                return never("it changes what some program obeys");
            }
            let obeyed = protected || standings.iter().any(|standing| standing.asked);
            obeyed.then(|| (Class::Protected, format!("`{}` is something that programs obey", word.text)))
        })
    }

    /// Tells whether a pattern may stand for what is kept below a home folder.
    fn stands_for_secrets(&self, word: &Word) -> bool {
        self.folders.iter().any(|folder| names_secrets(self.judge.ground, &folder.join(&word.text)))
    }

    /// Tells whether the words name files that may hold secrets.
    fn holds_private(&self) -> bool {
        let packs = self.judge.programs.packers.has(&self.part.program());
        self.part.words.iter().skip(1).chain(&self.part.inputs).any(|word| {
            self.standings(word)
                .iter()
                .any(|standing| standing.private || standing.secret || standing.own || packs && standing.home)
        })
    }

    /// Tells whether one of the words leads to such a place. A word that nothing but its end is known of may lead to `/`.
    fn any(&self, words: Vec<&Word>, fits: impl Fn(&Standing) -> bool, patterns: bool) -> bool {
        words.into_iter().any(|word| {
            let text = word.text.as_str();
            if let Some(rest) = text.strip_prefix(UNKNOWN) {
                return rest.trim_start_matches(['/', '*', '.']).is_empty() && rest.starts_with('/');
            }
            // A pattern that stands for all of a folder is the folder.
            let (folder, last) = text
                .rsplit_once('/')
                .map_or((".", text), |(folder, last)| (if folder.is_empty() { "/" } else { folder }, last));
            let everything = word.glob
                && !last.is_empty()
                && last.chars().all(|c| matches!(c, '*' | '?' | '.' | '[' | ']' | '!'));
            let place = if everything { folder } else { text };
            if everything && !patterns && place == "." {
                return false;
            }
            let place = Word { text: place.to_owned(), ..word.clone() };
            self.standings(&place).iter().any(&fits)
        })
    }

    /// What is known of a word that could be special: it names a folder, begins with a dot, or the command runs elsewhere.
    fn standings_if_special(&self, word: &Word) -> Vec<Standing> {
        let elsewhere = self.folders.len() > 1;
        let special =
            elsewhere || word.text.contains(['/', '~', '@', '=', ':', UNKNOWN]) || word.text.starts_with('.');
        let named = word.text.contains('.') || word.text.starts_with("rust-toolchain");
        if special || named { self.standings(word) } else { Vec::new() }
    }

    /// What is known of every path that a word may name.
    fn standings(&self, word: &Word) -> Vec<Standing> {
        if word.text.len() > 4096 || word.text.contains('\n') {
            return Vec::new();
        }
        let home = self.judge.ground.home.to_string_lossy();
        let mut found = Vec::new();
        for spelling in spellings(&word.text) {
            let spelling = match spelling.strip_prefix("~/") {
                Some(rest) => format!("{home}/{rest}"),
                // Whatever stands before it, `…/.ssh/id_rsa` is meant to lead home.
                None => match spelling.split_once(UNKNOWN) {
                    Some((_, rest)) if rest.starts_with("/.") => format!("{home}{rest}"),
                    _ => spelling.to_owned(),
                },
            };
            found.extend(self.folders.iter().map(|folder| self.judge.standing(folder, &spelling)));
        }
        found
    }
}

impl Standing {
    /// Tells whether the place is a root of something: a workspace or above, a home or above, or the system's.
    fn is_a_root(&self) -> bool {
        self.above || self.home || self.system || self.home_dot
    }
}

/// What is wrong with a change of a place.
fn written_worst(standing: &Standing) -> Found {
    if standing.device {
        return never("it writes to a device");
    }
    if standing.system {
        return never("it changes the system");
    }
    if standing.home_dot {
        return never("it changes the user's own settings");
    }
    if standing.protected {
        return never("it changes what some program obeys");
    }
    standing.asked.then(|| (Class::Protected, "it changes what runs after a push".to_owned()))
}

fn is_recursive(word: &str) -> bool {
    word.starts_with("--r") || word.starts_with('-') && !word.starts_with("--") && word.contains(['r', 'R'])
}

/// The paths that may stand in a word: all of it, and what follows `=`, `@` or `:`, as in `if=/x`, `f=@.env`, `host:~/x`.
fn spellings(word: &str) -> impl Iterator<Item = &str> {
    let word = word.strip_prefix("file://").unwrap_or(word);
    let after = word.match_indices(['=', '@', ':', ',']).filter_map(|(at, _)| word.get(at + 1..));
    let glued = word
        .starts_with('-')
        .then(|| word.get(2..))
        .flatten()
        .filter(|rest| rest.starts_with(['/', '~', '.', '@']));
    std::iter::once(word)
        .chain(after.filter(|rest| !rest.is_empty() && !rest.starts_with("//")).take(4))
        .chain(glued)
}
