//! A configuration file as its single values, each with its key and the line it stands in.

use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

/// One value of a configuration, below no mapping that is not on its path.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// The names of the mappings around it, and its own.
    pub(super) path: Vec<String>,
    /// What it is set to; a list is one value, a mapping only if it is empty.
    pub(super) value: Value,
    /// The line of its key, from 1; 0 where there are no lines.
    pub(super) line: u64,
}

/// Why a file cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// The line, from 1; 0 if it is not known.
    pub(super) line: u64,
    pub(super) why: String,
}

/// A value of YAML with the lines of its keys.
enum Node {
    Leaf(Value),
    Mapping(Vec<(String, u64, Node)>),
}

/// Reads a file, YAML or JSON, which is YAML too. An empty file says nothing.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, Unreadable> {
    let text = super::text::text(path)
        .map_err(|error| Unreadable { line: 0, why: format!("it cannot be read: {error}") })?;
    parse(&text)
}

/// Reads the text of a file.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, Unreadable> {
    let node: Node = serde_saphyr::from_str(text).map_err(|error| {
        let why = error.without_snippet().to_string().lines().next().unwrap_or_default().to_owned();
        Unreadable { line: error.location().map_or(0, |location| location.line()), why }
    })?;
    match node {
        Node::Leaf(Value::Null) => Ok(Vec::new()),
        Node::Leaf(_) => Err(Unreadable { line: 1, why: "it must be a mapping".to_owned() }),
        node @ Node::Mapping(_) => Ok(flat(node)),
    }
}

/// Returns the single values of what has no lines, such as an editor's settings.
pub(super) fn entries(value: &Value) -> Vec<Entry> {
    flat(node(value))
}

fn node(value: &Value) -> Node {
    match value {
        Value::Object(members) => {
            Node::Mapping(members.iter().map(|(name, value)| (name.clone(), 0, node(value))).collect())
        }
        value => Node::Leaf(value.clone()),
    }
}

fn flat(node: Node) -> Vec<Entry> {
    let mut entries = Vec::new();
    flatten(node, &mut Vec::new(), 0, &mut entries);
    entries
}

fn flatten(node: Node, path: &mut Vec<String>, line: u64, entries: &mut Vec<Entry>) {
    let mut leaf = |value| entries.push(Entry { path: path.clone(), value, line });
    match node {
        // Null says nothing: what is below it stays.
        Node::Leaf(Value::Null) => {}
        Node::Leaf(value) => leaf(value),
        Node::Mapping(members) if members.is_empty() && !path.is_empty() => leaf(Value::Object(Map::new())),
        Node::Mapping(members) => {
            for (name, line, member) in members {
                path.push(name);
                flatten(member, path, line, entries);
                path.pop();
            }
        }
    }
}

impl Node {
    fn into_value(self) -> Value {
        match self {
            Self::Leaf(value) => value,
            Self::Mapping(members) => {
                members.into_iter().map(|(name, _, node)| (name, node.into_value())).collect()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Leaf(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Node>()? {
            list.push(item.into_value());
        }
        Ok(Node::Leaf(Value::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some((name, node)) = members.next_entry::<Spanned<String>, Node>()? {
            list.push((name.value, name.referenced.line(), node));
        }
        Ok(Node::Mapping(list))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(text: &str) -> Vec<String> {
        let entries = parse(text).unwrap();
        entries
            .iter()
            .map(|entry| format!("{}: {} = {}", entry.line, entry.path.join("."), entry.value))
            .collect()
    }

    #[test]
    fn every_value_has_its_key_and_its_line() {
        let yaml = "# a comment\nmodels:\n  main: a/b\n  fast:\n    - c/d\n    - e/f\n\nusage: {budget: {day_usd: 1.5}}\nprovider:\n  x: {}\n  y: null\n";
        assert_eq!(
            lines(yaml),
            [
                "3: models.main = \"a/b\"",
                "4: models.fast = [\"c/d\",\"e/f\"]",
                "8: usage.budget.day_usd = 1.5",
                "10: provider.x = {}",
            ]
        );
        assert_eq!(lines("{\n  \"a\": {\n    \"b\": true\n  }\n}\n"), ["3: a.b = true"]);
        assert_eq!(lines(""), [""; 0]);
    }

    #[test]
    fn what_cannot_be_read_has_its_line() {
        assert_eq!(parse("- a").unwrap_err(), Unreadable { line: 1, why: "it must be a mapping".into() });
        let broken = parse("a: 1\nb: [").unwrap_err();
        assert!(broken.line >= 2 && !broken.why.contains('\n'), "{broken:?}");
        let twice = parse("a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!(twice.line, 3, "{twice:?}");
    }

    #[test]
    fn what_has_no_lines_is_read_too() {
        let entries = entries(&json!({"a": {"b": 1, "c": null}}));
        assert_eq!(entries, [Entry { path: vec!["a".into(), "b".into()], value: json!(1), line: 0 }]);
    }
}
