//! Which actions there are for the hunks of a place, and what the client is given of each.

use kkcode_core::id::{HunkId, ProposalId};
use kkcode_core::proposal::{ChangeKind, FileChange, Hunk, Verdict};
use kkcode_core::review::HunkState;
use kkcode_core::state::Snapshot;
use kkcode_protocol::commands::{
    FileAccept, FileDiff, FileReject, HunkAccept, HunkReject, HunkShow, ProposalAccept,
};
use kkcode_protocol::message::Command as _;
use lsp_types::{CodeAction, CodeActionDisabled, CodeActionKind, CodeActionOrCommand, Command};
use serde_json::{Value, json};

use super::{ActionData, KIND};
use crate::capabilities::ClientCapabilities;
use crate::hunks::{Waiting, in_order, summary};
use crate::to_proto;

/// What an action does; the last part of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    AcceptHunk,
    RejectHunk,
    KeepHunk,
    UndoHunk,
    Merge,
    TakeProposal,
    KeepMine,
    AcceptNewFile,
    AcceptFile,
    RejectFile,
    AcceptAll,
    ShowDiff,
    NextHunk,
    PreviousHunk,
}

impl Does {
    /// Returns the title, or how it begins where several hunks or proposals are meant.
    fn title(self) -> &'static str {
        match self {
            Self::AcceptHunk => "Accept hunk",
            Self::RejectHunk => "Reject hunk",
            Self::KeepHunk => "Keep hunk",
            Self::UndoHunk => "Undo hunk",
            Self::Merge => "Merge",
            Self::TakeProposal => "Take proposal here",
            Self::KeepMine => "Keep mine",
            Self::AcceptNewFile => "Accept new file",
            Self::AcceptFile => "Accept file",
            Self::RejectFile => "Reject file",
            Self::AcceptAll => "Accept all",
            Self::ShowDiff => "Show diff",
            Self::NextHunk => "Next hunk",
            Self::PreviousHunk => "Previous hunk",
        }
    }

    fn kind(self) -> CodeActionKind {
        let name = match self {
            Self::AcceptHunk => "acceptHunk",
            Self::RejectHunk => "rejectHunk",
            Self::KeepHunk => "keepHunk",
            Self::UndoHunk => "undoHunk",
            Self::Merge => "merge",
            Self::TakeProposal => "takeProposal",
            Self::KeepMine => "keepMine",
            Self::AcceptNewFile => "acceptNewFile",
            Self::AcceptFile => "acceptFile",
            Self::RejectFile => "rejectFile",
            Self::AcceptAll => "acceptAll",
            Self::ShowDiff => "showDiff",
            Self::NextHunk => "nextHunk",
            Self::PreviousHunk => "previousHunk",
        };
        format!("{}.{name}", KIND.as_str()).into()
    }

    fn command(self) -> &'static str {
        match self {
            Self::AcceptHunk | Self::KeepHunk | Self::Merge | Self::TakeProposal => HunkAccept::NAME,
            Self::RejectHunk | Self::UndoHunk | Self::KeepMine => HunkReject::NAME,
            Self::AcceptFile | Self::AcceptNewFile => FileAccept::NAME,
            Self::RejectFile => FileReject::NAME,
            Self::AcceptAll => ProposalAccept::NAME,
            Self::ShowDiff => FileDiff::NAME,
            Self::NextHunk | Self::PreviousHunk => HunkShow::NAME,
        }
    }
}

/// One action, before it is known what the client can take.
#[derive(Debug)]
pub(super) struct Offer {
    does: Does,
    /// What tells it from others of its name.
    about: Option<String>,
    argument: Value,
    /// What its edit would be made of; only for a document that the client has open.
    edit: Option<ActionData>,
    disabled: Option<String>,
}

impl Offer {
    /// Returns the action's kind.
    pub(super) fn kind(&self) -> CodeActionKind {
        self.does.kind()
    }

