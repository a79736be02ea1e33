//! The tools that a model may call, and the one way to call them.

use kkcode_core::event::Propose;
use kkcode_core::task::Delegate;
use kkcode_provider::request::{ToolCall, ToolSpec};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::gate::{Act, Asked, Questions};
use crate::picture::Picture;

mod anchor;
mod context;
mod diff;
mod everything;
mod notebook;
mod outcome;
mod reads;
mod search;

#[cfg(unix)]
mod background_cancel;
#[cfg(unix)]
mod background_output;
#[cfg(unix)]
mod bash;
#[cfg(unix)]
mod brief;
mod copy;
#[cfg(unix)]
mod delegate;
mod edit;
mod glob;
mod grep;
mod list;
mod mkdir;
mod r#move;
mod multiedit;
mod notebookedit;
mod patch;
mod question;
mod read;
mod remove;
mod sysinfo;
#[cfg(unix)]
mod task;
#[cfg(unix)]
mod task_get;
#[cfg(unix)]
mod task_group;
#[cfg(unix)]
mod task_list;
#[cfg(unix)]
mod task_stop;
mod todowrite;
mod webfetch;
mod websearch;
mod write;

pub(crate) use context::Context;
#[cfg(unix)]
pub(crate) use delegate::{handed, mark, of_session};
pub(crate) use diff::diff_of;
pub(crate) use reads::Reads;

/// The most text that one call may bring, in bytes.
const MOST_INPUT: usize = 4 * 1024 * 1024;

/// How much of a call or a result stands in a list, in characters.
const MOST_BRIEF: usize = 120;

/// The most that a refusal says, in bytes: an error may quote what it is about.
const MOST_REFUSAL: usize = 8 * 1024;

/// What a tool wants after it has looked at the files.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It would change files: all of them or, when one is refused, none.
    Propose {
        /// The edits, one for each file.
        edits: Vec<Propose>,
        /// What the model is told besides what came of them.
        note: String,
    },
    /// It is done; the text is for the model.
    Answer(String),
    /// It is done; the picture is for the model, beside the text.
    Picture {
        /// What the picture is.
        text: String,
        /// The picture.
        picture: Picture,
    },
    /// It would do something outside of the files that the session sees, and has done nothing yet.
    Act(Act),
    /// The user is asked something; the answer is the tool's.
    Question(Questions),
    /// The user has to allow something first; the call is made again then.
    Ask(Asked),
}

/// A tool: what the model is told of it, and what it does.
struct Tool {
    name: &'static str,
    description: &'static str,
    /// The JSON Schema of its input.
    schema: fn() -> Value,
    kind: Kind,
    run: fn(&Value, &Context<'_>) -> Result<Outcome, String>,
}

/// What a tool does with the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It looks at things; several calls may run at the same time.
    Looks,
    /// It keeps notes for the model, and touches nothing else.
    Notes,
    /// It changes files.
    Edits,
    /// It acts outside of the files that the session sees, and brings an [`Outcome::Act`].
    Acts,
}

const TOOLS: &[Tool] = &[
    list::TOOL,
    read::TOOL,
    glob::TOOL,
    grep::TOOL,
    edit::TOOL,
    multiedit::TOOL,
    patch::TOOL,
    write::TOOL,
    r#move::TOOL,
    copy::TOOL,
    remove::TOOL,
    mkdir::TOOL,
    notebookedit::TOOL,
    todowrite::TOOL,
    question::TOOL,
    sysinfo::TOOL,
    webfetch::TOOL,
    websearch::TOOL,
    #[cfg(unix)]
    bash::TOOL,
    #[cfg(unix)]
    background_output::TOOL,
    #[cfg(unix)]
    background_cancel::TOOL,
    #[cfg(unix)]
    task::TOOL,
    #[cfg(unix)]
    task_group::TOOL,
    #[cfg(unix)]
    task_list::TOOL,
    #[cfg(unix)]
    task_get::TOOL,
    #[cfg(unix)]
    task_stop::TOOL,
];

