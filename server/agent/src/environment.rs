//! The environment of child processes: the user's own, without the keys of models.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use crate::config::ConfigSource;
use crate::task::launch::TOKEN;

/// How the names of our own variables begin: each is a setting, and may be a key.
const OWN: &str = "KKCODE_";

/// How the names of keys end, whosever they are.
const KEY_ENDING: &str = "_API_KEY";

/// Variables in which the makers' own programs keep keys of models, with names of other endings.
const USUAL: [&str; 8] = [
    "ANTHROPIC_AUTH_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "GITHUB_MODELS_TOKEN",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "REPLICATE_API_TOKEN",
];

/// Returns the environment for a child process that is none of ours: this process's, without every variable that holds the
/// key of a model, by its name or by what it holds. Reads the configuration; blocks.
///
/// A name is that of a key when a configuration file says so with `api_key_env`, when it is one of those that the makers use,
/// when it ends with `_API_KEY`, or when it begins with `KKCODE_`.
pub fn for_child(config: &ConfigSource) -> Vec<(OsString, OsString)> {
    without_keys(std::env::vars_os(), config)
}

fn without_keys(
    variables: impl Iterator<Item = (OsString, OsString)>,
    config: &ConfigSource,
) -> Vec<(OsString, OsString)> {
    let named: BTreeSet<String> =
        config.key_variables().into_iter().map(|name| name.to_ascii_uppercase()).collect();
    let is_key = |name: &OsStr| {
        // Windows does not tell large letters from small ones.
        let name = name.to_string_lossy().to_ascii_uppercase();
        named.contains(&name)
            || USUAL.contains(&name.as_str())
            || name.starts_with(OWN) && name != TOKEN
            || name.ends_with(KEY_ENDING)
    };
    let keys = config.keys();
    let holds_key =
        |value: &OsStr| value.to_str().is_some_and(|value| keys.iter().any(|key| key.is_in(value)));
    variables.filter(|(name, value)| !is_key(name) && !holds_key(value)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn kept(config: &str, secret: Option<(&str, &str)>, variables: &[(&str, &str)]) -> Vec<String> {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("config.yaml"), config).unwrap();
        let source = ConfigSource::new(home.path().to_owned(), None, |_| None);
        if let Some((provider, key)) = secret {
            source.set_secret(provider, key);
        }
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        let kept = without_keys(variables, &source);
        kept.into_iter().map(|(name, _)| name.into_string().unwrap()).collect()
    }

    #[test]
    fn a_child_gets_no_key_by_its_name() {
        let variables = [
            ("PATH", "/bin"),
            ("ANTHROPIC_API_KEY", "a"),
            ("anthropic_auth_token", "b"),
            ("SOMEBODYS_API_KEY", "c"),
            ("WORK_TOKEN", "d"),
            ("KKCODE_PROVIDER__P__API_KEY", "e"),
            ("HF_TOKEN", "f"),
            ("LANG", "C"),
            ("API_KEYS_PATH", "/k"),
        ];
        let config = "provider:\n  work: {type: anthropic, api_key_env: WORK_TOKEN}\n";
        assert_eq!(kept(config, None, &variables), ["PATH", "LANG", "API_KEYS_PATH"]);
    }

    #[test]
    fn a_configuration_with_errors_still_names_its_keys() {
        let config = "provider:\n  work: {type: anthropic, api_key_env: WORK_TOKEN, max_tokens: many}\n";
        assert_eq!(kept(config, None, &[("WORK_TOKEN", "d"), ("HOME", "/h")]), ["HOME"]);
    }

    #[test]
    fn a_child_gets_no_key_in_a_variable_of_another_name() {
        let variables = [("A", "sk-editor-123"), ("B", "Bearer sk-file-456"), ("C", "sk-editor"), ("D", "")];
        let config = "provider:\n  file: {type: anthropic, api_key: sk-file-456}\n";
        assert_eq!(kept(config, Some(("editor", "sk-editor-123")), &variables), ["C", "D"]);
    }
}
