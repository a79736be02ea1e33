//! From our words to the client's.

use std::path::Path;

use kkcode_agent::gate::agreed::Agreement;
use kkcode_agent::gate::learned::Learned;
use kkcode_agent::resolve::{self, Conflict};
use kkcode_agent::runtime::{PlanEntry, PlanStatus, Retrying};
use kkcode_agent::view::{PlacedFile, placed_file};
use kkcode_core::diff::unified;
use kkcode_core::document::Documents;
use kkcode_core::edits::overlay_text;
use kkcode_core::effect::{DocumentEdit, FileCount, FileOperation, TextEdit};
use kkcode_core::lines::Lines;
use kkcode_core::placement::Holds;
use kkcode_core::proposal::{ChangeKind, FileChange, Hunk, ReviewState, Timestamp, Verdict};
use kkcode_core::review::{HunkState, Review};
use kkcode_core::state::Snapshot;
use kkcode_core::text::{Position, PositionEncoding, TextRange};
use kkcode_core::turn::{Failure, Level, Turn, TurnStatus, Usage};
use kkcode_core::uri::{PathStyle, from_path};
use kkcode_protocol as protocol;
use ropey::Rope;
use serde_json::{Value, json};

pub(crate) use prompt::{permission_prompt, permission_resolution, question_prompt, question_resolution};
pub(crate) use session::{session, session_list, session_summary};
pub(crate) use task::{task, task_line, task_summary};

use crate::hunks::{Standing, standing};

mod prompt;
mod session;
mod task;

/// The client's own URI of a file that it has open, else the file's.
pub(crate) fn uri(documents: &Documents, path: &Path) -> String {
    documents.by_path(path).map_or_else(|| from_path(path, PathStyle::NATIVE), |d| d.uri.as_str().to_owned())
}

pub(crate) fn range(range: TextRange) -> protocol::text::Range {
    let position =
        |position: Position| protocol::text::Position { line: position.line, character: position.character };
    protocol::text::Range { start: position(range.start), end: position(range.end) }
}

/// A range as `lsp_types` has it.
pub(crate) fn lsp_range(range: TextRange) -> lsp_types::Range {
    let position = |position: Position| lsp_types::Position::new(position.line, position.character);
    lsp_types::Range::new(position(range.start), position(range.end))
}

/// A `WorkspaceEdit`. Where the client does not take versioned edits the version was checked by us, a moment ago.
pub(crate) fn workspace_edit(edit: &DocumentEdit, document_changes: bool) -> Value {
    let uri = edit.uri.as_str();
    let edits: Vec<Value> = edit.edits.iter().map(text_edit).collect();
    let operation = edit.operation.as_ref().map(|operation| match operation {
        FileOperation::Delete => json!({"kind": "delete", "uri": uri}),
        FileOperation::Rename { to } => {
            json!({"kind": "rename", "oldUri": uri, "newUri": from_path(to, PathStyle::NATIVE)})
        }
    });
    if document_changes || operation.is_some() {
        let text = json!({"textDocument": {"uri": uri, "version": edit.version}, "edits": edits});
        let text = (!edit.edits.is_empty()).then_some(text);
        json!({"documentChanges": text.into_iter().chain(operation).collect::<Vec<_>>()})
    } else {
        json!({"changes": {uri: edits}})
    }
}

fn text_edit(edit: &TextEdit) -> Value {
    json!({"range": range(edit.range), "newText": edit.new_text})
}

pub(crate) fn review_state(state: ReviewState) -> protocol::proposal::ReviewState {
    match state {
        ReviewState::Open => protocol::proposal::ReviewState::Open,
        ReviewState::Accepted => protocol::proposal::ReviewState::Accepted,
        ReviewState::Rejected => protocol::proposal::ReviewState::Rejected,
        ReviewState::Partial => protocol::proposal::ReviewState::Partial,
    }
}

pub(crate) fn hunk_state(state: HunkState) -> protocol::proposal::HunkState {
    match state {
        HunkState::Pending => protocol::proposal::HunkState::Pending,
        HunkState::Applying => protocol::proposal::HunkState::Applying,
        HunkState::Applied => protocol::proposal::HunkState::Applied,
        HunkState::Accepted { .. } => protocol::proposal::HunkState::Accepted,
        HunkState::Rejected => protocol::proposal::HunkState::Rejected,
        HunkState::Stale => protocol::proposal::HunkState::Stale,
        HunkState::Superseded => protocol::proposal::HunkState::Superseded,
    }
}

