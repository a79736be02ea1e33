// Starts and ends the extension: makes one of everything and says who knows whom.
import * as vscode from "vscode";
import { Server, act, registerCommands, report } from "./client";
import { Comments } from "./comments";
import { Decorations, setContext } from "./decorations";
import { registerDoctor } from "./doctor";
import { EditFileSystem, Texts } from "./documents";
import { middleware, registerLenses } from "./lenses";
import { Permissions } from "./permissions";
import { Prompts } from "./prompt";
import { Proposals } from "./proposals";
import { registerProposalsView } from "./proposals_view";
import { schemes } from "./pure/documents";
import { Replay } from "./replay";
import { Review } from "./review";
import { Secrets } from "./secrets";
import { Sessions } from "./sessions";
import { Status } from "./status";
import { Tasks } from "./tasks";
import { registerTrust } from "./trust";
import { Turns } from "./turns";

let server: Server | undefined;

/** Called by VS Code when the extension is needed. */
export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel("Kkcode", { log: true });
  const extensionFolder = context.extensionUri.fsPath;
  const started = new Server({ extensionFolder, log, middleware: middleware() });
  server = started;
  const proposals = new Proposals(started);
  const replay = new Replay(context, started);
  const replies = new Texts(schemes.turn);
  const texts = new Texts(schemes.text);
  const prompts = new Prompts(context, started);
  const goOn = async (sessionId: string): Promise<void> => prompts.goOn(sessionId);
  const turns = new Turns(context, started, replies, replay, goOn);
  prompts.turns = turns;
  const edits = new EditFileSystem(started, proposals);
  const reviewSent = (turnId: string, prompt: string): void => {
    act(() => turns.started(turnId, undefined, prompt));
  };
  new Review(context, started, proposals, async (turnId) => turns.show(turnId));
  const tasks = new Tasks(context, started, texts, replay);
  new Secrets(context, started);
  registerDoctor(context, started, texts);
  context.subscriptions.push(
    log,
    proposals,
    replay,
    replies,
    texts,
    prompts,
    turns,
    edits,
    vscode.workspace.registerFileSystemProvider(schemes.edit, edits, { isCaseSensitive: true }),
    vscode.workspace.registerTextDocumentContentProvider(schemes.turn, replies),
    vscode.workspace.registerTextDocumentContentProvider(schemes.text, texts),
    new Decorations(proposals),
    registerLenses(proposals),
    registerProposalsView(proposals),
    new Comments(context, started, proposals, reviewSent),
    new Sessions(context, started, texts, goOn),
    tasks,
    new Permissions(context, started, texts, (taskId) => tasks.describe(taskId)),
    new Status(context, started),
    registerTrust(started),
    vscode.workspace.onDidChangeConfiguration((event) => {
      act(() => offerRestart(event));
    }),
  );
  registerCommands(context, {
    "server.restart": () => started.restart(),
    "server.showLog": () => {
      log.show();
    },
    walkthrough: () => vscode.commands.executeCommand("workbench.action.openWalkthrough", `${context.extension.id}#start`),
  });
  try {
    await started.start();
  } catch (error) {
    setContext("running", false);
    report(new Error(`the server does not start: ${error instanceof Error ? error.message : String(error)}; “Kkcode: Doctor” says more`));
  }
}

/** Called by VS Code before it ends; the server is given time to end, too. */
export async function deactivate(): Promise<void> {
  await server?.stop();
}

async function offerRestart(event: vscode.ConfigurationChangeEvent): Promise<void> {
  if (["server.path", "home", "config", "level", "model"].some((name) => event.affectsConfiguration(`kkcode.${name}`))) {
    const choice = await vscode.window.showInformationMessage("Kkcode: the new settings count from the server's next start.", "Restart Server");
    if (choice !== undefined) {
      await vscode.commands.executeCommand("kkcode.ui.server.restart");
    }
  }
}
