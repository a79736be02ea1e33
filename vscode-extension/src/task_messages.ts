// Messages about tasks: when one ends or waits, also while the window was away, and progress that can be cancelled.
import * as vscode from "vscode";
import { type Server, act } from "./client";
import { type Event, type TaskSummary, commands } from "./protocol";
import { type Wanted, endedInWords, taskMessage } from "./pure/task";
import { hasEnded, shortened, taskInWords, unlinked } from "./pure/words";
import type { Missed } from "./replay";

/** Returns which messages about tasks the user wants. */
export function wantedMessages(): Wanted {
  return vscode.workspace.getConfiguration("kkcode").get<Wanted>("task.notify", "always");
}

/** The messages of this window; each is shown once. */
export class TaskMessages {
  readonly #said = new Set<string>();
  readonly #missed = new Map<string, TaskSummary>();

  constructor(readonly server: Server) {}

  /** Says where a task stands, if that is worth a message. */
  async say(task: TaskSummary): Promise<void> {
    const message = taskMessage(task, wantedMessages());
    if (message === undefined || !this.#isNew(task)) {
      return;
    }
    const show = message.isWarning ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
    const choice = await show(unlinked(`Kkcode: ${message.text}`), ...Object.keys(message.buttons));
    const command = choice === undefined ? undefined : message.buttons[choice];
    if (command !== undefined) {
      await vscode.commands.executeCommand(`kkcode.ui.${command}`, task);
    }
  }

  /** Says which tasks ended while the window was away. */
  missed({ events, isLast, isNews }: Missed): void {
    for (const event of isNews ? events : []) {
      this.#note(event);
    }
    if (isLast) {
      const ended = [...this.#missed.values()].filter((task) => hasEnded(task));
      this.#missed.clear();
      act(() => this.#sayAll(ended));
    }
  }

  /** Shows a task's progress with a button that cancels it, until it ends. */
  async follow(taskId: string, prompt: string, told: vscode.Event<TaskSummary>, known: () => TaskSummary | undefined): Promise<void> {
    const options = { location: vscode.ProgressLocation.Notification, title: `Task: ${shortened(prompt)}`, cancellable: true };
    await vscode.window.withProgress(options, async (progress, cancelled) => {
      cancelled.onCancellationRequested(() => {
        act(() => this.server.command(commands.taskCancel, { taskId }));
      });
      await new Promise<void>((ended) => {
        const take = (task: TaskSummary | undefined): void => {
          if (task?.taskId === taskId) {
            progress.report({ message: taskInWords(task) });
            if (hasEnded(task)) {
              listener.dispose();
              ended();
            }
          }
        };
        const listener = told(take);
        take(known());
      });
    });
  }

  #note(event: Event): void {
    if (event.kind === "taskChanged") {
      this.#missed.set(event.task.taskId, event.task);
    }
  }

  async #sayAll(ended: TaskSummary[]): Promise<void> {
    const [first, second] = ended;
    if (first !== undefined && second === undefined) {
      await this.say(first);
      return;
    }
    const fresh = ended.filter((task) => this.#isNew(task));
    if (fresh.length > 0 && wantedMessages() === "always") {
      const choice = await vscode.window.showInformationMessage(unlinked(`Kkcode: ${endedInWords(fresh)}`), "Show Tasks");
      if (choice !== undefined) {
        await vscode.commands.executeCommand("kkcode.tasks.focus");
      }
    }
  }

  /** Tells whether this was not said before, and remembers it. */
  #isNew({ taskId, attempt, status }: TaskSummary): boolean {
    const key = `${taskId} ${attempt} ${status}`;
    const isNew = !this.#said.has(key);
    this.#said.add(key);
    return isNew;
  }
}
