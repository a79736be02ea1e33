//! A worker while its turn runs: it shows that it is alive, tells what the turn does, and stops it when it is to stop.

use std::time::Duration;

use kkcode_core::effect::{DurableEvent, EditorEffect};
use kkcode_core::event::Command;
use kkcode_core::id::TurnId;
use kkcode_core::permission::engine::level_name;
use kkcode_core::prompt::PromptKind;
use kkcode_core::task::{Interruption, WaitingFor};
use kkcode_core::turn::{Level, Turn, TurnStatus};
use kkcode_store::{Beat, Progress, StoreError};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::report::Report;
use super::{Worker, ask, cut_by_signal};
use crate::runtime::{ToFrontEnd, TurnUpdate};
use crate::task::BEAT;

/// What the runtime tells.
pub(super) type Effects = mpsc::UnboundedReceiver<ToFrontEnd>;

/// How long lines are gathered before they are written down.
const GATHER: Duration = Duration::from_millis(100);

/// How long a turn that was stopped may take to say so.
const LAST_WORDS: Duration = Duration::from_millis(1_500);

/// How a turn ended.
pub(super) struct Followed {
    pub(super) status: TurnStatus,
    /// All turns of the session, oldest first.
    pub(super) turns: Vec<Turn>,
    /// Why it was stopped from outside.
    pub(super) cut: Option<Interruption>,
}

/// What came of work that took its time.
pub(super) enum Meanwhile<T> {
    Done(T),
    /// The task was lost.
    Lost,
    /// It is to stop.
    Stop(Interruption),
}

/// Waits for work, and shows meanwhile that the worker is alive.
pub(super) async fn meanwhile<T>(
    worker: &Worker,
    stop: &mut Stop,
    work: impl Future<Output = T>,
) -> Result<Meanwhile<T>, StoreError> {
    let mut work = std::pin::pin!(work);
    let mut beats = interval(BEAT);
    let mut changes = worker.handle.task_changes();
    loop {
        let is_asked = tokio::select! {
            done = &mut work => return Ok(Meanwhile::Done(done)),
            _ = beats.tick() => false,
            _ = changes.changed() => false,
            () = stop.asked() => true,
        };
        match worker.beat().await? {
            Beat::Lost => return Ok(Meanwhile::Lost),
            Beat::Stop(reason) => return Ok(Meanwhile::Stop(reason)),
            Beat::Held(_) if is_asked => return Ok(Meanwhile::Stop(cut_by_signal(None))),
            Beat::Held(_) => {}
        }
    }
}

/// Follows a turn to its end; none when the task was lost meanwhile.
pub(super) async fn turn(
    worker: &mut Worker,
    turn: &TurnId,
    mut effects: Effects,
    mut stop: Stop,
) -> Result<Option<Followed>, StoreError> {
    let mut report = Report::new(&worker.home, &worker.task, turn);
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changes = worker.handle.task_changes();
    let mut deadline = Instant::now() + Duration::from_millis(worker.task.spec.timeout_ms);
    let mut cut: Option<Interruption> = None;
    let mut gathered_until = Instant::now();
    loop {
        let reason = tokio::select! {
            told = effects.recv() => {
                let Some(told) = told else { break };
                if report.is_empty() {
                    gathered_until = Instant::now() + GATHER;
                }
                match told {
                    ToFrontEnd::Effect(EditorEffect::Durable(_, DurableEvent::TurnFinished { turn: ended, .. }))
                        if ended == *turn => break,
                    ToFrontEnd::Effect(EditorEffect::Durable(_, event)) | ToFrontEnd::Elsewhere(_, event) => {
                        worker.asked_or_answered(turn, event, &mut report).await?;
                    }
                    ToFrontEnd::Effect(EditorEffect::Message(message)) => report.note(message),
                    ToFrontEnd::Turn(TurnUpdate { turn: of, update }) if of == *turn => report.take(update),
                    _ => {}
                }
                None
            }
            () = sleep_until(gathered_until), if !report.is_empty() => {
                worker.tell(&mut report).await?;
                None
            }
            is_asked = async {
                tokio::select! {
                    _ = beats.tick() => false,
                    _ = changes.changed() => false,
                    () = stop.asked() => true,
                }
            } => match worker.beat().await? {
                Beat::Lost => return Ok(None),
                Beat::Stop(reason) if is_asked => Some(cut_by_signal(Some(reason))),
                Beat::Stop(reason) => Some(reason),
                Beat::Held(level) => {
                    worker.may(level, &mut report).await;
                    is_asked.then(|| cut_by_signal(None))
                }
            },
            () = sleep_until(deadline) => {
                if cut.is_some() {
                    tracing::warn!(%turn, "the turn does not stop");
                    break;
                }
                Some(Interruption::Timeout)
            }
        };
        if let Some(reason) = reason
            && cut.is_none()
        {
            cut = Some(reason);
            deadline = Instant::now() + LAST_WORDS;
            let cancelled = worker.handle.request(Command::CancelTurn { turn: turn.clone() }).await;
            if let Err(refusal) = cancelled {
                tracing::info!(%refusal, "the turn is not there to be stopped");
            }
        }
    }
    // What they wrote belongs to what came of the task.
    worker.handle.end_commands().await;
    report.end();
    worker.tell(&mut report).await?;
    let snapshot = worker.handle.snapshot().await;
    let session = snapshot.as_ref().and_then(|now| Some(now.turns.get(turn)?.session.clone()));
    let mut turns: Vec<Turn> = snapshot
        .iter()
        .flat_map(|now| now.turns.values())
        .filter(|turn| Some(&turn.session) == session.as_ref())
        .cloned()
        .collect();
    turns.sort_by_key(|turn| turn.started_at);
    let status = turns.iter().find(|known| known.id == *turn).map(|turn| turn.status.clone());
    Ok(Some(Followed { status: status.unwrap_or(TurnStatus::Running), turns, cut }))
}

