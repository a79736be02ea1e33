// The manifest and the table that it is written from say the same.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

test("package.json is what the table says", () => {
  const check = spawnSync(process.execPath, ["scripts/manifest.mjs", "--check"], { encoding: "utf8" });
  assert.equal(check.status, 0, check.stderr);
});
