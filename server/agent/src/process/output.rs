//! What a command says: the beginning and the end in memory, all of it in a file when that is not everything.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// How much of the beginning and of the end is kept, in bytes.
const KEPT: (usize, usize) = (10_000, 20_000);

/// How much the file takes at most, in bytes.
const MOST_IN_FILE: u64 = 64 * 1024 * 1024;

/// What a command has said so far.
#[derive(Debug)]
pub(crate) struct Output {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// All that came, in bytes.
    bytes: u64,
    /// Whether a byte came that no text has.
    is_binary: bool,
    path: PathBuf,
    file: Option<File>,
    in_file: u64,
    /// Why the file does not have it all.
    problem: Option<String>,
}

impl Output {
    /// Begins with nothing; what does not fit into memory goes to the file at `path`, which is made only then.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            head: Vec::new(),
            tail: VecDeque::new(),
            bytes: 0,
            is_binary: false,
            path,
            file: None,
            in_file: 0,
            problem: None,
        }
    }

    /// Takes in more.
    pub(crate) fn push(&mut self, more: &[u8]) {
        self.is_binary |= more.contains(&0);
        self.bytes += u64::try_from(more.len()).unwrap_or(u64::MAX);
        if self.file.is_none() && self.problem.is_none() && self.overflows() {
            self.begin_file();
        }
        self.write(more);
        let (first, rest) = more.split_at(more.len().min(KEPT.0.saturating_sub(self.head.len())));
        self.head.extend_from_slice(first);
        self.tail.extend(rest);
        let over = self.tail.len().saturating_sub(KEPT.1);
        drop(self.tail.drain(..over));
    }

    /// Returns the text for the model. What is left out is said, with the file that has all of it.
    pub(crate) fn text(&self) -> String {
        if self.is_binary {
            let kept = if self.overflows() { self.whereabouts() } else { String::new() };
            return format!("[{} bytes that are no text{kept}]", self.bytes);
        }
        let kept = self.head.len() + self.tail.len();
        let left_out = self.bytes.saturating_sub(u64::try_from(kept).unwrap_or(u64::MAX));
        let (a, b) = self.tail.as_slices();
        if left_out == 0 {
            return plain(&[&self.head, a, b].concat());
        }
        let head = plain(up_to_a_line(&self.head));
        let tail = [a, b].concat();
        let tail = plain(from_a_line(&tail));
        format!(
            "{}\n[about {left_out} of {} bytes left out{}]\n{tail}",
            head.trim_end(),
            self.bytes,
            self.whereabouts()
        )
    }

    fn overflows(&self) -> bool {
        self.bytes > u64::try_from(KEPT.0 + KEPT.1).unwrap_or(u64::MAX)
    }

    fn whereabouts(&self) -> String {
        match &self.problem {
            None => format!("; all of it is in {}", self.path.display()),
            Some(problem) if self.in_file > 0 => {
                format!("; the first {} bytes are in {}: {problem}", self.in_file, self.path.display())
            }
            Some(problem) => format!("; it could not be kept: {problem}"),
        }
    }

    fn begin_file(&mut self) {
        match create(&self.path) {
            Ok(file) => {
                self.file = Some(file);
                let (a, b) = self.tail.as_slices();
                let so_far = [&self.head, a, b].concat();
                self.write(&so_far);
            }
            Err(error) => self.problem = Some(error.to_string()),
        }
    }

    fn write(&mut self, more: &[u8]) {
        let Some(file) = &mut self.file else { return };
        let room = usize::try_from(MOST_IN_FILE.saturating_sub(self.in_file)).unwrap_or(usize::MAX);
        let taken = more.get(..more.len().min(room)).unwrap_or(more);
        match file.write_all(taken) {
            Ok(()) if taken.len() == more.len() => {}
            Ok(()) => {
                self.problem = Some(format!("a file takes at most {MOST_IN_FILE} bytes"));
                self.file = None;
            }
            Err(error) => {
                self.problem = Some(error.to_string());
                self.file = None;
            }
        }
        self.in_file += u64::try_from(taken.len()).unwrap_or(u64::MAX);
    }
}

