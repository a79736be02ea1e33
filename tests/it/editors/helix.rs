//! Helix in a terminal: the line that asks, the walk from hunk to hunk, accept, reject, and the editor's own undo.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kkcode_tests::{DEADLINE, Terminal, skip};

use super::{TEXT, notes, recipe, repository, world};

fn helix() -> Option<PathBuf> {
    let tools = std::env::var_os("KKCODE_TEST_TOOLS")
        .map_or_else(|| repository().join("target/tools"), PathBuf::from);
    let helix = tools.join("helix/bin/hx");
    helix.exists().then_some(helix)
}

fn start(dir: &Path, helix: &Path) -> Terminal {
    // The recipe is for Rust, which Helix knows; of texts it has to be told what they are, and there is no other server.
    let languages = recipe("Helix", "toml")
        .replace("name = \"rust\"", "name = \"plain\"\nscope = \"text.plain\"\nfile-types = [\"txt\"]")
        .replace("\"rust-analyzer\", ", "")
        .replace("\"kkcode-lsp\"", &format!("\"{}\"", dir.join("server").display()));
    assert!(languages.contains("plain") && !languages.contains("rust") && languages.contains("/server\""));
    fs::create_dir(dir.join("configuration/helix")).unwrap();
    fs::write(dir.join("configuration/helix/languages.toml"), languages).unwrap();
    let script = format!(
        "cd '{dir}/work' && XDG_CONFIG_HOME='{dir}/configuration' XDG_CACHE_HOME='{dir}/cache' exec '{helix}' notes.txt",
        dir = dir.display(),
        helix = helix.display(),
    );
    let terminal = Terminal::start(dir, (110, 34), &["sh", "-c", &script]);
    terminal.shows(&["NOR", "seven"]);
    terminal
}

/// Waits until the text on the screen satisfies `is_so`.
#[track_caller]
fn until(terminal: &Terminal, what: &str, is_so: impl Fn(&str) -> bool) -> String {
    let end = Instant::now() + DEADLINE;
    loop {
        let text = terminal.text();
        if is_so(&text) {
            return text;
        }
        assert!(Instant::now() < end, "the screen never shows {what}:\n{text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Opens the menu of code actions with the cursor in line `line`, which counts from 1, and takes one.
#[track_caller]
fn take(terminal: &Terminal, line: usize, title: &str) {
    // Before the server has answered `initialize`, and without an action, there is no menu: ask again.
    let end = Instant::now() + DEADLINE;
    let menu = loop {
        terminal.keys(&["Space", "a"]);
        let text = until(terminal, "a menu or that there is none", |text| {
            text.contains(title) || text.contains("No code actions") || text.contains("No configured")
        });
        if text.contains(title) {
            break text;
        }
        assert!(Instant::now() < end, "no action {title:?} is offered:\n{text}");
        terminal.keys(&["Escape"]);
        // An Escape and a Space that arrive together are read as Alt and Space.
        until(terminal, "that Escape was read", |text| {
            !text.contains("No code actions") && !text.contains("No configured")
        });
    };
    // The menu begins in the row below the cursor, with its first entry chosen.
    let row = menu.lines().position(|row| row.contains(title)).unwrap();
    for _ in line..row {
        terminal.keys(&["C-n"]);
    }
    terminal.keys(&["Enter"]);
}

#[test]
fn a_hunk_is_accepted_and_the_next_one_rejected_in_helix() {
    let test = "editors::helix::a_hunk_is_accepted_and_the_next_one_rejected_in_helix";
    let Some(helix) = helix() else {
        skip(test, "tests/install/helix could not install it");
        return;
    };
    if !Terminal::is_possible() {
        skip(test, "there is no tmux");
        return;
    }
    let dir = world();
    let terminal = start(dir.path(), &helix);

    take(&terminal, 1, "Do: shout");
    // The reply is named in a message; a shown document would stand where the user's file stands.
    terminal.shows(&["kkcode: completed: Done.", "notes.txt", "●   4  two", "●   8  six"]);

    // The list of hunks is the picker of diagnostics.
    terminal.keys(&["Space", "d"]);
    terminal.shows(&["pending hunk: two → TWO", "pending hunk: six → SIX"]);
    terminal.keys(&["Escape"]);
    until(&terminal, "the text without the list", |text| !text.contains("pending hunk: six"));
    terminal.keys(&["Space", "D"]);
    terminal.shows(&["path", "notes.txt pending hunk: two", "notes.txt pending hunk: six"]);
    terminal.keys(&["Escape"]);
    until(&terminal, "the text without the list", |text| !text.contains("pending hunk: six"));

    terminal.keys(&["]", "d"]);
    terminal.shows(&["pending hunk: two → TWO", "1 sel  4:"]);
    terminal.keys(&["]", "d"]);
    terminal.shows(&["pending hunk: six → SIX", "1 sel  8:"]);
    // Helix stands at the end of the hunk: the one that begins before it is the same one, the next press goes on.
    terminal.keys(&["[", "d", "[", "d"]);
    terminal.shows(&["pending hunk: two → TWO", "1 sel  4:"]);
    take(&terminal, 4, "Accept hunk");
    until(&terminal, "the accepted text", |text| text.contains("4  TWO") && !text.contains("●   4"));
    terminal.keys(&["u"]);
    terminal.shows(&["●   4  two"]);
    terminal.keys(&["U"]);
    until(&terminal, "the text after redo", |text| text.contains("4  TWO") && !text.contains("●   4"));

    terminal.keys(&["]", "d"]);
    terminal.shows(&["pending hunk: six → SIX", "1 sel  8:"]);
    take(&terminal, 8, "Reject hunk");
    until(&terminal, "that no hunk is left", |text| text.contains("8  six") && !text.contains('●'));

    terminal.keys(&[":write", "Enter"]);
    until(&terminal, "that it is written", |text| text.contains("written") && !text.contains("[+]"));
    assert_eq!(fs::read_to_string(notes(dir.path())).unwrap(), TEXT.replace("two", "TWO"));
}
