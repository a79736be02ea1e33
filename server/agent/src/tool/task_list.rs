//! `task_list`: tells which tasks the agent has given away, and where they stand.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Context, Kind, Outcome, Tool, delegate};

pub(super) const TOOL: Tool = Tool {
    name: "task_list",
    description: "List the tasks that you have given to subagents in this conversation, newest first.",
    schema,
    kind: Kind::Acts,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    group_id: Option<String>,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {"group_id": {"type": "string", "description": "only those of this group"}},
        "required": [],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { group_id } = super::input("task_list", input)?;
    let site = ctx.site.ok_or("there are no tasks here")?;
    Ok(delegate::act(site, "task_list", "list tasks", String::new(), move |site| {
        Box::pin(async move {
            let tasks = delegate::tasks(&site);
            let mut own = delegate::of_session(&tasks, &site.turn.session).await.map_err(delegate::told)?;
            own.retain(|task| group_id.is_none() || task.spec.group == group_id);
            let line = |task: &kkcode_core::task::Task| {
                let name = task.spec.delegate.as_ref().map_or("", |delegate| delegate.subagent.as_str());
                format!("{} {} {name}: {}", task.id, task.status.name(), task.spec.description)
            };
            let lines: Vec<String> = own.iter().map(line).collect();
            Ok(if lines.is_empty() { "you have given no tasks away".to_owned() } else { lines.join("\n") })
        })
    }))
}
