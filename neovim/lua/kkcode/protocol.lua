-- Generated from protocol/ by `cargo run -p kkcode-protocol --features schema --bin kkcode-protocol-generate`; do not edit.

local M = {}

---The version of the protocol.
M.PROTOCOL_VERSION = 1

---The names of the commands of `workspace/executeCommand`.
M.commands = {
  ---Starts a turn: the agent answers one prompt.
  ---`kkcode.TurnStartParams` → `kkcode.TurnStartResult`
  turn_start = "kkcode.turn.start",
  ---Cancels a running or waiting turn; what it proposed stays reviewable.
  ---`kkcode.TurnCancelParams` → `kkcode.TurnCancelResult`
  turn_cancel = "kkcode.turn.cancel",
  ---Shows what a turn said, proposed and used.
  ---`kkcode.TurnShowParams` → `kkcode.TurnShowResult`
  turn_show = "kkcode.turn.show",
  ---Accepts a hunk, or some of its lines.
  ---`kkcode.HunkAcceptParams` → `kkcode.DecisionResult`
  hunk_accept = "kkcode.hunk.accept",
  ---Rejects a hunk, or some of its lines.
  ---`kkcode.HunkRejectParams` → `kkcode.DecisionResult`
  hunk_reject = "kkcode.hunk.reject",
  ---Takes the user to a hunk.
  ---`kkcode.HunkShowParams` → `kkcode.ShownResult`
  hunk_show = "kkcode.hunk.show",
  ---Accepts all open hunks of one file.
  ---`kkcode.FileDecisionParams` → `kkcode.DecisionResult`
  file_accept = "kkcode.file.accept",
  ---Rejects all open hunks of one file.
  ---`kkcode.FileDecisionParams` → `kkcode.DecisionResult`
  file_reject = "kkcode.file.reject",
  ---Opens what a file would be.
  ---`kkcode.FileDiffParams` → `kkcode.ShownResult`
  file_diff = "kkcode.file.diff",
  ---Accepts all open hunks of a proposal.
  ---`kkcode.ProposalDecisionParams` → `kkcode.DecisionResult`
  proposal_accept = "kkcode.proposal.accept",
  ---Rejects all open hunks of a proposal.
  ---`kkcode.ProposalDecisionParams` → `kkcode.DecisionResult`
  proposal_reject = "kkcode.proposal.reject",
  ---Replaces the proposed text of one file by the user's own version.
  ---`kkcode.ProposalEditParams` → `kkcode.ProposalEditResult`
  proposal_edit = "kkcode.proposal.edit",
  ---Lists the proposals of this workspace.
  ---`kkcode.ProposalListParams` → `kkcode.ProposalListResult`
  proposal_list = "kkcode.proposal.list",
  ---Shows a proposal with its files, hunks and diffs.
  ---`kkcode.ProposalShowParams` → `kkcode.Proposal`
  proposal_show = "kkcode.proposal.show",
  ---Undoes the last decision.
  ---`kkcode.ReviewUndoParams` → `kkcode.ReviewUndoResult`
  review_undo = "kkcode.review.undo",
  ---Makes the decision again that was undone last.
  ---`kkcode.ReviewUndoParams` → `kkcode.ReviewUndoResult`
  review_redo = "kkcode.review.redo",
  ---Keeps a comment on a proposal for the next turn.
  ---`kkcode.ReviewCommentParams` → `kkcode.ReviewCommentResult`
  review_comment = "kkcode.review.comment",
  ---Starts the next turn with all comments and decisions.
  ---`kkcode.ReviewSendParams` → `kkcode.ReviewSendResult`
  review_send = "kkcode.review.send",
  ---Starts a task: a turn in the background, which outlives the editor.
  ---`kkcode.TaskStartParams` → `kkcode.TaskStartResult`
  task_start = "kkcode.task.start",
  ---Lists tasks, newest first.
  ---`kkcode.TaskListParams` → `kkcode.TaskListResult`
  task_list = "kkcode.task.list",
  ---Shows a task with what it was started with.
  ---`kkcode.TaskParams` → `kkcode.Task`
  task_show = "kkcode.task.show",
  ---Reads a task's event log.
  ---`kkcode.TaskLogsParams` → `kkcode.TaskLogsResult`
  task_logs = "kkcode.task.logs",
  ---Cancels a task that has not ended.
  ---`kkcode.TaskParams` → `kkcode.Task`
  task_cancel = "kkcode.task.cancel",
  ---Starts a failed or interrupted task again.
  ---`kkcode.TaskParams` → `kkcode.Task`
  task_retry = "kkcode.task.retry",
  ---Removes the records of tasks that ended long ago.
  ---`kkcode.TaskCleanParams` → `kkcode.TaskCleanResult`
  task_clean = "kkcode.task.clean",
  ---Lists the sessions of this workspace, last used first.
  ---`kkcode.SessionListParams` → `kkcode.SessionListResult`
  session_list = "kkcode.session.list",
  ---Shows a session with its turns.
  ---`kkcode.SessionShowParams` → `kkcode.Session`
  session_show = "kkcode.session.show",
  ---Copies a session, so that the conversation can go on in two ways.
  ---`kkcode.SessionParams` → `kkcode.SessionSummary`
  session_fork = "kkcode.session.fork",
  ---Gives a session a title.
  ---`kkcode.SessionRenameParams` → `kkcode.SessionSummary`
  session_rename = "kkcode.session.rename",
  ---Deletes a session and its open proposal.
  ---`kkcode.SessionParams` → `kkcode.SessionDeleteResult`
  session_delete = "kkcode.session.delete",
  ---Answers a permission prompt.
  ---`kkcode.PermissionAnswerParams` → `kkcode.PermissionAnswerResult`
  permission_answer = "kkcode.permission.answer",
  ---Lists the level, the learned rules and the open prompts.
  ---`kkcode.PermissionListParams` → `kkcode.PermissionListResult`
  permission_list = "kkcode.permission.list",
  ---Forgets a learned rule.
  ---`kkcode.PermissionForgetParams` → `kkcode.PermissionForgetResult`
  permission_forget = "kkcode.permission.forget",
  ---Sets the permission level of this editor's turns.
  ---`kkcode.PermissionSetLevelParams` → `kkcode.PermissionSetLevelResult`
  permission_set_level = "kkcode.permission.setLevel",
  ---Answers the agent's questions.
  ---`kkcode.QuestionAnswerParams` → `kkcode.QuestionAnswerResult`
  question_answer = "kkcode.question.answer",
  ---Lists the models of the configured providers.
  ---`kkcode.ModelListParams` → `kkcode.ModelListResult`
  model_list = "kkcode.model.list",
  ---Selects the model of the turns and tasks to come.
  ---`kkcode.ModelSelectParams` → `kkcode.ModelSelectResult`
  model_select = "kkcode.model.select",
  ---Tells in one line's worth of values how things stand.
  ---`kkcode.StatusParams` → `kkcode.StatusResult`
  status = "kkcode.status",
}

