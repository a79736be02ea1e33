//! Finds the programs under test, and builds them first.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A program that speaks LSP on stdin and stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Binary {
    /// `kkcode-lsp` as it is shipped.
    #[default]
    Server,
    /// The same connection below a server whose commands hang, panic and ask (`server/lsp/tests/unruly.rs`).
    Unruly,
}

impl Binary {
    /// Returns where the program is, built from the current sources in the profile of the running test.
    pub fn path(self) -> PathBuf {
        // A failure is kept too: one report of the compiler for each test is enough.
        static SERVER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        static UNRULY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let built = match self {
            Self::Server => SERVER.get_or_init(|| build(&["--bin", "kkcode-lsp"], Path::new("kkcode-lsp"))),
            Self::Unruly => {
                UNRULY.get_or_init(|| build(&["--example", "unruly"], Path::new("examples/unruly")))
            }
        };
        built.clone().unwrap_or_else(|error| panic!("the server cannot be built:\n{error}"))
    }
}

/// Builds a target of `kkcode-lsp` once for each test program; with nothing to do that takes a moment.
fn build(target: &[&str], program: &Path) -> Result<PathBuf, String> {
    // This program is <target folder>/<profile>/deps/<name>.
    let here = std::env::current_exe().expect("the path of this program");
    let folder = here.ancestors().nth(2).expect("the folder of the profile");
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(profile) => profile,
        None => panic!("{} lies in no target folder", here.display()),
    };
    // Set by `cargo test`; a test program that is run by hand, or by a debugger, takes the one on the path.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    // `cargo test` names the tests' own package in these, and build scripts that read them would run again.
    for (name, _) in std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO_CRATE_NAME"
    }) {
        build.env_remove(name);
    }
    let output = build
        .args(["build", "--quiet", "--package", "kkcode-lsp", "--profile", profile])
        .args(target)
        .arg("--target-dir")
        .arg(folder.parent().expect("the target folder"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()
        .expect("cargo starts");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(folder.join(program).with_extension(std::env::consts::EXE_EXTENSION))
}
