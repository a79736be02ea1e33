// Questions of the agent, asked one after the other with lists and inputs.
import * as vscode from "vscode";
import type { Server } from "./client";
import { type Answer, type Question, type QuestionPrompt, commands } from "./protocol";
import type { Texts } from "./documents";

/** The row of a list that leads to an input. */
const OTHER = "Something else…";

/** Asks the user all questions of a prompt; nothing is sent if the user backs out of one. */
export async function answerQuestions(server: Server, texts: Texts, prompt: QuestionPrompt): Promise<void> {
  if (prompt.detail !== undefined) {
    await texts.show(`${prompt.questionId}/question.md`, `# ${prompt.title}\n\n${prompt.detail}\n`);
  }
  const answers: Record<string, Answer> = {};
  for (const [index, question] of prompt.questions.entries()) {
    const title = prompt.questions.length > 1 ? `${prompt.title} (${index + 1} of ${prompt.questions.length})` : prompt.title;
    const answer = await ask(question, title);
    if (answer === undefined) {
      return;
    }
    answers[question.id] = answer;
  }
  const { accepted } = await server.command(commands.questionAnswer, { questionId: prompt.questionId, answers });
  if (!accepted) {
    vscode.window.setStatusBarMessage("Kkcode: other answers came first", 5000);
  }
}

async function ask(question: Question, title: string): Promise<Answer | undefined> {
  const options = question.options ?? [];
  if (options.length === 0) {
    return askText(question, title);
  }
  const rows = options.map(({ value, label, description }) => ({ label, description: description ?? "", value }));
  if (question.multiple === true) {
    const picked = await vscode.window.showQuickPick(rows, { title, placeHolder: question.text, canPickMany: true, ignoreFocusOut: true });
    return picked?.map(({ value }) => value);
  }
  const all = question.allowText === true ? [...rows, { label: OTHER, description: "", value: undefined }] : rows;
  const picked = await vscode.window.showQuickPick(all, { title, placeHolder: question.text, ignoreFocusOut: true });
  return picked !== undefined && picked.value === undefined ? askText(question, title) : picked?.value;
}

async function askText(question: Question, title: string): Promise<string | undefined> {
  const prompt = question.description === undefined ? question.text : `${question.text} – ${question.description}`;
  return vscode.window.showInputBox({ title, prompt, ignoreFocusOut: true });
}