/// Translates a rule that an answer "always" made.
pub(crate) fn learned_rule(rule: Learned) -> protocol::permission::PermissionRule {
    protocol::permission::PermissionRule {
        rule_id: rule.id,
        action: protocol::permission::Decision::Allow,
        tool: rule.tool,
        command_prefix: rule.command_prefix,
        file_patterns: rule.file_patterns,
        workspace_uri: Some(from_path(&rule.workspace, PathStyle::NATIVE)),
        settings: Vec::new(),
        created_at: rule.created_at,
    }
}

/// Translates what the user said about another agent's settings.
pub(crate) fn agreement(agreement: Agreement) -> protocol::permission::PermissionRule {
    protocol::permission::PermissionRule {
        rule_id: agreement.id,
        action: if agreement.agreed {
            protocol::permission::Decision::Allow
        } else {
            protocol::permission::Decision::Ask
        },
        tool: "*".to_owned(),
        command_prefix: None,
        file_patterns: Vec::new(),
        workspace_uri: Some(from_path(&agreement.workspace, PathStyle::NATIVE)),
        settings: agreement.rules,
        created_at: agreement.created_at,
    }
}

pub(crate) fn level(level: Level) -> protocol::permission::Level {
    match level {
        Level::Readonly => protocol::permission::Level::Readonly,
        Level::Manual => protocol::permission::Level::Manual,
        Level::AcceptEdits => protocol::permission::Level::AcceptEdits,
        Level::Yolo => protocol::permission::Level::Yolo,
    }
}

/// Returns what was used, with what it cost where that is known of all of it.
pub(crate) fn usage(usage: Usage) -> protocol::outcome::Usage {
    let some = |tokens: u64| (tokens > 0).then_some(tokens);
    #[expect(clippy::cast_precision_loss, reason = "nobody spends 2^52 millionths of a dollar")]
    let cost_usd = (!usage.unpriced && usage.tokens() > 0).then(|| usage.cost_micro_usd as f64 / 1e6);
    protocol::outcome::Usage {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        cache_read_tokens: some(usage.cache_read_tokens),
        cache_write_tokens: some(usage.cache_write_tokens),
        cost_usd,
        estimated: false,
    }
}

pub(crate) fn plan_entry(entry: PlanEntry) -> protocol::turn::PlanEntry {
    let status = match entry.status {
        PlanStatus::Pending => protocol::turn::PlanStatus::Pending,
        PlanStatus::InProgress => protocol::turn::PlanStatus::InProgress,
        PlanStatus::Completed => protocol::turn::PlanStatus::Completed,
    };
    protocol::turn::PlanEntry { text: entry.text, status }
}

pub(crate) fn turn_status(status: &TurnStatus) -> protocol::turn::TurnStatus {
    match status {
        TurnStatus::Running => protocol::turn::TurnStatus::Running,
        TurnStatus::Completed => protocol::turn::TurnStatus::Completed,
        TurnStatus::Cancelled => protocol::turn::TurnStatus::Cancelled,
        TurnStatus::Interrupted { .. } => protocol::turn::TurnStatus::Interrupted,
        TurnStatus::Failed(_) => protocol::turn::TurnStatus::Failed,
        TurnStatus::BudgetExhausted { .. } => protocol::turn::TurnStatus::BudgetExhausted,
    }
}

/// What went wrong with a turn; for one that was cut off, what cut it off.
pub(crate) fn turn_error(status: &TurnStatus) -> Option<protocol::outcome::ErrorInfo> {
    match status {
        TurnStatus::Failed(Failure { class, message }) => {
            Some(protocol::outcome::ErrorInfo { class: class.clone(), message: message.clone() })
        }
        TurnStatus::Interrupted { reason } => {
            Some(protocol::outcome::ErrorInfo { class: "interrupted".to_owned(), message: reason.clone() })
        }
        TurnStatus::BudgetExhausted { reason } => {
            Some(protocol::outcome::ErrorInfo { class: "budget".to_owned(), message: reason.clone() })
        }
        TurnStatus::Running | TurnStatus::Completed | TurnStatus::Cancelled => None,
    }
}

pub(crate) fn interruption_reason(status: &TurnStatus) -> Option<protocol::outcome::InterruptionReason> {
    match status {
        TurnStatus::Cancelled => Some(protocol::outcome::InterruptionReason::UserCancel),
        TurnStatus::Interrupted { .. } => Some(protocol::outcome::InterruptionReason::Interrupt),
        TurnStatus::Running
        | TurnStatus::Completed
        | TurnStatus::Failed(_)
        | TurnStatus::BudgetExhausted { .. } => None,
    }
}

