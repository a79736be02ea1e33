// “Kkcode: Doctor”: what is installed, reachable and missing, as a document that can be sent to somebody.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as vscode from "vscode";
import { type Server, ownSetting, registerCommands } from "./client";
import { commands } from "./protocol";
import type { Texts } from "./documents";
import { statusInWords, usageInWords } from "./pure/words";

/** How long the program may take to answer, in milliseconds. */
const PATIENCE = 20_000;

/** Registers the command. */
export function registerDoctor(context: vscode.ExtensionContext, server: Server, texts: Texts): void {
  registerCommands(context, {
    doctor: async () => {
      const extension = context.extension.packageJSON as { version: string };
      const sections = [
        "# Kkcode: Doctor",
        `- extension ${extension.version} in VS Code ${vscode.version} on ${process.platform} ${process.arch}`,
        `- program: \`${server.program}\` – ${await version(server.program)}`,
        `- workspace: ${vscode.workspace.isTrusted ? "trusted" : "not trusted: the agent only reads, and the folder's configuration is not used"}`,
        `- server: ${await status(server)}`,
        `## What the server finds\n\n${await examined(server.program)}`,
      ];
      await texts.show("doctor.md", `${sections.join("\n\n")}\n`, { takeFocus: true });
    },
  });
}

async function status(server: Server): Promise<string> {
  try {
    const answer = await server.command(commands.status, {});
    return `running, ${statusInWords(answer)}, ${usageInWords(answer.usage)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function version(program: string): Promise<string> {
  try {
    return (await run(program, ["--version"])).trim();
  } catch (error) {
    return `does not start: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function examined(program: string): Promise<string> {
  try {
    return `\`\`\`\n${(await run(program, ["doctor"])).trim()}\n\`\`\``;
  } catch (error) {
    const { stdout, stderr, message } = error as { stdout?: string; stderr?: string; message: string };
    const said = `${stdout ?? ""}${stderr ?? ""}`.trim();
    return `\`\`\`\n${said === "" ? message : said}\n\`\`\``;
  }
}

async function run(program: string, args: string[]): Promise<string> {
  const home = ownSetting("home") ?? "";
  const env = home === "" ? process.env : { ...process.env, KKCODE_HOME: home };
  const cwd = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const { stdout } = await promisify(execFile)(program, args, { timeout: PATIENCE, env, ...(cwd !== undefined && { cwd }) });
  return stdout;
}
