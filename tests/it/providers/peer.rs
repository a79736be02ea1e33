//! Starts aimock, which `tests/install/aimock` put among the tools, and reads what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A mock server that runs until this is dropped.
pub(crate) struct Peer {
    child: Child,
    pub(crate) url: String,
    _fixtures: tempfile::NamedTempFile,
}

impl Peer {
    /// Starts the peer; none, and a visible skip of this test, if it is not there.
    pub(crate) fn start(test: &str, fixtures: &str) -> Option<Self> {
        let program = tools().join("aimock/node_modules/.bin/llmock");
        if !program.exists() {
            skip(test, "aimock is not installed, see tests/install/aimock");
            return None;
        }
        let mut file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
        file.write_all(fixtures.as_bytes()).unwrap();
        let mut child = Command::new(&program)
            .args(["-p", "0", "-h", "127.0.0.1", "-c", "7", "--strict", "-f"])
            .arg(file.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listening =
            lines.find_map(|line| Some(line.ok()?.split_once("listening on ")?.1.trim().to_owned()));
        let url = listening.expect("aimock says where it listens");
        // Whoever stops reading stops the writer sooner or later.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { child, url, _fixtures: file })
    }

    /// Returns the bodies of all requests for this path so far, oldest first.
    pub(crate) fn requests(&self, path: &str) -> Vec<Value> {
        let address = self.url.strip_prefix("http://").expect("an address");
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET /__aimock/journal HTTP/1.0\r\nhost: {address}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let journal: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
        let entries = journal.as_array().or(journal["entries"].as_array()).expect("entries");
        entries.iter().filter(|entry| entry["path"] == path).map(|entry| entry["body"].clone()).collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Returns the folder of the programs that tests use.
pub(super) fn tools() -> PathBuf {
    let target = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
    std::env::var_os("KKCODE_TEST_TOOLS").map_or_else(target, PathBuf::from)
}

/// Says where it is seen that a test could not run.
pub(super) fn skip(test: &str, reason: &str) {
    let line = format!("SKIPPED: {test}: {reason}\n");
    match std::env::var_os("KKCODE_TEST_SKIPS") {
        Some(file) => {
            let file = std::fs::OpenOptions::new().append(true).create(true).open(file);
            file.unwrap().write_all(line.as_bytes()).unwrap();
        }
        None => eprint!("{line}"),
    }
}