---The names of the requests.
M.requests = {
  ---Asks for the text of a virtual document of a proposal.
  ---`kkcode.ProposalContentParams` → `kkcode.ProposalContentResult`
  proposal_content = "kkcode/proposal/content",
  ---Asks what happened since an event, to catch up after a restart.
  ---`kkcode.EventsSinceParams` → `kkcode.EventsSinceResult`
  events_since = "kkcode/events/since",
  ---Hands over a provider's key from the editor's own secret storage.
  ---`kkcode.SecretSetParams` → `kkcode.SecretSetResult`
  secret_set = "kkcode/secret/set",
  ---From the server: asks the editor to save a document before a command reads it from the disk.
  ---`kkcode.DocumentSaveParams` → `kkcode.DocumentSaveResult`
  document_save = "kkcode/document/save",
}

---The names of the notifications.
M.notifications = {
  ---Tells that the user trusts a workspace folder, or no longer does.
  ---`kkcode.TrustDidChangeParams`
  trust_did_change = "kkcode/trust/didChange",
  ---From the server: tells what a running turn does, at most 30 times a second.
  ---`kkcode.TurnDidUpdateParams`
  turn_did_update = "kkcode/turn/didUpdate",
  ---From the server: tells that a turn ended, and how.
  ---`kkcode.TurnDidFinishParams`
  turn_did_finish = "kkcode/turn/didFinish",
  ---From the server: tells that the hunks of a proposal, or their states, are others than before.
  ---`kkcode.ProposalDidChangeParams`
  proposal_did_change = "kkcode/proposal/didChange",
  ---From the server: tells that a task's record is another than before.
  ---`kkcode.TaskDidChangeParams`
  task_did_change = "kkcode/task/didChange",
  ---From the server: tells that the agent waits for a permission.
  ---`kkcode.PermissionDidAskParams`
  permission_did_ask = "kkcode/permission/didAsk",
  ---From the server: tells that a permission prompt was answered, so that others withdraw it.
  ---`kkcode.PermissionDidResolveParams`
  permission_did_resolve = "kkcode/permission/didResolve",
  ---From the server: tells that the agent asks the user something.
  ---`kkcode.QuestionDidAskParams`
  question_did_ask = "kkcode/question/didAsk",
  ---From the server: tells that a question was answered, so that others withdraw it.
  ---`kkcode.QuestionDidResolveParams`
  question_did_resolve = "kkcode/question/didResolve",
}

---What a client may give as `initializationOptions`.
---@class kkcode.InitializationOptions
---Configuration in the shape of `config.yaml`; counts as the user's own, so a client puts nothing in it that a
---workspace can set.
---@field config? table<string, any>
---Whether the user trusts the workspace: `false` always wins, `true` is honoured only from a client with
---`experimental.kkcode`.
---@field trusted? boolean
---An absolute path to use as kkcode's home instead of `$KKCODE_HOME` or `~/.kkcode`.
---@field home? string

---The `experimental` part of the capabilities of both sides.
---@class kkcode.ExperimentalCapabilities
---Given by a client that knows our notifications, and always by the server.
---@field kkcode? kkcode.KkcodeCapability

---Which version of this protocol one side speaks.
---@class kkcode.KkcodeCapability
---`1`.
---@field protocolVersion integer

---Argument of `kkcode.turn.start`.
---@class kkcode.TurnStartParams
---What the user wants.
---@field prompt string
---How to work on it; `agent` when left out.
---@field mode? kkcode.Mode
---The session to go on with; a new one when left out.
---@field sessionId? string
---The document the user is in.
---@field textDocument? kkcode.DocumentIdentifier
---The selection in `textDocument`.
---@field range? kkcode.Range
---Other documents, or parts of them, that the agent gets to see at once.
---@field context? kkcode.ContextItem[]
---Diagnostics that the agent gets to see at once.
---@field diagnostics? kkcode.ContextDiagnostic[]
---The model of this turn; the selected one when left out.
---@field model? string
---The permission level of this turn; the one in force when left out.
---@field level? kkcode.Level

---How the agent works on a prompt.
---@alias kkcode.Mode
---| "ask" # Answers, reads, changes nothing.
---| "plan" # Works out a plan, changes nothing.
---| "agent" # Does the work; what a turn does when nothing else is said.
---| "longagent" # Does long work in stages; answered -32803 as long as the server does not have it.

---A document, and the version of it that a request is about.
---@class kkcode.DocumentIdentifier
---Its address.
---@field uri string
---Its version, as `textDocument/didChange` counts; with it, a request for another version is refused (-32801).
---@field version? integer

---A part of a document.
---@class kkcode.Range
---Where it begins.
---@field start kkcode.Position
---Where it ends; this place is no longer part of it.
---@field end kkcode.Position

---A place in a document.
---@class kkcode.Position
---Line, from 0.
---@field line integer
---Offset in the line, from 0, in code units of the negotiated position encoding; a byte order mark does not count.
---@field character integer

---A document, or a part of one, that the agent gets to see.
---@class kkcode.ContextItem
---The document's address.
---@field uri string
---The part; the whole document when left out.
---@field range? kkcode.Range

---A diagnostic that the editor has from any server, and its document.
---@class kkcode.ContextDiagnostic
---The document's address.
---@field uri string
---The diagnostic.
---@field diagnostic kkcode.Diagnostic

---The part of the Language Server Protocol's `Diagnostic` that the agent gets to see; other members are ignored.
---@class kkcode.Diagnostic
---Where.
---@field range kkcode.Range
---1 error, 2 warning, 3 information, 4 hint.
---@field severity? integer
---Its code.
---@field code? kkcode.DiagnosticCode
---The tool that found it.
---@field source? string
---What is wrong.
---@field message string

---A diagnostic's code.
---@alias kkcode.DiagnosticCode integer|string

---What the agent may do unasked, from least to most.
---@alias kkcode.Level
---| "readonly" # Reads and searches; no rule can allow more.
---| "manual" # Reads and searches; edits become pending hunks, all else is asked.
---| "accept-edits" # Edits apply at once and are reviewed after; risky commands are asked.
---| "yolo" # Everything but what a rule denies and what touches protected paths.

---Answer to `kkcode.turn.start`.
---@class kkcode.TurnStartResult
---The turn that was started.
---@field turnId string
---Its session, new or as given.
---@field sessionId string

---Argument of `kkcode.turn.cancel`.
---@class kkcode.TurnCancelParams
---The turn.
---@field turnId string

---Answer to `kkcode.turn.cancel`.
---@class kkcode.TurnCancelResult
---Whether this ended the turn; `false` when it had already ended.
---@field cancelled boolean

---Argument of `kkcode.turn.show`.
---@class kkcode.TurnShowParams
---The turn.
---@field turnId string

