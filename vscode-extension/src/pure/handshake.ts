// Whether a server is one that this client can talk to, and which program it is.
import { join } from "node:path";
import { PROTOCOL_VERSION, type ExperimentalCapabilities } from "../protocol";

/** What a server said of itself in its `initialize` result. */
export interface Greeting {
  serverInfo?: { name: string; version?: string };
  capabilities: { experimental?: unknown };
}

/** Says why a server cannot be talked to; undefined if it can. */
export function objection(greeting: Greeting): string | undefined {
  const name = greeting.serverInfo?.name;
  if (name !== "kkcode-lsp") {
    return `the program is \`${name ?? "unknown"}\`, not kkcode-lsp: clear the setting kkcode.server.path`;
  }
  const experimental = greeting.capabilities.experimental as ExperimentalCapabilities | null | undefined;
  const version = experimental?.kkcode?.protocolVersion;
  if (version !== PROTOCOL_VERSION) {
    const theirs = version === undefined ? "no version" : `version ${version}`;
    return `kkcode-lsp ${greeting.serverInfo?.version ?? ""} speaks ${theirs} of the protocol and this extension version ${PROTOCOL_VERSION}: update the older one, or clear the setting kkcode.server.path`;
  }
  return undefined;
}

/** Returns the program of the server: the setting's if it is set, else the one inside the extension. */
export function program(setting: string, extensionFolder: string, platform: NodeJS.Platform): string {
  return setting.trim() !== "" ? setting.trim() : join(extensionFolder, "server", platform === "win32" ? "kkcode-lsp.exe" : "kkcode-lsp");
}
