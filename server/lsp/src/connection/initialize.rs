//! Makes the params of `initialize` readable: no client is turned away for a member that it spells in its own way.

use lsp_types::InitializeParams;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Returns the params without the members that `lsp_types` cannot read, such as `"rootUri": ""` or a capability that
/// became an object in a later version; nothing else of them is changed.
///
/// The server sees them all the same, raw, by [`super::Hooks::initialize_params`].
pub(super) fn readable(params: Value) -> Value {
    let Value::Object(members) = params else { return params };
    let members = if members.contains_key("capabilities") {
        members
    } else {
        with(&members, "capabilities", json!({}))
    };
    if is_readable(&members) {
        return Value::Object(members);
    }
    let mut kept = with(&Map::new(), "capabilities", json!({}));
    for (name, value) in members {
        let more = with(&kept, &name, value);
        if is_readable(&more) {
            kept = more;
        } else {
            tracing::warn!(name, "a member of the initialize params is not understood");
        }
    }
    Value::Object(kept)
}

fn is_readable(members: &Map<String, Value>) -> bool {
    InitializeParams::deserialize(members).is_ok()
}

fn with(members: &Map<String, Value>, name: &str, value: Value) -> Map<String, Value> {
    let mut members = members.clone();
    members.insert(name.to_owned(), value);
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_read_is_left_out() {
        for (params, expected) in [
            (
                json!({"capabilities": {"x": 1}, "rootUri": null}),
                json!({"capabilities": {"x": 1}, "rootUri": null}),
            ),
            (json!({}), json!({"capabilities": {}})),
            (json!({"rootUri": "", "rootPath": "/a"}), json!({"capabilities": {}, "rootPath": "/a"})),
            (
                json!({"capabilities": 7, "processId": "x", "locale": "de"}),
                json!({"capabilities": {}, "locale": "de"}),
            ),
            (json!([]), json!([])),
        ] {
            assert_eq!(readable(params), expected);
        }
    }
}
