// The status item: level, model, what runs, what it cost; and the choice of the model.
import * as vscode from "vscode";
import { type Server, ifThere, notifications, registerCommands } from "./client";
import { setContext } from "./decorations";
import { commands } from "./protocol";
import { statusInWords, usageInWords } from "./pure/words";

/** How long after a change the status is asked for, in milliseconds. */
const ASK_AFTER = 150;

/** The status item of this window. */
export class Status implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem("kkcode.status", vscode.StatusBarAlignment.Right, 90);
  #timer: NodeJS.Timeout | undefined;

  constructor(
    context: vscode.ExtensionContext,
    readonly server: Server,
  ) {
    this.#item.name = "Kkcode";
    this.#item.command = "kkcode.ui.status.menu";
    this.#item.text = "$(sync~spin) Kkcode starts";
    this.#item.show();
    for (const name of [notifications.turnDidFinish, notifications.proposalDidChange, notifications.taskDidChange] as const) {
      server.on(name, () => {
        this.refresh();
      });
    }
    server.onDidStart(() => {
      setContext("running", true);
      this.refresh();
    });
    server.onDidStop(() => {
      setContext("running", false);
      this.#item.text = "$(error) Kkcode is not running";
      this.#item.tooltip = "Click for what to do";
    });
    registerCommands(context, {
      "status.menu": () => this.#menu(),
      "model.select": () => this.#selectModel(),
      "permission.setLevel": () => this.#setLevel(),
    });
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#item.dispose();
  }

  /** Asks the server soon how things stand. */
  refresh(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      void this.#ask();
    }, ASK_AFTER);
  }

  async #ask(): Promise<void> {
    const status = await ifThere(this.server, () => this.server.command(commands.status, {}));
    if (status !== undefined) {
      const words = statusInWords(status);
      const trust = status.trusted ? "" : "\nThe workspace is not trusted: the agent only reads.";
      this.#item.text = `$(hubot) ${words}`;
      this.#item.tooltip = `Kkcode ${status.version}: ${words}\n${usageInWords(status.usage)}${trust}`;
      this.#item.accessibilityInformation = { label: `Kkcode: ${words}` };
    }
  }

  async #menu(): Promise<void> {
    const rows = [
      ["Ask the Agent to Work on…", "turn.start"],
      ["Next Hunk", "hunk.next"],
      ["Answer What the Agent Waits For", "waiting.show"],
      ["Set Permission Level…", "permission.setLevel"],
      ["Select Model…", "model.select"],
      ["Cancel Turn", "turn.cancel"],
      ["Doctor", "doctor"],
      ["Restart Server", "server.restart"],
      ["Show Log", "server.showLog"],
    ].map(([label = "", command = ""]) => ({ label, command }));
    const picked = await vscode.window.showQuickPick(rows, { title: "Kkcode" });
    if (picked !== undefined) {
      await vscode.commands.executeCommand(`kkcode.ui.${picked.command}`);
    }
    this.refresh();
  }

  async #setLevel(): Promise<void> {
    const levels = [
      { label: "readonly", description: "reads and searches; nothing allows more" },
      { label: "manual", description: "edits become hunks for review, everything else is asked" },
      { label: "accept-edits", description: "edits apply at once and are reviewed after" },
      { label: "yolo", description: "everything but what a rule denies" },
    ] as const;
    const picked = await vscode.window.showQuickPick(levels, { title: "What may the agent do until the window closes?" });
    if (picked !== undefined) {
      const { level } = await this.server.command(commands.permissionSetLevel, { level: picked.label });
      const why = level === picked.label ? "" : ": the workspace is not trusted";
      this.refresh();
      vscode.window.setStatusBarMessage(`Kkcode: the level is ${level}${why}`, 5000);
    }
  }

  async #selectModel(): Promise<void> {
    const { models: listed, selected } = await this.server.command(commands.modelList, {});
    // A provider may be used without a list of its models.
    const isListed = selected === undefined || listed.some(({ model }) => model === selected);
    const models = isListed ? listed : [{ model: selected, contextTokens: undefined, unavailable: undefined }, ...listed];
    const rows = models.map(({ model, contextTokens, unavailable }) => ({
      label: model,
      description: [model === selected ? "selected" : "", contextTokens === undefined ? "" : `${contextTokens.toLocaleString("en-US")} tokens`]
        .filter((words) => words !== "")
        .join(", "),
      ...(unavailable !== undefined && { detail: unavailable }),
    }));
    if (rows.length === 0) {
      throw new Error("no provider is configured: “Kkcode: Get Started” says how");
    }
    const picked = await vscode.window.showQuickPick(rows, { title: "The model of the turns to come" });
    if (picked !== undefined) {
      await this.server.command(commands.modelSelect, { model: picked.label });
      this.refresh();
    }
  }
}
