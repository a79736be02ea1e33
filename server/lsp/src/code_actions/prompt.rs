//! Prompts as text: a line that begins, after its comment characters, with `kkcode:` or `kkcode?`; and how any prompt
//! becomes an action.

use kkcode_core::state::Snapshot;
use lsp_types::{CodeAction, CodeActionKind, CodeActionOrCommand, Command, Range};
use serde_json::{Value, json};

use super::selection::COMMAND;
use crate::capabilities::ClientCapabilities;
use crate::progress::title;

/// The kind of what starts a turn; each action has one of its own below it.
pub(super) const KIND: &str = "refactor.kkcode";

/// How many lines of a range are looked at.
const MOST_LINES: usize = 1_000;

/// What ends a comment in one line.
const COMMENT_ENDS: [&str; 5] = ["*/", "-->", "*)", "-}", "%>"];

/// An action that starts a turn.
#[derive(Debug, PartialEq)]
pub(super) struct Prompt {
    pub(super) title: String,
    pub(super) kind: CodeActionKind,
    /// The argument of `kkcode.turn.start`.
    pub(super) argument: Value,
}

impl Prompt {
    /// Returns the action as the client can take it.
    pub(super) fn render(self, client: &ClientCapabilities) -> CodeActionOrCommand {
        let Self { title, kind, argument } = self;
        let command =
            Command { title: title.clone(), command: COMMAND.to_owned(), arguments: Some(vec![argument]) };
        if !client.code_action_literals {
            return CodeActionOrCommand::Command(command);
        }
        let (kind, command) = (Some(kind), Some(command));
        CodeActionOrCommand::CodeAction(CodeAction { title, kind, command, ..CodeAction::default() })
    }
}

/// Returns the prompts that stand in the lines of a range of an open document.
pub(super) fn in_lines(snapshot: &Snapshot, uri: &str, range: Range) -> Vec<Prompt> {
    let Some(document) = snapshot.documents.iter().find(|document| document.uri.as_str() == uri) else {
        return Vec::new();
    };
    let (first, last) = (range.start.line as usize, range.end.line as usize);
    let lines = document.text.get_lines_at(first).into_iter().flatten();
    let lines = lines.take((last.saturating_sub(first) + 1).min(MOST_LINES));
    let mut prompts = Vec::new();
    for (number, line) in (first..).zip(lines) {
        let line = line.to_string();
        let Some((does, said)) = said(&line) else { continue };
        let at = json!({"line": number, "character": 0});
        let (mode, prompt, name) = match does {
            Does::Do => {
                let where_from = format!(
                    "(This stands in line {} of the document as an instruction to you. Take that line out with what you \
                     do.)",
                    number + 1
                );
                ("agent", format!("{said}\n\n{where_from}"), "Do")
            }
            Does::Ask => ("ask", said.to_owned(), "Ask"),
        };
        prompts.push(Prompt {
            title: format!("{name}: {}", title(said)),
            kind: CodeActionKind::from(format!("{KIND}.line.{mode}")),
            argument: json!({
                "prompt": prompt,
                "mode": mode,
                "textDocument": {"uri": uri, "version": document.version},
                "range": {"start": at, "end": at},
            }),
        });
    }
    prompts
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Do,
    Ask,
}

/// Returns what a line says to us, if it does.
fn said(line: &str) -> Option<(Does, &str)> {
    let text = line.trim_start_matches(|c: char| c.is_whitespace() || c.is_ascii_punctuation());
    let text = text.strip_prefix("REM ").or_else(|| text.strip_prefix("rem ")).unwrap_or(text).trim_start();
    let (does, said) = match text.strip_prefix("kkcode:") {
        Some(said) => (Does::Do, said),
        None => (Does::Ask, text.strip_prefix("kkcode?")?),
    };
    let said = said.trim();
    let said = COMMENT_ENDS.iter().find_map(|end| said.strip_suffix(end)).unwrap_or(said).trim_end();
    (!said.is_empty()).then_some((does, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_stands_behind_any_comment_characters() {
        for line in [
            "// kkcode: make it loud\r\n",
            "kkcode: make it loud",
            "  # kkcode:make it loud\n",
            "/* kkcode: make it loud */",
            "<!-- kkcode: make it loud -->\n",
            "-- kkcode: make it loud",
            ";; kkcode: make it loud",
            "REM kkcode: make it loud",
            "\t/// kkcode: make it loud",
        ] {
            assert_eq!(said(line), Some((Does::Do, "make it loud")), "{line:?}");
        }
        assert_eq!(said("# kkcode? why is this here?\n"), Some((Does::Ask, "why is this here?")));
    }

    #[test]
    fn other_lines_say_nothing_to_us() {
        for line in
            ["", "kkcode", "// kkcode:  \n", "see kkcode: here", "// Kkcode is a program", "kkcode :x"]
        {
            assert_eq!(said(line), None, "{line:?}");
        }
    }
}
