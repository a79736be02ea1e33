//! What the runtime wants the editor to do or show, in the editor's words.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kkcode_agent::runtime::{Save, ToFrontEnd};
use kkcode_core::effect::{DocumentEdit, DurableEvent, EditorEffect, FileCount};
use kkcode_core::event::Event;
use kkcode_core::id::{ProposalId, TurnId};
use kkcode_core::proposal::ReviewState;
use kkcode_protocol::editor::{DocumentSaveParams, DocumentSaveResult};
use kkcode_protocol::message::{Notification as _, Request as _};
use kkcode_protocol::notifications::{ProposalDidChange, TurnDidFinish};
use kkcode_protocol::proposal::{ProposalChange, ProposalDidChangeParams};
use kkcode_protocol::requests::DocumentSave;
use kkcode_protocol::turn::{TurnDidFinishParams, TurnOutcome};
use lsp_types::MessageType;
use serde::Deserialize as _;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::client::Client;
use crate::diagnostics::Typing;
use crate::progress::Work;
use crate::prompts::Prompts;
use crate::session::Session;
use crate::surface::Showing;
use crate::task_updates::TaskUpdates;
use crate::{reply, to_proto, turn_updates};

/// How long nothing is typed until it is taken for a rest.
const REST: Duration = Duration::from_millis(300);

/// How long the editor may take to answer an edit.
const EDIT_PATIENCE: Duration = Duration::from_secs(10);

/// The task that tells one client what happens.
pub(crate) struct FrontEnd {
    session: Arc<Session>,
    editor: Client,
    /// What was told of each proposal last, so that nothing is told twice.
    told: BTreeMap<ProposalId, (ReviewState, Vec<FileCount>)>,
    /// What was shown of hunks last.
    showing: Showing,
    /// The prompts that the client knows.
    prompts: Prompts,
    /// The tasks that the client knows.
    tasks: TaskUpdates,
    /// The number of the last durable event.
    seq: u64,
}

impl FrontEnd {
    pub(crate) fn new(session: Arc<Session>, editor: Client) -> Self {
        Self {
            session,
            editor,
            told: BTreeMap::new(),
            showing: Showing::default(),
            prompts: Prompts::default(),
            tasks: TaskUpdates::default(),
            seq: 0,
        }
    }

    /// Runs until the runtime ends.
    pub(crate) async fn run(mut self, mut effects: UnboundedReceiver<ToFrontEnd>) {
        let session = Arc::clone(&self.session);
        let goes_by_versions = session.client().diagnostic_versions && !session.client().kkcode;
        let rest = tokio::time::sleep(REST);
        tokio::pin!(rest);
        let mut typed = false;
        loop {
            tokio::select! {
                // What is shown of many changes is shown once, when all of them are told.
                biased;
                effect = effects.recv() => match effect {
                    Some(effect) => self.perform(effect).await,
                    None => return,
                },
                () = session.surface().stirred() => {
                    self.showing.again(&session, &self.editor, Typing::GoesOn).await;
                }
                () = session.surface().typed(), if goes_by_versions => {
                    typed = true;
                    rest.as_mut().reset(Instant::now() + REST);
                }
                () = &mut rest, if typed => {
                    typed = false;
                    self.showing.again(&session, &self.editor, Typing::Rests).await;
                }
            }
        }
    }

    async fn perform(&mut self, effect: ToFrontEnd) {
        match effect {
            ToFrontEnd::Effect(EditorEffect::ApplyEdit(edit)) => self.apply(edit),
            ToFrontEnd::Effect(EditorEffect::Refresh(proposal)) => {
                self.session.surface().stir();
                self.refresh(&proposal).await;
            }
            ToFrontEnd::Effect(EditorEffect::Durable(seq, event)) => self.durable(seq, event).await,
            ToFrontEnd::Effect(EditorEffect::Prompts) => {
                self.prompts_changed().await;
                self.tasks.catch_up(&self.session).await;
            }
            ToFrontEnd::Effect(EditorEffect::Message(message)) => self.show(MessageType::WARNING, &message),
            ToFrontEnd::Elsewhere(seq, event) => self.elsewhere(seq, event).await,
            ToFrontEnd::Read(seq) => self.seq = self.seq.max(seq),
            ToFrontEnd::Save(save) => self.save(save),
            ToFrontEnd::Turn(update) => turn_updates::tell(&self.session, &self.editor, update),
        }
    }

    /// Asks the editor to change a text; in a task of its own, for it may never answer.
    fn apply(&self, edit: DocumentEdit) {
        let handle = self.session.handle().clone();
        let answered = |applied, reason| Event::EditAnswered {
            proposal: edit.proposal.clone(),
            hunks: edit.hunks.clone(),
            applied,
            reason,
        };
        if !self.session.client().apply_edit {
            let reason = "it takes no edits from a server; use the code action instead".to_owned();
            handle.send(answered(false, Some(reason)));
            return;
        }
        let edits = to_proto::workspace_edit(&edit, self.session.client().document_changes);
        let params = json!({"label": edit.label, "edit": edits});
        let answer = self.editor.request("workspace/applyEdit", params, EDIT_PATIENCE);
        tokio::spawn(async move {
            let (applied, reason) = match answer.await {
                Ok(answer) => {
                    let applied = answer.get("applied").and_then(Value::as_bool).unwrap_or(false);
                    (applied, answer.get("failureReason").and_then(Value::as_str).map(str::to_owned))
                }
                Err(error) => (false, Some(error.to_string())),
            };
            handle.send(Event::EditAnswered { proposal: edit.proposal, hunks: edit.hunks, applied, reason });
        });
    }

