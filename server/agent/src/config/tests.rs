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

/// The models to choose from.
fn names(source: &ConfigSource) -> Vec<String> {
    source.models().unwrap().into_iter().map(|entry| entry.model).collect()
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
    assert!(refusal(&broken, None).contains("config.yaml:1: "));
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
        ("{type: openai-compatible, protocol: telex, base_url: 'https://example.com'}", "`telex`"),
        ("{type: openai-compatible}", "needs `base_url`"),
        ("{type: openai-compatible, base_url: 'http://example.com'}", "is not encrypted"),
        (
            "{type: openai-compatible, base_url: 'https://example.com', api_key_env: P_KEY}",
            "P_KEY is not set",
        ),
        ("{type: anthropic}", "ANTHROPIC_API_KEY is not set"),
        ("{type: ollama, headers: {'a b': c}}", "the header `a b`"),
        ("{type: ollama, max_tokens: many}", "must be a whole number"),
    ] {
        let (_dir, source) = source("config.yaml", &format!("provider: {{p: {provider}}}"), None);
        let message = refusal(&source, Some("p/m"));
        assert!(
            message.contains(part) && (message.contains("`p`") || message.contains("`provider.p.")),
            "{provider}: {message}"
        );
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
    assert_eq!(names(&source), models);
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
    assert!(
        refusal(&odd, None)
            .ends_with("config.yaml:5: `models.main` must be a text or a list of texts, not 7")
    );
    let (_dir, gone) = source("config.yaml", &format!("{YAML}models: {{main: [a, c/x]}}\n"), None);
    assert!(refusal(&gone, None).contains("no provider `c`"), "a fallback that is not there is said at once");
}

#[test]
fn a_key_in_the_environment_is_enough() {
    let (_dir, anthropic) = bare(&[("ANTHROPIC_API_KEY", "sk-1"), ("OPENAI_API_KEY", "sk-2")]);
    assert_eq!(names(&anthropic), ["anthropic/claude-sonnet-5"]);
    assert_eq!(anthropic.model(None).unwrap().id, "claude-sonnet-5");
    let (_dir, openrouter) = bare(&[("ANTHROPIC_API_KEY", " "), ("OPENROUTER_API_KEY", "sk-2")]);
    assert_eq!(openrouter.model(None).unwrap().id, "anthropic/claude-sonnet-5");
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
    assert_eq!(names(&source), ["ollama/qwen3:8b", "ollama/tiny"]);
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

/// Writes files below a folder.
fn write(dir: &std::path::Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// A home and a project with these files; whether the project is trusted.
fn project(files: &[(&str, &str)], trusted: bool) -> (tempfile::TempDir, ConfigSource) {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), files);
    std::fs::create_dir_all(dir.path().join("project")).unwrap();
    let source = ConfigSource::new(dir.path().join("home"), None, no_ollama);
    source.set_folders(vec![dir.path().join("project")]);
    source.set_trusted(&dir.path().join("project"), trusted);
    (dir, source)
}

/// The settings and the problems of a configuration, as a user reads them.
fn shown(dir: &tempfile::TempDir, source: &ConfigSource) -> (Vec<String>, Vec<String>) {
    let plain = |text: String| text.replace(&format!("{}/", dir.path().display()), "");
    let effective = source.read();
    let setting =
        |setting: Setting| plain(format!("{} = {} ({})", setting.key, setting.value, setting.origin));
    let problem = |problem: &Problem| plain(format!("{}: {problem}", problem.severity.name()));
    (effective.settings().map(setting).collect(), effective.problems().iter().map(problem).collect())
}

