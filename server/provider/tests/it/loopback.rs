//! What a user sees of servers that answer badly, over a real connection.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt as _;
use kkcode_provider::endpoint::{Endpoint, Key, Limits};
use kkcode_provider::http::Http;
use kkcode_provider::remote::Remote;
use kkcode_provider::request::{Content, Role, Seal};
use kkcode_provider::retry::{Candidate, Patient, Policy};
use kkcode_provider::stream::{ErrorClass, Provider, StopReason};

use super::server::{Act, chunked, response, serve, sse};
use super::*;

const SHORT: Duration = Duration::from_millis(300);

fn endpoint(url: &str) -> Endpoint {
    Endpoint::new("p", Format::Anthropic, url).unwrap().with_key(Key::new("sk-secret"), "P_KEY")
}

async fn ask(endpoint: Endpoint) -> Answer {
    let events = Remote::new(endpoint, Http::default()).stream(request()).collect().await;
    answer(&events)
}

async fn answer_to(acts: Vec<Act>) -> Answer {
    let server = serve(vec![acts]).await;
    ask(endpoint(&server.url)).await
}

fn text() -> Vec<u8> {
    data("anthropic/text")
}

/// The beginning of an answer in which something was said.
fn beginning() -> String {
    let text = String::from_utf8(text()).unwrap();
    let end = text.find("event: content_block_stop").unwrap();
    text[..end].to_owned()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[track_caller]
fn check_good(answer: &Answer) {
    assert_eq!(answer.outcome, Some(Outcome::Completed(StopReason::EndTurn)));
    assert_eq!(answer.text(), "Grüße, Wörld 🚀.");
}

#[track_caller]
fn check_failed(answer: &Answer, class: ErrorClass, message: &str) {
    match &answer.outcome {
        Some(Outcome::Failed(error)) => {
            assert_eq!((error.class, error.message.as_str()), (class, message));
        }
        other => panic!("{other:?} instead of {message}"),
    }
}

#[tokio::test]
async fn a_good_answer_is_read_and_the_request_is_as_the_format_wants_it() {
    let mut server = serve(vec![vec![Act::Send(sse(text()))]]).await;
    check_good(&ask(endpoint(&server.url)).await);
    let request = server.requests.recv().await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/messages HTTP/1.1\r\n"), "{head}");
    for line in [
        "x-api-key: sk-secret",
        "anthropic-version: 2023-06-01",
        "content-type: application/json",
        "accept-encoding: gzip",
    ] {
        assert!(head.contains(line), "{line}: {head}");
    }
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["messages"][0]["content"][0]["text"], "go");
}

#[tokio::test]
async fn what_a_server_declares_does_not_matter_if_the_answer_is_good() {
    for headers in [
        "",
        "content-type: text/plain\r\n",
        "content-type: application/json\r\n",
        "content-type: text/html\r\n",
    ] {
        check_good(&answer_to(vec![Act::Send(response("200 OK", headers, text()))]).await);
    }
    let crlf = String::from_utf8(text()).unwrap().replace('\n', "\r\n");
    check_good(&answer_to(vec![Act::Send(sse(crlf))]).await);
    let comments =
        format!(": hello\n\n{}", String::from_utf8(text()).unwrap().replace("\n\n", "\n\n: ping\n\n"));
    check_good(&answer_to(vec![Act::Send(sse(comments))]).await);
}

#[tokio::test]
async fn an_answer_that_was_not_streamed_is_read() {
    let body = data("anthropic/whole");
    let answer =
        answer_to(vec![Act::Send(response("200 OK", "content-type: application/json\r\n", body))]).await;
    assert_eq!(answer.outcome, Some(Outcome::Completed(StopReason::ToolUse)));
}

#[tokio::test]
async fn a_slow_drip_is_an_answer() {
    check_good(&answer_to(vec![Act::Drip(sse(text()))]).await);
}