    /// Has the editor save a document; in a task of its own, as for an edit.
    fn save(&self, Save { uri, saved }: Save) {
        if !self.session.client().kkcode {
            return;
        }
        let params = DocumentSaveParams { uri: uri.as_str().to_owned() };
        let answer = self.editor.request(DocumentSave::NAME, params, EDIT_PATIENCE);
        tokio::spawn(async move {
            let answer = answer.await.map_err(|error| error.to_string());
            let answer = answer.and_then(|answer| {
                DocumentSaveResult::deserialize(answer).map_err(|error| error.to_string())
            });
            match answer {
                // Whoever asked may have gone.
                Ok(DocumentSaveResult { saved: is_saved }) => drop(saved.send(is_saved)),
                Err(error) => tracing::info!(%error, "the editor did not save a document"),
            }
        });
    }

    /// Tells how a proposal stands, if it stands otherwise than was told last.
    async fn refresh(&mut self, id: &ProposalId) {
        if !self.session.client().kkcode {
            return;
        }
        let Some(snapshot) = self.session.handle().snapshot().await else { return };
        if let Some(review) = snapshot.reviews.get(id) {
            self.proposal_changed(id, review.proposal.state(), review.counts(&snapshot.documents));
        }
    }

    fn proposal_changed(&mut self, id: &ProposalId, state: ReviewState, files: Vec<FileCount>) {
        let now = (state, files);
        if self.told.get(id) == Some(&now) {
            return;
        }
        let (state, files) = now.clone();
        self.told.insert(id.clone(), now);
        let change = ProposalChange {
            proposal_id: id.to_string(),
            state: to_proto::review_state(state),
            files: files.into_iter().map(to_proto::file_count).collect(),
        };
        if self.session.client().kkcode {
            // Of two that are not sent yet the newer says all.
            let params = ProposalDidChangeParams { seq: self.seq, change };
            self.editor.notify_latest(format!("proposal {id}"), ProposalDidChange::NAME, params);
        }
    }

    async fn durable(&mut self, seq: u64, event: DurableEvent) {
        self.seq = self.seq.max(seq);
        match event {
            DurableEvent::ProposalChanged { proposal, state, files } => {
                self.session.surface().stir();
                // A durable event is told even when it looks like the one before: its number is news.
                self.told.remove(&proposal);
                self.proposal_changed(&proposal, state, files);
            }
            DurableEvent::TurnFinished { turn, .. } => self.turn_finished(seq, &turn).await,
            DurableEvent::Asked { prompt } => self.prompts.ask(&self.session, seq, &prompt),
            DurableEvent::Resolved { prompt, resolution, .. } => {
                self.prompts.resolve(&self.session, seq, &prompt, &resolution);
            }
            DurableEvent::TaskChanged { task, .. } => self.tasks.changed(&self.session, seq, &task).await,
        }
    }

    /// Tells of prompts that wait and the client does not know.
    async fn prompts_changed(&mut self) {
        let Some(snapshot) = self.session.handle().snapshot().await else { return };
        for prompt in snapshot.open_prompts() {
            self.prompts.ask(&self.session, self.seq, prompt);
        }
    }

    /// Tells what another process has written down, as far as it belongs to this workspace.
    async fn elsewhere(&mut self, seq: u64, event: DurableEvent) {
        self.seq = self.seq.max(seq);
        match event {
            DurableEvent::ProposalChanged { proposal, .. } => {
                let Some(snapshot) = self.session.handle().snapshot().await else { return };
                // Its URIs are spelled as that editor spells them; the counts are those of its texts.
                let Some(review) = snapshot.reviews.get(&proposal) else { return };
                self.session.surface().stir();
                self.told.remove(&proposal);
                self.proposal_changed(&proposal, review.proposal.state(), review.counts(&snapshot.documents));
            }
            DurableEvent::TurnFinished { turn, .. } => self.turn_finished(seq, &turn).await,
            // Only if it belongs to this workspace.
            DurableEvent::Asked { .. } => self.prompts_changed().await,
            DurableEvent::Resolved { prompt, resolution, .. } => {
                self.prompts.resolve(&self.session, seq, &prompt, &resolution);
            }
            DurableEvent::TaskChanged { task, .. } => self.tasks.changed(&self.session, seq, &task).await,
        }
    }

    async fn turn_finished(&mut self, seq: u64, id: &TurnId) {
        let Some(snapshot) = self.session.handle().snapshot().await else { return };
        let Some(turn) = snapshot.turns.get(id) else { return };
        self.session.forget(id);
        let is_ours = self.session.progress().end(&Work::Turn(id.clone()), turn.status.name().to_owned());
        let outcome = TurnOutcome {
            turn_id: id.to_string(),
            status: to_proto::turn_status(&turn.status),
            reply: turn.reply.clone(),
            error: to_proto::turn_error(&turn.status),
            interruption_reason: to_proto::interruption_reason(&turn.status),
            proposal_ids: turn.proposals.iter().map(ToString::to_string).collect(),
        };
        if self.session.client().kkcode {
            self.notify(TurnDidFinish::NAME, TurnDidFinishParams { seq, outcome });
            return;
        }
        // What another editor of this home had done is shown there.
        if is_ours {
            reply::show(&self.session, turn);
        }
    }

    /// Sends a notification of ours to a client that knows them.
    fn notify(&self, method: &'static str, params: impl serde::Serialize) {
        if self.session.client().kkcode {
            self.editor.notify(method, params);
        }
    }

    fn show(&self, kind: MessageType, message: &str) {
        self.editor
            .notify("window/showMessage", json!({"type": kind, "message": format!("kkcode: {message}")}));
    }
}
