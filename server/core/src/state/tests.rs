use std::path::Path;
use std::time::Duration;

use super::*;
use crate::diff::line_changes;
use crate::document::{ContentChange, Document, DocumentUri};
use crate::edits::{Side, edited_text, overlay_text};
use crate::effect::{DocumentEdit, FileWrite, ProposedFile, Reply};
use crate::event::{Author, Decided, Known};
use crate::event::{Propose, Selection, StartTurn};
use crate::lines::Lines;
use crate::placement::{Found, Placement};
use crate::proposal::{ChangeKind, NewHunk};
use crate::review::HunkState;
use crate::text::{Position, TextRange};
use crate::turn::{Mode, TurnEnd, TurnStatus, Usage};

const PATH: &str = "/w/x.rs";
const URI: &str = "file:///w/x.rs";
const NOW: Timestamp = Timestamp(7);
const TEXT: &str = "one\ntwo\nthree\nfour\nfive\n";

/// The state, with an editor that does what it is told and a disk that nobody else writes.
struct World {
    state: State,
    disk: String,
    version: i32,
    request: u64,
    edits: Vec<DocumentEdit>,
    replies: Vec<Result<Reply, Refusal>>,
    records: Vec<Record>,
    events: Vec<DurableEvent>,
    messages: Vec<String>,
    waiting: Vec<Event>,
    writes: usize,
    learned: Vec<crate::prompt::LearnedRule>,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            state: State::default(),
            disk: TEXT.into(),
            version: 0,
            request: 0,
            edits: Vec::new(),
            replies: Vec::new(),
            records: Vec::new(),
            events: Vec::new(),
            messages: Vec::new(),
            waiting: Vec::new(),
            writes: 0,
            learned: Vec::new(),
        };
        world.handle(Event::Attached {
            encoding: PositionEncoding::Utf16,
            folders: vec!["/w".into()],
            operations: FileOperations::default(),
        });
        world
    }

    fn handle(&mut self, event: Event) {
        for effect in self.state.handle(event, NOW) {
            match effect {
                Effect::Persist(commit) => {
                    self.records.extend(commit.records);
                    self.events.extend(commit.events);
                }
                Effect::Reply(_, reply) => self.replies.push(reply),
                Effect::Editor(EditorEffect::ApplyEdit(edit)) => self.edits.push(edit),
                Effect::Editor(EditorEffect::Message(message)) => self.messages.push(message),
                Effect::Derive(derive) => {
                    let text = match &derive.document {
                        Some((_, rope)) => Lines::of_rope(rope),
                        None => Lines::new(self.disk.as_str()),
                    };
                    let found = match derive.document {
                        Some(_) => Found::Buffer(&text),
                        None => Found::Disk(&text),
                    };
                    let wanted = |hunk: &HunkId| derive.wanted.contains(hunk);
                    let placement = Placement::derive(&derive.file, &derive.texts, found, wanted);
                    self.handle(Event::Derived {
                        proposal: derive.proposal,
                        path: derive.file.path,
                        revision: derive.revision,
                        version: derive.document.map(|(version, _)| version),
                        placement: Some(placement),
                    });
                }
                Effect::WriteFiles { answer, proposal, files, before } => {
                    self.write(answer, proposal, &files, before);
                }
                Effect::After(after, event) => {
                    assert!(after > Duration::from_secs(1));
                    self.waiting.push(*event);
                }
                Effect::Learn { rules, .. } => self.learned.extend(rules),
                Effect::Editor(
                    EditorEffect::Refresh(_) | EditorEffect::Prompts | EditorEffect::Durable(..),
                )
                | Effect::StartTurn(_)
                | Effect::CancelTurn(_)
                | Effect::Load { .. } => {}
            }
        }
    }

    /// Does what the agent does with our own writes.
    fn write(
        &mut self,
        answer: Option<(RequestId, Reply)>,
        proposal: ProposalId,
        files: &[FileWrite],
        before: Vec<(HunkId, Verdict)>,
    ) {
        let mut hunks = Vec::new();
        for write in files {
            self.writes += 1;
            let side = |verdict: &Verdict| if verdict.is_in_text() { Side::New } else { Side::Old };
            let side_of = |hunk: &HunkId| Some(side(&write.hunks.iter().find(|(id, _)| id == hunk)?.1));
            let text = Lines::new(self.disk.as_str());
            let placement = Placement::derive(&write.file, &write.texts, Found::Disk(&text), |hunk| {
                side_of(hunk).is_some()
            });
            self.disk = edited_text(&text, &write.file, &placement, &write.texts, side_of);
            hunks.extend(write.hunks.iter().cloned());
        }
        self.handle(Event::FilesWritten { answer, proposal, result: Ok(hunks), before });
    }

    fn command(&mut self, command: Command) -> Result<Reply, Refusal> {
        self.request += 1;
        self.handle(Event::Requested { request: RequestId(self.request), command });
        self.replies.pop().expect("every command is answered")
    }

    fn open(&mut self, text: &str) {
        self.version = 0;
        self.handle(Event::DocumentOpened {
            uri: DocumentUri::new(URI),
            path: Some(PATH.into()),
            language_id: "rust".into(),
            version: 0,
            text: text.into(),
        });
    }

    fn change(&mut self, changes: &[(TextRange, &str)]) {
        self.version += 1;
        self.handle(Event::DocumentChanged {
            uri: DocumentUri::new(URI),
            version: self.version,
            changes: changes
                .iter()
                .map(|(range, text)| ContentChange { range: Some(*range), text: (*text).into() })
                .collect(),
        });
    }

    /// Does what an editor does with our edit: changes its text and says so.
    fn apply_last_edit(&mut self) {
        let edit = self.edits.pop().expect("an edit");
        assert_eq!(edit.version, self.version, "the edit is for the present version");
        // All ranges are of the same version: from the last to the first none moves another.
        let changes: Vec<_> =
            edit.edits.iter().rev().map(|edit| (edit.range, edit.new_text.as_str())).collect();
        self.change(&changes);
        self.handle(Event::EditAnswered {
            proposal: edit.proposal,
            hunks: edit.hunks,
            applied: true,
            reason: None,
        });
    }

    fn document(&self) -> &Document {
        self.state.documents.by_path(Path::new(PATH)).expect("the document is open")
    }

    fn text(&self) -> String {
        self.document().text.to_string()
    }

    fn start_turn(&mut self, turn: &str) {
        let start = StartTurn {
            turn: TurnId::new(turn),
            session: SessionId::new("s"),
            new_session: turn == "t1",
            prompt: "make it loud\nplease".into(),
            model: None,
            level: None,
            mode: Mode::default(),
            proposes_only: false,
            excerpts: Vec::new(),
            comments: Vec::new(),
            at: Timestamp(1),
        };
        self.command(Command::StartTurn(start)).unwrap();
    }

    fn end_turn(&mut self, turn: &str) {
        let end =
            TurnEnd { status: TurnStatus::Completed, reply: Some("done".into()), usage: Usage::default() };
        self.handle(Event::TurnEnded { turn: TurnId::new(turn), end });
    }

    /// Does what an edit tool does: reads through the overlay, changes that, and proposes the difference.
    fn propose(&mut self, turn: &str, edit: impl Fn(&str) -> String) -> Result<Reply, Refusal> {
        self.propose_with(turn, false, edit);
        self.replies.pop().expect("the tool is answered")
    }

    /// The same at a level that lets the edit into the text; the tool is answered when it is there.
    fn apply_proposed(&mut self, turn: &str, edit: impl Fn(&str) -> String) {
        self.replies.clear();
        self.propose_with(turn, true, edit);
        assert!(self.replies.is_empty(), "not before the editor has done it");
        self.apply_last_edit();
    }

    fn propose_with(&mut self, turn: &str, apply: bool, edit: impl Fn(&str) -> String) {
        let text = self.state.documents.by_path(Path::new(PATH)).map(|document| document.text.to_string());
        let now = Lines::new(text.unwrap_or_else(|| self.disk.clone()));
        let reviews = &self.state.reviews;
        let open = reviews.open_of(&SessionId::new("s"));
        let known = open.and_then(|review| review.proposal.file(Path::new(PATH)));
        let (seen, base, carried) = match known {
            None => (now.text().to_string(), now, Vec::new()),
            Some(file) => {
                let placement = Placement::derive(file, reviews.texts(), Found::Buffer(&now), |_| false);
                let seen = overlay_text(&now, file, &placement, reviews.texts());
                let (base, carried) = crate::edits::base_text(&now, file, &placement, reviews.texts(), None);
                (seen, Lines::new(base), carried)
            }
        };
        let after = Lines::new(edit(&seen));
        let (old, new): (Vec<_>, Vec<_>) = (base.iter().collect(), after.iter().collect());
        let hunks = line_changes(&old, &new)
            .into_iter()
            .map(|change| NewHunk {
                old: change.before.clone(),
                old_text: base.slice(change.before).into(),
                new_text: after.slice(change.after).into(),
            })
            .collect();
        let command = Command::Propose(vec![Propose {
            by: Author::Turn { turn: TurnId::new(turn), new_proposal: ProposalId::new("p") },
            path: PATH.into(),
            kind: ChangeKind::Modify,
            base: Arc::new(base),
            hunks,
            carried,
            apply,
            at: Timestamp(2),
        }]);
        self.request += 1;
        self.handle(Event::Requested { request: RequestId(self.request), command });
    }

    /// A world in which a turn has proposed to shout in lines 2 and 5.
    fn proposed() -> Self {
        let mut world = Self::new();
        world.open(TEXT);
        world.start_turn("t1");
        let reply = world.propose("t1", |text| text.replace("two", "TWO").replace("five", "FIVE"));
        assert_eq!(reply, Ok(proposed_here(2)));
        world
    }

    fn hunks(&self) -> Vec<HunkId> {
        let review = self.state.reviews.get(&ProposalId::new("p")).expect("a proposal");
        review.proposal.files[0].hunks.iter().map(|hunk| hunk.id.clone()).collect()
    }

    fn accept(&mut self, hunk: usize) -> Result<Reply, Refusal> {
        let hunk = self.hunks()[hunk].clone();
        self.command(Command::Accept { proposal: ProposalId::new("p"), hunks: Selection::Hunk(hunk) })
    }

    fn states(&self) -> Vec<HunkState> {
        let review = self.state.reviews.get(&ProposalId::new("p")).expect("a proposal");
        let file = &review.proposal.files[0];
        file.hunks.iter().map(|hunk| review.state(file, hunk)).collect()
    }

    /// What a server that starts now finds in the store.
    fn stored(&self) -> Event {
        let mut proposals: Vec<crate::proposal::Proposal> = Vec::new();
        let mut texts = Vec::new();
        let mut decisions = Vec::new();
        let mut turns = Vec::new();
        for record in self.records.clone() {
            match record {
                Record::Text(hash, lines) => texts.push((hash, lines)),
                Record::Turn(turn) => turns.push(turn),
                Record::Proposal { id, session, turn, title, at } => {
                    proposals.push(crate::proposal::Proposal {
                        id,
                        session,
                        turn,
                        title,
                        created_at: at,
                        files: vec![],
                    });
                }
                Record::File { path, base, .. } => {
                    let files = &mut proposals[0].files;
                    match files.iter_mut().find(|file| file.path == path) {
                        Some(file) => file.base = base,
                        None => files.push(crate::proposal::FileChange { path, base, hunks: vec![] }),
                    }
                }
                Record::Hunk { hunk, .. } => {
                    let hunks = &mut proposals[0].files[0].hunks;
                    hunks.retain(|known| known.id != hunk.id);
                    hunks.push(hunk);
                }
                Record::Decision { proposal, hunk, before, verdict } => {
                    let known = &mut proposals[0].hunk_mut(&hunk).unwrap().verdict;
                    assert_eq!(*known, before, "a decision names what it replaces");
                    known.clone_from(&verdict);
                    decisions.push(Decided { act: decisions.len() as u64, at: NOW, proposal, hunk, verdict });
                }
                Record::Session { .. }
                | Record::TurnEnded { .. }
                | Record::Told { .. }
                | Record::Comment { .. }
                | Record::Prompt(_)
                | Record::PromptResolved { .. }
                | Record::PromptsWithdrawn { .. }
                | Record::CommentsSent { .. } => {}
            }
        }
        for file in proposals.iter_mut().flat_map(|proposal| &mut proposal.files) {
            file.sort();
        }
        let known = Known { proposals, texts, decisions, turns, ..Known::default() };
        Event::Loaded { generation: 0, known: Box::new(known) }
    }
}

