// The Sessions view: conversations of this workspace, to resume, fork, rename and delete.
import * as vscode from "vscode";
import { type Server, act, ifThere, notifications, registerCommands } from "./client";
import { type SessionSummary, commands } from "./protocol";
import type { Texts } from "./documents";
import { counted, unlinked, usageInWords } from "./pure/words";

/** The sessions of this workspace. */
export class Sessions implements vscode.TreeDataProvider<SessionSummary>, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #view: vscode.TreeView<SessionSummary>;
  #sessions: SessionSummary[] = [];

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(
    context: vscode.ExtensionContext,
    readonly server: Server,
    readonly texts: Texts,
    goOn: (sessionId: string) => Promise<void>,
  ) {
    this.#view = vscode.window.createTreeView("kkcode.sessions", { treeDataProvider: this });
    const refresh = (): void => {
      act(() => this.#refresh());
    };
    server.onDidStart(refresh);
    server.on(notifications.turnDidFinish, refresh);
    const id = async (session: SessionSummary | undefined, work: (session: SessionSummary) => Promise<unknown>): Promise<void> => {
      const chosen = session ?? (await this.#pick());
      if (chosen !== undefined) {
        await work(chosen);
        await this.#refresh();
      }
    };
    registerCommands(context, {
      "session.refresh": () => this.#fetch(),
      "session.resume": (session?: SessionSummary) => id(session, async ({ sessionId }) => goOn(sessionId)),
      "session.show": (session?: SessionSummary) => id(session, async (chosen) => this.#show(chosen)),
      "session.fork": (session?: SessionSummary) =>
        id(session, async ({ sessionId }) => server.command(commands.sessionFork, { sessionId })),
      "session.rename": (session?: SessionSummary) => id(session, async (chosen) => this.#rename(chosen)),
      "session.delete": (session?: SessionSummary) => id(session, async (chosen) => this.#delete(chosen)),
    });
  }

  dispose(): void {
    this.#view.dispose();
    this.#changed.dispose();
  }

  getChildren(parent?: SessionSummary): SessionSummary[] {
    return parent === undefined ? this.#sessions : [];
  }

  getTreeItem(session: SessionSummary): vscode.TreeItem {
    const item = new vscode.TreeItem(session.title);
    const words = [counted(session.turnCount, "turn")];
    if (session.activeTurnId !== undefined) {
      words.push("running");
    }
    if (session.openProposalId !== undefined) {
      words.push("proposal open");
    }
    item.id = session.sessionId;
    item.description = words.join(", ");
    item.tooltip = `${session.title}\nlast used ${new Date(session.updatedAt).toLocaleString()}`;
    item.contextValue = "session";
    item.iconPath = new vscode.ThemeIcon(session.forkedFrom === undefined ? "comment-discussion" : "repo-forked");
    return item;
  }

  async #refresh(): Promise<void> {
    await ifThere(this.server, () => this.#fetch());
  }

  async #fetch(): Promise<void> {
    ({ sessions: this.#sessions } = await this.server.command(commands.sessionList, {}));
    this.#changed.fire(undefined);
  }

  async #pick(): Promise<SessionSummary | undefined> {
    await this.#fetch();
    if (this.#sessions.length === 0) {
      throw new Error("this workspace has no session yet: “Kkcode: Ask the Agent to Work on…” begins one");
    }
    const rows = this.#sessions.map((session) => ({
      label: session.title,
      description: counted(session.turnCount, "turn"),
      session,
    }));
    return (await vscode.window.showQuickPick(rows, { title: "Which session?" }))?.session;
  }

  async #show({ sessionId }: SessionSummary): Promise<void> {
    const session = await this.server.command(commands.sessionShow, { sessionId });
    const turns = session.turns.map(({ prompt, reply, status, error }) => {
      const quoted = prompt.trim().split("\n").map((line) => `> ${line}`).join("\n");
      return `${quoted}\n\n${reply ?? ""}\n\n*${status}${error === undefined ? "" : `: ${error.message}`}*`;
    });
    const text = [`# ${session.title}`, ...turns, `---\n\n${usageInWords(session.usage)}`].join("\n\n");
    await this.texts.show(`${sessionId}.md`, `${text}\n`, { takeFocus: true });
  }

  async #rename({ sessionId, title }: SessionSummary): Promise<void> {
    const renamed = await vscode.window.showInputBox({ title: "Rename session", value: title });
    if (renamed !== undefined && renamed.trim() !== "") {
      await this.server.command(commands.sessionRename, { sessionId, title: renamed.trim() });
    }
  }

  async #delete({ sessionId, title, openProposalId }: SessionSummary): Promise<void> {
    const detail = openProposalId === undefined ? "Its conversation is lost." : "Its conversation and its open proposal are lost.";
    const choice = await vscode.window.showWarningMessage(unlinked(`Delete the session “${title}”?`), { modal: true, detail }, "Delete");
    if (choice === "Delete") {
      await this.server.command(commands.sessionDelete, { sessionId });
    }
  }
}
