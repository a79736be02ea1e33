//! `.env` files: `KKCODE_A__B_C=v` sets `a.b_c`.

use std::path::Path;

use serde_json::Value;

use super::document::Entry;
use super::schema;

/// What begins the names that count.
const PREFIX: &str = "KKCODE_";

/// The variable that names the home, which is no setting.
const HOME: &str = "KKCODE_HOME";

/// Returns the settings of a file; all its other lines are somebody else's, in whatever encoding.
pub(super) fn read(path: &Path) -> std::io::Result<Vec<Entry>> {
    Ok(parse(&String::from_utf8_lossy(&super::text::bytes(path)?)))
}

/// Returns what a file says of permissions: keys as they are called now, values, and lines from 1.
pub(crate) fn said_of_permissions(path: &Path) -> std::io::Result<Vec<(String, Value, u64)>> {
    let of_permissions = |entry: &Entry| entry.path.first().is_some_and(|name| name == "permission");
    let named = |Entry { mut path, mut value, line }| {
        schema::rename(&mut path, &mut value);
        (path.join("."), value, line)
    };
    Ok(read(path)?.into_iter().filter(of_permissions).map(named).collect())
}

fn parse(text: &str) -> Vec<Entry> {
    (1..).zip(text.lines()).filter_map(|(line, text)| entry(text, line)).collect()
}

fn entry(text: &str, line: u64) -> Option<Entry> {
    let text = text.trim();
    let (name, value) = text.strip_prefix("export ").unwrap_or(text).split_once('=')?;
    let name = name.trim();
    let names = name.strip_prefix(PREFIX).filter(|names| !names.is_empty() && name != HOME)?;
    let path = names.to_lowercase().split("__").map(str::to_owned).collect();
    Some(Entry { path, value: coerce(value.trim()), line })
}

/// Returns a truth value or a number where the text is one; what stands in quotes is a text.
fn coerce(text: &str) -> Value {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)) {
            return inner.into();
        }
    }
    match serde_json::from_str(text) {
        Ok(value @ (Value::Bool(_) | Value::Number(_))) => value,
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_lines_count() {
        let text = "# KKCODE_X=1\nDATABASE_URL=secret\nKKCODE_HOME=/tmp\nexport KKCODE_USAGE__BUDGET__DAY_USD = 2.5\n\
                    KKCODE_MODELS__MAIN='a/b'\nKKCODE_PROVIDER__P__STREAM=false\nKKCODE_\nKKCODE_PROVIDER__P__API_KEY=\"12\"\n";
        let entries = parse(text);
        let shown: Vec<String> = entries
            .iter()
            .map(|entry| format!("{}: {}={}", entry.line, entry.path.join("."), entry.value))
            .collect();
        assert_eq!(
            shown,
            [
                "4: usage.budget.day_usd=2.5",
                "5: models.main=\"a/b\"",
                "6: provider.p.stream=false",
                "8: provider.p.api_key=\"12\""
            ]
        );
    }
}
