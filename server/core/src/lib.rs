//! DECIDES: documents, diffs, proposals, permission rules, task states; pure.
//!
//! Nothing in here reads a clock, a file, the network or a random number, and nothing waits: time and identifiers arrive
//! with events.

pub mod id;
pub mod text;
pub mod uri;

pub mod diff;
pub mod document;
pub mod lines;

pub mod audit;
pub mod comment;
pub mod edits;
pub mod journal;
pub mod merge;
pub mod placement;
pub mod prompt;
pub mod proposal;
pub mod review;

pub mod permission;
pub mod task;
pub mod turn;

pub mod effect;
pub mod event;
pub mod state;
