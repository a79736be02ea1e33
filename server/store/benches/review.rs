//! What the review costs: a keystroke among many hunks, a large diff, many hunks accepted at once. Figures, not tests.
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a program that prints figures and may stop where it is wrong"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use kkcode_core::diff::line_changes;
use kkcode_core::document::{ContentChange, DocumentUri};
use kkcode_core::effect::{Commit, Derive, EditorEffect, Effect};
use kkcode_core::event::{Author, Command, Event, FileOperations, Propose, Selection, StartTurn};
use kkcode_core::id::{HunkId, ProposalId, RequestId, SessionId, TurnId};
use kkcode_core::lines::Lines;
use kkcode_core::placement::{Found, Placement};
use kkcode_core::proposal::{ChangeKind, NewHunk, Timestamp};
use kkcode_core::state::State;
use kkcode_core::text::{Position, PositionEncoding, TextRange};
use kkcode_core::turn::Mode;
use kkcode_store::Store;

const PATH: &str = "/w/x.rs";
const URI: &str = "file:///w/x.rs";
const NOW: Timestamp = Timestamp(1);

/// A state with one open document and a proposal for it, and the store behind it.
struct World {
    state: State,
    store: Store,
    _home: tempfile::TempDir,
    version: i32,
    lines: usize,
    /// Time spent in the store.
    stored: Duration,
}

fn text(lines: usize) -> String {
    (0..lines).map(|number| line(number, false)).collect::<Vec<_>>().concat()
}

/// The text with every `step`-th line changed.
fn changed(lines: usize, step: usize) -> String {
    (0..lines).map(|number| line(number, number % step == 1)).collect::<Vec<_>>().concat()
}

fn line(number: usize, changed: bool) -> String {
    if changed {
        format!("    let value_{number} = compute_faster({number});\n")
    } else {
        format!("    let value_{number} = compute({number}, \"some text\");\n")
    }
}

impl World {
    fn new(lines: usize, hunks: usize) -> Self {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        let mut world =
            Self { state: State::default(), store, _home: home, version: 0, lines, stored: Duration::ZERO };
        let attached = Event::Attached {
            encoding: PositionEncoding::Utf16,
            folders: vec!["/w".into()],
            operations: FileOperations::default(),
        };
        world.handle(attached);
        let base = text(lines);
        world.handle(Event::DocumentOpened {
            uri: DocumentUri::new(URI),
            path: Some(PathBuf::from(PATH)),
            language_id: "rust".into(),
            version: 0,
            text: base.clone(),
        });
        let request = |number| RequestId(number);
        world.handle(Event::Requested {
            request: request(1),
            command: Command::StartTurn(StartTurn {
                turn: TurnId::new("t"),
                session: SessionId::new("s"),
                new_session: true,
                prompt: "faster".into(),
                model: None,
                level: None,
                mode: Mode::default(),
                excerpts: Vec::new(),
                comments: Vec::new(),
                proposes_only: false,
                at: NOW,
            }),
        });
        if hunks == 0 {
            return world;
        }
        let (base, after) = (Lines::new(base), Lines::new(changed(lines, lines / hunks)));
        let (old, new): (Vec<&str>, Vec<&str>) = (base.iter().collect(), after.iter().collect());
        let new_hunks: Vec<NewHunk> = line_changes(&old, &new)
            .into_iter()
            .map(|change| NewHunk {
                old: change.before.clone(),
                old_text: base.slice(change.before).into(),
                new_text: after.slice(change.after).into(),
            })
            .collect();
        assert_eq!(new_hunks.len(), hunks);
        world.handle(Event::Requested {
            request: request(2),
            command: Command::Propose(vec![Propose {
                by: Author::Turn { turn: TurnId::new("t"), new_proposal: ProposalId::new("p") },
                path: PATH.into(),
                kind: ChangeKind::Modify,
                base: Arc::new(base),
                hunks: new_hunks,
                carried: Vec::new(),
                apply: false,
                at: NOW,
            }]),
        });
        world
    }

