//! The tool calls of one answer: those that only read at the same time, the others one after the other.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream;
use kkcode_core::effect::ProposedFile;
use kkcode_core::event::Propose;
use kkcode_core::permission::Decision;
use kkcode_core::permission::engine::Approval;
use kkcode_core::state::{Snapshot, name_for_agent};
use kkcode_core::turn::TurnStatus;
use kkcode_provider::request::{BrokenCall, Content, Message, Role, ToolCall};
use serde_json::Value;

use super::repeats::{Repeats, Verdict};
use super::{Link, Running, blocking, shutting_down};
#[cfg(unix)]
use crate::command;
use crate::picture::Picture;
use crate::runtime::{CallEnd, PlanEntry, PlanStatus, Update};
use crate::{gate, tool};

/// How many calls that only read run at the same time.
const AT_ONCE: usize = 8;

/// What the model is told of a call that was not run to its end.
pub(super) const CANCELLED: &str = "cancelled by the user";

/// The calls of the present answer and their results so far; in between nothing but the guard against repetition.
#[derive(Debug, Default)]
pub(super) struct Calls {
    said: Option<Message>,
    open: VecDeque<Result<ToolCall, BrokenCall>>,
    results: Vec<Content>,
    repeats: Repeats,
}

/// Whether the gate let a call look at all that it wanted to see and change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looked {
    Freely,
    Denied,
}

/// A call and what came of it.
struct Ended {
    call: ToolCall,
    came: Came,
}

/// What came of running a call.
struct Came {
    text: String,
    /// What is shown to the model beside the text.
    picture: Option<Picture>,
    end: CallEnd,
    /// Whether something is otherwise than before, so that looking again is no repetition.
    changed: bool,
}

impl Came {
    fn to_nothing(text: String, end: CallEnd) -> Self {
        Self { text, picture: None, end, changed: false }
    }
}

impl Calls {
    /// Takes in an answer with calls.
    pub(super) fn begin(&mut self, said: Message, calls: Vec<Result<ToolCall, BrokenCall>>) {
        self.said = Some(said);
        self.open = calls.into();
        self.results.clear();
    }

    /// Returns the answer and its results, to be written down.
    pub(super) fn finish(&mut self) -> Vec<Message> {
        let results = Message { role: Role::User, content: std::mem::take(&mut self.results) };
        self.said.take().into_iter().chain([results]).collect()
    }

    /// Returns the answer whose calls were being run, those without a result as cancelled; nothing between two answers.
    pub(super) fn abandon(&mut self) -> Vec<Message> {
        if self.said.is_none() {
            return Vec::new();
        }
        let open = std::mem::take(&mut self.open).into_iter();
        let id = |call: Result<ToolCall, BrokenCall>| call.map_or_else(|broken| broken.id, |call| call.id);
        let cancelled = |id| Content::ToolResult { id, text: CANCELLED.to_owned(), is_error: true };
        self.results.extend(open.map(id).map(cancelled));
        self.finish()
    }

    /// Says why the turn is to end, when the model does the same again and again.
    pub(super) fn stuck(&self) -> Option<String> {
        self.repeats.stuck()
    }
}

impl Running {
    /// Runs the calls that are open.
    pub(super) async fn run_calls(&mut self) -> Result<(), TurnStatus> {
        while let Some(first) = self.calls.open.front() {
            let reads = |call: &Result<ToolCall, BrokenCall>| {
                call.as_ref().is_ok_and(|call| tool::is_read_only(&call.name))
            };
            let reading = self.calls.open.iter().take_while(|call| reads(call)).count();
            let count = if reads(first) { reading } else { 1 };
            let batch: Vec<_> = self.calls.open.iter().take(count).cloned().collect();
            let mut running = Vec::new();
            for call in batch {
                running.push((self.calls.repeats.look_at(&call), call));
            }
            let link = self.link.clone();
            let ended = stream::iter(running).map(|(verdict, call)| link.call(verdict, call));
            let mut ended = pin!(ended.buffered(AT_ONCE));
            while let Some(ended) = ended.next().await {
                let Ended { call, came: Came { text, picture, end, changed } } = ended?;
                let mut text = self.calls.repeats.note(&call, text, changed);
                // Here and not where the call runs: calls that run at once are told in their order.
                if end == CallEnd::Ok
                    && let Some(instructions) = self.link.instructions_for(&call).await?
                {
                    text.push_str(&instructions);
                }
                let is_error = end != CallEnd::Ok;
                self.calls.results.push(Content::ToolResult { id: call.id, text, is_error });
                self.calls.results.extend(picture.map(Picture::content));
                drop(self.calls.open.pop_front());
            }
        }
        Ok(())
    }
}

