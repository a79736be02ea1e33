//! Checks the messages of our own against the types of the protocol: what they hold is all that may be there.

use kkcode_protocol::commands::{
    FileAccept, FileDiff, FileReject, HunkAccept, HunkReject, HunkShow, ModelList, ModelSelect,
    PermissionAnswer, PermissionForget, PermissionList, PermissionSetLevel, ProposalAccept, ProposalEdit,
    ProposalList, ProposalReject, ProposalShow, QuestionAnswer, ReviewComment, ReviewRedo, ReviewSend,
    ReviewUndo, SessionDelete, SessionFork, SessionList, SessionRename, SessionShow, Status, TaskCancel,
    TaskClean, TaskList, TaskLogs, TaskRetry, TaskShow, TaskStart, TurnCancel, TurnShow, TurnStart,
};
use kkcode_protocol::message::{Command, Notification, Request};
use kkcode_protocol::notifications::{
    PermissionDidAsk, PermissionDidResolve, ProposalDidChange, QuestionDidAsk, QuestionDidResolve,
    TaskDidChange, TurnDidFinish, TurnDidUpdate,
};
use kkcode_protocol::requests::{DocumentSave, EventsSince, ProposalContent, SecretSet};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Returns what is wrong with the params of a request or notification of the server.
pub(super) fn params(method: &str, is_request: bool, params: &Value) -> Vec<String> {
    macro_rules! notifications {
        ($($message:ident)+) => {
            match method {
                $($message::NAME => exact::<<$message as Notification>::Params>(params),)+
                _ => vec![format!("{method}: unknown")],
            }
        };
    }
    match method {
        DocumentSave::NAME if is_request => exact::<<DocumentSave as Request>::Params>(params),
        _ if is_request => vec![format!("{method}: unknown")],
        _ => notifications! {
            TurnDidUpdate TurnDidFinish ProposalDidChange TaskDidChange PermissionDidAsk PermissionDidResolve
            QuestionDidAsk QuestionDidResolve
        },
    }
}

/// Returns what is wrong with the answer to a command or request of ours; nothing if `name` is none of those.
pub(super) fn result(name: &str, result: &Value) -> Vec<String> {
    macro_rules! commands {
        ($($message:ident)+) => {
            match name {
                $($message::NAME => exact::<<$message as Command>::Result>(result),)+
                ProposalContent::NAME => exact::<<ProposalContent as Request>::Result>(result),
                EventsSince::NAME => exact::<<EventsSince as Request>::Result>(result),
                SecretSet::NAME => exact::<<SecretSet as Request>::Result>(result),
                _ if name.starts_with("kkcode.") => vec![format!("{name}: an answer that nobody checks")],
                _ => Vec::new(),
            }
        };
    }
    commands! {
        TurnStart TurnCancel TurnShow HunkAccept HunkReject HunkShow FileAccept FileReject FileDiff
        ProposalAccept ProposalReject ProposalEdit ProposalList ProposalShow ReviewUndo ReviewRedo ReviewComment
        ReviewSend TaskStart TaskList TaskShow TaskLogs TaskCancel TaskRetry TaskClean SessionList SessionShow
        SessionFork SessionRename SessionDelete PermissionAnswer PermissionList PermissionForget
        PermissionSetLevel QuestionAnswer ModelList ModelSelect Status
    }
}

/// Reads a value as its type and writes it again: a member that is unknown, or null, does not come back.
fn exact<T: Serialize + DeserializeOwned>(value: &Value) -> Vec<String> {
    match serde_json::from_value::<T>(value.clone()).and_then(serde_json::to_value) {
        Ok(read) if read == *value => Vec::new(),
        Ok(read) => vec![format!("it is read as {read}")],
        Err(error) => vec![error.to_string()],
    }
}
