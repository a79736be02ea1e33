// Packs the extension with the server inside into kkcode-<target>.vsix.
//
//   npm run package                                     for this platform; builds the server in release mode
//   npm run package -- --target win32-x64 --server F    for another one, with a server that was built for it
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { refusal } from "./binary.mjs";

const TARGETS = [
  "win32-x64", "win32-arm64", "linux-x64", "linux-arm64", "linux-armhf", "alpine-x64", "alpine-arm64", "darwin-x64", "darwin-arm64",
];

const { values } = parseArgs({
  options: { target: { type: "string" }, server: { type: "string" }, out: { type: "string" } },
});
const here = `${process.platform}-${process.arch === "arm" ? "armhf" : process.arch}`;
const target = values.target ?? here;
if (!TARGETS.includes(target)) {
  fail(`\`${target}\` is no target of VS Code; there are ${TARGETS.join(", ")}`);
}
if (target !== here && values.server === undefined) {
  fail(`this machine is ${here}; name a server that was built for ${target} with --server`);
}

const server = values.server ?? buildServer();
const refused = refusal(target, contents(server));
if (refused !== undefined) {
  fail(`${server} ${refused}`);
}
rmSync("server", { recursive: true, force: true });
mkdirSync("server");
const inside = join("server", target.startsWith("win32") ? "kkcode-lsp.exe" : "kkcode-lsp");
copyFileSync(server, inside);
chmodSync(inside, 0o755);
for (const license of ["LICENSE-APACHE", "LICENSE-MIT"]) {
  copyFileSync(join("..", license), license);
}
writeFileSync("LICENSE", "MIT or Apache-2.0, at your choice: see LICENSE-MIT and LICENSE-APACHE.\n");
run("node", ["scripts/build.mjs", "--minify"]);
run("node", [
  "node_modules/@vscode/vsce/vsce", "package", "--no-dependencies", "--allow-missing-repository", "--skip-license",
  "--no-rewrite-relative-links", "--target", target, "--out", values.out ?? `kkcode-${target}.vsix`,
]);

function buildServer() {
  run("cargo", ["build", "--release", "--locked", "--package", "kkcode-lsp", "--bin", "kkcode-lsp"], "..");
  const folder = process.env.CARGO_TARGET_DIR ?? join("..", "target");
  return resolve(folder, "release", process.platform === "win32" ? "kkcode-lsp.exe" : "kkcode-lsp");
}

function contents(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    return fail(`cannot read the server ${file}: ${error.message}`);
  }
}

function run(program, args, cwd = ".") {
  const { status, error } = spawnSync(program, args, { cwd, stdio: "inherit" });
  if (status !== 0) {
    fail(error?.message ?? `${program} ended with ${status}`);
  }
}

function fail(message) {
  console.error(`package: ${message}`);
  process.exit(1);
}