impl Link {
    async fn call(&self, verdict: Verdict, call: Result<ToolCall, BrokenCall>) -> Result<Ended, TurnStatus> {
        let (call, broken) = match call {
            Ok(call) => (call, None),
            Err(broken) => (broken.call(), Some(broken.why)),
        };
        let ToolCall { id, name, input } = call.clone();
        self.tell(Update::ToolCall { id: id.clone(), name, input });
        let refused = broken.or(match verdict {
            Verdict::Run => None,
            Verdict::Refuse(reason) => Some(reason),
        });
        let came = match refused {
            Some(reason) => Came::to_nothing(reason, CallEnd::Error),
            None => self.run_call(&call).await?,
        };
        if came.end == CallEnd::Ok && call.name == "todowrite" {
            self.tell_plan(&call.input);
        }
        self.tell(Update::ToolResult { id, text: came.text.clone(), end: came.end });
        Ok(Ended { call, came })
    }

    /// Runs one call: what is proposed goes to the runtime, everything else is answered by the tool.
    async fn run_call(&self, call: &ToolCall) -> Result<Came, TurnStatus> {
        let mut granted = Vec::new();
        let (outcome, snapshot) = loop {
            let snapshot = Arc::new(self.ports.handle.snapshot().await.ok_or_else(shutting_down)?);
            match self.look(call, &snapshot, &granted).await? {
                (Err(refusal), Looked::Denied) => return Ok(Came::to_nothing(refusal, CallEnd::Denied)),
                (Ok(tool::Outcome::Ask(asked)), _) => {
                    let diff = self.diff_of(call, &snapshot, &granted).await?;
                    match self.gate.allow(&self.turn, &snapshot, asked, diff).await {
                        Ok(approval) => granted.push(approval),
                        Err(refusal) => return Ok(Came::to_nothing(refusal, CallEnd::Denied)),
                    }
                }
                (outcome, _) => break (outcome, snapshot),
            }
        };
        let answer = match outcome {
            Ok(tool::Outcome::Answer(text)) => Ok((text, false)),
            Ok(tool::Outcome::Picture { text, picture }) if self.sees => {
                return Ok(Came { text, picture: Some(picture), end: CallEnd::Ok, changed: false });
            }
            Ok(tool::Outcome::Picture { text, .. }) => {
                Err(format!("{text} is a picture, and you cannot see pictures; ask the user what is on it"))
            }
            Ok(tool::Outcome::Propose { edits, note }) => {
                self.propose(edits, &snapshot).await.map(|text| (format!("{text}\n{note}"), true))
            }
            Ok(tool::Outcome::Act(act)) => match self.gate.pass(&self.turn, &snapshot, act).await {
                Ok(done) => done.map(|text| (text, true)),
                Err(refusal) => return Ok(Came::to_nothing(refusal, CallEnd::Denied)),
            },
            Ok(tool::Outcome::Question(questions)) => {
                self.gate.question(&self.turn, questions).await.map(|text| (text, true))
            }
            Ok(tool::Outcome::Ask(asked)) => Err(gate::nobody_to_ask(&asked.verdict)),
            Err(error) => Err(error),
        };
        Ok(match answer {
            Ok((text, changed)) => Came { text, picture: None, end: CallEnd::Ok, changed },
            Err(error) => Came::to_nothing(error, CallEnd::Error),
        })
    }

