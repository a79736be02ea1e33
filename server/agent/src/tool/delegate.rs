//! Tasks that an agent gives away: launched within its own bounds, waited for, looked at, and handed back.

use futures::future::BoxFuture;
use kkcode_core::effect::Refusal;
use kkcode_core::id::{SessionId, TaskId};
use kkcode_core::permission::engine::{Action, Call};
use kkcode_core::task::{Delegate, Interruption, Task, TaskEvent, TaskSpec, TaskStatus};
use kkcode_core::turn::Level;
use tokio::sync::oneshot;

use super::brief::Brief;
use super::{Context, Outcome, TOOLS, clipped};
use crate::command::Site;
use crate::gate::heard::{TOLD, brings};
use crate::gate::{Act, Reach};
use crate::task::{NewTask, TaskQuery, Tasks, Wait};

/// How many agents stand between a subagent and the user at most.
const DEEPEST: u32 = 8;

/// How much of a reply is handed back, in bytes.
const MOST_REPLY: usize = 32 * 1024;

/// How much of the output of a task is told, in bytes.
const MOST_OUTPUT: usize = 16 * 1024;

/// Somebody who does tasks for agents.
struct Subagent {
    name: &'static str,
    instructions: &'static str,
    /// The only tools; all when absent.
    tools: Option<&'static [&'static str]>,
}

const SUBAGENTS: &[Subagent] = &[
    Subagent {
        name: "general",
        instructions: "Another agent has given you this task. Nobody reads along: do it to its end, do not guess, claim nothing \
                       that you have not done, and report in your last message what you did, what you found and what is left. \
                       Only that message goes back.",
        tools: None,
    },
    Subagent {
        name: "explore",
        instructions: "Another agent has given you this task. You look and change nothing. Report in your last message what you \
                       found, with paths and lines; only that message goes back.",
        tools: Some(&["list", "read", "glob", "grep", "sysinfo", "todowrite"]),
    },
];

/// A task that may be launched.
pub(super) struct Given {
    pub(super) new: NewTask,
    pub(super) subagent: &'static str,
    background: bool,
    /// The session to go on with.
    goes_on: Option<SessionId>,
}

/// Makes a task of a brief, within the bounds of the agent that gives it away.
pub(super) fn given(brief: Brief, ctx: &Context<'_>) -> Result<Given, String> {
    let order = brief.order()?;
    let parent = ctx.config.delegate();
    let depth = parent.as_ref().map_or(0, |parent| parent.depth) + 1;
    if depth > DEEPEST {
        return Err(format!("a task is given on at most {DEEPEST} times; do this one yourself"));
    }
    let subagent = subagent(&brief)?;
    let mut write_scope = order.write_scope;
    if subagent.tools.is_some() && write_scope.is_none() {
        write_scope = Some(Vec::new());
    }
    let write_scope = match (write_scope, parent.as_ref().and_then(|parent| parent.write_scope.clone())) {
        (Some(wanted), Some(own)) => Some(within(wanted, &own)?),
        (wanted, own) => wanted.or(own),
    };
    let is_had = |name: &&str| {
        subagent.tools.is_none_or(|tools| tools.contains(name))
            && parent
                .as_ref()
                .and_then(|parent| parent.tools.as_ref())
                .is_none_or(|own| own.iter().any(|tool| tool == name))
            && (brief.allow_question || *name != "question")
            && (depth < DEEPEST || !matches!(*name, "task" | "task_group"))
    };
    let tools = TOOLS.iter().map(|tool| tool.name).filter(is_had).map(ToOwned::to_owned).collect();
    let level =
        if write_scope.as_ref().is_some_and(Vec::is_empty) { Level::Readonly } else { ctx.check.level() };
    let spec = TaskSpec {
        prompt: order.prompt,
        description: brief.description.unwrap_or_default(),
        mode: ctx.turn.mode,
        isolation: order.isolation,
        execution_mode: order.execution_mode,
        model: Some("subagent".to_owned()),
        session: brief.session_id.clone().map(SessionId::new),
        group: brief.group_id,
        group_label: brief.group_label,
        planned_files: brief.planned_files,
        delegate: Some(Delegate {
            subagent: subagent.name.to_owned(),
            instructions: Some(subagent.instructions.to_owned()),
            tools: Some(tools),
            write_scope,
            max_steps: parent.and_then(|parent| parent.max_steps),
            depth,
        }),
        ..TaskSpec::default()
    };
    let folder = ctx.snapshot.copy_of.as_ref().or(ctx.snapshot.folders.first()).cloned();
    Ok(Given {
        new: NewTask { spec, level: Some(level.min(ctx.check.level())), folder },
        subagent: subagent.name,
        background: brief.run_in_background,
        goes_on: brief.session_id.map(SessionId::new),
    })
}

