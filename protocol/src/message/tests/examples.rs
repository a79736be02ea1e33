//! Every message has an example that its types read and write without loss.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::super::*;
use super::specs;

/// One file of `examples/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    name: String,
    kind: String,
    direction: String,
    params: Value,
    result: Option<Value>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// Returns the name of a message's example: the message's, with `-` for `/`.
fn file_name(message: &str) -> String {
    format!("{}.json", message.replace('/', "-"))
}

fn example(spec: MessageSpec) -> Example {
    let path = folder().join(file_name(spec.name));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let example: Example =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(example.name, spec.name);
    assert_eq!(example.direction, spec.direction.arrow(), "{}", spec.name);
    example
}

/// Returns what is left of a value that is read as `T` and written again.
fn round_trip<T: Wire>(value: &Value) -> serde_json::Result<Value> {
    serde_json::to_value(serde_json::from_value::<T>(value.clone())?)
}

fn check_round_trip<T: Wire>(name: &str, value: &Value) {
    let again = round_trip::<T>(value).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(&again, value, "{name}");
}

/// Returns each value that `value` becomes when one member or item, at any depth, is left out.
fn without_one(value: &Value) -> Vec<Value> {
    let mut smaller = Vec::new();
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let mut rest = members.clone();
                rest.remove(key);
                smaller.push(Value::Object(rest));
                for inner in without_one(member) {
                    let mut changed = members.clone();
                    changed.insert(key.clone(), inner);
                    smaller.push(Value::Object(changed));
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                for inner in without_one(item) {
                    let mut changed = items.clone();
                    changed[index] = inner;
                    smaller.push(Value::Array(changed));
                }
            }
        }
        _ => {}
    }
    smaller
}

/// Checks that what is left out is refused or stays out: it never comes back as a `null` or a made-up value.
fn check_absence<T: Wire>(name: &str, value: &Value) {
    for smaller in without_one(value) {
        if let Ok(again) = round_trip::<T>(&smaller) {
            assert_eq!(again, smaller, "{name}");
        }
    }
}

struct Check;

impl Check {
    fn body<P: Wire, R: Wire>(spec: MessageSpec, kind: &str) {
        let example = example(spec);
        assert_eq!(example.kind, kind, "{}", spec.name);
        let result = example.result.unwrap_or_else(|| panic!("{} has no result", spec.name));
        check_round_trip::<P>(spec.name, &example.params);
        check_round_trip::<R>(spec.name, &result);
        check_absence::<P>(spec.name, &example.params);
        check_absence::<R>(spec.name, &result);
    }
}

impl Visitor for Check {
    fn command<C: Command>(&mut self) {
        Self::body::<C::Params, C::Result>(C::SPEC, "command");
    }

    fn request<R: Request>(&mut self) {
        Self::body::<R::Params, R::Result>(R::SPEC, "request");
    }

    fn notification<N: Notification>(&mut self) {
        let example = example(N::SPEC);
        assert_eq!(example.kind, "notification", "{}", N::NAME);
        assert_eq!(example.result, None, "{}", N::NAME);
        check_round_trip::<N::Params>(N::NAME, &example.params);
        check_absence::<N::Params>(N::NAME, &example.params);
    }
}

#[test]
fn examples_lose_nothing_and_gain_nothing() {
    visit_all(&mut Check);
}

#[test]
fn every_example_is_of_a_message() {
    let files: BTreeSet<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, specs().map(|spec| file_name(spec.name)).collect());
}

struct Misspell;

impl Misspell {
    /// Returns what is said about `params` with one member too many.
    fn error<P: Wire>(spec: MessageSpec) -> Option<String> {
        let mut params = example(spec).params;
        params.as_object_mut().unwrap().insert("misspelt".to_owned(), Value::Bool(true));
        round_trip::<P>(&params).err().map(|error| error.to_string())
    }
}

impl Visitor for Misspell {
    fn command<C: Command>(&mut self) {
        let error = Self::error::<C::Params>(C::SPEC);
        assert!(error.as_ref().is_some_and(|error| error.contains("`misspelt`")), "{}: {error:?}", C::NAME);
    }

    fn request<R: Request>(&mut self) {
        assert_eq!(Self::error::<R::Params>(R::SPEC), None, "{}", R::NAME);
    }

    fn notification<N: Notification>(&mut self) {
        assert_eq!(Self::error::<N::Params>(N::SPEC), None, "{}", N::NAME);
    }
}

#[test]
fn commands_name_a_misspelt_member_and_methods_pass_over_new_ones() {
    visit_all(&mut Misspell);
}

struct NoNull;

impl NoNull {
    /// Reads the example with `null` in place of each member in turn: never may a `null` come out again.
    fn check<T: Wire>(name: &str, value: &Value) {
        for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
            let mut with_null = value.clone();
            with_null[key.as_str()] = Value::Null;
            if let Ok(again) = round_trip::<T>(&with_null) {
                assert_eq!(again.get(key), None, "{name}: {key}");
            }
        }
    }
}

impl Visitor for NoNull {
    fn command<C: Command>(&mut self) {
        let example = example(C::SPEC);
        Self::check::<C::Params>(C::NAME, &example.params);
        Self::check::<C::Result>(C::NAME, &example.result.unwrap());
    }

    fn request<R: Request>(&mut self) {
        let example = example(R::SPEC);
        Self::check::<R::Params>(R::NAME, &example.params);
        Self::check::<R::Result>(R::NAME, &example.result.unwrap());
    }

    fn notification<N: Notification>(&mut self) {
        Self::check::<N::Params>(N::NAME, &example(N::SPEC).params);
    }
}

#[test]
fn a_null_is_taken_for_absent_and_never_sent() {
    visit_all(&mut NoNull);
}