---Answer to `kkcode.turn.show`.
---@class kkcode.TurnShowResult
---The turn.
---@field turnId string
---Its session.
---@field sessionId string
---Where it stands.
---@field status kkcode.TurnStatus
---What the agent said, as Markdown: so far, or in the end.
---@field reply? string
---Why it failed.
---@field error? kkcode.ErrorInfo
---Why it was cut off.
---@field interruptionReason? kkcode.InterruptionReason
---The proposals that it made or amended.
---@field proposalIds string[]
---What its model requests counted.
---@field usage kkcode.Usage
---What it waits for while it is `retrying`.
---@field retry? kkcode.Retry

---Where a turn stands.
---@alias kkcode.TurnStatus
---| "running" # The model or a tool works.
---| "waiting" # A permission prompt or a question is open.
---| "retrying" # A request to the model failed and is sent again after a wait; `retry` says why and when.
---| "completed" # Ended as it should.
---| "cancelled" # Ended because the user cancelled it.
---| "interrupted" # Cut off; `interruptionReason` says why.
---| "failed" # Ended with an error; `error` says which.
---| "budget_exhausted" # Ended because it used up the steps, tokens or money it was given.

---An error that a record keeps: a class to branch on, and a sentence for the user.
---@class kkcode.ErrorInfo
---The class: `auth`, `rate_limit`, `context_too_long`, `overloaded`, `network`, `protocol`, `bad_request`, `script`,
---`configuration`, `internal`; more may come.
---@field class string
---What went wrong and what to do about it.
---@field message string

---Why a turn or task was cut off.
---@alias kkcode.InterruptionReason
---| "user_cancel" # The user cancelled it.
---| "interrupt" # Its process ended without a word.
---| "timeout" # It took longer than it was allowed to.
---| "permission_cancel" # It was stopped by the answer to a permission prompt.
---| "orphaned" # The process that watched over it is gone.
---| "remote_cancel" # It was cancelled from another program.

---What models counted: tokens, and money where prices are known.
---@class kkcode.Usage
---Tokens read, without those from the provider's cache.
---@field inputTokens integer
---Tokens written, thinking included.
---@field outputTokens integer
---Tokens read from the provider's cache.
---@field cacheReadTokens? integer
---Tokens written to the provider's cache.
---@field cacheWriteTokens? integer
---What it cost, in US dollars.
---@field costUsd? number
---Whether the provider did not count and these are estimates.
---@field estimated? boolean

---A failed request to a model that is sent again.
---@class kkcode.Retry
---Which retry it is, from 1; 0 for the first request to the next model, when one has failed for good.
---@field attempt integer
---When it is sent.
---@field at string
---Why the last request failed.
---@field error kkcode.ErrorInfo

---Argument of `kkcode.hunk.accept`.
---@class kkcode.HunkAcceptParams
---The proposal.
---@field proposalId string
---The hunk.
---@field hunkId string
---Only these lines; the rest becomes a hunk of its own. The whole hunk when left out.
---@field lines? kkcode.LineSelector
---For a stale hunk, how; without it a stale hunk is refused (-32803).
---@field resolution? kkcode.Resolution

---Some lines of a hunk: old ones to take out, new ones to put in; a side that is left out gives no line.
---@class kkcode.LineSelector
---Lines of the hunk's `oldText`: from the first, up to but without the second, counted from 0.
---@field old? [integer, integer]
---Lines of the hunk's `newText`, likewise.
---@field new? [integer, integer]

---How to accept a stale hunk.
---@alias kkcode.Resolution
---| "merge" # *Merge*: the three-way merge of the proposal and the user's lines; refused (-32803) when it is not clean.
---| "theirs" # *Take proposal here*: the proposal instead of the user's lines.

---Answer to every command that accepts or rejects.
---@class kkcode.DecisionResult
---`applying` when the text has to change first and the outcome comes by `kkcode/proposal/didChange`; `accepted` or
---`rejected` when the decision already stands.
---@field status kkcode.HunkState

---Where a hunk stands.
---@alias kkcode.HunkState
---| "pending" # Not in the text, undecided.
---| "applying" # On its way into the text, or out of it.
---| "applied" # In the text, undecided.
---| "accepted" # In the text, decided; `saved` says whether it is final.
---| "rejected" # Not in the text, decided.
---| "stale" # The text around it is another by now; `reason` says what to do, and it is pending again when its lines are back.
---| "superseded" # The agent has changed it; `byHunkId` is the newer one.

---Argument of `kkcode.hunk.reject`.
---@class kkcode.HunkRejectParams
---The proposal.
---@field proposalId string
---The hunk.
---@field hunkId string
---Only these lines; the rest becomes a hunk of its own. The whole hunk when left out.
---@field lines? kkcode.LineSelector
---Why; the agent is told at the start of its next turn.
---@field reason? string
---The lines that the user would have there instead; the agent is told.
---@field replacement? string

---Argument of `kkcode.hunk.show`.
---@class kkcode.HunkShowParams
---The proposal.
---@field proposalId string
---The hunk.
---@field hunkId string

---Answer to `kkcode.hunk.show` and `kkcode.file.diff`.
---@class kkcode.ShownResult
---Whether the client was asked to show it. If not, it cannot, and a message says where to look.
---@field shown boolean

---Argument of `kkcode.file.accept` and `kkcode.file.reject`.
---@class kkcode.FileDecisionParams
---The proposal.
---@field proposalId string
---A file of it.
---@field uri string
---Why; the agent is told at the start of its next turn.
---@field reason? string

---Argument of `kkcode.file.diff`.
---@class kkcode.FileDiffParams
---The proposal.
---@field proposalId string
---A file of it.
---@field uri string

---Argument of `kkcode.proposal.accept` and `kkcode.proposal.reject`.
---@class kkcode.ProposalDecisionParams
---The proposal.
---@field proposalId string
---Why; the agent is told at the start of its next turn.
---@field reason? string

---Argument of `kkcode.proposal.edit`.
---@class kkcode.ProposalEditParams
---The proposal.
---@field proposalId string
---A file of it.
---@field uri string
---The whole text that the user wants the file to have.
---@field text string

---Answer to `kkcode.proposal.edit`.
---@class kkcode.ProposalEditResult
---The proposal.
---@field proposalId string
---The file's hunks of now; unchanged ones keep their ids.
---@field hunks kkcode.Hunk[]

---One contiguous change.
---@class kkcode.Hunk
---The hunk; the same for as long as the change is the same.
---@field hunkId string
---Where it stands in the document's text of now: for a pending hunk exactly `oldText`, for a pure insertion the line
---before it, or an empty range at the start of the file.
---@field range kkcode.Range
---Where it stands in the review.
---@field state kkcode.HunkState
---The lines to be replaced, exactly, with their line endings; empty for a pure insertion.
---@field oldText string
---The lines to replace them with, exactly; empty for a pure deletion.
---@field newText string
---For a stale hunk, what stands in its way.
---@field conflict? kkcode.Conflict
---Why it is stale, or with what reason it was rejected.
---@field reason? string
---For an accepted hunk, whether its text is saved and the decision thereby final.
---@field saved? boolean
---For a superseded hunk, the one that took its place.
---@field byHunkId? string
---The hunk that it was a part of before some of its lines were decided.
---@field splitFrom? string
---The turn that made it.
---@field turnId? string
---Whether the same change was rejected in an earlier turn.
---@field rejectedBefore? boolean

