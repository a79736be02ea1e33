use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::time::Instant;

use super::*;
use crate::request::{Content, Message, Role};
use crate::stream::{StopReason, Usage};

type Script = Vec<Result<StreamEvent, ProviderError>>;

/// A model that plays one script after the other, and keeps what it was asked.
#[derive(Default)]
struct Played {
    scripts: Mutex<VecDeque<Script>>,
    asked: Mutex<Vec<Request>>,
}

impl Provider for Played {
    fn stream(&self, request: Request) -> BoxStream<'static, Result<StreamEvent, ProviderError>> {
        self.asked.lock().unwrap().push(request);
        let script = self.scripts.lock().unwrap().pop_front().expect("asked too often");
        stream::iter(script).boxed()
    }
}

fn policy(retries: u32) -> Policy {
    Policy { retries, base: Duration::from_millis(100), random: Arc::new(|| 0.5) }
}

fn error(class: ErrorClass) -> ProviderError {
    ProviderError::new(class, "no")
}

fn good() -> Script {
    vec![Ok(StreamEvent::Text("hi".into())), Ok(StreamEvent::Stop(StopReason::EndTurn))]
}

/// Plays these scripts to a model with a fallback, and returns what came, who was asked, and how long it took.
async fn play(retries: u32, scripts: Vec<Script>) -> (Script, Vec<String>, u128) {
    let start = Instant::now();
    let (events, asked) = play_to([true, true], retries, scripts, vec![]).await;
    let asked = asked.into_iter().map(|request| request.model).collect();
    (events, asked, start.elapsed().as_millis())
}

