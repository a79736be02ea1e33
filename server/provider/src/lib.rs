//! ASKS: model wire formats in, one stream of events out.
//!
//! Knows no tools, no files of the user and no editor. One file per dialect.

pub mod answer;
pub mod request;
pub mod stream;

pub mod endpoint;
pub mod http;
pub mod prices;
pub mod reader;
pub mod record;
pub mod remote;
pub mod retry;
pub mod wire;

mod alike;
mod calls;
mod failure;

mod anthropic;
mod ollama;
mod openai_chat;
mod openai_responses;
pub mod scripted;
mod thinking;

pub mod lines;
pub mod sse;
