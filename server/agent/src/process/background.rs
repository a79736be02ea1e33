//! Commands that go on while the agent does something else: each has a name, what it has said, and an end.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::output::Output;
use super::run::{self, How, Order};

/// How many commands may run at the same time.
const MOST: usize = 16;

/// The background commands of one process. Cheap to clone; the last one that is dropped ends them all.
#[derive(Clone, Debug, Default)]
pub struct Background {
    known: Arc<Mutex<BTreeMap<String, Entry>>>,
    all: Arc<EndsAll>,
}

/// How a background command is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackgroundStatus {
    /// Its name.
    pub id: String,
    /// The command line.
    pub command: String,
    /// How it ended, in words; none while it runs.
    pub ended: Option<String>,
    /// What it has said, its middle left out where that is much.
    pub output: String,
}

#[derive(Debug)]
struct Entry {
    command: String,
    output: Arc<Mutex<Output>>,
    ended: Arc<Mutex<Option<String>>>,
    cancel: CancellationToken,
    running: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct EndsAll(CancellationToken);

impl Drop for EndsAll {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Background {
    /// Starts a command under a name that is not taken; what it says is kept in a file of that name in `folder` when it is
    /// much. When it has ended, whyever, `then` is done, which says what is to be told with the end. Refuses when too many run.
    pub(crate) fn start(
        &self,
        id: &str,
        command: &str,
        order: Order,
        folder: &Path,
        then: impl Future<Output = String> + Send + 'static,
    ) -> Result<(), String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.values().filter(|entry| !entry.running.is_finished()).count() >= MOST {
            return Err(format!("{MOST} background commands are running; stop one first"));
        }
        let output = Arc::new(Mutex::new(Output::new(folder.join(format!("{id}.txt")))));
        let (ended, cancel) = (Arc::new(Mutex::new(None)), self.all.0.child_token());
        let running = tokio::spawn({
            let (output, ended, cancel) = (output.clone(), ended.clone(), cancel.clone());
            async move {
                let end = match run::run(order, output, &cancel).await {
                    Ok(end) => end.how.words(),
                    Err(error) => error.to_string(),
                };
                let more = then.await;
                *ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(end + &more);
            }
        });
        let entry = Entry { command: command.to_owned(), output, ended, cancel, running };
        known.insert(id.to_owned(), entry);
        Ok(())
    }

    /// Returns how a command is; none if no command has this name.
    pub fn look(&self, id: &str) -> Option<BackgroundStatus> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(id).map(|entry| entry.status(id))
    }

    /// Returns how all commands are, by name.
    pub fn list(&self) -> Vec<BackgroundStatus> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(id, entry)| entry.status(id)).collect()
    }

    /// Asks a command and all that it has started to end; returns whether there is one of this name.
    pub fn stop(&self, id: &str) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(id).inspect(|entry| entry.cancel.cancel()).is_some()
    }

    /// Ends all commands, and waits until they have.
    pub async fn end(&self) {
        self.all.0.cancel();
        let known = std::mem::take(&mut *self.known.lock().unwrap_or_else(PoisonError::into_inner));
        for (id, entry) in known {
            if let Err(error) = entry.running.await {
                tracing::error!(%error, id, "a background command broke down");
            }
        }
    }
}

impl Entry {
    fn status(&self, id: &str) -> BackgroundStatus {
        BackgroundStatus {
            id: id.to_owned(),
            command: self.command.clone(),
            ended: self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            output: run::lock(&self.output).text(),
        }
    }
}

impl How {
    /// Says it for the model.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Exited(code) => format!("exit status {code}"),
            Self::Signalled(signal) => match signal_name(signal) {
                Some(name) => format!("ended by signal {signal} ({name})"),
                None => format!("ended by signal {signal}"),
            },
            Self::TimedOut => "the time was up: it and all that it had started was ended".to_owned(),
            Self::Cancelled => "cancelled: it and all that it had started was ended".to_owned(),
        }
    }
}

fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        _ => return None,
    })
}
