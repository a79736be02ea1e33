//! REMEMBERS: tasks, sessions, proposals and audit in SQLite.
//!
//! One file, `state.db` in kkcode's home, shared by all servers and workers of the user. Each process has one thread that
//! owns its only connection; everybody else hands it work and a callback. One [`Commit`](kkcode_core::effect::Commit) is
//! one transaction, and its callback runs when it is on the disk.

mod audit;
mod column;
mod database;
mod error;
mod open;
mod owner;
mod read;
mod recover;
mod rescue;
mod schema;
mod session;
mod spending;
mod store;
mod task;
mod write;
mod writer;

#[cfg(test)]
mod tests;

pub use audit::{AuditBreak, AuditFilter, AuditRow, AuditState};
pub use error::StoreError;
pub use owner::{Owner, since_boot};
pub use read::Loaded;
pub use session::{Forked, StoredSession, StoredTurn};
pub use spending::{Spending, Spent};
pub use store::Store;
pub use task::{Beat, Claimed, Fence, Lease, Limits, Outdated, Progress, TaskLine, TaskQuery, Tended};
pub use writer::Writer;
