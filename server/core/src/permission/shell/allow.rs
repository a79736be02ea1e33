//! What only looks: every command a program that is what its name says, with options and operands that the tables know.

use std::path::{Path, PathBuf};

use super::Judge;
use super::accept::{Join, Simple, Word};
use super::git;
use super::options::{GIT, Model, Need, READERS};
use super::scan::Scan;
use crate::permission::ground::Entry;
use crate::permission::path::lexical;

/// In how many folders at once a line may stand.
const MOST_FOLDERS: usize = 4;
/// How many files a pattern may stand for.
const MOST_FILES: usize = 2000;

/// Tells whether the acceptor and the grammar read the same commands with the same words.
pub(super) fn agree(commands: &[Simple], scan: &Scan) -> bool {
    let read: Vec<_> = scan.parts.iter().filter(|part| !part.derived).collect();
    // What only the acceptor reads as a word of its own, such as the assignment before a command, the scan keeps apart.
    !scan.broken
        && commands.len() == read.len()
        && commands.iter().zip(read).all(|(command, part)| {
            command.words.len() == part.words.len()
                && command.words.iter().zip(&part.words).all(|(a, b)| a.text == b.text && a.glob == b.glob)
                && command.assignments.len() == part.assigned.len()
        })
}

/// Tells whether all of the commands only look, or says which does not.
pub(super) fn only_looks(judge: &Judge<'_>, commands: &[Simple]) -> Result<(), String> {
    // Where a command runs, if all went well, and where it may run if something did not.
    let mut here = vec![judge.ground.cwd.clone()];
    let mut ever = here.clone();
    for (at, command) in commands.iter().enumerate() {
        if matches!(command.join, Join::Then | Join::Or) {
            here.clone_from(&ever);
        }
        if !judge.assigns_harmless(command) {
            return Err("it sets a variable that may change what runs".to_owned());
        }
        for input in &command.inputs {
            may_read(judge, &here, input)?;
        }
        looks(judge, &here, &command.words, 0)?;
        if command.words.first().is_some_and(|word| word.text == "cd") {
            let alone =
                command.join != Join::Pipe && commands.get(at + 1).is_none_or(|next| next.join != Join::Pipe);
            let target = command.words.last().map(|word| word.text.as_str()).unwrap_or_default();
            if target == "-" {
                return Err("it goes back to a folder that is not named".to_owned());
            }
            // The shell goes back over a link by its name, the kernel from where it led: they have to be the same place.
            let moved = here.iter().map(|from| {
                let named = lexical(&from.join(target));
                judge
                    .standing(from, target)
                    .real
                    .filter(|real| *real == named)
                    .ok_or_else(|| format!("it is not known where `{target}` leads"))
            });
            let moved: Vec<PathBuf> = moved.collect::<Result<_, _>>()?;
            ever.extend(moved.iter().cloned());
            ever.sort();
            ever.dedup();
            here = if alone { moved } else { ever.clone() };
            if ever.len() > MOST_FOLDERS {
                return Err("it moves through too many folders".to_owned());
            }
        }
    }
    Ok(())
}

/// Tells whether one command only looks.
fn looks(judge: &Judge<'_>, here: &[PathBuf], words: &[Word], depth: usize) -> Result<(), String> {
    let (program, arguments) = words.split_first().ok_or("a command is missing")?;
    let name = trusted_name(judge, program)?;
    if depth > 3 {
        return Err("wrappers stand in wrappers".to_owned());
    }
    if name == "git" {
        return git_looks(judge, here, arguments);
    }
    let models = READERS.as_ref().map_err(ToString::to_string)?;
    fits(judge, here, models, &name, arguments, depth)
}

fn fits(
    judge: &Judge<'_>,
    here: &[PathBuf],
    models: &[Model],
    name: &str,
    arguments: &[Word],
    depth: usize,
) -> Result<(), String> {
    let mut refusal = format!("`{name}` is not known to only look");
    for model in models.iter().filter(|model| model.programs.has(name)) {
        match model.check(arguments).and_then(|needs| all_met(judge, here, &needs, depth)) {
            Ok(()) => return Ok(()),
            Err(reason) => refusal = reason,
        }
    }
    Err(refusal)
}

fn all_met(judge: &Judge<'_>, here: &[PathBuf], needs: &[Need<'_>], depth: usize) -> Result<(), String> {
    for need in needs {
        match need {
            Need::Read(word) if word.glob => pattern_may_be_read(judge, here, &word.text)?,
            Need::Read(word) => may_read(judge, here, &word.text)?,
            Need::Revision(word) => revision(judge, here, word)?,
            Need::Command(words) => looks(judge, here, words, depth + 1)?,
        }
    }
    Ok(())
}

/// A file behind standard input's own name is what the line redirects.
fn may_read(judge: &Judge<'_>, here: &[PathBuf], path: &str) -> Result<(), String> {
    if path == "-" {
        return Ok(());
    }
    if path.contains("://") {
        return Err(format!("`{path}` is an address"));
    }
    for folder in here {
        let standing = judge.standing(folder, path);
        if !standing.inside {
            return Err(format!("`{path}` leads out of the workspace"));
        }
        if !standing.may_be_read() {
            return Err(format!("`{path}` may hold secrets"));
        }
    }
    Ok(())
}

