//! Notices when another process is gone in which turns ran: nobody rings for it.

use std::time::Duration;

use kkcode_store::Owner;
use tokio::task::JoinHandle;

use crate::runtime::{Handle, Input};

/// How often the processes are looked at, as long as there are any.
const LOOK: Duration = Duration::from_secs(1);

/// Watches the processes that the store named last.
#[derive(Default)]
pub(super) struct Runners(Option<JoinHandle<()>>);

impl Runners {
    /// Watches these, and no others any more. When one is gone the store is read again, which ends its turns and tells of it.
    pub(super) fn watch(&mut self, runners: Vec<Owner>, handle: Handle) {
        self.stop();
        if runners.is_empty() {
            return;
        }
        self.0 = Some(tokio::spawn(async move {
            while runners.iter().all(Owner::is_alive) {
                tokio::time::sleep(LOOK).await;
            }
            handle.put(Input::Rang);
        }));
    }

    pub(super) fn stop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}
