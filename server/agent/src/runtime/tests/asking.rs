//! Acts pass the gate: asked, answered, and done with the gate's word alone.

use kkcode_core::permission::engine::{Action, Call};
use kkcode_core::permission::shell::Shell;
use kkcode_core::prompt::Answer;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::gate::policy::Surroundings;
use crate::gate::{Act, Gate, Reach, learned};

/// A turn that thinks for as long as the test runs.
const THINKS: &str = "turns: [{stream: [{delayMs: 3600000}]}]";

/// A gate of a running turn, and its user.
struct Asking {
    world: World,
    gate: Arc<Gate>,
    turn: Arc<Turn>,
}

async fn asking() -> Asking {
    let world = World::new(THINKS);
    let (turn, _) = world.start_turn().await;
    let turn = Arc::new(world.handle.snapshot().await.unwrap().turns[&turn].clone());
    let home = world.dir.path().join("home");
    let surroundings = Surroundings { home, path: Some("/usr/bin:/bin".into()), ..Surroundings::default() };
    let gate = Gate::new(surroundings, CancellationToken::new()).asking(world.handle.clone());
    Asking { gate: Arc::new(gate), turn, world }
}

impl Asking {
    /// Lets a command pass that says its reach instead of running.
    fn pass(&self, line: &str) -> tokio::task::JoinHandle<Result<String, String>> {
        let action = Action::Command { line: line.to_owned(), shell: Shell::Bash, network: false };
        let act = Act {
            call: Call { tool: "bash".to_owned(), action },
            title: format!("run `{line}`"),
            detail: line.to_owned(),
            reach: Reach::default(),
            unseen: None,
            asked_anyway: None,
            run: Box::new(|permit| {
                Box::pin(async move {
                    if permit.reach().network {
                        return Ok("it ran with the network".to_owned());
                    }
                    let network = Reach { network: true, writes_outside: false };
                    match permit.widened(network, "the sandbox refused it the network").await {
                        Ok(permit) => Ok(format!("once more: {:?}", permit.reach())),
                        Err(refusal) => Ok(format!("it ran; {refusal}")),
                    }
                })
            }),
        };
        let (gate, turn, handle) = (self.gate.clone(), self.turn.clone(), self.world.handle.clone());
        tokio::spawn(async move {
            let snapshot = Arc::new(handle.snapshot().await.unwrap());
            gate.pass(&turn, &snapshot, act).await.flatten()
        })
    }

    /// Waits for the next prompt.
    async fn asked(&mut self) -> Prompt {
        let asked = |effect| match effect {
            EditorEffect::Durable(_, DurableEvent::Asked { prompt }) => Some(*prompt),
            _ => None,
        };
        self.world.effect(asked).await
    }

    async fn answer(&mut self, prompt: &Prompt, answer: Answer) {
        let resolution = Resolution { answer, by: "test".into(), feedback: None };
        assert_eq!(self.world.handle.answer(prompt.id.clone(), resolution).await, Ok(true));
    }
}

#[tokio::test]
async fn always_keeps_the_rule_that_was_shown_and_is_asked_no_more() {
    let mut asking = asking().await;
    let passing = asking.pass("make all");
    let prompt = asking.asked().await;
    assert_eq!((prompt.title.as_str(), prompt.offers(&Answer::AllowAlways)), ("run `make all`", true));
    asking.answer(&prompt, Answer::AllowAlways).await;
    let widened = asking.asked().await;
    assert_eq!(widened.title, "run `make all`, with the network");
    assert!(!widened.offers(&Answer::AllowAlways) && !widened.offers(&Answer::AllowSession));
    asking.answer(&widened, Answer::AllowOnce).await;
    assert!(passing.await.unwrap().unwrap().contains("network: true"));
    let learned = learned::list(&asking.world.dir.path().join("home")).unwrap();
    assert_eq!(learned.len(), 1);
    assert_eq!(learned[0].command_prefix.as_deref(), Some("make all"));
    assert_eq!(learned[0].workspace, asking.world.dir.path().canonicalize().unwrap().join("work"));

    let passing = asking.pass("make all");
    let widened = asking.asked().await;
    assert!(widened.title.ends_with("with the network"), "the command itself is not asked again");
    asking.answer(&widened, Answer::Deny).await;
    assert_eq!(passing.await.unwrap(), Ok("it ran; denied by the user".to_owned()));
}

#[tokio::test]
async fn the_session_is_for_exactly_what_was_shown() {
    let mut asking = asking().await;
    let passing = asking.pass("make all");
    let prompt = asking.asked().await;
    asking.answer(&prompt, Answer::AllowSession).await;
    let widened = asking.asked().await;
    asking.answer(&widened, Answer::Deny).await;
    passing.await.unwrap().unwrap();

    let same = asking.pass("make all");
    let widened = asking.asked().await;
    assert!(widened.title.ends_with("with the network"), "{}", widened.title);
    asking.answer(&widened, Answer::Deny).await;
    same.await.unwrap().unwrap();
    let other = asking.pass("make clean");
    let prompt = asking.asked().await;
    assert_eq!(prompt.title, "run `make clean`");
    asking.answer(&prompt, Answer::Deny).await;
    assert_eq!(other.await.unwrap(), Err("denied by the user".to_owned()));
}

#[tokio::test]
async fn what_no_level_runs_is_refused_unasked() {
    let asking = asking().await;
    let refused = asking.pass("rm -rf /").await.unwrap().unwrap_err();
    assert!(refused.starts_with("refused: "), "{refused}");
}
