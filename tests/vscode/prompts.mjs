// What the agent waits for: permissions with each of their answers, and questions.
import { EVERYWHERE_TRUSTED as TRUSTED } from "./harness.mjs";

const NOTES = "one\ntwo\nthree\nfour\nfive\nsix\n";

/** Starts a turn on the notes. */
async function start(editor, prompt) {
  await editor.ready();
  await editor.open("notes.txt", "three");
  await editor.command("Kkcode: Ask the Agent to Work on");
  await editor.answer("What should the agent do?", prompt);
}

export const prompts = {
  // Each button of a notification, and each row of the list behind the last one.
  answers: {
    files: { "notes.txt": NOTES, build: "echo built $1\n" },
    settings: TRUSTED,
    script: `
turns:
  - stream: [{tool: {name: bash, input: {command: "sh build one"}}}]
  - expect: ["built one"]
    stream: [{tool: {name: bash, input: {command: "sh build two"}}}]
  - expect: ["denied by the user"]
    stream: [{tool: {name: bash, input: {command: "sh build three"}}}]
  - expect: ["built three"]
    stream: [{tool: {name: bash, input: {command: "sh build three"}}}]
  - expect: ["built three"]
    stream: [{tool: {name: bash, input: {command: "mkdir -p four"}}}]
  - stream: [{tool: {name: bash, input: {command: "mkdir -p four"}}}]
  - stream: [{tool: {name: bash, input: {command: "sh build five"}}}]
  - expect: ["four are enough"]
    stream: [{text: "Every answer was given."}]
`,
    async run(editor) {
      const { page } = editor;
      const waits = page.locator(".statusbar-item", { hasText: "Kkcode waits for 1 answer" });
      await start(editor, "Build it");

      const first = editor.notice("sh build one");
      await first.waitFor();
      const titles = await first.locator(".monaco-button").allInnerTexts();
      if (titles.join() !== "Show,Allow Once,Deny,More…") {
        throw new Error(`the buttons are ${titles}`);
      }
      await editor.picture("8-permission");
      await editor.press("sh build one", "Allow Once");
      await editor.press("sh build two", "Deny");

      await editor.press("sh build three", "More…");
      await editor.pick("sh build three", "for the session");

      // All of it is shown beside; who backs out has not answered, and is reminded until then.
      await editor.press("mkdir -p four", "Show");
      await editor.seeText("mkdir -p four");
      await page.locator(".quick-input-list .monaco-list-row", { hasText: "The rule: " }).waitFor();
      await editor.picture("9-answers");
      await page.keyboard.press("Escape");
      await waits.click();
      await editor.pick("mkdir -p four", "Always allow in this workspace");

      await editor.press("sh build five", "More…");
      await editor.pick("sh build five", "Deny and say why");
      await editor.answer("Deny", "four are enough");
      await page.locator(".tab", { hasText: "Build it" }).click();
      await editor.seeText("Every answer was given");
      await waits.waitFor({ state: "detached" });

      // What was learned is shown, and forgotten again.
      await editor.command("Kkcode: Show and Forget Learned Permission Rules");
      await editor.tick("Learned rules", "allow bash");
      await editor.eventually("no rule", () => !editor.home("learned-rules.yaml").includes("mkdir"));
    },
  },

  // A question, a path that is asked for each time, and a window without a mouse.
  waiting: {
    files: { "notes.txt": NOTES, ".env": "COLOUR=blue\n" },
    settings: TRUSTED,
    script: `
turns:
  - stream: [{tool: {name: question, input: {questions: [{id: may, text: "May I see the colours?", options: [{label: "Yes, please"}, {label: "No"}]}]}}}]
  - expect: ["Yes, please"]
    stream: [{tool: {name: read, input: {path: .env}}}]
  - expect: ["COLOUR=blue"]
    stream: [{text: "The colour is blue."}]
`,
    async run(editor) {
      const { page } = editor;
      const waits = page.locator(".statusbar-item", { hasText: "Kkcode waits for 1 answer" });
      await start(editor, "Which colour?");
      await editor.press("May I see the colours?", "Answer");
      await editor.pick("May I see the colours?", "Yes, please");

      await editor.notice("read .env").waitFor();
      await waits.waitFor();
      await page.keyboard.press("Control+Alt+a");
      await editor.pick("read .env", "Allow once");
      await editor.seeText("The colour is blue");
      await waits.waitFor({ state: "detached" });
    },
  },
};
