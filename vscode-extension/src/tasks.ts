// The Tasks view: background work with live progress, logs, cancel, retry, and its result as a proposal.
import * as vscode from "vscode";
import { type Server, act, ifThere, notifications, registerCommands } from "./client";
import { type Isolation, type TaskSummary, commands } from "./protocol";
import type { Texts } from "./documents";
import { eventInWords } from "./pure/log";
import { acts, canRetry, hasProposal } from "./pure/task";
import { counted, hasEnded, shortened, taskInWords, usageInWords } from "./pure/words";
import type { Replay } from "./replay";
import { TaskMessages } from "./task_messages";

/** The tasks of this workspace. */
export class Tasks implements vscode.TreeDataProvider<TaskSummary>, vscode.Disposable {
  readonly #tasks = new Map<string, TaskSummary>();
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #told = new vscode.EventEmitter<TaskSummary>();
  readonly #view: vscode.TreeView<TaskSummary>;
  readonly #messages: TaskMessages;
  readonly #logs = new Map<string, { channel: vscode.OutputChannel; seq: number; isReading: boolean }>();

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(
    context: vscode.ExtensionContext,
    readonly server: Server,
    readonly texts: Texts,
    replay: Replay,
  ) {
    this.#messages = new TaskMessages(server);
    replay.onDidMiss((missed) => {
      this.#messages.missed(missed);
    });
    this.#view = vscode.window.createTreeView("kkcode.tasks", { treeDataProvider: this });
    server.on(notifications.taskDidChange, ({ task }) => {
      this.#take(task);
    });
    server.onDidStart(() => {
      act(() => ifThere(server, () => this.#fetch()));
    });
    registerCommands(context, {
      "task.start": () => this.#start(),
      "task.show": async (task?: TaskSummary) => this.#show(await this.#chosen(task)),
      "task.logs": async (task?: TaskSummary) => this.#showLog(await this.#chosen(task)),
      "task.cancel": async (task?: TaskSummary) => {
        const chosen = await this.#chosen(task, (of) => !hasEnded(of));
        return chosen && server.command(commands.taskCancel, { taskId: chosen.taskId });
      },
      "task.retry": async (task?: TaskSummary) => {
        const chosen = await this.#chosen(task, canRetry);
        return chosen && server.command(commands.taskRetry, { taskId: chosen.taskId });
      },
      "task.openResult": async (task?: TaskSummary) => this.#openResult(await this.#chosen(task, hasProposal)),
      "task.clean": async () => {
        const { removed } = await server.command(commands.taskClean, {});
        vscode.window.setStatusBarMessage(`Kkcode: ${counted(removed, "old task")} removed`, 5000);
        await this.#fetch();
      },
    });
  }

  /** Returns what a task is about, if it is known. */
  describe(taskId: string): string | undefined {
    return this.#tasks.get(taskId)?.description;
  }

  dispose(): void {
    for (const { channel } of this.#logs.values()) {
      channel.dispose();
    }
    this.#view.dispose();
    this.#changed.dispose();
    this.#told.dispose();
  }

  getChildren(parent?: TaskSummary): TaskSummary[] {
    const newest = [...this.#tasks.values()].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
    return parent === undefined ? newest : [];
  }

  getTreeItem(task: TaskSummary): vscode.TreeItem {
    const item = new vscode.TreeItem(shortened(task.description));
    item.id = task.taskId;
    item.description = taskInWords(task);
    item.tooltip = `${task.description}\n${taskInWords(task)}`;
    item.contextValue = acts(task);
    item.iconPath = new vscode.ThemeIcon(icon(task));
    return item;
  }

  async #fetch(): Promise<void> {
    const { tasks } = await this.server.command(commands.taskList, {});
    this.#tasks.clear();
    for (const task of tasks) {
      this.#tasks.set(task.taskId, task);
    }
    this.#redraw();
  }

  #take(task: TaskSummary): void {
    const before = this.#tasks.get(task.taskId);
    this.#tasks.set(task.taskId, task);
    this.#redraw();
    this.#told.fire(task);
    if (before?.status !== task.status || before.attempt !== task.attempt) {
      act(() => this.#messages.say(task));
    }
    if (this.#logs.has(task.taskId)) {
      act(() => this.#readLog(task.taskId));
    }
  }

  #redraw(): void {
    const waiting = [...this.#tasks.values()].filter(({ status }) => status === "waiting").length;
    this.#view.badge = waiting === 0 ? undefined : { value: waiting, tooltip: `${waiting} waiting for you` };
    this.#changed.fire(undefined);
  }

  async #start(): Promise<void> {
    const prompt = await vscode.window.showInputBox({
      title: "Start a background task",
      prompt: "It works on its own and comes back with a proposal; your files are not touched.",
      ignoreFocusOut: true,
    });
    if (prompt === undefined || prompt.trim() === "") {
      return;
    }
    const places: (vscode.QuickPickItem & { isolation: Isolation })[] = [
      { label: "Over my files", description: "reads them as they are; changes are only proposed", isolation: "none" },
      { label: "In a git worktree of its own", description: "can run commands without touching my files", isolation: "worktree" },
    ];
    const place = await vscode.window.showQuickPick(places, { title: "Where does it work?" });
    if (place !== undefined) {
      const { taskId } = await this.server.command(commands.taskStart, { prompt, isolation: place.isolation });
      await this.#messages.follow(taskId, prompt, this.#told.event, () => this.#tasks.get(taskId));
    }
  }

  async #show(chosen: TaskSummary | undefined): Promise<void> {
    if (chosen === undefined) {
      return;
    }
    const task = await this.server.command(commands.taskShow, { taskId: chosen.taskId });
    const rows = [
      ["status", taskInWords(task)],
      ["mode, level", `${task.mode}, ${task.level}`],
      ["isolation", task.result?.worktreePath ?? task.isolation],
      ["model", task.model ?? "the configured one"],
      ["usage", task.result === undefined ? "" : usageInWords(task.result.usage)],
      ["files left", task.result?.remainingFiles?.join(", ") ?? ""],
    ];
    const table = rows.filter(([, value]) => value !== "").map((row) => `| ${row.join(" | ")} |`).join("\n");
    const text = `# ${task.description}\n\n| | |\n|---|---|\n${table}\n\n## Prompt\n\n${task.prompt}\n\n${task.result?.reply ?? ""}\n`;
    await this.texts.show(`${task.taskId}.md`, text, { takeFocus: true });
  }

  async #showLog(task: TaskSummary | undefined): Promise<void> {
    if (task !== undefined) {
      const known = this.#logs.get(task.taskId);
      const name = `Kkcode task: ${shortened(task.description, 30)}`;
      const log = known ?? { channel: vscode.window.createOutputChannel(name), seq: 0, isReading: false };
      this.#logs.set(task.taskId, log);
      log.channel.show(true);
      await this.#readLog(task.taskId);
    }
  }

