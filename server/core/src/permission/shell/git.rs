//! Repositories whose own configuration names no program: only there do Git's reading commands only read.

use std::path::{Path, PathBuf};

use crate::permission::ground::{Entry, World};
use crate::permission::tables::word_fits;

/// Keys that a repository may set without naming a program, a file or another place. Everything else may.
const HARMLESS: &[&str] = &[
    "core.repositoryformatversion",
    "core.filemode",
    "core.bare",
    "core.logallrefupdates",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.symlinks",
    "core.autocrlf",
    "core.eol",
    "core.safecrlf",
    "core.quotepath",
    "core.abbrev",
    "core.compression",
    "core.untrackedcache",
    "core.preloadindex",
    "core.longpaths",
    "core.whitespace",
    "core.protecthfs",
    "core.protectntfs",
    "core.commitgraph",
    "core.multipackindex",
    "core.sharedrepository",
    "core.checkstat",
    "core.trustctime",
    "core.splitindex",
    "core.bigfilethreshold",
    "core.sparsecheckout",
    "core.sparsecheckoutcone",
    "remote.*.url",
    "remote.*.fetch",
    "remote.*.push",
    "remote.*.pushurl",
    "remote.*.tagopt",
    "remote.*.prune",
    "remote.*.mirror",
    "remote.*.promisor",
    "remote.*.partialclonefilter",
    "remote.pushdefault",
    "branch.*.remote",
    "branch.*.merge",
    "branch.*.rebase",
    "branch.*.pushremote",
    "branch.*.description",
    "branch.*.vscode-merge-base",
    "branch.*.gk-last-accessed",
    "branch.*.gk-last-modified",
    "branch.autosetupmerge",
    "branch.autosetuprebase",
    "branch.sort",
    "user.*",
    "author.*",
    "committer.*",
    "init.defaultbranch",
    "pull.rebase",
    "pull.ff",
    "push.default",
    "push.autosetupremote",
    "push.followtags",
    "fetch.prune",
    "fetch.prunetags",
    "fetch.parallel",
    "rebase.autostash",
    "rebase.autosquash",
    "merge.conflictstyle",
    "merge.ff",
    "merge.renamelimit",
    "diff.renames",
    "diff.renamelimit",
    "diff.algorithm",
    "diff.colormoved",
    "diff.mnemonicprefix",
    "diff.context",
    "status.*",
    "log.date",
    "log.decorate",
    "log.abbrevcommit",
    "log.follow",
    "color.*",
    "column.*",
    "advice.*",
    "help.autocorrect",
    "gc.*",
    "pack.*",
    "index.*",
    "feature.*",
    "maintenance.*",
    "rerere.*",
    "submodule.*.url",
    "submodule.*.active",
    "submodule.active",
    "submodule.recurse",
    "extensions.objectformat",
    "extensions.refstorage",
    "extensions.partialclone",
    "extensions.compatobjectformat",
    "lfs.repositoryformatversion",
    "lfs.*.access",
    "gui.*",
];

/// Why a repository's configuration is not to be trusted.
pub(super) type Distrust = String;

/// Finds the repository that Git would find from a folder, and looks whether its configuration is harmless.
pub(super) fn check_repository(world: &dyn World, cwd: &Path) -> Result<(), Distrust> {
    for folder in cwd.ancestors() {
        let dot_git = folder.join(".git");
        match world.entry(&dot_git) {
            Entry::Folder => return check_folder(world, &dot_git),
            Entry::File => return check_folder(world, &linked(world, folder, &dot_git)?),
            Entry::Nothing => {}
        }
        let looks_bare =
            ["HEAD", "objects", "refs"].iter().all(|name| world.entry(&folder.join(name)) != Entry::Nothing);
        if looks_bare {
            return Err(format!("{} looks like a repository without a working tree", folder.display()));
        }
    }
    Ok(())
}

