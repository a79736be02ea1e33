//! What a task's agent says and its tools answer, whole: a file that is only appended to, with a bound, read by byte offset.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use kkcode_core::id::TaskId;

/// How large an output gets, in bytes; what comes behind is dropped, and the file says so.
const MOST: u64 = 64 << 20;

/// Said at the end of an output that was longer.
const CUT: &str = "\n[the output is longer than 64 MiB; the rest is not kept]\n";

/// A piece of an output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The piece; what is no UTF-8 is replaced.
    pub text: String,
    /// The byte behind it: where to go on.
    pub next: u64,
    /// How large the output is now, in bytes.
    pub len: u64,
}

/// An output that is being written.
#[derive(Debug)]
pub(crate) struct Writer {
    file: Option<File>,
    len: u64,
}

impl Writer {
    /// Opens the output of a task, to be appended to. Where that cannot be, the output is lost and the log says so.
    pub(crate) fn open(home: &Path, task: &TaskId) -> Self {
        let opened = make(&folder(home, task))
            .and_then(|()| options().append(true).create(true).open(folder(home, task).join("output.log")));
        match opened {
            Ok(file) => Self { len: file.metadata().map_or(0, |metadata| metadata.len()), file: Some(file) },
            Err(error) => {
                tracing::warn!(%task, %error, "the output of the task is not kept");
                Self { file: None, len: 0 }
            }
        }
    }

    /// Appends a text.
    pub(crate) fn append(&mut self, text: &str) {
        let Some(file) = &mut self.file else { return };
        let room = usize::try_from(MOST.saturating_sub(self.len)).unwrap_or(usize::MAX);
        if room == 0 || text.is_empty() {
            return;
        }
        let fits = text.len() < room;
        let piece = if fits { text } else { text.get(..text.floor_char_boundary(room)).unwrap_or_default() };
        let written = file
            .write_all(piece.as_bytes())
            .and_then(|()| if fits { Ok(()) } else { file.write_all(CUT.as_bytes()) });
        self.len = if fits { self.len + piece.len() as u64 } else { MOST };
        if let Err(error) = written {
            tracing::warn!(%error, "the rest of the task's output is not kept");
            self.file = None;
        }
    }
}

/// Returns the folder with the files of a task.
pub(crate) fn folder(home: &Path, task: &TaskId) -> PathBuf {
    // A name from outside must not lead elsewhere.
    let name: String =
        task.as_str().chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
    home.join("tasks").join(name)
}

/// Reads an output behind a byte. One that is not there is empty.
pub(super) fn read(home: &Path, task: &TaskId, offset: u64, limit: usize) -> io::Result<Output> {
    let mut file = match File::open(folder(home, task).join("output.log")) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Output::default()),
        Err(error) => return Err(error),
    };
    let len = file.metadata()?.len();
    let offset = offset.min(len);
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(limit as u64).read_to_end(&mut bytes)?;
    // A character that is cut at the end comes whole next time.
    let whole = match std::str::from_utf8(&bytes) {
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => error.valid_up_to(),
        _ => bytes.len(),
    };
    bytes.truncate(whole);
    Ok(Output { next: offset + bytes.len() as u64, text: String::from_utf8_lossy(&bytes).into_owned(), len })
}

/// Removes the files of a task.
pub(super) fn remove(home: &Path, task: &TaskId) {
    match fs::remove_dir_all(folder(home, task)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(%task, %error, "the files of a task are left");
        }
        _ => {}
    }
}

/// Opens the file to which a worker's own log goes.
pub(super) fn worker_log(home: &Path, task: &TaskId) -> io::Result<File> {
    make(&folder(home, task))?;
    options().append(true).create(true).open(folder(home, task).join("worker.log"))
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_read_by_offset_and_no_character_is_cut() {
        let (home, task) = (tempfile::tempdir().unwrap(), TaskId::new("task_1"));
        assert_eq!(read(home.path(), &task, 7, 10).unwrap(), Output::default());
        Writer::open(home.path(), &task).append("aä");
        Writer::open(home.path(), &task).append("b");
        let first = read(home.path(), &task, 0, 2).unwrap();
        assert_eq!((first.text.as_str(), first.next, first.len), ("a", 1, 4));
        assert_eq!(read(home.path(), &task, first.next, 10).unwrap().text, "äb");
        assert_eq!(read(home.path(), &task, 99, 10).unwrap().next, 4);
        remove(home.path(), &task);
        assert_eq!(read(home.path(), &task, 0, 10).unwrap(), Output::default());
    }

    #[test]
    fn an_output_has_a_bound_and_says_so() {
        let (home, task) = (tempfile::tempdir().unwrap(), TaskId::new("task_1"));
        let mut output = Writer::open(home.path(), &task);
        let piece = "x".repeat(1 << 20);
        (0..70).for_each(|_| output.append(&piece));
        let end = read(home.path(), &task, MOST - 1, 1000).unwrap();
        assert_eq!(end.text, format!("x{CUT}"));
        assert_eq!(end.len, MOST + CUT.len() as u64);
    }

    #[test]
    fn the_name_of_a_task_leads_nowhere_else() {
        assert_eq!(folder(Path::new("/h"), &TaskId::new("../../etc")), Path::new("/h/tasks/etc"));
    }
}
