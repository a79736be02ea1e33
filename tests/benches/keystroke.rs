//! How long a keystroke in a large document takes a real server process, against `ruff server`.

mod probe;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use probe::{Candidate, Samples, Server};
use serde_json::json;

/// How many keystrokes are measured in each document, after a tenth as many that are not.
const KEYSTROKES: u32 = 1000;

/// A line of the documents; with its line feed and six digits 37 bytes.
const LINE: &str = " = compute(left, right, \"text\")";

fn main() -> Result<()> {
    if !probe::is_wanted() {
        return Ok(());
    }
    let candidates = probe::candidates()?;
    probe::say_where();
    probe::head(&["document and server", "p50 ms", "p99 ms", "memory MB"]);
    for (name, lines) in [("10,000 lines", 10_000), ("10 MB", 10_000_000 / (LINE.len() + 7))] {
        measure(name, lines, &candidates)?;
    }
    Ok(())
}

fn measure(name: &str, lines: usize, candidates: &[Candidate]) -> Result<()> {
    let text = (0..lines).fold(String::new(), |text, number| text + &format!("v{number:05}{LINE}\n"));
    let folder = probe::folder()?;
    let mut typists = Vec::new();
    for candidate in candidates {
        typists.push(Typist::open(candidate, folder.path(), &text)?);
    }
    let mut samples = vec![Samples::default(); typists.len()];
    for keystroke in 0..KEYSTROKES + KEYSTROKES / 10 {
        let mut order: Vec<_> = typists.iter_mut().zip(&mut samples).collect();
        if keystroke % 2 == 1 {
            order.reverse();
        }
        for (typist, samples) in order {
            let time = typist.press(keystroke, lines)?;
            if keystroke >= KEYSTROKES / 10 {
                samples.push_time(time);
            }
        }
    }
    let mut rows = Vec::new();
    for (typist, times) in typists.iter().zip(&samples) {
        let mut memory = Samples::default();
        memory.push_kib(typist.server.resident_kib()?)?;
        rows.push([times.percentile(50), times.percentile(99), memory.percentile(50)]);
    }
    for (candidate, row) in candidates.iter().zip(&rows) {
        probe::row(format_args!("{name}, {}", candidate.name), row);
    }
    if let [ours, ruff] = rows.as_slice() {
        let ratios: Vec<_> = ours.iter().zip(ruff).map(|(ours, ruff)| ours / ruff).collect();
        probe::row(format_args!("{name}, ratio"), &ratios);
    }
    typists.into_iter().try_for_each(|typist| typist.server.stop())
}

/// A server with one open document.
struct Typist {
    server: Server,
    barrier: &'static str,
    uri: String,
}

impl Typist {
    fn open(candidate: &Candidate, folder: &Path, text: &str) -> Result<Self> {
        let mut server = Server::start(candidate, folder)?;
        server.initialize(folder)?;
        server.notify("initialized", &json!({}))?;
        let uri = format!("file://{}/document.py", folder.display());
        let document = json!({"uri": uri, "languageId": "python", "version": 0, "text": text});
        server.notify("textDocument/didOpen", &json!({"textDocument": document}))?;
        // Ruff applies a change before it reads the next message; its code actions would read the whole document.
        let barrier = if candidate.name == probe::OURS { "textDocument/codeAction" } else { probe::UNKNOWN };
        let mut typist = Self { server, barrier, uri };
        typist.barrier(0)?;
        Ok(typist)
    }

    /// Inserts one character near the middle and returns how long until the server answered a request about that line.
    fn press(&mut self, keystroke: u32, lines: usize) -> Result<Duration> {
        // Forty characters a line, as if somebody typed comments.
        let line = lines / 2 + usize::try_from(keystroke / 40)?;
        let at = json!({"line": line, "character": keystroke % 40});
        let change = json!({"range": {"start": at, "end": at}, "text": if keystroke.is_multiple_of(40) { "#" } else { "x" }});
        let document = json!({"uri": self.uri, "version": keystroke + 1});
        let params = json!({"textDocument": document, "contentChanges": [change]});
        let started = Instant::now();
        self.server.notify("textDocument/didChange", &params)?;
        self.barrier(line)?;
        Ok(started.elapsed())
    }

    /// Waits for the answer to a cheap request, which the server can give only after what was sent before.
    fn barrier(&mut self, line: usize) -> Result<()> {
        let at = json!({"line": line, "character": 0});
        let params = json!({
            "textDocument": {"uri": self.uri},
            "range": {"start": at, "end": at},
            "context": {"diagnostics": []},
        });
        self.server.request(self.barrier, &params)
    }
}
