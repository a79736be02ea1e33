// Commands that start a turn: on a selection, a file, problems, with what the user attached.
import * as vscode from "vscode";
import { type Server, registerCommands } from "./client";
import { type ContextDiagnostic, type ContextItem, type Mode, type Range, type TurnStartParams, commands } from "./protocol";
import type { Turns } from "./turns";
import { counted, shortened } from "./pure/words";

/** The severities of the Language Server Protocol, which count from 1. */
const FIRST_SEVERITY = 1;

/** Starts turns. */
export class Prompts implements vscode.Disposable {
  readonly #attached = new Map<string, ContextItem>();
  readonly #item = vscode.window.createStatusBarItem("kkcode.attachments", vscode.StatusBarAlignment.Right, 89);
  turns: Turns | undefined;

  constructor(
    context: vscode.ExtensionContext,
    readonly server: Server,
  ) {
    this.#item.name = "Kkcode attachments";
    this.#item.command = "kkcode.ui.turn.clearAttachments";
    const selected = "the selected code";
    registerCommands(context, {
      "turn.start": () => this.#ask("agent", "What should the agent do?"),
      "turn.ask": () => this.#ask("ask", "What would you like to know?"),
      "turn.plan": () => this.#ask("plan", "What should be planned?"),
      "turn.explain": () => this.#start("ask", `Explain ${selected}.`),
      "turn.refactor": () => this.#ask("agent", "How should the selected code be refactored?", "Refactor the selected code: "),
      "turn.document": () => this.#start("agent", `Document ${selected}.`),
      "turn.writeTests": () => this.#start("agent", `Write tests for ${selected}.`),
      "turn.fix": () => this.#fix(),
      "turn.attachFile": (uri?: vscode.Uri) => {
        this.#attach(uri ?? vscode.window.activeTextEditor?.document.uri);
      },
      "turn.attachSelection": () => {
        const editor = vscode.window.activeTextEditor;
        this.#attach(editor?.document.uri, editor && toRange(editor.selection));
      },
      "turn.clearAttachments": () => {
        this.#attached.clear();
        this.#showAttached();
      },
    });
  }

  dispose(): void {
    this.#item.dispose();
  }

  /** Asks for a prompt and goes on in a session. */
  async goOn(sessionId: string): Promise<void> {
    await this.#ask("agent", "How should it go on?", "", sessionId);
  }

  async #ask(mode: Mode, title: string, before = "", sessionId?: string): Promise<void> {
    const attached = this.#attached.size === 0 ? "" : ` ${counted(this.#attached.size, "attachment")} go with it.`;
    const about = this.#about();
    const prompt = await vscode.window.showInputBox({
      title,
      prompt: `${about}${attached}`.trim(),
      placeHolder: mode === "agent" ? "Changes come as hunks that you review" : "Nothing is changed",
      ignoreFocusOut: true,
    });
    if (prompt !== undefined && prompt.trim() !== "") {
      await this.#start(mode, `${before}${prompt}`, { ...(sessionId !== undefined && { sessionId }) });
    }
  }

  async #fix(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const diagnostics = editor === undefined ? [] : diagnosticsAt(editor);
    if (diagnostics.length === 0) {
      throw new Error("there is no problem at the cursor or in the selection");
    }
    const messages = diagnostics.map(({ diagnostic }) => diagnostic.message).join("\n");
    await this.#start("agent", `Fix: ${messages}`, { diagnostics });
  }

  async #start(mode: Mode, prompt: string, more: Partial<TurnStartParams> = {}): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const params: TurnStartParams = { prompt, mode, ...more };
    if (editor?.document.uri.scheme === "file") {
      params.textDocument = { uri: editor.document.uri.toString(), version: editor.document.version };
      if (!editor.selection.isEmpty) {
        params.range = toRange(editor.selection);
      }
    }
    if (this.#attached.size > 0) {
      params.context = [...this.#attached.values()];
    }
    const { turnId, sessionId } = await this.server.command(commands.turnStart, params);
    this.#attached.clear();
    this.#showAttached();
    await this.turns?.started(turnId, sessionId, prompt);
  }

  #about(): string {
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.uri.scheme !== "file") {
      return "";
    }
    const name = vscode.workspace.asRelativePath(editor.document.uri);
    const { start, end } = editor.selection;
    return editor.selection.isEmpty ? `About ${name}.` : `About lines ${start.line + 1}–${end.line + 1} of ${name}.`;
  }

  #attach(uri: vscode.Uri | undefined, range?: Range): void {
    if (uri?.scheme !== "file") {
      throw new Error("only files can be attached: open one, or choose it in the explorer");
    }
    const key = range === undefined ? uri.toString() : `${uri.toString()}#${JSON.stringify(range)}`;
    this.#attached.set(key, { uri: uri.toString(), ...(range && { range }) });
    this.#showAttached();
  }

  #showAttached(): void {
    const names = [...this.#attached.values()].map(({ uri, range }) => {
      const name = vscode.workspace.asRelativePath(vscode.Uri.parse(uri));
      return range === undefined ? name : `${name}:${range.start.line + 1}–${range.end.line + 1}`;
    });
    this.#item.text = `$(link) ${counted(names.length, "attachment")}`;
    this.#item.tooltip = `Go with the next prompt; click to clear:\n${names.map((name) => shortened(name)).join("\n")}`;
    if (names.length > 0) {
      this.#item.show();
    } else {
      this.#item.hide();
    }
  }
}

function diagnosticsAt({ document, selection }: vscode.TextEditor): ContextDiagnostic[] {
  return vscode.languages
    .getDiagnostics(document.uri)
    .filter(({ range }) => range.intersection(selection) !== undefined || range.start.line === selection.active.line)
    .map((diagnostic) => {
      const code = typeof diagnostic.code === "object" ? diagnostic.code.value : diagnostic.code;
      return {
        uri: document.uri.toString(),
        diagnostic: {
          range: toRange(diagnostic.range),
          severity: diagnostic.severity + FIRST_SEVERITY,
          message: diagnostic.message,
          ...(code !== undefined && { code }),
          ...(diagnostic.source !== undefined && { source: diagnostic.source }),
        },
      };
    });
}

function toRange({ start, end }: vscode.Range): Range {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}
