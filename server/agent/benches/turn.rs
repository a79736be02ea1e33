//! What a turn costs beside its model: its beginning and end, a call of a tool, an event of the stream, memory. Figures,
//! not tests.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a program that prints figures and may stop where it is wrong"
)]

mod world;

use std::fmt::Write as _;
use std::time::Duration;

use kkcode_core::id::SessionId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use world::World;

/// How often each thing is done, after once that is not counted.
const RUNS: usize = 40;

/// How many calls one answer of the model makes.
const CALLS: usize = 100;

/// How many events of text one answer has.
const EVENTS: usize = 20_000;

/// How many turns the long session has, and how many calls each.
const LONG: (usize, usize) = (200, 5);

/// Makes the input of the call of this number.
type Call = fn(usize) -> String;

#[tokio::main]
async fn main() {
    if !world::is_wanted() {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let lines: String =
        (0..1_000).fold(String::new(), |text, line| text + &format!("line {line} of a file\n"));
    std::fs::write(work.path().join("x.txt"), &lines).unwrap();
    world::say_where();
    println!("| what | p50 µs | p99 µs |\n|---|---|---|");
    turns(&work).await;
    calls(&work).await;
    events(&work).await;
    println!();
    memory(&work).await;
}

/// A turn in which the model says one word.
async fn turns(work: &tempfile::TempDir) {
    let mut world = World::start(work.path(), world::SCRIPTED);
    world.script("turns: [{stream: [{text: Done.}]}]\n");
    let mut times = Vec::new();
    for _ in 0..=RUNS * 5 {
        times.push(world.turn(None).await.whole);
    }
    row("a turn that calls nothing, in a new session", &times[1..], 1);
    world.stop().await;
}

/// Calls of tools, from the first to the last result, one by one or as many at once as the turn does.
async fn calls(work: &tempfile::TempDir) {
    let tools: [(&str, Call); 3] = [
        ("read, 20 lines of 1,000", |n| {
            format!("{{name: read, input: {{path: x.txt, offset: {}, limit: 20}}}}", n + 1)
        }),
        ("edit, with the hunk stored", |n| {
            let line = format!("line {} of a file", n * 10);
            format!("{{name: edit, input: {{path: x.txt, before: \"{line}\\n\", after: \"{line}!\\n\"}}}}")
        }),
        ("todowrite", |n| {
            format!("{{name: todowrite, input: {{todos: [{{content: step {n}, status: pending}}]}}}}")
        }),
    ];
    for (name, call) in tools {
        let mut world = World::start(work.path(), world::SCRIPTED);
        let steps: String =
            (0..CALLS).fold(String::new(), |steps, n| steps + &format!("      - tool: {}\n", call(n)));
        world.script(&format!("turns:\n  - stream:\n{steps}  - stream: [{{text: Done.}}]\n"));
        let mut times = Vec::new();
        for _ in 0..=RUNS {
            let heard = world.turn(None).await;
            assert_eq!(heard.failed, 0, "{name}: {:?}", heard.results.last());
            times.push(heard.calls);
        }
        row(&format!("a call of {name}, of {CALLS} in one answer"), &times[1..], CALLS);
        world.stop().await;
    }
}

/// An answer from a socket: HTTP, the events, the wire format, what is gathered, told and stored.
async fn events(work: &tempfile::TempDir) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(serve(listener));
    let config = format!(
        "provider: {{default: here, here: {{type: anthropic, base_url: \"http://{address}\", api_key: none, \
         models: [m]}}}}\nmodels: {{main: here/m}}\n"
    );
    let mut world = World::start(work.path(), &config);
    let mut times = Vec::new();
    for _ in 0..=RUNS / 2 {
        times.push(world.turn(None).await.whole);
    }
    row(&format!("an event of {EVENTS} in one answer, from the socket on"), &times[1..], EVENTS);
    world.stop().await;
    served.abort();
}

async fn serve(listener: TcpListener) {
    let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":1}}}\n\n";
    let text = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\
                \"text_delta\",\"text\":\" some words\"}}\n\n";
    let stop = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n\
                event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    let body = format!("{start}{}{stop}", text.repeat(EVENTS));
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    loop {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !is_whole(&request) {
            assert!(socket.read_buf(&mut request).await.unwrap() > 0);
        }
        socket.write_all(answer.as_bytes()).await.unwrap();
        socket.shutdown().await.unwrap();
    }
}

/// Tells whether all of a request is there, by its `content-length`.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.unwrap().trim().parse::<usize>().unwrap()
}

/// What the process holds while one session grows.
async fn memory(work: &tempfile::TempDir) {
    let (turns, calls) = LONG;
    let mut world = World::start(work.path(), world::SCRIPTED);
    let mut script = "turns:\n".to_owned();
    for turn in 0..turns {
        script.push_str("  - stream:\n");
        for call in 0..calls {
            let offset = (turn + call * 100) % 500 + 1;
            writeln!(
                script,
                "      - tool: {{name: read, input: {{path: x.txt, offset: {offset}, limit: 400}}}}"
            )
            .unwrap();
        }
        script.push_str("  - stream: [{text: Seen.}]\n");
    }
    world.script(&script);
    let mut session: Option<SessionId> = None;
    let mut rows = vec![(0, resident_mb(), Duration::ZERO)];
    for turn in 1..=turns {
        let heard = world.turn(session.take()).await;
        session = Some(heard.session);
        if [1, turns / 4, turns / 2, turns].contains(&turn) {
            rows.push((turn, resident_mb(), heard.whole));
        }
    }
    println!(
        "One session, {calls} calls of 400 lines a turn:\n\n| turns | memory MB | the last turn ms |\n|---|---|---|"
    );
    for (turns, memory, time) in rows {
        println!("| {turns} | {memory:.1} | {:.1} |", time.as_secs_f64() * 1e3);
    }
    world.stop().await;
}

/// Returns the memory that this process holds now, in MB of 10^6 bytes, as Linux counts it.
fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    f64::from(line.trim().trim_end_matches(" kB").parse::<u32>().unwrap()) * 1.024e-3
}

/// Prints how long one of so many things took that were measured together.
fn row(name: &str, times: &[Duration], things: usize) {
    let things = f64::from(u32::try_from(things).unwrap());
    let figure = |share| world::percentile(times, share) * 1e3 / things;
    println!("| {name} | {:.1} | {:.1} |", figure(50), figure(99));
}
