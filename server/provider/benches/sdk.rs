//! The same stream over loopback, read by us and by Anthropic's own library for Node.js; the time that one event takes; how soon
//! a dropped stream is a closed connection.
//!
//! `tests/install/sdks`, then `cargo bench -p kkcode-provider --bench sdk`. Without Node.js or the library our own figures are
//! printed alone.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and says that it cannot run by a panic"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use kkcode_provider::endpoint::Endpoint;
use kkcode_provider::http::Http;
use kkcode_provider::reader::Reader;
use kkcode_provider::remote::Remote;
use kkcode_provider::request::{Message, Request};
use kkcode_provider::stream::Provider as _;
use kkcode_provider::wire::Format;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How many events with text a stream has.
const EVENTS: usize = 50_000;

/// How often each is measured.
const RUNS: usize = 7;

/// How much of a body is read at once, in bytes.
const PIECE: usize = 16 * 1024;

/// How often a stream is dropped.
const DROPS: usize = 200;

const BEGIN: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";

const EVENT: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" some words\"}}\n\n";

/// What events say, one after the other: as long as what models say at once, one of eight with an escape.
const WORDS: [&str; 8] = [" some", " words", " of", " an", " answer,", "\\n\\n", " déjà", " vu"];

const END: &str = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":9}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let body: &'static str = [HEAD, BEGIN, &events(), END].concat().leak();
    let url = runtime.block_on(serve(body));
    let remote = Remote::new(
        Endpoint::new("p", Format::Anthropic, &format!("{url}/v1")).expect("loopback"),
        Http::default(),
    );

    let (mut ours, mut alone) = (Vec::new(), Vec::new());
    let (mut theirs, mut theirs_alone) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let started = Instant::now();
        // In a task, as a turn reads it.
        let count = runtime.block_on(runtime.spawn(remote.stream(request()).count())).expect("a count");
        assert!(count > EVENTS, "all events came");
        ours.push(rate(started.elapsed()));
        alone.push(parsed());
        if let Some((online, offline)) = node(&url) {
            theirs.push(online);
            theirs_alone.push(offline);
        }
    }
    if theirs.is_empty() {
        println!("(Node.js or @anthropic-ai/sdk is not there: see tests/install/sdks)");
    }
    for (what, ours, theirs) in
        [("over loopback", &mut ours, &mut theirs), ("from memory", &mut alone, &mut theirs_alone)]
    {
        println!("| {EVENTS} events {what} | events per second, median | best |\n|---|---|---|");
        println!("| kkcode-lsp | {:.0} | {:.0} |", median(ours), best(ours));
        if !theirs.is_empty() {
            let (median_ratio, best_ratio) = (median(ours) / median(theirs), best(ours) / best(theirs));
            println!("| @anthropic-ai/sdk | {:.0} | {:.0} |", median(theirs), best(theirs));
            println!("| ratio | {median_ratio:.1} | {best_ratio:.1} |\n");
        }
    }
    println!("| what | p50 | p99 | longest |\n|---|---|---|---|");
    row("one event, from its bytes to what it says, µs", one_by_one(), 1e6);
    row("from dropping a stream to the closed connection, ms", runtime.block_on(drops()), 1e3);
}

fn events() -> String {
    WORDS.iter().cycle().take(EVENTS).map(|words| EVENT.replace(" some words", words)).collect()
}

fn request() -> Request {
    Request {
        model: "m".into(),
        system: String::new(),
        messages: vec![Message::user("go")],
        tools: Vec::new(),
    }
}

/// Starts a server that answers each request with the same bytes.
async fn serve(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 16 * 1024];
                if stream.read(&mut request).await.is_ok() {
                    stream.write_all(answer.as_bytes()).await.ok();
                }
            });
        }
    });
    url
}

/// Has Node.js read the stream, over a connection and from memory; none if it cannot.
fn node(url: &str) -> Option<(f64, f64)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tools =
        std::env::var_os("KKCODE_TEST_TOOLS").map_or_else(|| here.join("../../target/tools"), PathBuf::from);
    let program = Command::new("node")
        .arg(here.join("benches/sdk.mjs"))
        .arg(tools.join("sdks"))
        .arg(url)
        .output()
        .ok()?;
    let printed = String::from_utf8(program.stdout).ok()?;
    let (online, offline) = printed.trim().split_once(' ')?;
    let rate = |seconds: &str| Some(rate(Duration::from_secs_f64(seconds.parse().ok()?)));
    Some((rate(online)?, rate(offline)?))
}

/// Reads the bytes of the stream in pieces as a connection gives them, without one.
fn parsed() -> f64 {
    let body = [BEGIN, &events(), END].concat();
    let mut reader = Reader::new(Format::Anthropic, &request());
    let started = Instant::now();
    let count: usize = body.as_bytes().chunks(PIECE).map(|piece| reader.push(piece).len()).sum();
    let took = started.elapsed();
    assert!(count > EVENTS && reader.has_ended(), "all events came");
    rate(took)
}

/// Measures each event by itself, with all that is done with its bytes.
fn one_by_one() -> Vec<Duration> {
    let mut reader = Reader::new(Format::Anthropic, &request());
    reader.push(BEGIN.as_bytes());
    let one = |_| {
        let started = Instant::now();
        let events = reader.push(EVENT.as_bytes());
        let took = started.elapsed();
        assert_eq!(events.len(), 1);
        took
    };
    (0..EVENTS).map(one).collect()
}

/// Drops streams in the middle and measures until the server sees it.
async fn drops() -> Vec<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    let (gone, mut noticed) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 16 * 1024];
            assert!(stream.read(&mut request).await.is_ok_and(|count| count > 0), "a request came");
            stream.write_all([HEAD, BEGIN, EVENT].concat().as_bytes()).await.ok();
            // Ends, or fails, when the client has gone.
            while stream.read(&mut request).await.is_ok_and(|count| count > 0) {}
            gone.send(Instant::now()).ok();
        }
    });
    let remote = Remote::new(Endpoint::new("p", Format::Anthropic, &url).expect("loopback"), Http::default());
    let mut took = Vec::new();
    for _ in 0..DROPS {
        let mut stream = remote.stream(request());
        stream.next().await.expect("an event").expect("text");
        let dropped = Instant::now();
        drop(stream);
        took.push(noticed.recv().await.expect("the server").duration_since(dropped));
    }
    took
}

#[expect(clippy::cast_precision_loss, reason = "a small number")]
fn rate(took: Duration) -> f64 {
    EVENTS as f64 / took.as_secs_f64()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn best(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

fn row(what: &str, mut took: Vec<Duration>, unit: f64) {
    took.sort();
    let at = |percent: usize| {
        took.get((took.len() * percent / 100).min(took.len() - 1)).map_or(0.0, |at| at.as_secs_f64() * unit)
    };
    println!("| {what} | {:.2} | {:.2} | {:.2} |", at(50), at(99), at(100));
}
