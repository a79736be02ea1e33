// States and counts in words, so that nothing is said by colour or icon alone.
import type { StatusResult, TaskSummary, Usage } from "../protocol";

/** Says what model requests counted. */
export function usageInWords(usage: Usage): string {
  const number = (count: number): string => count.toLocaleString("en-US");
  const input = usage.inputTokens + (usage.cacheReadTokens ?? 0) + (usage.cacheWriteTokens ?? 0);
  const tokens = `${number(input)} tokens in, ${number(usage.outputTokens)} out`;
  const cost = usage.costUsd === undefined ? "" : `, ${costInWords(usage.costUsd)}`;
  return `${tokens}${cost}${usage.estimated === true ? " (estimated)" : ""}`;
}

/** Says an amount of US dollars; small ones with more digits. */
export function costInWords(dollars: number): string {
  return `$${dollars.toFixed(dollars < 1 ? 4 : 2)}`;
}

/** Keeps what others wrote from being a link in a message: there it could run a command. */
export function unlinked(text: string): string {
  return text.replaceAll("](", "] (");
}

/** Returns `count` with its noun in the right number. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Says in one line how things stand, for the status bar. */
export function statusInWords(status: StatusResult): string {
  const tasks = status.tasks.pending + status.tasks.running + status.tasks.waiting;
  const words = [status.level, status.model ?? "no model"];
  if (status.turns > 0) {
    words.push(counted(status.turns, "turn"));
  }
  if (tasks > 0) {
    words.push(counted(tasks, "task"));
  }
  if (status.pendingHunks > 0) {
    words.push(counted(status.pendingHunks, "hunk"));
  }
  if (status.usage.costUsd !== undefined) {
    words.push(costInWords(status.usage.costUsd));
  }
  return words.join(" · ");
}

/** Says in a few words where a task stands. */
export function taskInWords(task: TaskSummary): string {
  const words = [task.cancelRequested === true && !hasEnded(task) ? "stopping" : task.status];
  if (task.attempt > 1) {
    words.push(`attempt ${task.attempt}`);
  }
  if (task.waitingFor !== undefined) {
    const { waitingFor } = task;
    words.push(waitingFor.kind === "key" ? `for the key of ${waitingFor.provider}` : `for a ${waitingFor.kind}`);
  }
  const more = task.error?.message ?? task.interruptionReason?.replaceAll("_", " ") ?? (hasEnded(task) ? undefined : task.activity);
  return more === undefined ? words.join(", ") : `${words.join(", ")}: ${more}`;
}

/** Tells whether a task has ended; one that ended as `error` or `interrupted` can be started again. */
export function hasEnded({ status }: TaskSummary): boolean {
  return !["pending", "running", "waiting"].includes(status);
}

/** Returns the first line of a text, not longer than `most` characters. */
export function shortened(text: string, most = 60): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}
