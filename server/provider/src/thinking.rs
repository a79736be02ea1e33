//! How the models behind Anthropic Messages are told to think: each generation takes other words, and refuses the others'.
//!
//! Source of the table: the pages "Thinking", "Effort" and "What's new" of Anthropic's documentation, November 2026.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::wire::{Settings, Thinking};

/// What each model takes, by the beginnings of its name; the longest counts. The empty name is that of other makers' models
/// at compatible servers, `claude` that of models to come.
const TABLE: &str = include_str!("thinking.json");

/// The tokens of a thought where nobody says how many.
const BUDGET: u32 = 10_000;

/// The least budget that is allowed.
const LEAST_BUDGET: u32 = 1024;

/// The words for effort, from the least.
const EFFORTS: [&str; 6] = ["minimal", "low", "medium", "high", "xhigh", "max"];

/// The most effort with which thinking can be switched off.
const MOST_WITHOUT: &str = "high";

/// What a model takes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Takes {
    /// A budget of tokens.
    manual: bool,
    /// To decide itself how much it thinks.
    adaptive: bool,
    /// It thinks unless it is told not to.
    on: bool,
    /// The word that keeps it from thinking first; none if there is none, or if it does not think unasked.
    off: Option<String>,
    /// The words for effort, from the least; none if it takes none.
    efforts: Vec<String>,
}

static MODELS: LazyLock<BTreeMap<String, Takes>> =
    LazyLock::new(|| serde_json::from_str(TABLE).unwrap_or_default());

/// What a request says of thinking.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// The member `thinking`.
    pub(crate) thinking: Option<Value>,
    /// The member `output_config`.
    pub(crate) output: Option<Value>,
    /// The output limit, which thoughts are a part of.
    pub(crate) max_tokens: u32,
}

/// Returns what a model is told, as near to what the user has set as it takes.
pub(crate) fn plan(model: &str, settings: &Settings, max_tokens: u32) -> Plan {
    let takes = takes(model);
    let effort = settings.effort.as_deref();
    let wanted = match (settings.thinking, effort) {
        (None, Some("off" | "none")) => Some(Thinking::Off),
        (None, Some(_)) if takes.adaptive => Some(Thinking::Adaptive),
        // A model without efforts of its own thinks a part of what it may say.
        (None, Some(effort)) if takes.efforts.is_empty() => share(effort, max_tokens).map(Thinking::Budget),
        // Said outright, so that its thoughts are told.
        (None, None) if takes.on => Some(Thinking::Adaptive),
        (wanted, _) => wanted,
    };
    let mut plan = Plan { max_tokens, ..Plan::default() };
    let mut most = None;
    plan.thinking = wanted.and_then(|wanted| match wanted {
        Thinking::Off => takes.off.as_ref().map(|word| {
            most = Some(MOST_WITHOUT);
            json!({"type": word})
        }),
        Thinking::Budget(budget) if takes.manual => Some(manual(budget, &mut plan.max_tokens)),
        _ if takes.adaptive => Some(json!({"type": "adaptive", "display": "summarized"})),
        _ if takes.manual => Some(manual(BUDGET, &mut plan.max_tokens)),
        _ => None,
    });
    let effort = effort.filter(|effort| !takes.efforts.is_empty() && !matches!(*effort, "off" | "none"));
    plan.output = effort.map(|effort| json!({"effort": nearest(effort, &takes.efforts, most)}));
    plan
}

fn takes(model: &str) -> Takes {
    // Other services name the same models with points, and with their maker in front.
    let name = model.to_ascii_lowercase().replace('.', "-");
    let name = name.find("claude").and_then(|at| name.get(at..)).unwrap_or_default();
    let known = MODELS.iter().filter(|(known, _)| name.starts_with(known.as_str()));
    known.max_by_key(|(known, _)| known.len()).map(|(_, takes)| takes.clone()).unwrap_or_default()
}

/// Returns a budget, which is a part of the output limit and leaves something for the answer.
fn manual(budget: u32, max_tokens: &mut u32) -> Value {
    let budget = budget.min(max_tokens.saturating_sub(LEAST_BUDGET)).max(LEAST_BUDGET);
    *max_tokens = budget.saturating_add(LEAST_BUDGET).max(*max_tokens);
    json!({"type": "enabled", "budget_tokens": budget})
}

/// Returns the tokens that an effort comes to, by kkcode's shares of the output limit; none for a word that has none.
fn share(effort: &str, max_tokens: u32) -> Option<u32> {
    let percent = match effort {
        "minimal" | "low" => 15,
        "medium" => 35,
        "high" => 60,
        "xhigh" | "max" => 85,
        _ => return None,
    };
    u32::try_from(u64::from(max_tokens) * percent / 100).ok()
}

/// Returns the word for an effort that a model takes: the same or the next smaller one, else the smallest. A word that
/// nobody knows is the user's business.
fn nearest<'a>(effort: &'a str, taken: &'a [String], most: Option<&str>) -> &'a str {
    let rank = |word: &str| EFFORTS.iter().position(|known| *known == word);
    let Some(wanted) = rank(effort) else { return effort };
    let wanted = most.and_then(rank).map_or(wanted, |most| wanted.min(most));
    let below = taken.iter().rev().find(|word| rank(word).is_some_and(|rank| rank <= wanted));
    below.or(taken.first()).map_or(effort, String::as_str)
}

#[cfg(test)]
mod tests;
