//! ACTS: runtime, turn loop, tools, gate, overlay, processes, workers.
//!
//! Knows no editor and no protocol: a front end sends events and takes effects.

pub mod audit;
pub mod config;
pub mod reply;
pub mod runtime;
pub mod sessions;

mod perform;

pub mod resolve;
pub mod view;

mod turn;

pub mod task;
pub mod worker;

mod tool;
mod walk;
mod web;

mod budget;
#[cfg(unix)]
mod command;
pub mod gate;
mod overlay;
mod own;
#[cfg(unix)]
pub mod process;
#[cfg(unix)]
pub mod sandbox;

mod doorbell;
pub mod environment;
mod file;
mod fresh;
mod picture;
mod place;
pub mod trash;
mod worktree;
mod write;
