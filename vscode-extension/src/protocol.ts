// Generated from protocol/ by `cargo run -p kkcode-protocol --features schema --bin kkcode-protocol-generate`; do not edit.

/** The version of the protocol. */
export const PROTOCOL_VERSION = 1;

/** The names of the commands of `workspace/executeCommand`. */
export const commands = {
  /** Starts a turn: the agent answers one prompt. */
  turnStart: "kkcode.turn.start",
  /** Cancels a running or waiting turn; what it proposed stays reviewable. */
  turnCancel: "kkcode.turn.cancel",
  /** Shows what a turn said, proposed and used. */
  turnShow: "kkcode.turn.show",
  /** Accepts a hunk, or some of its lines. */
  hunkAccept: "kkcode.hunk.accept",
  /** Rejects a hunk, or some of its lines. */
  hunkReject: "kkcode.hunk.reject",
  /** Takes the user to a hunk. */
  hunkShow: "kkcode.hunk.show",
  /** Accepts all open hunks of one file. */
  fileAccept: "kkcode.file.accept",
  /** Rejects all open hunks of one file. */
  fileReject: "kkcode.file.reject",
  /** Opens what a file would be. */
  fileDiff: "kkcode.file.diff",
  /** Accepts all open hunks of a proposal. */
  proposalAccept: "kkcode.proposal.accept",
  /** Rejects all open hunks of a proposal. */
  proposalReject: "kkcode.proposal.reject",
  /** Replaces the proposed text of one file by the user's own version. */
  proposalEdit: "kkcode.proposal.edit",
  /** Lists the proposals of this workspace. */
  proposalList: "kkcode.proposal.list",
  /** Shows a proposal with its files, hunks and diffs. */
  proposalShow: "kkcode.proposal.show",
  /** Undoes the last decision. */
  reviewUndo: "kkcode.review.undo",
  /** Makes the decision again that was undone last. */
  reviewRedo: "kkcode.review.redo",
  /** Keeps a comment on a proposal for the next turn. */
  reviewComment: "kkcode.review.comment",
  /** Starts the next turn with all comments and decisions. */
  reviewSend: "kkcode.review.send",
  /** Starts a task: a turn in the background, which outlives the editor. */
  taskStart: "kkcode.task.start",
  /** Lists tasks, newest first. */
  taskList: "kkcode.task.list",
  /** Shows a task with what it was started with. */
  taskShow: "kkcode.task.show",
  /** Reads a task's event log. */
  taskLogs: "kkcode.task.logs",
  /** Cancels a task that has not ended. */
  taskCancel: "kkcode.task.cancel",
  /** Starts a failed or interrupted task again. */
  taskRetry: "kkcode.task.retry",
  /** Removes the records of tasks that ended long ago. */
  taskClean: "kkcode.task.clean",
  /** Lists the sessions of this workspace, last used first. */
  sessionList: "kkcode.session.list",
  /** Shows a session with its turns. */
  sessionShow: "kkcode.session.show",
  /** Copies a session, so that the conversation can go on in two ways. */
  sessionFork: "kkcode.session.fork",
  /** Gives a session a title. */
  sessionRename: "kkcode.session.rename",
  /** Deletes a session and its open proposal. */
  sessionDelete: "kkcode.session.delete",
  /** Answers a permission prompt. */
  permissionAnswer: "kkcode.permission.answer",
  /** Lists the level, the learned rules and the open prompts. */
  permissionList: "kkcode.permission.list",
  /** Forgets a learned rule. */
  permissionForget: "kkcode.permission.forget",
  /** Sets the permission level of this editor's turns. */
  permissionSetLevel: "kkcode.permission.setLevel",
  /** Answers the agent's questions. */
  questionAnswer: "kkcode.question.answer",
  /** Lists the models of the configured providers. */
  modelList: "kkcode.model.list",
  /** Selects the model of the turns and tasks to come. */
  modelSelect: "kkcode.model.select",
  /** Tells in one line's worth of values how things stand. */
  status: "kkcode.status",
} as const;

/** The types of the commands of `workspace/executeCommand`, by name. */
export interface CommandTypes {
  "kkcode.turn.start": { params: TurnStartParams; result: TurnStartResult };
  "kkcode.turn.cancel": { params: TurnCancelParams; result: TurnCancelResult };
  "kkcode.turn.show": { params: TurnShowParams; result: TurnShowResult };
  "kkcode.hunk.accept": { params: HunkAcceptParams; result: DecisionResult };
  "kkcode.hunk.reject": { params: HunkRejectParams; result: DecisionResult };
  "kkcode.hunk.show": { params: HunkShowParams; result: ShownResult };
  "kkcode.file.accept": { params: FileDecisionParams; result: DecisionResult };
  "kkcode.file.reject": { params: FileDecisionParams; result: DecisionResult };
  "kkcode.file.diff": { params: FileDiffParams; result: ShownResult };
  "kkcode.proposal.accept": { params: ProposalDecisionParams; result: DecisionResult };
  "kkcode.proposal.reject": { params: ProposalDecisionParams; result: DecisionResult };
  "kkcode.proposal.edit": { params: ProposalEditParams; result: ProposalEditResult };
  "kkcode.proposal.list": { params: ProposalListParams; result: ProposalListResult };
  "kkcode.proposal.show": { params: ProposalShowParams; result: Proposal };
  "kkcode.review.undo": { params: ReviewUndoParams; result: ReviewUndoResult };
  "kkcode.review.redo": { params: ReviewUndoParams; result: ReviewUndoResult };
  "kkcode.review.comment": { params: ReviewCommentParams; result: ReviewCommentResult };
  "kkcode.review.send": { params: ReviewSendParams; result: ReviewSendResult };
  "kkcode.task.start": { params: TaskStartParams; result: TaskStartResult };
  "kkcode.task.list": { params: TaskListParams; result: TaskListResult };
  "kkcode.task.show": { params: TaskParams; result: Task };
  "kkcode.task.logs": { params: TaskLogsParams; result: TaskLogsResult };
  "kkcode.task.cancel": { params: TaskParams; result: Task };
  "kkcode.task.retry": { params: TaskParams; result: Task };
  "kkcode.task.clean": { params: TaskCleanParams; result: TaskCleanResult };
  "kkcode.session.list": { params: SessionListParams; result: SessionListResult };
  "kkcode.session.show": { params: SessionShowParams; result: Session };
  "kkcode.session.fork": { params: SessionParams; result: SessionSummary };
  "kkcode.session.rename": { params: SessionRenameParams; result: SessionSummary };
  "kkcode.session.delete": { params: SessionParams; result: SessionDeleteResult };
  "kkcode.permission.answer": { params: PermissionAnswerParams; result: PermissionAnswerResult };
  "kkcode.permission.list": { params: PermissionListParams; result: PermissionListResult };
  "kkcode.permission.forget": { params: PermissionForgetParams; result: PermissionForgetResult };
  "kkcode.permission.setLevel": { params: PermissionSetLevelParams; result: PermissionSetLevelResult };
  "kkcode.question.answer": { params: QuestionAnswerParams; result: QuestionAnswerResult };
  "kkcode.model.list": { params: ModelListParams; result: ModelListResult };
  "kkcode.model.select": { params: ModelSelectParams; result: ModelSelectResult };
  "kkcode.status": { params: StatusParams; result: StatusResult };
}

