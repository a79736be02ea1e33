// How a permission prompt is shown: few buttons, a list of every answer, and a document with all that an approval covers.
import type { PermissionAnswer, PermissionPrompt } from "../protocol";
import { fenced } from "./markdown";

/** The buttons of a notification: more than these are cut short. */
export const buttons = { show: "Show", allowOnce: "Allow Once", deny: "Deny", more: "More…" } as const;

/** What choosing a row does: it answers, asks why first, or shows all of the prompt. */
export type Choice = PermissionAnswer | "denyWithReason" | "show";

/** A row of the list of all answers; the exact rule that is learned stands in `detail`. */
export interface AnswerRow {
  label: string;
  detail?: string;
  choice: Choice;
}

/** Returns every answer to a prompt, in the server's order, and behind them those that only an editor has. */
export function answerRows({ options }: Pick<PermissionPrompt, "options">): AnswerRow[] {
  return [
    ...options.map(({ answer, title }): AnswerRow => {
      const colon = answer === "allow_always" ? title.indexOf(": ") : -1;
      return colon < 0
        ? { label: title, choice: answer }
        : { label: title.slice(0, colon), detail: `The rule: ${title.slice(colon + 2)}`, choice: answer };
    }),
    { label: "Deny and say why…", detail: "The agent is told what to do instead.", choice: "denyWithReason" },
    { label: "Show all of it", choice: "show" },
  ];
}

/** Says a prompt in one line, which is what a notification has. */
export function promptInWords({ title, detail }: Pick<PermissionPrompt, "title" | "detail">): string {
  const why = detail.trim().split(/\s*\n\s*/).join(", ");
  return why === "" ? title : `${title} – ${why}`;
}

/** Says a prompt in full, as Markdown; a command stands in it byte for byte. */
export function promptAsMarkdown({ title, detail, command }: Pick<PermissionPrompt, "title" | "detail" | "command">): string {
  const parts = [`# ${title}`, detail.trim(), command === undefined ? "" : fenced(command, "sh")];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}
