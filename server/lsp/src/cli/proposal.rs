//! `proposal`: lists and shows what agents propose in a folder, and takes or refuses it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kkcode_core::effect::Reply;
use kkcode_core::event::{Command as Request, Selection};
use kkcode_core::id::{HunkId, ProposalId};
use kkcode_protocol::proposal::{HunkState, Proposal, ProposalListResult, ProposalSummary, ReviewState};
use kkcode_protocol::review::DecisionResult;

use super::failure::Failure;
use super::local::Local;
use super::output::{Outcome, Output, Style};
use crate::to_proto;

/// What to do with proposals.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the proposals of a folder, last changed first
    List(Place),
    /// Show a proposal as a unified diff
    Show {
        /// The proposal
        id: String,
        #[command(flatten)]
        place: Place,
    },
    /// Write a proposal, or parts of it, into the files: all of it or nothing
    Accept(Decision),
    /// Refuse a proposal, or parts of it
    Reject {
        #[command(flatten)]
        decision: Decision,
        /// What the agent is told about it
        #[arg(long)]
        reason: Option<String>,
    },
}

/// In which folder.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The folder to work in; the present one when left out
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
}

/// Which hunks are decided.
#[derive(Debug, Args)]
pub(crate) struct Decision {
    /// The proposal
    id: String,
    /// Only this hunk
    #[arg(long, conflicts_with = "file")]
    hunk: Option<String>,
    /// Only this file
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// Does it.
pub(crate) async fn run(command: Command, output: Output) -> Outcome {
    match command {
        Command::List(place) => list(&place, output).await,
        Command::Show { id, place } => show(&id, &place, output).await,
        Command::Accept(decision) => {
            let local = Local::start(decision.place.cwd.as_deref())?;
            let (proposal, hunks) = decision.selection(&local);
            let reply = local.request(Request::Accept { proposal, hunks }).await;
            local.stop().await;
            decided(&reply?, output)
        }
        Command::Reject { decision, reason } => {
            let local = Local::start(decision.place.cwd.as_deref())?;
            let (proposal, hunks) = decision.selection(&local);
            let reply = local.request(Request::Reject { proposal, hunks, reason, replacement: None }).await;
            local.stop().await;
            decided(&reply?, output)
        }
    }
}

impl Decision {
    fn selection(&self, local: &Local) -> (ProposalId, Selection) {
        let hunks = match (&self.hunk, &self.file) {
            (Some(hunk), _) => Selection::Hunk(HunkId::new(hunk.as_str())),
            (None, Some(file)) => Selection::File(local.folder.join(file)),
            (None, None) => Selection::All,
        };
        (ProposalId::new(self.id.as_str()), hunks)
    }
}

async fn list(place: &Place, output: Output) -> Outcome {
    let local = Local::start(place.cwd.as_deref())?;
    let snapshot = local.snapshot().await?;
    let mut proposals: Vec<ProposalSummary> =
        snapshot.reviews.iter().map(|review| to_proto::summary(&snapshot, review)).collect();
    proposals.sort_by(|one, other| other.updated_at.cmp(&one.updated_at));
    local.stop().await;
    let result = ProposalListResult { proposals };
    output.print(&result, || {
        let line = |proposal: &ProposalSummary| summary(proposal, output);
        let lines: String = result.proposals.iter().map(line).collect();
        if lines.is_empty() { "nothing is proposed in this folder\n".to_owned() } else { lines }
    })?;
    Ok(0)
}

fn summary(proposal: &ProposalSummary, output: Output) -> String {
    let pending: u32 = proposal.files.iter().map(|file| file.pending + file.stale).sum();
    let state = match proposal.state {
        ReviewState::Open => output.paint(Style::Yellow, &format!("{pending} pending")),
        ReviewState::Accepted => output.paint(Style::Green, "accepted"),
        ReviewState::Rejected => output.paint(Style::Red, "rejected"),
        ReviewState::Partial => output.paint(Style::Green, "partial"),
    };
    format!("{}  {state}  {}\n", output.paint(Style::Bold, &proposal.proposal_id), proposal.title)
}

async fn show(id: &str, place: &Place, output: Output) -> Outcome {
    let local = Local::start(place.cwd.as_deref())?;
    let snapshot = local.snapshot().await?;
    let id = ProposalId::new(id);
    let Some(review) = snapshot.reviews.get(&id) else {
        let refusal = local.handle.not_at_hand(id).await;
        local.stop().await;
        return Err(refusal.into());
    };
    local.stop().await;
    let proposal = to_proto::proposal(&snapshot, review);
    output.print(&proposal, || shown(&proposal, output))?;
    Ok(0)
}

fn shown(proposal: &Proposal, output: Output) -> String {
    let mut text = format!(
        "{}  {}\n",
        output.paint(Style::Bold, &proposal.proposal_id),
        output.paint(Style::Bold, &proposal.title)
    );
    for file in &proposal.files {
        for hunk in &file.hunks {
            let state = match hunk.state {
                HunkState::Pending | HunkState::Applying | HunkState::Stale => Style::Yellow,
                HunkState::Accepted | HunkState::Applied => Style::Green,
                HunkState::Rejected | HunkState::Superseded => Style::Dim,
            };
            let name = serde_json::to_value(hunk.state).unwrap_or_default();
            let line = hunk.range.start.line + 1;
            let line = format!(
                "{}  {}  {}:{line}\n",
                hunk.hunk_id,
                output.paint(state, name.as_str().unwrap_or_default()),
                file.uri,
            );
            text.push_str(&line);
        }
        text += &diff(&file.unified_diff, output);
    }
    text
}

/// Returns a unified diff, coloured by lines on a terminal.
pub(crate) fn diff(text: &str, output: Output) -> String {
    let paint = |line: &str| {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        let style = match body.as_bytes().first() {
            _ if body.starts_with("---") || body.starts_with("+++") => Style::Bold,
            Some(b'+') => Style::Green,
            Some(b'-') => Style::Red,
            Some(b'@') => Style::Cyan,
            _ => return line.to_owned(),
        };
        output.paint(style, body) + end
    };
    text.split_inclusive('\n').map(paint).collect()
}

fn decided(reply: &Reply, output: Output) -> Outcome {
    let (status, word) = match reply {
        Reply::Accepted => (HunkState::Accepted, "accepted, and written into the files"),
        Reply::Applying => (HunkState::Applying, "on its way into the files"),
        Reply::Rejected => (HunkState::Rejected, "rejected"),
        reply => return Err(Failure::internal(&format!("a decision was answered by {reply:?}"))),
    };
    output.print(&DecisionResult { status }, || format!("{word}\n"))?;
    Ok(0)
}