/** The name of one of the commands of `workspace/executeCommand`. */
export type CommandName = keyof CommandTypes;

/** The names of the requests. */
export const requests = {
  /** Asks for the text of a virtual document of a proposal. */
  proposalContent: "kkcode/proposal/content",
  /** Asks what happened since an event, to catch up after a restart. */
  eventsSince: "kkcode/events/since",
  /** Hands over a provider's key from the editor's own secret storage. */
  secretSet: "kkcode/secret/set",
  /** From the server: asks the editor to save a document before a command reads it from the disk. */
  documentSave: "kkcode/document/save",
} as const;

/** The types of the requests, by name. */
export interface RequestTypes {
  "kkcode/proposal/content": { params: ProposalContentParams; result: ProposalContentResult };
  "kkcode/events/since": { params: EventsSinceParams; result: EventsSinceResult };
  "kkcode/secret/set": { params: SecretSetParams; result: SecretSetResult };
  "kkcode/document/save": { params: DocumentSaveParams; result: DocumentSaveResult };
}

/** The name of one of the requests. */
export type RequestName = keyof RequestTypes;

/** The names of the notifications. */
export const notifications = {
  /** Tells that the user trusts a workspace folder, or no longer does. */
  trustDidChange: "kkcode/trust/didChange",
  /** From the server: tells what a running turn does, at most 30 times a second. */
  turnDidUpdate: "kkcode/turn/didUpdate",
  /** From the server: tells that a turn ended, and how. */
  turnDidFinish: "kkcode/turn/didFinish",
  /** From the server: tells that the hunks of a proposal, or their states, are others than before. */
  proposalDidChange: "kkcode/proposal/didChange",
  /** From the server: tells that a task's record is another than before. */
  taskDidChange: "kkcode/task/didChange",
  /** From the server: tells that the agent waits for a permission. */
  permissionDidAsk: "kkcode/permission/didAsk",
  /** From the server: tells that a permission prompt was answered, so that others withdraw it. */
  permissionDidResolve: "kkcode/permission/didResolve",
  /** From the server: tells that the agent asks the user something. */
  questionDidAsk: "kkcode/question/didAsk",
  /** From the server: tells that a question was answered, so that others withdraw it. */
  questionDidResolve: "kkcode/question/didResolve",
} as const;

/** The types of the notifications, by name. */
export interface NotificationTypes {
  "kkcode/trust/didChange": { params: TrustDidChangeParams };
  "kkcode/turn/didUpdate": { params: TurnDidUpdateParams };
  "kkcode/turn/didFinish": { params: TurnDidFinishParams };
  "kkcode/proposal/didChange": { params: ProposalDidChangeParams };
  "kkcode/task/didChange": { params: TaskDidChangeParams };
  "kkcode/permission/didAsk": { params: PermissionDidAskParams };
  "kkcode/permission/didResolve": { params: PermissionDidResolveParams };
  "kkcode/question/didAsk": { params: QuestionDidAskParams };
  "kkcode/question/didResolve": { params: QuestionDidResolveParams };
}

/** The name of one of the notifications. */
export type NotificationName = keyof NotificationTypes;

/** What a client may give as `initializationOptions`. */
export interface InitializationOptions {
  /**
   * Configuration in the shape of `config.yaml`; counts as the user's own, so a client puts nothing in it that a
   * workspace can set.
   */
  config?: Record<string, unknown>;
  /**
   * Whether the user trusts the workspace: `false` always wins, `true` is honoured only from a client with
   * `experimental.kkcode`.
   */
  trusted?: boolean;
  /** An absolute path to use as kkcode's home instead of `$KKCODE_HOME` or `~/.kkcode`. */
  home?: string;
}

/** The `experimental` part of the capabilities of both sides. */
export interface ExperimentalCapabilities {
  /** Given by a client that knows our notifications, and always by the server. */
  kkcode?: KkcodeCapability;
}

/** Which version of this protocol one side speaks. */
export interface KkcodeCapability {
  /** `1`. */
  protocolVersion: number;
}

/** Argument of `kkcode.turn.start`. */
export interface TurnStartParams {
  /** What the user wants. */
  prompt: string;
  /** How to work on it; `agent` when left out. */
  mode?: Mode;
  /** The session to go on with; a new one when left out. */
  sessionId?: string;
  /** The document the user is in. */
  textDocument?: DocumentIdentifier;
  /** The selection in `textDocument`. */
  range?: Range;
  /** Other documents, or parts of them, that the agent gets to see at once. */
  context?: ContextItem[];
  /** Diagnostics that the agent gets to see at once. */
  diagnostics?: ContextDiagnostic[];
  /** The model of this turn; the selected one when left out. */
  model?: string;
  /** The permission level of this turn; the one in force when left out. */
  level?: Level;
}

/** How the agent works on a prompt. */
export type Mode =
  /** Answers, reads, changes nothing. */
  | "ask"
  /** Works out a plan, changes nothing. */
  | "plan"
  /** Does the work; what a turn does when nothing else is said. */
  | "agent"
  /** Does long work in stages; answered -32803 as long as the server does not have it. */
  | "longagent";

/** A document, and the version of it that a request is about. */
export interface DocumentIdentifier {
  /** Its address. */
  uri: string;
  /** Its version, as `textDocument/didChange` counts; with it, a request for another version is refused (-32801). */
  version?: number;
}

/** A part of a document. */
export interface Range {
  /** Where it begins. */
  start: Position;
  /** Where it ends; this place is no longer part of it. */
  end: Position;
}

/** A place in a document. */
export interface Position {
  /** Line, from 0. */
  line: number;
  /**
   * Offset in the line, from 0, in code units of the negotiated position encoding; a byte order mark does not count.
   */
  character: number;
}

/** A document, or a part of one, that the agent gets to see. */
export interface ContextItem {
  /** The document's address. */
  uri: string;
  /** The part; the whole document when left out. */
  range?: Range;
}

/** A diagnostic that the editor has from any server, and its document. */
export interface ContextDiagnostic {
  /** The document's address. */
  uri: string;
  /** The diagnostic. */
  diagnostic: Diagnostic;
}

/** The part of the Language Server Protocol's `Diagnostic` that the agent gets to see; other members are ignored. */
export interface Diagnostic {
  /** Where. */
  range: Range;
  /** 1 error, 2 warning, 3 information, 4 hint. */
  severity?: number;
  /** Its code. */
  code?: DiagnosticCode;
  /** The tool that found it. */
  source?: string;
  /** What is wrong. */
  message: string;
}

/** A diagnostic's code. */
export type DiagnosticCode = number | string;

/** What the agent may do unasked, from least to most. */
export type Level =
  /** Reads and searches; no rule can allow more. */
  | "readonly"
  /** Reads and searches; edits become pending hunks, all else is asked. */
  | "manual"
  /** Edits apply at once and are reviewed after; risky commands are asked. */
  | "accept-edits"
  /** Everything but what a rule denies and what touches protected paths. */
  | "yolo";

