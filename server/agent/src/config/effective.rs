//! The configuration in effect: the user's, the editor's and the projects', one over the other, and where each value is from.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::document::{self, Entry, Unreadable};
use super::origin::{Origin, Problem, Severity};
use super::schema::{self, FromProject, Key, Takes};
use super::{dot_env, restrict};

/// The configuration files of a home, in the order in which they are looked for; the first that exists is read.
const HOME_FILES: [&str; 6] = [
    "config.yaml",
    "config.yml",
    "config.json",
    "kkcode.config.yaml",
    "kkcode.config.yml",
    "kkcode.config.json",
];

/// The same of a project.
const PROJECT_FILES: [&str; 6] = [
    "kkcode.config.yaml",
    "kkcode.config.yml",
    "kkcode.config.json",
    ".kkcode/config.yaml",
    ".kkcode/config.yml",
    ".kkcode/config.json",
];

/// The `.env` files of a project.
pub(crate) const PROJECT_DOT_ENV: [&str; 2] = [".env", ".kkcode/.env"];

/// A folder whose project configuration counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Its path.
    pub path: PathBuf,
    /// Whether the user trusts what is in it.
    pub trusted: bool,
}

/// The configuration in effect.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effective {
    value: Value,
    origins: BTreeMap<Vec<String>, Origin>,
    problems: Vec<Problem>,
    files: Vec<PathBuf>,
}

/// A value that is in effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its key, with points between the names.
    pub key: String,
    /// What it is; what may be a secret is left out.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    User,
    Project { trusted: bool },
}

impl Effective {
    /// Reads all files of a home and of the folders, and puts one over the other: the user's file, the editor's settings,
    /// the projects' files, the user's `.env`, the projects' `.env`. Blocks.
    pub(super) fn read(home: &Path, client: &[Option<Value>], folders: &[Folder]) -> Self {
        let mut effective = Self { value: Value::Object(Map::new()), ..Self::default() };
        effective.file(home, &HOME_FILES, By::User);
        for client in client.iter().flatten() {
            effective.add(document::entries(client), By::User, |_| Origin::Client);
        }
        // In the user's own folder the project's configuration is the user's.
        let is_home = |folder: &Folder| folder.path.join(".kkcode") == home || folder.path == home;
        let projects = || folders.iter().filter(|folder| !is_home(folder));
        for folder in projects() {
            effective.file(&folder.path, &PROJECT_FILES, By::Project { trusted: folder.trusted });
        }
        effective.dot_env(home, &PROJECT_DOT_ENV[..1], By::User);
        for folder in projects() {
            effective.dot_env(&folder.path, &PROJECT_DOT_ENV, By::Project { trusted: folder.trusted });
        }
        effective
    }

    /// Returns the value at a path, or the mapping that is there.
    pub fn get(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(&self.value, |value, name| value.get(name))
    }

    /// Returns all values, in the order of their keys.
    pub fn settings(&self) -> impl Iterator<Item = Setting> {
        self.origins.iter().filter_map(|(path, origin)| {
            let value = path.iter().try_fold(&self.value, |value, name| value.get(name))?;
            let value = if is_secret(path) { Value::from("(not shown)") } else { value.clone() };
            Some(Setting { key: path.join("."), value, origin: origin.clone() })
        })
    }

