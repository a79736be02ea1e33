//! The keys of the configuration: what each takes, and what a project may do with it.

use serde_json::{Map, Value, json};

/// A key that has an effect.
#[derive(Debug)]
pub(super) struct Key {
    /// Its names, separated by points; `*` stands for a name that the user gives.
    pub(super) path: &'static str,
    pub(super) takes: Takes,
    pub(super) from_project: FromProject,
    /// What it is for, in one line.
    about: &'static str,
}

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    Bool,
    /// A whole number, from 0.
    Integer,
    /// A number, from 0.
    Number,
    Text,
    OneOf(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A text or a list of texts.
    TextOrTexts,
    /// A list of mappings.
    Mappings,
    /// A text, a number or a truth value.
    Scalar,
}

/// What the configuration of a project, which comes with the project's files, may do with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FromProject {
    /// Nothing, unless the user trusts the folder.
    IfTrusted,
    /// Make a number smaller.
    Lower,
    /// Take a choice that stands further in front.
    Earlier,
    /// Add rules that do not allow anything.
    AddRestrictions,
    /// Nothing, whether the user trusts the folder or not.
    Nothing,
}

use FromProject::{AddRestrictions, Earlier, IfTrusted, Lower, Nothing};
use Takes::{Bool, Integer, Mappings, Number, OneOf, Scalar, Text, TextOrTexts, Texts};

const fn key(path: &'static str, takes: Takes, from_project: FromProject, about: &'static str) -> Key {
    Key { path, takes, from_project, about }
}