#[test]
fn every_value_has_its_origin_and_later_ones_go_over_earlier_ones() {
    let (dir, source) = project(
        &[
            (
                "home/config.yml",
                "models:\n  main: a/one\n  fast: [a/two, a/three]\nusage:\n  budget: {day_usd: 5}\n",
            ),
            ("home/config.json", "{\"models\": {\"main\": \"never/read\"}}"),
            ("home/.env", "KKCODE_MODELS__SUBAGENT=a/sub\n"),
            ("project/.kkcode/config.yaml", "models: {main: never/read}\n"),
            ("project/kkcode.config.yaml", "# ours\nmodels:\n  fast: [b/x]\nusage: {budget: {day_usd: 3}}\n"),
            ("project/.env", "PASSWORD=x\nKKCODE_USAGE__BUDGET__DAY_USD=2\n"),
        ],
        true,
    );
    let (settings, problems) = shown(&dir, &source);
    assert_eq!(
        settings,
        [
            "models.fast = [\"b/x\"] (project/kkcode.config.yaml:3)",
            "models.main = \"a/one\" (home/config.yml:2)",
            "models.subagent = \"a/sub\" (home/.env:1)",
            "usage.budget.day_usd = 2 (project/.env:2)",
        ]
    );
    assert_eq!(problems, [""; 0]);
}