/// Returns the tools as the model is told of them: of a subagent those that it was given.
pub(crate) fn specs(bounds: Option<&Delegate>) -> Vec<ToolSpec> {
    let spec = |tool: &Tool| ToolSpec {
        name: tool.name,
        description: tool.description,
        input_schema: (tool.schema)(),
    };
    let given = bounds.and_then(|bounds| bounds.tools.as_ref());
    let is_given = |tool: &&Tool| given.is_none_or(|given| given.iter().any(|name| name == tool.name));
    TOOLS.iter().filter(is_given).map(spec).collect()
}

/// Tells whether a tool only looks at things, so that several of its calls can run at the same time.
pub(crate) fn is_read_only(name: &str) -> bool {
    TOOLS.iter().any(|tool| tool.name == name && tool.kind == Kind::Looks)
}

/// Tells whether a tool changes files.
pub(crate) fn is_edit(name: &str) -> bool {
    TOOLS.iter().any(|tool| tool.name == name && tool.kind == Kind::Edits)
}

/// Runs a tool call: judged by the gate first. What it refuses is said to the model. Reads files: not for the runtime's own
/// thread.
pub(crate) fn run(call: &ToolCall, ctx: &Context<'_>) -> Result<Outcome, String> {
    let found = TOOLS.iter().find(|tool| tool.name == call.name);
    let tool = found.ok_or_else(|| {
        let known: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
        format!("there is no tool `{}`; there are: {}", clipped(&call.name, 100), known.join(", "))
    })?;
    if ctx.cancel.is_cancelled() {
        return Err("the turn was cancelled".to_owned());
    }
    let bytes = text_bytes(&call.input);
    if bytes > MOST_INPUT {
        return Err(format!(
            "the input of `{}` has {bytes} bytes of text; one call takes at most {MOST_INPUT}: do it in smaller pieces",
            tool.name
        ));
    }
    if tool.kind == Kind::Edits && has_nul(&call.input) {
        return Err("the input has a NUL character; only text can be written".to_owned());
    }
    if tool.kind != Kind::Acts {
        ctx.check.tool(&call.input)?;
    }
    let outcome = (tool.run)(&call.input, ctx);
    if let Some(asked) = ctx.check.to_ask() {
        return Ok(Outcome::Ask(asked));
    }
    if tool.kind != Kind::Acts && !matches!(outcome, Ok(Outcome::Act(_))) {
        ctx.check.let_through();
    }
    outcome.map_err(|refusal| clipped(&refusal, MOST_REFUSAL))
}

/// Reads the input of a tool, or says what is wrong with it.
fn input<T: DeserializeOwned>(tool: &str, input: &Value) -> Result<T, String> {
    T::deserialize(input)
        .map_err(|error| format!("the input of `{tool}` is not right: {}", clipped(&error.to_string(), 400)))
}

/// Returns what a call does, in a few words: the tool, and the beginning of what it is about.
pub(crate) fn title(tool: &str, input: &Value) -> String {
    let about = ["path", "file_path", "pattern", "command", "url", "query", "description"];
    let about = about.iter().find_map(|name| input.get(name)).and_then(Value::as_str).unwrap_or_default();
    brief(format!("{tool} {}", about.lines().next().unwrap_or_default()).trim_end())
}

/// Returns as much of a text as stands in a list, at most [`MOST_BRIEF`].
pub(crate) fn brief(text: &str) -> String {
    match text.char_indices().nth(MOST_BRIEF) {
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or(text)),
        None => text.to_owned(),
    }
}

/// Returns the beginning of a text, at most so many bytes of it, and says so when that is not all.
fn clipped(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let kept = text.get(..text.floor_char_boundary(most)).unwrap_or_default();
    format!("{kept}… ({} bytes in all)", text.len())
}

/// Counts the bytes of all texts in a value.
fn text_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(text_bytes).sum(),
        Value::Object(fields) => fields.iter().map(|(key, value)| key.len() + text_bytes(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(fields) => fields.values().any(has_nul),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
pub(crate) mod tests;
