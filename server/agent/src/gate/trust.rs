//! Which workspaces the user trusts: `trusted-folders.yaml` in kkcode's home, so that no workspace can say it of itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::own;

const NAME: &str = "trusted-folders.yaml";

/// Why the list of trusted folders could not be read or changed.
#[derive(Debug, Error)]
#[error("the list of trusted folders {}: {reason}", path.display())]
pub struct TrustError {
    path: PathBuf,
    reason: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    folders: Vec<PathBuf>,
}

/// Returns the folders that the user trusts.
pub fn list(home: &Path) -> Result<Vec<PathBuf>, TrustError> {
    let path = home.join(NAME);
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().is_empty() => Ok(Vec::new()),
        Ok(text) => {
            let file = serde_saphyr::from_str::<File>(&text);
            file.map(|file| file.folders).map_err(|error| TrustError { path, reason: error.to_string() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(TrustError { path, reason: error.to_string() }),
    }
}

/// Tells whether a folder lies in one that the user trusts. A list that cannot be read trusts nothing.
pub fn is_trusted(home: &Path, folder: &Path) -> bool {
    let Ok(real) = folder.canonicalize() else { return false };
    list(home).unwrap_or_default().iter().any(|trusted| real.starts_with(trusted))
}

/// Trusts a folder from now on; tells whether that is new.
pub fn grant(home: &Path, folder: &Path) -> Result<bool, TrustError> {
    change(home, |folders| {
        let new = !folders.iter().any(|trusted| trusted == folder);
        if new {
            folders.push(folder.to_owned());
        }
        new
    })
}

/// Trusts a folder, and those that it lies in, no longer; tells whether one of them was trusted. What the user agreed to of
/// its settings stays, and can be forgotten like a rule.
pub fn revoke(home: &Path, folder: &Path) -> Result<bool, TrustError> {
    change(home, |folders| {
        let before = folders.len();
        folders.retain(|trusted| !folder.starts_with(trusted));
        folders.len() < before
    })
}

fn change(home: &Path, change: impl FnOnce(&mut Vec<PathBuf>) -> bool) -> Result<bool, TrustError> {
    let path = home.join(NAME);
    let failed = |error: &dyn std::fmt::Display| TrustError { path: path.clone(), reason: error.to_string() };
    let _lock = own::lock(&home.join("trusted-folders.lock")).map_err(|error| failed(&error))?;
    let mut folders = list(home)?;
    let changed = change(&mut folders);
    if changed {
        let text = serde_saphyr::to_string(&File { folders }).map_err(|error| failed(&error))?;
        own::put(&path, &text).map_err(|error| failed(&error))?;
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Row B25 of the study: a workspace once brought its own trust along.
    #[test]
    fn b25_only_the_users_home_says_what_is_trusted() {
        let place = tempfile::tempdir().unwrap();
        let place = place.path().canonicalize().unwrap();
        let (home, ws) = (place.join("home"), place.join("ws"));
        fs::create_dir_all(ws.join("src")).unwrap();
        fs::create_dir_all(ws.join(".kkcode")).unwrap();
        fs::write(ws.join(".kkcode").join(NAME), format!("folders: [{}]\n", ws.display())).unwrap();
        assert!(!is_trusted(&home, &ws));
        assert!(grant(&home, &ws).unwrap() && !grant(&home, &ws).unwrap());
        assert!(is_trusted(&home, &ws) && is_trusted(&home, &ws.join("src")) && !is_trusted(&home, &place));
        assert!(revoke(&home, &ws.join("src")).unwrap());
        assert!(!is_trusted(&home, &ws));
        fs::write(home.join(NAME), "folders: {").unwrap();
        assert!(!is_trusted(&home, &ws) && grant(&home, &ws).is_err());
    }
}
