//! What the client shows of hunks without asking for it again: told anew when the set or a state changes, never for a shift.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kkcode_core::id::HunkId;
use kkcode_core::state::Snapshot;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::client::Client;
use crate::diagnostics::{self, Published, Typing};
use crate::session::Session;
use crate::virtual_documents::VirtualDocument;

/// How long the client may take to say that it will look again; nothing follows from its answer.
const REFRESH_PATIENCE: Duration = Duration::from_secs(10);

/// What was handed out and may grow old. Written by those who hand out, read by the one [`Showing`].
#[derive(Debug, Default)]
pub(crate) struct Surface {
    handed: Mutex<Handed>,
    stirred: Notify,
    typed: Notify,
}

#[derive(Debug, Default)]
struct Handed {
    /// The documents that the client opened since diagnostics were published last.
    opened: BTreeSet<String>,
    /// The virtual documents that the client has, with a hash of their text.
    served: BTreeMap<String, u64>,
}

impl Surface {
    /// Has everything looked at again, soon.
    pub(crate) fn stir(&self) {
        self.stirred.notify_one();
    }

    /// Waits until something may be shown otherwise; many changes at once are one.
    pub(crate) async fn stirred(&self) {
        self.stirred.notified().await;
    }

    /// Notes that the client has just opened a document. The state has to know it already.
    pub(crate) fn note_opened(&self, uri: &str) {
        self.handed().opened.insert(uri.to_owned());
        self.stir();
    }

    /// Waits until the client's text of some document has changed.
    pub(crate) async fn typed(&self) {
        self.typed.notified().await;
    }

    /// Notes that the client's text of some document has changed: a virtual document may show it.
    pub(crate) fn note_changed(&self) {
        self.typed.notify_one();
        if !self.handed().served.is_empty() {
            self.stir();
        }
    }

    /// Notes the text of a virtual document that the client was given, under the client's own URI.
    pub(crate) fn note_served(&self, uri: String, text: &str) {
        self.handed().served.insert(uri, hash(text));
        // The text may have changed while it was made.
        self.stir();
    }

    /// Forgets the virtual documents that have another text by now, and returns them; the client asks again for those
    /// that it still shows.
    fn take_outdated(&self, now: &BTreeMap<String, Option<u64>>) -> Vec<String> {
        let mut outdated = Vec::new();
        self.handed().served.retain(|uri, served| {
            let is_old = now.get(uri).is_some_and(|now| *now != Some(*served));
            if is_old {
                outdated.push(uri.clone());
            }
            !is_old
        });
        outdated
    }

    fn handed(&self) -> MutexGuard<'_, Handed> {
        self.handed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one client was shown last.
#[derive(Debug, Default)]
pub(crate) struct Showing {
    published: Published,
    /// The hunks that wait, and their states, when lenses were refreshed last.
    lenses: Vec<(HunkId, &'static str)>,
}

impl Showing {
    /// Publishes diagnostics and asks the client to look again, as far as something is otherwise than it was.
    pub(crate) async fn again(&mut self, session: &Session, editor: &Client, typing: Typing) {
        let client = session.client();
        let surface = session.surface();
        // First what was handed out, then the state: it is as new as that, or newer.
        let (opened, served) = {
            let mut handed = surface.handed();
            (std::mem::take(&mut handed.opened), handed.served.keys().cloned().collect::<Vec<_>>())
        };
        if client.kkcode && !client.lens_refresh && served.is_empty() {
            return;
        }
        let Some(snapshot) = session.handle().snapshot().await else { return };
        if client.lens_refresh {
            let lenses = states(&snapshot);
            if lenses != self.lenses {
                self.lenses = lenses;
                ask(editor, "workspace/codeLens/refresh", Value::Null);
            }
        }
        let wants_diagnostics = !client.kkcode;
        let looked = tokio::task::spawn_blocking(move || {
            let reports = wants_diagnostics.then(|| diagnostics::reports(&snapshot));
            (reports, texts(&snapshot, served))
        });
        let Ok((reports, texts)) = looked.await else { return };
        if let Some(reports) = reports {
            self.published.forget(&opened);
            for params in self.published.update(&reports, client, typing) {
                editor.notify("textDocument/publishDiagnostics", params);
            }
        }
        let outdated = surface.take_outdated(&texts);
        // Others learn it by `kkcode/proposal/didChange`, and ask again.
        for uri in outdated.into_iter().filter(|_| client.virtual_documents) {
            ask(editor, "workspace/textDocumentContent/refresh", json!({"uri": uri}));
        }
    }
}

/// Returns every hunk that waits, with its state.
fn states(snapshot: &Snapshot) -> Vec<(HunkId, &'static str)> {
    let files = snapshot
        .reviews
        .iter()
        .flat_map(|review| review.proposal.files.iter().map(move |file| (review, file)));
    let hunks = files.flat_map(|(review, file)| {
        let undecided = file.hunks.iter().filter(|hunk| hunk.verdict.is_open());
        undecided.map(move |hunk| (hunk.id.clone(), review.state(file, hunk).name()))
    });
    hunks.collect()
}

/// Returns the hashes that the texts of virtual documents have now; none where there is no text any more.
fn texts(snapshot: &Snapshot, uris: Vec<String>) -> BTreeMap<String, Option<u64>> {
    let text = |uri: &str| VirtualDocument::parse(uri)?.text(snapshot).ok();
    uris.into_iter().map(|uri| (uri.clone(), text(&uri).map(|text| hash(&text)))).collect()
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Asks the client to look again, and waits elsewhere for its answer: a dropped request is a cancelled one.
fn ask(editor: &Client, method: &'static str, params: Value) {
    let answer = editor.request(method, params, REFRESH_PATIENCE);
    tokio::spawn(async move {
        if let Err(error) = answer.await {
            tracing::debug!(method, %error, "the client did not look again");
        }
    });
}