#[test]
fn a_project_may_only_tighten_and_chooses_no_endpoint_unless_it_is_trusted() {
    let files = [
        (
            "home/config.yaml",
            "permission: {level: accept-edits, rules: [{tool: bash, action: allow}]}\nusage: {budget: {day_usd: 5}}\n\
             provider: {p: {type: anthropic, api_key: sk-secret, default_model: m}}\n",
        ),
        (
            "project/.kkcode/config.yaml",
            "permission:\n  level: yolo\n  rules: [{tool: edit, action: deny}]\nusage:\n  budget: {day_usd: 50, turn_usd: 1}\n\
             provider:\n  p: {base_url: 'https://evil.example'}\n",
        ),
        ("project/.env", "KKCODE_PROVIDER__P__BASE_URL=https://evil.example\n"),
    ];
    let (dir, untrusted) = project(&files, false);
    let (settings, problems) = shown(&dir, &untrusted);
    assert_eq!(
        settings,
        [
            "permission.level = \"accept-edits\" (home/config.yaml:1)",
            "permission.rules = [{\"action\":\"allow\",\"tool\":\"bash\"},{\"action\":\"deny\",\"tool\":\"edit\"}] (project/.kkcode/config.yaml:3)",
            "provider.p.api_key = \"(not shown)\" (home/config.yaml:3)",
            "provider.p.default_model = \"m\" (home/config.yaml:3)",
            "provider.p.type = \"anthropic\" (home/config.yaml:3)",
            "usage.budget.day_usd = 5 (home/config.yaml:2)",
            "usage.budget.turn_usd = 1 (project/.kkcode/config.yaml:5)",
        ]
    );
    assert_eq!(
        problems,
        [
            "warning: project/.kkcode/config.yaml:2: `permission.level` is set to \"yolo\" by a project, which may only make it stricter; it stays accept-edits",
            "warning: project/.kkcode/config.yaml:5: `usage.budget.day_usd` is set to 50 by a project, which may only lower it; it stays 5",
            "warning: project/.kkcode/config.yaml:7: `provider.p.base_url` is set by a project whose folder is not trusted, and is not used; `kkcode-lsp trust grant` trusts it",
            "warning: project/.env:1: `provider.p.base_url` is set by a project whose folder is not trusted, and is not used; `kkcode-lsp trust grant` trusts it",
        ]
    );
    let (dir, trusted) = project(&files, true);
    let (settings, problems) = shown(&dir, &trusted);
    assert!(settings.contains(&"provider.p.base_url = \"https://evil.example\" (project/.env:1)".to_owned()));
    assert!(settings[0].contains("accept-edits"), "also a trusted project loosens nothing: {settings:?}");
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn every_error_has_file_line_and_key() {
    let (dir, source) = project(
        &[(
            "home/config.yaml",
            "provider:\n  p:\n    type: telepathy\n    max_tokens: -3\n    base_ulr: x\nmodels:\n  main: {a: b}\nui: {theme: dark}\n\
             permission: {mode: auto}\nnonsense: 1\nusage: 7\n",
        )],
        false,
    );
    assert_eq!(
        shown(&dir, &source).1,
        [
            "error: home/config.yaml:3: `provider.p.type` must be one of anthropic, openai, openai-compatible, ollama, gateway, scripted, not `telepathy`",
            "error: home/config.yaml:4: `provider.p.max_tokens` must be a whole number, not -3",
            "warning: home/config.yaml:5: `provider.p.base_ulr` is not known and has no effect; did you mean `provider.p.base_url`?",
            "error: home/config.yaml:7: `models.main` must not be a mapping",
            "note: home/config.yaml:8: `ui.theme` is kkcode's and has no effect here",
            "note: home/config.yaml:9: `permission.mode` is an old name; it is `permission.level` now",
            "warning: home/config.yaml:10: `nonsense` is not known and has no effect",
            "error: home/config.yaml:11: `usage` must be a mapping",
        ]
    );
}

#[test]
fn a_bad_new_configuration_keeps_the_old_one_and_says_so_once() {
    let (dir, source) = source("config.yaml", YAML, None);
    let (told, heard) = std::sync::mpsc::channel();
    source.on_problem(move |message| told.send(message).unwrap());
    assert_eq!(source.model(None).unwrap().id, "org/m1");
    write(dir.path(), &[("config.yaml", "provider:\n  default: 7\n")]);
    source.look_again();
    assert_eq!(source.model(None).unwrap().id, "org/m1");
    let heard: Vec<String> = heard.try_iter().collect();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(heard[0].contains("config.yaml:2: `provider.default` must be a text, not 7"), "{heard:?}");
    assert!(heard[0].ends_with("the configuration from before stays in force"), "{heard:?}");
    write(dir.path(), &[("config.yaml", &YAML.replace("org/m1", "m2"))]);
    assert_eq!(source.model(None).unwrap().id, "m2", "a good one counts at once");
    source.set_settings(Some(json!({"provider": {"b": {"default_model": "m3"}}})));
    assert_eq!(source.model(None).unwrap().id, "m3");
}

#[test]
fn a_selected_model_is_asked_until_another_is() {
    let (_dir, source) = source("config.yaml", YAML, None);
    assert_eq!(source.selected().unwrap(), "b/org/m1");
    assert_eq!(source.select("org/m1").unwrap(), "b/org/m1");
    assert_eq!(source.select("a/x").unwrap(), "a/x");
    assert_eq!(source.selected().unwrap(), "a/x");
    assert_eq!(source.model(None).unwrap().id, "x");
    assert_eq!(source.model(Some("main")).unwrap().id, "org/m1", "a role is what the configuration says");
    assert!(source.select("c/x").unwrap_err().message.contains("there are: a, b"));
    assert_eq!(source.selected().unwrap(), "a/x", "a refused choice changes nothing");
}

#[test]
fn prices_and_limits_are_those_of_the_configuration() {
    let yaml = "provider:\n  model_context: {gpt: 1000, gpt-5: 2000}\n  p: {type: openai-compatible, base_url: 'http://127.0.0.1:1', models: [gpt-5-x, gpt-4o, own], context_limit: 7}\n\
                usage: {pricing_file: prices.yaml, prices: {own: {input: 3, output: 4}}}\n";
    let (dir, source) = source("config.yaml", yaml, None);
    write(dir.path(), &[("prices.yaml", "own: {input: 1, output: 1}\ngpt-4o: {input: 9, output: 9}\n")]);
    let limits: Vec<_> = source.models().unwrap().into_iter().map(|entry| entry.context_tokens).collect();
    assert_eq!(limits, [Some(2000), Some(1000), Some(7)]);
    let input = |model| source.model(Some(model)).unwrap().tariffs[0].price.map(|price| price.input);
    assert_eq!(input("p/own"), Some(3.0));
    assert_eq!(input("p/gpt-4o"), Some(9.0));
    assert_eq!(input("p/gpt-5-x"), Some(1.25));
    assert_eq!(input("p/unheard-of"), None);
    write(dir.path(), &[("prices.yaml", "own: {inptu: 1}\n")]);
    assert!(refusal(&source, Some("p/own")).contains("prices.yaml: "));
}

#[test]
fn a_project_opens_no_private_network_even_if_it_is_trusted() {
    let home = tempfile::tempdir().unwrap();
    let project = tempfile::tempdir().unwrap();
    let open = "tool:\n  http: {allow_private_hosts: true}\n  websearch: {endpoint: https://evil.example/}\n";
    std::fs::write(project.path().join("kkcode.config.yaml"), open).unwrap();
    let source = ConfigSource::new(home.path().to_owned(), None, |_| None);
    source.set_folders(vec![project.path().to_owned()]);
    source.set_trusted(project.path(), true);
    let read = source.read();
    assert_eq!((read.get(&["tool"]), read.problems().len()), (None, 2), "{:?}", read.problems());

    std::fs::write(home.path().join("config.yaml"), open).unwrap();
    let opened = source.read();
    assert_eq!(opened.get(&["tool", "http", "allow_private_hosts"]), Some(&true.into()));
}

/// A keyring that has one key, and counts how often it is asked.
struct OneKey(Arc<std::sync::atomic::AtomicUsize>);

impl Keyring for OneKey {
    fn get(&self, provider: &str) -> Result<Option<Key>, String> {
        self.0.fetch_add(1, Ordering::Relaxed);
        match provider {
            "locked" => Err("locked".to_owned()),
            name => Ok((name == "anthropic").then(|| Key::new("sk-from-keyring"))),
        }
    }

    fn set(&self, _: &str, _: &str) -> Result<(), String> {
        Err("read only".to_owned())
    }

    fn forget(&self, _: &str) -> Result<bool, String> {
        Ok(false)
    }
}

#[test]
fn a_key_in_the_keyring_is_enough_and_is_asked_for_last() {
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let source = |config: &str, variables: &'static [&str]| {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.yaml"), config).unwrap();
        let environment = move |name: &str| match name {
            "OLLAMA_HOST" => Some("127.0.0.1:1".to_owned()),
            name => variables.contains(&name).then(|| "sk-env".to_owned()),
        };
        let source = ConfigSource::new(dir.path().to_owned(), None, environment);
        (source.with_keyring(OneKey(asked.clone())), dir)
    };
    let count = || asked.swap(0, Ordering::Relaxed);

    // Nothing is configured: the known provider whose key is there is asked.
    let (found, _dir) = source("", &[]);
    assert!(found.model(None).is_ok_and(|model| model.tariffs[0].model.starts_with("anthropic/")));
    assert!(count() >= 1);
    assert!(found.model(None).is_ok());
    assert_eq!(count(), 0, "what was found lately is believed");

    let (with_variable, _dir) =
        source("provider: {anthropic: {type: anthropic, default_model: m}}", &["ANTHROPIC_API_KEY"]);
    assert!(with_variable.model(None).is_ok());
    assert_eq!(count(), 0, "the environment goes before");

    let (keyless, _dir) =
        source("provider: {anthropic: {type: anthropic, default_model: m, api_key_env: ''}}", &[]);
    assert!(keyless.model(None).is_ok());
    assert_eq!(count(), 0, "a provider without a key needs none");

    let (locked, _dir) =
        source("provider: {locked: {type: anthropic, default_model: m, api_key_env: L_KEY}}", &[]);
    let error = locked.model(None).err().unwrap().message;
    assert!(error.contains("L_KEY is not set") && error.contains("config key set locked"), "{error}");
    assert_eq!(count(), 1);

    let (off, _dir) =
        source("keyring: false\nprovider: {anthropic: {type: anthropic, default_model: m}}", &[]);
    assert!(off.model(None).is_err());
    assert_eq!(count(), 0);
}

#[test]
fn what_the_user_says_about_a_folder_holds_before_it_is_there_and_after() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    for trusting in [false, true] {
        let source = ConfigSource::new(dir.path().join("home"), None, no_ollama).trusting(trusting);
        source.set_trusted(&one, !trusting);
        assert_eq!(source.is_trusted(), !trusting, "before the folders are there");
        source.set_folders(vec![one.clone()]);
        assert_eq!(source.is_trusted(), !trusting);
        source.set_folders(vec![one.clone(), two.clone()]);
        assert!(!source.is_trusted(), "nothing was said about the one or the other");
        source.set_folders(vec![two.clone()]);
        assert_eq!(source.is_trusted(), trusting);
        source.set_folders(vec![one.clone()]);
        assert_eq!(source.is_trusted(), !trusting, "it went and came back");
    }
}
