//! Tests of the whole: the server as a real process, real editors, and the rules about our own code.

mod cli;
mod editors;
mod journey;
mod neovim;
mod permissions;
mod providers;
mod robustness;
mod tasks;
mod tidy;
mod vscode;
