// What a user says to the agent beside a prompt: comments, lines of a hunk, a version of their own, keys; and the
// conversations that are kept of it.
import { createServer } from "node:http";
import { EVERYWHERE_TRUSTED as TRUSTED } from "./harness.mjs";

const NOTES = "one\ntwo\nthree\nfour\nfive\nsix\n";

const LOUD = `
turns:
  - stream:
      - tool: {name: edit, input: {path: notes.txt, before: "two\\nthree", after: "TWO\\nTHREE"}}
      - tool: {name: edit, input: {path: notes.txt, before: five, after: FIVE}}
  - stream:
      - text: "All of it waits for your review."
`;

/** Starts a turn on the notes and waits for its two hunks. */
async function loud(editor) {
  await editor.ready();
  await editor.open("notes.txt", "three");
  await editor.command("Kkcode: Ask the Agent to Work on");
  await editor.answer("What should the agent do?", "Raise your voice");
  await editor.seeText("All of it waits for your review");
  await editor.seeLenses("Accept hunk", 2);
}

export const conversations = {
  // One round of a review: a comment, some lines of a hunk, an own version of another, and the agent is told of each.
  rounds: {
    files: { "notes.txt": NOTES },
    settings: TRUSTED,
    script: `${LOUD}
  - expect: ["Only the second word, please"]
    stream:
      - text: "I have read your comment."
  - expect: ["Cinq"]
    stream:
      - text: "I have seen your version."
`,
    async run(editor) {
      const { page } = editor;
      await loud(editor);
      await editor.line("two").click();
      await editor.command("Kkcode: Comment on Hunk");
      await page.locator(".comment-form .monaco-editor").first().click();
      await page.keyboard.type("Only the second word, please");
      await page.keyboard.press("Control+Enter");
      await page.locator(".review-comment", { hasText: "kept for the next turn" }).waitFor();
      await editor.picture("6-comment");
      await editor.command("Kkcode: Send Review to the Agent");
      await editor.seeText("I have read your comment");

      // Lines are selected on the proposed side, and only they are taken.
      await editor.line("two").click();
      await page.keyboard.press("Alt+d");
      await editor.proposed("THREE").click();
      await page.keyboard.press("Home");
      await page.keyboard.press("Shift+End");
      await editor.command("Kkcode: Accept Selected Lines");
      await editor.command("View: Close Editor");
      await page.locator(".monaco-diff-editor").waitFor({ state: "detached" });
      await editor.line("THREE").click();
      await page.keyboard.press("Control+s");
      await editor.seeFile("notes.txt", NOTES.replace("three", "THREE"));

      // What is typed on the proposed side becomes the proposal when it is saved.
      await editor.line("five").click();
      await page.keyboard.press("Alt+d");
      await editor.proposed("FIVE").click();
      await page.keyboard.press("Home");
      await page.keyboard.press("Shift+End");
      await page.keyboard.type("Cinq");
      await page.keyboard.press("Control+s");
      await page.locator(".tab.dirty").waitFor({ state: "detached" });
      await editor.command("View: Close Editor");
      await page.locator(".monaco-diff-editor").waitFor({ state: "detached" });
      await editor.line("five").click();
      await editor.command("Kkcode: Accept Hunk");
      await editor.line("Cinq").click();
      await page.keyboard.press("Control+s");
      await editor.seeFile("notes.txt", NOTES.replace("three", "THREE").replace("five", "Cinq"));
      await editor.command("Kkcode: Send Review to the Agent");
      await editor.seeText("I have seen your version");
    },
  },

  // Conversations are named, copied, shown and thrown away.
  sessions: {
    files: { "notes.txt": NOTES },
    settings: TRUSTED,
    script: `
turns:
  - stream: [{text: "It counts to six."}]
  - stream: [{text: "It does so in words."}]
`,
    async run(editor) {
      const { page } = editor;
      const row = (words) => page.locator(".pane-body .monaco-list-row", { hasText: words }).filter({ hasText: "1 turn" });
      await editor.ready();
      await editor.open("notes.txt", "three");
      await editor.command("Kkcode: Ask a Question about the Code");
      await editor.answer("What would you like to know?", "What is this?");
      await editor.seeText("It counts to six");
      await editor.command("Kkcode: Focus on Sessions View");
      await row("What is this?").waitFor();

      await editor.command("Kkcode: Rename Session");
      await editor.pick("Which session?", "What is this?");
      await editor.answer("Rename session", "Numbers");
      await row("Numbers").waitFor();
      await editor.command("Kkcode: Fork Session");
      await editor.pick("Which session?", "Numbers");
      await editor.eventually("two sessions", async () => (await row("Numbers").count()) === 2);
      await editor.picture("7-sessions");

      await editor.command("Kkcode: Show Conversation of Session");
      await editor.pick("Which session?", "Numbers");
      await editor.seeText("# Numbers");

      await editor.command("Kkcode: Delete Session");
      await editor.pick("Which session?", "Numbers");
      await page.locator(".monaco-dialog-box .monaco-button", { hasText: "Delete" }).click();
      await editor.eventually("one session", async () => (await row("Numbers").count()) === 1);
    },
  },

  // A key is asked for in a field that hides it, reaches the provider, and stands in no file.
  keys: {
    files: { "notes.txt": NOTES },
    settings: TRUSTED,
    script: "turns: []\n",
    async prepare() {
      const keys = [];
      const server = createServer((request, response) => {
        keys.push(request.headers["x-api-key"]);
        request.resume().on("end", () => {
          response.writeHead(401, { "content-type": "application/json" });
          response.end(JSON.stringify({ type: "error", error: { type: "authentication_error", message: "who are you" } }));
        });
      });
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      this.keys = keys;
      this.server = server;
      return `provider: {door: {type: anthropic, base_url: "http://127.0.0.1:${server.address().port}", default_model: porter}}\n`;
    },
    async run(editor) {
      const { page } = editor;
      const asked = async () => {
        await editor.command("Kkcode: Ask a Question about the Code");
        await editor.answer("What would you like to know?", "Why?");
      };
      try {
        await editor.ready();
        await editor.open("notes.txt", "three");
        await asked();
        await editor.seeMessage("key");
        await editor.command("Kkcode: Set API Key of a Provider");
        await editor.pick("Which provider of the configuration?", "door");
        await page.locator('.quick-input-widget:visible input[type="password"]').waitFor();
        await editor.answer("API key of door", "key-of-a-test");
        await page.locator(".statusbar-item", { hasText: "the key of door is set" }).waitFor();
        await asked();
        await editor.eventually("the key at the door", () => this.keys.includes("key-of-a-test"));
        await editor.seeMessage("who are you");
        editor.seeNowhere("key-of-a-test");
      } finally {
        this.server.close();
      }
    },
  },
};