/// A turn; `so_far` is what it has said if it still runs, `retrying` what it waits for then.
pub(crate) fn turn(
    turn: &Turn,
    is_waiting: bool,
    so_far: Option<String>,
    retrying: Option<&Retrying>,
) -> protocol::turn::TurnShowResult {
    protocol::turn::TurnShowResult {
        turn_id: turn.id.to_string(),
        session_id: turn.session.to_string(),
        status: match (is_waiting, retrying) {
            (true, _) => protocol::turn::TurnStatus::Waiting,
            (false, Some(_)) => protocol::turn::TurnStatus::Retrying,
            (false, None) => turn_status(&turn.status),
        },
        reply: turn.reply.clone().or(so_far),
        error: turn_error(&turn.status),
        interruption_reason: interruption_reason(&turn.status),
        proposal_ids: turn.proposals.iter().map(ToString::to_string).collect(),
        usage: usage(turn.usage),
        retry: retrying.map(retry),
    }
}

/// A failed request that is sent again.
pub(crate) fn retry(retrying: &Retrying) -> protocol::turn::Retry {
    let Failure { class, message } = &retrying.error;
    protocol::turn::Retry {
        attempt: retrying.attempt,
        at: timestamp(retrying.at),
        error: protocol::outcome::ErrorInfo { class: class.clone(), message: message.clone() },
    }
}

pub(crate) fn file_count(count: FileCount) -> protocol::proposal::FileCounts {
    let narrow = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    protocol::proposal::FileCounts {
        uri: count.uri,
        pending: narrow(count.pending),
        stale: narrow(count.stale),
    }
}

/// A proposal in a list.
pub(crate) fn summary(snapshot: &Snapshot, review: &Review) -> protocol::proposal::ProposalSummary {
    let proposal = &review.proposal;
    let hunks = || proposal.files.iter().flat_map(|file| &file.hunks);
    let amended = hunks().filter_map(|hunk| snapshot.turns.get(&hunk.turn)).map(|turn| turn.started_at);
    protocol::proposal::ProposalSummary {
        proposal_id: proposal.id.to_string(),
        title: proposal.title.clone(),
        state: review_state(proposal.state()),
        origin: origin(review),
        files: review.counts(&snapshot.documents).into_iter().map(file_count).collect(),
        created_at: timestamp(proposal.created_at),
        updated_at: timestamp(amended.fold(proposal.created_at, Timestamp::max)),
    }
}

fn origin(review: &Review) -> protocol::outcome::Origin {
    protocol::outcome::Origin {
        session_id: review.proposal.session.to_string(),
        turn_id: Some(review.proposal.turn.to_string()),
        task_id: None,
    }
}

pub(crate) fn timestamp(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or_default().to_string()
}

/// A proposal, whole. Reads the disk for files that are not open: not for the runtime's threads.
pub(crate) fn proposal(snapshot: &Snapshot, review: &Review) -> protocol::proposal::Proposal {
    let file = |file: &FileChange| {
        let placed = placed_file(snapshot, review, file);
        let hunk = |hunk: &Hunk| self::hunk(snapshot, review, file, hunk, placed.as_ref());
        protocol::proposal::ProposalFile {
            uri: uri(&snapshot.documents, &file.path),
            kind: match file.kind() {
                ChangeKind::Modify => protocol::proposal::FileKind::Modify,
                ChangeKind::Create => protocol::proposal::FileKind::Create,
                ChangeKind::Delete => protocol::proposal::FileKind::Delete,
                ChangeKind::Rename { .. } => protocol::proposal::FileKind::Rename,
            },
            new_uri: match file.kind() {
                ChangeKind::Rename { to } => Some(uri(&snapshot.documents, to)),
                _ => None,
            },
            state: review_state(file.state()),
            base_hash: file.base.as_str().to_owned(),
            hunks: file.hunks.iter().map(hunk).collect(),
            unified_diff: placed.map(|placed| unified_diff(snapshot, file, &placed)).unwrap_or_default(),
        }
    };
    protocol::proposal::Proposal {
        proposal_id: review.proposal.id.to_string(),
        title: review.proposal.title.clone(),
        state: review_state(review.proposal.state()),
        origin: origin(review),
        files: review.proposal.files.iter().map(file).collect(),
    }
}

