//! What holds in a workspace: the ground that decisions stand on, and the rules of every file that has a word in it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use kkcode_core::permission::capability::Mode;
use kkcode_core::permission::engine::{Action, Approval, Call, Policy, Verdict, decide};
use kkcode_core::permission::ground::Ground;
use kkcode_core::permission::rule::{Rule, Scope};
use kkcode_core::permission::shell::Shell;
use kkcode_core::state::Snapshot;
use kkcode_core::turn::Level;

use crate::config::{ConfigSource, PROJECT_DOT_ENV};

use super::agreed::{self, SETTINGS};
use super::disk::Disk;
use super::learned;
use super::rules::{self, Problem, Section};

/// The names of configuration files, in the order in which they are looked for; the first that exists is read.
const FILES: [&str; 6] = [
    "config.yaml",
    "config.yml",
    "config.json",
    "kkcode.config.yaml",
    "kkcode.config.yml",
    "kkcode.config.json",
];

/// The user's overlay of the configuration.
const DOT_ENV: &str = ".env";

/// What a decision needs to know of the machine; the binary reads it from the environment.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Kkcode's home.
    pub home: PathBuf,
    /// The user's home folder.
    pub user_home: Option<PathBuf>,
    /// The variable `PATH`.
    pub path: Option<OsString>,
    /// The folder for temporary files.
    pub temporary: PathBuf,
    /// The folder of the user that the workspace is a copy of.
    pub copy_of: Option<PathBuf>,
}

/// A tool call that somebody asks about.
#[derive(Clone, Debug)]
pub struct Question {
    /// The tool.
    pub tool: String,
    /// The command line, for tools that run one.
    pub command: Option<String>,
    /// The paths, for tools that take some.
    pub paths: Vec<String>,
    /// The level; the configured one when absent.
    pub level: Option<Level>,
    /// The mode.
    pub mode: Mode,
}

/// What holds in a workspace.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    pub(crate) ground: Ground,
    /// The level that the user has configured.
    pub(crate) level: Level,
    /// The widest level that the files let anybody choose: what came with a workspace may tighten it, and what cannot be read
    /// may have forbidden anything.
    pub(crate) widest: Level,
    rules: Vec<Rule>,
    pub(crate) problems: Vec<Problem>,
}

impl Holding {
    /// Returns what holds at a level that the user chose, as far as that may be.
    pub(crate) fn policy(&self, level: Level, mode: Mode, approvals: Vec<Approval>) -> Policy {
        Policy { level: level.min(self.widest), mode, rules: self.rules.clone(), approvals, heard: None }
    }
}

/// Decides about a call in a folder, exactly as the gate does, and runs nothing. Reads files: blocks.
pub fn check(surroundings: &Surroundings, folder: &Path, question: &Question) -> (Verdict, Vec<Problem>) {
    let holding = holding(surroundings, &[folder.to_owned()], folder);
    let level = question.level.unwrap_or(holding.level);
    let policy = holding.policy(level, question.mode, Vec::new());
    let verdict = decide(&policy, &holding.ground, &Disk, &call(question));
    (verdict, holding.problems)
}

/// Makes the call that a question is about.
fn call(question: &Question) -> Call {
    let shell = match question.tool.as_str() {
        "powershell" | "pwsh" => Shell::PowerShell,
        "cmd" => Shell::Cmd,
        _ => Shell::Bash,
    };
    let only_looks = matches!(question.tool.as_str(), "read" | "list" | "glob" | "grep");
    let action = match &question.command {
        Some(line) => Action::Command { line: line.clone(), shell, network: false },
        None if question.paths.is_empty() => Action::Other(question.tool.clone()),
        None if question.tool == "webfetch" => Action::Fetch(question.paths.join(" ")),
        None => {
            let paths = question.paths.clone();
            let (reads, writes) = if only_looks { (paths, Vec::new()) } else { (Vec::new(), paths) };
            Action::Files { reads, writes, detail: String::new() }
        }
    };
    Call { tool: question.tool.clone(), action }
}

/// Reads everything that has a word in what a session in these folders may do.
pub(crate) fn holding(surroundings: &Surroundings, folders: &[PathBuf], cwd: &Path) -> Holding {
    let ground = ground(surroundings, folders, cwd);
    let user = rules::read(&first(&surroundings.home, &FILES), Scope::User);
    let level = user.level.unwrap_or_default();
    let widest = if user.problems.is_empty() { Level::Yolo } else { Level::Readonly };
    let mut holding = Holding { ground, level, widest, rules: user.rules, problems: user.problems };
    for overlay in overlays(surroundings, folders) {
        holding.tighten(rules::overlay(&overlay));
    }
    for folder in folders {
        let [own, plain, claude] = project_files(folder);
        for section in
            [rules::read(&own, Scope::Project), rules::read(&plain, Scope::Project), rules::claude(&claude)]
        {
            holding.tighten(section);
        }
    }
    let (learned, broken) = learned::rules(&surroundings.home);
    let (agreed, unread) = agreed::rules(&surroundings.home, folders);
    holding.rules.extend(learned.into_iter().chain(agreed));
    holding.problems.extend(broken.into_iter().chain(unread));
    holding
}

