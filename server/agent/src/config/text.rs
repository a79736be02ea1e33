//! The text of a file of settings: it may lie in anybody's folder, so nothing but a file is read, and none without an end.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use crate::place;

/// A larger file holds no settings.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Returns the bytes of a file. A pipe or a device is none, as if it were a folder: nobody waits for what it may say.
pub(crate) fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let real = path.canonicalize()?;
    // Looked at first, for opening alone may do something to a device; and again, for another one may stand there now.
    only_a_file(&fs::metadata(&real)?)?;
    let file = place::open(&real)?;
    only_a_file(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MOST_BYTES) {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large"));
    }
    Ok(bytes)
}

/// Returns the text of a file.
pub(crate) fn text(path: &Path) -> io::Result<String> {
    String::from_utf8(bytes(path)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no UTF-8"))
}

fn only_a_file(found: &fs::Metadata) -> io::Result<()> {
    if found.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::IsADirectory, "it is not a file"))
}
