use serde_json::json;

use super::*;

fn source(file: &str, text: &str, client: Option<Value>) -> (tempfile::TempDir, ConfigSource) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(file), text).unwrap();
    let source = ConfigSource { home: dir.path().to_owned(), client };
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
    let (_dir, empty) = source("config.yaml", "", None);
    assert!(refusal(&empty, None).starts_with("no model is configured; name a provider in"));
    let (_dir, untyped) = source("config.yaml", "provider: {a: {script: x}}", None);
    assert!(refusal(&untyped, None).contains("provider `a` in the configuration is not right"));
    let (_dir, unknown) = source("config.yaml", "provider: {a: {type: telepathy}}", None);
    assert!(refusal(&unknown, None).contains("`telepathy`"));
    let (_dir, two) = source("config.yaml", "provider: {a: {type: scripted}, b: {type: scripted}}", None);
    assert!(refusal(&two, None).contains("provider.default"));
    assert!(refusal(&two, Some("a")).contains("needs `script: PATH`"));
}
