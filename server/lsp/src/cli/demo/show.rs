//! How the demo looks: steps with headings, diffs with the changed words marked, 80 columns, no colours into a pipe.

use std::collections::VecDeque;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use crate::cli::failure::Failure;
use crate::cli::json::look;
use crate::cli::output::{self, Output, Style};

/// How long a reader gets for a step, on a terminal.
const PAUSE: Duration = Duration::from_millis(1200);

/// How long for one of several lines.
const BEAT: Duration = Duration::from_millis(350);

/// Where the demo is told.
pub(super) struct Show {
    output: Output,
    /// Somebody watches, and reads no faster than anybody.
    watched: bool,
    /// Text is being written, so that a line is to be ended first.
    in_text: bool,
    /// The calls that run, in their order: the first stands in its line already.
    calls: VecDeque<Call>,
    /// The column at which the next word of the reply stands.
    column: usize,
    /// A blank stands before it, unless it begins a line.
    blank: bool,
}

/// A call of a tool.
struct Call {
    id: String,
    line: String,
    /// Whether it proposes something.
    proposes: bool,
    /// Whether it did what it should, once that is known.
    ended: Option<bool>,
}

impl Show {
    pub(super) fn new(output: Output) -> Self {
        let watched = !output.is_json() && output::is_watched();
        Self { output, watched, in_text: false, calls: VecDeque::new(), column: 0, blank: false }
    }

    /// Says what this is.
    pub(super) fn title(&mut self) -> Result<(), Failure> {
        let name = self.output.paint(Style::Bold, "kkcode-lsp");
        let about = format!("{name}  an agent proposes, you decide — in any editor\n\n");
        self.write(&about)?;
        let honest = "A sample project, a real server, a scripted model: no key, no network.";
        self.line(&self.output.paint(Style::Dim, honest))
    }

    /// Begins a step.
    pub(super) fn step(&mut self, name: &str, about: &str) -> Result<(), Failure> {
        self.wait(PAUSE);
        let (mark, name) = (self.output.paint(Style::Cyan, "●"), self.output.paint(Style::Bold, name));
        let about = self.output.paint(Style::Dim, about);
        self.write(&format!("\n{}\n", format!("{mark} {name}  {about}").trim_end()))?;
        self.wait(BEAT);
        Ok(())
    }