fn create(path: &Path) -> io::Result<File> {
    crate::own::folder(path.parent().unwrap_or(Path::new(".")))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Returns bytes as text without what would move a cursor or hide something: of a line that is written again and again the
/// last version.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let line = line.strip_suffix('\r').unwrap_or(line);
        let line = line.rsplit('\r').next().unwrap_or(line);
        let mut rest = line.chars();
        while let Some(char) = rest.next() {
            match char {
                '\u{1b}' => skip_escape(&mut rest),
                '\t' => plain.push('\t'),
                char if char.is_control() => {}
                char => plain.push(char),
            }
        }
        plain.push_str(end);
    }
    plain
}

/// Skips the rest of an escape sequence (ECMA-48, 5.4 and 5.6).
fn skip_escape(rest: &mut std::str::Chars<'_>) {
    match rest.next() {
        Some('[') => drop(rest.find(|char| ('\u{40}'..='\u{7e}').contains(char))),
        Some(']' | 'P' | '_' | '^' | 'X') => {
            while let Some(char) = rest.next() {
                if char == '\u{7}' || char == '\u{1b}' && rest.next().is_some() {
                    break;
                }
            }
        }
        _ => {}
    }
}

/// Returns what is whole of bytes that were cut at the end.
fn up_to_a_line(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    bytes.get(..end).unwrap_or(bytes)
}

/// Returns what is whole of bytes that were cut at the beginning.
fn from_a_line(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    match bytes.get(start..) {
        Some(whole) if !whole.is_empty() => whole,
        _ => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output() -> (tempfile::TempDir, Output) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/output/one.txt");
        (folder, Output::new(path))
    }

    #[test]
    fn little_is_kept_whole_and_makes_no_file() {
        let (_folder, mut output) = output();
        output.push(b"one\n");
        output.push("z\u{fc}ge\n".as_bytes());
        assert_eq!(output.text(), "one\nz\u{fc}ge\n");
        assert!(!output.path.exists());
    }

    #[test]
    fn of_much_the_beginning_and_the_end_are_kept_and_the_file_has_all() {
        let (_folder, mut output) = output();
        let all: String = (0..20_000).map(|line| format!("line {line}\n")).collect::<Vec<_>>().concat();
        for piece in all.as_bytes().chunks(777) {
            output.push(piece);
        }
        let text = output.text();
        assert!(text.starts_with("line 0\nline 1\n") && text.ends_with("line 19998\nline 19999\n"));
        assert!(text.len() < 31_000, "{} bytes", text.len());
        assert!(text.contains(&output.path.display().to_string()));
        assert!(text.lines().all(|line| line.starts_with("line ") || line.starts_with("[about ")));
        assert_eq!(std::fs::read_to_string(&output.path).unwrap(), all);
    }

    #[test]
    fn what_is_no_text_is_told_by_its_size() {
        let (_folder, mut output) = output();
        output.push(&[0, 159, 146, 150]);
        assert_eq!(output.text(), "[4 bytes that are no text]");
    }

    #[test]
    fn nothing_moves_the_cursor_of_whoever_reads_it() {
        let (_folder, mut output) = output();
        output.push(b"\x1b[31mred\x1b[0m 10%\r 100%\n\x1b]0;title\x07\x1b]8;;file:///x\x1b\\a\x08b\r\n");
        assert_eq!(output.text(), " 100%\nab\n");
    }

    #[test]
    fn a_file_that_cannot_be_made_is_said() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let mut output = Output::new(folder.path().join("file/one.txt"));
        output.push(&vec![b'a'; 40_000]);
        assert!(output.text().contains("it could not be kept"));
    }
}