/** Answer to `kkcode.turn.start`. */
export interface TurnStartResult {
  /** The turn that was started. */
  turnId: string;
  /** Its session, new or as given. */
  sessionId: string;
}

/** Argument of `kkcode.turn.cancel`. */
export interface TurnCancelParams {
  /** The turn. */
  turnId: string;
}

/** Answer to `kkcode.turn.cancel`. */
export interface TurnCancelResult {
  /** Whether this ended the turn; `false` when it had already ended. */
  cancelled: boolean;
}

/** Argument of `kkcode.turn.show`. */
export interface TurnShowParams {
  /** The turn. */
  turnId: string;
}

/** Answer to `kkcode.turn.show`. */
export interface TurnShowResult {
  /** The turn. */
  turnId: string;
  /** Its session. */
  sessionId: string;
  /** Where it stands. */
  status: TurnStatus;
  /** What the agent said, as Markdown: so far, or in the end. */
  reply?: string;
  /** Why it failed. */
  error?: ErrorInfo;
  /** Why it was cut off. */
  interruptionReason?: InterruptionReason;
  /** The proposals that it made or amended. */
  proposalIds: string[];
  /** What its model requests counted. */
  usage: Usage;
  /** What it waits for while it is `retrying`. */
  retry?: Retry;
}

/** Where a turn stands. */
export type TurnStatus =
  /** The model or a tool works. */
  | "running"
  /** A permission prompt or a question is open. */
  | "waiting"
  /** A request to the model failed and is sent again after a wait; `retry` says why and when. */
  | "retrying"
  /** Ended as it should. */
  | "completed"
  /** Ended because the user cancelled it. */
  | "cancelled"
  /** Cut off; `interruptionReason` says why. */
  | "interrupted"
  /** Ended with an error; `error` says which. */
  | "failed"
  /** Ended because it used up the steps, tokens or money it was given. */
  | "budget_exhausted";

/** An error that a record keeps: a class to branch on, and a sentence for the user. */
export interface ErrorInfo {
  /**
   * The class: `auth`, `rate_limit`, `context_too_long`, `overloaded`, `network`, `protocol`, `bad_request`, `script`,
   * `configuration`, `internal`; more may come.
   */
  class: string;
  /** What went wrong and what to do about it. */
  message: string;
}

/** Why a turn or task was cut off. */
export type InterruptionReason =
  /** The user cancelled it. */
  | "user_cancel"
  /** Its process ended without a word. */
  | "interrupt"
  /** It took longer than it was allowed to. */
  | "timeout"
  /** It was stopped by the answer to a permission prompt. */
  | "permission_cancel"
  /** The process that watched over it is gone. */
  | "orphaned"
  /** It was cancelled from another program. */
  | "remote_cancel";

/** What models counted: tokens, and money where prices are known. */
export interface Usage {
  /** Tokens read, without those from the provider's cache. */
  inputTokens: number;
  /** Tokens written, thinking included. */
  outputTokens: number;
  /** Tokens read from the provider's cache. */
  cacheReadTokens?: number;
  /** Tokens written to the provider's cache. */
  cacheWriteTokens?: number;
  /** What it cost, in US dollars. */
  costUsd?: number;
  /** Whether the provider did not count and these are estimates. */
  estimated?: boolean;
}

/** A failed request to a model that is sent again. */
export interface Retry {
  /** Which retry it is, from 1; 0 for the first request to the next model, when one has failed for good. */
  attempt: number;
  /** When it is sent. */
  at: string;
  /** Why the last request failed. */
  error: ErrorInfo;
}

/** Argument of `kkcode.hunk.accept`. */
export interface HunkAcceptParams {
  /** The proposal. */
  proposalId: string;
  /** The hunk. */
  hunkId: string;
  /** Only these lines; the rest becomes a hunk of its own. The whole hunk when left out. */
  lines?: LineSelector;
  /** For a stale hunk, how; without it a stale hunk is refused (-32803). */
  resolution?: Resolution;
}

/** Some lines of a hunk: old ones to take out, new ones to put in; a side that is left out gives no line. */
export interface LineSelector {
  /** Lines of the hunk's `oldText`: from the first, up to but without the second, counted from 0. */
  old?: [number, number];
  /** Lines of the hunk's `newText`, likewise. */
  new?: [number, number];
}

/** How to accept a stale hunk. */
export type Resolution =
  /** *Merge*: the three-way merge of the proposal and the user's lines; refused (-32803) when it is not clean. */
  | "merge"
  /** *Take proposal here*: the proposal instead of the user's lines. */
  | "theirs";

/** Answer to every command that accepts or rejects. */
export interface DecisionResult {
  /**
   * `applying` when the text has to change first and the outcome comes by `kkcode/proposal/didChange`; `accepted` or
   * `rejected` when the decision already stands.
   */
  status: HunkState;
}

/** Where a hunk stands. */
export type HunkState =
  /** Not in the text, undecided. */
  | "pending"
  /** On its way into the text, or out of it. */
  | "applying"
  /** In the text, undecided. */
  | "applied"
  /** In the text, decided; `saved` says whether it is final. */
  | "accepted"
  /** Not in the text, decided. */
  | "rejected"
  /**
   * The text around it is another by now; `reason` says what to do, and it is pending again when its lines are back.
   */
  | "stale"
  /** The agent has changed it; `byHunkId` is the newer one. */
  | "superseded";

/** Argument of `kkcode.hunk.reject`. */
export interface HunkRejectParams {
  /** The proposal. */
  proposalId: string;
  /** The hunk. */
  hunkId: string;
  /** Only these lines; the rest becomes a hunk of its own. The whole hunk when left out. */
  lines?: LineSelector;
  /** Why; the agent is told at the start of its next turn. */
  reason?: string;
  /** The lines that the user would have there instead; the agent is told. */
  replacement?: string;
}

/** Argument of `kkcode.hunk.show`. */
export interface HunkShowParams {
  /** The proposal. */
  proposalId: string;
  /** The hunk. */
  hunkId: string;
}

/** Answer to `kkcode.hunk.show` and `kkcode.file.diff`. */
export interface ShownResult {
  /** Whether the client was asked to show it. If not, it cannot, and a message says where to look. */
  shown: boolean;
}

/** Argument of `kkcode.file.accept` and `kkcode.file.reject`. */
export interface FileDecisionParams {
  /** The proposal. */
  proposalId: string;
  /** A file of it. */
  uri: string;
  /** Why; the agent is told at the start of its next turn. */
  reason?: string;
}

/** Argument of `kkcode.file.diff`. */
export interface FileDiffParams {
  /** The proposal. */
  proposalId: string;
  /** A file of it. */
  uri: string;
}

/** Argument of `kkcode.proposal.accept` and `kkcode.proposal.reject`. */
export interface ProposalDecisionParams {
  /** The proposal. */
  proposalId: string;
  /** Why; the agent is told at the start of its next turn. */
  reason?: string;
}

/** Argument of `kkcode.proposal.edit`. */
export interface ProposalEditParams {
  /** The proposal. */
  proposalId: string;
  /** A file of it. */
  uri: string;
  /** The whole text that the user wants the file to have. */
  text: string;
}

