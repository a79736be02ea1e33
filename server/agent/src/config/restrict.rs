//! What a project may make of a setting: never more than the user allows.

use serde_json::Value;

/// Returns a number that a project sets, if it is not above the present one.
pub(super) fn lower(present: Option<&Value>, value: Value) -> Result<Value, String> {
    match present.and_then(Value::as_f64) {
        Some(present) if value.as_f64().is_none_or(|value| value > present) => {
            Err(format!("is set to {value} by a project, which may only lower it; it stays {present}"))
        }
        _ => Ok(value),
    }
}

/// Returns a choice that a project makes, if it does not stand behind the present one.
///
/// Without a present one the user has the default, the second of the list in each of our lists.
pub(super) fn earlier(order: &[&str], present: Option<&Value>, value: Value) -> Result<Value, String> {
    let place = |value: &Value| order.iter().position(|word| Some(*word) == value.as_str());
    let present = present.and_then(place).unwrap_or(1);
    match place(&value) {
        Some(new) if new <= present => Ok(value),
        _ => {
            let stays = order.get(present).copied().unwrap_or_default();
            Err(format!("is set to {value} by a project, which may only make it stricter; it stays {stays}"))
        }
    }
}

/// Returns the present rules and behind them those of a project. A rule that allows something is refused.
pub(super) fn add_rules(present: Option<&Value>, value: Value) -> Result<Value, String> {
    let mut rules = present.and_then(Value::as_array).cloned().unwrap_or_default();
    let Value::Array(new) = value else { return Err("must be a list".to_owned()) };
    let restricts = |rule: &Value| matches!(rule.get("action").and_then(Value::as_str), Some("ask" | "deny"));
    if !new.iter().all(restricts) {
        return Err("has a rule of a project that neither asks nor denies; none of them is used".to_owned());
    }
    rules.extend(new);
    Ok(Value::Array(rules))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_may_only_become_smaller() {
        assert_eq!(lower(Some(&json!(2)), json!(1.5)), Ok(json!(1.5)));
        assert_eq!(lower(None, json!(7)), Ok(json!(7)));
        assert!(lower(Some(&json!(2)), json!(3)).unwrap_err().contains("it stays 2"));
    }

    #[test]
    fn a_choice_may_only_become_stricter() {
        let order = ["readonly", "manual", "yolo"];
        assert_eq!(earlier(&order, None, json!("readonly")), Ok(json!("readonly")));
        assert_eq!(earlier(&order, Some(&json!("yolo")), json!("manual")), Ok(json!("manual")));
        assert!(earlier(&order, None, json!("yolo")).unwrap_err().contains("it stays manual"));
    }

    #[test]
    fn rules_may_only_restrict() {
        let (deny, allow) = (json!({"tool": "*", "action": "deny"}), json!({"tool": "*", "action": "allow"}));
        let both = add_rules(Some(&json!([allow])), json!([deny])).unwrap();
        assert_eq!(both, json!([allow, deny]));
        assert!(add_rules(None, json!([deny, allow])).is_err());
        assert!(add_rules(None, json!([{"tool": "*"}])).is_err());
    }
}