#[tokio::test]
async fn a_packed_answer_is_unpacked_up_to_the_limit() {
    let packed = |bytes: Vec<u8>| {
        let headers = "content-type: text/event-stream\r\ncontent-encoding: gzip\r\n";
        vec![Act::Send(response("200 OK", headers, bytes))]
    };
    check_good(&answer_to(packed(gzip(&text()))).await);
    let bomb = gzip(&b": nothing at all\n".repeat(5_000_000));
    assert!(bomb.len() < 1_000_000);
    let bombed = answer_to(packed(bomb)).await;
    check_failed(&bombed, ErrorClass::Protocol, "p: the answer is longer than 67108864 bytes");
    let broken = answer_to(packed(b"\x1f\x8b\x08\x00 this is not packed at all".to_vec())).await;
    match &broken.outcome {
        Some(Outcome::Failed(error)) => {
            assert_eq!(error.class, ErrorClass::Protocol, "{}", error.message);
            assert!(error.message.starts_with("p: the answer cannot be unpacked"), "{}", error.message);
        }
        other => panic!("{other:?}"),
    }
    let headers = "content-type: text/event-stream\r\ncontent-encoding: br\r\n";
    let other = answer_to(vec![Act::Send(response("200 OK", headers, "x"))]).await;
    check_failed(&other, ErrorClass::Protocol, "p: the answer is packed as `br`, which was not asked for");
}

#[tokio::test]
async fn a_page_instead_of_an_answer_is_named() {
    let page = response("200 OK", "content-type: text/html\r\n", "<!doctype html><title>Log in</title>");
    let message = "p: the answer is not what was asked for; it begins: <!doctype html><title>Log in</title>";
    check_failed(&answer_to(vec![Act::Send(page)]).await, ErrorClass::Protocol, message);
}

#[tokio::test]
async fn nothing_at_all_is_no_answer() {
    let message = "p: the server closed the connection without an answer";
    for nothing in [sse(""), response("204 No Content", "", "")] {
        check_failed(&answer_to(vec![Act::Send(nothing)]).await, ErrorClass::Network, message);
    }
}

#[tokio::test]
async fn a_line_that_does_not_end_is_refused() {
    let line = format!("data: {}", "x".repeat(9_000_000));
    let message = "p: a line of the answer is longer than 8388608 bytes";
    check_failed(&answer_to(vec![Act::Send(sse(line))]).await, ErrorClass::Protocol, message);
}

#[tokio::test]
async fn an_answer_without_its_end_is_cut_off() {
    // The connection is closed: rightly, inside a chunked body, before the length that was announced.
    let length = format!("content-length: {}\r\n", 2 * beginning().len());
    for cut in [sse(beginning()), chunked(&beginning()), response("200 OK", &length, beginning())] {
        let answer = answer_to(vec![Act::Send(cut)]).await;
        assert_eq!(answer.outcome, Some(Outcome::Truncated));
        assert_eq!(answer.text(), "Grüße, Wörld 🚀.");
    }
}

#[tokio::test]
async fn an_error_in_the_stream_keeps_what_was_said() {
    let answer = answer_to(vec![Act::Send(sse(data("anthropic/error")))]).await;
    check_failed(&answer, ErrorClass::Overloaded, "p: the server broke off its answer: come back later");
    assert_eq!(answer.text(), "half an ans");
}

#[tokio::test]
async fn a_reset_is_told_from_an_end() {
    let mut server = serve(vec![vec![Act::Reset]]).await;
    let before = ask(endpoint(&server.url)).await;
    assert!(server.requests.recv().await.is_some());
    match &before.outcome {
        Some(Outcome::Failed(error)) => {
            assert_eq!(error.class, ErrorClass::Network);
            assert!(error.message.contains("did not answer"), "{}", error.message);
        }
        other => panic!("{other:?}"),
    }
    // The reset may overtake what was sent, so only the failure is certain.
    let server = serve(vec![vec![Act::Drip(chunked(&beginning())), Act::Reset]]).await;
    let after = ask(endpoint(&server.url)).await;
    assert!(
        matches!(&after.outcome, Some(Outcome::Failed(error)) if error.class == ErrorClass::Network),
        "{:?}",
        after.outcome
    );
}

#[tokio::test]
async fn a_reset_behind_the_end_changes_nothing() {
    let whole = String::from_utf8(text()).unwrap();
    check_good(&answer_to(vec![Act::Send(chunked(&whole)), Act::Stall]).await);
}

