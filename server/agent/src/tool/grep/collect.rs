//! What a search finds in one file.

use std::io;

use grep_searcher::{Searcher, Sink, SinkContext, SinkFinish, SinkMatch};

/// How much of a line is kept, in bytes.
const LINE: usize = 500;

/// What was found in one file.
#[derive(Debug, Default)]
pub(super) struct Matches {
    /// How many lines match; where matches span lines, how many matches there are.
    pub(super) count: usize,
    /// The lines, if they are wanted.
    pub(super) lines: Vec<Line>,
}

/// One line of the result.
#[derive(Debug)]
pub(super) enum Line {
    /// A line that matches, with its number.
    Match(u64, String),
    /// A line beside one that matches.
    Context(u64, String),
    /// Lines are left out here.
    Break,
}

/// Takes in what a searcher finds.
#[derive(Debug)]
pub(super) struct Collect {
    matches: Matches,
    /// How many lines are wanted; none when they are only counted.
    most: usize,
    is_binary: bool,
}

impl Collect {
    pub(super) fn new(most: usize) -> Self {
        Self { matches: Matches::default(), most, is_binary: false }
    }

    /// Returns what was found; nothing in a binary file.
    pub(super) fn matches(self) -> Matches {
        if self.is_binary { Matches::default() } else { self.matches }
    }

    fn keep(&mut self, first: u64, bytes: &[u8], line: fn(u64, String) -> Line) {
        for (number, text) in (first..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            if self.is_full() {
                return;
            }
            self.matches.lines.push(line(number, shown(text)));
        }
    }

    fn is_full(&self) -> bool {
        self.matches.lines.len() >= self.most
    }
}

impl Sink for Collect {
    type Error = io::Error;

    fn matched(&mut self, _searcher: &Searcher, found: &SinkMatch<'_>) -> Result<bool, io::Error> {
        self.matches.count += 1;
        if self.most == 0 {
            return Ok(true);
        }
        self.keep(found.line_number().unwrap_or_default(), found.bytes(), Line::Match);
        Ok(!self.is_full())
    }

    fn context(&mut self, _searcher: &Searcher, found: &SinkContext<'_>) -> Result<bool, io::Error> {
        self.keep(found.line_number().unwrap_or_default(), found.bytes(), Line::Context);
        Ok(!self.is_full())
    }

    fn context_break(&mut self, _searcher: &Searcher) -> Result<bool, io::Error> {
        self.matches.lines.push(Line::Break);
        Ok(!self.is_full())
    }

    fn binary_data(&mut self, _searcher: &Searcher, _offset: u64) -> Result<bool, io::Error> {
        self.is_binary = true;
        Ok(false)
    }

    fn finish(&mut self, _searcher: &Searcher, finish: &SinkFinish) -> Result<(), io::Error> {
        self.is_binary |= finish.binary_byte_offset().is_some();
        Ok(())
    }
}

/// Returns a line as it is told: without its ending, at most so much of it.
fn shown(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match line.get(..LINE) {
        Some(head) if line.len() > LINE => {
            format!(
                "{}… ({} bytes in all)",
                String::from_utf8_lossy(head).trim_end_matches('\u{fffd}'),
                line.len()
            )
        }
        _ => String::from_utf8_lossy(line).into_owned(),
    }
}