/// All keys that have an effect.
pub(super) const KEYS: &[Key] = &[
    key("keyring", Bool, Nothing, "whether keys are looked for in the keyring of the operating system"),
    key(
        "models.main",
        TextOrTexts,
        IfTrusted,
        "the model of turns, or several of which the next is asked when one fails",
    ),
    key("models.fast", TextOrTexts, IfTrusted, "the model of small jobs; the main one if left out"),
    key("models.subagent", TextOrTexts, IfTrusted, "the model of tasks; the main one if left out"),
    key("provider.default", Text, IfTrusted, "the provider that is asked where `models` says nothing"),
    key(
        "provider.model_context.*",
        Integer,
        IfTrusted,
        "tokens that a model holds, by its name or the beginning of it",
    ),
    key("provider.*.type", OneOf(TYPES), IfTrusted, "what kind of provider this is"),
    key("provider.*.protocol", OneOf(PROTOCOLS), IfTrusted, "its wire format, where the type allows several"),
    key("provider.*.base_url", Text, IfTrusted, "its address, the part before the format's own path"),
    key(
        "provider.*.api_key_env",
        Text,
        IfTrusted,
        "the variable of the environment with its key; empty for none",
    ),
    key("provider.*.api_key", Text, IfTrusted, "its key in clear; better in the environment or a keyring"),
    key("provider.*.default_model", Text, IfTrusted, "the model that is asked if none is named"),
    key("provider.*.models", Texts, IfTrusted, "the models to choose from"),
    key("provider.*.max_tokens", Integer, IfTrusted, "tokens of an answer at most"),
    key("provider.*.context_limit", Integer, IfTrusted, "tokens that its models hold"),
    key("provider.*.timeout_ms", Integer, IfTrusted, "how long an answer may take to begin"),
    key("provider.*.stream_idle_timeout_ms", Integer, IfTrusted, "how long an answer may be silent"),
    key("provider.*.retry_attempts", Integer, IfTrusted, "how often a request is sent again"),
    key("provider.*.retry_base_delay_ms", Integer, IfTrusted, "how long is waited before the first retry"),
    key("provider.*.images", Bool, IfTrusted, "whether its models take pictures; true if left out"),
    key("provider.*.stream", Bool, IfTrusted, "whether answers are streamed"),
    key(
        "provider.*.thinking.type",
        OneOf(&["disabled", "enabled", "adaptive"]),
        IfTrusted,
        "whether it thinks first",
    ),
    key("provider.*.thinking.budget_tokens", Integer, IfTrusted, "tokens of a thought at most"),
    key("provider.*.reasoning_effort", Text, IfTrusted, "how much it thinks, in the provider's own word"),
    key("provider.*.headers.*", Scalar, IfTrusted, "a header of all requests"),
    key("provider.*.script", Text, IfTrusted, "the script of a `scripted` provider"),
    key("provider.*.record", Text, IfTrusted, "the folder into which exchanges are recorded, without keys"),
    key("agent.max_steps", Integer, Lower, "requests that one turn makes at most"),
    key("background.max_parallel", Integer, Lower, "tasks that run at the same time"),
    key("background.max_parallel_per_group", Integer, Lower, "tasks of one group that run at the same time"),
    key("background.keep_days", Integer, Nothing, "days that a task is kept once it has ended; 0 keeps it"),
    key("background.worker_timeout_ms", Integer, Lower, "how long an attempt of a task may work"),
    key("permission.level", OneOf(LEVELS), Earlier, "how much is done unasked"),
    key(
        "permission.default_policy",
        OneOf(&["deny", "ask", "allow"]),
        Earlier,
        "what happens where no rule says",
    ),
    key("permission.rules", Mappings, AddRestrictions, "what is allowed, asked or denied"),
    key(
        "permission.sandbox.mode",
        OneOf(&["required", "auto", "off"]),
        Earlier,
        "whether commands run in a sandbox: always, where the machine can, or never",
    ),
    key(
        "permission.sandbox.network",
        OneOf(&["never", "ask", "always"]),
        Earlier,
        "whether the sandbox has a network: never, when the user allows it once, or always",
    ),
    key("permission.sandbox.writable_dirs", Texts, Nothing, "what else the sandbox may write to"),
    key(
        "tool.http.allow_private_hosts",
        Bool,
        Nothing,
        "whether `webfetch` reaches this machine and private networks",
    ),
    key("tool.websearch.endpoint", Text, Nothing, "the MCP server that `websearch` asks, over HTTP"),
    key("tool.websearch.api_key_env", Text, Nothing, "the variable of the environment with its key"),
    key("usage.pricing_file", Text, IfTrusted, "a file of prices, in the shape of `usage.prices`"),
    key("usage.prices.*.input", Number, IfTrusted, "US dollars for a million tokens sent"),
    key("usage.prices.*.output", Number, IfTrusted, "US dollars for a million tokens received"),
    key(
        "usage.prices.*.cache_read",
        Number,
        IfTrusted,
        "US dollars for a million tokens from the provider's cache",
    ),
    key(
        "usage.prices.*.cache_write",
        Number,
        IfTrusted,
        "US dollars for a million tokens into the provider's cache",
    ),
    key("usage.budget.turn_usd", Number, Lower, "US dollars that a turn may cost before it asks"),
    key("usage.budget.task_usd", Number, Lower, "US dollars that a task may cost before it asks"),
    key("usage.budget.task_tokens", Integer, Lower, "tokens that a task may use before it asks"),
    key("usage.budget.session_usd", Number, Lower, "US dollars that a session may cost before it asks"),
    key(
        "usage.budget.day_usd",
        Number,
        Lower,
        "US dollars that a day (UTC) may cost before the next request is asked for",
    ),
    key("usage.budget.turn_tokens", Integer, Lower, "tokens that a turn may use before it asks"),
    key("usage.budget.session_tokens", Integer, Lower, "tokens that a session may use before it asks"),
    key(
        "usage.budget.day_tokens",
        Integer,
        Lower,
        "tokens that a day (UTC) may use before the next request is asked for",
    ),
];

const TYPES: &[&str] = &["anthropic", "openai", "openai-compatible", "ollama", "gateway", "scripted"];

const PROTOCOLS: &[&str] =
    &["chat", "openai", "chat_completions", "responses", "anthropic", "messages", "ollama"];

/// From the strictest.
const LEVELS: &[&str] = &["readonly", "manual", "accept-edits", "yolo"];

/// Keys of kkcode that have no effect here, with all that is below them.
const WITHOUT_EFFECT: &[&str] = &[
    "language",
    "agent",
    "mcp",
    "skills",
    "storage",
    "background",
    "runtime",
    "tool",
    "session",
    "review",
    "update",
    "ui",
    "git_auto",
    "compat",
    "ultra",
    "models.ultra",
    "permission.non_tty_default",
    "provider.strict_mode",
    "provider.model_thinking",
    "provider.*.endpoints",
    "provider.*.discovery",
    "usage.aggregation",
    "usage.budget.warn_at_percent",
    "usage.budget.strategy",
];