const PENDING: HunkState = HunkState::Pending;
const ACCEPTED: HunkState = HunkState::Accepted { saved: false };
const SAVED: HunkState = HunkState::Accepted { saved: true };

/// Returns the answer to a tool that has proposed to change the file.
fn proposed_here(pending: usize) -> Reply {
    let file = ProposedFile { path: PATH.into(), pending, applied: 0, note: None };
    Reply::Proposed { proposal: ProposalId::new("p"), files: vec![file] }
}

fn at(line: u32, character: u32) -> TextRange {
    TextRange::new(Position::new(line, character), Position::new(line, character))
}

fn lines(from: u32, to: u32) -> TextRange {
    TextRange::new(Position::new(from, 0), Position::new(to, 0))
}

#[test]
fn an_accepted_hunk_is_in_the_text_and_final_when_saved() {
    let mut world = World::proposed();
    assert_eq!(world.accept(0), Ok(Reply::Applying));
    assert_eq!(world.states(), [HunkState::Applying, PENDING]);
    world.apply_last_edit();
    assert_eq!(world.text(), "one\nTWO\nthree\nfour\nfive\n");
    assert_eq!(world.states(), [ACCEPTED, PENDING]);
    world.handle(Event::DocumentSaved { uri: DocumentUri::new(URI) });
    assert_eq!(world.states(), [SAVED, PENDING]);
    let counts = world.events.iter().filter_map(|event| match event {
        DurableEvent::ProposalChanged { files, .. } => Some(files[0].pending),
        _ => None,
    });
    assert_eq!(counts.collect::<Vec<_>>(), [2, 1, 1]);
}