    /// Returns what is wrong with the configuration, in the order in which it was read.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns what is so wrong that the configuration cannot be used.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error)
    }

    /// Returns the files that were read.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Adds what was found without being told.
    pub(super) fn add_found(&mut self, name: &str, provider: &Value) {
        for mut entry in document::entries(provider) {
            entry.path.splice(0..0, ["provider".to_owned(), name.to_owned()]);
            self.set(entry.path, entry.value, Origin::Found);
        }
    }

    fn file(&mut self, folder: &Path, names: &[&str], by: By) {
        let Some(path) = names.iter().map(|name| folder.join(name)).find(|path| path.exists()) else {
            return;
        };
        let entries = document::read(&path);
        self.files.push(path.clone());
        let origin = |line| match by {
            By::User => Origin::User(path.clone(), line),
            By::Project { .. } => Origin::Project(path.clone(), line),
        };
        match entries {
            Ok(entries) => self.add(entries, by, origin),
            Err(Unreadable { line, why }) => self.note(Severity::Error, origin(line), "", why),
        }
    }

    fn dot_env(&mut self, folder: &Path, names: &[&str], by: By) {
        let Some(path) = names.iter().map(|name| folder.join(name)).find(|path| path.exists()) else {
            return;
        };
        match dot_env::read(&path) {
            Ok(entries) if entries.is_empty() => {}
            Ok(entries) => {
                self.files.push(path.clone());
                self.add(entries, by, |line| Origin::DotEnv(path.clone(), line));
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {}
            Err(error) => {
                let why = format!("it cannot be read: {error}");
                self.note(Severity::Warning, Origin::DotEnv(path.clone(), 0), "", why);
            }
        }
    }

    fn add(&mut self, entries: Vec<Entry>, by: By, origin: impl Fn(u64) -> Origin) {
        for Entry { mut path, mut value, line } in entries {
            let origin = origin(line);
            if let Some(was) = schema::rename(&mut path, &mut value) {
                let now = format!("is an old name; it is `{}` now", path.join("."));
                self.note(Severity::Note, origin.clone(), &was, now);
            }
            let name = path.join(".");
            let Some(key) = schema::find(&path) else {
                self.unknown(&path, &value, origin);
                continue;
            };
            if let Some(wrong) = key.takes.refuse(&value) {
                self.note(Severity::Error, origin, &name, wrong);
                continue;
            }
            let is_overlay = matches!(origin, Origin::DotEnv(..));
            let is_permission = path.first().is_some_and(|name| name == "permission");
            let value = match by {
                // Programs write these files, and people copy them: they may only make permissions stricter.
                By::User if is_overlay && is_permission => self.stricter(key, &path, value),
                By::User => Ok(value),
                By::Project { trusted } => self.allowed(key, &path, value, trusted),
            };
            match value {
                Ok(value) => self.set(path, value, origin),
                Err(why) => self.note(Severity::Warning, origin, &name, why),
            }
        }
    }

    /// Returns what a project's value comes to; why it is not used if it is not.
    fn allowed(&mut self, key: &Key, path: &[String], value: Value, trusted: bool) -> Result<Value, String> {
        let present = path.iter().try_fold(&self.value, |value, name| value.get(name));
        match (key.from_project, key.takes) {
            (FromProject::Nothing, _) => {
                Err("is set by a project; only the user can set it, and it is not used".to_owned())
            }
            (FromProject::IfTrusted, _) if trusted => Ok(value),
            (FromProject::IfTrusted, _) => {
                Err("is set by a project whose folder is not trusted, and is not used; `kkcode-lsp trust grant` trusts it"
                    .to_owned())
            }
            (FromProject::Earlier, Takes::OneOf(order)) => restrict::earlier(order, present, value),
            (FromProject::AddRestrictions, _) => restrict::add_rules(present, value),
            (FromProject::Lower | FromProject::Earlier, _) => restrict::lower(present, value),
        }
    }

    /// Returns what the value of a user's `.env` file comes to.
    fn stricter(&self, key: &Key, path: &[String], value: Value) -> Result<Value, String> {
        let present = path.iter().try_fold(&self.value, |value, name| value.get(name));
        match (key.from_project, key.takes) {
            (FromProject::Earlier, Takes::OneOf(order)) => restrict::earlier(order, present, value)
                .map_err(|why| why.replace("by a project", "by an `.env` file")),
            _ => {
                Err("is set by an `.env` file, and is not used; it belongs into the configuration".to_owned())
            }
        }
    }

    fn unknown(&mut self, path: &[String], value: &Value, origin: Origin) {
        let name = path.join(".");
        let above = (1..path.len())
            .filter_map(|length| path.get(..length))
            .find(|above| schema::find(above).is_some());
        if let Some(above) = above {
            let message = "must not be a mapping".to_owned();
            self.note(Severity::Error, origin, &above.join("."), message);
        } else if schema::is_without_effect(path) {
            self.note(Severity::Note, origin, &name, "is kkcode's and has no effect here".to_owned());
        } else if schema::is_mapping(path) {
            let is_empty = value.as_object().is_some_and(Map::is_empty);
            if !is_empty {
                self.note(Severity::Error, origin, &name, "must be a mapping".to_owned());
            }
        } else {
            let hint = schema::nearest(path).map(|known| format!("; did you mean `{known}`?"));
            let message = format!("is not known and has no effect{}", hint.unwrap_or_default());
            self.note(Severity::Warning, origin, &name, message);
        }
    }

    fn set(&mut self, path: Vec<String>, value: Value, origin: Origin) {
        let mut place = &mut self.value;
        for name in &path {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            place = &mut place[name.as_str()];
        }
        *place = value;
        self.origins.insert(path, origin);
    }

    fn note(&mut self, severity: Severity, origin: Origin, key: &str, message: String) {
        self.problems.push(Problem { severity, origin, key: key.to_owned(), message });
    }
}

/// Tells whether a file may be one of ours, by its name.
pub fn is_config_file(path: &Path) -> bool {
    HOME_FILES.iter().chain(&PROJECT_FILES).chain(&PROJECT_DOT_ENV).any(|name| path.ends_with(name))
}

fn is_secret(path: &[String]) -> bool {
    path.last().is_some_and(|name| name == "api_key") || path.iter().any(|name| name == "headers")
}
