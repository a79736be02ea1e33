//! Asking the user: what is shown, which answers are offered, and what the agent is told of the answer.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use kkcode_core::effect::Refusal;
use kkcode_core::id::PromptId;
use kkcode_core::permission::Decision;
use kkcode_core::permission::characters::{first_unseen, shown};
use kkcode_core::permission::engine::{Action, Approval, Call, Source, Verdict, learned_rules};
use kkcode_core::prompt::{
    Answer, Choice, LearnedRule, Permission, Prompt, PromptKind, Question, Resolution,
};
use kkcode_core::state::Snapshot;
use kkcode_core::turn::Turn;
use serde_json::json;

use super::agreed::{self, Allowances};
use super::disk::Disk;
use super::{Asked, Check, Gate, judged, nobody_to_ask, refusal};
use crate::fresh;
use crate::runtime::Handle;

/// Who answers a prompt that a level, a rule or a grant has decided.
const MEANWHILE: &str = "rule";

/// What the user is shown of a tool call.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    /// On one line.
    pub(super) title: String,
    /// What the title leaves out; nothing where it says all.
    pub(super) detail: String,
    /// What would be changed, as a unified diff.
    pub(super) diff: Option<String>,
    /// The answers that are offered beside once and deny.
    pub(super) offer: Offer,
    /// What may answer it beside the user.
    pub(super) settles: Settles,
}

/// What may answer a prompt beside the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settles {
    /// A verdict on the call that is another by now: of a new level, a new rule, or what was granted elsewhere.
    Verdict,
    /// A verdict that is a refusal by now, alone: what is asked goes beyond what the engine judges.
    User,
}

/// What an answer for longer than once would allow.
#[derive(Clone, Debug, Default)]
pub(super) struct Offer {
    /// For the session; none where that is not offered.
    pub(super) approval: Option<Approval>,
    /// From now on; none where that is not offered.
    pub(super) rules: Vec<LearnedRule>,
    /// Once, with the pending edits applied before.
    pub(super) applies_first: bool,
}

/// What the user says with a yes.
#[derive(Clone, Debug, Default)]
pub(super) struct Yes {
    /// What the agent is told with it.
    pub(super) feedback: Option<String>,
    /// Whether pending edits are to be applied before.
    pub(super) applies_first: bool,
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
    /// told instead. `diff` is what would become of files then.
    pub(crate) async fn allow(
        self: &Arc<Self>,
        turn: &Arc<Turn>,
        snapshot: &Arc<Snapshot>,
        asked: Asked,
        diff: Option<String>,
    ) -> Result<Approval, String> {
        let Asked { call, verdict } = asked;
        let (gate, owner, seen, wanted, why) =
            (self.clone(), turn.clone(), snapshot.clone(), call.clone(), verdict.clone());
        let prepared = tokio::task::spawn_blocking(move || {
            let check = gate.check(&owner, &seen, &wanted.tool, &[]);
            (check.approval(&wanted), check.offer(&wanted, &why))
        });
        let (approval, offer) = prepared.await.map_err(|error| super::broken(&error))?;
        let title = format!("{} {}", call.tool, paths(&call, snapshot)).trim_end().to_owned();
        let shown = Shown { title, detail: String::new(), diff, offer, settles: Settles::Verdict };
        self.ask(turn, &call, &verdict, shown).await?;
        Ok(approval)
    }

