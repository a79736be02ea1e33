//! What another agent's settings in a workspace allow: it counts when the user agreed to exactly that text once, which is kept
//! in `agreed-settings.yaml` in kkcode's home, so that no workspace can say it of itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kkcode_core::lines::TextHash;
use kkcode_core::permission::Decision;
use kkcode_core::permission::rule::{Origin, Rule, Scope};
use serde::{Deserialize, Serialize};

use super::rules::{Problem, claude_rules};
use crate::config::settings_text;
use crate::{fresh, own};

/// The file's name.
pub(super) const NAME: &str = "agreed-settings.yaml";

/// The settings, below a workspace folder.
pub(super) const SETTINGS: &str = ".claude/settings.json";

/// What the user said about one text of one settings file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Its name.
    pub id: String,
    /// The workspace folder.
    pub workspace: PathBuf,
    /// The hash of the text.
    pub sha256: String,
    /// The rules of that text that were shown, as they stand there.
    pub rules: Vec<String>,
    /// Whether the user agreed.
    pub agreed: bool,
    /// When.
    pub created_at: String,
}

/// What a settings file allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Allowances {
    /// The workspace folder.
    pub(crate) workspace: PathBuf,
    /// The hash of the text.
    pub(crate) sha256: String,
    /// The entries that can be taken, as they stand there.
    pub(crate) entries: Vec<String>,
    /// The entries that say something which rules here cannot say exactly.
    pub(crate) left_out: Vec<String>,
    /// What they mean.
    rules: Vec<Rule>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    settings: Vec<Agreement>,
}

#[derive(Debug, Default, Deserialize)]
struct Settings {
    #[serde(default)]
    permissions: Permissions,
}

#[derive(Debug, Default, Deserialize)]
struct Permissions {
    #[serde(default)]
    allow: Vec<String>,
}

/// Returns what the user said about settings files, oldest first.
pub fn list(home: &Path) -> Result<Vec<Agreement>, Problem> {
    let path = home.join(NAME);
    let text = match fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => text,
        Ok(_) => return Ok(Vec::new()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(problem(path, 0, &error)),
    };
    serde_saphyr::from_str::<File>(&text).map(|file| file.settings).map_err(|error| {
        let line = error.location().map_or(0, |location| u32::try_from(location.line()).unwrap_or(u32::MAX));
        problem(path, line, &error)
    })
}

/// Keeps what the user said about a settings file; it takes the place of what was said about its workspace before.
pub(crate) fn keep(home: &Path, allowances: &Allowances, agreed: bool) -> Result<(), Problem> {
    let failed = |error: &dyn std::fmt::Display| problem(home.join(NAME), 0, error);
    let agreement = Agreement {
        id: fresh::name("settings").map_err(|error| failed(&error))?,
        workspace: allowances.workspace.clone(),
        sha256: allowances.sha256.clone(),
        rules: allowances.entries.clone(),
        agreed,
        created_at: jiff::Timestamp::from_millisecond(fresh::now().0).unwrap_or_default().to_string(),
    };
    change(home, |settings| {
        settings.retain(|known| known.workspace != agreement.workspace);
        settings.push(agreement);
    })
}

/// Forgets what the user said about a settings file, so that it is asked again; tells whether it was there.
pub fn forget(home: &Path, id: &str) -> Result<bool, Problem> {
    if !list(home)?.iter().any(|known| known.id == id) {
        return Ok(false);
    }
    change(home, |settings| settings.retain(|known| known.id != id))?;
    Ok(true)
}

/// Returns what the settings file of a workspace folder allows; none if it allows nothing. What is wrong with the file is
/// said by whoever reads what it forbids.
pub(crate) fn allowances(folder: &Path) -> Option<Allowances> {
    let path = folder.join(SETTINGS);
    let text = settings_text(&path).ok()?;
    let allow = serde_json::from_str::<Settings>(&text).ok()?.permissions.allow;
    let workspace = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let (mut entries, mut left_out, mut rules) = (Vec::new(), Vec::new(), Vec::new());
    for entry in allow {
        let at = text.lines().position(|line| line.contains(&entry)).unwrap_or_default() + 1;
        let origin = Origin { file: path.clone(), line: u32::try_from(at).unwrap_or_default() };
        if says_no_more_here(&entry) {
            let same = claude_rules(&entry, Decision::Allow, &origin).into_iter();
            let here = |rule| Rule { scope: Scope::Learned, workspace: Some(workspace.clone()), ..rule };
            rules.extend(same.map(here));
            entries.push(entry);
        } else {
            left_out.push(entry);
        }
    }
    let sha256 = TextHash::of(&text).as_str().to_owned();
    (!entries.is_empty()).then_some(Allowances { workspace, sha256, entries, left_out, rules })
}

impl Allowances {
    /// Tells what the user said about exactly this text; none if that was not asked.
    pub(crate) fn said(&self, known: &[Agreement]) -> Option<bool> {
        let same = |known: &&Agreement| known.workspace == self.workspace && known.sha256 == self.sha256;
        known.iter().rev().find(same).map(|known| known.agreed)
    }
}

