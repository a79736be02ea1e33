//! The wire types of kkcode-lsp's own methods.