    /// Lets a tool look at its input and the files; says beside its outcome whether the gate refused a part of that.
    async fn look(
        &self,
        call: &ToolCall,
        snapshot: &Arc<Snapshot>,
        granted: &[Approval],
    ) -> Result<(Result<tool::Outcome, String>, Looked), TurnStatus> {
        let (link, wanted, snapshot) = (self.clone(), call.clone(), snapshot.clone());
        let granted = granted.to_vec();
        blocking(move || {
            let check = link.gate.check(&link.turn, &snapshot, &wanted.name, &granted);
            let outcome = link.run_tool(&wanted, &snapshot, &check, &link.ports.memory.reads);
            for problem in link.gate.take_problems() {
                link.tell_user(problem.to_string());
            }
            let mut looked = Looked::Freely;
            for (call, verdict) in check.take_decided() {
                if verdict.decision == Decision::Deny {
                    looked = Looked::Denied;
                }
                link.gate.note(&link.turn, &call, &verdict, None);
            }
            (outcome, looked)
        })
        .await
    }

    /// Returns what an edit that has to be asked would make of files, as a unified diff; none for what is no edit.
    async fn diff_of(
        &self,
        call: &ToolCall,
        snapshot: &Arc<Snapshot>,
        granted: &[Approval],
    ) -> Result<Option<String>, TurnStatus> {
        if !tool::is_edit(&call.name) {
            return Ok(None);
        }
        let (link, wanted, snapshot) = (self.clone(), call.clone(), snapshot.clone());
        let mut granted = granted.to_vec();
        blocking(move || {
            // As if the user had said yes to all of it; what the model has seen by that it has not.
            let reads = link.ports.memory.reads.copy();
            loop {
                let check = link.gate.check(&link.turn, &snapshot, &wanted.name, &granted);
                match link.run_tool(&wanted, &snapshot, &check, &reads) {
                    Ok(tool::Outcome::Ask(asked)) => {
                        let approval = check.approval(&asked.call);
                        if granted.contains(&approval) {
                            return None;
                        }
                        granted.push(approval);
                    }
                    Ok(tool::Outcome::Propose { edits, .. }) => {
                        return Some(tool::diff_of(&edits, &snapshot.folders));
                    }
                    Ok(_) | Err(_) => return None,
                }
            }
        })
        .await
    }

    fn run_tool(
        &self,
        call: &ToolCall,
        snapshot: &Snapshot,
        check: &gate::Check,
        reads: &tool::Reads,
    ) -> Result<tool::Outcome, String> {
        #[cfg(unix)]
        let site =
            command::Site { turn: self.turn.clone(), ports: self.ports.clone(), gate: self.gate.clone() };
        let ctx = tool::Context {
            turn: &self.turn,
            snapshot,
            reads,
            check,
            config: &self.ports.config,
            cancel: &self.ports.cancel,
            #[cfg(unix)]
            site: Some(&site),
        };
        tool::run(call, &ctx)
    }

    /// Proposes edits, all of them or none, and says for the model what came of them.
    async fn propose(&self, edits: Vec<Propose>, snapshot: &Snapshot) -> Result<String, String> {
        let files = self.ports.propose(&self.turn.session, edits).await?;
        let told =
            |file: ProposedFile| [Some(proposed(&file, &snapshot.folders)), file.note].into_iter().flatten();
        Ok(files.into_iter().flat_map(told).collect::<Vec<_>>().join("\n"))
    }

    /// Tells the agent's list of what it is going to do. Entries that are not as they should be are left out.
    fn tell_plan(&self, input: &Value) {
        let entries = input.get("todos").and_then(Value::as_array).into_iter().flatten();
        let entry = |entry: &Value| {
            let text = entry.get("content").and_then(Value::as_str)?.to_owned();
            let status = match entry.get("status").and_then(Value::as_str)? {
                "completed" => PlanStatus::Completed,
                "in_progress" => PlanStatus::InProgress,
                _ => PlanStatus::Pending,
            };
            Some(PlanEntry { text, status })
        };
        self.tell(Update::Plan(entries.filter_map(entry).collect()));
    }
}

fn proposed(file: &ProposedFile, folders: &[PathBuf]) -> String {
    let ProposedFile { path, pending, applied, .. } = file;
    let path = name_for_agent(path, folders);
    let (s, waits) = if *pending == 1 { ("", "waits") } else { ("s", "wait") };
    if *applied > 0 {
        return format!(
            "proposed, and on its way into {path}, because the user's level allows it; the user reviews it there"
        );
    }
    format!("proposed, not yet accepted: {pending} hunk{s} of {path} {waits} for the user")
}
