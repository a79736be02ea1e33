//! What the helper process is told to run and within which bounds, and what it reports: one JSON text each over a socket.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The longest text that is sent, in bytes.
const MOST: u32 = 16 * 1024 * 1024;

/// A command and its bounds.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Spec {
    /// The program and its arguments, byte for byte what was judged.
    pub(crate) argv: Vec<String>,
    /// Where it begins.
    pub(crate) cwd: PathBuf,
    /// Its bounds; none when the user has switched the sandbox off.
    pub(crate) confine: Option<Confine>,
}

/// The bounds of a command. Everything that is not hidden can be read, and nothing written that is not listed.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Confine {
    /// How its view of the machine is made.
    pub(crate) namespaces: Namespaces,
    /// Where it may write.
    pub(crate) writable: Vec<PathBuf>,
    /// What it may not write although it is below one of those.
    pub(crate) read_only: Vec<PathBuf>,
    /// What it does not see.
    pub(crate) hidden: Vec<PathBuf>,
    /// What it sees although a hidden place or its own temporary folder lies over it.
    pub(crate) visible: Vec<PathBuf>,
    /// Its own temporary folder; with namespaces it stands at `/tmp`.
    pub(crate) temporary: PathBuf,
    /// Whether it has a network.
    pub(crate) network: bool,
    /// Folders that it sees with pending edits in them, and that keep what it writes.
    pub(crate) layers: Vec<Layers>,
}

/// How a command's own view of files, processes and the network is made.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Namespaces {
    /// By the helper itself.
    Own,
    /// By bubblewrap, which may be allowed to do what we may not.
    Bubblewrap,
    /// Not at all: what is left are Landlock and seccomp.
    None,
}

/// A folder under a copy-on-write layer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Layers {
    /// The folder, seen at its own path.
    pub(crate) folder: PathBuf,
    /// What lies over the folder: pending edits and unsaved texts.
    pub(crate) pending: PathBuf,
    /// What the command writes.
    pub(crate) upper: PathBuf,
    /// The file system's own working folder, beside `upper`.
    pub(crate) work: PathBuf,
}

/// What came of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum Report {
    /// It ended by itself.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
    /// It was not started.
    Failed(String),
}

/// Sends a value: its length as eight hexadecimal digits, then JSON.
pub(crate) fn send(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec(value)?;
    let length = u32::try_from(text.len()).ok().filter(|length| *length <= MOST);
    let length = length.ok_or_else(|| io::Error::other("the command is too long"))?;
    to.write_all(format!("{length:08x}").as_bytes())?;
    to.write_all(&text)?;
    to.flush()
}

/// Receives a value, and reads not a byte beyond it.
pub(crate) fn receive<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 8];
    from.read_exact(&mut length)?;
    let wrong = || io::Error::from(io::ErrorKind::InvalidData);
    let length = std::str::from_utf8(&length).ok().and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let length = length.filter(|length| *length <= MOST).ok_or_else(wrong)?;
    let mut text = vec![0; usize::try_from(length).map_err(|_| wrong())?];
    from.read_exact(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}