#[test]
fn typing_moves_the_range_of_an_edit_and_its_version() {
    let mut world = World::proposed();
    world.change(&[(at(0, 0), "zero\n"), (at(3, 5), "!")]);
    assert_eq!(world.accept(1), Ok(Reply::Applying));
    assert_eq!(world.edits[0].edits[0].range, lines(5, 6));
    world.apply_last_edit();
    assert_eq!(world.text(), "zero\none\ntwo\nthree!\nfour\nFIVE\n");
    assert_eq!(world.states(), [PENDING, ACCEPTED]);
}

#[test]
fn a_hunk_whose_lines_were_typed_in_is_stale_until_they_are_back() {
    let mut world = World::proposed();
    world.change(&[(at(1, 3), "!")]);
    assert_eq!(world.states(), [HunkState::Stale, PENDING]);
    let refusal = world.accept(0).unwrap_err();
    assert_eq!(refusal, Refusal::Stale(world.hunks()[0].clone()));
    world.change(&[(TextRange::new(Position::new(1, 3), Position::new(1, 4)), "")]);
    assert_eq!(world.states(), [PENDING, PENDING]);
}

#[test]
fn undo_in_the_editor_makes_the_hunk_pending_again_and_redo_accepted() {
    let mut world = World::proposed();
    world.accept(0).unwrap();
    world.apply_last_edit();
    world.change(&[(lines(1, 2), "two\n")]);
    assert_eq!(world.states(), [PENDING, PENDING]);
    world.change(&[(lines(1, 2), "TWO\n")]);
    assert_eq!(world.states(), [ACCEPTED, PENDING]);
}

