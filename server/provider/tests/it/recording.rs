//! Exchanges are written down without secrets, and played again.

use futures::StreamExt as _;
use kkcode_provider::endpoint::{Endpoint, Key};
use kkcode_provider::http::Http;
use kkcode_provider::record::{Exchange, exchanges};
use kkcode_provider::remote::Remote;
use kkcode_provider::request::{Content, Role};
use kkcode_provider::scripted::Scripted;
use kkcode_provider::stream::{ErrorClass, Provider};

use super::server::{Act, response, serve, sse};
use super::*;

/// Asks once for each script, recording into a folder.
async fn record(folder: &std::path::Path, scripts: Vec<Vec<Act>>) -> Vec<Events> {
    let count = scripts.len();
    let server = serve(scripts).await;
    let endpoint = Endpoint::new("p", Format::Anthropic, &server.url).unwrap();
    let endpoint =
        endpoint.with_key(Key::new("sk-secret"), "P_KEY").with_header("x-mine", "token-2").unwrap();
    let remote = Remote::new(endpoint, Http::default()).recording_into(folder.to_owned());
    let mut all = Vec::new();
    for _ in 0..count {
        let mut request = request();
        request.messages.push(Message::user("the key is sk-secret"));
        all.push(remote.stream(request).collect().await);
    }
    all
}

#[tokio::test]
async fn what_was_recorded_is_played_again() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = response("500 Internal Server Error", "", "bad key sk-secret");
    let heard = record(
        folder.path(),
        vec![
            vec![Act::Drip(sse(data("anthropic/tool")))],
            vec![Act::Send(refusal)],
            vec![Act::Send(sse(data("anthropic/text")))],
        ],
    )
    .await;
    let written: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert_eq!(written.len(), 3);
    for text in &written {
        assert!(text.contains("the key is [key]"), "{text}");
        assert!(!text.contains("sk-secret") && !text.contains("token-2"), "{text}");
    }
    let answers = exchanges(folder.path()).unwrap();
    let bodies: Vec<String> = answers.iter().map(|exchange| exchange.body.concat()).collect();
    assert_eq!(
        bodies,
        ["anthropic/tool", "anthropic/text"].map(|name| String::from_utf8(data(name)).unwrap())
    );
    let Exchange { format, status, headers, end, .. } = answers.into_iter().next().unwrap();
    assert_eq!((format, status, end.as_str()), (Format::Anthropic, Some(200), "closed"));
    assert_eq!(headers, [("content-type".to_owned(), "text/event-stream".to_owned())]);

    let scripted = Scripted::new(folder.path().to_owned());
    let mut request = request();
    let played = |request: &Request| scripted.stream(request.clone()).collect::<Events>();
    assert_eq!(played(&request).await, heard[0]);
    let said = Message { role: Role::Assistant, content: vec![Content::Text { text: "x".into() }] };
    request.messages.push(said.clone());
    assert_eq!(played(&request).await, heard[2]);
    request.messages.push(said);
    let over = played(&request).await;
    assert!(
        matches!(over.as_slice(), [Err(error)] if error.class == ErrorClass::Script && error.message.contains("one more")),
        "{over:?}"
    );
}

#[tokio::test]
async fn an_answer_that_nobody_waited_for_is_recorded_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(vec![vec![Act::Send(sse(data("anthropic/truncated"))), Act::Stall]]).await;
    let endpoint = Endpoint::new("p", Format::Anthropic, &server.url).unwrap();
    let remote = Remote::new(endpoint, Http::default()).recording_into(folder.path().to_owned());
    let mut stream = remote.stream(request());
    let mut server = server;
    tokio::select! {
        event = stream.next() => panic!("{event:?}"),
        request = server.requests.recv() => assert!(request.is_some()),
    }
    drop(stream);
    let entry = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap();
    let text = std::fs::read_to_string(entry.path()).unwrap();
    assert!(text.contains(r#""end": "cancelled""#), "{text}");
    assert_eq!(exchanges(folder.path()), Ok(vec![]));
}