---What stands in a stale hunk's way.
---@class kkcode.Conflict
---The lines of now at the hunk's `range`.
---@field currentText string
---What *Merge* would make of them; left out when the three-way merge is not clean, so that only *Take proposal here*
---and *Keep mine* remain.
---@field mergedText? string

---Argument of `kkcode.proposal.list`.
---@class kkcode.ProposalListParams
---Only proposals in this state; all when left out.
---@field state? kkcode.ReviewState

---Where a file of a proposal, or the whole proposal, stands.
---@alias kkcode.ReviewState
---| "open" # Some hunk is undecided.
---| "accepted" # All hunks were accepted.
---| "rejected" # All hunks were rejected.
---| "partial" # All hunks are decided, some accepted, some rejected.

---Answer to `kkcode.proposal.list`.
---@class kkcode.ProposalListResult
---The proposals, last changed first.
---@field proposals kkcode.ProposalSummary[]

---A proposal in a list.
---@class kkcode.ProposalSummary
---The proposal.
---@field proposalId string
---What it is about, in a few words.
---@field title string
---Where it stands.
---@field state kkcode.ReviewState
---Where it comes from.
---@field origin kkcode.Origin
---Its files, by path.
---@field files kkcode.FileCounts[]
---When it was made.
---@field createdAt string
---When a turn last amended it or the user last decided something in it.
---@field updatedAt string

---Where a proposal or a prompt comes from.
---@class kkcode.Origin
---The session.
---@field sessionId string
---The turn, the last one for a proposal.
---@field turnId? string
---The task, when it ran in the background.
---@field taskId? string

---How much of a file is undecided.
---@class kkcode.FileCounts
---The file's address.
---@field uri string
---How many hunks wait for a decision: pending, applying or applied.
---@field pending integer
---How many hunks are stale.
---@field stale integer

---Argument of `kkcode.proposal.show`.
---@class kkcode.ProposalShowParams
---The proposal.
---@field proposalId string

---A proposal, whole; the answer to `kkcode.proposal.show`.
---@class kkcode.Proposal
---The proposal.
---@field proposalId string
---What it is about, in a few words.
---@field title string
---Where it stands.
---@field state kkcode.ReviewState
---Where it comes from.
---@field origin kkcode.Origin
---Its files, by path.
---@field files kkcode.ProposalFile[]

---One file of a proposal.
---@class kkcode.ProposalFile
---The file's address, the future one of a new file.
---@field uri string
---What happens to it.
---@field kind kkcode.FileKind
---The address after a rename.
---@field newUri? string
---Where it stands.
---@field state kkcode.ReviewState
---SHA-256 of the text that the hunks are a change of, in hexadecimal; that of the empty text for a new file.
---@field baseHash string
---Its hunks, from top to bottom.
---@field hunks kkcode.Hunk[]
---All that is undecided in it, as a unified diff with headers; empty when nothing is.
---@field unifiedDiff string

---What happens to a file.
---@alias kkcode.FileKind
---| "modify" # Its text changes.
---| "create" # It comes into being.
---| "delete" # It goes.
---| "rename" # It gets another address, `newUri`, and maybe another text.

---Argument of `kkcode.review.undo` and `kkcode.review.redo`.
---@class kkcode.ReviewUndoParams
---The proposal whose last decision is meant; the last one in this workspace when left out.
---@field proposalId? string

---Answer to `kkcode.review.undo` and `kkcode.review.redo`.
---@class kkcode.ReviewUndoResult
---The decision that was undone or made again; left out when there was none.
---@field decision? kkcode.ReviewDecision

---One decision of the user's.
---@class kkcode.ReviewDecision
---What it was.
---@field action kkcode.ReviewAction
---The proposal it was about.
---@field proposalId string
---The hunks it was about.
---@field hunkIds string[]
---The reason that was given.
---@field reason? string
---When it was made.
---@field at string

---What a decision was.
---@alias kkcode.ReviewAction
---| "accept" # Hunks were accepted.
---| "reject" # Hunks were rejected.
---| "edit" # The user's own version replaced a file's proposed text.

---Argument of `kkcode.review.comment`: about a hunk, or a range of the file, or the whole file.
---@class kkcode.ReviewCommentParams
---The proposal.
---@field proposalId string
---A file of it.
---@field uri string
---The hunk; not together with `range`.
---@field hunkId? string
---The part of the document's text of now; not together with `hunkId`.
---@field range? kkcode.Range
---What the user has to say.
---@field text string

---Answer to `kkcode.review.comment`.
---@class kkcode.ReviewCommentResult
---The comment, kept for the next turn.
---@field commentId string

---Argument of `kkcode.review.send`.
---@class kkcode.ReviewSendParams
---The proposal.
---@field proposalId string

---Answer to `kkcode.review.send`.
---@class kkcode.ReviewSendResult
---The turn, in the proposal's session, that was started with all comments and decisions.
---@field turnId string

---Argument of `kkcode.task.start`.
---@class kkcode.TaskStartParams
---What the user wants.
---@field prompt string
---What it is about, in a few words; made from the prompt when left out.
---@field description? string
---How to work on it; `agent` when left out.
---@field mode? kkcode.Mode
---Where to work; `none` when left out.
---@field isolation? kkcode.Isolation
---The model; the selected one when left out.
---@field model? string
---The session that it is started from; needed for `fork_context`.
---@field sessionId? string
---What it knows when it begins; `fresh_agent` when left out.
---@field executionMode? kkcode.ExecutionMode
---How long it may work before it is interrupted, in milliseconds; 900,000 when left out, at least 1,000.
---@field timeoutMs? integer
---A name that tasks share which belong together.
---@field groupId? string
---What the group is about, in a few words.
---@field groupLabel? string
---Paths, relative to the workspace folder, that it is expected to change.
---@field plannedFiles? string[]
---The permission level; the one in force when left out. A task never applies edits, whatever its level.
---@field level? kkcode.Level

---Where a task works.
---@alias kkcode.Isolation
---| "worktree" # In a detached git worktree of its own, which begins as a copy of the user's files with all their changes.
---| "none" # Over the user's files, which stay untouched; what a task does when nothing else is said.

---What a task knows when it begins.
---@alias kkcode.ExecutionMode
---| "fresh_agent" # Its prompt only; what a task does when nothing else is said.
---| "fork_context" # The conversation of the session that it is started from.

---Answer to `kkcode.task.start`.
---@class kkcode.TaskStartResult
---The task that was started.
---@field taskId string

---Argument of `kkcode.task.list`.
---@class kkcode.TaskListParams
---Only tasks with this status; all when left out.
---@field status? kkcode.TaskStatus

