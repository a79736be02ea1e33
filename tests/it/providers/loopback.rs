//! A model server on loopback that answers what a test wrote down, and keeps what it was asked.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// How long a test waits for a request.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that gives each request the next answer.
pub(super) struct Loopback {
    address: SocketAddr,
    /// The heads and the bodies.
    requests: Receiver<(String, Value)>,
}

impl Loopback {
    /// Starts one that closes each connection behind its answer.
    pub(super) fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (told, requests) = channel();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let (head, body) = read(&mut stream);
                told.send((head, serde_json::from_slice(&body).unwrap_or(Value::Null))).ok();
                stream.write_all(answer.as_bytes()).ok();
            }
        });
        Self { address, requests }
    }

    /// Returns the address that stands before the format's own path.
    pub(super) fn base(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Returns the address without a path.
    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits for the body of the next request.
    pub(super) fn request(&self) -> Value {
        self.request_with_head().1
    }

    /// Waits for the next request, and returns its head too.
    pub(super) fn request_with_head(&self) -> (String, Value) {
        self.requests.recv_timeout(PATIENCE).expect("a request")
    }

    /// Returns whether it was asked once more.
    pub(super) fn is_asked_more(&self) -> bool {
        self.requests.try_recv().is_ok()
    }
}

/// An answer of Chat Completions that says this.
pub(super) fn says(text: &str) -> String {
    let delta = json!({"choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}]});
    let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    sse(&[delta, end])
}

/// An answer of Chat Completions that calls a tool.
pub(super) fn calls(tool: &str, input: &Value) -> String {
    let function = json!({"name": tool, "arguments": input.to_string()});
    let call = json!({"index": 0, "id": "call_1", "type": "function", "function": function});
    let delta = json!({"choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": [call]}}]});
    let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]});
    sse(&[delta, end])
}

/// An answer with another status than 200.
pub(super) fn refuses(status: &str, headers: &str) -> String {
    let body = json!({"error": {"message": "slow down"}}).to_string();
    answer(status, &format!("content-type: application/json\r\n{headers}"), &body)
}

/// An answer of HTTP behind which the connection is closed.
pub(super) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

fn sse(events: &[Value]) -> String {
    let frames: Vec<String> = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    let body = frames.concat();
    answer("200 OK", "content-type: text/event-stream\r\n", &format!("{body}data: [DONE]\n\n"))
}

fn read(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let head = request.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if request.len() >= head + 4 + length.unwrap_or(0) {
                let body = request.split_off(head + 4);
                return (String::from_utf8_lossy(&request).into_owned(), body);
            }
        }
        match stream.read(&mut piece) {
            Ok(count) if count > 0 => request.extend_from_slice(&piece[..count]),
            _ => return (String::new(), Vec::new()),
        }
    }
}
