//! What running turns say, for the client: our notifications, and what their progress does now.

use kkcode_agent::runtime::{CallEnd, TurnUpdate, Update};
use kkcode_protocol::message::Notification as _;
use kkcode_protocol::notifications::TurnDidUpdate;
use kkcode_protocol::turn::{self, ToolStatus, TurnDidUpdateParams};
use serde_json::Value;

use crate::client::Client;
use crate::progress::Work;
use crate::session::Session;
use crate::to_proto;

/// The longest summary of a tool's answer, in characters.
const LONGEST: usize = 200;

/// The members of a tool's input that say what it is about, the first that is there.
const ABOUT: [&str; 7] = ["path", "file_path", "notebook_path", "pattern", "command", "query", "description"];

/// Tells what a turn says.
pub(crate) fn tell(session: &Session, editor: &Client, TurnUpdate { turn, update }: TurnUpdate) {
    let text = if let Update::Text(text) = &update { text.as_str() } else { "" };
    let offset = session.hear(&turn, text);
    match &update {
        Update::Retrying(retrying) => session.note_retry(&turn, Some(retrying.clone())),
        Update::Asking => session.note_retry(&turn, None),
        _ => {}
    }
    if let Some(doing) = doing(&update) {
        session.progress().report(&Work::Turn(turn.clone()), doing);
    }
    if session.client().kkcode {
        let update = to_wire(update);
        editor.notify(TurnDidUpdate::NAME, TurnDidUpdateParams { turn_id: turn.to_string(), offset, update });
    }
}

fn doing(update: &Update) -> Option<String> {
    match update {
        Update::Text(_) => Some("writing".to_owned()),
        Update::Thinking(_) => Some("thinking".to_owned()),
        Update::ToolCall { name, input, .. } => Some(title(name, input)),
        Update::Retrying(retrying) => Some(retrying.describe()),
        Update::Asking => Some("asking the model again".to_owned()),
        Update::ToolResult { .. } | Update::Plan(_) | Update::Usage(_) => None,
    }
}

fn to_wire(update: Update) -> turn::TurnUpdate {
    match update {
        Update::Text(text) => turn::TurnUpdate::Text { text },
        Update::Thinking(text) => turn::TurnUpdate::Thinking { text },
        Update::ToolCall { id, name, input } => {
            let title = title(&name, &input);
            turn::TurnUpdate::ToolCall { call_id: id, tool: name, title }
        }
        Update::ToolResult { id, text, end } => turn::TurnUpdate::ToolResult {
            call_id: id,
            status: match end {
                CallEnd::Ok => ToolStatus::Ok,
                CallEnd::Error => ToolStatus::Error,
                CallEnd::Denied => ToolStatus::Denied,
                CallEnd::Cancelled => ToolStatus::Cancelled,
            },
            summary: Some(summary(&text)),
        },
        Update::Plan(entries) => {
            turn::TurnUpdate::Plan { entries: entries.into_iter().map(to_proto::plan_entry).collect() }
        }
        Update::Usage(usage) => turn::TurnUpdate::Usage { usage: to_proto::usage(usage) },
        Update::Retrying(retrying) => turn::TurnUpdate::Status {
            status: turn::TurnStatus::Retrying,
            retry: Some(to_proto::retry(&retrying)),
        },
        Update::Asking => turn::TurnUpdate::Status { status: turn::TurnStatus::Running, retry: None },
    }
}

/// Returns what a call does, in a few words.
pub(crate) fn title(tool: &str, input: &Value) -> String {
    let about = ABOUT.iter().find_map(|name| input.get(name)).and_then(Value::as_str).unwrap_or_default();
    format!("{tool} {}", first_line(about)).trim_end().to_owned()
}

/// Returns what came of a call, in a few words.
pub(crate) fn summary(text: &str) -> String {
    let lines = text.trim_end().lines().count();
    let first = first_line(text);
    if lines > 1 { format!("{first} (+{} lines)", lines - 1) } else { first }
}

fn first_line(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim_end();
    match line.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", line.get(..cut).unwrap_or(line)),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn calls_and_answers_are_told_in_a_few_words() {
        assert_eq!(title("edit", &json!({"path": "a.rs", "before": "x"})), "edit a.rs");
        assert_eq!(title("bash", &json!({"command": "cargo test\n--all"})), "bash cargo test");
        assert_eq!(title("sysinfo", &json!({})), "sysinfo");
        assert_eq!(summary("one\ntwo\nthree\n"), "one (+2 lines)");
        assert_eq!(summary("proposed"), "proposed");
        assert_eq!(summary(&"x".repeat(300)).chars().count(), 201);
    }
}
