//! Rules that an answer "always" made: `learned-rules.yaml` in kkcode's home, never in the user's own configuration.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kkcode_core::permission::Decision;
use kkcode_core::permission::rule::{Origin, Rule, Scope};
use serde::{Deserialize, Serialize};

use super::rules::Problem;
use crate::own;

/// How many rules are kept; the oldest give way.
const MOST: usize = 200;

/// The file's name.
pub(super) const NAME: &str = "learned-rules.yaml";

/// A rule that an answer made, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    /// Its name.
    pub id: String,
    /// The tool.
    pub tool: String,
    /// How the command begins, word by word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_prefix: Option<String>,
    /// The exact paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub file_patterns: Vec<String>,
    /// The workspace it holds in.
    pub workspace: PathBuf,
    /// When it was made.
    pub created_at: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rules: Vec<Learned>,
}

/// Returns the learned rules, oldest first.
pub fn list(home: &Path) -> Result<Vec<Learned>, Problem> {
    let path = home.join(NAME);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(problem(path, 0, &error)),
    };
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let file = serde_saphyr::from_str::<File>(&text);
    file.map(|file| file.rules).map_err(|error| {
        let line = error.location().map_or(0, |location| u32::try_from(location.line()).unwrap_or(u32::MAX));
        problem(path, line, &error)
    })
}

fn problem(file: PathBuf, line: u32, error: &dyn std::fmt::Display) -> Problem {
    let what = error.to_string();
    let what = what.lines().next().unwrap_or_default();
    Problem {
        file,
        line,
        key: "rules".to_owned(),
        message: format!("{what}; no learned rule counts until this is mended"),
    }
}

/// Returns the learned rules as the engine takes them, and what is wrong with their file.
pub(crate) fn rules(home: &Path) -> (Vec<Rule>, Option<Problem>) {
    match list(home) {
        Ok(learned) => (learned.into_iter().map(|rule| rule.into_rule(home)).collect(), None),
        Err(problem) => (Vec::new(), Some(problem)),
    }
}

impl Learned {
    fn into_rule(self, home: &Path) -> Rule {
        Rule {
            tool: self.tool,
            action: Decision::Allow,
            modes: Vec::new(),
            risk: None,
            file_patterns: self.file_patterns,
            command_prefixes: self.command_prefix.into_iter().collect(),
            workspace: Some(self.workspace),
            scope: Scope::Learned,
            origin: Origin { file: home.join(NAME), line: 0 },
        }
    }

    /// Tells whether two rules say the same.
    fn says_as(&self, other: &Self) -> bool {
        let said = |rule: &Self| {
            (
                rule.tool.clone(),
                rule.command_prefix.clone(),
                rule.file_patterns.clone(),
                rule.workspace.clone(),
            )
        };
        said(self) == said(other)
    }
}

/// Adds rules; one that is there already is not added again.
pub fn add(home: &Path, new: Vec<Learned>) -> Result<(), Problem> {
    let _lock = lock(home)?;
    let mut rules = list(home)?;
    for rule in new {
        if !rules.iter().any(|known| known.says_as(&rule)) {
            rules.push(rule);
        }
    }
    let surplus = rules.len().saturating_sub(MOST);
    rules.drain(..surplus);
    store(home, rules)
}

/// Removes a rule; tells whether it was there.
pub fn forget(home: &Path, id: &str) -> Result<bool, Problem> {
    let _lock = lock(home)?;
    let mut rules = list(home)?;
    let before = rules.len();
    rules.retain(|rule| rule.id != id);
    let found = rules.len() < before;
    if found {
        store(home, rules)?;
    }
    Ok(found)
}

/// Keeps other processes from changing the file at the same time, until it is dropped.
fn lock(home: &Path) -> Result<fs::File, Problem> {
    own::lock(&home.join("learned-rules.lock")).map_err(|error| problem(home.join(NAME), 0, &error))
}

fn store(home: &Path, rules: Vec<Learned>) -> Result<(), Problem> {
    let path = home.join(NAME);
    let text = serde_saphyr::to_string(&File { rules }).map_err(|error| problem(path.clone(), 0, &error))?;
    own::put(&path, &text).map_err(|error| problem(path, 0, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(id: &str, prefix: &str) -> Learned {
        Learned {
            id: id.to_owned(),
            tool: "bash".to_owned(),
            command_prefix: Some(prefix.to_owned()),
            file_patterns: Vec::new(),
            workspace: "/ws".into(),
            created_at: "2026-01-01T00:00:00Z".to_owned(),
        }
    }

    #[test]
    fn rules_are_kept_once_and_can_be_forgotten() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        assert_eq!(list(home), Ok(Vec::new()));
        add(home, vec![learned("a", "npm test"), learned("b", "make")]).unwrap();
        add(home, vec![learned("c", "make")]).unwrap();
        assert_eq!(list(home).unwrap(), [learned("a", "npm test"), learned("b", "make")]);
        assert_eq!(forget(home, "a"), Ok(true));
        assert_eq!(forget(home, "a"), Ok(false));
        assert_eq!(list(home).unwrap(), [learned("b", "make")]);
        add(home, (0..300).map(|at| learned(&format!("n{at}"), &format!("make {at}"))).collect()).unwrap();
        assert_eq!(list(home).unwrap().len(), MOST);
    }

    #[test]
    fn a_broken_file_allows_nothing() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(NAME), "rules:\n  - {tool: '*'}\n").unwrap();
        let (rules, problem) = rules(home.path());
        assert!(rules.is_empty() && problem.unwrap().to_string().contains("learned-rules.yaml:2"));
    }
}
