//! The environment that a command gets: a list of what may pass, and settings under which nothing asks or pages.

use std::ffi::OsString;
use std::path::Path;

/// Variables that pass as they are. Everything else stays behind: keys, tokens, and whatever makes a shell, a loader, git or
/// an interpreter run something of its own.
const PASSING: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
    "XDG_STATE_HOME",
    "CARGO_HOME",
    "CARGO_TARGET_DIR",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOPATH",
    "GOCACHE",
    "GOMODCACHE",
    "GOROOT",
    "JAVA_HOME",
    "ANDROID_HOME",
    "NVM_DIR",
    "PYENV_ROOT",
    "RBENV_ROOT",
    "VOLTA_HOME",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "NIX_PATH",
    "NIX_PROFILES",
    "NIX_SSL_CERT_FILE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Variables that pass when the command has the network. Those with a password in them stay behind.
const PROXIES: &[&str] =
    &["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"];

/// What is set, so that no command waits for somebody, opens a pager or paints.
const SET: &[(&str, &str)] = &[
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_PAGER", "cat"),
    ("GIT_EDITOR", "false"),
    ("GIT_ASKPASS", "false"),
    ("SSH_ASKPASS", "false"),
    ("EDITOR", "false"),
    ("VISUAL", "false"),
    ("PAGER", "cat"),
    ("MANPAGER", "cat"),
    ("SYSTEMD_PAGER", "cat"),
    ("TERM", "dumb"),
    ("NO_COLOR", "1"),
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("KKCODE", "1"),
];

/// Where programs are looked for when nothing says so.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Returns the environment of a command, made from the one of this process. Nothing that is not listed passes.
pub(crate) fn environment(
    from: impl Iterator<Item = (OsString, OsString)>,
    temporary: &Path,
    network: bool,
) -> Vec<(OsString, OsString)> {
    let passes = |name: &OsString, value: &OsString| {
        let Some(name) = name.to_str() else { return false };
        PASSING.contains(&name)
            || name.starts_with("LC_")
            || network && PROXIES.contains(&name) && !value.to_string_lossy().contains('@')
    };
    let mut variables: Vec<(OsString, OsString)> = from.filter(|(name, value)| passes(name, value)).collect();
    match variables.iter_mut().find(|(name, _)| name == "PATH") {
        Some((_, path)) => *path = absolute(path),
        None => variables.push(("PATH".into(), PATH.into())),
    }
    for name in ["TMPDIR", "TMP", "TEMP"] {
        variables.push((name.into(), temporary.into()));
    }
    variables.extend(SET.iter().map(|(name, value)| (name.into(), value.into())));
    variables
}

/// Takes the entries out of `PATH` that mean another folder wherever one stands: they lead into the workspace.
fn absolute(path: &OsString) -> OsString {
    let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
    std::env::join_paths(folders).unwrap_or_else(|_| PATH.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(variables: &[(&str, &str)], network: bool) -> Vec<(String, String)> {
        let from = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        environment(from, Path::new("/t"), network)
            .into_iter()
            .map(|(name, value)| (name.into_string().unwrap(), value.into_string().unwrap()))
            .collect()
    }

    fn value(variables: &[(String, String)], wanted: &str) -> Option<String> {
        let mut found = variables.iter().filter(|(name, _)| name == wanted);
        let value = found.next().map(|(_, value)| value.clone());
        assert!(found.next().is_none(), "{wanted} is there twice");
        value
    }

    #[test]
    fn keys_and_what_makes_programs_run_something_stay_behind() {
        let hostile = [
            ("ANTHROPIC_API_KEY", "k"),
            ("OPENAI_API_KEY", "k"),
            ("GITHUB_TOKEN", "k"),
            ("AWS_SECRET_ACCESS_KEY", "k"),
            ("BASH_ENV", "/x"),
            ("ENV", "/x"),
            ("BASH_FUNC_ls%%", "() { evil; }"),
            ("PROMPT_COMMAND", "x"),
            ("PS4", "$(x)"),
            ("IFS", "x"),
            ("LD_PRELOAD", "/x.so"),
            ("LD_LIBRARY_PATH", "/x"),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_DIR", "/x"),
            ("GIT_SSH_COMMAND", "x"),
            ("NODE_OPTIONS", "--require /x"),
            ("PYTHONSTARTUP", "/x"),
            ("PERL5OPT", "-Mx"),
            ("RUBYOPT", "-rx"),
            ("JAVA_TOOL_OPTIONS", "-javaagent:x"),
            ("RUSTC_WRAPPER", "/x"),
            ("MAKEFLAGS", "--eval=x"),
            ("LESSOPEN", "|x"),
            ("RIPGREP_CONFIG_PATH", "/x"),
            ("SSH_AUTH_SOCK", "/x"),
            ("DBUS_SESSION_BUS_ADDRESS", "x"),
            ("HTTPS_PROXY", "http://me:secret@127.0.0.1"),
        ];
        let variables = given(&hostile, true);
        for (name, value) in hostile {
            assert!(!variables.iter().any(|(known, _)| known == name), "{name} passed with {value}");
        }
    }

    #[test]
    fn what_a_program_needs_passes_and_nothing_waits_for_somebody() {
        let variables = given(
            &[("PATH", "/opt/bin:.::/bin:rel"), ("HOME", "/home/u"), ("LC_ALL", "C"), ("PAGER", "less")],
            false,
        );
        assert_eq!(value(&variables, "PATH").unwrap(), "/opt/bin:/bin");
        assert_eq!(value(&variables, "HOME").unwrap(), "/home/u");
        assert_eq!(value(&variables, "LC_ALL").unwrap(), "C");
        assert_eq!(value(&variables, "PAGER").unwrap(), "cat");
        assert_eq!(value(&variables, "GIT_OPTIONAL_LOCKS").unwrap(), "0");
        assert_eq!(value(&variables, "TMPDIR").unwrap(), "/t");
        assert_eq!(value(&given(&[], false), "PATH").unwrap(), PATH);
    }

    #[test]
    fn a_proxy_passes_with_the_network_alone() {
        let proxy = [("https_proxy", "http://127.0.0.1:3128")];
        assert!(value(&given(&proxy, true), "https_proxy").is_some());
        assert!(value(&given(&proxy, false), "https_proxy").is_none());
    }
}
