//! `run`: one turn without an editor; what it proposes is printed, and written only when that was asked for.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use kkcode_agent::audit::{self, AuditFilter};
use kkcode_agent::runtime::{NewTurn, ToFrontEnd, TurnUpdate, Update};
use kkcode_core::audit::{AuditEvent, AuditRecord};
use kkcode_core::effect::{DurableEvent, EditorEffect, Reply};
use kkcode_core::event::{Command, Selection};
use kkcode_core::id::{ProposalId, SessionId, TurnId};
use kkcode_core::permission::Decision;
use kkcode_core::state::Snapshot;
use kkcode_core::turn::{Excerpt, ExcerptRole, Level, Mode, Turn, TurnStatus};
use kkcode_core::uri::{PathStyle, from_path};
use kkcode_protocol::cli::{DeniedCall, RunReport};

use super::ask::Asker;
use super::failure::Failure;
use super::local::Local;
use super::output::{self, Outcome, Output, Style};
use super::proposal;
use crate::{home, to_proto, turn_updates};

/// Run one turn without an editor.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// What the agent is to do
    prompt: String,
    /// How it works on that
    #[arg(long, value_enum, default_value_t)]
    mode: RunMode,
    /// How much it may do without asking
    #[arg(long, value_enum)]
    level: Option<RunLevel>,
    /// The folder to work in; the present one when left out
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// Provider and model
    #[arg(long, value_name = "P/M")]
    model: Option<String>,
    /// Go on with this session
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// A file that the agent gets to see at once: text of the folder, or a picture from anywhere
    #[arg(long, value_name = "FILE", visible_alias = "file")]
    attach: Vec<PathBuf>,
    /// Write what is proposed into the files: all of it or nothing
    #[arg(long)]
    apply: bool,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum RunMode {
    /// Answer, and change nothing
    Ask,
    /// Work out a plan, and change nothing
    Plan,
    /// Do the work
    #[default]
    Agent,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RunLevel {
    /// Look, and change nothing
    Readonly,
    /// Propose edits, ask for the rest
    Manual,
    /// Edit without asking, ask for the rest
    AcceptEdits,
    /// Ask for nearly nothing
    Yolo,
}

/// How a turn ended, and what it proposed.
struct Ended {
    turn: Turn,
    patch: String,
}

/// Does it.
pub(crate) async fn run(run: Run, output: Output) -> Outcome {
    let mut local = Local::start(run.cwd.as_deref())?;
    let apply = run.apply;
    let ended = turn(run, &mut local, output).await;
    let ended = match ended {
        Ok(ended) => ended,
        Err(failure) => {
            local.stop().await;
            return Err(failure);
        }
    };
    // What did not come to its end is not written; its proposal stays.
    let is_done = ended.turn.status == TurnStatus::Completed;
    let applied = if apply && is_done { accept_all(&ended.turn, &local).await } else { Ok(()) };
    local.stop().await;
    print(&ended, output)?;
    applied?;
    finish(&ended.turn, apply, output)
}

async fn turn(run: Run, local: &mut Local, output: Output) -> Result<Ended, Failure> {
    let new = NewTurn {
        prompt: run.prompt,
        session: run.session.map(SessionId::new),
        model: run.model,
        mode: match run.mode {
            RunMode::Ask => Mode::Ask,
            RunMode::Plan => Mode::Plan,
            RunMode::Agent => Mode::Agent,
        },
        level: run.level.map(|level| match level {
            RunLevel::Readonly => Level::Readonly,
            RunLevel::Manual => Level::Manual,
            RunLevel::AcceptEdits => Level::AcceptEdits,
            RunLevel::Yolo => Level::Yolo,
        }),
        proposes_only: true,
        excerpts: run.attach.iter().map(|file| attached(file)).collect::<Result<_, _>>()?,
        ..NewTurn::default()
    };
    if new.prompt.trim().is_empty() {
        return Err(Failure::usage("the prompt is empty"));
    }
    let id = match local.handle.start_turn(new).await? {
        Reply::TurnStarted { turn, .. } => turn,
        reply => return Err(Failure::internal(&format!("a turn start was answered by {reply:?}"))),
    };
    follow(&id, local, output).await?;
    let snapshot = local.snapshot().await?;
    let turn = snapshot.turns.get(&id).cloned();
    let turn = turn.ok_or_else(|| Failure::internal(&"a turn that has ended is not known"))?;
    let shown = turn.clone();
    let patch = tokio::task::spawn_blocking(move || patch(&snapshot, &shown)).await;
    Ok(Ended { turn, patch: patch.map_err(|error| Failure::internal(&error))? })
}

/// Returns a file that the user adds.
fn attached(file: &Path) -> Result<Excerpt, Failure> {
    let path = file
        .canonicalize()
        .map_err(|error| Failure::usage(format!("the file {}: {error}", file.display())))?;
    let (uri, path) = (from_path(&path, PathStyle::NATIVE), Some(path));
    Ok(Excerpt { role: ExcerptRole::Context, uri, path, range: None, text: None })
}

/// Waits for the end of a turn, and says on a terminal what it does. The first ctrl-c cancels it.
async fn follow(id: &TurnId, local: &mut Local, output: Output) -> Result<(), Failure> {
    let mut cancelled = false;
    let mut asker = Asker::new(local.handle.clone());
    loop {
        let told = tokio::select! {
            told = local.effects.recv() => told.ok_or_else(|| Failure::internal(&"the runtime has ended"))?,
            Ok(()) = tokio::signal::ctrl_c(), if !cancelled => {
                cancelled = true;
                local.request(Command::CancelTurn { turn: id.clone() }).await?;
                continue;
            }
            said = asker.line() => {
                asker.take(said.as_deref());
                continue;
            }
        };
        match told {
            ToFrontEnd::Effect(EditorEffect::Durable(_, DurableEvent::TurnFinished { turn, .. }))
                if turn == *id =>
            {
                return Ok(());
            }
            ToFrontEnd::Effect(EditorEffect::Durable(_, DurableEvent::Asked { prompt }))
                if prompt.turn == *id =>
            {
                asker.ask(*prompt);
            }
            ToFrontEnd::Effect(EditorEffect::Durable(_, event)) | ToFrontEnd::Elsewhere(_, event) => {
                if let DurableEvent::Resolved { prompt, resolution, .. } = event {
                    asker.resolved(&prompt, &resolution);
                }
            }
            ToFrontEnd::Effect(EditorEffect::Message(message)) => output::note(&message),
            ToFrontEnd::Turn(TurnUpdate { turn, update }) if turn == *id => show(update, output),
            _ => {}
        }
    }
}

/// Says what a turn does, to somebody who watches.
fn show(update: Update, output: Output) {
    // A wait without a word would look like a program that hangs, also to whoever reads only a log.
    if let (Update::Retrying(retrying), false) = (&update, output.is_json()) {
        output::note(&output.paint(Style::Yellow, &retrying.describe()));
    }
    if output.is_json() || !std::io::stderr().is_terminal() {
        return;
    }
    match update {
        Update::ToolCall { name, input, .. } => {
            output::note(&output.paint(Style::Dim, &format!("· {}", turn_updates::title(&name, &input))));
        }
        Update::ToolResult { text, end, .. } if end != kkcode_agent::runtime::CallEnd::Ok => {
            output::note(&output.paint(Style::Yellow, &format!("  {}", turn_updates::summary(&text))));
        }
        _ => {}
    }
}

/// Returns all that is pending of what a turn proposed, as one unified diff.
fn patch(snapshot: &Snapshot, turn: &Turn) -> String {
    let reviews = turn.proposals.iter().filter_map(|id| snapshot.reviews.get(id));
    let files = reviews.flat_map(|review| to_proto::proposal(snapshot, review).files);
    files.map(|file| file.unified_diff).collect()
}

async fn accept_all(turn: &Turn, local: &Local) -> Result<(), Failure> {
    for proposal in &turn.proposals {
        let (proposal, hunks) = (ProposalId::clone(proposal), Selection::All);
        local.request(Command::Accept { proposal, hunks }).await?;
    }
    Ok(())
}

/// Prints the diff, or what the agent said when there is none; what it said beside a diff goes to stderr, so that
/// `kkcode-lsp run … | git apply` takes the diff and nothing else.
fn print(ended: &Ended, output: Output) -> Result<(), Failure> {
    let Ended { turn, patch } = ended;
    let denied = if output.is_json() { denied(turn) } else { Vec::new() };
    let report = RunReport {
        turn_id: turn.id.to_string(),
        session_id: turn.session.to_string(),
        status: to_proto::turn_status(&turn.status),
        reply: turn.reply.clone(),
        error: to_proto::turn_error(&turn.status),
        proposal_ids: turn.proposals.iter().map(ToString::to_string).collect(),
        patch: (!patch.is_empty()).then(|| patch.clone()),
        usage: to_proto::usage(turn.usage),
        denied,
    };
    let reply = turn.reply.as_deref().map(str::trim_end).unwrap_or_default();
    if !patch.is_empty() && !reply.is_empty() && !output.is_json() {
        output::note(reply);
    }
    output.print(&report, || match (patch.is_empty(), reply.is_empty()) {
        (false, _) => proposal::diff(patch, output),
        (true, false) => format!("{reply}\n"),
        (true, true) => String::new(),
    })
}

/// Returns what was refused in a turn. All of it is written down when the runtime has stopped.
fn denied(turn: &Turn) -> Vec<DeniedCall> {
    let filter = AuditFilter {
        session: Some(turn.session.clone()),
        decision: Some(Decision::Deny),
        ..AuditFilter::default()
    };
    let rows = audit::list(home::find(None), filter).unwrap_or_else(|error| {
        output::note(&format!("what was refused is not known: {error}"));
        Vec::new()
    });
    let records = rows.into_iter().map(|row| row.record);
    let refused = |record: &AuditRecord| record.turn == turn.id && record.event == AuditEvent::Decided;
    records
        .filter(refused)
        .map(|AuditRecord { tool, action, reason, by, .. }| DeniedCall { tool, action, reason, source: by })
        .collect()
}

/// Says what is left to do, and returns the exit code.
fn finish(turn: &Turn, apply: bool, output: Output) -> Outcome {
    match &turn.status {
        TurnStatus::Completed => {
            if !output.is_json() && std::io::stderr().is_terminal() {
                for proposal in &turn.proposals {
                    output::note(&output.paint(Style::Dim, &next(proposal, apply)));
                }
            }
            Ok(0)
        }
        TurnStatus::Failed(failure) => Err(Failure::new(&failure.class, &failure.message)),
        TurnStatus::Interrupted { reason } => {
            let session = &turn.session;
            let message = format!("the turn was interrupted: {reason} (--session {session})");
            Err(Failure::new("interrupted", message))
        }
        status => Err(Failure::new(status.name(), format!("the turn ended as {}", status.name()))),
    }
}

fn next(proposal: &ProposalId, apply: bool) -> String {
    if apply {
        "written into the files".to_owned()
    } else {
        format!("to take it: kkcode-lsp proposal accept {proposal}, or your editor")
    }
}
