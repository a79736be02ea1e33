//! `session`: lists, shows, exports and deletes the conversations of a folder.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use kkcode_core::id::SessionId;
use kkcode_protocol::session::{
    Session, SessionDeleteResult, SessionListParams, SessionShowParams, SessionSummary, SessionTurn,
};
use serde_json::{Value, json};

use super::failure::Failure;
use super::json::look;
use super::local::Local;
use super::output::{Outcome, Output, Style};
use crate::to_proto;

/// What to do with sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the sessions of a folder, last used first
    List(List),
    /// Show a session with its turns
    Show(Show),
    /// Print all that was said in a session: as Markdown, or with --json as it is stored
    Export(One),
    /// Delete a session with its proposals
    Delete(One),
}

/// In which folder.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The folder to work in; the present one when left out
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
}

/// Which part of the list.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// How many at most
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// How many to leave out at the beginning
    #[arg(long, value_name = "N")]
    offset: Option<u32>,
    #[command(flatten)]
    place: Place,
}

/// Which session, and which of its turns.
#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    one: One,
    /// How many turns at most, the last ones
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Only turns before this one
    #[arg(long, value_name = "TURN")]
    before: Option<String>,
}

/// Which session.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// The session
    id: String,
    #[command(flatten)]
    place: Place,
}

/// Does it.
pub(crate) async fn run(command: Command, output: Output) -> Outcome {
    let (Command::List(List { place, .. })
    | Command::Show(Show { one: One { place, .. }, .. })
    | Command::Export(One { place, .. })
    | Command::Delete(One { place, .. })) = &command;
    let local = Local::start(place.cwd.as_deref())?;
    let done = match &command {
        Command::List(part) => list(part, &local, output).await,
        Command::Show(part) => show(part, &local, output).await,
        Command::Export(one) => export(&local, &one.id, output).await,
        Command::Delete(one) => delete(&local, &one.id, output).await,
    };
    local.stop().await;
    done
}

async fn list(part: &List, local: &Local, output: Output) -> Outcome {
    let sessions = local.handle.sessions().await?;
    let params = SessionListParams { limit: part.limit, offset: part.offset };
    let result = to_proto::session_list(&local.snapshot().await?, sessions, &params);
    output.print(&result, || {
        let lines: String = result.sessions.iter().map(|session| line(session, output)).collect();
        match result.total {
            0 => "no session has worked in this folder\n".to_owned(),
            total if lines.is_empty() => {
                format!("none is left behind this offset; there are {total} in all\n")
            }
            _ => lines,
        }
    })?;
    Ok(0)
}

fn line(session: &SessionSummary, output: Output) -> String {
    let id = output.paint(Style::Bold, &session.session_id);
    let turns = format!("{} turn{}", session.turn_count, if session.turn_count == 1 { "" } else { "s" });
    let used = session.updated_at.get(..16).unwrap_or_default().replace('T', " ");
    let about = output.paint(Style::Dim, &format!("{used}  {turns}"));
    format!("{id}  {about}  {}\n", session.title)
}

async fn load(local: &Local, params: &SessionShowParams) -> Result<Session, Failure> {
    // What a crash left is put in order with the first look at the store.
    let snapshot = local.snapshot().await?;
    let (session, turns) = local.handle.session(SessionId::new(params.session_id.as_str())).await?;
    Ok(to_proto::session(&snapshot, session, turns, params))
}

async fn show(part: &Show, local: &Local, output: Output) -> Outcome {
    let Show { one, limit, before } = part;
    let params = SessionShowParams { session_id: one.id.clone(), limit: *limit, before: before.clone() };
    let session = load(local, &params).await?;
    output.print(&session, || {
        let turns: String = session.turns.iter().map(|turn| shown(turn, output)).collect();
        let earlier = match session.earlier {
            0 => String::new(),
            count => output.paint(Style::Dim, &format!("({count} earlier)\n")),
        };
        format!("{}\n{earlier}{turns}", line(&session.summary, output).trim_end())
    })?;
    Ok(0)
}

fn shown(turn: &SessionTurn, output: Output) -> String {
    let status = serde_json::to_value(turn.status).unwrap_or_default();
    let status = status.as_str().unwrap_or_default();
    let style = if status == "completed" { Style::Green } else { Style::Yellow };
    let quoted = turn.prompt.trim().replace('\n', "\n> ");
    let mut lines = vec![
        String::new(),
        format!("{}  {}", output.paint(Style::Cyan, &turn.turn_id), output.paint(style, status)),
        output.paint(Style::Bold, &format!("> {quoted}")),
    ];
    lines.extend(turn.reply.as_deref().map(|reply| reply.trim_end().to_owned()));
    lines.extend(turn.error.as_ref().map(|error| output.paint(Style::Red, &error.message)));
    let proposed = |proposal: &String| output.paint(Style::Dim, &format!("proposed: {proposal}"));
    lines.extend(turn.proposal_ids.iter().map(proposed));
    lines.push(String::new());
    lines.join("\n")
}

async fn export(local: &Local, id: &str, output: Output) -> Outcome {
    let all = SessionShowParams { session_id: id.to_owned(), limit: None, before: None };
    let session = load(local, &all).await?;
    let messages = local.handle.conversation(SessionId::new(id)).await?;
    output.print(&json!({"session": session, "messages": messages}), || markdown(&session, &messages))?;
    Ok(0)
}

/// Returns a conversation as Markdown: prompts, replies, and what was called with what came of it.
fn markdown(session: &Session, messages: &[Value]) -> String {
    let mut text = format!("# {}\n", session.summary.title);
    for message in messages {
        let speaker = if look(message, "/role") == "assistant" { "Agent" } else { "User" };
        for content in look(message, "/content").as_array().into_iter().flatten() {
            let said = look(content, "/text").as_str().unwrap_or_default().trim_end();
            let part = match look(content, "/type").as_str() {
                Some("text") => format!("\n## {speaker}\n\n{said}\n"),
                Some("tool_call") => {
                    let name = look(content, "/name").as_str().unwrap_or_default();
                    format!(
                        "\n### `{name}`\n\n{}\n",
                        fenced("json", &format!("{:#}", look(content, "/input")))
                    )
                }
                Some("tool_result") => format!("\n{}\n", fenced("", said)),
                _ => continue,
            };
            // Writing to a string cannot fail.
            let _written = text.write_str(&part);
        }
    }
    text
}

/// Returns a text between fences that are longer than any in it.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}")
}

async fn delete(local: &Local, id: &str, output: Output) -> Outcome {
    // A turn whose process is gone runs no more, and hinders nobody.
    local.snapshot().await?;
    let deleted = local.handle.delete_session(SessionId::new(id)).await?;
    output.print(&SessionDeleteResult { deleted }, || {
        (if deleted { "deleted\n" } else { "there was no such session\n" }).to_owned()
    })?;
    Ok(0)
}
