//! Writes the TypeScript and Lua declarations of the protocol.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let protocol = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = protocol.parent().ok_or("the crate lies in no repository")?;
    kkcode_protocol::generate::write(root)
}
