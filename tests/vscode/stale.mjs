// Hunks whose lines the user has changed: merged, taken all the same, explained; and what is proposed, without lenses.
import { EVERYWHERE_TRUSTED } from "./harness.mjs";

const NOTES = "one\ntwo\nthree\nfour\nfive\nsix\n";

const SCRIPT = `
turns:
  - stream:
      - tool: {name: edit, input: {path: notes.txt, before: "two", after: "two and more"}}
      - tool: {name: edit, input: {path: notes.txt, before: "five", after: "FIVE"}}
  - stream: [{text: "Both of them wait."}]
`;

export const stale = {
  conflicts: {
    files: { "notes.txt": NOTES },
    settings: EVERYWHERE_TRUSTED,
    script: SCRIPT,
    async run(editor) {
      const { page } = editor;
      await editor.ready();
      await editor.open("notes.txt", "three");
      await editor.command("Kkcode: Ask the Agent to Work on");
      await editor.answer("What should the agent do?", "Say more");
      await editor.seeText("Both of them wait");
      await editor.ready("2 hunks");

      // What a hunk would do is told where the mouse rests, and by the command of its turn.
      await editor.line("five").click();
      await editor.line("five").hover({ position: { x: 12, y: 8 } });
      await page.locator(".monaco-hover", { hasText: "FIVE" }).first().waitFor();
      await page.keyboard.press("Escape");
      await editor.line("one").click();
      await editor.command("Kkcode: Next Hunk");
      await editor.at(2);
      await editor.command("Kkcode: Previous Hunk");
      await editor.at(5);
      await editor.command("Kkcode: Show Proposed Changes of This File");
      await editor.proposed("FIVE").waitFor();
      await editor.command("View: Close Editor");
      await page.locator(".monaco-diff-editor").waitFor({ state: "detached" });

      // The user writes into both.
      await editor.type("two", "my ");
      await editor.type("five", "my ");
      await editor.seeLenses("stale · Reject hunk", 2);
      await editor.seeLenses("Take proposal here", 2);
      await editor.seeLenses("Merge", 1);
      await editor.picture("15-stale");
      await editor.line("my five").click();
      await editor.command("Kkcode: Merge Stale Hunk");
      await editor.seeMessage("cannot be merged");
      await editor.line("my two").click();
      await editor.command("Kkcode: Merge Stale Hunk");
      await editor.line("my two and more").waitFor();
      await editor.line("my five").click();
      await editor.command("Kkcode: Take Proposal Here");
      await editor.line("FIVE").waitFor();
      await editor.seeLenses("hunk", 0);
      await editor.command("Kkcode: Undo Last Review Decision");
      await editor.line("my five").click();
      await editor.command("Kkcode: Why This Hunk?");
      await page.locator(".tab.active", { hasText: "Say more" }).waitFor();
      await page.locator(".tab", { hasText: "notes.txt" }).click();
      await editor.line("my five").click();
      await editor.command("Kkcode: Reject Hunk");
      await editor.seeLenses("hunk", 0);
      await page.keyboard.press("Control+s");
      await editor.seeFile("notes.txt", NOTES.replace("two", "my two and more").replace("five", "my five"));
    },
  },
};
