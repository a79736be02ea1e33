// What is known of a turn, and the Markdown document that shows it.
import type { Event, PlanEntry, ToolStatus, TurnOutcome, TurnShowResult, TurnStatus, TurnUpdate, Usage } from "../protocol";
import { fenced, indented } from "./markdown";
import { usageInWords } from "./words";

/** A call of a tool, as the document shows it. */
interface ToolCall {
  callId: string;
  tool: string;
  title: string;
  status?: ToolStatus;
  summary?: string;
}

/** A part of a turn, in the order in which they came. */
type Part = { kind: "text" | "thinking" | "note"; text: string } | ({ kind: "tool" } & ToolCall);

/** One turn. */
export class Turn {
  status: TurnStatus = "running";
  sessionId: string | undefined;
  prompt: string | undefined;
  error: string | undefined;
  usage: Usage | undefined;
  proposalIds: string[] = [];
  #parts: Part[] = [];
  #plan: PlanEntry[] = [];
  #length = 0;
  /** How much of the reply durable events have told. */
  #replayed = 0;

  constructor(readonly turnId: string) {}

  /** Tells whether it can still change. */
  get isRunning(): boolean {
    return isUnderWay(this.status);
  }

  /** The reply so far. */
  get reply(): string {
    return this.#parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("");
  }

  /** Takes an update; text that was already there is left out, as `offset` tells. Returns false if text is missing. */
  update(offset: number, update: TurnUpdate): boolean {
    switch (update.kind) {
      case "text": {
        if (offset > this.#length) {
          return false;
        }
        this.#append("text", update.text.slice(this.#length - offset));
        this.#length = Math.max(this.#length, offset + update.text.length);
        return true;
      }
      case "thinking":
        this.#append("thinking", update.text);
        return true;
      case "toolCall":
        this.#call(update);
        return true;
      case "toolResult":
        this.#finishTool(update.callId, update.status, update.summary);
        return true;
      case "plan":
        this.#plan = update.entries;
        return true;
      case "usage":
        this.usage = update.usage;
        return true;
      case "status":
        this.status = update.status;
        return true;
    }
  }

  /** Takes the whole reply so far, from a server that was asked for it. */
  replaceText(text: string): void {
    if (text.length > this.#length && text.startsWith(this.reply)) {
      this.#append("text", text.slice(this.#length));
    } else if (text !== this.reply) {
      this.#parts = [...this.#parts.filter((part) => part.kind !== "text"), { kind: "text", text }];
    }
    this.#length = text.length;
  }

  /** Takes a durable event of the turn; what was heard of it live is not taken twice. */
  replay(event: Event): void {
    switch (event.kind) {
      case "turnStarted":
        this.sessionId = event.sessionId;
        this.prompt = event.prompt;
        break;
      case "message":
        this.#replayText(event.text);
        break;
      case "toolCalled":
        this.#call(event);
        break;
      case "toolFinished":
        this.#finishTool(event.callId, event.status, event.summary);
        break;
      case "note":
        if (!this.#parts.some((part) => part.kind === "note" && part.text === event.text)) {
          this.#parts.push({ kind: "note", text: event.text });
        }
        break;
      case "turnFinished":
        this.finish(event);
        break;
      case "proposalChanged":
      case "taskChanged":
      case "permissionAsked":
      case "permissionResolved":
      case "questionAsked":
      case "questionResolved":
        break;
    }
  }

  /** Takes how the turn ended. */
  finish(outcome: TurnOutcome): void {
    // An end is final: an answer that was on its way when the turn ended does not take it back.
    if (!this.isRunning && isUnderWay(outcome.status)) {
      return;
    }
    this.status = outcome.status;
    this.proposalIds = outcome.proposalIds;
    this.error = outcome.error?.message ?? outcome.interruptionReason?.replaceAll("_", " ");
    // The reply is what the agent said last; what it said before its tools is kept.
    if (outcome.reply !== undefined && !this.reply.endsWith(outcome.reply)) {
      this.replaceText(outcome.reply);
    }
  }