    /// Asks the user about a call, and waits. Returns the yes, or what the model is told of a no.
    pub(super) async fn ask(
        self: &Arc<Self>,
        turn: &Arc<Turn>,
        call: &Call,
        verdict: &Verdict,
        shown: Shown,
    ) -> Result<Yes, String> {
        let Shown { title, detail, diff, offer: Offer { approval, rules, applies_first }, settles } = shown;
        let why = format!("{} ({})", verdict.reason, verdict.source);
        let detail = if detail.is_empty() { why } else { format!("{detail}\n\n{why}") };
        let command = match &call.action {
            Action::Command { line, .. } => Some(line.clone()),
            _ => None,
        };
        let permission =
            Permission { tool: call.tool.clone(), command, diff, approval, applies_first, rules };
        let prompt = prompt(turn, title, detail, PromptKind::Permission(permission))?;
        let Some(user) = &self.user else { return Err(nobody_to_ask(verdict)) };
        let resolution = self.settled(user, turn, call, prompt, settles).await;
        let resolution = resolution.map_err(|refusal| refusal.to_string())?;
        self.note(turn, call, verdict, Some(&resolution));
        let Resolution { answer, by, feedback } = resolution;
        match answer {
            Answer::AllowOnce | Answer::ApplyFirst | Answer::AllowSession | Answer::AllowAlways => {
                let feedback = feedback.filter(|_| by != MEANWHILE);
                Ok(Yes { feedback, applies_first: answer == Answer::ApplyFirst })
            }
            Answer::Deny => Err(match feedback {
                Some(refusal) if by == MEANWHILE => refusal,
                Some(feedback) => format!("denied by the user, who says: {feedback}"),
                None if by == "cli" => "denied: the user was asked on the command line".to_owned(),
                None => "denied by the user".to_owned(),
            }),
            Answer::Questions(_) | Answer::Withdrawn => Err("cancelled: nobody answered".to_owned()),
        }
    }

    /// Puts a prompt, and returns its first answer: of somebody, or of what has come meanwhile and decides the call.
    async fn settled(
        self: &Arc<Self>,
        user: &Handle,
        turn: &Arc<Turn>,
        call: &Call,
        prompt: Prompt,
        settles: Settles,
    ) -> Result<Resolution, Refusal> {
        let mut changes = user.permission_changes();
        // The verdict is older than this receiver.
        changes.mark_changed();
        let id = prompt.id.clone();
        let mut answered = pin!(user.ask(prompt));
        loop {
            tokio::select! {
                biased;
                resolution = &mut answered => return resolution,
                changed = changes.changed() => match changed {
                    Ok(()) => if let Some(resolution) = self.decided_meanwhile(user, turn, call, settles).await
                        && let Err(refusal) = user.answer(id.clone(), resolution).await
                    {
                        tracing::warn!(%refusal, prompt = %id, "a prompt that is decided by now still waits");
                    },
                    Err(_) => return answered.await,
                },
            }
        }
    }

    /// Judges once more what the user is being asked. Returns the answer, if it needs nobody any more.
    async fn decided_meanwhile(
        self: &Arc<Self>,
        user: &Handle,
        turn: &Arc<Turn>,
        call: &Call,
        settles: Settles,
    ) -> Option<Resolution> {
        let snapshot = user.snapshot().await?;
        let (gate, turn, call) = (self.clone(), turn.clone(), call.clone());
        let judged =
            tokio::task::spawn_blocking(move || gate.check(&turn, &snapshot, &call.tool, &[]).judge(&call));
        let verdict = match judged.await {
            Ok(verdict) => verdict,
            Err(error) => {
                tracing::error!(%error, "a prompt could not be judged once more");
                return None;
            }
        };
        let (answer, feedback) = match verdict.decision {
            Decision::Allow if settles == Settles::Verdict => (Answer::AllowOnce, None),
            Decision::Deny => (Answer::Deny, Some(refusal(&verdict))),
            Decision::Allow | Decision::Ask => return None,
        };
        Some(Resolution { answer, by: MEANWHILE.to_owned(), feedback })
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

impl Gate {
    /// Asks, once for each text, whether what other agents' settings in the workspace allow counts here, too. Nothing waits
    /// for the answer: until it is given, all of that is asked.
    pub(crate) async fn ask_about_settings(self: Arc<Self>, turn: Arc<Turn>, snapshot: Snapshot) {
        let (home, folders) = (self.surroundings.home.clone(), snapshot.folders.clone());
        let found = tokio::task::spawn_blocking(move || {
            let known = agreed::list(&home).unwrap_or_default();
            let new = |found: &Allowances| found.said(&known).is_none();
            folders.iter().filter_map(|folder| agreed::allowances(folder)).filter(new).collect::<Vec<_>>()
        });
        for allowances in found.await.unwrap_or_default() {
            let is_open = |prompt: &&Prompt| {
                matches!(&prompt.kind, PromptKind::Questions { questions }
                    if questions.iter().any(|question| question.id == allowances.sha256))
            };
            if !snapshot.open_prompts().iter().any(is_open) {
                self.ask_about(&turn, allowances).await;
            }
        }
    }

    async fn ask_about(&self, turn: &Turn, allowances: Allowances) {
        let Some(user) = &self.user else { return };
        let settings = allowances.workspace.join(agreed::SETTINGS);
        let title = format!("may the agent do unasked what {} allows?", settings.display());
        let question = agreed_question(&allowances);
        let kind = PromptKind::Questions { questions: vec![question] };
        let asked = match prompt(turn, title, String::new(), kind) {
            Ok(prompt) => user.ask(prompt).await.map_err(|refusal| refusal.to_string()),
            Err(error) => Err(error),
        };
        let answer = match asked {
            Ok(Resolution { answer: Answer::Questions(mut answers), .. }) => {
                answers.remove(&allowances.sha256)
            }
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(%error, "the user could not be asked about a settings file");
                None
            }
        };
        let agreed = match answer.as_deref() {
            Some([one]) if one == AGREE => true,
            Some([one]) if one == REFUSE => false,
            // No answer is none: it is asked again in the next turn.
            _ => return,
        };
        let home = self.surroundings.home.clone();
        let kept = tokio::task::spawn_blocking(move || agreed::keep(&home, &allowances, agreed)).await;
        match kept {
            Ok(Ok(())) => user.permissions_changed(),
            Ok(Err(problem)) => tracing::error!(%problem, "what the user said about a settings file is lost"),
            Err(error) => tracing::error!(%error, "what the user said about a settings file is lost"),
        }
    }
}

/// The answers to a question about a settings file.
const AGREE: &str = "agree";
const REFUSE: &str = "refuse";

fn agreed_question(allowances: &Allowances) -> Question {
    let choice = |value: &str, label: &str| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        description: None,
    };
    let mut text = format!("It allows, in this workspace:\n  {}", allowances.entries.join("\n  "));
    if !allowances.left_out.is_empty() {
        let left_out = allowances.left_out.join("\n  ");
        text = format!("{text}\nAsked all the same, for it cannot be said exactly here:\n  {left_out}");
    }
    Question {
        id: allowances.sha256.clone(),
        text,
        description: None,
        options: vec![
            choice(AGREE, "Allow all of it, until the file changes"),
            choice(REFUSE, "Ask me each time"),
        ],
        multiple: false,
        allow_text: false,
    }
}

