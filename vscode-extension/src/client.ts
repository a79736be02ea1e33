// The language client: starts the server, shakes hands, and carries commands, requests and notifications, typed.
import * as vscode from "vscode";
import {
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  ResponseError,
  State,
  type StaticFeature,
} from "vscode-languageclient/node";
import {
  type CommandName,
  type CommandTypes,
  type InitializationOptions,
  type NotificationName,
  type NotificationTypes,
  PROTOCOL_VERSION,
  type RequestName,
  type RequestTypes,
  commands,
  notifications,
} from "./protocol";
import { schemes } from "./pure/documents";
import { objection, program } from "./pure/handshake";
import { initializationOptions, levelOf, userValue } from "./pure/settings";
import { unlinked } from "./pure/words";

/** "Refused by a state or a rule": the message says what to do, and nothing is broken. */
const REFUSED = -32803;

/** What the server is started with; the extension's own code lenses come in by `middleware`. */
export interface ServerOptions {
  extensionFolder: string;
  log: vscode.LogOutputChannel;
  middleware: Middleware;
}

/** The server of this window. */
export class Server implements vscode.Disposable {
  #client: LanguageClient | undefined;
  /** Whether the server has ended by itself, and the user does not know it. */
  #isLost = false;
  readonly #started = new vscode.EventEmitter<void>();
  readonly #stopped = new vscode.EventEmitter<void>();
  readonly #listeners = new Map<NotificationName, ((params: never) => void)[]>();
  readonly #answerers: ((client: LanguageClient) => void)[] = [];

  /** Fires when a server is there, the first time and after each restart. */
  readonly onDidStart = this.#started.event;
  /** Fires when the server ended. */
  readonly onDidStop = this.#stopped.event;

  constructor(readonly options: ServerOptions) {}

  /** Tells whether a server is there that can be talked to. */
  get isRunning(): boolean {
    return this.#client?.state === State.Running;
  }

  /** The program that is started. */
  get program(): string {
    return program(ownSetting("server.path") ?? "", this.options.extensionFolder, process.platform);
  }

  /** Starts the server; throws with what to do if it does not start or does not fit. */
  async start(): Promise<void> {
    const command = this.program;
    const client = new LanguageClient("kkcode", "Kkcode", { command, args: ["serve"] }, this.#clientOptions());
    this.#client = client;
    client.registerFeature(new Announcement());
    // A client has room for one listener of each notification.
    for (const [name, listeners] of this.#listeners) {
      client.onNotification(name, (params: unknown) => {
        for (const listener of listeners) {
          listener(params as never);
        }
      });
    }
    for (const answer of this.#answerers) {
      answer(client);
    }
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) {
        void this.#greet(client);
      } else if (newState === State.Stopped) {
        // Who ends it on purpose has let it go before.
        this.#isLost = this.#client === client;
        this.#stopped.fire();
      }
    });
    await client.start();
  }

  /** Ends the server, if there is one, and starts it again with the settings of now. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Ends the server. */
  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.dispose();
  }

  dispose(): void {
    void this.stop();
    this.#started.dispose();
    this.#stopped.dispose();
  }

  /** Runs a command of the server. */
  async command<N extends CommandName>(name: N, params: CommandTypes[N]["params"]): Promise<CommandTypes[N]["result"]> {
    return this.#running().sendRequest("workspace/executeCommand", { command: name, arguments: [params] });
  }

  /** Sends a request of ours. */
  async request<N extends RequestName>(name: N, params: RequestTypes[N]["params"]): Promise<RequestTypes[N]["result"]> {
    return this.#running().sendRequest(name, params);
  }

  /** Tells the server something. */
  async notify<N extends NotificationName>(name: N, params: NotificationTypes[N]["params"]): Promise<void> {
    await this.#running().sendNotification(name, params);
  }

  /** Listens to a notification of this server and of those that are started later. */
  on<N extends NotificationName>(name: N, listener: (params: NotificationTypes[N]["params"]) => void): void {
    const listeners = this.#listeners.get(name) ?? [];
    this.#listeners.set(name, [...listeners, listener]);
  }

  /** Answers a request of this server and of those that are started later. */
  answer<N extends RequestName>(
    name: N,
    answerer: (params: RequestTypes[N]["params"]) => Promise<RequestTypes[N]["result"]>,
  ): void {
    this.#answerers.push((client) => {
      client.onRequest(name, answerer);
    });
  }

  #running(): LanguageClient {
    if (this.#client?.state !== State.Running) {
      throw new Error("Kkcode's server is not running: see “Kkcode: Show Log”, then “Kkcode: Restart Server”");
    }
    return this.#client;
  }

  #clientOptions(): LanguageClientOptions {
    const documentSelector = [
      { scheme: "file" },
      { scheme: "untitled" },
      { scheme: schemes.proposed },
    ];
    const settings = { config: ownSetting("config"), home: ownSetting("home") };
    const options: () => InitializationOptions = () => initializationOptions(settings, vscode.workspace.isTrusted);
    return {
      documentSelector,
      initializationOptions: options,
      outputChannel: this.options.log,
      middleware: this.options.middleware,
      diagnosticCollectionName: "kkcode",
    };
  }

  async #greet(client: LanguageClient): Promise<void> {
    const refused = client.initializeResult === undefined ? "the server did not introduce itself" : objection(client.initializeResult);
    if (refused !== undefined) {
      this.#client = undefined;
      await client.stop();
      await vscode.window.showErrorMessage(`Kkcode: ${refused}`);
      return;
    }
    this.options.log.info(`${this.program} ${client.initializeResult?.serverInfo?.version ?? ""} is there`);
    await this.#applySettings();
    this.#started.fire();
    if (this.#isLost) {
      this.#isLost = false;
      await this.#tellLoss();
    }
  }

  /** Says that the server ended by itself and is there again. */
  async #tellLoss(): Promise<void> {
    const log = "Show Log";
    const message = "Kkcode: the server has ended unexpectedly and was started again. What waits for you is still there; a turn that was running is interrupted.";
    if ((await vscode.window.showWarningMessage(message, log)) === log) {
      this.options.log.show();
    }
  }

  async #applySettings(): Promise<void> {
    const level = levelOf(ownSetting("level"));
    const model = ownSetting("model");
    try {
      if (level !== undefined) {
        await this.command(commands.permissionSetLevel, { level });
      }
      if (model !== undefined && model !== "") {
        await this.command(commands.modelSelect, { model });
      }
    } catch (error) {
      report(error);
    }
  }
}