/// Names that had other names, and what they are now.
const OLD_NAMES: &[(&str, &str)] = &[
    ("permission.mode", "permission.level"),
    ("usage.budget.global_usd", "usage.budget.day_usd"),
    ("provider.*.thinking_effort", "provider.*.reasoning_effort"),
];

/// Levels that had other names, of kkcode 0.2 to 0.5, and what they are now.
const OLD_LEVELS: &[(&str, &str)] =
    &[("review", "manual"), ("edit", "accept-edits"), ("auto", "accept-edits"), ("full-auto", "yolo")];

/// Returns the key that stands at a path.
pub(super) fn find(path: &[String]) -> Option<&'static Key> {
    // The settings for all providers stand where else a provider's name does; their own names go first.
    KEYS.iter().find(|key| matches(key.path, path).is_some_and(<[String]>::is_empty))
}

/// Tells whether a path is a mapping in which keys are.
pub(super) fn is_mapping(path: &[String]) -> bool {
    KEYS.iter().any(|key| {
        let names = key.path.split('.').zip(path).all(|(pattern, name)| pattern == "*" || pattern == name);
        names && key.path.split('.').count() > path.len()
    })
}

/// Tells whether a path is kkcode's and has no effect here.
pub(super) fn is_without_effect(path: &[String]) -> bool {
    WITHOUT_EFFECT.iter().any(|pattern| matches(pattern, path).is_some())
}

/// Gives a key and a value the names that they have now; returns the old name of the key if it had one.
pub(super) fn rename(path: &mut [String], value: &mut Value) -> Option<String> {
    let old = OLD_NAMES.iter().find(|(old, _)| matches(old, path).is_some_and(<[String]>::is_empty));
    let was = old.map(|(_, new)| {
        let was = path.join(".");
        for (name, new) in path.iter_mut().zip(new.split('.')).filter(|(_, new)| *new != "*") {
            new.clone_into(name);
        }
        was
    });
    if path.iter().eq(["permission", "level"])
        && let Some(level) = value.as_str()
        && let Some((_, new)) = OLD_LEVELS.iter().find(|(old, _)| *old == level)
    {
        *value = Value::from(*new);
    }
    // Kkcode knows yes and no.
    if path.iter().eq(["permission", "sandbox", "network"])
        && let Some(network) = value.as_bool()
    {
        *value = Value::from(if network { "always" } else { "never" });
    }
    was
}

/// Returns the key's name that is most like one that is not known.
pub(super) fn nearest(path: &[String]) -> Option<String> {
    let name = path.join(".");
    let like = |key: &Key| {
        let known: Vec<&str> = key
            .path
            .split('.')
            .enumerate()
            .map(|(at, known)| if known == "*" { path.get(at).map_or("NAME", String::as_str) } else { known })
            .collect();
        let known = known.join(".");
        (strsim::damerau_levenshtein(&known, &name), known)
    };
    let (distance, known) = KEYS.iter().map(like).min_by_key(|(distance, _)| *distance)?;
    (distance <= 3).then_some(known)
}

/// Returns what is left of a path behind a pattern that it begins with.
fn matches<'a>(pattern: &str, path: &'a [String]) -> Option<&'a [String]> {
    let mut path = path;
    for name in pattern.split('.') {
        let (first, rest) = path.split_first()?;
        if name != "*" && name != first {
            return None;
        }
        path = rest;
    }
    Some(path)
}

