// What can be done with a task, and which message tells about it.
import type { TaskSummary } from "../protocol";
import { hasEnded, shortened, taskInWords } from "./words";

/** When the user wants messages about tasks: the values of the setting `kkcode.task.notify`. */
export type Wanted = "always" | "waiting" | "never";

/** A message about a task, and its buttons with the commands behind `kkcode.ui.` that they run. */
export interface TaskMessage {
  text: string;
  isWarning: boolean;
  buttons: Record<string, string>;
}

/** Tells whether a task can be started again. */
export function canRetry({ status }: Pick<TaskSummary, "status">): boolean {
  return status === "error" || status === "interrupted" || status === "cancelled";
}

/** Names what can be done with a task, for the menus of its row. */
export function acts(task: TaskSummary): string {
  const all = ["task", hasEnded(task) ? "ended" : "active", canRetry(task) ? "retry" : "", hasProposal(task) ? "result" : ""];
  return all.filter((act) => act !== "").join(" ");
}

/** Tells whether a task came back with changes. */
export function hasProposal(task: TaskSummary): boolean {
  return hasEnded(task) && (task.result?.proposalIds.length ?? 0) > 0;
}

/** Returns the message that tells where a task stands; none if it only goes on, if its prompt tells it, or if none is wanted. */
export function taskMessage(task: TaskSummary, wanted: Wanted): TaskMessage | undefined {
  const text = `${shortened(task.description)}: ${taskInWords(task)}`;
  if (task.status === "waiting") {
    const isKey = task.waitingFor?.kind === "key" && wanted !== "never";
    return isKey ? { text, isWarning: true, buttons: { "Set API Key…": "secret.set" } } : undefined;
  }
  if (!hasEnded(task) || wanted !== "always") {
    return undefined;
  }
  const buttons = {
    ...(hasProposal(task) && { Review: "task.openResult" }),
    ...(canRetry(task) && { Retry: "task.retry" }),
    "Show Log": "task.logs",
  };
  return { text, isWarning: canRetry(task) && task.status !== "cancelled", buttons };
}

/** Says which of several tasks have ended while nobody looked. */
export function endedInWords(tasks: TaskSummary[]): string {
  const names = tasks.map((task) => `${shortened(task.description, 30)} (${task.status})`);
  const more = names.length > 3 ? `, and ${names.length - 3} more` : "";
  return `${tasks.length} tasks ended meanwhile: ${names.slice(0, 3).join(", ")}${more}`;
}