/// Returns the rules of these folders' settings files that the user agreed to, and what is wrong with what was kept.
pub(super) fn rules(home: &Path, folders: &[PathBuf]) -> (Vec<Rule>, Option<Problem>) {
    let found: Vec<Allowances> = folders.iter().filter_map(|folder| allowances(folder)).collect();
    if found.is_empty() {
        return (Vec::new(), None);
    }
    match list(home) {
        Ok(known) => {
            let agreed = found.into_iter().filter(|found| found.said(&known) == Some(true));
            (agreed.flat_map(|found| found.rules).collect(), None)
        }
        Err(problem) => (Vec::new(), Some(problem)),
    }
}

/// Tells whether a rule of ours allows no more than an entry does: a whole tool, commands that begin so, or paths below the
/// workspace. One exact command, an address and a path from elsewhere would become something wider.
fn says_no_more_here(entry: &str) -> bool {
    let Some((tool, inside)) = entry.split_once('(') else { return !entry.trim().is_empty() };
    let Some(inside) = inside.strip_suffix(')') else { return false };
    match tool.to_lowercase().as_str() {
        _ if inside == "*" => true,
        "bash" => inside
            .strip_suffix(":*")
            .is_some_and(|prefix| !prefix.trim().is_empty() && !prefix.contains(['*', '?', '[', '{'])),
        "read" | "edit" | "write" | "multiedit" => {
            let below = inside.strip_prefix("./").unwrap_or(inside);
            !below.is_empty()
                && !below.starts_with(['/', '~', '!'])
                && !below.split('/').any(|name| name == "..")
        }
        _ => false,
    }
}

fn change(home: &Path, change: impl FnOnce(&mut Vec<Agreement>)) -> Result<(), Problem> {
    let failed = |error: &dyn std::fmt::Display| problem(home.join(NAME), 0, error);
    let _lock = own::lock(&home.join("agreed-settings.lock")).map_err(|error| failed(&error))?;
    let mut settings = list(home)?;
    change(&mut settings);
    let text = serde_saphyr::to_string(&File { settings }).map_err(|error| failed(&error))?;
    own::put(&home.join(NAME), &text).map_err(|error| failed(&error))
}

fn problem(file: PathBuf, line: u32, error: &dyn std::fmt::Display) -> Problem {
    let what = error.to_string();
    let what = what.lines().next().unwrap_or_default();
    let message =
        format!("{what}; what settings files of workspaces allow does not count until this is mended");
    Problem { file, line, key: "settings".to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        keep: tempfile::TempDir,
    }

    impl Place {
        fn new(allow: &str) -> Self {
            let place = Self { keep: tempfile::tempdir().unwrap() };
            fs::create_dir_all(place.folder().join(".claude")).unwrap();
            place.write(allow);
            place
        }

        fn folder(&self) -> PathBuf {
            self.keep.path().join("ws")
        }

        fn home(&self) -> PathBuf {
            self.keep.path().join("home")
        }

        fn write(&self, allow: &str) {
            let text = format!("{{\"permissions\": {{\n  \"allow\": {allow}}}}}");
            fs::write(self.folder().join(SETTINGS), text).unwrap();
        }

        fn rules(&self) -> Vec<String> {
            let (rules, problem) = rules(&self.home(), &[self.folder()]);
            assert_eq!(problem, None);
            rules.iter().map(Rule::describe).collect()
        }
    }

    #[test]
    fn what_settings_allow_counts_when_the_user_agreed_to_that_text_and_no_other() {
        let place = Place::new(r#"["Bash(npm run:*)", "WebSearch"]"#);
        assert_eq!(place.rules(), [] as [&str; 0]);
        keep(&place.home(), &allowances(&place.folder()).unwrap(), false).unwrap();
        assert_eq!(place.rules(), [] as [&str; 0]);
        keep(&place.home(), &allowances(&place.folder()).unwrap(), true).unwrap();
        assert_eq!(place.rules(), ["allow bash `npm run`", "allow websearch"]);
        place.write(r#"["Bash(npm run:*)", "WebSearch", "Bash(rm:*)"]"#);
        assert_eq!(place.rules(), [] as [&str; 0], "a text that changed was not agreed to");
        let known = list(&place.home()).unwrap();
        assert_eq!((known.len(), allowances(&place.folder()).unwrap().said(&known)), (1, None));
        assert!(
            forget(&place.home(), &known[0].id).unwrap() && !forget(&place.home(), &known[0].id).unwrap()
        );
    }

    #[test]
    fn what_would_become_wider_is_left_out() {
        let place = Place::new(
            r#"["Bash(npm test)", "Bash(git * main)", "Bash(:*)", "WebFetch(domain:a.example)", "Read(~/.ssh/**)",
                "Read(//etc/**)", "Edit(../x)", "Edit(!a)", "mcp__x(y)", "Read(./src/**)"]"#,
        );
        let found = allowances(&place.folder()).unwrap();
        assert_eq!((found.entries, found.left_out.len()), (vec!["Read(./src/**)".to_owned()], 9));
        assert_eq!(allowances(place.keep.path()), None);
    }

    #[test]
    fn a_list_that_cannot_be_read_allows_nothing_and_is_named() {
        let place = Place::new(r#"["WebSearch"]"#);
        fs::create_dir_all(place.home()).unwrap();
        fs::write(place.home().join(NAME), "settings:\n  - {id: 1\n").unwrap();
        let (rules, problem) = rules(&place.home(), &[place.folder()]);
        assert!(rules.is_empty() && problem.unwrap().to_string().contains(NAME));
    }
}
