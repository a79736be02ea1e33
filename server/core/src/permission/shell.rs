//! The judge of command lines: what plainly only looks, what no level runs, and everything between.
//!
//! Two readers with opposite duties: a tiny acceptor ([`accept`]) says what may run unasked, a wide scan ([`scan`]) with a real
//! grammar says what may never. Where they do not plainly agree, the line is asked.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::characters::first_unseen;
use super::ground::{Entry, Ground, World};
use super::path::{Standing, standing};
use super::tables::{PROGRAMS, Programs};

mod accept;
mod allow;
mod catastrophe;
mod code;
mod deny;
mod derive;
mod expand;
mod flow;
mod git;
mod options;
mod scan;
mod windows;
mod writes;

/// A longer line is read by nobody.
const LONGEST: usize = 10_000;
/// A longer line is not even scanned, and so never runs unasked.
const LONGEST_SCANNED: usize = 64 * 1024;

/// Which shell a line is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shell {
    /// Bash, and what understands the same words.
    #[default]
    Bash,
    /// PowerShell.
    PowerShell,
    /// The command interpreter of Windows.
    Cmd,
}

/// What a line is, from the least to the most dangerous.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// It only looks, and only inside the workspace: runs at every level.
    Harmless,
    /// It may change something: the level says whether it is asked.
    Ordinary,
    /// It touches what some program obeys: asked at every level.
    Protected,
    /// Nobody means it well: no level runs it.
    Never,
}

/// What was found out about a line.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// What it is.
    pub class: Class,
    /// Why, for the user.
    pub reason: String,
    /// The words of each simple command, if the line is nothing but simple commands. Rules that allow are about these.
    pub simple: Option<Vec<Vec<String>>>,
    /// The words of every command that may run, wherever it hides. Rules that forbid are about these.
    pub all: Vec<Vec<String>>,
    /// The paths that the words may name, as far as they lead somewhere. Rules that forbid are about these, too.
    pub paths: Vec<PathBuf>,
}

/// Judges a line.
pub fn judge(line: &str, shell: Shell, ground: &Ground, world: &dyn World) -> Judgement {
    let found = |class: Class, reason: &str| Judgement {
        class,
        reason: reason.to_owned(),
        simple: None,
        all: vec![line.split_whitespace().map(str::to_owned).collect()],
        paths: Vec::new(),
    };
    if let Some(c) = first_unseen(line) {
        let reason = format!("it holds the character U+{:04X}, which cannot be seen", u32::from(c));
        return found(Class::Never, &reason);
    }
    if line.len() > LONGEST_SCANNED {
        return found(Class::Protected, "it is too long to be judged");
    }
    if shell != Shell::Bash {
        let (class, reason) = windows::judge(line);
        return found(class, &reason);
    }
    let Ok(programs) = PROGRAMS.as_ref() else {
        return found(Class::Protected, "the built-in tables cannot be read");
    };
    let world = &Glance { world, links: RefCell::default(), entries: RefCell::default() };
    let judge = Judge { ground, world, programs, seen: RefCell::default() };
    let scan = scan::scan(line, &judge.surroundings(), programs);
    let folders = judge.folders(&scan);
    let all: Vec<Vec<String>> =
        scan.parts.iter().map(|part| part.words.iter().map(|word| word.text.clone()).collect()).collect();
    let paths = judge.paths(&scan, &folders);
    let worst = deny::worst(&judge, &scan, &folders);
    let accepted =
        if line.len() > LONGEST { Err("it is longer than anybody reads") } else { accept::accept(line) };
    let accepted = accepted.and_then(|commands| {
        if allow::agree(&commands, &scan) { Ok(commands) } else { Err("it can be read in two ways") }
    });
    let (class, reason, simple) = match (worst, accepted) {
        (Some((class, reason)), _) => (class, reason, None),
        (None, Err(refused)) => (Class::Ordinary, refused.to_owned(), None),
        (None, Ok(commands)) => {
            let simple: Vec<Vec<String>> = commands
                .iter()
                .map(|command| command.words.iter().map(|word| word.text.clone()).collect())
                .collect();
            // Variables that a rule does not speak of, and patterns, are no plain words.
            let plain = commands.iter().all(|command| {
                judge.assigns_harmless(command)
                    && command.inputs.is_empty()
                    && command.words.iter().all(|word| !word.glob)
            });
            let simple = plain.then_some(simple);
            match allow::only_looks(&judge, &commands) {
                Ok(()) => (Class::Harmless, "it only looks, inside the workspace".to_owned(), simple),
                Err(reason) => (Class::Ordinary, reason, simple),
            }
        }
    };
    Judgement { class, reason, simple, all, paths }
}

/// Tells whether the tables know a program, by its name alone, as one that only looks with some words.
pub fn may_only_look(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    let models = options::READERS.as_ref();
    name == "git" || models.is_ok_and(|models| models.iter().any(|model| model.programs.has(name)))
}

