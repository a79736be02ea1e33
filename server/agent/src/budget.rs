//! What requests to models cost, and the budgets that none of them exceeds unasked.
//!
//! A budget counts what was used before a request; the request that reaches it is the last one unasked.

use kkcode_core::prompt::{Answer, Choice, PromptKind, Question};
use kkcode_core::proposal::Timestamp;
use kkcode_core::turn::{Turn, TurnStatus, Usage};
use kkcode_provider::stream;
use kkcode_store::{Spending, Spent, Store, StoreError};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::config::{ConfigSource, Effective, Model, Tariff};
use crate::runtime::Handle;
use crate::{fresh, gate};

/// The name of the question, and the answer that lets a turn go on.
const QUESTION: &str = "go_on";
const YES: &str = "yes";

const DAY: i64 = 24 * 60 * 60 * 1000;

/// A budget that is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exhausted {
    /// Who has used it up, with a name that grants are kept by.
    whose: String,
    /// What was used, and of how much.
    message: String,
}

/// Lets a turn make a request: at once within its budgets, else when the user says so. Ends the turn if he does not.
pub(crate) async fn allow(
    store: &Store,
    config: &ConfigSource,
    user: &Handle,
    turn: &Turn,
    model: &Model,
) -> Result<(), TurnStatus> {
    let source = config.clone();
    let effective = tokio::task::spawn_blocking(move || source.effective()).await;
    let Ok(Ok(effective)) = effective else {
        return Err(TurnStatus::BudgetExhausted {
            reason: "the budget in the configuration cannot be read".to_owned(),
        });
    };
    if effective.get(&["usage", "budget"]).is_none() {
        return Ok(());
    }
    let spent = spent(store, config, turn).await?;
    // Every budget that is used up is asked for by itself.
    for exhausted in exhausted(&effective, config, turn, model, &spent) {
        let Exhausted { whose, message } = exhausted;
        if !may_go_on(user, turn, &message).await {
            let reason =
                format!("{message}; go on in the same session, or raise `usage.budget` in the configuration");
            return Err(TurnStatus::BudgetExhausted { reason });
        }
        config.grant(&whose);
    }
    Ok(())
}

/// Asks the user, in whatever editor, and waits for the answer; no answer is no.
async fn may_go_on(user: &Handle, turn: &Turn, message: &str) -> bool {
    let choice = |value: &str, label: &str| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        description: None,
    };
    let question = Question {
        id: QUESTION.to_owned(),
        text: format!("{message}. Go on, as far again?"),
        description: None,
        options: vec![choice(YES, "Go on"), choice("no", "Stop")],
        multiple: false,
        allow_text: false,
    };
    let kind = PromptKind::Questions { questions: vec![question] };
    let asked = match gate::prompt(turn, message.to_owned(), String::new(), kind) {
        Ok(prompt) => user.ask(prompt).await.map_err(|refusal| refusal.to_string()),
        Err(error) => Err(error),
    };
    match asked.map(|resolution| resolution.answer) {
        Ok(Answer::Questions(answers)) => answers.get(QUESTION).is_some_and(|chosen| chosen.iter().eq([YES])),
        Ok(_) => false,
        Err(why) => {
            tracing::warn!(%why, "the user could not be asked about a budget");
            false
        }
    }
}

/// Writes down what a request has used, and returns it with what it cost.
pub(crate) fn record(store: &Store, turn: &Turn, tariff: Option<&Tariff>, used: stream::Usage) -> Usage {
    let cost = tariff.and_then(|tariff| tariff.price).map(|price| price.cost(used) * 1e6);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a price is not negative, and no request costs 2^64"
    )]
    let cost_micro_usd = cost.map_or(0, |cost| cost.round() as u64);
    let usage = Usage {
        input_tokens: used.input_tokens,
        output_tokens: used.output_tokens,
        cache_read_tokens: used.cache_read_tokens,
        cache_write_tokens: used.cache_write_tokens,
        cost_micro_usd,
        unpriced: cost.is_none(),
    };
    let spending = Spending {
        turn: turn.id.clone(),
        session: turn.session.clone(),
        model: tariff.map(|tariff| tariff.model.clone()).unwrap_or_default(),
        at: fresh::now(),
        usage,
    };
    store.spend(spending, |result| {
        if let Err(error) = result {
            tracing::error!(%error, "what a request has used could not be written down");
        }
    });
    usage
}