    /// Returns the action as the client can take it: with an edit to be resolved, as a literal with a command, or as a
    /// bare command. A disabled one goes only to clients that know what that is.
    pub(super) fn render(self, client: &ClientCapabilities) -> Option<CodeActionOrCommand> {
        let (kind, title) = (self.kind(), self.title());
        if let Some(reason) = self.disabled {
            return (client.code_action_literals && client.disabled_actions).then(|| {
                CodeActionOrCommand::CodeAction(CodeAction {
                    title,
                    kind: Some(kind),
                    disabled: Some(CodeActionDisabled { reason }),
                    ..CodeAction::default()
                })
            });
        }
        let command = Command {
            title: title.clone(),
            command: self.does.command().to_owned(),
            arguments: Some(vec![self.argument]),
        };
        if !client.code_action_literals {
            return Some(CodeActionOrCommand::Command(command));
        }
        let data = self.edit.filter(|_| client.resolve_edit).and_then(|edit| serde_json::to_value(edit).ok());
        Some(CodeActionOrCommand::CodeAction(CodeAction {
            title,
            kind: Some(kind),
            command: data.is_none().then_some(command),
            data,
            ..CodeAction::default()
        }))
    }

    fn title(&self) -> String {
        let title = self.does.title();
        match &self.about {
            None => title.to_owned(),
            Some(about) if self.does == Does::AcceptNewFile => format!("{title} {about}"),
            Some(about) => format!("{title}: {about}"),
        }
    }
}

/// Returns the actions for hunks that stand at one place: first each hunk's, then for each proposal those of its file,
/// of all of it, and those that lead on.
pub(super) fn all(snapshot: &Snapshot, here: &[Waiting]) -> Vec<Offer> {
    let decidable: Vec<&Waiting> =
        here.iter().filter(|hunk| hunk.standing.state != HunkState::Applying).collect();
    let several = decidable.len() > 1;
    let mut offers: Vec<Offer> = decidable.iter().flat_map(|hunk| of_hunk(snapshot, hunk, several)).collect();
    let mut proposals: Vec<&ProposalId> = Vec::new();
    for hunk in decidable.iter().filter(|hunk| hunk.is_pending() || hunk.is_applied()) {
        if !proposals.contains(&&hunk.proposal) {
            proposals.push(&hunk.proposal);
        }
    }
    for proposal in &proposals {
        let own = decidable
            .iter()
            .filter(|hunk| hunk.proposal == **proposal && hunk.standing.state != HunkState::Stale);
        let own: Vec<&Waiting> = own.copied().collect();
        offers.extend(of_proposal(snapshot, &own, proposals.len() > 1));
    }
    offers
}

fn of_hunk(snapshot: &Snapshot, waiting: &Waiting, several: bool) -> Vec<Offer> {
    let about = several.then(|| summary(&waiting.hunk, &waiting.path));
    let (proposal, hunk) = (waiting.proposal.to_string(), waiting.hunk.id.to_string());
    let offer = |does: Does| Offer {
        does,
        about: about.clone(),
        argument: json!({"proposalId": proposal, "hunkId": hunk}),
        edit: None,
        disabled: None,
    };
    let accept = offer(Does::AcceptHunk);
    if let Some(reason) = &waiting.standing.reason {
        let disabled = Offer { disabled: Some(format!("the hunk is stale: {reason}")), ..accept };
        let resolved = |does: Does, resolution: &str| Offer {
            argument: json!({"proposalId": proposal, "hunkId": hunk, "resolution": resolution}),
            ..offer(does)
        };
        let take = match waiting.standing.merges {
            Some(true) => Some(resolved(Does::Merge, "merge")),
            Some(false) => Some(resolved(Does::TakeProposal, "theirs")),
            None => None,
        };
        return [disabled].into_iter().chain(take).chain([offer(Does::KeepMine)]).collect();
    }
    if waiting.is_applied() {
        return vec![offer(Does::KeepHunk), offer(Does::UndoHunk)];
    }
    let is_open = snapshot.documents.by_path(&waiting.path).is_some();
    // A file that goes or moves is no edit of its text.
    let is_edit = is_open && matches!(waiting.hunk.kind, ChangeKind::Modify | ChangeKind::Create);
    let data = || ActionData::Hunk { proposal_id: proposal.clone(), hunk_id: hunk.clone() };
    vec![Offer { edit: is_edit.then(data), ..accept }, offer(Does::RejectHunk)]
}

