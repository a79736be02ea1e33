//! The `kkcode-lsp` binary.

fn main() {}
