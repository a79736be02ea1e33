//! Rules and the level from configuration files: the user's, the project's, those of an earlier answer.
//!
//! One bad key never loosens anything: it is named with its file and line, the level becomes `readonly`, and all other rules
//! stay.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use kkcode_core::permission::Decision;
use kkcode_core::permission::capability::Mode;
use kkcode_core::permission::rule::{Origin, Rule, Scope};
use kkcode_core::turn::Level;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::config;

/// What is wrong with a configuration file, for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; 0 when it is not known.
    pub line: u32,
    /// The key.
    pub key: String,
    /// What is wrong with it, and what is done about that.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, key, message } = self;
        write!(f, "{}:{line}: {key}: {message}", file.display())
    }
}

/// What one file says about permissions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    pub(crate) level: Option<Level>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) problems: Vec<Problem>,
}

/// The part of a configuration file that is read here; the rest is other people's.
#[derive(Debug, Deserialize)]
struct File {
    #[serde(default)]
    permission: Option<BTreeMap<String, Spanned<Value>>>,
}

/// The same, with the place of each rule.
#[derive(Debug, Deserialize)]
struct FileRules {
    #[serde(default)]
    permission: Option<SectionRules>,
}

#[derive(Debug, Deserialize)]
struct SectionRules {
    #[serde(default)]
    rules: Vec<Spanned<Value>>,
}

/// A rule as kkcode's users write it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    tool: String,
    action: Decision,
    #[serde(default)]
    modes: Vec<Mode>,
    risk: Option<u8>,
    #[serde(default, alias = "file_pattern", alias = "pattern")]
    file_patterns: OneOrMany,
    #[serde(default)]
    command_prefix: OneOrMany,
    workspace: Option<PathBuf>,
    /// Kkcode notes here who wrote the rule; that says nothing about what it means.
    #[serde(default, rename = "source")]
    _source: Option<String>,
}

/// What is said of a level that is none.
const NO_LEVEL: &str = "is none of `readonly`, `manual`, `accept-edits`, `yolo`";

/// One text, or a list of them.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    #[default]
    Nothing,
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::Nothing => Vec::new(),
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

/// Reads what a configuration file says; nothing if there is none.
pub(crate) fn read(path: &Path, scope: Scope) -> Section {
    match config::settings_text(path) {
        Ok(text) => section(path, &text, scope),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Section::default(),
        Err(error) => {
            let message = format!("cannot be read ({error}); the level is `readonly` until it can");
            let problem = Problem { file: path.to_owned(), line: 0, key: "permission".to_owned(), message };
            Section { level: Some(Level::Readonly), rules: Vec::new(), problems: vec![problem] }
        }
    }
}

/// Reads what a `.env` file says of the level. Whoever writes it, it may only tighten.
pub(crate) fn overlay(path: &Path) -> Section {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    let mut section = Section::default();
    let said = match config::said_of_permissions(path) {
        Ok(said) => said,
        Err(error) if matches!(error.kind(), NotFound | IsADirectory | NotADirectory) => return section,
        Err(error) => {
            section.bad(path, 0, "permission", &format!("cannot be read ({error})"));
            return section;
        }
    };
    for (key, value, at) in said {
        let line = line(at);
        match (key.as_str(), serde_json::from_value::<Level>(value)) {
            ("permission.level", Ok(level)) => {
                section.level = section.level.map_or(Some(level), |other| Some(other.min(level)));
            }
            ("permission.level", Err(_)) => section.bad(path, line, &key, NO_LEVEL),
            // They are read where they are used, and may only tighten there.
            ("permission.default_policy" | "permission.non_tty_default", _) => {}
            _ if key.starts_with("permission.sandbox.") => {}
            _ => section.bad(path, line, &key, "is nothing that an `.env` file can say"),
        }
    }
    section
}

/// Reads the `permission` section of a text.
pub(crate) fn section(path: &Path, text: &str, scope: Scope) -> Section {
    let mut section = Section::default();
    let keys = match serde_saphyr::from_str::<File>(text) {
        Ok(file) => file.permission.unwrap_or_default(),
        // An empty file says nothing.
        Err(_) if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) => {
            return section;
        }
        Err(error) => {
            let line = error.location().map_or(0, |location| line(location.line()));
            section.bad(
                path,
                line,
                "permission",
                &format!("the file is not right YAML: {}", first_line(&error)),
            );
            return section;
        }
    };
    for (key, value) in &keys {
        let line = line(value.referenced.line());
        match key.as_str() {
            "level" => match serde_json::from_value::<Level>(value.value.clone()) {
                Ok(level) => {
                    section.level = section.level.map_or(Some(level), |other| Some(other.min(level)));
                }
                Err(_) => section.bad(path, line, "permission.level", NO_LEVEL),
            },
            // Read below, each with its own line. What else kkcode knows here is read where it is used.
            "rules" if value.value.is_array() || value.value.is_null() => {}
            "rules" => section.bad(path, line, "permission.rules", "is no list"),
            "sandbox" | "non_tty_default" | "sensitive_file_patterns" => {}
            other => section.bad(path, line, &format!("permission.{other}"), "is no key of this section"),
        }
    }
    let rules = serde_saphyr::from_str::<FileRules>(text).ok().and_then(|file| file.permission);
    for (at, rule) in rules.map(|section| section.rules).unwrap_or_default().into_iter().enumerate() {
        let line = line(rule.referenced.line());
        match serde_json::from_value::<Written>(rule.value) {
            Ok(written) => section.rules.push(ruled(written, scope, Origin { file: path.to_owned(), line })),
            Err(error) => section.bad(path, line, &format!("permission.rules[{at}]"), &error.to_string()),
        }
    }
    section
}