/// Launches a task; waits for its end unless it is for the background. Returns what the agent is told.
pub(super) async fn give(site: &Site, given: Given) -> Result<String, String> {
    let background = given.background;
    let task = launch(site, given).await?;
    if background {
        return Ok(format!(
            "task_id: {}\nstatus: {}\nit runs in the background; you are told when it has ended",
            task.id,
            task.status.name()
        ));
    }
    wait_for(site, &task.id).await
}

/// Launches a task.
pub(super) async fn launch(site: &Site, given: Given) -> Result<Task, String> {
    let tasks = tasks(site);
    if let Some(session) = &given.goes_on {
        let own = of_session(&tasks, &site.turn.session).await.map_err(told)?;
        let known = own.iter().find(|task| task.session.as_ref() == Some(session));
        match known.map(|task| task.status.is_final()) {
            Some(true) => {}
            Some(false) => return Err(format!("the task of session `{session}` has not ended")),
            None => return Err(format!("no task of yours had the session `{session}`")),
        }
    }
    let config = site.ports.config.clone();
    if config.task_since().is_some() {
        // Who waits keeps its place; of the last one nobody would ever come.
        let limits = tokio::task::spawn_blocking(move || config.task_limits())
            .await
            .map_err(|error| error.to_string())?;
        let running = tasks.counts().await.map_err(told)?.running;
        if usize::try_from(running).is_ok_and(|running| running >= limits.max_parallel) {
            return Err(format!(
                "no task can begin now: {running} run, and no more may (`background.max_parallel`); do it yourself"
            ));
        }
    }
    tasks.launch_delegate_task(given.new, site.turn.session.clone()).await.map_err(told)
}

/// Waits for the end of a task, which is cancelled when nobody waits any more.
async fn wait_for(site: &Site, id: &TaskId) -> Result<String, String> {
    let tasks = tasks(site);
    let (ended, waits) = oneshot::channel::<()>();
    tokio::spawn({
        let (tasks, id) = (tasks.clone(), id.clone());
        async move {
            // The turn is dropped where it waits when it is cancelled.
            if waits.await.is_err()
                && let Err(error) = tasks.cancel(&id, Interruption::UserCancel).await
            {
                tracing::warn!(task = %id, %error, "the task of a turn that was cancelled goes on");
            }
        }
    });
    let all = std::slice::from_ref(id);
    let waited = tokio::select! {
        waited = tasks.wait(all, Wait::All, None) => waited.map(drop),
        // A worker that is gone is noticed by whoever looks; here it is us.
        () = tasks.clone().attend() => Ok(()),
    };
    waited.map_err(told)?;
    let task = tasks.get(id).await.map_err(told)?;
    // Where nobody listens any more there is nothing to be cancelled either.
    let _nobody_listens = ended.send(());
    let text = handed(&task);
    if task.status == TaskStatus::Completed { Ok(text) } else { Err(text) }
}

/// Returns what an agent is told of a task that has ended.
pub(crate) fn handed(task: &Task) -> String {
    let mut lines = vec![mark(task)];
    if task.result.as_ref().is_some_and(|result| result.heard) {
        lines.push(TOLD.to_owned());
    }
    if !task.spec.description.is_empty() {
        lines.push(format!("description: {}", task.spec.description));
    }
    if let Some(session) = &task.session {
        lines.push(format!("session_id: {session}"));
    }
    if let Some(error) = &task.error {
        lines.push(format!("error: {}", error.message));
    }
    if let Some(result) = &task.result {
        if !result.proposals.is_empty() {
            lines.push(
                "its edits are proposed to the user; you do not see them in the files before they are taken"
                    .to_owned(),
            );
        }
        if !result.remaining_files.is_empty() {
            lines.push(format!("planned and not changed: {}", result.remaining_files.join(", ")));
        }
        if let Some(reply) = &result.reply {
            lines.push(format!("\n{}", clipped(reply, MOST_REPLY)));
        }
    }
    lines.join("\n")
}

