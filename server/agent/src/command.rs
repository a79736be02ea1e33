//! Runs the commands of an agent: in the sandbox, on the workspace as the session sees it, and what they write becomes hunks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use kkcode_core::id::ProposalId;
use kkcode_core::proposal::{FileChange, Verdict};
use kkcode_core::review::Review;
use kkcode_core::state::Snapshot;
use kkcode_core::turn::Turn;

use crate::config::SandboxConfig;
use crate::gate::{Gate, Permit, Reach};
use crate::process::{self, How, Order, Output, Spec};
use crate::sandbox::{Allowed, Offer, Plan};
use crate::turn::Ports;
use crate::{environment, fresh, overlay};

mod before;
mod changes;
mod ignored;
mod layer;
mod place;
mod refused;
mod save;

use changes::Proposed;
use place::Place;
use refused::Refused;

/// What an act takes along, for when the gate has let it through. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) turn: Arc<Turn>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) gate: Arc<Gate>,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("turn", &self.turn.id).finish_non_exhaustive()
    }
}

/// A command line as the model wants it run.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Byte for byte what is judged and run.
    pub(crate) text: String,
    pub(crate) timeout: Duration,
    /// Whether the agent goes on meanwhile.
    pub(crate) in_background: bool,
}

/// How a command would be run, as far as the user should know before it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outlook {
    /// Whether it runs on layers over the files.
    pub(crate) layered: bool,
    /// How it is bounded; none when it is not.
    pub(crate) sandbox: Option<String>,
    /// Whether it has the network.
    pub(crate) network: bool,
    /// How many files with pending edits or unsaved text it will not see.
    pub(crate) unseen: usize,
    /// What of that the session proposes, if it can be applied first.
    pub(crate) unseen_proposal: Option<ProposalId>,
}

/// Says how a command would be run. Blocks, and must not be called on a thread of the runtime.
pub(crate) fn outlook(site: &Site, snapshot: &Snapshot) -> Result<Outlook, String> {
    let config = site.ports.config.sandbox_config()?;
    let offer = tokio::runtime::Handle::current().block_on(site.ports.config.sandbox().offer());
    let pending = seen_otherwise(snapshot, &site.turn, &real(&snapshot.folders));
    let (bounded, layered) = (config.is_on() && offer.is_sandboxed(), config.is_on() && offer.layers);
    if config.is_required() && !bounded {
        return Err(format!(
            "`permission.sandbox.mode` is required, and commands cannot be sandboxed here: {}",
            offer.problems.join("; ")
        ));
    }
    let review = snapshot.reviews.open_of(&site.turn.session);
    let may_apply = |review: &&Review| {
        let waits = |file: &FileChange| file.hunks.iter().any(|hunk| hunk.verdict == Verdict::Undecided);
        !layered && !site.turn.proposes_only && review.proposal.files.iter().any(waits)
    };
    Ok(Outlook {
        layered,
        sandbox: bounded.then(|| offer.summary()),
        network: !bounded || config.has_network(),
        unseen: if layered { 0 } else { pending.len() },
        unseen_proposal: review.filter(may_apply).map(|review| review.proposal.id.clone()),
    })
}

/// Runs a command line that the gate has let through. Returns what the model is told.
///
/// When nobody waits for it any more, because the turn is over, it still ends, and what it wrote is still proposed.
pub(crate) fn run(site: Site, line: Line, permit: Permit) -> BoxFuture<'static, Result<String, String>> {
    Box::pin(async move {
        tokio::spawn(run_to_its_end(site, line, permit)).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a command broke down");
            Err("internal error, see the server's log".to_owned())
        })
    })
}