    /// Takes in an event and does what follows, except for what the editor is asked; returns that.
    fn handle(&mut self, event: Event) -> Vec<EditorEffect> {
        let mut asked = Vec::new();
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for effect in self.state.handle(event, NOW) {
                match effect {
                    Effect::Persist(commit) => self.commit(commit),
                    Effect::Derive(question) => events.push(derived(question)),
                    Effect::Editor(effect) => asked.push(effect),
                    _ => {}
                }
            }
        }
        asked
    }

    fn commit(&mut self, commit: Commit) {
        let start = Instant::now();
        let (sender, done) = channel();
        self.store.commit(commit, move |result| sender.send(result).unwrap());
        done.recv().unwrap().unwrap();
        self.stored += start.elapsed();
    }

    fn keystroke(&mut self, line: usize) -> Duration {
        self.version += 1;
        let at = Position::new(u32::try_from(line).unwrap(), 4);
        let change = ContentChange { range: Some(TextRange::new(at, at)), text: "x".into() };
        let event = Event::DocumentChanged {
            uri: DocumentUri::new(URI),
            version: self.version,
            changes: vec![change],
        };
        let start = Instant::now();
        let effects = self.state.handle(event, NOW);
        let time = start.elapsed();
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Persist(_))), "typing writes nothing");
        time
    }

    /// Accepts everything: the command, the edit coming back from the editor, and the commit. Returns all and the
    /// commit alone.
    fn accept_all(&mut self) -> (Duration, Duration) {
        self.stored = Duration::ZERO;
        let start = Instant::now();
        let command = Command::Accept { proposal: ProposalId::new("p"), hunks: Selection::All };
        let asked = self.handle(Event::Requested { request: RequestId(9), command });
        let edit = asked.into_iter().find_map(|effect| match effect {
            EditorEffect::ApplyEdit(edit) => Some(edit),
            _ => None,
        });
        let edit = edit.unwrap();
        let changes = edit.edits.into_iter().rev();
        let changes =
            changes.map(|edit| ContentChange { range: Some(edit.range), text: edit.new_text }).collect();
        self.handle(Event::DocumentChanged { uri: DocumentUri::new(URI), version: 1, changes });
        let snapshot = self.state.snapshot();
        let review = snapshot.reviews.get(&ProposalId::new("p")).unwrap();
        assert_eq!(review.proposal.state(), kkcode_core::proposal::ReviewState::Accepted);
        (start.elapsed(), self.stored)
    }
}

fn derived(question: Derive) -> Event {
    let (version, text) = question.document.unwrap();
    let text = Lines::of_rope(&text);
    let wanted = |hunk: &HunkId| question.wanted.contains(hunk);
    let placement = Placement::derive(&question.file, &question.texts, Found::Buffer(&text), wanted);
    Event::Derived {
        proposal: question.proposal,
        path: question.file.path,
        revision: question.revision,
        version: Some(version),
        placement: Some(placement),
    }
}

fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort();
    let behind = times.iter().skip(times.len() * percent / 100).chain(times.last());
    behind.map(Duration::as_secs_f64).next().unwrap_or_default() * 1e6
}

fn main() {
    println!("| what | p50 µs | p99 µs |\n|---|---|---|");
    let print = |what: &str, times: &mut Vec<Duration>| {
        println!("| {what} | {:.1} | {:.1} |", percentile(times, 50), percentile(times, 99));
    };
    for (lines, hunks) in [(10_000, 0), (10_000, 50), (10_000, 500), (40_000, 500)] {
        let mut world = World::new(lines, hunks);
        let mut times: Vec<Duration> =
            (0..5_000).map(|number| world.keystroke((number * 40 + 10) % world.lines)).collect();
        print(&format!("a keystroke, {lines} lines, {hunks} pending hunks"), &mut times);
    }
    let mut world = World::new(10_000, 500);
    let mut times: Vec<Duration> = (0..2_000).map(|_| world.keystroke(21)).collect();
    print("a keystroke inside a hunk, 10000 lines, 500 pending hunks", &mut times);

    for (lines, step) in [(10_000, 3), (40_000, 80)] {
        let (base, after) = (Lines::new(text(lines)), Lines::new(changed(lines, step)));
        let (old, new): (Vec<&str>, Vec<&str>) = (base.iter().collect(), after.iter().collect());
        let diff = |_| {
            let start = Instant::now();
            std::hint::black_box(line_changes(&old, &new));
            start.elapsed()
        };
        let mut times: Vec<Duration> = (0..100).map(diff).collect();
        print(&format!("a diff of {lines} lines, {} changed", lines / step), &mut times);
    }
    for lines in [10_000, 40_000] {
        let accepted: Vec<(Duration, Duration)> =
            (0..10).map(|_| World::new(lines, 500).accept_all()).collect();
        let mut all: Vec<Duration> = accepted.iter().map(|(all, _)| *all).collect();
        let mut stored: Vec<Duration> = accepted.iter().map(|(_, stored)| *stored).collect();
        print(&format!("500 hunks of {lines} lines accepted, with the commit"), &mut all);
        print(&format!("the commit of that, {lines} lines"), &mut stored);
    }
}