  async #readLog(taskId: string): Promise<void> {
    const log = this.#logs.get(taskId);
    if (log === undefined || log.isReading) {
      return;
    }
    log.isReading = true;
    try {
      for (;;) {
        const { events, nextSeq } = await this.server.command(commands.taskLogs, { taskId, sinceSeq: log.seq });
        for (const event of events) {
          log.channel.appendLine(eventInWords(event));
        }
        log.seq = nextSeq;
        if (events.length === 0) {
          return;
        }
      }
    } finally {
      log.isReading = false;
    }
  }

  async #openResult(task: TaskSummary | undefined): Promise<void> {
    for (const proposalId of task?.result?.proposalIds ?? []) {
      await vscode.commands.executeCommand("kkcode.ui.proposal.diff", { proposalId });
    }
  }

  async #chosen(task: TaskSummary | undefined, fits: (task: TaskSummary) => boolean = () => true): Promise<TaskSummary | undefined> {
    if (task !== undefined) {
      return task;
    }
    await this.#fetch();
    const rows = this.getChildren().filter(fits).map((of) => ({ label: of.description, description: taskInWords(of), of }));
    if (rows.length === 0) {
      throw new Error("there is no such task");
    }
    return (await vscode.window.showQuickPick(rows, { title: "Which task?" }))?.of;
  }
}

function icon(task: TaskSummary): string {
  switch (task.status) {
    case "waiting":
      return "question";
    case "completed":
      return "pass";
    case "cancelled":
      return "circle-slash";
    case "error":
    case "interrupted":
      return "error";
    case "pending":
      return "watch";
    case "running":
      return "sync~spin";
  }
}