  /** Takes what the server says of the turn. */
  show(shown: TurnShowResult): void {
    this.sessionId = shown.sessionId;
    this.usage = shown.usage;
    this.finish(shown);
  }

  /** Returns the turn as a Markdown document. */
  markdown(): string {
    const sections = [this.#title(), ...this.#planned(), ...this.#parts.map(rendered), this.#end()];
    return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
  }

  #title(): string {
    const quoted = (this.prompt ?? "").trim().split("\n").map((line) => `> ${line}`.trimEnd());
    return this.prompt === undefined ? `# Turn ${this.turnId}` : quoted.join("\n");
  }

  #planned(): string[] {
    const marks = { pending: "[ ]", in_progress: "[ ] *now:*", completed: "[x]" };
    return this.#plan.length === 0 ? [] : [this.#plan.map((entry) => `- ${marks[entry.status]} ${entry.text}`).join("\n")];
  }

  #end(): string {
    const words = [`**${statusInWords(this.status)}**`];
    if (this.error !== undefined) {
      words.push(this.error);
    }
    if (this.usage !== undefined) {
      words.push(usageInWords(this.usage));
    }
    return `---\n\n${words.join(" · ")}`;
  }

  #append(kind: "text" | "thinking", text: string): void {
    const last = this.#parts.at(-1);
    if (text === "") {
      return;
    }
    if (last?.kind === kind) {
      last.text += text;
    } else {
      this.#parts.push({ kind, text });
    }
  }

  /** Takes a whole message, of which all, the beginning or nothing may have been heard live. */
  #replayText(text: string): void {
    const rest = this.reply.slice(this.#replayed);
    const at = rest.indexOf(text);
    if (at >= 0) {
      this.#replayed += at + text.length;
      return;
    }
    if (rest !== "" && text.startsWith(rest)) {
      this.#append("text", text.slice(rest.length));
    } else {
      this.#parts.push({ kind: "text", text });
    }
    this.#replayed = this.reply.length;
    this.#length = this.#replayed;
  }

  #call({ callId, tool, title }: ToolCall): void {
    if (!this.#parts.some((part) => part.kind === "tool" && part.callId === callId)) {
      this.#parts.push({ kind: "tool", callId, tool, title });
    }
  }

  #finishTool(callId: string, status: ToolStatus, summary: string | undefined): void {
    const call = this.#parts.find((part): part is Part & { kind: "tool" } => part.kind === "tool" && part.callId === callId);
    if (call !== undefined) {
      call.status = status;
      if (summary !== undefined) {
        call.summary = summary;
      }
    }
  }
}

/** Tells whether a turn of this status can still change. */
function isUnderWay(status: TurnStatus): boolean {
  return status === "running" || status === "waiting" || status === "retrying";
}

/** Says a turn's status in words. */
export function statusInWords(status: TurnStatus): string {
  return status === "budget_exhausted" ? "stopped at its budget" : status;
}

function rendered(part: Part): string {
  switch (part.kind) {
    case "text":
      return part.text;
    case "thinking":
      return part.text.trim().split("\n").map((line) => `> *${line.trim()}*`.replace("> **", ">")).join("\n");
    case "note":
      return `*${part.text}*`;
    case "tool": {
      const end = part.status ?? "running";
      // Most titles begin with the tool's name, which is there already.
      const title = part.title.startsWith(`${part.tool} `) ? part.title.slice(part.tool.length + 1) : part.title;
      return `- \`${part.tool}\` ${title} (${end})${summarized(part.summary ?? "")}`;
    }
  }
}

/** Says what a tool answered: one line behind the call, more as a block of its own that is no Markdown. */
function summarized(summary: string): string {
  const text = summary.trim();
  if (text === "") {
    return "";
  }
  return text.includes("\n") ? `\n\n${indented(fenced(text))}` : ` – ${text}`;
}
