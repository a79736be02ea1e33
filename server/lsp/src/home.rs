//! Where kkcode's home is.

use std::path::PathBuf;

/// Returns kkcode's home: the folder that was named, else `$KKCODE_HOME`, else `~/.kkcode`.
pub(crate) fn find(named: Option<PathBuf>) -> PathBuf {
    let env = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named
        .or_else(|| env("KKCODE_HOME"))
        .or_else(|| Some(env("HOME").or_else(|| env("USERPROFILE"))?.join(".kkcode")))
        .unwrap_or_else(|| std::env::temp_dir().join("kkcode"))
}
