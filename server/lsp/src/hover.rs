//! `textDocument/hover` on a hunk: its diff, and what it waits for.

use std::sync::Arc;

use kkcode_core::review::HunkState;
use kkcode_core::text::TextRange;
use lsp_types::{Hover, HoverContents, HoverParams, MarkupContent, MarkupKind};
use tower_lsp::jsonrpc::Result;

use crate::hunks::{Target, Waiting, diff, waiting};
use crate::session::Session;
use crate::{error, from_proto, to_proto};

mod words;

/// How many lines of a diff are shown; the whole is in the virtual document.
const MOST_LINES: usize = 200;

/// Returns what is shown at a position: all hunks of its line.
pub(crate) async fn at(session: Arc<Session>, params: HoverParams) -> Result<Option<Hover>> {
    let place = params.text_document_position_params;
    let position = from_proto::position(place.position);
    let snapshot = session.snapshot().await?;
    let found = tokio::task::spawn_blocking(move || {
        let target = Target::of(&snapshot, place.text_document.uri.as_str())?;
        let mut found = waiting(&snapshot, &target);
        found.retain(|hunk| hunk.is_at(TextRange::new(position, position)));
        Some(found)
    });
    let found = found.await.map_err(|e| error::internal(&e))?.unwrap_or_default();
    let Some(first) = found.first() else { return Ok(None) };
    let range = to_proto::lsp_range(first.standing.range);
    let (kind, render): (MarkupKind, fn(&Waiting) -> String) = if session.client().hover_markdown {
        (MarkupKind::Markdown, markdown)
    } else {
        (MarkupKind::PlainText, plain)
    };
    let value = found.iter().map(render).collect::<Vec<_>>().join("\n\n");
    let contents = HoverContents::Markup(MarkupContent { kind, value });
    Ok(Some(Hover { contents, range: Some(range) }))
}

fn markdown(hunk: &Waiting) -> String {
    let lines = shortened(hunk);
    // The fence has to be longer than any in the text.
    let longest = lines.iter().map(|line| longest_run(line, '`')).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let head = format!("{}, *{}*: {}", state(hunk), escaped(&hunk.title), escaped(&waits_for(hunk)));
    let words = words::listed(&hunk.hunk.old_text, &hunk.hunk.new_text, code);
    let words = words.map(|words| format!("\n\n{words}")).unwrap_or_default();
    format!("{head}\n\n{fence}diff\n{}\n{fence}{words}", lines.join("\n"))
}

fn plain(hunk: &Waiting) -> String {
    let words = words::listed(&hunk.hunk.old_text, &hunk.hunk.new_text, |word| format!("\"{word}\""));
    let words = words.map(|words| format!("\n\n{words}")).unwrap_or_default();
    let diff = shortened(hunk).join("\n");
    format!("{}, {}: {}\n\n{diff}{words}", state(hunk), hunk.title, waits_for(hunk))
}

fn state(hunk: &Waiting) -> &'static str {
    match hunk.standing.state {
        HunkState::Stale => "Stale hunk",
        HunkState::Applying => "Hunk on its way",
        HunkState::Applied => "Applied hunk",
        _ => "Pending hunk",
    }
}

/// Says what has to happen for the hunk to be decided.
fn waits_for(hunk: &Waiting) -> String {
    match (hunk.standing.state, &hunk.standing.reason) {
        (HunkState::Stale, Some(reason)) => match hunk.standing.merges {
            Some(true) => format!("{reason}; merge it with yours, keep yours, or bring them back"),
            Some(false) => format!("{reason}; take the proposal there, keep yours, or bring them back"),
            None => format!("{reason}; bring it back as it was, or reject the hunk"),
        },
        (HunkState::Applied, _) => "is in the text; keep it or undo it".to_owned(),
        (HunkState::Applying, _) => "waits for the editor to take the edit".to_owned(),
        _ if hunk.hunk.changes_only_endings() => {
            "waits for you to accept or reject it (it changes line endings only)".to_owned()
        }
        _ => "waits for you to accept or reject it".to_owned(),
    }
}

fn shortened(hunk: &Waiting) -> Vec<String> {
    let mut lines = diff(&hunk.hunk);
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("… and {more} lines more"));
    }
    lines
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(str::len).max().unwrap_or_default()
}

/// Returns a text as a code span, whatever backticks it has.
fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text, '`') + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Keeps a text of the user's from being read as Markdown.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        if "\\`*_{}[]<>#|~&".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x06_text_of_others_is_not_read_as_markdown() {
        assert_eq!(escaped("a *b* `c` [d](e)"), "a \\*b\\* \\`c\\` \\[d\\](e)");
        let picture = escaped("![](http://127.0.0.1/?d=secret) <img src=x>");
        assert_eq!(
            picture, "!\\[\\](http://127.0.0.1/?d=secret) \\<img src=x\\>",
            "nothing is fetched to be shown"
        );
        assert_eq!(longest_run("``a````b`", '`'), 4);
        assert_eq!([code("a"), code("a`b"), code("``")], ["`a`", "``a`b``", "``` `` ```"]);
    }
}
