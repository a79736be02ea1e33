//! The end of the connection, by every road.

use std::future::{pending, ready};

use super::*;

/// What a thread of the connection does in a test.
enum Part<T> {
    Ends(T),
    Panics,
    Goes,
}

impl<T: Send + 'static> Part<T> {
    fn start(self) -> oneshot::Receiver<T> {
        thread("part", move || match self {
            Self::Ends(result) => result,
            Self::Panics => panic!("a part of the connection panics"),
            // Until the process ends, as a read of stdin does.
            Self::Goes => loop {
                std::thread::park();
            },
        })
    }
}

/// Checks with which code the connection ends.
async fn check(reader: Part<Ending>, writer: Part<io::Result<()>>, expected: u8) {
    let (client, _writer) = Client::new();
    let (_process, process) = watch::channel(None);
    assert_eq!(supervise(reader.start(), writer.start(), client, process, ready(())).await, expected);
}

#[tokio::test]
async fn the_code_says_whether_the_end_was_asked_for() {
    for (ending, code) in [
        (Ending::Exit { after_shutdown: true }, 0),
        (Ending::Exit { after_shutdown: false }, 1),
        (Ending::InputClosed { after_shutdown: true }, 0),
        (Ending::InputClosed { after_shutdown: false }, 1),
        (Ending::Unreadable("junk".to_owned()), 1),
    ] {
        check(Part::Ends(ending), Part::Goes, code).await;
    }
    check(Part::Goes, Part::Ends(Err(io::ErrorKind::BrokenPipe.into())), 1).await;
}

#[tokio::test]
async fn a_panic_of_a_part_ends_the_whole() {
    check(Part::Panics, Part::Goes, 101).await;
    check(Part::Goes, Part::Panics, 101).await;
}

#[tokio::test]
async fn a_stop_that_hangs_does_not_keep_the_process() {
    let (client, writer) = Client::new();
    let (_process, process) = watch::channel(None);
    let reader = Part::Ends(Ending::Exit { after_shutdown: true }).start();
    let writer = thread("writer", move || writer.run(io::sink()));
    assert_eq!(supervise(reader, writer, client, process, pending()).await, 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_process_that_has_ended_is_gone_at_once() {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let id = child.id();
    child.wait().unwrap();
    let (_process, process) = watch::channel(Some(id));
    assert_eq!(client_gone(process).await, id);
}

#[tokio::test]
async fn what_is_said_while_the_server_stops_is_still_written() {
    let (client, writer) = Client::new();
    let (_process, process) = watch::channel(None);
    let reader = Part::Ends(Ending::Exit { after_shutdown: true }).start();
    let (sender, output) = std::sync::mpsc::channel();
    let writer = thread("writer", move || writer.run(Sending(sender)));
    let last = client.clone();
    supervise(reader, writer, client, process, async move { last.notify("last", ()) }).await;
    let written: Vec<u8> = output.try_iter().flatten().collect();
    assert!(String::from_utf8(written).unwrap().ends_with(r#"{"jsonrpc":"2.0","method":"last"}"#));
}

/// A pipe whose other end is a channel.
struct Sending(std::sync::mpsc::Sender<Vec<u8>>);

impl io::Write for Sending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