---Where a task stands.
---@alias kkcode.TaskStatus
---| "pending" # Waits for a free worker.
---| "running" # A worker does it.
---| "waiting" # An answer is needed; `waitingFor` says which.
---| "completed" # Ended as it should.
---| "cancelled" # Ended because it was cancelled.
---| "error" # Ended with an error; `error` says which.
---| "interrupted" # Cut off; `interruptionReason` says why.

---Answer to `kkcode.task.list`.
---@class kkcode.TaskListResult
---The tasks, newest first.
---@field tasks kkcode.TaskSummary[]

---A task's record.
---@class kkcode.TaskSummary
---The task.
---@field taskId string
---What it is about, in a few words.
---@field description string
---Where it stands.
---@field status kkcode.TaskStatus
---Which attempt this is, from 1.
---@field attempt integer
---The session that its turns are in.
---@field sessionId? string
---The group it belongs to.
---@field groupId? string
---What the group is about.
---@field groupLabel? string
---What it does now, in a few words.
---@field activity? string
---For a waiting task, what for.
---@field waitingFor? kkcode.WaitingFor
---Why it was cut off or cancelled.
---@field interruptionReason? kkcode.InterruptionReason
---Why it failed.
---@field error? kkcode.ErrorInfo
---What came of it.
---@field result? kkcode.TaskOutcome
---The process that does it.
---@field pid? integer
---When it was started by the user.
---@field createdAt string
---When a worker took up this attempt.
---@field startedAt? string
---When this attempt ended.
---@field endedAt? string
---Whether it was asked to stop.
---@field cancelRequested? boolean

---An answer to a permission prompt.
---@class kkcode.WaitingFor.permission
---@field kind "permission"
---The prompt, for `kkcode.permission.answer`.
---@field promptId string

---An answer to questions.
---@class kkcode.WaitingFor.question
---@field kind "question"
---The questions, for `kkcode.question.answer`.
---@field questionId string

---A provider's key, which is kept in memory only and no running server has.
---@class kkcode.WaitingFor.key
---@field kind "key"
---The provider, for `kkcode/secret/set`.
---@field provider string

---What a waiting task needs.
---@alias kkcode.WaitingFor
---| kkcode.WaitingFor.permission
---| kkcode.WaitingFor.question
---| kkcode.WaitingFor.key

---What came of a task.
---@class kkcode.TaskOutcome
---What the agent said in the end, as Markdown.
---@field reply? string
---The proposals against the user's files.
---@field proposalIds string[]
---Those of the planned files that no proposal of it changes.
---@field remainingFiles? string[]
---The worktree, when it was kept: for a retry, or because something in it is not in the proposals. An absolute path.
---@field worktreePath? string
---What its model requests counted.
---@field usage kkcode.Usage

---Argument of `kkcode.task.show`, `.cancel` and `.retry`.
---@class kkcode.TaskParams
---The task.
---@field taskId string

---A task's record and what it was started with; the answer to `kkcode.task.show`, `.cancel` and `.retry`.
---@class kkcode.Task
---The task.
---@field taskId string
---What it is about, in a few words.
---@field description string
---Where it stands.
---@field status kkcode.TaskStatus
---Which attempt this is, from 1.
---@field attempt integer
---The session that its turns are in.
---@field sessionId? string
---The group it belongs to.
---@field groupId? string
---What the group is about.
---@field groupLabel? string
---What it does now, in a few words.
---@field activity? string
---For a waiting task, what for.
---@field waitingFor? kkcode.WaitingFor
---Why it was cut off or cancelled.
---@field interruptionReason? kkcode.InterruptionReason
---Why it failed.
---@field error? kkcode.ErrorInfo
---What came of it.
---@field result? kkcode.TaskOutcome
---The process that does it.
---@field pid? integer
---When it was started by the user.
---@field createdAt string
---When a worker took up this attempt.
---@field startedAt? string
---When this attempt ended.
---@field endedAt? string
---Whether it was asked to stop.
---@field cancelRequested? boolean
---What the user wants.
---@field prompt string
---How it works on it.
---@field mode kkcode.Mode
---Its permission level.
---@field level kkcode.Level
---Where it works.
---@field isolation kkcode.Isolation
---What it knew when it began.
---@field executionMode kkcode.ExecutionMode
---Its model.
---@field model? string
---The session that it was started from.
---@field parentSessionId? string
---The workspace folder.
---@field workspaceUri string
---How long an attempt may work, in milliseconds.
---@field timeoutMs integer
---Paths, relative to the workspace folder, that it was expected to change.
---@field plannedFiles? string[]

---Argument of `kkcode.task.logs`.
---@class kkcode.TaskLogsParams
---The task.
---@field taskId string
---Only events after this one; from the first when left out.
---@field sinceSeq? integer
---At most so many events; 1,000 when left out, and never more.
---@field limit? integer

---Answer to `kkcode.task.logs`.
---@class kkcode.TaskLogsResult
---The task's events, oldest first.
---@field events kkcode.Event[]
---The `sinceSeq` to go on with.
---@field nextSeq integer

---What every kind of `kkcode.Event` has.
---@class kkcode.Event.common
---Its number, given by the commit that made it; never goes back.
---@field seq integer
---When it happened.
---@field at string
---The task that it happened in.
---@field taskId? string

---A turn began.
---@class kkcode.Event.turnStarted : kkcode.Event.common
---@field kind "turnStarted"
---The turn.
---@field turnId string
---Its session.
---@field sessionId string
---How the agent works on it.
---@field mode kkcode.Mode
---What the user wants.
---@field prompt string

---The agent said something: one step's text, whole.
---@class kkcode.Event.message : kkcode.Event.common
---@field kind "message"
---The turn.
---@field turnId string
---What it said, as Markdown.
---@field text string

---The agent called a tool.
---@class kkcode.Event.toolCalled : kkcode.Event.common
---@field kind "toolCalled"
---The turn.
---@field turnId string
---Names the call within its turn.
---@field callId string
---The tool's name.
---@field tool string
---What the call does, in a few words.
---@field title string

---A tool call ended.
---@class kkcode.Event.toolFinished : kkcode.Event.common
---@field kind "toolFinished"
---The turn.
---@field turnId string
---The call.
---@field callId string
---How it ended.
---@field status kkcode.ToolStatus
---What came of it, in a few words.
---@field summary? string

---Something else worth keeping in a log, such as a retry or a formatter's failure.
---@class kkcode.Event.note : kkcode.Event.common
---@field kind "note"
---The turn.
---@field turnId? string
---What it was, in one sentence.
---@field text string

---A turn ended, as in `kkcode/turn/didFinish`.
---@class kkcode.Event.turnFinished : kkcode.Event.common, kkcode.TurnOutcome
---@field kind "turnFinished"

---A proposal's hunks or states became others, as in `kkcode/proposal/didChange`.
---@class kkcode.Event.proposalChanged : kkcode.Event.common, kkcode.ProposalChange
---@field kind "proposalChanged"

---A task's record became another, as in `kkcode/task/didChange`.
---@class kkcode.Event.taskChanged : kkcode.Event.common
---@field kind "taskChanged"
---The record as it was then.
---@field task kkcode.TaskSummary

