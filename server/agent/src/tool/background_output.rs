//! `background_output`: tells what a command or a task in the background has said, and whether it runs.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Context, Kind, Outcome, Tool, delegate};

pub(super) const TOOL: Tool = Tool {
    name: "background_output",
    description: "Tell what a command or a task that was started with `run_in_background` has said so far, and whether it still \
                  runs.",
    schema,
    kind: Kind::Looks,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub(super) task_id: String,
}

pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {"task_id": {"type": "string", "description": "the id that `bash`, `task` or `task_group` gave"}},
        "required": ["task_id"],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { task_id } = super::input("background_output", input)?;
    let site = ctx.site.ok_or("no command can run here")?;
    let Some(status) = site.ports.background.look(&task_id) else {
        return Ok(delegate::act(
            site,
            "background_output",
            "look at a task",
            task_id.clone(),
            move |site| Box::pin(async move { delegate::output(&site, &task_id).await }),
        ));
    };
    let state = status.ended.unwrap_or_else(|| "it still runs".to_owned());
    let said = if status.output.is_empty() { "(nothing yet)" } else { status.output.trim_end() };
    Ok(Outcome::Answer(format!("{said}\n[{state}]")))
}

pub(super) fn unknown(id: &str) -> String {
    format!("no command of this server is called `{}`", super::clipped(id, 100))
}