/// Looks at every file that a pattern stands for; only its last part may be one.
fn pattern_may_be_read(judge: &Judge<'_>, here: &[PathBuf], pattern: &str) -> Result<(), String> {
    let pattern = pattern.trim_end_matches('/');
    let (folder, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
    // Whether or not there is such a file now: a pattern made for secrets is asked.
    may_read(judge, here, &pattern.replace(['*', '?'], ""))?;
    if folder.contains(['*', '?']) {
        return Err("a pattern stands for folders".to_owned());
    }
    may_read(judge, here, folder)?;
    for base in here {
        let folder = base.join(folder);
        if judge.world.entry(&folder) != Entry::Folder {
            continue;
        }
        let names = judge.world.names(&folder).filter(|names| names.len() <= MOST_FILES);
        for found in names.ok_or("a pattern stands for too many files")? {
            let hidden = found.starts_with('.') && !name.starts_with('.');
            if !hidden && crate::permission::glob::fits(name, &found, crate::permission::glob::Reach::Part) {
                may_read(judge, std::slice::from_ref(&folder), &found)?;
            }
        }
    }
    Ok(())
}

/// A revision, `revision:path`, a range, or a path.
fn revision(judge: &Judge<'_>, here: &[PathBuf], word: &Word) -> Result<(), String> {
    if word.glob {
        return pattern_may_be_read(judge, here, &word.text);
    }
    let path = word.text.split_once(':').map_or(word.text.as_str(), |(_, path)| path);
    let climbs = path.starts_with(['/', '~']) || path.split('/').any(|part| part == "..");
    let range = path.contains("..") && !path.split('/').any(|part| part == "..");
    if climbs || !range {
        may_read(judge, here, path)?;
    }
    Ok(())
}

fn git_looks(judge: &Judge<'_>, here: &[PathBuf], words: &[Word]) -> Result<(), String> {
    let mut rest = words;
    let mut here = here.to_vec();
    let sub = loop {
        let (word, after) = rest.split_first().ok_or("Git is given nothing to do")?;
        rest = after;
        match word.text.as_str() {
            "--no-pager" | "-P" | "--no-optional-locks" | "--literal-pathspecs" | "--no-replace-objects" => {}
            "-c" => {
                let (value, after) = rest.split_first().ok_or("`-c` lacks its value")?;
                if !git::switches_off(&value.text) {
                    return Err(format!("`{}` may make Git run a program", value.text));
                }
                rest = after;
            }
            "-C" => {
                let (folder, after) =
                    rest.split_first().filter(|(folder, _)| !folder.glob).ok_or("`-C` lacks its folder")?;
                may_read(judge, &here, &folder.text)?;
                let moved = here.iter().map(|from| judge.standing(from, &folder.text).real);
                here = moved.collect::<Option<_>>().ok_or("it is not known where `-C` leads")?;
                rest = after;
            }
            "--version" if rest.is_empty() => return Ok(()),
            option if option.starts_with('-') => {
                return Err(format!("the option `{option}` of Git is not known to only look"));
            }
            sub => break sub,
        }
    };
    let models = GIT.as_ref().map_err(ToString::to_string)?;
    fits(judge, &here, models, sub, rest, 0)?;
    here.iter().try_for_each(|folder| git::check_repository(judge.world, folder))
}

/// Returns the name of a program that is what its name says: a part of the shell, or found in a folder of the system
/// before any other folder has one of that name.
fn trusted_name(judge: &Judge<'_>, word: &Word) -> Result<String, String> {
    let (name, programs) = (word.text.as_str(), judge.programs);
    if word.glob || name.is_empty() {
        return Err("the program's name is a pattern".to_owned());
    }
    let is_trusted =
        |folder: &Path| programs.trusted_folders.iter().any(|trusted| folder == Path::new(trusted));
    if name.contains('/') {
        let path = Path::new(name);
        let folder = path.parent().unwrap_or(path);
        let real = crate::permission::path::real_path(judge.world, path);
        let stays = real.as_deref().and_then(Path::parent).is_some_and(is_trusted);
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !is_trusted(folder) || !stays || name.contains('/') {
            return Err(format!("`{}` is no program of the system", word.text));
        }
        return Ok(name.to_owned());
    }
    if programs.builtins.has(name) {
        return Ok(name.to_owned());
    }
    for folder in &judge.ground.program_folders {
        if !folder.is_absolute() {
            return Err("programs are looked for in the present folder".to_owned());
        }
        let there = judge.world.entry(&folder.join(name)) != Entry::Nothing;
        if there && is_trusted(folder) {
            return Ok(name.to_owned());
        }
        if there {
            return Err(format!(
                "`{name}` is found in {}, which is no folder of the system",
                folder.display()
            ));
        }
    }
    // Nothing of that name exists, so nothing runs.
    Ok(name.to_owned())
}