/** Answer to `kkcode.proposal.edit`. */
export interface ProposalEditResult {
  /** The proposal. */
  proposalId: string;
  /** The file's hunks of now; unchanged ones keep their ids. */
  hunks: Hunk[];
}

/** One contiguous change. */
export interface Hunk {
  /** The hunk; the same for as long as the change is the same. */
  hunkId: string;
  /**
   * Where it stands in the document's text of now: for a pending hunk exactly `oldText`, for a pure insertion the line
   * before it, or an empty range at the start of the file.
   */
  range: Range;
  /** Where it stands in the review. */
  state: HunkState;
  /** The lines to be replaced, exactly, with their line endings; empty for a pure insertion. */
  oldText: string;
  /** The lines to replace them with, exactly; empty for a pure deletion. */
  newText: string;
  /** For a stale hunk, what stands in its way. */
  conflict?: Conflict;
  /** Why it is stale, or with what reason it was rejected. */
  reason?: string;
  /** For an accepted hunk, whether its text is saved and the decision thereby final. */
  saved?: boolean;
  /** For a superseded hunk, the one that took its place. */
  byHunkId?: string;
  /** The hunk that it was a part of before some of its lines were decided. */
  splitFrom?: string;
  /** The turn that made it. */
  turnId?: string;
  /** Whether the same change was rejected in an earlier turn. */
  rejectedBefore?: boolean;
}

/** What stands in a stale hunk's way. */
export interface Conflict {
  /** The lines of now at the hunk's `range`. */
  currentText: string;
  /**
   * What *Merge* would make of them; left out when the three-way merge is not clean, so that only *Take proposal here*
   * and *Keep mine* remain.
   */
  mergedText?: string;
}

/** Argument of `kkcode.proposal.list`. */
export interface ProposalListParams {
  /** Only proposals in this state; all when left out. */
  state?: ReviewState;
}

/** Where a file of a proposal, or the whole proposal, stands. */
export type ReviewState =
  /** Some hunk is undecided. */
  | "open"
  /** All hunks were accepted. */
  | "accepted"
  /** All hunks were rejected. */
  | "rejected"
  /** All hunks are decided, some accepted, some rejected. */
  | "partial";

/** Answer to `kkcode.proposal.list`. */
export interface ProposalListResult {
  /** The proposals, last changed first. */
  proposals: ProposalSummary[];
}

/** A proposal in a list. */
export interface ProposalSummary {
  /** The proposal. */
  proposalId: string;
  /** What it is about, in a few words. */
  title: string;
  /** Where it stands. */
  state: ReviewState;
  /** Where it comes from. */
  origin: Origin;
  /** Its files, by path. */
  files: FileCounts[];
  /** When it was made. */
  createdAt: string;
  /** When a turn last amended it or the user last decided something in it. */
  updatedAt: string;
}

/** Where a proposal or a prompt comes from. */
export interface Origin {
  /** The session. */
  sessionId: string;
  /** The turn, the last one for a proposal. */
  turnId?: string;
  /** The task, when it ran in the background. */
  taskId?: string;
}

/** How much of a file is undecided. */
export interface FileCounts {
  /** The file's address. */
  uri: string;
  /** How many hunks wait for a decision: pending, applying or applied. */
  pending: number;
  /** How many hunks are stale. */
  stale: number;
}

/** Argument of `kkcode.proposal.show`. */
export interface ProposalShowParams {
  /** The proposal. */
  proposalId: string;
}

/** A proposal, whole; the answer to `kkcode.proposal.show`. */
export interface Proposal {
  /** The proposal. */
  proposalId: string;
  /** What it is about, in a few words. */
  title: string;
  /** Where it stands. */
  state: ReviewState;
  /** Where it comes from. */
  origin: Origin;
  /** Its files, by path. */
  files: ProposalFile[];
}

/** One file of a proposal. */
export interface ProposalFile {
  /** The file's address, the future one of a new file. */
  uri: string;
  /** What happens to it. */
  kind: FileKind;
  /** The address after a rename. */
  newUri?: string;
  /** Where it stands. */
  state: ReviewState;
  /** SHA-256 of the text that the hunks are a change of, in hexadecimal; that of the empty text for a new file. */
  baseHash: string;
  /** Its hunks, from top to bottom. */
  hunks: Hunk[];
  /** All that is undecided in it, as a unified diff with headers; empty when nothing is. */
  unifiedDiff: string;
}

/** What happens to a file. */
export type FileKind =
  /** Its text changes. */
  | "modify"
  /** It comes into being. */
  | "create"
  /** It goes. */
  | "delete"
  /** It gets another address, `newUri`, and maybe another text. */
  | "rename";

/** Argument of `kkcode.review.undo` and `kkcode.review.redo`. */
export interface ReviewUndoParams {
  /** The proposal whose last decision is meant; the last one in this workspace when left out. */
  proposalId?: string;
}

/** Answer to `kkcode.review.undo` and `kkcode.review.redo`. */
export interface ReviewUndoResult {
  /** The decision that was undone or made again; left out when there was none. */
  decision?: ReviewDecision;
}

/** One decision of the user's. */
export interface ReviewDecision {
  /** What it was. */
  action: ReviewAction;
  /** The proposal it was about. */
  proposalId: string;
  /** The hunks it was about. */
  hunkIds: string[];
  /** The reason that was given. */
  reason?: string;
  /** When it was made. */
  at: string;
}

/** What a decision was. */
export type ReviewAction =
  /** Hunks were accepted. */
  | "accept"
  /** Hunks were rejected. */
  | "reject"
  /** The user's own version replaced a file's proposed text. */
  | "edit";

/** Argument of `kkcode.review.comment`: about a hunk, or a range of the file, or the whole file. */
export interface ReviewCommentParams {
  /** The proposal. */
  proposalId: string;
  /** A file of it. */
  uri: string;
  /** The hunk; not together with `range`. */
  hunkId?: string;
  /** The part of the document's text of now; not together with `hunkId`. */
  range?: Range;
  /** What the user has to say. */
  text: string;
}

/** Answer to `kkcode.review.comment`. */
export interface ReviewCommentResult {
  /** The comment, kept for the next turn. */
  commentId: string;
}

/** Argument of `kkcode.review.send`. */
export interface ReviewSendParams {
  /** The proposal. */
  proposalId: string;
}

/** Answer to `kkcode.review.send`. */
export interface ReviewSendResult {
  /** The turn, in the proposal's session, that was started with all comments and decisions. */
  turnId: string;
}

/** Argument of `kkcode.task.start`. */
export interface TaskStartParams {
  /** What the user wants. */
  prompt: string;
  /** What it is about, in a few words; made from the prompt when left out. */
  description?: string;
  /** How to work on it; `agent` when left out. */
  mode?: Mode;
  /** Where to work; `none` when left out. */
  isolation?: Isolation;
  /** The model; the selected one when left out. */
  model?: string;
  /** The session that it is started from; needed for `fork_context`. */
  sessionId?: string;
  /** What it knows when it begins; `fresh_agent` when left out. */
  executionMode?: ExecutionMode;
  /** How long it may work before it is interrupted, in milliseconds; 900,000 when left out, at least 1,000. */
  timeoutMs?: number;
  /** A name that tasks share which belong together. */
  groupId?: string;
  /** What the group is about, in a few words. */
  groupLabel?: string;
  /** Paths, relative to the workspace folder, that it is expected to change. */
  plannedFiles?: string[];
  /** The permission level; the one in force when left out. A task never applies edits, whatever its level. */
  level?: Level;
}

