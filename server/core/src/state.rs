//! The state and its one transition function: events in, effects out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::document::Documents;
use crate::effect::{Commit, DurableEvent, EditorEffect, Effect, Refusal};
use crate::event::{Command, Event};
use crate::id::{RequestId, TurnId};
use crate::review::Reviews;
use crate::text::PositionEncoding;
use crate::turn::{Level, Turn};

mod decide;
mod editor;
mod propose;
mod review;
mod turns;

/// Everything that several parts of the program must agree on.
#[derive(Debug, Default)]
pub struct State {
    encoding: PositionEncoding,
    folders: Vec<PathBuf>,
    level: Level,
    documents: Arc<Documents>,
    reviews: Arc<Reviews>,
    turns: Arc<BTreeMap<TurnId, Turn>>,
    /// Counts attempts to have an edit applied, over all hunks.
    attempts: u64,
    /// Counts commits, so that what the store told is not believed when more has been written since.
    generation: u64,
    /// Accepts that wait until it is known where the hunk stands.
    waiting: Vec<(RequestId, Command)>,
}

/// The state at one moment, to be read elsewhere for as long as one likes.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// How the client counts characters.
    pub encoding: PositionEncoding,
    /// The workspace folders.
    pub folders: Vec<PathBuf>,
    /// What agents may do.
    pub level: Level,
    /// The open documents.
    pub documents: Arc<Documents>,
    /// The proposals.
    pub reviews: Arc<Reviews>,
    /// The turns.
    pub turns: Arc<BTreeMap<TurnId, Turn>>,
}

impl State {
    /// Takes in what happened and returns what is to be done about it, in this order.
    ///
    /// Costs the size of the change and one step for each hunk of the document; whatever may take longer is itself an
    /// effect.
    pub fn handle(&mut self, event: Event) -> Vec<Effect> {
        let effects = self.transition(event);
        self.generation +=
            effects.iter().filter(|effect| matches!(effect, Effect::Persist(_))).count() as u64;
        effects
    }

    fn transition(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Attached { encoding, folders } => {
                self.encoding = encoding;
                self.folders = folders;
                vec![self.load()]
            }
            Event::FoldersChanged { added, removed } => {
                self.folders.retain(|folder| !removed.contains(folder) && !added.contains(folder));
                self.folders.extend(added);
                vec![self.load()]
            }
            Event::DocumentOpened { uri, path, language_id, version, text } => {
                self.document_opened(uri, path, language_id, version, &text)
            }
            Event::DocumentChanged { uri, version, changes } => {
                self.document_changed(&uri, version, &changes)
            }
            Event::DocumentSaved { uri } => self.document_saved(&uri),
            Event::DocumentClosed { uri } => self.document_closed(&uri),
            Event::Requested { request, command } => self.requested(request, command),
            Event::EditAnswered { proposal, hunks, applied, reason } => {
                self.edit_answered(&proposal, &hunks, applied, reason)
            }
            Event::EditOverdue { proposal, hunk, attempt } => self.edit_overdue(&proposal, &hunk, attempt),
            Event::FilesWritten { request, proposal, result } => {
                self.files_written(request, &proposal, result)
            }
            Event::Derived { proposal, path, revision, version, placement } => {
                self.derived(&proposal, &path, revision, version, placement)
            }
            Event::TurnEnded { turn, end } => self.turn_ended(&turn, end),
            Event::Loaded { generation, .. } if generation != self.generation => vec![self.load()],
            Event::Loaded { proposals, texts, turns, .. } => self.loaded(proposals, texts, turns),
            Event::CommitFailed { reason } => vec![
                Effect::Editor(EditorEffect::Message(format!(
                    "kkcode could not write to its store, and shows what is stored: {reason}"
                ))),
                self.load(),
            ],
        }
    }

    /// Returns the state as it is now; costs nothing to speak of.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            encoding: self.encoding,
            folders: self.folders.clone(),
            level: self.level,
            documents: self.documents.clone(),
            reviews: self.reviews.clone(),
            turns: self.turns.clone(),
        }
    }

    fn load(&self) -> Effect {
        Effect::Load { folders: self.folders.clone(), generation: self.generation }
    }

    fn requested(&mut self, request: RequestId, command: Command) -> Vec<Effect> {
        let effects = match command {
            Command::StartTurn(start) => self.start_turn(request, start),
            Command::CancelTurn { turn } => self.cancel_turn(request, turn),
            Command::Propose(propose) => self.propose(request, &propose),
            Command::Accept { proposal, hunks } => self.accept(request, proposal, hunks),
            Command::Reject { proposal, hunks, reason } => {
                self.reject(request, &proposal, &hunks, reason.as_deref())
            }
        };
        effects.unwrap_or_else(|refusal| vec![Effect::Reply(request, Err(refusal))])
    }
}

/// Returns the effects of writing something down; none when there is nothing to write.
fn persist(commit: Commit) -> Option<Effect> {
    (!commit.records.is_empty() || !commit.events.is_empty()).then_some(Effect::Persist(commit))
}

impl Commit {
    fn tell(&mut self, event: DurableEvent) {
        self.events.push(event);
    }
}

/// What an operation of the state returns: effects, or why it is refused.
type Outcome = Result<Vec<Effect>, Refusal>;

#[cfg(test)]
mod tests;
