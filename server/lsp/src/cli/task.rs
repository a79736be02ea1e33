//! `task`: starts tasks in the background, follows, stops and repeats them.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use kkcode_agent::task::{NewTask, TaskQuery, Tasks, Wait};
use kkcode_core::id::{SessionId, TaskId};
use kkcode_core::task::{ExecutionMode, Interruption, Isolation, Task, TaskStatus};
use kkcode_core::turn::{Level, Mode};
use kkcode_protocol::task::{TaskCleanResult, TaskListResult, TaskLogsResult, TaskStartResult};

use super::bars::Bars;
use super::failure::Failure;
use super::local::{Local, config};
use super::output::{Outcome, Output, Style, note};
use crate::to_proto;

/// How many lines of a log are printed at once.
const LINES: usize = 1_000;

/// What to do with tasks.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a task; it goes on when this command, and every editor, has ended
    Start(Box<Start>),
    /// List tasks, newest first
    List(List),
    /// Show a task
    Show(One),
    /// Print the log of a task
    Logs(Logs),
    /// Wait for the end of tasks
    Wait(WaitFor),
    /// Stop a task
    Cancel(One),
    /// Do a task again that was cancelled, cut off or failed: from where it was
    Retry(One),
    /// Remove the records of tasks that ended a while ago
    Clean(Clean),
}

/// What is to be done.
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// What the agent is to do
    prompt: String,
    /// What it is about, in a few words
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// How it works on that
    #[arg(long, value_enum, default_value_t)]
    mode: TaskMode,
    /// How much it may do without asking; it never writes the files
    #[arg(long, value_enum)]
    level: Option<TaskLevel>,
    /// The folder to work in; the present one when left out
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// Over your files, which stay untouched, or in a git worktree of its own
    #[arg(long, value_enum, default_value_t)]
    isolation: TaskIsolation,
    /// Provider and model
    #[arg(long, value_name = "P/M")]
    model: Option<String>,
    /// Begin with the conversation of this session
    #[arg(long, value_name = "ID")]
    fork: Option<String>,
    /// How long an attempt may work
    #[arg(long, value_name = "N")]
    timeout_ms: Option<u64>,
    /// A name that tasks share which belong together
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum TaskMode {
    /// Answer, and change nothing
    Ask,
    /// Work out a plan, and change nothing
    Plan,
    /// Do the work
    #[default]
    Agent,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TaskLevel {
    /// Look, and change nothing
    Readonly,
    /// Propose edits, ask for the rest
    Manual,
    /// As manual: a task never writes the files
    AcceptEdits,
    /// Ask for nearly nothing
    Yolo,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum TaskIsolation {
    /// Over your files
    #[default]
    None,
    /// In a git worktree
    Worktree,
}

/// Which tasks.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only with this status
    #[arg(long, value_parser = status)]
    status: Option<TaskStatus>,
    #[command(flatten)]
    place: Place,
}

/// In which folder.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Only of this folder; all of them when left out
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
}

/// Which task.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// The task
    id: String,
}

/// Which part of a log.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The task
    id: String,
    /// Only lines after this one
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    since: u64,
    /// Go on until the task has ended
    #[arg(long)]
    follow: bool,
}

/// What is waited for.
#[derive(Debug, Args)]
pub(crate) struct WaitFor {
    /// The tasks
    #[arg(required = true)]
    ids: Vec<String>,
    /// Wait for one of them only
    #[arg(long)]
    any: bool,
    /// How long at most
    #[arg(long, value_name = "N")]
    timeout_ms: Option<u64>,
}

/// What is removed.
#[derive(Debug, Args)]
pub(crate) struct Clean {
    /// How many days ago a task must have ended
    #[arg(long, value_name = "N", default_value_t = 7)]
    older_than_days: u32,
}

/// Does it.
pub(crate) async fn run(command: Command, output: Output) -> Outcome {
    let folder = match &command {
        Command::Start(start) => start.cwd.clone(),
        Command::List(list) => list.place.cwd.clone(),
        _ => None,
    };
    let local = Local::start(folder.as_deref())?;
    let tasks = Tasks::new(&local.handle, &config(&local.folder));
    let done = perform(command, &local, &tasks, output).await;
    local.stop().await;
    done
}

