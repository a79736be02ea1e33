//! What the model is told before the conversation.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use kkcode_core::state::Snapshot;
use kkcode_core::turn::{ExcerptRole, Mode, Turn};

use super::instructions;

const AGENT: &str = "You are kkcode, a coding agent inside the user's editor. Your edits are proposals: the user takes or \
                     refuses each hunk, and sees nothing in a file before that. You see the files as if all of your \
                     edits were taken. Change files with the tools only. Look at what you change before you change it, \
                     keep to the style that is there, and change nothing that was not asked for. Tool results say what \
                     is so; if one is an error, read it and do otherwise. In the end say briefly what you did and what \
                     is left.";

const ASK: &str = "In this turn you answer a question. You may look at everything and change nothing.";

const PLAN: &str = "In this turn you work out a plan. You may look at everything and change nothing. Say what is to be \
                    done, in which files and in which order, what may go wrong and how to see that it is right.";

/// The system prompt, and what the user is told about it.
#[derive(Debug, Default)]
pub(super) struct System {
    pub(super) text: String,
    /// That there are instructions which were passed over, because the workspace is not trusted.
    pub(super) passed_over: Option<String>,
    /// The files of instructions that are in it.
    pub(super) instructions: Vec<PathBuf>,
}

/// Makes the system prompt of a turn. Reads files.
pub(super) fn prompt(turn: &Turn, snapshot: &Snapshot, trusted: bool) -> System {
    let mut text = AGENT.to_owned();
    match turn.mode {
        Mode::Agent => {}
        Mode::Ask => text = format!("{text}\n\n{ASK}"),
        Mode::Plan => text = format!("{text}\n\n{PLAN}"),
    }
    if !snapshot.folders.is_empty() {
        text.push_str("\n\nThe workspace:");
        for folder in &snapshot.folders {
            append(&mut text, format_args!("\n- {}", folder.display()));
        }
    }
    let document = turn.excerpts.iter().find(|excerpt| excerpt.role == ExcerptRole::Document);
    let place = document.and_then(|excerpt| excerpt.path.as_deref()).and_then(Path::parent);
    let found = instructions::find(&snapshot.folders, place);
    if found.is_empty() {
        return System { text, ..System::default() };
    }
    if !trusted {
        let passed_over = Some(instructions::passed_over(&found, &snapshot.folders));
        return System { text, passed_over, ..System::default() };
    }
    text.push_str(&instructions::render(&found, snapshot));
    text.push_str("\n\nOf two instructions the later one, which is nearer to the file, holds; the user's word is above all.");
    System { text, passed_over: None, instructions: found }
}

fn append(text: &mut String, more: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _written = text.write_fmt(more);
}