async fn run_to_its_end(site: Site, line: Line, permit: Permit) -> Result<String, String> {
    save::before(&site, permit.applied_first()).await;
    let Ready { order, place, writable, offer, unseen, start } = ready(&site, &line, permit.reach()).await?;
    let id = fresh::name("cmd").map_err(|error| error.to_string())?;
    let folder = place::folder(site.ports.config.home(), &site.turn.session).join("output");
    if line.in_background {
        let told = if place.is_apart() {
            "; what it writes is proposed to the user when it has ended"
        } else {
            "; what it writes is not reviewed"
        };
        let (background, then) = (site.ports.background.clone(), written_by_then(site, place, start));
        background.start(&id, &line.text, order, &folder, then)?;
        return Ok(format!("started in the background as {id}{told}{unseen}"));
    }
    let output = Arc::new(Mutex::new(Output::new(folder.join(format!("{id}.txt")))));
    let ended = process::run(order, output, permit.cancel()).await;
    // Whatever came of the command, what it wrote must not be lost.
    let (proposed, others) = taken(&site, place, &start).await?;
    let ended = ended.map_err(|error| error.to_string())?;
    let text = told(ended.how, &ended.output, &proposed, &others, &offer) + &unseen;
    let reach = permit.reach();
    let network = reach.network || !offer.is_sandboxed();
    let failed = !matches!(ended.how, How::Exited(0) | How::Cancelled);
    let refused = if failed && offer.is_sandboxed() && !reach.writes_outside {
        refused::refused(&ended.output, network, &writable)
    } else {
        None
    };
    match refused {
        None if ended.how == How::Exited(0) => Ok(text),
        None => Err(text),
        Some(refused) => again(site, line, permit, refused, text).await,
    }
}

/// Takes in what a background command that has ended wrote apart from the files. Returns what is told of it.
async fn written_by_then(site: Site, place: Place, start: Arc<Snapshot>) -> String {
    if !place.is_apart() {
        return String::new();
    }
    match taken(&site, place, &start).await {
        Ok((proposed, others)) => changed(&proposed, &others),
        Err(error) => format!("\n[what it wrote could not be proposed: {error}]"),
    }
}

/// Offers to run a command once more, with what the sandbox has refused it.
async fn again(
    site: Site,
    line: Line,
    permit: Permit,
    refused: Refused,
    text: String,
) -> Result<String, String> {
    let config = site.ports.config.clone();
    let config = tokio::task::spawn_blocking(move || config.sandbox_config()).await;
    let may_have_network = matches!(config, Ok(Ok(config)) if config.may_have_network());
    let (reach, why) = match refused {
        Refused::Network(why) if !may_have_network => {
            let reason = format!("there is no network, as `permission.sandbox.network` says: {why}");
            permit.refused(&reason);
            return Err(format!("{text}\n[{reason}]"));
        }
        Refused::Network(why) => (Reach { network: true, ..permit.reach() }, why),
        Refused::Write(why) => (Reach { writes_outside: true, ..permit.reach() }, why),
    };
    let why = format!("the sandbox refused it something: {why}");
    match permit.widened(reach, &why).await {
        Ok(permit) => {
            let told = |second| format!("{text}\n[{why}; the user allowed it once more:]\n{second}");
            run(site, line, permit).await.map(told).map_err(told)
        }
        Err(refusal) => Err(format!("{text}\n[{why}; it was not run once more: {refusal}]")),
    }
}

/// A command that can be started.
struct Ready {
    order: Order,
    place: Place,
    /// Where it may write.
    writable: Vec<PathBuf>,
    offer: Offer,
    /// What the model is told of edits that it does not see; nothing if there are none.
    unseen: String,
    /// Everything as it was then.
    start: Arc<Snapshot>,
}

async fn ready(site: &Site, line: &Line, reach: Reach) -> Result<Ready, String> {
    let offer = site.ports.config.sandbox().offer().await.clone();
    let snapshot = Arc::new(site.ports.handle.snapshot().await.ok_or("the server is shutting down")?);
    let (site, line) = (site.clone(), line.clone());
    let made = tokio::task::spawn_blocking(move || prepared(&site, &line, reach, offer, snapshot)).await;
    made.map_err(|error| {
        tracing::error!(%error, "a command could not be prepared");
        "internal error, see the server's log".to_owned()
    })?
}

