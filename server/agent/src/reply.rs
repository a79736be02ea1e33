//! Replies as Markdown files in kkcode's home, for editors that can show nothing but files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use kkcode_core::id::TurnId;

use crate::own;

/// How long a reply is kept; the store has it for good.
const KEPT: Duration = Duration::from_hours(24 * 7);

/// Writes a turn's reply below the prompt, and returns where. Replies that are a week old go.
pub fn write(home: &Path, turn: &TurnId, prompt: &str, reply: &str) -> io::Result<PathBuf> {
    let folder = home.join("replies");
    own::folder(&folder)?;
    tidy(&folder);
    let path = folder.join(format!("{turn}.md"));
    let prompt = prompt.trim().replace('\n', "\n> ");
    fs::write(&path, format!("> {prompt}\n\n{}\n", reply.trim_end()))?;
    Ok(path)
}

fn tidy(folder: &Path) {
    let is_old = |entry: &fs::DirEntry| {
        let written = entry.metadata().and_then(|metadata| metadata.modified());
        written.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > KEPT))
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(is_old) {
        if let Err(error) = fs::remove_file(entry.path()) {
            tracing::debug!(file = %entry.path().display(), %error, "an old reply stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_stands_below_its_prompt_and_old_ones_go() {
        let home = tempfile::tempdir().unwrap();
        let old = write(home.path(), &TurnId::new("turn_1"), "p", "r").unwrap();
        let file = fs::File::options().write(true).open(&old).unwrap();
        file.set_modified(SystemTime::now() - KEPT - Duration::from_mins(1)).unwrap();
        let path = write(home.path(), &TurnId::new("turn_2"), "why?\nreally?\n", "# So\n\n").unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "> why?\n> really?\n\n# So\n");
        assert!(!old.exists());
    }
}
