//! Prompts: one answer, and one end.

use super::*;
use crate::prompt::{Answer, LearnedRule, Permission, PromptKind, Resolution};

const PROMPT: &str = "prompt_1";

fn rule() -> LearnedRule {
    let tool = "bash".to_owned();
    LearnedRule {
        tool,
        command_prefix: Some("make".into()),
        file_patterns: Vec::new(),
        workspace: "/w".into(),
    }
}

fn prompt(rules: Vec<LearnedRule>) -> Prompt {
    let kind = PromptKind::Permission(Permission {
        tool: "bash".into(),
        command: Some("make".into()),
        diff: None,
        approval: None,
        applies_first: false,
        rules,
    });
    Prompt {
        id: PromptId::new(PROMPT),
        session: SessionId::new("s"),
        turn: TurnId::new("t1"),
        task: None,
        title: "run `make`".into(),
        detail: "make".into(),
        kind,
        asked_at: NOW,
        resolution: None,
    }
}

/// A turn that waits for the user.
fn asked(rules: Vec<LearnedRule>) -> World {
    let mut world = World::new();
    world.start_turn("t1");
    world.replies.clear();
    send(&mut world, Command::Ask(Box::new(prompt(rules))));
    assert_eq!(world.replies, []);
    assert!(world.state.snapshot().is_waiting(&TurnId::new("t1")));
    world
}

fn send(world: &mut World, command: Command) {
    world.request += 1;
    world.handle(Event::Requested { request: RequestId(world.request), command });
}

fn resolution(answer: Answer) -> Resolution {
    Resolution { answer, by: "Neovim".into(), feedback: None }
}

fn answer(world: &mut World, answer: Answer) -> Vec<Result<Reply, Refusal>> {
    world.replies.clear();
    send(world, Command::Answer { prompt: PromptId::new(PROMPT), resolution: resolution(answer) });
    std::mem::take(&mut world.replies)
}

#[test]
fn the_first_answer_counts_and_a_late_one_is_ignored() {
    let mut world = asked(Vec::new());
    let yes = Ok(Reply::Answered(resolution(Answer::AllowOnce)));
    assert_eq!(answer(&mut world, Answer::AllowOnce), [Ok(Reply::AnswerTaken(true)), yes]);
    assert_eq!(answer(&mut world, Answer::Deny), [Ok(Reply::AnswerTaken(false))]);
    assert!(!world.state.snapshot().is_waiting(&TurnId::new("t1")));
}

#[test]
fn an_answer_that_is_not_offered_is_refused_and_the_prompt_waits_on() {
    let mut world = asked(Vec::new());
    let refused = [Err(Refusal::NotOffered(PROMPT.into()))];
    assert_eq!(answer(&mut world, Answer::AllowAlways), refused);
    assert_eq!(answer(&mut world, Answer::AllowSession), refused);
    assert_eq!(world.state.snapshot().open_prompts().len(), 1);
}

#[test]
fn always_writes_the_rules_that_were_shown_before_anybody_is_answered() {
    let mut world = asked(vec![rule()]);
    assert_eq!(answer(&mut world, Answer::AllowAlways), []);
    assert_eq!(world.learned, [rule()]);
}

#[test]
fn an_answer_of_another_process_reaches_the_turn() {
    let mut world = asked(Vec::new());
    let elsewhere = Prompt { resolution: Some(resolution(Answer::Deny)), ..prompt(Vec::new()) };
    let generation = world.state.generation;
    let known = Known { prompts: vec![elsewhere], ..Known::default() };
    world.handle(Event::Loaded { generation, known: Box::new(known) });
    assert_eq!(world.replies, [Ok(Reply::Answered(resolution(Answer::Deny)))]);
    assert_eq!(answer(&mut world, Answer::AllowOnce), [Ok(Reply::AnswerTaken(false))]);
}

#[test]
fn what_a_turn_asked_is_withdrawn_with_its_end() {
    let mut world = asked(Vec::new());
    let end = TurnEnd { status: TurnStatus::Cancelled, reply: None, usage: Usage::default() };
    world.handle(Event::TurnEnded { turn: TurnId::new("t1"), end });
    assert!(world.state.snapshot().open_prompts().is_empty());
    assert!(matches!(world.events.last(), Some(DurableEvent::Resolved { resolution, .. })
        if *resolution == Resolution::withdrawn()));
    assert_eq!(answer(&mut world, Answer::AllowOnce), [Ok(Reply::AnswerTaken(false))]);
}

#[test]
fn a_level_is_never_wider_than_the_files_allow() {
    let mut world = World::new();
    world.handle(Event::LevelsRead { configured: Level::Yolo, widest: Level::AcceptEdits });
    assert_eq!(world.state.snapshot().level, Level::AcceptEdits);
    send(&mut world, Command::SetLevel(Level::Yolo));
    send(&mut world, Command::SetLevel(Level::Readonly));
    assert_eq!(world.replies, [Ok(Reply::Level(Level::AcceptEdits)), Ok(Reply::Level(Level::Readonly))]);
}