---The agent waits for a permission, as in `kkcode/permission/didAsk`.
---@class kkcode.Event.permissionAsked : kkcode.Event.common, kkcode.PermissionPrompt
---@field kind "permissionAsked"

---A permission prompt was answered, as in `kkcode/permission/didResolve`.
---@class kkcode.Event.permissionResolved : kkcode.Event.common, kkcode.PermissionResolution
---@field kind "permissionResolved"

---The agent asks the user something, as in `kkcode/question/didAsk`.
---@class kkcode.Event.questionAsked : kkcode.Event.common, kkcode.QuestionPrompt
---@field kind "questionAsked"

---A question was answered, as in `kkcode/question/didResolve`.
---@class kkcode.Event.questionResolved : kkcode.Event.common, kkcode.QuestionResolution
---@field kind "questionResolved"

---Something that happened and is kept.
---@alias kkcode.Event
---| kkcode.Event.turnStarted
---| kkcode.Event.message
---| kkcode.Event.toolCalled
---| kkcode.Event.toolFinished
---| kkcode.Event.note
---| kkcode.Event.turnFinished
---| kkcode.Event.proposalChanged
---| kkcode.Event.taskChanged
---| kkcode.Event.permissionAsked
---| kkcode.Event.permissionResolved
---| kkcode.Event.questionAsked
---| kkcode.Event.questionResolved

---How a tool call ended.
---@alias kkcode.ToolStatus
---| "ok" # As it should.
---| "error" # With an error that the agent was told.
---| "denied" # Not done: a rule, the level or the user said no.
---| "cancelled" # Cut off with its turn.

---A turn and its end.
---@class kkcode.TurnOutcome
---The turn.
---@field turnId string
---How it ended: never `running`, `waiting` or `retrying`.
---@field status kkcode.TurnStatus
---What the agent said, as Markdown.
---@field reply? string
---Why it failed.
---@field error? kkcode.ErrorInfo
---Why it was cut off.
---@field interruptionReason? kkcode.InterruptionReason
---The proposals that it made or amended.
---@field proposalIds string[]

---A proposal and its counts of now.
---@class kkcode.ProposalChange
---The proposal.
---@field proposalId string
---Where it stands.
---@field state kkcode.ReviewState
---Its files, by path.
---@field files kkcode.FileCounts[]

---One of the answers that a prompt offers.
---@class kkcode.PermissionOption
---The answer.
---@field answer kkcode.PermissionAnswer
---What to show for it; for `allow_always` it names what the rule will cover.
---@field title string

---An answer to a permission prompt.
---@alias kkcode.PermissionAnswer
---| "allow_once" # This once.
---| "apply_first" # This once, with the session's pending edits let into their files before.
---| "allow_session" # Exactly this, until the session ends.
---| "allow_always" # From now on, as a learned rule.
---| "deny" # No.

---A prompt: what the agent wants to do, and the answers to choose from.
---@class kkcode.PermissionPrompt
---The prompt.
---@field promptId string
---What is asked, in one line.
---@field title string
---Exactly what an approval covers, such as the whole command, and why it is asked.
---@field detail string
---The whole command line that would be run, byte for byte.
---@field command? string
---The change that is asked about, as a unified diff.
---@field diff? string
---The answers, in the order to show them.
---@field options kkcode.PermissionOption[]
---The tool that wants it.
---@field tool string
---Where it comes from.
---@field origin kkcode.Origin

---A prompt that was answered.
---@class kkcode.PermissionResolution
---The prompt.
---@field promptId string
---The answer that counts.
---@field answer kkcode.PermissionAnswer
---Who gave it: the name of an editor (its `clientInfo.name`), `cli`, `rule` for a rule or level that came meanwhile,
---`cancel` when the turn or task ended.
---@field by string

---One question.
---@class kkcode.Question
---Names the question in the answers.
---@field id string
---The question.
---@field text string
---What helps to answer it.
---@field description? string
---What to choose from; empty for a question with a free answer.
---@field options? kkcode.QuestionOption[]
---Whether several options may be chosen.
---@field multiple? boolean
---Whether a text beside the options is an answer, too.
---@field allowText? boolean

---One option of a question.
---@class kkcode.QuestionOption
---What to answer with.
---@field value string
---What to show.
---@field label string
---What it means.
---@field description? string

---Questions that are asked together.
---@class kkcode.QuestionPrompt
---The questions, together.
---@field questionId string
---What they are about, in one line.
---@field title string
---What the user should know before answering, as Markdown.
---@field detail? string
---The questions, one by one.
---@field questions kkcode.Question[]
---Where they come from.
---@field origin kkcode.Origin

---An answer to one question.
---@alias kkcode.Answer string|string[]

---Questions that were answered.
---@class kkcode.QuestionResolution
---The questions, together.
---@field questionId string
---The answers that count.
---@field answers table<string, kkcode.Answer>
---Who gave them: the name of an editor (its `clientInfo.name`), `cli`, or `cancel` when the turn or task ended.
---@field by string

---Argument of `kkcode.task.clean`.
---@class kkcode.TaskCleanParams
---Only tasks that ended more than so many days ago; 7 when left out.
---@field olderThanDays? integer

---Answer to `kkcode.task.clean`.
---@class kkcode.TaskCleanResult
---How many records were removed.
---@field removed integer

---Argument of `kkcode.session.list`: which part of the list is wanted.
---@class kkcode.SessionListParams
---How many sessions at most; all when left out.
---@field limit? integer
---How many to leave out at the beginning.
---@field offset? integer

---Answer to `kkcode.session.list`.
---@class kkcode.SessionListResult
---The sessions of this workspace, last used first, or the part of them that was asked for.
---@field sessions kkcode.SessionSummary[]
---How many there are in all.
---@field total integer

---A session in a list; the answer to `kkcode.session.fork` and `kkcode.session.rename`.
---@class kkcode.SessionSummary
---The session.
---@field sessionId string
---What it is about: made from its first prompt, or as the user named it.
---@field title string
---The workspace folder.
---@field workspaceUri string
---The session that it is a copy of.
---@field forkedFrom? string
---The model of its last turn.
---@field model? string
---How many turns it has.
---@field turnCount integer
---The turn that is running or waiting in it.
---@field activeTurnId? string
---Its open proposal.
---@field openProposalId? string
---When it began.
---@field createdAt string
---When its last turn began or ended.
---@field updatedAt string

---Argument of `kkcode.session.show`: of which session, and which of its turns.
---@class kkcode.SessionShowParams
---The session.
---@field sessionId string
---How many turns at most, the last ones; all when left out.
---@field limit? integer
---Only turns before this one: the first of those that were shown before.
---@field before? string