impl Holding {
    /// Takes in what came with the workspace: only what it forbids, and no wider level.
    fn tighten(&mut self, section: Section) {
        self.widest = section.level.map_or(self.widest, |level| self.widest.min(level));
        self.rules.extend(section.rules);
        self.problems.extend(section.problems);
    }
}

/// Returns the level in force for turns that name none. Reads files: blocks.
pub fn level_in_force(config: &ConfigSource, snapshot: &Snapshot) -> Level {
    let (configured, widest) = levels(&config.surroundings(), &snapshot.folders);
    snapshot.chosen.unwrap_or(configured).min(widest)
}

/// Returns the level that is configured, and the widest that anybody may choose in these folders. Reads files: blocks.
pub(crate) fn levels(surroundings: &Surroundings, folders: &[PathBuf]) -> (Level, Level) {
    let cwd = folders.first().cloned().unwrap_or_else(|| PathBuf::from("/nonexistent"));
    let Holding { level, widest, .. } = holding(surroundings, folders, &cwd);
    (level, widest)
}

/// Returns the files that have a word in what is decided in these folders, whether they are there or not.
pub(crate) fn files<'a>(
    surroundings: &'a Surroundings,
    folders: &'a [PathBuf],
) -> impl Iterator<Item = PathBuf> + 'a {
    let user = FILES.iter().map(|name| surroundings.home.join(name));
    let project = folders.iter().flat_map(|folder| files_of_project(folder));
    let overlays = overlays(surroundings, folders);
    user.chain(project)
        .chain(overlays)
        .chain([learned::NAME, agreed::NAME].map(|name| surroundings.home.join(name)))
}

/// Returns the files of a folder that have a word in what is decided there, whether they are there or not.
pub(crate) fn files_of_project(folder: &Path) -> impl Iterator<Item = PathBuf> + '_ {
    let (own, plain) = FILES.split_at(3);
    let own = own.iter().map(move |name| folder.join(".kkcode").join(name));
    own.chain(plain.iter().map(move |name| folder.join(name))).chain([folder.join(SETTINGS)])
}

/// Returns the `.env` files that may tighten. Those of a copy are where it was made: they hold secrets, and are not copied.
fn overlays<'a>(
    surroundings: &'a Surroundings,
    folders: &'a [PathBuf],
) -> impl Iterator<Item = PathBuf> + 'a {
    let projects = folders.iter().chain(&surroundings.copy_of);
    let projects = projects.flat_map(|folder| PROJECT_DOT_ENV.map(|name| folder.join(name)));
    std::iter::once(surroundings.home.join(DOT_ENV)).chain(projects)
}

/// Returns the files of a project that are read.
fn project_files(folder: &Path) -> [PathBuf; 3] {
    let (own, plain) = FILES.split_at(3);
    [first(&folder.join(".kkcode"), own), first(folder, plain), folder.join(SETTINGS)]
}

fn first(folder: &Path, names: &[&str]) -> PathBuf {
    let mut paths = names.iter().map(|name| folder.join(name));
    let fallback = folder.join(names.first().copied().unwrap_or_default());
    paths.find(|path| path.exists()).unwrap_or(fallback)
}

