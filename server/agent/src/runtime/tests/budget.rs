//! Budgets pause a turn before the next request, and what was used is known by turn, session and day.

use std::collections::BTreeMap;

use kkcode_core::prompt::{Answer, PromptKind};

use super::*;

const SCRIPT: &str = r#"
turns:
  - stream:
      - tool: {name: edit, input: {path: x.txt, before: two, after: TWO}}
      - usage: {inputTokens: 1000000, outputTokens: 100000, cacheReadTokens: 500000}
  - stream:
      - tool: {name: edit, input: {path: x.txt, before: four, after: FOUR}}
      - usage: {inputTokens: 1000000, outputTokens: 100000, cacheReadTokens: 500000}
  - stream:
      - text: Done.
      - usage: {inputTokens: 1000, outputTokens: 100}
"#;

/// What the prices make of it: 2 + 1 + 0.1 dollars for each of the first two requests.
const PRICES: &str = "prices: {play/: {input: 2, output: 10, cache_read: 0.2}}";

fn world(usage: &str) -> World {
    let world = World::new(SCRIPT);
    let config = format!(
        "provider: {{default: play, play: {{type: scripted, script: script.yaml}}}}\nusage: {{{usage}}}\n"
    );
    std::fs::write(world.dir.path().join("home/config.yaml"), config).unwrap();
    world
}

/// Answers the next question about a budget, and returns it.
async fn answer(world: &mut World, goes_on: bool) -> String {
    let asked = async {
        loop {
            let ToFrontEnd::Effect(EditorEffect::Durable(_, DurableEvent::Asked { prompt })) =
                world.effects.recv().await.unwrap()
            else {
                continue;
            };
            let PromptKind::Questions { questions } = &prompt.kind else { panic!("{prompt:?}") };
            let [question] = questions.as_slice() else { panic!("{questions:?}") };
            let option = question.options[usize::from(!goes_on)].value.clone();
            let answer = Answer::Questions(BTreeMap::from([(question.id.clone(), vec![option])]));
            let resolution = Resolution { answer, by: "a test".into(), feedback: None };
            let text = question.text.clone();
            assert!(world.handle.answer(prompt.id, resolution).await.unwrap());
            return text;
        }
    };
    tokio::time::timeout(SOON, asked).await.expect("a question")
}

fn reason(turn: &Turn) -> &str {
    match &turn.status {
        TurnStatus::BudgetExhausted { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_budget_asks_before_the_next_request_and_goes_on_as_far_again() {
    let mut world = world(&format!("{PRICES}, budget: {{turn_usd: 3}}"));
    world.start_turn().await;
    let question = answer(&mut world, true).await;
    assert_eq!(question, "this turn has cost $3.1000; its budget is $3. Go on, as far again?");
    let question = answer(&mut world, true).await;
    assert_eq!(question, "this turn has cost $6.2000; its budget is $3. Go on, as far again?");
    let turn = world.finished().await;
    assert_eq!(turn.status, TurnStatus::Completed);
    assert_eq!((turn.usage.cost_micro_usd, turn.usage.unpriced), (6_203_000, false));
    assert_eq!((turn.usage.input_tokens, turn.usage.cache_read_tokens), (2_001_000, 1_000_000));
    assert_eq!(world.handle.spent_today().await.unwrap(), turn.usage);
}

#[tokio::test]
async fn a_budget_that_is_used_up_ends_the_turn_and_says_how_to_go_on() {
    for (budget, expected) in [
        ("turn_tokens: 1000", "this turn has used 1600000 tokens; its budget is 1000; "),
        ("session_usd: 1", "this session has cost $3.1000; its budget is $1; "),
        ("day_usd: 1", "today has cost $3.1000; its budget is $1; "),
    ] {
        let mut world = world(&format!("{PRICES}, budget: {{{budget}}}"));
        world.start_turn().await;
        answer(&mut world, false).await;
        let turn = world.finished().await;
        assert!(reason(&turn).starts_with(expected), "{budget}: {:?}", turn.status);
        assert!(reason(&turn).ends_with("raise `usage.budget` in the configuration"));
        assert_eq!(turn.usage.output_tokens, 100_000, "one request was made, and counted");
        assert_eq!(world.pending().await.len(), 1, "what it proposed stays");
    }
}

#[tokio::test]
async fn what_was_used_before_counts_after_a_restart() {
    let mut first = world(&format!("{PRICES}, budget: {{day_usd: 1}}"));
    first.start_turn().await;
    answer(&mut first, false).await;
    first.finished().await;
    let mut second = first.restart().await;
    second.start_turn().await;
    answer(&mut second, false).await;
    let turn = second.finished().await;
    assert!(reason(&turn).starts_with("today has cost $3.1000"), "{:?}", turn.status);
    assert_eq!(turn.usage, Usage::default(), "no request was made");
}

#[tokio::test]
async fn money_cannot_be_counted_without_a_price() {
    let mut world = world("budget: {day_usd: 1}");
    world.start_turn().await;
    let question = answer(&mut world, true).await;
    assert!(
        question.starts_with("the price of play is not known, so the budget of today cannot be held"),
        "{question}"
    );
    let turn = world.finished().await;
    assert_eq!((turn.status, turn.usage.unpriced), (TurnStatus::Completed, true));
}

#[tokio::test]
async fn a_tasks_budget_counts_all_of_its_turns_and_none_before() {
    let mut world = world(&format!("{PRICES}, budget: {{task_usd: 4}}"));
    world.start_turn().await;
    let turn = world.finished().await;
    assert_eq!(turn.status, TurnStatus::Completed, "no task, no budget of a task");

    let mut task = world.restart().await;
    task.config.set_task(Some(crate::fresh::now()));
    std::fs::write(task.dir.path().join("home/script.yaml"), SCRIPT).unwrap();
    task.start_turn().await;
    let question = answer(&mut task, false).await;
    assert!(question.starts_with("this task has cost $6.2000; its budget is $4"), "{question}");
    assert!(reason(&task.finished().await).starts_with("this task"));
}