impl Check {
    /// Returns what may be offered for longer than once: only what would then go through unasked. Reads files.
    pub(super) fn offer(&self, call: &Call, verdict: &Verdict) -> Offer {
        // What a rule asks, and what programs obey, is asked each time.
        if !matches!(verdict.source, Source::Level(_) | Source::Network) {
            return Offer::default();
        }
        let rules = learned_rules(&self.holding.ground, &Disk, call);
        let mut policy = self.policy.clone();
        policy.rules.extend(rules.iter().cloned());
        let goes_through = judged(&self.holding, &policy, call).decision == Decision::Allow;
        let rules: Option<Vec<LearnedRule>> = rules.iter().map(LearnedRule::of).collect();
        let rules = rules.filter(|_| goes_through).unwrap_or_default();
        Offer { approval: Some(self.approval(call)), rules, applies_first: false }
    }
}

/// Returns a prompt of a turn that nobody was asked yet. What cannot be seen is shown as what it is: the words may be a model's.
pub(crate) fn prompt(
    turn: &Turn,
    title: String,
    detail: String,
    mut kind: PromptKind,
) -> Result<Prompt, String> {
    let id = fresh::name("prompt").map_err(|error| error.to_string())?;
    if let PromptKind::Questions { questions } = &mut kind {
        for question in questions {
            question.text = seen(std::mem::take(&mut question.text));
            question.description = question.description.take().map(seen);
            for choice in &mut question.options {
                choice.label = seen(std::mem::take(&mut choice.label));
                choice.description = choice.description.take().map(seen);
            }
        }
    }
    Ok(Prompt {
        id: PromptId::new(id),
        session: turn.session.clone(),
        turn: turn.id.clone(),
        task: None,
        title: seen(title),
        detail: seen(detail),
        kind,
        asked_at: fresh::now(),
        resolution: None,
    })
}

/// Shows what is in a text, if some of it cannot be seen; what only draws a symbol otherwise is left alone without that.
fn seen(text: String) -> String {
    if first_unseen(&text).is_some() { shown(&text) } else { text }
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
