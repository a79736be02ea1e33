//! `grep`: finds lines that match a regular expression, with ripgrep's libraries.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

use super::outcome::append;
use super::search::{Found, Search, in_order};
use super::{Context, Kind, Outcome, Tool};
use collect::{Collect, Line, Matches};

mod collect;

/// How many lines are told when nothing else is asked for, and how many at most.
const LINES: (usize, usize) = (250, 2_000);

/// How many matching lines are kept at most before they are told; a search that finds more is stopped.
const MOST_KEPT: usize = 200_000;

/// The most memory that one thread uses for one line, or for one file when matches may span lines, in bytes.
const MOST_HEAP: usize = 64 * 1024 * 1024;

pub(super) const TOOL: Tool = Tool {
    name: "grep",
    description: "Find lines that match a regular expression (Rust syntax), below `path` or in the whole workspace. \
                  `output_mode` `files` (the default) tells the files, `count` how many lines match in each, `content` \
                  the lines with their numbers. What ignore files leave out is left out. You see unsaved text of the \
                  editor, and your own edits as if they were taken.",
    schema,
    kind: Kind::Looks,
    run,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    pattern: String,
    path: Option<String>,
    #[serde(default)]
    output_mode: Mode,
    r#type: Option<String>,
    glob: Option<String>,
    #[serde(rename = "maxCount")]
    max_count: Option<u64>,
    #[serde(default)]
    context: usize,
    before_context: Option<usize>,
    after_context: Option<usize>,
    #[serde(default, rename = "ignoreCase")]
    ignore_case: bool,
    #[serde(default)]
    multiline: bool,
    head_limit: Option<usize>,
    #[serde(default)]
    offset: usize,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    #[serde(alias = "files_with_matches")]
    Files,
    Content,
    Count,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "pattern": {"type": "string", "description": "a regular expression"},
            "path": {"type": "string", "description": "the folder or file to search; the whole workspace if left out"},
            "output_mode": {"type": "string", "enum": ["files", "content", "count"]},
            "type": {"type": "string", "description": "only files of this type: `rust`, `py`, `js`, `ts`, `md`, …"},
            "glob": {"type": "string", "description": "only files that match, such as `*.rs`; `!*.md` leaves out"},
            "maxCount": {"type": "integer", "minimum": 1, "description": "how many matching lines of each file"},
            "context": {"type": "integer", "minimum": 0, "description": "lines to show around each match"},
            "before_context": {"type": "integer", "minimum": 0, "description": "lines to show before each match"},
            "after_context": {"type": "integer", "minimum": 0, "description": "lines to show behind each match"},
            "ignoreCase": {"type": "boolean"},
            "multiline": {"type": "boolean", "description": "let a match span lines, and `.` match line endings"},
            "head_limit": {"type": "integer", "minimum": 1, "description": "how many lines of the result; 250 if left out"},
            "offset": {"type": "integer", "minimum": 0, "description": "how many lines of the result to leave out first"}
        },
        "required": ["pattern"],
        "additionalProperties": false
    })
}

fn run(input: &Value, ctx: &Context<'_>) -> Result<Outcome, String> {
    let input: Input = super::input("grep", input)?;
    let matcher = matcher(&input)?;
    let mut search = Search::new(ctx, input.path.as_deref())?;
    if let Some(glob) = &input.glob {
        search = search.matching(glob)?;
    }
    if let Some(name) = &input.r#type {
        search = search.of_type(name)?;
    }
    let (files, kept) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    let is_whole = search.run(ctx, || {
        let mut searcher = searcher(&input);
        let (search, files, kept, matcher, input) = (&search, &files, &kept, &matcher, &input);
        move |found: Found<'_>| {
            let (path, matches) = search_one(search, &mut searcher, matcher, found, input);
            if matches.count == 0 {
                return true;
            }
            let before = kept.fetch_add(matches.lines.len() + 1, Ordering::Relaxed);
            files.lock().unwrap_or_else(PoisonError::into_inner).push((path, matches));
            before < MOST_KEPT
        }
    });
    let mut files = files.into_inner().unwrap_or_else(PoisonError::into_inner);
    files.sort_unstable_by(|a, b| in_order(&a.0, &b.0));
    Ok(Outcome::Answer(told(ctx, &input, &files, is_whole)))
}

