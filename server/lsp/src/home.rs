//! Where kkcode's home is.

use std::path::PathBuf;

use kkcode_agent::gate::policy::Surroundings;

/// Returns kkcode's home: the folder that was named, else `$KKCODE_HOME`, else `~/.kkcode`.
pub(crate) fn find(named: Option<PathBuf>) -> PathBuf {
    let env = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named
        .or_else(|| env("KKCODE_HOME"))
        .or_else(|| Some(env("HOME").or_else(|| env("USERPROFILE"))?.join(".kkcode")))
        .unwrap_or_else(|| std::env::temp_dir().join("kkcode"))
}

/// Returns the program that starts commands within bounds: this one, even when another has been put in its place.
pub(crate) fn helper() -> Option<PathBuf> {
    cfg!(target_os = "linux").then(|| PathBuf::from("/proc/self/exe"))
}

/// Returns what decisions need to know of the machine.
pub(crate) fn surroundings(named: Option<PathBuf>) -> Surroundings {
    let env = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    Surroundings {
        home: find(named),
        user_home: env("HOME").or_else(|| env("USERPROFILE")).map(PathBuf::from),
        path: std::env::var_os("PATH"),
        temporary: std::env::temp_dir(),
        copy_of: None,
    }
}
