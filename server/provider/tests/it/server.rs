//! A server on loopback that misbehaves as it is told.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What the server does on a connection, one after the other; behind the last it closes.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Send(Vec<u8>),
    /// Sends byte by byte, each in a packet of its own.
    Drip(Vec<u8>),
    /// Does nothing until the client has gone, and says so.
    Stall,
    /// Sends the same for ever.
    Repeat(Vec<u8>),
    /// Ends the connection with a reset.
    Reset,
}

pub(crate) struct Server {
    pub(crate) url: String,
    /// The requests as they came, head and body.
    pub(crate) requests: UnboundedReceiver<String>,
    /// One for each client that went while the server still had something to do.
    pub(crate) gone: UnboundedReceiver<()>,
}

/// Starts a server that plays one script for each connection.
pub(crate) async fn serve(scripts: Vec<Vec<Act>>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let (told, requests) = unbounded_channel();
    let (leave, gone) = unbounded_channel();
    tokio::spawn(async move {
        for script in scripts {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(play(stream, script, told.clone(), leave.clone()));
        }
    });
    Server { url, requests, gone }
}

async fn play(
    mut stream: TcpStream,
    script: Vec<Act>,
    told: UnboundedSender<String>,
    gone: UnboundedSender<()>,
) {
    stream.set_nodelay(true).unwrap();
    told.send(request(&mut stream).await).ok();
    for act in script {
        let result = match act {
            Act::Send(bytes) => stream.write_all(&bytes).await,
            Act::Drip(bytes) => drip(&mut stream, &bytes).await,
            Act::Repeat(bytes) => loop {
                if let Err(error) = stream.write_all(&bytes).await {
                    break Err(error);
                }
                tokio::task::yield_now().await;
            },
            Act::Stall => {
                let end = stream.read(&mut [0; 16]).await;
                assert!(matches!(end, Ok(0) | Err(_)), "the client sends nothing more");
                Err(std::io::ErrorKind::ConnectionReset.into())
            }
            Act::Reset => stream.set_zero_linger(),
        };
        if result.is_err() {
            gone.send(()).ok();
            return;
        }
    }
    stream.flush().await.ok();
}

async fn drip(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap_or(0), 0, "a whole request");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.lines().next().unwrap_or_default().parse::<usize>().ok());
        if body.len() >= length.unwrap_or_default() {
            return text;
        }
    }
}

/// Returns an answer with these headers, whose body ends with the connection.
pub(crate) fn response(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\n\r\n");
    [head.as_bytes(), body.as_ref()].concat()
}

/// Returns a stream of server-sent events.
pub(crate) fn sse(body: impl AsRef<[u8]>) -> Vec<u8> {
    response("200 OK", "content-type: text/event-stream\r\n", body)
}

/// Returns the beginning of a chunked stream, as most servers send it.
pub(crate) fn chunked(body: &str) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    format!("{head}{:x}\r\n{body}\r\n", body.len()).into_bytes()
}
