//! What the benchmarks share: a language server as a process, spoken to over blocking pipes, and figures of many runs.

use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

/// The name of this project's server.
pub(crate) const OURS: &str = "kkcode-lsp";

/// A method that no server knows; the answer says so.
pub(crate) const UNKNOWN: &str = "bench/unknown";

/// A program that can be started as a language server.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// How the results call it.
    pub(crate) name: &'static str,
    program: PathBuf,
    arguments: &'static [&'static str],
}

impl Candidate {
    /// Builds this project's server as it is shipped.
    pub(crate) fn ours() -> Result<Self> {
        let root = root()?;
        let mut cargo = Command::new(env!("CARGO"));
        // What cargo tells this program about its package would make it compile `ring` again.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(&*name);
            }
        }
        let status = cargo
            .args(["build", "--quiet", "--release", "--locked", "--package", "kkcode-lsp"])
            .current_dir(root)
            .status()
            .context("starting cargo")?;
        ensure!(status.success(), "the server cannot be built");
        // This program is target/release/deps/NAME-HASH.
        let here = std::env::current_exe()?;
        let release = here.ancestors().nth(2).context("the folder of the release build")?;
        Ok(Self { name: OURS, program: release.join(OURS), arguments: &[] })
    }

    /// Returns `ruff server`, the yardstick, if `tests/install/ruff` has put it there.
    pub(crate) fn ruff() -> Result<Option<Self>> {
        let tools = match std::env::var_os("KKCODE_TEST_TOOLS") {
            Some(tools) => PathBuf::from(tools),
            None => root()?.join("target/tools"),
        };
        let program = tools.join("ruff/bin/ruff");
        Ok(program.is_file().then_some(Self { name: "ruff server", program, arguments: &["server"] }))
    }
}

fn root() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the root of the repository")
}

/// Returns this project's server and, if it is there, the yardstick; says so if it is not.
pub(crate) fn candidates() -> Result<Vec<Candidate>> {
    let mut candidates = vec![Candidate::ours()?];
    match Candidate::ruff()? {
        Some(ruff) => candidates.push(ruff),
        None => say("SKIPPED: ruff server: not installed (tests/install/ruff), so there is no ratio"),
    }
    Ok(candidates)
}

/// Tells whether `cargo bench` runs this program; `cargo test --all-targets` starts it too, and then it does nothing.
pub(crate) fn is_wanted() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// A running language server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    next_id: i64,
}

impl Server {
    /// Starts `candidate` with `folder` as its home and workspace; nothing is sent yet.
    pub(crate) fn start(candidate: &Candidate, folder: &Path) -> Result<Self> {
        let mut child = Command::new(&candidate.program)
            .args(candidate.arguments)
            .current_dir(folder)
            .env("HOME", folder)
            .env("KKCODE_HOME", folder.join("home"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {}", candidate.program.display()))?;
        let stdin = child.stdin.take().context("the server's stdin")?;
        let stdout = BufReader::new(child.stdout.take().context("the server's stdout")?);
        Ok(Self { child, stdin, stdout, next_id: 0 })
    }

    /// Shakes hands as an editor does that asks for diagnostics instead of waiting for them.
    pub(crate) fn initialize(&mut self, folder: &Path) -> Result<()> {
        let uri = format!("file://{}", folder.display());
        self.request(
            "initialize",
            &json!({
                "processId": std::process::id(),
                "rootUri": uri,
                "workspaceFolders": [{"uri": uri, "name": "bench"}],
                "capabilities": {
                    "textDocument": {"diagnostic": {}, "hover": {"contentFormat": ["markdown"]}, "synchronization": {"didSave": true}},
                    "workspace": {"workspaceFolders": true},
                },
            }),
        )?;
        Ok(())
    }

    /// Sends a request and waits until it is answered; fails if the answer is an error, unless it was asked for.
    pub(crate) fn request(&mut self, method: &str, params: &Value) -> Result<()> {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        loop {
            let message = self.receive()?;
            match (message.get("method"), message.get("id")) {
                (Some(_), Some(theirs)) => {
                    self.send(&json!({"jsonrpc": "2.0", "id": theirs, "result": null}))?;
                }
                (None, Some(answered)) if *answered == id => {
                    let error = message.get("error");
                    let is_wanted = method == UNKNOWN
                        && error.is_some_and(|error| error.get("code") == Some(&json!(-32601)));
                    ensure!(error.is_none() || is_wanted, "{method}: {message}");
                    return Ok(());
                }
                _ => {}
            }
        }
    }

    /// Sends a notification.
    pub(crate) fn notify(&mut self, method: &str, params: &Value) -> Result<()> {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
    }

    /// Returns the memory that the process holds now, in KiB, as Linux counts it.
    pub(crate) fn resident_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// Ends the server politely and waits for it.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.request("shutdown", &Value::Null)?;
        self.notify("exit", &Value::Null)?;
        drop(self.stdin);
        self.child.wait()?;
        Ok(())
    }

    /// Sends a message, whatever it is.
    pub(crate) fn send(&mut self, message: &Value) -> Result<()> {
        let body = serde_json::to_vec(message)?;
        let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
        frame.extend(body);
        self.stdin.write_all(&frame)?;
        Ok(self.stdin.flush()?)
    }

    /// Waits for the next message, whatever it is.
    pub(crate) fn receive(&mut self) -> Result<Value> {
        let mut length = None;
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line)? == 0 {
                bail!("the server ended");
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = Some(value.parse::<usize>()?);
            }
        }
        let mut body = vec![0; length.context("a header without Content-Length")?];
        self.stdout.read_exact(&mut body)?;
        Ok(serde_json::from_slice(&body)?)
    }
}

/// The figures of many runs of one thing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    /// Adds a time, in milliseconds.
    pub(crate) fn push_time(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1e3);
    }

    /// Adds a memory size given in KiB, in MB of 10^6 bytes.
    pub(crate) fn push_kib(&mut self, kib: u64) -> Result<()> {
        self.0.push(f64::from(u32::try_from(kib)?) * 1.024e-3);
        Ok(())
    }

    /// Returns the value that `share` percent of the samples do not exceed; 0 gives the least.
    pub(crate) fn percentile(&self, share: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted.get((last * share).div_ceil(100)).copied().unwrap_or(f64::NAN)
    }
}

/// Prints the head of a Markdown table.
pub(crate) fn head(columns: &[&str]) {
    say(format_args!("| {} |", columns.join(" | ")));
    say(format_args!("|{}", "---|".repeat(columns.len())));
}

/// Prints a row of a Markdown table: `what`, then figures.
pub(crate) fn row(what: impl Display, figures: &[f64]) {
    let figures: Vec<_> = figures.iter().map(|figure| format!("{figure:.2}")).collect();
    say(format_args!("| {what} | {} |", figures.join(" | ")));
}

/// Prints what a reader needs to judge the figures: the machine's cores and its load before the run.
pub(crate) fn say_where() {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    say(format_args!(
        "{cores} cores, load before the run {load}; above {} the figures mean little\n",
        cores + cores / 2
    ));
}

/// Prints one line.
#[expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]
pub(crate) fn say(line: impl fmt::Display) {
    println!("{line}");
}

/// Returns an empty folder that goes away with the value.
pub(crate) fn folder() -> Result<tempfile::TempDir> {
    Ok(tempfile::Builder::new().prefix(OsStr::new("kkcode-bench-")).tempdir()?)
}
