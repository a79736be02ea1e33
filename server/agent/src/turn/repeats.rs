//! The guard against a model that makes the same call again and again and is answered the same each time.

use std::collections::BTreeMap;

use kkcode_provider::request::{BrokenCall, ToolCall};

/// From which repetition on the model is told so.
const WARN: usize = 3;
/// From which repetition on the call is not run any more.
const REFUSE: usize = 5;
/// With which repetition the turn ends.
const END: usize = 8;

/// How often each call was made since something changed, and what it was answered.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    calls: BTreeMap<String, Seen>,
    stuck: Option<String>,
}

#[derive(Debug, Default)]
struct Seen {
    answer: String,
    times: usize,
}

/// What is done about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is run.
    Run,
    /// It is not; the text is for the model.
    Refuse(String),
}

impl Repeats {
    /// Says whether a call is to be run.
    pub(super) fn look_at(&mut self, call: &Result<ToolCall, BrokenCall>) -> Verdict {
        let Ok(call) = call else { return Verdict::Run };
        let Some(seen) = self.calls.get(&key(call)) else { return Verdict::Run };
        if seen.times + 1 < REFUSE {
            return Verdict::Run;
        }
        let times = seen.times;
        Verdict::Refuse(format!(
            "not done: this very call was made {times} times and was answered the same; do something else, or end the turn"
        ))
    }

    /// Takes in what a call was answered, and returns what the model is told.
    pub(super) fn note(&mut self, call: &ToolCall, answer: String, changed: bool) -> String {
        if changed {
            self.calls.clear();
            return answer;
        }
        let seen = self.calls.entry(key(call)).or_default();
        let is_same = seen.answer == answer || seen.times + 1 >= REFUSE;
        seen.times = if is_same { seen.times + 1 } else { 1 };
        if seen.times >= END {
            self.stuck = Some(format!("the model made the same call of `{}` {END} times", call.name));
        }
        let times = seen.times;
        if seen.answer != answer && times < REFUSE {
            seen.answer.clone_from(&answer);
        }
        if (WARN..REFUSE).contains(&times) {
            format!("{answer}\n\n[You have made this very call {times} times with the same answer.]")
        } else {
            answer
        }
    }

    /// Says why the turn is to end, if it is.
    pub(super) fn stuck(&self) -> Option<String> {
        self.stuck.clone()
    }
}

fn key(call: &ToolCall) -> String {
    format!("{} {}", call.name, call.input)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(name: &str) -> ToolCall {
        ToolCall { id: "c".into(), name: name.into(), input: json!({"path": "x"}) }
    }

    #[test]
    fn the_same_call_is_warned_of_refused_and_ends_the_turn() {
        let mut repeats = Repeats::default();
        let mut told = Vec::new();
        for _ in 0..END {
            assert_eq!(repeats.stuck(), None);
            let text = match repeats.look_at(&Ok(call("read"))) {
                Verdict::Run => "text".to_owned(),
                Verdict::Refuse(reason) => reason,
            };
            told.push(repeats.note(&call("read"), text, false));
        }
        assert_eq!(told[..2], ["text", "text"]);
        assert!(told[2].contains("3 times") && told[3].contains("4 times"), "{told:?}");
        assert!(told[4..].iter().all(|text| text.starts_with("not done")), "{told:?}");
        assert!(repeats.stuck().unwrap().contains("`read` 8 times"));
    }

    #[test]
    fn another_answer_or_a_change_is_progress() {
        let mut repeats = Repeats::default();
        for round in 0..20 {
            assert_eq!(repeats.look_at(&Ok(call("read"))), Verdict::Run);
            repeats.note(&call("read"), format!("text {}", round / 2), false);
        }
        for _ in 0..20 {
            assert_eq!(repeats.look_at(&Ok(call("grep"))), Verdict::Run);
            repeats.note(&call("grep"), "same".into(), false);
            repeats.note(&call("edit"), "proposed".into(), true);
        }
        assert_eq!(repeats.stuck(), None);
    }

    #[test]
    fn two_calls_in_turn_are_a_loop_too() {
        let mut repeats = Repeats::default();
        for _ in 0..4 {
            for name in ["read", "grep"] {
                assert_eq!(repeats.look_at(&Ok(call(name))), Verdict::Run);
                repeats.note(&call(name), "same".into(), false);
            }
        }
        assert!(matches!(repeats.look_at(&Ok(call("read"))), Verdict::Refuse(_)));
    }
}
