//! The same road in a real Neovim, oldest and newest.