---A session with its turns; the answer to `kkcode.session.show`.
---@class kkcode.Session
---The session.
---@field sessionId string
---What it is about: made from its first prompt, or as the user named it.
---@field title string
---The workspace folder.
---@field workspaceUri string
---The session that it is a copy of.
---@field forkedFrom? string
---The model of its last turn.
---@field model? string
---How many turns it has.
---@field turnCount integer
---The turn that is running or waiting in it.
---@field activeTurnId? string
---Its open proposal.
---@field openProposalId? string
---When it began.
---@field createdAt string
---When its last turn began or ended.
---@field updatedAt string
---Its turns, or those that were asked for, oldest first.
---@field turns kkcode.SessionTurn[]
---How many turns it has before the first of these.
---@field earlier integer
---What the model requests of all its turns counted.
---@field usage kkcode.Usage

---One turn of a session.
---@class kkcode.SessionTurn
---The turn.
---@field turnId string
---What the user wanted.
---@field prompt string
---How the agent worked on it.
---@field mode kkcode.Mode
---Where it stands.
---@field status kkcode.TurnStatus
---What the agent said, as Markdown.
---@field reply? string
---Why it failed.
---@field error? kkcode.ErrorInfo
---Why it was cut off.
---@field interruptionReason? kkcode.InterruptionReason
---The proposals that it made or amended.
---@field proposalIds string[]
---What its model requests counted.
---@field usage kkcode.Usage
---When it began.
---@field startedAt string
---When it ended.
---@field endedAt? string

---Argument of `kkcode.session.fork` and `.delete`.
---@class kkcode.SessionParams
---The session.
---@field sessionId string

---Argument of `kkcode.session.rename`.
---@class kkcode.SessionRenameParams
---The session.
---@field sessionId string
---What it is called from now on.
---@field title string

---Answer to `kkcode.session.delete`.
---@class kkcode.SessionDeleteResult
---Whether it is gone by this command; `false` when it was gone before.
---@field deleted boolean

---Argument of `kkcode.permission.answer`.
---@class kkcode.PermissionAnswerParams
---The prompt.
---@field promptId string
---The answer.
---@field answer kkcode.PermissionAnswer
---What the agent is told with the answer.
---@field feedback? string

---Answer to `kkcode.permission.answer`.
---@class kkcode.PermissionAnswerResult
---Whether this answer counts; `false` when another came first.
---@field accepted boolean

---Argument of `kkcode.permission.list`: nothing.
---@class kkcode.PermissionListParams

---Answer to `kkcode.permission.list`.
---@class kkcode.PermissionListResult
---The level in force.
---@field level kkcode.Level
---The learned rules, oldest first.
---@field rules kkcode.PermissionRule[]
---The prompts that wait for an answer, oldest first.
---@field prompts kkcode.PermissionPrompt[]

---A rule that an `allow_always` made; it holds what was shown when it was made.
---@class kkcode.PermissionRule
---The rule.
---@field ruleId string
---What it says.
---@field action kkcode.Decision
---The tool it is about.
---@field tool string
---What the command has to begin with, word by word.
---@field commandPrefix? string
---Patterns that the paths have to match; all paths when empty.
---@field filePatterns? string[]
---The workspace folder it holds in; everywhere when left out.
---@field workspaceUri? string
---What stands in another agent's settings file of that folder, to which the user agreed or, with `ask`, did not; it
---goes when the file changes.
---@field settings? string[]
---When it was made.
---@field createdAt string

---What a rule, or all of them together, say; the strictest wins.
---@alias kkcode.Decision
---| "allow" # Done unasked.
---| "ask" # The user is asked.
---| "deny" # Not done.

---Argument of `kkcode.permission.forget`.
---@class kkcode.PermissionForgetParams
---The rule.
---@field ruleId string

---Answer to `kkcode.permission.forget`.
---@class kkcode.PermissionForgetResult
---Whether the rule is gone by this command; `false` when it was gone before.
---@field forgotten boolean

---Argument of `kkcode.permission.setLevel`.
---@class kkcode.PermissionSetLevelParams
---The level of this editor's turns and tasks from now on, until its server ends.
---@field level kkcode.Level

---Answer to `kkcode.permission.setLevel`.
---@class kkcode.PermissionSetLevelResult
---The level in force, which may be stricter than the one asked for where the workspace is not trusted.
---@field level kkcode.Level

---Argument of `kkcode.question.answer`.
---@class kkcode.QuestionAnswerParams
---The questions, together.
---@field questionId string
---The answers; an empty object lets the agent go on without.
---@field answers table<string, kkcode.Answer>

---Answer to `kkcode.question.answer`.
---@class kkcode.QuestionAnswerResult
---Whether these answers count; `false` when others came first.
---@field accepted boolean

---Argument of `kkcode.model.list`: nothing.
---@class kkcode.ModelListParams

---Answer to `kkcode.model.list`.
---@class kkcode.ModelListResult
---The models, as the configuration and the providers name them, provider by provider.
---@field models kkcode.ModelInfo[]
---The one of the turns and tasks to come.
---@field selected? string

---A model that can be selected.
---@class kkcode.ModelInfo
---Its name with its provider's, `provider/model`.
---@field model string
---Its provider's name in the configuration.
---@field provider string
---How many tokens a conversation may have, where it is known.
---@field contextTokens? integer
---Why it cannot be used at the moment and what to do about it, such as a missing key.
---@field unavailable? string

---Argument of `kkcode.model.select`.
---@class kkcode.ModelSelectParams
---The model, `provider/model`; a model without provider is one of the default provider.
---@field model string

---Answer to `kkcode.model.select`.
---@class kkcode.ModelSelectResult
---The selected model, with its provider.
---@field model string

---Argument of `kkcode.status`: nothing.
---@class kkcode.StatusParams

---Answer to `kkcode.status`.
---@class kkcode.StatusResult
---The server's version.
---@field version string
---The version of this protocol.
---@field protocolVersion integer
---The permission level in force.
---@field level kkcode.Level
---The model of the turns and tasks to come.
---@field model? string
---Its provider's name in the configuration.
---@field provider? string
---Whether the user trusts all folders of the workspace.
---@field trusted boolean
---How many turns are running or waiting in this editor.
---@field turns integer
---The tasks of this workspace that have not ended.
---@field tasks kkcode.TaskCounts
---How many hunks of this workspace's open proposals wait for a decision, stale ones included.
---@field pendingHunks integer
---What the model requests of this server have counted since it started.
---@field usage kkcode.Usage
---What all model requests with this home have counted today (UTC), which is what the budget of a day goes by.
---@field usageToday? kkcode.Usage
---How commands of agents are bounded on this machine, in a few words, or `not sandboxed`; absent until that has been
---tried out.
---@field sandbox? string

---How many tasks there are of each status that is no end.
---@class kkcode.TaskCounts
---Waiting for a free worker.
---@field pending integer
---In a worker's hands.
---@field running integer
---Waiting for an answer.
---@field waiting integer

---Parameters of `kkcode/proposal/content`.
---@class kkcode.ProposalContentParams
---`kkcode-base:/<proposalId>/<path>` or `kkcode-proposed:/<proposalId>/<path>`, the path absolute and percent-encoded.
---@field uri string

