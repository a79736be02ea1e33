//! How much an answer costs on its way: bytes per second, time per event, memory of a long stream, many streams at once.
//!
//! `cargo bench -p kkcode-provider`. Columns of `alloc`: how much a run allocates, and at most holds at once.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot run says so by a panic"
)]

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use futures::StreamExt as _;
use kkcode_provider::endpoint::Endpoint;
use kkcode_provider::http::Http;
use kkcode_provider::lines::LineTooLong;
use kkcode_provider::reader::Reader;
use kkcode_provider::remote::Remote;
use kkcode_provider::request::{Message, Request};
use kkcode_provider::sse::Sse;
use kkcode_provider::stream::Provider as _;
use kkcode_provider::wire::Format;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// How much comes from a socket at a time.
const PIECE: usize = 16 * 1024;

/// A format, a frame of it that carries text, and the frame that ends it.
const FORMATS: [(Format, &str, &str); 4] = [
    (
        Format::Anthropic,
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" some words\"}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    ),
    (
        Format::OpenaiResponses,
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"delta\":\" some words\",\"sequence_number\":7}\n\n",
        "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"object\":\"response\",\"status\":\"completed\"}}\n\n",
    ),
    (
        Format::OpenaiChat,
        "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" some words\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    ),
    (
        Format::Ollama,
        "{\"model\":\"m\",\"created_at\":\"2026-01-01T00:00:00Z\",\"message\":{\"role\":\"assistant\",\"content\":\" some words\"},\"done\":false}\n",
        "{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\"}\n",
    ),
];

const NAMES: [usize; 4] = [0, 1, 2, 3];

fn main() {
    divan::main();
}

fn request() -> Request {
    Request {
        model: "m".into(),
        system: String::new(),
        messages: vec![Message::user("go")],
        tools: Vec::new(),
    }
}

/// Returns a body of about so many bytes, and how many frames with text it has.
fn body(format: usize, length: usize) -> (Vec<u8>, usize) {
    let (_, frame, end) = FORMATS[format];
    let count = length / frame.len();
    ([frame.repeat(count), end.to_owned()].concat().into_bytes(), count)
}

/// Reads a body as it would come, and drops what it says.
fn read(format: usize, body: &[u8]) -> usize {
    let mut reader = Reader::new(FORMATS[format].0, &request());
    let events: usize = body.chunks(PIECE).map(|piece| reader.push(piece).len()).sum();
    events + reader.finish().len()
}

/// Server-sent events alone, without what is in them.
#[divan::bench]
fn bytes_of_sse(bencher: Bencher<'_, '_>) {
    let (body, _) = body(0, 8_000_000);
    bencher.counter(BytesCount::of_slice(&body)).bench(|| {
        let mut sse = Sse::default();
        let mut length = 0;
        for piece in body.chunks(PIECE) {
            let count = |data: &[u8]| {
                length += data.len();
                Ok::<(), LineTooLong>(())
            };
            sse.push(piece, count).expect("no long line");
        }
        length
    });
}

/// Whole answers, as events per second: Anthropic, Responses, Chat Completions, Ollama.
#[divan::bench(args = NAMES)]
fn events_of_answers(bencher: Bencher<'_, '_>, format: usize) {
    let (body, count) = body(format, 4_000_000);
    bencher.counter(ItemsCount::new(count)).bench(|| read(format, black_box(&body)));
}

/// One event that comes alone: what is added to its delay. The slowest of ten thousand is mostly the machine's scheduler.
#[divan::bench(args = NAMES, sample_count = 10_000, sample_size = 1)]
fn delay_of_one_event(bencher: Bencher<'_, '_>, format: usize) {
    let frame = FORMATS[format].1.as_bytes();
    let mut reader = Reader::new(FORMATS[format].0, &request());
    reader.push(frame);
    let mut left = 100_000;
    bencher.bench_local(|| {
        left -= 1;
        if left == 0 {
            reader = Reader::new(FORMATS[format].0, &request());
            left = 100_000;
        }
        reader.push(black_box(frame)).len()
    });
}

/// A stream of 50 MB; `max alloc` is what it holds at once.
#[divan::bench(sample_count = 5)]
fn memory_of_fifty_megabytes(bencher: Bencher<'_, '_>) {
    let (body, _) = body(0, 50_000_000);
    bencher.counter(BytesCount::of_slice(&body)).bench(|| read(0, &body));
}

/// Over loopback, with all of HTTP: events per second of one stream, and of 32 at once.
#[divan::bench(args = [1, 32], sample_count = 10)]
fn events_over_loopback(bencher: Bencher<'_, '_>, streams: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (body, count) = body(0, 1_000_000);
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let answer: &'static [u8] = [&head[..], &body].concat().leak();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    runtime.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                if stream.read(&mut request).await.is_ok() {
                    stream.write_all(answer).await.ok();
                }
            });
        }
    });
    let remote = Remote::new(Endpoint::new("p", Format::Anthropic, &url).expect("loopback"), Http::default());
    bencher.counter(ItemsCount::new(count * streams)).bench(|| {
        let all = (0..streams).map(|_| tokio::spawn(remote.stream(request()).count()));
        runtime.block_on(async { futures::future::join_all(all).await.len() })
    });
}

/// The first client of a process, which brings the roots of TLS: the reason why none is made before the first request.
#[divan::bench(sample_count = 10)]
fn making_the_client(bencher: Bencher<'_, '_>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    bencher.bench(|| {
        // Nobody can be reached there; the client is made before that is found out.
        let endpoint = Endpoint::new("p", Format::Anthropic, "https://127.0.0.1:1").expect("an address");
        let remote = Remote::new(endpoint, Http::default());
        runtime.block_on(remote.stream(request()).count())
    });
}