/** Where a task works. */
export type Isolation =
  /** In a detached git worktree of its own, which begins as a copy of the user's files with all their changes. */
  | "worktree"
  /** Over the user's files, which stay untouched; what a task does when nothing else is said. */
  | "none";

/** What a task knows when it begins. */
export type ExecutionMode =
  /** Its prompt only; what a task does when nothing else is said. */
  | "fresh_agent"
  /** The conversation of the session that it is started from. */
  | "fork_context";

/** Answer to `kkcode.task.start`. */
export interface TaskStartResult {
  /** The task that was started. */
  taskId: string;
}

/** Argument of `kkcode.task.list`. */
export interface TaskListParams {
  /** Only tasks with this status; all when left out. */
  status?: TaskStatus;
}

/** Where a task stands. */
export type TaskStatus =
  /** Waits for a free worker. */
  | "pending"
  /** A worker does it. */
  | "running"
  /** An answer is needed; `waitingFor` says which. */
  | "waiting"
  /** Ended as it should. */
  | "completed"
  /** Ended because it was cancelled. */
  | "cancelled"
  /** Ended with an error; `error` says which. */
  | "error"
  /** Cut off; `interruptionReason` says why. */
  | "interrupted";

/** Answer to `kkcode.task.list`. */
export interface TaskListResult {
  /** The tasks, newest first. */
  tasks: TaskSummary[];
}

/** A task's record. */
export interface TaskSummary {
  /** The task. */
  taskId: string;
  /** What it is about, in a few words. */
  description: string;
  /** Where it stands. */
  status: TaskStatus;
  /** Which attempt this is, from 1. */
  attempt: number;
  /** The session that its turns are in. */
  sessionId?: string;
  /** The group it belongs to. */
  groupId?: string;
  /** What the group is about. */
  groupLabel?: string;
  /** What it does now, in a few words. */
  activity?: string;
  /** For a waiting task, what for. */
  waitingFor?: WaitingFor;
  /** Why it was cut off or cancelled. */
  interruptionReason?: InterruptionReason;
  /** Why it failed. */
  error?: ErrorInfo;
  /** What came of it. */
  result?: TaskOutcome;
  /** The process that does it. */
  pid?: number;
  /** When it was started by the user. */
  createdAt: string;
  /** When a worker took up this attempt. */
  startedAt?: string;
  /** When this attempt ended. */
  endedAt?: string;
  /** Whether it was asked to stop. */
  cancelRequested?: boolean;
}

/** What a waiting task needs. */
export type WaitingFor =
  /** An answer to a permission prompt. */
  | {
      kind: "permission";
      /** The prompt, for `kkcode.permission.answer`. */
      promptId: string;
    }
  /** An answer to questions. */
  | {
      kind: "question";
      /** The questions, for `kkcode.question.answer`. */
      questionId: string;
    }
  /** A provider's key, which is kept in memory only and no running server has. */
  | {
      kind: "key";
      /** The provider, for `kkcode/secret/set`. */
      provider: string;
    };

/** What came of a task. */
export interface TaskOutcome {
  /** What the agent said in the end, as Markdown. */
  reply?: string;
  /** The proposals against the user's files. */
  proposalIds: string[];
  /** Those of the planned files that no proposal of it changes. */
  remainingFiles?: string[];
  /**
   * The worktree, when it was kept: for a retry, or because something in it is not in the proposals. An absolute path.
   */
  worktreePath?: string;
  /** What its model requests counted. */
  usage: Usage;
}

/** Argument of `kkcode.task.show`, `.cancel` and `.retry`. */
export interface TaskParams {
  /** The task. */
  taskId: string;
}

/** A task's record and what it was started with; the answer to `kkcode.task.show`, `.cancel` and `.retry`. */
export interface Task {
  /** The task. */
  taskId: string;
  /** What it is about, in a few words. */
  description: string;
  /** Where it stands. */
  status: TaskStatus;
  /** Which attempt this is, from 1. */
  attempt: number;
  /** The session that its turns are in. */
  sessionId?: string;
  /** The group it belongs to. */
  groupId?: string;
  /** What the group is about. */
  groupLabel?: string;
  /** What it does now, in a few words. */
  activity?: string;
  /** For a waiting task, what for. */
  waitingFor?: WaitingFor;
  /** Why it was cut off or cancelled. */
  interruptionReason?: InterruptionReason;
  /** Why it failed. */
  error?: ErrorInfo;
  /** What came of it. */
  result?: TaskOutcome;
  /** The process that does it. */
  pid?: number;
  /** When it was started by the user. */
  createdAt: string;
  /** When a worker took up this attempt. */
  startedAt?: string;
  /** When this attempt ended. */
  endedAt?: string;
  /** Whether it was asked to stop. */
  cancelRequested?: boolean;
  /** What the user wants. */
  prompt: string;
  /** How it works on it. */
  mode: Mode;
  /** Its permission level. */
  level: Level;
  /** Where it works. */
  isolation: Isolation;
  /** What it knew when it began. */
  executionMode: ExecutionMode;
  /** Its model. */
  model?: string;
  /** The session that it was started from. */
  parentSessionId?: string;
  /** The workspace folder. */
  workspaceUri: string;
  /** How long an attempt may work, in milliseconds. */
  timeoutMs: number;
  /** Paths, relative to the workspace folder, that it was expected to change. */
  plannedFiles?: string[];
}

/** Argument of `kkcode.task.logs`. */
export interface TaskLogsParams {
  /** The task. */
  taskId: string;
  /** Only events after this one; from the first when left out. */
  sinceSeq?: number;
  /** At most so many events; 1,000 when left out, and never more. */
  limit?: number;
}

/** Answer to `kkcode.task.logs`. */
export interface TaskLogsResult {
  /** The task's events, oldest first. */
  events: Event[];
  /** The `sinceSeq` to go on with. */
  nextSeq: number;
}

