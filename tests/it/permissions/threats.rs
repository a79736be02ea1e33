//! Threats by their numbers: somebody else's folder, model, terminal or machine tries what it should not, and the real server is looked at.
#![cfg(target_os = "linux")]

mod answers;
mod opened;
mod others;
mod protected;
mod secrets;
mod spoofed;
