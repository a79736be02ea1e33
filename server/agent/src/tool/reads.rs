//! What the model of a turn has seen of files, so that it changes no lines by numbers that are not right any more and
//! overwrites nothing that it does not know.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kkcode_core::lines::Lines;

/// The most text that is remembered, in bytes: what was seen longest ago is forgotten first, and must be read again.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The record of one session; the calls of its turn may read at the same time.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    /// The file seen last stands last.
    files: Mutex<VecDeque<Read>>,
}

/// What was seen of one file.
#[derive(Clone, Debug)]
struct Read {
    path: PathBuf,
    /// The text as the session saw it.
    text: Lines,
    /// Lines that were shown with the numbers they have in `text`, in order, none touching the next.
    shown: Vec<Range<usize>>,
    /// Whether all of the text is known: it was shown, or written by the model.
    whole: bool,
}

/// What the model knows of a file's present text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Knowledge {
    /// It has seen nothing of the file.
    Unread,
    /// It has seen another text.
    Stale,
    /// It has seen this text.
    Known {
        /// The lines whose numbers it was shown.
        shown: Vec<Range<usize>>,
        /// Whether it knows all of it.
        whole: bool,
    },
}

impl Reads {
    /// Returns another record of the same, to try something out on.
    pub(crate) fn copy(&self) -> Self {
        Self { files: Mutex::new(self.lock().clone()) }
    }

    /// Takes in that lines of a file were shown to the model.
    pub(super) fn read(&self, path: &Path, text: Lines, lines: Range<usize>) {
        let mut files = self.lock();
        let mut read = match taken(&mut files, path) {
            Some(read) if read.text == text => read,
            _ => Read { path: path.to_owned(), text, shown: Vec::new(), whole: false },
        };
        read.show(lines);
        remember(&mut files, read);
    }

    /// Takes in that the model changed a file, and which lines of the new text it was shown.
    pub(super) fn changed(&self, path: &Path, before: &str, after: Lines, told: &[Range<usize>]) {
        let mut files = self.lock();
        let mut read = Read { path: path.to_owned(), text: after, shown: Vec::new(), whole: false };
        if let Some(old) = taken(&mut files, path).filter(|old| &**old.text.text() == before) {
            let (old_count, count) = (old.text.len(), read.text.len());
            let same = old.text.iter().zip(read.text.iter()).take_while(|(old, new)| old == new).count();
            let behind = old.text.iter().rev().zip(read.text.iter().rev());
            let same_behind =
                behind.take(old_count.min(count) - same).take_while(|(old, new)| old == new).count();
            for lines in &old.shown {
                read.show(lines.start..lines.end.min(same));
                if old_count == count {
                    read.show(lines.start.max(count - same_behind)..lines.end);
                }
            }
            read.whole = old.whole;
        }
        for lines in told {
            read.show(lines.clone());
        }
        remember(&mut files, read);
    }

    /// Takes in that the model wrote all of a file.
    pub(super) fn wrote(&self, path: &Path, text: Lines) {
        let all = 0..text.len();
        let mut files = self.lock();
        drop(taken(&mut files, path));
        remember(&mut files, Read { path: path.to_owned(), text, shown: vec![all], whole: true });
    }

    /// Returns what the model knows of a file whose text is this.
    pub(super) fn knowledge(&self, path: &Path, text: &str) -> Knowledge {
        match self.lock().iter().find(|read| read.path == path) {
            None => Knowledge::Unread,
            Some(read) if &**read.text.text() != text => Knowledge::Stale,
            Some(read) => Knowledge::Known { shown: read.shown.clone(), whole: read.whole },
        }
    }

    /// Tells whether these whole lines were shown to the model, one after the other, when it last saw the file.
    pub(super) fn saw(&self, path: &Path, lines: &str) -> bool {
        let files = self.lock();
        let Some(read) = files.iter().find(|read| read.path == path) else { return false };
        let (first, wanted) = (Lines::new(lines), Lines::new(lines).len());
        let Some(first) = first.iter().next() else { return false };
        read.shown.iter().any(|shown| {
            let last = (shown.end + 1).saturating_sub(wanted);
            (shown.start..last)
                .any(|at| read.text.slice(at..at + 1) == first && read.text.slice(at..at + wanted) == lines)
        })
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Read>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Knowledge {
    /// Refuses what needs to know the file's present text.
    pub(super) fn current(&self, name: &str) -> Result<(), String> {
        match self {
            Self::Unread => Err(format!("{name} was not read in this turn; read it first")),
            Self::Stale => Err(format!("{name} is not as you last saw it; read it again first")),
            Self::Known { .. } => Ok(()),
        }
    }

    /// Refuses what needs to know the right numbers of these lines.
    pub(super) fn numbered(&self, name: &str, lines: &Range<usize>) -> Result<(), String> {
        self.current(name)?;
        let Self::Known { shown, .. } = self else { return Ok(()) };
        if shown.iter().any(|shown| shown.start <= lines.start && lines.end <= shown.end) {
            return Ok(());
        }
        let (from, to) = (lines.start + 1, lines.end);
        Err(format!(
            "lines {from} to {to} of {name} were not shown to you with the numbers they have now; read them first, with \
             offset {from}"
        ))
    }

    /// Refuses what needs to know all of the file.
    pub(super) fn whole(&self, name: &str) -> Result<(), String> {
        self.current(name)?;
        match self {
            Self::Known { whole: false, .. } => Err(format!(
                "only a part of {name} was read; read all of it before you overwrite it, or use `edit`"
            )),
            _ => Ok(()),
        }
    }
}

impl Read {
    fn show(&mut self, lines: Range<usize>) {
        if lines.is_empty() {
            self.whole |= self.text.is_empty();
            return;
        }
        self.shown.push(lines);
        self.shown.sort_by_key(|lines| lines.start);
        let mut joined: Vec<Range<usize>> = Vec::with_capacity(self.shown.len());
        for lines in self.shown.drain(..) {
            match joined.last_mut() {
                Some(last) if last.end >= lines.start => last.end = last.end.max(lines.end),
                _ => joined.push(lines),
            }
        }
        self.shown = joined;
        self.whole |= self.shown.first().is_some_and(|shown| *shown == (0..self.text.len()));
    }
}

fn taken(files: &mut VecDeque<Read>, path: &Path) -> Option<Read> {
    let index = files.iter().position(|read| read.path == path)?;
    files.remove(index)
}

fn remember(files: &mut VecDeque<Read>, read: Read) {
    files.push_back(read);
    let mut bytes: usize = files.iter().map(|read| read.text.text().len()).sum();
    while bytes > MOST_BYTES && files.len() > 1 {
        bytes -= files.pop_front().map_or(0, |read| read.text.text().len());
    }
}

#[cfg(test)]
mod tests;