/// Tells whether a configuration of git sets a key that may name a program, or cannot be read.
pub fn config_names_programs(config: &str) -> bool {
    git::check_config(config).is_err()
}

/// Tells whether a program runs, or does, whatever its words say: no rule is learned for it.
pub fn runs_its_words(program: &str) -> bool {
    let name = scan::program_name(program);
    PROGRAMS.as_ref().map_or(true, |programs| {
        let lists = [&programs.shells, &programs.evaluators, &programs.runners];
        lists.iter().any(|list| list.has(&name)) || programs.interpreters.fits(&name)
    })
}

/// The disk as it is found while one line is judged: each place is looked at once.
struct Glance<'a> {
    world: &'a dyn World,
    links: RefCell<HashMap<PathBuf, Option<PathBuf>>>,
    entries: RefCell<HashMap<PathBuf, Entry>>,
}

impl World for Glance<'_> {
    fn link_target(&self, path: &Path) -> Option<PathBuf> {
        if let Some(known) = self.links.borrow().get(path) {
            return known.clone();
        }
        let target = self.world.link_target(path);
        self.links.borrow_mut().insert(path.to_owned(), target.clone());
        target
    }

    fn entry(&self, path: &Path) -> Entry {
        if let Some(known) = self.entries.borrow().get(path) {
            return *known;
        }
        let entry = self.world.entry(path);
        self.entries.borrow_mut().insert(path.to_owned(), entry);
        entry
    }

    fn text(&self, path: &Path) -> Option<String> {
        self.world.text(path)
    }

    fn names(&self, folder: &Path) -> Option<Vec<String>> {
        self.world.names(folder)
    }
}

/// What a judgement is made with.
struct Judge<'a> {
    ground: &'a Ground,
    world: &'a dyn World,
    programs: &'a Programs,
    /// What was found out of a spelling in a folder: a line names the same again, and is looked through more than once.
    seen: RefCell<HashMap<PathBuf, HashMap<String, Standing>>>,
}

impl Judge<'_> {
    /// The variables whose value is known before the line runs.
    fn surroundings(&self) -> BTreeMap<String, String> {
        let home = self.ground.home.to_string_lossy().into_owned();
        let cwd = self.ground.cwd.to_string_lossy().into_owned();
        [
            ("HOME", home),
            ("PWD", cwd),
            ("SHELL", "/bin/bash".to_owned()),
            ("BASH", "/bin/bash".to_owned()),
            // Who starts the shell is the agent: like process 1, none of its business.
            ("PPID", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Returns, for each part of a scan, the folders in which it may run.
    fn folders(&self, scan: &scan::Scan) -> Vec<Vec<PathBuf>> {
        let mut folders = vec![self.ground.cwd.clone()];
        let steps = scan.parts.iter().map(|part| {
            let here = folders.clone();
            if matches!(&*part.program(), "cd" | "pushd")
                && let Some(target) = part.words.iter().skip(1).find(|word| !word.text.starts_with('-'))
            {
                for from in &here {
                    let to =
                        self.standing(from, &target.text).real.unwrap_or_else(|| from.join(&target.text));
                    if folders.len() < 8 && !folders.contains(&to) {
                        folders.push(to);
                    }
                }
            }
            here
        });
        steps.collect()
    }

    fn standing(&self, cwd: &Path, spelling: &str) -> Standing {
        let mut seen = self.seen.borrow_mut();
        let here = match seen.get_mut(cwd) {
            Some(here) => here,
            None => seen.entry(cwd.to_owned()).or_default(),
        };
        if let Some(known) = here.get(spelling) {
            return known.clone();
        }
        let found = standing(self.ground, self.world, cwd, spelling);
        here.insert(spelling.to_owned(), found.clone());
        found
    }

    /// Returns the paths that words name, in every folder where they may.
    fn paths(&self, scan: &scan::Scan, folders: &[Vec<PathBuf>]) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        for (part, folders) in scan.parts.iter().zip(folders) {
            let words = part.words.iter().skip(1).chain(&part.inputs).chain(&part.outputs);
            for word in words.filter(|word| !word.text.starts_with('-') && word.text.len() < 4096) {
                for folder in folders {
                    let path = folder.join(&word.text);
                    let named = folders.len() > 1 || word.text.contains(['/', '.']);
                    if paths.len() < 4096 && (named || self.world.entry(&path) != Entry::Nothing) {
                        let lexical = super::path::lexical(&path);
                        paths.extend(
                            super::path::real_path(self.world, &path).filter(|real| *real != lexical),
                        );
                        paths.push(lexical);
                    }
                }
            }
        }
        paths
    }

    fn assigns_harmless(&self, command: &accept::Simple) -> bool {
        command.assignments.iter().all(|(name, value)| {
            let plain = value.chars().all(|c| c.is_ascii_alphanumeric() || "_.-@:+,".contains(c));
            self.programs.harmless_variables.fits(name) && plain
        })
    }
}

#[cfg(test)]
mod tests;
