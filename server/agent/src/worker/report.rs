//! What a worker tells of its turn: lines for the log, all of it for the output, and what the agent does now.

use std::path::Path;

use kkcode_core::id::TurnId;
use kkcode_core::proposal::{ChangeKind, Proposal};
use kkcode_core::task::{Task, TaskEvent};
use kkcode_store::Progress;
use serde_json::Value;

use crate::runtime::{CallEnd, Update};
use crate::task::output::Writer;
use crate::tool;

/// What was not written down yet.
pub(super) struct Report {
    turn: TurnId,
    output: Writer,
    lines: Vec<TaskEvent>,
    activity: Option<String>,
    /// What the agent is saying.
    saying: String,
}

impl Report {
    pub(super) fn new(home: &Path, task: &Task, turn: &TurnId) -> Self {
        let mut output = Writer::open(home, &task.id);
        if task.attempt > 1 {
            output.append(&format!("\n[attempt {}]\n", task.attempt));
        }
        let (lines, activity, saying) = Default::default();
        Self { turn: turn.clone(), output, lines, activity, saying }
    }

    /// Tells whether there is nothing to be written down.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.activity.is_none()
    }

    /// Returns what is to be written down.
    pub(super) fn gathered(&mut self) -> Progress {
        Progress {
            lines: std::mem::take(&mut self.lines),
            activity: self.activity.take(),
            ..Progress::default()
        }
    }

    pub(super) fn note(&mut self, text: String) {
        self.output.append(&format!("\n[{text}]\n"));
        self.lines.push(TaskEvent::Note { text });
    }

    /// Takes in a piece of what the turn says.
    pub(super) fn take(&mut self, update: Update) {
        match update {
            Update::Text(text) => {
                self.output.append(&text);
                self.saying.push_str(&text);
            }
            Update::ToolCall { id, name, input } => {
                self.end();
                let title = tool::title(&name, &input);
                self.output.append(&format!("\n> {title}\n"));
                self.activity = Some(title.clone());
                let turn = self.turn.clone();
                self.lines.push(TaskEvent::ToolCalled { turn, call: id, tool: name, title });
            }
            Update::ToolResult { id, text, end } => {
                self.output.append(&text);
                self.output.append("\n");
                let (turn, ok) = (self.turn.clone(), end == CallEnd::Ok);
                let summary =
                    tool::brief(text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default());
                self.lines.push(TaskEvent::ToolFinished { turn, call: id, ok, summary });
            }
            Update::Retrying(retrying) => self.note(retrying.describe()),
            _ => {}
        }
    }

    /// Takes what the agent was saying as said.
    pub(super) fn end(&mut self) {
        let text = std::mem::take(&mut self.saying);
        if !text.trim().is_empty() {
            self.output.append("\n");
            self.lines.push(TaskEvent::Message { turn: self.turn.clone(), text });
        }
    }
}

/// Tells whether a message of a conversation is, or ends with, this prompt.
pub(super) fn is_said(message: &Value, prompt: &str) -> bool {
    let content = message.get("content").and_then(Value::as_array);
    let texts = content.into_iter().flatten().filter_map(|part| part.get("text")?.as_str());
    message.get("role").and_then(Value::as_str) == Some("user")
        && texts.into_iter().any(|text| text.contains(prompt))
}

/// Tells whether a proposal would change the file at this path.
pub(super) fn changes(proposal: &Proposal, path: &Path) -> bool {
    let leads_there = |kind: &ChangeKind| matches!(kind, ChangeKind::Rename { to } if to == path);
    proposal.files.iter().any(|file| {
        let open = file.hunks.iter().any(|hunk| hunk.verdict.is_open());
        open && file.path == path || file.hunks.iter().any(|hunk| leads_there(&hunk.kind))
    })
}
