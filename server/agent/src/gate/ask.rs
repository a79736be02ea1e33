//! Asking the user: what is shown, which answers are offered, and what the agent is told of the answer.

use std::path::Path;
use std::sync::Arc;

use kkcode_core::id::PromptId;
use kkcode_core::permission::Decision;
use kkcode_core::permission::engine::{Action, Approval, Call, Source, Verdict, learned_rules};
use kkcode_core::prompt::{Answer, LearnedRule, Permission, Prompt, PromptKind, Question, Resolution};
use kkcode_core::state::Snapshot;
use kkcode_core::turn::Turn;
use serde_json::json;

use super::disk::Disk;
use super::{Asked, Check, Gate, judged, nobody_to_ask};
use crate::fresh;

/// What the user is shown of a tool call.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    /// On one line.
    pub(super) title: String,
    /// All of it.
    pub(super) detail: String,
    /// The answers that are offered beside once and deny.
    pub(super) offer: Offer,
}

/// What an answer for longer than once would allow.
#[derive(Clone, Debug, Default)]
pub(super) struct Offer {
    /// For the session; none where that is not offered.
    pub(super) approval: Option<Approval>,
    /// From now on; none where that is not offered.
    pub(super) rules: Vec<LearnedRule>,
}

/// A tool's questions.
#[derive(Clone, Debug)]
pub(crate) struct Questions {
    /// What they are about, on one line.
    pub(crate) title: String,
    /// The questions.
    pub(crate) questions: Vec<Question>,
}

impl Gate {
    /// Asks whether a call may look at something. Returns what names it, for the call to be made again, or what the model is
    /// told instead.
    pub(crate) async fn allow(
        self: &Arc<Self>,
        turn: &Arc<Turn>,
        snapshot: &Arc<Snapshot>,
        asked: Asked,
    ) -> Result<Approval, String> {
        let Asked { call, verdict } = asked;
        let (gate, owner, seen, wanted, why) =
            (self.clone(), turn.clone(), snapshot.clone(), call.clone(), verdict.clone());
        let prepared = tokio::task::spawn_blocking(move || {
            let check = gate.check(&owner, &seen, &wanted.tool, &[]);
            (check.approval(&wanted), check.offer(&wanted, &why))
        });
        let (approval, offer) = prepared.await.map_err(|error| super::broken(&error))?;
        let what = paths(&call, snapshot);
        let shown = Shown { title: format!("{} {what}", call.tool), detail: what, offer };
        self.ask(turn, &call, &verdict, shown).await?;
        Ok(approval)
    }

    /// Asks the user about a call, and waits. Returns what the user says with a yes, or what the model is told of a no.
    pub(super) async fn ask(
        &self,
        turn: &Turn,
        call: &Call,
        verdict: &Verdict,
        shown: Shown,
    ) -> Result<Option<String>, String> {
        let Shown { title, detail, offer: Offer { approval, rules } } = shown;
        let detail = format!("{detail}\n\n{} ({})", verdict.reason, verdict.source);
        let permission = Permission { tool: call.tool.clone(), diff: None, approval, rules };
        let prompt = prompt(turn, title, detail, PromptKind::Permission(permission))?;
        let Some(user) = &self.user else { return Err(nobody_to_ask(verdict)) };
        let resolution = user.ask(prompt).await.map_err(|refusal| refusal.to_string())?;
        self.note(turn, call, verdict, Some(&resolution));
        let Resolution { answer, by, feedback } = resolution;
        match answer {
            Answer::AllowOnce | Answer::AllowSession | Answer::AllowAlways => Ok(feedback),
            Answer::Deny => Err(match feedback {
                Some(feedback) => format!("denied by the user, who says: {feedback}"),
                None if by == "cli" => "denied: the user was asked on the command line".to_owned(),
                None => "denied by the user".to_owned(),
            }),
            Answer::Questions(_) | Answer::Withdrawn => Err("cancelled: nobody answered".to_owned()),
        }
    }

    /// Asks the user questions of the agent, and waits. Returns the answers as the model is told them.
    pub(crate) async fn question(&self, turn: &Turn, asked: Questions) -> Result<String, String> {
        let Questions { title, questions } = asked;
        let names: Vec<String> = questions.iter().map(|question| question.id.clone()).collect();
        let prompt = prompt(turn, title, String::new(), PromptKind::Questions { questions })?;
        let user = self.user.as_ref().ok_or("nobody is there to answer; decide yourself")?;
        let resolution = user.ask(prompt).await.map_err(|refusal| refusal.to_string())?;
        let Answer::Questions(answers) = resolution.answer else {
            return Err("cancelled: nobody answered".to_owned());
        };
        if answers.is_empty() {
            return Ok("the user gave no answer; decide yourself and say what you assumed".to_owned());
        }
        let told = names.into_iter().map(|name| {
            let answer = match answers.get(&name).map(Vec::as_slice) {
                None | Some([]) => json!(null),
                Some([one]) => json!(one),
                Some(several) => json!(several),
            };
            (name, answer)
        });
        Ok(json!({ "answers": told.collect::<serde_json::Map<_, _>>() }).to_string())
    }
}

impl Check {
    /// Returns what may be offered for longer than once: only what would then go through unasked. Reads files.
    pub(super) fn offer(&self, call: &Call, verdict: &Verdict) -> Offer {
        // What a rule asks, and what programs obey, is asked each time.
        if !matches!(verdict.source, Source::Level(_)) {
            return Offer::default();
        }
        let rules = learned_rules(&self.holding.ground, &Disk, call);
        let mut policy = self.policy.clone();
        policy.rules.extend(rules.iter().cloned());
        let goes_through = judged(&self.holding, &policy, call).decision == Decision::Allow;
        let rules: Option<Vec<LearnedRule>> = rules.iter().map(LearnedRule::of).collect();
        let rules = rules.filter(|_| goes_through).unwrap_or_default();
        Offer { approval: Some(self.approval(call)), rules }
    }
}

/// Returns a prompt of a turn that nobody was asked yet.
pub(crate) fn prompt(turn: &Turn, title: String, detail: String, kind: PromptKind) -> Result<Prompt, String> {
    let id = fresh::name("prompt").map_err(|error| error.to_string())?;
    Ok(Prompt {
        id: PromptId::new(id),
        session: turn.session.clone(),
        turn: turn.id.clone(),
        title,
        detail,
        kind,
        asked_at: fresh::now(),
        resolution: None,
    })
}

/// Returns the paths of a call as the user knows them.
fn paths(call: &Call, snapshot: &Snapshot) -> String {
    let Action::Files { reads, writes, .. } = &call.action else { return String::new() };
    let name = |path: &String| {
        let path = Path::new(path);
        let below = snapshot.folders.first().and_then(|folder| path.strip_prefix(folder).ok());
        below.unwrap_or(path).display().to_string()
    };
    reads.iter().chain(writes).map(name).collect::<Vec<_>>().join(", ")
}