fn matcher(input: &Input) -> Result<RegexMatcher, String> {
    let mut builder = RegexMatcherBuilder::new();
    builder.multi_line(true).case_insensitive(input.ignore_case).crlf(true);
    if input.multiline {
        builder.dot_matches_new_line(true).line_terminator(None);
    } else {
        builder.line_terminator(Some(b'\n'));
    }
    builder.build(&input.pattern).map_err(|error| {
        let mut reason = format!("the pattern is not right: {error}");
        if !input.multiline && input.pattern.contains("\\n") {
            reason.push_str("; `multiline` lets a match span lines");
        }
        reason
    })
}

fn searcher(input: &Input) -> Searcher {
    let mut builder = SearcherBuilder::new();
    builder
        .binary_detection(BinaryDetection::quit(0))
        .multi_line(input.multiline)
        .line_number(input.output_mode == Mode::Content)
        .heap_limit(Some(MOST_HEAP))
        .max_matches(match input.output_mode {
            Mode::Files => Some(1),
            Mode::Content | Mode::Count => input.max_count,
        });
    if input.output_mode == Mode::Content {
        builder
            .before_context(input.before_context.unwrap_or(input.context))
            .after_context(input.after_context.unwrap_or(input.context));
    }
    builder.build()
}

fn search_one(
    search: &Search,
    searcher: &mut Searcher,
    matcher: &RegexMatcher,
    found: Found<'_>,
    input: &Input,
) -> (PathBuf, Matches) {
    let keep = match input.output_mode {
        Mode::Content => input.offset.saturating_add(limit(input)).saturating_add(1),
        Mode::Files | Mode::Count => 0,
    };
    let mut collect = Collect::new(keep);
    let (path, searched) = match found {
        Found::OnDisk(path) => {
            let file = search.open(path);
            (path, file.and_then(|file| searcher.search_file(matcher, &file, &mut collect)))
        }
        Found::Overlaid(path, text) => (path, searcher.search_slice(matcher, text.as_bytes(), &mut collect)),
    };
    if let Err(error) = searched {
        tracing::debug!(%error, path = %path.display(), "a search passes over this");
    }
    (path.to_owned(), collect.matches())
}

fn limit(input: &Input) -> usize {
    input.head_limit.unwrap_or(LINES.0).min(LINES.1)
}

fn told(ctx: &Context<'_>, input: &Input, files: &[(PathBuf, Matches)], is_whole: bool) -> String {
    // Judging a file costs more than searching it: only those that are told are judged.
    let allowed = files.iter().filter(|(path, _)| ctx.check.shows(path));
    let named = allowed.map(|(path, matches)| (ctx.name(path), matches));
    let lines: Box<dyn Iterator<Item = String>> = match input.output_mode {
        Mode::Files => Box::new(named.map(|(name, _)| name)),
        Mode::Count => Box::new(named.map(|(name, matches)| format!("{name}:{}", matches.count))),
        Mode::Content => Box::new(named.flat_map(|(name, matches)| {
            matches.lines.iter().map(move |line| match line {
                Line::Match(number, text) => format!("{name}:{number}:{text}"),
                Line::Context(number, text) => format!("{name}-{number}-{text}"),
                Line::Break => "--".to_owned(),
            })
        })),
    };
    let mut lines = lines.skip(input.offset).peekable();
    let shown: Vec<String> = lines.by_ref().take(limit(input)).collect();
    let mut text = shown.join("\n");
    if shown.is_empty() && (input.offset == 0 || files.is_empty()) {
        text.push_str("(nothing matches)");
    } else if shown.is_empty() {
        append(&mut text, format_args!("(nothing is left behind offset {})", input.offset));
    } else if lines.peek().is_some() {
        append(&mut text, format_args!("\n(more follow; go on with offset {})", input.offset + shown.len()));
    }
    if !is_whole {
        text.push_str(
            "\n(the search was stopped, it takes too long or finds too much; name a folder in `path`)",
        );
    }
    text
}

#[cfg(test)]
mod tests;
