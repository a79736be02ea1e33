//! `task_get`: tells where a task stands that the agent has given away, and what came of it.

use serde_json::Value;

use super::background_output::{Input, schema};
use super::{Context, Kind, Outcome, Tool, delegate};

pub(super) const TOOL: Tool = Tool {
    name: "task_get",
    description: "Tell where a task stands that you have given to a subagent, and what came of it.",
    schema,
    kind: Kind::Acts,
    run,
};

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { task_id } = super::input("task_get", input)?;
    let site = ctx.site.ok_or("there are no tasks here")?;
    Ok(delegate::act(site, "task_get", "look at a task", task_id.clone(), move |site| {
        Box::pin(async move {
            let task = delegate::own(&site, &task_id).await?;
            if task.status.is_final() {
                return Ok(super::handed(&task));
            }
            let activity = task.activity.map(|activity| format!("\nit does: {activity}")).unwrap_or_default();
            Ok(format!("task_id: {}\nstatus: {}{activity}", task.id, task.status.name()))
        })
    }))
}
