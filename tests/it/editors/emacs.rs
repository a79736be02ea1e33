//! Emacs with eglot, the poorest client that we know, in batch mode: the recipe of docs/editors.md and its keys.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use kkcode_tests::skip;

use super::{TEXT, notes, recipe, repository, world};

/// Returns Emacs without anybody's configuration, but with the packages of the distribution.
fn emacs() -> Command {
    let mut emacs = Command::new("emacs");
    emacs.args(["-Q", "--batch"]).stdin(Stdio::null());
    for folder in fs::read_dir("/usr/share/emacs/site-lisp/elpa-src").into_iter().flatten().flatten() {
        emacs.arg("-L").arg(folder.path());
    }
    emacs
}

fn is_possible() -> bool {
    let output = emacs().args(["--eval", "(require 'eglot)"]).output();
    output.is_ok_and(|output| output.status.success())
}

fn thread(dir: &Path) -> Command {
    let mut emacs = emacs();
    emacs.arg("-l").arg(repository().join("tests/emacs/thread.el"));
    fs::create_dir(dir.join("bin")).unwrap();
    fs::rename(dir.join("server"), dir.join("bin/kkcode-lsp")).unwrap();
    fs::write(dir.join("recipe.el"), recipe("Emacs", "elisp")).unwrap();
    emacs.current_dir(dir.join("work")).env("HOME", dir).env("KKCODE_TEST", dir);
    emacs
}

#[test]
fn a_hunk_is_accepted_and_the_next_one_rejected_in_emacs() {
    if !is_possible() {
        skip(
            "editors::emacs::a_hunk_is_accepted_and_the_next_one_rejected_in_emacs",
            "tests/install/emacs could not install Emacs with eglot",
        );
        return;
    }
    let dir = world();
    let output = thread(dir.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("every step was seen"), "{told}");
    assert_eq!(fs::read_to_string(notes(dir.path())).unwrap(), TEXT.replace("two", "TWO"));
}