async fn perform(command: Command, local: &Local, tasks: &Tasks, output: Output) -> Outcome {
    // Whoever looks sees what became of workers that are gone. What cannot be written down now is no reason not to look, and
    // least of all not to cancel the one that is in the way.
    local.snapshot().await?;
    if let Err(refusal) = tasks.look_after().await {
        note(&format!("the workers are not looked after: {refusal}"));
    }
    match command {
        Command::Start(start) => {
            let task = tasks.launch(new_task(*start, local)).await?;
            let started = TaskStartResult { task_id: task.id.to_string() };
            output.print(&started, || format!("{}\n", task.id))?;
        }
        Command::List(list) => {
            let folders = list.place.cwd.is_some().then(|| vec![local.folder.clone()]);
            let found = tasks.list(TaskQuery { status: list.status, folders, group: None }).await?;
            print_list(&found, output)?;
        }
        Command::Show(one) => print_one(&tasks.get(&TaskId::new(one.id)).await?, output)?,
        Command::Logs(logs) => follow(logs, tasks, output).await?,
        Command::Wait(wait) => return wait_for(wait, tasks, output).await,
        Command::Cancel(one) => {
            let id = TaskId::new(one.id);
            tasks.cancel(&id, Interruption::UserCancel).await?;
            // This process sees to it that the task ends.
            tasks.wait(std::slice::from_ref(&id), Wait::All, Some(Duration::from_secs(10))).await?;
            print_one(&tasks.get(&id).await?, output)?;
        }
        Command::Retry(one) => print_one(&tasks.retry(&TaskId::new(one.id)).await?, output)?,
        Command::Clean(clean) => {
            let age = Duration::from_hours(24 * u64::from(clean.older_than_days));
            let removed = u32::try_from(tasks.clean(age).await?).unwrap_or(u32::MAX);
            output.print(&TaskCleanResult { removed }, || format!("{removed} removed\n"))?;
        }
    }
    Ok(0)
}

fn new_task(start: Start, local: &Local) -> NewTask {
    let mut new = NewTask::new(start.prompt);
    new.folder = Some(local.folder.clone());
    new.level = start.level.map(|level| match level {
        TaskLevel::Readonly => Level::Readonly,
        TaskLevel::Manual => Level::Manual,
        TaskLevel::AcceptEdits => Level::AcceptEdits,
        TaskLevel::Yolo => Level::Yolo,
    });
    let spec = &mut new.spec;
    spec.mode = match start.mode {
        TaskMode::Ask => Mode::Ask,
        TaskMode::Plan => Mode::Plan,
        TaskMode::Agent => Mode::Agent,
    };
    spec.isolation = match start.isolation {
        TaskIsolation::None => Isolation::None,
        TaskIsolation::Worktree => Isolation::Worktree,
    };
    spec.description = start.description.unwrap_or_default();
    spec.model = start.model;
    spec.timeout_ms = start.timeout_ms.unwrap_or_default();
    spec.group = start.group;
    if let Some(parent) = start.fork {
        spec.execution_mode = ExecutionMode::ForkContext;
        spec.parent_session = Some(SessionId::new(parent));
    }
    new
}

/// Prints the log of a task, one event on a line, to its end if that is wanted.
async fn follow(logs: Logs, tasks: &Tasks, output: Output) -> Result<(), Failure> {
    let id = TaskId::new(logs.id);
    let mut since = logs.since;
    loop {
        let mut changes = tasks.changes();
        let now = tasks.get(&id).await?;
        let lines = tasks.logs(&id, since, LINES).await?;
        let is_all = lines.len() < LINES;
        since = lines.last().map_or(since, |(seq, ..)| *seq);
        let events: Vec<_> = lines.into_iter().map(|line| to_proto::task_line(&now, line)).collect();
        if !logs.follow {
            return output.print(&TaskLogsResult { events: events.clone(), next_seq: since }, || {
                events.iter().map(line).collect()
            });
        }
        for event in events {
            output.print(&event, || line(&event))?;
        }
        if is_all && now.status.is_final() {
            return Ok(());
        }
        if is_all {
            // Lines of the log are told to nobody; they are looked for.
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::time::sleep(Duration::from_millis(250)) => {}
            }
        }
    }
}