---Result of `kkcode/proposal/content`.
---@class kkcode.ProposalContentResult
---The document's text of now.
---@field text string

---Parameters of `kkcode/events/since`.
---@class kkcode.EventsSinceParams
---The last event that the client knows; 0 for none.
---@field seq integer

---Result of `kkcode/events/since`.
---@class kkcode.EventsSinceResult
---The events of this workspace after `seq`, oldest first, at most 1,000; there may be more as long as it is not empty.
---@field events kkcode.Event[]
---The `seq` to go on with.
---@field nextSeq integer
---Each running turn with its text so far.
---@field turns kkcode.TurnText[]

---A running turn's reply so far.
---@class kkcode.TurnText
---The turn.
---@field turnId string
---What the agent has said so far, as Markdown; the next `text` update begins at its end.
---@field text string

---Parameters of `kkcode/secret/set`.
---@class kkcode.SecretSetParams
---The provider's name in the configuration.
---@field provider string
---The key; an empty one makes the server forget it. Kept in memory only, never logged or stored.
---@field key string

---Result of `kkcode/secret/set`: nothing.
---@class kkcode.SecretSetResult

---Parameters of `kkcode/document/save`.
---@class kkcode.DocumentSaveParams
---The document, whose buffer was clean before our edit.
---@field uri string

---Result of `kkcode/document/save`.
---@class kkcode.DocumentSaveResult
---Whether the disk has the buffer's text now.
---@field saved boolean

---Body of `kkcode/trust/didChange`.
---@class kkcode.TrustDidChangeParams
---The workspace folder.
---@field uri string
---Whether the user trusts it from now on.
---@field trusted boolean

---Body of `kkcode/turn/didUpdate`.
---@class kkcode.TurnDidUpdateParams
---The turn.
---@field turnId string
---How long the turn's reply was before this update, in code units of the negotiated position encoding.
---@field offset integer
---What is new.
---@field update kkcode.TurnUpdate

---More of the reply; it stands at `offset`.
---@class kkcode.TurnUpdate.text
---@field kind "text"
---The new part, as Markdown.
---@field text string

---More of the model's thinking.
---@class kkcode.TurnUpdate.thinking
---@field kind "thinking"
---The new part.
---@field text string

---The agent called a tool.
---@class kkcode.TurnUpdate.toolCall
---@field kind "toolCall"
---Names the call within its turn.
---@field callId string
---The tool's name.
---@field tool string
---What the call does, in a few words.
---@field title string

---A tool call ended.
---@class kkcode.TurnUpdate.toolResult
---@field kind "toolResult"
---The call.
---@field callId string
---How it ended.
---@field status kkcode.ToolStatus
---What came of it, in a few words.
---@field summary? string

---The agent's list of what it is going to do, whole.
---@class kkcode.TurnUpdate.plan
---@field kind "plan"
---The steps, in order.
---@field entries kkcode.PlanEntry[]

---What the turn's model requests have counted so far.
---@class kkcode.TurnUpdate.usage
---@field kind "usage"
---The sum over the turn.
---@field usage kkcode.Usage

---The turn waits to send a failed request again, or has sent it.
---@class kkcode.TurnUpdate.status
---@field kind "status"
---Where the turn stands now: `retrying`, or `running` again.
---@field status kkcode.TurnStatus
---What it waits for while it is `retrying`.
---@field retry? kkcode.Retry

---What is new in a running turn; a client passes over kinds that it does not know.
---@alias kkcode.TurnUpdate
---| kkcode.TurnUpdate.text
---| kkcode.TurnUpdate.thinking
---| kkcode.TurnUpdate.toolCall
---| kkcode.TurnUpdate.toolResult
---| kkcode.TurnUpdate.plan
---| kkcode.TurnUpdate.usage
---| kkcode.TurnUpdate.status

---One step of the agent's list.
---@class kkcode.PlanEntry
---What is to be done.
---@field text string
---How far it is.
---@field status kkcode.PlanStatus

---How far a step of the agent's list is.
---@alias kkcode.PlanStatus
---| "pending" # Not begun.
---| "in_progress" # Under way.
---| "completed" # Done.

---Body of `kkcode/turn/didFinish`.
---@class kkcode.TurnDidFinishParams
---Number of the event.
---@field seq integer
---The turn.
---@field turnId string
---How it ended: never `running`, `waiting` or `retrying`.
---@field status kkcode.TurnStatus
---What the agent said, as Markdown.
---@field reply? string
---Why it failed.
---@field error? kkcode.ErrorInfo
---Why it was cut off.
---@field interruptionReason? kkcode.InterruptionReason
---The proposals that it made or amended.
---@field proposalIds string[]

---Body of `kkcode/proposal/didChange`.
---@class kkcode.ProposalDidChangeParams
---Number of the event; that of the last one before, when only the user's typing made the difference.
---@field seq integer
---The proposal.
---@field proposalId string
---Where it stands.
---@field state kkcode.ReviewState
---Its files, by path.
---@field files kkcode.FileCounts[]

---Body of `kkcode/task/didChange`.
---@class kkcode.TaskDidChangeParams
---Number of the event.
---@field seq integer
---The task's record of now.
---@field task kkcode.TaskSummary

---Body of `kkcode/permission/didAsk`.
---@class kkcode.PermissionDidAskParams
---Number of the event.
---@field seq integer
---The prompt.
---@field promptId string
---What is asked, in one line.
---@field title string
---Exactly what an approval covers, such as the whole command, and why it is asked.
---@field detail string
---The whole command line that would be run, byte for byte.
---@field command? string
---The change that is asked about, as a unified diff.
---@field diff? string
---The answers, in the order to show them.
---@field options kkcode.PermissionOption[]
---The tool that wants it.
---@field tool string
---Where it comes from.
---@field origin kkcode.Origin

---Body of `kkcode/permission/didResolve`.
---@class kkcode.PermissionDidResolveParams
---Number of the event.
---@field seq integer
---The prompt.
---@field promptId string
---The answer that counts.
---@field answer kkcode.PermissionAnswer
---Who gave it: the name of an editor (its `clientInfo.name`), `cli`, `rule` for a rule or level that came meanwhile,
---`cancel` when the turn or task ended.
---@field by string

---Body of `kkcode/question/didAsk`.
---@class kkcode.QuestionDidAskParams
---Number of the event.
---@field seq integer
---The questions, together.
---@field questionId string
---What they are about, in one line.
---@field title string
---What the user should know before answering, as Markdown.
---@field detail? string
---The questions, one by one.
---@field questions kkcode.Question[]
---Where they come from.
---@field origin kkcode.Origin

---Body of `kkcode/question/didResolve`.
---@class kkcode.QuestionDidResolveParams
---Number of the event.
---@field seq integer
---The questions, together.
---@field questionId string
---The answers that count.
---@field answers table<string, kkcode.Answer>
---Who gave them: the name of an editor (its `clientInfo.name`), `cli`, or `cancel` when the turn or task ended.
---@field by string

return M
