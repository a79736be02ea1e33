//! Checks what a server sends against the protocol's own meta model: unknown and missing members, types, enumerations.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

mod own;

/// The meta model of one version of the Language Server Protocol, as it is published with the specification.
#[derive(Debug)]
pub struct MetaModel {
    structures: HashMap<String, Value>,
    enumerations: HashMap<String, Value>,
    aliases: HashMap<String, Value>,
    requests: HashMap<String, Value>,
    notifications: HashMap<String, Value>,
}

/// What a request of ours was, so that its answer can be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    method: String,
    /// The command, if it was `workspace/executeCommand`.
    command: Option<String>,
}

impl Asked {
    /// Returns what a message asks; `None` for one that asks nothing.
    pub fn by(message: &Value) -> Option<Self> {
        let method = message.get("method")?.as_str()?.to_owned();
        let command = message.pointer("/params/command").and_then(Value::as_str).map(str::to_owned);
        Some(Self { method, command })
    }
}

/// Members by name.
type Properties = BTreeMap<String, Value>;

impl MetaModel {
    /// Returns the model if it is at hand: the file that `KKCODE_LSP_META_MODEL` names, else the newest in
    /// `../shared/lsp`, relative to the repository.
    pub fn at_hand() -> Option<&'static Self> {
        static MODEL: LazyLock<Option<MetaModel>> =
            LazyLock::new(|| file().map(|path| MetaModel::read(&path)));
        MODEL.as_ref()
    }

    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("the meta model can be read");
        let model: Value = serde_json::from_str(&text).expect("the meta model is JSON");
        let by = |list: &str, key: &str| {
            let entries = model.get(list).and_then(Value::as_array).into_iter().flatten();
            entries.map(|entry| (string(entry, key).to_owned(), entry.clone())).collect()
        };
        Self {
            structures: by("structures", "name"),
            enumerations: by("enumerations", "name"),
            aliases: by("typeAliases", "name"),
            requests: by("requests", "method"),
            notifications: by("notifications", "method"),
        }
    }

    /// Returns what is wrong with a message of a server; `asked` is what it answers, as far as that is known.
    pub fn violations(&self, message: &Value, asked: Option<&Asked>) -> Vec<String> {
        let Some(members) = message.as_object() else { return vec!["$: no object".to_owned()] };
        let found = match members.get("method").and_then(Value::as_str) {
            Some(method) => self.call(method, members),
            None => self.answer(members, asked),
        };
        found.into_iter().map(|violation| format!("{violation} in {message}")).collect()
    }

    fn call(&self, method: &str, message: &Map<String, Value>) -> Vec<String> {
        let mut found = unknown(message, &["jsonrpc", "id", "method", "params"]);
        let params = message.get("params");
        let is_request = message.contains_key("id");
        if method.starts_with("kkcode/") {
            found.extend(own::params(method, is_request, params.unwrap_or(&Value::Null)));
            return found;
        }
        let known = if is_request { &self.requests } else { &self.notifications };
        let Some(spec) = known.get(method) else {
            found.push(format!("{method}: unknown"));
            return found;
        };
        if string(spec, "messageDirection") == "clientToServer" {
            found.push(format!("{method}: is for clients to send"));
        }
        match (spec.get("params"), params) {
            (Some(_), None) => found.push("$.params: missing".to_owned()),
            (None, Some(_)) => found.push("$.params: this method has none".to_owned()),
            (Some(wanted), Some(params)) => found.extend(self.check(wanted, params, "$.params")),
            (None, None) => {}
        }
        if method == "$/progress"
            && let Some(value) = params.and_then(|params| params.get("value"))
        {
            let kind = match string(value, "kind") {
                "begin" => "WorkDoneProgressBegin",
                "report" => "WorkDoneProgressReport",
                "end" => "WorkDoneProgressEnd",
                _ => return found,
            };
            found.extend(self.check(&reference(kind), value, "$.params.value"));
        }
        found
    }

    fn answer(&self, message: &Map<String, Value>, asked: Option<&Asked>) -> Vec<String> {
        let mut found = unknown(message, &["jsonrpc", "id", "result", "error"]);
        if let Some(error) = message.get("error") {
            found.extend(self.check(&reference("ResponseError"), error, "$.error"));
        }
        if let (Some(result), Some(Asked { method, command })) = (message.get("result"), asked) {
            if let Some(wanted) = self.requests.get(method).and_then(|spec| spec.get("result")) {
                found.extend(self.check(wanted, result, "$.result"));
            }
            let own = if method == "workspace/executeCommand" { command.as_ref() } else { Some(method) };
            found.extend(own.map(|name| own::result(name, result)).unwrap_or_default());
        }
        found
    }

    fn check(&self, wanted: &Value, value: &Value, at: &str) -> Vec<String> {
        let name = string(wanted, "name");
        match string(wanted, "kind") {
            "base" => {
                if is_base(name, value) {
                    Vec::new()
                } else {
                    vec![format!("{at}: no {name}: {value}")]
                }
            }
            "reference" => self.named(name, value, at),
            "array" => {
                let Some(items) = value.as_array() else { return vec![format!("{at}: no array: {value}")] };
                let element = part(wanted, "element");
                let items = items.iter().enumerate();
                items.flat_map(|(index, item)| self.check(element, item, &format!("{at}[{index}]"))).collect()
            }
            "map" => {
                let Some(items) = value.as_object() else { return vec![format!("{at}: no map: {value}")] };
                let inner = part(wanted, "value");
                items
                    .iter()
                    .flat_map(|(key, item)| self.check(inner, item, &format!("{at}[{key}]")))
                    .collect()
            }
            "literal" => self.members(&properties(part(wanted, "value")), value, at),
            "stringLiteral" => {
                let is_it = part(wanted, "value") == value;
                if is_it { Vec::new() } else { vec![format!("{at}: not {}", part(wanted, "value"))] }
            }
            "tuple" => {
                let (items, values) =
                    (list(wanted, "items"), value.as_array().map_or(&[][..], Vec::as_slice));
                if items.len() != values.len() {
                    return vec![format!("{at}: no tuple of {}: {value}", items.len())];
                }
                items.iter().zip(values).flat_map(|(item, value)| self.check(item, value, at)).collect()
            }
            "and" => {
                let all = list(wanted, "items").iter().map(|item| self.properties_of(string(item, "name")));
                self.members(&all.flatten().collect(), value, at)
            }
            "or" => {
                // What fails in the fewest places is what was meant.
                let tried = list(wanted, "items").iter().map(|item| self.check(item, value, at));
                tried.min_by_key(Vec::len).unwrap_or_default()
            }
            kind => vec![format!("{at}: a type of kind {kind:?} that this checker does not know")],
        }
    }

    fn named(&self, name: &str, value: &Value, at: &str) -> Vec<String> {
        let is_any = match name {
            "LSPAny" => true,
            "LSPObject" => value.is_object(),
            "LSPArray" => value.is_array(),
            "ResponseError" => return response_error(value, at),
            _ => false,
        };
        if is_any {
            return Vec::new();
        }
        if self.structures.contains_key(name) {
            return self.members(&self.properties_of(name), value, at);
        }
        if let Some(enumeration) = self.enumerations.get(name) {
            let found = self.check(part(enumeration, "type"), value, at);
            let is_open = enumeration.get("supportsCustomValues") == Some(&json!(true));
            let is_listed = list(enumeration, "values").iter().any(|entry| part(entry, "value") == value);
            if found.is_empty() && !is_open && !is_listed {
                return vec![format!("{at}: {value} is no {name}")];
            }
            return found;
        }
        match self.aliases.get(name) {
            Some(alias) => self.check(part(alias, "type"), value, at),
            None => vec![format!("{at}: no {name}: {value}")],
        }
    }

    /// Returns the members of a structure, with those of the structures that it is made of.
    fn properties_of(&self, name: &str) -> Properties {
        let Some(structure) = self.structures.get(name) else { return Properties::new() };
        let bases = list(structure, "extends").iter().chain(list(structure, "mixins"));
        let mut all: Properties = bases.flat_map(|base| self.properties_of(string(base, "name"))).collect();
        all.extend(properties(structure));
        all
    }

    fn members(&self, properties: &Properties, value: &Value, at: &str) -> Vec<String> {
        let Some(members) = value.as_object() else { return vec![format!("{at}: no object: {value}")] };
        let unknown = members.keys().filter(|name| !properties.contains_key(*name));
        let mut found: Vec<String> = unknown.map(|name| format!("{at}.{name}: unknown member")).collect();
        for (name, property) in properties {
            match members.get(name) {
                Some(member) => {
                    found.extend(self.check(part(property, "type"), member, &format!("{at}.{name}")));
                }
                None if property.get("optional") == Some(&json!(true)) => {}
                None => found.push(format!("{at}.{name}: missing")),
            }
        }
        found
    }
}

