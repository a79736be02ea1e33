// Tests that a workspace widens nothing, and that only a fitting server is talked to.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { objection, program } from "./handshake";
import { initializationOptions, levelOf, userValue } from "./settings";

test("a value of the workspace is not read", () => {
  assert.equal(userValue({ defaultValue: "", workspaceValue: "/tmp/evil", workspaceFolderValue: "/tmp/evil" }), "");
  assert.equal(userValue({ defaultValue: "", globalValue: "/opt/kkcode", workspaceValue: "/tmp/evil" }), "/opt/kkcode");
});

test("every setting that is not about looks has a scope that no workspace reaches", () => {
  interface Manifest {
    contributes: { configuration: { properties: Record<string, { scope?: string }> } };
    capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
  }
  const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
  const looks = ["kkcode.review.decorations", "kkcode.turn.openDocument", "kkcode.task.notify", "kkcode.trace.server"];
  for (const [name, { scope }] of Object.entries(manifest.contributes.configuration.properties)) {
    if (!looks.includes(name)) {
      assert.equal(scope, "machine", name);
      assert.ok(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations.includes(name), name);
    }
  }
});

test("the server gets only what is set", () => {
  assert.deepEqual(initializationOptions({ config: {}, home: "" }, false), { trusted: false });
  const config = { provider: { default: "work" } };
  assert.deepEqual(initializationOptions({ config, home: "/home" }, true), { config, home: "/home", trusted: true });
  assert.deepEqual([levelOf("yolo"), levelOf("default"), levelOf("root")], ["yolo", undefined, undefined]);
});

test("the program is the setting's, else the one inside", () => {
  assert.equal(program(" /opt/kkcode-lsp ", "/ext", "linux"), "/opt/kkcode-lsp");
  assert.match(program("", "/ext", "win32"), /kkcode-lsp\.exe$/);
});

test("a server of another version is refused with what to do", () => {
  const greeting = (protocolVersion: number): Parameters<typeof objection>[0] => ({
    serverInfo: { name: "kkcode-lsp", version: "9.9.9" },
    capabilities: { experimental: { kkcode: { protocolVersion } } },
  });
  assert.equal(objection(greeting(1)), undefined);
  assert.match(objection(greeting(2)) ?? "", /speaks version 2 .* update the older one/);
  assert.match(objection({ serverInfo: { name: "other" }, capabilities: {} }) ?? "", /`other`/);
});