pub(crate) fn hunk(
    snapshot: &Snapshot,
    review: &Review,
    file: &FileChange,
    hunk: &Hunk,
    placed: Option<&PlacedFile>,
) -> protocol::proposal::Hunk {
    let Standing { range: at, state, reason, .. } = standing(review, file, hunk, placed, snapshot.encoding);
    let place = placed.and_then(|placed| Some((placed, placed.placement.place(&hunk.id)?)));
    let old_text = match place {
        Some((placed, place)) if place.holds == Holds::Old && hunk.kind == ChangeKind::Modify => {
            text_of(&placed.text, &place.lines)
        }
        _ => hunk.old_text.to_string(),
    };
    protocol::proposal::Hunk {
        hunk_id: hunk.id.to_string(),
        range: range(at),
        state: hunk_state(state),
        old_text,
        new_text: hunk.new_text.to_string(),
        conflict: placed.filter(|_| state == HunkState::Stale).and_then(|placed| {
            let Conflict { current, merged } = resolve::conflict(placed, hunk)?;
            Some(protocol::proposal::Conflict { current_text: current, merged_text: merged })
        }),
        reason: match &hunk.verdict {
            Verdict::Rejected { reason, .. } => reason.clone(),
            _ => reason,
        },
        saved: match state {
            HunkState::Accepted { saved } => Some(saved),
            _ => None,
        },
        by_hunk_id: match &hunk.verdict {
            Verdict::Superseded { by } => by.as_ref().map(ToString::to_string),
            _ => None,
        },
        split_from: hunk.split_from.as_ref().map(ToString::to_string),
        turn_id: Some(hunk.turn.to_string()),
        rejected_before: hunk.rejected_before,
    }
}

/// Returns where a hunk is shown: its lines, exactly; the line before it when it only inserts.
pub(crate) fn hunk_range(
    text: &Rope,
    lines: &std::ops::Range<usize>,
    encoding: PositionEncoding,
) -> TextRange {
    let start = if lines.is_empty() { lines.start.saturating_sub(1) } else { lines.start };
    let char_of = |line: usize| text.try_line_to_char(line).unwrap_or(text.len_chars());
    let position = |line: usize| Position::from_char(text, char_of(line), encoding);
    TextRange::new(position(start), position(lines.end))
}

fn text_of(text: &Rope, lines: &std::ops::Range<usize>) -> String {
    let char_of = |line: usize| text.try_line_to_char(line).unwrap_or(text.len_chars());
    let text = text.slice(char_of(lines.start)..char_of(lines.end)).to_string();
    text.strip_prefix(kkcode_core::text::BOM).map(str::to_owned).unwrap_or(text)
}

/// Returns all that is pending in a file as a unified diff, named by its path in the workspace, as `git apply` takes it.
fn unified_diff(snapshot: &Snapshot, file: &FileChange, placed: &PlacedFile) -> String {
    let name = |path: &Path| {
        let folder = snapshot.folders.iter().find_map(|folder| path.strip_prefix(folder).ok());
        folder.unwrap_or(path).to_string_lossy().trim_start_matches('/').to_owned()
    };
    let is_pending = |hunk: &&Hunk| {
        let place = placed.placement.place(&hunk.id);
        hunk.verdict.is_open() && place.is_some_and(|place| place.holds.is_pending())
    };
    let pending: Vec<&Hunk> = file.hunks.iter().filter(is_pending).collect();
    let whole = pending.iter().find(|hunk| hunk.kind != ChangeKind::Modify);
    let old = name(&file.path);
    let (a, b) = (format!("a/{old}"), format!("b/{old}"));
    match whole.map(|hunk| (&hunk.kind, hunk)) {
        // A file without a line has no hunk in a diff; git knows it by the name of the empty blob. All others have plain
        // headers, so that every file of a diff is found from the same folder.
        Some((ChangeKind::Create, hunk)) if hunk.new_text.is_empty() => {
            format!("diff --git {a} {b}\nnew file mode 100644\nindex 0000000..e69de29\n")
        }
        Some((ChangeKind::Delete, hunk)) if hunk.old_text.is_empty() => {
            format!("diff --git {a} {b}\ndeleted file mode 100644\nindex e69de29..0000000\n")
        }
        Some((ChangeKind::Create, hunk)) => unified("", &hunk.new_text, "/dev/null", &b),
        Some((ChangeKind::Delete, hunk)) => unified(&hunk.old_text, "", &a, "/dev/null"),
        Some((ChangeKind::Rename { to }, hunk)) => {
            let to = name(to);
            let lines = unified(&hunk.old_text, &hunk.new_text, &a, &format!("b/{to}"));
            format!("diff --git {a} b/{to}\nrename from {old}\nrename to {to}\n{lines}")
        }
        _ => {
            let text = Lines::of_rope(&placed.text);
            let proposed = overlay_text(&text, file, &placed.placement, snapshot.reviews.texts());
            unified(text.text(), &proposed, &a, &b)
        }
    }
}
