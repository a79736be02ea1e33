//! The server as a process: a client for tests that is as strict as an editor is not.
//!
//! [`TestServer`] starts the real binary in a home of its own and speaks LSP with it over pipes. It blocks, so that a test
//! reads from top to bottom; whatever it waits for, it waits thirty seconds at most and then says what it had seen instead.
//! When it is dropped it shuts the server down and fails the test if a message was left unread, if a byte of stdout was no
//! message, or if the server did not end in the right way. Where the protocol's meta model is at hand, each message has to
//! obey it to the letter.
//!
//! ```no_run
//! use kkcode_tests::Options;
//! use serde_json::json;
//!
//! let mut server = Options::new().initialized();
//! server.on_request("workspace/applyEdit", |_| Ok(json!({"applied": true})));
//! server.notify("textDocument/didOpen", json!({"textDocument": {
//!     "uri": "file:///a.rs", "languageId": "rust", "version": 1, "text": "fn main() {}\n",
//! }}));
//! let started = server.command("kkcode.turn.start", json!({"prompt": "say hello"})).unwrap();
//! let finished = server.expect_notification("kkcode/turn/didFinish");
//! assert_eq!(finished["turnId"], started["turnId"]);
//! ```

#![expect(
    clippy::expect_used,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::print_stderr,
    reason = "this crate is for tests: they fail by a panic, say why on stderr, and write json!(..) where they call"
)]

mod binary;
mod frames;
mod inbox;
mod options;
mod picture;
mod process;
mod server;
mod skip;
mod strict;
mod terminal;

pub use binary::Binary;
pub use inbox::{Message, ResponseError};
pub use options::Options;
pub use picture::svg;
pub use process::Ended;
pub use server::TestServer;
pub use skip::skip;
pub use strict::{Asked, MetaModel};
pub use terminal::Terminal;

use std::time::Duration;

/// How long anything may take before a test calls it a hang; never a claim about speed.
pub const DEADLINE: Duration = Duration::from_secs(30);