/// JSON-RPC's own, which the meta model leaves out.
fn response_error(error: &Value, at: &str) -> Vec<String> {
    let Some(members) = error.as_object() else { return vec![format!("{at}: no object: {error}")] };
    let mut found = unknown(members, &["code", "message", "data"]);
    if !members.get("code").is_some_and(Value::is_i64)
        || !members.get("message").is_some_and(Value::is_string)
    {
        found.push(format!("{at}: no error: {error}"));
    }
    found
}

fn is_base(name: &str, value: &Value) -> bool {
    match name {
        "string" | "RegExp" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "uinteger" => value.as_u64().is_some_and(|number| number < 1 << 31),
        "decimal" => value.is_number(),
        "URI" | "DocumentUri" => value.as_str().is_some_and(is_uri),
        _ => false,
    }
}

/// Tells whether a text begins with a scheme (RFC 3986, section 3.1).
fn is_uri(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
}

fn unknown(members: &Map<String, Value>, known: &[&str]) -> Vec<String> {
    let unknown = members.keys().filter(|name| !known.contains(&name.as_str()));
    unknown.map(|name| format!("$.{name}: unknown member")).collect()
}

fn properties(structure: &Value) -> Properties {
    let all = list(structure, "properties").iter();
    all.map(|property| (string(property, "name").to_owned(), property.clone())).collect()
}

fn reference(name: &str) -> Value {
    json!({"kind": "reference", "name": name})
}

fn string<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn part<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&Value::Null)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn file() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("KKCODE_LSP_META_MODEL") {
        return Some(path.into());
    }
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let files = std::fs::read_dir(repository.parent()?.join("shared/lsp")).ok()?;
    let paths = files.flatten().map(|file| file.path());
    let is_model = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("metaModel-") && Path::new(name).extension().is_some_and(|kind| kind == "json")
    };
    paths.filter(is_model).max()
}