async fn wait_for(wait: WaitFor, tasks: &Tasks, output: Output) -> Outcome {
    let ids: Vec<TaskId> = wait.ids.into_iter().map(TaskId::new).collect();
    for id in &ids {
        tasks.get(id).await?;
    }
    let attending = tokio::spawn(tasks.clone().attend());
    let which = if wait.any { Wait::Any } else { Wait::All };
    let mut bars = Bars::new();
    let waited = tokio::select! {
        waited = tasks.wait(&ids, which, wait.timeout_ms.map(Duration::from_millis)) => waited,
        () = bars.follow(&ids, tasks), if !output.is_json() => Ok(Vec::new()),
    };
    drop(bars);
    attending.abort();
    waited?;
    let mut found = Vec::with_capacity(ids.len());
    for id in &ids {
        found.push(tasks.get(id).await?);
    }
    let mut ends = found.iter().map(|task| task.status.is_final());
    let done = if wait.any { ends.any(|ended| ended) } else { ends.all(|ended| ended) };
    print_list(&found, output)?;
    if done { Ok(0) } else { Err(Failure::new("timeout", "the tasks have not ended yet; they go on")) }
}

fn print_list(tasks: &[Task], output: Output) -> Result<(), Failure> {
    let list = TaskListResult { tasks: tasks.iter().map(to_proto::task_summary).collect() };
    output.print(&list, || tasks.iter().map(|task| row(task, output)).collect())
}

fn print_one(task: &Task, output: Output) -> Result<(), Failure> {
    output.print(&to_proto::task(task), || {
        let mut text = row(task, output);
        if let Some(error) = &task.error {
            append(&mut text, format_args!("  {}\n", output.paint(Style::Red, &error.message)));
        }
        if let Some(result) = &task.result {
            for proposal in &result.proposals {
                append(&mut text, format_args!("  proposes {proposal}\n"));
            }
            if let Some(reply) = &result.reply {
                append(&mut text, format_args!("\n{}\n", reply.trim_end()));
            }
        }
        text
    })
}

fn row(task: &Task, output: Output) -> String {
    let style = match task.status {
        TaskStatus::Completed => Style::Green,
        TaskStatus::Running | TaskStatus::Pending => Style::Cyan,
        TaskStatus::Waiting => Style::Yellow,
        TaskStatus::Cancelled | TaskStatus::Error | TaskStatus::Interrupted => Style::Red,
    };
    let status = output.paint(style, &format!("{:11}", task.status.name()));
    let doing = task.activity.as_deref().map(|activity| format!(" · {activity}")).unwrap_or_default();
    format!("{}  {status}  {}{doing}\n", task.id, task.spec.description)
}

/// Returns an event of a log, for people.
fn line(event: &kkcode_protocol::events::Event) -> String {
    use kkcode_protocol::events::EventBody;
    let text = match &event.body {
        EventBody::Message { text, .. } | EventBody::Note { text, .. } => text.trim_end().to_owned(),
        EventBody::ToolCalled { title, .. } => format!("· {title}"),
        EventBody::ToolFinished { summary, .. } => format!("  {}", summary.as_deref().unwrap_or_default()),
        EventBody::TurnStarted { .. } => "a turn begins".to_owned(),
        EventBody::TaskChanged { task } => serde_json::to_value(task.status)
            .ok()
            .and_then(|status| Some(status.as_str()?.to_owned()))
            .unwrap_or_default(),
        _ => return String::new(),
    };
    format!("{}  {text}\n", event.at)
}

fn append(text: &mut String, more: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _infallible = text.write_fmt(more);
}

/// Reads a status as on the wire.
fn status(name: &str) -> Result<TaskStatus, String> {
    let known = TaskStatus::ALL.into_iter().find(|status| status.name() == name);
    known.ok_or_else(|| {
        let names = TaskStatus::ALL.map(TaskStatus::name).join(", ");
        format!("there is no status `{name}`; there are {names}")
    })
}
