//! Everybody looks after everybody's workers: one that is gone loses its task, one that does not stop is killed, a task that
//! waits gets a worker.

use std::time::Duration;

use kkcode_core::effect::Refusal;
use kkcode_core::id::TaskId;
use kkcode_core::task::{Interruption, Task};
use kkcode_store::{Lease, Owner, Store};
use tokio::time::Instant;

use super::{BEAT, GRACE, LEASE, Tasks, blocking, kill};

/// How often somebody looks while nothing is told and no worker runs.
const LOOK: Duration = Duration::from_secs(30);

/// How often what is old is removed.
const FORGET: Duration = Duration::from_hours(24);

/// What one look at the workers is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// At those that are gone, or do not stop.
    Ends,
    /// At those that are silent too. Only for who has been awake all the time: after a sleep all are.
    Silence,
}

/// A worker that is writing, and what its processes have in their environment.
#[derive(Debug, PartialEq, Eq)]
struct Writing {
    owner: Owner,
    token: String,
}

impl Tasks {
    /// Looks after workers as long as the runtime lives. One process of a home is enough, several do no harm.
    pub async fn attend(self) {
        let mut changes = self.handle.task_changes();
        let (mut awake_since, mut last) = (Instant::now(), since_boot());
        let mut forgotten: Option<Instant> = None;
        loop {
            if forgotten.is_none_or(|at| at.elapsed() > FORGET) {
                forgotten = Some(Instant::now());
                match self.forget_old().await {
                    Ok(0) => {}
                    Ok(removed) => tracing::info!(removed, "old tasks were removed"),
                    Err(error) => tracing::warn!(%error, "old tasks are not removed"),
                }
            }
            changes.mark_unchanged();
            if since_boot().saturating_sub(last) > 2 * BEAT.as_millis() {
                awake_since = Instant::now();
            }
            last = since_boot();
            let look = if awake_since.elapsed() > 2 * BEAT { Look::Silence } else { Look::Ends };
            let pause = match self.tend(look).await {
                Ok(0) => LOOK,
                Ok(_) => BEAT,
                Err(error) => {
                    tracing::warn!(%error, "the workers are not looked after");
                    LOOK
                }
            };
            if pause == LOOK {
                // A long pause is no sleep.
                last = since_boot().saturating_add(LOOK.as_millis());
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Looks once after the workers: takes note of those that are gone, and starts workers for tasks that wait.
    pub async fn look_after(&self) -> Result<(), Refusal> {
        self.tend(Look::Ends).await.map(drop)
    }

    /// Asks the worker of a task to end.
    pub(super) async fn ask_to_end(&self, id: &TaskId) -> Result<(), Refusal> {
        let tended = self.ask(Store::tended).await?;
        let ours = tended.leases.into_iter().filter(|lease| lease.fence.task == *id && lease.holds);
        let owners: Vec<_> = ours.map(|lease| lease.owner).collect();
        blocking(move || owners.iter().for_each(kill::ask_to_end)).await
    }

    /// Writes down that a task is to stop. A worker that was stopped in the middle of a write keeps everybody from writing, this
    /// too: when nothing could be written for two seconds, and then not for the grace period either, the worker of this task
    /// is killed if it is the one that is writing.
    pub(super) async fn ask_to_cancel(
        &self,
        id: &TaskId,
        reason: Interruption,
    ) -> Result<Option<Task>, Refusal> {
        let cancel = || self.ask(|store, done| store.cancel_task(id.clone(), reason, done));
        let refusal = match cancel().await {
            Err(refusal @ Refusal::NotStored(_)) => refusal,
            other => return other,
        };
        let Some(writer) = self.writing_lease(id).await? else { return Err(refusal) };
        let owner = writer.owner.clone();
        blocking(move || kill::ask_to_end(&owner)).await?;
        // The store itself waits as long as the grace period is.
        match cancel().await {
            Err(Refusal::NotStored(_)) if self.writing_lease(id).await?.as_ref() == Some(&writer) => {}
            other => return other,
        }
        tracing::warn!(task = %id, pid = writer.owner.pid(), "a worker that keeps everybody from writing is killed");
        blocking(move || kill::all_of(&writer.owner, &writer.token)).await?;
        cancel().await
    }

    /// Returns the worker of a task when it is the process that is writing the store now.
    async fn writing_lease(&self, id: &TaskId) -> Result<Option<Writing>, Refusal> {
        let tended = self.ask(Store::tended).await?;
        let store = self.handle.store().clone();
        let Some(writer) = blocking(move || store.writer()).await? else { return Ok(None) };
        let ours = |lease: &Lease| lease.fence.task == *id && lease.owner == writer.owner;
        let lease = tended.leases.into_iter().find(ours);
        Ok(lease.map(|lease| Writing { owner: lease.owner, token: lease.token }))
    }

    /// Waits for the end of a task that was asked to end, and makes one if none comes.
    pub(super) async fn see_to_the_end(&self, id: &TaskId) {
        let patience = Some(GRACE + Duration::from_millis(100));
        let waited = self.wait(std::slice::from_ref(id), super::Wait::All, patience).await;
        let ended = waited.as_ref().is_ok_and(|found| found.iter().all(|(_, status)| status.is_final()));
        if !ended && let Err(error) = self.tend(Look::Ends).await {
            tracing::warn!(task = %id, %error, "a task that does not stop is left running");
        }
    }

    /// Looks after the workers; returns how many there are.
    async fn tend(&self, look: Look) -> Result<usize, Refusal> {
        let tended = self.ask(Store::tended).await?;
        let count = tended.leases.len();
        for lease in tended.leases {
            self.look_at(lease, look).await?;
        }
        for (id, provider) in tended.parked {
            let config = self.config.clone();
            let lacks = blocking(move || config.lacks_key_of(&provider)).await?;
            let wanted = id.clone();
            if lacks.is_ok_and(|lacks| !lacks)
                && self.ask(|store, done| store.start_parked(wanted, done)).await?
            {
                self.start_worker(id).await?;
            }
        }
        if tended.pending > 0 || count > 0 {
            self.start_pending().await?;
        }
        Ok(count)
    }

    async fn look_at(&self, lease: Lease, look: Look) -> Result<(), Refusal> {
        let is_over = |ms: i64, limit: Duration| u128::try_from(ms).is_ok_and(|ms| ms > limit.as_millis());
        let owner = lease.owner.clone();
        let is_gone = blocking(move || !owner.is_alive()).await?;
        let resists = lease.stopping_ms.is_some_and(|ms| is_over(ms, GRACE));
        let silent = look == Look::Silence && is_over(lease.silent_ms, LEASE);
        // Nobody can write, and so nobody can take its task from it, as long as a silent one is in the middle of a write.
        let blocks = silent && self.writing_lease(&lease.fence.task).await?.is_some();
        if is_gone || resists || blocks || silent && is_over(lease.silent_ms, 2 * LEASE) {
            let (owner, token) = (lease.owner.clone(), lease.token.clone());
            blocking(move || kill::all_of(&owner, &token)).await?;
            let reason = if silent { Interruption::Timeout } else { Interruption::Orphaned };
            self.rescue(&lease, reason).await?;
            self.ask(|store, done| store.forget_lease(lease.fence, done)).await?;
        } else if silent {
            // It may come back; what it writes then is refused.
            self.rescue(&lease, Interruption::Timeout).await?;
        }
        Ok(())
    }

    async fn rescue(&self, lease: &Lease, reason: Interruption) -> Result<(), Refusal> {
        let fence = lease.fence.clone();
        if lease.holds && self.ask(|store, done| store.rescue_task(fence, reason, done)).await? {
            self.handle.tasks_changed();
        }
        Ok(())
    }
}

/// Returns a time that sleep counts in, in milliseconds.
fn since_boot() -> u128 {
    u128::try_from(kkcode_store::since_boot()).unwrap_or_default()
}
