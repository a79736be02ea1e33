// A workspace of several folders: what is changed in each is reviewed where it is.
import { join } from "node:path";
import { EVERYWHERE_TRUSTED } from "./harness.mjs";

const NOTES = "one\ntwo\nthree\n";

export const folders = {
  folders: {
    files: {
      "first/notes.txt": NOTES,
      "second/other.txt": NOTES,
      "both.code-workspace": JSON.stringify({ folders: [{ path: "first" }, { path: "second" }] }),
    },
    workspace: "both.code-workspace",
    settings: EVERYWHERE_TRUSTED,
    script: "turns: []\n",
    async run(editor) {
      const edit = (path) => `      - tool: {name: edit, input: {path: "${join(editor.work, path)}", before: two, after: TWO}}\n`;
      editor.write("home/script.yaml", `turns:\n  - stream:\n${edit("first/notes.txt")}${edit("second/other.txt")}  - stream: [{text: "Both wait."}]\n`);
      await editor.ready();
      await editor.open("notes.txt", "three");
      await editor.command("Kkcode: Ask the Agent to Work on");
      await editor.answer("What should the agent do?", "Raise your voice");
      await editor.seeText("Both wait");
      await editor.command("Kkcode: Focus on Proposals View");
      await editor.row("notes.txt").waitFor();
      await editor.row("other.txt").waitFor();
      for (const path of ["first/notes.txt", "second/other.txt"]) {
        await editor.open(path.split("/").at(-1), "three");
        await editor.seeLenses("Accept hunk", 1);
        await editor.lens("Accept hunk").first().click();
        await editor.line("TWO").click();
        await editor.page.keyboard.press("Control+s");
        await editor.seeFile(path, NOTES.replace("two", "TWO"));
        await editor.command("View: Close Editor");
      }
    },
  },
};
