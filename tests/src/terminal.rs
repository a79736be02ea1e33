//! A program in a real terminal: tmux types the keys and reads the screen.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::DEADLINE;

/// A tmux server of its own with one window.
#[derive(Debug)]
pub struct Terminal {
    socket: PathBuf,
}

impl Terminal {
    /// Tells whether this machine has tmux.
    #[must_use]
    pub fn is_possible() -> bool {
        Command::new("tmux").arg("-V").output().is_ok_and(|output| output.status.success())
    }

    /// Starts a program in a window of so many columns and rows; `folder` is where it runs and where the socket is.
    ///
    /// # Panics
    ///
    /// When tmux does not start.
    #[must_use]
    pub fn start(folder: &Path, (columns, rows): (u16, u16), program: &[&str]) -> Self {
        let terminal = Self { socket: folder.join("tmux") };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let size = ["-x", &columns, "-y", &rows];
        let mut command = terminal.tmux();
        command.args(["-f", "/dev/null", "new-session", "-d", "-c"]).arg(folder).args(size);
        // The terminal that tmux plays has all colours, whatever this one has.
        command.env("COLORTERM", "truecolor").env("TERM", "tmux-256color").env("LC_ALL", "C.UTF-8");
        check(&command.arg("--").args(program).output().expect("tmux starts"));
        terminal
    }

    /// Types keys, named as tmux names them: `Enter`, `Escape`, or text.
    ///
    /// # Panics
    ///
    /// When the window is gone.
    pub fn keys(&self, keys: &[&str]) {
        for key in keys {
            check(&self.tmux().args(["send-keys", "-t", ":0", key]).output().expect("tmux runs"));
        }
    }

    /// Returns the screen as text, without the blanks at the ends of lines.
    #[must_use]
    pub fn text(&self) -> String {
        self.capture(&[])
    }

    /// Returns the screen with its colours, as escape sequences.
    #[must_use]
    pub fn colours(&self) -> String {
        self.capture(&["-e", "-N"])
    }

    /// Waits until the screen shows all the parts.
    ///
    /// # Panics
    ///
    /// When it does not; the message has the screen.
    #[track_caller]
    pub fn shows(&self, parts: &[&str]) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let text = self.text();
            let missing = parts.iter().find(|part| !text.contains(**part));
            match missing {
                None => return,
                Some(part) if Instant::now() > deadline => panic!("the screen never shows {part:?}:\n{text}"),
                Some(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn capture(&self, options: &[&str]) -> String {
        let mut command = self.tmux();
        command.args(["capture-pane", "-p", "-t", ":0"]).args(options);
        let output = command.output().expect("tmux runs");
        check(&output);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn tmux(&self) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-u").arg("-S").arg(&self.socket).env_remove("TMUX");
        command
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails when the program has ended by itself, and tmux with it.
        drop(self.tmux().arg("kill-server").output());
    }
}

#[track_caller]
fn check(output: &Output) {
    assert!(output.status.success(), "tmux: {}", String::from_utf8_lossy(&output.stderr));
}
