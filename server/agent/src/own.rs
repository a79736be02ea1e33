//! Kkcode's own folders and small files in its home: for the user alone, written whole, never half.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use crate::fresh;

/// Makes a folder, and those above it that are missing, that nobody else looks into.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Puts a text in the place of a file, or makes it. Whoever reads meanwhile sees the old one or the new one.
pub(crate) fn put(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    self::folder(folder)?;
    let name = fresh::name("new").map_err(|error| io::Error::other(error.to_string()))?;
    let temporary = folder.join(format!(".{name}"));
    let written = options().create_new(true).open(&temporary).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let put = written.and_then(|()| fs::rename(&temporary, path));
    if put.is_err() && temporary.exists() {
        fs::remove_file(&temporary)?;
    }
    put
}

/// Waits until no other process holds this lock, and holds it until the file is dropped.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    folder(path.parent().unwrap_or(Path::new(".")))?;
    let file = options().create(true).truncate(false).open(path)?;
    file.lock()?;
    Ok(file)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