/// The same with a conversation, for models of which each takes pictures or does not; returns what they were asked.
async fn play_to(
    sees: [bool; 2],
    retries: u32,
    scripts: Vec<Script>,
    messages: Vec<Message>,
) -> (Script, Vec<Request>) {
    let played = Arc::new(Played { scripts: Mutex::new(scripts.into()), ..Played::default() });
    let candidate = |model: &str, sees| Candidate {
        provider: Arc::clone(&played) as Arc<dyn Provider>,
        model: model.into(),
        sees,
        policy: policy(retries),
    };
    let patient = Patient::new(vec![candidate("first", sees[0]), candidate("second", sees[1])]);
    let request = Request { model: String::new(), system: String::new(), messages, tools: vec![] };
    let events = patient.stream(request).collect().await;
    let asked = played.asked.lock().unwrap().clone();
    (events, asked)
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with what a stream gives")]
fn retry(attempt: u32, after: u64, error: ProviderError) -> Result<StreamEvent, ProviderError> {
    Ok(StreamEvent::Retry(Retry { attempt, after: Duration::from_millis(after), error }))
}

#[test]
fn waits_grow_by_class_up_to_a_minute() {
    let millis = |error: &ProviderError| -> Vec<u128> {
        (1..=8).map_while(|n| policy(8).wait(n, error)).map(|wait| wait.as_millis()).collect()
    };
    let slow = [100, 300, 900, 2700, 8100, 24_300, 60_000, 60_000];
    assert_eq!(millis(&error(ErrorClass::RateLimit)), slow);
    let fast = [100, 200, 400, 800, 1600, 3200, 6400, 12_800];
    assert_eq!(millis(&error(ErrorClass::Overloaded)), fast);
    assert_eq!(millis(&error(ErrorClass::Network)), fast);
    for class in [
        ErrorClass::Auth,
        ErrorClass::ContextTooLong,
        ErrorClass::BadRequest,
        ErrorClass::Protocol,
        ErrorClass::Script,
        ErrorClass::Configuration,
    ] {
        assert_eq!(millis(&error(class)), [0; 0], "{class:?}");
    }
}

#[test]
fn waits_are_spread_and_end_with_the_retries() {
    let wait = |random: f64| {
        let policy = Policy { random: Arc::new(move || random), ..policy(1) };
        policy.wait(1, &error(ErrorClass::Network)).map(|wait| wait.as_millis())
    };
    assert_eq!((wait(0.0), wait(1.0)), (Some(80), Some(120)));
    assert_eq!(policy(1).wait(2, &error(ErrorClass::Network)), None);
    assert_eq!(policy(0).wait(1, &error(ErrorClass::Network)), None);
    let numbers: Vec<f64> = (0..100).map(|_| random()).collect();
    assert!(numbers.iter().all(|number| (0.0..=1.0).contains(number)));
    assert!(numbers.iter().any(|number| number.to_bits() != numbers[0].to_bits()));
}

#[test]
fn the_server_says_how_long_unless_it_is_too_long() {
    let asking = |seconds| ProviderError {
        retry_after: Some(Duration::from_secs(seconds)),
        ..error(ErrorClass::RateLimit)
    };
    assert_eq!(policy(1).wait(1, &asking(60)), Some(Duration::from_mins(1)));
    assert_eq!(policy(1).wait(1, &asking(0)), Some(Duration::ZERO));
    assert_eq!(policy(1).wait(1, &asking(61)), None);
}

#[tokio::test(start_paused = true)]
async fn a_failed_request_is_sent_again_after_a_while() {
    let (overloaded, silent) = (error(ErrorClass::Overloaded), Script::new());
    let (events, asked, millis) = play(5, vec![vec![Err(overloaded.clone())], silent, good()]).await;
    let closed =
        ProviderError::new(ErrorClass::Network, "the server closed the connection without an answer");
    let expected = [vec![retry(1, 100, overloaded), retry(2, 200, closed)], good()].concat();
    assert_eq!(events, expected);
    assert_eq!(asked, ["first"; 3]);
    assert_eq!(millis, 300);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_again_after_anything_was_said() {
    for said in [StreamEvent::Text("half".into()), StreamEvent::Thinking("hm".into()), StreamEvent::Begun] {
        let script = vec![Ok(said.clone()), Err(error(ErrorClass::Network))];
        let (events, asked, _) = play(5, vec![script.clone()]).await;
        assert_eq!((events, asked.len()), (script, 1));
        let (events, asked, _) = play(5, vec![vec![Ok(said.clone())]]).await;
        assert_eq!((events, asked.len()), (vec![Ok(said)], 1));
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_of_a_failed_request_are_counted() {
    let used = Ok(StreamEvent::Usage(Usage { input_tokens: 7, ..Usage::default() }));
    let failed = error(ErrorClass::Overloaded);
    let (events, ..) = play(1, vec![vec![used.clone(), Err(failed.clone())], good()]).await;
    assert_eq!(events, [vec![used, retry(1, 100, failed)], good()].concat());
}

#[tokio::test(start_paused = true)]
async fn the_next_model_is_asked_when_one_fails_for_good() {
    let failed = error(ErrorClass::RateLimit);
    let fail = || vec![Err(failed.clone())];
    let (events, asked, _) = play(1, vec![fail(), fail(), good()]).await;
    assert_eq!(events, [vec![retry(1, 100, failed.clone()), retry(0, 0, failed.clone())], good()].concat());
    assert_eq!(asked, ["first", "first", "second"]);
    let (events, asked, _) = play(0, vec![fail(), fail()]).await;
    assert_eq!(events, [retry(0, 0, failed.clone()), Err(failed.clone())]);
    assert_eq!(asked, ["first", "second"]);
    let refused = error(ErrorClass::Auth);
    let (events, asked, _) = play(1, vec![vec![Err(refused.clone())]]).await;
    assert_eq!((events, asked.len()), (vec![Err(refused)], 1));
}

#[tokio::test]
async fn without_a_model_there_is_an_error() {
    let request = Request { model: String::new(), system: String::new(), messages: vec![], tools: vec![] };
    let events: Script = Patient::new(vec![]).stream(request).collect().await;
    assert_eq!(events, [Err(ProviderError::new(ErrorClass::Configuration, "no model is configured"))]);
}

#[tokio::test(start_paused = true)]
async fn pictures_are_left_out_for_the_model_alone_that_does_not_see_them() {
    let picture = || Content::Image { media_type: "image/png".into(), data: "aGk=".into() };
    let text = |text: &str| Content::Text { text: text.into() };
    let result = |text: &str| Content::ToolResult { id: "1".into(), text: text.into(), is_error: false };
    let by_user = |content| Message { role: Role::User, content };
    let plain = || by_user(vec![text("so?")]);
    let told = vec![
        by_user(vec![text("what is this?"), picture(), picture()]),
        by_user(vec![result("a.png"), picture()]),
        by_user(vec![result("a.png"), text("and now?"), picture()]),
        by_user(vec![picture()]),
        plain(),
    ];
    let note = "[a picture is left out here, as you cannot see pictures; ask the user what is on it if that matters]";
    let left_out = vec![
        by_user(vec![text("what is this?"), text(note)]),
        by_user(vec![result(&format!("a.png\n{note}"))]),
        by_user(vec![result("a.png"), text("and now?"), text(note)]),
        by_user(vec![text(note)]),
        plain(),
    ];
    let scripts = || vec![vec![Err(error(ErrorClass::Overloaded))], good()];
    for (sees, expected) in [
        ([true, true], [&told, &told]),
        ([true, false], [&told, &left_out]),
        ([false, true], [&left_out, &told]),
        ([false, false], [&left_out, &left_out]),
    ] {
        let (_, asked) = play_to(sees, 0, scripts(), told.clone()).await;
        let asked: Vec<_> = asked.iter().map(|request| &request.messages).collect();
        assert_eq!(asked, expected, "{sees:?}");
    }
}
