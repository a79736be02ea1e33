//! How turns start, stop and end.

use std::sync::Arc;

use super::{Outcome, State, Waiting, persist};
use crate::effect::{Commit, DurableEvent, Effect, Record, Refusal, Reply};
use crate::event::StartTurn;
use crate::id::{CommentId, ProposalId, RequestId, SessionId, TurnId};
use crate::turn::{Excerpt, Turn, TurnEnd, TurnStatus, Usage};

impl State {
    pub(super) fn start_turn(&mut self, request: RequestId, start: StartTurn) -> Outcome {
        let is_known = |session: &SessionId| self.turns.values().any(|known| known.session == *session);
        if !start.new_session && !is_known(&start.session) {
            return self.recall(request, start);
        }
        let mut turn = Turn {
            id: start.turn,
            session: start.session,
            prompt: start.prompt,
            model: start.model,
            level: start.level.map_or_else(|| self.level(), |level| self.bounded(level)),
            mode: start.mode,
            proposes_only: start.proposes_only,
            excerpts: start.excerpts.into_iter().map(|excerpt| self.with_text(excerpt)).collect(),
            started_at: start.at,
            status: TurnStatus::Running,
            reply: None,
            usage: Usage::default(),
            proposals: Vec::new(),
            review_note: None,
        };
        let running = |known: &&Turn| known.session == turn.session && known.status == TurnStatus::Running;
        if let Some(known) = self.turns.values().find(running) {
            let refusal = format!(
                "session `{}` is busy with turn `{}`; cancel that turn or wait for its end",
                known.session, known.id
            );
            return Err(Refusal::Forbidden(refusal));
        }
        if let Some(level) = start.level.or(self.chosen) {
            self.chosen_levels.insert(turn.id.clone(), level);
        }
        let mut commit = Commit::default();
        if start.new_session {
            commit.records.push(Record::Session {
                id: turn.session.clone(),
                folder: self.copy_of.as_ref().or(self.folders.first()).cloned(),
                title: title(&turn.prompt),
                at: turn.started_at,
            });
        }
        commit.records.push(Record::Turn(turn.clone()));
        turn.review_note = self.review_note(&turn.session, &mut commit);
        self.comments_sent(start.comments, &mut commit);
        let reply = Reply::TurnStarted { turn: turn.id.clone(), session: turn.session.clone() };
        Arc::make_mut(&mut self.turns).insert(turn.id.clone(), turn.clone());
        Ok(vec![Effect::Persist(commit), Effect::StartTurn(turn), Effect::Reply(request, Ok(reply))])
    }

    /// Asks the store once for a session that is not among the newest.
    fn recall(&mut self, request: RequestId, start: StartTurn) -> Outcome {
        if !self.recalled.insert(start.session.clone()) {
            // Somebody may make it yet, in another process.
            self.recalled.remove(&start.session);
            return Err(Refusal::Unknown { what: "session", id: start.session.to_string() });
        }
        self.waiting.push(Waiting::Recall(request, Box::new(start)));
        // An answer that is on its way does not have it.
        self.generation += 1;
        Ok(vec![self.load()])
    }

    /// Adds the text that the editor has at this moment.
    fn with_text(&self, excerpt: Excerpt) -> Excerpt {
        let document = self.documents.iter().find(|document| document.uri.as_str() == excerpt.uri);
        let document = document.or_else(|| self.documents.by_path(excerpt.path.as_deref()?));
        let text = document.filter(|document| !document.out_of_sync).map(|document| document.text.clone());
        Excerpt { text, ..excerpt }
    }

    pub(super) fn comments_sent(&mut self, sent: Vec<(ProposalId, CommentId)>, commit: &mut Commit) {
        if sent.is_empty() {
            return;
        }
        for (proposal, id) in &sent {
            let review = Arc::make_mut(&mut self.reviews).by_id.get_mut(proposal);
            let comment =
                review.and_then(|review| review.comments.iter_mut().find(|comment| comment.id == *id));
            if let Some(comment) = comment {
                comment.sent = true;
            }
        }
        let comments = sent.into_iter().map(|(_, id)| id).collect();
        commit.records.push(Record::CommentsSent { comments });
    }

    pub(super) fn cancel_turn(&mut self, request: RequestId, turn: TurnId) -> Outcome {
        let known =
            self.turns.get(&turn).ok_or_else(|| Refusal::Unknown { what: "turn", id: turn.to_string() })?;
        let running = known.status == TurnStatus::Running;
        let reply = Effect::Reply(request, Ok(Reply::TurnCancelled(running)));
        Ok(if running { vec![Effect::CancelTurn(turn), reply] } else { vec![reply] })
    }

    pub(super) fn turn_ended(&mut self, turn: &TurnId, end: TurnEnd) -> Vec<Effect> {
        let Some(known) = Arc::make_mut(&mut self.turns).get_mut(turn) else { return Vec::new() };
        if known.status.is_final() {
            return Vec::new();
        }
        known.status.clone_from(&end.status);
        known.reply.clone_from(&end.reply);
        known.usage = end.usage;
        let mut commit = Commit::default();
        commit.tell(DurableEvent::TurnFinished {
            turn: turn.clone(),
            status: end.status.name().to_owned(),
            reply: end.reply.clone(),
            error: match &end.status {
                TurnStatus::Failed(failure) => Some(failure.clone()),
                _ => None,
            },
            proposals: known.proposals.clone(),
        });
        commit.records.push(Record::TurnEnded { turn: turn.clone(), end });
        self.withdraw_prompts(turn, &mut commit);
        persist(commit).into_iter().collect()
    }
}

/// Returns what was asked on one line of at most 80 characters.
pub(super) fn title(prompt: &str) -> String {
    let line = prompt.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(79) {
        Some((cut, _)) if line.chars().count() > 80 => format!("{}…", line.get(..cut).unwrap_or(line)),
        _ => line.to_owned(),
    }
}
