// Keys of providers: kept in VS Code's secret storage, handed to the server's memory, never written to settings.
import * as vscode from "vscode";
import { type Server, act, ifThere, registerCommands } from "./client";
import { commands, requests } from "./protocol";

/** The names of providers whose keys are kept; the keys themselves are in the secret storage only. */
const PROVIDERS = "kkcode.providersWithKeys";

/** The keys of providers. */
export class Secrets {
  constructor(
    readonly context: vscode.ExtensionContext,
    readonly server: Server,
  ) {
    server.onDidStart(() => {
      act(() => this.#handOver());
    });
    registerCommands(context, {
      "secret.set": () => this.#set(),
      "secret.remove": () => this.#remove(),
    });
  }

  get #providers(): string[] {
    return this.context.globalState.get<string[]>(PROVIDERS, []);
  }

  async #handOver(): Promise<void> {
    for (const provider of this.#providers) {
      const key = await this.context.secrets.get(secretName(provider));
      if (key !== undefined) {
        await this.server.request(requests.secretSet, { provider, key });
      }
    }
  }

  async #set(): Promise<void> {
    const provider = await this.#chooseProvider();
    const key =
      provider === undefined
        ? undefined
        : await vscode.window.showInputBox({
            title: `API key of ${provider}`,
            prompt: "Kept in VS Code's secret storage, and in the server's memory.",
            password: true,
            ignoreFocusOut: true,
          });
    if (provider === undefined || key === undefined || key.trim() === "") {
      return;
    }
    await this.context.secrets.store(secretName(provider), key.trim());
    await this.context.globalState.update(PROVIDERS, [...new Set([...this.#providers, provider])]);
    await this.server.request(requests.secretSet, { provider, key: key.trim() });
    vscode.window.setStatusBarMessage(`Kkcode: the key of ${provider} is set`, 5000);
  }

  async #remove(): Promise<void> {
    if (this.#providers.length === 0) {
      throw new Error("no key is kept");
    }
    const provider = await vscode.window.showQuickPick(this.#providers, { title: "Remove the key of which provider?" });
    if (provider !== undefined) {
      await this.context.secrets.delete(secretName(provider));
      await this.context.globalState.update(PROVIDERS, this.#providers.filter((name) => name !== provider));
      await this.server.request(requests.secretSet, { provider, key: "" });
    }
  }

  async #chooseProvider(): Promise<string | undefined> {
    const listed = await ifThere(this.server, () => this.server.command(commands.modelList, {}));
    const names = [...new Set(["anthropic", "openai", ...(listed?.models ?? []).map(({ provider }) => provider)])];
    const other = "Another name…";
    const picked = await vscode.window.showQuickPick([...names, other], { title: "Which provider of the configuration?" });
    return picked === other
      ? vscode.window.showInputBox({ title: "The provider's name in the configuration" })
      : picked;
  }
}

function secretName(provider: string): string {
  return `provider.${provider}`;
}
