//! Commands as child processes: started clean, read within bounds, ended whole.

mod background;
mod environment;
mod output;
mod run;
mod spec;

pub use background::{Background, BackgroundStatus};
pub(crate) use environment::environment;
pub(crate) use output::Output;
#[cfg(test)]
pub(crate) use run::Ended;
#[cfg(target_os = "linux")]
pub(crate) use run::GRACE;
pub(crate) use run::{How, Order, run};
pub(crate) use spec::{Confine, Layers, Namespaces, Report, Spec, receive, send};

#[cfg(test)]
mod tests;
