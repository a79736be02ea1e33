//! Looks into JSON that somebody else wrote: what is not there is null.

use serde_json::Value;

/// Returns what stands at a JSON pointer (RFC 6901); null when nothing does.
pub(crate) fn look<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    const NULL: &Value = &Value::Null;
    value.pointer(pointer).unwrap_or(NULL)
}
