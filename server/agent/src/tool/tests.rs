//! Tools on a folder: what they say, and what they would make of the files.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use kkcode_core::document::DocumentUri;
use kkcode_core::event::{Author, Command, Event, FileOperations, StartTurn};
use kkcode_core::id::{ProposalId, RequestId, SessionId, TurnId};
use kkcode_core::permission::Decision;
use kkcode_core::proposal::Timestamp;
use kkcode_core::state::State;
use kkcode_core::text::PositionEncoding;
use kkcode_core::turn::{Level, Mode};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::config::ConfigSource;
use crate::gate::Gate;
use crate::gate::policy::Surroundings;
use crate::overlay;

mod patches;
mod paths;
mod real;

/// A folder, a turn in it, and no editor unless a test opens a document.
pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) state: State,
    reads: Reads,
    turn: TurnId,
    level: Level,
}

impl World {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut state = State::default();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let (turn, encoding) = (TurnId::new("turn_1"), PositionEncoding::Utf16);
        let (folders, operations) = (vec![dir.path().to_owned()], FileOperations::default());
        state.handle(Event::Attached { encoding, folders, operations }, Timestamp(0));
        let start = StartTurn {
            turn: turn.clone(),
            session: SessionId::new("sess_1"),
            new_session: true,
            prompt: "do it".into(),
            model: None,
            level: Some(Level::Manual),
            mode: Mode::Agent,
            excerpts: Vec::new(),
            comments: Vec::new(),
            proposes_only: false,
            at: Timestamp(0),
        };
        let started = Event::Requested { request: RequestId(1), command: Command::StartTurn(start) };
        state.handle(started, Timestamp(0));
        Self { dir, state, reads: Reads::default(), turn, level: Level::Manual }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Runs a call and takes in what it proposes, as the turn loop does.
    pub(crate) fn call(&mut self, name: &str, input: Value) -> Result<String, String> {
        let mut snapshot = self.state.snapshot();
        snapshot.chosen_levels.insert(self.turn.clone(), self.level);
        let (turn, cancel) = (&snapshot.turns[&self.turn], CancellationToken::new());
        let surroundings =
            Surroundings { home: self.dir.path().join("../no-home"), ..Surroundings::default() };
        let gate = Arc::new(Gate::new(surroundings, cancel.clone()));
        let check = gate.check(turn, &snapshot, name, &[]);
        let config = ConfigSource::new(self.home(), None, |_| None);
        let (check, config) = (&check, &config);
        let (reads, cancel) = (&self.reads, &cancel);
        let ctx = Context { turn, snapshot: &snapshot, reads, check, config, cancel, site: None };
        match run(&ToolCall { id: "1".into(), name: name.into(), input }, &ctx)? {
            Outcome::Answer(text) | Outcome::Picture { text, .. } => Ok(text),
            Outcome::Propose { edits, note } => {
                let (request, command) = (RequestId(2), Command::Propose(edits));
                self.state.handle(Event::Requested { request, command }, Timestamp(0));
                Ok(note)
            }
            Outcome::Ask(asked) => Err(asked.verdict.reason),
            Outcome::Question(questions) => Ok(questions.title),
            Outcome::Act(act) if check.judge(&act.call).decision == Decision::Ask => {
                Err(format!("{act:?} waits for the gate"))
            }
            Outcome::Act(act) => {
                let (turn, snapshot) = (Arc::new(turn.clone()), Arc::new(snapshot.clone()));
                let done = gate.pass(&turn, &snapshot, act);
                tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(done).flatten()
            }
        }
    }

    /// Returns kkcode's home, which need not be there.
    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().with_extension("home")
    }

    /// Says what the agent may do from now on.
    pub(crate) fn level(&mut self, level: Level) {
        self.level = level;
    }

    /// Returns a file as the session sees it; none when it sees no file there.
    pub(crate) fn seen(&self, path: &str) -> Option<String> {
        let snapshot = self.state.snapshot();
        overlay::read(&snapshot, &SessionId::new("sess_1"), &self.path(path)).unwrap().text
    }

    /// Has a document open, with unsaved text.
    pub(crate) fn open(&mut self, path: &str, text: &str) {
        let path = self.path(path);
        let uri = DocumentUri::new(format!("file://{}", path.display()));
        let (language_id, text) = (String::new(), text.to_owned());
        let opened = Event::DocumentOpened { uri, path: Some(path), language_id, version: 1, text };
        self.state.handle(opened, Timestamp(0));
    }

    /// Proposes that a file goes.
    pub(crate) fn delete(&mut self, path: &str) {
        let snapshot = self.state.snapshot();
        let seen = overlay::read(&snapshot, &SessionId::new("sess_1"), &self.path(path)).unwrap();
        let by = Author::Turn { turn: self.turn.clone(), new_proposal: ProposalId::new("prop_delete") };
        let (request, command) = (RequestId(3), Command::Propose(vec![seen.propose_delete(by, false)]));
        self.state.handle(Event::Requested { request, command }, Timestamp(0));
    }

    /// Lets another program write a file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).unwrap();
    }
}

#[test]
fn bad_input_is_told_plainly() {
    let mut world = World::new(&[("x.txt", "one\n")]);
    let mut refused = |name: &str, input: Value| world.call(name, input).unwrap_err();
    assert!(refused("edti", json!({})).starts_with("there is no tool `edti`; there are: "));
    assert!(refused("edit", json!({"path": "x.txt", "before": "one"})).contains("missing field `after`"));
    assert!(
        refused("edit", json!({"path": 7, "before": "one", "after": "two"})).contains("expected a string")
    );
    assert!(refused("read", json!({"path": "x.txt", "lines": 3})).contains("unknown field `lines`"));
    assert!(refused("read", json!({"path": "../x.txt"})).contains("outside of the workspace folders"));
    let huge = "x".repeat(10 * 1024 * 1024);
    for input in [json!({"path": "x.txt", "before": "one", "after": huge}), json!({"path": {"x": huge}})] {
        let refusal = refused("edit", input);
        assert!(refusal.contains("takes at most") && refusal.len() < 1_000, "{refusal}");
    }
    let long = "x".repeat(1024 * 1024);
    let refusal = refused("read", json!({"path": "x.txt", "offset": long}));
    assert!(refusal.len() < 1_000, "{refusal}");
    assert!(refused("read", json!({"path": long})).len() < 10_000);
}

#[test]
fn every_schema_lists_what_the_tool_takes() {
    for tool in TOOLS {
        let schema = (tool.schema)();
        let required = schema["required"].as_array().unwrap();
        assert!(required.iter().all(|name| schema["properties"].get(name.as_str().unwrap()).is_some()));
        assert_eq!(schema["additionalProperties"], json!(false), "{}", tool.name);
    }
}

#[test]
fn only_what_looks_runs_beside_others() {
    assert!(
        is_read_only("read")
            && !is_read_only("edit")
            && !is_read_only("todowrite")
            && !is_read_only("no such tool")
    );
}
