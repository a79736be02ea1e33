// The Turns view, and a Markdown document for each turn that streams what it says and does.
import * as vscode from "vscode";
import { type Server, act, ifThere, notifications, registerCommands } from "./client";
import { type Event, commands } from "./protocol";
import type { Texts } from "./documents";
import { Turn, statusInWords } from "./pure/turn";
import { shortened, unlinked, usageInWords } from "./pure/words";
import type { Missed, Replay } from "./replay";

/** How often a document follows its turn, in milliseconds. */
const REDRAW_EVERY = 100;

/** Of how many sessions a new window shows the turns. */
const LAST_SESSIONS = 5;

/** The turns that this window knows. */
export class Turns implements vscode.TreeDataProvider<Turn>, vscode.Disposable {
  readonly #turns = new Map<string, Turn>();
  readonly #shown = new Set<Turn>();
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #view: vscode.TreeView<Turn>;
  #timer: NodeJS.Timeout | undefined;

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(
    context: vscode.ExtensionContext,
    readonly server: Server,
    readonly texts: Texts,
    replay: Replay,
    readonly go: (sessionId: string) => Promise<void>,
  ) {
    this.#view = vscode.window.createTreeView("kkcode.turns", { treeDataProvider: this });
    server.on(notifications.turnDidUpdate, ({ turnId, offset, update }) => {
      if (!this.#turn(turnId).update(offset, update)) {
        act(() => this.#catchUp(turnId));
      }
      this.#redraw();
    });
    server.on(notifications.turnDidFinish, (finished) => {
      if (!this.#turns.has(finished.turnId)) {
        // Somebody else's, of a task or another window.
        act(() => this.#lastTurns());
        return;
      }
      const turn = this.#turn(finished.turnId);
      turn.finish(finished);
      this.#redraw();
      if (finished.status === "failed") {
        void vscode.window.showErrorMessage(unlinked(`Kkcode: ${finished.error?.message ?? "the turn failed"}`));
      }
      act(() => this.#catchUp(finished.turnId));
    });
    replay.onDidMiss((missed) => {
      act(() => this.#missed(missed));
    });
    registerCommands(context, {
      "turn.show": async (turn: Turn) => this.show(turn.turnId),
      "turn.cancel": async (turn?: Turn) => this.#cancel(turn),
      "turn.continue": async (turn: Turn) => {
        if (turn.sessionId !== undefined) {
          await this.go(turn.sessionId);
        }
      },
    });
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#view.dispose();
    this.#changed.dispose();
  }

  getChildren(parent?: Turn): Turn[] {
    return parent === undefined ? [...this.#turns.values()].reverse() : [];
  }

  getTreeItem(turn: Turn): vscode.TreeItem {
    const item = new vscode.TreeItem(shortened(turn.prompt ?? turn.turnId));
    const usage = turn.usage === undefined || turn.usage.outputTokens === 0 ? "" : ` · ${usageInWords(turn.usage)}`;
    item.id = turn.turnId;
    item.description = `${statusInWords(turn.status)}${usage}`;
    item.tooltip = turn.error === undefined ? (turn.prompt ?? "") : `${turn.prompt ?? ""}\n${turn.error}`;
    item.contextValue = turn.isRunning ? "turnRunning" : "turn";
    item.iconPath = new vscode.ThemeIcon(turn.isRunning ? "sync~spin" : turn.status === "completed" ? "pass" : "circle-slash");
    item.command = { title: "Show Turn", command: "kkcode.ui.turn.show", arguments: [turn] };
    return item;
  }

  /** Notes a turn that was started here, and opens its document if that is wanted. */
  async started(turnId: string, sessionId: string | undefined, prompt: string): Promise<void> {
    const turn = this.#turn(turnId);
    turn.prompt = prompt;
    turn.sessionId = sessionId ?? turn.sessionId;
    this.#redraw();
    if (vscode.workspace.getConfiguration("kkcode").get<boolean>("turn.openDocument", true)) {
      await this.#open(turn);
    }
  }

  /** Opens a turn's document. */
  async show(turnId: string): Promise<void> {
    const turn = this.#turn(turnId);
    if (!turn.isRunning || turn.reply === "") {
      await this.#catchUp(turnId);
    }
    await this.#open(turn);
  }

  #turn(turnId: string): Turn {
    let turn = this.#turns.get(turnId);
    if (turn === undefined) {
      turn = new Turn(turnId);
      this.#turns.set(turnId, turn);
    }
    return turn;
  }

  async #open(turn: Turn): Promise<void> {
    this.#shown.add(turn);
    await this.texts.show(documentName(turn), turn.markdown(), { stays: true });
  }

  /** Asks for what was missed of a turn. */
  async #catchUp(turnId: string): Promise<void> {
    const shown = await ifThere(this.server, () => this.server.command(commands.turnShow, { turnId }));
    if (shown !== undefined) {
      this.#turn(turnId).show(shown);
      this.#redraw();
    }
  }

  /** Takes what was missed; behind the last of it, the turns that a window that is new does not know. */
  async #missed({ events, turns, isLast }: Missed): Promise<void> {
    for (const event of events) {
      this.#take(event);
    }
    for (const { turnId, text } of turns) {
      this.#turn(turnId).replaceText(text);
    }
    this.#redraw();
    if (isLast) {
      for (const turn of [...this.#turns.values()].filter(({ isRunning }) => isRunning)) {
        await this.#catchUp(turn.turnId);
      }
      await ifThere(this.server, () => this.#lastTurns());
      this.#redraw();
    }
  }

  /** Asks for the turns of the sessions that were used last, which a window that is new does not know. */
  async #lastTurns(): Promise<void> {
    const { sessions } = await this.server.command(commands.sessionList, {});
    for (const { sessionId } of sessions.slice(0, LAST_SESSIONS).reverse()) {
      const { turns } = await this.server.command(commands.sessionShow, { sessionId });
      for (const shown of turns) {
        const isKnown = this.#turns.has(shown.turnId);
        const turn = this.#turn(shown.turnId);
        turn.prompt ??= shown.prompt;
        if (!isKnown) {
          turn.show({ ...shown, sessionId });
        }
      }
    }
    this.#redraw();
  }

  #take(event: Event): void {
    if ("turnId" in event && event.taskId === undefined) {
      const known = this.#turns.get(event.turnId);
      if (event.kind === "turnStarted" || known !== undefined) {
        this.#turn(event.turnId).replay(event);
      }
    }
  }

  async #cancel(turn: Turn | undefined): Promise<void> {
    const running = turn === undefined ? [...this.#turns.values()].filter(({ isRunning }) => isRunning) : [turn];
    if (running.length === 0) {
      throw new Error("no turn is running");
    }
    for (const { turnId } of running) {
      await this.server.command(commands.turnCancel, { turnId });
    }
  }

  /** Brings view and documents up to date, not more often than can be read. */
  #redraw(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#changed.fire(undefined);
      for (const turn of this.#shown) {
        this.texts.set(documentName(turn), turn.markdown());
      }
    }, REDRAW_EVERY);
  }
}

function documentName(turn: Turn): string {
  const words = shortened(turn.prompt ?? "turn", 30).replaceAll(/[^\p{L}\p{N} ]/gu, "").trim();
  return `${turn.turnId}/${words === "" ? "turn" : words}.md`;
}
