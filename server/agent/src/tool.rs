//! The tools that a model may call, and the one way to call them.

use kkcode_core::event::Propose;
use kkcode_core::permission::Access;
use kkcode_core::state::Snapshot;
use kkcode_core::turn::Turn;
use kkcode_provider::request::{ToolCall, ToolSpec};
use serde_json::Value;

use crate::gate::{self, Passage};

mod edit;

/// What a tool wants after it has looked at the files.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It would change a file.
    Propose(Box<Propose>),
    /// It is done, or could not be; the text is for the model.
    Answer(Result<String, String>),
}

/// Returns the tools as the model is told of them.
pub(crate) fn specs() -> Vec<ToolSpec> {
    vec![edit::spec()]
}

/// Tells whether a tool only looks at things, so that several of its calls can run at the same time.
pub(crate) fn is_read_only(_name: &str) -> bool {
    false
}

/// Runs a tool call: judged by the gate first. Reads files: not for the runtime's own thread.
pub(crate) fn run(call: &ToolCall, turn: &Turn, snapshot: &Snapshot) -> Outcome {
    let access = match call.name.as_str() {
        "edit" => Access::Edit,
        name => {
            let known: Vec<&str> = specs().iter().map(|spec| spec.name).collect();
            return Outcome::Answer(Err(format!(
                "there is no tool `{name}`; there are: {}",
                known.join(", ")
            )));
        }
    };
    match gate::check(turn.level, access) {
        Passage::Applied => edit::run(&call.input, turn, snapshot, true),
        Passage::Proposed => edit::run(&call.input, turn, snapshot, false),
        Passage::Refused(reason) => Outcome::Answer(Err(reason.to_owned())),
    }
}

/// Reads the input of a tool, or says what is wrong with it.
fn input<T: serde::de::DeserializeOwned>(tool: &str, input: &Value) -> Result<T, String> {
    T::deserialize(input).map_err(|error| format!("the input of `{tool}` is not right: {error}"))
}
