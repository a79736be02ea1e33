//! Where a path leads, links followed, and what is special about that place.

use std::path::{Component, Path, PathBuf};

use super::characters::fold;
use super::glob::{Reach, fits};
use super::ground::{Ground, World};
use super::tables::{PATHS, Paths, Words};

/// How many links in a row are followed; as the kernel does.
const MOST_LINKS: usize = 40;

/// What is known of a path: everything that is true of its spelling or of what it leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and rules ask for any of them")]
pub struct Standing {
    /// It leads to a place inside the workspace, and nowhere else.
    pub inside: bool,
    /// It is a folder of the workspace itself, or one above it.
    pub above: bool,
    /// It is somebody's home folder, or one above it.
    pub home: bool,
    /// It is a file or folder in a home folder that begins with a dot and is no mere heap of things.
    pub home_dot: bool,
    /// It lies in the temporary folder.
    pub temporary: bool,
    /// The system lives there.
    pub system: bool,
    /// It is a device, other than those that hold nothing.
    pub device: bool,
    /// Some program obeys what stands there.
    pub protected: bool,
    /// A change there is asked at every level; a weaker kind of protection.
    pub asked: bool,
    /// It holds keys, tokens or passwords of the user.
    pub secret: bool,
    /// It may hold secrets of the workspace.
    pub private: bool,
    /// It is where an agent keeps its own rules and stores.
    pub own: bool,
    /// The file itself, links followed; none when they cannot be followed to an end.
    pub real: Option<PathBuf>,
}

impl Standing {
    /// Tells whether a file there may be read unasked.
    pub fn may_be_read(&self) -> bool {
        self.inside && !self.secret && !self.private && !self.own
    }

    /// Tells whether what is inside may be changed like any other file.
    pub fn may_be_edited(&self) -> bool {
        self.may_be_read() && !self.protected && !self.asked
    }
}

/// Returns what is known of a path as a command or a tool spells it.
pub fn standing(ground: &Ground, world: &dyn World, cwd: &Path, spelling: &str) -> Standing {
    let spelled = cwd.join(spelling);
    let lexical = lexical(&spelled);
    let real = real_path(world, &spelled);
    let Ok(paths) = PATHS.as_ref() else { return Standing::default() };
    let mut standing = Standing { inside: real.is_some(), real: real.clone(), ..Standing::default() };
    let is_device = paths.harmless_devices.iter().any(|device| lexical == Path::new(device));
    let through = through_a_process(ground, &lexical);
    for path in [Some(lexical), real, through].into_iter().flatten() {
        look(ground, paths, &path, &mut standing);
    }
    if is_device {
        standing.system = false;
        standing.device = false;
    }
    standing
}

/// Returns where a path leads that goes through the root or the working folder of some process, as if it were the command's.
fn through_a_process(ground: &Ground, path: &Path) -> Option<PathBuf> {
    let mut parts = path.strip_prefix("/proc").ok()?.components().skip(1).peekable();
    if parts.next_if(|part| part.as_os_str() == "task").is_some() {
        parts.next();
    }
    let base = match parts.next()?.as_os_str().to_str()? {
        "root" => PathBuf::from("/"),
        "cwd" => ground.cwd.clone(),
        _ => return None,
    };
    Some(lexical(&base.join(parts.collect::<PathBuf>())))
}

/// Tells whether a pattern of the shell may stand for keys, tokens or passwords of the user, or what agents keep there.
pub(super) fn names_secrets(ground: &Ground, pattern: &Path) -> bool {
    let Ok(paths) = PATHS.as_ref() else { return true };
    let (parts, home) = (folded(&lexical(pattern)), folded(&ground.home));
    // The shell puts a name that begins with a dot only where the pattern begins with one.
    let may_be = |pattern: &String, name: &String| {
        (!name.starts_with('.') || pattern.starts_with(['.', '['])) && fits(pattern, name, Reach::Part)
    };
    paths.home_secrets.parts().iter().chain(paths.home_own.parts()).any(|entry| {
        let names = home.iter().chain(entry);
        parts.len() >= home.len() + entry.len()
            && parts.iter().zip(names).all(|(part, name)| may_be(part, name))
    })
}

/// Returns what a command must not see below a home folder: keys, tokens, passwords, and what agents keep for themselves.
pub fn hidden_in_home() -> Vec<&'static str> {
    let Ok(paths) = PATHS.as_ref() else { return Vec::new() };
    paths.home_secrets.iter().chain(paths.home_own.iter()).collect()
}

/// Returns the folders below a workspace folder whose files some program obeys, so that no command writes there unless the
/// user says so. Of git's own folder only what git obeys: it must be able to commit.
pub fn protected_in_workspace() -> Vec<&'static str> {
    let Ok(paths) = PATHS.as_ref() else { return Vec::new() };
    let folders = paths.protected_folders.iter().filter(|name| *name != ".git");
    folders.chain([".git/hooks", ".git/config", ".git/info", ".git/modules"]).collect()
}

