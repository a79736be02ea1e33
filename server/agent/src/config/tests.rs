use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use kkcode_provider::stream::ErrorClass;

use super::*;

/// An environment in which no Ollama is found.
fn no_ollama(name: &str) -> Option<String> {
    (name == "OLLAMA_HOST").then(|| "127.0.0.1:1".to_owned())
}

fn source(file: &str, text: &str, client: Option<Value>) -> (tempfile::TempDir, ConfigSource) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(file), text).unwrap();
    let source = ConfigSource::new(dir.path().to_owned(), client, no_ollama);
    (dir, source)
}

/// A source without a file, in this environment.
fn bare(variables: &'static [(&'static str, &'static str)]) -> (tempfile::TempDir, ConfigSource) {
    let dir = tempfile::tempdir().unwrap();
    let environment = move |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned()).or_else(|| no_ollama(name))
    };
    let source = ConfigSource::new(dir.path().to_owned(), None, environment);
    (dir, source)
}

fn refusal(source: &ConfigSource, wanted: Option<&str>) -> String {
    let error = source.model(wanted).err().expect("no model");
    assert_eq!(error.class, ErrorClass::Configuration);
    error.message
}

const YAML: &str = "provider:\n  default: b\n  a: {type: scripted, script: a.yaml}\n  b: {type: scripted, script: b.yaml, default_model: org/m1}\n";

#[test]
fn a_model_is_found_by_name_or_by_default() {
    for file in ["config.yaml", "config.yml", "kkcode.config.yaml"] {
        let (_dir, source) = source(file, YAML, None);
        assert_eq!(source.model(None).unwrap().id, "org/m1");
        assert_eq!(source.model(Some("a/org/model")).unwrap().id, "org/model");
        assert_eq!(
            refusal(&source, Some("c/x")),
            "there is no provider `c` in the configuration; there are: a, b"
        );
    }
    let (_dir, json) =
        source("config.json", r#"{"provider": {"only": {"type": "scripted", "script": "x"}}}"#, None);
    assert_eq!(json.model(None).unwrap().id, "");
}

#[test]
fn what_the_client_gives_goes_over_the_file() {
    let client = json!({"provider": {"default": "a", "a": {"default_model": "m2"}, "b": null}});
    let (_dir, source) = source("config.yaml", YAML, Some(client));
    assert_eq!(source.model(None).unwrap().id, "m2");
    assert_eq!(source.model(Some("b")).unwrap().id, "org/m1");
}

#[test]
fn what_is_wrong_is_named() {
    let (_dir, broken) = source("config.yaml", "provider: [", None);
    assert!(refusal(&broken, None).contains("config.yaml is not right"));
    let (_dir, list) = source("config.yaml", "- a", None);
    assert!(refusal(&list, None).contains("must be a mapping"));
    let (_dir, untyped) = source("config.yaml", "provider: {a: {script: x}}", None);
    assert!(refusal(&untyped, None).contains("provider `a` in the configuration is not right"));
    let (_dir, two) = source("config.yaml", "provider: {a: {type: scripted}, b: {type: scripted}}", None);
    assert!(refusal(&two, None).contains("provider.default"));
    assert!(refusal(&two, Some("a")).contains("needs `script: PATH`"));
    for (provider, part) in [
        ("{type: telepathy}", "`telepathy`"),
        ("{type: gateway, base_url: 'https://example.com'}", "needs `protocol`"),
        ("{type: openai-compatible, protocol: telex, base_url: 'https://example.com'}", "`protocol: telex`"),
        ("{type: openai-compatible}", "needs `base_url`"),
        ("{type: openai-compatible, base_url: 'http://example.com'}", "is not encrypted"),
        (
            "{type: openai-compatible, base_url: 'https://example.com', api_key_env: P_KEY}",
            "P_KEY is not set",
        ),
        ("{type: anthropic}", "ANTHROPIC_API_KEY is not set"),
        ("{type: ollama, headers: {'a b': c}}", "the header `a b`"),
        ("{type: ollama, max_tokens: many}", "is not right"),
    ] {
        let (_dir, source) = source("config.yaml", &format!("provider: {{p: {provider}}}"), None);
        let message = refusal(&source, Some("p/m"));
        assert!(message.contains(part) && message.contains("`p`"), "{provider}: {message}");
    }
    let (_dir, modelless) = source("config.yaml", "provider: {p: {type: ollama}}", None);
    assert_eq!(refusal(&modelless, None), "provider `p` needs `default_model`, or ask for `p/MODEL`");
}

#[test]
fn every_type_of_provider_can_be_built() {
    let yaml = "provider:
  default: ollama
  anthropic: {type: anthropic, default_model: claude, thinking: {type: enabled, budget_tokens: 2000}}
  openai: {type: openai, models: [gpt-5], max_tokens: 100, context_limit: 1000, reasoning_effort: low}
  lm: {type: openai, base_url: 'http://127.0.0.1:1234/v1', api_key_env: '', default_model: local}
  deepseek: {type: openai-compatible, default_model: deepseek-chat}
  gate: {type: gateway, protocol: messages, base_url: 'https://gate.example.com', api_key: k, default_model: m}
  ollama: {type: ollama, default_model: 'qwen3:8b', models: ['qwen3:8b', tiny], retry_attempts: 0, timeout_ms: 5, stream: false}
";
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("config.yaml"), yaml).unwrap();
    let keys = |name: &str| name.ends_with("_API_KEY").then(|| "sk-1".to_owned());
    let source = ConfigSource::new(dir.path().to_owned(), None, keys);
    for (wanted, id) in [
        ("anthropic", "claude"),
        ("openai", "gpt-5"),
        ("lm", "local"),
        ("deepseek", "deepseek-chat"),
        ("gate/org/model", "org/model"),
        ("ollama", "qwen3:8b"),
    ] {
        assert_eq!(source.model(Some(wanted)).unwrap().id, id, "{wanted}");
    }
    let models = [
        "ollama/qwen3:8b",
        "ollama/tiny",
        "anthropic/claude",
        "deepseek/deepseek-chat",
        "gate/m",
        "lm/local",
        "openai/gpt-5",
    ];
    assert_eq!(source.models().unwrap(), models);
    assert!(!format!("{source:?}").contains("sk-1"));
}

