// Events of a task's log, each in one line.
import type { Event } from "../protocol";

/** Says an event in a line that begins with its time. */
export function eventInWords(event: Event): string {
  return `${event.at} ${said(event)}`;
}

function said(event: Event): string {
  switch (event.kind) {
    case "turnStarted":
      return `turn started (${event.mode}): ${event.prompt}`;
    case "message":
    case "note":
      return event.text.trim();
    case "toolCalled":
      return `${event.tool}: ${event.title}`;
    case "toolFinished":
      return `  ${event.status}${event.summary === undefined ? "" : `: ${event.summary.trim()}`}`;
    case "turnFinished":
      return `turn ${event.status}${event.error === undefined ? "" : `: ${event.error.message}`}`;
    case "proposalChanged":
      return `proposal ${event.state}, ${event.files.reduce((sum, file) => sum + file.pending, 0)} hunks pending`;
    case "taskChanged":
      return `task ${event.task.status}${event.task.activity === undefined ? "" : `: ${event.task.activity}`}`;
    case "permissionAsked":
    case "questionAsked":
      return `asks: ${event.title}`;
    case "permissionResolved":
      return `answered by ${event.by}: ${event.answer.replaceAll("_", " ")}`;
    case "questionResolved":
      return `answered by ${event.by}`;
  }
}
