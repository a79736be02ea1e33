//! Whatever line comes: it is judged, and no command that may run unasked is one that no table knows.
#![no_main]

use std::path::{Path, PathBuf};

use kkcode_core::permission::ground::{Entry, Ground, World};
use kkcode_core::permission::shell::{Class, Shell, judge, may_only_look};
use libfuzzer_sys::fuzz_target;

/// A disk with nothing on it.
struct Empty;

impl World for Empty {
    fn link_target(&self, _: &Path) -> Option<PathBuf> {
        None
    }

    fn entry(&self, _: &Path) -> Entry {
        Entry::Nothing
    }

    fn text(&self, _: &Path) -> Option<String> {
        None
    }

    fn names(&self, _: &Path) -> Option<Vec<String>> {
        Some(Vec::new())
    }
}

fuzz_target!(|line: &str| {
    let ground = Ground {
        folders: vec!["/ws".into()],
        copy_of: None,
        cwd: "/ws".into(),
        home: "/home/user".into(),
        own: vec!["/home/user/.kkcode".into()],
        temporary: vec!["/tmp".into()],
        program_folders: vec!["/usr/bin".into(), "/bin".into()],
        ignores_case: false,
    };
    let found = judge(line, Shell::Bash, &ground, &Empty);
    if found.class == Class::Harmless {
        for command in found.simple.iter().flatten() {
            assert!(command.first().is_some_and(|program| may_only_look(program)), "{line:?}");
        }
    }
});
