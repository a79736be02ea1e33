// Which server is packed for which platform.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { platformsOf, refusal } from "./binary.mjs";

/** Numbers written into 256 zero bytes: offset, size in bytes, number, order. */
const bytes = (...fields) =>
  fields.reduce((all, [offset, size, value, order = "LE"]) => (all[`writeUInt${size * 8}${order}`](value, offset), all), Buffer.alloc(256));
const elf = (machine) => bytes([0, 4, 0x7f454c46, "BE"], [18, 2, machine]);
const pe = (machine) => bytes([0, 2, 0x4d5a, "BE"], [0x3c, 4, 0x80], [0x80, 4, 0x50450000, "BE"], [0x84, 2, machine]);
const macho = (machine) => bytes([0, 4, 0xfeedfacf], [4, 4, machine]);
const fat = (...machines) =>
  bytes([0, 4, 0xcafebabe, "BE"], [4, 4, machines.length, "BE"], ...machines.map((machine, of) => [8 + of * 20, 4, machine, "BE"]));

test("a header names its platforms", () => {
  assert.deepEqual(platformsOf(elf(0x3e)), ["linux-x64"]);
  assert.deepEqual(platformsOf(elf(0xb7)), ["linux-arm64"]);
  assert.deepEqual(platformsOf(elf(0x28)), ["linux-armhf"]);
  assert.deepEqual(platformsOf(pe(0x8664)), ["win32-x64"]);
  assert.deepEqual(platformsOf(pe(0xaa64)), ["win32-arm64"]);
  assert.deepEqual(platformsOf(macho(0x01000007)), ["darwin-x64"]);
  assert.deepEqual(platformsOf(macho(0x0100000c)), ["darwin-arm64"]);
  assert.deepEqual(platformsOf(fat(0x01000007, 0x0100000c)), ["darwin-x64", "darwin-arm64"]);
});

test("what is no program, or is cut off, has none", () => {
  const javaClass = bytes([0, 4, 0xcafebabe, "BE"], [4, 4, 61, "BE"]);
  for (const program of [Buffer.alloc(0), Buffer.from("MZ"), Buffer.from("#!/bin/sh\n"), elf(0x3e).subarray(0, 18), pe(0x8664).subarray(0, 0x82), javaClass, elf(0x15)]) {
    assert.deepEqual(platformsOf(program), []);
  }
});

test("a target takes only a program for it", () => {
  assert.equal(refusal("linux-arm64", elf(0xb7)), undefined);
  assert.equal(refusal("alpine-x64", elf(0x3e)), undefined);
  assert.equal(refusal("darwin-x64", fat(0x01000007, 0x0100000c)), undefined);
  assert.equal(refusal("linux-arm64", elf(0x3e)), "was built for linux-x64, not for linux-arm64");
  assert.match(refusal("win32-x64", Buffer.from("#!/bin/sh\n")), /is no program for win32-x64/);
});

test("`package` says what is wrong before it packs anything", () => {
  const folder = mkdtempSync(join(tmpdir(), "kkcode-package-"));
  try {
    const server = join(folder, "server");
    writeFileSync(server, elf(0x3e));
    const said = (...args) => {
      const { status, stderr } = spawnSync(process.execPath, ["scripts/package.mjs", ...args], { encoding: "utf8" });
      assert.equal(status, 1);
      return stderr;
    };
    assert.match(said("--target", "win32-x64", "--server", server), /was built for linux-x64, not for win32-x64/);
    assert.match(said("--target", "linux-arm64", "--server", join(folder, "gone")), /cannot read the server .*gone/);
    assert.match(said("--target", "linux-arm64", "--server", folder), /cannot read the server/);
    assert.match(said("--target", "amiga"), /`amiga` is no target of VS Code/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
