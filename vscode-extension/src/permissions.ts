// What the agent waits for: permission prompts as notifications that show everything, and an item that waits with them.
import * as vscode from "vscode";
import { type Server, act, ifThere, notifications, registerCommands } from "./client";
import { type PermissionOption, type PermissionPrompt, type QuestionPrompt, commands } from "./protocol";
import type { Texts } from "./documents";
import { setContext } from "./decorations";
import { counted } from "./pure/words";
import { answerQuestions } from "./questions";

/** The button that shows all of a prompt. */
const SHOW = "Show";
/** The button that denies and says why. */
const DENY_WITH_REASON = "Deny and Say Why…";

type Waiting = { kind: "permission"; prompt: PermissionPrompt } | { kind: "question"; prompt: QuestionPrompt };

/** The prompts and questions that are open. */
export class Permissions implements vscode.Disposable {
  readonly #waiting = new Map<string, Waiting>();
  readonly #item = vscode.window.createStatusBarItem("kkcode.waiting", vscode.StatusBarAlignment.Left, 1000);

  constructor(
    context: vscode.ExtensionContext,
    readonly server: Server,
    readonly texts: Texts,
  ) {
    this.#item.name = "Kkcode waits for you";
    this.#item.command = "kkcode.ui.waiting.show";
    this.#item.backgroundColor = new vscode.ThemeColor("statusBarItem.warningBackground");
    server.on(notifications.permissionDidAsk, (prompt) => {
      this.#asked(prompt.promptId, { kind: "permission", prompt });
    });
    server.on(notifications.permissionDidResolve, ({ promptId }) => {
      this.#resolved(promptId);
    });
    server.on(notifications.questionDidAsk, (prompt) => {
      this.#asked(prompt.questionId, { kind: "question", prompt });
    });
    server.on(notifications.questionDidResolve, ({ questionId }) => {
      this.#resolved(questionId);
    });
    server.onDidStart(() => {
      act(() => this.#fetch());
    });
    server.onDidStop(() => {
      this.#waiting.clear();
      this.#redraw();
    });
    registerCommands(context, {
      "waiting.show": () => this.#answerOne(),
      "permission.setLevel": () => this.#setLevel(),
      "permission.rules": () => this.#rules(),
    });
  }

  dispose(): void {
    this.#item.dispose();
  }

  async #fetch(): Promise<void> {
    const listed = await ifThere(this.server, () => this.server.command(commands.permissionList, {}));
    for (const prompt of listed?.prompts ?? []) {
      if (!this.#waiting.has(prompt.promptId)) {
        this.#asked(prompt.promptId, { kind: "permission", prompt });
      }
    }
  }

  #asked(id: string, waiting: Waiting): void {
    this.#waiting.set(id, waiting);
    this.#redraw();
    act(() => this.#notify(id, waiting));
  }