/** Something that happened and is kept. */
export type Event = {
  /** Its number, given by the commit that made it; never goes back. */
  seq: number;
  /** When it happened. */
  at: string;
  /** The task that it happened in. */
  taskId?: string;
} & (
  /** A turn began. */
  | {
      kind: "turnStarted";
      /** The turn. */
      turnId: string;
      /** Its session. */
      sessionId: string;
      /** How the agent works on it. */
      mode: Mode;
      /** What the user wants. */
      prompt: string;
    }
  /** The agent said something: one step's text, whole. */
  | {
      kind: "message";
      /** The turn. */
      turnId: string;
      /** What it said, as Markdown. */
      text: string;
    }
  /** The agent called a tool. */
  | {
      kind: "toolCalled";
      /** The turn. */
      turnId: string;
      /** Names the call within its turn. */
      callId: string;
      /** The tool's name. */
      tool: string;
      /** What the call does, in a few words. */
      title: string;
    }
  /** A tool call ended. */
  | {
      kind: "toolFinished";
      /** The turn. */
      turnId: string;
      /** The call. */
      callId: string;
      /** How it ended. */
      status: ToolStatus;
      /** What came of it, in a few words. */
      summary?: string;
    }
  /** Something else worth keeping in a log, such as a retry or a formatter's failure. */
  | {
      kind: "note";
      /** The turn. */
      turnId?: string;
      /** What it was, in one sentence. */
      text: string;
    }
  /** A turn ended, as in `kkcode/turn/didFinish`. */
  | ({
      kind: "turnFinished";
    } & TurnOutcome)
  /** A proposal's hunks or states became others, as in `kkcode/proposal/didChange`. */
  | ({
      kind: "proposalChanged";
    } & ProposalChange)
  /** A task's record became another, as in `kkcode/task/didChange`. */
  | {
      kind: "taskChanged";
      /** The record as it was then. */
      task: TaskSummary;
    }
  /** The agent waits for a permission, as in `kkcode/permission/didAsk`. */
  | ({
      kind: "permissionAsked";
    } & PermissionPrompt)
  /** A permission prompt was answered, as in `kkcode/permission/didResolve`. */
  | ({
      kind: "permissionResolved";
    } & PermissionResolution)
  /** The agent asks the user something, as in `kkcode/question/didAsk`. */
  | ({
      kind: "questionAsked";
    } & QuestionPrompt)
  /** A question was answered, as in `kkcode/question/didResolve`. */
  | ({
      kind: "questionResolved";
    } & QuestionResolution)
);

/** How a tool call ended. */
export type ToolStatus =
  /** As it should. */
  | "ok"
  /** With an error that the agent was told. */
  | "error"
  /** Not done: a rule, the level or the user said no. */
  | "denied"
  /** Cut off with its turn. */
  | "cancelled";

/** A turn and its end. */
export interface TurnOutcome {
  /** The turn. */
  turnId: string;
  /** How it ended: never `running`, `waiting` or `retrying`. */
  status: TurnStatus;
  /** What the agent said, as Markdown. */
  reply?: string;
  /** Why it failed. */
  error?: ErrorInfo;
  /** Why it was cut off. */
  interruptionReason?: InterruptionReason;
  /** The proposals that it made or amended. */
  proposalIds: string[];
}

/** A proposal and its counts of now. */
export interface ProposalChange {
  /** The proposal. */
  proposalId: string;
  /** Where it stands. */
  state: ReviewState;
  /** Its files, by path. */
  files: FileCounts[];
}

/** One of the answers that a prompt offers. */
export interface PermissionOption {
  /** The answer. */
  answer: PermissionAnswer;
  /** What to show for it; for `allow_always` it names what the rule will cover. */
  title: string;
}

/** An answer to a permission prompt. */
export type PermissionAnswer =
  /** This once. */
  | "allow_once"
  /** This once, with the session's pending edits let into their files before. */
  | "apply_first"
  /** Exactly this, until the session ends. */
  | "allow_session"
  /** From now on, as a learned rule. */
  | "allow_always"
  /** No. */
  | "deny";

/** A prompt: what the agent wants to do, and the answers to choose from. */
export interface PermissionPrompt {
  /** The prompt. */
  promptId: string;
  /** What is asked, in one line. */
  title: string;
  /** Exactly what an approval covers, such as the whole command, and why it is asked. */
  detail: string;
  /** The whole command line that would be run, byte for byte. */
  command?: string;
  /** The change that is asked about, as a unified diff. */
  diff?: string;
  /** The answers, in the order to show them. */
  options: PermissionOption[];
  /** The tool that wants it. */
  tool: string;
  /** Where it comes from. */
  origin: Origin;
}

/** A prompt that was answered. */
export interface PermissionResolution {
  /** The prompt. */
  promptId: string;
  /** The answer that counts. */
  answer: PermissionAnswer;
  /**
   * Who gave it: the name of an editor (its `clientInfo.name`), `cli`, `rule` for a rule or level that came meanwhile,
   * `cancel` when the turn or task ended.
   */
  by: string;
}

/** One question. */
export interface Question {
  /** Names the question in the answers. */
  id: string;
  /** The question. */
  text: string;
  /** What helps to answer it. */
  description?: string;
  /** What to choose from; empty for a question with a free answer. */
  options?: QuestionOption[];
  /** Whether several options may be chosen. */
  multiple?: boolean;
  /** Whether a text beside the options is an answer, too. */
  allowText?: boolean;
}

/** One option of a question. */
export interface QuestionOption {
  /** What to answer with. */
  value: string;
  /** What to show. */
  label: string;
  /** What it means. */
  description?: string;
}

/** Questions that are asked together. */
export interface QuestionPrompt {
  /** The questions, together. */
  questionId: string;
  /** What they are about, in one line. */
  title: string;
  /** What the user should know before answering, as Markdown. */
  detail?: string;
  /** The questions, one by one. */
  questions: Question[];
  /** Where they come from. */
  origin: Origin;
}

/** An answer to one question. */
export type Answer = string | string[];

/** Questions that were answered. */
export interface QuestionResolution {
  /** The questions, together. */
  questionId: string;
  /** The answers that count. */
  answers: Record<string, Answer>;
  /** Who gave them: the name of an editor (its `clientInfo.name`), `cli`, or `cancel` when the turn or task ended. */
  by: string;
}

/** Argument of `kkcode.task.clean`. */
export interface TaskCleanParams {
  /** Only tasks that ended more than so many days ago; 7 when left out. */
  olderThanDays?: number;
}

/** Answer to `kkcode.task.clean`. */
export interface TaskCleanResult {
  /** How many records were removed. */
  removed: number;
}

/** Argument of `kkcode.session.list`: which part of the list is wanted. */
export interface SessionListParams {
  /** How many sessions at most; all when left out. */
  limit?: number;
  /** How many to leave out at the beginning. */
  offset?: number;
}

/** Answer to `kkcode.session.list`. */
export interface SessionListResult {
  /** The sessions of this workspace, last used first, or the part of them that was asked for. */
  sessions: SessionSummary[];
  /** How many there are in all. */
  total: number;
}

/** A session in a list; the answer to `kkcode.session.fork` and `kkcode.session.rename`. */
export interface SessionSummary {
  /** The session. */
  sessionId: string;
  /** What it is about: made from its first prompt, or as the user named it. */
  title: string;
  /** The workspace folder. */
  workspaceUri: string;
  /** The session that it is a copy of. */
  forkedFrom?: string;
  /** The model of its last turn. */
  model?: string;
  /** How many turns it has. */
  turnCount: number;
  /** The turn that is running or waiting in it. */
  activeTurnId?: string;
  /** Its open proposal. */
  openProposalId?: string;
  /** When it began. */
  createdAt: string;
  /** When its last turn began or ended. */
  updatedAt: string;
}

/** Argument of `kkcode.session.show`: of which session, and which of its turns. */
export interface SessionShowParams {
  /** The session. */
  sessionId: string;
  /** How many turns at most, the last ones; all when left out. */
  limit?: number;
  /** Only turns before this one: the first of those that were shown before. */
  before?: string;
}