/// Returns what there is for the pending hunks of one proposal at one place, beside what each has for itself.
fn of_proposal(snapshot: &Snapshot, here: &[&Waiting], several: bool) -> Vec<Offer> {
    let (Some(first), Some(last)) = (here.first(), here.last()) else { return Vec::new() };
    let about = several.then(|| first.title.clone());
    let proposal = first.proposal.to_string();
    let uri = to_proto::uri(&snapshot.documents, &first.path);
    let offer = |does: Does, argument: Value| Offer {
        does,
        about: about.clone(),
        argument,
        edit: None,
        disabled: None,
    };
    let file = json!({"proposalId": proposal, "uri": uri});
    let is_open = snapshot.documents.by_path(&first.path).is_some();
    let is_edit =
        is_open && here.iter().all(|hunk| hunk.is_pending() && hunk.hunk.kind == ChangeKind::Modify);
    let edit = is_edit.then(|| ActionData::File { proposal_id: proposal.clone(), uri: uri.clone() });
    let mut offers = vec![
        Offer { edit, ..offer(Does::AcceptFile, file.clone()) },
        offer(Does::RejectFile, file.clone()),
        offer(Does::AcceptAll, json!({"proposalId": proposal})),
        offer(Does::ShowDiff, file),
    ];
    offers.extend(new_files(snapshot, first).into_iter().map(|(uri, name)| Offer {
        about: Some(name),
        ..offer(Does::AcceptNewFile, json!({"proposalId": proposal, "uri": uri}))
    }));
    let to = |hunk: HunkId| json!({"proposalId": proposal, "hunkId": hunk.as_str()});
    offers.extend(after(snapshot, last).map(|hunk| offer(Does::NextHunk, to(hunk))));
    offers.extend(before(snapshot, first).map(|hunk| offer(Does::PreviousHunk, to(hunk))));
    offers
}

/// Returns the other files that a proposal would make, each with its name in the workspace.
fn new_files(snapshot: &Snapshot, here: &Waiting) -> Vec<(String, String)> {
    let Some(review) = snapshot.reviews.get(&here.proposal) else { return Vec::new() };
    let comes = |file: &&FileChange| {
        let comes = |hunk: &Hunk| hunk.kind == ChangeKind::Create && hunk.verdict == Verdict::Undecided;
        file.path != here.path && file.hunks.iter().any(comes)
    };
    let name = |file: &FileChange| {
        let folder = snapshot.folders.iter().find_map(|folder| file.path.strip_prefix(folder).ok());
        (to_proto::uri(&snapshot.documents, &file.path), folder.unwrap_or(&file.path).display().to_string())
    };
    review.proposal.files.iter().filter(comes).map(name).collect()
}

/// Returns the hunk behind this one in its proposal; behind the last the first.
fn after(snapshot: &Snapshot, hunk: &Waiting) -> Option<HunkId> {
    let review = snapshot.reviews.get(&hunk.proposal)?;
    let mut rest = in_order(review).skip_while(|other| other.id != hunk.hunk.id);
    rest.nth(1).or_else(|| in_order(review).next()).map(|next| next.id.clone())
}

/// Returns the hunk before this one in its proposal; before the first the last.
fn before(snapshot: &Snapshot, hunk: &Waiting) -> Option<HunkId> {
    let review = snapshot.reviews.get(&hunk.proposal)?;
    let previous = in_order(review).take_while(|other| other.id != hunk.hunk.id).last();
    previous.or_else(|| in_order(review).next_back()).map(|previous| previous.id.clone())
}

/// Marks the actions that bring in text of a model as such, in an answer: `lsp_types` has no member for it (LSP 3.18,
/// `CodeActionTag.LLMGenerated`).
pub(crate) fn add_tags(result: &mut Value) {
    const LLM_GENERATED: u8 = 1;
    match result {
        Value::Array(actions) => actions.iter_mut().for_each(add_tags),
        Value::Object(action) => {
            let kind = action.get("kind").and_then(Value::as_str).unwrap_or_default();
            let brings_text = [
                Does::AcceptHunk,
                Does::AcceptFile,
                Does::AcceptAll,
                Does::AcceptNewFile,
                Does::Merge,
                Does::TakeProposal,
            ]
            .into_iter()
            .any(|does| does.kind().as_str() == kind);
            if brings_text {
                action.insert("tags".to_owned(), json!([LLM_GENERATED]));
            }
        }
        _ => {}
    }
}