    /// Writes one line of a step.
    pub(super) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.write(&format!("  {text}\n"))?;
        self.wait(BEAT);
        Ok(())
    }

    /// Leaves a line empty.
    pub(super) fn gap(&self) -> Result<(), Failure> {
        self.write("\n")
    }

    /// Shows what a running turn says.
    pub(super) fn update(&mut self, update: &Value) -> Result<(), Failure> {
        match look(update, "/kind").as_str() {
            Some("text") => self.say(look(update, "/text").as_str().unwrap_or_default()),
            Some("toolCall") => {
                let title = look(update, "/title").as_str().unwrap_or_default();
                let (tool, about) = title.split_once(' ').unwrap_or((title, ""));
                let line = format!("  {} {about}", self.output.paint(Style::Yellow, tool));
                let proposes = look(update, "/tool") == "edit";
                let is_first = self.calls.is_empty();
                self.calls.push_back(Call { id: id_of(update), line, proposes, ended: None });
                if is_first { self.call_begins() } else { Ok(()) }
            }
            Some("toolResult") => {
                let (id, ok) = (id_of(update), look(update, "/status") == "ok");
                if let Some(call) = self.calls.iter_mut().find(|call| call.id == id) {
                    call.ended = Some(ok);
                }
                self.calls_end()
            }
            _ => Ok(()),
        }
    }

    /// Writes the first call, without what comes of it.
    fn call_begins(&mut self) -> Result<(), Failure> {
        self.reply_ends()?;
        let Some(call) = self.calls.front() else { return Ok(()) };
        self.write(&call.line)?;
        self.in_text = true;
        self.wait(BEAT);
        Ok(())
    }

    /// Writes what came of the first calls, as far as that is known: those that run at once end in any order.
    fn calls_end(&mut self) -> Result<(), Failure> {
        while let Some(Call { ended: Some(ok), proposes, .. }) = self.calls.front() {
            let (style, word) = match (*ok, *proposes) {
                (true, true) => (Style::Green, "proposed"),
                (true, false) => (Style::Dim, "done"),
                (false, _) => (Style::Red, "refused"),
            };
            let word = self.output.paint(style, word);
            self.write(&format!("  {word}\n"))?;
            self.in_text = false;
            self.calls.pop_front();
            self.call_begins()?;
        }
        Ok(())
    }

    /// Ends the line that the reply stands in, if there is one.
    pub(super) fn reply_ends(&mut self) -> Result<(), Failure> {
        if self.in_text {
            self.write("\n")?;
        }
        (self.in_text, self.column) = (false, 0);
        Ok(())
    }

    /// Shows a proposal as diffs.
    pub(super) fn proposal(&mut self, proposal: &Value) -> Result<(), Failure> {
        for file in look(proposal, "/files").as_array().into_iter().flatten() {
            let name = look(file, "/uri").as_str().and_then(|uri| uri.rsplit('/').next()).unwrap_or_default();
            self.write(&format!("\n  {}\n", self.output.paint(Style::Bold, name)))?;
            for hunk in look(file, "/hunks").as_array().into_iter().flatten() {
                let line = look(hunk, "/range/start/line").as_u64().unwrap_or_default() + 1;
                self.write(&self.output.paint(Style::Cyan, &format!("@@ line {line} @@")))?;
                self.write("\n")?;
                let text = |name: &str| look(hunk, &format!("/{name}")).as_str().unwrap_or_default();
                let diff = diff(text("oldText"), text("newText"), self.output);
                self.write(&diff)?;
                self.wait(BEAT);
            }
        }
        Ok(())
    }

    /// Shows what was typed, and where the hunks were and are.
    pub(super) fn typed(&mut self, text: &str, before: &[u64], after: &[u64]) -> Result<(), Failure> {
        let typed = text.trim_end();
        self.line(&format!("line 1  {}", self.output.paint(Style::Bold, typed)))?;
        let numbers = |lines: &[u64]| {
            let lines: Vec<String> = lines.iter().map(|line| (line + 1).to_string()).collect();
            lines.join(", ")
        };
        self.line(&format!(
            "The hunks stood at lines {}, and stand at {} now.",
            numbers(before),
            numbers(after)
        ))
    }

    /// Says what was decided about a hunk, and returns that for programs.
    pub(super) fn decided(&mut self, verdict: &str, new: &str, how: &str) -> Result<Value, Failure> {
        let accepted = verdict == "accepted";
        let (mark, style) = if accepted { ("✓", Style::Green) } else { ("✗", Style::Red) };
        let first = short(new.lines().next().unwrap_or_default().trim(), 64);
        let word = self.output.paint(style, &format!("{mark} {verdict}"));
        self.line(&format!("{word}  {first}"))?;
        self.line(&self.output.paint(Style::Dim, &format!("            {how}")))?;
        Ok(json!({"verdict": verdict, "newText": new}))
    }

    /// Shows a file with the numbers of its lines; those that the user typed and those that were accepted stand out.
    pub(super) fn file(
        &mut self,
        name: &str,
        text: &str,
        typed: &str,
        decided: &[Value],
    ) -> Result<(), Failure> {
        let is_in =
            |line: &str, text: &str| !line.trim().is_empty() && text.lines().any(|other| other == line);
        let accepted = |line: &str| {
            decided.iter().any(|decision| {
                let text = look(decision, "/newText").as_str().unwrap_or_default();
                look(decision, "/verdict") == "accepted" && is_in(line, text)
            })
        };
        self.write(&format!("\n  {}\n", self.output.paint(Style::Bold, name)))?;
        for (number, line) in (1..).zip(text.lines()) {
            let number = self.output.paint(Style::Dim, &format!("{number:>4}"));
            let line = match line {
                line if is_in(line, typed) => self.output.paint(Style::Bold, line),
                line if accepted(line) => self.output.paint(Style::Green, line),
                line => line.to_owned(),
            };
            self.write(format!("{number}  {line}").trim_end())?;
            self.write("\n")?;
        }
        Ok(())
    }

    /// Prints the facts of the demo, where JSON is wanted.
    pub(super) fn facts(&self, facts: &Value) -> Result<(), Failure> {
        if self.output.is_json() { self.output.print(facts, String::new) } else { Ok(()) }
    }

    /// Returns where it is shown.
    pub(super) fn output(&self) -> Output {
        self.output
    }

    /// Writes words of the reply as they come, broken before column 78.
    fn say(&mut self, text: &str) -> Result<(), Failure> {
        for word in text.split_inclusive(' ') {
            let shown = word.trim_end();
            let width = shown.chars().count();
            if self.column == 0 || self.column + width > 78 {
                self.write(if self.column == 0 { "  " } else { "\n  " })?;
                self.column = 2;
            } else if self.blank {
                self.write(" ")?;
            }
            self.write(shown)?;
            self.blank = shown.len() < word.len();
            self.column += word.chars().count();
        }
        self.in_text = true;
        Ok(())
    }

    fn write(&self, text: &str) -> Result<(), Failure> {
        if self.output.is_json() { Ok(()) } else { output::write(text) }
    }

    fn wait(&self, time: Duration) {
        if self.watched {
            sleep(time);
        }
    }
}

/// Returns the beginning of a text that has more characters than that.
fn short(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or(text)),
        None => text.to_owned(),
    }
}

/// Returns the lines that go and come, each beginning with `-` or `+`, the words that differ marked where there are colours.
fn diff(old: &str, new: &str, output: Output) -> String {
    let changes = TextDiff::from_lines(old, new);
    let mut text = String::new();
    for operation in changes.ops() {
        for change in changes.iter_inline_changes(operation) {
            let (sign, plain, strong) = match change.tag() {
                ChangeTag::Delete => ("-", Style::Red, Style::StrongRed),
                ChangeTag::Insert => ("+", Style::Green, Style::StrongGreen),
                ChangeTag::Equal => (" ", Style::Dim, Style::Dim),
            };
            text.push_str(&output.paint(plain, &format!("{sign} ")));
            for (is_changed, part) in change.iter_strings_lossy() {
                let part = part.trim_end_matches(['\r', '\n']);
                text.push_str(&output.paint(if is_changed { strong } else { plain }, part));
            }
            text.push('\n');
        }
    }
    text
}

fn id_of(update: &Value) -> String {
    look(update, "/callId").as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_without_colours_is_plain_lines() {
        let plain = Output::new(true);
        assert_eq!(diff("a b c\n", "a X c\nd\n", plain), "- a b c\n+ a X c\n+ d\n");
    }
}