/// Reads where a `.git` file points: a worktree or a submodule.
fn linked(world: &dyn World, folder: &Path, dot_git: &Path) -> Result<PathBuf, Distrust> {
    let text = world.text(dot_git).unwrap_or_default();
    let target = text.strip_prefix("gitdir:").map(str::trim).filter(|target| !target.is_empty());
    target
        .map(|target| folder.join(target))
        .ok_or_else(|| format!("{} says nothing plain", dot_git.display()))
}

fn check_folder(world: &dyn World, git: &Path) -> Result<(), Distrust> {
    let common = match world.text(&git.join("commondir")) {
        Some(common) => git.join(common.trim()),
        None => git.to_owned(),
    };
    for config in [common.join("config"), git.join("config"), git.join("config.worktree")] {
        match world.entry(&config) {
            Entry::Nothing => {}
            Entry::Folder => return Err(format!("{} is a folder", config.display())),
            Entry::File => {
                let text =
                    world.text(&config).ok_or_else(|| format!("{} cannot be read", config.display()))?;
                check_config(&text).map_err(|key| {
                    format!("the repository's configuration sets {key}, which can name a program")
                })?;
            }
        }
    }
    Ok(())
}

/// Returns the first key of a configuration that may name a program, or what cannot be read.
pub(super) fn check_config(text: &str) -> Result<(), String> {
    if text.contains('\\') && text.contains("\\\n") {
        return Err("a value over several lines".to_owned());
    }
    let mut section = String::new();
    for line in text.lines().map(str::trim) {
        let mut line = line;
        if let Some(header) = line.strip_prefix('[') {
            let (name, rest) = header.split_once(']').ok_or("a section without end")?;
            section = section_name(name);
            line = rest.trim();
        }
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let key = line.split(['=', ' ', '\t', '#', ';']).next().unwrap_or_default();
        let key = format!("{section}.{}", key.to_lowercase());
        if !HARMLESS.iter().any(|harmless| word_fits(harmless, &key)) {
            return Err(key);
        }
    }
    Ok(())
}

/// `remote "origin"` is `remote.origin`; a name between quotes may hold anything.
fn section_name(name: &str) -> String {
    match name.split_once('"') {
        Some((section, inner)) => {
            format!("{}.{}", section.trim().to_lowercase(), inner.trim_end_matches('"'))
        }
        None => name.trim().to_lowercase(),
    }
}

/// Keys of `git -c` that only switch something off, with their values.
const SWITCHED_OFF: &[&str] = &[
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.hookspath=/dev/null",
    "core.attributesfile=/dev/null",
    "diff.external=",
    "color.ui=never",
    "color.ui=false",
    "color.ui=always",
    "color.ui=auto",
    "core.quotepath=false",
    "core.quotepath=off",
    "log.showsignature=false",
    "advice.detachedhead=false",
    "core.untrackedcache=false",
];

/// Tells whether a value of `git -c` only switches something off.
pub(super) fn switches_off(value: &str) -> bool {
    SWITCHED_OFF.contains(&value.to_lowercase().as_str())
}

/// Keys that a command may be asked to set; every other key can run something or lead elsewhere.
const SETTABLE: &[&str] = &[
    "user.name",
    "user.email",
    "user.signingkey",
    "init.defaultbranch",
    "pull.rebase",
    "pull.ff",
    "push.default",
    "push.autosetupremote",
    "fetch.prune",
    "core.autocrlf",
    "core.eol",
    "core.filemode",
    "core.ignorecase",
    "core.quotepath",
    "color.*",
    "advice.*",
    "branch.*",
    "remote.*.fetch",
    "merge.conflictstyle",
    "diff.algorithm",
    "diff.renames",
    "commit.gpgsign",
    "rebase.autostash",
    "rerere.enabled",
    "status.*",
    "log.date",
    "gc.auto",
];