impl Takes {
    /// Returns what is wrong with a value; none if nothing is.
    pub(super) fn refuse(self, value: &Value) -> Option<String> {
        let is_text = Value::is_string;
        let is_list_of = |of: fn(&Value) -> bool| value.as_array().is_some_and(|list| list.iter().all(of));
        let (is_right, wanted) = match self {
            Self::Bool => (value.is_boolean(), "true or false".to_owned()),
            Self::Integer => (value.is_u64(), "a whole number".to_owned()),
            Self::Number => {
                (value.as_f64().is_some_and(|number| number >= 0.0), "a number, not negative".to_owned())
            }
            Self::Text => (is_text(value), "a text".to_owned()),
            Self::OneOf(words) => {
                // A plain `off` is a boolean in YAML.
                let word = if value == &Value::Bool(false) { Some("off") } else { value.as_str() };
                let is_known = word.is_some_and(|word| words.contains(&word));
                (is_known, format!("one of {}", words.join(", ")))
            }
            Self::Texts => (is_list_of(is_text), "a list of texts".to_owned()),
            Self::TextOrTexts => {
                (is_text(value) || is_list_of(is_text), "a text or a list of texts".to_owned())
            }
            Self::Mappings => (is_list_of(Value::is_object), "a list of mappings".to_owned()),
            Self::Scalar => (!value.is_array() && !value.is_object(), "a single value".to_owned()),
        };
        let found = match (self, value) {
            (Self::OneOf(_), Value::String(word)) => format!("`{word}`"),
            _ => short(value),
        };
        (!is_right).then(|| format!("must be {wanted}, not {found}"))
    }

    fn schema(self) -> Value {
        match self {
            Self::Bool => json!({"type": "boolean"}),
            Self::Integer => json!({"type": "integer", "minimum": 0}),
            Self::Number => json!({"type": "number", "minimum": 0}),
            Self::Text => json!({"type": "string"}),
            Self::OneOf(words) => json!({"enum": words}),
            Self::Texts => json!({"type": "array", "items": {"type": "string"}}),
            Self::TextOrTexts => {
                json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
            }
            Self::Mappings => json!({"type": "array", "items": {"type": "object"}}),
            Self::Scalar => json!({"type": ["string", "number", "boolean"]}),
        }
    }
}

/// Returns a value for a message: never a text, which may be a key that stands in the wrong place.
fn short(value: &Value) -> String {
    match value {
        Value::String(_) => "this text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
        value => value.to_string(),
    }
}

/// Returns the JSON Schema of a configuration file, for editors.
pub fn json_schema() -> Value {
    let mut root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The configuration of kkcode-lsp",
        "type": "object",
    });
    for key in KEYS {
        let mut schema = key.takes.schema();
        if let Some(members) = schema.as_object_mut() {
            members.insert("description".to_owned(), key.about.into());
        }
        let place = key.path.split('.').fold(&mut root, |at, name| {
            if name == "*" {
                member(at, "additionalProperties")
            } else {
                member(member(at, "properties"), name)
            }
        });
        *place = schema;
    }
    root
}

/// Returns a member of a mapping, which is one if it was not.
fn member<'a>(value: &'a mut Value, name: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    &mut value[name]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn keys_are_found_below_names_of_the_user() {
        assert_eq!(find(&path("provider.mine.type")).unwrap().path, "provider.*.type");
        assert_eq!(find(&path("provider.default")).unwrap().path, "provider.default");
        assert!(find(&path("provider.mine")).is_none() && is_mapping(&path("provider.mine")));
        assert!(!is_mapping(&path("provider.mine.type")) && !is_mapping(&path("providers")));
        assert!(is_without_effect(&path("ui.theme.name")) && !is_without_effect(&path("uis")));
        assert_eq!(nearest(&path("provider.mine.base_ulr")).as_deref(), Some("provider.mine.base_url"));
        assert_eq!(nearest(&path("provider.mine.telepathy")), None);
    }

    #[test]
    fn old_names_are_mapped() {
        let mut old = path("permission.mode");
        let mut value = Value::from("edit");
        assert_eq!(rename(&mut old, &mut value).as_deref(), Some("permission.mode"));
        assert_eq!((old, value), (path("permission.level"), Value::from("accept-edits")));
        let mut effort = path("provider.p.thinking_effort");
        assert!(rename(&mut effort, &mut Value::from("high")).is_some());
        assert_eq!(effort, path("provider.p.reasoning_effort"));
        assert_eq!(rename(&mut path("permission.level"), &mut Value::from("yolo")), None);
    }

    #[test]
    fn the_schema_has_every_key() {
        let schema = json_schema();
        let at = |pointer: &str| schema.pointer(pointer).unwrap().clone();
        assert_eq!(at("/properties/provider/additionalProperties/properties/models/items/type"), "string");
        assert_eq!(at("/properties/usage/properties/budget/properties/day_usd/minimum"), 0);
        let count = schema.to_string().matches("\"description\"").count();
        assert_eq!(count, KEYS.len());
    }
}