/// Adds what is true of one absolute path without `..`.
fn look(ground: &Ground, paths: &Paths, path: &Path, standing: &mut Standing) {
    let parts = folded(path);
    let inside =
        ground.folders.iter().find_map(|folder| below(&parts, &folded(folder), ground, path, folder));
    standing.above |= ground.folders.iter().any(|folder| folded(folder).starts_with(&parts));
    standing.inside &= inside.is_some();

    let home = home_part(ground, &parts);
    standing.home |= home.is_some_and(<[String]>::is_empty) || folded(&ground.home).starts_with(&parts);
    if let Some(rest) = home {
        standing.secret |= begins(rest, &paths.home_secrets);
        standing.own |= begins(rest, &paths.home_own);
        let is_dot = rest.first().is_some_and(|first| first.starts_with('.') || first == "library");
        standing.home_dot |= is_dot && !begins(rest, &paths.home_heaps) && inside.is_none();
    }
    standing.own |= ground.own.iter().any(|own| parts.starts_with(&folded(own)));

    let temporary = ground.temporary.iter().any(|folder| {
        let folder = folded(folder);
        parts.starts_with(&folder) && parts.len() > folder.len()
    });
    standing.temporary |= temporary;
    let in_system = begins(&parts, &paths.system) && !begins(&parts, &paths.not_system);
    standing.system |= in_system && inside.is_none() && home.is_none() && !temporary;
    let is_device = parts.first().is_some_and(|first| first == "dev") && parts.len() > 1;
    standing.device |= is_device && !begins(&parts, &paths.network_devices);
    if is_device && begins(&parts, &paths.network_devices) {
        standing.system = false;
    }

    // In the user's own folders everything above the workspace is their business.
    let of_interest = inside.unwrap_or(&parts);
    protection(paths, of_interest, standing);
    if let Some(name) = parts.last() {
        standing.private |= paths.secret_files.fits(name) && !paths.not_secret_files.fits(name);
    }
    standing.private |=
        of_interest.windows(2).any(|pair| matches!(pair, [a, b] if a == ".git" && b.starts_with("config")));
}

fn protection(paths: &Paths, parts: &[String], standing: &mut Standing) {
    let contains = |folders: &Words| {
        let is_in =
            |wanted: &&Vec<String>| parts.windows(wanted.len().max(1)).any(|window| window == **wanted);
        folders.parts().iter().any(|wanted| is_in(&wanted))
    };
    standing.asked |= contains(&paths.asked_folders);
    if contains(&paths.protected_folders) && !contains(&paths.unprotected_folders) {
        standing.protected = true;
    }
    if let Some(name) = parts.last() {
        let ending = paths.protected_endings.iter().any(|ending| name.ends_with(ending));
        standing.protected |= paths.protected_files.has(name) || ending;
        standing.protected |=
            name == ".env" || name.starts_with(".env.") && !paths.not_secret_files.fits(name);
    }
}

/// Returns the part of a path below a folder of the workspace. Case counts where the file system keeps it apart.
fn below<'a>(
    parts: &'a [String],
    folder_parts: &[String],
    ground: &Ground,
    path: &Path,
    folder: &Path,
) -> Option<&'a [String]> {
    if !ground.ignores_case && !path.starts_with(folder) {
        return None;
    }
    parts.strip_prefix(folder_parts)
}

/// Returns the part of a path below somebody's home folder.
fn home_part<'a>(ground: &Ground, parts: &'a [String]) -> Option<&'a [String]> {
    if let Some(rest) = parts.strip_prefix(folded(&ground.home).as_slice()) {
        return Some(rest);
    }
    match parts {
        [top, rest @ ..] if top == "root" => Some(rest),
        [top, _, rest @ ..] if top == "home" || top == "users" => Some(rest),
        _ => None,
    }
}

fn begins(parts: &[String], list: &Words) -> bool {
    list.parts().iter().any(|entry| parts.starts_with(entry))
}

fn folded(path: &Path) -> Vec<String> {
    let normal = path.components().filter_map(|component| match component {
        Component::Normal(part) => Some(fold(&part.to_string_lossy())),
        _ => None,
    });
    normal.collect()
}

/// Removes `.` and `..` from an absolute path by its letters alone.
pub fn lexical(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::ParentDir => drop(tidy.pop()),
            Component::Normal(part) => tidy.push(part),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    tidy
}

/// Follows an absolute path as the kernel would: every link on the way, `..` from where that led. What does not exist yet
/// stays as it is written. None for links without end, and for the links of `/proc` that lead into some process's own
/// view.
pub fn real_path(world: &dyn World, path: &Path) -> Option<PathBuf> {
    let mut pending: Vec<std::ffi::OsString> = Vec::new();
    push_reversed(path, &mut pending);
    let mut real = PathBuf::from("/");
    let mut links = 0;
    while let Some(part) = pending.pop() {
        if part == ".." {
            real.pop();
            continue;
        }
        real.push(&part);
        if is_magic(&real) {
            return None;
        }
        if let Some(target) = world.link_target(&real) {
            links += 1;
            if links > MOST_LINKS {
                return None;
            }
            real.pop();
            if target.is_absolute() {
                real = PathBuf::from("/");
            }
            push_reversed(&target, &mut pending);
        }
    }
    Some(real)
}

fn push_reversed(path: &Path, pending: &mut Vec<std::ffi::OsString>) {
    let parts = path.components().filter_map(|component| match component {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    });
    pending.extend(parts.collect::<Vec<_>>().into_iter().rev());
}

/// Tells whether the path is one of those links that lead elsewhere for each process that looks.
fn is_magic(path: &Path) -> bool {
    let parts: Vec<_> = path.components().collect();
    let name = |at: usize| parts.get(at).map(|part| part.as_os_str().to_string_lossy().into_owned());
    name(1).as_deref() == Some("proc")
        && parts.len() > 3
        && name(parts.len() - 1)
            .is_some_and(|last| matches!(last.as_str(), "root" | "cwd" | "exe" | "fd" | "task" | "map_files"))
        || name(1).as_deref() == Some("dev") && name(2).as_deref() == Some("fd") && parts.len() > 3
}

#[cfg(test)]
mod tests;
