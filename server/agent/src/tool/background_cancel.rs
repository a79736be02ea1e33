//! `background_cancel`: ends a command in the background with all that it has started.

use serde_json::Value;

use super::background_output::{Input, schema, unknown};
use super::{Context, Kind, Outcome, Tool};

pub(super) const TOOL: Tool = Tool {
    name: "background_cancel",
    description: "End a command that was started with `run_in_background`, and all that it has started.",
    schema,
    kind: Kind::Notes,
    run,
};

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { task_id } = super::input("background_cancel", input)?;
    let site = ctx.site.ok_or("no command can run here")?;
    if site.ports.background.stop(&task_id) {
        Ok(Outcome::Answer(format!("{task_id} was asked to end")))
    } else {
        Err(unknown(&task_id))
    }
}
