//! The state and its one transition function: events in, effects out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::document::Documents;
use crate::effect::{Commit, DurableEvent, EditorEffect, Effect, Record, Refusal};
use crate::event::{Command, Event, FileOperations, StartTurn};
use crate::id::{HunkId, PromptId, ProposalId, RequestId, SessionId, TurnId};
use crate::journal::{Act, Change, Journal};
use crate::permission::engine::Approval;
use crate::prompt::Prompt;
use crate::proposal::{Timestamp, Verdict};
use crate::review::Reviews;
use crate::text::PositionEncoding;
use crate::turn::{Level, Turn};

mod decide;
mod editor;
mod note;
mod prompts;
mod propose;
mod rebase;
mod review;
mod split;
mod steer;
mod turns;
mod undo;

pub use note::name_for_agent;

/// Everything that several parts of the program must agree on.
#[derive(Debug, Default)]
pub struct State {
    encoding: PositionEncoding,
    folders: Vec<PathBuf>,
    /// The folder of the user that the first one is a copy of.
    copy_of: Option<PathBuf>,
    operations: FileOperations,
    /// The level of turns that name none, as the configuration says it.
    configured: Level,
    /// The widest level that anybody may choose, as the configuration says it; any when that was not read yet.
    widest: Option<Level>,
    /// The level that the user has chosen in this server.
    chosen: Option<Level>,
    /// The same for turns that run; those without go by the configuration of the moment.
    chosen_levels: BTreeMap<TurnId, Level>,
    documents: Arc<Documents>,
    reviews: Arc<Reviews>,
    journal: Journal,
    turns: Arc<BTreeMap<TurnId, Turn>>,
    prompts: Arc<BTreeMap<PromptId, Prompt>>,
    /// Turns of this server that wait for an answer.
    asking: Vec<(PromptId, RequestId)>,
    /// Counts attempts to have an edit applied, over all hunks.
    attempts: u64,
    /// Counts commits and recalled sessions, so that what the store told is not believed when more has been written or
    /// asked for since.
    generation: u64,
    /// What waits until it is known where the hunks stand.
    waiting: Vec<Waiting>,
    /// Older sessions that somebody has gone on with: the store tells of them too.
    recalled: BTreeSet<SessionId>,
    /// Tools that wait until their edits are in the text, or cannot be.
    held: Vec<Held>,
}

/// The answer to a tool whose edits are let into the text at once.
#[derive(Debug)]
struct Held {
    request: RequestId,
    proposal: ProposalId,
    /// The files, each with what the agent has to know of it.
    files: Vec<(PathBuf, Option<String>)>,
    /// What is let into the text.
    hunks: Vec<HunkId>,
}

/// What waits until it is known where hunks stand, or what the store has of a session.
#[derive(Debug)]
enum Waiting {
    /// A turn of a session that the store has still to tell of.
    Recall(RequestId, Box<StartTurn>),
    /// A request, to be tried again.
    Request(RequestId, Box<Command>),
    /// Edits that the level lets into the text.
    Apply(ProposalId, Vec<HunkId>),
    /// Applied edits that the agent does not propose any more.
    Withdraw(ProposalId, Vec<HunkId>),
}

/// The state at one moment, to be read elsewhere for as long as one likes.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// How the client counts characters.
    pub encoding: PositionEncoding,
    /// The workspace folders.
    pub folders: Vec<PathBuf>,
    /// The folder of the user that the first one is a copy of.
    pub copy_of: Option<PathBuf>,
    /// What agents may do.
    pub level: Level,
    /// The open documents.
    pub documents: Arc<Documents>,
    /// The proposals.
    pub reviews: Arc<Reviews>,
    /// The turns.
    pub turns: Arc<BTreeMap<TurnId, Turn>>,
    /// The prompts that wait, those of running turns, and those that were answered for a session.
    pub prompts: Arc<BTreeMap<PromptId, Prompt>>,
    /// The level that the user has chosen in this server, for turns that name none.
    pub chosen: Option<Level>,
    /// The levels that the user has chosen for turns that run; the others go by the configuration of the moment.
    pub chosen_levels: BTreeMap<TurnId, Level>,
}

impl Snapshot {
    /// Returns the prompts that wait for an answer, oldest first.
    pub fn open_prompts(&self) -> Vec<&Prompt> {
        let mut open: Vec<&Prompt> =
            self.prompts.values().filter(|prompt| prompt.resolution.is_none()).collect();
        open.sort_by_key(|prompt| (prompt.asked_at, &prompt.id));
        open
    }

    /// Returns what the user has allowed until a session ends.
    pub fn approvals(&self, session: &SessionId) -> Vec<Approval> {
        let own = self.prompts.values().filter(|prompt| prompt.session == *session);
        own.filter_map(|prompt| prompt.approval().cloned()).collect()
    }