#[test]
fn roles_name_models() {
    let yaml = format!("{YAML}models: {{main: [a/one, b], fast: b/quick}}\n");
    let (_dir, with_roles) = source("config.yaml", &yaml, None);
    for (wanted, id) in
        [(None, "one"), (Some("main"), "one"), (Some("fast"), "quick"), (Some("subagent"), "one")]
    {
        assert_eq!(with_roles.model(wanted).unwrap().id, id, "{wanted:?}");
    }
    let (_dir, empty) = source("config.yaml", &format!("{YAML}models: {{main: []}}\n"), None);
    assert_eq!(refusal(&empty, None), "`models.main` names no model");
    let (_dir, odd) = source("config.yaml", &format!("{YAML}models: {{main: 7}}\n"), None);
    assert_eq!(refusal(&odd, None), "`models.main` is neither a model nor a list of models");
    let (_dir, gone) = source("config.yaml", &format!("{YAML}models: {{main: [a, c/x]}}\n"), None);
    assert!(refusal(&gone, None).contains("no provider `c`"), "a fallback that is not there is said at once");
}

#[test]
fn a_key_in_the_environment_is_enough() {
    let (_dir, anthropic) = bare(&[("ANTHROPIC_API_KEY", "sk-1"), ("OPENAI_API_KEY", "sk-2")]);
    assert_eq!(anthropic.models().unwrap(), ["anthropic/claude-sonnet-4-5"]);
    assert_eq!(anthropic.model(None).unwrap().id, "claude-sonnet-4-5");
    let (_dir, openrouter) = bare(&[("ANTHROPIC_API_KEY", " "), ("OPENROUTER_API_KEY", "sk-2")]);
    assert_eq!(openrouter.model(None).unwrap().id, "anthropic/claude-sonnet-4.5");
    let (_dir, none) = bare(&[]);
    let message = refusal(&none, None);
    assert!(message.starts_with("no model is configured; name a provider in"), "{message}");
    assert!(message.lines().nth(1).unwrap().contains("ANTHROPIC_API_KEY, OPENAI_API_KEY"), "{message}");
    assert_eq!(message.lines().count(), 2);
    assert_eq!(none.models(), Ok(vec![]));
}

#[test]
fn a_key_from_the_editor_goes_before_all_others_until_it_is_taken_back() {
    let (_dir, source) =
        source("config.yaml", "provider: {anthropic: {type: anthropic, default_model: m}}", None);
    assert!(refusal(&source, None).contains("ANTHROPIC_API_KEY is not set"));
    source.clone().set_secret("anthropic", "sk-1");
    assert_eq!(source.model(None).unwrap().id, "m");
    source.set_secret("anthropic", "");
    assert!(refusal(&source, None).contains("ANTHROPIC_API_KEY is not set"));
}

/// Answers one request with this and returns what was asked, when it has been.
fn answer_once(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let length = stream.read(&mut request).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(request[..length].to_vec()).unwrap()
    });
    (address, served)
}

#[test]
fn an_ollama_that_runs_is_found_with_its_models() {
    let tags =
        "HTTP/1.0 200 OK\r\n\r\n{\"models\": [{\"name\": \"qwen3:8b\", \"size\": 1}, {\"name\": \"tiny\"}]}";
    let (address, served) = answer_once(tags);
    let dir = tempfile::tempdir().unwrap();
    let source = ConfigSource::new(dir.path().to_owned(), None, move |name| {
        (name == "OLLAMA_HOST").then(|| address.clone())
    });
    assert_eq!(source.models().unwrap(), ["ollama/qwen3:8b", "ollama/tiny"]);
    assert!(served.join().unwrap().starts_with("GET /api/tags HTTP/1.0\r\n"));
}

#[test]
fn what_is_no_ollama_is_not_asked() {
    for answer in
        ["HTTP/1.0 404 Not Found\r\n\r\n{\"models\": []}", "HTTP/1.0 200 OK\r\n\r\nhello", "nonsense", ""]
    {
        let (address, served) = answer_once(answer);
        assert_eq!(ollama::models(address.parse().unwrap()), None, "{answer}");
        served.join().unwrap();
    }
}

#[test]
fn ollama_is_looked_for_on_this_machine_only() {
    let address = |host| ollama::address(host).map(|address| address.to_string());
    for (host, expected) in [
        (None, Some("127.0.0.1:11434")),
        (Some(""), Some("127.0.0.1:11434")),
        (Some("localhost:1234"), Some("127.0.0.1:1234")),
        (Some("0.0.0.0"), Some("127.0.0.1:11434")),
        (Some("http://127.0.0.1:99/"), Some("127.0.0.1:99")),
        (Some("[::1]:99"), Some("[::1]:99")),
        (Some(":8080"), Some("127.0.0.1:8080")),
        (Some("192.168.1.2:11434"), None),
        (Some("example.com"), None),
        (Some("127.0.0.1:x"), None),
    ] {
        assert_eq!(address(host).as_deref(), expected, "{host:?}");
    }
}
