//! The keyring of the operating system as a place for keys: the secret service of Linux, the keychain of macOS, the credential
//! manager of Windows.

use std::sync::mpsc;
use std::time::Duration;

use keyring::v1::{Entry, Error};
use kkcode_provider::endpoint::Key;

/// Under which name our keys stand in it; the user is the provider's name.
const SERVICE: &str = "kkcode";

/// How long it may take: one that is locked asks the user first.
const PATIENCE: Duration = Duration::from_secs(20);

/// A place for keys that outlives the program.
pub trait Keyring: Send + Sync {
    /// Returns a provider's key; none if there is none. Says why it cannot be known. Blocks.
    fn get(&self, provider: &str) -> Result<Option<Key>, String>;

    /// Keeps a provider's key, in place of one that is there. Blocks.
    fn set(&self, provider: &str, key: &str) -> Result<(), String>;

    /// Forgets a provider's key; tells whether there was one. Blocks.
    fn forget(&self, provider: &str) -> Result<bool, String>;
}

/// The keyring of the operating system. Nothing is reached before it is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemKeyring;

impl Keyring for SystemKeyring {
    fn get(&self, provider: &str) -> Result<Option<Key>, String> {
        ask(provider, |entry| match entry.get_password() {
            Ok(key) => Ok(Some(Key::new(&key))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn set(&self, provider: &str, key: &str) -> Result<(), String> {
        let key = key.to_owned();
        ask(provider, move |entry| entry.set_password(&key))
    }

    fn forget(&self, provider: &str) -> Result<bool, String> {
        ask(provider, |entry| match entry.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(error),
        })
    }
}

/// Asks in a thread of its own: what never answers keeps nobody waiting, and does not meet our own runtime.
fn ask<T: Send + 'static>(
    provider: &str,
    question: impl FnOnce(Entry) -> Result<T, Error> + Send + 'static,
) -> Result<T, String> {
    let (answer, answered) = mpsc::channel();
    let provider = provider.to_owned();
    std::thread::spawn(move || {
        if let Err(error) = Entry::store_status() {
            drop(answer.send(Err(said(error))));
            return;
        }
        let result = Entry::new(SERVICE, &provider).and_then(question);
        drop(answer.send(result.map_err(|error| said(&error))));
    });
    let late = |_| format!("it did not answer within {} s; it may be locked", PATIENCE.as_secs());
    let answer = answered.recv_timeout(PATIENCE).map_err(late).flatten();
    answer.map_err(|why| format!("the keyring of the operating system cannot be used: {why}"))
}

/// Returns an error without what it has found: that may be a key.
fn said(error: &Error) -> String {
    match error {
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "what is in it is no text".to_owned(),
        error => error.to_string(),
    }
}
