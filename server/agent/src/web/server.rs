//! A web server on loopback for tests, which answers what it is told.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A server that is there until the test ends.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// The requests as they came.
    pub(crate) requests: UnboundedReceiver<String>,
}

impl Server {
    /// Starts a server that gives each connection the next answer and closes it; behind the last it says nothing more.
    pub(crate) async fn start(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (told, requests) = unbounded_channel();
        tokio::spawn(async move {
            let mut silent = Vec::new();
            let mut answers = answers.into_iter();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !is_whole(&request) {
                    let mut piece = [0; 4096];
                    match stream.read(&mut piece).await {
                        Ok(count) if count > 0 => request.extend_from_slice(&piece[..count]),
                        _ => break,
                    }
                }
                told.send(String::from_utf8_lossy(&request).into_owned()).ok();
                match answers.next() {
                    Some(answer) => stream.write_all(&answer).await.unwrap_or_default(),
                    None => silent.push(stream),
                }
            }
        });
        Self { address, requests }
    }

    /// Returns the address of something at the server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// Returns an answer of HTTP.
pub(crate) fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head =
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .to_ascii_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}