/** A session with its turns; the answer to `kkcode.session.show`. */
export interface Session {
  /** The session. */
  sessionId: string;
  /** What it is about: made from its first prompt, or as the user named it. */
  title: string;
  /** The workspace folder. */
  workspaceUri: string;
  /** The session that it is a copy of. */
  forkedFrom?: string;
  /** The model of its last turn. */
  model?: string;
  /** How many turns it has. */
  turnCount: number;
  /** The turn that is running or waiting in it. */
  activeTurnId?: string;
  /** Its open proposal. */
  openProposalId?: string;
  /** When it began. */
  createdAt: string;
  /** When its last turn began or ended. */
  updatedAt: string;
  /** Its turns, or those that were asked for, oldest first. */
  turns: SessionTurn[];
  /** How many turns it has before the first of these. */
  earlier: number;
  /** What the model requests of all its turns counted. */
  usage: Usage;
}

/** One turn of a session. */
export interface SessionTurn {
  /** The turn. */
  turnId: string;
  /** What the user wanted. */
  prompt: string;
  /** How the agent worked on it. */
  mode: Mode;
  /** Where it stands. */
  status: TurnStatus;
  /** What the agent said, as Markdown. */
  reply?: string;
  /** Why it failed. */
  error?: ErrorInfo;
  /** Why it was cut off. */
  interruptionReason?: InterruptionReason;
  /** The proposals that it made or amended. */
  proposalIds: string[];
  /** What its model requests counted. */
  usage: Usage;
  /** When it began. */
  startedAt: string;
  /** When it ended. */
  endedAt?: string;
}

/** Argument of `kkcode.session.fork` and `.delete`. */
export interface SessionParams {
  /** The session. */
  sessionId: string;
}

/** Argument of `kkcode.session.rename`. */
export interface SessionRenameParams {
  /** The session. */
  sessionId: string;
  /** What it is called from now on. */
  title: string;
}

/** Answer to `kkcode.session.delete`. */
export interface SessionDeleteResult {
  /** Whether it is gone by this command; `false` when it was gone before. */
  deleted: boolean;
}

/** Argument of `kkcode.permission.answer`. */
export interface PermissionAnswerParams {
  /** The prompt. */
  promptId: string;
  /** The answer. */
  answer: PermissionAnswer;
  /** What the agent is told with the answer. */
  feedback?: string;
}

/** Answer to `kkcode.permission.answer`. */
export interface PermissionAnswerResult {
  /** Whether this answer counts; `false` when another came first. */
  accepted: boolean;
}

/** Argument of `kkcode.permission.list`: nothing. */
export type PermissionListParams = Record<string, never>;

/** Answer to `kkcode.permission.list`. */
export interface PermissionListResult {
  /** The level in force. */
  level: Level;
  /** The learned rules, oldest first. */
  rules: PermissionRule[];
  /** The prompts that wait for an answer, oldest first. */
  prompts: PermissionPrompt[];
}

/** A rule that an `allow_always` made; it holds what was shown when it was made. */
export interface PermissionRule {
  /** The rule. */
  ruleId: string;
  /** What it says. */
  action: Decision;
  /** The tool it is about. */
  tool: string;
  /** What the command has to begin with, word by word. */
  commandPrefix?: string;
  /** Patterns that the paths have to match; all paths when empty. */
  filePatterns?: string[];
  /** The workspace folder it holds in; everywhere when left out. */
  workspaceUri?: string;
  /**
   * What stands in another agent's settings file of that folder, to which the user agreed or, with `ask`, did not; it
   * goes when the file changes.
   */
  settings?: string[];
  /** When it was made. */
  createdAt: string;
}

/** What a rule, or all of them together, say; the strictest wins. */
export type Decision =
  /** Done unasked. */
  | "allow"
  /** The user is asked. */
  | "ask"
  /** Not done. */
  | "deny";

/** Argument of `kkcode.permission.forget`. */
export interface PermissionForgetParams {
  /** The rule. */
  ruleId: string;
}

/** Answer to `kkcode.permission.forget`. */
export interface PermissionForgetResult {
  /** Whether the rule is gone by this command; `false` when it was gone before. */
  forgotten: boolean;
}

/** Argument of `kkcode.permission.setLevel`. */
export interface PermissionSetLevelParams {
  /** The level of this editor's turns and tasks from now on, until its server ends. */
  level: Level;
}

/** Answer to `kkcode.permission.setLevel`. */
export interface PermissionSetLevelResult {
  /** The level in force, which may be stricter than the one asked for where the workspace is not trusted. */
  level: Level;
}

/** Argument of `kkcode.question.answer`. */
export interface QuestionAnswerParams {
  /** The questions, together. */
  questionId: string;
  /** The answers; an empty object lets the agent go on without. */
  answers: Record<string, Answer>;
}

/** Answer to `kkcode.question.answer`. */
export interface QuestionAnswerResult {
  /** Whether these answers count; `false` when others came first. */
  accepted: boolean;
}

/** Argument of `kkcode.model.list`: nothing. */
export type ModelListParams = Record<string, never>;

/** Answer to `kkcode.model.list`. */
export interface ModelListResult {
  /** The models, as the configuration and the providers name them, provider by provider. */
  models: ModelInfo[];
  /** The one of the turns and tasks to come. */
  selected?: string;
}

/** A model that can be selected. */
export interface ModelInfo {
  /** Its name with its provider's, `provider/model`. */
  model: string;
  /** Its provider's name in the configuration. */
  provider: string;
  /** How many tokens a conversation may have, where it is known. */
  contextTokens?: number;
  /** Why it cannot be used at the moment and what to do about it, such as a missing key. */
  unavailable?: string;
}

/** Argument of `kkcode.model.select`. */
export interface ModelSelectParams {
  /** The model, `provider/model`; a model without provider is one of the default provider. */
  model: string;
}

/** Answer to `kkcode.model.select`. */
export interface ModelSelectResult {
  /** The selected model, with its provider. */
  model: string;
}

/** Argument of `kkcode.status`: nothing. */
export type StatusParams = Record<string, never>;

/** Answer to `kkcode.status`. */
export interface StatusResult {
  /** The server's version. */
  version: string;
  /** The version of this protocol. */
  protocolVersion: number;
  /** The permission level in force. */
  level: Level;
  /** The model of the turns and tasks to come. */
  model?: string;
  /** Its provider's name in the configuration. */
  provider?: string;
  /** Whether the user trusts all folders of the workspace. */
  trusted: boolean;
  /** How many turns are running or waiting in this editor. */
  turns: number;
  /** The tasks of this workspace that have not ended. */
  tasks: TaskCounts;
  /** How many hunks of this workspace's open proposals wait for a decision, stale ones included. */
  pendingHunks: number;
  /** What the model requests of this server have counted since it started. */
  usage: Usage;
  /** What all model requests with this home have counted today (UTC), which is what the budget of a day goes by. */
  usageToday?: Usage;
  /**
   * How commands of agents are bounded on this machine, in a few words, or `not sandboxed`; absent until that has been
   * tried out.
   */
  sandbox?: string;
}

