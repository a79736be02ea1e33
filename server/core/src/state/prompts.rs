//! Prompts: asked by turns, answered by whoever is first, withdrawn when their turn ends.

use std::sync::Arc;

use super::{Outcome, State};
use crate::effect::{Commit, DurableEvent, EditorEffect, Effect, Record, Refusal, Reply};
use crate::id::{PromptId, RequestId, TurnId};
use crate::prompt::{Answer, Prompt, PromptKind, Resolution};
use crate::turn::Level;

impl State {
    /// Takes in what a turn asks; answered when the prompt has its resolution.
    pub(super) fn ask(&mut self, request: RequestId, prompt: Prompt) -> Outcome {
        let known = self.turns.get(&prompt.turn);
        if known.is_none_or(|turn| turn.status.is_final()) {
            return Err(Refusal::Forbidden(format!("turn `{}` has ended", prompt.turn)));
        }
        let commit = Commit {
            records: vec![Record::Prompt(Box::new(prompt.clone()))],
            events: vec![DurableEvent::Asked { prompt: Box::new(prompt.clone()) }],
        };
        self.asking.push((prompt.id.clone(), request));
        Arc::make_mut(&mut self.prompts).insert(prompt.id.clone(), prompt);
        Ok(vec![Effect::Persist(commit)])
    }

    /// Waits for the resolution of a prompt that was asked before.
    pub(super) fn await_answer(&mut self, request: RequestId, prompt: PromptId) -> Outcome {
        match self.prompts.get(&prompt) {
            Some(Prompt { resolution: Some(resolution), .. }) => {
                Ok(vec![Effect::Reply(request, Ok(Reply::Answered(resolution.clone())))])
            }
            Some(_) => {
                self.asking.push((prompt, request));
                Ok(Vec::new())
            }
            None => Err(Refusal::Unknown { what: "prompt", id: prompt.to_string() }),
        }
    }

    /// Takes an answer, if it is the first.
    pub(super) fn answer(&mut self, request: RequestId, id: PromptId, resolution: Resolution) -> Outcome {
        let late = || Ok(vec![Effect::Reply(request, Ok(Reply::AnswerTaken(false)))]);
        let Some(prompt) = Arc::make_mut(&mut self.prompts).get_mut(&id) else { return late() };
        if prompt.resolution.is_some() {
            return late();
        }
        if !prompt.offers(&resolution.answer) {
            return Err(Refusal::NotOffered(id.to_string()));
        }
        prompt.resolution = Some(resolution.clone());
        let rules = match (&prompt.kind, &resolution.answer) {
            (PromptKind::Permission(permission), Answer::AllowAlways) => permission.rules.clone(),
            _ => Vec::new(),
        };
        let commit = Commit {
            records: vec![Record::PromptResolved { prompt: id, resolution: resolution.clone() }],
            events: vec![prompt.resolved(resolution)],
        };
        let mut effects = vec![Effect::Persist(commit)];
        let mut answers = vec![(request, Reply::AnswerTaken(true))];
        answers.extend(self.answered());
        if rules.is_empty() {
            effects.extend(answers.into_iter().map(|(request, reply)| Effect::Reply(request, Ok(reply))));
        } else {
            effects.push(Effect::Learn { rules, answers });
        }
        Ok(effects)
    }

    /// Returns the answers for those who asked and have a resolution by now.
    pub(super) fn answered(&mut self) -> Vec<(RequestId, Reply)> {
        let (mut answers, mut open) = (Vec::new(), Vec::new());
        for (id, request) in std::mem::take(&mut self.asking) {
            let resolution = self.prompts.get(&id).and_then(|prompt| prompt.resolution.clone());
            match resolution {
                Some(resolution) => answers.push((request, Reply::Answered(resolution))),
                None => open.push((id, request)),
            }
        }
        self.asking = open;
        answers
    }

    /// Takes in what the store knows of prompts.
    pub(super) fn prompts_loaded(&mut self, prompts: Vec<Prompt>) -> Vec<Effect> {
        self.prompts = Arc::new(prompts.into_iter().map(|prompt| (prompt.id.clone(), prompt)).collect());
        let answers = self.answered().into_iter().map(|(request, reply)| Effect::Reply(request, Ok(reply)));
        answers.chain([Effect::Editor(EditorEffect::Prompts)]).collect()
    }

    /// Withdraws what a turn asked, for it has ended.
    pub(super) fn withdraw_prompts(&mut self, turn: &TurnId, commit: &mut Commit) {
        self.chosen_levels.remove(turn);
        let mut withdrawn = false;
        for prompt in Arc::make_mut(&mut self.prompts).values_mut() {
            if prompt.turn == *turn && prompt.resolution.is_none() {
                prompt.resolution = Some(Resolution::withdrawn());
                commit.events.push(prompt.resolved(Resolution::withdrawn()));
                withdrawn = true;
            }
        }
        if withdrawn {
            commit.records.push(Record::PromptsWithdrawn { turn: turn.clone() });
        }
    }

    /// Sets the level of this server's turns from now on, those that run included.
    pub(super) fn set_level(&mut self, request: RequestId, level: Level) -> Vec<Effect> {
        self.chosen = Some(level);
        let running = self.turns.values().filter(|turn| !turn.status.is_final());
        self.chosen_levels = running.map(|turn| (turn.id.clone(), level)).collect();
        vec![Effect::Reply(request, Ok(Reply::Level(self.level())))]
    }

    /// Returns the level of turns that name none.
    pub(super) fn level(&self) -> Level {
        self.bounded(self.chosen.unwrap_or(self.configured))
    }

    /// Returns the level that one who chooses this gets.
    pub(super) fn bounded(&self, level: Level) -> Level {
        self.widest.map_or(level, |widest| level.min(widest))
    }
}