/// Returns when today (UTC) began.
pub(crate) fn day_began() -> Timestamp {
    let Timestamp(now) = fresh::now();
    Timestamp(now - now.rem_euclid(DAY))
}

/// What was used, by whom a budget may be for.
struct Used {
    by: Spent,
    /// By the task that the turn belongs to, in all its turns.
    task: Option<Usage>,
}

async fn spent(store: &Store, config: &ConfigSource, turn: &Turn) -> Result<Used, TurnStatus> {
    let session = turn.session.clone();
    let task = match config.task_since() {
        Some(since) => Some(told(|done| store.spent_in_session(session, since, done)).await?),
        None => None,
    };
    let (turn, session) = (turn.id.clone(), turn.session.clone());
    let by = told(|done| store.spent(turn, session, day_began(), done)).await?;
    Ok(Used { by, task })
}

type Done<T> = Box<dyn FnOnce(Result<T, StoreError>) + Send>;

/// Asks the store.
async fn told<T: Send + 'static>(ask: impl FnOnce(Done<T>)) -> Result<T, TurnStatus> {
    let (answer, answered) = oneshot::channel();
    ask(Box::new(move |told| drop(answer.send(told))));
    match answered.await {
        Ok(Ok(told)) => Ok(told),
        Ok(Err(error)) => Err(TurnStatus::BudgetExhausted {
            reason: format!("what was used so far cannot be read: {error}"),
        }),
        Err(_) => Err(TurnStatus::Interrupted { reason: "the store has ended".to_owned() }),
    }
}

/// Returns the budgets that are used up.
fn exhausted(
    effective: &Effective,
    config: &ConfigSource,
    turn: &Turn,
    model: &Model,
    used: &Used,
) -> Vec<Exhausted> {
    let day = day_began().0;
    let mut found = Vec::new();
    let scopes = [
        ("turn", turn.id.to_string(), Some(used.by.turn)),
        ("task", turn.session.to_string(), used.task),
        ("session", turn.session.to_string(), Some(used.by.session)),
        ("day", day.to_string(), Some(used.by.since)),
    ];
    for (scope, name, used) in scopes {
        let Some(used) = used else { continue };
        let budget = |unit: &str| effective.get(&["usage", "budget", &format!("{scope}_{unit}")]);
        let this = if scope == "day" { "today".to_owned() } else { format!("this {scope}") };
        let mut check = |unit: &str, is_used_up: &dyn Fn(f64) -> bool, message: &dyn Fn(&Value) -> String| {
            let whose = format!("{scope} {name} {unit}");
            let times = f64::from(config.grants(&whose)) + 1.0;
            if let Some(budget) = budget(unit)
                && budget.as_f64().is_some_and(|most| is_used_up(most * times))
            {
                found.push(Exhausted { whose, message: message(budget) });
            }
        };
        #[expect(clippy::cast_precision_loss, reason = "nobody uses 2^52 tokens")]
        let (tokens, usd) = (used.tokens() as f64, used.cost_micro_usd as f64 / 1e6);
        check("tokens", &|most| tokens >= most, &|budget| {
            format!("{this} has used {tokens} tokens; its budget is {budget}")
        });
        check("usd", &|most| usd >= most, &|budget| {
            format!("{this} has cost ${usd:.4}; its budget is ${budget}")
        });
        // Money cannot be counted without a price; that is asked once for each.
        if let Some(unpriced) = model.tariffs.iter().find(|tariff| tariff.price.is_none()) {
            let whose = format!("{scope} {name} unpriced");
            if budget("usd").is_some() && config.grants(&whose) == 0 {
                let message = format!(
                    "the price of {} is not known, so the budget of {this} cannot be held; `usage.prices` can name it",
                    unpriced.model
                );
                found.push(Exhausted { whose, message });
            }
        }
    }
    found
}