impl Section {
    /// Notes a problem, and tightens: what cannot be read may have forbidden anything.
    fn bad(&mut self, file: &Path, line: u32, key: &str, what: &str) {
        let message = format!("{what}; the level is `readonly` until this is mended");
        self.problems.push(Problem { file: file.to_owned(), line, key: key.to_owned(), message });
        self.level = Some(Level::Readonly);
    }
}

fn ruled(written: Written, scope: Scope, origin: Origin) -> Rule {
    Rule {
        tool: written.tool,
        action: written.action,
        modes: written.modes,
        risk: written.risk,
        file_patterns: written.file_patterns.into_vec(),
        command_prefixes: written.command_prefix.into_vec(),
        workspace: written.workspace,
        scope,
        origin,
    }
}

fn line(line: u64) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

fn first_line(error: &impl fmt::Display) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// The part of another agent's settings that is read: what it forbids, this one forbids too.
#[derive(Debug, Default, Deserialize)]
struct ClaudeSettings {
    #[serde(default)]
    permissions: ClaudePermissions,
}

#[derive(Debug, Default, Deserialize)]
struct ClaudePermissions {
    #[serde(default)]
    deny: Vec<String>,
    #[serde(default)]
    ask: Vec<String>,
}

/// The tools that change files.
const EDITS: &[&str] =
    &["edit", "write", "patch", "multiedit", "notebookedit", "move", "copy", "remove", "mkdir"];

/// Reads the restrictions of a `.claude/settings.json`. Its allowances count for nothing here.
pub(crate) fn claude(path: &Path) -> Section {
    let mut section = Section::default();
    let text = match config::settings_text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
            section.bad(path, 0, "permissions", &format!("cannot be read ({error})"));
            return section;
        }
        Err(_) => return section,
    };
    let settings: ClaudeSettings = match serde_json::from_str(&text) {
        Ok(settings) => settings,
        Err(error) => {
            let line = line(u64::try_from(error.line()).unwrap_or_default());
            section.bad(path, line, "permissions", &format!("is not right JSON: {error}"));
            return section;
        }
    };
    let ClaudePermissions { deny, ask } = settings.permissions;
    for (action, entries) in [(Decision::Deny, deny), (Decision::Ask, ask)] {
        for entry in entries {
            let at = text.lines().position(|line| line.contains(&entry)).unwrap_or_default() + 1;
            let origin = Origin { file: path.to_owned(), line: u32::try_from(at).unwrap_or_default() };
            section.rules.extend(claude_rules(&entry, action, &origin));
        }
    }
    section
}

/// `Bash(npm run:*)`, `Read(./secrets/**)`, `Edit(src/**)`, `WebFetch`.
pub(super) fn claude_rules(entry: &str, action: Decision, origin: &Origin) -> Vec<Rule> {
    let (tool, inside) =
        entry.split_once('(').map_or((entry, None), |(tool, rest)| (tool, rest.strip_suffix(')')));
    let rule = |tool: &str, file_patterns: Vec<String>, command_prefixes: Vec<String>| Rule {
        tool: tool.to_owned(),
        action,
        modes: Vec::new(),
        risk: None,
        file_patterns,
        command_prefixes,
        workspace: None,
        scope: Scope::Project,
        origin: origin.clone(),
    };
    let inside = inside.filter(|inside| !inside.is_empty() && *inside != "*");
    let patterns =
        || inside.map(|pattern| pattern.trim_start_matches("./").to_owned()).into_iter().collect::<Vec<_>>();
    match tool.to_lowercase().as_str() {
        "bash" => {
            let prefix = inside.map(|inside| inside.trim_end_matches(":*").to_owned());
            vec![rule("bash", Vec::new(), prefix.into_iter().collect())]
        }
        "edit" | "write" | "multiedit" => {
            EDITS.iter().map(|tool| rule(tool, patterns(), Vec::new())).collect()
        }
        "read" => ["read", "grep", "glob", "list"].map(|tool| rule(tool, patterns(), Vec::new())).into(),
        // What is about one address is asked for all of them.
        other => vec![rule(other, Vec::new(), Vec::new())],
    }
}

#[cfg(test)]
mod tests;
