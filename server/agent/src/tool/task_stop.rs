//! `task_stop`: ends a task that the agent has given away.

use kkcode_core::task::Interruption;
use serde_json::Value;

use super::background_output::{Input, schema};
use super::{Context, Kind, Outcome, Tool, delegate};

pub(super) const TOOL: Tool = Tool {
    name: "task_stop",
    description: "End a task that you have given to a subagent. What it has proposed stays.",
    schema,
    kind: Kind::Acts,
    run,
};

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { task_id } = super::input("task_stop", input)?;
    let site = ctx.site.ok_or("there are no tasks here")?;
    Ok(delegate::act(site, "task_stop", "end a task of a subagent", task_id.clone(), move |site| {
        Box::pin(async move {
            let task = delegate::own(&site, &task_id).await?;
            let tasks = delegate::tasks(&site);
            let task = tasks.cancel(&task.id, Interruption::RemoteCancel).await.map_err(delegate::told)?;
            Ok(if task.status.is_final() {
                super::handed(&task)
            } else {
                format!("{} was asked to end", task.id)
            })
        })
    }))
}