/** Says in the client's capabilities that it knows our protocol. */
class Announcement implements StaticFeature {
  fillClientCapabilities(capabilities: { experimental?: unknown }): void {
    capabilities.experimental = { kkcode: { protocolVersion: PROTOCOL_VERSION } };
  }

  initialize(): void {
    // Nothing depends on what the server can: it answers what it does not have yet with a sentence.
  }

  getState(): { kind: "static" } {
    return { kind: "static" };
  }

  clear(): void {
    // It holds nothing.
  }
}

/** The settings that no workspace can set, with their types. */
interface OwnSettings {
  "server.path": string;
  home: string;
  config: Record<string, unknown>;
  level: string;
  model: string;
}

/** Returns a setting that no workspace can set. */
export function ownSetting<N extends keyof OwnSettings>(name: N): OwnSettings[N] | undefined {
  return userValue(vscode.workspace.getConfiguration("kkcode").inspect<OwnSettings[N]>(name));
}

/** Shows an error as the plain message that it is; a refusal is no failure of ours. */
export function report(error: unknown): void {
  const message = unlinked(error instanceof Error ? error.message : String(error));
  if (error instanceof ResponseError && error.code === REFUSED) {
    void vscode.window.showWarningMessage(`Kkcode: ${message}`);
  } else {
    void vscode.window.showErrorMessage(`Kkcode: ${message}`);
  }
}

/** Runs what nobody waits for; its error is shown. */
export function act(work: () => unknown): void {
  void (async () => {
    try {
      await work();
    } catch (error) {
      report(error);
    }
  })();
}

/** Asks for something that a server may not have yet; undefined if so. Other errors go to the log. */
export async function ifThere<T>(server: Server, asked: () => Promise<T>): Promise<T | undefined> {
  try {
    return await asked();
  } catch (error) {
    server.options.log.debug(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** Registers the extension's own commands; `kkcode.ui.` stands before each name, and errors are shown. */
export function registerCommands(
  context: vscode.ExtensionContext,
  handlers: Record<string, (...args: never[]) => unknown>,
): void {
  for (const [name, handler] of Object.entries(handlers)) {
    const run = async (...args: never[]): Promise<unknown> => {
      try {
        return await handler(...args);
      } catch (error) {
        report(error);
        return undefined;
      }
    };
    context.subscriptions.push(vscode.commands.registerCommand(`kkcode.ui.${name}`, run));
  }
}

/** The notifications, for those who listen. */
export { notifications };
