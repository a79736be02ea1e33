//! `task`: gives a task to a subagent, and waits for its reply unless it is for the background.

use serde_json::{Value, json};

use super::{Context, Kind, Outcome, Tool, brief, delegate};

pub(super) const TOOL: Tool = Tool {
    name: "task",
    description: "Give a task to a subagent. It works on the user's files as they are, without your pending edits; its own edits \
                  are a proposal for the user. It begins with your brief alone, so say all it needs. Do yourself what is quicker \
                  done than explained. Without `run_in_background` you wait and get its reply.",
    schema,
    kind: Kind::Acts,
    run,
};

fn schema() -> Value {
    json!({"type": "object", "properties": brief::fields(), "required": [], "additionalProperties": false})
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let brief: brief::Brief = super::input("task", input)?;
    let site = ctx.site.ok_or("no task can be given away here")?;
    let given = delegate::given(brief, ctx)?;
    let title = format!("give a task to the subagent `{}`", given.subagent);
    let detail = given.new.spec.prompt.clone();
    Ok(delegate::act(site, "task", &title, detail, move |site| {
        Box::pin(async move { delegate::give(&site, given).await })
    }))
}
