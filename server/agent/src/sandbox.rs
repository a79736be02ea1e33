//! Bounds for commands: what they may write, what they see, whether they have a network.
//!
//! A command is started by a helper process, which is this program again (`sandbox-exec`). It gives the command namespaces of its
//! own where the kernel lets it, then Landlock and seccomp, which everything that the command starts inherits. It stays beside the
//! command, and ends all that is left when the command has ended or when nobody wants it any more.

#[cfg(target_os = "linux")]
mod bubblewrap;
#[cfg(target_os = "linux")]
mod capabilities;
#[cfg(target_os = "linux")]
mod helper;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod loopback;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod namespaces;
mod offer;
mod plan;
#[cfg(target_os = "linux")]
mod seccomp;
#[cfg(target_os = "linux")]
mod supervise;

#[cfg(target_os = "linux")]
pub use helper::{Stage, helper};
pub use offer::{Offer, Sandbox};
pub(crate) use plan::{Allowed, Plan};
