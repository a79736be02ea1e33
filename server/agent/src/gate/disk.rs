//! The look at the disk that decisions are made on.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use kkcode_core::permission::ground::{Entry, World};

/// A larger file is no configuration.
const LARGEST: u64 = 256 * 1024;
/// How many names a folder may hold to be listed.
const MOST_NAMES: usize = 20_000;

/// The disk as it is now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disk;

impl World for Disk {
    fn link_target(&self, path: &Path) -> Option<PathBuf> {
        fs::read_link(path).ok()
    }

    fn entry(&self, path: &Path) -> Entry {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Entry::Folder,
            Ok(_) => Entry::File,
            Err(_) => Entry::Nothing,
        }
    }

    fn text(&self, path: &Path) -> Option<String> {
        let file =
            fs::File::open(path).ok().filter(|_| fs::metadata(path).is_ok_and(|found| found.is_file()))?;
        let mut text = String::new();
        file.take(LARGEST + 1).read_to_string(&mut text).ok()?;
        (u64::try_from(text.len()).is_ok_and(|length| length <= LARGEST)).then_some(text)
    }

    fn names(&self, folder: &Path) -> Option<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).ok()? {
            names.push(entry.ok()?.file_name().into_string().ok()?);
            if names.len() > MOST_NAMES {
                return None;
            }
        }
        Some(names)
    }
}
