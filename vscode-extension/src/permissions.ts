// What the agent waits for: permission prompts as notifications that show everything, and an item that waits with them.
import * as vscode from "vscode";
import { type Server, act, ifThere, notifications, registerCommands } from "./client";
import { type PermissionAnswer, type PermissionPrompt, type QuestionPrompt, commands } from "./protocol";
import type { Texts } from "./documents";
import { setContext } from "./decorations";
import { type Choice, answerRows, buttons, promptAsMarkdown, promptInWords } from "./pure/permission";
import { counted, shortened, unlinked } from "./pure/words";
import { answerQuestions } from "./questions";
import { wantedMessages } from "./task_messages";

type Waiting = { kind: "permission"; prompt: PermissionPrompt } | { kind: "question"; prompt: QuestionPrompt };

/** The prompts and questions that are open. */
export class Permissions implements vscode.Disposable {
  readonly #waiting = new Map<string, Waiting>();
  readonly #item = vscode.window.createStatusBarItem("kkcode.waiting", vscode.StatusBarAlignment.Left, 1000);

  constructor(
    context: vscode.ExtensionContext,
    readonly server: Server,
    readonly texts: Texts,
    readonly describeTask: (taskId: string) => string | undefined,
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
      "permission.rules": () => this.#rules(),
    });
  }

  dispose(): void {
    this.#item.dispose();
  }

  async #fetch(): Promise<void> {
    const listed = await ifThere(this.server, () => this.server.command(commands.permissionList, {}));
    for (const prompt of listed?.prompts ?? []) {
      this.#asked(prompt.promptId, { kind: "permission", prompt });
    }
  }

  /** Notes what waits; the server may tell of it once more to a window that came later. */
  #asked(id: string, waiting: Waiting): void {
    if (this.#waiting.has(id)) {
      return;
    }
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
    const { taskId } = waiting.prompt.origin;
    if (taskId !== undefined && wantedMessages() === "never") {
      return;
    }
    const of = taskId === undefined ? "" : `Task “${shortened(this.describeTask(taskId) ?? taskId, 30)}”: `;
    if (waiting.kind === "question") {
      const choice = await vscode.window.showInformationMessage(unlinked(`Kkcode asks: ${of}${waiting.prompt.title}`), "Answer");
      if (choice === "Answer" && this.#isOpen(id)) {
        await answerQuestions(this.server, this.texts, waiting.prompt);
      }
      return;
    }
    const { prompt } = waiting;
    const { show, allowOnce, deny, more } = buttons;
    const choice = await vscode.window.showWarningMessage(unlinked(`${of}${promptInWords(prompt)}`), show, allowOnce, deny, more);
    if (choice === undefined || !this.#isOpen(id)) {
      return;
    }
    if (choice === allowOnce || choice === deny) {
      await this.#answer(prompt, choice === allowOnce ? "allow_once" : "deny");
      return;
    }
    if (choice === show) {
      await this.#show(prompt);
    }
    await this.#answerInList(prompt);
  }

  /** Tells whether a prompt still waits; a notification outlives the answer that was given elsewhere, and says so. */
  #isOpen(id: string): boolean {
    const isOpen = this.#waiting.has(id);
    if (!isOpen) {
      vscode.window.setStatusBarMessage("Kkcode: this was answered already", 5000);
    }
    return isOpen;
  }

  /** Shows all that an approval covers, beside what the user works on. */
  async #show(prompt: PermissionPrompt): Promise<void> {
    await this.texts.show(`${prompt.promptId}/permission.md`, promptAsMarkdown(prompt));
    if (prompt.diff !== undefined) {
      await this.texts.show(`${prompt.promptId}/change.diff`, prompt.diff);
    }
  }

  /** Every answer as a list, for which there is no hurry and no mouse. */
  async #answerInList(prompt: PermissionPrompt): Promise<void> {
    const options = { title: promptInWords(prompt), placeHolder: "Choose an answer; nothing is answered by Escape", ignoreFocusOut: true };
    const picked = await vscode.window.showQuickPick(answerRows(prompt), options);
    if (picked?.choice === "show") {
      await this.#show(prompt);
      await this.#answerInList(prompt);
    } else if (picked !== undefined) {
      await this.#answer(prompt, picked.choice);
    }
  }

  async #answer({ promptId }: PermissionPrompt, choice: Exclude<Choice, "show">): Promise<void> {
    if (choice !== "denyWithReason") {
      await this.#send({ promptId, answer: choice });
      return;
    }
    const feedback = await vscode.window.showInputBox({ title: "Deny", prompt: "What is the agent told?", ignoreFocusOut: true });
    if (feedback !== undefined) {
      await this.#send({ promptId, answer: "deny", ...(feedback.trim() !== "" && { feedback }) });
    }
  }

  async #send(params: { promptId: string; answer: PermissionAnswer; feedback?: string }): Promise<void> {
    const { accepted } = await this.server.command(commands.permissionAnswer, params);
    if (!accepted) {
      vscode.window.setStatusBarMessage("Kkcode: another answer came first", 5000);
    }
    this.#resolved(params.promptId);
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