fn ground(surroundings: &Surroundings, folders: &[PathBuf], cwd: &Path) -> Ground {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let user_home = surroundings.user_home.as_deref().map_or_else(|| PathBuf::from("/nonexistent"), real);
    let temporary = [Path::new("/tmp"), Path::new("/var/tmp"), surroundings.temporary.as_path()];
    let path = surroundings.path.clone().unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    // An empty entry of `PATH` is the present folder.
    let program_folders = std::env::split_paths(&path)
        .map(|folder| if folder.as_os_str().is_empty() { ".".into() } else { folder });
    Ground {
        folders: folders.iter().map(|folder| real(folder)).collect(),
        copy_of: surroundings.copy_of.as_deref().map(real),
        cwd: real(cwd),
        home: user_home,
        own: vec![surroundings.home.clone(), real(&surroundings.home)],
        temporary: temporary.map(real).to_vec(),
        program_folders: program_folders.collect(),
        ignores_case: cfg!(any(windows, target_os = "macos")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kkcode_core::permission::Decision;

    struct Place {
        _keep: tempfile::TempDir,
        surroundings: Surroundings,
        folder: PathBuf,
    }

    fn place() -> Place {
        let keep = tempfile::tempdir().unwrap();
        let (home, folder) = (keep.path().join("home/.kkcode"), keep.path().join("ws"));
        std::fs::create_dir_all(&home).unwrap();
        std::fs::create_dir_all(folder.join(".kkcode")).unwrap();
        let surroundings = Surroundings {
            user_home: home.parent().map(Path::to_owned),
            home,
            path: Some("/usr/bin:/bin".into()),
            temporary: "/tmp".into(),
            copy_of: None,
        };
        Place { _keep: keep, surroundings, folder }
    }

    fn decided(place: &Place, line: &str) -> Decision {
        let question = Question {
            tool: "bash".into(),
            command: Some(line.into()),
            paths: Vec::new(),
            level: None,
            mode: Mode::Agent,
        };
        check(&place.surroundings, &place.folder, &question).0.decision
    }

    /// Row B24 of the study: what came with a workspace once widened the level and removed the user's rules.
    #[test]
    fn b24_a_workspace_may_only_tighten() {
        let place = place();
        let user = place.surroundings.home.join("config.yaml");
        std::fs::write(
            &user,
            "permission:\n  rules:\n    - {tool: bash, action: deny, command_prefix: make}\n",
        )
        .unwrap();
        std::fs::write(
            place.folder.join(".kkcode/config.yaml"),
            "permission:\n  level: yolo\n  rules:\n    - {tool: '*', action: allow}\n    - {tool: bash, action: deny, command_prefix: npm}\n",
        )
        .unwrap();
        std::fs::write(place.folder.join(".env"), "KKCODE_PERMISSION__LEVEL=yolo\n").unwrap();
        assert_eq!(decided(&place, "make"), Decision::Deny);
        assert_eq!(decided(&place, "npm test"), Decision::Deny);
        assert_eq!(decided(&place, "cargo test"), Decision::Ask);
        std::fs::write(&user, "permission: {level: yolo}\n").unwrap();
        assert_eq!(decided(&place, "cargo test"), Decision::Allow);
        std::fs::write(place.folder.join("kkcode.config.yaml"), "permission: {level: readonly}\n").unwrap();
        assert_eq!(decided(&place, "cargo test"), Decision::Deny);
    }

    #[test]
    fn an_env_file_holds_in_a_copy_that_does_not_have_it() {
        let mut place = place();
        std::fs::write(place.surroundings.home.join("config.yaml"), "permission: {level: yolo}\n").unwrap();
        let original = place.surroundings.home.join("../original");
        std::fs::create_dir(&original).unwrap();
        std::fs::write(original.join(".env"), "KEY=secret\nKKCODE_PERMISSION__LEVEL=readonly\n").unwrap();
        assert_eq!(decided(&place, "make"), Decision::Allow);
        place.surroundings.copy_of = Some(original);
        assert_eq!(decided(&place, "make"), Decision::Deny);
        let copied: Vec<PathBuf> = files_of_project(&place.folder).collect();
        assert!(!copied.iter().any(|path| path.ends_with(".env")), "{copied:?}");
    }

    #[test]
    fn an_error_in_the_configuration_fails_closed_whatever_level_is_asked_for() {
        let place = place();
        std::fs::write(place.surroundings.home.join("config.yaml"), "permission: {level: yollo}\n").unwrap();
        let question = Question {
            tool: "bash".into(),
            command: Some("make".into()),
            paths: Vec::new(),
            level: Some(Level::Yolo),
            mode: Mode::Agent,
        };
        let (verdict, problems) = check(&place.surroundings, &place.folder, &question);
        assert_eq!((verdict.decision, problems.len()), (Decision::Deny, 1));
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_workspace_are_followed_before_anything_is_allowed() {
        let place = place();
        let secret = place.folder.parent().unwrap().join("secret.txt");
        std::fs::write(&secret, "x").unwrap();
        std::os::unix::fs::symlink(&secret, place.folder.join("notes.txt")).unwrap();
        std::fs::write(place.folder.join("plain.txt"), "x").unwrap();
        assert_eq!(decided(&place, "cat plain.txt"), Decision::Allow);
        assert_eq!(decided(&place, "cat notes.txt"), Decision::Ask);
        assert_eq!(decided(&place, "wc ./*.txt"), Decision::Ask);
    }
}