fn prepared(
    site: &Site,
    line: &Line,
    reach: Reach,
    offer: Offer,
    start: Arc<Snapshot>,
) -> Result<Ready, String> {
    let config = site.ports.config.sandbox_config()?;
    let folders = real(&start.folders);
    let cwd = folders.first().cloned().ok_or("no folder is open; there is nowhere to run a command")?;
    let namespaces = offer.namespaces.filter(|_| config.is_on());
    let offer = if namespaces.is_some() { offer } else { Offer { namespaces: None, layers: false, ..offer } };
    let seen = seen_otherwise(&start, &site.turn, &folders);
    let state = place::folder(site.ports.config.home(), &site.turn.session);
    let io = |error: std::io::Error| format!("{}: {error}", state.display());
    let apart = offer.layers && (!seen.is_empty() || site.turn.proposes_only || line.in_background);
    let unseen = if apart { String::new() } else { not_seen(&seen, &folders) };
    let place = if apart {
        Place::apart(&state, &folders, &seen, line.in_background).map_err(io)?
    } else {
        Place::in_workspace(&folders)
    };
    let temporary = state.join("tmp");
    place::private_folder(&temporary).map_err(io)?;
    let allowed =
        Allowed { network: reach.network || config.has_network(), writes_outside: reach.writes_outside };
    let plan = plan(site, &config, folders, temporary.clone(), &place);
    let mut writable = plan.folders.clone();
    writable.extend(plan.writable.iter().cloned());
    writable.push(PathBuf::from("/tmp"));
    let confine = namespaces.map(|namespaces| plan.confine(namespaces, allowed));
    let seen_temporary = match namespaces {
        Some(process::Namespaces::Own | process::Namespaces::Bubblewrap) => PathBuf::from("/tmp"),
        _ => temporary,
    };
    let variables = environment::for_child(&site.ports.config).into_iter();
    let argv = ["bash", "--noprofile", "--norc", "-c", &line.text].map(str::to_owned).to_vec();
    let order = Order {
        spec: Spec { argv, cwd, confine },
        environment: process::environment(variables, &seen_temporary, allowed.network),
        helper: site.ports.config.sandbox().helper().map(Path::to_owned),
        timeout: (!line.in_background).then_some(line.timeout),
    };
    Ok(Ready { order, place, writable, offer, unseen, start })
}

/// Says which files a command does not see as the session does.
fn not_seen(seen: &BTreeMap<PathBuf, Option<String>>, folders: &[PathBuf]) -> String {
    if seen.is_empty() {
        return String::new();
    }
    let name = |path: &PathBuf| {
        let below = folders.iter().find_map(|folder| path.strip_prefix(folder).ok());
        below.unwrap_or(path).display().to_string()
    };
    let names = seen.keys().take(20).map(name).collect::<Vec<_>>().join(", ");
    let more = if seen.len() > 20 { format!(" and {} more", seen.len() - 20) } else { String::new() };
    format!("\n[it did not see what is pending or unsaved of {names}{more}]")
}

fn plan(
    site: &Site,
    config: &SandboxConfig,
    folders: Vec<PathBuf>,
    temporary: PathBuf,
    place: &Place,
) -> Plan {
    let surroundings = site.ports.config.surroundings();
    let path = surroundings.path.unwrap_or_default();
    // Git's own files of a worktree are beside the user's.
    let repository = site.ports.config.worktree().map(|worktree| worktree.repository().to_owned());
    let own = surroundings.home;
    let home = surroundings.user_home.unwrap_or_else(|| PathBuf::from("/nonexistent"));
    Plan {
        folders,
        writable: config.writable_dirs(&home),
        own: vec![own],
        visible: std::env::split_paths(&path).chain(repository).collect(),
        temporary,
        layers: place.layers(),
        home,
    }
}

/// Returns the files that the session sees otherwise than the disk has them: pending edits, and unsaved text of the editor.
fn seen_otherwise(
    snapshot: &Snapshot,
    turn: &Turn,
    folders: &[PathBuf],
) -> BTreeMap<PathBuf, Option<String>> {
    let review = snapshot.reviews.open_of(&turn.session);
    let proposed = review.into_iter().flat_map(|review| review.proposal.files.iter().map(|file| &file.path));
    let open = snapshot.documents.iter().filter_map(|document| document.path.as_ref());
    let mut seen = BTreeMap::new();
    for path in proposed.chain(open) {
        let Ok(text) = overlay::read(snapshot, &turn.session, path).map(|seen| seen.text) else { continue };
        put_if_other(&mut seen, &snapshot.folders, path, text);
    }
    for (path, text) in overlay::changed_files(snapshot, &turn.session) {
        put_if_other(&mut seen, &snapshot.folders, &path, text);
    }
    seen.retain(|path, _| folders.iter().any(|folder| path.starts_with(folder)));
    seen
}

fn put_if_other(
    seen: &mut BTreeMap<PathBuf, Option<String>>,
    folders: &[PathBuf],
    path: &Path,
    text: Option<String>,
) {
    let on_disk = crate::file::read(path, folders).ok();
    let without_mark = |text: &str| text.strip_prefix(kkcode_core::text::BOM).unwrap_or(text).to_owned();
    if on_disk.as_deref().map(without_mark) != text {
        seen.insert(really(path), text);
    }
}

/// Returns where a file is: a path through a linked folder leads to another, where layers lie and pictures are taken.
fn really(path: &Path) -> PathBuf {
    let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
    parent.zip(path.file_name()).map_or_else(|| path.to_owned(), |(parent, name)| parent.join(name))
}

