//! `task_group`: gives several tasks to subagents that work at the same time, in the background.

use kkcode_core::task::ExecutionMode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Context, Kind, Outcome, Tool, brief, delegate};
use crate::fresh;

/// How many tasks a group has at most.
const MOST: usize = 32;

pub(super) const TOOL: Tool = Tool {
    name: "task_group",
    description: "Give several tasks that do not depend on each other to subagents. All run in the background, as many at a time \
                  as the user lets; you are told the end of each.",
    schema,
    kind: Kind::Acts,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    tasks: Vec<brief::Brief>,
    group_id: Option<String>,
    group_label: Option<String>,
    #[serde(default)]
    inherit_context: bool,
    execution_mode: Option<ExecutionMode>,
    isolation: Option<brief::Where>,
}

fn schema() -> Value {
    let mut properties = brief::fields();
    let shared = ["group_id", "group_label", "inherit_context", "execution_mode", "isolation"];
    let shared = shared.map(|name| (name.to_owned(), properties.get(name).cloned().unwrap_or_default()));
    let one = json!({"type": "object", "properties": properties.take(), "additionalProperties": false});
    let mut all = serde_json::Map::from_iter(shared);
    all.insert("tasks".to_owned(), json!({"type": "array", "items": one, "minItems": 1, "maxItems": MOST}));
    json!({"type": "object", "properties": all, "required": ["tasks"], "additionalProperties": false})
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let Input { tasks, group_id, group_label, inherit_context, execution_mode, isolation } =
        super::input("task_group", input)?;
    let site = ctx.site.ok_or("no task can be given away here")?;
    if tasks.is_empty() || tasks.len() > MOST {
        return Err(format!("`tasks` has {} entries; a group has 1 to {MOST}", tasks.len()));
    }
    let group = match group_id.filter(|id| !id.trim().is_empty()) {
        Some(group) => group,
        None => fresh::name("grp").map_err(|error| error.to_string())?,
    };
    let label = group_label.unwrap_or_else(|| "parallel subagents".to_owned());
    let shared = |(at, mut brief): (usize, brief::Brief)| {
        let lane = brief.task_id.clone().unwrap_or_else(|| format!("lane_{}", at + 1));
        brief.run_in_background = true;
        brief.group_id = Some(group.clone());
        brief.group_label = Some(label.clone());
        brief.inherit_context |= inherit_context;
        brief.execution_mode = brief.execution_mode.or(execution_mode);
        brief.isolation = brief.isolation.or(isolation);
        (lane, delegate::given(brief, ctx))
    };
    let lanes: Vec<_> = tasks.into_iter().enumerate().map(shared).collect();
    let prompts = lanes.iter().map(|(lane, given)| match given {
        Ok(given) => format!("{lane}: {}", given.new.spec.prompt),
        Err(refusal) => format!("{lane}: (not given away: {refusal})"),
    });
    let detail = prompts.collect::<Vec<_>>().join("\n\n");
    let title = format!("give {} tasks to subagents", lanes.len());
    Ok(delegate::act(site, "task_group", &title, detail, move |site| {
        Box::pin(async move {
            let (mut told, mut failed) = (Vec::new(), 0);
            for (lane, given) in lanes {
                let launched = match given {
                    Ok(given) => delegate::launch(&site, given).await,
                    Err(refusal) => Err(refusal),
                };
                told.push(match launched {
                    Ok(task) => format!("{lane}: task_id {}, {}", task.id, task.status.name()),
                    Err(refusal) => {
                        failed += 1;
                        format!("{lane}: error: {refusal}")
                    }
                });
            }
            let status = if failed == 0 { "launched" } else { "partial_error" };
            let text =
                format!("group_id: {group}\ngroup_label: {label}\nstatus: {status}\n{}", told.join("\n"));
            if failed == told.len() { Err(text) } else { Ok(text) }
        })
    }))
}