#[tokio::test]
async fn nobody_listening_is_said_with_the_address() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let answer = ask(endpoint(&url)).await;
    match &answer.outcome {
        Some(Outcome::Failed(error)) => {
            assert_eq!(error.class, ErrorClass::Network);
            assert!(error.message.starts_with(&format!("p: {url} cannot be reached (")), "{}", error.message);
            assert!(error.message.ends_with("; is the server running?"), "{}", error.message);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn refusals_have_their_classes() {
    for (status, headers, body, class, message) in [
        (
            "400 Bad Request",
            "",
            r#"{"error":{"message":"no such field"}}"#,
            ErrorClass::BadRequest,
            "the server answered 400: no such field",
        ),
        (
            "401 Unauthorized",
            "",
            r#"{"error":{"message":"bad key sk-secret"}}"#,
            ErrorClass::Auth,
            "the server answered 401: bad key [key]; the key came from P_KEY",
        ),
        (
            "413 Payload Too Large",
            "",
            "<html>413</html>",
            ErrorClass::ContextTooLong,
            "the server answered 413: <html>413</html>",
        ),
        (
            "429 Too Many Requests",
            "retry-after: 7\r\n",
            r#"{"error":{"message":"slow down"}}"#,
            ErrorClass::RateLimit,
            "the server answered 429: slow down",
        ),
        ("500 Internal Server Error", "", "oops", ErrorClass::Overloaded, "the server answered 500: oops"),
        (
            "529 Overloaded",
            "",
            r#"{"error":{"message":"Overloaded"}}"#,
            ErrorClass::Overloaded,
            "the server answered 529: Overloaded",
        ),
    ] {
        let answer = answer_to(vec![Act::Send(response(status, headers, body))]).await;
        check_failed(&answer, class, &format!("p: {message}"));
        if let Some(Outcome::Failed(error)) = answer.outcome {
            assert_eq!(error.retry_after, headers.contains('7').then_some(Duration::from_secs(7)));
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut other = serve(vec![vec![Act::Send(sse(text()))]]).await;
    let headers = format!("location: {}/messages\r\n", other.url);
    for status in ["302 Found", "307 Temporary Redirect"] {
        let answer = answer_to(vec![Act::Send(response(status, &headers, ""))]).await;
        let message = format!(
            "p: the server answered {status} and points to {}/messages; if that is right, set `base_url` to it",
            other.url
        );
        check_failed(&answer, ErrorClass::Protocol, &message);
    }
    assert!(other.requests.try_recv().is_err(), "the other server was asked");
}

#[tokio::test]
async fn silence_ends_at_its_limit() {
    let long = Duration::from_hours(1);
    let generous = Limits { headers: long, idle: long, silent: long, total: long };
    let begun = || Act::Send(sse(beginning()));
    let pings = || Act::Repeat(b": ping\n\n".to_vec());
    for (limits, acts, part) in [
        (Limits { headers: SHORT, ..generous }, vec![Act::Stall], "did not begin to answer in time"),
        (Limits { idle: SHORT, ..generous }, vec![begun(), Act::Stall], "fell silent"),
        (Limits { silent: SHORT, ..generous }, vec![begun(), pings()], "fell silent"),
        (Limits { total: SHORT, ..generous }, vec![begun(), pings()], "took longer than"),
    ] {
        let mut server = serve(vec![acts]).await;
        let mut endpoint = endpoint(&server.url);
        endpoint.limits = limits;
        let answer = ask(endpoint).await;
        match &answer.outcome {
            Some(Outcome::Failed(error)) => {
                assert_eq!(error.class, ErrorClass::Network);
                assert!(error.message.contains(part), "{part}: {}", error.message);
            }
            other => panic!("{part}: {other:?}"),
        }
        server.gone.recv().await.expect("the connection was closed");
    }
}

#[tokio::test]
async fn dropping_the_stream_closes_the_connection() {
    for acts in [vec![Act::Stall], vec![Act::Send(sse(beginning())), Act::Stall]] {
        let says_something = acts.len() > 1;
        let mut server = serve(vec![acts]).await;
        let mut stream = Remote::new(endpoint(&server.url), Http::default()).stream(request());
        if says_something {
            assert!(matches!(stream.next().await, Some(Ok(StreamEvent::Text(_)))));
        } else {
            tokio::select! {
                event = stream.next() => panic!("{event:?}"),
                request = server.requests.recv() => assert!(request.is_some()),
            }
        }
        drop(stream);
        server.gone.recv().await.expect("the connection was closed");
    }
}

fn patient(endpoint: Endpoint, http: &Http, retries: u32) -> Candidate {
    let policy = Policy { retries, base: Duration::from_millis(1), random: Arc::new(|| 0.5) };
    let provider = Arc::new(Remote::new(endpoint, http.clone()));
    Candidate { provider, model: "m".into(), sees: true, policy }
}

#[tokio::test]
async fn what_passes_is_asked_again() {
    let refusal = |status: &str| vec![Act::Send(response(status, "retry-after-ms: 1\r\n", ""))];
    for bad in [
        refusal("429 Too Many Requests"),
        refusal("408 Request Timeout"),
        refusal("500 Internal Server Error"),
        refusal("529 Overloaded"),
        vec![Act::Reset],
        vec![Act::Send(sse(""))],
        vec![Act::Send(sse(
            r#"data: {"type":"error","error":{"type":"overloaded_error","message":"later"}}"#,
        ))],
    ] {
        let server = serve(vec![bad.clone(), bad.clone(), vec![Act::Send(sse(text()))]]).await;
        let model = patient(endpoint(&server.url), &Http::default(), 2);
        let events: Events = Patient::new(vec![model]).stream(request()).collect().await;
        let retries = events.iter().filter(|event| matches!(event, Ok(StreamEvent::Retry(_)))).count();
        assert_eq!(retries, 2, "{bad:?}: {events:?}");
        check_good(&answer(&events));
    }
}

#[tokio::test]
async fn what_does_not_pass_is_asked_once() {
    for status in
        ["400 Bad Request", "401 Unauthorized", "404 Not Found", "413 Too Large", "422 Unprocessable"]
    {
        let mut server = serve(vec![vec![Act::Send(response(status, "", ""))]; 2]).await;
        let model = patient(endpoint(&server.url), &Http::default(), 5);
        let events: Events = Patient::new(vec![model]).stream(request()).collect().await;
        assert!(matches!(events.as_slice(), [Err(_)]), "{status}: {events:?}");
        assert!(server.requests.recv().await.is_some());
        assert!(server.requests.try_recv().is_err(), "{status} was asked again");
    }
}

#[tokio::test]
async fn the_next_model_answers_for_one_that_cannot() {
    let broken = serve(vec![vec![Act::Send(response("503 Service Unavailable", "", ""))]; 2]).await;
    let good = serve(vec![vec![Act::Send(sse(text()))]]).await;
    let http = Http::default();
    let models = vec![patient(endpoint(&broken.url), &http, 1), patient(endpoint(&good.url), &http, 1)];
    let events: Events = Patient::new(models).stream(request()).collect().await;
    check_good(&answer(&events));
}

#[tokio::test]
async fn thoughts_that_are_not_taken_back_are_left_out() {
    let refusal = r#"{"type":"error","error":{"type":"invalid_request_error","message":"messages.1.content.0: The block is bound to a different conversation"}}"#;
    let refused = vec![Act::Send(response("400 Bad Request", "", refusal))];
    let mut server = serve(vec![refused.clone(), vec![Act::Send(sse(text()))], refused]).await;
    let remote = Remote::new(endpoint(&server.url), Http::default());
    let seal = Seal { format: "anthropic".into(), data: serde_json::json!({"signature": "c2lnbmVk"}) };
    let thought = Content::Thinking { text: "hm".into(), seal: Some(seal) };
    let said = Content::Text { text: "said".into() };
    let mut asked = request();
    asked.messages.push(Message { role: Role::Assistant, content: vec![thought, said] });
    asked.messages.push(Message::user("go on"));

    check_good(&answer(&remote.stream(asked).collect().await));
    let bodies = [server.requests.recv().await.unwrap(), server.requests.recv().await.unwrap()];
    assert_eq!(bodies.clone().map(|body| body.contains("c2lnbmVk")), [true, false]);
    assert!(bodies.iter().all(|body| body.contains("said") && body.contains("go on")));

    // Without thoughts the same refusal is final.
    let answer = answer(&remote.stream(request()).collect().await);
    let message =
        "p: the server answered 400: messages.1.content.0: The block is bound to a different conversation";
    check_failed(&answer, ErrorClass::BadRequest, message);
}
