// The acts that the other cases do not need: each way to begin a turn, what is attached to it, and decisions about more than one hunk.
import { EVERYWHERE_TRUSTED } from "./harness.mjs";

const NOTES = "one\ntwo\nthree\nfour\nfive\nsix\n";
const OTHER = "alpha\nbeta\n";

/** A model that expects some words of what it is told, and answers. */
const answers = (expected, reply) =>
  JSON.stringify({ turns: [{ expect: expected, stream: [{ text: reply }] }, { stream: [{ text: "Gone on." }] }] });

const edits = (...files) => JSON.stringify({
  turns: [
    { stream: files.flatMap(([path, ...changes]) => changes.map(([before, after]) => ({ tool: { name: "edit", input: { path, before, after } } }))) },
    { stream: [{ text: "All of it waits." }] },
  ],
});

export const acts = {
  // Each command that starts a turn says to the model what it should, with what is selected, attached or wrong.
  beginnings: {
    files: { "notes.txt": NOTES, "other.txt": OTHER, "broken.json": '{"a": }\n' },
    settings: EVERYWHERE_TRUSTED,
    script: "turns: []\n",
    async run(editor) {
      const { page } = editor;
      const attached = (words) => page.locator(".statusbar-item", { hasText: words });
      let count = 0;
      const turn = async (expected, begin) => {
        count += 1;
        editor.write("home/script.yaml", answers(expected, `Reply ${count}.`));
        await begin();
        await editor.seeText(`Reply ${count}.`);
      };
      await editor.ready();
      await editor.open("other.txt", "alpha");
      await editor.command("Kkcode: Attach File to the Next Prompt");
      await editor.open("notes.txt", "three");
      await editor.line("two").click();
      await page.keyboard.press("Home");
      await page.keyboard.press("Shift+End");
      await editor.command("Kkcode: Attach Selection to the Next Prompt");
      await attached("2 attachments").waitFor();
      await turn(["alpha", "Why so?"], async () => {
        await editor.command("Kkcode: Ask a Question about the Code");
        await editor.answer("What would you like to know?", "Why so?");
      });
      await attached("attachment").waitFor({ state: "detached" });
      await editor.command("Kkcode: Attach File to the Next Prompt");
      await attached("1 attachment").waitFor();
      await editor.command("Kkcode: Clear Attachments");
      await attached("attachment").waitFor({ state: "detached" });

      await editor.line("two").click();
      await page.keyboard.press("Home");
      await page.keyboard.press("Shift+End");
      for (const [title, expected, question] of [
        ["Plan a Change", "Louder", "What should be planned?"],
        ["Refactor Selection", "Refactor the selected code: Louder", "How should the selected code be refactored?"],
        ["Explain Selection", "Explain the selected code."],
        ["Document Selection", "Document the selected code."],
        ["Write Tests for Selection", "Write tests for the selected code."],
      ]) {
        await turn([expected, "two"], async () => {
          await editor.command(`Kkcode: ${title}`);
          if (question !== undefined) {
            await editor.answer(question, "Louder");
          }
        });
      }
      await editor.command("Kkcode: Fix Problems Here");
      await editor.seeMessage("there is no problem");
      await editor.open("broken.json", '"a"');
      await page.locator(".squiggly-error").first().waitFor();
      await turn(["Fix: Value expected"], () => editor.command("Kkcode: Fix Problems Here"));

      await editor.command("Kkcode: Resume Session");
      await editor.pick("Which session?", "Why so?");
      await editor.answer("How should it go on?", "And then?");
      await editor.seeText("Gone on.");

      await editor.command("Kkcode: Set Permission Level");
      await editor.pick("What may the agent do", "readonly");
      await editor.ready("readonly · play");
      await editor.command("Kkcode: Select Model");
      await editor.pick("The model of the turns to come", "play");
      await editor.ready("play");
      await editor.command("Kkcode: Get Started");
      await page.locator(".gettingStartedContainer", { hasText: "Ask the agent" }).waitFor();
    },
  },

  // A file, a proposal, lines: decided at once, taken back, made again, and seen all together.
  decisions: {
    files: { "notes.txt": NOTES, "other.txt": OTHER },
    settings: EVERYWHERE_TRUSTED,
    script: edits(["notes.txt", ["two", "TWO"], ["five", "FIVE"]], ["other.txt", ["beta", "BETA"]]),
    async run(editor) {
      const { page } = editor;
      await editor.ready();
      await editor.open("notes.txt", "three");
      await editor.command("Kkcode: Ask the Agent to Work on");
      await editor.answer("What should the agent do?", "Raise your voice");
      await editor.seeText("All of it waits");
      await editor.seeLenses("Accept hunk", 2);

      await editor.line("one").click();
      await page.keyboard.press("Alt+F6");
      await editor.at(2);
      await page.keyboard.press("Alt+F6");
      await editor.at(5);
      await page.keyboard.press("Shift+Alt+F6");
      await editor.at(2);

      await editor.command("Kkcode: Show All Changes of the Proposal");
      await page.locator(".multiDiffEntry", { hasText: "notes.txt" }).first().waitFor();
      await page.locator(".multiDiffEntry", { hasText: "other.txt" }).first().waitFor();
      await editor.picture("14-proposal");
      await editor.command("View: Close Editor");
      await page.locator(".multiDiffEntry").first().waitFor({ state: "detached" });

      await editor.line("three").click();
      await editor.command("Kkcode: Accept All Hunks of This File");
      await editor.line("FIVE").waitFor();
      await editor.seeLenses("Accept hunk", 0);
      await editor.command("Kkcode: Undo Last Review Decision");
      await editor.line("five").waitFor();
      await editor.seeLenses("Accept hunk", 2);
      await editor.command("Kkcode: Redo Review Decision");
      await editor.line("FIVE").waitFor();
      await page.keyboard.press("Control+s");
      await editor.seeFile("notes.txt", NOTES.replace("two", "TWO").replace("five", "FIVE"));

      await editor.open("other.txt", "alpha");
      await editor.seeLenses("Accept hunk", 1);
      await editor.command("Kkcode: Reject Proposal");
      await editor.answer("Reject the proposal", "Loud enough");
      await editor.seeLenses("Accept hunk", 0);
      await editor.seeFile("other.txt", OTHER);

      editor.write("home/script.yaml", edits(["other.txt", ["alpha\nbeta", "ALPHA\nBETA"]]));
      await editor.command("Kkcode: Ask the Agent to Work on");
      await editor.answer("What should the agent do?", "And here");
      await editor.seeLenses("Accept hunk", 1);
      // One line is refused on the proposed side, the rest of the file with a reason.
      await editor.line("alpha").click();
      await page.keyboard.press("Alt+d");
      await editor.proposed("BETA").click();
      await page.keyboard.press("Home");
      await page.keyboard.press("Shift+End");
      await editor.command("Kkcode: Reject Selected Lines");
      await editor.command("View: Close Editor");
      await page.locator(".monaco-diff-editor").waitFor({ state: "detached" });
      await editor.line("beta").click();
      await editor.command("Kkcode: Reject All Hunks of This File");
      await editor.answer("Reject", "Quiet");
      await editor.seeLenses("Accept hunk", 0);
      await editor.seeFile("other.txt", OTHER);
    },
  },
};
