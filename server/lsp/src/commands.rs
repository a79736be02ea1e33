//! `workspace/executeCommand`: one row for each command that the server has.

mod model;
mod permission;
mod proposal;
mod question;
mod review;
mod session;
mod status;
mod task;
mod turn;

use std::sync::Arc;

use kkcode_core::effect::Refusal;
use kkcode_core::task::Interruption;
use kkcode_protocol::commands::{
    COMMANDS, FileAccept, FileDiff, FileReject, HunkAccept, HunkReject, HunkShow, ModelList, ModelSelect,
    PermissionAnswer, PermissionForget, PermissionList, PermissionSetLevel, ProposalAccept, ProposalEdit,
    ProposalList, ProposalReject, ProposalShow, QuestionAnswer, ReviewComment, ReviewRedo, ReviewSend,
    ReviewUndo, SessionDelete, SessionFork, SessionList, SessionRename, SessionShow, Status, TaskCancel,
    TaskClean, TaskList, TaskLogs, TaskRetry, TaskShow, TaskStart, TurnCancel, TurnShow, TurnStart,
};
use kkcode_protocol::message::Command;
use lsp_types::ExecuteCommandParams;
use serde_json::{Map, Value};
use tower_lsp::jsonrpc::{Error, Result};

use crate::progress::Work;
use crate::session::Session;
use crate::{error, show};

pub(crate) use model::set_secret;

/// Answers a command. What it changes is on its way before the first `.await`.
pub(crate) async fn execute(session: Arc<Session>, params: ExecuteCommandParams) -> Result<Option<Value>> {
    let ExecuteCommandParams { command, arguments, .. } = params;
    let call = Call { client: session, arguments };
    match command.as_str() {
        TurnStart::NAME => call.answer::<TurnStart, _>(turn::start).await,
        TurnCancel::NAME => call.answer::<TurnCancel, _>(turn::cancel).await,
        TurnShow::NAME => call.answer::<TurnShow, _>(turn::show).await,
        HunkAccept::NAME => call.answer::<HunkAccept, _>(review::accept_hunk).await,
        HunkReject::NAME => call.answer::<HunkReject, _>(review::reject_hunk).await,
        HunkShow::NAME => call.answer::<HunkShow, _>(show::hunk).await,
        FileAccept::NAME => call.answer::<FileAccept, _>(review::accept_file).await,
        FileReject::NAME => call.answer::<FileReject, _>(review::reject_file).await,
        FileDiff::NAME => call.answer::<FileDiff, _>(show::file_diff).await,
        ProposalAccept::NAME => call.answer::<ProposalAccept, _>(review::accept_proposal).await,
        ProposalReject::NAME => call.answer::<ProposalReject, _>(review::reject_proposal).await,
        ProposalList::NAME => call.answer::<ProposalList, _>(proposal::list).await,
        ProposalShow::NAME => call.answer::<ProposalShow, _>(proposal::show).await,
        ProposalEdit::NAME => call.answer::<ProposalEdit, _>(proposal::edit).await,
        ReviewUndo::NAME => call.answer::<ReviewUndo, _>(review::undo).await,
        ReviewRedo::NAME => call.answer::<ReviewRedo, _>(review::redo).await,
        ReviewComment::NAME => call.answer::<ReviewComment, _>(review::comment).await,
        ReviewSend::NAME => call.answer::<ReviewSend, _>(review::send).await,
        TaskStart::NAME => call.answer::<TaskStart, _>(task::start).await,
        TaskList::NAME => call.answer::<TaskList, _>(task::list).await,
        TaskShow::NAME => call.answer::<TaskShow, _>(task::show).await,
        TaskLogs::NAME => call.answer::<TaskLogs, _>(task::logs).await,
        TaskCancel::NAME => call.answer::<TaskCancel, _>(task::cancel).await,
        TaskRetry::NAME => call.answer::<TaskRetry, _>(task::retry).await,
        TaskClean::NAME => call.answer::<TaskClean, _>(task::clean).await,
        SessionList::NAME => call.answer::<SessionList, _>(session::list).await,
        SessionShow::NAME => call.answer::<SessionShow, _>(session::show).await,
        SessionFork::NAME => call.answer::<SessionFork, _>(session::fork).await,
        SessionRename::NAME => call.answer::<SessionRename, _>(session::rename).await,
        SessionDelete::NAME => call.answer::<SessionDelete, _>(session::delete).await,
        ModelList::NAME => call.answer::<ModelList, _>(model::list).await,
        ModelSelect::NAME => call.answer::<ModelSelect, _>(model::select).await,
        PermissionAnswer::NAME => call.answer::<PermissionAnswer, _>(permission::answer).await,
        PermissionList::NAME => call.answer::<PermissionList, _>(permission::list).await,
        PermissionForget::NAME => call.answer::<PermissionForget, _>(permission::forget).await,
        PermissionSetLevel::NAME => call.answer::<PermissionSetLevel, _>(permission::set_level).await,
        QuestionAnswer::NAME => call.answer::<QuestionAnswer, _>(question::answer).await,
        Status::NAME => call.answer::<Status, _>(status::show).await,
        name if COMMANDS.iter().any(|known| known.name == name) => {
            Err(error::failed(format!("`{name}` is not there yet; a later version has it")))
        }
        name => Err(error::invalid_params(format!("there is no command `{name}`"))),
    }
}

/// Cancels what the client takes the progress of away; in a task of its own, for nobody waits for it.
pub(crate) fn cancel(session: &Arc<Session>, work: Work) {
    match work {
        Work::Turn(turn) => {
            let cancelled = session.request(kkcode_core::event::Command::CancelTurn { turn });
            tokio::spawn(async move {
                if let Err(error) = cancelled.await {
                    tracing::info!(%error, "no turn is cancelled");
                }
            });
        }
        Work::Task(task) => {
            let tasks = session.tasks();
            tokio::spawn(async move {
                if let Err(error) = tasks.cancel(&task, Interruption::UserCancel).await {
                    tracing::info!(%error, "no task is cancelled");
                }
            });
        }
    }
}

/// A command on its way to the function that answers it.
struct Call {
    client: Arc<Session>,
    arguments: Vec<Value>,
}

impl Call {
    /// Reads the one argument, a missing one as `{}`, and writes the answer.
    async fn answer<C, F>(self, answer: impl FnOnce(Arc<Session>, C::Params) -> F) -> Result<Option<Value>>
    where
        C: Command,
        F: Future<Output = Result<C::Result>>,
    {
        let mut arguments = self.arguments.into_iter();
        let argument = match (arguments.next(), arguments.next()) {
            (None | Some(Value::Null), None) => Value::Object(Map::new()),
            (Some(argument @ Value::Object(_)), None) => argument,
            _ => {
                return Err(error::invalid_params(format!(
                    "`{}` takes one object as its only argument",
                    C::NAME
                )));
            }
        };
        let params = serde_json::from_value(argument)
            .map_err(|e| error::invalid_params(format!("the argument of `{}` is not right: {e}", C::NAME)))?;
        let result = answer(self.client, params).await?;
        serde_json::to_value(result).map(Some).map_err(|e| error::internal(&e))
    }
}

fn unknown(what: &'static str, id: &str) -> Error {
    error::refusal(&Refusal::Unknown { what, id: id.to_owned() })
}