    /// Tells whether a turn waits for the user.
    pub fn is_waiting(&self, turn: &TurnId) -> bool {
        self.prompts.values().any(|prompt| prompt.turn == *turn && prompt.resolution.is_none())
    }
}

impl State {
    /// Takes in what happened, and when, and returns what is to be done about it, in this order.
    ///
    /// Costs the size of the change and one step for each hunk of the document; whatever may take longer is itself an
    /// effect.
    pub fn handle(&mut self, event: Event, at: Timestamp) -> Vec<Effect> {
        let mut effects = self.transition(event);
        effects.extend(self.answer_tools());
        for effect in &effects {
            if let Effect::Persist(commit) = effect {
                self.generation += 1;
                self.keep_journal(commit, at);
            }
        }
        effects
    }

    /// Notes what a commit decides, so that it can be taken back.
    fn keep_journal(&mut self, commit: &Commit, at: Timestamp) {
        let mut acts: Vec<Act> = Vec::new();
        for record in &commit.records {
            let Record::Decision { proposal, hunk, before, verdict } = record else { continue };
            let change = Change { hunk: hunk.clone(), before: before.clone(), after: verdict.clone() };
            match acts.iter_mut().find(|act| act.proposal == *proposal) {
                Some(act) => act.changes.push(change),
                None => acts.push(Act { proposal: proposal.clone(), at, changes: vec![change] }),
            }
        }
        let reviews = &self.reviews;
        for act in acts {
            self.journal.record(act, &|proposal, hunk| verdict_of(reviews, proposal, hunk));
        }
    }

    fn transition(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Attached { encoding, folders, operations } => {
                self.encoding = encoding;
                self.folders = folders;
                self.operations = operations;
                vec![self.load()]
            }
            Event::CopyOf { folder } => {
                self.copy_of = Some(folder);
                Vec::new()
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
            Event::FilesWritten { answer, proposal, result, before } => {
                self.files_written(answer, &proposal, result, before)
            }
            Event::Derived { proposal, path, revision, version, placement } => {
                self.derived(&proposal, &path, revision, version, placement)
            }
            Event::LevelsRead { configured, widest } => {
                (self.configured, self.widest) = (configured, Some(widest));
                Vec::new()
            }
            Event::TurnEnded { turn, end } => self.turn_ended(&turn, end),
            Event::Loaded { generation, .. } if generation != self.generation => vec![self.load()],
            Event::Loaded { known, .. } => self.loaded(*known),
            Event::StoreChanged => vec![self.load()],
            Event::CommitFailed { reason } => {
                let message = reason.map(|reason| Effect::Editor(EditorEffect::Message(reason)));
                message.into_iter().chain([self.load()]).collect()
            }
        }
    }

    /// Returns the state as it is now; costs nothing to speak of.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            encoding: self.encoding,
            folders: self.folders.clone(),
            copy_of: self.copy_of.clone(),
            level: self.level(),
            documents: self.documents.clone(),
            reviews: self.reviews.clone(),
            turns: self.turns.clone(),
            prompts: self.prompts.clone(),
            chosen: self.chosen,
            chosen_levels: self.chosen_levels.clone(),
        }
    }

    fn load(&self) -> Effect {
        let sessions = self.recalled.iter().cloned().collect();
        Effect::Load {
            folders: self.folders.clone(),
            copy_of: self.copy_of.clone(),
            sessions,
            generation: self.generation,
        }
    }

    fn requested(&mut self, request: RequestId, command: Command) -> Vec<Effect> {
        let effects = match command {
            Command::StartTurn(start) => self.start_turn(request, start),
            Command::CancelTurn { turn } => self.cancel_turn(request, turn),
            Command::Propose(propose) => self.propose(request, &propose),
            Command::Apply { proposal } => self.apply(request, &proposal),
            Command::Accept { proposal, hunks } => self.accept(request, &proposal, &hunks),
            Command::Reject { proposal, hunks, reason, replacement } => {
                self.reject(request, &proposal, &hunks, reason.as_deref(), replacement.as_deref())
            }
            Command::Resolve(resolve) => self.resolve(request, resolve),
            Command::Undo { proposal } => self.undo(request, proposal.as_ref()),
            Command::Redo { proposal } => self.redo(request, proposal.as_ref()),
            Command::Ask(prompt) => self.ask(request, *prompt),
            Command::AwaitAnswer { prompt } => self.await_answer(request, prompt),
            Command::Answer { prompt, resolution } => self.answer(request, prompt, resolution),
            Command::SetLevel(level) => Ok(self.set_level(request, level)),
            Command::Comment { proposal, comment } => self.comment(request, &proposal, comment),
        };
        effects.unwrap_or_else(|refusal| vec![Effect::Reply(request, Err(refusal))])
    }
}

/// Returns the verdict of a hunk.
fn verdict_of(reviews: &Reviews, proposal: &ProposalId, hunk: &HunkId) -> Option<Verdict> {
    Some(reviews.get(proposal)?.proposal.hunk(hunk)?.1.verdict.clone())
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