#[test]
fn closing_without_saving_loses_the_accept() {
    let mut world = World::proposed();
    world.accept(0).unwrap();
    world.apply_last_edit();
    world.handle(Event::DocumentClosed { uri: DocumentUri::new(URI) });
    assert_eq!(world.states(), [PENDING, PENDING]);
}

#[test]
fn an_editor_that_refuses_an_edit_leaves_the_hunk_pending() {
    let mut world = World::proposed();
    world.accept(0).unwrap();
    let edit = world.edits.pop().unwrap();
    let reason = Some("read-only".to_owned());
    world.handle(Event::EditAnswered { proposal: edit.proposal, hunks: edit.hunks, applied: false, reason });
    assert_eq!(world.states(), [PENDING, PENDING]);
    assert_eq!(world.messages, ["the editor did not apply the edit: read-only"]);
}

#[test]
fn an_editor_that_says_yes_and_does_nothing_is_found_out() {
    let mut world = World::proposed();
    world.accept(0).unwrap();
    let edit = world.edits.pop().unwrap();
    world.handle(Event::EditAnswered {
        proposal: edit.proposal,
        hunks: edit.hunks,
        applied: true,
        reason: None,
    });
    assert_eq!(world.states(), [HunkState::Applying, PENDING]);
    let overdue = world.waiting.pop().unwrap();
    world.handle(overdue);
    assert_eq!(world.states(), [PENDING, PENDING]);
    assert_eq!(world.messages.len(), 1);
}

