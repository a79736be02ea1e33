//! `todowrite`: the model's list of what it is going to do, for the user to see.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Context, Kind, Outcome, Tool};

/// The most entries of a list.
const MOST: usize = 100;

pub(super) const TOOL: Tool = Tool {
    name: "todowrite",
    description: "Show the user what you are going to do and how far you are: the whole list each time. Keep one entry \
                  `in_progress`. For work of several steps only.",
    schema,
    kind: Kind::Notes,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    todos: Vec<Todo>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Todo {
    content: String,
    status: Status,
    active_form: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pending,
    InProgress,
    Completed,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "todos": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "content": {"type": "string", "description": "what is to be done"},
                        "status": {"type": "string", "enum": ["pending", "in_progress", "completed"]},
                        "activeForm": {"type": "string", "description": "what is said while it is done"}
                    },
                    "required": ["content", "status"],
                    "additionalProperties": false
                }
            }
        },
        "required": ["todos"],
        "additionalProperties": false
    })
}

fn run(input: &Value, _ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { todos } = super::input("todowrite", input)?;
    if todos.len() > MOST {
        return Err(format!("the list has {} entries; at most {MOST} are shown", todos.len()));
    }
    if let Some(index) = todos.iter().position(|todo| todo.content.trim().is_empty()) {
        return Err(format!("entry {} says nothing in `content`", index + 1));
    }
    let line = |todo: &Todo| match todo.status {
        Status::Pending => format!("[ ] {}", todo.content),
        Status::InProgress => format!("[>] {}", todo.active_form.as_ref().unwrap_or(&todo.content)),
        Status::Completed => format!("[x] {}", todo.content),
    };
    let lines: Vec<String> = todos.iter().map(line).collect();
    Ok(Outcome::Answer(if lines.is_empty() { "the list is empty".to_owned() } else { lines.join("\n") }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tool::tests::World;

    #[test]
    fn a_list_is_taken_whole_or_refused_plainly() {
        let mut world = World::new(&[]);
        let mut write = |todos: serde_json::Value| world.call("todowrite", json!({ "todos": todos }));
        let todos = json!([
            {"content": "look", "status": "completed"},
            {"content": "mend it", "status": "in_progress", "activeForm": "mending it"},
            {"content": "test it", "status": "pending"},
        ]);
        assert_eq!(write(todos).unwrap(), "[x] look\n[>] mending it\n[ ] test it");
        assert_eq!(write(json!([])).unwrap(), "the list is empty");
        assert!(
            write(json!([{"content": "x", "status": "done"}]))
                .unwrap_err()
                .contains("unknown variant `done`")
        );
        assert!(write(json!([{"content": " ", "status": "pending"}])).unwrap_err().contains("entry 1"));
    }
}
