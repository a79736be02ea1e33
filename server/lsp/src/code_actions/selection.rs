//! What can be asked for with a selection, or where something is wrong: actions that start a turn.

use kkcode_core::state::Snapshot;
use kkcode_protocol::commands::TurnStart;
use kkcode_protocol::message::Command as _;
use lsp_types::{CodeActionKind, Diagnostic, Range};
use serde_json::{Value, json};

use super::prompt::{KIND, Prompt};

/// One of the things that can be asked for.
struct Choice {
    title: &'static str,
    /// The last part of its kind.
    kind: &'static str,
    mode: &'static str,
    prompt: &'static str,
}

const CHOICES: [Choice; 5] = [
    Choice {
        title: "Ask",
        kind: "ask",
        mode: "ask",
        prompt: "Answer the questions that stand in the selected lines. If there are none, say what is worth knowing about them.",
    },
    Choice {
        title: "Explain",
        kind: "explain",
        mode: "ask",
        prompt: "Explain the selected lines: what they do, why they are there, and what is surprising about them.",
    },
    Choice {
        title: "Refactor…",
        kind: "refactor",
        mode: "agent",
        prompt: "Make the selected lines simpler and easier to read. Do not change what they do, nor their interface.",
    },
    Choice {
        title: "Document",
        kind: "document",
        mode: "agent",
        prompt: "Document the selected lines in the style of this project. Change nothing but comments.",
    },
    Choice {
        title: "Write tests",
        kind: "tests",
        mode: "agent",
        prompt: "Write tests for the selected lines, where and as this project has its tests.",
    },
];

/// Returns the actions for a selection of an open document, and for the diagnostics at the range that are not ours.
pub(super) fn prompts(
    snapshot: &Snapshot,
    uri: &str,
    range: Range,
    diagnostics: &[Diagnostic],
) -> Vec<Prompt> {
    let Some(document) = snapshot.documents.iter().find(|document| document.uri.as_str() == uri) else {
        return Vec::new();
    };
    let text_document = json!({"uri": uri, "version": document.version});
    let mut prompts = Vec::new();
    if range.start != range.end {
        prompts.extend(CHOICES.iter().map(|choice| Prompt {
            title: choice.title.to_owned(),
            kind: CodeActionKind::from(format!("{KIND}.{}", choice.kind)),
            argument: json!({
                "prompt": choice.prompt,
                "mode": choice.mode,
                "textDocument": text_document,
                "range": range,
            }),
        }));
    }
    let theirs: Vec<&Diagnostic> =
        diagnostics.iter().filter(|diagnostic| diagnostic.source.as_deref() != Some("kkcode")).collect();
    if !theirs.is_empty() || range.start != range.end {
        prompts.push(fix(uri, &text_document, range, &theirs));
    }
    prompts
}

fn fix(uri: &str, text_document: &Value, range: Range, diagnostics: &[&Diagnostic]) -> Prompt {
    let prompt = match diagnostics {
        [] => "Find what is wrong with the selected lines, and fix it.".to_owned(),
        [diagnostic] => format!("Fix this: {}", diagnostic.message),
        [first, ..] => format!("Fix these {}, first: {}", diagnostics.len(), first.message),
    };
    let diagnostics: Vec<Value> =
        diagnostics.iter().map(|diagnostic| json!({"uri": uri, "diagnostic": told(diagnostic)})).collect();
    let mut argument =
        json!({"prompt": prompt, "mode": "agent", "textDocument": text_document, "range": range});
    if let Some(argument) = argument.as_object_mut().filter(|_| !diagnostics.is_empty()) {
        argument.insert("diagnostics".to_owned(), Value::Array(diagnostics));
    }
    Prompt { title: "Fix".to_owned(), kind: CodeActionKind::QUICKFIX, argument }
}

/// Returns the members of a diagnostic that a turn reads.
fn told(diagnostic: &Diagnostic) -> Value {
    let mut told = json!(diagnostic);
    if let Some(members) = told.as_object_mut() {
        members
            .retain(|name, _| matches!(name.as_str(), "range" | "severity" | "code" | "source" | "message"));
    }
    told
}

/// The command that all of them are.
pub(super) const COMMAND: &str = TurnStart::NAME;
