// Runs one case in a real VS Code: node run.mjs CASE TOOLS FOLDER VSIX
// CASE is a name in cases.mjs; FOLDER is empty; with KKCODE_TEST_PICTURES set, each step's picture is kept in that folder.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cases } from "./cases.mjs";
import { Editor, processes } from "./harness.mjs";

const [name, tools, folder, vsix] = process.argv.slice(2);
const scene = cases[name];
if (scene === undefined) {
  throw new Error(`there is no case ${name}`);
}
const write = (path, text) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};
for (const [path, text] of Object.entries(scene.files)) {
  write(join(folder, "work", path), text.replaceAll("FOLDER", folder));
}
write(join(folder, "home", "script.yaml"), scene.script);
const config = (await scene.prepare?.()) ?? "provider: {play: {type: scripted, script: script.yaml}}\n";
write(join(folder, "home", "config.yaml"), config);

const editor = await Editor.start({ tools, folder, vsix, settings: scene.settings, workspace: scene.workspace, pictures: process.env.KKCODE_TEST_PICTURES });
try {
  await scene.run(editor);
} catch (error) {
  for (const [number, page] of editor.pages().entries()) {
    await page.screenshot({ path: join(folder, `failed-${number + 1}.png`) });
  }
  console.error(`FAILED: ${error.stack}`);
  console.error(await editor.page.evaluate(() => document.body.innerText));
  process.exitCode = 1;
} finally {
  await editor.stop();
  // Tasks outlive the editor, and here nobody comes back for them.
  for (const pid of processes(folder, "worker")) {
    process.kill(pid, "SIGKILL");
  }
}