#[test]
fn a_rejected_hunk_is_decided_and_the_other_one_stays() {
    let mut world = World::proposed();
    let hunk = world.hunks()[0].clone();
    let reject = || Command::Reject {
        proposal: ProposalId::new("p"),
        hunks: Selection::Hunk(hunk.clone()),
        reason: Some("too loud".into()),
        replacement: None,
    };
    assert_eq!(world.command(reject()), Ok(Reply::Rejected));
    assert_eq!(world.states(), [HunkState::Rejected, PENDING]);
    let refusal = world.command(reject()).unwrap_err();
    assert_eq!(refusal.to_string(), format!("hunk `{hunk}` is rejected already"));
    world.accept(1).unwrap();
    world.apply_last_edit();
    assert_eq!(world.text(), "one\ntwo\nthree\nfour\nFIVE\n");
}

#[test]
fn a_hunk_of_a_closed_file_is_written_by_us() {
    let mut world = World::proposed();
    world.handle(Event::DocumentClosed { uri: DocumentUri::new(URI) });
    let (proposal, hunk) = (ProposalId::new("p"), world.hunks()[1].clone());
    let command = Command::Accept { proposal, hunks: Selection::Hunk(hunk) };
    assert_eq!(world.command(command), Ok(Reply::Accepted));
    assert_eq!(world.writes, 1);
    assert_eq!(world.states(), [PENDING, SAVED]);
    assert_eq!(world.disk, "one\ntwo\nthree\nfour\nFIVE\n");
}

#[test]
fn a_restarted_server_has_the_same_hunks_in_the_same_states() {
    let mut world = World::proposed();
    world.accept(0).unwrap();
    world.apply_last_edit();
    let (ids, text) = (world.hunks(), world.text());
    let mut next = World::new();
    // The text of the accept is in the buffer only; the disk still has the old one.
    next.open(&text);
    next.handle(world.stored());
    assert_eq!(next.hunks(), ids);
    assert_eq!(next.states(), [ACCEPTED, PENDING]);
    next.accept(1).unwrap();
    next.apply_last_edit();
    assert_eq!(next.text(), "one\nTWO\nthree\nfour\nFIVE\n");
}

#[test]
fn a_text_that_was_applied_but_not_recorded_before_a_kill_is_accepted_afterwards() {
    let world = World::proposed();
    let mut next = World::new();
    next.open("one\nTWO\nthree\nfour\nfive\n");
    next.handle(world.stored());
    assert_eq!(next.states(), [ACCEPTED, PENDING]);
}

#[test]
fn a_second_edit_keeps_the_names_of_what_it_leaves_alone() {
    let mut world = World::proposed();
    let before = world.hunks();
    let reply = world.propose("t1", |text| text.replace("FIVE", "FIVE!").replace("three", "THREE"));
    assert_eq!(reply, Ok(proposed_here(2)));
    // Lines 2 and 3 changed together are one hunk, and so is line 5 in its new form.
    assert_eq!(world.states().iter().filter(|state| **state == HunkState::Superseded).count(), 2);
    world.end_turn("t1");
    world.start_turn("t2");
    let kept = world.hunks().into_iter().find(|hunk| !before.contains(hunk)).unwrap();
    world.propose("t2", |text| text.replace("four", "4")).unwrap();
    assert!(world.hunks().contains(&kept));
}

#[test]
fn an_edit_after_typing_and_accepting_starts_from_the_new_text() {
    let mut world = World::proposed();
    world.accept(0).unwrap();
    world.apply_last_edit();
    world.change(&[(at(0, 0), "zero\n")]);
    let pending = world.hunks()[1].clone();
    world
        .propose("t1", |text| {
            assert_eq!(text, "zero\none\nTWO\nthree\nfour\nFIVE\n");
            text.replace("zero", "ZERO")
        })
        .unwrap();
    let review = world.state.reviews.get(&ProposalId::new("p")).unwrap();
    let file = &review.proposal.files[0];
    let still = file.hunk(&pending).unwrap();
    assert_eq!((still.verdict.clone(), still.old.clone()), (Verdict::Undecided, 5..6));
    assert_eq!(file.hunks.iter().filter(|hunk| hunk.verdict == Verdict::Undecided).count(), 2);
}

#[test]
fn a_reversed_range_puts_the_document_out_of_step_until_it_is_opened_again() {
    let mut world = World::proposed();
    world.change(&[(TextRange::new(Position::new(3, 0), Position::new(1, 0)), "x")]);
    assert_eq!(world.text(), TEXT);
    assert_eq!(world.accept(0), Err(Refusal::OutOfSync(URI.into())));
    world.open(TEXT);
    assert_eq!(world.accept(0), Ok(Reply::Applying));
}

mod decisions;
mod prompts;
mod turns;