/// Returns what the editor has written to its files since then, by where they really are.
fn saved_since(start: &Snapshot, now: &Snapshot) -> BTreeMap<PathBuf, String> {
    let saved = now.documents.saved_since(&start.documents);
    saved.map(|(path, text)| (really(path), text.to_string())).collect()
}

/// Takes in what a command wrote that began at `start`.
async fn taken(site: &Site, place: Place, start: &Arc<Snapshot>) -> Result<(Proposed, Vec<String>), String> {
    match place {
        Place::InWorkspace { folders, before } => {
            let before = before?;
            let now = site.ports.handle.snapshot().await;
            let now = now.ok_or("the server is shutting down; what it wrote is in the files, unreviewed")?;
            let start = start.clone();
            let looked = tokio::task::spawn_blocking(move || {
                place::put_back(&folders, &before, &saved_since(&start, &now))
            });
            let (changes, texts, others) = looked.await.map_err(|error| error.to_string())?;
            let proposed = changes::propose(site, changes).await;
            // What could not become a hunk is left as the command made it; what a rule forbids stays as it was.
            let lost = |path: &PathBuf| match &proposed {
                Ok(proposed) => proposed.refused.iter().any(|(refused, _)| refused == path),
                Err(_) => true,
            };
            for (path, text) in texts.iter().filter(|(path, _)| lost(path)) {
                if let Err(error) = place::make_again(path, text) {
                    tracing::error!(%error, path = %path.display(), "what a command wrote is lost");
                }
            }
            Ok((proposed?, others))
        }
        Place::Apart { layers, own } => {
            let (mut all, mut others) = (Proposed::default(), Vec::new());
            for layers in layers {
                let read = {
                    let (layers, start, session) = (layers.clone(), start.clone(), site.turn.session.clone());
                    tokio::task::spawn_blocking(move || {
                        let mut written = layer::read(&layers)?;
                        for change in &mut written.changes {
                            change.base =
                                overlay::read(&start, &session, &change.path).ok().and_then(|seen| seen.text);
                        }
                        Ok::<_, std::io::Error>(written)
                    })
                    .await
                };
                let written = read.map_err(|error| error.to_string())?;
                let written =
                    written.map_err(|error| format!("what the command wrote cannot be read: {error}"))?;
                others.extend(written.stays);
                if written.ignored > 0 {
                    others.push(format!("{} ignored files", written.ignored));
                }
                let proposed = changes::propose(site, written.changes).await?;
                let taken = proposed.taken.clone();
                let taken_over = tokio::task::spawn_blocking(move || layer::take_over(&layers, &taken)).await;
                if let Err(error) = taken_over.map_err(std::io::Error::other).and_then(|result| result) {
                    tracing::warn!(%error, "a layer keeps what is proposed already");
                }
                all.add(proposed);
            }
            // What could not be proposed is still there.
            if let Some(own) = own.filter(|_| all.refused.is_empty()) {
                let removed = tokio::task::spawn_blocking(move || layer::remove(&own)).await;
                if let Err(error) = removed.map_err(std::io::Error::other).and_then(|result| result) {
                    tracing::warn!(%error, "the layers of a command stay");
                }
            }
            Ok((all, others))
        }
    }
}

fn told(how: How, output: &str, proposed: &Proposed, others: &[String], offer: &Offer) -> String {
    let mut text = output.trim_end().to_owned();
    if text.is_empty() {
        text.push_str("(no output)");
    }
    if how != How::Exited(0) {
        text = format!("{text}\n[{}]", how.words());
    }
    text.push_str(&changed(proposed, others));
    if !offer.is_sandboxed() {
        text.push_str("\n[not sandboxed]");
    }
    text
}

/// Says what became of files that a command changed; nothing if there are none.
fn changed(proposed: &Proposed, others: &[String]) -> String {
    let mut text = String::new();
    let files = proposed.text();
    if !files.is_empty() {
        text = format!("\n[files that it changed:]\n{files}");
    }
    if !others.is_empty() {
        let some = others.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if others.len() > 20 { format!(" and {} more", others.len() - 20) } else { String::new() };
        text = format!("{text}\n[changed and not proposed: {some}{more}]");
    }
    text
}

fn real(folders: &[PathBuf]) -> Vec<PathBuf> {
    folders.iter().map(|folder| folder.canonicalize().unwrap_or_else(|_| folder.clone())).collect()
}
