//! Editors that have no plugin of ours, driven by keys against the real server; recipes for people: docs/editors.md.
#![cfg(test)]

mod changes;
mod emacs;
mod helix;
mod neovim;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use kkcode_tests::Binary;

const TEXT: &str = "# kkcode: shout\n\none\ntwo\nthree\nfour\nfive\nsix\nseven\n";

const SCRIPT: &str = "
turns:
  - expect: [shout]
    stream:
      - tool: {name: edit, input: {path: notes.txt, before: two, after: TWO}}
      - tool: {name: edit, input: {path: notes.txt, before: six, after: SIX}}
  - stream:
      - text: Done.
";

/// Makes a folder with a home, whose model proposes two hunks, a workspace with one text, and the program `server`.
fn world() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["home", "work", "configuration", "cache"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    fs::write(dir.path().join("home/script.yaml"), SCRIPT).unwrap();
    fs::write(dir.path().join("home/config.yaml"), "provider: {play: {type: scripted, script: script.yaml}}")
        .unwrap();
    fs::write(notes(dir.path()), TEXT).unwrap();
    let server = dir.path().join("server");
    let lines = format!(
        "#!/bin/sh\nexport KKCODE_HOME='{}'\nexec '{}' \"$@\"\n",
        dir.path().join("home").display(),
        Binary::Server.path().display(),
    );
    fs::write(&server, lines).unwrap();
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

/// Returns the recipe of docs/editors.md below a heading that begins so: its first block of code in that language.
fn recipe(heading: &str, language: &str) -> String {
    let document = fs::read_to_string(repository().join("docs/editors.md")).unwrap();
    let (_, chapter) = document.split_once(&format!("\n## {heading}")).expect("the chapter");
    let (_, block) = chapter.split_once(&format!("\n```{language}\n")).expect("a block of code");
    block.split_once("\n```\n").expect("the end of the block").0.to_owned()
}

fn notes(dir: &Path) -> PathBuf {
    dir.join("work/notes.txt")
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository")
}
