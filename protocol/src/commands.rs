//! Every command of `workspace/executeCommand`, with its types.

use crate::message::{Command, Direction, MessageSpec};
use crate::{model, permission, proposal, question, review, session, status, task, turn};

macro_rules! commands {
    ($($(#[doc = $doc:literal])+ $command:ident = $name:literal ($params:ty) -> $result:ty;)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug)]
            pub enum $command {}

            impl Command for $command {
                const SPEC: MessageSpec = MessageSpec {
                    name: $name,
                    direction: Direction::ClientToServer,
                    doc: concat!($($doc),+).trim_ascii(),
                };
                type Params = $params;
                type Result = $result;
            }
        )+

        /// All commands, in the specification's order; what the server announces as `executeCommandProvider.commands`.
        pub const COMMANDS: &[MessageSpec] = &[$($command::SPEC),+];

        #[cfg(any(test, feature = "schema"))]
        pub(crate) fn visit(visitor: &mut impl crate::message::Visitor) {
            $(visitor.command::<$command>();)+
        }
    };
}

commands! {
    /// Starts a turn: the agent answers one prompt.
    TurnStart = "kkcode.turn.start" (turn::TurnStartParams) -> turn::TurnStartResult;
    /// Cancels a running or waiting turn; what it proposed stays reviewable.
    TurnCancel = "kkcode.turn.cancel" (turn::TurnCancelParams) -> turn::TurnCancelResult;
    /// Shows what a turn said, proposed and used.
    TurnShow = "kkcode.turn.show" (turn::TurnShowParams) -> turn::TurnShowResult;

    /// Accepts a hunk, or some of its lines.
    HunkAccept = "kkcode.hunk.accept" (review::HunkAcceptParams) -> review::DecisionResult;
    /// Rejects a hunk, or some of its lines.
    HunkReject = "kkcode.hunk.reject" (review::HunkRejectParams) -> review::DecisionResult;
    /// Takes the user to a hunk.
    HunkShow = "kkcode.hunk.show" (proposal::HunkShowParams) -> proposal::ShownResult;
    /// Accepts all open hunks of one file.
    FileAccept = "kkcode.file.accept" (review::FileDecisionParams) -> review::DecisionResult;
    /// Rejects all open hunks of one file.
    FileReject = "kkcode.file.reject" (review::FileDecisionParams) -> review::DecisionResult;
    /// Opens what a file would be.
    FileDiff = "kkcode.file.diff" (proposal::FileDiffParams) -> proposal::ShownResult;
    /// Accepts all open hunks of a proposal.
    ProposalAccept = "kkcode.proposal.accept" (review::ProposalDecisionParams) -> review::DecisionResult;
    /// Rejects all open hunks of a proposal.
    ProposalReject = "kkcode.proposal.reject" (review::ProposalDecisionParams) -> review::DecisionResult;
    /// Replaces the proposed text of one file by the user's own version.
    ProposalEdit = "kkcode.proposal.edit" (proposal::ProposalEditParams) -> proposal::ProposalEditResult;
    /// Lists the proposals of this workspace.
    ProposalList = "kkcode.proposal.list" (proposal::ProposalListParams) -> proposal::ProposalListResult;
    /// Shows a proposal with its files, hunks and diffs.
    ProposalShow = "kkcode.proposal.show" (proposal::ProposalShowParams) -> proposal::Proposal;

    /// Undoes the last decision.
    ReviewUndo = "kkcode.review.undo" (review::ReviewUndoParams) -> review::ReviewUndoResult;
    /// Makes the decision again that was undone last.
    ReviewRedo = "kkcode.review.redo" (review::ReviewUndoParams) -> review::ReviewUndoResult;
    /// Keeps a comment on a proposal for the next turn.
    ReviewComment = "kkcode.review.comment" (review::ReviewCommentParams) -> review::ReviewCommentResult;
    /// Starts the next turn with all comments and decisions.
    ReviewSend = "kkcode.review.send" (review::ReviewSendParams) -> review::ReviewSendResult;

    /// Starts a task: a turn in the background, which outlives the editor.
    TaskStart = "kkcode.task.start" (task::TaskStartParams) -> task::TaskStartResult;
    /// Lists tasks, newest first.
    TaskList = "kkcode.task.list" (task::TaskListParams) -> task::TaskListResult;
    /// Shows a task with what it was started with.
    TaskShow = "kkcode.task.show" (task::TaskParams) -> task::Task;
    /// Reads a task's event log.
    TaskLogs = "kkcode.task.logs" (task::TaskLogsParams) -> task::TaskLogsResult;
    /// Cancels a task that has not ended.
    TaskCancel = "kkcode.task.cancel" (task::TaskParams) -> task::Task;
    /// Starts a failed or interrupted task again.
    TaskRetry = "kkcode.task.retry" (task::TaskParams) -> task::Task;
    /// Removes the records of tasks that ended long ago.
    TaskClean = "kkcode.task.clean" (task::TaskCleanParams) -> task::TaskCleanResult;

    /// Lists the sessions of this workspace, last used first.
    SessionList = "kkcode.session.list" (session::SessionListParams) -> session::SessionListResult;
    /// Shows a session with its turns.
    SessionShow = "kkcode.session.show" (session::SessionShowParams) -> session::Session;
    /// Copies a session, so that the conversation can go on in two ways.
    SessionFork = "kkcode.session.fork" (session::SessionParams) -> session::SessionSummary;
    /// Gives a session a title.
    SessionRename = "kkcode.session.rename" (session::SessionRenameParams) -> session::SessionSummary;
    /// Deletes a session and its open proposal.
    SessionDelete = "kkcode.session.delete" (session::SessionParams) -> session::SessionDeleteResult;

    /// Answers a permission prompt.
    PermissionAnswer = "kkcode.permission.answer"
        (permission::PermissionAnswerParams) -> permission::PermissionAnswerResult;
    /// Lists the level, the learned rules and the open prompts.
    PermissionList = "kkcode.permission.list"
        (permission::PermissionListParams) -> permission::PermissionListResult;
    /// Forgets a learned rule.
    PermissionForget = "kkcode.permission.forget"
        (permission::PermissionForgetParams) -> permission::PermissionForgetResult;
    /// Sets the permission level of this editor's turns.
    PermissionSetLevel = "kkcode.permission.setLevel"
        (permission::PermissionSetLevelParams) -> permission::PermissionSetLevelResult;

    /// Answers the agent's questions.
    QuestionAnswer = "kkcode.question.answer"
        (question::QuestionAnswerParams) -> question::QuestionAnswerResult;

    /// Lists the models of the configured providers.
    ModelList = "kkcode.model.list" (model::ModelListParams) -> model::ModelListResult;
    /// Selects the model of the turns and tasks to come.
    ModelSelect = "kkcode.model.select" (model::ModelSelectParams) -> model::ModelSelectResult;

    /// Tells in one line's worth of values how things stand.
    Status = "kkcode.status" (status::StatusParams) -> status::StatusResult;
}