/** How many tasks there are of each status that is no end. */
export interface TaskCounts {
  /** Waiting for a free worker. */
  pending: number;
  /** In a worker's hands. */
  running: number;
  /** Waiting for an answer. */
  waiting: number;
}

/** Parameters of `kkcode/proposal/content`. */
export interface ProposalContentParams {
  /**
   * `kkcode-base:/<proposalId>/<path>` or `kkcode-proposed:/<proposalId>/<path>`, the path absolute and
   * percent-encoded.
   */
  uri: string;
}

/** Result of `kkcode/proposal/content`. */
export interface ProposalContentResult {
  /** The document's text of now. */
  text: string;
}

/** Parameters of `kkcode/events/since`. */
export interface EventsSinceParams {
  /** The last event that the client knows; 0 for none. */
  seq: number;
}

/** Result of `kkcode/events/since`. */
export interface EventsSinceResult {
  /**
   * The events of this workspace after `seq`, oldest first, at most 1,000; there may be more as long as it is not
   * empty.
   */
  events: Event[];
  /** The `seq` to go on with. */
  nextSeq: number;
  /** Each running turn with its text so far. */
  turns: TurnText[];
}

/** A running turn's reply so far. */
export interface TurnText {
  /** The turn. */
  turnId: string;
  /** What the agent has said so far, as Markdown; the next `text` update begins at its end. */
  text: string;
}

/** Parameters of `kkcode/secret/set`. */
export interface SecretSetParams {
  /** The provider's name in the configuration. */
  provider: string;
  /** The key; an empty one makes the server forget it. Kept in memory only, never logged or stored. */
  key: string;
}

/** Result of `kkcode/secret/set`: nothing. */
export type SecretSetResult = Record<string, never>;

/** Parameters of `kkcode/document/save`. */
export interface DocumentSaveParams {
  /** The document, whose buffer was clean before our edit. */
  uri: string;
}

/** Result of `kkcode/document/save`. */
export interface DocumentSaveResult {
  /** Whether the disk has the buffer's text now. */
  saved: boolean;
}

/** Body of `kkcode/trust/didChange`. */
export interface TrustDidChangeParams {
  /** The workspace folder. */
  uri: string;
  /** Whether the user trusts it from now on. */
  trusted: boolean;
}

/** Body of `kkcode/turn/didUpdate`. */
export interface TurnDidUpdateParams {
  /** The turn. */
  turnId: string;
  /** How long the turn's reply was before this update, in code units of the negotiated position encoding. */
  offset: number;
  /** What is new. */
  update: TurnUpdate;
}

/** What is new in a running turn; a client passes over kinds that it does not know. */
export type TurnUpdate =
  /** More of the reply; it stands at `offset`. */
  | {
      kind: "text";
      /** The new part, as Markdown. */
      text: string;
    }
  /** More of the model's thinking. */
  | {
      kind: "thinking";
      /** The new part. */
      text: string;
    }
  /** The agent called a tool. */
  | {
      kind: "toolCall";
      /** Names the call within its turn. */
      callId: string;
      /** The tool's name. */
      tool: string;
      /** What the call does, in a few words. */
      title: string;
    }
  /** A tool call ended. */
  | {
      kind: "toolResult";
      /** The call. */
      callId: string;
      /** How it ended. */
      status: ToolStatus;
      /** What came of it, in a few words. */
      summary?: string;
    }
  /** The agent's list of what it is going to do, whole. */
  | {
      kind: "plan";
      /** The steps, in order. */
      entries: PlanEntry[];
    }
  /** What the turn's model requests have counted so far. */
  | {
      kind: "usage";
      /** The sum over the turn. */
      usage: Usage;
    }
  /** The turn waits to send a failed request again, or has sent it. */
  | {
      kind: "status";
      /** Where the turn stands now: `retrying`, or `running` again. */
      status: TurnStatus;
      /** What it waits for while it is `retrying`. */
      retry?: Retry;
    };

/** One step of the agent's list. */
export interface PlanEntry {
  /** What is to be done. */
  text: string;
  /** How far it is. */
  status: PlanStatus;
}

/** How far a step of the agent's list is. */
export type PlanStatus =
  /** Not begun. */
  | "pending"
  /** Under way. */
  | "in_progress"
  /** Done. */
  | "completed";

/** Body of `kkcode/turn/didFinish`. */
export interface TurnDidFinishParams {
  /** Number of the event. */
  seq: number;
  /** The turn. */
  turnId: string;
  /** How it ended: never `running`, `waiting` or `retrying`. */
  status: TurnStatus;
  /** What the agent said, as Markdown. */
  reply?: string;
  /** Why it failed. */
  error?: ErrorInfo;
  /** Why it was cut off. */
  interruptionReason?: InterruptionReason;
  /** The proposals that it made or amended. */
  proposalIds: string[];
}

/** Body of `kkcode/proposal/didChange`. */
export interface ProposalDidChangeParams {
  /** Number of the event; that of the last one before, when only the user's typing made the difference. */
  seq: number;
  /** The proposal. */
  proposalId: string;
  /** Where it stands. */
  state: ReviewState;
  /** Its files, by path. */
  files: FileCounts[];
}

/** Body of `kkcode/task/didChange`. */
export interface TaskDidChangeParams {
  /** Number of the event. */
  seq: number;
  /** The task's record of now. */
  task: TaskSummary;
}

/** Body of `kkcode/permission/didAsk`. */
export interface PermissionDidAskParams {
  /** Number of the event. */
  seq: number;
  /** The prompt. */
  promptId: string;
  /** What is asked, in one line. */
  title: string;
  /** Exactly what an approval covers, such as the whole command, and why it is asked. */
  detail: string;
  /** The whole command line that would be run, byte for byte. */
  command?: string;
  /** The change that is asked about, as a unified diff. */
  diff?: string;
  /** The answers, in the order to show them. */
  options: PermissionOption[];
  /** The tool that wants it. */
  tool: string;
  /** Where it comes from. */
  origin: Origin;
}

/** Body of `kkcode/permission/didResolve`. */
export interface PermissionDidResolveParams {
  /** Number of the event. */
  seq: number;
  /** The prompt. */
  promptId: string;
  /** The answer that counts. */
  answer: PermissionAnswer;
  /**
   * Who gave it: the name of an editor (its `clientInfo.name`), `cli`, `rule` for a rule or level that came meanwhile,
   * `cancel` when the turn or task ended.
   */
  by: string;
}

/** Body of `kkcode/question/didAsk`. */
export interface QuestionDidAskParams {
  /** Number of the event. */
  seq: number;
  /** The questions, together. */
  questionId: string;
  /** What they are about, in one line. */
  title: string;
  /** What the user should know before answering, as Markdown. */
  detail?: string;
  /** The questions, one by one. */
  questions: Question[];
  /** Where they come from. */
  origin: Origin;
}

/** Body of `kkcode/question/didResolve`. */
export interface QuestionDidResolveParams {
  /** Number of the event. */
  seq: number;
  /** The questions, together. */
  questionId: string;
  /** The answers that count. */
  answers: Record<string, Answer>;
  /** Who gave them: the name of an editor (its `clientInfo.name`), `cli`, or `cancel` when the turn or task ended. */
  by: string;
}