/// Tells whether a `git config` command may change what Git runs, or where it reaches.
pub(super) fn config_is_dangerous<'a>(arguments: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    let words: Vec<&str> = arguments.collect();
    let has = |options: &[&str]| {
        words.iter().any(|word| {
            options.contains(word)
                || options
                    .iter()
                    .any(|option| option.starts_with("--") && word.starts_with(&format!("{option}=")))
        })
    };
    let reads = has(&["--get", "--get-all", "--get-regexp", "--get-urlmatch", "--list", "-l", "get", "list"]);
    if reads {
        return None;
    }
    if has(&["--edit", "-e", "edit"]) {
        return Some("opens an editor that the configuration names");
    }
    let mut operands =
        words.iter().skip_while(|word| **word != "config").skip(1).filter(|word| !word.starts_with('-'));
    let mut key = operands.next().copied().unwrap_or_default();
    if matches!(key, "set" | "unset" | "rename-section" | "remove-section") {
        key = operands.next().copied().unwrap_or_default();
    }
    let sets = operands.next().is_some()
        || has(&["--unset", "--unset-all", "--add", "--replace-all", "--rename-section", "--remove-section"]);
    if !sets {
        return None;
    }
    if has(&["--global", "--system", "--file", "-f"]) {
        return Some("changes Git's configuration outside the repository");
    }
    let key = key.to_lowercase();
    (!SETTABLE.iter().any(|settable| word_fits(settable, &key)))
        .then_some("sets a key that can make Git run a program or reach elsewhere")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permission::ground_for_tests::Disk;

    #[test]
    fn a_configuration_that_names_a_program_is_found() {
        for bad in [
            "[core]\n\tfsmonitor = ./x.sh\n",
            "[diff \"d\"] textconv = x",
            "[alias]\nst = !x",
            "[include]\npath = x",
            "[filter \"f\"]\n\tclean = x",
            "[core] sshCommand=x",
            "[log]\nshowSignature",
            "[core]\nbare\n[CORE]\nFSMONITOR=x",
            "[credential]\nhelper=x",
            "[core]\nworktree = /x",
            "[x",
            "[core]\nbare = \\\nfalse",
            "[extensions]\nworktreeConfig = true",
            "[url \"a\"]\ninsteadOf=b",
            "[diff \"a]b\"] command = x",
        ] {
            assert!(check_config(bad).is_err(), "{bad}");
        }
        let clean = "# c\n[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n[remote \"origin\"]\n\turl = https://example.com/a\n\
                     \tfetch = +refs/heads/*:refs/remotes/origin/*\n[branch \"main\"]\n\tremote = origin\n";
        assert_eq!(check_config(clean), Ok(()));
    }

    #[test]
    fn the_repository_is_found_as_git_finds_it() {
        let disk = Disk::default().file("/ws/.git/config", "[core]\nfsmonitor=x\n").folder("/ws/a/b");
        assert!(check_repository(&disk, Path::new("/ws/a/b")).is_err());
        assert!(check_repository(&disk, Path::new("/other")).is_ok());
        let bare = Disk::default().file("/ws/a/HEAD", "").folder("/ws/a/objects").folder("/ws/a/refs");
        assert!(check_repository(&bare, Path::new("/ws/a")).is_err());
        let worktree = Disk::default()
            .file("/ws/.git", "gitdir: /m/.git/worktrees/w\n")
            .file("/m/.git/worktrees/w/commondir", "../..\n")
            .file("/m/.git/worktrees/w/../../config", "")
            .file("/m/.git/config", "[core]\nfsmonitor=x\n");
        assert!(check_repository(&worktree, Path::new("/ws")).is_err());
    }

    #[test]
    fn setting_a_key_that_can_run_something_is_dangerous() {
        for bad in [
            "config core.hooksPath ./h",
            "config --global alias.st !x",
            "config diff.external ./x",
            "config --add filter.f.clean ./x",
            "config set core.pager x",
            "config --unset core.hooksPath",
            "config -e",
            "config --global user.name x",
        ] {
            assert!(config_is_dangerous(bad.split(' ')).is_some(), "{bad}");
        }
        for good in ["config user.name x", "config --get core.pager", "config user.name", "config --list"] {
            assert!(config_is_dangerous(good.split(' ')).is_none(), "{good}");
        }
    }
}
