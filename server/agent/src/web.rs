//! The network as tools reach it: which addresses are refused, one guarded way to fetch, and pages as text.

mod address;
mod fetch;
mod target;
mod text;

#[cfg(test)]
pub(crate) mod server;

pub(crate) use address::Allowed;
pub(crate) use fetch::{Page, Web};
pub(crate) use target::Target;
pub(crate) use text::{marked, readable};