/// Returns the line that begins what is told of an end: where it stands in a conversation, the end was told.
pub(crate) fn mark(task: &Task) -> String {
    format!("[task {}, attempt {}, ended: {}]", task.id, task.attempt, task.status.name())
}

/// Returns the tasks that the agent of a session has given away, newest first.
pub(crate) async fn of_session(tasks: &Tasks, session: &SessionId) -> Result<Vec<Task>, Refusal> {
    let mut found = tasks.list(TaskQuery::default()).await?;
    found.retain(|task| task.spec.delegate.is_some() && task.spec.parent_session.as_ref() == Some(session));
    Ok(found)
}

/// Returns a task that the agent of this turn's session has given away.
pub(super) async fn own(site: &Site, id: &str) -> Result<Task, String> {
    let found = of_session(&tasks(site), &site.turn.session).await.map_err(told)?;
    let found = found.into_iter().find(|task| task.id.as_str() == id);
    found.ok_or_else(|| format!("you have started nothing that is called `{}`", clipped(id, 100)))
}

/// Returns what a task has said so far.
pub(super) async fn output(site: &Site, id: &str) -> Result<String, String> {
    let task = own(site, id).await?;
    if task.status.is_final() {
        return Ok(handed(&task));
    }
    let output = tasks(site).output(&task.id, 0, MOST_OUTPUT).await.map_err(told)?;
    let said = if output.text.trim().is_empty() { "(nothing yet)" } else { output.text.trim_end() };
    let lines = tasks(site).logs(&task.id, 0, usize::MAX).await.map_err(told)?;
    let brought = |event: &TaskEvent| matches!(event, TaskEvent::ToolCalled { tool, .. } if brings(tool));
    let heard = if lines.iter().any(|(_, _, event)| brought(event)) { TOLD } else { "" };
    Ok(format!("{said}\n[it is {}]\n{heard}", task.status.name()).trim_end().to_owned())
}

/// Returns the tasks of the home.
pub(super) fn tasks(site: &Site) -> Tasks {
    Tasks::new(&site.ports.handle, &site.ports.config)
}

/// Makes an act of something about tasks.
pub(super) fn act<F>(site: &Site, tool: &str, title: &str, detail: String, run: F) -> Outcome
where
    F: FnOnce(Site) -> BoxFuture<'static, Result<String, String>> + Send + 'static,
{
    let site = site.clone();
    Outcome::Act(Act {
        call: Call { tool: tool.to_owned(), action: Action::Other(detail.clone()) },
        title: title.to_owned(),
        detail,
        reach: Reach::default(),
        unseen: None,
        asked_anyway: None,
        run: Box::new(move |_permit| run(site)),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
pub(super) fn told(refusal: Refusal) -> String {
    refusal.to_string()
}

fn subagent(brief: &Brief) -> Result<&'static Subagent, String> {
    let names = || SUBAGENTS.iter().map(|subagent| subagent.name).collect::<Vec<_>>().join(", ");
    if let Some(category) = &brief.category {
        return Err(format!(
            "no category `{}` is configured; say a `subagent_type` instead: {}",
            clipped(category, 100),
            names()
        ));
    }
    let wanted = brief.subagent_type.as_deref().unwrap_or("general");
    SUBAGENTS
        .iter()
        .find(|subagent| subagent.name == wanted)
        .ok_or_else(|| format!("there is no subagent `{}`; there are: {}", clipped(wanted, 100), names()))
}

/// Returns a write scope that is within the agent's own, or says what is not.
fn within(wanted: Vec<String>, own: &[String]) -> Result<Vec<String>, String> {
    let is_within = |entry: &String| own.iter().any(|own| std::path::Path::new(entry).starts_with(own));
    match wanted.iter().find(|entry| !is_within(entry)) {
        Some(entry) => {
            Err(format!("`{entry}` is outside of your own write scope, and you cannot give it away"))
        }
        None => Ok(wanted),
    }
}
