//! `edit`: replaces a piece of text that stands in a file exactly once.

use kkcode_core::event::{Author, Propose};
use kkcode_core::id::ProposalId;
use kkcode_core::state::Snapshot;
use kkcode_core::turn::Turn;
use kkcode_provider::request::ToolSpec;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Outcome;
use crate::{file, fresh, overlay};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    path: String,
    before: String,
    after: String,
    #[serde(default)]
    replace_all: bool,
}

/// Describes the tool.
pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: "edit",
        description: "Replace `before` by `after` in the file `path`. `before` must stand in the file exactly once, \
                      to the letter, unless `replace_all` is true. The change is proposed to the user, who takes or \
                      refuses it hunk by hunk; you see the file as if it was taken.",
        input_schema: json!({
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "relative to the workspace folder, or absolute"},
                "before": {"type": "string", "description": "the text to be replaced, with enough around it to be unique"},
                "after": {"type": "string", "description": "the text that takes its place"},
                "replace_all": {"type": "boolean", "description": "replace every occurrence"}
            },
            "required": ["path", "before", "after"],
            "additionalProperties": false
        }),
    }
}

/// Looks at the file and says what would change.
pub(super) fn run(input: &Value, turn: &Turn, snapshot: &Snapshot, apply: bool) -> Outcome {
    proposed(input, turn, snapshot, apply)
        .map_or_else(|refusal| Outcome::Answer(Err(refusal)), |propose| Outcome::Propose(Box::new(propose)))
}

fn proposed(input: &Value, turn: &Turn, snapshot: &Snapshot, apply: bool) -> Result<Propose, String> {
    let input: Input = super::input("edit", input)?;
    let path = file::in_workspace(&input.path, &snapshot.folders).map_err(|error| error.to_string())?;
    let seen = overlay::read(snapshot, &turn.session, &path).map_err(|error| error.to_string())?;
    let Some(now) = &seen.text else { return Err(format!("{} does not exist", path.display())) };
    let text = replaced(now, &input)?;
    let new_proposal = fresh::name("prop").map_err(|error| error.to_string())?;
    let by = Author::Turn { turn: turn.id.clone(), new_proposal: ProposalId::new(new_proposal) };
    Ok(seen.propose(by, &text, apply))
}

/// Returns the text with the replacement made, letter by letter. In a file whose lines end with `\r\n`, line feeds of the
/// input mean that.
fn replaced(text: &str, input: &Input) -> Result<String, String> {
    let Input { path, before, after, replace_all } = input;
    if before.is_empty() {
        return Err(format!("`before` is empty; name the text of {path} that is to be replaced"));
    }
    if before == after {
        return Err("`before` and `after` are the same; there is nothing to change".to_owned());
    }
    let (before, after) = match text.matches(before.as_str()).count() {
        0 if text.contains("\r\n") => (with_crlf(before), with_crlf(after)),
        _ if text.contains("\r\n") && !text.replace("\r\n", "").contains('\n') => {
            (before.clone(), with_crlf(after))
        }
        _ => (before.clone(), after.clone()),
    };
    match text.matches(before.as_str()).count() {
        0 => Err(format!("`before` does not stand in {path}; it must match to the letter, blanks included")),
        1 => Ok(text.replacen(before.as_str(), &after, 1)),
        _ if *replace_all => Ok(text.replace(before.as_str(), &after)),
        count => Err(format!(
            "`before` stands in {path} {count} times, at lines {}; take in more of the text around the one you mean, or \
             set `replace_all`",
            line_numbers(text, &before)
        )),
    }
}

fn with_crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

fn line_numbers(text: &str, before: &str) -> String {
    let line = |(at, _): (usize, &str)| text.get(..at).map_or(0, |head| head.matches('\n').count()) + 1;
    let lines: Vec<String> =
        text.match_indices(before).take(10).map(|found| line(found).to_string()).collect();
    lines.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(text: &str, before: &str, after: &str, replace_all: bool) -> Result<String, String> {
        let input = Input { path: "x".into(), before: before.into(), after: after.into(), replace_all };
        replaced(text, &input)
    }

    #[test]
    fn a_replacement_is_literal() {
        assert_eq!(edit("cost = X\n", "X", "a$&b$$c$`d\\1", false).unwrap(), "cost = a$&b$$c$`d\\1\n");
        assert_eq!(edit("aa b aa", "aa", "$$", true).unwrap(), "$$ b $$");
    }

    #[test]
    fn a_file_with_crlf_stays_one() {
        assert_eq!(edit("a\r\nb\r\nc\r\n", "a\nb", "x\ny\nz", false).unwrap(), "x\r\ny\r\nz\r\nc\r\n");
        assert_eq!(edit("a\r\nb\r\n", "b", "b\nc", false).unwrap(), "a\r\nb\r\nc\r\n");
        assert_eq!(
            edit("a\r\nb\nc\n", "c", "c\nd", false).unwrap(),
            "a\r\nb\nc\nd\n",
            "mixed endings are not mended"
        );
    }

    #[test]
    fn what_is_not_there_once_is_refused() {
        assert!(edit("abc", "x", "y", false).unwrap_err().contains("does not stand in x"));
        let refusal = edit("a\nb\na\n", "a", "y", false).unwrap_err();
        assert!(refusal.contains("2 times, at lines 1, 3"), "{refusal}");
        assert!(edit("abc", "", "y", false).unwrap_err().contains("empty"));
        assert!(edit("abc", "a", "a", false).unwrap_err().contains("nothing to change"));
    }
}