  #resolved(id: string): void {
    this.#waiting.delete(id);
    this.#redraw();
  }

  #redraw(): void {
    const count = this.#waiting.size;
    setContext("waiting", count > 0);
    this.#item.text = `$(bell-dot) Kkcode waits for ${counted(count, "answer")}`;
    this.#item.tooltip = [...this.#waiting.values()].map(({ prompt }) => prompt.title).join("\n");
    if (count > 0) {
      this.#item.show();
    } else {
      this.#item.hide();
    }
  }

  async #answerOne(): Promise<void> {
    const open = [...this.#waiting];
    const rows = open.map(([id, waiting]) => ({ label: waiting.prompt.title, description: waiting.kind, id, waiting }));
    const picked = rows.length > 1 ? await vscode.window.showQuickPick(rows, { title: "The agent waits for" }) : rows[0];
    if (picked === undefined && rows.length === 0) {
      throw new Error("nothing waits for an answer");
    }
    if (picked !== undefined) {
      await (picked.waiting.kind === "permission"
        ? this.#answerInList(picked.waiting.prompt)
        : answerQuestions(this.server, this.texts, picked.waiting.prompt));
    }
  }

  async #notify(id: string, waiting: Waiting): Promise<void> {
    if (waiting.kind === "question") {
      const choice = await vscode.window.showInformationMessage(`Kkcode asks: ${waiting.prompt.title}`, "Answer");
      if (choice === "Answer" && this.#waiting.has(id)) {
        await answerQuestions(this.server, this.texts, waiting.prompt);
      }
      return;
    }
    const { prompt } = waiting;
    const titles = prompt.options.map(({ title }) => title);
    const choice = await vscode.window.showWarningMessage(`${prompt.title}\n${prompt.detail}`, SHOW, ...titles, DENY_WITH_REASON);
    if (choice === undefined || !this.#waiting.has(id)) {
      return;
    }
    if (choice === SHOW) {
      await this.#show(prompt);
      await this.#answerInList(prompt);
      return;
    }
    await this.#answer(prompt, choice);
  }

  /** Shows all that an approval covers, beside what the user works on. */
  async #show(prompt: PermissionPrompt): Promise<void> {
    await this.texts.show(`${prompt.promptId}/permission.md`, `# ${prompt.title}\n\n${prompt.detail}\n`);
    if (prompt.diff !== undefined) {
      await this.texts.show(`${prompt.promptId}/change.diff`, prompt.diff);
    }
  }

  /** The same answers as a list, for which there is no hurry and no mouse. */
  async #answerInList(prompt: PermissionPrompt): Promise<void> {
    const rows = [...prompt.options.map(({ title }) => title), DENY_WITH_REASON, SHOW].map((label) => ({ label }));
    const picked = await vscode.window.showQuickPick(rows, { title: prompt.title, placeHolder: prompt.detail, ignoreFocusOut: true });
    if (picked?.label === SHOW) {
      await this.#show(prompt);
      await this.#answerInList(prompt);
    } else if (picked !== undefined) {
      await this.#answer(prompt, picked.label);
    }
  }

  async #answer({ promptId, options }: PermissionPrompt, choice: string): Promise<void> {
    const option: PermissionOption | undefined = options.find(({ title }) => title === choice);
    if (option !== undefined) {
      await this.#send({ promptId, answer: option.answer });
      return;
    }
    const feedback = await vscode.window.showInputBox({ title: "Deny", prompt: "What is the agent told?", ignoreFocusOut: true });
    if (feedback !== undefined) {
      await this.#send({ promptId, answer: "deny", ...(feedback.trim() !== "" && { feedback }) });
    }
  }

  async #send(params: { promptId: string; answer: PermissionOption["answer"]; feedback?: string }): Promise<void> {
    const { accepted } = await this.server.command(commands.permissionAnswer, params);
    if (!accepted) {
      vscode.window.setStatusBarMessage("Kkcode: another answer came first", 5000);
    }
    this.#resolved(params.promptId);
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
      vscode.window.setStatusBarMessage(`Kkcode: the level is ${level}${why}`, 5000);
    }
  }

  async #rules(): Promise<void> {
    const { rules } = await this.server.command(commands.permissionList, {});
    const rows = rules.map((rule) => ({
      label: `${rule.action} ${rule.tool} ${rule.commandPrefix ?? ""}`.trim(),
      description: rule.filePatterns?.join(", ") ?? "",
      detail: rule.workspaceUri === undefined ? "everywhere" : `in ${vscode.Uri.parse(rule.workspaceUri).fsPath}`,
      rule,
    }));
    if (rows.length === 0) {
      throw new Error("no rule was learned yet");
    }
    const picked = await vscode.window.showQuickPick(rows, { title: "Learned rules: choose one to forget", canPickMany: true });
    for (const { rule } of picked ?? []) {
      await this.server.command(commands.permissionForget, { ruleId: rule.ruleId });
    }
  }
}
