//! The wire types of kkcode-lsp's own commands, requests and notifications; README.md is their specification.

pub mod message;

pub mod commands;
pub mod notifications;
pub mod requests;

pub mod initialize;

pub mod id;
pub mod outcome;
pub mod text;

pub mod turn;

pub mod proposal;
pub mod review;

pub mod task;

pub mod session;

pub mod permission;
pub mod question;

pub mod model;
pub mod status;

pub mod editor;
pub mod events;

pub mod cli;

#[cfg(feature = "schema")]
pub mod generate;
