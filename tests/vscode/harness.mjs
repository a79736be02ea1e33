// A real VS Code in a headless browser: starts it with the extension installed, drives it, looks at its page.
import { spawn, spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** How long anything may take to appear, in milliseconds; a busy machine is slow, and nothing here measures time. */
const PATIENCE = 60_000;

const SETTINGS = {
  "files.autoSave": "off",
  "workbench.startupEditor": "none",
  "telemetry.telemetryLevel": "off",
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "chat.disableAIFeatures": true,
  "git.enabled": false,
  "editor.minimap.enabled": false,
  "workbench.colorTheme": "Default Light Modern",
  "workbench.tips.enabled": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "window.commandCenter": false,
};

/** Settings of a user who trusts every folder. */
export const EVERYWHERE_TRUSTED = { "security.workspace.trust.enabled": false };

/** VS Code, and a page that shows it. */
export class Editor {
  #vscode;
  #context;

  /** Starts it on `folder/work`, or on a workspace file in it. `settings` are the user's. */
  static async start({ tools, folder, vsix, settings = {}, workspace, pictures }) {
    const editor = new Editor();
    Object.assign(editor, { folder, work: join(folder, "work"), pictures });
    const data = join(folder, "data");
    for (const place of ["User", "Machine"]) {
      mkdirSync(join(data, place), { recursive: true });
      writeFileSync(join(data, place, "settings.json"), JSON.stringify({ ...SETTINGS, ...settings }));
    }
    const program = join(tools, "node");
    const common = [
      join(tools, "server-main.js"), "--accept-server-license-terms", "--telemetry-level", "off", "--disable-experiments",
      "--server-data-dir", join(data, "server"), "--user-data-dir", data, "--extensions-dir", join(data, "extensions"),
    ];
    const env = { ...process.env, KKCODE_HOME: join(folder, "home") };
    const installed = spawnSync(program, [...common, "--install-extension", vsix], { env, encoding: "utf8" });
    if (installed.status !== 0) {
      throw new Error(`the extension cannot be installed: ${installed.stdout}${installed.stderr}`);
    }
    const serve = ["--host", "127.0.0.1", "--port", "0", "--without-connection-token", "--reconnection-grace-time", "1"];
    editor.#vscode = spawn(program, [...common, ...serve], { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    editor.output = "";
    const address = await new Promise((resolve, reject) => {
      const listen = (chunk) => {
        editor.output += chunk;
        const found = /http:\/\/[\w.]+:(\d+)/.exec(editor.output) ?? /listening on (\d+)/i.exec(editor.output);
        if (found) {
          resolve(`http://127.0.0.1:${found[1]}`);
        }
      };
      editor.#vscode.stdout.on("data", listen);
      editor.#vscode.stderr.on("data", listen);
      editor.#vscode.on("exit", (code) => reject(new Error(`VS Code ended with ${code}: ${editor.output}`)));
    });
    const { chromium } = createRequire(join(tools, "package.json"))("playwright-core");
    editor.#context = await chromium.launchPersistentContext(join(folder, "profile"), {
      executablePath: process.env.KKCODE_TEST_CHROMIUM,
      headless: true,
      viewport: { width: 1440, height: 810 },
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
    editor.page = editor.#context.pages()[0] ?? (await editor.#context.newPage());
    editor.page.setDefaultTimeout(PATIENCE);
    const opened = workspace === undefined ? `folder=${encodeURIComponent(editor.work)}` : `workspace=${encodeURIComponent(join(editor.work, workspace))}`;
    await editor.page.goto(`${address}/?${opened}`);
    await editor.page.waitForSelector(".monaco-workbench");
    return editor;
  }

  /** Ends all of it. */
  async stop() {
    await this.#context?.close();
    if (this.#vscode && this.#vscode.exitCode === null) {
      const ended = new Promise((resolve) => this.#vscode.once("exit", resolve));
      this.#vscode.removeAllListeners("exit").once("exit", () => {});
      const gone = new Promise((resolve) => this.#vscode.once("close", resolve));
      process.kill(-this.#vscode.pid, "SIGTERM");
      await Promise.race([ended, gone]);
    }
  }

  /** Waits until the status item says that the server is there. */
  async ready(words = "manual") {
    await this.page.locator(".statusbar-item", { hasText: words }).first().waitFor();
  }

  /** Runs a command by the palette, which opens again until it knows the command. */
  async command(title) {
    const row = this.page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first();
    for (let left = 12; ; left -= 1) {
      await this.page.keyboard.press("F1");
      await this.quickInput().fill(`>${title}`);
      // The list is made when the palette opens: what becomes possible later is not in it.
      const known = await row.waitFor({ timeout: 5_000 }).then(() => true, () => false);
      if (known || left === 0) {
        break;
      }
      await this.page.keyboard.press("Escape");
    }
    await row.click();
  }

  /** The input of palette, lists and questions. */
  quickInput() {
    return this.page.locator(".quick-input-widget:visible .quick-input-box input");
  }

  /** Types an answer into the input that asks for it. */
  async answer(title, text) {
    await this.page.locator(".quick-input-widget:visible", { hasText: title }).waitFor();
    await this.quickInput().fill(text);
    await this.page.keyboard.press("Enter");
  }

  /** Takes a row of a list. */
  async pick(title, words) {
    await this.page.locator(".quick-input-widget:visible", { hasText: title }).waitFor();
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: words }).first().click();
  }

  /** Chooses a row of a list of which several can be chosen. */
  async tick(title, words) {
    await this.page.locator(".quick-input-widget:visible", { hasText: title }).waitFor();
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: words }).first().click();
    await this.page.keyboard.press("Enter");
  }

  /** Returns the notification with these words. */
  notice(words) {
    return this.page.locator(".notification-list-item", { hasText: words }).first();
  }

  /** Presses a button of a notification. */
  async press(words, button) {
    await this.notice(words).locator(".monaco-button", { hasText: button }).click();
  }

  /** Returns a row of a view, which has all of these words. */
  row(...words) {
    return words.reduce((rows, text) => rows.filter({ hasText: text }), this.page.locator(".pane-body .monaco-list-row")).first();
  }

  /** Clicks an act that a row of a view offers. */
  async inRow(act, ...words) {
    await this.row(...words).hover();
    await this.row(...words).locator(`.action-label[aria-label*="${act}"]`).click();
  }

  /** Writes a file below the case's folder. */
  write(path, text) {
    writeFileSync(join(this.folder, path), text);
  }

  /** Runs the server that the extension has inside, as a command, and returns what it prints. */
  server(...args) {
    const extensions = join(this.folder, "data", "extensions");
    const folder = readdirSync(extensions).find((name) => name.startsWith("kkcode.kkcode-"));
    const env = { ...process.env, KKCODE_HOME: join(this.folder, "home") };
    const { status, stdout, stderr } = spawnSync(join(extensions, folder, "server", "kkcode-lsp"), args, { env, cwd: this.work, encoding: "utf8" });
    if (status !== 0) {
      throw new Error(`kkcode-lsp ${args.join(" ")} ended with ${status}: ${stdout}${stderr}`);
    }
    return stdout;
  }

  /** Returns the processes of the servers that windows of this VS Code have started. */
  servers() {
    return processes(this.folder, "serve");
  }

  /** Returns the pages of all windows. */
  pages() {
    return this.#context.pages();
  }

  /** Opens the same folder in a second window. */
  async secondWindow() {
    const window = new Editor();
    Object.assign(window, { folder: this.folder, work: this.work, pictures: this.pictures });
    window.page = await this.#context.newPage();
    window.page.setDefaultTimeout(PATIENCE);
    await window.page.goto(this.page.url());
    await window.page.waitForSelector(".monaco-workbench");
    return window;
  }

  /** Goes to this window, and to a line of its editor: VS Code asks for lenses where the cursor is. */
  async front(line) {
    await this.page.bringToFront();
    await this.line(line).click();
  }

  /** Returns what a file of the home holds, nothing if it is not there. */
  home(name) {
    const path = join(this.folder, "home", name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** Returns a line of the editor that shows the file. */
  line(text) {
    return this.page.locator(".monaco-editor .view-line", { hasText: exactly(text) }).first();
  }

  /** Returns a line of the proposed side. */
  proposed(text) {
    return this.page.locator(".monaco-diff-editor .modified .view-line", { hasText: exactly(text) }).first();
  }

  /** Waits until the cursor is on this line, counted from 1. */
  async at(line) {
    await this.page.locator(".statusbar-item", { hasText: `Ln ${line},` }).waitFor();
  }

  /** Types at the beginning of a line. */
  async type(line, text) {
    await this.line(line).click();
    await this.page.keyboard.press("Home");
    await this.page.keyboard.type(text);
  }

  /** Opens a file by its name, and waits for its text. */
  async open(name, text) {
    await this.page.keyboard.press("Control+p");
    await this.quickInput().fill(name);
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: name }).first().click();
    await this.seeText(text);
  }

  /** Waits until an editor shows a text. */
  async seeText(text) {
    await this.page.locator(".monaco-editor .view-lines", { hasText: nonBreaking(text) }).first().waitFor();
  }

  /** Returns the code lenses with these words. */
  lens(words) {
    return this.page.locator(".monaco-editor .codelens-decoration a", { hasText: words });
  }

  /** Waits until exactly so many code lenses have these words. */
  async seeLenses(words, count) {
    let seen = [];
    await this.eventually(() => `${count} lenses “${words}” but ${JSON.stringify(seen)}`, async () => {
      seen = await this.lens(words).evaluateAll((lenses) => lenses.map((lens) => lens.parentElement.innerText));
      return seen.length === count;
    });
  }

  /** Waits until the browser has written down something that the extension keeps for this workspace. */
  async remembers(key) {
    await this.eventually(`${key} is kept`, () =>
      this.page.evaluate(async (wanted) => {
        const asked = (request) =>
          new Promise((resolve, reject) => {
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error);
          });
        for (const { name } of await indexedDB.databases()) {
          const database = await asked(indexedDB.open(name));
          for (const store of database.objectStoreNames) {
            const values = await asked(database.transaction(store).objectStore(store).getAll());
            if (values.some((value) => JSON.stringify(value)?.includes(wanted))) {
              return true;
            }
          }
          database.close();
        }
        return false;
      }, key),
    );
  }

  /** Waits for a message. */
  async seeMessage(words) {
    await this.notice(words).waitFor();
  }

  /** Waits until a file holds exactly a text. */
  async seeFile(name, text) {
    const path = join(this.work, name);
    await this.eventually(`${name} is ${JSON.stringify(text)}`, () => existsSync(path) && readFileSync(path, "utf8") === text);
  }

  /** Throws if a text stands in any file that the editor or the server keeps. */
  seeNowhere(text) {
    const found = spawnSync("grep", ["-rlaF", text, join(this.folder, "home"), join(this.folder, "data"), this.work], { encoding: "utf8" });
    if (found.status !== 1) {
      throw new Error(`“${text}” stands in ${found.stdout}${found.stderr}`);
    }
  }

  /** Waits until something holds, looking again with each frame that the page draws. */
  async eventually(what, holds) {
    const until = Date.now() + PATIENCE;
    while (!(await holds())) {
      if (Date.now() > until) {
        throw new Error(`not seen: ${typeof what === "function" ? what() : what}`);
      }
      await this.page.evaluate(() => new Promise(requestAnimationFrame));
    }
  }

  /** Keeps a picture of the page, where somebody wants pictures. */
  async picture(name) {
    if (this.pictures) {
      await this.page.screenshot({ path: join(this.pictures, `${name}.png`) });
    }
  }
}

/** Returns the processes of a case that run the server's program with this command. */
export function processes(folder, command) {
  const home = `KKCODE_HOME=${join(folder, "home")}\0`;
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return args[0].endsWith("kkcode-lsp") && args[1] === command && readFileSync(`/proc/${pid}/environ`, "utf8").includes(home);
    } catch {
      // It has ended meanwhile, or is none of ours.
      return false;
    }
  });
}

/** Editors draw spaces as non-breaking ones. */
function nonBreaking(text) {
  return new RegExp(drawn(text));
}

function exactly(text) {
  return new RegExp(`^${drawn(text)}$`);
}

function drawn(text) {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(" ", "[ \\u00a0]");
}