impl Worker {
    /// Shows that the worker is alive: this timer and the runtime, which answers.
    async fn beat(&self) -> Result<Beat, StoreError> {
        let fence = self.fence.clone();
        self.handle.alive().await;
        ask(|done| self.store.beat(fence, done)).await
    }

    /// Lets the turn do from now on what a level lets it do.
    async fn may(&mut self, level: Level, report: &mut Report) {
        if self.task.spec.level == level {
            return;
        }
        match self.handle.request(Command::SetLevel(level)).await {
            Ok(_) => {
                self.task.spec.level = level;
                report.note(format!("the level is `{}` from now on", level_name(level)));
            }
            // Tried again with the next sign of life.
            Err(refusal) => tracing::warn!(%refusal, "the level cannot be set"),
        }
    }

    /// Takes note that the turn waits for an answer, or that it has it.
    async fn asked_or_answered(
        &self,
        turn: &TurnId,
        event: DurableEvent,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let waiting = match event {
            DurableEvent::Asked { prompt } if prompt.turn == *turn => {
                report.note(prompt.title.clone());
                let prompt_id = prompt.id.to_string();
                Some(match prompt.kind {
                    PromptKind::Permission(_) => WaitingFor::Permission { prompt: prompt_id },
                    PromptKind::Questions { .. } => WaitingFor::Question { question: prompt_id },
                })
            }
            DurableEvent::Resolved { turn: of, .. } if of == *turn => None,
            _ => return Ok(()),
        };
        self.tell(report).await?;
        let progress = Progress { waiting: Some(waiting), ..Progress::default() };
        let fence = self.fence.clone();
        ask(|done| self.store.task_progress(fence, progress, done)).await?;
        self.handle.tasks_changed();
        Ok(())
    }

    /// Writes down what the turn did.
    async fn tell(&self, report: &mut Report) -> Result<(), StoreError> {
        let progress = report.gathered();
        if progress.lines.is_empty() && progress.activity.is_none() {
            return Ok(());
        }
        let is_news = progress.activity.is_some();
        let fence = self.fence.clone();
        ask(|done| self.store.task_progress(fence, progress, done)).await?;
        if is_news {
            self.handle.tasks_changed();
        }
        Ok(())
    }
}

/// Signals that ask the worker to end.
pub(super) struct Stop {
    #[cfg(unix)]
    signals: Vec<tokio::signal::unix::Signal>,
}

impl Stop {
    #[cfg(unix)]
    pub(super) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
        Self { signals: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
    }

    #[cfg(unix)]
    async fn asked(&mut self) {
        let waiting = self.signals.iter_mut().map(|signal| Box::pin(signal.recv()));
        let waiting: Vec<_> = waiting.collect();
        if waiting.is_empty() {
            std::future::pending::<()>().await;
        }
        drop(futures::future::select_all(waiting).await);
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> Self {
        Self {}
    }

    #[cfg(not(unix))]
    async fn asked(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
