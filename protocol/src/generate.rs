//! Writes the declarations of all messages for the clients' languages, from the JSON Schemas of the wire types.

mod comment;
mod lua;
mod model;
mod typescript;

use std::path::Path;

pub use model::Unsupported;

#[cfg(test)]
pub(crate) use model::{Body, Declaration, Model};

/// The command that writes the generated files.
pub const COMMAND: &str = "cargo run -p kkcode-protocol --features schema --bin kkcode-protocol-generate";

/// A generated file.
#[derive(Debug)]
pub struct GeneratedFile {
    /// Where it belongs, from the root of the repository.
    pub path: &'static str,
    /// What it holds.
    pub text: String,
}

/// Returns the generated files, or what in the wire types no client's language could be given.
pub fn files() -> Result<[GeneratedFile; 2], Unsupported> {
    let model = model::Model::of_all_messages()?;
    Ok([
        GeneratedFile { path: "vscode-extension/src/protocol.ts", text: typescript::render(&model) },
        GeneratedFile { path: "neovim/lua/kkcode/protocol.lua", text: lua::render(&model) },
    ])
}

/// Writes the generated files into the repository at `root`, with the folders they lie in.
pub fn write(root: &Path) -> Result<(), Box<dyn std::error::Error>> {
    for file in files()? {
        let path = root.join(file.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, file.text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
